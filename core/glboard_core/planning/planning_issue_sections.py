"""The parts of a planning issue: dates, boards, capacity, candidates and carry-over, as Markdown.

Pure. The same month gives exactly the same text, without a clock, so that a second update has nothing to
do. Titles of confidential issues are kept out of an issue that others can read; people's days never appear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

from glboard_core.config import CapacityWords
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.candidates import Candidate
from glboard_core.planning.capacity import Capacity, CarryOver, workdays
from glboard_core.planning.text import counted, number, plain, table, with_sign

#: The most rows of a table: longer ones are not read, and descriptions have a size limit.
MOST_ROWS = 100


class BoardLink(Struct, frozen=True):
    """A board of the milestone, as listed in the issue. No ``url``: not in GitLab, for the reason ``why``."""

    name: str
    url: str = ""
    why: str = ""


class Month(Struct, frozen=True, kw_only=True):
    """Everything the text is built from. ``capacity`` is None without a team."""

    milestone: Milestone
    before: Milestone | None
    candidates: Sequence[Candidate]
    carry_over: CarryOver
    capacity: Capacity | None
    flow: WorkflowScheme
    words: CapacityWords = "totals"
    #: Whether the planning issue itself is confidential, so that it can show every title.
    confidential: bool = False


def values(month: Month) -> dict[str, str]:
    """The escaped values of the one-line placeholders."""
    own = month.milestone
    return {
        "milestone": plain(own.title),
        "start": _day(own.start),
        "due": _day(own.due),
        "workdays": str(len(workdays(own))),
        "before": plain(month.before.title) if month.before else "nothing",
    }


def parts(month: Month, boards: Sequence[BoardLink]) -> Mapping[str, str]:
    """Every part by its name."""
    return {
        "dates": dates(month),
        "boards": board_links(boards),
        "capacity": capacity(month),
        "candidates": candidates(month),
        "carry-over": carry_over(month),
    }


def dates(month: Month) -> str:
    """Start and due date, and the milestone before."""
    own, before = month.milestone, month.before
    rows = [
        ("Starts", _day(own.start)),
        ("Due", _day(own.due)),
        ("Workdays", f"{len(workdays(own))}, before holidays"),
    ]
    if before is not None:
        rows.append(("Before it", f"{plain(before.title)}, until {_day(before.due)}"))
    return table(("Milestone", plain(own.title)), rows)


def board_links(boards: Sequence[BoardLink]) -> str:
    """One line per board."""
    lines = [
        f"- [{plain(board.name)}]({board.url})" if board.url else f"- {plain(board.name)}: {plain(board.why)}"
        for board in boards
    ]
    return "\n".join(lines) or "No boards."


def capacity(month: Month) -> str:
    """Totals; each person's weight only if configured, and never their days."""
    found = month.capacity
    if month.words == "none":
        return "Kept by the EM."
    if found is None or not tells_capacity(month):
        return "Not known yet."
    carried = found.carry_over
    rows = [
        ("Capacity", number(found.total)),
        ("Carry-over", f"{carried.weight}, {number(carried.likely)} likely"),
        ("Planned", _with_unweighted(found.planned, found.unweighted)),
        ("Room", f"{with_sign(found.free)}, {with_sign(found.free_likely)} with the likely carry-over"),
    ]
    text = table(("", "weight"), rows, right=frozenset({1}))
    if month.words == "names":
        people = [
            (_code(person.username), number(person.budget.weight), str(person.committed))
            for person in found.people
            if person.budget is not None
        ]
        text += "\n\n" + table(("engineer", "capacity", "planned"), people, right=frozenset({1, 2}))
    return text


def tells_capacity(month: Month) -> bool:
    """Whether there is a team whose capacity can be published."""
    found = month.capacity
    return month.words != "none" and found is not None and any(person.budget for person in found.people)


def candidates(month: Month) -> str:
    """The candidates in suggested order, with what is needed to choose (planning rule 12)."""
    found = month.candidates
    if not found:
        return "None yet."
    rows = [
        (
            str(number),
            one.issue.reference,
            _title(one.issue, month),
            _weight(one.issue.weight),
            str(one.slipped) if one.slipped else "",
            plain(f"P{one.priority}") if one.priority else "",
            _people(one.issue),
            _notes(one),
        )
        for number, one in enumerate(found[:MOST_ROWS], 1)
    ]
    heads = ("", "issue", "title", "weight", "slipped", "priority", "assignee", "")
    weights = [one.issue.weight for one in found]
    total = sum(weight for weight in weights if weight is not None)
    summed = f"{counted(len(found), 'issue')}, weight {_with_unweighted(total, weights.count(None))}."
    return _listed(table(heads, rows, right=frozenset({0, 3, 4})), len(found), summed)


def carry_over(month: Month) -> str:
    """The open Deliverables of the milestone before, with their workflow state."""
    found = month.carry_over
    if month.before is None or found.milestone is None:
        return "There is no milestone before this one."
    if not found.issues:
        return f"Nothing is left open of {plain(found.milestone)}."
    rows = [
        (
            issue.reference,
            _title(issue, month),
            _weight(issue.weight),
            plain(state.name) if (state := month.flow.of(issue)) else "",
            _people(issue),
        )
        for issue in found.issues[:MOST_ROWS]
    ]
    heads = ("issue", "title", "weight", "state", "assignee")
    summed = (
        f"{counted(len(found.issues), 'open Deliverable')} of {plain(found.milestone)}, weight "
        f"{_with_unweighted(found.weight, found.unweighted)}, {number(found.likely)} likely."
    )
    return _listed(table(heads, rows, right=frozenset({2})), len(found.issues), summed)


def _title(issue: Issue, month: Month) -> str:
    if issue.confidential and not month.confidential:
        return "(confidential)"
    return plain(issue.title)


def _notes(one: Candidate) -> str:
    words = ["Deliverable"] if one.accepted else []
    codes = dict.fromkeys((*one.reasons, *one.warnings))
    words += [code.replace("-", " ").replace("missing label:", "no label: ") for code in codes]
    if one.severe:
        words.append(f"severity {one.severity}")
    return plain(", ".join(words))


def _people(issue: Issue) -> str:
    # In code spans, so that a name in a table sends no notification.
    return " ".join(map(_code, issue.assignees))


def _code(name: str) -> str:
    return f"`{''.join(char for char in name if char.isalnum() or char in '_.-')}`"


def _listed(rows: str, count: int, summed: str) -> str:
    more = [f"… and {count - MOST_ROWS} more."] if count > MOST_ROWS else []
    return "\n\n".join([rows, *more, summed])


def _weight(weight: int | None) -> str:
    return "-" if weight is None else str(weight)


def _with_unweighted(weight: int, unweighted: int) -> str:
    return f"{weight} + {unweighted} unweighted" if unweighted else str(weight)


def _day(day: date | None) -> str:
    return f"{day:%A} {day.isoformat()}" if day else "no date"
