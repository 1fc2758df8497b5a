"""How columns share the width: full columns around the focus, distant ones collapsed.

Owns only arithmetic. A column is at least 26 cells wide, and the more it holds the wider it is; what does not
fit is collapsed to 3 cells. Collapsed columns take at most a quarter of the width; those beyond are counted.
Below 60 cells there is one column at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

MIN_WIDTH = 26
COLLAPSED = 3
SINGLE_BELOW = 60
#: Cards from which a column takes its full share of the width.
_MANY = 12
#: The share of a list of the board with few cards or none: one card more must not make it much wider.
_FEW = 4


class WidthShare(Struct, frozen=True):
    """What a column asks of the width: as many cells at least, and a part of what is left."""

    least: int = MIN_WIDTH
    part: int = 1


def part_of(cards: int, *, is_list: bool) -> int:
    """The part that a column takes of what is left, next to the other columns' parts.

    What is in no list takes none for a few cards.
    """
    few = _FEW if is_list else 0
    return min(max(cards, few), _MANY) if cards > _FEW else few


def narrowest(fits: Callable[[int], bool], most: int) -> int | None:
    """The least width in which a column fits; None if ``most`` is too narrow. What fits fits wider, too."""
    if most < MIN_WIDTH or not fits(most):
        return None
    low, high = MIN_WIDTH, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return high


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


def arrange(shares: Sequence[WidthShare], width: int, focus: int, first: int = 0) -> Arrangement:
    """WidthShare ``width`` cells among as many columns as there are ``shares`` so that ``focus`` is full.

    ``first`` is the first full column so far: the window stays where it is as long as it contains the focus.
    """
    count = len(shares)
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
    slots: list[Slot] = []
    x = arranged.left_width()
    for place, cells in enumerate(_widths(shares[first : first + full], room)):
        slots.append(Slot(first + place, x, cells))
        x += cells
    return Arrangement(slots=tuple(slots), left=left, right=right, before=before, after=after)


def _widths(shares: Sequence[WidthShare], room: int) -> list[int]:
    """The widths of full columns: the least for each, and the rest by their parts."""
    least = [share.least for share in shares]
    if sum(least) > room:
        least = [min(MIN_WIDTH, room // len(shares))] * len(shares)
    parts = [share.part for share in shares]
    if not sum(parts):
        parts = [1] * len(shares)
    spare, total = room - sum(least), sum(parts)
    ends = [spare * sum(parts[: at + 1]) // total for at in range(len(parts))]
    return [one + end - start for one, start, end in zip(least, [0, *ends], ends, strict=False)]


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
