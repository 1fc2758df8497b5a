"""Three lines above the board, each with one job: which board and how fresh, its one question, who has what.

Line 1 has the boards as tabs, at the right what is unsent, failed or stale. Line 2 has the milestone with its
dates, a bar with its figures, the filter and one warning. Line 3, on terminals with space for it, has the
people. Owns the order in which items are dropped on narrow screens. It only paints and queries nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.card import INKS, Fact
from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.text import BAR, TRACK, Line, clean, clip, width_of

_Item = tuple[str, Ink, int]
"""Text, ink and how soon it is dropped when it gets narrow (0: never, or last)."""

Fresh = Literal["live", "cached", "offline", "signed out", "loading"]

#: Cells of the bar, and the fewest that still show something.
_BAR, _SHORT_BAR = 30, 8
#: How the draft's sign begins, and cells of its name.
_DRAFT, _MOST_NAME = " DRAFT", 24
#: What share mode says of an issue that is shown for a moment.
_SHOWN = "is shown for"
_FRESH: dict[Fresh, tuple[str, Ink]] = {
    "live": ("●", "good"),
    "cached": ("○", "warn"),
    "offline": ("○", "bad"),
    "signed out": ("○", "bad"),
    "loading": ("○", "accent"),
}


class Tab(Struct, frozen=True):
    """A board that can be opened."""

    id: str
    title: str


class HeaderView(Struct, frozen=True, kw_only=True):
    """What the header shows. Times and numbers are already text: ``age`` is "3m", ``progress`` "120/600".

    ``sums`` are the figures of the second line: the first one is before the bar, the last one matters most;
    one in parentheses is a part of the one before it. ``bar`` are the parts of ``full``, each in the colour
    of its figure. ``people`` are on the third line; the first ones matter most.
    """

    board: str
    group: str = ""
    tabs: tuple[Tab, ...] = ()
    #: The id of the board shown.
    shown: str = ""
    milestone: str = ""
    #: Its dates, and where today is: "12 Dec – 15 Jan", "starts in 14 days".
    dates: tuple[str, str] = ("", "")
    filter: str = ""
    #: The board's own filter.
    only: str = ""
    #: What the columns are sorted by, in words, unless it is GitLab's order.
    sorted_by: str = ""
    fresh: Fresh = "live"
    age: str = ""
    progress: str = ""
    #: Unseen changes by others.
    changed: int = 0
    unsent: int = 0
    failed: int = 0
    conflicts: int = 0
    read_only: bool = False
    #: Share mode is on, with this many issues masked.
    share: bool = False
    masked: int = 0
    #: The draft that is on, and how much is staged in it; None: edits are sent.
    draft: str | None = None
    staged: str = ""
    #: The call that goes on: "call since 14:02 · 11 decisions".
    call: str = ""
    #: The confidential issue shown for a moment, and what was changed last, in words.
    revealed: str = ""
    last: str = ""
    sums: tuple[Fact, ...] = ()
    bar: tuple[tuple[float, Ink], ...] = ()
    full: float = 0
    warning: Fact | None = None
    people: tuple[Fact, ...] = ()


def paint_header(view: HeaderView, width: int, palette: Palette) -> tuple[Strip, Strip, Strip]:
    """The lines in exactly ``width`` cells."""
    return _first(view, width, palette), _second(view, width, palette), _third(view, width, palette)


# Line 1: the boards, and what is not as on the server


def _first(view: HeaderView, width: int, palette: Palette) -> Strip:
    line = Line(width)
    right = _states(view)
    # What matters always stays; the rest as long as the board's name keeps most of its space.
    name = min(width_of(clean(_name(view))), 16) + 4
    while _cells(right) + name > width and (minor := [item for item in right if item[2] > 0]):
        right.remove(minor[0])
    for shorter in (_draft_shorter, _shorter, _shortest):
        if _cells(right) + 4 > width:
            right = [shorter(item) for item in right]
    free = max(width - _cells(right) - 3, 0)
    _tabs(line, view, free, palette)
    line.pad(min(_cells(right) + 1, width), palette.style("band"))
    for place, (text, ink, _) in enumerate(right):
        if place:
            line.add("  ", palette.style("band"))
        ground: Ground = "alert" if text.startswith(" SHARED") else "band"
        ground = "draft" if text.startswith(_DRAFT) else ground
        line.add(text, palette.style(ground, ink))
    return line.strip(palette.style("band"))


def _name(view: HeaderView) -> str:
    """The name of the board shown."""
    return next((tab.title for tab in view.tabs if tab.id == view.shown), view.board)


def _tabs(line: Line, view: HeaderView, free: int, palette: Palette) -> None:
    """The group and the boards; those farthest from the shown one are left out first."""
    tabs = view.tabs or (Tab(view.shown, view.board),)
    names = [clean(tab.title) for tab in tabs]
    here = next((at for at, tab in enumerate(tabs) if tab.id == view.shown), 0)
    group = clean(view.group)
    first, last = 0, len(tabs) - 1

    def cells() -> int:
        shown = names[first : last + 1]
        return 1 + sum(width_of(name) + 2 for name in shown) + 2 * ((first > 0) + (last < len(tabs) - 1))

    with_group = bool(group) and cells() + width_of(group) + 2 <= free
    while cells() > free and first < last:
        if here - first > last - here:
            first += 1
        else:
            last -= 1
    line.add(" ", palette.style("band"))
    if with_group:
        line.add(f"{group}  ", palette.style("band", "muted"))
    if first:
        line.add("… ", palette.style("band", "muted"))
    for at in range(first, last + 1):
        name = clip(names[at], max(free - 4, 1)) if at == here else names[at]
        style = palette.style("tab", "strong") if at == here else palette.style("band", "muted")
        line.add(f" {name} ", style + Style.from_meta({"tab": tabs[at].id}))
    if last < len(tabs) - 1:
        line.add(" …", palette.style("band", "muted"))


def _states(view: HeaderView) -> list[_Item]:
    """The right half of the first line."""
    items: list[_Item] = []
    if view.read_only:
        items.append(("read-only", "warn", 1))
    if view.share:
        masked = f" · {view.masked} masked" if view.masked else ""
        items.append((f" SHARED SCREEN{f' · {view.revealed}' if view.revealed else masked} ", "strong", 0))
    if view.draft is not None:
        name = clip(clean(view.draft), _MOST_NAME)
        items.append((f"{_DRAFT} {name} · {view.staged} · nothing is sent ", "strong", 0))
    if view.changed:
        items.append((f"●{view.changed} changed", "accent", 1))
    if view.unsent:
        items.append((f"{view.unsent} unsent", "warn", 0))
    if view.conflicts:
        items.append((f"≠{view.conflicts} conflict" + ("s" if view.conflicts > 1 else ""), "bad", 0))
    if view.failed:
        items.append((f"!{view.failed} failed", "bad", 0))
    sign, ink = _FRESH[view.fresh]
    words = " ".join(word for word in (sign, view.fresh, view.age, view.progress) if word)
    items.append((words, ink, 0))
    return items


def _draft_shorter(item: _Item) -> _Item:
    text, ink, rank = item
    return (text.removesuffix("· nothing is sent "), ink, rank) if text.startswith(_DRAFT) else item


def _shorter(item: _Item) -> _Item:
    text, ink, rank = item
    if text.startswith(" SHARED SCREEN"):
        # How long an issue is still shown is not left out.
        shown = _SHOWN in text
        return text.replace(" SCREEN", "").replace(_SHOWN, "shown") if shown else " SHARED ", ink, rank
    for word, sign in ((" unsent", "*"), (" failed", ""), (" conflicts", ""), (" conflict", "")):
        if text.endswith(word):
            return text.removesuffix(word) + sign, ink, rank
    return item


def _shortest(item: _Item) -> _Item:
    text, ink, rank = item
    _, shown, time = text.rpartition(" shown ")
    return (f" SHARED · shown {time}", ink, rank) if shown and text.startswith(" SHARED") else item


# Line 2: the milestone, the board's one question, what it is filtered by and one warning


def _second(view: HeaderView, width: int, palette: Palette) -> Strip:
    style = palette.style
    line = Line(width)
    right: list[_Item] = []
    if view.filter:
        right.append((f"filter {clip(clean(view.filter), 40)}", "accent", 0))
    if view.sorted_by:
        right.append((clean(view.sorted_by), "accent", 0))
    if view.only:
        right.append((f"only {clip(clean(view.only), 40)}", "muted", 1))
    if view.call:
        right.append((clean(view.call), "muted", 1))
    if view.warning is not None:
        right.append((clean(view.warning.text), INKS[view.warning.tone], 1))
    milestone = f"‹ {clean(view.milestone)} ›" if view.milestone else ""
    when, facts, cells = _fitting(view, width - width_of(milestone) - 2, right)
    line.add(" ", style("rest"))
    if milestone:
        line.add("‹ ", style("rest", "muted"))
        line.add(clip(clean(view.milestone), max(line.room - 3, 1)), style("rest", "strong"))
        line.add(" ›", style("rest", "muted"))
    line.add(f"  {when}" if when else "", style("rest", "muted"))
    middle = _figures(facts, cells)
    tail = _cells(right) + 1 if right else 0
    spare = line.room - tail - middle
    line.pad(line.room - max(2 if line.room < line.width else 0, spare // 2), style("rest"))
    for place, fact in enumerate(facts):
        if place > 1:
            line.add(_join(fact), style("rest", "muted"))
        line.add(clean(fact.text), _figure_style(fact, place == 0, place == len(facts) - 1, palette))
        if place == 0 and len(facts) > 1:
            line.add("  ", style("rest"))
            if cells:
                _bar(line, view, cells, palette)
                line.add(" ", style("rest"))
    if right:
        line.pad(tail, style("rest"))
        for place, (text, ink, _) in enumerate(right):
            line.add("  " if place else "", style("rest"))
            line.add(text, style("rest", ink))
    return line.strip(style("rest"))


def _join(fact: Fact) -> str:
    """What is before a figure next to the bar: one in parentheses is a part of the one before it."""
    return " " if fact.text.startswith("(") else " · "


def _figure_style(fact: Fact, first: bool, last: bool, palette: Palette) -> Style:
    """The colour of the figure's part of the bar; the last figure is the answer, bold as the first one."""
    if fact.tone == "plain":
        return palette.style("rest", "strong" if first else "muted")
    style = palette.style("rest", INKS[fact.tone])
    return style + Style(bold=True) if first or last else style


def _figures(facts: Sequence[Fact], bar: int) -> int:
    """Cells of the figures with the bar."""
    texts = [width_of(clean(fact.text)) for fact in facts]
    joins = sum(len(_join(fact)) for fact in facts[2:]) + (2 if len(texts) > 1 else 0)
    return sum(texts) + joins + (bar + 1 if bar else 0)


def _fitting(view: HeaderView, room: int, right: list[_Item]) -> tuple[str, list[Fact], int]:
    """The dates, figures and cells of the bar that fit next to ``right``, whose last ones are dropped."""
    dates, where = map(clean, view.dates)
    facts = list(view.sums)
    some = [fact for fact in facts if not fact.minor]
    most = [facts[0], facts[-1]] if len(facts) > 1 else facts
    whole = f"{dates} · {where}" if where else dates
    for when, these in ((whole, facts), (dates, facts), (whole, some), (dates, some), ("", some), ("", most)):
        taken = (width_of(when) + 2 if when else 0) + _figures(these, 0) + (_cells(right) + 2 if right else 0)
        if not view.full or len(these) < 2:
            if taken + 2 <= room:
                return when, these, 0
        elif taken + 3 + _SHORT_BAR <= room:
            return when, these, min(_BAR, room - taken - 3)
    while (
        right
        and _figures(most, 0) + _cells(right) + 4 > room
        and len(right) > bool(view.filter) + bool(view.sorted_by)
    ):
        right.pop()
    return "", most, 0


def _bar(line: Line, view: HeaderView, cells: int, palette: Palette) -> None:
    """The parts of the whole; each ends where the sum of the parts up to it does."""
    at = done = 0.0
    total = max(view.full, sum(part for part, _ in view.bar))
    for part, ink in view.bar:
        at += part
        end = round(at / total * cells) if total else 0
        line.add(BAR * max(end - round(done), 0), palette.style("rest", ink))
        done = max(done, end)
    line.add(TRACK * max(cells - round(done), 0), palette.style("rest", "line"))


# Line 3: the people


def _third(view: HeaderView, width: int, palette: Palette) -> Strip:
    """The groups of people; where they do not fit, whom the plan is for goes first, the last ones next."""
    line = Line(width)
    if view.last:
        # What was changed a moment ago, for those who watch.
        line.add(f" » {clip(clean(view.last), max(width - 5, 1))} ", palette.style("tab", "strong"))
        return line.strip(palette.style("tab"))
    people = list(view.people)
    if _people_cells(people) > width and (later := [at for at, fact in enumerate(people) if fact.minor][1:]):
        people = people[later[0] :]
    while people and _people_cells(people) > width:
        people.pop()
    while people and people[-1].minor:
        people.pop()
    named = True
    for fact in people:
        text = clean(fact.text)
        if fact.minor:
            line.add(f"{'  ' if line.room < width else ''} {text} ", palette.style("rest", "muted"))
        else:
            line.add(" " if named else " · ", palette.style("rest", "muted"))
            ink = INKS[fact.tone]
            line.add(text, palette.style("rest", "text" if ink == "text" else ink))
        named = fact.minor
    return line.strip(palette.style("rest"))


def _people_cells(people: Sequence[Fact]) -> int:
    # As they are painted: " Name", "   Name" further on; "  first", " · next".
    cells, named = 0, True
    for fact in people:
        before = (4 if cells else 2) if fact.minor else 1 if named else 3
        cells += width_of(clean(fact.text)) + before
        named = fact.minor
    return cells


def _cells(items: Sequence[_Item]) -> int:
    return sum(width_of(text) for text, _, _ in items) + 2 * max(len(items) - 1, 0)


class HeaderBar(Widget):
    """The lines, as many as the style sheet gives it. ``show`` repaints only those that differ."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HeaderBar { height: 2; width: 1fr; }"

    @dataclass
    class BoardChosen(Message):
        """A tab was clicked."""

        board: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view = HeaderView(board="")
        self._painted: tuple[tuple[int, Palette], tuple[Strip, ...]] | None = None

    def show(self, view: HeaderView) -> None:
        """Show another view."""
        if view == self.view:
            return
        self.view = view
        before, self._painted = self._painted, None
        if before is None:
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before[1], self._lines(), strict=True)):
            if old != new:
                self.refresh_line(y)

    def _lines(self) -> tuple[Strip, ...]:
        key = (self.size.width, palette_of(self.app))
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, paint_header(self.view, *key))
        return self._painted[1]

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        return self._lines()[min(y, 2)]

    def on_click(self, event: events.Click) -> None:
        """Open the board of a tab."""
        board = event.style.meta.get("tab")
        if isinstance(board, str) and board:
            self.post_message(self.BoardChosen(board))

    def refresh_line(self, y: int) -> None:
        """Repaint one line."""
        self.refresh(Region(0, y, self.size.width, 1))
