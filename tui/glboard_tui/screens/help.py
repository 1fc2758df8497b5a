"""All keys by group and a legend of the signs, filtered by typing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from glboard_tui.action import Action, Scope, key_words
from glboard_tui.actions import groups_for
from glboard_tui.board_view import FILTER_STATES
from glboard_tui.keymap import Keymap
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.text import width_of, wrapped

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

    DEFAULT_CSS = """
    Help VerticalScroll { height: 1fr; }
    """
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
        self._text = Static(Content(""))
        self._width = 0

    def inside(self) -> list[Widget]:
        return [self._input, VerticalScroll(self._text, can_focus=False)]

    def on_mount(self) -> None:
        self._fill("")
        self._input.focus()

    def on_resize(self) -> None:
        """The texts are wrapped to the width."""
        self.call_after_refresh(self._wrap)

    def _wrap(self) -> None:
        if self._width != self._text.container_size.width:
            self._fill(self._input.value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._fill(event.value)
        self.query_one(VerticalScroll).scroll_to(y=0, animate=False)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _fill(self, query: str) -> None:
        self._width = self._text.container_size.width
        lines = list(self._lines(query.casefold().split()))
        self._text.update(Content("\n").join(lines) if lines else Content("No matching key."))

    def _lines(self, words: list[str]) -> Iterable[Content]:
        first = True
        column = min(_KEYS, self.app.size.width // 4)
        for group in groups_for(self._scope):
            found = [a for a in self._keymap.actions if a.group == group and self._fits(a, words)]
            if not found:
                continue
            if not first:
                yield Content("")
            first = False
            yield Content.styled(group, "bold $accent")
            for action in found:
                keys = self._keys(action)
                yield self._line(keys, action.title, column)

        for title, rows in (("In a filter", _FILTER), ("Signs", _SIGNS)):
            known = [
                (key, what)
                for key, what in rows
                if all(w in f"{key} {what} {title}".casefold() for w in words)
            ]
            if not known:
                continue
            if not first:
                yield Content("")
            first = False
            yield Content.styled(title, "bold $accent")
            for key, what in known:
                yield self._line(key, what, column)

    def _line(self, keys: str, what: str, column: int) -> Content:
        """Keys or a sign, and what it means; its further lines begin where the first one does."""
        # A name that is longer than its column moves the text to the right.
        indent = max(column, width_of(keys)) + 3
        room = self._width - indent
        texts = wrapped(what, room, room, len(what)) if self._width and room > 0 else (what,)
        return Content.assemble((f"  {keys:<{column}}", "$primary"), " ", f"\n{' ' * indent}".join(texts))

    def _keys(self, action: Action) -> str:
        return ", ".join(map(key_words, self._keymap.keys_of(action))) or "palette"

    def _fits(self, action: Action, words: list[str]) -> bool:
        keys = self._keys(action)
        text = f"{action.title} {action.hint} {action.group} {action.id}".casefold()
        return all(word in text or word in keys.casefold().split(", ") for word in words)
