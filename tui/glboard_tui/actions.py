"""The one registry of actions.

Bindings, the footer, ``?``, the palette and the documentation derive from it. It owns names, never behaviour:
that is in ``screens/commands``, and a test compares the two. Ids are stable, because people use them in their
keymap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, get_args

from msgspec import Struct

# What an action is: id, title, keys, help group, when it applies; and how its keys are written.

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
    selected: int = 0
    #: Whether the last selection can be restored.
    can_restore: bool = False
    undo: bool = False
    redo: bool = False
    repeat: bool = False
    #: Whether Esc has something to clear: filter or selection.
    escape: bool = False
    failed: int = 0
    #: Whether a change to a target has a conflict to decide: keep mine or keep theirs.
    conflicting: bool = False
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
    return now.conflicting


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


def _focus(name: str, title: str, *keys: str) -> Action:
    return Action(id=name, title=title, keys=keys, group="Focus", palette=False, scopes=EVERYWHERE)


def _board_focus(name: str, title: str, *keys: str) -> Action:
    return Action(id=name, title=title, keys=keys, group="Focus", palette=False)


def _edit(
    name: str, title: str, *keys: str, group: Group, hint: str = "", when: When = when_editable
) -> Action:
    return Action(id=name, title=title, keys=keys, group=group, hint=hint, when=when, scopes=EVERYWHERE)


def _board(name: str, title: str, key: str) -> Action:
    keys = (f"g {key}",)
    return Action(
        id=f"board.{name}", title=f"{title} board", keys=keys, group="Boards", hint=title, scopes=GOING
    )


def _process(name: str, title: str, key: str, hint: str) -> Action:
    return Action(
        id=f"process.{name}",
        title=title,
        keys=(f"g {key}",),
        group="Boards",
        hint=hint,
        when=when_ready,
        scopes=GOING,
    )


ACTIONS: tuple[Action, ...] = (
    _board_focus("focus.left", "Column to the left", "h", "left"),
    _focus("focus.down", "Down", "j", "down"),
    _focus("focus.up", "Up", "k", "up"),
    _board_focus("focus.right", "Column to the right", "l", "right"),
    _focus("focus.top", "Top", "g g", "home"),
    _focus("focus.bottom", "Bottom", "G", "end"),
    _focus("focus.half-down", "Half a page down", "ctrl+d", "pagedown"),
    _focus("focus.half-up", "Half a page up", "ctrl+u", "pageup"),
    Action(
        id="pane.next",
        title="Next pane (column or open issue)",
        scopes=(*EVERYWHERE, "room"),
        keys=("tab",),
        group="Focus",
        palette=False,
    ),
    Action(
        id="pane.previous",
        title="Previous pane (column or open issue)",
        scopes=(*EVERYWHERE, "room"),
        keys=("shift+tab",),
        group="Focus",
        palette=False,
    ),
    Action(
        id="card.next",
        title="Next card (in an open issue or a list)",
        keys=("n", "J"),
        group="Focus",
        palette=False,
        scopes=("detail", "list"),
    ),
    Action(
        id="card.previous",
        title="Previous card (in an open issue or a list)",
        keys=("N", "K"),
        group="Focus",
        palette=False,
        scopes=("detail", "list"),
    ),
    Action(
        id="mark.toggle",
        title="Select or deselect",
        keys=("space",),
        group="Marks",
        hint="select",
        when=on_targets,
        scopes=("board", "list"),
        palette=False,
    ),
    Action(
        id="mark.range",
        title="Select a range (press at both ends)",
        keys=("V",),
        group="Marks",
        when=on_targets,
        scopes=("board", "list"),
        palette=False,
    ),
    Action(
        id="mark.column",
        title="Select the whole column or list",
        keys=("*",),
        group="Marks",
        when=on_targets,
        scopes=("board", "list"),
    ),
    Action(
        id="mark.again",
        title="Restore last selection",
        keys=("g v",),
        group="Marks",
        hint="last selection",
        when=lambda now: now.can_restore,
        scopes=("board", "list"),
    ),
    _edit("weight.set", "Set weight", "<digit>", group="Plan", hint="weight", when=when_weighable),
    _edit("weight.type", "Enter or clear weight", "w", group="Plan", when=when_weighable),
    _edit(
        "weight.ready",
        "Set weight and ready for development",
        "W <digit>",
        group="Plan",
        hint="weight + ready",
        when=when_weighable,
    ),
    _edit("milestone.current", "To the current milestone", "m c", group="Plan", hint="current"),
    _edit("milestone.next", "To the next milestone", "m n", group="Plan", hint="next"),
    _edit("milestone.after", "To the milestone after next", "m f", group="Plan", hint="after next"),
    _edit("milestone.next-1-3", "To Next 1-3", "m 1", group="Plan", hint="Next 1-3"),
    _edit("milestone.next-4-6", "To Next 4-6", "m 4", group="Plan", hint="Next 4-6"),
    _edit("milestone.backlog", "To the Backlog", "m k", group="Plan", hint="Backlog"),
    _edit("milestone.awaiting", "To Awaiting", "m a", group="Plan", hint="Awaiting"),
    _edit("milestone.none", "Remove milestone", "m x", group="Plan", hint="none"),
    _edit("milestone.search", "Search milestones", "m /", group="Plan", hint="search"),
    _edit(
        "milestone.defer",
        "Defer to the following milestone, remove Deliverable",
        "M",
        group="Plan",
        hint="defer",
    ),
    _edit(
        "accept.with", "Accept: add Deliverable and assign to ...", "d <person>", group="Plan", hint="accept"
    ),
    _edit(
        "accept.present",
        "Accept, keep assignee",
        "d enter",
        group="Plan",
        hint="keep assignee",
    ),
    _edit("accept.search", "Accept, search for an assignee", "d /", group="Plan", hint="search"),
    _edit("accept.back", "Remove Deliverable", "D", group="Plan", hint="remove Deliverable"),
    _edit("plan.breakdown", "Request breakdown (comment)", "B", group="Plan"),
    _edit(
        "plan.slip",
        "Slip: mark as missed, move to the next milestone",
        "x s",
        group="Plan",
        hint="slip",
    ),
    _edit("plan.drop", "Drop to the Backlog with a reason", "x p", group="Plan", hint="drop with reason"),
    _edit("plan.spike", "Mark as spike (sets a weight if empty)", "W s", group="Plan", hint="spike"),
    _edit("flow.set", "Set workflow state", "s <flow>", group="Move", hint="state"),
    _edit("flow.advance", "Advance to the next workflow state", "S", group="Move", hint="advance"),
    _edit("flow.take", "Start work: assign to me, set in dev", "I", group="Move", hint="start work"),
    _edit("flow.blocked", "Set blocked (comment)", "b", group="Move", hint="blocked"),
    Action(
        id="move.left",
        title="Move to the previous column",
        keys=("H",),
        group="Move",
        hint="move left",
        when=when_editable,
    ),
    Action(
        id="move.right",
        title="Move to the next column",
        keys=("L",),
        group="Move",
        hint="move right",
        when=when_editable,
    ),
    Action(
        id="move.to",
        title="Move to a column",
        keys=("> <column>",),
        group="Move",
        hint="to column",
        when=when_editable,
    ),
    Action(id="rank.up", title="Rank up", keys=("K",), group="Move", when=when_editable),
    Action(id="rank.down", title="Rank down", keys=("J",), group="Move", when=when_editable),
    Action(
        id="rank.top", title="Rank to the top", keys=("g K",), group="Move", when=when_editable, hint="to top"
    ),
    Action(
        id="rank.bottom",
        title="Rank to the bottom",
        keys=("g J",),
        group="Move",
        when=when_editable,
        hint="to bottom",
    ),
    _edit("close.complete", "Complete and close", "x x", group="Move", hint="complete and close"),
    _edit("close.plain", "Close", "x c", group="Move", hint="close"),
    _edit("close.reopen", "Reopen", "x o", group="Move", hint="reopen"),
    _edit("close.wont-do", "Close as won't do", "x w", group="Move", hint="won't do"),
    _edit("close.duplicate", "Close as duplicate", "x d", group="Move", hint="duplicate"),
    _edit("assignees.edit", "Edit assignees", "a", group="People and labels", hint="assignees"),
    _edit("assignees.me", "Assign or unassign me", "A", group="People and labels"),
    _edit("labels.edit", "Edit labels", "t", group="People and labels", hint="labels"),
    _edit("labels.priority", "Set priority", "P <priority>", group="People and labels", hint="priority"),
    _edit("labels.severity", "Set severity", "Y <severity>", group="People and labels", hint="severity"),
    _edit(
        "labels.missing",
        "Add missing labels: group, type, subtype, category",
        "T",
        group="People and labels",
        hint="missing labels",
    ),
    _edit("text.comment", "Add comment", "c", group="Text", hint="comment"),
    Action(
        id="text.new",
        title="New issue in this column",
        keys=("n",),
        group="Text",
        hint="new",
        when=lambda now: now.ready and now.writable,
    ),
    _edit("text.edit", "Edit title and description in $EDITOR", "e", group="Text", hint="edit"),
    Action(
        id="undo",
        title="Undo",
        keys=("u",),
        group="Undo",
        when=lambda now: now.undo,
        scopes=EVERYWHERE,
    ),
    Action(
        id="redo",
        title="Redo",
        keys=("U", "ctrl+r"),
        group="Undo",
        when=lambda now: now.redo,
        scopes=EVERYWHERE,
    ),
    Action(
        id="repeat",
        title="Repeat the last edit",
        keys=(".",),
        group="Undo",
        when=lambda now: now.repeat and when_editable(now),
        scopes=EVERYWHERE,
    ),
    Action(
        id="failed.list",
        title="Failed changes: retry, edit or discard",
        keys=("g f",),
        group="Undo",
        hint="failed",
        scopes=GOING,
    ),
    Action(id="history", title="Change log", keys=("g h",), group="Undo", hint="history", scopes=GOING),
    _edit("conflict.mine", "Conflict: keep mine", "! m", group="Undo", hint="keep mine", when=on_conflict),
    _edit(
        "conflict.theirs", "Conflict: keep theirs", "! t", group="Undo", hint="keep theirs", when=on_conflict
    ),
    _edit("conflict.look", "Conflict: compare both", "! l", group="Undo", hint="compare", when=on_conflict),
    Action(id="filter.edit", title="Filter", keys=("/",), group="Find", hint="filter", when=when_ready),
    Action(
        id="filter.person",
        title="Filter by assignee",
        keys=("f a",),
        group="Find",
        hint="assignee",
        when=when_ready,
    ),
    Action(
        id="filter.unweighted",
        title="Filter: unweighted",
        keys=("f u",),
        group="Find",
        hint="unweighted",
        when=when_ready,
    ),
    Action(
        id="filter.unready",
        title="Filter: not ready",
        keys=("f r",),
        group="Find",
        hint="unready",
        when=when_ready,
    ),
    Action(
        id="filter.slipped",
        title="Filter: slipped",
        keys=("f s",),
        group="Find",
        hint="slipped",
        when=when_ready,
    ),
    Action(
        id="filter.mine",
        title="Filter: assigned to me",
        keys=("f m",),
        group="Find",
        hint="mine",
        when=when_ready,
    ),
    Action(
        id="escape",
        title="Close overlay, then clear filter, then selection",
        scopes=EVERYWHERE,
        keys=("escape",),
        group="Find",
        palette=False,
    ),
    _board("planning", "Planning", "p"),
    _board("build", "Build", "b"),
    _board("next-1-3", "Next 1-3", "1"),
    _board("next-4-6", "Next 4-6", "4"),
    _board("backlog", "Backlog", "k"),
    _board("milestones", "Milestones", "m"),
    _board("people", "People", "w"),
    _process("candidates", "Candidates for the milestone, in suggested order", "c", "candidates"),
    _process("room", "Capacity: per person and team", "r", "capacity"),
    _process("triage", "Triage: issues that need fixing", "t", "triage"),
    _process("refinement", "Refinement queue: unweighted issues in planning breakdown", "q", "refinement"),
    _process("own", "My work by workflow state", "o", "my work"),
    _process("say-do", "Say/Do of the milestone", "s", "Say/Do"),
    _process("mix", "Mix of bugs, maintenance and features, with target", "M", "mix"),
    _process("end", "End of milestone: unfinished issues", "e", "end"),
    _process("lock", "Lock the plan; changes since the lock", "L", "lock"),
    _process("planning-issue", "Planning issue of the milestone", "i", "planning issue"),
    Action(
        id="process.open-milestone",
        title="Open the milestone in GitLab: planning issue, boards, labels",
        keys=(),
        group="Boards",
        when=lambda now: now.ready and now.writable,
        scopes=GOING,
    ),
    Action(
        id="walk.previous",
        title="Previous milestone",
        keys=("-", "["),
        group="Boards",
        when=when_ready,
        scopes=("board", "room"),
    ),
    Action(
        id="walk.next",
        title="Next milestone",
        keys=("=", "]"),
        group="Boards",
        when=when_ready,
        scopes=("board", "room"),
    ),
    Action(
        id="open.detail", title="Open the issue", keys=("enter",), group="View", hint="open", when=on_targets
    ),
    Action(
        id="open.browser",
        title="Open in browser",
        keys=("o",),
        group="View",
        hint="browser",
        when=on_targets,
        scopes=EVERYWHERE,
    ),
    Action(
        id="copy.reference",
        title="Copy reference",
        keys=("y r",),
        group="View",
        hint="reference",
        when=on_targets,
        scopes=EVERYWHERE,
    ),
    Action(
        id="copy.url",
        title="Copy URL",
        keys=("y u",),
        group="View",
        hint="URL",
        when=on_targets,
        scopes=EVERYWHERE,
    ),
    Action(
        id="copy.title",
        title="Copy title",
        keys=("y t",),
        group="View",
        hint="title",
        when=on_targets,
        scopes=EVERYWHERE,
    ),
    Action(
        id="copy.markdown",
        title="Copy Markdown link",
        keys=("y m",),
        group="View",
        hint="Markdown",
        when=on_targets,
        scopes=EVERYWHERE,
    ),
    Action(
        id="view.density",
        title="Density: compact, normal, roomy",
        keys=("z",),
        group="View",
        scopes=("board", "room"),
    ),
    Action(id="view.closed", title="Show or hide (closed)", keys=("Z",), group="View", when=when_ready),
    Action(id="view.theme", title="Change theme", keys=(), group="View", scopes=GOING),
    Action(
        id="view.updates",
        title="Changes by others",
        keys=("g u",),
        group="View",
        hint="updates",
        scopes=("board", "detail", "room"),
    ),
    Action(
        id="view.refresh",
        title="Refresh from GitLab",
        keys=("r",),
        group="View",
        hint="refresh",
        scopes=("board", "list"),
    ),
    Action(
        id="help",
        title="All keys",
        keys=("?",),
        group="View",
        hint="keys",
        palette=True,
        scopes=(*EVERYWHERE, "room"),
    ),
    Action(
        id="palette",
        title="Command palette",
        keys=("ctrl+p",),
        group="View",
        palette=False,
        scopes=(*EVERYWHERE, "room"),
    ),
    Action(
        id="quit",
        title="Quit (asks if changes are unsent)",
        keys=("q", "ctrl+c", "ctrl+q"),
        group="View",
        hint="quit",
        scopes=(*EVERYWHERE, "room"),
    ),
)
"""Every action of the program, in the order of the help."""

BY_ID = {action.id: action for action in ACTIONS}

PREFIXES = {
    "W": "weight...",
    "m": "milestone",
    "s": "workflow state",
    ">": "to column",
    "d": "accept",
    "x": "close, slip, drop",
    "g": "go to",
    "f": "filter",
    "y": "copy",
    "P": "priority",
    "Y": "severity",
}
"""Titles of the default prefixes in the which-key strip."""


def markdown_table(keys_of: Callable[[Action], Iterable[str]] = lambda action: action.keys) -> str:
    """All keys as a Markdown table, for the documentation."""
    lines = ["| keys | what | id |", "|---|---|---|"]
    for group in GROUPS:
        lines.append(f"| **{group}** | | |")
        for action in ACTIONS:
            if action.group == group:
                keys = " ".join(f"`{key_words(key)}`" for key in keys_of(action)) or "palette"
                lines.append(f"| {keys.replace('|', chr(92) + '|')} | {action.title} | `{action.id}` |")
    return "\n".join(lines) + "\n"
