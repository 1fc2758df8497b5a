"""One column of cards on the Line API: which cards are visible, how much of each, and what to repaint.

Owns the window on a ``ColumnIndex``: it starts at a card and is as high as the screen, so that cards of any
height cost no more than what is visible. A picture is cached. It paints nothing itself (``card.py``), holds
no focus and no selection (``board.py``) and handles no mouse but the wheel: the strips' meta says what is
under the pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from glboard_core.board.columns import Column
from glboard_core.board.index import ColumnIndex
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.widgets.card import (
    AUTO,
    SCROLLED,
    SHAPES,
    SHARED,
    TIGHT,
    WHOLE,
    CardState,
    CardView,
    Density,
    Shape,
    height_of,
    paint,
)
from glboard_tui.widgets.colors import Palette, ansi_palette
from glboard_tui.widgets.plain_lines import PlainLines
from glboard_tui.widgets.selection import BoardState

Present = Callable[[Issue, Column], CardView]

Edge = Literal["gap", "thumb"]
"""What the last cell of a column shows: nothing, or the scroll position."""

#: A few screens of cards: 160x45 shows 84 in dense.
_CARDS = 1024
#: The fewest lines of a card in any density.
LOWEST = 2


class Painter:
    """Turns (issue, column, state) into strips. ``density`` and palette can change at any time."""

    def __init__(self) -> None:
        self.palette: Palette = ansi_palette()
        self.density: Density = "auto"
        #: Whether others watch: then ``auto`` shows whole titles with space around them.
        self.shared = False
        self.present: Present | None = None
        self._views: LRUCache[tuple[IssueId, str], CardView] = LRUCache(_CARDS)
        self._strips: LRUCache[tuple[object, ...], tuple[Strip, ...]] = LRUCache(_CARDS)

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

    def lines(self, cards: ColumnIndex, state: BoardState, width: int, shape: Shape, most: int) -> int:
        """The lines that all cards of a column take, as far as they are at most ``most``; else more."""
        taken = -shape.gap
        for row in range(len(cards)):
            issue = state.issue(cards[row])
            view = None if issue is None else self.view(issue, cards.column)
            taken += LOWEST if view is None else height_of(view, width - 1, shape)
            if taken > most:
                break
        return taken

    def shares(
        self, cards: ColumnIndex, state: BoardState, width: int, shape: Shape, most: int
    ) -> tuple[Shape, ...]:
        """The shape of each card: cut titles get the lines that ``shape`` leaves of ``most``, from the top.

        Empty if it leaves none, or if no title is cut.
        """
        spare, found, more = most - self.lines(cards, state, width, shape, most), list[Shape](), False
        for row in range(len(cards) if spare > 0 else 0):
            issue = state.issue(cards[row])
            view = None if issue is None else self.view(issue, cards.column)
            needs = shape.titles
            if view is not None and spare > 0:
                needs = min(max(needs, len(view.titles(width - 1, WHOLE))), needs + spare)
            spare, more = spare - (needs - shape.titles), more or needs > shape.titles
            found.append(shape if needs == shape.titles else shape._replace(titles=needs))
        return tuple(found) if more else ()

    def card(
        self, view: CardView, width: int, state: CardState, shape: Shape, edge: Edge
    ) -> tuple[Strip, ...]:
        """The strips of a card, ``width`` cells including the edge; ``meta["card"]`` identifies the card."""
        key = (view, width, shape, state, edge, self.palette)
        strips = self._strips.get(key)
        if strips is None:
            painted = paint(view, width - 1, state, shape, self.palette)
            meta = Style.from_meta({"card": view.id})
            last = self._last(edge)
            strips = tuple(
                Strip([*(Segment(s.text, (s.style or Style.null()) + meta) for s in strip), last], width)
                for strip in painted
            )
            self._strips[key] = strips
        return strips

    def blank(self, width: int, edge: Edge, text: str = "") -> Strip:
        """An empty line of a column, or one with dim text."""
        style = self.palette.style("lane", "muted")
        body = f"  {text}"[: width - 1].ljust(width - 1)
        return Strip([Segment(body, style), self._last(edge)], width)

    def _last(self, edge: Edge) -> Segment:
        return Segment("▐" if edge == "thumb" else " ", self.palette.style("rest", "thumb"))


class _Shown(NamedTuple):
    """A visible card: its row in the column, its first line and its lines, and how much of it is shown."""

    row: int
    issue: IssueId
    y: int
    height: int
    shape: Shape


#: Cards scrolled per wheel step.
_WHEEL = 2


class CardList(Widget):
    """The cards of one column, scrolled. ``bind`` says which column; the painter is the board's."""

    ALLOW_SELECT = False
    can_focus = False
    DEFAULT_CSS = "CardList { height: 1fr; }"

    class ViewChanged(Message):
        """Other cards are visible now."""

    def __init__(self, painter: Painter, state: BoardState) -> None:
        super().__init__()
        self._styles_cache = PlainLines()
        self._painter = painter
        self._state = state
        self.cards: ColumnIndex | None = None
        #: The first card shown.
        self.top = 0
        self._shape = SHAPES["wrapped"]
        #: The shape of each card, if some have more lines of title than others.
        self._shapes: tuple[Shape, ...] = ()
        self._width = self._height = 0
        #: The visible cards, the last one perhaps cut, and the card of each line with its line there.
        self._window: tuple[_Shown, ...] = ()
        self._lines: list[tuple[_Shown, int]] = []
        self._thumb = (0, 0)
        #: The card painted last.
        self._picture: tuple[CardView, int, CardState, Shape, Edge, Palette] | None = None
        self._strips: tuple[Strip, ...] = ()

    # -- what it shows

    @property
    def key(self) -> str | None:
        """The key of the column shown."""
        return None if self.cards is None else self.cards.column.key

    @property
    def in_view(self) -> list[IssueId]:
        """The visible cards, from top to bottom."""
        return [shown.issue for shown in self._window]

    def bind(self, cards: ColumnIndex, *, top: int) -> None:
        """Show a column from card ``top`` on."""
        self.cards = cards
        self._look(top)
        self.refresh()

    def recount(self, changed: Collection[IssueId]) -> None:
        """The column's content may have changed: repaint only the cards that did."""
        before, thumb, shape = self._window, self._thumb, self._shape
        self._look(self.top)
        if self._thumb != thumb or self._shape != shape:
            self.refresh()
            return
        width, height = self.size
        known = set(before)
        for shown in self._window:
            moved = shown not in known
            if moved or shown.issue in changed:
                lines = shown.height if moved else shown.height - self._shape.gap
                self.refresh(Region(0, shown.y, width, min(lines, height - shown.y)))
        end = _end(self._window)
        if len(before) and (was := _end(before)) > end:
            self.refresh(Region(0, end, width, max(min(was, height) - end, 0)))
        if not self._window and before:
            self.refresh()

    def _look(self, top: int) -> None:
        """Choose the shape, and find the visible cards from ``top`` on."""
        before = self.in_view
        self._find_window(top)
        if self.in_view != before:
            self.post_message(self.ViewChanged())

    def _find_window(self, top: int) -> None:
        # Read once: it is computed each time, and a change measures many cards.
        self._width, self._height = self.size
        self._shape, self._shapes = self._fitting(), ()
        cards, height = self.cards, self._height
        if cards is None or height <= 0:
            self.top, self._window, self._lines, self._thumb = max(top, 0), (), [], (0, 0)
            return
        if self._painter.density == "auto" and self._shape in TIGHT and len(cards) * LOWEST <= height:
            self._shapes = self._painter.shares(cards, self._state, self._width, self._shape, height)
        self.top = max(0, min(top, len(cards) - 1))
        self._window = self._from(self.top)
        if self.top and _end(self._window) < height:
            # The last page is full, so that no space is wasted at its end.
            self.top = self._first_before(len(cards) - 1)
            self._window = self._from(self.top)
        self._lines = [(shown, part) for shown in self._window for part in range(shown.height)]
        self._thumb = self._thumb_extent()

    def _fitting(self) -> Shape:
        """The shape of the set density; of ``auto`` the first that shows all cards, or that of what scrolls.

        No more cards are measured than have a line each.
        """
        density, cards, lines = self._painter.density, self.cards, self._height
        if density != "auto":
            return SHAPES[density]
        if self._painter.shared:
            return self._shared()
        if cards is None or len(cards) * LOWEST > lines:
            return SCROLLED
        width, painter = self._width, self._painter
        for shape in AUTO:
            if painter.lines(cards, self._state, width, shape, lines) <= lines:
                return shape
        return SCROLLED

    def _shared(self) -> Shape:
        """The roomiest shape in which all cards are visible; else the last one, which scrolls."""
        cards, lines = self.cards, self._height
        if cards is None or len(cards) * LOWEST > lines:
            return SHARED[-1]
        width, painter = self._width, self._painter
        fitting = (s for s in SHARED if painter.lines(cards, self._state, width, s, lines) <= lines)
        return next(fitting, SHARED[-1])

    def _shape_of(self, row: int) -> Shape:
        return self._shapes[row] if self._shapes else self._shape

    def _lines_of(self, row: int) -> int:
        cards = self.cards
        issue = None if cards is None else self._state.issue(cards[row])
        view = None if issue is None or cards is None else self._painter.view(issue, cards.column)
        return LOWEST if view is None else height_of(view, self._width - 1, self._shape_of(row))

    def _from(self, top: int) -> tuple[_Shown, ...]:
        cards, found, y = self.cards, [], 0
        if cards is None:
            return ()
        for row in range(top, len(cards)):
            if y >= self._height:
                break
            height = self._lines_of(row)
            found.append(_Shown(row, cards[row], y, height, self._shape_of(row)))
            y += height
        return tuple(found)

    def _first_before(self, last: int) -> int:
        """The first card from which ``last`` is fully visible."""
        left = self._height + self._shape.gap
        row = last
        while row >= 0 and (left := left - self._lines_of(row)) >= 0:
            row -= 1
        return min(row + 1, last)

    # -- scrolling

    @property
    def rows_shown(self) -> int:
        """How many whole cards are visible, at least one."""
        height = self._height + self._shape.gap
        return max(1, sum(shown.y + shown.height <= height for shown in self._window))

    def _scroll(self, top: int) -> None:
        before, thumb, shape = self._window, self._thumb, self._shape
        self._look(top)
        if (before, thumb, shape) != (self._window, self._thumb, self._shape):
            self.refresh()

    @property
    def half_page(self) -> int:
        """How many cards like the visible ones fit half the height, at least one."""
        return max(1, self._height * len(self._window) // (2 * max(_end(self._window), 1)))

    def is_shown(self, row: int) -> bool:
        """Whether a card is fully visible."""
        return self.top <= row < self.top + self.rows_shown

    def line_of(self, row: int) -> int:
        """The first line of a visible card, else the nearest one's."""
        near = min(self._window, key=lambda shown: abs(shown.row - row), default=None)
        return near.y if near else max(row - self.top, 0) * LOWEST

    def row_at(self, line: int) -> int:
        """The card at a line, or the last one above it."""
        if not self._lines:
            return self.top + line // LOWEST
        return self._lines[min(max(line, 0), len(self._lines) - 1)][0].row

    def reveal(self, row: int) -> None:
        """Scroll a card into view, half a page at a time: fewer repaints than line by line."""
        if self.cards is None or self.size.height <= 0 or self.is_shown(row):
            return
        half = max(1, self.rows_shown // 2)
        if row < self.top:
            steps = -(-(self.top - row) // half)
            self._scroll(max(self.top - steps * half, 0))
            return
        steps = -(-(row - self.top - self.rows_shown + 1) // half)
        self._scroll(self.top + steps * half)
        if not self.is_shown(row):
            # The cards there are higher or lower than those here.
            self._scroll(self._first_before(row) if row >= self.top else row)

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
        self._scroll(self.top + cards)

    def watch_virtual_size(self) -> None:
        """Measure again, before it is painted in its new size."""
        self._measure()

    def on_resize(self) -> None:
        """It may have been hidden, and is shown in the size it had."""
        if self._measure():
            self.refresh()

    def _measure(self) -> bool:
        """Measure in another size; the first visible card stays the same, and the focused one visible."""
        differs = (self._width, self._height) != self.size
        if differs:
            self._look(self.top)
            self.reveal_focus()
        return differs

    # -- painting

    def repaint(self, issues: Collection[IssueId]) -> None:
        """Repaint those of these cards that are visible."""
        width, height = self.size
        for shown in self._window:
            if shown.issue in issues:
                lines = min(shown.height - self._shape.gap, height - shown.y)
                self.refresh(Region(0, shown.y, width - 1, lines))

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        width = self._width or self.size.width
        if self.cards is None or width < 2:
            return self._painter.blank(max(width, 1), "gap")
        edge = self._edge(y)
        if y >= len(self._lines):
            return self._painter.blank(width, edge, self._after(y))
        shown, part = self._lines[y]
        issue = self._state.issue(shown.issue)
        view = None if issue is None else self._painter.view(issue, self.cards.column)
        if view is None:
            return self._painter.blank(width, edge)
        state = self._state.of_card(shown.issue, self.cards.column.key)
        if not self._shape.gap and shown.row % 2:
            state = state._replace(odd=True)
        picture = (view, width, state, shown.shape, edge, self._painter.palette)
        # A card has several lines, and finding it in the painter's cache takes longer than to compare.
        if self._picture is None or self._picture[0] is not view or self._picture != picture:
            self._picture = picture
            self._strips = self._painter.card(view, width, state, shown.shape, edge)
        strips = self._strips
        return strips[part] if part < len(strips) else self._painter.blank(width, edge)

    def _after(self, y: int) -> str:
        """The text below the last card: that the column is empty, or still loading."""
        if self.cards is None or y != len(self._lines):
            return ""
        if self.cards.column.key in self._state.unread:
            return "loading …"
        return "" if len(self.cards) else "—"

    def _edge(self, y: int) -> Edge:
        """The cell between columns doubles as the scrollbar."""
        start, end = self._thumb
        return "thumb" if start <= y < end else "gap"

    def _thumb_extent(self) -> tuple[int, int]:
        view = self._height
        count, shown = len(self.cards or ()), self.rows_shown
        if shown >= count or view <= 0:
            return (0, 0)
        size = max(1, view * shown // count)
        start = round((view - size) * min(self.top / max(count - shown, 1), 1))
        return (start, start + size)


def _end(window: tuple[_Shown, ...]) -> int:
    return window[-1].y + window[-1].height if window else 0
