"""A question with a letter for each answer. Other keys are ignored; ``Esc`` does nothing and closes."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.text import clean


class Ask(Dialog[str]):
    """Dismissed with the letter. ``answers`` maps letters to texts, in order."""

    DEFAULT_CSS = """
    Ask .answers { height: auto; margin: 1 0; }
    """

    def __init__(self, question: str, answers: Mapping[str, str], *, note: str = "") -> None:
        super().__init__(question, note=note, hint="Esc cancels")
        self._answers = dict(answers)

    def inside(self) -> list[Widget]:
        """The answers."""
        lines = [
            Content.assemble((f" {key} ", "bold $accent"), f" {clean(words)}")
            for key, words in self._answers.items()
        ]
        return [Static(Content("\n").join(lines), classes="answers")]

    def on_key(self, event: events.Key) -> None:
        """Take a letter."""
        answer = (event.character or "") if event.is_printable else ""
        if answer in self._answers or answer.lower() in self._answers:
            event.stop()
            event.prevent_default()
            self.dismiss(answer if answer in self._answers else answer.lower())
