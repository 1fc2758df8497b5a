"""What was not made, with the reason, and what to do with each: try again, or drop it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from glboard_tui.bridge import Bridge, Refused
from glboard_tui.screens.listing import Listing
from glboard_tui.widgets.text import clean

#: Rows shown; nobody reads more, and each has several lines.
_MOST = 200


class FailedList(Listing):
    """The refused changes, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", show=False),
        Binding("d", "drop", show=False),
        Binding("R", "retry_all", show=False),
        Binding("D", "drop_all", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__("Not changed in GitLab", hint="r try again · d drop · R, D all of them · Esc closes")
        self._bridge = bridge
        self._rows: list[Refused] = []

    def fill(self) -> None:
        """The list as it is now; with nothing left in it, it closes."""
        self._rows = self._bridge.failed()
        if self._rows:
            self.show_rows(_row(row) for row in self._rows[:_MOST])
        else:
            self.dismiss(None)

    def _chosen(self) -> Refused | None:
        at = self.list.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def action_retry(self) -> None:
        """Send it again."""
        if row := self._chosen():
            self._bridge.retry(row.op)
            self.fill()

    def action_drop(self) -> None:
        """Strike it from the list."""
        if row := self._chosen():
            self._bridge.drop(row.op)
            self.fill()

    def action_retry_all(self) -> None:
        """Send all again, in the order they were made."""
        for row in reversed(self._rows):
            self._bridge.retry(row.op)
        self.fill()

    def action_drop_all(self) -> None:
        """Strike all."""
        for row in self._rows:
            self._bridge.drop(row.op)
        self.fill()


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
