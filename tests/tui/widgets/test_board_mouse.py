"""The mouse: focus, marks, opening, dragging."""

from __future__ import annotations

from textual.pilot import Pilot

from glboard_tui.widgets.board import BoardWidget
from support.make import issue_id
from tui.widgets.playground import BoardApp, issues_of

WIDE = (160, 45)
#: Cells on the second card of each column at 160 cells, each 53 wide: two lines of head, then three a card.
SECOND_BUG, SECOND_MAINTENANCE, SECOND_FEATURE = (5, 5), (60, 5), (115, 5)


async def drag(
    pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int], *, drop: bool = True
) -> None:
    await pilot.mouse_down(BoardWidget, offset=start)
    await pilot.hover(BoardWidget, offset=(start[0] + 3, start[1]))
    await pilot.hover(BoardWidget, offset=end)
    if drop:
        await pilot.mouse_up(BoardWidget, offset=end)
    await pilot.pause()


async def test_click_focuses() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.click(BoardWidget, offset=SECOND_FEATURE)
        assert app.focused_issue == issue_id(6)
        await pilot.click(BoardWidget, offset=(5, 40))
        assert app.focused_issue is not None


async def test_double_click_opens() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.click(BoardWidget, offset=SECOND_BUG, times=2)
        assert [message.issue for message in app.said_of(BoardWidget.CardOpened)] == [issue_id(4)]


async def test_ctrl_click_marks_one_and_shift_click_a_range() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.click(BoardWidget, offset=SECOND_BUG, control=True)
        await pilot.click(BoardWidget, offset=(5, 14), shift=True)
        assert [issue for issue, _ in app.board.targets()] == [issue_id(n) for n in (4, 7, 10, 13)]
        await pilot.click(BoardWidget, offset=SECOND_BUG, control=True)
        assert issue_id(4) not in app.board.selection


async def test_click_on_a_header_or_rail_focuses_its_column() -> None:
    app = BoardApp(issues_of(60))
    async with app.run_test(size=(62, 20)) as pilot:
        await pilot.pause()
        await pilot.click(BoardWidget, offset=(40, 0))
        await pilot.click(BoardWidget, offset=(60, 5))
        keys = [message.column.key for message in app.said_of(BoardWidget.ColumnChosen)]
        assert keys == ["type::maintenance", "type::feature"]
        assert app.focused_issue is not None
        assert app.board.columns.list_of("type::feature") is not None


async def test_card_is_dragged_to_another_column() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await drag(pilot, SECOND_BUG, SECOND_FEATURE)
        (drop,) = app.said_of(BoardWidget.CardDropped)
        assert drop.ids == (issue_id(4),)
        assert (drop.from_column.key, drop.to_column.key) == ("type::bug", "type::feature")
        assert app.mouse_captured is None
        assert not app.board.state.dragged


async def test_the_target_is_shown_while_dragging() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await drag(pilot, SECOND_BUG, SECOND_MAINTENANCE, drop=False)
        assert app.board.state.dragged == {issue_id(4)}
        assert app.board.state.drop_key == "type::maintenance"
        strips = app.screen._compositor.render_strips(app.size)
        assert "▼ maintenance" in "".join(segment.text for segment in strips[0])


async def test_escape_cancels_a_drag() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await drag(pilot, SECOND_BUG, SECOND_FEATURE, drop=False)
        await pilot.press("escape")
        await pilot.mouse_up(BoardWidget, offset=SECOND_FEATURE)
        await pilot.pause()
        assert app.said_of(BoardWidget.CardDropped) == []
        assert (app.board.state.dragged, app.board.state.drop_key) == (frozenset(), None)


async def test_dropping_on_the_same_column_does_nothing() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await drag(pilot, SECOND_BUG, (20, 20))
        assert app.said_of(BoardWidget.CardDropped) == []
        assert not app.board.state.dragged


async def test_a_small_movement_does_not_drag() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.mouse_down(BoardWidget, offset=SECOND_BUG)
        await pilot.hover(BoardWidget, offset=(6, 5))
        assert not app.board.state.dragged


async def test_dragging_a_marked_card_moves_all_marked() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.click(BoardWidget, offset=(5, 14), control=True)
        await pilot.click(BoardWidget, offset=SECOND_BUG, control=True)
        await drag(pilot, SECOND_BUG, SECOND_FEATURE)
        (drop,) = app.said_of(BoardWidget.CardDropped)
        assert drop.ids == (issue_id(4), issue_id(13))


async def test_a_card_that_leaves_while_dragged_is_not_dropped() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await drag(pilot, SECOND_BUG, SECOND_FEATURE, drop=False)
        app.remove(4)
        await pilot.mouse_up(BoardWidget, offset=SECOND_FEATURE)
        await pilot.pause()
        assert app.said_of(BoardWidget.CardDropped) == []
