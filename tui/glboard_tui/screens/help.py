"""All keys by group and a legend of the signs, filtered by typing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input

from glboard_tui.action import Action, Scope, key_words
from glboard_tui.actions import groups_for
from glboard_tui.board_view import FILTER_STATES
from glboard_tui.keymap import Keymap
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.text import width_of, wrapped
from glboard_tui.widgets.text_lines import TextLine, TextLines

#: Cells for the keys, if there is enough width.
_KEYS = 18

_FILTER: tuple[tuple[str, str], ...] = (
    ("words", "all words, in the title, reference or a label"),
    ("~label", "a label; @user an assignee; %milestone a milestone"),
    ("w:3, w>2, w:none", "the weight"),
    ("-word", "exclude; a | b either; “two words” a phrase"),
    ("is:", ", ".join(FILTER_STATES)),
)
#: What every sign on the board means.
_SIGNS: tuple[tuple[str, str], ...] = (
    ("▌", "focused: the next key acts on this issue"),
    ("✓", "selected: the next key acts on all selected issues"),
    (
        "▎",
        "edge of a card: green ready, amber to refine, red blocked, otherwise the workflow state",
    ),
    ("2", "the weight, red over 3; ? has none yet"),
    ("@elm", "the assignee, green on an accepted issue (Deliverable); · unassigned"),
    ("◆", "an unassigned Deliverable"),
    ("P1, S2", "priority and severity"),
    ("slipped ×2", "missed two milestones"),
    ("≠ status", "label and status name different workflow states"),
    ("▒", "confidential, or hidden on a shared screen"),
    ("*", "unsent; ! failed change; ≠ conflict"),
    ("~", "staged in the current draft, not sent"),
    ("●", "changed by others since you last looked"),
    (
        "4  7w",
        "column totals: 4 issues, weight 7; 2? is 2 with no weight; 4 of 3 is over the limit",
    ),
    ("(unlisted)", "issues that fit no other column; (closed) the closed ones"),
    (
        "━─ in the head",
        "Planning: carried over (amber), accepted (green), planned but not yet accepted (blue), over (red)",
    ),
    ("", "Build: closed (green), then each workflow state in the color of its column"),
    (
        "",
        "Next boards: ready with a weight (green); Backlog: over a year (amber), under 3 months (green)",
    ),
    ("━─ of a column", "accepted (green) and not yet accepted (blue), relative to the heaviest column"),
    ("▐", "scroll position of a column"),
)


class Help(Dialog[None]):
    """The keys, those of the pane first, then the signs. Typing filters them by title, keys or group."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("down", "scroll(1)"),
        ("up", "scroll(-1)"),
        ("pagedown", "scroll(12)"),
        ("pageup", "scroll(-12)"),
        ("enter", "cancel"),
    ]

    def __init__(self, keymap: Keymap, scope: Scope) -> None:
        super().__init__("Keys", hint="type to search · arrows scroll · Esc closes")
        self._keymap = keymap
        self._scope = scope
        self._input = Input(placeholder="type to search", compact=True)
        self._lines = TextLines(self._lines_for)

    @property
    def text(self) -> str:
        """All that is shown."""
        return self._lines.text

    def inside(self) -> list[Widget]:
        return [self._input, self._lines]

    def on_mount(self) -> None:
        self._input.focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._lines.show()

    def action_scroll(self, lines: int) -> None:
        self._lines.scroll_relative(y=lines, animate=False)

    def _lines_for(self, width: int) -> list[TextLine]:
        words = self._input.value.casefold().split()
        return [*self._found(words, width)] or [[("No matching key.", "text")]]

    def _found(self, words: list[str], width: int) -> Iterator[TextLine]:
        """The groups with what fits, each with its name above and an empty line below."""
        groups: list[tuple[str, list[tuple[str, str]]]] = [
            (
                group,
                [
                    (self._keys(action), action.title)
                    for action in self._keymap.actions
                    if action.group == group and self._fits(action, words)
                ],
            )
            for group in groups_for(self._scope)
        ]
        for title, rows in (("In a filter", _FILTER), ("Signs", _SIGNS)):
            fitting = [
                (key, what)
                for key, what in rows
                if all(word in f"{key} {what} {title}".casefold() for word in words)
            ]
            groups.append((title, fitting))
        first = True
        for title, entries in groups:
            if entries:
                if not first:
                    yield ()
                first = False
                yield ((title, "strong"),)
                for key, what in entries:
                    yield from self._entry(key, what, width)

    def _entry(self, keys: str, what: str, width: int) -> Iterator[TextLine]:
        """Keys or a sign, and what it means; its further lines begin where the first one does."""
        column = min(_KEYS, width // 4)
        # A name that is longer than its column moves the text to the right.
        indent = max(column, width_of(keys)) + 3
        room = width - indent
        texts = wrapped(what, room, room, len(what)) if room > 0 else (what,)
        yield ((f"  {keys:<{column}} ", "accent"), (texts[0], "text"))
        for text in texts[1:]:
            yield ((f"{' ' * indent}{text}", "text"),)

    def _keys(self, action: Action) -> str:
        return ", ".join(map(key_words, self._keymap.keys_of(action))) or "palette"

    def _fits(self, action: Action, words: list[str]) -> bool:
        keys = self._keys(action)
        text = f"{action.title} {action.hint} {action.group} {action.id}".casefold()
        return all(word in text or word in keys.casefold().split(", ") for word in words)
