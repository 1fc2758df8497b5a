"""Names and values in two columns, values wrapped between items and never inside one.

Owns the layout of the list of facts at the head of an opened issue.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.lines import Line
from glboard_tui.widgets.text import clean, clip, width_of

Fact = tuple[str, tuple[str, ...]]
"""A name, and its items: ``("Labels", ("type::bug", "Deliverable"))``."""

_NAME = 10
_GAP = 2


def laid_out(facts: Sequence[Fact], width: int) -> list[tuple[str, str]]:
    """Name (only beside the first line) and text of each line; facts without items are left out."""
    room = max(width - _NAME, 8)
    lines: list[tuple[str, str]] = []
    for name, items in facts:
        text = ""
        label = name
        for item in filter(None, map(clean, items)):
            if text and width_of(text) + _GAP + width_of(item) > room:
                lines.append((label, text))
                text, label = "", ""
            text += (" " * _GAP if text else "") + clip(item, room)
        if text:
            lines.append((label, text))
    return lines


class Facts(Widget):
    """The list; as high as it needs."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Facts { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._facts: tuple[Fact, ...] = ()

    def show(self, facts: Sequence[Fact]) -> None:
        """Say these."""
        if tuple(facts) != self._facts:
            self._facts = tuple(facts)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as they take in that width."""
        return len(laid_out(self._facts, width))

    def render_line(self, y: int) -> Strip:
        """One line."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        lines = laid_out(self._facts, self.size.width)
        if y < len(lines):
            name, text = lines[y]
            line.add(f"{clip(name, _NAME - 1):<{_NAME}}", palette.style("band", "accent"))
            line.add(text, palette.style("band"))
        return line.strip(palette.style("band"))
