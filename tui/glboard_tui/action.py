"""What an action is: id, title, keys, help group, when it applies; and how its keys are written.

It owns the types and the words for keys, not the list: that is ``actions.py``.

Keys are sequences of tokens separated by spaces: a printable character stands for itself, others have names
(``enter``, ``ctrl+d``, ``space``). A last token in angle brackets is an argument: ``<digit>``, or the letter
of a flow state, a column or a person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from msgspec import Struct

Group = Literal[
    "Focus", "Marks", "Plan", "Move", "People and labels", "Text", "Undo", "Find", "Boards", "View"
]
Slot = Literal["digit", "flow", "column", "person", "priority", "severity"]
Scope = Literal["board", "detail", "list", "room"]
"""Where a key is pressed: on the board, in an opened issue, in a list over the board, in the room pane beside
it, where no key is for a card."""

#: Wherever an issue is looked at.
EVERYWHERE: tuple[Scope, ...] = ("board", "detail", "list")
#: What goes elsewhere: from a list to another one or to a board, from the room pane as well.
GOING: tuple[Scope, ...] = ("board", "list", "room")

GROUPS: tuple[Group, ...] = (
    "Focus",
    "Marks",
    "Plan",
    "Move",
    "People and labels",
    "Text",
    "Undo",
    "Find",
    "Boards",
    "View",
)


class Situation(Struct, frozen=True, kw_only=True):
    """What decides whether an action applies now."""

    scope: Scope = "board"
    #: Issues the next edit would reach.
    targets: int = 0
    marked: int = 0
    #: Whether the last action's marks can be brought back.
    lost_marks: bool = False
    undo: bool = False
    redo: bool = False
    repeat: bool = False
    #: Whether something can be closed by Esc: filter or marks.
    escape: bool = False
    failed: int = 0
    #: Whether a change of a target waits for a choice between mine and theirs.
    clashing: bool = False
    #: Whether this server knows weights (EE).
    weights: bool = True
    #: Whether the catalog was read, so that pickers have something to offer.
    ready: bool = True
    writable: bool = True


When = Callable[[Situation], bool]


def always(_: Situation) -> bool:
    """Applies at any time."""
    return True


def when_ready(now: Situation) -> bool:
    """Applies once the catalog was read."""
    return now.ready


def on_targets(now: Situation) -> bool:
    """Applies where an issue is looked at."""
    return now.targets > 0


def when_editable(now: Situation) -> bool:
    """Applies where an issue may be changed."""
    return now.targets > 0 and now.ready and now.writable


def when_weighable(now: Situation) -> bool:
    """Applies where an issue may be changed and the server knows weights."""
    return when_editable(now) and now.weights


def on_conflict(now: Situation) -> bool:
    """Applies where a change waits for a choice."""
    return now.clashing


class Action(Struct, frozen=True, kw_only=True):
    """One thing a person can do. ``hint`` is its word in footer and which-key; "" keeps the title."""

    id: str
    title: str
    keys: tuple[str, ...]
    group: Group
    hint: str = ""
    when: When = always
    #: Where it works.
    scopes: tuple[Scope, ...] = ("board",)
    #: Whether the palette offers it (focus moves would only be noise there).
    palette: bool = True

    @property
    def word(self) -> str:
        """What footer and which-key call it."""
        return self.hint or self.title

    @property
    def slot(self) -> Slot | None:
        """What kind of argument its last key is, or none."""
        return next((slot for keys in self.keys if (slot := slot_of(keys))), None)

    def applies(self, now: Situation) -> bool:
        """Whether it can be done now."""
        return now.scope in self.scopes and self.when(now)


_SLOTS: dict[str, Slot] = {f"<{slot}>": slot for slot in get_args(Slot)}


def slot_of(keys: str) -> Slot | None:
    """The argument a key sequence ends in, or none."""
    return _SLOTS.get(keys.rpartition(" ")[2])


def slot_token(slot: Slot) -> str:
    """How that argument is written in a key sequence."""
    return f"<{slot}>"


_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "left": "Left",
    "right": "Right",
    "up": "Up",
    "down": "Down",
    "home": "Home",
    "end": "End",
    "<digit>": "0-9",
    "<flow>": "letter",
    "<column>": "letter",
    "<person>": "letter",
    "<priority>": "1-4",
    "<severity>": "1-4",
}


def key_words(keys: str) -> str:
    """A key sequence as people read it: ``g g`` is ``gg``, ``ctrl+d`` is ``Ctrl+D``."""
    tokens = keys.split(" ")
    words = [_key_word(token) for token in tokens]
    return ("" if all(len(word) == 1 for word in words) else " ").join(words)


def _key_word(token: str) -> str:
    if token in _NAMES:
        return _NAMES[token]
    modifier, plus, key = token.partition("+")
    if plus and key:
        return f"{modifier.capitalize()}+{_NAMES.get(key, key.upper())}"
    return token
