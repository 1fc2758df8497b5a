"""Lists for engineers: what waits for a weight, and one's own work by flow state (EN-1, EN-2)."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.model.issue import Issue
from glboard_tui.edits import short
from glboard_tui.screens.worklist import Entry, WorkList


class _Queue(WorkList):
    """One line an issue: flow state, weight, milestone."""

    subject = ""

    def issues(self) -> Sequence[Issue]:
        """Which ones, in order."""
        return ()

    def fill(self) -> Sequence[Entry]:
        """The lines."""
        return [self._entry(issue) for issue in self.issues()]

    def _entry(self, issue: Issue) -> Entry:
        bridge = self.desk.bridge
        title, state = bridge.title_of(issue), bridge.view.flow.of(issue)
        facts = [
            state.name if state else "no state",
            issue.milestone or "no milestone",
            "blocked" if issue.blocked else "",
        ]
        weight = "?" if issue.weight is None else str(issue.weight)
        return Entry(
            issue,
            (
                (short(issue), "strong", 20),
                (weight, "strong", -3),
                (title, "text", 52),
                (" · ".join(fact for fact in facts if fact), "muted", 0),
            ),
            f"{title}\n{' '.join(sorted(issue.labels))}",
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Refinement queue: 3 of 9``."""
        return f"{self.subject}: {place} of {count}"


class Refinement(_Queue):
    """Planning breakdown without a weight."""

    subject = "Refinement queue"
    empty = "Nothing in planning breakdown waits for a weight."
    hints = "W digit weight and ready · o browser · c comment · n next · u undo · Esc closes"

    def issues(self) -> Sequence[Issue]:
        """In manual order."""
        return self.plan.unrefined()


class OwnWork(_Queue):
    """Assigned to me."""

    subject = "My work"
    empty = "Nothing open is assigned to you."
    hints = "S next state · s state · c comment · x close · o browser · n next · Esc closes"

    def issues(self) -> Sequence[Issue]:
        """By flow state, then in manual order."""
        return self.plan.mine()
