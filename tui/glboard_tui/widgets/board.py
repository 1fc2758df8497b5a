"""The board: one focus and any number of marks, which stick to their issues whatever changes underneath.

Owns where the focus goes and what is marked. It holds no issues (a ``BoardIndex`` does), changes none (it
posts messages with ids, never rows) and binds no keys (the action registry does): its owner calls ``move``,
``toggle_mark`` and the like.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from textual import events
from textual.message import Message

from glboard_core.board.columns import Column
from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.model.issue import IssueId
from glboard_tui.widgets.board_columns import BoardColumns
from glboard_tui.widgets.column import Present
from glboard_tui.widgets.selection import Place, place_at, row_in, settle

# The mouse on the board: click focuses, shift or ctrl marks, a double click opens, a drag moves.

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


class BoardWidget(BoardMouse, can_focus=True):
    """A board on screen. Give it an index with ``show``; call ``changed`` after updating that index."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    BoardWidget { height: 1fr; width: 1fr; }
    BoardWidget > Horizontal { height: 1fr; width: 1fr; }
    """

    class FocusChanged(Message):
        """Another card or column is focused; the issue is None in an empty column."""

        def __init__(self, issue: IssueId | None, column: Column | None) -> None:
            super().__init__()
            self.issue = issue
            self.column = column

    class MarksChanged(Message):
        """``count`` marks are visible now."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, *, has_weight: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.has_weight = has_weight
        #: The screen line that moving sideways aims at, kept until the focus moves up or down.
        self._aim: int | None = None
        self._marks_seen = 0

    # -- what it shows

    def show(
        self, index: BoardIndex, *, present: Present, empty: str = "", unread: frozenset[str] = frozenset()
    ) -> None:
        """Swap the whole board. The focus stays on its issue if the new board has it too.

        ``empty`` is shown if there are no cards at all: what to press. ``unread`` are the keys of columns
        that are still loading.
        """
        if self.index is None or self.index.board.id != index.board.id:
            self._tops.clear()
            for cards in self._lists:
                cards.cards = None
        self.index, self.empty_text, self.unread = index, empty, unread
        self._painter.present = present
        self._painter.forget_all()
        self.cancel_drag()
        self.marks.end_range()
        self._columns = index.visible()
        before, self._place = self._place, settle(index, self._columns, self._place, follow=True)
        with self.app.batch_update():
            self._lay_out(rebind=True)
        self._tell(before, always=True)

    def changed(self, touched: set[str], issues: set[IssueId], *, follow: bool = False) -> None:
        """The index was updated: repaint what differs, in one frame.

        ``touched`` are column keys, ``issues`` those that may look different, even if only by a flag. With
        ``follow``, the user moved the focused issue here, and the focus goes with it.
        """
        if self.index is None:
            return
        before = self._place
        self._painter.forget(issues, [cards.column.key for cards in self.index.columns])
        self._columns = self.index.visible()
        place = self._place = settle(self.index, self._columns, before, follow=follow)
        lost = {p.issue for p in (before, place) if p and p.issue} if before != place else set()
        with self.app.batch_update():
            at_hand = {cards.key: cards for cards in self.lists()}
            for key, cards in at_hand.items():
                column = self.index.column(key) if key else None
                if column is cards.cards and (key in touched or issues):
                    cards.recount(issues | lost)
            self._lay_out()
            if lost:
                self._repaint_cards(lost)
        self._tell(before)

    @property
    def focused(self) -> tuple[IssueId | None, Column | None]:
        """The focused issue (None in an empty column) and column."""
        if self._place is None:
            return None, None
        return self._place.issue, self._column(self._place.key)

    # -- moving the focus

    def move(self, dx: int, dy: int) -> None:
        """Move by columns and cards; stops at the edges."""
        if self._place is None:
            return
        if dy:
            self._to_row(self._place.row + dy)
        if dx:
            self._to_column(self._place.at + dx)

    def first(self) -> None:
        """To the first card of the column."""
        self._to_row(0)

    def last(self) -> None:
        """To the last card of the column."""
        if cards := self._here():
            self._to_row(len(cards) - 1)

    def half(self, direction: int) -> None:
        """Half a page down (1) or up (-1)."""
        self._leap(direction, 0.5)

    def page(self, direction: int) -> None:
        """A page down (1) or up (-1)."""
        self._leap(direction, 1.0)

    def column(self, key: str) -> None:
        """To a column, at the height of the focus."""
        at = next((at for at, cards in enumerate(self._columns) if cards.column.key == key), None)
        if at is not None:
            self._to_column(at)

    def focus_card(self, issue: IssueId, key: str | None = None) -> None:
        """To an issue: in the column with that key, else in the first column that has it."""
        if self.index is None:
            return
        for at, cards in enumerate(self._columns):
            if key in {None, cards.column.key} and (row := row_in(self.index, cards, issue)) is not None:
                self._aim = None
                self._focus_place(Place(cards.column.key, issue, row, at))
                return

    def _leap(self, direction: int, share: float) -> None:
        if self._place and (shown := self.list_of(self._place.key)):
            self._to_row(self._place.row + direction * max(1, int(shown.rows_shown * share)))

    def _here(self) -> ColumnIndex | None:
        return self._columns[self._place.at] if self._place and self._columns else None

    def _to_row(self, row: int) -> None:
        if self._place and (cards := self._here()):
            self._aim = None
            self._focus_place(place_at(cards, self._place.at, row))

    def _to_column(self, at: int) -> None:
        """To a column, at the same height on screen, so that the focus is easy to follow."""
        if self._place is None or not self._columns:
            return
        at = min(max(at, 0), len(self._columns) - 1)
        if at == self._place.at:
            return
        if self._aim is None:
            shown = self.list_of(self._place.key)
            self._aim = max(0, self._place.row - shown.top) if shown else 0
        self.end_range()
        target = self._columns[at]
        shown = self.list_of(target.column.key)
        top = shown.top if shown else self._tops.get(target.column.key, 0)
        self._focus_place(place_at(target, at, top + self._aim))

    def _focus_place(self, place: Place) -> None:
        before = self._place
        if before == place:
            return
        self._place = place
        self._repaint_cards({p.issue for p in (before, place) if p and p.issue})
        self._extend_range()
        if before is None or before.key != place.key:
            self._lay_out()
        else:
            self._reveal()
        self._tell(before)

    def _tell(self, before: Place | None, *, always: bool = False) -> None:
        place = self._place
        if always or (before and (before.key, before.issue)) != (place and (place.key, place.issue)):
            self.post_message(self.FocusChanged(*self.focused))
        # Without marks there is nothing to count: the usual case for a key.
        seen = len(self._seen()) if len(self.marks) else 0
        if always or seen != self._marks_seen:
            self._marks_seen = seen
            self.post_message(self.MarksChanged(seen))

    # -- marks

    def _seen(self) -> list[tuple[IssueId, Column]]:
        return self.marks.seen(self.index, self._columns) if self.index else []

    def targets(self) -> list[tuple[IssueId, Column]]:
        """What the next action applies to: the visible marks in board order, else the focused issue."""
        if len(self.marks) and (seen := self._seen()):
            return seen
        issue, column = self.focused
        return [(issue, column)] if issue is not None and column is not None else []

    def toggle_mark(self) -> None:
        """Mark or unmark the focused issue."""
        if self._place and (issue := self._place.issue):
            self.end_range()
            self.marks.set([issue], on=issue not in self.marks)
            self._marked({issue})

    def mark_range(self) -> None:
        """Start a range at the focus, or end the current one; moving extends it."""
        if self.end_range():
            return
        if self._place and (issue := self._place.issue):
            self.marks.begin_range(self._place.key, issue)
            self._marked({issue})

    def mark_to(self, issue: IssueId, key: str) -> None:
        """Mark from the focus to a card of the same column and focus it."""
        if self._place is None or key != self._place.key:
            self.focus_card(issue, key)
            self.toggle_mark()
            return
        if self.marks.anchor is None:
            self.mark_range()
        self.focus_card(issue, key)
        self.end_range()

    def mark_column(self) -> None:
        """Mark the whole focused column; unmark it if all of it is marked."""
        if cards := self._here():
            self.end_range()
            issues = [cards[row] for row in range(len(cards))]
            self.marks.set(issues, on=not all(issue in self.marks for issue in issues))
            self._marked(frozenset(issues))

    def restore_marks(self) -> None:
        """Restore the last marks."""
        self.marks.restore()
        self._marked(frozenset(self.marks.all))

    def clear_marks(self) -> None:
        """Clear all marks."""
        was = frozenset(self.marks.all)
        self.marks.clear()
        self._marked(was)

    def end_range(self) -> bool:
        """Stop extending the range (``Esc``). Returns whether one was being extended."""
        return self.marks.end_range()

    def _extend_range(self) -> None:
        anchor, place, cards = self.marks.anchor, self._place, self._here()
        if anchor is None or place is None or cards is None or self.index is None:
            return
        start = row_in(self.index, cards, anchor[1]) if anchor[0] == place.key else None
        if start is None:
            self.end_range()
            return
        was = frozenset(self.marks.all)
        first, last = sorted((start, place.row))
        self.marks.extend_range(cards[row] for row in range(first, last + 1))
        self._repaint_cards(was ^ frozenset(self.marks.all))

    def _marked(self, issues: frozenset[IssueId] | set[IssueId]) -> None:
        self._repaint_cards(issues)
        self._tell(self._place)

    def grabbed(self, issue: IssueId) -> tuple[IssueId, ...]:
        """What dragging this card moves: all marks if it is one of them, else only the card."""
        if issue in self.marks:
            return tuple(marked for marked, _ in self._seen())
        return (issue,)
