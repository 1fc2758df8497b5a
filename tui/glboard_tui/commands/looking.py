"""Boards, milestones, filters, opening and copying: what is shown, and how to take it elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.people import person_choices
from glboard_tui.widgets.card import Density

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
    from glboard_tui.screens.updates import Updates

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
