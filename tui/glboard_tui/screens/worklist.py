"""A list of issues to work through, on which every key of an opened issue works.

Owns the cursor and that the list follows changes at once: an issue that needs nothing more leaves it, and the
cursor stands on the next. What a key does to an issue is the registry's, as on the board: the list is the
desk's target while it is on top. Which issues, and what is said of them, is the subclass's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.model.issue import Issue
from glboard_tui.screens.desk import Desk
from glboard_tui.screens.dialog import Dialog
from glboard_tui.screens.keys import Keys, token_of
from glboard_tui.widgets.rows import Cell, Rows
from glboard_tui.widgets.text import clean
from glboard_tui.widgets.whichkey import WhichKey

_STEPS = {"j": 1, "down": 1, "n": 1, "tab": 1, "k": -1, "up": -1, "N": -1, "shift+tab": -1}
_END = 1_000_000
_LEAPS = {"pagedown": 10, "ctrl+d": 10, "pageup": -10, "ctrl+u": -10, "G": _END, "end": _END, "home": -_END}


class Entry(Struct, frozen=True):
    """A line: its issue, the cells, and what is said below the list while the cursor is on it."""

    issue: Issue
    cells: tuple[Cell, ...]
    about: str = ""


class WorkList(Dialog[None]):
    """Dismissed by ``Esc`` or ``q``."""

    DEFAULT_CSS = """
    WorkList .about { height: auto; min-height: 2; max-height: 4; margin-top: 1; color: $foreground 85%; }
    WorkList WhichKey { background: $panel; }
    """
    empty = "Nothing is left here."
    hints = ""

    def __init__(self, desk: Desk) -> None:
        super().__init__("", hint=self.hints)
        self.desk = desk
        self.plan = desk.screen.plan
        self.entries: list[Entry] = []
        self._rows = Rows(empty=f" {self.empty}")
        self._about = Static(classes="about")
        self._strip = WhichKey()
        self._keys = Keys(desk.screen.keymap, desk, self._strip)
        self._unwatch: Callable[[], None] = lambda: None
        self._asked = False
        self._said = False

    # What the subclass says

    def fill(self) -> Sequence[Entry]:
        """The lines as they are now."""
        return ()

    def heading_of(self, place: int, count: int) -> str:
        """The title, with the cursor's place."""
        return f"{place} of {count}"

    def own_key(self, token: str) -> bool:
        """Take a key of one's own; whether it was one."""
        return False

    # The list

    def inside(self) -> list[Widget]:
        """Lines, what is said of one, what can follow a prefix."""
        return [self._rows, self._about, self._strip]

    def on_mount(self) -> None:
        """Take the desk, and follow what changes."""
        self.desk.top = self
        self._unwatch = self.plan.watch(self._changed)
        self.refill()
        super().on_mount()

    def on_unmount(self) -> None:
        """Give the desk back."""
        self._unwatch()
        if self.desk.top is self:
            self.desk.top = None

    def _changed(self) -> None:
        if not self._asked:
            # Many changes come at once; the list is made once for all of them.
            self._asked = True
            self.call_later(self.refill)

    def refill(self) -> None:
        """Make the list anew; the cursor stays with its issue, or goes to what came after it."""
        self._asked = False
        at, before = self._rows.cursor, self.chosen()
        self.entries = list(self.fill())
        if before is not None:
            at = next((n for n, entry in enumerate(self.entries) if entry.issue.id == before.id), at)
        self._rows.show([entry.cells for entry in self.entries], at)
        self._tell()

    def _tell(self) -> None:
        count = len(self.entries)
        words = self.heading_of(self._rows.cursor + 1 if count else 0, count)
        self.query_one(".overlay-title", Static).update(Content(clean(words)))
        entry = self.entries[self._rows.cursor] if self.entries else None
        about = entry.about if entry else ""
        self._about.update(Content("\n".join(map(clean, about.splitlines()))))

    def chosen(self) -> Issue | None:
        """The issue under the cursor."""
        return self.entries[self._rows.cursor].issue if self.entries else None

    def tell(self, text: str) -> None:
        """A word from the desk, until the next key."""
        self._said = bool(text)
        self.say(text or self.hint)

    def go(self, step: int) -> None:
        """Move the cursor."""
        self._rows.go(self._rows.cursor + step)
        self._tell()

    def on_key(self, event: events.Key) -> None:
        """Own keys, then those of an opened issue."""
        event.stop()
        event.prevent_default()
        token = token_of(event)
        if self._said:
            self.tell("")
        if self._keys.pending:
            self._keys.press(token)
        elif token in _STEPS:
            self.go(_STEPS[token])
        elif token in _LEAPS:
            self.go(_LEAPS[token])
        elif token in ("escape", "q"):
            self.dismiss(None)
        elif not self.own_key(token):
            self._keys.press(token)
