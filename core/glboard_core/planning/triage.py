"""The triage list: open issues of the group that need fixing (planning rule 9).

Owns which codes an issue gets and their order (planning rule 9). The fixes belong to the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from msgspec import Struct

from glboard_core.board.priorities import priorities_of
from glboard_core.config import VERSION, LabelSettings
from glboard_core.model.issue import Issue, rank_key
from glboard_core.model.milestone import Milestone, upcoming
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import counts, flow_ready, held, missing_codes, over_weight

#: Every code, in the order they are listed.
ORDER = (
    "missing-type",
    "several-types",
    "missing-subtype",
    "missing-milestone",
    "missing-label:devops",
    "missing-label:section",
    "missing-label:category",
    "bug-without-severity",
    "bug-without-priority",
    "deliverable-without-milestone",
    "deliverable-beyond-next",
    "deliverable-in-bucket",
    "deliverable-not-ready",
    "expired-milestone",
    "ready-without-weight",
    "over-weight",
    "label-status-conflict",
)


class Finding(Struct, frozen=True):
    """An issue and why it is on the list."""

    issue: Issue
    reasons: tuple[str, ...]


class Rules(Struct, frozen=True, kw_only=True, dict=True):
    """What the codes depend on at one moment. ``today`` is a day in the team's time zone.

    ``milestones`` are by title. A milestone that is not among them (another project's, closed long ago) gives
    no finding, since its dates are unknown.
    """

    names: LabelSettings
    flow: WorkflowScheme
    milestones: Mapping[str, Milestone]
    today: date
    version: str = VERSION
    #: Whether the server has weights at all.
    weights: bool = True

    @cached_property
    def next_one(self) -> Milestone | None:
        """The next version milestone (rule 1)."""
        return next(iter(upcoming(self.milestones.values(), self.today, self.version)), None)

    def reasons(self, issue: Issue) -> tuple[str, ...]:
        """The codes of an issue, in order; none for one that is closed, another group's, or ignored."""
        if not issue.is_open or not counts(issue, self.names):
            return ()
        names, milestone = self.names, self.milestones.get(issue.milestone or "")
        bug = names.type_prefix + "bug" in issue.labels
        found = {
            *missing_codes(issue, names),
            self._deliverable(issue),
            *held(
                {
                    "missing-milestone": issue.milestone is None,
                    "bug-without-severity": bug and not issue.scoped(names.severity_prefix),
                    "bug-without-priority": bug and not priorities_of(issue.labels, names),
                    # A due date before today has ended before now.
                    "expired-milestone": bool(milestone and milestone.due and milestone.due < self.today),
                    "ready-without-weight": (
                        self.weights and issue.weight is None and flow_ready(issue, self.flow)
                    ),
                    "over-weight": over_weight(issue),
                    "label-status-conflict": bool(self.flow.conflict(issue)),
                }
            ),
        }
        return tuple(code for code in ORDER if code in found)

    def _deliverable(self, issue: Issue) -> str:
        """What is wrong with its Deliverable label, if anything."""
        if self.names.deliverable not in issue.labels:
            return ""
        if issue.milestone is None:
            return "deliverable-without-milestone"
        milestone, following = self.milestones.get(issue.milestone), self.next_one
        if milestone is None:
            return ""
        if milestone.start is None and milestone.due is None:
            return "deliverable-in-bucket"
        if following is None:
            return ""
        if milestone.title == following.title:
            return "" if flow_ready(issue, self.flow) else "deliverable-not-ready"
        if milestone.start is not None and following.start is not None and milestone.start > following.start:
            return "deliverable-beyond-next"
        return ""


def triage(issues: Iterable[Issue], rules: Rules) -> list[Finding]:
    """Everything with at least one reason, in manual order (rule 9)."""
    found = [Finding(issue, rules.reasons(issue)) for issue in sorted(issues, key=rank_key)]
    return [finding for finding in found if finding.reasons]
