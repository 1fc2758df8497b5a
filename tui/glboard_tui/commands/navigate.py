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


def left(context: CommandContext, _: str) -> None:
    """Move one column left."""
    context.screen.board.move(-1, 0)


def right(context: CommandContext, _: str) -> None:
    """Move one column right."""
    context.screen.board.move(1, 0)


def down(context: CommandContext, _: str) -> None:
    """Move one card or line down."""
    if context.top is not None:
        context.top.go(1)
        return
    context.screen.pane.scroll_by(1) if context.in_detail else context.screen.board.move(0, 1)


def up(context: CommandContext, _: str) -> None:
    """Move one card or line up."""
    if context.top is not None:
        context.top.go(-1)
        return
    context.screen.pane.scroll_by(-1) if context.in_detail else context.screen.board.move(0, -1)


def top(context: CommandContext, _: str) -> None:
    """Go to the top."""
    if context.top is not None:
        context.top.go(-_END)
        return
    context.screen.pane.scroll_by(-_END) if context.in_detail else context.screen.board.first()


def bottom(context: CommandContext, _: str) -> None:
    """Go to the bottom."""
    if context.top is not None:
        context.top.go(_END)
        return
    context.screen.pane.scroll_by(_END) if context.in_detail else context.screen.board.last()


def half_down(context: CommandContext, _: str) -> None:
    """Move half a screen down."""
    if context.top is not None:
        context.top.half(1)
        return
    context.screen.pane.scroll_half(1) if context.in_detail else context.screen.board.half(1)


def half_up(context: CommandContext, _: str) -> None:
    """Move half a screen up."""
    if context.top is not None:
        context.top.half(-1)
        return
    context.screen.pane.scroll_half(-1) if context.in_detail else context.screen.board.half(-1)


def next_pane(context: CommandContext, _: str) -> None:
    """Switch between the board and the open issue; without one, go to the next column."""
    _pane(context, 1)


def previous_pane(context: CommandContext, _: str) -> None:
    """Switch the other way; without an open issue, go to the previous column."""
    _pane(context, -1)


def _pane(context: CommandContext, step: int) -> None:
    if context.top is not None:
        context.top.go(step)
        return
    if context.screen.pane.is_open:
        context.screen.other_pane()
        return
    index, column, room = context.bridge.index, context.column(), context.screen.docking.pane
    if index is None or column is None:
        return
    keys = [c.column.key for c in index.visible()]
    if room is not None and room.has_keys:
        context.screen.set_focus(context.screen.board)
        context.screen.board.column(keys[0 if step > 0 else -1])
    elif column.key in keys:
        at = keys.index(column.key) + step
        if room is not None and room.is_open and not 0 <= at < len(keys):
            context.screen.set_focus(room)
        else:
            context.screen.board.column(keys[at % len(keys)])


def next_card(context: CommandContext, _: str) -> None:
    """Open the card below; in a list, go to the next line."""
    if context.top is not None:
        context.top.go(1)
        return
    context.screen.board.move(0, 1)
    context.screen.open_detail()


def previous_card(context: CommandContext, _: str) -> None:
    """Open the card above; in a list, go to the previous line."""
    if context.top is not None:
        context.top.go(-1)
        return
    context.screen.board.move(0, -1)
    context.screen.open_detail()


def mark(context: CommandContext, _: str) -> None:
    """Select or deselect."""
    if context.top is not None:
        context.top.listed.toggle()
        context.top.painted_anew()
    else:
        context.screen.board.toggle_selected()


def select_range(context: CommandContext, _: str) -> None:
    """Start or end a range."""
    if context.top is not None:
        begun = context.top.listed.range()
        context.top.painted_anew()
    else:
        context.screen.board.select_range()
        begun = context.screen.board.selection.anchor is not None
    if begun:
        context.say("Move to the other end; V keeps the range.")


def select_column(context: CommandContext, _: str) -> None:
    """Select the whole column or list."""
    if context.top is not None:
        context.top.listed.all()
        context.top.painted_anew()
    else:
        context.screen.board.select_column()


def mark_again(context: CommandContext, _: str) -> None:
    """Restore the last selection."""
    if context.top is not None:
        context.top.listed.selection.restore()
        context.top.painted_anew()
    else:
        context.screen.board.restore_selection()


def escape(context: CommandContext, _: str) -> None:
    """Close the open issue, then end the range, then the filter, then the selection.

    In a list the range and the selection end before the list closes.
    """
    screen, bridge = context.screen, context.bridge
    if context.top is not None:
        ended = context.top.listed.escape()
        context.top.painted_anew()
        if ended == "range":
            context.say("Range selected.")
        elif not ended:
            context.top.leave()
    elif screen.pane.is_open:
        screen.close_detail()
    elif screen.board.end_range():
        context.say("Range selected.")
    elif bridge.view.text:
        screen.filtering.set("")
    elif len(screen.board.selection):
        screen.board.clear_selection()


# Boards, milestones, filters, opening and copying: what is shown, and how to take it elsewhere.

_DENSITIES: tuple[Density, ...] = ("compact", "normal", "roomy")
#: The most browser tabs that one key opens.
_MOST_TABS = 5


def board(name: str) -> Callable[[CommandContext, str], None]:
    """Return a command that opens a board; if it is open, the command returns to its own milestone."""

    def command(context: CommandContext, _: str) -> None:
        open_board(context, name)

    return command


def open_board(context: CommandContext, name: str, milestone: str | None = None) -> None:
    """Open a board by its id."""
    try:
        context.bridge.open(name, milestone)
    except NameUnknown as error:
        context.tell(error)
        return
    context.make_way()
    context.screen.board_chosen()


def walk_back(context: CommandContext, _: str) -> None:
    """Go to the previous milestone."""
    _walk(context, -1)


def walk_on(context: CommandContext, _: str) -> None:
    """Go to the next milestone."""
    _walk(context, 1)


def _walk(context: CommandContext, step: int) -> None:
    view, catalog = context.bridge.view, context.bridge.catalog
    if catalog is None or view.board is None:
        return
    if view.board.milestone is None:
        context.say("This board shows all milestones.")
        return
    title = view.walk(step, catalog)
    if title is None:
        context.say("No milestone in that direction.")
        return
    open_board(context, view.board_id, title)


def edit_filter(context: CommandContext, _: str) -> None:
    """Type a filter."""
    context.screen.edit_filter()


def by_person(context: CommandContext, _: str) -> None:
    """Show only one person's cards."""
    context.pick("Filter by person", person_choices(context), lambda r: _set_person(context, r.add[0]))


def _set_person(context: CommandContext, name: str) -> None:
    words = [word for word in context.bridge.view.text.split() if not word.startswith("@")]
    context.screen.filtering.set(" ".join([*words, f"@{name}"]))


def only(state: str) -> Callable[[CommandContext, str], None]:
    """Return a command that toggles ``is:state`` in the filter."""
    term = f"is:{state}"

    def command(context: CommandContext, _: str) -> None:
        words = context.bridge.view.text.split()
        kept = [word for word in words if word != term]
        context.screen.filtering.set(" ".join(kept if len(kept) < len(words) else [*words, term]))

    return command


def open_issue(context: CommandContext, _: str) -> None:
    """Open the focused card."""
    context.screen.open_detail()


def browser(context: CommandContext, _: str) -> None:
    """Open in the browser."""
    urls = [issue.web_url for issue in context.targets() if issue.web_url.startswith(("https://", "http://"))]
    if not urls:
        context.say("No web address yet: GitLab has not created this issue.")
    elif len(urls) > _MOST_TABS:
        context.say(f"{len(urls)} tabs are too many; select at most {_MOST_TABS}.")
    else:
        for url in urls:
            context.screen.app.open_url(url)
        context.say(f"Opened {len(urls)} in the browser." if len(urls) > 1 else "Opened in the browser.")


def copy(what: str, text_of: Callable[[CommandContext, Issue], str]) -> Callable[[CommandContext, str], None]:
    """Return a command that copies something of each target, one per line."""

    def command(context: CommandContext, _: str) -> None:
        issues = context.targets()
        context.screen.app.copy_to_clipboard("\n".join(text_of(context, issue) for issue in issues))
        # The terminal's clipboard (OSC 52) sends no reply, so this reports only what was sent.
        context.say(f"Copied: {what}" + (f" of {len(issues)}" if len(issues) > 1 else ""))

    return command


def reference(_: CommandContext, issue: Issue) -> str:
    """Return the full reference."""
    return issue.reference


def url(_: CommandContext, issue: Issue) -> str:
    """Return the web address."""
    return issue.web_url


def title(context: CommandContext, issue: Issue) -> str:
    """Return the title, masked if it is masked on the screen."""
    return context.bridge.title_of(issue)


def markdown(context: CommandContext, issue: Issue) -> str:
    """Return a Markdown link."""
    words = context.bridge.title_of(issue).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return f"[{words}]({issue.web_url}) ({issue.reference})"


def density(context: CommandContext, _: str) -> None:
    """Switch to the next density."""
    widget = context.screen.board
    widget.density = _DENSITIES[(_DENSITIES.index(widget.density) + 1) % len(_DENSITIES)]
    context.say(f"Density: {widget.density}")


def closed(context: CommandContext, _: str) -> None:
    """Show or hide (closed)."""
    on = not context.bridge.view.show_closed
    context.bridge.show_closed(on=on)
    context.screen.show_board()
    context.say("Showing (closed)." if on else "Hiding (closed).")


def theme(context: CommandContext, _: str) -> None:
    """Choose a theme."""
    context.screen.app.search_themes()


def updates(context: CommandContext, _: str) -> None:
    """List the changes by others that were not looked at yet."""
    if not len(context.bridge.unseen):
        context.say("No new changes by others.")
        return
    from glboard_tui.screens.queues import Updates

    context.screen.app.push_screen(Updates(context), lambda _: context.screen.show_footer())


def refresh(context: CommandContext, _: str) -> None:
    """Refresh everything from GitLab."""
    context.bridge.refresh()
    context.screen.retry()
    context.say("Refreshing …")


def show_help(context: CommandContext, _: str) -> None:
    """Show all keys."""
    from glboard_tui.screens.help import Help

    context.screen.app.push_screen(Help(context.screen.keymap))


def palette(context: CommandContext, _: str) -> None:
    """Open the command palette."""
    context.screen.app.action_command_palette()


def quit_program(context: CommandContext, _: str) -> None:
    """Quit, after asking if changes are unsent."""
    context.screen.quit()
