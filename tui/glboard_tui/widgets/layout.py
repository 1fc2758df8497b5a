"""How columns share the width: full columns around the focus, distant ones collapsed.

Owns only arithmetic. A column is at least 26 cells wide; what does not fit is collapsed to 3 cells. Collapsed
columns take at most a quarter of the width; those beyond are counted. Below 60 cells there is one column at a
time.
"""

from __future__ import annotations

from msgspec import Struct

MIN_WIDTH = 26
COLLAPSED = 3
SINGLE_BELOW = 60


class Slot(Struct, frozen=True):
    """A full column: its index among the visible ones, where it starts, and its width with its right edge."""

    at: int
    x: int
    width: int


class Arrangement(Struct, frozen=True, kw_only=True):
    """Which column is where.

    ``left``, ``right``: indexes of collapsed columns; ``before``, ``after``: number of hidden ones.
    """

    slots: tuple[Slot, ...] = ()
    left: tuple[int, ...] = ()
    right: tuple[int, ...] = ()
    before: int = 0
    after: int = 0
    single: bool = False

    @property
    def first(self) -> int:
        """The index of the first full column."""
        return self.slots[0].at if self.slots else 0

    def left_width(self) -> int:
        """Cells of the collapsed columns at the left, including the one that counts hidden columns."""
        return COLLAPSED * (len(self.left) + (1 if self.before else 0))

    def right_width(self) -> int:
        """Cells of the collapsed columns at the right."""
        return COLLAPSED * (len(self.right) + (1 if self.after else 0))


def arrange(count: int, width: int, focus: int, first: int = 0) -> Arrangement:
    """Share ``width`` cells among ``count`` columns so that ``focus`` is full.

    ``first`` is the first full column so far: the window stays where it is as long as it contains the focus.
    """
    if count <= 0 or width <= 0:
        return Arrangement()
    focus = min(max(focus, 0), count - 1)
    if width < SINGLE_BELOW:
        return Arrangement(slots=(Slot(focus, 0, width),), single=True)
    most = max(2, width // 4 // COLLAPSED)
    full = max(1, *(k for k in range(1, count + 1) if _fits(k, count, width, most)), 1)
    first = min(max(first, focus - full + 1), focus)
    first = min(max(first, 0), count - full)
    left, right, before, after = _collapsed(first, full, count, most)
    arranged = Arrangement(left=left, right=right, before=before, after=after)
    room = width - arranged.left_width() - arranged.right_width()
    each, extra = divmod(room, full)
    slots: list[Slot] = []
    x = arranged.left_width()
    for place in range(full):
        cells = each + (1 if place < extra else 0)
        slots.append(Slot(first + place, x, cells))
        x += cells
    return Arrangement(slots=tuple(slots), left=left, right=right, before=before, after=after)


def _fits(full: int, count: int, width: int, most: int) -> bool:
    return full * MIN_WIDTH + min(count - full, most) * COLLAPSED <= width


def _collapsed(
    first: int, full: int, count: int, most: int
) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
    """The collapsed columns at both sides of the window, the nearest kept first, and how many are hidden."""
    left_all, right_all = first, count - first - full
    if left_all + right_all <= most:
        left, right = left_all, right_all
    else:
        # Each side that hides columns uses one of them to show how many.
        left = min(left_all, max(most // 2, most - right_all))
        right = min(right_all, most - left)
        left -= 1 if left < left_all else 0
        right -= 1 if right < right_all else 0
        left, right = max(left, 0), max(right, 0)
    return (
        tuple(range(first - left, first)),
        tuple(range(first + full, first + full + right)),
        left_all - left,
        right_all - right,
    )
