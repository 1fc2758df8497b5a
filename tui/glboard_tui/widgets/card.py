"""One card: the data its look depends on, and its painting.

Owns the look of a card as a pure function from a ``CardView`` to strips. It must not
know issues, boards or the screen: ``card_view.py`` decides what is worth showing. All text in a view is
remote, so it is cleaned here once more and never read as markup.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import Struct
from rich.style import Style
from textual.strip import Strip

from glboard_core.model.issue import IssueId
from glboard_tui.widgets.colors import Ground, Ink, Palette
from glboard_tui.widgets.text import Line, clean, clip, clip_reference, fit, fit_right, width_of

Density = Literal["compact", "normal", "roomy"]

HEIGHTS: dict[Density, int] = {"compact": 1, "normal": 2, "roomy": 3}
"""Lines per card. Fixed for a density, so that a row is found by a division."""

Tone = Literal["plain", "good", "warn", "bad"]

INKS: dict[Tone, Ink] = {"plain": "text", "good": "good", "warn": "warn", "bad": "bad"}

Flag = Literal["failed", "conflict", "pending", "unseen"]
"""What happens to an issue, the most urgent first: a change of it failed, is about a field that somebody else
changed, is not confirmed; or somebody else changed it since the user last looked."""

_SIGNS: dict[Flag, tuple[str, Ink]] = {
    "failed": ("!", "bad"),
    "conflict": ("≠", "bad"),
    "pending": ("*", "warn"),
    "unseen": ("●", "accent"),
}

#: Cells left of the title: the focus bar, then the tick of a selected card, or a flag.
GUTTER = 2
#: Cells right of the weight.
MARGIN = 1


class Fact(Struct, frozen=True):
    """A short word about the issue. ``tone`` only emphasizes what the word says.

    A ``minor`` one takes the remaining space; for the others, the reference is shortened.
    """

    text: str
    tone: Tone = "plain"
    minor: bool = False


class Chip(Struct, frozen=True):
    """A label in its own colour (``#rrggbb``)."""

    text: str
    color: str


class CardView(Struct, frozen=True, kw_only=True, cache_hash=True):
    """Everything a card's look depends on except width and state on the board: the key of its strips.

    ``weight`` is "3", "?" if unweighted, "" if the server has no weights. ``people`` are initials.
    """

    id: IssueId
    title: str
    reference: str = ""
    weight: str = ""
    facts: tuple[Fact, ...] = ()
    chips: tuple[Chip, ...] = ()
    people: str = ""
    flag: Flag | None = None
    blocked: bool = False
    confidential: bool = False
    closed: bool = False
    #: The title is masked (share mode).
    masked: bool = False
    #: How many milestones it missed.
    slipped: int = 0
    warnings: tuple[str, ...] = ()


class CardState(NamedTuple):
    """What a card's picture depends on besides its view."""

    focused: bool = False
    selected: bool = False
    dragged: bool = False

    @property
    def ground(self) -> Ground:
        """The background of the card."""
        if self.dragged:
            return "dragged"
        if self.focused:
            return "both" if self.selected else "focus"
        return "selected" if self.selected else "rest"


def paint(
    view: CardView, width: int, state: CardState, density: Density, palette: Palette
) -> tuple[Strip, ...]:
    """The card in ``HEIGHTS[density]`` strips of exactly ``width`` cells."""
    brush = _Brush(view, width, state, palette)
    if density == "compact":
        return (brush.only_line(),)
    if density == "roomy":
        first, second = _two_lines(brush.title, brush.title_room)
        return brush.title_line(first), brush.title_line(second, first=False), brush.facts_line()
    return brush.title_line(brush.title), brush.facts_line()


class _Brush:
    """The state of painting one card: the view, the space, the background."""

    def __init__(self, view: CardView, width: int, state: CardState, palette: Palette) -> None:
        self.view = view
        self.width = width
        self.ground = state.ground
        self.palette = palette
        self.bar = "▌" if state.focused else " "
        self.tick = "✓" if state.selected else " "
        self.title = clean(view.title)
        if view.confidential or view.masked:
            self.title = f"▒ {self.title}"
        self.title_ink: Ink = "muted" if view.closed or view.masked else "strong" if state.focused else "text"
        self.weight_room = max(2, len(view.weight)) if view.weight else 0
        self.title_room = max(width - GUTTER - MARGIN - self.weight_room - (1 if view.weight else 0), 1)

    def title_line(self, title: str, *, first: bool = True) -> Strip:
        line = self._start(self.tick, "warn") if first else self._start(" ", "text")
        line.add(fit(title, min(self.title_room, line.room)), self._ink(self.title_ink))
        if first:
            self._weight(line)
        return line.strip(self._ink("text"))

    def facts_line(self) -> Strip:
        line = self._start(*self._flag())
        people = clip(clean(self.view.people), max(line.room // 2, 0))
        kept = width_of(people) + MARGIN + (1 if people else 0)
        self._facts(line, line.room - kept)
        if people:
            ink: Ink = "muted" if people == "-" else "text"
            line.pad(width_of(people) + MARGIN, self._ink("muted"))
            line.add(people, self._ink(ink))
        return line.strip(self._ink("muted"))

    def only_line(self) -> Strip:
        flag, ink = self._flag()
        both = self.tick != " " and flag != " "
        line = self._start(self.tick, "warn") if self.tick != " " else self._start(flag, ink)
        tail: list[tuple[str, Ink]] = []
        if self.width >= 30:
            tail.extend(self._words()[:1])
        if self.width >= 26 and self.view.people and self.view.people != "-":
            tail.append((clip(clean(self.view.people), 6), "muted"))
        if both:
            tail.append((flag, ink))
        room = self.title_room - sum(width_of(text) + 1 for text, _ in tail)
        line.add(fit(self.title, max(min(room, line.room), 1)), self._ink(self.title_ink))
        for text, tail_ink in tail:
            line.add(" ", self._ink("text"))
            line.add(text, self._ink(tail_ink))
        self._weight(line)
        return line.strip(self._ink("text"))

    def _ink(self, ink: Ink) -> Style:
        return self.palette.style(self.ground, ink)

    def _start(self, sign: str, ink: Ink) -> Line:
        line = Line(self.width)
        line.add(self.bar, self._ink("accent"))
        line.add(sign, self._ink(ink))
        return line

    def _flag(self) -> tuple[str, Ink]:
        return _SIGNS[self.view.flag] if self.view.flag else (" ", "text")

    def _weight(self, line: Line) -> None:
        if not self.view.weight:
            return
        line.pad(self.weight_room + MARGIN, self._ink(self.title_ink))
        unknown = self.view.weight == "?"
        line.add(fit_right(self.view.weight, self.weight_room), self._ink("warn" if unknown else "strong"))

    def _words(self) -> list[tuple[str, Ink]]:
        """The words of the card, cleaned, the most important first."""
        view = self.view
        words: list[Fact] = []
        if view.flag in {"failed", "conflict"}:
            words.append(Fact(view.flag, "bad"))
        if view.blocked:
            words.append(Fact("blocked", "bad"))
        if view.closed:
            words.append(Fact("closed", "good"))
        words.extend(view.facts)
        if view.slipped:
            words.append(Fact(f"slipped×{view.slipped}" if view.slipped > 1 else "slipped", "warn"))
        words.extend(Fact(warning, "warn") for warning in view.warnings)
        cleaned = ((clean(word.text), INKS[word.tone]) for word in words)
        return [(text, ink) for text, ink in cleaned if text]

    def _facts(self, line: Line, room: int) -> None:
        """The reference, then words, then chips, as far as they fit in ``room`` cells."""
        words = self._words()
        minor = {clean(fact.text) for fact in self.view.facts if fact.minor}
        wanted = sum(width_of(text) + 1 for text, _ in words if text not in minor)
        reference = clip_reference(clean(self.view.reference), max(room - wanted, min(room, 12)))
        line.add(reference, self._ink("muted"))
        left = room - width_of(reference)
        for text, ink in words:
            cells = width_of(text) + 1
            if cells > left:
                continue
            line.add(f" {text}", self._ink(ink))
            left -= cells
        for chip in self.view.chips:
            text = f" {clean(chip.text)} "
            if width_of(text) + 1 > left:
                continue
            line.add(" ", self._ink("muted"))
            line.add(text, self.palette.chip(chip.color, self.ground))
            left -= width_of(text) + 1


def _two_lines(title: str, room: int) -> tuple[str, str]:
    """A title on two lines, broken at a space if there is one in the second half."""
    if width_of(title) <= room:
        return title, ""
    end = len(title)
    while end > 1 and width_of(title[:end]) > room:
        end -= max(1, (width_of(title[:end]) - room) // 2)
    cut = title.rfind(" ", end // 2, end + 1)
    cut = end if cut < 0 else cut
    return title[:cut].rstrip(), title[cut:].lstrip()
