"""Columns of a list, as arithmetic: how they share a width. Pure.

Owns who gives way where there is little room: first the columns that can grow, down to their least, then
whole columns in the order the list says. A column in which nothing stands takes no room at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from glboard_tui.widgets.palette import Ink
from glboard_tui.widgets.text import clean, width_of

Cell = tuple[str, Ink]
"""Text and ink."""

#: Cells from which columns stand two apart.
_WIDE = 120


class Col(Struct, frozen=True, kw_only=True):
    """A column. ``least`` is what it may be narrowed to, 0 that it keeps the width of what stands in it.

    ``drop``: given up where the least is too much, the highest number first; 0 never is. ``reference``: of
    what stands in it the number stays whole.
    """

    title: str = ""
    right: bool = False
    least: int = 0
    drop: int = 0
    reference: bool = False


class Head(Struct, frozen=True):
    """A line above a row: a heading, or (``rule``) a line across with words in it."""

    text: str
    ink: Ink = "accent"
    rule: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """Columns, rows, and lines above rows by the row's number."""

    cols: Sequence[Col] = ()
    rows: Sequence[Sequence[Cell]] = ()
    heads: Mapping[int, Sequence[Head]] = {}

    def natural(self) -> list[int]:
        """The cells each column would like; 0 where nothing stands in it."""
        found = [0] * len(self.cols)
        for row in self.rows:
            for at, (text, _) in enumerate(row):
                if text and (cells := width_of(clean(text))) > found[at]:
                    found[at] = cells
        return [max(n, width_of(col.title)) if n else 0 for n, col in zip(found, self.cols, strict=True)]


def gap_of(width: int) -> int:
    """Cells between two columns."""
    return 2 if width >= _WIDE else 1


def widths(cols: Sequence[Col], natural: Sequence[int], width: int) -> list[int]:
    """The cells of each column in ``width``; 0 for one that is not shown."""
    gap = gap_of(width)
    got = list(natural)
    droppable = sorted((at for at, col in enumerate(cols) if col.drop), key=lambda at: -cols[at].drop)
    while True:
        shown = [at for at, cells in enumerate(got) if cells]
        over = sum(got) + gap * max(0, len(shown) - 1) - width
        if over <= 0:
            return got
        spare = {at: got[at] - cols[at].least for at in shown if 0 < cols[at].least < got[at]}
        if sum(spare.values()) >= over:
            return _narrowed(got, spare, over)
        if not (left := [at for at in droppable if got[at]]):
            return _narrowed(got, spare, min(over, sum(spare.values())))
        got[left[0]] = 0


def _narrowed(got: Sequence[int], spare: Mapping[int, int], over: int) -> list[int]:
    """``over`` cells taken from those that have some to spare, from the one with most first."""
    found, left = list(got), dict(spare)
    while over > 0 and left:
        # What the widest has beyond the next one goes first, so that columns become alike, not tiny.
        ordered = sorted(left, key=lambda at: -left[at])
        widest = [at for at in ordered if left[at] == left[ordered[0]]]
        below = left[ordered[len(widest)]] if len(widest) < len(ordered) else 0
        each = min(left[ordered[0]] - below, max(1, over // len(widest)))
        for at in widest:
            taken = min(each, over)
            found[at] -= taken
            left[at] -= taken
            over -= taken
        left = {at: n for at, n in left.items() if n > 0}
    return found
