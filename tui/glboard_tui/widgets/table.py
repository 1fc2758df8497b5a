"""Lists with a cursor, and the table that every list of issues is.

Only visible lines are painted, however long a list is. Owns how columns share a width: if space is short, the
flexible ones shrink down to their minimum, then whole columns are dropped in the order the list gives. An
empty column takes no space.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.text import BAR, TRACK, Line, clean, clip_reference, fit, fit_right, width_of

Cell = tuple[str, Ink]
"""Text and ink."""

#: Width from which columns are two cells apart.
_WIDE = 120


class Col(Struct, frozen=True, kw_only=True):
    """A column. ``least`` is its minimum width when shrunk; 0 keeps the width of its content.

    ``drop``: dropped if even the minimums do not fit, the highest number first; 0 never is. ``reference``:
    the number of its references is never cut. ``width`` is fixed, even if the column is empty. ``bar``: its
    text is drawn, a cell for each letter of ``BARS``.
    """

    title: str = ""
    right: bool = False
    least: int = 0
    drop: int = 0
    reference: bool = False
    width: int = 0
    bar: bool = False


#: The letters of a drawn bar: carried over, planned, over, and what is free.
BARS: dict[str, tuple[str, Ink]] = {
    "c": (BAR, "warn"),
    "p": (BAR, "accent"),
    "o": (BAR, "bad"),
    "-": (TRACK, "line"),
}


class Head(Struct, frozen=True):
    """A line above a row: a heading, or (``rule``) a horizontal line with text in it."""

    text: str
    ink: Ink = "accent"
    rule: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """Columns, rows, and lines above rows by the row's number."""

    cols: Sequence[Col] = ()
    rows: Sequence[Sequence[Cell]] = ()
    heads: Mapping[int, Sequence[Head]] = {}

    def natural(self) -> list[int]:
        """The preferred width of each column; 0 if it is empty."""
        found = [0] * len(self.cols)
        for row in self.rows:
            for at, (text, _) in enumerate(row):
                if text and (cells := width_of(clean(text))) > found[at]:
                    found[at] = cells
        return [
            col.width or (max(n, width_of(col.title)) if n else 0)
            for n, col in zip(found, self.cols, strict=True)
        ]


def gap_of(width: int) -> int:
    """Cells between two columns."""
    return 2 if width >= _WIDE else 1


def widths(cols: Sequence[Col], natural: Sequence[int], width: int) -> list[int]:
    """The cells of each column in ``width``; 0 for one that is not shown."""
    gap = gap_of(width)
    got = list(natural)
    droppable = sorted((at for at, col in enumerate(cols) if col.drop), key=lambda at: -cols[at].drop)
    while True:
        shown = [at for at, cells in enumerate(got) if cells]
        over = sum(got) + gap * max(0, len(shown) - 1) - width
        if over <= 0:
            return got
        spare = {at: got[at] - cols[at].least for at in shown if 0 < cols[at].least < got[at]}
        if sum(spare.values()) >= over:
            return _narrowed(got, spare, over)
        if not (left := [at for at in droppable if got[at]]):
            return _narrowed(got, spare, min(over, sum(spare.values())))
        got[left[0]] = 0


def _narrowed(got: Sequence[int], spare: Mapping[int, int], over: int) -> list[int]:
    """Remove ``over`` cells from columns that can spare some, from the widest first."""
    found, left = list(got), dict(spare)
    while over > 0 and left:
        # Reduce the widest to the next one first, so that columns become equal, not tiny.
        ordered = sorted(left, key=lambda at: -left[at])
        widest = [at for at in ordered if left[at] == left[ordered[0]]]
        below = left[ordered[len(widest)]] if len(widest) < len(ordered) else 0
        each = min(left[ordered[0]] - below, max(1, over // len(widest)))
        for at in widest:
            taken = min(each, over)
            found[at] -= taken
            left[at] -= taken
            over -= taken
        left = {at: n for at, n in left.items() if n > 0}
    return found


class LineList(ScrollView):
    """Lines with a cursor; a subclass paints them. ``fixed`` lines at the top do not scroll."""

    ALLOW_SELECT = False
    can_focus = False

    @dataclass
    class Chosen(Message):
        """A row was clicked."""

        row: int

    class Scrolled(Message):
        """Other lines are visible."""

    def __init__(self, *, fixed: int = 0) -> None:
        super().__init__()
        self.cursor = 0
        self._fixed = fixed
        self._count = 0

    @property
    def seen(self) -> int:
        """How many scrolling lines are visible."""
        return max(1, self.size.height - self._fixed)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell that other lines are visible."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def measure(self, count: int) -> None:
        """There are so many scrolling lines."""
        self._count = count
        size = Size(self.size.width, max(1, count) + self._fixed)
        if size != self.virtual_size:
            self.virtual_size = size

    def reveal(self, first: int, last: int) -> None:
        """Scroll until the lines from ``first`` to ``last`` are visible, rather ``first`` than ``last``."""
        top = self.scroll_offset.y
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif last >= top + self.seen:
            self.scroll_to(y=last - self.seen + 1, animate=False, immediate=True)

    def line_at(self, y: int) -> int | None:
        """The line painted at ``y``, if there is one."""
        line = y - self._fixed + self.scroll_offset.y
        return line if y >= self._fixed and line < self._count else None

    def row_of(self, line: int) -> int | None:
        """The row on a line; None if it is a heading."""
        return line

    def on_click(self, event: events.Click) -> None:
        """Report the clicked row."""
        line = self.line_at(event.y)
        if line is not None and (row := self.row_of(line)) is not None:
            self.post_message(self.Chosen(row))


class Rows(LineList):
    """A table on screen: rows of cells below fixed column titles, with headings and a selection.

    A ``compact`` one has only the cells, one apart, and is as high as its content, up to half the screen.
    """

    DEFAULT_CSS = """
    Rows { height: 1fr; width: 1fr; overflow-x: hidden; }
    Rows.-compact { height: auto; }
    """

    def __init__(self, *, empty: str = "", compact: bool = False, has_cursor: bool = True) -> None:
        super().__init__(fixed=0 if compact else 1)
        self.set_class(compact, "-compact")
        #: Shown if there are no lines.
        self.empty = empty
        self._compact = compact
        self._has_cursor = has_cursor
        self._table = Table()
        self._selected: Container[int] = ()
        self._natural: list[int] = []
        #: The content of each line: a row number or a heading.
        self._lines: list[int | Head] = []
        #: The line of each row.
        self._at: list[int] = []

    def show(self, table: Table, cursor: int, selected: Container[int] = ()) -> None:
        """Show other lines."""
        count = len(self._lines)
        self._table, self._natural = table, table.natural()
        self._lines, self._at = [], []
        for row in range(len(table.rows)):
            self._lines.extend(table.heads.get(row, ()))
            self._at.append(len(self._lines))
            self._lines.append(row)
        self._lines.extend(table.heads.get(len(table.rows), ()))
        self.measure(len(self._lines))
        self.go(cursor, selected)
        if self._compact and len(self._lines) != count:
            self.refresh(layout=True)

    def go(self, row: int, selected: Container[int] = ()) -> None:
        """Move the cursor to a row, or the nearest one, with the current selection."""
        self.cursor, self._selected = min(max(row, 0), max(len(self._at) - 1, 0)), selected
        self._reveal()
        self.refresh()

    def _reveal(self) -> None:
        if not self._at or not self.size.height:
            return
        line = first = self._at[self.cursor]
        while first > 0 and isinstance(self._lines[first - 1], Head):
            first -= 1  # show the heading of a group with its first row
        self.reveal(first, line)

    def row_of(self, line: int) -> int | None:
        """The row on a line; None if it is a heading."""
        return row if isinstance(row := self._lines[line], int) else None

    def in_view(self) -> range:
        """The visible rows."""
        top = self.scroll_offset.y
        return range(bisect_left(self._at, top), bisect_left(self._at, top + self.seen))

    def on_resize(self) -> None:
        """Keep the cursor visible."""
        self.measure(len(self._lines))
        self._reveal()
        self.post_message(self.Scrolled())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are, up to half the screen."""
        return min(max(1, self._count), max(3, self.app.size.height * 50 // 100))

    # Painting

    def render_line(self, y: int) -> Strip:
        """Column titles in the first line, the scrolled lines below."""
        palette = palette_of(self.app)
        # Without the scrollbar, which would cover the last cell.
        line = Line(self.scrollable_content_region.width)
        ground: Ground = "overlay"
        at = self.line_at(y)
        if not self._lines:
            if y == self._fixed:
                line.add(f" {clean(self.empty)}", palette.style(ground, "muted"))
        elif y < self._fixed:
            self._paint_cells(line, [(col.title, "muted") for col in self._table.cols], palette, ground)
        elif at is not None:
            what = self._lines[at]
            if isinstance(what, Head):
                _paint_head(line, what, palette)
            else:
                ground = self._ground(what)
                selected = what in self._selected
                self._paint_cells(line, self._table.rows[what], palette, ground, selected=selected)
        return line.strip(palette.style(ground))

    def _ground(self, row: int) -> Ground:
        here, selected = row == self.cursor and self._has_cursor, row in self._selected
        return "both" if here and selected else "focus" if here else "selected" if selected else "overlay"

    def _paint_cells(
        self, line: Line, row: Sequence[Cell], palette: Palette, ground: Ground, *, selected: bool = False
    ) -> None:
        """A row, or the titles, after the cursor and, unless compact, the sign of a selected row."""
        plain = palette.style(ground)
        line.add("▌" if ground in {"focus", "both"} else " ", palette.style(ground, "accent"))
        if self._compact:
            gap, cells = " ", self._natural
        else:
            line.add("✓ " if selected else "  ", palette.style(ground, "warn"))
            gap = " " * gap_of(line.room)
            cells = widths(self._table.cols, self._natural, line.room)
        for (text, ink), col, cell in zip(row, self._table.cols, cells, strict=True):
            # What does not fit even so is cut where it ends, not by a sign behind a text that is whole.
            width = min(cell, line.room)
            if width and col.bar:
                for letter in text.ljust(width)[:width]:
                    sign, own = BARS.get(letter, (" ", ink))
                    line.add(sign, palette.style(ground, own))
                line.add(gap, plain)
            elif width:
                words = clip_reference(clean(text), width) if col.reference else clean(text)
                line.add((fit_right if col.right else fit)(words, width), palette.style(ground, ink))
                line.add(gap, plain)


def _paint_head(line: Line, head: Head, palette: Palette) -> None:
    words, style = clean(head.text), palette.style("overlay", head.ink)
    if head.rule:
        line.add("──", style)
        line.add(f" {words} " if words else "", style)
        line.add("─" * line.room, style)
    else:
        line.add(" ", palette.style("overlay"))
        line.add(words, style)
