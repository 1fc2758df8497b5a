"""The plan before and after as two tables: the team and its people, and the types of work. Pure.

The first lines are the team's; then those for whom something changes. How many stay as they are is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.content import Content

from glboard_core.planning.mix import UNDEFINED
from glboard_core.planning.plan_comparison import BeforeAfter, ComparedPerson, ComparedType, PlanComparison
from glboard_core.planning.text import counted, number
from glboard_tui.texts import free_words
from glboard_tui.widgets.text import clean, fit, fit_right


class _Cells(NamedTuple):
    """The cells of a name, a figure, a difference, and of what is free."""

    name: int = 13
    figure: int = 12
    difference: int = 6
    free: int = 14

    @property
    def table(self) -> int:
        """One table without what is free."""
        return self.name + 2 * self.figure + self.difference


_WIDE, _NARROW = _Cells(), _Cells(11, 7, 5, 11)
#: Cells between the two tables.
_GAP = 4

_Line = list[tuple[str, str]]


def figures(
    found: PlanComparison,
    width: int,
    *,
    most: int,
    prefix: str,
    short_name: Callable[[str], str],
    team: bool,
    hidden: bool,
) -> Content:
    """Both tables next to each other if they fit in ``width`` cells, else the first one and what changes.

    ``most`` people are listed. Without a ``team`` there is no capacity to compare with; ``hidden``: people's
    figures are not shown.
    """
    needed = _WIDE.table + (2 * _WIDE.free if team else 0)
    cells_of = _WIDE if needed <= width else _NARROW
    left = _plan(found, cells_of, most, short_name, team=team, hidden=hidden)
    right = _types(found.types, prefix)
    cells = max((sum(len(text) for text, _ in line) for line in left), default=0)
    if cells + _GAP + _WIDE.table > width:
        return _joined([*left, *_changed_types(found.types, prefix)])
    lines = max(len(left), len(right))
    rows: list[_Line] = []
    for at in range(lines):
        one = left[at] if at < len(left) else []
        other = right[at] if at < len(right) else []
        pad = cells + _GAP - sum(len(text) for text, _ in one)
        rows.append([*one, (" " * pad, ""), *other])
    return _joined(rows)


def _joined(rows: Sequence[_Line]) -> Content:
    return Content("\n").join([Content.assemble(*row) for row in rows])


def _plan(
    found: PlanComparison,
    at: _Cells,
    most: int,
    short_name: Callable[[str], str],
    *,
    team: bool,
    hidden: bool,
) -> list[_Line]:
    now = "planned now" if at is _WIDE else "now"
    heads: _Line = [
        (fit(clean(found.milestone), at.name), "bold"),
        (fit_right(now, at.figure), "dim"),
        (fit_right("draft", at.figure), "dim"),
        (" " * at.difference, ""),
    ]
    if team:
        heads += [(fit_right("free now", at.free), "dim"), (fit_right("draft", at.free), "dim")]
    total = _weights("Team", found.planned, at, strong=True)
    rows = [heads, [*total, *(_free(found.free, at) if team else [])]]
    changed = [person for person in found.people if person.differs]
    if not hidden:
        rows += [_person(short_name(one.username), one, at, team=team) for one in changed[:most]]
        if found.unassigned.difference:
            rows.append(_weights("unassigned", found.unassigned, at))
    if found.unweighted.difference:
        rows.append(_weights("no weight", found.unweighted, at, unit=""))
    same = len(found.people) - (0 if hidden else min(len(changed), most))
    if same and not hidden:
        more = len(changed) > most
        other = "other person" if changed else "person"
        words = f"{counted(same, other)}".replace("persons", "people")
        rows.append([(words if more else f"{words} unchanged", "dim")])
    return rows


def _person(name: str, person: ComparedPerson, at: _Cells, *, team: bool) -> _Line:
    return [*_weights(name, person.planned, at), *(_free(person.free, at) if team else [])]


def _weights(name: str, value: BeforeAfter, at: _Cells, *, strong: bool = False, unit: str = "w") -> _Line:
    return [
        (fit(clean(name), at.name), "bold" if strong else ""),
        (fit_right(f"{number(value.before)}{unit}", at.figure), "dim"),
        (fit_right(f"{number(value.after)}{unit}", at.figure), "bold" if value.difference else "dim"),
        (fit_right(difference(value.difference, unit), at.difference), "$text-accent"),
    ]


def _free(value: BeforeAfter, at: _Cells) -> _Line:
    if value.before is None or value.after is None:
        return [(" " * 2 * at.free, "")]
    tone = "$text-error" if value.after < 0 else "$text-success"
    return [
        (fit_right(free_words(value.before), at.free), "dim"),
        (fit_right(free_words(value.after), at.free), f"bold {tone}" if value.difference else "dim"),
    ]


def _types(types: Sequence[ComparedType], prefix: str) -> list[_Line]:
    if not types:
        return []
    rows: list[_Line] = [
        [
            (fit("type", _WIDE.name), "bold"),
            (fit_right("now", _WIDE.figure), "dim"),
            (fit_right("draft", _WIDE.figure), "dim"),
        ]
    ]
    for one in types:
        before, after = (
            f"{number(count)} · {number(weight)}w"
            for count, weight in ((one.count.before, one.weight.before), (one.count.after, one.weight.after))
        )
        same = before == after
        rows.append(
            [
                (fit(clean(_plain(one.name, prefix)), _WIDE.name), ""),
                (fit_right(before, _WIDE.figure), "dim"),
                (fit_right(after, _WIDE.figure), "dim" if same else "bold"),
                (fit_right(difference(one.weight.difference), _WIDE.difference), "$text-accent"),
            ]
        )
    return rows


def _changed_types(types: Sequence[ComparedType], prefix: str) -> list[_Line]:
    """The types that change, in one line: ``feature 20w, 22w · bug 5w, 3w``."""
    parts = [
        f"{clean(_plain(one.name, prefix))} {number(one.weight.before)}w → {number(one.weight.after)}w"
        for one in types
        if one.weight.difference
    ]
    return [[(" · ".join(parts), "")]] if parts else []


def _plain(name: str, prefix: str) -> str:
    return "no type" if name == UNDEFINED else name.removeprefix(prefix)


def difference(value: float, unit: str = "w") -> str:
    """``+3w``, ``−2w``; "" for none."""
    if not value:
        return ""
    return f"{'+' if value > 0 else '−'}{number(abs(value))}{unit}"
