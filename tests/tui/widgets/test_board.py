"""The board on screen: focus and marks stick to issues, and only what differs is painted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from glboard_core.model.issue import IssueId
from glboard_styles.themes import LIGHT
from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.card import Flag
from glboard_tui.widgets.card_view import CardContext
from glboard_tui.widgets.messages import EmptyMessage
from support.make import issue, issue_id
from tui.widgets.playground import COLUMNS, EMPTY, PLANNING, TYPES, BoardApp, index_of, issues_of

WIDE = (160, 45)


def screen(app: BoardApp) -> list[str]:
    """The screen, line by line."""
    strips = app.screen._compositor.render_strips(app.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


def ids(*numbers: int) -> list[IssueId]:
    return [issue_id(number) for number in numbers]


def targets(app: BoardApp) -> list[IssueId]:
    return [issue for issue, _ in app.board.targets()]


async def test_board_is_drawn() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        lines = screen(app)
        assert lines[0].startswith(" ■ bug")
        assert "4  4w  ■ maintenance" in lines[0]
        assert "1 has no weight" in lines[1]
        assert lines[2].startswith(" ▌ Guided window credential reported 1 ")
        assert lines[3].startswith(" ▌ platform#1 ready P2")
        assert app.focused_issue == issue_id(1)


async def test_moving_stops_at_the_edges() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE):
        board = app.board
        for dx, dy in ((0, -1), (-1, 0)):
            board.move(dx, dy)
            assert app.focused_issue == issue_id(1)
        board.last()
        board.move(0, 1)
        assert app.focused_issue == issue_id(10)
        board.move(5, 0)
        assert app.focused_issue == issue_id(9)
        board.first()
        assert app.focused_issue == issue_id(3)


async def test_moving_sideways_keeps_the_row_height() -> None:
    """A short column between two long ones keeps the row height."""
    issues = issues_of(30)
    for number in range(5, 30, 3):
        del issues[issue_id(number)]
    app = BoardApp(issues)
    async with app.run_test(size=WIDE):
        board = app.board
        board.move(0, 5)
        assert app.focused_issue == issue_id(16)
        board.move(1, 0)
        assert app.focused_issue == issue_id(2)
        board.move(1, 0)
        assert app.focused_issue == issue_id(18)


@pytest.mark.parametrize("count", [10, pytest.param(100_000, marks=pytest.mark.slow)])
async def test_moving_focus_repaints_two_cards_and_no_other_column(count: int) -> None:
    app = BoardApp(issues_of(count))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        take = app.count_lines()
        app.board.move(0, 1)
        await pilot.pause()
        assert take() == {"type::bug": 4}
        app.board.move(1, 0)
        await pilot.pause()
        assert take() == {"type::bug": 2, "type::maintenance": 2}


@pytest.mark.parametrize("count", [100, pytest.param(100_000, marks=pytest.mark.slow)])
async def test_scrolling_repaints_one_screen_of_one_column(count: int) -> None:
    app = BoardApp(issues_of(count))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        (bugs, *_) = app.board.columns.lists()
        take = app.count_lines()
        app.board.last()
        await pilot.pause()
        assert take() == {"type::bug": bugs.size.height}
        assert app.focused_issue == issue_id(count - (count - 1) % 3)
        assert bugs.is_shown(len(bugs.cards or ()) - 1)


async def test_focus_scrolls_half_a_page_at_a_time() -> None:
    app = BoardApp(issues_of(300))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        (bugs, *_) = app.board.columns.lists()
        tops = []
        for _ in range(60):
            app.board.move(0, 1)
            tops.append(bugs.top)
        half = bugs.rows_shown // 2
        assert sorted(set(tops)) == [0, half, 2 * half, 3 * half, 4 * half]
        for _ in range(3):
            app.board.half(-1)
        assert bugs.is_shown(60 - 3 * half)
        assert app.focused_issue == issue_id(1 + 3 * (60 - 3 * half))


async def test_wheel_scrolls_without_moving_focus() -> None:
    app = BoardApp(issues_of(300))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        (bugs, *_) = app.board.columns.lists()
        await _wheel(pilot, 3)
        assert bugs.top > 0
        assert app.focused_issue == issue_id(1)
        app.board.move(0, 1)
        assert bugs.is_shown(1)


async def _wheel(pilot: Pilot[None], turns: int) -> None:
    for _ in range(turns):
        await pilot._post_mouse_events([MouseScrollDown], BoardWidget, offset=(5, 5), button=0)
    await pilot.pause()


async def test_focus_stays_on_its_issue_when_others_come_and_go() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        app.board.move(0, 2)
        assert app.focused_issue == issue_id(7)
        app.remove(1)
        app.change(4, position=99.0)
        await pilot.pause()
        assert app.focused_issue == issue_id(7)
        assert screen(app)[2].startswith(" ▌")


async def test_focus_moves_to_the_neighbour_when_a_card_leaves() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE):
        app.board.move(0, 1)
        app.remove(4)
        assert app.focused_issue == issue_id(7)
        app.board.last()
        app.remove(10)
        assert app.focused_issue == issue_id(7)


async def test_focus_follows_my_moves_but_not_those_of_others() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE):
        app.change(1, labels=frozenset({"type::feature"}), follow=True)
        assert app.focused_issue == issue_id(1)
        column = app.board.focused[1]
        assert column is not None
        assert column.key == "type::feature"
        app.change(1, labels=frozenset({"type::bug"}))
        assert app.focused_issue == issue_id(3)


async def test_an_issue_of_two_types_is_found_again_in_the_column_where_it_was() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE):
        app.change(1, labels=frozenset({"type::bug", "type::feature"}))
        for key in ("type::feature", "type::bug"):
            app.board.column(key)
            app.board.last()
            app.board.focus_card(issue_id(1))
            column = app.board.focused[1]
            assert app.focused_issue == issue_id(1)
            assert column is not None
            assert column.key == key
        app.board.column("type::maintenance")
        app.board.focus_card(issue_id(1))
        assert app.focused_issue == issue_id(1)


async def test_columns_come_and_go() -> None:
    app = BoardApp(issues_of(9))
    async with app.run_test(size=WIDE) as pilot:
        app.change(1, labels=frozenset({"nothing"}), follow=True)
        await pilot.pause()
        assert "(unlisted)" in screen(app)[0]
        assert app.focused_issue == issue_id(1)
        app.change(1, labels=frozenset({"type::bug"}))
        await pilot.pause()
        assert "(unlisted)" not in screen(app)[0]
        assert app.focused_issue in app.issues


async def test_a_flag_change_repaints_one_card() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        flags: dict[IssueId, Flag] = {}
        app.context = CardContext(flag=flags.get)
        app.put()
        await pilot.pause()
        take = app.count_lines()
        flags[issue_id(4)] = "pending"
        app.board.changed(set(), {issue_id(4)})
        await pilot.pause()
        assert take() == {"type::bug": 2}
        assert screen(app)[6].startswith(" ▎*platform#4")


async def test_a_change_repaints_only_the_cards_below_it() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        take = app.count_lines()
        app.remove(28)
        await pilot.pause()
        assert take() == {"type::bug": 3}


async def test_empty_column_and_empty_board() -> None:
    issues = {issue_id(1): issue(1, "type::bug")}
    app = BoardApp(issues)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "  —" in screen(app)[2]
        app.board.move(1, 0)
        assert app.focused_issue is None
        app.change(1, labels=frozenset({"type::maintenance"}))
        assert app.focused_issue == issue_id(1)
        app.remove(1)
        await pilot.pause()
        assert app.query_one(EmptyMessage).display
        assert EMPTY.splitlines()[0] in "".join(screen(app))
        assert app.board.targets() == []
        for move in (app.board.first, app.board.last, app.board.toggle_selected, app.board.select_column):
            move()
        app.board.half(1)
        app.board.move(1, 1)
        app.issues[issue_id(2)] = issue(2, "type::bug")
        app.board.changed(app.index.update(None, app.issues[issue_id(2)]), {issue_id(2)})
        await pilot.pause()
        assert not app.query_one(EmptyMessage).display
        assert "Issue 2" in screen(app)[2]


async def test_another_board_is_laid_out_though_it_was_hidden() -> None:
    app = BoardApp(issues_of(12))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.display = False
        await pilot.pause()
        app.index = index_of(app.issues, replace(PLANNING, id="other", columns=COLUMNS[::-1]))
        app.put()
        app.board.display = True
        await pilot.pause()
        assert [cards.key for cards in app.board.columns.lists()][:3] == list(TYPES[::-1])
        assert screen(app)[0].startswith(" ■ feature")
        first = app.board.in_view()[0]
        assert app.issues[first].title.split()[0] in screen(app)[2]


async def test_marks_stick_to_issues() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        board = app.board
        board.move(1, 1)
        board.toggle_selected()
        board.move(-1, 1)
        board.toggle_selected()
        # In board order, regardless of the order of marking.
        assert targets(app) == ids(7, 5)
        app.remove(1)
        assert targets(app) == ids(7, 5)
        app.remove(5)
        assert targets(app) == ids(7)
        board.clear_selection()
        assert targets(app) == [app.focused_issue]
        board.restore_selection()
        assert targets(app) == ids(7)
        await pilot.pause()
        assert [message.count for message in app.said_of(BoardWidget.SelectionChanged)] == [0, 1, 2, 1, 0, 1]


async def test_only_visible_marks_count() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE):
        app.board.select_column()
        assert len(targets(app)) == 10
        app.index.rebuild(lambda shown: shown.iid < 8, same_filter=False)
        app.put()
        assert targets(app) == ids(1, 4, 7)
        app.index.rebuild(same_filter=False)
        app.put()
        assert len(targets(app)) == 10
        app.board.select_column()
        assert targets(app) == ids(1)


async def test_range_follows_the_focus() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        board = app.board
        board.move(0, 2)
        board.select_range()
        board.move(0, 2)
        assert targets(app) == ids(7, 10, 13)
        board.move(0, -3)
        assert targets(app) == ids(4, 7)
        assert board.end_range()
        board.move(0, 5)
        assert targets(app) == ids(4, 7)
        await pilot.pause()
        assert screen(app)[5].startswith(" ▎✓")


async def test_focus_and_marks_survive_a_new_filter_and_another_board() -> None:
    app = BoardApp(issues_of(30))
    async with app.run_test(size=WIDE) as pilot:
        app.board.move(0, 3)
        app.board.toggle_selected()
        app.index.rebuild(lambda shown: shown.iid % 2 == 0, same_filter=False)
        app.put()
        assert app.focused_issue == issue_id(10)
        assert targets(app) == ids(10)
        await pilot.pause()
        assert "platform#4 " in screen(app)[3]


@pytest.mark.parametrize("size", [(160, 45), (100, 30), (60, 20), (40, 10), (12, 3), (3, 2)])
async def test_any_size(size: tuple[int, int]) -> None:
    app = BoardApp(issues_of(60))
    async with app.run_test(size=size) as pilot:
        for step in ((0, 1), (1, 0), (1, 3), (-1, 0), (0, -1)):
            app.board.move(*step)
            await pilot.pause()
        lines = screen(app)
        assert all(len(line) == size[0] for line in lines)
        if size[0] >= 40:
            assert any("▌" in line for line in lines)


async def test_resizing_keeps_the_focus_visible() -> None:
    app = BoardApp(issues_of(300))
    async with app.run_test(size=WIDE) as pilot:
        app.board.move(1, 0)
        app.board.move(0, 40)
        await pilot.pause()
        for size in ((100, 30), (60, 20), (40, 10), (160, 45)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.focused_issue == issue_id(122)
            assert any("▌" in line for line in screen(app)), size
            assert app.board.columns.list_of("type::maintenance") is not None


async def test_one_column_at_a_time() -> None:
    app = BoardApp(issues_of(60))
    async with app.run_test(size=(40, 10)) as pilot:
        app.board.move(1, 0)
        await pilot.pause()
        assert len(list(app.board.columns.lists())) == 1
        assert "‹ 2/3 ›" in screen(app)[0]
        assert app.focused_issue == issue_id(2)


async def test_far_columns_fold_into_rails() -> None:
    app = BoardApp(issues_of(60))
    async with app.run_test(size=(62, 20)) as pilot:
        await pilot.pause()
        lines = screen(app)
        assert lines[0].endswith(" ■ ")
        assert "".join(line[-2] for line in lines[3:13]) == "20 feature"
        app.board.move(2, 0)
        await pilot.pause()
        assert "".join(line[2] for line in screen(app)[3:9]) == "20 bug"
        assert app.focused_issue == issue_id(3)


async def test_folded_column_keeps_its_scroll_position() -> None:
    app = BoardApp(issues_of(300))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        app.board.move(0, 30)
        (top,) = [cards.top for cards in app.board.columns.lists()]
        app.board.move(1, 0)
        await pilot.pause()
        app.board.move(-1, 0)
        assert [cards.top for cards in app.board.columns.lists()] == [top]
        assert app.focused_issue == issue_id(91)


async def test_density() -> None:
    app = BoardApp(issues_of(60))
    async with app.run_test(size=WIDE) as pilot:
        app.board.move(0, 15)
        for density in ("dense", "roomy", "normal", "wrapped", "auto"):
            app.board.density = density
            await pilot.pause()
            assert any(line.startswith(" ▌") for line in screen(app))
            assert app.focused_issue == issue_id(46)


async def test_changing_the_theme_repaints() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.theme = LIGHT.name
        await pilot.pause()
        strips = app.screen._compositor.render_strips(app.size)
        under = {
            segment.style.bgcolor.name for segment in strips[5] if segment.style and segment.style.bgcolor
        }
        assert under == {LIGHT.background, LIGHT.variables["board-card"]}


@pytest.mark.parametrize(
    "title", ["fix [/api] crash", "[/]", "[bold", "\x1b]0;x\x07\x1b[31m", "漢字" * 50, "\u202e👩‍👩‍👧", ""]
)
async def test_no_title_crashes_the_app(title: str) -> None:
    app = BoardApp(
        {issue_id(1): issue(1, "type::bug", title=title, project=title or "p", assignees=(title,))}
    )
    async with app.run_test(size=(60, 20)) as pilot:
        for density in ("normal", "dense", "roomy"):
            app.board.density = density
            await pilot.pause()
            assert "\x1b" not in "".join(screen(app))


async def test_focus_is_reported_once_with_ids() -> None:
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE) as pilot:
        app.board.move(0, 1)
        app.board.move(0, -5)
        app.board.move(0, -5)
        app.change(1, weight=8)
        await pilot.pause()
        told = [message.issue for message in app.said_of(BoardWidget.FocusChanged)]
        assert told == ids(1, 4, 1)


@pytest.mark.slow
async def test_many_columns() -> None:
    columns = tuple(
        COLUMNS[0].__class__(key=f"c{n}", title=f"column {n}", value=f"c::{n}") for n in range(25)
    )
    board = PLANNING.__class__(id="many", name="Many", columns=columns)
    app = BoardApp({issue_id(n + 1): issue(n + 1, f"c::{n}") for n in range(25)}, board)
    async with app.run_test(size=(100, 20)) as pilot:
        for number in range(25):
            await pilot.pause()
            assert app.focused_issue == issue_id(number + 1)
            assert any("▌" in line for line in screen(app))
            app.board.move(1, 0)
        assert "".join(line[2] for line in screen(app)[3:11]) == "+16 more"


async def test_without_colours_focus_is_visible_and_text_uses_terminal_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BoardApp(issues_of(10))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        strips = app.screen._compositor.render_strips(app.size)
        shown = [segment for strip in strips for segment in strip if segment.text.strip() and segment.style]
        assert {(s.style.color.name, s.style.bgcolor.name) for s in shown} == {("default", "default")}  # type: ignore[union-attr]
        assert [segment.style.reverse for segment in strips[2] if "Guided" in segment.text] == [True]  # type: ignore[union-attr]


LONG = "Remember the last choice of token accounting in the weekly report of the gateway"


def long_titles(count: int) -> BoardApp:
    """Three narrow columns of so many cards."""
    kinds = [column.key for column in COLUMNS for _ in range(count)]
    issues = [issue(n, kind, title=f"{n}. {LONG}") for n, kind in enumerate(kinds, 1)]
    return BoardApp({one.id: one for one in issues})


def cut_titles(app: BoardApp) -> int:
    return sum(line.count("…") for line in screen(app))


@pytest.mark.parametrize("count", [8, 11, 15, 17])
async def test_lines_that_a_column_leaves_go_to_titles_that_are_cut(count: int) -> None:
    app = long_titles(count)
    async with app.run_test(size=(80, 42)) as pilot:
        await pilot.pause()
        for cards in app.board.columns.lists():
            assert len(cards.in_view) == count
            # Only the last cards have less than they need, and no line is empty while they do.
            lines = [shown.shape.titles for shown in cards._window]
            assert lines == sorted(lines, reverse=True)
            if lines[-1] < 4:
                assert cards._window[-1].y + cards._window[-1].height == cards.size.height
        assert (0 if count < 9 else 3) <= cut_titles(app) < 3 * count


async def test_a_card_that_leaves_gives_its_lines_to_others() -> None:
    app = long_titles(17)
    async with app.run_test(size=(80, 42)) as pilot:
        await pilot.pause()
        before = cut_titles(app)
        app.remove(3)
        await pilot.pause()
        assert cut_titles(app) <= before - 1
        shown = next(app.board.columns.lists())._window
        assert shown[-1].y + shown[-1].height == next(app.board.columns.lists()).size.height
