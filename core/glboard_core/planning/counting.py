"""Which issues count, and their total weight (DOMAIN.md section 1 and 7.5).

Owns the only definition of a counted issue: it has the group's label, and not ``type::ignore``. Weights are
GitLab's issue weights; unweighted issues are counted separately, so that they never look like weight 0.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from glboard_core.board.rules import MAX_WEIGHT
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue


class Sum(Struct, frozen=True):
    """The sum of some issues: how many, their weight, and how many are unweighted (7.5)."""

    count: int = 0
    weight: int = 0
    unweighted: int = 0


def counts(issue: Issue, names: LabelSettings) -> bool:
    """Whether the issue belongs to the group and is not ``type::ignore``, which never counts (section 1)."""
    return (not names.group or names.group in issue.labels) and names.ignore not in issue.labels


def planned(issues: Iterable[Issue], milestone: str, names: LabelSettings) -> list[Issue]:
    """The open issues of a milestone that count, in the order given (7.10 to 7.12)."""
    return [i for i in issues if i.is_open and i.milestone == milestone and counts(i, names)]


def deliverables(issues: Iterable[Issue], milestone: str, names: LabelSettings) -> list[Issue]:
    """Those of ``planned`` that are accepted, with the label Deliverable."""
    return [i for i in planned(issues, milestone, names) if names.deliverable in i.labels]


def total(issues: Iterable[Issue]) -> Sum:
    """Count, weight and number of unweighted issues (7.5)."""
    weights = [issue.weight for issue in issues]
    known = [weight for weight in weights if weight is not None]
    return Sum(count=len(weights), weight=sum(known), unweighted=len(weights) - len(known))


def over_weight(issue: Issue) -> bool:
    """Whether the weight is above 3, so the issue should be broken down (7.5)."""
    return issue.weight is not None and issue.weight > MAX_WEIGHT
