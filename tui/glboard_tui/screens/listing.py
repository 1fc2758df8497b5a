"""The base of dialogs with a list, such as the failed changes and the change log.

Owns the list, its movement and closing. The subclass provides the rows and what keys do with one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from glboard_core.errors import GlboardError
from glboard_tui import notices
from glboard_tui.screens.dialogs import Dialog


class RowDialog(Dialog[None]):
    """Rows, newest first. ``j`` and ``k`` move, ``q`` and Esc close."""

    DEFAULT_CSS = """
    Listing OptionList { height: auto; max-height: 22; border: none; padding: 0; background: $panel; }
    Listing OptionList:focus { border: none; }
    Listing OptionList:focus > .option-list--option-highlighted {
        background: $primary 25%; color: $foreground; text-style: none;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("q", "cancel", show=False),
    ]

    def __init__(self, title: str, *, hint: str) -> None:
        super().__init__(title, hint=hint)
        self.list = OptionList(markup=False)

    def inside(self) -> list[Widget]:
        """The list."""
        return [self.list]

    def on_mount(self) -> None:
        """Fill the list and focus it."""
        self.fill()
        self.list.focus()

    @abstractmethod
    def fill(self) -> None:
        """Show the current rows."""

    def show_rows(self, rows: Iterable[Content], *, empty: str = "") -> None:
        """Replace the rows and keep the cursor's position. ``empty`` is shown if there are none."""
        at = self.list.highlighted or 0
        options = [Option(row) for row in rows]
        self.list.clear_options()
        self.list.add_options(options or [Option(Content(empty), disabled=True)])
        if options:
            self.list.highlighted = min(at, len(options) - 1)

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something that a full disk or a read-only session can refuse; return whether it was done."""
        try:
            act()
        except GlboardError as error:
            notices.tell(self.app, notices.notice_of(error))
            return False
        return True

    def action_move(self, step: int) -> None:
        """Move up or down."""
        self.list.action_cursor_down() if step > 0 else self.list.action_cursor_up()
