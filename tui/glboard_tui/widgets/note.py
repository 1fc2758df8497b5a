"""A friendly line in the middle of an empty board."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.text import clean, clip, width_of


class EmptyMessage(Widget):
    """Says what to do where there are no cards. Hidden until there is something to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Note { height: 1fr; width: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[str, ...] = ()

    def say(self, text: str, *, shown: bool) -> None:
        """The text, line by line; the first line is the strong one."""
        lines = tuple(clean(line) for line in text.splitlines())
        if self.display != shown:
            self.display = shown
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, centred, a third down."""
        palette = palette_of(self.app)
        width, height = self.size
        place = y - max(0, height // 3 - len(self._lines) // 2)
        if not 0 <= place < len(self._lines):
            return Strip.blank(width, palette.style("rest"))
        text = clip(self._lines[place], width)
        left = (width - width_of(text)) // 2
        style = palette.style("rest", "strong" if place == 0 else "muted")
        segments = [Segment(" " * left + text, style)]
        return Strip(segments).adjust_cell_length(width, palette.style("rest"))
