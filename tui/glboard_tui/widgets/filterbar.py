"""The filter input above the footer: it filters while the user types.

Owns only the field. What the words mean is in ``glboard_core.board.filters``.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static


class FilterBar(Horizontal):
    """Shown by ``edit``; posts ``Typed`` with its text, and ``ClosedIssues`` when it closes."""

    DEFAULT_CSS = """
    FilterBar { display: none; height: 1; width: 1fr; background: $panel; }
    FilterBar Static { width: auto; padding: 0 1 0 1; color: $accent; text-style: bold; }
    FilterBar Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close(False)", show=False),
    ]

    class Typed(Message):
        """The text so far."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """Enter keeps the filter, Esc restores the previous one."""

        def __init__(self, text: str, *, kept: bool) -> None:
            super().__init__()
            self.text = text
            self.kept = kept

    def __init__(self) -> None:
        super().__init__()
        self._before = ""

    def compose(self) -> ComposeResult:
        """A slash and a field."""
        yield Static(Content("/"))
        yield Input(placeholder="words  ~label  @user  w:none  is:unready   -not   a | b", compact=True)

    @property
    def is_open(self) -> bool:
        """Whether it takes the keys."""
        return self.display

    def edit(self, text: str) -> None:
        """Start editing at ``text``."""
        self._before = text
        self.display = True
        field = self.query_one(Input)
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

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_close(True)

    def action_close(self, kept: bool) -> None:
        """Close, and report the resulting filter."""
        text = self.query_one(Input).value if kept else self._before
        self.display = False
        self.post_message(self.Closed(text, kept=kept))
