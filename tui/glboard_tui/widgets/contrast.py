"""The last step before a line is painted in a theme's colours: no text is too faint for its ground.

The board's own palette is readable by construction. Textual's widgets, hints and dimmed texts blend a colour
with whatever is behind them; here each gets the contrast of the theme, and on a shared screen that of one.
"""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from glboard_tui.widgets.colors import contrast, readable

#: What is no text: bars, edges and lines say nothing by their letters, and may be faint.
SIGNS = frozenset(" \u00a0·■━─│┃╸╺▎▌▐▏▕▊█▀▄▁▂▃▅▆▇▔░▒▓")


class ContrastFilter(LineFilter):
    """Moves the colour of a text away from its ground until it can be read.

    Strips cache its result, so another ratio needs another filter.
    """

    def __init__(self, ratio: float) -> None:
        super().__init__()
        self.ratio = ratio

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, those that are too faint in another colour."""
        found = segments
        for at, segment in enumerate(segments):
            style = segment.style
            if style is None or (better := _readable(style, self.ratio)) is style:
                continue
            if SIGNS.issuperset(segment.text):
                continue
            if found is segments:
                found = list(segments)
            found[at] = Segment(segment.text, better, segment.control)
        return found


@lru_cache(maxsize=4096)
def _readable(style: Style, ratio: float) -> Style:
    if style.color is None or style.bgcolor is None or style.reverse:
        return style
    ink, ground = style.color.triplet, style.bgcolor.triplet
    if ink is None or ground is None:
        return style  # the terminal's own colours are not known
    color, under = Color(*ink), Color(*ground)
    # What was rounded to whole numbers may have a little less.
    if contrast(color, under) >= ratio - 0.05:
        return style
    return style + Style(color=readable(color, under, ratio).rich_color)
