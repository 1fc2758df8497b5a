"""What could become a Deliverable, in suggested order (planning rules 4 and 12).

Owns the order, the details of each candidate, and the proposal that fills the capacity. Nothing here writes:
the EM accepts line by line. Weights are GitLab's issue weights; capacity is in the same unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from glboard_core.board.priorities import priorities_of
from glboard_core.board.rules import missed, ready, warnings
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId, rank_key
from glboard_core.model.workflow import STATES, WorkflowScheme
from glboard_core.planning.capacity import PersonCapacity
from glboard_core.planning.readiness import planned, reasons_against

Order = Literal["suggested", "priority", "weight"]

#: Severities of bugs that are flagged wherever they are in the order (rule 12).
_SEVERE = ("1", "2")


class Candidate(Struct, frozen=True, kw_only=True):
    """An issue of the milestone, with what is needed to choose.

    ``slipped`` is how many milestones it missed; ``rank`` its place in the manual order among the candidates,
    from 1; ``priority`` and ``severity`` are their labels without the prefix (``1``), of several the
    highest. ``reasons`` say why it is not eligible. ``accepted``: it has Deliverable already.
    """

    issue: Issue
    slipped: int
    rank: int
    priority: str | None
    severity: str | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    accepted: bool
    severe: bool

    @property
    def eligible(self) -> bool:
        """Whether it can become a Deliverable (rule 4)."""
        return not self.reasons


class ProposalLine(Struct, frozen=True):
    """A line of the proposal: whether it is chosen, and the weight of all chosen up to here."""

    candidate: Candidate
    chosen: bool
    cumulative: int


def candidates(
    issues: Iterable[Issue],
    milestone: str,
    allowed: frozenset[str],
    flow: WorkflowScheme,
    names: LabelSettings,
    *,
    order: Order = "suggested",
    weights: bool = True,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> list[Candidate]:
    """The open issues of ``milestone`` that are not ``type::ignore``, in order (rule 12).

    Suggested: most slips first, then the manual order, which is total. ``allowed`` is
    ``readiness.open_for_deliverables``; ``weights`` is whether the server has weights at all;
    ``renamed`` has former titles of milestones, with the present ones.
    """
    ranked = sorted(planned(issues, milestone, names), key=rank_key)
    found = [
        Candidate(
            issue=issue,
            slipped=missed(issue, names, renamed),
            rank=rank,
            priority=priority_of(issue, names),
            severity=(severity := highest(issue, names.severity_prefix)),
            reasons=reasons_against(issue, milestone, allowed, flow, names, weights=weights),
            warnings=warnings(issue, flow, names, weights=weights),
            accepted=names.deliverable in issue.labels,
            severe=severity in _SEVERE and names.type_prefix + "bug" in issue.labels,
        )
        for rank, issue in enumerate(ranked, 1)
    ]
    return sorted(found, key=_KEYS[order])


def priority_of(issue: Issue, names: LabelSettings) -> str | None:
    """The priority of an issue as a card says it: what follows the prefix, or its place in the list."""
    if not names.priorities:
        return highest(issue, names.priority_prefix)
    found = priorities_of(issue.labels, names)
    return str(names.priorities.index(found[0]) + 1) if found else None


def highest(issue: Issue, prefix: str) -> str | None:
    """The value of the label with that prefix; of several the first in order (``priority::1`` before 2)."""
    values = [label[len(prefix) :] for label in issue.scoped(prefix)]
    return min(values, key=_natural, default=None)


def fill(ordered: Sequence[Candidate], space: float) -> list[ProposalLine]:
    """A proposal: go down the order, choose what is eligible and fits, skip what does not (rule 12).

    ``space`` is the weight that can still be accepted (``Capacity.space``). Accepted issues are already
    subtracted from it, so they are neither chosen again nor counted.
    """
    lines: list[ProposalLine] = []
    so_far = 0
    for candidate in ordered:
        weight = candidate.issue.weight
        chosen = (
            candidate.eligible and not candidate.accepted and weight is not None and so_far + weight <= space
        )
        if chosen and weight is not None:
            so_far += weight
        lines.append(ProposalLine(candidate, chosen, so_far))
    return lines


def takers(issues: Iterable[Issue], people: Iterable[PersonCapacity]) -> dict[IssueId, str]:
    """Who of the team could take each of these issues that has no assignee, in their order.

    The person with the most free weight, what was proposed before taken off; of those whose role is a label
    of the issue (``backend``, ``role::backend``), if there are any. No one without days in the milestone.
    """
    able = {one.username: one for one in people if one.budget is not None and one.budget.weight > 0}
    free = {name: one.free or 0.0 for name, one in able.items()}
    found: dict[IssueId, str] = {}
    for issue in issues:
        if issue.assignees or not able:
            continue
        said = {label.rpartition("::")[2].casefold() for label in issue.labels}
        fitting = [name for name, one in able.items() if one.role and one.role.casefold() in said]
        taker = min(fitting or able, key=lambda name: (-free[name], name))
        found[issue.id] = taker
        free[taker] -= issue.weight or 0
    return found


def running(ordered: Sequence[Candidate]) -> list[int | None]:
    """The running weight of accepted and eligible issues at each line; None for a line that is neither."""
    found: list[int | None] = []
    so_far = 0
    for candidate in ordered:
        counts = candidate.accepted or candidate.eligible
        so_far += (candidate.issue.weight or 0) if counts else 0
        found.append(so_far if counts else None)
    return found


def capacity_ends(sums: Sequence[int | None], capacity: float) -> int | None:
    """The first line whose running weight exceeds ``capacity``; None if everything fits.

    ``capacity`` is the team's weight less the carry-over, before anything is accepted.
    """
    return next((row for row, weight in enumerate(sums) if weight is not None and weight > capacity), None)


def _natural(value: str) -> tuple[int, str]:
    return (int(value), "") if value.isdecimal() else (1_000, value)


_KEYS: dict[Order, Callable[[Candidate], Any]] = {
    "suggested": lambda one: (-one.slipped, one.rank),
    "priority": lambda one: (_natural(one.priority or "~"), one.rank),
    # Light ones first, since more of them fit; unweighted ones last.
    "weight": lambda one: (one.issue.weight is None, one.issue.weight or 0, one.rank),
}


# One person's work (planning rule 22)


def assigned(issues: Iterable[Issue], username: str, flow: WorkflowScheme) -> list[Issue]:
    """The open issues of a person: by workflow state (none first), then in manual order."""

    def step(issue: Issue) -> int:
        state = flow.of(issue)
        return STATES.index(state) if state in STATES else -1

    found = (issue for issue in issues if issue.is_open and username in issue.assignees)
    return sorted(found, key=lambda issue: (step(issue), rank_key(issue)))


def to_pick(
    issues: Iterable[Issue],
    milestone: str | None,
    flow: WorkflowScheme,
    names: LabelSettings,
    *,
    weights: bool = True,
) -> list[Issue]:
    """Ready, unassigned issues of ``milestone``: accepted ones first, then by priority, then in manual order.

    Empty without a milestone. Priority is the label without its prefix; issues without one come last.
    ``weights`` is whether the server has weights at all.
    """
    if milestone is None:
        return []

    def order(issue: Issue) -> tuple[bool, int, tuple[bool, float, int, str]]:
        priority = priority_of(issue, names) or ""
        return names.deliverable not in issue.labels, _natural(priority)[0], rank_key(issue)

    open_ones = planned(issues, milestone, names)
    free = (i for i in open_ones if not i.assignees and ready(i, flow, names, weights=weights))
    return sorted(free, key=order)
