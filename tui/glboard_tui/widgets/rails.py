"""Folded columns: three cells each, the name written upright under the count.

Owns the look of a rail. One widget paints all rails of one side.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.colors import Ground, palette_of
from glboard_tui.widgets.layout import RAIL
from glboard_tui.widgets.text import clean, upright, width_of


class RailView(Struct, frozen=True):
    """One rail. ``text`` is written upright; ``target``: a card that is dragged would fall here."""

    key: str
    text: str
    target: bool = False


class Rails(Widget):
    """The rails of one side of the board."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Rails { height: 1fr; width: 0; }"

    def __init__(self) -> None:
        super().__init__()
        self._views: tuple[RailView, ...] = ()
        self._letters: list[tuple[str, ...]] = []

    def show(self, views: Sequence[RailView]) -> None:
        """Take new rails; repaint only if they differ."""
        if tuple(views) == self._views:
            return
        self._views = tuple(views)
        self._letters = []
        self.refresh()

    def on_resize(self) -> None:
        """The names are cut to the height."""
        self._letters = []

    def render_line(self, y: int) -> Strip:
        """One line through all rails."""
        palette = palette_of(self.app)
        if not self._letters:
            self._letters = [upright(clean(v.text), max(self.size.height - 1, 1)) for v in self._views]
        segments: list[Segment] = []
        for view, letters in zip(self._views, self._letters, strict=True):
            ground: Ground = "target" if view.target else "band"
            letter = letters[y - 1] if 0 < y <= len(letters) else " "
            body = f" {letter}" if width_of(letter) < 2 else letter
            segments.append(Segment(body, palette.style(ground, "muted")))
            segments.append(Segment("│", palette.style("band", "line")))
        strip = Strip(segments, RAIL * len(self._views))
        return strip.adjust_cell_length(self.size.width, palette.style("rest"))

    def key_at(self, x: int) -> str | None:
        """The key of the rail at ``x`` within this widget."""
        place = x // RAIL
        return self._views[place].key if 0 <= place < len(self._views) else None
