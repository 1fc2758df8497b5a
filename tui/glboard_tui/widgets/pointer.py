"""The mouse on the board: click focuses, shift or ctrl marks, a double click opens, a drag moves.

Owns only the gestures; their effect is a call to the board or a message. The strips' meta tells which card is
under the pointer, so there is no arithmetic that could be a line off.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from textual import events
from textual.message import Message

from glboard_core.board.definition import Column
from glboard_core.model.issue import IssueId
from glboard_tui.widgets.board_columns import BoardColumns

#: Cells the pointer must move before a press becomes a drag: a mouse is never quite still.
_SLACK = 2


class _Press(NamedTuple):
    card: IssueId
    key: str
    x: int
    y: int


class BoardMouse(BoardColumns):
    """A stage that follows the mouse."""

    class CardDropped(Message, namespace="board_widget"):
        """Cards were dragged from one column to another."""

        def __init__(self, ids: tuple[IssueId, ...], from_column: Column, to_column: Column) -> None:
            super().__init__()
            self.ids = ids
            self.from_column = from_column
            self.to_column = to_column

    class CardOpened(Message, namespace="board_widget"):
        """A card was double-clicked."""

        def __init__(self, issue: IssueId) -> None:
            super().__init__()
            self.issue = issue

    class ColumnChosen(Message, namespace="board_widget"):
        """A header or rail was clicked; its column already has the focus."""

        def __init__(self, column: Column) -> None:
            super().__init__()
            self.column = column

    class Dragging(Message, namespace="board_widget"):
        """A drag started, is over another column, or ended (``ids`` empty): for the footer."""

        def __init__(self, ids: tuple[IssueId, ...], to_column: Column | None) -> None:
            super().__init__()
            self.ids = ids
            self.to_column = to_column

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._press: _Press | None = None

    # -- what the board implements

    @abstractmethod
    def focus_card(self, issue: IssueId, key: str) -> None:
        """Focus a card."""

    @abstractmethod
    def column(self, key: str) -> None:
        """Focus a column."""

    @abstractmethod
    def toggle_mark(self) -> None:
        """Mark or unmark the focused card."""

    @abstractmethod
    def mark_to(self, issue: IssueId, key: str) -> None:
        """Mark from the focus to a card."""

    @abstractmethod
    def grabbed(self, issue: IssueId) -> tuple[IssueId, ...]:
        """What dragging this card moves."""

    # -- the gesture

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Focus, mark, or start waiting for a drag."""
        if event.button != 1:
            return
        key = self.key_at(event.screen_x, event.screen_y)
        card = event.style.meta.get("card")
        if key is None or not isinstance(card, str):
            if key is not None:
                self._choose(key)
            return
        issue = IssueId(card)
        if event.shift:
            self.mark_to(issue, key)
        elif event.ctrl:
            self.focus_card(issue, key)
            self.toggle_mark()
        else:
            self.focus_card(issue, key)
            self._press = _Press(issue, key, event.screen_x, event.screen_y)

    def _choose(self, key: str) -> None:
        self.column(key)
        if chosen := self._column(key):
            self.post_message(self.ColumnChosen(chosen))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Turn a press into a drag and show where it would drop."""
        press = self._press
        if press is None:
            return
        if not self.dragged:
            moved = max(abs(event.screen_x - press.x), abs(event.screen_y - press.y))
            if moved < _SLACK:
                return
            self.dragged = frozenset(self.grabbed(press.card))
            self.capture_mouse()
            self._repaint_cards(self.dragged)
            self._tell_drag()
        over = self.key_at(event.screen_x, event.screen_y)
        over = over if over != press.key else None
        if over != self.drop_key:
            self.drop_key = over
            self._show_frame()
            self._tell_drag()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Drop."""
        press, ids, target = self._press, self.dragged, self.drop_key
        if not self.cancel_drag() or press is None or target is None:
            return
        event.stop()
        source, destination = self._column(press.key), self._column(target)
        if source is None or destination is None or not self.stands(press.card, press.key):
            # Someone else moved it first: the dragged card is no longer where it was grabbed.
            return
        ordered = tuple(i for i in self.grabbed(press.card) if i in ids and self.stands(i))
        self.post_message(self.CardDropped(ordered, source, destination))

    def on_click(self, event: events.Click) -> None:
        """Open on the second click."""
        card = event.style.meta.get("card")
        if event.chain == 2 and isinstance(card, str) and not event.ctrl and not event.shift:
            self.post_message(self.CardOpened(IssueId(card)))

    def on_key(self, event: events.Key) -> None:
        """Escape lets go of what is dragged, before it means anything else."""
        if event.key == "escape" and self.cancel_drag():
            event.stop()
            event.prevent_default()

    def cancel_drag(self) -> bool:
        """End a drag without dropping. Returns whether there was one."""
        self._press = None
        if not self.dragged:
            return False
        was, self.dragged, self.drop_key = self.dragged, frozenset(), None
        self.release_mouse()
        self._repaint_cards(was)
        self._show_frame()
        self.post_message(self.Dragging((), None))
        return True

    def _tell_drag(self) -> None:
        self.post_message(self.Dragging(tuple(self.dragged), self._column(self.drop_key)))

    def _column(self, key: str | None) -> Column | None:
        return next((c.column for c in self._columns if c.column.key == key), None)
