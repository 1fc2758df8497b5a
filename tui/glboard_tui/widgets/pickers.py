"""The list of a picker, on the Line API: thousands of labels cost what a screenful does.

Owns the cursor and the painting. What is in it and what is ticked is ``choices.py``; the field above it and
what becomes of the choice is ``screens/picker.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from glboard_tui.widgets.choices import Choice, Tick, Ticks, matching
from glboard_tui.widgets.colors import Ground, palette_of
from glboard_tui.widgets.lines import Line
from glboard_tui.widgets.text import clean, clip, width_of

_BOXES: dict[Tick, str] = {"off": "[ ]", "some": "[~]", "on": "[x]"}


class PickList(ScrollView):
    """Lines to choose from. ``ticks`` is none where exactly one is chosen."""

    ALLOW_SELECT = False
    can_focus = False
    DEFAULT_CSS = """
    PickList { height: auto; overflow-x: hidden; }
    """

    class Clicked(Message):
        """A line was clicked; the cursor is on it."""

    def __init__(self, choices: Sequence[Choice], ticks: Ticks | None) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.ticks = ticks
        self.cursor = 0
        self._rows: list[tuple[Choice, Sequence[int]]] = []

    def on_mount(self) -> None:
        """Show all."""
        self.search("")

    def search(self, query: str) -> None:
        """Show what fits; the cursor goes to the best."""
        self._rows = matching(query, self.choices)
        self.cursor = 0
        self.virtual_size = Size(self.size.width, max(1, len(self._rows)))
        self.scroll_to(y=0, animate=False, immediate=True)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are choices, up to the style's maximum, whatever is typed."""
        most = max(3, self.app.size.height * 45 // 100)
        return min(max(1, len(self.choices)), most)

    @property
    def current(self) -> Choice | None:
        """The choice under the cursor."""
        return self._rows[self.cursor][0] if self.cursor < len(self._rows) else None

    def move(self, step: int) -> None:
        """Move the cursor; round the ends for a single step."""
        if not self._rows:
            return
        count = len(self._rows)
        to = self.cursor + step
        self.cursor = to % count if abs(step) == 1 else min(max(to, 0), count - 1)
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)
        self.refresh()

    def toggle(self) -> None:
        """Tick or untick under the cursor."""
        if self.ticks is not None and (choice := self.current):
            self.ticks.toggle(choice.value)
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Go there."""
        row = event.y + self.scroll_offset.y
        if row < len(self._rows):
            self.cursor = row
            self.refresh()
            self.post_message(self.Clicked())

    def render_line(self, y: int) -> Strip:
        """One choice."""
        palette = palette_of(self.app)
        width = self.size.width
        row = y + self.scroll_offset.y
        line = Line(width)
        if row >= len(self._rows):
            if row == 0:
                line.add("  nothing fits", palette.style("overlay", "muted"))
            return line.strip(palette.style("overlay"))
        choice, offsets = self._rows[row]
        ground: Ground = "focus" if row == self.cursor else "overlay"
        line.add("▌" if row == self.cursor else " ", palette.style(ground, "accent"))
        if self.ticks is not None:
            tick = self.ticks.of(choice.value)
            line.add(_BOXES[tick], palette.style(ground, "muted" if tick == "off" else "strong"))
            line.add(" ", palette.style(ground))
        if choice.color:
            line.add("■", palette.swatch(choice.color, ground))
            line.add(" ", palette.style(ground))
        note = clip(clean(choice.note), max(line.room // 2, 0))
        room = line.room - (width_of(note) + 2 if note else 1)
        self._text(line, clip(clean(choice.text), room), offsets, ground)
        if note:
            line.pad(width_of(note) + 1, palette.style(ground))
            line.add(note, palette.style(ground, "muted"))
        return line.strip(palette.style(ground))

    def _text(self, line: Line, text: str, offsets: Sequence[int], ground: Ground) -> None:
        palette = palette_of(self.app)
        plain, hit = palette.style(ground), palette.style(ground, "accent")
        found = set(offsets)
        at = 0
        while at < len(text):
            end = at + 1
            while end < len(text) and (end in found) == (at in found):
                end += 1
            line.add(text[at:end], hit if at in found else plain)
            at = end
