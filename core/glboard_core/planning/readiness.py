"""Whether an issue can become a Deliverable of a milestone, and why not (DOMAIN.md 7.3, 7.4).

Owns the reason codes of eligibility. Readiness of a card belongs to ``board/rules.py``; a missing assignee is
asked about when the issue is accepted, not here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from glboard_core.board.rules import ready, types_of
from glboard_core.config import LabelSettings, PlanningSettings
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone, current, upcoming
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.counting import counts

READY = "ready for development"

#: The codes that only issues requested by reference can have: no list of candidates contains them.
BY_NAME = ("closed", "other-group", "ignored")


def flow_ready(issue: Issue, flow: WorkflowScheme) -> bool:
    """Whether the state is ready for development; of several the one farthest from completion (7.4)."""
    state = flow.of(issue)
    return state is not None and state.name == READY


def open_for_deliverables(milestones: Iterable[Milestone], today: date) -> frozenset[str]:
    """Titles of milestones open for Deliverables: current and next (7.4). ``today`` is the team's day."""
    known = list(milestones)
    found = (current(known, today), *upcoming(known, today)[:1])
    return frozenset(milestone.title for milestone in found if milestone is not None)


def reasons_against(
    issue: Issue, milestone: str, allowed: frozenset[str], flow: WorkflowScheme, names: LabelSettings
) -> tuple[str, ...]:
    """Why the issue cannot become a Deliverable of ``milestone``; empty if it can (7.4).

    ``allowed`` is ``open_for_deliverables``. Codes in the order of DESIGN.md section 6; ``other-milestone``
    also means that the requested milestone is neither current nor next. ``other-group`` and ``ignored`` are
    for issues requested by reference: no list contains them.
    """
    codes: list[str] = []
    if not issue.is_open:
        codes.append("closed")
    if issue.milestone != milestone or milestone not in allowed:
        codes.append("other-milestone")
    if not flow_ready(issue, flow):
        codes.append("not-ready")
    if issue.weight is None:
        codes.append("no-weight")
    types = types_of(issue, names)
    if not types:
        codes.append("missing-type")
    elif len(types) > 1:
        codes.append("several-types")
    if names.ignore in issue.labels:
        codes.append("ignored")
    elif not counts(issue, names):
        codes.append("other-group")
    return tuple(codes)


def eligible(
    issue: Issue, milestone: str, allowed: frozenset[str], flow: WorkflowScheme, names: LabelSettings
) -> bool:
    """deliverable-eligible(i, X) of 7.4."""
    return not reasons_against(issue, milestone, allowed, flow, names)


def waiting_to_be_scheduled(issue: Issue, flow: WorkflowScheme, names: LabelSettings) -> bool:
    """Ready without a milestone: reported, but no violation (7.3)."""
    return issue.milestone is None and ready(issue, flow, names)


def suggested_weight(issue: Issue, names: LabelSettings, planning: PlanningSettings) -> int | None:
    """The weight to suggest for an unweighted issue: that of a time-boxed spike, else None (7.4)."""
    return planning.spike_weight if issue.weight is None and names.spike in issue.labels else None
