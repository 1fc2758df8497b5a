"""One column of cards on the Line API: geometry, scrolling and which lines to repaint.

Owns the window on a ``ColumnIndex``. Its cost does not depend on the number of cards: a row is a division, an
issue a binary search away, a picture cached. It paints nothing itself (``card.py``), holds no focus and no
selection (``board.py``) and handles no mouse but the wheel: the strips' meta says what is under the pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from glboard_core.board.columns import Column
from glboard_core.board.index import ColumnIndex
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.widgets.card import HEIGHTS, CardState, CardView, Density, paint
from glboard_tui.widgets.colors import Palette, ansi_palette
from glboard_tui.widgets.selection import BoardState

Present = Callable[[Issue, Column], CardView]

Edge = Literal["line", "thumb", "none"]
"""What the last cell of a column shows: the thin line to its neighbour, or the scroll position."""

_EDGES: dict[Edge, str] = {"line": "│", "thumb": "┃", "none": " "}

#: A few screens of cards: 160x45 shows 84 in normal density.
_CARDS = 1024


class Painter:
    """Turns (issue, column, state) into strips. ``density`` and palette can change at any time."""

    def __init__(self) -> None:
        self.palette: Palette = ansi_palette()
        self.density: Density = "normal"
        self.present: Present | None = None
        self._views: LRUCache[tuple[IssueId, str], CardView] = LRUCache(_CARDS)
        self._strips: LRUCache[tuple[object, ...], tuple[Strip, ...]] = LRUCache(_CARDS)

    @property
    def height(self) -> int:
        """Lines per card."""
        return HEIGHTS[self.density]

    def take(self, palette: Palette) -> bool:
        """Paint with these colours from now on. Returns whether they changed."""
        differs, self.palette = palette is not self.palette, palette
        return differs

    def forget(self, issues: Iterable[IssueId], columns: Iterable[str]) -> None:
        """Drop the views of changed issues; their strips expire by themselves."""
        keys = list(columns)
        for issue in issues:
            for key in keys:
                self._views.discard((issue, key))

    def forget_all(self) -> None:
        """Drop every view: another board, or another way to present."""
        self._views.clear()

    def view(self, issue: Issue, column: Column) -> CardView | None:
        """The view of an issue in a column."""
        key = (issue.id, column.key)
        found = self._views.get(key)
        if found is None and self.present is not None:
            found = self.present(issue, column)
            self._views[key] = found
        return found

    def card(
        self, issue: Issue, column: Column, width: int, state: CardState, edge: Edge
    ) -> tuple[Strip, ...]:
        """The strips of a card, ``width`` cells including the edge; ``meta["card"]`` identifies the card."""
        view = self.view(issue, column)
        if view is None:
            return (self.blank(width, edge),) * self.height
        key = (view, width, self.density, state, edge, self.palette)
        strips = self._strips.get(key)
        if strips is None:
            painted = paint(view, width - 1, state, self.density, self.palette)
            meta = Style.from_meta({"card": view.id})
            last = Segment(_EDGES[edge], self._edge(edge))
            strips = tuple(
                Strip([*(Segment(s.text, (s.style or Style.null()) + meta) for s in strip), last], width)
                for strip in painted
            )
            self._strips[key] = strips
        return strips

    def blank(self, width: int, edge: Edge, text: str = "") -> Strip:
        """An empty line of a column, or one with dim text."""
        style = self.palette.style("rest", "muted")
        body = f"  {text}"[: width - 1].ljust(width - 1)
        return Strip([Segment(body, style), Segment(_EDGES[edge], self._edge(edge))], width)

    def _edge(self, edge: Edge) -> Style:
        return self.palette.style("rest", "thumb" if edge == "thumb" else "line")


#: Cards scrolled per wheel step.
_WHEEL = 2


class CardList(ScrollView):
    """The cards of one column, scrolled. ``bind`` says which column; the painter is the board's."""

    ALLOW_SELECT = False
    can_focus = False
    DEFAULT_CSS = """
    CardList { overflow: hidden hidden; height: 1fr; scrollbar-size: 0 0; }
    """

    def __init__(self, painter: Painter, state: BoardState) -> None:
        super().__init__()
        self._painter = painter
        self._state = state
        self.edged = True
        self.cards: ColumnIndex | None = None
        #: What was visible after the last change: the cards, and the extent of the thumb.
        self._window: tuple[IssueId, ...] = ()
        self._thumb = (0, 0)

    # -- what it shows

    @property
    def key(self) -> str | None:
        """The key of the column shown."""
        return None if self.cards is None else self.cards.column.key

    def bind(self, cards: ColumnIndex, *, top: int, edged: bool) -> None:
        """Show a column from card ``top`` on. ``edged`` draws the line to the right neighbour."""
        self.cards = cards
        self.edged = edged
        self._measure()
        self._scroll(top * self._painter.height)
        self.refresh()

    def recount(self, changed: Collection[IssueId]) -> None:
        """The column's content may have changed: repaint only the cards that did."""
        before, thumb, top = self._window, self._thumb, self.top_line
        self._measure()
        self._scroll(top)
        if self.top_line != top or self._thumb != thumb:
            self.refresh()
            return
        after = self._window
        first = self.top
        self.refresh_rows(
            first + place
            for place in range(max(len(before), len(after)))
            if place >= len(before)
            or place >= len(after)
            or before[place] != after[place]
            or after[place] in changed
        )

    def _measure(self) -> None:
        """Set the virtual height.

        Not through the reactive: that asks for a layout of the whole screen, and since the scrollbar is ours
        nothing on screen depends on the virtual size.
        """
        height = self._painter.height
        lines = (0 if self.cards is None else len(self.cards)) * height
        view = self.size.height
        if lines > view > 0:
            # The last page starts with a whole card, so that no card is ever cut at the top.
            lines = view + -(-(lines - view) // height) * height
        size = Size(self.size.width, lines)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)

    # -- scrolling

    @property
    def top_line(self) -> int:
        """The first line shown."""
        return round(self.scroll_y)

    @property
    def top(self) -> int:
        """The first card shown."""
        return self.top_line // self._painter.height

    @property
    def rows_shown(self) -> int:
        """How many whole cards fit, at least one."""
        return max(1, self.size.height // self._painter.height)

    def _scroll(self, line: float) -> None:
        self.scroll_to(y=line, animate=False, force=True, immediate=True)
        self._thumb = self._thumb_extent()
        if self.cards is None:
            self._window = ()
        else:
            last = min(self.top + self.rows_shown + 1, len(self.cards))
            self._window = tuple(self.cards[row] for row in range(self.top, last))

    def is_shown(self, row: int) -> bool:
        """Whether a card is fully visible."""
        return self.top <= row < self.top + self.rows_shown

    def reveal(self, row: int) -> None:
        """Scroll a card into view, half a page at a time: fewer repaints than line by line."""
        if self.cards is None or self.size.height <= 0 or self.is_shown(row):
            return
        half = max(1, self.rows_shown // 2)
        if row < self.top:
            steps = -(-(self.top - row) // half)
            top = self.top - steps * half
        else:
            steps = -(-(row - self.top - self.rows_shown + 1) // half)
            top = self.top + steps * half
        self._scroll(max(top, 0) * self._painter.height)

    def reveal_focus(self) -> None:
        """Scroll the focused card into view if it is in this column."""
        place = self._state.place
        if place and place.issue and place.key == self.key:
            self.reveal(place.row)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, _WHEEL)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -_WHEEL)

    def _wheel(self, event: events.MouseEvent, cards: int) -> None:
        if event.shift or event.ctrl:
            return
        event.stop()
        event.prevent_default()
        self._scroll(self.top_line + cards * self._painter.height)

    def on_resize(self) -> None:
        """Measure again; the first visible card stays the same, and the focused one visible."""
        self._measure()
        self._scroll(self.top_line)
        self.reveal_focus()

    # -- painting

    def repaint(self, issues: Collection[IssueId]) -> None:
        """Repaint those of these cards that are visible."""
        top = self.top
        self.refresh_rows(top + place for place, shown in enumerate(self._window) if shown in issues)

    def refresh_rows(self, rows: Iterable[int]) -> None:
        """Repaint those of these cards that are visible."""
        height = self._painter.height
        first, last = self.top, self.top + self.rows_shown + 1
        for row in rows:
            if first <= row <= last:
                self.refresh_lines(row * height, height)

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        width = self.size.width
        if self.cards is None or width < 2:
            return self._painter.blank(max(width, 1), "none")
        row, part = divmod(self.top_line + y, self._painter.height)
        edge = self._edge(y)
        if row >= len(self.cards):
            return self._painter.blank(width, edge, self._after(row - len(self.cards), part))
        identity = self.cards[row]
        issue = self._state.issue(identity)
        if issue is None:
            return self._painter.blank(width, edge)
        column = self.cards.column
        return self._painter.card(issue, column, width, self._state.of_card(identity, column.key), edge)[part]

    def _after(self, row: int, part: int) -> str:
        """The text below the last card: that the column is empty, or still loading."""
        if self.cards is None or row or part:
            return ""
        if self.cards.column.key in self._state.unread:
            return "loading …"
        return "" if len(self.cards) else "—"

    def _edge(self, y: int) -> Edge:
        """The right edge doubles as the scrollbar: heavier where the window is."""
        start, end = self._thumb
        if start <= y < end:
            return "thumb"
        return "line" if self.edged else "none"

    def _thumb_extent(self) -> tuple[int, int]:
        view, lines = self.size.height, self.virtual_size.height
        if not lines > view > 0:
            return (0, 0)
        size = max(1, view * view // lines)
        start = round((view - size) * self.top_line / (lines - view))
        return (start, start + size)
