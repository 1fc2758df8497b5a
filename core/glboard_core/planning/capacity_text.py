"""A capacity as Markdown, to paste or to post on the planning issue (EM-4).

Owns the text and what it leaves out: days always, since they are private; without ``names`` everything about
one person, even the sum of a role that only one person has. Pure; weights have at most two decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_core.planning.closed import ClosedWeight, mean

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def markdown(
    found: Capacity, milestone: Milestone, closed: Sequence[ClosedWeight] = (), *, names: bool = False
) -> str:
    """The text. ``closed`` are the milestones to compare with; empty if unknown."""
    people = [person for person in found.people if person.budget is not None]
    engineers = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    carried = found.carry_over
    before = f" from {plain(carried.milestone)}" if carried.milestone else ""
    unweighted = f" + {found.unweighted} unweighted" if found.unweighted else ""
    parts = [
        f"## Capacity {plain(found.milestone)}",
        f"{engineers}, {found.workdays} workdays{_dates(milestone)}. Weights; 1 is about 2 days.",
        "\n".join(
            (
                "| | likely | all |",
                "| --- | ---: | ---: |",
                f"| Capacity | {number(found.total)} | {number(found.total)} |",
                f"| Carry-over{before} | {number(carried.likely)} | {carried.weight} |",
                f"| Planned{unweighted} | {found.planned} | {found.planned} |",
                f"| **Room** | **{signed(found.room_likely)}** | **{signed(found.room)}** |",
            )
        ),
    ]
    if roles := found.by_role() if names else found.shared_roles():
        sums = ", ".join(f"{plain(role) or 'no role'} {number(w)}" for role, w in roles.items())
        parts.append(f"By role: {sums}.")
    if (average := mean(closed)) is not None:
        each = ", ".join(f"{plain(one.milestone)}: {one.weight}" for one in closed)
        parts.append(f"For comparison, closed Deliverable weight: {number(average)} on average ({each}).")
    if names and found.people:
        parts.append(_people_rows(found.people))
    return "\n\n".join(parts)


def _people_rows(people: Sequence[PersonCapacity]) -> str:
    lines = ["| who | budget | carry-over | planned | room |", "| --- | ---: | ---: | ---: | ---: |"]
    for person in people:
        budget = "not in the team's file" if person.budget is None else number(person.budget.weight)
        room = "" if person.room is None else signed(person.room)
        lines.append(
            f"| {plain(person.username)} | {budget} | {person.carry_over} | {person.committed} | {room} |"
        )
    return "\n".join(lines)


def _dates(milestone: Milestone) -> str:
    if milestone.start is None or milestone.due is None:
        return ""
    return f", {_day(milestone.start)} to {_day(milestone.due)}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def number(value: float) -> str:
    """At most two decimals, without trailing zeros."""
    words = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if words == "-0" else words


def signed(value: float) -> str:
    """With a sign, and a mark if it is over: ``+4.25``, ``!-9.75``."""
    words = number(value)
    return f"!{words}" if words.startswith("-") else f"+{words}"


def plain(text: str) -> str:
    """Remote text as plain text in Markdown: no link, no mention, no end of a table cell."""
    for char in "\\`*_[]<>|#~@!":
        text = text.replace(char, "\\" + char)
    return text
