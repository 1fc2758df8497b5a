"""Triage: open issues with something to put right, one after the other (DOMAIN.md 7.9)."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_tui.edits import short
from glboard_tui.screens.worklist import Entry, WorkList
from glboard_tui.widgets.table import Col

_WORDS = {
    "missing-type": "no type",
    "several-types": "several types",
    "missing-subtype": "no subtype",
    "missing-milestone": "no milestone",
    "missing-label:devops": "no devops label",
    "missing-label:section": "no section label",
    "missing-label:category": "no category",
    "bug-without-severity": "bug without severity",
    "bug-without-priority": "bug without priority",
    "deliverable-without-milestone": "Deliverable without a milestone",
    "deliverable-beyond-next": "Deliverable beyond the next milestone",
    "deliverable-in-bucket": "Deliverable in a milestone without dates",
    "deliverable-not-ready": "Deliverable, not ready",
    "expired-milestone": "milestone is over",
    "ready-without-weight": "ready, no weight",
    "over-weight": "over weight 3: break down",
    "label-status-conflict": "label and status differ",
}


def reason_words(codes: Sequence[str]) -> str:
    """Reason codes in words."""
    return " · ".join(_WORDS.get(code, code) for code in codes)


class Triage(WorkList):
    """The list. ``p`` and a digit is the priority; the other keys are the board's."""

    empty = "Nothing is left to put right."
    hints = (
        ("m", "milestone"),
        ("labels.edit", "labels"),
        ("p 1-4", "priority"),
        ("flow.set", "state"),
        ("x", "close"),
        ("n", "next"),
        ("escape", "close"),
    )
    cols = (Col(title="issue", least=12), Col(title="title", least=28), Col(title="to put right", least=20))
    _priority = False
    _most = 0

    def fill(self) -> Sequence[Entry]:
        """One line an issue: its reasons in words."""
        found = self.plan.triage()
        self._most = max(self._most, len(found))
        bridge = self.desk.bridge
        return [
            Entry(
                one.issue,
                (
                    (short(one.issue), "strong"),
                    (bridge.title_of(one.issue), "text"),
                    (reason_words(one.reasons), "warn"),
                ),
                f"{bridge.title_of(one.issue)}\n{reason_words(one.reasons)}",
            )
            for one in found
        ]

    def heading_of(self, place: int, count: int) -> str:
        """``Triage: 12 of 47``."""
        done = self._most - count
        return f"Triage: {place} of {count}" + (f" · {done} put right" if done else "")

    def own_key(self, token: str) -> bool:
        """``p`` and a digit."""
        if self._priority:
            self._priority = False
            if token in ("1", "2", "3", "4"):
                self._prioritize(token)
            else:
                self.tell(f"p {token} means nothing here; p and 1 to 4 is the priority.")
            return True
        self._priority = token == "p"  # noqa: S105  (a key, no secret)
        if self._priority:
            self.tell("priority: 1 2 3 4")
        return self._priority

    def _prioritize(self, digit: str) -> None:
        issue, catalog = self.chosen(), self.desk.bridge.catalog
        if issue is None or catalog is None:
            return
        label = self.desk.bridge.settings.labels.priority_prefix + digit
        if all(known.title != label for known in catalog.labels_for({issue.project})):
            self.tell(f"There is no label {label} in {issue.project}.")
            return
        self.desk.do(lambda planner, issues: planner.relabel(issues, frozenset({label}), frozenset()))
