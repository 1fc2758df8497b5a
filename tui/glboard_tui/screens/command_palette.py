"""The command palette: actions, boards and the issues of the board.

Searches only data on this machine. The number of hits is limited, since each is a widget.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from heapq import nlargest

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from glboard_core.model.issue import IssueId
from glboard_tui.actions import Action
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.navigate import open_board
from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.issue_list import IssueList
from glboard_tui.screens.walk import WalkPane
from glboard_tui.widgets.text import clean

_MOST_ISSUES = 20
_LONGEST = 100


class BoardCommands(Provider):
    """Actions to run, boards to open and issues to go to."""

    @property
    def _context(self) -> CommandContext | None:
        """The context of the board screen, also from a list on top; it knows what applies there."""
        screen = self.screen
        return screen.context if isinstance(screen, BoardScreen | IssueList | WalkPane) else None

    def _actions(self, context: CommandContext) -> Iterator[tuple[Action, str, partial[None]]]:
        now = context.situation()
        for action in context.keymap.actions:
            # An argument cannot be given here; its prefix key shows the choices.
            if action.palette and action.slot is None and action.applies(now):
                keys = context.keymap.key(action.id) or action.group
                yield action, keys, partial(_run, context, action.id)

    async def discover(self) -> Hits:
        """All actions that apply now."""
        if (context := self._context) is not None:
            for action, keys, run in self._actions(context):
                yield DiscoveryHit(action.title, run, help=keys)

    async def search(self, query: str) -> Hits:
        """Search actions, boards and issues."""
        if (context := self._context) is None:
            return
        matcher = self.matcher(query)
        for action, keys, run in self._actions(context):
            if (score := matcher.match(action.title)) > 0:
                yield Hit(score, matcher.highlight(action.title), run, help=keys)
        for board in context.bridge.settings.boards:
            title = clean(f"Open board: {board.name}")
            if (score := matcher.match(title)) > 0:
                shown = Content(title) if "[" in title else matcher.highlight(title)
                yield Hit(score, shown, partial(open_board, context, board.id), text=title)
        for score, reference, title, go in _issues(context, query):
            # Remote text is never markup: a string would be parsed, and one odd bracket would crash the app.
            yield Hit(score, Content(title), go, text=title, help=reference)


def _run(context: CommandContext, action: str) -> None:
    context.shell.sync()
    context.run(action)
    context.shell.show_footer()


def _go(context: CommandContext, issue: IssueId) -> None:
    """Go to the issue in the list on top if it is there, otherwise to its card."""
    top = context.top
    if top is not None and issue in top.listed.ids:
        top.listed.find(issue)
        top.painted_anew()
        return
    context.make_way()
    context.board.focus_card(issue)


def _issues(context: CommandContext, query: str) -> list[tuple[float, str, str, partial[None]]]:
    """The best matches among the board's issues whose reference or title has all the words."""
    index = context.bridge.index
    words = query.casefold().split()
    if index is None or not words:
        return []
    found: dict[str, tuple[float, str, str, partial[None]]] = {}
    for cards in index.visible():
        for row in range(len(cards)):
            issue = index.issue(cards[row])
            if issue is None or issue.id in found:
                continue
            title = clean(context.bridge.title_of(issue))
            # Nothing is found that is not shown, so that no search tells what is hidden.
            hidden = context.bridge.reference_of(issue) if context.bridge.mask(issue) is not None else ""
            reference = hidden or context.bridge.text(issue.reference)
            text = f"{reference} {title}".casefold()
            if all(word in text for word in words):
                score = 0.3 + 0.2 * text.startswith(words[0]) + 0.2 * (words[0] in reference)
                go = partial(_go, context, issue.id)
                found[issue.id] = (score, context.bridge.reference_of(issue), title[:_LONGEST], go)
    return nlargest(_MOST_ISSUES, found.values(), key=lambda hit: hit[0])
