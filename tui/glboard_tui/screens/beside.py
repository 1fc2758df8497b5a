"""The room pane beside the board: it stays while the board is edited, and moves with it.

Owns whether it is open, when there is place for it, and which keys are its own while it has the focus. Where
the terminal is too narrow the pane lies over the board (``room.py``). An opened issue takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from glboard_core.model.milestone import Milestone
from glboard_tui.screens.room_body import RoomBody

if TYPE_CHECKING:
    from glboard_tui.screens.desk import Desk

#: Lines of the pane that are not people, as narrow as it is.
_LINES = 29


class Beside(VerticalScroll, can_focus=True):
    """The pane with a frame to its left."""

    DEFAULT_CSS = """
    Beside { width: 57; height: 100%; background: $panel; padding: 0 1; border-left: outer $primary 40%; }
    Beside:focus { border-left: outer $primary; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._shown: Milestone | None = None
        #: Keys that came before it was there; none to be kept any more once it is.
        self._early: list[str] | None = []
        self.body = RoomBody(desk, desk.screen.plan.milestone, "Esc to the board, g r closes", lines=_LINES)

    def compose(self) -> ComposeResult:
        """The pane."""
        yield self.body

    def on_mount(self) -> None:
        """Take the focus, and the keys that came before it was there, in order."""
        self.screen.set_focus(self)
        early, self._early = self._early or [], None
        for token in early:
            self._desk.screen.press(token)

    @property
    def is_open(self) -> bool:
        """Whether it can be seen."""
        return bool(self.display)

    @property
    def has_keys(self) -> bool:
        """Whether keys are meant for it."""
        return self._early is not None or (self.is_open and self.screen.focused is self)

    def follow(self) -> None:
        """The board may show another milestone now."""
        milestone = self.body.milestone
        if milestone != self._shown:
            self._shown = milestone
            self.body.read_past()
            self.body.changed()

    def take(self, token: str) -> bool:
        """Take a key: the pane's own come first. Whether it was taken; no other is for a card."""
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
                self.body.say(f"{token} means nothing in this pane. Esc or Tab goes to the board.")
        return True
