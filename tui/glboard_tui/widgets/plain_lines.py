"""The lines of a widget that paints every cell itself, kept until they are dirty.

Textual's own cache also adds border, padding, tint and background to each line, and makes new strips for it:
half the time of a frame in which a column shifts by a card. Here a line is the widget's own strip, so that
what Textual derives from it (filtered, cut) is found again the next time the same card is painted.
"""

from __future__ import annotations

from functools import lru_cache

from textual._styles_cache import StylesCache  # there is no public way past it
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget


class PlainLines(StylesCache):
    """For a widget without border, padding, opacity and links, whose ``render_line`` fills its width."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        width = widget.size.width
        if width != self._width:
            self.clear()
            self._width = width
        cache, dirty = self._cache, self._dirty_lines
        lines = []
        for y in crop.line_range:
            line = cache.get(y)
            if line is None or y in dirty:
                line = cache[y] = widget.render_line(y)
            lines.append(line)
        dirty.difference_update(crop.line_range)
        if filters := widget.get_line_filters():
            background = widget.background_colors[1]
            for one in filters:
                lines = [line.apply_filter(one, background) for line in lines]
        if crop.column_span != (0, width):
            lines = [line.crop(*crop.column_span) for line in lines]
        return lines


@lru_cache(1024)
def _inner_outer(base: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base + background), Style(background=base)


def forget_removed_widgets() -> None:
    """Keep no lines of removed widgets.

    Textual caches these two colors by widget, and so keeps all lines of up to a thousand widgets that are
    closed: each garbage collection reads them.
    """

    def inner_outer(_: StylesCache, base: Color, background: Color) -> tuple[Style, Style]:
        return _inner_outer(base, background)

    StylesCache.get_inner_outer = inner_outer  # type: ignore[method-assign, assignment]
