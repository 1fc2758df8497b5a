"""The failed changes, each with the reason: retry, edit, copy or discard it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from glboard_core.board.operations import Change, OpId
from glboard_tui.bridge import Refused
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.listing import RowDialog
from glboard_tui.screens.mending import mend, parts_of, text_of
from glboard_tui.widgets.text import clean, clip

#: The most rows shown; each has several lines.
_MOST = 200
#: Cells of typed text that a row shows.
_PREVIEW = 60


class FailedList(RowDialog):
    """The failed changes, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", show=False),
        Binding("e", "edit", show=False),
        Binding("y", "copy", show=False),
        Binding("d", "drop", show=False),
        Binding("R", "retry_all", show=False),
        Binding("D", "drop_all", show=False),
    ]

    def __init__(self, desk: CommandContext) -> None:
        hint = "r retry · e edit · y copy · d discard · R, D all of them · Esc closes"
        super().__init__("Failed changes", hint=hint)
        self._desk = desk
        self._bridge = desk.bridge
        self._rows: list[Refused] = []

    def fill(self) -> None:
        """Show the current list; close it once it is empty."""
        self._rows = self._bridge.failed()
        if self._rows:
            self.show_rows(self._words(row) for row in self._rows[:_MOST])
        else:
            self.dismiss(None)

    def _chosen(self) -> Refused | None:
        at = self.list.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def action_retry(self) -> None:
        """Retry the change."""
        if row := self._chosen():
            self.attempt(lambda: self._bridge.retry(row.op))
            self.fill()

    def action_edit(self) -> None:
        """Edit the change and send it instead; until then it stays in the list."""
        row = self._chosen()
        if row is None:
            return
        if not parts_of(row.act):
            self.say("Nothing to edit: r retries, d discards it.")
        elif not self._bridge.writable:
            self.say("Read-only session: nothing changed.")
        else:
            mend(self._desk, row, lambda act: self._mended(row.op, act))

    def _mended(self, op: OpId, act: Change) -> None:
        taken: list[bool] = []
        if not self.attempt(lambda: taken.append(self._bridge.instead(op, act))):
            return
        if taken[0]:
            self._desk.drafts.pop(("failed", op), None)
            self._desk.say("Sent instead.")
            self.fill()
        else:
            self.say("Nothing sent: already set, or the issue is gone.")

    def action_copy(self) -> None:
        """Copy the typed text, or the change and its error if there is none."""
        if row := self._chosen():
            text = self._desk.drafts.get(("failed", row.op)) or text_of(row.act)
            self.app.copy_to_clipboard(text or f"{row.reference} {row.what}: {row.message}")
            self.say("Copied: text" if text else "Copied: change and error")

    def action_drop(self) -> None:
        """Discard the change, after asking if it has typed text, which exists nowhere else."""
        if row := self._chosen():
            self._drop([row])

    def action_retry_all(self) -> None:
        """Retry all, in their original order."""
        self._each(self._bridge.retry, list(reversed(self._rows)))

    def action_drop_all(self) -> None:
        """Discard all."""
        self._drop(self._rows)

    def _drop(self, rows: list[Refused]) -> None:
        def go() -> None:
            self._each(self._bridge.drop, rows)

        texts = sum(bool(text_of(row.act)) for row in rows)
        if not texts:
            go()
            return
        one = len(rows) == 1
        self._desk.ask(
            "Discard it and your text?" if one else f"Discard {len(rows)} changes, {texts} with your text?",
            {"y": "discard it" if one else "discard them all"},
            lambda _: go(),
            note="To copy a text first, press y in the list.",
        )

    def _each(self, act: Callable[[OpId], None], rows: Sequence[Refused]) -> None:
        """Apply to each row and stop at the first error: the others would fail for the same reason."""

        def go() -> None:
            for row in rows:
                act(row.op)

        self.attempt(go)
        self.fill()

    def _words(self, row: Refused) -> Content:
        issue = self._bridge.issue(row.issue)
        masked = issue is not None and self._bridge.mask(issue) is not None
        typed = "" if masked else " ".join(text_of(row.act).split())
        parts: list[str | tuple[str, str]] = [
            (clean(row.reference), "bold"),
            "  ",
            clean(row.what),
            "  ",
            (clean(row.title), "dim"),
        ]
        if typed:
            parts.append(("\n  " + clip(clean(f"“{typed}”"), _PREVIEW), "italic"))
        parts.append(("\n  " + clean(row.message), "$text-error"))
        if row.hint:
            parts.append(("\n  " + clean(row.hint), "dim"))
        return Content.assemble(*parts)
