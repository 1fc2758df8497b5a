"""Find anything: opens the field, and goes to what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glboard_core.board.find import Findable
from glboard_core.model.issue import IssueId
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.navigate import open_board

if TYPE_CHECKING:
    from glboard_tui.screens.finder import Finder

_SCREEN = "finder"


def palette(context: CommandContext, _: str) -> None:
    """Find anything."""
    find(context)


def find(context: CommandContext, text: str = "", *, go: bool = False) -> None:
    """Open the field with a text in it; with ``go`` open the issue at once that the text names."""
    finder = _finder(context)
    finder.begin(text, go=go)

    def found(line: Findable | None) -> None:
        if line is not None:
            _go(context, line)

    context.shell.app.push_screen(finder, found)


def prepare(context: CommandContext) -> None:
    """Make the field, not shown yet: mounting it takes longer than anybody should wait for a key."""
    finder = _finder(context)
    context.shell.app._get_screen(finder)
    finder.call_later(finder.lay_out)


def _finder(context: CommandContext) -> Finder:
    from glboard_tui.screens.finder import Finder

    app = context.shell.app
    if not app.is_screen_installed(_SCREEN):
        app.install_screen(Finder(context), _SCREEN)
    found = app.get_screen(_SCREEN, Finder)
    assert found is not None
    return found


def _go(context: CommandContext, found: Findable) -> None:
    match found.kind:
        case "action":
            context.shell.sync()
            context.run(found.key)
            context.shell.show_footer()
        case "board":
            open_board(context, found.key)
        case "milestone":
            _milestone(context, found.key)
        case "person":
            _person(context, found.key)
        case "filter":
            context.make_way()
            context.shell.filter(context.bridge.filters.saved[found.key].text)
        case "issue":
            open_found(context, IssueId(found.key))
        case "address":
            pass  # it was read, or is not there


def open_found(context: CommandContext, issue: IssueId) -> None:
    """Go to the issue in the list on top if it is there; else to its card, if it has one, and open it."""
    top = context.top
    if top is not None and issue in top.listed.ids:
        top.listed.find(issue)
        top.painted_anew()
        return
    context.make_way()
    context.shell.sync()
    context.board.focus_card(issue)
    context.open_issue.open(issue)


def _milestone(context: CommandContext, title: str) -> None:
    """The board that is shown, at that milestone; if it has none, the first that has one."""
    bridge = context.bridge
    board = bridge.view.board_id
    if bridge.board is None or bridge.board.milestone is None:
        dated = (one.id for one in bridge.settings.boards if one.milestone in ("next", "current"))
        board = next(dated, board)
    open_board(context, board, title)


def _person(context: CommandContext, username: str) -> None:
    """The board by assignee, at the person's column."""
    bridge = context.bridge
    board = next((one for one in bridge.settings.boards if one.by == "assignee"), None)
    if board is None:
        context.say("No board has a column for each assignee.")
        return
    if bridge.view.board_id != board.id or context.top is not None:
        open_board(context, board.id)
    index = bridge.index
    if index is None or all(cards.column.key != username for cards in index.visible()):
        context.say(f"No column for @{username}: not on the team, and no issues assigned.")
        return
    context.board.column(username)
