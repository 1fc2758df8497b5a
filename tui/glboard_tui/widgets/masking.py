"""The last step before a line is painted on a shared screen: what is still to be masked becomes blocks.

Texts are masked where the bridge hands them out, before they are wrapped or cut. This catches what a widget
painted without asking: it sees every line of every widget, and leaves the number of cells as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

#: Returns the text with each hidden part replaced by what the function returns for it.
Masked = Callable[[str, Callable[[str], str]], str]


class MaskingFilter(LineFilter):
    """Masks a line that was painted. Strips cache its result, so another state needs another filter."""

    def __init__(self, masked: Masked) -> None:
        super().__init__()
        self._masked = masked

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, with blocks in place of what is hidden."""
        line = "".join(segment.text for segment in segments)
        masked = self._masked(line, _blocks)
        return segments if masked == line else _recut(masked, segments)


def _blocks(hidden: str) -> str:
    return "▒" * cell_len(hidden)


def _recut(text: str, segments: list[Segment]) -> list[Segment]:
    """The text with the styles of the segments, which have as many cells."""
    found: list[Segment] = []
    at = 0
    for segment in segments:
        start, cells = at, cell_len(segment.text)
        while at < len(text) and (cells > 0 or not cell_len(text[at])):
            cells -= cell_len(text[at])
            at += 1
        found.append(Segment(text[start:at], segment.style, segment.control))
    return found
