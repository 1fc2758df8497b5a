"""How columns share the width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glboard_tui.widgets.layout import MIN_WIDTH, SINGLE_BELOW, Arrangement, WidthShare, narrowest, part_of
from glboard_tui.widgets.layout import arrange as arrange_shares


def arrange(count: int, width: int, focus: int, first: int = 0) -> Arrangement:
    return arrange_shares([WidthShare()] * count, width, focus, first)


@given(st.integers(1, 40), st.integers(1, 300), st.integers(-2, 45), st.integers(0, 40))
def test_layout_fills_the_width_and_the_focused_column_is_full(
    count: int, width: int, focus: int, first: int
) -> None:
    found = arrange(count, width, focus, first)
    full = [slot.at for slot in found.slots]
    assert min(max(focus, 0), count - 1) in full
    assert found.left_width() + sum(slot.width for slot in found.slots) + found.right_width() == width
    if found.single:
        assert width < SINGLE_BELOW
        return
    assert all(slot.width >= MIN_WIDTH for slot in found.slots)
    # Every column is full, a rail, or counted; in order, each once.
    shown = [*found.left, *full, *found.right]
    assert shown == list(range(found.before, count - found.after))
    x = found.left_width()
    for slot in found.slots:
        assert slot.x == x
        x += slot.width


def test_all_columns_fit() -> None:
    found = arrange(4, 160, 0)
    assert [slot.width for slot in found.slots] == [40, 40, 40, 40]


def test_far_columns_fold() -> None:
    found = arrange(6, 100, 0)
    assert ([slot.at for slot in found.slots], found.right) == ([0, 1, 2], (3, 4, 5))


def test_window_stays_while_it_contains_the_focus() -> None:
    assert arrange(6, 100, 2, first=1).first == 1
    assert arrange(6, 100, 4, first=1).first == 2
    assert arrange(6, 100, 0, first=1).first == 0


def test_single_column_below_60_cells() -> None:
    found = arrange(5, 59, 3)
    assert (found.single, [slot.at for slot in found.slots]) == (True, [3])


def test_no_columns() -> None:
    assert arrange(0, 100, 0).slots == ()


def test_a_column_that_holds_little_takes_little() -> None:
    parts = [part_of(4, is_list=True), part_of(13, is_list=True), part_of(16, is_list=True)]
    shares = [WidthShare(part=part) for part in (*parts, part_of(1, is_list=False))]
    widths = [slot.width for slot in arrange_shares(shares, 159, 0).slots]
    assert widths[-1] == MIN_WIDTH
    assert MIN_WIDTH < widths[0] < widths[1]
    assert abs(widths[1] - widths[2]) <= 1
    assert sum(widths) == 159


def test_one_card_more_makes_an_ordinary_column_no_wider() -> None:
    assert len({part_of(cards, is_list=True) for cards in range(5)}) == 1


def test_what_a_column_needs_comes_first() -> None:
    widths = [slot.width for slot in arrange_shares([WidthShare(60, 1), WidthShare(26, 3)], 100, 0).slots]
    assert widths == [63, 37]
    tight = arrange_shares([WidthShare(90, 1), WidthShare(26, 0)], 100, 0)
    assert [slot.width for slot in tight.slots] == [74, 26]


def test_the_narrowest_width_that_fits() -> None:
    assert narrowest(lambda width: width >= 41, 90) == 41
    assert narrowest(lambda width: width >= 41, 40) is None
    assert narrowest(lambda _: True, 90) == MIN_WIDTH
