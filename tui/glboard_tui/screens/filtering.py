"""Filtering the board while typing, at the pace that its size allows.

Owns when a typed filter is applied. The input line is ``widgets/filterbar.py``; the syntax is
``glboard_core.board.filters``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

if TYPE_CHECKING:
    from glboard_tui.screens.board import BoardScreen

#: Up to this many issues every typed letter filters at once; above, filtering waits for a pause (in seconds).
_AT_ONCE, _PAUSE = 4_000, 0.12


class Filtering:
    """One per board screen."""

    def __init__(self, screen: BoardScreen) -> None:
        self._screen = screen
        self._timer: Timer | None = None

    def set(self, text: str) -> None:
        """Filter the board."""
        unknown = self._screen.bridge.filter(text)
        self._screen.show_board()
        if unknown:
            self._screen.say(
                f"Unknown filter is:{unknown[0]}, so nothing matches; ? lists the known ones.", bad=True
            )

    def typed(self, text: str) -> None:
        """Apply the text typed so far."""
        self._stop()
        if self._screen.bridge.size <= _AT_ONCE:
            self.set(text)
        else:
            self._timer = self._screen.set_timer(_PAUSE, lambda: self.set(text))

    def closed(self, text: str) -> None:
        """Apply the final filter text."""
        self._stop()
        self._screen.board.focus()
        if text.strip() != self._screen.bridge.view.text:
            self.set(text)
        self._screen.show_footer()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
