"""What was not made, with the reason, and what to do with each: try again, or drop it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from glboard_tui.bridge import Bridge, Refused
from glboard_tui.screens.dialog import Dialog
from glboard_tui.widgets.text import clean

#: Rows shown; nobody reads more, and each has several lines.
_MOST = 200


class FailedList(Dialog[None]):
    """The refused changes, newest first."""

    DEFAULT_CSS = """
    FailedList OptionList { height: auto; max-height: 20; border: none; padding: 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("r", "retry", show=False),
        Binding("d", "drop", show=False),
        Binding("R", "retry_all", show=False),
        Binding("D", "drop_all", show=False),
        Binding("q", "cancel", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__("Not changed in GitLab", hint="r try again · d drop · R, D all of them · Esc closes")
        self._bridge = bridge
        self._rows: list[Refused] = []
        self._list = OptionList(markup=False)

    def inside(self) -> list[Widget]:
        """The list."""
        return [self._list]

    def on_mount(self) -> None:
        """Fill it."""
        self._fill()
        self._list.focus()

    def _fill(self) -> None:
        at = self._list.highlighted or 0
        self._rows = self._bridge.failed()
        self._list.clear_options()
        self._list.add_options(Option(_row(row)) for row in self._rows[:_MOST])
        if not self._rows:
            self.dismiss(None)
            return
        self._list.highlighted = min(at, len(self._rows) - 1)

    def _chosen(self) -> Refused | None:
        at = self._list.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def action_move(self, step: int) -> None:
        """Up or down."""
        self._list.action_cursor_down() if step > 0 else self._list.action_cursor_up()

    def action_retry(self) -> None:
        """Send it again."""
        if row := self._chosen():
            self._bridge.retry(row.op)
            self._fill()

    def action_drop(self) -> None:
        """Strike it from the list."""
        if row := self._chosen():
            self._bridge.drop(row.op)
            self._fill()

    def action_retry_all(self) -> None:
        """Send all again, in the order they were made."""
        for row in reversed(self._rows):
            self._bridge.retry(row.op)
        self._fill()

    def action_drop_all(self) -> None:
        """Strike all."""
        for row in self._rows:
            self._bridge.drop(row.op)
        self._fill()


def _row(row: Refused) -> Content:
    words = Content.assemble(
        (clean(row.reference), "bold"),
        "  ",
        clean(row.what),
        "  ",
        (clean(row.title), "dim"),
        "\n  ",
        (clean(row.message), "$text-error"),
    )
    return Content.assemble(words, "\n  ", (clean(row.hint), "dim")) if row.hint else words
