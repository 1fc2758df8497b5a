"""The dialog for a new issue's title; it also shows the labels and milestone from board and column."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from glboard_tui.screens.dialogs import Dialog

Then = Literal["create", "other", "keep"]
"""Create it; choose another project first; or only keep the typed title as a draft."""


class NewIssue(Dialog[tuple[str, Then]]):
    """Dismissed with the title and what to do with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "other", show=False),
        Binding("escape", "keep", show=False),
    ]

    def __init__(self, project: str, facts: str, *, title: str = "", several: bool = False) -> None:
        tab = "Tab another project · " if several else ""
        super().__init__(f"New issue in {project}", note=facts, hint=f"Enter creates · {tab}Esc cancels")
        self._several = several
        # The draft is continued; if selected, it would be lost with the next letter.
        self._input = Input(title, placeholder="title", compact=True, max_length=255, select_on_focus=False)
        self._input.cursor_position = len(title)

    def inside(self) -> list[Widget]:
        """An input field."""
        return [self._input]

    def on_mount(self) -> None:
        """Focus the field."""
        self._input.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss((event.value.strip(), "create"))
        else:
            self.say("An issue needs a title.")

    def action_other(self) -> None:
        """Keep the typed title and choose the project."""
        if self._several:
            self.dismiss((self._input.value, "other"))

    def action_keep(self) -> None:
        """Close and keep the typed title for next time."""
        self.dismiss((self._input.value.strip(), "keep"))
