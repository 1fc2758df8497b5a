"""What was closed in past milestones: the figure to compare a capacity with (DOMAIN.md 7.10).

Owns which past milestones count, and their sums. Weights are sums of GitLab's issue weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from glboard_core.config import LabelSettings, PlanningSettings
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone, versions
from glboard_core.planning.counting import counts, total


class ClosedWeight(Struct, frozen=True, kw_only=True):
    """The closed Deliverables of one milestone: how many, and their weight."""

    milestone: str
    count: int = 0
    weight: int = 0


def mean(closed: Sequence[ClosedWeight]) -> float | None:
    """Mean closed Deliverable weight (7.10); None if there is no past milestone."""
    return sum(one.weight for one in closed) / len(closed) if closed else None


def past_milestones(
    milestones: Iterable[Milestone], milestone: Milestone, today: date, planning: PlanningSettings
) -> list[Milestone]:
    """The last version milestones before ``milestone`` that are over, oldest first (7.10)."""
    over = [
        m
        for m in versions(milestones)
        if m.due is not None
        and m.due < today
        and (milestone.start is None or (m.start is not None and m.start < milestone.start))
    ]
    return over[-planning.past_milestones :]


def closed_weights(
    issues: Iterable[Issue], past: Sequence[Milestone], names: LabelSettings
) -> tuple[ClosedWeight, ...]:
    """The closed Deliverables of each of these milestones, in their order; other issues are ignored."""
    done: dict[str, list[Issue]] = {milestone.title: [] for milestone in past}
    for issue in issues:
        if (
            not issue.is_open
            and issue.milestone in done
            and names.deliverable in issue.labels
            and counts(issue, names)
        ):
            done[issue.milestone].append(issue)
    return tuple(
        ClosedWeight(milestone=title, count=len(found), weight=total(found).weight)
        for title, found in done.items()
    )
