"""Names and values in two columns, and a line with words at both of its ends: what panes are made of.

Values are wrapped between items, and within one only if it is longer than a line: nothing is cut. All text is
remote or fixed; it is cleaned here and never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.card import INKS, WHOLE, Chip, Fact
from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.text import Line, clean, clip, width_of, wrapped

Item = str | Fact | Chip
"""A value: plain, with a tone (a minor one is muted), or a label in its colour."""

NamedItems = tuple[str, tuple[Item, ...]]
"""A name, and its items: ``("Slipped", (Fact("once:", "warn"), "19.7"))``."""

#: Cells of the names, with the space after them, unless a widget has others.
NAMES = 16
_GAP = 2


def _text(item: Item) -> str:
    if isinstance(item, str):
        return clean(item)
    return clean(item.text) if isinstance(item, Fact) else f" {clean(item.text)} "


def _lines_of(item: Item, room: int) -> Iterable[Item]:
    """An item longer than a line as several."""
    if width_of(text := _text(item)) <= room:
        return (item,)
    # A label has an empty cell at both of its ends.
    left = room - 2 if isinstance(item, Chip) else room
    parts = wrapped(text.strip(), left, left, WHOLE)
    return parts if isinstance(item, str) else [structs.replace(item, text=part) for part in parts]


def laid_out(facts: Sequence[NamedItems], width: int, names: int = NAMES) -> list[tuple[str, list[Item]]]:
    """Name (only on the first line) and items of each line; facts without items are omitted."""
    room = max(width - names, 8)
    lines: list[tuple[str, list[Item]]] = []
    for name, items in facts:
        label, taken = name, room + 1
        for item in items:
            if not _text(item).strip():
                continue
            for part in _lines_of(item, room):
                if taken + _GAP + width_of(_text(part)) > room:
                    lines.append((label, []))
                    label, taken = "", -_GAP
                lines[-1][1].append(part)
                taken += _GAP + width_of(_text(part))
    return lines


class Facts(Widget):
    """Names and values on the ``ground`` of its pane; ``names`` are the cells of the first column."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Facts { height: auto; width: 1fr; }"

    def __init__(self, *, names: int = NAMES, ground: Ground = "band", classes: str = "") -> None:
        super().__init__(classes=classes)
        self._names, self._ground = names, ground
        self._facts: tuple[NamedItems, ...] = ()

    def show(self, facts: Sequence[NamedItems]) -> None:
        """Show these facts."""
        if tuple(facts) != self._facts:
            # A layout only for another number of lines: a cursor moves past many that have as many.
            same = self.size.width > 0 and self.lines_in(self.size.width) == len(
                laid_out(facts, self.size.width, self._names)
            )
            self._facts = tuple(facts)
            self.refresh(layout=not same)

    def lines_in(self, width: int) -> int:
        """The lines that it takes at that width."""
        return len(laid_out(self._facts, width, self._names))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The number of lines needed at that width."""
        return self.lines_in(width)

    def render_line(self, y: int) -> Strip:
        """One line."""
        palette, ground = palette_of(self.app), self._ground
        line = Line(self.size.width)
        lines = laid_out(self._facts, self.size.width, self._names)
        if y < len(lines):
            name, items = lines[y]
            line.add(f"{clip(name, self._names - 1):<{self._names}}", palette.style(ground, "muted"))
            for place, item in enumerate(items):
                line.add(" " * _GAP if place else "", palette.style(ground))
                line.add(clip(_text(item), line.room), _style(item, palette, ground))
        return line.strip(palette.style(ground))


def _style(item: Item, palette: Palette, ground: Ground) -> Style:
    if isinstance(item, Chip):
        return palette.chip(item.color, ground)
    ink: Ink = "text" if isinstance(item, str) else "muted" if item.minor else INKS[item.tone]
    return palette.style(ground, ink)


class HeadLine(Widget):
    """A name at the left, and what goes with it at the right as far as there is space."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HeadLine { height: 1; width: 1fr; }"

    def __init__(self, *, ground: Ground = "band", classes: str = "") -> None:
        super().__init__(classes=classes)
        self._ground = ground
        self.name_text = ""
        self.aside: Sequence[str] = ()

    def show(self, name: str, aside: Sequence[str] = ()) -> None:
        """Show a name; of the words aside, the last ones are left out first."""
        if (name, tuple(aside)) != (self.name_text, self.aside):
            self.name_text, self.aside = name, tuple(aside)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        line.add(clip(clean(self.name_text), line.room), palette.style(self._ground, "strong"))
        aside = list(map(clean, self.aside))
        while aside and width_of(words := " · ".join(aside)) + 2 > line.room:
            aside.pop()
        if aside:
            line.pad(width_of(words), palette.style(self._ground))
            line.add(words, palette.style(self._ground, "muted"))
        return line.strip(palette.style(self._ground))
