"""The planning issue of a milestone: how to find it, its title, and the project for a new one.

Owns how it is recognised: the group's label, ``type::ignore``, the milestone, and a title about planning. One
created by a person or another tool is recognised too, since a second planning issue is worse than an unusual
title. It is on no board and never counts (DOMAIN.md section 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
    {"for", "the", "of", "issue", "milestone", "release", "and", "a", "an", "in", "to", "team"}
)
_PLANNING = frozenset({"plan", "planning"})
#: Words that mark another recurring issue of the milestone, whatever else its title says.
_OTHER = frozenset({"retrospective", "retro", "kickoff"})


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

    Of several, the oldest open one; of closed ones, the oldest that is no duplicate.
    """
    found = [issue for issue in issues if is_planning_issue(issue, milestone, settings)]
    found.sort(key=lambda i: (not i.is_open, i.duplicate, i.created_at, i.reference))
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
            "the title must name the milestone, so that months can be told apart.",
            where=where,
            key=key,
            hint="Add {milestone} where the milestone's title belongs.",
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
            "no project is known for the planning issue: the group has no planning issue yet.",
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
