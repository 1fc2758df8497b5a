"""The texts of the capacity pane: a line for each person, the team's line, the sums. Pure (planning rule 10).

Owns columns, words and what is hidden on a shared screen: with hidden figures a person is only ``free``,
``full`` or ``!over``, and no sum of a single person is shown. Weights and days have at most two decimals.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from glboard_core.planning.capacity import Capacity, PersonCapacity, mean
from glboard_core.planning.team import Member
from glboard_core.planning.text import number, signed
from glboard_core.planning.text import words as day_words
from glboard_tui.planning import Lookback
from glboard_tui.texts import free_words, plan_words, state_of
from glboard_tui.widgets.card import INKS, Tone
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Cell, Col, Table
from glboard_tui.widgets.text import fit, fit_right

_MOST_NAME = 20
#: Cells of the word at a line's end, and the shortest useful bar.
_WORDS = 7
_SHORT = 6
_FIGURES = (("days", 5), ("budget", 6), ("carry", 5), ("plan", 5), ("free", 7))


class Columns(Struct, frozen=True):
    """Widths in cells; 0 leaves a column out."""

    name: int
    role: int = 0
    bar: int = 0
    figures: bool = True
    #: Whether ``free``, ``full`` or ``!over`` is at the end; a short bar replaces it.
    words: bool = True


class Tally(Struct, frozen=True):
    """One line's figures: a person's or the team's."""

    days: str
    budget: str
    carried: float
    planned: int
    free: str
    words: str
    tone: Tone
    weight: float | None


def columns_for(found: Capacity, width: int, *, hidden: bool) -> Columns:
    """The columns that fit into ``width`` cells: the figures always, then the bar, then the role."""
    most = max(9, min(_MOST_NAME, width - 41))
    name = min(most, max([9, *(len(person.username) for person in found.people)]))
    role = max((len(person.role) for person in found.people), default=0)
    if hidden:
        return Columns(name, role=min(role, 12), figures=False)
    left = width - name - 1 - 42
    if left >= 18:
        return Columns(name, role=min(role, 12) if left - 18 > role else 0, bar=17)
    short = left + _WORDS
    return Columns(name, bar=short, words=False) if short >= _SHORT else Columns(name)


def head(columns: Columns) -> str:
    """The line above the people."""
    parts = [fit("", columns.name)]
    if columns.role:
        parts.append(fit("", columns.role))
    if columns.figures:
        parts += [fit_right(word, width) for word, width in _FIGURES]
    if columns.bar and columns.words:
        parts.append("█carry ▓plan !over")
    return " " + " ".join(parts)


def people_table(found: Capacity, columns: Columns) -> Table:
    """A line for each person."""
    return Table(cols=_cols(columns), rows=[_person(person, columns) for person in found.people])


def team_table(found: Capacity, columns: Columns) -> Table:
    """The team's line, with all of the carry-over."""
    tone: Tone = "bad" if found.free_likely < 0 else "warn" if found.free < 0 else "good"
    tally = Tally(
        days="",
        budget=number(found.total),
        carried=found.carry_over.weight,
        planned=found.planned,
        free=signed(found.free),
        words="!over" if found.free < 0 else "free",
        tone=tone,
        weight=found.total,
    )
    return Table(cols=_cols(columns), rows=[_cells("team", "", tally, columns, "strong")])


def _person(person: PersonCapacity, columns: Columns) -> tuple[Cell, ...]:
    words, tone = state_of(person)
    budget = person.budget
    tally = Tally(
        days=number(budget.net_days) if budget else "",
        budget=number(budget.weight) if budget else "",
        carried=person.carry_over,
        planned=person.committed,
        free=signed(person.free) if person.free is not None else "",
        words=words if budget else "no days",
        tone=tone,
        weight=budget.weight if budget else None,
    )
    return _cells(person.username, person.role, tally, columns, "text")


def _cols(columns: Columns) -> tuple[Col, ...]:
    """The columns of ``_cells``."""
    cols = [Col(width=width) for width in (columns.name, columns.role) if width]
    if columns.figures:
        cols += [Col(width=width, right=True) for _, width in _FIGURES]
    cols += [Col(width=width) for width in (columns.bar, _WORDS if columns.words else 0) if width]
    return tuple(cols)


def _cells(name: str, role: str, tally: Tally, columns: Columns, ink: Ink) -> tuple[Cell, ...]:
    cells: list[Cell] = [(name, ink)]
    if columns.role:
        cells.append((role, "muted"))
    tone = INKS[tally.tone]
    if columns.figures:
        cells += [
            (tally.days, ink),
            (tally.budget, ink),
            (number(tally.carried), ink),
            (str(tally.planned), ink),
            (tally.free, tone),
        ]
    if columns.bar:
        shown = (
            bar(tally.carried, tally.planned, tally.weight, columns.bar - 1)
            if tally.weight is not None
            else ""
            if columns.words
            else tally.words
        )
        cells.append((shown, tone))
    if columns.words:
        cells.append((tally.words, tone))
    return tuple(cells)


def bar(carried: float, planned: float, budget: float, cells: int) -> str:
    """The used part of a budget, in cells, with a sign at the end if it is over."""
    if budget <= 0:
        return "!" if carried + planned > 0 else ""
    first = min(cells, round(carried / budget * cells))
    second = min(cells - first, round(planned / budget * cells))
    over = "!" if carried + planned > budget else ""
    return "█" * first + "▓" * second + "░" * (cells - first - second) + over


def about(person: PersonCapacity, member: Member, milestone: str, *, hidden: bool) -> str:
    """What the file says about a person, below the list; with hidden figures only name and role."""
    role = f" · {person.role}" if person.role else ""
    if hidden:
        return f"{person.username}{role}"
    parts = [f"factor {number(member.factor)}"]
    if (net := member.net_days.get(milestone)) is not None:
        parts.append(f"net days set: {number(net)}")
    if support := member.support_days.get(milestone):
        parts.append(f"support {number(support)}")
    if member.time_off:
        parts.append(f"off {day_words(member.time_off)}")
    if member.holidays:
        parts.append(f"holidays {day_words(member.holidays)}")
    return f"{person.username}{role} · " + " · ".join(parts)


def sums(found: Capacity, closed: Lookback, *, hidden: bool) -> list[str]:
    """The lines below the team's line."""
    carried = found.carry_over
    before = f" from {carried.milestone}" if carried.milestone else ""
    lines = [
        (
            f"capacity {number(found.total)}, {free_words(found.free_likely)} with the likely carry-over, "
            f"{free_words(found.free)} with all"
        ),
        (
            f"{plan_words(found.planned, found.unweighted)}, {found.accepted} accepted, "
            f"{found.unassigned} unassigned"
        ),
        f"carry-over{before} {number(carried.likely)} likely, {carried.weight} all"
        + (f" + {carried.unweighted} unweighted" if carried.unweighted else ""),
    ]
    roles = found.shared_roles() if hidden else found.by_role()
    if any(roles):
        each = ", ".join(f"{role or 'no role'} {number(weight)}" for role, weight in roles.items())
        lines.append(f"by role {each}")
    lines.append(closed_words(closed))
    return lines


def closed_words(lookback: Lookback) -> str:
    """The mean closed Deliverable weight of previous milestones, with its values."""
    if lookback.closed is None:
        if lookback.trouble:
            return f"closed before: cannot be read: {lookback.trouble}"
        return "closed before …" if lookback.reading else "closed before: not read"
    average = mean(lookback.closed)
    if average is None:
        return "closed before: no milestone has ended yet"
    each = ", ".join(f"{one.milestone} {one.weight}" for one in lookback.closed)
    again = " …" if lookback.reading else ""
    return f"closed before {number(average)} on average ({each}){again}"


def team_words(days_per_weight: float, reserve: float, holidays: Sequence[object], workdays: int) -> str:
    """The values that apply to the whole team."""
    free = f"{len(holidays)} holidays" if len(holidays) != 1 else "1 holiday"
    kept = f" · reserve {number(reserve * 100)} %" if reserve else ""
    return f"{workdays} workdays · {number(days_per_weight)} days per weight{kept} · {free} in the file"
