"""Lists for engineers: what waits for a weight, and one's own work by flow state (EN-1, EN-2)."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.rules import types_of
from glboard_core.model.issue import Issue
from glboard_core.planning.candidates import highest
from glboard_tui.edits import short
from glboard_tui.screens.worklist import Entry, WorkList
from glboard_tui.widgets.table import Col


class _Queue(WorkList):
    """One line an issue: flow state, weight, milestone."""

    subject = ""
    cols = (
        Col(title="issue", least=12),
        Col(title="w", right=True),
        Col(title="title", least=24),
        Col(title="state", least=12),
        Col(title="milestone", least=10, drop=1),
    )

    def issues(self) -> Sequence[Issue]:
        """Which ones, in order."""
        return ()

    def fill(self) -> Sequence[Entry]:
        """The lines."""
        return [self._entry(issue) for issue in self.issues()]

    def _entry(self, issue: Issue) -> Entry:
        bridge = self.desk.bridge
        title, state = bridge.title_of(issue), bridge.view.flow.of(issue)
        weight = "?" if issue.weight is None else str(issue.weight)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (weight, "warn" if issue.weight is None else "strong"),
                (title, "text"),
                ((state.name if state else "no state") + (", blocked" if issue.blocked else ""), "muted"),
                (issue.milestone or "no milestone", "muted"),
            ),
            f"{title}\n{' '.join(sorted(issue.labels))}",
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Refinement queue: 3 of 9``."""
        return f"{self.subject}: {place} of {count}"


class Refinement(_Queue):
    """Planning breakdown without a weight; the description stands beside the list."""

    subject = "Refinement queue"
    empty = "Nothing in planning breakdown waits for a weight."
    reads = True
    cols = (
        Col(title="issue", least=12),
        Col(title="pr", drop=2),
        Col(title="type", drop=3),
        Col(title="title", least=24),
        Col(title="milestone", drop=1),
    )
    hints = (
        ("weight.ready", "weight, ready"),
        ("plan.spike", "spike"),
        ("text.comment", "ask"),
        ("J K", "scroll"),
        ("plan.breakdown", "break down"),
        ("v", "description off or on"),
        ("open.browser", "browser"),
    )

    def issues(self) -> Sequence[Issue]:
        """In manual order."""
        return self.plan.unrefined()

    def _entry(self, issue: Issue) -> Entry:
        names = self.desk.bridge.settings.labels
        priority = highest(issue, names.priority_prefix)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (f"P{priority}" if priority else "", "muted"),
                (" ".join(kind.removeprefix(names.type_prefix) for kind in types_of(issue, names)), "muted"),
                (self.desk.bridge.title_of(issue), "text"),
                (issue.milestone or "", "muted"),
            ),
        )


class OwnWork(_Queue):
    """Assigned to me."""

    subject = "My work"
    empty = "Nothing open is assigned to you."
    hints = (
        ("flow.advance", "next state"),
        ("flow.set", "state"),
        ("flow.blocked", "blocked"),
        ("text.comment", "comment"),
        ("close.complete", "complete"),
        ("open.browser", "browser"),
        ("escape", "close"),
    )

    def issues(self) -> Sequence[Issue]:
        """By flow state, then in manual order."""
        return self.plan.mine()
