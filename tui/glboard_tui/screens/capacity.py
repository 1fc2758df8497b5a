"""The capacity pane over the board, if there is no space next to it (DOMAIN.md 7.10)."""

from __future__ import annotations

from textual import events
from textual.widget import Widget

from glboard_core.model.milestone import Milestone
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.keys import token_of
from glboard_tui.screens.room_body import RoomBody


class Room(Dialog[None]):
    """Dismissed by ``Esc`` or ``q``. It updates with every change."""

    def __init__(self, desk: CommandContext, milestone: Milestone) -> None:
        super().__init__("", hint="")
        self._desk = desk
        self.body = RoomBody(desk, lambda: milestone, "Esc closes")

    def inside(self) -> list[Widget]:
        """The pane."""
        return [self.body]

    def on_mount(self) -> None:
        """Hide the dialog's title and hints: the pane has its own."""
        self._title_line.display = self._hint_line.display = False
        self.body.read_past()
        super().on_mount()

    def on_key(self, event: events.Key) -> None:
        """Handle the pane's keys."""
        event.stop()
        event.prevent_default()
        token = token_of(event)
        if token in ("escape", "q"):
            self.dismiss(None)
        elif not self.body.press(token) and self._desk.screen.keys.means(token, "room"):
            # The key leads elsewhere: to a list, another board or the palette.
            self.dismiss(None)
            self._desk.screen.press(token)
