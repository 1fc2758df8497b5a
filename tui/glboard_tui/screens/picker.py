"""Choosing from a list by typing: labels, people, milestones, projects.

Owns the keys of a picker. It gets all its choices when it is created, so it opens at once and never requests
anything from the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.choices import Choice, Result, Ticks
from glboard_tui.widgets.pickers import PickList


class Find(Input):
    """A field in which space ticks. Enter and space take effect after the letters typed before them."""

    class Ticked(Message):
        """Space was pressed."""

    def __init__(self, *, ticks: bool) -> None:
        super().__init__(placeholder="type to search", compact=True)
        self._ticks = ticks

    def on_key(self, event: events.Key) -> None:
        """Report a space instead of typing it."""
        if event.key == "space" and self._ticks:
            event.stop()
            event.prevent_default()
            self.post_message(self.Ticked())


class Picker(Dialog[Result]):
    """Choose one of several, or with ``ticks`` any number. ``Result.add`` holds what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+k", "move(-1)", show=False),
        Binding("down,ctrl+j", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, ticks: Ticks | None = None, note: str = ""
    ) -> None:
        several = "Space ticks · Enter applies · [~] only on some · Esc cancels"
        super().__init__(
            title, note=note, hint=several if ticks is not None else "Enter confirms · Esc cancels"
        )
        self._list = PickList(choices, ticks)
        self._input = Find(ticks=ticks is not None)

    def inside(self) -> list[Widget]:
        """An input field and the list."""
        return [self._input, self._list]

    def on_mount(self) -> None:
        """Focus the field."""
        self._input.focus()

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self._list.search(event.value)

    @on(PickList.Clicked)
    def _clicked(self) -> None:
        if self._list.ticks is None:
            self._apply()
        else:
            self._list.toggle()

    @on(Find.Ticked)
    def _ticked(self) -> None:
        self._list.toggle()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._list.move(step)

    @on(Input.Submitted)
    def _apply(self) -> None:
        """Confirm. If nothing was ticked or unticked, apply the choice under the cursor."""
        ticks, current = self._list.ticks, self._list.current
        if ticks is None:
            self.dismiss(Result(add=(current.value,)) if current else None)
            return
        if not ticks.touched and current is not None:
            ticks.toggle(current.value)
        self.dismiss(ticks.result(choice.value for choice in self._list.choices))
