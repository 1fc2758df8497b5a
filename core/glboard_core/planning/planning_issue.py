"""The planning issue of a milestone: which one it is, the text of a new one, and updates of its parts.

Owns how it is recognised: the group's label, ``type::ignore``, the milestone, and a title about planning. One
created by a person or another tool is recognised too, since a second planning issue is worse than an unusual
title. It is on no board and never counts (planning rule 15). Parts that glboard generates stand between
markers, apart from everything people wrote; ours is found again by an invisible marker.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from msgspec import Struct

from glboard_core.config import LabelSettings, PlanningIssueSettings, Settings
from glboard_core.errors import ConfigError
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_WORD = re.compile(r"[^\W\d_]+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
#: Words of a title template that other issues of a milestone often have too.
_COMMON = frozenset(
    ["for", "the", "of", "issue", "milestone", "release", "and", "a", "an", "in", "to", "team"]
)
_PLANNING = frozenset({"plan", "planning"})
#: Words that mark another recurring issue of the milestone, whatever else its title says.
_OTHER = frozenset({"retrospective", "retro", "kickoff"})

_MARK = re.compile(r"<!--\s*glboard:(?P<kind>begin|end) (?P<name>[a-z-]+)(?: (?P<sum>[0-9a-f]{8}))?\s*-->")
_OWNER = re.compile(r"<!--\s*glboard planning (?P<milestone>[^<>]*)-->")
_DASHES = re.compile(r"-{2,}")

#: Placeholders for a few words, filled once when the issue is created.
VALUES = ("milestone", "start", "due", "workdays", "before")
#: Placeholders for a part, which is regenerated at every update.
PARTS = ("dates", "boards", "capacity", "candidates", "carry-over")

_FIELD = re.compile(r"(?<!\\)\{([A-Za-z][A-Za-z_-]*)\}")


class FoundIssue(Struct, frozen=True):
    """The planning issue, or None; ``others`` are further candidates, oldest first."""

    issue: Issue | None
    others: tuple[Issue, ...] = ()

    @property
    def doubt(self) -> str:
        """A note if it is not the only one, else ""."""
        if not self.others or self.issue is None:
            return ""
        also = ", ".join(other.reference for other in self.others)
        return f"{len(self.others) + 1} issues match; using {self.issue.reference}, not {also}."


def find(issues: Iterable[Issue], milestone: Milestone, settings: Settings) -> FoundIssue:
    """The planning issue of ``milestone`` among ``issues``, open or closed.

    Of several, the oldest open one; of closed ones, the oldest that is no duplicate and was not moved.
    """
    found = [issue for issue in issues if is_planning_issue(issue, milestone, settings)]
    found.sort(key=lambda i: (not i.is_open, i.duplicate or i.moved, i.created_at, i.reference))
    return FoundIssue(found[0] if found else None, tuple(found[1:]))


def is_planning_issue(issue: Issue, milestone: Milestone, settings: Settings) -> bool:
    """Whether it is a planning issue of ``milestone``.

    The title of an issue in the milestone need not name it, but must not name only other ones; without a
    milestone, the title must name it. An issue in another milestone never matches.
    """
    if not _carries(issue, settings.labels) or issue.milestone not in (milestone.title, None):
        return False
    if not _speaks_of_planning(issue.title, settings.planning.issue):
        return False
    if _names(issue.title, milestone.title):
        return True
    return issue.milestone is not None and not _VERSION.search(issue.title)


def title_for(milestone: Milestone, settings: PlanningIssueSettings) -> str:
    """The title of a new one. Raises ConfigError if the template does not name the milestone."""
    where, key = "config.toml", "planning.issue.title"
    unknown = [name for name in _PLACEHOLDER.findall(settings.title) if name != "milestone"]
    if unknown:
        raise ConfigError(
            f"unknown placeholder “{{{unknown[0]}}}”.", where=where, key=key, hint="Known: {milestone}."
        )
    if "{milestone}" not in settings.title:
        raise ConfigError(
            "the title must contain the milestone.",
            where=where,
            key=key,
            hint="Add {milestone} to the title.",
        )
    return " ".join(settings.title.replace("{milestone}", milestone.title).split())


def labels_for(settings: Settings) -> tuple[str, ...]:
    """The labels of a new one, each once: the group's and ``type::ignore``, then the configured ones."""
    names = settings.labels
    wanted = (names.group, names.ignore, *settings.planning.issue.labels)
    return tuple(dict.fromkeys(label for label in wanted if label))


def project_for(issues: Iterable[Issue], settings: Settings) -> str:
    """The project of a new one: the configured one, else where the newest planning issue of any month is.

    Raises ConfigError if neither is known.
    """
    if settings.planning.issue.project:
        return settings.planning.issue.project
    known = [
        issue
        for issue in issues
        if issue.milestone is not None
        and _carries(issue, settings.labels)
        and _speaks_of_planning(issue.title, settings.planning.issue)
    ]
    if not known:
        raise ConfigError(
            "no project for the planning issue: the group has no planning issue yet.",
            where="config.toml",
            key="planning.issue.project",
            hint='Set project = "group/project" under [planning.issue].',
        )
    return max(known, key=lambda issue: (issue.created_at, issue.reference)).project


def _carries(issue: Issue, names: LabelSettings) -> bool:
    return names.ignore in issue.labels and (not names.group or names.group in issue.labels)


def _names(title: str, milestone: str) -> bool:
    """Whether the title names the milestone: 19.10, 19.1.2 and 9.19.1 do not name 19.1."""
    if _VERSION.fullmatch(milestone):
        return milestone in _VERSION.findall(title)
    return milestone.casefold() in title.casefold()


def _speaks_of_planning(title: str, settings: PlanningIssueSettings) -> bool:
    words = _words(title)
    own = _words(_PLACEHOLDER.sub(" ", settings.title)) - _COMMON
    if words & _OTHER - own:
        return False
    return bool(own and own <= words) or bool(words & _PLANNING)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(text))


# -- generated parts


class Merged(Struct, frozen=True, kw_only=True):
    """A description with its parts regenerated. ``changed`` names those that differ from before.

    ``kept`` says why a part was left unchanged.
    """

    text: str
    changed: tuple[str, ...] = ()
    kept: Mapping[str, str] = {}


def owner_mark(milestone: str) -> str:
    """The invisible marker of a milestone's planning issue, by which it is found again."""
    return f"<!-- glboard planning {_harmless(milestone)} -->"


def is_owned(description: str, milestone: str) -> bool:
    """Whether the description has that marker."""
    return any(found["milestone"].strip() == _harmless(milestone) for found in _OWNER.finditer(description))


def wrapped(name: str, text: str) -> str:
    """A part between its markers."""
    inside = text.strip("\n")
    return f"<!-- glboard:begin {name} {_sum(inside)} -->\n\n{inside}\n\n<!-- glboard:end {name} -->"


def merge(description: str, parts: Mapping[str, str]) -> Merged:
    """The description with these parts replaced in place; everything else in it stays unchanged."""
    marks = list(_MARK.finditer(description))
    new: dict[tuple[int, int], str] = {}
    kept: dict[str, str] = {}
    changed: list[str] = []
    for name, text in parts.items():
        found = [at for at, mark in enumerate(marks) if mark["name"] == name]
        if not found:
            kept[name] = "its markers were removed"
            continue
        begin, end = marks[found[0]], marks[found[-1]]
        # A pair: a begin and an end marker, with no other part's marker between them.
        if found != [found[0], found[0] + 1] or (begin["kind"], end["kind"]) != ("begin", "end"):
            kept[name] = "its markers do not form a pair"
            continue
        inside = description[begin.end() : end.start()]
        if _sum(inside) == _sum(text):
            continue
        if inside.strip() and begin["sum"] != _sum(inside):
            kept[name] = "edited by hand; delete the text between its markers to regenerate it"
            continue
        new[begin.start(), end.end()] = wrapped(name, text)
        changed.append(name)
    for (start, stop), part in sorted(new.items(), reverse=True):
        description = description[:start] + part + description[stop:]
    return Merged(text=description, changed=tuple(changed), kept=kept)


def appended(description: str, parts: Mapping[str, str], milestone: str) -> Merged:
    """The unchanged description of an issue that is not ours yet, with the parts and our marker appended."""
    blocks = [f"## {name.capitalize()}\n\n{wrapped(name, text)}" for name, text in parts.items()]
    pieces = [*([description.rstrip()] if description.strip() else []), *blocks, owner_mark(milestone)]
    return Merged(text="\n\n".join(pieces), changed=tuple(parts))


def same(one: str, other: str) -> bool:
    """Whether two descriptions are the same text, ignoring line endings and trailing blanks."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r\n", "\n").rstrip().split("\n")]


def _sum(text: str) -> str:
    """A short checksum that ignores blanks and the length of table rules, which editors rewrite."""
    return f"{zlib.crc32(''.join(_DASHES.sub('-', text).split()).encode()):08x}"


def _harmless(milestone: str) -> str:
    return re.sub(r"[<>\s-]+", " ", milestone).strip()


# -- the template: Markdown with placeholders


def check(template: str, where: str) -> tuple[str, ...]:
    """The parts the template has, in its order. Raises ConfigError with the line of the first mistake."""
    parts: list[str] = []
    for number, line in enumerate(template.splitlines(), 1):
        for found in _FIELD.finditer(line):
            name, place = found[1], f"{where}:{number}"
            if name not in (*VALUES, *PARTS):
                raise _unknown(name, place)
            if name in PARTS and line.strip() != found[0]:
                wrong, hint = "placeholder expands to several lines.", "Put it on its own line."
                raise ConfigError(wrong, where=place, key=found[0], hint=hint)
            if name in parts:
                raise ConfigError("used twice.", where=place, key=found[0], hint="Use it only once.")
            if name in PARTS:
                parts.append(name)
    return tuple(parts)


def fill(template: str, values: Mapping[str, str], parts: Mapping[str, str], where: str) -> str:
    """The text of a new issue: values as given (already escaped), parts between their markers.

    Raises ConfigError as ``check`` does.
    """
    check(template, where)

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        return wrapped(name, parts[name]) if name in PARTS else values[name]

    return _FIELD.sub(replaced, template).strip("\n")


def _unknown(name: str, place: str) -> ConfigError:
    folded = name.lower().replace("_", "-")
    near = get_close_matches(folded, (*VALUES, *PARTS), 1, 0.5)
    known = ", ".join(f"{{{one}}}" for one in (*VALUES, *PARTS))
    meant = f"Did you mean “{{{near[0]}}}”? " if near else ""
    return ConfigError(
        "unknown placeholder.",
        where=place,
        key=f"{{{name}}}",
        hint=f"{meant}Known: {known}. Write \\{{ for a literal brace.",
    )
