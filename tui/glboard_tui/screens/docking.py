"""The place beside the board: the room pane where the terminal is wide enough, an opened issue before it.

Owns whether the pane is there and when it is seen. The pane itself is ``beside.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glboard_tui.screens.beside import Beside
    from glboard_tui.screens.board import BoardScreen

#: Cells from which on the room pane stands beside the board: three columns and the pane.
_WIDE = 140


class Docking:
    """One for each board screen."""

    def __init__(self, screen: BoardScreen) -> None:
        self._screen = screen
        #: The room pane, once it was asked for; not seen while an issue is open or the terminal is narrow.
        self.pane: Beside | None = None

    def toggle(self) -> bool:
        """Open the room pane beside the board, or close it; False where there is no place for it."""
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
        """Give the keys to the room pane; False where it is not seen."""
        if self.pane is None or not self.pane.is_open:
            return False
        self._screen.set_focus(self.pane)
        self._screen.show_footer()
        return True

    def close(self) -> None:
        """Give its place to the board."""
        if self.pane is not None:
            self.pane.remove()
            self.pane = None
            self._screen.set_focus(self._screen.board)
            self._screen.show_header()

    def fit(self) -> None:
        """Show or hide it, by the width of the terminal and whether an issue is open."""
        screen, pane = self._screen, self.pane
        shown = screen.size.width >= _WIDE and not screen.pane.is_open
        if pane is not None and bool(pane.display) != shown:
            pane.display = shown
            if screen.focused is pane:
                screen.set_focus(screen.board)
