"""The columns of a board on screen: which are full, collapsed or hidden, and what needs repainting.

Owns the child widgets and where each column is scrolled to. What they show is in the ``BoardState`` that
``BoardWidget`` changes; after a change it says what to lay out or repaint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.layout import WidgetPlacement

from glboard_core.board.index import ColumnIndex
from glboard_core.model.issue import IssueId
from glboard_tui.widgets.card import SHAPES, TITLES, Density
from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.column import LOWEST, CardList, Painter, Present
from glboard_tui.widgets.column_headers import HEAD, CollapsedColumns, ColumnHeaders, headers
from glboard_tui.widgets.layout import MIN_WIDTH, Arrangement, WidthShare, arrange, narrowest, part_of
from glboard_tui.widgets.messages import EmptyMessage
from glboard_tui.widgets.selection import BoardState


class BoardColumns(Vertical):
    """Headers; below them collapsed columns, full columns, collapsed columns."""

    DEFAULT_CSS = """
    BoardColumns { height: 1fr; width: 1fr; padding: 0 0 0 1; }
    BoardColumns > Horizontal { height: 1fr; width: 1fr; }
    """

    def __init__(self, state: BoardState) -> None:
        super().__init__()
        self._state = state
        self._arranged = Arrangement()
        #: What the columns ask of the width, and for what. It stays while a board is shown, so that no card
        #: that moves makes all columns wider or narrower.
        self._shares: list[WidthShare] = []
        self._shares_for: object = None
        #: The first card shown in a column, kept while it is collapsed.
        self._tops: dict[str, int] = {}
        #: The room that the columns have shared, and the size they were laid out for.
        self._room = self._laid_out = Size(0, 0)
        #: As many as were ever needed, from left to right; the first ones are shown.
        self._lists: list[CardList] = []
        self._painter = Painter()
        self._headers = ColumnHeaders()
        self._left, self._right = CollapsedColumns(), CollapsedColumns()
        self._empty = EmptyMessage()

    def compose(self) -> ComposeResult:
        """Yield the line of headers, and below it the columns."""
        yield self._headers
        with Horizontal():
            yield self._left
            yield self._empty
            yield self._right

    # -- which column is where

    def lists(self) -> Iterator[CardList]:
        """The full columns, from left to right."""
        return iter(self._lists[: len(self._arranged.slots)])

    def in_view(self, first: str | None) -> list[IssueId]:
        """The visible cards, those of the column ``first`` before all others."""
        shown = sorted(self.lists(), key=lambda cards: cards.key != first)
        return [issue for cards in shown if cards.display for issue in cards.in_view]

    def list_of(self, key: str | None) -> CardList | None:
        """The column with that key, if it is full now."""
        return next((cards for cards in self.lists() if cards.key == key), None)

    def top_of(self, key: str) -> int:
        """The first card shown in a column, also while it is collapsed."""
        shown = self.list_of(key)
        return shown.top if shown else self._tops.get(key, 0)

    def key_at(self, x: int, y: int) -> str | None:
        """The key of the column at a cell of the screen: full, collapsed, or its header."""
        for widget in (self._headers, self._left, self._right):
            if widget.display and widget.region.contains(x, y):
                return widget.key_at(x - widget.region.x)
        return next((cards.key for cards in self.lists() if cards.region.contains(x, y)), None)

    # -- layout

    def process_layout(self, placements: list[WidgetPlacement]) -> list[WidgetPlacement]:
        """Share the new width as soon as it is known: the columns are laid out, and painted, once.

        Only that: while Textual lays out, no widget can be asked for its size.
        """
        room = Size(
            max((place.region.right for place in placements), default=0),
            max((place.region.bottom for place in placements), default=0),
        )
        if room.width and room != self._room and self._lists and self._state.index is not None:
            self._room = room
            self._share(self._arrange(rebind=False))
        return placements

    def watch_virtual_size(self) -> None:
        """Show what belongs into the new width, before that is painted."""
        self.on_resize()

    def on_resize(self) -> None:
        """Lay out for the new size, unless that is done."""
        if self.size != self._laid_out:
            self.lay_out()

    def forget_tops(self) -> None:
        """Show every column of the next board from its first card."""
        self._tops.clear()
        for cards in self._lists:
            cards.cards = None

    def lay_out(self, *, rebind: bool = False) -> None:
        """Match columns and headers to the visible columns and the focus. ``rebind``: all of them again."""
        state = self._state
        if not self.is_mounted or state.index is None or not self.size.width:
            self._room = self._laid_out = Size(0, 0)  # as soon as there is room
            return
        self._room = self._laid_out = self.size
        self._keep_tops()
        before = self._arranged
        self._arranged = arranged = self._arrange(rebind=rebind)
        while len(self._lists) < len(arranged.slots):
            cards = CardList(self._painter, state)
            self._lists.append(cards)
            self.query_one(Horizontal).mount(cards, before=self._empty)
        self._share(arranged)
        for slot, cards in zip(arranged.slots, self._lists, strict=False):
            column = state.visible[slot.at]
            if rebind or cards.cards is not column:
                cards.bind(column, top=self._tops.get(column.column.key, 0))
        self._empty.say(state.empty_text, shown=self._is_empty)
        self.show_headers()
        self.reveal()
        if arranged != before:
            self.post_message(CardList.ViewChanged())

    @property
    def _is_empty(self) -> bool:
        return not any(map(len, self._state.visible))

    def _arrange(self, *, rebind: bool) -> Arrangement:
        at = self._state.place.at if self._state.place else 0
        return arrange(self._shares_of(rebind=rebind), self._room.width, at, self._arranged.first)

    def _share(self, arranged: Arrangement) -> None:
        """Give each column its width; those without a place are hidden."""
        for slot, cards in zip(arranged.slots, self._lists, strict=False):
            _set_width(cards, slot.width)
        for place, cards in enumerate(self._lists):
            shown = place < len(arranged.slots) and not self._is_empty
            if cards.display != shown:
                cards.display = shown
        _set_width(self._left, arranged.left_width())
        _set_width(self._right, arranged.right_width())

    def _shares_of(self, *, rebind: bool) -> list[WidthShare]:
        """What each column asks of the width: enough for whole titles of all its cards, if possible."""
        columns = self._state.visible
        known = (self._room, tuple(cards.column.key for cards in columns))
        if rebind or self._shares_for != known:
            self._shares_for = known
            shared, narrow = self._painter.shared, [MIN_WIDTH] * len(columns)
            # Those who watch follow a card from column to column: equal ones are easier to follow.
            parts = [part_of(0 if shared else len(c), is_list=c.column.is_list) for c in columns]
            least = narrow if shared else next(filter(None, map(self._needs, TITLES)), narrow)
            self._shares = [WidthShare(*given) for given in zip(least, parts, strict=True)]
        return self._shares

    def _needs(self, titles: int) -> list[int] | None:
        """The least widths in which all cards of every column are visible with so many lines of title.

        A column that has too many cards for any width needs no more than the least.
        """
        columns, lines = self._state.visible, self._room.height - HEAD
        room = self._room.width
        shape = SHAPES["wrapped"]._replace(titles=titles)
        found: list[int] = []
        for cards in columns:
            if len(cards) * LOWEST > lines:
                found.append(MIN_WIDTH)
                continue

            def fits(width: int, cards: ColumnIndex = cards) -> bool:
                return self._painter.lines(cards, self._state, width, shape, lines) <= lines

            least = narrowest(fits, room - MIN_WIDTH * (len(columns) - 1))
            if least is None:
                return None
            found.append(least)
        return found if sum(found) <= room else None

    def _keep_tops(self) -> None:
        self._tops.update({cards.key: cards.top for cards in self.lists() if cards.key})

    def show_headers(self) -> None:
        """Update the headers and the collapsed columns."""
        state = self._state
        left, full, right = headers(
            state.visible,
            self._arranged,
            focus=state.place.key if state.place else None,
            target=state.drop_key,
            has_weight=state.has_weight,
            unread=state.unread,
            title=state.title,
        )
        self._headers.show([*left, *full, *right])
        self._left.show(left)
        self._right.show(right)

    def reveal(self) -> None:
        """Scroll the focused card into view."""
        for cards in self.lists():
            cards.reveal_focus()

    # -- repainting

    def present_with(self, present: Present) -> None:
        """Make cards with this function from now on."""
        self._painter.present = present
        self._painter.forget_all()

    def update(
        self, touched: Collection[str], issues: Collection[IssueId], lost: Collection[IssueId]
    ) -> None:
        """Repaint what differs after the index has changed.

        ``touched`` are keys of columns, ``issues`` may look different, ``lost`` got or lost the focus.
        """
        index = self._state.index
        if index is None:
            return
        self._painter.forget(issues, [cards.column.key for cards in index.columns])
        for cards in self.lists():
            column = index.column(cards.key) if cards.key else None
            if column is cards.cards and (cards.key in touched or issues):
                cards.recount({*issues, *lost})
        self.lay_out()
        self.repaint(lost)

    def repaint(self, issues: Collection[IssueId]) -> None:
        """Repaint these cards wherever they are visible."""
        if issues:
            for cards in self.lists():
                cards.repaint(issues)

    def repaint_columns(self, keys: Collection[str]) -> None:
        """Lay out, and repaint whole columns."""
        self.lay_out()
        for cards in self.lists():
            if cards.key in keys:
                cards.refresh()

    @property
    def density(self) -> Density:
        """How much of a card is shown."""
        return self._painter.density

    @density.setter
    def density(self, density: Density) -> None:
        self._keep_tops()
        self._painter.density = density
        for cards in self.lists():
            if cards.cards is not None:
                cards.bind(cards.cards, top=self._tops.get(cards.cards.column.key, 0))
        self.reveal()

    @property
    def shared(self) -> bool:
        """Whether others watch."""
        return self._painter.shared

    @shared.setter
    def shared(self, shared: bool) -> None:
        self._painter.shared = shared
        self._shares_for = None
        self.density = self.density
        self.lay_out()

    def notify_style_update(self) -> None:
        """Another theme: other colours, so other strips."""
        super().notify_style_update()
        if self._painter.take(palette_of(self.app)):
            for cards in self._lists:
                cards.refresh()


def _set_width(widget: CardList | CollapsedColumns, width: int) -> None:
    # Only if it differs: every assignment requests a layout.
    now = widget.styles.width
    if now is None or now.value != width:
        widget.styles.width = width
