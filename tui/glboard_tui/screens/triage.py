"""Triage: open issues that need fixing, one after another (DOMAIN.md 7.9)."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.use_cases import short
from glboard_core.model.issue import IssueId
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import Entry, IssueList
from glboard_tui.screens.remedies import reason_words, what_to_press
from glboard_tui.widgets.table import Col


class Triage(IssueList):
    """The list. Its keys are the board's; a fixed issue leaves it."""

    empty = "All fixed."
    hints = (
        ("milestone.next", "next milestone"),
        ("labels.missing", "missing labels"),
        ("labels.priority", "priority"),
        ("labels.severity", "severity"),
        ("card.next", "next"),
        ("close.plain", "close"),
        ("labels.edit", "labels"),
        ("flow.set", "state"),
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="title", least=28),
        Col(title="to fix", least=24),
    )

    def __init__(self, desk: CommandContext) -> None:
        super().__init__(desk)
        #: All issues listed since it was opened: the base of the progress.
        self._found: set[IssueId] = set()

    def fill(self) -> Sequence[Entry]:
        """One line per issue, with its reasons in words."""
        found = self.plan.triage()
        self._found |= {one.issue.id for one in found}
        title_of, keymap = self.desk.bridge.title_of, self.desk.screen.keymap
        return [
            Entry(
                one.issue,
                (
                    (short(one.issue), "strong"),
                    (title_of(one.issue), "text"),
                    (reason_words(one.reasons), "warn"),
                ),
                lambda one=one: f"{title_of(one.issue)}\n{what_to_press(one.reasons, keymap)}",  # type: ignore[misc]
            )
            for one in found
        ]

    def heading_of(self, place: int, count: int) -> str:
        """``Triage: 12 of 47 fixed``, of all found since the list was opened."""
        total = len(self._found)
        if not total:
            return "Triage"
        at = f" · line {place} of {count}" if count else ""
        return f"Triage: {total - count} of {total} fixed{at}"
