"""The board's columns on screen: which are full, folded or hidden, and what needs repainting.

Owns the child widgets and where each column is scrolled to. It knows where the focus is and what is marked,
but not how they move: that is ``definition.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.widgets.card import Density
from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.column import CardList, Painter
from glboard_tui.widgets.column_headers import Heads, Rails, frame
from glboard_tui.widgets.layout import Arrangement, arrange
from glboard_tui.widgets.messages import EmptyMessage
from glboard_tui.widgets.selection import Marks, Place, row_in


class BoardColumns(Vertical):
    """Headers, rails and columns. What they show is ``index``, ``place``, ``marks`` and ``dragged``."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self.index: BoardIndex | None = None
        self.marks = Marks()
        self.has_weight = True
        self.empty_text = ""
        #: Keys of columns that are still loading: they say so and show no count.
        self.unread: frozenset[str] = frozenset()
        self.dragged: frozenset[IssueId] = frozenset()
        self.drop_key: str | None = None
        self._place: Place | None = None
        self._columns: list[ColumnIndex] = []
        self._arranged = Arrangement()
        #: The first card shown in a column, kept while it is folded.
        self._tops: dict[str, int] = {}
        self._lists: list[CardList] = []
        self._painter = Painter()
        self._heads = Heads()
        self._left, self._right = Rails(), Rails()
        self._note = EmptyMessage()

    def compose(self) -> ComposeResult:
        """The band of headers, and below it rails, columns, rails."""
        yield self._heads
        with Horizontal():
            yield self._left
            yield self._note
            yield self._right

    # -- what the columns ask

    def issue_shown(self, issue: IssueId) -> Issue | None:
        """The issue as shown now."""
        return None if self.index is None else self.index.issue(issue)

    def stands(self, issue: IssueId, key: str | None = None) -> bool:
        """Whether an issue is on this board as currently shown, in the column ``key`` if given."""
        return self.index is not None and any(
            row_in(self.index, cards, issue) is not None
            for cards in self._columns
            if key in {None, cards.column.key}
        )

    def card_state(self, key: str, issue: IssueId) -> tuple[bool, bool, bool]:
        """Whether the card is focused, marked, dragged."""
        place = self._place
        return (
            place is not None and place.issue == issue and place.key == key,
            issue in self.marks,
            issue in self.dragged,
        )

    def is_unread(self, key: str) -> bool:
        """Whether a column is still loading."""
        return key in self.unread

    def list_sized(self, cards: CardList) -> None:
        """A column changed its height: keep the focus visible."""
        if self._place and self._place.issue and cards.key == self._place.key:
            cards.reveal(self._place.row)

    # -- which column is where

    def lists(self) -> Iterator[CardList]:
        """The columns that are full now, from left to right."""
        return iter(self._lists[: len(self._arranged.slots)])

    def list_of(self, key: str | None) -> CardList | None:
        """The column with that key, if it is full now."""
        return next((cards for cards in self.lists() if cards.key == key), None)

    def key_at(self, x: int, y: int) -> str | None:
        """The key of the column at a cell of the screen: full, folded, or its header."""
        for widget in (self._heads, self._left, self._right):
            if widget.display and widget.region.contains(x, y):
                return widget.key_at(x - widget.region.x)
        return next((cards.key for cards in self.lists() if cards.region.contains(x, y)), None)

    # -- layout

    def on_resize(self) -> None:
        """Share the new width."""
        self._lay_out()

    def _lay_out(self, *, rebind: bool = False) -> None:
        """Match columns, rails and headers to ``_columns`` and the focus."""
        if not self.is_mounted or self.index is None or not self.size.width:
            return
        self._tops.update({cards.key: cards.top for cards in self.lists() if cards.key})
        at = self._place.at if self._place else 0
        arranged = arrange(len(self._columns), self.size.width, at, self._arranged.first)
        empty = not any(map(len, self._columns))
        self._arranged = arranged
        self._mount_lists(len(arranged.slots))
        for slot, cards in zip(arranged.slots, self._lists, strict=False):
            column = self._columns[slot.at]
            _set_width(cards, slot.width)
            edged = slot is not arranged.slots[-1] or arranged.right_width() > 0
            if rebind or cards.cards is not column or cards.edged != edged:
                cards.bind(column, top=self._tops.get(column.column.key, 0), edged=edged)
        for place, cards in enumerate(self._lists):
            _set_display(cards, place < len(arranged.slots) and not empty)
        _set_width(self._left, arranged.left_width())
        _set_width(self._right, arranged.right_width())
        self._note.say(self.empty_text, shown=empty)
        self._show_frame()
        self._reveal()

    def _mount_lists(self, count: int) -> None:
        while len(self._lists) < count:
            cards = CardList(self._painter, self)
            self._lists.append(cards)
            self.query_one(Horizontal).mount(cards, before=self._note)

    def _show_frame(self) -> None:
        around = frame(
            self._columns,
            self._arranged,
            focus=self._place.key if self._place else None,
            target=self.drop_key,
            has_weight=self.has_weight,
            unread=self.unread,
        )
        self._heads.show(around.heads)
        self._left.show(around.left)
        self._right.show(around.right)

    # -- repainting

    def _reveal(self) -> None:
        if self._place and self._place.issue and (cards := self.list_of(self._place.key)):
            cards.reveal(self._place.row)

    def _repaint_cards(self, issues: Iterable[IssueId]) -> None:
        """Repaint these cards wherever they are visible."""
        wanted = frozenset(issues)
        for cards in self.lists():
            cards.repaint(wanted)

    @property
    def density(self) -> Density:
        """How much of a card is shown."""
        return self._painter.density

    @density.setter
    def density(self, density: Density) -> None:
        self._tops.update({cards.key: cards.top for cards in self.lists() if cards.key})
        self._painter.density = density
        for cards in self.lists():
            if cards.cards is not None:
                cards.bind(cards.cards, top=self._tops.get(cards.cards.column.key, 0), edged=cards.edged)
        self._reveal()

    def show_unread(self, unread: frozenset[str]) -> None:
        """More, or fewer, columns are being read."""
        differ, self.unread = self.unread ^ unread, unread
        self._lay_out()
        for cards in self.lists():
            if cards.key in differ:
                cards.refresh()

    def repaint_all(self) -> None:
        """Rebuild and repaint every card (another mask, another day)."""
        self._painter.forget_all()
        for cards in self.lists():
            cards.refresh()
        self._show_frame()

    def notify_style_update(self) -> None:
        """Another theme: other colours, so other strips."""
        super().notify_style_update()
        if self._painter.take(palette_of(self.app)):
            for cards in self._lists:
                cards.refresh()


def _set_width(widget: CardList | Rails, width: int) -> None:
    # Only if it differs: every assignment requests a layout.
    now = widget.styles.width
    if now is None or now.value != width:
        widget.styles.width = width


def _set_display(widget: CardList, shown: bool) -> None:
    if widget.display != shown:
        widget.display = shown
