"""The board: one focused issue and any number of selected ones.

Owns where the focus goes, what is selected, and the mouse. It holds no issues (a ``BoardIndex`` does),
changes none (it posts messages with ids, never rows) and binds no keys (the action registry does): its owner
calls ``move``, ``toggle_selected`` and the like. ``BoardColumns`` is what is seen of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from glboard_core.board.columns import Column
from glboard_core.board.index import BoardIndex
from glboard_core.model.issue import IssueId
from glboard_tui.widgets.board_columns import BoardColumns
from glboard_tui.widgets.card import Density
from glboard_tui.widgets.column import Present
from glboard_tui.widgets.selection import BoardState, Focus, Selection, place_at, row_in, settle

#: Cells the pointer must move before a press becomes a drag: a mouse is never quite still.
_SLACK = 2


class _Press(NamedTuple):
    card: IssueId
    key: str
    x: int
    y: int


class BoardWidget(Vertical, can_focus=True):
    """A board on screen. Give it an index with ``show``; call ``changed`` after updating that index.

    The mouse: a click focuses, with Shift or Ctrl it selects; a double click opens; a drag moves.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "BoardWidget { height: 1fr; width: 1fr; }"

    @dataclass
    class FocusChanged(Message):
        """Another card or column is focused; the issue is None in an empty column."""

        issue: IssueId | None
        column: Column | None

    @dataclass
    class SelectionChanged(Message):
        """``count`` selected issues are visible now."""

        count: int

    @dataclass
    class CardDropped(Message):
        """Cards were dragged from one column to another."""

        ids: tuple[IssueId, ...]
        from_column: Column
        to_column: Column

    @dataclass
    class CardOpened(Message):
        """A card was double-clicked."""

        issue: IssueId

    @dataclass
    class ColumnChosen(Message):
        """The header of a column, or a collapsed column, was clicked; the column already has the focus."""

        column: Column

    @dataclass
    class Dragging(Message):
        """A drag started, is over another column, or ended (``ids`` empty): for the footer."""

        ids: tuple[IssueId, ...]
        to_column: Column | None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self.state = BoardState()
        self.columns = BoardColumns(self.state)
        #: The target of moving sideways, kept until the focus moves up or down: the line, and for a column
        #: that is not visible yet, the cards above.
        self._aim: tuple[int, int] | None = None
        self._selected_seen = 0
        self._press: _Press | None = None

    def compose(self) -> ComposeResult:
        """Yield the columns."""
        yield self.columns

    # -- what it shows

    def show(
        self,
        index: BoardIndex,
        *,
        present: Present,
        empty: str = "",
        unread: frozenset[str] = frozenset(),
        has_weight: bool = True,
        title: Callable[[Column], str] = lambda column: column.title,
    ) -> None:
        """Swap the whole board. The focus stays on its issue if the new board has it too.

        ``empty`` is shown if there are no cards at all: what to press. ``unread`` are the keys of columns
        that are still loading. ``has_weight``: whether this server has weights. ``title`` names a
        column.
        """
        state = self.state
        if state.index is None or state.index.board.id != index.board.id:
            self.columns.forget_tops()
        state.index, state.empty_text, state.unread, state.has_weight = index, empty, unread, has_weight
        state.title = title
        self.columns.present_with(present)
        self.cancel_drag()
        state.selection.end_range()
        state.visible = index.visible()
        before, state.place = state.place, settle(index, state.visible, state.place, follow=True)
        with self.app.batch_update():
            self.columns.lay_out(rebind=True)
        self._tell(before, always=True)

    def show_unread(self, unread: frozenset[str], empty: str) -> None:
        """More, or fewer, columns are still loading; ``empty`` as in ``show``."""
        state = self.state
        if differ := state.unread ^ unread:
            state.unread, state.empty_text = unread, empty
            self.columns.repaint_columns(differ)

    def changed(self, touched: set[str], issues: set[IssueId], *, follow: bool = False) -> None:
        """The index was updated: repaint what differs, in one frame.

        ``touched`` are column keys, ``issues`` those that may look different, even if only by a flag. With
        ``follow``, the user moved the focused issue here, and the focus goes with it.
        """
        state = self.state
        if state.index is None:
            return
        before = state.place
        state.visible = state.index.visible()
        state.place = settle(state.index, state.visible, before, follow=follow)
        with self.app.batch_update():
            self.columns.update(touched, issues, _refocused(before, state.place))
        self._tell(before)

    @property
    def density(self) -> Density:
        """How much of a card is shown."""
        return self.columns.density

    @density.setter
    def density(self, density: Density) -> None:
        self.columns.density = density

    @property
    def shared(self) -> bool:
        """Whether others watch: cards are roomier then."""
        return self.columns.shared

    @shared.setter
    def shared(self, shared: bool) -> None:
        self.columns.shared = shared

    # -- moving the focus

    @property
    def focused(self) -> tuple[IssueId | None, Column | None]:
        """The focused issue (None in an empty column) and column."""
        place = self.state.place
        return (None, None) if place is None else (place.issue, self.state.column(place.key))

    @property
    def right_title(self) -> str:
        """The title of the list to the right of the focused one; "" if there is none."""
        place, visible = self.state.place, self.state.visible
        after = visible[place.at + 1 :] if place else []
        return next((self.state.title(cards.column) for cards in after if cards.column.is_list), "")

    def in_view(self) -> list[IssueId]:
        """The visible cards, those of the focused column first."""
        place = self.state.place
        return self.columns.in_view(place.key if place else None) if self.display else []

    def where(self, issue: IssueId) -> str:
        """The place of an issue in the focused column: ``1 of 4 in bug``, ``2 of 3 in review``.

        "" if it is not there.
        """
        cards, index = self.state.here(), self.state.index
        row = row_in(index, cards, issue) if cards is not None and index is not None else None
        if row is None or cards is None:
            return ""
        title = self.state.title(cards.column)
        return f"{row + 1} of {len(cards)} {title if title.startswith('in ') else f'in {title}'}"

    def move(self, dx: int, dy: int) -> None:
        """Move by columns and cards; stops at the edges."""
        if (place := self.state.place) and dy:
            self._to_row(place.row + dy)
        if (place := self.state.place) and dx:
            self._to_column(place.at + dx)

    def leave_empty(self) -> None:
        """From a column without cards to the nearest one that has some."""
        if (place := self.state.place) is None or place.issue is not None:
            return
        filled = [at for at, cards in enumerate(self.state.visible) if len(cards)]
        if filled:
            self._to_column(min(filled, key=lambda at: abs(at - place.at)))

    def first(self) -> None:
        """To the first card of the column."""
        self._to_row(0)

    def last(self) -> None:
        """To the last card of the column."""
        if cards := self.state.here():
            self._to_row(len(cards) - 1)

    def half(self, direction: int) -> None:
        """Half a page down (1) or up (-1)."""
        place = self.state.place
        if place and (shown := self.columns.list_of(place.key)):
            self._to_row(place.row + direction * shown.half_page)

    def column(self, key: str) -> None:
        """To a column, at the height of the focus."""
        at = next((at for at, cards in enumerate(self.state.visible) if cards.column.key == key), None)
        if at is not None:
            self._to_column(at)

    def focus_card(self, issue: IssueId, key: str | None = None) -> None:
        """To an issue: in the column with that key, else in the focused one or the first that has it."""
        index, place = self.state.index, self.state.place
        if index is None:
            return
        found = [
            Focus(cards.column.key, issue, row, at)
            for at, cards in enumerate(self.state.visible)
            if key in {None, cards.column.key} and (row := row_in(index, cards, issue)) is not None
        ]
        if found:
            self._aim = None
            # An issue of two types is in two columns: whoever looks at one of them stays there.
            self._focus_place(next((one for one in found if place and one.key == place.key), found[0]))

    def _to_row(self, row: int) -> None:
        if (place := self.state.place) and (cards := self.state.here()):
            self._aim = None
            self._focus_place(place_at(cards, place.at, row))

    def _to_column(self, at: int) -> None:
        """To a column, at the same height on screen, so that the focus is easy to follow."""
        place, visible = self.state.place, self.state.visible
        if place is None or not visible:
            return
        at = min(max(at, 0), len(visible) - 1)
        if at == place.at:
            return
        if self._aim is None:
            shown = self.columns.list_of(place.key)
            self._aim = (shown.line_of(place.row), max(0, place.row - shown.top)) if shown else (0, 0)
        self.end_range()
        target = visible[at]
        there = self.columns.list_of(target.column.key)
        line, rows = self._aim
        row = there.row_at(line) if there else self.columns.top_of(target.column.key) + rows
        self._focus_place(place_at(target, at, row))

    def _focus_place(self, place: Focus) -> None:
        before = self.state.place
        if before == place:
            return
        self.state.place = place
        self.columns.repaint(_refocused(before, place))
        self._extend_range()
        if before is None or before.key != place.key:
            self.columns.lay_out()
        else:
            self.columns.reveal()
        self._tell(before)

    def _tell(self, before: Focus | None, *, always: bool = False) -> None:
        place = self.state.place
        if always or (before and (before.key, before.issue)) != (place and (place.key, place.issue)):
            self.post_message(self.FocusChanged(*self.focused))
        # Without a selection there is nothing to count: the usual case for a key.
        seen = len(self.state.seen()) if len(self.selection) else 0
        if always or seen != self._selected_seen:
            self._selected_seen = seen
            self.post_message(self.SelectionChanged(seen))

    # -- selection

    @property
    def selection(self) -> Selection:
        """The selected issues."""
        return self.state.selection

    def targets(self) -> list[tuple[IssueId, Column]]:
        """What the next action applies to: the visible selection in board order, else the focused issue."""
        return self.state.targets()

    def toggle_selected(self) -> None:
        """Select or deselect the focused issue."""
        if (place := self.state.place) and (issue := place.issue):
            self.selection.toggle([issue])
            self._reselected({issue})

    def select_range(self) -> None:
        """Start a range at the focus, or end the current one; moving extends it."""
        if self.end_range():
            return
        if (place := self.state.place) and (issue := place.issue):
            self.selection.begin_range(place.key, issue)
            self._reselected({issue})

    def select_to(self, issue: IssueId, key: str) -> None:
        """Select from the focus to a card of the same column and focus it."""
        place = self.state.place
        if place is None or key != place.key:
            self.focus_card(issue, key)
            self.toggle_selected()
            return
        if self.selection.anchor is None:
            self.select_range()
        self.focus_card(issue, key)
        self.end_range()

    def select_column(self) -> None:
        """Select the whole focused column; deselect it if all of it is selected."""
        if cards := self.state.here():
            issues = [cards[row] for row in range(len(cards))]
            self.selection.toggle(issues)
            self._reselected(frozenset(issues))

    def restore_selection(self) -> None:
        """Restore the last selection."""
        self.selection.restore()
        self._reselected(frozenset(self.selection.all))

    def clear_selection(self) -> None:
        """Deselect all."""
        was = frozenset(self.selection.all)
        self.selection.clear()
        self._reselected(was)

    def end_range(self) -> bool:
        """Stop extending the range (``Esc``). Returns whether one was being extended."""
        return self.selection.end_range()

    def _extend_range(self) -> None:
        state = self.state
        anchor, place, cards = self.selection.anchor, state.place, state.here()
        if anchor is None or place is None or cards is None or state.index is None:
            return
        start = row_in(state.index, cards, anchor[1]) if anchor[0] == place.key else None
        if start is None:
            self.end_range()
            return
        was = frozenset(self.selection.all)
        first, last = sorted((start, place.row))
        self.selection.extend_range(cards[row] for row in range(first, last + 1))
        self.columns.repaint(was ^ frozenset(self.selection.all))

    def _reselected(self, issues: Collection[IssueId]) -> None:
        self.columns.repaint(issues)
        self._tell(self.state.place)

    def watch_has_focus(self, _has_focus: bool) -> None:
        """No style depends on it: Textual would style every widget in it again."""

    # -- the mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Focus, select, or start waiting for a drag."""
        if event.button != 1 or (key := self.columns.key_at(event.screen_x, event.screen_y)) is None:
            return
        card = event.style.meta.get("card")
        if not isinstance(card, str):
            self.column(key)
            if chosen := self.state.column(key):
                self.post_message(self.ColumnChosen(chosen))
            return
        issue = IssueId(card)
        if event.shift:
            self.select_to(issue, key)
            return
        self.focus_card(issue, key)
        if event.ctrl:
            self.toggle_selected()
        else:
            self._press = _Press(issue, key, event.screen_x, event.screen_y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Turn a press into a drag and show where it would drop."""
        press, state = self._press, self.state
        if press is None:
            return
        if not state.dragged:
            if max(abs(event.screen_x - press.x), abs(event.screen_y - press.y)) < _SLACK:
                return
            state.dragged = frozenset(self._grabbed(press.card))
            self.capture_mouse()
            self.columns.repaint(state.dragged)
            self._tell_drag()
        over = self.columns.key_at(event.screen_x, event.screen_y)
        over = over if over != press.key else None
        if over != state.drop_key:
            state.drop_key = over
            self.columns.show_headers()
            self._tell_drag()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Drop."""
        state = self.state
        press, ids, target = self._press, state.dragged, state.drop_key
        if not self.cancel_drag() or press is None or target is None:
            return
        event.stop()
        source, destination = state.column(press.key), state.column(target)
        if source is None or destination is None or not state.has(press.card, press.key):
            # Someone else moved it first: the dragged card is no longer where it was grabbed.
            return
        ordered = tuple(i for i in self._grabbed(press.card) if i in ids and state.has(i))
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
        state = self.state
        self._press = None
        if not state.dragged:
            return False
        was, state.dragged, state.drop_key = state.dragged, frozenset(), None
        self.release_mouse()
        self.columns.repaint(was)
        self.columns.show_headers()
        self.post_message(self.Dragging((), None))
        return True

    def _grabbed(self, issue: IssueId) -> tuple[IssueId, ...]:
        """What dragging this card moves: the whole selection if it is part of it, else only the card."""
        return tuple(one for one, _ in self.state.seen()) if issue in self.selection else (issue,)

    def _tell_drag(self) -> None:
        state = self.state
        self.post_message(self.Dragging(tuple(state.dragged), state.column(state.drop_key)))


def _refocused(before: Focus | None, after: Focus | None) -> set[IssueId]:
    """The issues that got or lost the focus."""
    return {p.issue for p in (before, after) if p and p.issue} if before != after else set()
