"""A line under construction: styled pieces of text that become one strip of an exact width.

Owns joining neighbours of equal style: each style change costs about forty bytes on the wire, and a board may
be repainted over SSH. It knows no cards.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from glboard_tui.widgets.text import clip, width_of


class Line:
    """Pieces from left to right. Text must already be cleaned; it is never parsed as markup."""

    def __init__(self, width: int) -> None:
        self.room = max(width, 0)
        self.width = self.room
        self._pieces: list[tuple[str, Style]] = []

    def add(self, text: str, style: Style) -> None:
        """Append text, clipped to the remaining cells."""
        if not text or self.room <= 0:
            return
        cells = width_of(text)
        if cells > self.room:
            text = clip(text, self.room)
            cells = width_of(text)
        self.room -= cells
        # A space only shows the background of its style, so it can join the piece before it.
        if self._pieces:
            before, last = self._pieces[-1]
            if last is style or (text.isspace() and _same_ground(last, style)):
                self._pieces[-1] = (before + text, last)
                return
            if before.isspace() and _same_ground(last, style):
                self._pieces[-1] = (before + text, style)
                return
        self._pieces.append((text, style))

    def pad(self, until: int, style: Style) -> None:
        """Spaces until only ``until`` cells are left."""
        if self.room > until:
            self.add(" " * (self.room - until), style)

    def strip(self, style: Style) -> Strip:
        """The line, padded with ``style``."""
        self.pad(0, style)
        return Strip([Segment(text, piece) for text, piece in self._pieces], self.width)


def _same_ground(one: Style, other: Style) -> bool:
    return one.bgcolor == other.bgcolor and one.reverse == other.reverse and one.underline == other.underline
