"""What can follow a prefix: a strip above the footer with keys and words in columns.

Owns the layout of the list. It is shown and hidden by whoever reads the keys, and takes none itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.colors import Palette, palette_of
from glboard_tui.widgets.lines import Line
from glboard_tui.widgets.text import clean, clip, fit_right, width_of

Entry = tuple[str, str]
"""A key and what it does."""

_GAP = 3


def paint_keys(title: str, entries: Sequence[Entry], width: int, palette: Palette) -> tuple[Strip, ...]:
    """A title line and the entries, down the columns first, in strips of exactly ``width`` cells."""
    style = palette.style
    head = Line(width)
    head.add(" ", style("overlay"))
    head.add(clip(clean(title), max(width - 14, 0)), style("overlay", "strong"))
    head.pad(11, style("overlay"))
    head.add("Esc cancel", style("overlay", "muted"))
    strips = [head.strip(style("overlay"))]
    if not entries:
        return tuple(strips)
    known = [(clean(key), clean(words)) for key, words in entries]
    keys = max(width_of(key) for key, _ in known)
    most = max(width_of(words) for _, words in known) + keys + 1
    cell = min(most, max(width - 2, 1))
    across = max(1, (width - 2 + _GAP) // (cell + _GAP))
    down = -(-len(known) // across)
    for row in range(down):
        line = Line(width)
        line.add(" ", style("overlay"))
        for place in range(row, len(known), down):
            key, words = known[place]
            start = 1 + (place // down) * (cell + _GAP)
            line.pad(width - start, style("overlay"))
            line.add(fit_right(key, keys), style("overlay", "accent"))
            line.add(" ", style("overlay"))
            line.add(clip(words, max(cell - keys - 1, 0)), style("overlay", "text"))
        strips.append(line.strip(style("overlay")))
    return tuple(strips)


class WhichKey(Widget):
    """The strip; as high as its content, hidden while there is none."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "WhichKey { height: auto; width: 1fr; display: none; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = ""
        self._entries: tuple[Entry, ...] = ()
        self._strips: tuple[Strip, ...] = ()

    def show(self, title: str, entries: Sequence[Entry]) -> None:
        """List what can follow."""
        self._title, self._entries = title, tuple(entries)
        self._strips = ()
        self.styles.height = self._height(self.app.size.width)
        self.display = True
        self.refresh()

    def hide(self) -> None:
        """Take the list away."""
        if self.display:
            self.display = False

    def on_resize(self) -> None:
        """Other columns, another height."""
        self._strips = ()
        if self.display and self.styles.height is not None:
            height = self._height(self.size.width)
            if self.styles.height.value != height:
                self.styles.height = height

    def _height(self, width: int) -> int:
        return len(paint_keys(self._title, self._entries, width, palette_of(self.app)))

    def render_line(self, y: int) -> Strip:
        """One line of the list."""
        palette = palette_of(self.app)
        width = self.size.width
        if not self._strips or self._strips[0].cell_length != width:
            self._strips = paint_keys(self._title, self._entries, width, palette)
        return self._strips[y] if y < len(self._strips) else Strip.blank(width, palette.style("overlay"))

    def notify_style_update(self) -> None:
        """Another theme: other colours."""
        super().notify_style_update()
        self._strips = ()
