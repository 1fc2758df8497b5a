"""Choosing from a list by typing: labels, people, milestones, projects.

Owns the keys of a picker. It gets all its choices when it is created, so it opens at once and never requests
anything from the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import ClassVar, Literal

from msgspec import Struct
from textual import events, on
from textual.binding import Binding, BindingType
from textual.fuzzy import Matcher
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from glboard_core.model.issue import same_scope
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.colors import Ground, palette_of
from glboard_tui.widgets.table import LineList
from glboard_tui.widgets.text import Line, clean, clip, width_of

Tick = Literal["off", "some", "on"]
Matching = Callable[[str, str], tuple[float, Sequence[int]]]

#: Longer texts are only searched for whole words: fuzzy matching tries every combination.
_FUZZY_LENGTH = 48
_FUZZY_QUERY = 12


class Choice(Struct, frozen=True, kw_only=True):
    """One line: ``value`` is chosen, ``text`` is shown and searched, ``note`` is shown next to it."""

    value: str
    text: str
    note: str = ""
    color: str | None = None


class Result(Struct, frozen=True, kw_only=True):
    """The result: values to add to all and to remove from all; the rest stays."""

    add: tuple[str, ...] = ()
    remove: frozenset[str] = frozenset()


def matching(query: str, choices: Sequence[Choice]) -> list[tuple[Choice, Sequence[int]]]:
    """The matching choices, best first, with the matching positions; all, in order, for ""."""
    query = query.strip()
    if not query:
        return [(choice, ()) for choice in choices]
    wanted = query.casefold().replace(" ", "")
    search = Matcher(query).fuzzy_search
    found: list[tuple[float, int, Choice, Sequence[int]]] = []
    for place, choice in enumerate(choices):
        text = choice.text.casefold()
        if not _within(wanted, text):
            continue
        score, offsets = _score(query, text, search.match)
        if score > 0:
            found.append((-score, place, choice, offsets))
    found.sort(key=lambda hit: (hit[0], hit[1]))
    return [(choice, offsets) for _, _, choice, offsets in found]


def _within(letters: str, text: str) -> bool:
    """Whether the letters occur in that order: rules out most choices before the costly part."""
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    return True


def _score(query: str, text: str, match: Matching) -> tuple[float, Sequence[int]]:
    query = query.casefold()
    at = text.find(query)
    if at >= 0:
        # Whole words rank before scattered letters; the start of the text or of a word before its middle.
        start = 2.0 if at == 0 else 1.0 if not text[at - 1].isalnum() else 0.0
        return 1000.0 + 100 * start - at, range(at, at + len(query))
    words = query.split()
    if len(words) > 1 and all(word in text for word in words):
        return 500.0, [n for word in words for n in range(text.find(word), text.find(word) + len(word))]
    letters = query.replace(" ", "")
    if len(text) > _FUZZY_LENGTH or len(letters) > _FUZZY_QUERY:
        return 0.0, ()
    return match(letters, text)


class Ticks:
    """Which choices are on, with what they were at the start."""

    def __init__(self, start: Mapping[str, Tick] | None = None, *, scoped: bool = False) -> None:
        self._start = dict(start or {})
        self._now = dict(self._start)
        self._scoped = scoped

    def of(self, value: str) -> Tick:
        """The state of a choice."""
        return self._now.get(value, "off")

    @property
    def touched(self) -> bool:
        """Whether anything differs from the start."""
        return any(self.of(value) != self._start.get(value, "off") for value in {*self._now, *self._start})

    def toggle(self, value: str) -> None:
        """On, then off, then back to "some" if it started so. Ticking turns scoped siblings off."""
        was, began = self.of(value), self._start.get(value, "off")
        if was == "on":
            self._now[value] = "off"
        else:
            self._now[value] = "some" if was == "off" and began == "some" else "on"
        if self._scoped and self._now[value] == "on":
            for sibling in same_scope(value, tuple(self._now)):
                self._now[sibling] = "off"

    def result(self, order: Iterable[str]) -> Result:
        """The changes to make. ``order`` decides the order of added values."""
        add = tuple(
            value for value in order if self.of(value) == "on" and self._start.get(value, "off") != "on"
        )
        remove = frozenset(
            value for value, began in self._start.items() if began != "off" and self.of(value) == "off"
        )
        return Result(add=add, remove=remove)


def ticks_of(sets: Sequence[Iterable[str]]) -> dict[str, Tick]:
    """The common and mixed values of several issues: on all of them, or on some."""
    counts: dict[str, int] = {}
    for values in sets:
        for value in set(values):
            counts[value] = counts.get(value, 0) + 1
    return {value: "on" if count == len(sets) else "some" for value, count in counts.items()}


_BOXES: dict[Tick, str] = {"off": "[ ]", "some": "[~]", "on": "[x]"}


class PickList(LineList):
    """Lines to choose from. ``ticks`` is None if exactly one is chosen."""

    DEFAULT_CSS = """
    PickList { height: auto; overflow-x: hidden; }
    """

    def __init__(self, choices: Sequence[Choice], ticks: Ticks | None) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.ticks = ticks
        self._rows: list[tuple[Choice, Sequence[int]]] = []

    def on_mount(self) -> None:
        """Show all."""
        self.search("")

    def search(self, query: str) -> None:
        """Show what matches; the cursor goes to the best match."""
        self._rows = matching(query, self.choices)
        self.measure(len(self._rows))
        self.go(0)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line per choice, up to the style's maximum, whatever is typed."""
        most = max(3, self.app.size.height * 45 // 100)
        return min(max(1, len(self.choices)), most)

    @property
    def current(self) -> Choice | None:
        """The choice under the cursor."""
        return self._rows[self.cursor][0] if self.cursor < len(self._rows) else None

    def go(self, row: int) -> None:
        """Move the cursor to an existing line."""
        self.cursor = row
        self.reveal(row, row)
        self.refresh()

    def move(self, step: int) -> None:
        """Move the cursor; a single step wraps around."""
        if count := len(self._rows):
            to = self.cursor + step
            self.go(to % count if abs(step) == 1 else min(max(to, 0), count - 1))

    def toggle(self) -> None:
        """Tick or untick under the cursor."""
        if self.ticks is not None and (choice := self.current):
            self.ticks.toggle(choice.value)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One choice."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        row = self.line_at(y)
        if row is None:
            if y == 0:
                line.add("  no matches", palette.style("overlay", "muted"))
            return line.strip(palette.style("overlay"))
        choice, offsets = self._rows[row]
        ground: Ground = "focus" if row == self.cursor else "overlay"
        plain, accent = palette.style(ground), palette.style(ground, "accent")
        line.add("▌" if row == self.cursor else " ", accent)
        if self.ticks is not None:
            tick = self.ticks.of(choice.value)
            line.add(_BOXES[tick], palette.style(ground, "muted" if tick == "off" else "strong"))
            line.add(" ", plain)
        if choice.color:
            line.add("■", palette.swatch(choice.color, ground))
            line.add(" ", plain)
        note = clip(clean(choice.note), max(line.room // 2, 0))
        text = clip(clean(choice.text), line.room - (width_of(note) + 2 if note else 1))
        found = set(offsets)
        for is_found, letters in groupby(enumerate(text), key=lambda letter: letter[0] in found):
            line.add("".join(letter for _, letter in letters), accent if is_found else plain)
        if note:
            line.pad(width_of(note) + 1, plain)
            line.add(note, palette.style(ground, "muted"))
        return line.strip(plain)


class Find(Input):
    """A field in which space ticks. Enter and space take effect after the letters typed before them."""

    class Ticked(Message):
        """Space was pressed."""

    def __init__(self, *, ticks: bool) -> None:
        super().__init__(placeholder="type to search", compact=True)
        self._ticks = ticks

    def on_key(self, event: events.Key) -> None:
        """Report a space instead of typing it."""
        if event.key == "space" and self._ticks:
            event.stop()
            event.prevent_default()
            self.post_message(self.Ticked())


class Picker(Dialog[Result]):
    """Choose one of several, or with ``ticks`` any number. ``Result.add`` holds what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+k", "move(-1)", show=False),
        Binding("down,ctrl+j", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, ticks: Ticks | None = None, note: str = ""
    ) -> None:
        several = "Space ticks · Enter applies · [~] only on some · Esc cancels"
        super().__init__(
            title, note=note, hint=several if ticks is not None else "Enter confirms · Esc cancels"
        )
        self._list = PickList(choices, ticks)
        self._input = Find(ticks=ticks is not None)

    def inside(self) -> list[Widget]:
        """An input field and the list."""
        return [self._input, self._list]

    def on_mount(self) -> None:
        """Focus the field."""
        self._input.focus()

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self._list.search(event.value)

    @on(PickList.Chosen)
    def _clicked(self, event: PickList.Chosen) -> None:
        self._list.go(event.row)
        if self._list.ticks is None:
            self._apply()
        else:
            self._list.toggle()

    @on(Find.Ticked)
    def _ticked(self) -> None:
        self._list.toggle()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._list.move(step)

    @on(Input.Submitted)
    def _apply(self) -> None:
        """Confirm. If nothing was ticked or unticked, apply the choice under the cursor."""
        ticks, current = self._list.ticks, self._list.current
        if ticks is None:
            self.dismiss(Result(add=(current.value,)) if current else None)
            return
        if not ticks.touched and current is not None:
            ticks.toggle(current.value)
        self.dismiss(ticks.result(choice.value for choice in self._list.choices))
