"""What an action is: id, title, keys, help group, when it applies; and how its keys are written.

It owns the types and the names of keys, not the list: that is ``actions.py``.

Keys are sequences of tokens separated by spaces: a printable character is written as it is, others have names
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
"""Where a key is pressed: on the board, in an open issue, in a list over the board, or in the capacity pane
next to the board, where no key acts on a card."""

#: Wherever an issue has the focus.
EVERYWHERE: tuple[Scope, ...] = ("board", "detail", "list")
#: Navigation: from the board, from a list and from the capacity pane to another board or list.
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


class ActionContext(Struct, frozen=True, kw_only=True):
    """What decides whether an action applies now."""

    scope: Scope = "board"
    #: How many issues the next edit would change.
    targets: int = 0
    marked: int = 0
    #: Whether the last selection can be restored.
    lost_marks: bool = False
    undo: bool = False
    redo: bool = False
    repeat: bool = False
    #: Whether Esc has something to clear: filter or selection.
    escape: bool = False
    failed: int = 0
    #: Whether a change to a target has a conflict to decide: keep mine or keep theirs.
    clashing: bool = False
    #: Whether this server supports weights (EE).
    weights: bool = True
    #: Whether the catalog is loaded, so that pickers have something to offer.
    ready: bool = True
    writable: bool = True


When = Callable[[ActionContext], bool]


def always(_: ActionContext) -> bool:
    """Applies at any time."""
    return True


def when_ready(now: ActionContext) -> bool:
    """Applies once the catalog is loaded."""
    return now.ready


def on_targets(now: ActionContext) -> bool:
    """Applies when there is an issue to act on."""
    return now.targets > 0


def when_editable(now: ActionContext) -> bool:
    """Applies when there is an issue and it can be changed."""
    return now.targets > 0 and now.ready and now.writable


def when_weighable(now: ActionContext) -> bool:
    """Applies when an issue can be changed and the server supports weights."""
    return when_editable(now) and now.weights


def on_conflict(now: ActionContext) -> bool:
    """Applies when a change has a conflict to decide."""
    return now.clashing


class Action(Struct, frozen=True, kw_only=True):
    """One thing a user can do. ``hint`` is its label in footer and which-key; "" means the title."""

    id: str
    title: str
    keys: tuple[str, ...]
    group: Group
    hint: str = ""
    when: When = always
    #: The scopes in which it works.
    scopes: tuple[Scope, ...] = ("board",)
    #: Whether the palette offers it (focus moves would only be noise there).
    palette: bool = True

    @property
    def word(self) -> str:
        """Its label in footer and which-key."""
        return self.hint or self.title

    @property
    def slot(self) -> Slot | None:
        """The kind of argument its last key is, or None."""
        return next((slot for keys in self.keys if (slot := slot_of(keys))), None)

    def applies(self, now: ActionContext) -> bool:
        """Whether it can be done now."""
        return now.scope in self.scopes and self.when(now)


_SLOTS: dict[str, Slot] = {f"<{slot}>": slot for slot in get_args(Slot)}


def slot_of(keys: str) -> Slot | None:
    """The argument that a key sequence ends in, or None."""
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
