"""The texts of the capacity pane: a line for each person, the team's line, the sums. Pure (planning rule 10).

Owns columns, words and what is hidden on a shared screen: with hidden figures a person is only ``free``,
``full`` or ``over``, if that, and no sum of people is shown. Weights and days have at most two decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from glboard_core.planning.capacity import Capacity, PersonCapacity, mean
from glboard_core.planning.team import Days, FormerNames, Member, days
from glboard_core.planning.text import counted, day_words, number
from glboard_tui.planning import Lookback
from glboard_tui.texts import free_words, state_of
from glboard_tui.widgets.card import INKS, Tone
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Cell, Col, Table
from glboard_tui.widgets.text import BAR, TRACK, fit, fit_right

_MOST_NAME = 20
#: Of more former names, the rest is only counted.
_MOST_FORMER = 3
#: Cells of what remains ("0.5w over of 9.5"), of the word instead of it, and the shortest and longest bar.
_REMAINS, _WORD = 17, 7
_SHORT, _LONG = 6, 24
_FIGURES = (("days", 5), ("carried", 7), ("planned", 7))


class Columns(Struct, frozen=True):
    """Widths in cells; 0 leaves a column out."""

    name: int
    role: int = 0
    bar: int = 0
    #: Without them only a word says what remains.
    figures: bool = True
    #: A bar matters more than days, which are below the list too.
    days: bool = True

    @property
    def shown(self) -> tuple[tuple[str, int], ...]:
        """The figures with their widths."""
        return _FIGURES if self.days else _FIGURES[1:]


class Tally(Struct, frozen=True):
    """One line's figures: a person's or the team's. ``remains``: "2w over of 8"."""

    days: str
    carried: float
    planned: int
    remains: str
    tone: Tone
    weight: float | None


def columns_for(found: Capacity, width: int, *, hidden: bool) -> Columns:
    """The columns that fit into ``width`` cells: the figures always, then the bar, then the role."""
    # The cell of the cursor, and one after each column.
    taken = 1 + sum(cells + 1 for _, cells in _FIGURES) + _REMAINS + 1
    most = max(9, min(_MOST_NAME, width - taken))
    name = min(most, max([9, *(len(person.username) for person in found.people)]))
    role = min(max((len(person.role) for person in found.people), default=0), 12)
    if hidden:
        return Columns(name, role=role, figures=False)
    left = width - name - 1 - taken - 1
    if role and left - role - 1 >= _LONG:
        return Columns(name, role=role, bar=_LONG)
    if left >= _SHORT:
        return Columns(name, bar=min(left, _LONG))
    left += _FIGURES[0][1] + 1
    return Columns(name, bar=left, days=False) if left >= _SHORT else Columns(name)


def head(columns: Columns) -> str:
    """The line above the people."""
    parts = [fit("", columns.name)]
    if columns.role:
        parts.append(fit("", columns.role))
    if columns.figures:
        parts += [fit_right(word, width) for word, width in columns.shown]
        if columns.bar:
            parts.append(fit("", columns.bar))
        parts.append(fit_right("free of budget", _REMAINS))
    return " " + " ".join(parts)


def people_table(found: Capacity, columns: Columns, *, said: bool = True) -> Table:
    """A line for each person; unless something is ``said`` of them, only their names."""
    rows = [_person(person, columns) for person in found.people]
    if not said:
        rows = [(*cells[:-1], ("", "muted")) for cells in rows]
    return Table(cols=_cols(columns), rows=rows)


def team_table(found: Capacity, columns: Columns) -> Table:
    """What is unassigned, so that planned adds up; the team, with the figures of the header."""
    free = found.free_likely
    team = Tally(
        days="",
        carried=found.carry_over.likely,
        planned=found.planned,
        remains=_remains(free, found.total) if columns.figures else "over" if free < 0 else "free",
        tone="bad" if free < 0 else "good",
        weight=found.total,
    )
    unassigned = Tally(days="", carried=0, planned=found.unassigned, remains="", tone="plain", weight=None)
    rows = (
        [_cells("unassigned", "", unassigned, columns, "muted")]
        if found.unassigned and columns.figures
        else []
    )
    return Table(cols=_cols(columns), rows=[*rows, _cells("team", "", team, columns, "strong")])


def _remains(free: float, budget: float) -> str:
    return f"{free_words(free)} of {number(budget)}"


def _person(person: PersonCapacity, columns: Columns) -> tuple[Cell, ...]:
    words, tone = state_of(person)
    budget, free = person.budget, person.free
    remains = words if budget else "no days"
    if columns.figures and budget is not None and free is not None:
        remains = _remains(free, budget.weight)
    tally = Tally(
        days=number(budget.net_days) if budget else "",
        carried=person.carry_over,
        planned=person.committed,
        remains=remains,
        tone=tone,
        weight=budget.weight if budget else None,
    )
    return _cells(person.username, person.role, tally, columns, "text")


def _cols(columns: Columns) -> tuple[Col, ...]:
    """The columns of ``_cells``."""
    cols = [Col(width=width) for width in (columns.name, columns.role) if width]
    if not columns.figures:
        return (*cols, Col(width=_WORD))
    cols += [Col(width=width, right=True) for _, width in columns.shown]
    if columns.bar:
        cols.append(Col(width=columns.bar, bar=True))
    return (*cols, Col(width=_REMAINS, right=True))


def _cells(name: str, role: str, tally: Tally, columns: Columns, ink: Ink) -> tuple[Cell, ...]:
    cells: list[Cell] = [(name, ink)]
    if columns.role:
        cells.append((role, "muted"))
    tone = INKS[tally.tone]
    if columns.figures:
        cells += [(tally.days, ink)] if columns.days else []
        cells += [(number(tally.carried), ink), (str(tally.planned), ink)]
        if columns.bar:
            drawn = (
                "" if tally.weight is None else bar(tally.carried, tally.planned, tally.weight, columns.bar)
            )
            cells.append((drawn, tone))
    cells.append((tally.remains, tone))
    return tuple(cells)


def bar(carried: float, planned: float, budget: float, cells: int) -> str:
    """The budget as a bar of ``cells`` letters: carried over, planned, what is over, what is free."""
    whole = max(budget, carried + planned)
    if whole <= 0:
        return "-" * cells
    within = min(cells, round(budget / whole * cells))
    first = min(within, round(carried / whole * cells))
    second = min(within, round((carried + planned) / whole * cells)) - first
    over = cells - within
    return "c" * first + "p" * second + "-" * (within - first - second) + "o" * over


def team_bar(found: Capacity, width: int) -> str:
    """What the team's figures would say, without them."""
    cells = min(max(width - 2, _SHORT), 2 * _LONG)
    drawn = bar(found.carry_over.likely, found.planned, found.total, cells)
    return "".join(TRACK if letter == "-" else BAR for letter in drawn)


def about(person: PersonCapacity, member: Member, milestone: str, *, hidden: bool) -> str:
    """What the file says about a person, below the list; with hidden figures only name and role."""
    role = f" · {person.role}" if person.role else ""
    if hidden:
        return f"{person.username}{role}"
    there = person.budget.net_days if person.budget else 0
    parts = [f"{number(there)} working {'day' if there == 1 else 'days'}", f"factor {number(member.factor)}"]
    if (net := member.net_days.get(milestone)) is not None:
        parts.append(f"net days set: {number(net)}")
    if support := member.support_days.get(milestone):
        parts.append(f"support {number(support)}")
    if member.time_off:
        parts.append(f"off {_ranges(member.time_off)}")
    if member.holidays:
        parts.append(f"holidays {_ranges(member.holidays)}")
    return f"{person.username}{role} · " + " · ".join(parts)


def _ranges(off: Days) -> str:
    """Days in words, consecutive ones as a range: ``23–25 Dec, 2 Jan``."""
    runs: list[list[date]] = []
    for day in sorted(days(off)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_range(run[0], run[-1]) for run in runs)


def _range(first: date, last: date) -> str:
    if first == last:
        return day_words(first)
    start = str(first.day) if first.month == last.month else f"{day_words(first)} "
    between = "–" if first.month == last.month else "– "
    return f"{start}{between}{day_words(last)}"


def sums(found: Capacity, closed: Lookback, *, hidden: bool) -> list[str]:
    """The lines below the team's line; hidden figures are also those of roles."""
    carried = found.carry_over
    before = f" from {carried.milestone}" if carried.milestone else ""
    left = f"{number(carried.likely)}w likely"
    if carried.weight != carried.likely:
        left += f" · {carried.weight}w if no more is closed"
    if carried.unweighted:
        left += f" · {counted(carried.unweighted, 'issue')} unweighted"
    lines = [
        f"Carried over{before}  {left}",
        f"Planned  {found.planned}w · {found.accepted}w accepted, {found.unassigned}w unassigned",
    ]
    if found.unweighted:
        lines.append(f"No weight yet  {counted(found.unweighted, 'issue')}")
    roles = {} if hidden else found.by_role()
    if any(roles):
        each = " · ".join(f"{role or 'no role'} {number(weight)}w" for role, weight in roles.items())
        lines.append(f"By role  {each}")
    lines.append(closed_words(closed))
    return lines


def closed_words(lookback: Lookback) -> str:
    """The mean closed Deliverable weight of previous milestones, with its values."""
    if lookback.closed is None:
        if lookback.trouble:
            return f"Closed per milestone  cannot be loaded: {lookback.trouble}"
        return "Closed per milestone  …" if lookback.reading else "Closed per milestone  not loaded"
    average = mean(lookback.closed)
    if average is None:
        none = "no milestone has ended yet" if not lookback.closed else "no Deliverable closed yet"
        return f"Closed per milestone  {none}"
    each = ", ".join(f"{one.milestone} {one.words}{'w' if one.count else ''}" for one in lookback.closed)
    again = " …" if lookback.reading else ""
    return f"Closed per milestone  {number(average)}w on average ({each}){again}"


def team_words(days_per_weight: float, reserve: float, holidays: Sequence[object], workdays: int) -> str:
    """The values that apply to the whole team."""
    free = f"{len(holidays)} holidays" if len(holidays) != 1 else "1 holiday"
    kept = f" · reserve {number(reserve * 100)} %" if reserve else ""
    return f"{workdays} workdays · {number(days_per_weight)} days per weight{kept} · {free} in the file"


def former_words(former: FormerNames, key: str) -> str:
    """Which names of the file something had before it was renamed, and the key that replaces them."""
    said = [f"{old} is now {new}" for old, new in (*former.people.items(), *former.milestones.items())]
    more = f" and {len(said) - _MOST_FORMER} more" if len(said) > _MOST_FORMER else ""
    names = f"{', '.join(said[:_MOST_FORMER])}{more}"
    return f"Renamed in GitLab: {names}. {key} updates team.toml."
