"""An app with only a board, and boards of any size for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle
from typing import Any, TypeVar

import msgspec
from textual.app import App, ComposeResult
from textual.message import Message
from textual.strip import Strip

from glboard_core.board.columns import Column, LabelColumn
from glboard_core.board.definition import Board
from glboard_core.board.index import BoardIndex
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_styles import all_sheets
from glboard_styles.themes import THEMES, ansi_color, default_theme
from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.card import CardView
from glboard_tui.widgets.card_view import CardContext, present
from glboard_tui.widgets.column import CardList
from support.make import issue, issue_id

TYPES = ("type::bug", "type::maintenance", "type::feature")
COLUMNS = tuple(
    LabelColumn(key=label, title=label.removeprefix("type::"), value=label, color=color)
    for label, color in zip(TYPES, ("#dc143c", "#8fbc8f", "#4169e1"), strict=True)
)
PLANNING = Board(id="planning", name="Planning", role="next", columns=COLUMNS)
EMPTY = "Nothing here yet\nn new issue · - and = other milestones"

Said = TypeVar("Said", bound=Message)

_WORDS = (
    *("rotate", "guided", "context", "window", "endpoint"),
    *("first", "setup", "credential", "overflow", "reported"),
)


def issues_of(count: int) -> dict[IssueId, Issue]:
    """Issues of alternating types, with varying weights, people and states."""
    kinds = cycle(TYPES)
    made: dict[IssueId, Issue] = {}
    for number in range(1, count + 1):
        words = " ".join(_WORDS[(number * step) % len(_WORDS)] for step in (1, 3, 7, 9))
        made[issue_id(number)] = issue(
            number,
            next(kinds),
            f"priority::{1 + number % 4}",
            "workflow::ready for development" if number % 3 else "workflow::in dev",
            title=f"{words.capitalize()} {number}",
            weight=None if number % 5 == 0 else number % 4,
            assignees=("eng_alder",) if number % 2 else (),
        )
    return made


def index_of(issues: dict[IssueId, Issue], board: Board = PLANNING) -> BoardIndex:
    """The index over a live mapping."""
    return BoardIndex(board, WorkflowScheme(), issues)


class BoardApp(App[None]):
    """One board, and a record of its messages."""

    CSS = all_sheets()

    def __init__(
        self, issues: dict[IssueId, Issue], board: Board = PLANNING, context: CardContext | None = None
    ) -> None:
        super().__init__(ansi_color=ansi_color(no_color="NO_COLOR" in os.environ))
        self.issues = issues
        self.index = index_of(issues, board)
        self.context = context or CardContext()
        self.said: list[Message] = []
        self.painted: dict[str, int] = {}
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = default_theme(no_color=self.no_color)

    def compose(self) -> ComposeResult:
        yield BoardWidget(id="board")

    def on_mount(self) -> None:
        self.put()
        self.board.focus()

    def put(self) -> None:
        """Show the index."""
        self.board.show(self.index, present=self._present, empty=EMPTY)

    def _present(self, issue: Issue, column: Column) -> CardView:
        return present(issue, column, self.index.board, self.context)

    @property
    def board(self) -> BoardWidget:
        return self.query_one(BoardWidget)

    @property
    def focused_issue(self) -> IssueId | None:
        return self.board.focused[0]

    def change(self, number: int, *, follow: bool = False, **fields: Any) -> None:
        """Change an issue and tell the board."""
        before = self.issues[issue_id(number)]
        after = msgspec.structs.replace(before, **fields)
        self.issues[before.id] = after
        touched = self.index.update(before, after)
        self.board.changed(touched, {before.id}, follow=follow)

    def remove(self, number: int) -> None:
        """Remove an issue and tell the board."""
        before = self.issues.pop(issue_id(number))
        self.board.changed(self.index.update(before, None), {before.id})

    def said_of(self, kind: type[Said]) -> list[Said]:
        """The messages of a kind so far."""
        return [message for message in self.said if isinstance(message, kind)]

    def count_lines(self) -> Callable[[], dict[str, int]]:
        """Start to count painted lines by column key; calling the result returns and resets the counts."""
        for cards in self.board.columns.lists():
            self._count(cards)

        def take() -> dict[str, int]:
            taken, self.painted = self.painted, {}
            return taken

        take()
        return take

    def _count(self, cards: CardList) -> None:
        paint = cards.render_line

        def counted(y: int) -> Strip:
            self.painted[cards.key or ""] = self.painted.get(cards.key or "", 0) + 1
            return paint(y)

        cards.render_line = counted  # type: ignore[method-assign]

    def on_board_widget_focus_changed(self, message: BoardWidget.FocusChanged) -> None:
        self.said.append(message)

    def on_board_widget_selection_changed(self, message: BoardWidget.SelectionChanged) -> None:
        self.said.append(message)

    def on_board_widget_card_dropped(self, message: BoardWidget.CardDropped) -> None:
        self.said.append(message)

    def on_board_widget_card_opened(self, message: BoardWidget.CardOpened) -> None:
        self.said.append(message)

    def on_board_widget_column_chosen(self, message: BoardWidget.ColumnChosen) -> None:
        self.said.append(message)
