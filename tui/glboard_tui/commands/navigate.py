"""Focus and selection: keys that change nothing on the server."""

from __future__ import annotations

from collections.abc import Callable

from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.labels import person_choices
from glboard_tui.widgets.card import Density

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


# Boards, milestones, filters, opening and copying: what is shown, and how to take it elsewhere.

_DENSITIES: tuple[Density, ...] = ("compact", "normal", "roomy")
#: The most browser tabs that one key opens.
_MOST_TABS = 5


def board(name: str) -> Callable[[CommandContext, str], None]:
    """Return a command that opens a board; if it is open, the command returns to its own milestone."""

    def command(desk: CommandContext, _: str) -> None:
        open_board(desk, name)

    return command


def open_board(desk: CommandContext, name: str, milestone: str | None = None) -> None:
    """Open a board by its id."""
    try:
        desk.bridge.open(name, milestone)
    except NameUnknown as error:
        desk.tell(error)
        return
    desk.make_way()
    desk.screen.board_chosen()


def walk_back(desk: CommandContext, _: str) -> None:
    """Go to the previous milestone."""
    _walk(desk, -1)


def walk_on(desk: CommandContext, _: str) -> None:
    """Go to the next milestone."""
    _walk(desk, 1)


def _walk(desk: CommandContext, step: int) -> None:
    view, catalog = desk.bridge.view, desk.bridge.catalog
    if catalog is None or view.board is None:
        return
    if view.board.milestone is None:
        desk.say("This board shows all milestones.")
        return
    title = view.walk(step, catalog)
    if title is None:
        desk.say("No milestone in that direction.")
        return
    open_board(desk, view.board_id, title)


def edit_filter(desk: CommandContext, _: str) -> None:
    """Type a filter."""
    desk.screen.edit_filter()


def by_person(desk: CommandContext, _: str) -> None:
    """Show only one person's cards."""
    desk.pick("Filter by person", person_choices(desk), lambda r: _set_person(desk, r.add[0]))


def _set_person(desk: CommandContext, name: str) -> None:
    words = [word for word in desk.bridge.view.text.split() if not word.startswith("@")]
    desk.screen.filtering.set(" ".join([*words, f"@{name}"]))


def only(state: str) -> Callable[[CommandContext, str], None]:
    """Return a command that toggles ``is:state`` in the filter."""
    term = f"is:{state}"

    def command(desk: CommandContext, _: str) -> None:
        words = desk.bridge.view.text.split()
        kept = [word for word in words if word != term]
        desk.screen.filtering.set(" ".join(kept if len(kept) < len(words) else [*words, term]))

    return command


def open_issue(desk: CommandContext, _: str) -> None:
    """Open the focused card."""
    desk.screen.open_detail()


def browser(desk: CommandContext, _: str) -> None:
    """Open in the browser."""
    urls = [issue.web_url for issue in desk.targets() if issue.web_url.startswith(("https://", "http://"))]
    if not urls:
        desk.say("No web address yet: GitLab has not created this issue.")
    elif len(urls) > _MOST_TABS:
        desk.say(f"{len(urls)} tabs are too many; select at most {_MOST_TABS}.")
    else:
        for url in urls:
            desk.screen.app.open_url(url)
        desk.say(f"Opened {len(urls)} in the browser." if len(urls) > 1 else "Opened in the browser.")


def copy(what: str, text_of: Callable[[CommandContext, Issue], str]) -> Callable[[CommandContext, str], None]:
    """Return a command that copies something of each target, one per line."""

    def command(desk: CommandContext, _: str) -> None:
        issues = desk.targets()
        desk.screen.app.copy_to_clipboard("\n".join(text_of(desk, issue) for issue in issues))
        # The terminal's clipboard (OSC 52) sends no reply, so this reports only what was sent.
        desk.say(f"Copied: {what}" + (f" of {len(issues)}" if len(issues) > 1 else ""))

    return command


def reference(_: CommandContext, issue: Issue) -> str:
    """Return the full reference."""
    return issue.reference


def url(_: CommandContext, issue: Issue) -> str:
    """Return the web address."""
    return issue.web_url


def title(desk: CommandContext, issue: Issue) -> str:
    """Return the title, masked if it is masked on the screen."""
    return desk.bridge.title_of(issue)


def markdown(desk: CommandContext, issue: Issue) -> str:
    """Return a Markdown link."""
    words = desk.bridge.title_of(issue).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return f"[{words}]({issue.web_url}) ({issue.reference})"


def density(desk: CommandContext, _: str) -> None:
    """Switch to the next density."""
    widget = desk.screen.board
    widget.density = _DENSITIES[(_DENSITIES.index(widget.density) + 1) % len(_DENSITIES)]
    desk.say(f"Density: {widget.density}")


def closed(desk: CommandContext, _: str) -> None:
    """Show or hide (closed)."""
    on = not desk.bridge.view.show_closed
    desk.bridge.show_closed(on=on)
    desk.screen.show_board()
    desk.say("Showing (closed)." if on else "Hiding (closed).")


def theme(desk: CommandContext, _: str) -> None:
    """Choose a theme."""
    desk.screen.app.search_themes()


def updates(desk: CommandContext, _: str) -> None:
    """List the changes by others that were not looked at yet."""
    if not len(desk.bridge.unseen):
        desk.say("No new changes by others.")
        return
    from glboard_tui.screens.queues import Updates

    desk.screen.app.push_screen(Updates(desk), lambda _: desk.screen.show_footer())


def refresh(desk: CommandContext, _: str) -> None:
    """Refresh everything from GitLab."""
    desk.bridge.refresh()
    desk.screen.retry()
    desk.say("Refreshing …")


def show_help(desk: CommandContext, _: str) -> None:
    """Show all keys."""
    from glboard_tui.screens.help import Help

    desk.screen.app.push_screen(Help(desk.screen.keymap))


def palette(desk: CommandContext, _: str) -> None:
    """Open the command palette."""
    desk.screen.app.action_command_palette()


def quit_program(desk: CommandContext, _: str) -> None:
    """Quit, after asking if changes are unsent."""
    desk.screen.quit()
