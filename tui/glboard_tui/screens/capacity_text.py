"""The texts of the capacity pane: a line for each person, the team's line, the sums. Pure (planning rule 10).

Owns columns, words and what is hidden on a shared screen: with hidden figures a person is only ``free``,
``full`` or ``over``, if that, and no sum of people is shown. Weights and days have at most two decimals.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct

from glboard_core.model.issue import short_reference
from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity, PersonCapacity, mean
from glboard_core.planning.readiness import total
from glboard_core.planning.team import Days, FormerNames, Member, Team, days
from glboard_core.planning.text import counted, day_words, number
from glboard_tui.planning import Lookback
from glboard_tui.texts import free_words, state_of
from glboard_tui.widgets.card import INKS, Fact, Tone
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.facts import Item, NamedItems
from glboard_tui.widgets.table import Cell, Col, Head, Table
from glboard_tui.widgets.text import BAR, TRACK

_MOST_NAME = 20
#: Of more former names, the rest is only counted.
_MOST_FORMER = 3
#: Cells of what remains ("0.5w over of 9.5"), of the word instead of it, and the shortest and longest bar.
_REMAINS, _WORD = 17, 7
_SHORT, _LONG = 6, 24
_FIGURES = (("days", 5), ("carried", 7), ("planned", 7))
#: The line of unassigned issues, and the columns' words that a bar shows in their colour.
_UNASSIGNED = "unassigned"
_LEGEND: dict[str, Ink] = {"carried": "warn", "planned": "accent"}
#: Cells of the names of facts: "Closed per milestone".
FACT_NAMES = 22


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
    least = len(_UNASSIGNED)
    most = max(least, min(_MOST_NAME, width - taken))
    name = min(most, max([least, *(len(person.username) for person in found.people)]))
    role = min(max((len(person.role) for person in found.people), default=0), 12)
    if hidden:
        return Columns(name, role=role, figures=False)
    left = width - name - 1 - taken - 1
    if role and left - role - 1 >= _LONG:
        return Columns(name, role=role, bar=min(left - role - 1, 2 * _LONG))
    if left >= _SHORT:
        return Columns(name, bar=min(left, 2 * _LONG))
    left += _FIGURES[0][1] + 1
    return Columns(name, bar=left, days=False) if left >= _SHORT else Columns(name)


def head_table(columns: Columns) -> Table:
    """The line above the people: a figure has the colour that it has in a bar."""
    cells: list[Cell] = [("", "muted")]
    if columns.role:
        cells.append(("", "muted"))
    if columns.figures:
        cells += [(word, _LEGEND.get(word, "muted")) for word, _ in columns.shown]
        if columns.bar:
            cells.append(("", "muted"))
    return Table(cols=_cols(columns), rows=[(*cells, ("free of budget" if columns.figures else "", "muted"))])


def people_table(found: Capacity, columns: Columns, *, said: bool = True) -> Table:
    """A line for each person; unless something is ``said`` of them, only their names."""
    rows = [_person(person, columns) for person in found.people]
    if not said:
        rows = [(*cells[:-1], ("", "muted")) for cells in rows]
    return Table(cols=_cols(columns), rows=rows)


def team_table(found: Capacity, columns: Columns, *, rule: bool = False) -> Table:
    """What is unassigned, so that planned adds up; the team, below a ``rule``, with the header's figures."""
    free = found.free_likely
    team = Tally(
        days="",
        carried=found.carry_over.likely,
        planned=found.planned,
        remains=_remains(free, found.total) if columns.figures else "over" if free < 0 else "free",
        tone="bad" if free < 0 else "good",
        weight=found.total,
    )
    left = found.carry_over.likely_of(i for i in found.carry_over.issues if not i.assignees)
    unassigned = Tally(days="", carried=left, planned=found.unassigned, remains="", tone="plain", weight=None)
    rows = (
        [_cells(_UNASSIGNED, "", unassigned, columns, "muted")]
        if (found.unassigned or left) and columns.figures
        else []
    )
    heads = {len(rows): (Head("", "line", rule=True),)} if rule else {}
    return Table(cols=_cols(columns), rows=[*rows, _cells("team", "", team, columns, "strong")], heads=heads)


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
        carried=person.likely,
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


def person_name(person: PersonCapacity, *, hidden: bool) -> tuple[str, str]:
    """Who is under the cursor, and what goes with the name; with hidden figures only the role."""
    parts = [person.role] if person.role else []
    if not hidden and person.budget is not None:
        there = person.budget.net_days
        parts.append(f"{number(there)} working {'day' if there == 1 else 'days'}")
    return person.username, " · ".join(parts)


def person_facts(
    person: PersonCapacity, username: str, member: Member, milestone: Milestone, found: Capacity
) -> list[NamedItems]:
    """What the file says about a person, and which issues come along. ``username`` is GitLab's."""
    net = member.net_days.get(milestone.title)
    support = member.support_days.get(milestone.title)
    own = [issue for issue in found.carry_over.issues if username in issue.assignees]
    carried: list[Item] = [
        f"{short_reference(issue.reference)} {'?' if issue.weight is None else f'{issue.weight}w'}"
        for issue in own
        if issue.id not in found.carry_over.nearly_done
    ]
    if ending := [issue for issue in own if issue.id in found.carry_over.nearly_done]:
        carried.append(Fact(f"{total(ending).weight}w nearly done", minor=True))
    return [
        ("Time off", _within(member.time_off, milestone) or ("none",)),
        ("Own holidays", _within(member.holidays, milestone)),
        ("Support", (f"{number(support)} {'day' if support == 1 else 'days'}" if support else "none",)),
        ("Factor", (number(member.factor),)),
        ("Net days set", () if net is None else (number(net),)),
        ("Carries over", tuple(carried) or ("nothing",)),
    ]


def person_line(person: PersonCapacity, facts: Iterable[NamedItems]) -> str:
    """The same on one line, where there is no space for more."""
    said = [
        f"{name.lower()} {', '.join(item for item in items if isinstance(item, str))}"
        for name, items in facts
        if items and items not in (("none",), ("nothing",))
    ]
    return " · ".join([*filter(None, person_name(person, hidden=False)), *said])


def _within(off: Days, milestone: Milestone) -> tuple[Item, ...]:
    """The days that fall into a milestone, and how many others there are."""
    start, due = milestone.start, milestone.due
    every = days(off)
    inside = frozenset(day for day in every if (not start or day >= start) and (not due or day <= due))
    others = len(every) - len(inside)
    items: list[Item] = [_ranges(inside)] if inside else []
    if others:
        items.append(Fact(f"{counted(others, 'day')} outside {milestone.title}", minor=True))
    return tuple(items)


def _ranges(off: Iterable[date]) -> str:
    """Days in words, consecutive ones as a range: ``23–25 Dec, 2 Jan``."""
    runs: list[list[date]] = []
    for day in sorted(off):
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


def sums(
    found: Capacity,
    closed: Lookback,
    team: Team | None,
    milestone: Milestone,
    *,
    hidden: bool,
    brief: bool = False,
) -> list[NamedItems]:
    """The facts below the team's line; hidden figures are also those of roles, and days.

    ``brief`` ones have a line each: the figure alone.
    """
    carried = found.carry_over
    before = f" from {carried.milestone}" if carried.milestone else ""
    left: list[Item] = [f"{number(carried.likely)}w likely"]
    if carried.weight != carried.likely:
        left.append(Fact(f"{carried.weight}w if no more is closed", minor=True))
    if carried.unweighted:
        left.append(Fact(f"{counted(carried.unweighted, 'issue')} unweighted", "warn"))
    shares = Fact(f"{found.accepted}w accepted, {found.unassigned}w unassigned", minor=True)
    unweighted = counted(found.unweighted, "issue") if found.unweighted else ""
    roles = {} if hidden else found.by_role()
    each = [f"{role or 'no role'} {number(weight)}w" for role, weight in roles.items()] if any(roles) else []
    facts: list[NamedItems] = [
        (f"Carried{before or ' over'}", tuple(left)),
        ("Planned", (f"{found.planned}w", shares)),
        ("No weight yet", (Fact(unweighted, "warn"),)),
        ("Closed per milestone", closed_items(closed)),
        ("By role", (" · ".join(each),)),
        ("Team", () if hidden or brief or team is None else _team_items(team, milestone)),
    ]
    return [(name, items[:1]) for name, items in facts] if brief else facts


def closed_items(lookback: Lookback) -> tuple[Item, ...]:
    """The mean closed Deliverable weight of previous milestones, with its values."""
    if lookback.closed is None:
        if lookback.trouble:
            return (Fact(f"cannot be loaded: {lookback.trouble}", "warn"),)
        return (Fact("loading …" if lookback.reading else "not loaded", minor=True),)
    average = mean(lookback.closed)
    if average is None:
        none = "no milestone has ended yet" if not lookback.closed else "no Deliverable closed yet"
        return (Fact(none, minor=True),)
    each = ", ".join(f"{one.milestone} {one.words}{'w' if one.count else ''}" for one in lookback.closed)
    again = (Fact("loading …", minor=True),) if lookback.reading else ()
    return (f"{number(average)}w on average", Fact(f"({each})", minor=True), *again)


def _team_items(team: Team, milestone: Milestone) -> tuple[Item, ...]:
    """The values that apply to the whole team."""
    items: list[Item] = [f"{number(team.days_per_weight)} days per weight"]
    if team.reserve:
        items.append(f"reserve {number(team.reserve * 100)} %")
    first, *more = _within(team.holidays, milestone) or (None,)
    if isinstance(first, str):
        items.append(f"holidays {first}")
    elif first is not None:
        more = [Fact("holidays:", minor=True), first]
    return (*items, *more)


def former_words(former: FormerNames, key: str) -> str:
    """Which names of the file something had before it was renamed, and the key that replaces them."""
    said = [f"{old} is now {new}" for old, new in (*former.people.items(), *former.milestones.items())]
    more = f" and {len(said) - _MOST_FORMER} more" if len(said) > _MOST_FORMER else ""
    names = f"{', '.join(said[:_MOST_FORMER])}{more}"
    return f"Renamed in GitLab: {names}. {key} updates team.toml."
