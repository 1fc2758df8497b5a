"""The line in which a filter is typed, over the footer: it filters while one types.

Owns the field only. What the words mean is ``glboard_core.board.filters``.
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
    """Shown by ``edit``; tells by ``Typed`` what is in it, by ``Closed`` that it is no longer wanted."""

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
        """Enter keeps the filter, Esc brings back the one before."""

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
        """Type on from ``text``."""
        self._before = text
        self.display = True
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.cursor_blink = False
        # Now, not when the app comes to it: the next key may be here already.
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
        """Close, and say which filter holds."""
        text = self.query_one(Input).value if kept else self._before
        self.display = False
        self.post_message(self.Closed(text, kept=kept))
