"""One card: the data it shows, and how it is painted.

Owns the look of a card as a pure function from a ``CardView`` to strips. It must not
know issues, boards or the screen: ``card_view.py`` decides what is worth showing. All text in a view is
remote, so it is cleaned here once more and never read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from glboard_core.model.issue import IssueId
from glboard_tui.widgets.colors import Ground, Ink, Palette
from glboard_tui.widgets.text import Line, clean, clip, clip_reference, fit_right, width_of, wrapped

Density = Literal["auto", "roomy", "normal", "wrapped", "dense"]
"""How much of a card is shown; ``auto`` is the most with which all cards of a column are visible."""

Tone = Literal["plain", "good", "warn", "bad", "accent"]

INKS: dict[Tone, Ink] = {"plain": "text", "good": "good", "warn": "warn", "bad": "bad", "accent": "accent"}

Flag = Literal["failed", "conflict", "staged", "pending", "unseen"]
"""What happens to an issue, the most urgent first: a change of it failed, is about a field that somebody else
changed, is staged in the draft, is not confirmed; or somebody else changed it since the user last looked."""

SIGNS: dict[Flag, tuple[str, Ink]] = {
    "failed": ("!", "bad"),
    "conflict": ("≠", "bad"),
    "staged": ("~", "violet"),
    "pending": ("*", "warn"),
    "unseen": ("●", "accent"),
}

#: The highlight of a recent change in share mode.
NOW: tuple[str, Ink] = ("»", "accent")

#: Cells left of the title: the edge, then the tick of a selected card, or a flag.
GUTTER = 2
#: Cells right of the weight.
MARGIN = 1
#: Cells of the reference below which words are shortened instead, and those of a subtype worth showing.
_LEAST = 12


class Shape(NamedTuple):
    """What a density gives a card: at most so many lines of title, a line for type and labels, an empty
    line to the next card; without that, every other card has another shade. ``pad``: a line of the card's own
    above and below its texts. ``bold``: titles stand out, to be read from afar."""

    titles: int
    labels: bool = False
    gap: bool = False
    pad: bool = False
    bold: bool = False


#: Lines that any title fits into: GitLab's have at most 255 characters.
WHOLE = 12
SHAPES: dict[Density, Shape] = {
    "roomy": Shape(3, labels=True, gap=True),
    "normal": Shape(2, gap=True),
    "wrapped": Shape(3),
    "dense": Shape(1),
}
#: The most lines of a title that ``auto`` tries, and for each the densities, the roomiest first: whole titles
#: matter more than space around them.
TITLES = (WHOLE, 3, 2)
AUTO: tuple[Shape, ...] = (
    *(SHAPES[name]._replace(titles=WHOLE) for name in ("roomy", "normal", "wrapped")),
    *(SHAPES["wrapped"]._replace(titles=lines) for lines in TITLES[1:]),
    SHAPES["dense"],
)
#: For a column that scrolls because even the densest does not show all cards: shorter titles gain nothing.
SCROLLED = SHAPES["wrapped"]._replace(titles=4)
#: Those that cut titles: the lines that they leave free in a column go to the cut titles.
TIGHT = frozenset(shape for shape in AUTO if shape.titles < WHOLE)

#: On a shared screen: every title is whole, and the cards are as far apart as they all fit.
SHARED: tuple[Shape, ...] = (
    Shape(WHOLE, gap=True, pad=True, bold=True),
    Shape(WHOLE, gap=True, bold=True),
)


class Fact(Struct, frozen=True):
    """A short word about the issue; ``tone`` emphasizes it.

    ``short`` replaces it where space is short. A ``minor`` one takes the remaining space; for the others,
    the reference is shortened.
    """

    text: str
    tone: Tone = "plain"
    minor: bool = False
    short: str = ""


class Chip(Struct, frozen=True):
    """A label in its own colour (``#rrggbb``)."""

    text: str
    color: str


class CardView(Struct, frozen=True, kw_only=True, cache_hash=True):
    """Everything a card's look depends on except width and state on the board: the key of its strips.

    ``weight`` is "3", "?" if unweighted, "" if the server has no weights. ``facts`` come in the order in
    which they matter. ``assignee`` is "@elm", "·" if unassigned, "" if that is not worth a word.
    """

    id: IssueId
    title: str
    reference: str = ""
    weight: str = ""
    #: It weighs more than an issue should.
    heavy: bool = False
    facts: tuple[Fact, ...] = ()
    chips: tuple[Chip, ...] = ()
    assignee: str = ""
    #: It is Deliverable, and the board does not say so itself.
    accepted: bool = False
    flag: Flag | None = None
    #: The colour of its left edge: what its state says in a word.
    edge: Ink = "muted"
    confidential: bool = False
    closed: bool = False
    #: The title is masked (share mode).
    masked: bool = False
    #: It was changed a moment ago, and others watch.
    now: bool = False

    @property
    def marked_title(self) -> str:
        """The title, with a sign if not everybody may see it."""
        title = clean(self.title)
        return f"▒ {title}" if self.confidential or self.masked else title

    def titles(self, width: int, most: int) -> tuple[str, ...]:
        """The lines of its title on a card of this width; the weight is next to the first one."""
        room = width - GUTTER - MARGIN
        weight = len(self.weight) + 1 if self.weight else 0
        return wrapped(self.marked_title, max(room - weight, 1), max(room, 1), most)

    def has_labels(self) -> bool:
        """Whether there is something for a line of type and labels."""
        return bool(self.chips) or any(fact.minor for fact in self.facts)


class CardState(NamedTuple):
    """What a card's picture depends on besides its view. ``odd``: it is every other card of its column."""

    focused: bool = False
    selected: bool = False
    dragged: bool = False
    odd: bool = False

    @property
    def ground(self) -> Ground:
        """The background of the card."""
        if self.dragged:
            return "dragged"
        if self.focused:
            return "both" if self.selected else "focus"
        if self.selected:
            return "selected"
        return "alt" if self.odd else "card"


def height_of(view: CardView, width: int, shape: Shape) -> int:
    """The lines of a card, with the empty one below it."""
    lines = len(view.titles(width, shape.titles)) + 1 + (shape.labels and view.has_labels())
    return lines + shape.gap + 2 * shape.pad


def paint(view: CardView, width: int, state: CardState, shape: Shape, palette: Palette) -> tuple[Strip, ...]:
    """The card in ``height_of`` strips of exactly ``width`` cells."""
    brush = _Brush(view, width, state, palette, bold=shape.bold)
    first, *others = view.titles(width, shape.titles)
    strips = [brush.title_line(first, first=True), *(brush.title_line(line) for line in others)]
    apart = shape.labels and view.has_labels()
    if apart:
        strips.append(brush.labels_line())
    strips.append(brush.facts_line(apart=apart))
    if shape.pad:
        strips = [brush.empty_line(), *strips, brush.empty_line()]
    if shape.gap:
        strips.append(Strip([Segment(" " * width, palette.style("lane"))], width))
    return tuple(strips)


class _Word(NamedTuple):
    text: str
    ink: Ink
    short: str = ""


_STAGED = _Word("staged", "violet")


class _Brush:
    """The state of painting one card: the view, the space, the background."""

    def __init__(
        self, view: CardView, width: int, state: CardState, palette: Palette, *, bold: bool = False
    ) -> None:
        self.view = view
        self.width = width
        self.state = state
        self.ground = state.ground
        self.palette = palette
        masked = view.closed or view.masked
        self.title_ink: Ink = "muted" if masked else "strong" if state.focused or bold else "text"

    def title_line(self, title: str, *, first: bool = False) -> Strip:
        line = self._start("✓" if first and self.state.selected else " ", "warn")
        line.add(title, self._ink(self.title_ink))
        if first and self.view.weight:
            line.pad(max(1, len(self.view.weight)) + MARGIN, self._ink(self.title_ink))
            line.add(fit_right(self.view.weight, len(self.view.weight)), self._ink(self._weight_ink))
        return line.strip(self._ink(self.title_ink))

    @property
    def _weight_ink(self) -> Ink:
        if self.view.weight == "?":
            return "warn"
        return "bad" if self.view.heavy else "strong"

    def empty_line(self) -> Strip:
        return self._start(" ", "text").strip(self._ink("muted"))

    def labels_line(self) -> Strip:
        line = self._start(" ", "text")
        self._labels(line, line.room - MARGIN, lead=False)
        return line.strip(self._ink("muted"))

    def facts_line(self, *, apart: bool) -> Strip:
        """``apart``: type and labels have a line of their own."""
        sign, ink = SIGNS[self.view.flag] if self.view.flag else (" ", "text")
        if self.view.now and sign == " ":
            sign, ink = NOW
        line = self._start(sign, ink)
        assignee, assignee_ink = self._assignee(line.room // 2)
        kept = width_of(assignee) + MARGIN
        room = line.room - kept - (1 if assignee else 0)
        left = room - self._facts(line, room)
        if not apart:
            self._labels(line, left, lead=left < room)
        if assignee:
            line.pad(kept, self._ink("muted"))
            line.add(assignee, self._ink(assignee_ink))
        return line.strip(self._ink("muted"))

    def _assignee(self, most: int) -> tuple[str, Ink]:
        """Accepted is the assignee in green, or a sign without one."""
        name = clip(clean(self.view.assignee), max(most, 0))
        if self.view.accepted:
            return name if name not in ("", "·") else "◆", "good"
        return name, "muted" if name == "·" else "text"

    def _ink(self, ink: Ink) -> Style:
        return self.palette.style(self.ground, ink)

    def _start(self, sign: str, ink: Ink) -> Line:
        line = Line(self.width)
        if self.state.focused:
            line.add("▌", self._ink("strong"))
        else:
            line.add("▎", self._ink(self.view.edge))
        line.add(sign, self._ink(ink))
        return line

    def _words(self) -> list[_Word]:
        """The words that are never dropped for others, cleaned, the most important first."""
        view = self.view
        words = [_Word(view.flag, "bad")] if view.flag in {"failed", "conflict"} else []
        for fact in view.facts:
            if not fact.minor and (text := clean(fact.text)):
                ink: Ink = "muted" if fact.tone == "plain" else INKS[fact.tone]
                words.append(_Word(text, ink, clean(fact.short)))
        return words

    def _facts(self, line: Line, room: int) -> int:
        """The reference and the words in ``room`` cells; returns how many they took."""
        reference = clean(self.view.reference)
        words, least = self._words(), min(width_of(reference), _LEAST)
        if self.view.flag == "staged" and _cells(staged := [_STAGED, *words]) + least + 1 <= room:
            # Its sign says so as well: the word takes no other word's place.
            words = staged
        words = _fitting(words, room, least)
        taken = _cells(words)
        number = width_of(reference.rpartition("#")[2]) + 1
        left = room - taken - (1 if words else 0)
        shown = clip_reference(reference, left) if left >= min(number, width_of(reference)) else ""
        line.add(shown, self._ink("muted"))
        for place, word in enumerate(words):
            line.add(f" {word.text}" if place or shown else word.text, self._ink(word.ink))
        return width_of(shown) + (1 if shown and words else 0) + taken

    def _labels(self, line: Line, room: int, *, lead: bool) -> None:
        """Type, subtype and other labels as far as they fit in ``room`` cells."""
        for fact in self.view.facts:
            text = clean(fact.text)
            cells = width_of(text) + lead
            if not fact.minor or not text or cells > room:
                continue
            line.add(f" {text}" if lead else text, self._ink("muted"))
            room, lead = room - cells, True
        for chip in self.view.chips:
            text = f" {clean(chip.text)} "
            cells = width_of(text) + lead
            if cells > room:
                continue
            if lead:
                line.add(" ", self._ink("muted"))
            line.add(text, self.palette.chip(chip.color, self.ground))
            room, lead = room - cells, True


def _cells(words: Sequence[_Word]) -> int:
    return sum(width_of(word.text) + 1 for word in words) - 1 if words else 0


def _fitting(words: list[_Word], room: int, reference: int) -> list[_Word]:
    """The words in ``room`` cells: shortened from the end first, then next to a shorter reference than
    ``reference``, then dropped from the end."""
    if _cells(words) + reference + 1 <= room:
        return words
    words = list(words)
    for at in range(len(words) - 1, -1, -1):
        if short := words[at].short:
            words[at] = words[at]._replace(text=short)
            if _cells(words) + reference + 1 <= room:
                return words
    while len(words) > 1 and _cells(words) > room:
        words.pop()
    if words and width_of(words[0].text) > room:
        words[0] = words[0]._replace(text=clip(words[0].text, room))
    return words
