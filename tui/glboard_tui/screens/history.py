"""The change log: each change made with glboard, when, the value before, and the result."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from glboard_tui.bridge import Bridge
from glboard_tui.known import WAITS, Past
from glboard_tui.screens.listing import RowDialog
from glboard_tui.widgets.text import clean

_TONES = {"failed": "$text-error", "dropped": "$text-warning", "undone": "$text-warning"}


class History(RowDialog):
    """The log, newest first. ``u`` undoes the last change, as on the board."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("u", "undo", show=False)]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__("Changes made with glboard", hint="u undoes the last one · Esc closes")
        self._bridge = bridge

    def fill(self) -> None:
        """Show the current log."""
        self.show_rows((_row(row) for row in self._bridge.history()), empty="No changes yet.")

    def action_undo(self) -> None:
        """Undo the last change and close, so that the board shows it; stay open if undo fails."""
        if self.attempt(self._bridge.undo):
            self.dismiss(None)


def _row(row: Past) -> Content:
    parts: list[str | tuple[str, str]] = [
        (row.when, "dim"),
        "  ",
        (clean(row.reference), "bold"),
        f"  {clean(row.what)}",
    ]
    if row.was:
        parts.append((f"  was: {clean(row.was)}", "dim"))
    if row.result not in ("done", WAITS):
        parts.append((f"  {row.result}", _TONES.get(row.result, "dim")))
    if row.message:
        parts.append((f"\n       {clean(row.message)}", "$text-error"))
    return Content.assemble(*parts)
