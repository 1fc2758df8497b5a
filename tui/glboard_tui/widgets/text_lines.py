"""Lines of text that scroll. Only visible ones are painted, so a long text opens as fast as a short one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from glboard_tui.widgets.colors import Ink, palette_of
from glboard_tui.widgets.text import Line

TextLine = Sequence[tuple[str, Ink]]
"""The pieces of a line, already cleaned."""


class TextLines(ScrollView, can_focus=False):
    """Lines on an overlay, cut where it ends.

    ``lines`` makes them for a width; ``show`` asks for them again.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "TextLines { height: 1fr; width: 1fr; overflow-x: hidden; scrollbar-gutter: stable; }"

    def __init__(self, lines: Callable[[int], Sequence[TextLine]]) -> None:
        super().__init__()
        self._make = lines
        self._lines: Sequence[TextLine] = ()
        self._width = 0

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def show(self) -> None:
        """Show other lines, from the first one on."""
        self._fill()
        self.scroll_to(y=0, animate=False)

    def on_resize(self) -> None:
        """Another width."""
        if self._width != self.scrollable_content_region.width:
            self._fill()

    def _fill(self) -> None:
        self._width = self.scrollable_content_region.width
        self._lines = self._make(self._width)
        self.virtual_size = Size(self.size.width, max(1, len(self._lines)))
        # Textual finds that out while it lays out, for another layout in a frame of its own.
        self.show_vertical_scrollbar = len(self._lines) > self.size.height
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the visible lines."""
        palette = palette_of(self.app)
        line, at = Line(self.scrollable_content_region.width), y + self.scroll_offset.y
        for text, ink in self._lines[at] if at < len(self._lines) else ():
            line.add(text, palette.style("overlay", ink))
        return line.strip(palette.style("overlay"))
