"""The list of decisions as Markdown, for a comment on the planning issue.

Owns the tables and the escaping of everything that people wrote. Confidential issues appear by reference
only; a note on one is kept, since a person typed it for this list. Names are in code spans, so that the
comment notifies no one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from glboard_core.model.issue import Issue
from glboard_core.planning.call import CallNote, PlanFigures
from glboard_core.planning.decisions import (
    KINDS,
    Decision,
    DecisionKind,
    DecisionRules,
    change_words,
    open_questions,
)
from glboard_core.planning.text import counted, day_words, number, plain, table, with_sign

CONFIDENTIAL = "(confidential)"
#: The most rows of a table: longer ones are not read.
MOST_ROWS = 100
_COLUMNS = ("issue", "title", "weight", "assignee", "from", "to", "what", "by", "note")


class DecisionList(Struct, frozen=True, kw_only=True):
    """Everything the text is built from. ``until`` is None for a call that goes on.

    ``person`` is whose decisions these are, if not everyone's.
    """

    milestone: str
    since: datetime
    until: datetime | None
    is_call: bool
    rules: DecisionRules
    decisions: tuple[Decision, ...] = ()
    notes: tuple[CallNote, ...] = ()
    questions: tuple[str, ...] = ()
    before: PlanFigures | None = None
    after: PlanFigures | None = None
    person: str = ""
    #: How many notes are about confidential issues.
    confidential_notes: int = 0

    @property
    def count(self) -> int:
        """How many issues something was decided about."""
        return sum(bool(one.changes) for one in self.decisions)

    def of_kind(self, kind: DecisionKind) -> list[Decision]:
        """The decisions of one kind."""
        return [one for one in self.decisions if one.kind == kind]

    @property
    def open_questions(self) -> list[str]:
        """What is left open."""
        return open_questions(
            self.decisions, self.milestone, self.after, self.rules, self.notes, self.questions
        )


def span_words(since: datetime, until: datetime | None, zone: ZoneInfo) -> str:
    """``7 Dec 2026, 14:02 to 15:10 UTC``; with both days if they differ, without an end while it goes on."""
    start = since.astimezone(zone)
    first = f"{day_words(start.date())} {start.year}, {start:%H:%M}"
    if until is None:
        return f"{first} {start.tzname()}"
    end = until.astimezone(zone)
    day = "" if end.date() == start.date() else f"{day_words(end.date())} {end.year}, "
    return f"{first} to {day}{end:%H:%M} {end.tzname()}"


def markdown(
    found: DecisionList,
    zone: ZoneInfo,
    title_of: Callable[[Issue], str],
    typed: Callable[[str], str] = str,
) -> str:
    """The message. ``title_of`` gives the text to show for a title, ``typed`` that for what a person wrote:
    a row whose title is for everybody is not hidden for words that it shares with a confidential one.
    """
    parts = [f"## Decisions {plain(found.milestone)}", _summary(found, zone)]
    for kind, heading in KINDS.items():
        if some := found.of_kind(kind):
            parts += [
                f"### {heading} ({_summed(kind, some)})",
                _table(some, kind, found.rules, title_of, typed),
            ]
            if len(some) > MOST_ROWS:
                parts.append(f"… and {len(some) - MOST_ROWS} more.")
    if not found.decisions:
        parts.append("No decisions.")
    if (capacity := _capacity(found.before, found.after)) is not None:
        parts += ["### Capacity", capacity]
    if questions := found.open_questions:
        parts += ["### Open questions", "\n".join(f"- {_question(typed(one))}" for one in questions)]
    return "\n\n".join(parts)


def _summary(found: DecisionList, zone: ZoneInfo) -> str:
    what = "Planning call" if found.is_call else "Changes"
    by = f", by {_code(found.person)}" if found.person else ""
    when = plain(span_words(found.since, found.until, zone))
    when = when if found.until is not None else f"since {when}"
    return f"{what} {when}{by}: {counted(found.count, 'decision')}."


def _summed(kind: DecisionKind, some: Sequence[Decision]) -> str:
    weight = sum(one.issue.weight or 0 for one in some if not one.issue.confidential)
    return f"{len(some)}, weight {weight}" if kind == "accepted" and weight else str(len(some))


def _table(
    some: Sequence[Decision],
    kind: DecisionKind,
    rules: DecisionRules,
    title_of: Callable[[Issue], str],
    typed: Callable[[str], str],
) -> str:
    rows = [_row(one, kind, rules, title_of, typed) for one in some[:MOST_ROWS]]
    # The first two always; another one only if it says something.
    shown = [n for n, name in enumerate(_COLUMNS) if n < 2 or any(row[name] for row in rows)]
    heads = [_COLUMNS[n] for n in shown]
    right = frozenset(at for at, name in enumerate(heads) if name == "weight")
    return table(heads, [[row[name] for name in heads] for row in rows], right=right)


def _row(
    one: Decision,
    kind: DecisionKind,
    rules: DecisionRules,
    title_of: Callable[[Issue], str],
    typed: Callable[[str], str],
) -> dict[str, str]:
    row = dict.fromkeys(_COLUMNS, "")
    row["issue"] = one.issue.reference
    if one.note is not None:
        row["note"] = _lines(typed(one.note.text))
    if one.issue.confidential:
        row["title"] = CONFIDENTIAL
        return row
    row["title"] = plain(title_of(one.issue))
    row["by"] = " ".join(map(_code, one.by))
    without: set[str] = set()
    milestone, weight = one.change("milestone"), one.change("weight")
    match kind:
        case "accepted":
            row["weight"] = _weight(one.issue.weight)
            if weight is not None and weight.was is not None:
                row["weight"] += f" (was {weight.was})"
            row["assignee"] = " ".join(map(_code, one.issue.assignees))
            without = {rules.names.deliverable, "weight", "assignee"}
        case "deferred" | "dropped" if milestone is not None:
            row["weight"] = _weight(one.issue.weight)
            row["from"], row["to"] = (
                plain(title or "no milestone") for title in (milestone.was, milestone.now)
            )
            without = {rules.names.deliverable, "milestone"}
        case "reweighted" if weight is not None:
            row["from"], row["to"] = _weight(weight.was), _weight(weight.now)
            without = {"weight"}
        case _:
            pass
    row["what"] = _what(", ".join(change_words(one.changes, rules, without=without)))
    return row


def _what(words: str) -> str:
    """What was changed, with people as in the other columns: their whole names, in code spans."""
    return _MENTION.sub(lambda found: f"`{found[0].replace(_ESCAPE, '')}`", plain(words))


#: A person in an escaped text, whose name may be escaped, too.
_MENTION = re.compile(r"\\@(?:\\?[\w.-])*\w")
_ESCAPE = "\\"


def _capacity(before: PlanFigures | None, after: PlanFigures | None) -> str | None:
    """The figures before and after; None if there is nothing to compare."""
    shown = [figures for figures in (before, after) if figures is not None]
    if len(shown) < 2:
        return None
    rows: list[Sequence[str]] = []
    if all(one.total is not None for one in shown):
        rows += [
            ("Capacity", *(number(one.total) for one in shown)),
            ("Carry-over, likely", *(number(one.carried) for one in shown)),
        ]
    rows += [
        ("Planned", *(_unweighted(one.planned, one.unweighted) for one in shown)),
        ("Accepted", *(str(one.accepted) for one in shown)),
    ]
    if all(one.free is not None for one in shown):
        rows.append(("**Free**", *(f"**{with_sign(one.free or 0.0)}**" for one in shown)))
    return table(("weight", "before", "after"), rows, right=frozenset({1, 2}))


def without_capacity(text: str) -> str:
    """The message without what the team can take and has free, however it was edited otherwise."""
    return "\n".join(line for line in text.splitlines() if not _TEAM.match(line))


_TEAM = re.compile(r"\|\s*(?:Capacity|Carry-over, likely|\*\*Free\*\*)\s*\||.*\d+w over its capacity\s*$")


def _unweighted(weight: int, unweighted: int) -> str:
    return f"{weight} + {unweighted} unweighted" if unweighted else str(weight)


def _question(text: str) -> str:
    """Escaped, but for the reference in front, which GitLab makes a link."""
    reference, colon, rest = text.partition(": ")
    project, mark, iid = reference.partition("#")
    if colon and mark and iid.isdecimal() and project and not set(project) - _PATH:
        return f"{reference}: {_lines(rest)}"
    return _lines(text)


_PATH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")


def _lines(text: str) -> str:
    """Several lines in one cell."""
    return "<br>".join(plain(line) for line in _not_empty(text.splitlines()))


def _not_empty(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _weight(weight: int | None) -> str:
    return "-" if weight is None else str(weight)


def _code(name: str) -> str:
    return f"`{''.join(char for char in name if char.isalnum() or char in '_.-')}`"
