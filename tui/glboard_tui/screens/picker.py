"""Choosing from a list by typing: labels, people, milestones, projects.

Owns the keys of a picker, and when its source is searched. What is known is shown at once; a search follows
once no letter has come for a moment, and what it finds is added below: no line moves, and ``Enter`` takes the
line that is highlighted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import ClassVar, Literal

from msgspec import Struct
from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import Matcher
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from glboard_core.errors import GlboardError
from glboard_core.model.issue import same_scope
from glboard_core.model.query import Found
from glboard_tui.action import key_words
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.picker_source import Choice, Source
from glboard_tui.widgets.colors import Ground, palette_of
from glboard_tui.widgets.table import LineList
from glboard_tui.widgets.text import Line, clean, clip, width_of

Tick = Literal["off", "some", "on"]

#: Seconds without a letter after which a search starts: typing on costs no request.
PAUSE = 0.2
#: The fewest letters that are searched for, and from how many on GitLab finds parts of words.
_LEAST, _PARTS = 2, 3
#: Lines of a picker that searches: its frame keeps its size, whatever is found.
_LINES = 10
#: Scattered letters are shown so many times at most in a picker that searches: what is found follows them.
_SCATTERED = 5
#: Longer texts are only searched for whole words: fuzzy matching tries every combination.
_FUZZY_LENGTH = 48
_FUZZY_QUERY = 12
#: How many texts at most are tried for scattered letters at each key: thousands would hold up typing.
_MOST_TRIED = 500
#: The score of a text that has all words typed; scattered letters score less.
_WORDS = 500.0


#: In place of the lines while nothing is typed and nothing is known.
_NONE_YET = "nothing known here yet"


class Result(Struct, frozen=True, kw_only=True):
    """The result: values to add to all and to remove from all; the rest stays."""

    add: tuple[str, ...] = ()
    remove: frozenset[str] = frozenset()
    #: The text itself, where that is an answer, too.
    typed: str = ""


def matching(
    query: str, choices: Sequence[Choice], *, scattered: int | None = None
) -> list[tuple[Choice, Sequence[int]]]:
    """The matching choices, best first, with the matching positions; all, in order, for "".

    ``scattered``: how many at most match by letters that are not next to each other.
    """
    query = query.strip()
    if not query:
        return [(choice, ()) for choice in choices]
    query = query.casefold()
    letters, words = query.replace(" ", ""), query.split()
    search = Matcher(query).fuzzy_search
    found: list[tuple[float, int, Choice, Sequence[int]]] = []
    tried = whole = 0
    for place, choice in enumerate(choices):
        text = choice.text.casefold()
        score, offsets = _whole(query, words, text)
        if not score and choice.also and all(word in choice.also.casefold() for word in words):
            score = _WORDS
        if score:
            whole += 1
        elif (
            tried < _MOST_TRIED
            and len(text) <= _FUZZY_LENGTH
            and len(letters) <= _FUZZY_QUERY
            and _within(letters, text)
        ):
            tried += 1
            score, offsets = search.match(letters, text)
        if score:
            found.append((-score, place, choice, offsets))
    found.sort(key=lambda hit: (hit[0], hit[1]))
    shown = found if scattered is None else found[: whole + scattered]
    return [(choice, offsets) for _, _, choice, offsets in shown]


def _within(letters: str, text: str) -> bool:
    """Whether the letters occur in that order: rules out most choices before the costly part."""
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    return True


def _whole(query: str, words: Sequence[str], text: str) -> tuple[float, Sequence[int]]:
    """Score and positions of the whole query, or of all its words; 0 if they are not in the text."""
    at = text.find(query)
    if at >= 0:
        # The start of the text or of a word ranks before its middle.
        start = 2.0 if at == 0 else 1.0 if not text[at - 1].isalnum() else 0.0
        return 2 * _WORDS + 100 * start - min(at, 99), range(at, at + len(query))
    if len(words) > 1 and all(word in text for word in words):
        return _WORDS, [n for word in words for n in range(text.find(word), text.find(word) + len(word))]
    return 0.0, ()


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
    """Lines to choose from. ``ticks`` is None if exactly one is chosen; ``grows``: more can be found."""

    DEFAULT_CSS = """
    PickList { height: auto; overflow-x: hidden; }
    """

    def __init__(self, choices: Sequence[Choice], ticks: Ticks | None, *, grows: bool = False) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.ticks = ticks
        #: Shown if there are no lines.
        self.empty = _NONE_YET
        self._grows = grows
        self._least = len(self.choices)
        self._rows: list[tuple[Choice, Sequence[int]]] = []

    def on_mount(self) -> None:
        """Show all."""
        self.search("")

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self._rows)

    def search(self, query: str) -> None:
        """Show what matches; the cursor goes to the best match."""
        self._rows = matching(query, self._ordered(), scattered=_SCATTERED if self._grows else None)
        self.measure(len(self._rows))
        self.go(0)
        self.refresh(layout=True)

    def _ordered(self) -> Sequence[Choice]:
        """All choices; those found and ticked are among the first, so that they stay in sight."""
        ticks = self.ticks
        if ticks is None or len(self.choices) == self._least:
            return self.choices
        known, found = self.choices[: self._least], self.choices[self._least :]
        ticked = [choice for choice in found if ticks.of(choice.value) == "on"]
        return (*ticked, *known, *(choice for choice in found if choice not in ticked))

    def add(self, query: str, found: Sequence[Choice]) -> None:
        """Add what a search found for ``query``, below: cursor and lines stay where they are."""
        known = {choice.value: choice for choice in self.choices}
        shown = {choice.value for choice, _ in self._rows}
        self.choices += tuple(choice for choice in found if choice.value not in known)
        more = [known.get(choice.value, choice) for choice in found if choice.value not in shown]
        offsets = {choice.value: at for choice, at in matching(query, more)}
        self._rows += [(choice, offsets.get(choice.value, ())) for choice in more]
        self.measure(len(self._rows))
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line per choice, up to the style's maximum, whatever is typed and found."""
        # What surrounds it has eight lines, also on the smallest terminal.
        height = self.app.size.height
        most = max(3, min(height * 45 // 100, height - 8))
        return min(max(_LINES if self._grows else 1, self._least), most)

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
                line.add(f"  {self.empty}", palette.style("overlay", "muted"))
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
        text = clean(choice.text)
        # A note has what the text leaves, and half of the line if the text is long.
        note = clip(clean(choice.note), max(line.room // 2, line.room - width_of(text) - 3, 0))
        text = clip(text, line.room - (width_of(note) + 2 if note else 1))
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


async def pause() -> None:
    """Wait whether another letter comes: then the search is cancelled here, before any request."""
    await asyncio.sleep(PAUSE)


class Searching(Struct, frozen=True):
    """How far the search for a text is: before, under way, found (perhaps with more), or failed."""

    state: Literal["idle", "under way", "all", "more", "failed"] = "idle"
    error: str = ""


class Picker(Dialog[Result]):
    """Choose one of several, or with ``ticks`` any number. ``Result.add`` holds what was chosen."""

    DEFAULT_CSS = """
    Picker .picker-state { height: 1; color: $foreground 70%; }
    Picker .picker-state.-failed { color: $text-error; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+k", "move(-1)", show=False, priority=True),
        Binding("down,ctrl+j", "move(1)", show=False, priority=True),
        Binding("ctrl+s", "take_text", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
    ]

    def __init__(
        self, title: str, source: Source, *, ticks: Ticks | None = None, note: str = "", typed: str = ""
    ) -> None:
        """``typed``: what Ctrl+S does with the text itself; "" if that is no answer."""
        several = "Space selects · Enter applies · [~] only on some · Esc cancels"
        one = f"Enter confirms · Ctrl+S {typed} · Esc cancels" if typed else "Enter confirms · Esc cancels"
        super().__init__(title, note=note, hint=several if ticks is not None else one)
        self._source = source
        self._takes_text = bool(typed)
        self._known = source.known()
        self._list = PickList(self._known, ticks, grows=source.searches)
        self._input = Find(ticks=ticks is not None)
        self._state_line = Static(classes="picker-state")
        self._searching = Searching()
        #: What was pressed before the answer came, in order; typing on forgets it.
        self._waiting: list[Callable[[], None]] = []
        #: Answers to earlier searches in this picker, by what was asked.
        self._answers: dict[str, Found[Choice]] = {}

    def inside(self) -> list[Widget]:
        """An input field, the list, and how many there are."""
        return [self._input, self._list, self._state_line]

    def on_mount(self) -> None:
        """Focus the field."""
        self._input.focus()
        self._tell()

    # Searching

    @property
    def _asked(self) -> str:
        """The text to search for; capitals and blanks make no difference."""
        return " ".join(self._input.value.casefold().split())

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        # A search that is under way is for another text now.
        self.workers.cancel_group(self, "search")
        self._searching = Searching()
        self._waiting.clear()
        self._list.empty = "no matches" if event.value.strip() else _NONE_YET
        self._list.search(event.value)
        asked = self._asked
        if self._source.searches and len(asked) >= self._fewest(asked) and not self._source.why_not():
            if (answer := self._answer(asked)) is not None:
                self._add(answer)
            else:
                self._searching = Searching("under way")
                self._list.empty = "searching GitLab …"
                self.run_worker(self._find(asked), group="search", exclusive=True)
        self._tell()

    @staticmethod
    def _fewest(text: str) -> int:
        return _LEAST if text.isascii() else 1

    def _answer(self, asked: str) -> Found[Choice] | None:
        """What is known to be the answer: found before, or the whole answer to a shorter text."""
        if asked in self._answers:
            return self._answers[asked]
        for text, answer in self._answers.items():
            # An address is found only in full, and a few letters only as a whole word.
            if not answer.more and asked.startswith(text) and len(text) >= _PARTS and "@" not in asked:
                return Found(tuple(choice for choice, _ in matching(asked, answer.items)))
        return None

    async def _find(self, asked: str) -> None:
        await pause()
        try:
            answer = await self._source.search(asked)
        except GlboardError as error:
            self._searching = Searching("failed", error.message)
        else:
            self._answers[asked] = answer
            if asked != self._asked:
                return
            self._add(answer)
        self._list.empty = "no matches" if asked else _NONE_YET
        self._list.refresh()
        self._tell()
        pressed, self._waiting = self._waiting, []
        for act in pressed:
            act()

    def _add(self, answer: Found[Choice]) -> None:
        self._list.add(self._asked, answer.items)
        self._searching = Searching("more" if answer.more else "all")

    def _tell(self, remark: str = "") -> None:
        """Show how many match and what the search does, or a remark on the last key."""
        self._state_line.set_class(self._searching.state == "failed" and not remark, "-failed")
        self._state_line.update(Content(clean(remark or self._state())))

    def _state(self) -> str:
        count, asked = len(self._list), self._asked
        shown = f"{count:,} found" if asked else f"{len(self._known):,} known"
        if not self._source.searches:
            return f"{count:,} of {len(self._known):,}"
        if why := self._source.why_not():
            return f"{shown} · {why}: only local results"
        match self._searching.state:
            case "under way":
                return f"{shown} · searching GitLab …"
            case "all":
                return f"{shown} · no more in GitLab"
            case "more":
                return f"{shown} · more in GitLab, keep typing"
            case "failed":
                return f"{shown} · search failed: {self._searching.error}"
            case _:
                return f"{shown} · type {'on ' if asked else ''}to search GitLab"

    @property
    def is_searching(self) -> bool:
        """Whether an answer may still come for what was typed."""
        return self._searching.state == "under way"

    # Choosing

    def on_key(self, event: events.Key) -> None:
        """Tell that a key means nothing here."""
        if event.key not in self.active_bindings:
            self._tell(f"{key_words(event.key)} does nothing here: type to search.")

    @on(PickList.Chosen)
    def _clicked(self, event: PickList.Chosen) -> None:
        self._list.go(event.row)
        if self._list.ticks is None:
            self._apply()
        else:
            self._list.toggle()

    @on(Find.Ticked)
    def _ticked(self) -> None:
        if self._list.current is None:
            self._wait_or_say(self._ticked)
        else:
            self._list.toggle()
            self._tell()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._list.move(step)
        self._tell()

    def action_take_text(self) -> None:
        """Take what is typed as it is."""
        text = self._input.value.strip()
        if self._takes_text and text:
            self.dismiss(Result(typed=text))
        else:
            self._tell("Type something first." if self._takes_text else "Choose a line.")

    @on(Input.Submitted)
    def _apply(self) -> None:
        """Confirm. If nothing was ticked or unticked, apply the choice under the cursor."""
        ticks, current = self._list.ticks, self._list.current
        touched = ticks is not None and ticks.touched
        if self._waiting or (current is None and not touched):
            self._wait_or_say(self._apply)
        elif ticks is None:
            assert current is not None
            self._done(Result(add=(current.value,)))
        else:
            if not touched and current is not None:
                ticks.toggle(current.value)
            self._done(ticks.result(choice.value for choice in self._list.choices))

    def _wait_or_say(self, act: Callable[[], None]) -> None:
        """Do it once the answer is there, as it would be done if everything were known; else say so."""
        if self.is_searching:
            self._waiting.append(act)
            self._tell("Selecting the best match when GitLab responds …")
        else:
            self._tell("Nothing matches. Esc cancels.")

    def _done(self, result: Result) -> None:
        self._source.chosen(result.add)
        self.dismiss(result)
