"""The title of a new issue, with what it will carry: the board's labels and milestone, the column's own."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from glboard_tui.screens.dialog import Dialog


class NewIssue(Dialog[tuple[str, bool]]):
    """Dismissed with the title, and whether another project shall be chosen first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "other", show=False)]

    def __init__(self, project: str, facts: str, *, title: str = "", several: bool = False) -> None:
        tab = "Tab another project · " if several else ""
        super().__init__(f"New issue in {project}", note=facts, hint=f"Enter creates · {tab}Esc cancels")
        self._several = several
        self._input = Input(title, placeholder="title", compact=True, max_length=255)

    def inside(self) -> list[Widget]:
        """A field."""
        return [self._input]

    def on_mount(self) -> None:
        """Type at once."""
        self._input.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss((event.value.strip(), False))
        else:
            self.say("An issue needs a title.")

    def action_other(self) -> None:
        """Keep what is typed and choose the project."""
        if self._several:
            self.dismiss((self._input.value, True))
