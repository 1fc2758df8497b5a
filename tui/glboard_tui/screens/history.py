"""The change log: what was done through the program, when, from what, and how it ended."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from glboard_tui.bridge import Bridge, Past
from glboard_tui.screens.dialog import Dialog
from glboard_tui.widgets.text import clean

_TONES = {"failed": "$text-error", "dropped": "$text-warning", "undone": "$text-warning"}


class History(Dialog[None]):
    """The log, newest first. ``u`` takes back the last change, as on the board."""

    DEFAULT_CSS = """
    History OptionList { height: auto; max-height: 24; border: none; padding: 0; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("u", "undo", show=False),
        Binding("q", "cancel", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__("Changes made with glboard", hint="u takes back the last one · Esc closes")
        self._bridge = bridge
        self._list = OptionList(markup=False)

    def inside(self) -> list[Widget]:
        """The list."""
        return [self._list]

    def on_mount(self) -> None:
        """Fill it."""
        self._fill()
        self._list.focus()
        super().on_mount()

    def _fill(self) -> None:
        rows = self._bridge.history()
        self._list.clear_options()
        if not rows:
            self._list.add_option(Option(Content("Nothing was changed yet."), disabled=True))
        self._list.add_options(Option(_row(row)) for row in rows)

    def action_move(self, step: int) -> None:
        """Up or down."""
        self._list.action_cursor_down() if step > 0 else self._list.action_cursor_up()

    def action_undo(self) -> None:
        """Take back the last change, and close: the board shows it."""
        self._bridge.undo()
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
    if row.result != "done":
        parts.append((f"  {row.result}", _TONES.get(row.result, "dim")))
    if row.message:
        parts.append((f"\n       {clean(row.message)}", "$text-error"))
    return Content.assemble(*parts)
