"""The capacity pane next to the board: it stays open while the board is edited, and updates with it.

Owns the keys the pane takes while it has the focus. In a terminal that is too narrow the pane opens over the
board (``capacity.py``). An open issue takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from glboard_core.model.milestone import Milestone
from glboard_tui.screens.room_body import RoomBody

if TYPE_CHECKING:
    from glboard_tui.commands.context import CommandContext

#: Lines of the narrow pane that do not list people.
_LINES = 29


class Beside(VerticalScroll, can_focus=True):
    """The pane with a frame to its left."""

    DEFAULT_CSS = """
    Beside { width: 57; height: 100%; background: $panel; padding: 0 1; border-left: outer $primary 40%; }
    Beside:focus { border-left: outer $primary; }
    """

    def __init__(self, desk: CommandContext) -> None:
        super().__init__()
        self._desk = desk
        self._shown: Milestone | None = None
        #: Keys pressed before the pane was mounted; None once it is.
        self._early: list[str] | None = []
        self.body = RoomBody(
            desk, desk.screen.plan.milestone, "Esc goes to the board, g r closes", lines=_LINES
        )

    def compose(self) -> ComposeResult:
        """Yield the pane."""
        yield self.body

    def on_mount(self) -> None:
        """Take the focus, then the keys pressed before the pane was mounted, in order."""
        self.screen.set_focus(self)
        early, self._early = self._early or [], None
        for token in early:
            self._desk.screen.press(token)

    @property
    def is_open(self) -> bool:
        """Whether it is visible."""
        return bool(self.display)

    @property
    def has_keys(self) -> bool:
        """Whether keys go to it."""
        return self._early is not None or (self.is_open and self.screen.focused is self)

    def follow(self) -> None:
        """Update if the board shows another milestone."""
        milestone = self.body.milestone
        if milestone != self._shown:
            self._shown = milestone
            self.body.read_past()
            self.body.changed()

    def take(self, token: str) -> bool:
        """Take a key, the pane's own first. Return whether it was taken; no key reaches a card."""
        if self._early is not None:
            self._early.append(token)
            return True
        if token == "escape":  # noqa: S105  (a key, no secret)
            self.screen.set_focus(self._desk.screen.board)
        elif token == "q":  # noqa: S105
            self._desk.screen.docking.close()
        elif not self.body.press(token):
            if self._desk.screen.keys.means(token, "room"):
                return False
            if len(token) == 1:
                self.body.say(f"{token} is not bound in this pane. Esc or Tab goes to the board.")
        return True
