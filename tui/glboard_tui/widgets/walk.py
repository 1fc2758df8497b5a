"""A walked card, large: the line that says how far the walk is, the card, and who has how much free.

Pure painting, as for a card on the board: ``walk_view.py`` decides what is worth showing. A terminal has one
size of letters, so the card gets space around the title, and its weight is drawn three lines high.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.card import INKS, SIGNS, WHOLE, CardView, Fact
from glboard_tui.widgets.colors import Ink, Palette, palette_of
from glboard_tui.widgets.text import BAR, TRACK, Line, clean, clip, width_of, wrapped

#: Cells left of the title (the edge and a space), right of the weight, and between title and weight.
_LEFT, _RIGHT, _GAP = 4, 2, 3
#: The width below which a large weight would take the title's space.
_LARGE = 60

_DIGITS: dict[str, tuple[str, str, str]] = {
    "0": ("╭─╮", "│ │", "╰─╯"),
    "1": (" ╶┐", "  │", "  ╵"),
    "2": ("╶─╮", "╭─╯", "╰─╴"),
    "3": ("╶─╮", " ─┤", "╶─╯"),
    "4": ("╷ ╷", "╰─┤", "  ╵"),
    "5": ("╭─╴", "╰─╮", "╶─╯"),
    "6": ("╭─╴", "├─╮", "╰─╯"),
    "7": ("╶─╮", "  │", "  ╵"),
    "8": ("╭─╮", "├─┤", "╰─╯"),
    "9": ("╭─╮", "╰─┤", "╶─╯"),
    "?": ("╶─╮", " ╭╯", " • "),
}


class WalkHeadView(Struct, frozen=True, kw_only=True):
    """How far a walk is. ``parts`` are numbers of cards, in the order of the bar, of ``total``.

    ``piled`` are put off until later, which is the end of the bar.
    """

    title: str
    subject: str = ""
    notes: tuple[Fact, ...] = ()
    clock: str = ""
    parts: tuple[tuple[int, Ink], ...] = ()
    piled: int = 0
    total: int = 0


def paint_walk_head(view: WalkHeadView, width: int, palette: Palette) -> tuple[Strip, Strip]:
    """The line of words and the bar, in exactly ``width`` cells."""
    style = palette.style
    line = Line(width)
    notes = [(clean(note.text), INKS[note.tone]) for note in view.notes]
    if view.clock:
        notes.append((view.clock, "muted"))
    tail = sum(width_of(text) for text, _ in notes) + 3 * max(len(notes) - 1, 0) + 1
    line.add(" ", style("rest"))
    line.add(clip(clean(view.title), max(width - 1, 1)), style("rest", "strong"))
    subject = f" · {clean(view.subject)}" if view.subject else ""
    line.add(clip(subject, max(line.room - tail - 2, 0)), style("rest", "muted"))
    if tail <= line.room:
        line.pad(tail, style("rest"))
        for place, (text, ink) in enumerate(notes):
            line.add(" · " if place else "", style("rest", "muted"))
            line.add(text, style("rest", ink))
    return line.strip(style("rest")), _bar(view, width, palette)


def _bar(view: WalkHeadView, width: int, palette: Palette) -> Strip:
    cells = max(width - 2, 0)
    line = Line(width)
    line.add(" ", palette.style("rest"))
    total, done = max(view.total, 1), 0
    end = at = 0
    for part, ink in view.parts:
        done += part
        end = round(done / total * cells)
        line.add(BAR * (end - at), palette.style("rest", ink))
        at = max(at, end)
    piled = min(max(round(view.piled / total * cells), bool(view.piled)), cells - at)
    line.add(TRACK * (cells - at - piled), palette.style("rest", "line"))
    line.add(BAR * piled, palette.style("rest", "warn"))
    return line.strip(palette.style("rest"))


def paint_walk_card(view: CardView, width: int, palette: Palette, *, high: bool) -> tuple[Strip, ...]:
    """The card in lines of exactly ``width`` cells; ``high`` leaves an empty line above and below."""
    large = high and width >= _LARGE and bool(view.weight)
    weight = [*_large(view.weight)] if large else [view.weight]
    right = width_of(weight[0]) + _GAP + _RIGHT
    title = list(wrapped(clean(view.title), width - _LEFT - right, width - _LEFT - right, WHOLE))
    if large:
        # A short title is in the middle of the weight's lines.
        title = ["", *title] if len(title) == 1 else title
        title += [""] * (3 - len(title))
    strips = [_title_line(view, "", "", width, palette)] if high else []
    for row, text in enumerate(title):
        drawn = weight[row] if row < len(weight) else ""
        strips.append(_title_line(view, text, drawn, width, palette))
    strips.append(_fact_line(view, width, palette))
    if high:
        strips.append(_title_line(view, "", "", width, palette))
    return tuple(strips)


def _large(weight: str) -> tuple[str, str, str]:
    glyphs = [_DIGITS.get(letter, (letter, " ", " ")) for letter in weight]
    first, second, third = (" ".join(glyph[row] for glyph in glyphs) for row in range(3))
    return first, second, third


def _start(view: CardView, width: int, palette: Palette) -> Line:
    line = Line(width)
    line.add("▌", palette.style("focus", view.edge))
    line.add("   ", palette.style("focus"))
    return line


def _title_line(view: CardView, text: str, weight: str, width: int, palette: Palette) -> Strip:
    line = _start(view, width, palette)
    line.add(text, palette.style("focus", "muted" if view.masked else "strong"))
    if weight:
        line.pad(width_of(weight) + _RIGHT, palette.style("focus"))
        ink: Ink = "warn" if view.weight == "?" else "bad" if view.heavy else "strong"
        line.add(weight, palette.style("focus", ink))
    return line.strip(palette.style("focus"))


def _fact_line(view: CardView, width: int, palette: Palette) -> Strip:
    """Reference and facts as far as they fit, the assignee at the right."""
    line = _start(view, width, palette)
    style = palette.style
    if view.flag is not None:
        sign, ink = SIGNS[view.flag]
        line.add(f"{sign} ", style("focus", ink))
    assignee = clean(view.assignee)
    if assignee == "·":
        assignee = "◆ unassigned" if view.accepted else "unassigned"
    tail = width_of(assignee) + _RIGHT
    words: list[tuple[str, Ink]] = [(clean(view.reference), "muted")] if view.reference else []
    words += [(clean(fact.text), INKS[fact.tone]) for fact in view.facts]
    if view.confidential:
        words.append(("confidential", "warn"))
    for place, (text, ink) in enumerate(words):
        if width_of(text) + 2 > line.room - tail - 1 and place:
            break
        line.add("  " if place else "", style("focus"))
        line.add(text, style("focus", ink))
    line.pad(tail, style("focus"))
    line.add(
        assignee, style("focus", "good" if view.accepted else "muted" if assignee == "unassigned" else "text")
    )
    return line.strip(style("focus"))


class PersonFree(Struct, frozen=True, kw_only=True):
    """What a person has free: ``key`` accepts for them. ``taken`` is their share, None if it is not shown."""

    key: str
    name: str
    words: Fact
    taken: float | None = None


#: Cells of a person's bar, and of their name.
_SHARE, _NAME = 16, 16


def paint_people(
    heading: str, people: Sequence[PersonFree], width: int, palette: Palette
) -> tuple[Strip, ...]:
    """A heading and a line for each person, in exactly ``width`` cells."""
    style = palette.style
    if not people:
        return ()
    head = Line(width)
    head.add(clip(clean(heading), width), style("band", "strong"))
    strips = [head.strip(style("band"))]
    keys = max(width_of(clean(one.key)) for one in people)
    words = max(width_of(clean(one.words.text)) for one in people)
    name = min(max(width_of(clean(one.name)) for one in people), _NAME)
    share = min(max(width - keys - name - words - 5, 0), _SHARE)
    for one in people:
        line = Line(width)
        line.add(f"{clean(one.key):<{keys}} ", style("band", "accent"))
        shown = clip(clean(one.name), name)
        line.add(shown + " " * (name - width_of(shown) + 1), style("band"))
        if one.taken is not None and share:
            taken = round(min(max(one.taken, 0), 1) * share)
            line.add(BAR * taken, style("band", "bad" if one.taken > 1 else "accent"))
            line.add(TRACK * (share - taken), style("band", "line"))
            line.add("  ", style("band"))
        line.add(clean(one.words.text), style("band", INKS[one.words.tone]))
        strips.append(line.strip(style("band")))
    return tuple(strips)


class WalkHead(Widget):
    """Where the walk is, and a bar below."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "WalkHead { height: 2; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.view = WalkHeadView(title="")

    def show(self, view: WalkHeadView) -> None:
        """Show another view."""
        if view != self.view:
            self.view = view
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        return paint_walk_head(self.view, self.size.width, palette_of(self.app))[min(y, 1)]


class WalkCard(Widget):
    """The card; as high as its title needs."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "WalkCard { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.view: CardView | None = None

    def show(self, view: CardView) -> None:
        """Show another card."""
        if view != self.view:
            before, self.view = len(self._lines(self.size.width)), view
            self.refresh(layout=len(self._lines(self.size.width)) != before)

    @property
    def _high(self) -> bool:
        return self.screen.size.height >= 30

    def _lines(self, width: int) -> tuple[Strip, ...]:
        if self.view is None:
            return ()
        return paint_walk_card(self.view, width, palette_of(self.app), high=self._high)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The number of lines needed at that width."""
        return len(self._lines(width))

    def render_line(self, y: int) -> Strip:
        """One line."""
        lines = self._lines(self.size.width)
        return lines[y] if y < len(lines) else Strip.blank(self.size.width)


class PeopleFree(Widget):
    """Who has how much free; hidden if that is not known."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "PeopleFree { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._heading = ""
        self.people: tuple[PersonFree, ...] = ()

    def show(self, heading: str, people: Sequence[PersonFree]) -> None:
        """Show these people."""
        self.display = bool(people)
        if (heading, tuple(people)) != (self._heading, self.people):
            before, self._heading, self.people = len(self.people), heading, tuple(people)
            self.refresh(layout=len(self.people) != before)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for each person, and the heading."""
        return len(self.people) + bool(self.people)

    def render_line(self, y: int) -> Strip:
        """One line."""
        lines = paint_people(self._heading, self.people, self.size.width, palette_of(self.app))
        return lines[y] if y < len(lines) else Strip.blank(self.size.width)
