"""A hidden input line for shared screens: it shows neither the text nor its length."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_tui.screens.dialogs import Dialog

_EMPTY, _TYPED = "nothing typed yet", "••••"
_MOST = 40


class HiddenInput(Dialog[bool]):
    """Dismissed with True once confirmed. ``check`` applies the text and returns an error or ""."""

    DEFAULT_CSS = """
    Unseen .unseen { height: 1; background: $surface; margin: 0 0 1 0; }
    """

    def __init__(self, title: str, *, note: str, check: Callable[[str], str]) -> None:
        super().__init__(title, note=note, hint="Enter confirms · Esc cancels")
        self._check = check
        self._text = ""
        self._shown = Static(_EMPTY, classes="unseen")

    def inside(self) -> list[Widget]:
        """A line that shows whether something was typed."""
        return [self._shown]

    def on_key(self, event: events.Key) -> None:
        """Handle letters, Backspace and Enter."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            if wrong := self._check(self._text):
                self._put("")
                self.say(f"{wrong} Type it again.")
            else:
                self.dismiss(True)
        elif event.key in ("backspace", "delete"):
            self._put(self._text[:-1])
        elif event.key == "ctrl+u":
            self._put("")
        elif event.is_printable and event.character:
            self._put(self._text + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text, hidden as well."""
        event.stop()
        self._put(self._text + event.text.strip())

    def _put(self, text: str) -> None:
        self._text = text[:_MOST]
        self._shown.update(Content(_TYPED if self._text else _EMPTY))
