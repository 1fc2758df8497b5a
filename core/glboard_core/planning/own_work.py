"""One person's work: what they are assigned to, and what they can start next (DOMAIN.md EN-1, EN-4).

Owns the two orders. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from glboard_core.board.rules import ready
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, rank_key
from glboard_core.model.workflow import STATES, WorkflowScheme
from glboard_core.planning.candidates import highest
from glboard_core.planning.counting import planned

_STEPS = {state: place for place, state in enumerate(STATES)}


def assigned(issues: Iterable[Issue], username: str, flow: WorkflowScheme) -> list[Issue]:
    """The open issues of a person: by workflow state (none first), then in manual order."""

    def step(issue: Issue) -> int:
        state = flow.of(issue)
        return -1 if state is None else _STEPS.get(state, -1)

    found = (issue for issue in issues if issue.is_open and username in issue.assignees)
    return sorted(found, key=lambda issue: (step(issue), rank_key(issue)))


def to_pick(
    issues: Iterable[Issue], milestone: str | None, flow: WorkflowScheme, names: LabelSettings
) -> list[Issue]:
    """Ready, unassigned issues of ``milestone``: accepted ones first, then by priority, then in manual order.

    Empty without a milestone. Priority is the label without its prefix; issues without one come last.
    """
    if milestone is None:
        return []

    def order(issue: Issue) -> tuple[bool, int, tuple[bool, float, int, str]]:
        priority = highest(issue, names.priority_prefix) or ""
        number = int(priority) if priority.isdecimal() else 1_000
        return names.deliverable not in issue.labels, number, rank_key(issue)

    free = (i for i in planned(issues, milestone, names) if not i.assignees and ready(i, flow, names))
    return sorted(free, key=order)
