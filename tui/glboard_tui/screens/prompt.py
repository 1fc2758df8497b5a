"""A one-line input, such as a weight or a file name."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from glboard_tui.screens.dialogs import Dialog


class Prompt(Dialog[str]):
    """Dismissed with the text. ``check`` returns what is wrong with it, or "" if it is valid."""

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        note: str = "",
        placeholder: str = "",
        hint: str = "Enter confirms · Esc cancels",
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__(title, note=note, hint=hint)
        self._check = check
        self._input = Input(value, placeholder=placeholder, compact=True)

    def inside(self) -> list[Widget]:
        """An input field."""
        return [self._input]

    def on_mount(self) -> None:
        """Focus the field."""
        self._input.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if wrong := self._check(event.value):
            self.say(wrong)
        else:
            self.dismiss(event.value)
