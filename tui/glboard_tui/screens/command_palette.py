"""The command palette: actions, boards and the issues of the board.

Searches only data on this machine. The number of hits is limited, since each is a widget.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from heapq import nlargest
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen

from glboard_core.board.batch import short
from glboard_core.model.issue import IssueId
from glboard_tui.actions import ACTIONS, Action
from glboard_tui.commands.navigate import open_board
from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.issue_list import IssueList
from glboard_tui.widgets.text import clean

_MOST_ISSUES = 20
_LONGEST = 100


class BoardCommands(Provider):
    """Actions to run, boards to open and issues to go to."""

    def _screen(self) -> BoardScreen | None:
        """The board screen, also from a list on top: its desk knows what applies in the list."""
        screen: Screen[Any] = self.screen
        if isinstance(screen, IssueList):
            screen = screen.context.screen
        return screen if isinstance(screen, BoardScreen) else None

    def _actions(self, screen: BoardScreen) -> Iterator[tuple[Action, str]]:
        now = screen.context.situation()
        for action in ACTIONS:
            # An argument cannot be given here; its prefix key shows the choices.
            if action.palette and action.slot is None and action.applies(now):
                yield action, screen.keymap.shown(action)

    async def discover(self) -> Hits:
        """All actions that apply now."""
        if (screen := self._screen()) is None:
            return
        for action, keys in self._actions(screen):
            yield DiscoveryHit(
                action.title, partial(screen.run_action_id, action.id), help=keys or action.group
            )

    async def search(self, query: str) -> Hits:
        """Search actions, boards and issues."""
        if (screen := self._screen()) is None:
            return
        matcher = self.matcher(query)
        for action, keys in self._actions(screen):
            if (score := matcher.match(action.title)) > 0:
                run = partial(screen.run_action_id, action.id)
                yield Hit(score, matcher.highlight(action.title), run, help=keys or action.group)
        for board in screen.bridge.settings.boards:
            title = clean(f"Open board: {board.name}")
            if (score := matcher.match(title)) > 0:
                shown = Content(title) if "[" in title else matcher.highlight(title)
                yield Hit(score, shown, partial(open_board, screen.context, board.id), text=title)
        for score, reference, title, go in _issues(screen, query):
            # Remote text is never markup: a string would be parsed, and one odd bracket would crash the app.
            yield Hit(score, Content(title), go, text=title, help=reference)


def _go(screen: BoardScreen, issue: IssueId) -> None:
    """Go to the issue in the list on top if it is there, otherwise to its card."""
    top = screen.context.top
    if top is not None and issue in top.listed.ids:
        top.listed.find(issue)
        top.painted_anew()
        return
    screen.context.make_way()
    screen.board.focus_card(issue)


def _issues(screen: BoardScreen, query: str) -> list[tuple[float, str, str, partial[None]]]:
    """The best matches among the board's issues whose reference or title has all the words."""
    index = screen.bridge.index
    words = query.casefold().split()
    if index is None or not words:
        return []
    found: dict[str, tuple[float, str, str, partial[None]]] = {}
    for cards in index.visible():
        for row in range(len(cards)):
            issue = index.issue(cards[row])
            if issue is None or issue.id in found:
                continue
            title = clean(screen.bridge.title_of(issue))
            text = f"{issue.reference} {title}".casefold()
            if all(word in text for word in words):
                score = 0.3 + 0.2 * text.startswith(words[0]) + 0.2 * (words[0] in issue.reference)
                go = partial(_go, screen, issue.id)
                found[issue.id] = (score, short(issue), title[:_LONGEST], go)
    return nlargest(_MOST_ISSUES, found.values(), key=lambda hit: hit[0])
