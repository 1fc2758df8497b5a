"""Columns of a list, as arithmetic: how they share a width. Pure.

Owns which columns shrink when space is short: first the flexible ones, down to their minimum, then whole
columns are dropped in the order the list gives. An empty column takes no space.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from msgspec import Struct
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.text import Line, clean, clip, clip_reference, fit, fit_right, width_of

Cell = tuple[str, Ink]
"""Text and ink."""

#: Width from which columns are two cells apart.
_WIDE = 120


class Col(Struct, frozen=True, kw_only=True):
    """A column. ``least`` is its minimum width when shrunk; 0 keeps the width of its content.

    ``drop``: dropped if even the minimums do not fit, the highest number first; 0 never is. ``reference``:
    the number of its references is never cut.
    """

    title: str = ""
    right: bool = False
    least: int = 0
    drop: int = 0
    reference: bool = False


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
        return [max(n, width_of(col.title)) if n else 0 for n, col in zip(found, self.cols, strict=True)]


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


# A list of lines with a cursor, marks and headings: only visible lines are painted, however long it is.

#: Cells before the first column: cursor, mark, space.
_LEFT = 3


class Rows(ScrollView):
    """Lines of cells below fixed column titles."""

    ALLOW_SELECT = False
    can_focus = False
    DEFAULT_CSS = """
    Rows { height: 1fr; width: 1fr; overflow-x: hidden; }
    """

    class Chosen(Message):
        """A line was clicked."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def __init__(self, *, empty: str = "") -> None:
        super().__init__()
        self.cursor = 0
        self._empty = empty
        self._table = Table()
        self._marked: Container[int] = ()
        self._natural: list[int] = []
        #: The content of each line: a row number or a heading.
        self._lines: list[int | Head] = []
        #: The line of each row.
        self._at: list[int] = []

    def show(self, table: Table, cursor: int, marked: Container[int] = ()) -> None:
        """Show other lines."""
        self._table, self._natural = table, table.natural()
        self._lines, self._at = [], []
        for row in range(len(table.rows)):
            self._lines.extend(table.heads.get(row, ()))
            self._at.append(len(self._lines))
            self._lines.append(row)
        self._lines.extend(table.heads.get(len(table.rows), ()))
        size = Size(self.size.width, len(self._lines) + 1)
        if size != self.virtual_size:
            self.virtual_size = size
        self.go(cursor, marked)

    def go(self, row: int, marked: Container[int] = ()) -> None:
        """Move the cursor to an existing row, with the current marks."""
        self.cursor, self._marked = row, marked
        self._reveal()
        self.refresh()

    @property
    def seen(self) -> int:
        """How many lines are visible."""
        return max(1, self.size.height - 1)

    def _reveal(self) -> None:
        if not self._at or not self.size.height:
            return
        line = first = self._at[self.cursor]
        while first > 0 and isinstance(self._lines[first - 1], Head):
            first -= 1  # show the heading of a group with its first row
        top = self.scroll_offset.y
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif line >= top + self.seen:
            self.scroll_to(y=line - self.seen + 1, animate=False, immediate=True)

    def on_resize(self) -> None:
        """Keep the cursor visible."""
        self.virtual_size = Size(self.size.width, len(self._lines) + 1)
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        """Report the clicked row."""
        line = event.y - 1 + self.scroll_offset.y
        if event.y > 0 and 0 <= line < len(self._lines) and isinstance(row := self._lines[line], int):
            self.post_message(self.Chosen(row))

    # Painting

    def render_line(self, y: int) -> Strip:
        """Column titles in the first line, the scrolled lines below."""
        palette = palette_of(self.app)
        if not self._lines:
            line = Line(self.size.width)
            if y == 1:
                line.add(f" {clean(self._empty)}", palette.style("overlay", "muted"))
            return line.strip(palette.style("overlay"))
        cells = widths(self._table.cols, self._natural, self.size.width - _LEFT)
        if y == 0:
            return self._titles(cells, palette)
        at = y - 1 + self.scroll_offset.y
        what = self._lines[at] if at < len(self._lines) else None
        if what is None:
            return Line(self.size.width).strip(palette.style("overlay"))
        return self._head(what, palette) if isinstance(what, Head) else self._row(what, cells, palette)

    def _titles(self, cells: list[int], palette: Palette) -> Strip:
        line = Line(self.size.width)
        style = palette.style("overlay", "muted")
        line.add(" " * _LEFT, style)
        gap = " " * gap_of(self.size.width - _LEFT)
        for col, width in zip(self._table.cols, cells, strict=True):
            if width:
                line.add((fit_right if col.right else fit)(clean(col.title), width), style)
                line.add(gap, style)
        return line.strip(palette.style("overlay"))

    def _head(self, head: Head, palette: Palette) -> Strip:
        line = Line(self.size.width)
        words = clean(head.text)
        if head.rule:
            rule = palette.style("overlay", head.ink)
            line.add("──", rule)
            line.add(f" {words} " if words else "", rule)
            line.add("─" * line.room, rule)
        else:
            line.add(" ", palette.style("overlay"))
            line.add(words, palette.style("overlay", head.ink))
        return line.strip(palette.style("overlay"))

    def _row(self, row: int, cells: list[int], palette: Palette) -> Strip:
        here, marked = row == self.cursor, row in self._marked
        ground: Ground = "both" if here and marked else "focus" if here else "marked" if marked else "overlay"
        line = Line(self.size.width)
        line.add("▌" if here else " ", palette.style(ground, "accent"))
        line.add("✓" if marked else " ", palette.style(ground, "warn"))
        line.add(" ", palette.style(ground))
        gap = " " * gap_of(self.size.width - _LEFT)
        for (text, ink), col, width in zip(self._table.rows[row], self._table.cols, cells, strict=True):
            if not width:
                continue
            words = clean(text)
            if col.reference:
                words = clip_reference(words, width)
            line.add((fit_right if col.right else fit)(words, width), palette.style(ground, ink))
            line.add(gap, palette.style(ground))
        return line.strip(palette.style(ground))


# A short list of lines with a cursor, as high as its content: the people of a pane.

RollCell = tuple[str, Ink, int]
"""Text, ink and width; a negative width is right-aligned, 0 takes what is left."""


class Roll(ScrollView):
    """Lines of cells."""

    ALLOW_SELECT = False
    can_focus = False
    DEFAULT_CSS = """
    Roll { height: auto; overflow-x: hidden; }
    """

    def __init__(self, *, empty: str = "") -> None:
        super().__init__()
        self.cursor = 0
        #: Whether the cursor line is highlighted; not if there is nothing to choose.
        self.shows_cursor = True
        self._rows: Sequence[Sequence[RollCell]] = ()
        self._empty = empty

    def show(self, rows: Sequence[Sequence[RollCell]], cursor: int) -> None:
        """Show other lines. Lays out again only if their number changed."""
        if rows == self._rows and cursor == self.cursor:
            return
        longer = len(rows) != len(self._rows)
        self._rows = rows
        if longer:
            self.virtual_size = Size(self.size.width, max(1, len(rows)))
        self.go(cursor)
        if longer:
            self.refresh(layout=True)

    def go(self, row: int) -> None:
        """Move the cursor to a line, or the nearest one."""
        self.cursor = min(max(row, 0), max(len(self._rows) - 1, 0))
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are, up to half the screen."""
        return min(max(1, len(self._rows)), max(3, self.app.size.height * 50 // 100))

    def render_line(self, y: int) -> Strip:
        """One line."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        row = y + self.scroll_offset.y
        if row >= len(self._rows):
            if row == 0:
                line.add(self._empty, palette.style("overlay", "muted"))
            return line.strip(palette.style("overlay"))
        chosen = row == self.cursor and self.shows_cursor
        ground: Ground = "focus" if chosen else "overlay"
        line.add("▌" if chosen else " ", palette.style(ground, "accent"))
        for text, ink, width in self._rows[row]:
            words = clean(text)
            if width:
                words = fit_right(words, -width) if width < 0 else fit(words, width)
            line.add(clip(words, line.room), palette.style(ground, ink))
            line.add(" ", palette.style(ground))
        return line.strip(palette.style(ground))
