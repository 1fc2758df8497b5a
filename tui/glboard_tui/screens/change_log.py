"""The change log: what was changed with glboard, newest first; lines can be marked and undone in one go."""

from __future__ import annotations

from textual.content import Content

from glboard_core.board.operations import OpId
from glboard_core.board.spelling import folded
from glboard_tui.change_lists import LogRow
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.deletion import ask_to_delete
from glboard_tui.screens.keys import RowDialog
from glboard_tui.widgets.text import clean

_TONES = {"failed": "$text-error", "dropped": "$text-warning", "undone": "$text-warning"}
_LOG = "Changes made with glboard"


class ChangeLog(RowDialog):
    """The change log, newest first: when, what, the value before, the result."""

    scope = "log"
    search = ("Search the changes", "issue, change, result")

    def __init__(self, context: CommandContext) -> None:
        super().__init__(context, _LOG)
        self._bridge = context.bridge
        self._rows: list[LogRow] = []
        self._marked: set[OpId] = set()

    def fill(self) -> None:
        words = folded(self.query_text).split()
        found = [
            row for row in self._bridge.changes.history() if all(word in _searched(row) for word in words)
        ]
        self._rows = self.ordered(found, lambda row: row.reference)
        parts = [_LOG, *([self.order_words] if self.order_words else [])]
        if words:
            parts.append(f"filter {self.query_text}: {len(self._rows)}")
        if self._marked:
            parts.append(f"{len(self._marked)} selected")
        self._title_line.update(Content(clean(" · ".join(parts))))
        self.show_rows(
            (_row(row, marked=row.op in self._marked) for row in self._rows),
            empty="No changes match." if words else "No changes yet.",
        )

    @property
    def _chosen(self) -> LogRow | None:
        at = self.list.highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    def action_mark(self) -> None:
        """Mark the line or not, and go on to the next: a search later keeps what is marked."""
        if (row := self._chosen) is None:
            return
        if not row.can_undo:
            self.say(row.why_not)
            return
        self._marked ^= {row.op}
        self.fill()
        self.go(1)

    def action_open(self) -> None:
        """Open the issue of the change."""
        if (row := self._chosen) is None:
            return
        if self._bridge.issue(row.issue) is None:
            self.say("Issue not loaded, or no longer exists.")
            return
        self.dismiss(None)
        self.context.make_way()
        self.context.open_issue.open(row.issue)

    def escape(self) -> None:
        """End the search first, then the marks, then close."""
        if self.end_search():
            return
        if self._marked:
            self._marked.clear()
            self.fill()
        else:
            self.leave()

    def action_undo(self) -> None:
        """Undo the selected lines, or the whole keystroke under the cursor; close, so that the board "
        "shows it.

        Asks before it deletes a comment that others can have read. Stays open if undo fails.
        """
        wanted, row = set(self._marked), self._chosen
        if not wanted and row is not None:
            if not row.can_undo:
                self.say(row.why_not)
                return
            wanted = {
                one.op for one in self._bridge.changes.history() if one.group == row.group and one.can_undo
            }
        if wanted and (count := self._bridge.undoing.chosen_deletes(wanted)):
            ask_to_delete(self.context, count, lambda: self._undo(wanted))
        else:
            self._undo(wanted)

    def _undo(self, wanted: set[OpId]) -> None:
        said: list[str] = []

        def undo() -> None:
            if (found := self._bridge.undoing.undo_chosen(wanted)) is not None:
                said.append(" ".join(filter(None, (f"Undone: {found[0]}.", found[1]))))

        if wanted and self.attempt(undo):
            self.dismiss(None)
            self.context.shell.sync(follow=True)
            self.context.say("".join(said) or "Nothing to undo.")


def _searched(row: LogRow) -> str:
    return folded(" ".join((row.when, row.reference, row.what, row.was, row.result, row.message)))


def _row(row: LogRow, *, marked: bool) -> Content:
    parts: list[str | tuple[str, str]] = [
        ("✓ " if marked else "  ", "$text-warning"),
        (row.when, "dim"),
        "  ",
        (clean(row.reference), "bold"),
        f"  {clean(row.what)}",
    ]
    if row.was:
        parts.append((f"  was: {clean(row.was)}", "dim"))
    if not row.as_expected:
        parts.append((f"  {row.result}", _TONES.get(row.result, "dim")))
    if row.message:
        parts.append((f"\n       {clean(row.message)}", "$text-error"))
    return Content.assemble(*parts)
