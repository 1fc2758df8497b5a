"""What is behind a dialog: the lines of the screen below as they are, made once and kept until they change.

Textual would paint the screen below through a console, cell by cell, each time a dialog opens or is painted
whole: half of the time until it is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual._context import visible_screen_stack  # there is no public way to the screen below
from textual._styles_cache import StylesCache
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.changed_cells import ShownCells


class Backdrop(StylesCache):
    """The lines of a transparent modal screen, which paints nothing itself."""

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[int, Strip] = {}
        self._cleared = False

    def take(self, shown: ShownCells, below: Screen[Any], size: Size) -> None:
        """Take the lines of the screen below from the terminal, if it shows them: none is painted twice."""
        lines = shown.lines_of(below)
        self._given = {y: _plain(line, size.width) for y, line in enumerate(lines[: size.height])}

    def clear(self) -> None:
        super().clear()
        self._cleared = True

    def set_dirty(self, *regions: Region) -> None:
        """Lines that the screen below changed; all of them after ``clear`` are this screen's own refresh."""
        super().set_dirty(*regions)
        if not self._cleared:
            for region in regions:
                for y in region.line_range:
                    self._given.pop(y, None)
        self._cleared = False

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        width = widget.size.width
        if width != self._width:
            self.clear()
            self._width = width
        cache, dirty = self._cache, self._dirty_lines
        if self._given:
            cache.update(self._given)
            dirty.difference_update(self._given)
            self._given = {}
        wanted = {y for y in crop.line_range if y in dirty or y not in cache}
        stack = visible_screen_stack.get(None)
        if wanted and stack:
            below = stack.pop()._compositor
            # Lines of a screen below are filtered already.
            chops = below._render_chops(below.size.region, wanted.__contains__)
            for y in wanted:
                cache[y] = _plain(chops[y].values() if y < len(chops) else (), width)
        dirty.difference_update(crop.line_range)
        lines = [cache.get(y) or Strip.blank(width) for y in crop.line_range]
        if crop.column_span != (0, width):
            lines = [line.crop(*crop.column_span) for line in lines]
        return lines


def stay_painted(screen: Screen[Any]) -> None:
    """Another screen opens over this one, which stays as it is: Textual would paint both once more."""
    screen._repaint_required = False
    screen._exchange_repaint_regions()


def _plain(pieces: Iterable[Strip], width: int) -> Strip:
    """A line without what a click on it does."""
    line = [
        Segment(text, _without_meta(style) if style else style, control)
        for piece in pieces
        for text, style, control in piece
    ]
    return Strip(line, sum(segment.cell_length for segment in line)).adjust_cell_length(width)


@lru_cache(maxsize=4096)
def _without_meta(style: Style) -> Style:
    return style.clear_meta_and_links()
