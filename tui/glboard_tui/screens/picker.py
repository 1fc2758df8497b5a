"""Choosing from a list by typing: labels, people, milestones, projects.

Owns the keys of a picker. It is given everything it offers when it is made, so it opens at once and never
asks the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from glboard_tui.screens.dialog import Dialog
from glboard_tui.widgets.choices import Choice, Result, Ticks
from glboard_tui.widgets.pickers import PickList


class Picker(Dialog[Result]):
    """One of several, or with ``ticks`` any number of them. ``Result.add`` holds the one that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+k", "move(-1)", show=False, priority=True),
        Binding("down,ctrl+j", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("space", "tick", show=False, priority=True),
        Binding("enter", "apply", show=False, priority=True),
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, ticks: Ticks | None = None, note: str = ""
    ) -> None:
        several = "Space ticks · Enter applies · [~] on some of them · Esc cancels"
        super().__init__(title, note=note, hint=several if ticks is not None else "Enter takes · Esc cancels")
        self._list = PickList(choices, ticks)
        self._input = Input(placeholder="type to find", compact=True)

    def inside(self) -> list[Widget]:
        """A field and the list."""
        return [self._input, self._list]

    def on_mount(self) -> None:
        """Type at once."""
        self._input.focus()

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self._list.search(event.value)

    @on(PickList.Clicked)
    def _clicked(self) -> None:
        if self._list.ticks is None:
            self.action_apply()
        else:
            self.action_tick()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._list.move(step)

    def action_tick(self) -> None:
        """Tick; where one is chosen, a space is only a space."""
        if self._list.ticks is None:
            self._input.insert_text_at_cursor(" ")
        else:
            self._list.toggle()

    def action_apply(self) -> None:
        """Done. With nothing ticked or unticked yet, what is under the cursor is meant."""
        ticks, current = self._list.ticks, self._list.current
        if ticks is None:
            self.dismiss(Result(add=(current.value,)) if current else None)
            return
        if not ticks.touched and current is not None:
            ticks.toggle(current.value)
        self.dismiss(ticks.result(choice.value for choice in self._list.choices))
