"""What an action is: where it works, when it applies, and how its keys are written.

The registry of all actions is ``actions.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Literal, get_args

from msgspec import Struct

Group = Literal[
    "Focus", "Selection", "Plan", "Move", "People and labels", "Links", "Text", "Undo", "Draft", "Find",
    "Boards", "Panes", "View", "Commands", "Shared screen", "Walk", "Lists", "Candidates",
    "Changes by others", "Say/Do",
    "Decisions", "Post decisions", "End of milestone", "Locked plan", "Capacity",
    "Post capacity", "Compare a draft", "Drafts", "Failed changes", "Change log",
    "Open a milestone", "Setup", "Dialogs",
]  # fmt: skip
GROUPS: tuple[Group, ...] = get_args(Group)
Slot = Literal["digit", "flow", "column", "person", "priority", "severity", "filter"]
Scope = Literal[
    "board", "detail", "task", "any-pane", "pane", "list", "described-list", "candidates", "triage",
    "refinement", "own-work", "updates", "say-do", "milestone-end", "plan-lock", "mix", "capacity",
    "capacity-post", "draft", "drafts", "decisions", "decisions-post", "failed", "log", "milestone-setup",
    "walk", "comment", "new-issue", "setup", "command-output",
]  # fmt: skip
"""Where a key is pressed: on the board, in an open issue, or in a pane; some are only shared by panes."""

_PARENTS: dict[Scope, Scope] = {
    **dict.fromkeys(
        (
            "candidates",
            "triage",
            "refinement",
            "own-work",
            "say-do",
            "milestone-end",
            "plan-lock",
            "mix",
            "draft",
        ),
        "described-list",
    ),
    "task": "detail",
    "decisions": "described-list",
    "decisions-post": "pane",
    "described-list": "list",
    "updates": "list",
    "command-output": "pane",
    **dict.fromkeys(
        ("list", "capacity", "capacity-post", "drafts", "failed", "log", "milestone-setup", "walk"), "pane"
    ),
    "pane": "any-pane",
}


@cache
def chain_of(scope: Scope) -> tuple[Scope, ...]:
    """The scopes whose keys work in ``scope``, its own first: a pane's own keys go before shared ones."""
    parent = _PARENTS.get(scope)
    return (scope, *chain_of(parent)) if parent else (scope,)


class ActionContext(Struct, frozen=True, kw_only=True):
    """The state that decides whether an action is available."""

    scope: Scope = "board"
    #: The states of the pane that decide about its own keys, such as ``proposing``.
    modes: frozenset[str] = frozenset()
    #: Whether label and status of an issue that the next edit would change name different states.
    differing: bool = False
    #: How many issues the next edit would change.
    targets: int = 0
    selected: int = 0
    #: Whether the last selection can be restored.
    can_restore: bool = False
    undo: bool = False
    redo: bool = False
    repeat: bool = False
    #: Whether any change has a conflict to decide: keep mine or keep theirs.
    conflicting: bool = False
    #: Whether this server supports weights (EE).
    weights: bool = True
    #: Whether a draft is on: edits are staged.
    draft: bool = False
    #: Whether the catalog is loaded, so that pickers have something to offer.
    ready: bool = True
    writable: bool = True
    #: Whether a planning call goes on.
    calling: bool = False
    #: Whether others watch the screen, and whether a confidential issue is shown to them at the moment.
    shared: bool = False
    revealed: bool = False
    #: Whether an issue that the next edit would change is hidden from them.
    hidden: bool = False


When = Callable[[ActionContext], bool]

Command = Callable[[Any, str], None]
"""What an action does: gets the ``CommandContext`` and the argument (of its slot, or a fixed one, or "")."""


@cache
def command_of(name: str) -> Command:
    """The function ``module.name`` in ``commands``, imported now: the first frame needs none of them."""
    module, _, function = name.partition(".")
    command: Command = getattr(import_module(f"glboard_tui.commands.{module}"), function)
    return command


class Action(Struct, frozen=True, kw_only=True):
    """One thing a user can do. ``hint`` is its label in footer and which-key; "" means the title.

    ``does`` names its function in ``commands``, with a fixed argument if it takes one: ``edit.rank up``.
    ``panes.own NAME`` is the method ``action_NAME`` of the pane that has the keys.
    """

    id: str
    does: str
    title: str
    keys: tuple[str, ...]
    group: Group
    hint: str = ""
    when: When
    #: The scopes in which it works.
    scopes: tuple[Scope, ...]
    #: Whether the palette offers it (focus moves would only be noise there).
    palette: bool = True
    #: Whether it shows more of an issue than share mode allows: disabled there for confidential issues.
    shows: bool = False
    #: Whether its key also starts others: where it does not apply, they follow.
    starts: bool = False

    @property
    def word(self) -> str:
        """Its label in footer and which-key."""
        return self.hint or self.title

    @property
    def slot(self) -> Slot | None:
        """The kind of argument its last key is, or None."""
        return next((slot for keys in self.keys if (slot := slot_of(keys))), None)

    @property
    def command(self) -> Command:
        """The function that does it."""
        return command_of(self.does.partition(" ")[0])

    @property
    def fixed(self) -> str:
        """The argument of an action without a slot, or ""."""
        return self.does.partition(" ")[2]

    def applies(self, now: ActionContext) -> bool:
        """Whether it can be done now."""
        return any(scope in self.scopes for scope in chain_of(now.scope)) and self.when(now)


# How keys are written

_SLOTS: dict[str, Slot] = {f"<{slot}>": slot for slot in get_args(Slot)}
_NAMES = {
    "escape": "Esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "shift+tab": "Shift+Tab",
    "<digit>": "0-9",
    "<flow>": "letter",
    "<column>": "letter",
    "<person>": "letter",
    "<priority>": "1-4",
    "<severity>": "1-4",
    "<filter>": "letter",
}


def slot_of(keys: str) -> Slot | None:
    """The argument that a key sequence ends in, or None."""
    return _SLOTS.get(keys.rpartition(" ")[2])


def slot_token(slot: Slot) -> str:
    """How that argument is written in a key sequence."""
    return f"<{slot}>"


def key_words(keys: str) -> str:
    """A key sequence for display: ``g g`` is ``gg``, ``ctrl+d`` is ``Ctrl+D``."""
    words = [_key_word(token) for token in keys.split(" ")]
    return ("" if all(len(word) == 1 for word in words) else " ").join(words)


def _key_word(token: str) -> str:
    if token in _NAMES:
        return _NAMES[token]
    modifier, plus, key = token.partition("+")
    if plus and key:
        return f"{modifier.capitalize()}+{key.capitalize()}"
    return token.capitalize() if len(token) > 1 else token
