"""A short list of lines with a cursor, as high as its content: the people of a pane.

Owns the cursor and the scrolling. It takes no keys; its owner fills the cells. Lists of issues,
which fill their space and have marks and headings, are in ``table.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from glboard_tui.widgets.colors import Ground, Ink, palette_of
from glboard_tui.widgets.lines import Line
from glboard_tui.widgets.text import clean, clip, fit, fit_right

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
