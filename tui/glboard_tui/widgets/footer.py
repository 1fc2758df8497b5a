"""The last lines of the screen: the footer; above it the keys that can follow a prefix, and the filter.

The footer says what the next key acts on, a few hints, and the last change. The target is never dropped;
first the words for the last change are shortened, then hints are dropped one by one from the right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from glboard_tui.widgets.colors import Palette, palette_of
from glboard_tui.widgets.text import Line, clean, clip, fit_right, width_of


class FooterView(Struct, frozen=True, kw_only=True):
    """``target``: "2 selected", or a reference. ``hints``: keys and words. ``last``: "u undo: … to 19.10".

    ``message`` replaces the hints (what a key did, why it did nothing); ``bad`` if it failed.
    """

    target: str = ""
    hints: tuple[tuple[str, str], ...] = ()
    last: str = ""
    message: str = ""
    bad: bool = False
    #: So many of the hints stay next to a message.
    stay: int = 0
    #: There is a selection, so the next key acts on more than the focused card.
    selected: bool = False


#: The target takes a multiple of so many cells, so that another one rarely moves all that is next to it.
_STEP = 8
#: So many hints are worth more than what the last change was; it is not begun in fewer cells than these.
_FIRST, _TOLD = 7, 24


def paint_footer(view: FooterView, width: int, palette: Palette) -> Strip:
    """The line in exactly ``width`` cells."""
    line = Line(width)
    style = palette.style
    line.add(" ", style("band"))
    target = clip(clean(view.target), max(width - 2, 0))
    help_key = next((f"{clean(key)} {clean(words)}" for key, words in view.hints if key == "?"), "")
    # Keys come from the user's keymap: cleaned like everything else.
    hints = [(clean(key), clean(words)) for key, words in view.hints if key != "?"]
    message, stay = clean(view.message), hints[: view.stay]
    told = width_of(message) + _cells(stay)
    crowded = bool(message) and width_of(target) + told + width_of(help_key) + 6 > width
    help_key = help_key[:1] if width < 60 or (crowded and stay) else help_key
    taken = -(-width_of(target) // _STEP) * _STEP + 2
    if message and taken + told + width_of(help_key) + 3 > width:
        # What was just said is read to its end; the target is back with the next key.
        help_key = help_key[:1]
        target = target if taken + told + len(help_key) + 3 <= width else ""
    line.add(target, style("band", "warn" if view.selected else "strong"))
    rest = max(line.room - width_of(help_key) - _STEP - 6, 0)
    most = rest - (told if message else _cells(hints[:_FIRST]))
    last = _undo_words(clean(view.last), most, most if message else rest // 2)
    tail = width_of(last) + (2 if last and help_key else 0) + width_of(help_key) + 1
    if target:
        line.pad(line.room - min(-width_of(target) % _STEP + 2, max(line.room - tail, 0)), style("band"))
    free, gap = line.room - tail - 1, ""
    if message:
        shown = clip(message, max(free - _cells(stay), 0))
        line.add(shown, style("band", "bad" if view.bad else "text"))
        free, gap, hints = free - width_of(shown), "  ", stay
    for key, words in hints:
        cells = len(gap) + width_of(key) + 1 + width_of(words)
        if cells > free:
            break
        line.add(gap, style("band", "muted"))
        line.add(key, style("band", "accent"))
        line.add(f" {words}", style("band", "muted"))
        free, gap = free - cells, "  "
    line.pad(tail, style("band", "muted"))
    line.add(last, style("band", "muted"))
    line.add("  " if last and help_key else "", style("band", "muted"))
    line.add(help_key, style("band", "muted"))
    return line.strip(style("band"))


def _cells(hints: Sequence[tuple[str, str]]) -> int:
    """What these hints take, with the space before each."""
    return sum(width_of(key) + width_of(words) + 3 for key, words in hints)


def _undo_words(last: str, most: int, short: int) -> str:
    """What ``u`` would do in at most so many cells; less said, that it does something, in ``short``."""
    if width_of(last) <= most:
        return last
    if most >= _TOLD:
        return clip(last, most)
    brief = last.partition(": ")[0]
    return brief if width_of(brief) <= short else ""


def whole_words(hint: str, width: int) -> str:
    """The hints, which have two spaces or more between them, that fit in ``width`` cells."""
    parts = re.split(r"(\s{2,})", hint)
    while len(parts) > 1 and width_of("".join(parts)) > width:
        del parts[-2:]
    return "".join(parts)


def differing(before: Strip, after: Strip) -> tuple[int, int]:
    """The cells from the first to the last that differ between two lines of the same width."""
    old, new = list(before), list(after)
    while old and new and old[-1] == new[-1]:
        old.pop()
        new.pop()
    start = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        start += one.cell_length
    return start, max(sum(part.cell_length for part in old), sum(part.cell_length for part in new), start + 1)


class FooterBar(Widget):
    """The line. ``show`` repaints only if something differs."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "FooterBar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view = FooterView()
        #: The line, and what it was painted for.
        self._painted: tuple[FooterView, int, Palette, Strip] | None = None

    def show(self, view: FooterView) -> None:
        """Show another view."""
        if view == self.view:
            return
        before, self.view = self.render_line(0), view
        start, end = differing(before, self.render_line(0))
        self.refresh(Region(start, 0, end - start, 1))

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, palette, painted = self.size.width, palette_of(self.app), self._painted
        if painted is None or painted[:3] != (self.view, width, palette):
            painted = self.view, width, palette, paint_footer(self.view, width, palette)
            self._painted = painted
        return painted[3]


KeyTitle = tuple[str, str]
"""A key and what it does."""

_GAP = 3


KeyGroups = Sequence[tuple[str, Sequence[KeyTitle]]]
"""Keys with the name of their group, or "" if they need none."""


def paint_keys(title: str, groups: KeyGroups, width: int, palette: Palette) -> tuple[Strip, ...]:
    """A title line, the groups side by side, each with its name above, and its entries down the columns
    first, in strips of exactly ``width`` cells.
    """
    style = palette.style
    head = Line(width)
    head.add(" ", style("overlay"))
    head.add(clip(clean(title), max(width - 14, 0)), style("overlay", "strong"))
    head.pad(11, style("overlay"))
    head.add("Esc cancel", style("overlay", "muted"))
    strips = [head.strip(style("overlay"))]
    known = [
        (clean(name), [(clean(key), clean(words)) for key, words in entries])
        for name, entries in groups
        if entries
    ]
    if not known:
        return tuple(strips)
    every = [entry for _, entries in known for entry in entries]
    keys = max(width_of(key) for key, _ in every)
    most = max([width_of(words) + keys + 1 for _, words in every] + [width_of(name) for name, _ in known])
    cell = min(most, max(width - 2, 1))
    across = max(len(known), (width - 2 + _GAP) // (cell + _GAP))
    cell = min(cell, max((width - 2 + _GAP) // across - _GAP, 3))
    # The fewest lines in which all groups fit next to one another.
    down = next(n for n in range(1, len(every) + 1) if sum(-(-len(e) // n) for _, e in known) <= across)
    columns = [
        (name if first == 0 else "", entries[first : first + down])
        for name, entries in known
        for first in range(0, len(entries), down)
    ]
    named = any(name for name, _ in known)
    for row in range(-1 if named else 0, down):
        line = Line(width)
        line.add(" ", style("overlay"))
        for at, (name, entries) in enumerate(columns):
            line.pad(width - 1 - at * (cell + _GAP), style("overlay"))
            if row < 0:
                line.add(clip(name, cell), style("overlay", "muted"))
            elif row < len(entries):
                key, words = entries[row]
                line.add(fit_right(key, keys), style("overlay", "accent"))
                line.add(" ", style("overlay"))
                line.add(clip(words, max(cell - keys - 1, 0)), style("overlay", "text"))
        strips.append(line.strip(style("overlay")))
    return tuple(strips)


class WhichKey(Widget):
    """The strip; as high as its content, hidden while there is none."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "WhichKey { height: auto; width: 1fr; display: none; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = ""
        self._groups: KeyGroups = ()
        self._strips: tuple[Strip, ...] = ()

    def show(self, title: str, groups: KeyGroups) -> None:
        """List what can follow."""
        self._title, self._groups = title, groups
        self._strips = ()
        width = self.app.size.width
        self.styles.height = height = self._height(width)
        # Textual notes the size while it lays out; another one then would be a second layout, a frame later.
        self.virtual_size = Size(width, height)
        self.display = True
        self.refresh()

    @property
    def entries(self) -> tuple[KeyTitle, ...]:
        """All keys that are listed."""
        return tuple(entry for _, entries in self._groups for entry in entries)

    def hide(self) -> None:
        """Hide the list."""
        if self.display:
            self.display = False

    def on_resize(self) -> None:
        """Other columns, another height."""
        self._strips = ()
        if self.display and self.styles.height is not None:
            height = self._height(self.size.width)
            if self.styles.height.value != height:
                self.styles.height = height

    def _height(self, width: int) -> int:
        return len(paint_keys(self._title, self._groups, width, palette_of(self.app)))

    def render_line(self, y: int) -> Strip:
        """One line of the list."""
        palette = palette_of(self.app)
        width = self.size.width
        if not self._strips or self._strips[0].cell_length != width:
            self._strips = paint_keys(self._title, self._groups, width, palette)
        return self._strips[y] if y < len(self._strips) else Strip.blank(width, palette.style("overlay"))

    def notify_style_update(self) -> None:
        """Another theme: other colours."""
        super().notify_style_update()
        self._strips = ()


class FilterBar(Horizontal):
    """Filters while the user types. Shown by ``edit``; posts ``Typed``, and ``Closed`` when it closes."""

    DEFAULT_CSS = """
    FilterBar { display: none; height: 1; width: 1fr; background: $panel; }
    FilterBar Static { width: auto; padding: 0 1 0 1; color: $accent; text-style: bold; }
    FilterBar Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close(False)", show=False),
        Binding("tab", "complete", show=False),
        Binding("up", "earlier(1)", show=False),
        Binding("down", "earlier(-1)", show=False),
    ]

    @dataclass
    class Typed(Message):
        """The text so far."""

        text: str

    @dataclass
    class Closed(Message):
        """Enter keeps the filter, Esc restores the previous one."""

        text: str
        kept: bool

    def __init__(
        self,
        completions: Callable[[str], Sequence[str]] = lambda _: (),
        history: Callable[[], Sequence[str]] = lambda: (),
        hint: str = "words  ~label  @user  w:none  is:unready   -not   a | b   Tab completes   Up: earlier",
    ) -> None:
        super().__init__()
        self._hint = hint
        self._before = ""
        self._completions, self._history = completions, history
        #: What Tab goes through, and the place in the history: 0 is what was typed.
        self._offers: tuple[str, ...] = ()
        self._back = 0
        self._typed = ""

    def compose(self) -> ComposeResult:
        """A slash and a field."""
        yield Static(Content("/"))
        yield Input(placeholder=self._hint, compact=True)

    @property
    def is_open(self) -> bool:
        """Whether it takes the keys."""
        return self.display

    def edit(self, text: str) -> None:
        """Start editing at ``text``."""
        self._before = self._typed = text
        self._offers, self._back = (), 0
        self.display = True
        field = self.query_one(Input)
        field.placeholder = whole_words(self._hint, self.screen.size.width - 3)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.cursor_blink = False
        # Set the focus now, not later: the next key may already be here.
        self.screen.set_focus(field, scroll_visible=False)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    def action_complete(self) -> None:
        """Complete the last name; pressed again, with the next that fits."""
        value = self.query_one(Input).value
        if value in self._offers:
            at = (self._offers.index(value) + 1) % len(self._offers)
        else:
            self._offers, at = tuple(self._completions(value)), 0
        if self._offers:
            self._put(self._offers[at])

    def action_earlier(self, step: int) -> None:
        """Go back and forth in the earlier filters."""
        past = [text for text in self._history() if text != self._before]
        if self._back == 0:
            self._typed = self.query_one(Input).value
        self._back = max(0, min(len(past), self._back + step))
        self._put(past[self._back - 1] if self._back else self._typed)

    def _put(self, text: str) -> None:
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close(True)

    def action_close(self, kept: bool) -> None:
        """Close, and report the resulting filter."""
        text = self.query_one(Input).value if kept else self._before
        self.display = False
        self.post_message(self.Closed(text, kept=kept))
