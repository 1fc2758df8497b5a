"""Focus and selection: keys that change nothing on the server."""

from __future__ import annotations

from glboard_tui.commands.context import CommandContext

#: More lines than any list has.
_END = 1_000_000


def left(desk: CommandContext, _: str) -> None:
    """Move one column left."""
    desk.screen.board.move(-1, 0)


def right(desk: CommandContext, _: str) -> None:
    """Move one column right."""
    desk.screen.board.move(1, 0)


def down(desk: CommandContext, _: str) -> None:
    """Move one card or line down."""
    if desk.top is not None:
        desk.top.go(1)
        return
    desk.screen.pane.scroll_by(1) if desk.in_detail else desk.screen.board.move(0, 1)


def up(desk: CommandContext, _: str) -> None:
    """Move one card or line up."""
    if desk.top is not None:
        desk.top.go(-1)
        return
    desk.screen.pane.scroll_by(-1) if desk.in_detail else desk.screen.board.move(0, -1)


def top(desk: CommandContext, _: str) -> None:
    """Go to the top."""
    if desk.top is not None:
        desk.top.go(-_END)
        return
    desk.screen.pane.scroll_by(-_END) if desk.in_detail else desk.screen.board.first()


def bottom(desk: CommandContext, _: str) -> None:
    """Go to the bottom."""
    if desk.top is not None:
        desk.top.go(_END)
        return
    desk.screen.pane.scroll_by(_END) if desk.in_detail else desk.screen.board.last()


def half_down(desk: CommandContext, _: str) -> None:
    """Move half a screen down."""
    if desk.top is not None:
        desk.top.half(1)
        return
    desk.screen.pane.scroll_half(1) if desk.in_detail else desk.screen.board.half(1)


def half_up(desk: CommandContext, _: str) -> None:
    """Move half a screen up."""
    if desk.top is not None:
        desk.top.half(-1)
        return
    desk.screen.pane.scroll_half(-1) if desk.in_detail else desk.screen.board.half(-1)


def next_pane(desk: CommandContext, _: str) -> None:
    """Switch between the board and the open issue; without one, go to the next column."""
    _pane(desk, 1)


def previous_pane(desk: CommandContext, _: str) -> None:
    """Switch the other way; without an open issue, go to the previous column."""
    _pane(desk, -1)


def _pane(desk: CommandContext, step: int) -> None:
    if desk.top is not None:
        desk.top.go(step)
        return
    if desk.screen.pane.is_open:
        desk.screen.other_pane()
        return
    index, column, room = desk.bridge.index, desk.column(), desk.screen.docking.pane
    if index is None or column is None:
        return
    keys = [c.column.key for c in index.visible()]
    if room is not None and room.has_keys:
        desk.screen.set_focus(desk.screen.board)
        desk.screen.board.column(keys[0 if step > 0 else -1])
    elif column.key in keys:
        at = keys.index(column.key) + step
        if room is not None and room.is_open and not 0 <= at < len(keys):
            desk.screen.set_focus(room)
        else:
            desk.screen.board.column(keys[at % len(keys)])


def next_card(desk: CommandContext, _: str) -> None:
    """Open the card below; in a list, go to the next line."""
    if desk.top is not None:
        desk.top.go(1)
        return
    desk.screen.board.move(0, 1)
    desk.screen.open_detail()


def previous_card(desk: CommandContext, _: str) -> None:
    """Open the card above; in a list, go to the previous line."""
    if desk.top is not None:
        desk.top.go(-1)
        return
    desk.screen.board.move(0, -1)
    desk.screen.open_detail()


def mark(desk: CommandContext, _: str) -> None:
    """Select or deselect."""
    if desk.top is not None:
        desk.top.listed.toggle()
        desk.top.painted_anew()
    else:
        desk.screen.board.toggle_mark()


def mark_range(desk: CommandContext, _: str) -> None:
    """Start or end a range."""
    if desk.top is not None:
        begun = desk.top.listed.range()
        desk.top.painted_anew()
    else:
        desk.screen.board.mark_range()
        begun = desk.screen.board.marks.anchor is not None
    if begun:
        desk.say("Move to the other end; V keeps the range.")


def mark_column(desk: CommandContext, _: str) -> None:
    """Select the whole column or list."""
    if desk.top is not None:
        desk.top.listed.all()
        desk.top.painted_anew()
    else:
        desk.screen.board.mark_column()


def mark_again(desk: CommandContext, _: str) -> None:
    """Restore the last selection."""
    if desk.top is not None:
        desk.top.listed.marks.restore()
        desk.top.painted_anew()
    else:
        desk.screen.board.restore_marks()


def escape(desk: CommandContext, _: str) -> None:
    """Close the open issue, then end the range, then the filter, then the selection.

    In a list the range and the selection end before the list closes.
    """
    screen, bridge = desk.screen, desk.bridge
    if desk.top is not None:
        ended = desk.top.listed.escape()
        desk.top.painted_anew()
        if ended == "range":
            desk.say("Range selected.")
        elif not ended:
            desk.top.leave()
    elif screen.pane.is_open:
        screen.close_detail()
    elif screen.board.end_range():
        desk.say("Range selected.")
    elif bridge.view.text:
        screen.filtering.set("")
    elif len(screen.board.marks):
        screen.board.clear_marks()
