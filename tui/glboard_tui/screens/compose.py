"""The comment editor: several lines, sent with Ctrl+S or Ctrl+Enter, kept as a draft with Esc."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TextArea

from glboard_tui.screens.dialogs import Dialog


class CommentDialog(Dialog[tuple[str, bool]]):
    """Dismissed with the text and whether to send it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "send", show=False),
        Binding("escape", "keep", show=False),
    ]

    def __init__(self, title: str, *, text: str = "", note: str = "") -> None:
        super().__init__(title, note=note, hint="Ctrl+S sends · Esc keeps it as a draft")
        self._area = TextArea(text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")

    def inside(self) -> list[Widget]:
        """A multi-line field."""
        return [self._area]

    def on_mount(self) -> None:
        """Put the cursor at the end of the draft."""
        self._area.cursor_blink = False
        self._area.move_cursor(self._area.document.end)
        self._area.focus()

    def action_send(self) -> None:
        """Send the text."""
        if self._area.text.strip():
            self.dismiss((self._area.text.rstrip(), True))
        else:
            self.say("Nothing to send yet. Esc closes.")

    def action_keep(self) -> None:
        """Close and keep the text."""
        self.dismiss((self._area.text, False))
