"""Focus and marks: keys that change nothing on the server."""

from __future__ import annotations

from glboard_tui.screens.desk import Desk


def left(desk: Desk, _: str) -> None:
    """One column left."""
    desk.screen.board.move(-1, 0)


def right(desk: Desk, _: str) -> None:
    """One column right."""
    desk.screen.board.move(1, 0)


def down(desk: Desk, _: str) -> None:
    """One card, or line, down."""
    desk.screen.pane.scroll_by(1) if desk.in_detail else desk.screen.board.move(0, 1)


def up(desk: Desk, _: str) -> None:
    """One card, or line, up."""
    desk.screen.pane.scroll_by(-1) if desk.in_detail else desk.screen.board.move(0, -1)


def top(desk: Desk, _: str) -> None:
    """To the top."""
    desk.screen.pane.scroll_by(-1_000_000) if desk.in_detail else desk.screen.board.first()


def bottom(desk: Desk, _: str) -> None:
    """To the bottom."""
    desk.screen.pane.scroll_by(1_000_000) if desk.in_detail else desk.screen.board.last()


def half_down(desk: Desk, _: str) -> None:
    """Half a screen down."""
    desk.screen.pane.scroll_half(1) if desk.in_detail else desk.screen.board.half(1)


def half_up(desk: Desk, _: str) -> None:
    """Half a screen up."""
    desk.screen.pane.scroll_half(-1) if desk.in_detail else desk.screen.board.half(-1)


def next_pane(desk: Desk, _: str) -> None:
    """Between board and opened issue; without one, to the next column."""
    _pane(desk, 1)


def previous_pane(desk: Desk, _: str) -> None:
    """The same backwards."""
    _pane(desk, -1)


def _pane(desk: Desk, step: int) -> None:
    if desk.screen.pane.is_open:
        desk.screen.other_pane()
        return
    index, column = desk.bridge.index, desk.column()
    if index is None or column is None:
        return
    keys = [c.column.key for c in index.visible()]
    if column.key in keys:
        desk.screen.board.column(keys[(keys.index(column.key) + step) % len(keys)])


def next_card(desk: Desk, _: str) -> None:
    """The card below, opened."""
    desk.screen.board.move(0, 1)
    desk.screen.open_detail()


def previous_card(desk: Desk, _: str) -> None:
    """The card above, opened."""
    desk.screen.board.move(0, -1)
    desk.screen.open_detail()


def mark(desk: Desk, _: str) -> None:
    """Mark, and go on to the next card: so a run of marks is a run of spaces."""
    desk.screen.board.toggle_mark()


def mark_range(desk: Desk, _: str) -> None:
    """Begin or end a range."""
    desk.screen.board.mark_range()
    if desk.screen.board.marks.anchor is not None:
        desk.say("Move to the other end; V keeps the range.")


def mark_column(desk: Desk, _: str) -> None:
    """The whole column."""
    desk.screen.board.mark_column()


def mark_again(desk: Desk, _: str) -> None:
    """The last marks."""
    desk.screen.board.restore_marks()


def escape(desk: Desk, _: str) -> None:
    """Overlay, then range, then filter, then marks."""
    screen, bridge = desk.screen, desk.bridge
    if screen.pane.is_open:
        screen.close_detail()
    elif screen.board.end_range():
        desk.say("The range is kept.")
    elif bridge.view.text:
        screen.set_filter("")
    elif len(screen.board.marks):
        screen.board.clear_marks()
