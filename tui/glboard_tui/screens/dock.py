"""The area next to the board, where the capacity pane is if there is space."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.issue_pane import DetailPane

if TYPE_CHECKING:
    from glboard_tui.screens.capacity import CapacityPane, DockedCapacity

#: The width from which the capacity pane fits next to the board: three columns and the pane.
_WIDE = 140


class Dock:
    """The area next to the board: the capacity pane if the terminal is wide enough and no issue is open.

    ``create`` makes the pane; ``place`` puts it in the area; ``changed`` is called when the keys or the space
    moved.
    """

    def __init__(
        self,
        board: BoardWidget,
        issue: DetailPane,
        create: Callable[[], DockedCapacity],
        place: Callable[[DockedCapacity], object],
        changed: Callable[[], None],
    ) -> None:
        self._board = board
        self._issue = issue
        self._create = create
        self._place = place
        self._changed = changed
        #: The capacity pane if it is open; hidden while an issue is open or the terminal is narrow.
        self.pane: DockedCapacity | None = None

    @property
    def is_open(self) -> bool:
        """Whether the pane is visible."""
        return self.pane is not None and self.pane.is_open

    @property
    def key_owner(self) -> CapacityPane | None:
        """The pane if keys go to it, and so to no card."""
        return self.pane.figures if self.pane is not None and self.pane.has_keys else None

    @property
    def is_opening(self) -> bool:
        """Whether there is a pane that takes no keys yet: they wait for it."""
        return self.pane is not None and not self.pane.is_ready

    def follow(self) -> None:
        """Update the pane if the board shows another milestone."""
        if self.pane is not None:
            self.pane.follow()

    def toggle(self) -> bool:
        """Open or close the pane; return False if there is no space for it."""
        if self._board.app.size.width < _WIDE:
            return False
        if self.pane is not None:
            self.close()
        else:
            self.pane = self._create()
            self._place(self.pane)
            self.pane.follow()
        return True

    def focus(self) -> bool:
        """Give the keys to the pane; return False if it is not visible."""
        if self.pane is None or not self.pane.is_open:
            return False
        self._board.screen.set_focus(self.pane)
        self._changed()
        return True

    def close(self) -> None:
        """Close the pane and give its space to the board."""
        if self.pane is not None:
            self.pane.remove()
            self.pane = None
            self._board.screen.set_focus(self._board)
            self._changed()

    def fit(self) -> None:
        """Show or hide the pane, depending on the terminal's width and whether an issue is open."""
        pane, screen = self.pane, self._board.screen
        shown = screen.size.width >= _WIDE and not self._issue.is_open
        if pane is not None and bool(pane.display) != shown:
            pane.display = shown
            if screen.focused is pane:
                screen.set_focus(self._board)
