"""The area next to the board: the capacity pane if the terminal is wide enough, or an open issue instead.

Owns whether the pane exists and when it is visible. The pane itself is ``beside.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glboard_tui.screens.beside import Beside
    from glboard_tui.screens.board import BoardScreen

#: The width from which the capacity pane fits next to the board: three columns and the pane.
_WIDE = 140


class Docking:
    """One per board screen."""

    def __init__(self, screen: BoardScreen) -> None:
        self._screen = screen
        #: The capacity pane if it is open; hidden while an issue is open or the terminal is narrow.
        self.pane: Beside | None = None

    def toggle(self) -> bool:
        """Open or close the capacity pane next to the board; return False if there is no space for it."""
        screen = self._screen
        if screen.size.width < _WIDE:
            return False
        if self.pane is not None:
            self.close()
            return True
        from glboard_tui.screens.beside import Beside

        screen.plan.reload()
        if screen.pane.is_open:
            screen.close_detail()
        self.pane = Beside(screen.desk)
        screen.query_one("#middle").mount(self.pane, before=screen.pane)
        self.pane.follow()
        return True

    def focus(self) -> bool:
        """Give the keys to the capacity pane; return False if it is not visible."""
        if self.pane is None or not self.pane.is_open:
            return False
        self._screen.set_focus(self.pane)
        self._screen.show_footer()
        return True

    def close(self) -> None:
        """Close the pane and give its space to the board."""
        if self.pane is not None:
            self.pane.remove()
            self.pane = None
            self._screen.set_focus(self._screen.board)
            self._screen.show_header()

    def fit(self) -> None:
        """Show or hide it, depending on the terminal's width and whether an issue is open."""
        screen, pane = self._screen, self.pane
        shown = screen.size.width >= _WIDE and not screen.pane.is_open
        if pane is not None and bool(pane.display) != shown:
            pane.display = shown
            if screen.focused is pane:
                screen.set_focus(screen.board)
