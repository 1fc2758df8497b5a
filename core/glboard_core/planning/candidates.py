"""What could become a Deliverable, in suggested order (DOMAIN.md 7.4, 7.12).

Owns the order, what is shown beside each candidate, and the proposal that fills the room. Nothing here
writes: the EM accepts line by line. Weights are GitLab's issue weights, room is in the same unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from glboard_core.board.rules import missed, warnings
from glboard_core.config import LabelSettings
from glboard_core.model.flow import FlowScheme
from glboard_core.model.issue import Issue, rank_key
from glboard_core.planning.counting import planned
from glboard_core.planning.readiness import reasons_against

Order = Literal["suggested", "priority", "weight"]

#: Severities that are flagged wherever their bugs stand (7.12).
_SEVERE = ("1", "2")


class Candidate(Struct, frozen=True, kw_only=True):
    """An issue of the milestone, and what there is to know for choosing.

    ``slipped`` is how many milestones it missed; ``rank`` its place in the manual order among the candidates,
    from 1; ``priority`` and ``severity`` what their labels say after the prefix (``1``), of several the
    highest. ``reasons`` say why it is not eligible. ``accepted`` carries Deliverable already.
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
        """Whether it may become a Deliverable (7.4)."""
        return not self.reasons


class Line(Struct, frozen=True):
    """A line of the proposal: the weight of all chosen up to here, and whether this one is."""

    candidate: Candidate
    chosen: bool
    cumulative: int


def candidates(
    issues: Iterable[Issue],
    milestone: str,
    allowed: frozenset[str],
    flow: FlowScheme,
    names: LabelSettings,
    *,
    order: Order = "suggested",
) -> list[Candidate]:
    """The open issues of ``milestone`` that are not ``type::ignore``, in order (7.12).

    Suggested: times slipped, most first, then the manual order, which is total. ``allowed`` is
    ``readiness.open_for_deliverables``.
    """
    ranked = sorted(planned(issues, milestone, names), key=rank_key)
    found = [
        Candidate(
            issue=issue,
            slipped=missed(issue, names),
            rank=rank,
            priority=highest(issue, names.priority_prefix),
            severity=(severity := highest(issue, names.severity_prefix)),
            reasons=reasons_against(issue, milestone, allowed, flow, names),
            warnings=warnings(issue, flow, names),
            accepted=names.deliverable in issue.labels,
            severe=severity in _SEVERE and names.type_prefix + "bug" in issue.labels,
        )
        for rank, issue in enumerate(ranked, 1)
    ]
    return sorted(found, key=_KEYS[order])


def highest(issue: Issue, prefix: str) -> str | None:
    """What the label with that prefix says, the first of several in order (``priority::1`` before 2)."""
    values = [label[len(prefix) :] for label in issue.scoped(prefix)]
    return min(values, key=_natural, default=None)


def fill(ordered: Sequence[Candidate], space: float) -> list[Line]:
    """A proposal: down the order, take what is eligible and fits, skip what does not (7.12).

    ``space`` is what may still be accepted (``Capacity.space``). What is accepted already is in it and stays
    as it is: not chosen again, not counted.
    """
    lines: list[Line] = []
    so_far = 0
    for candidate in ordered:
        weight = candidate.issue.weight
        chosen = (
            candidate.eligible and not candidate.accepted and weight is not None and so_far + weight <= space
        )
        if chosen and weight is not None:
            so_far += weight
        lines.append(Line(candidate, chosen, so_far))
    return lines


def running(ordered: Sequence[Candidate]) -> list[int | None]:
    """The weight of all that is or can be accepted, down to each line; none where a line can be neither."""
    found: list[int | None] = []
    so_far = 0
    for candidate in ordered:
        counts = candidate.accepted or candidate.eligible
        so_far += (candidate.issue.weight or 0) if counts else 0
        found.append(so_far if counts else None)
    return found


def room_ends(sums: Sequence[int | None], room: float) -> int | None:
    """The first line whose running weight is more than ``room``; none where all of it fits.

    ``room`` is the team's weight less the carry-over, before anything is accepted.
    """
    return next((row for row, weight in enumerate(sums) if weight is not None and weight > room), None)


def _natural(value: str) -> tuple[int, str]:
    return (int(value), "") if value.isdecimal() else (1_000, value)


def _by_priority(candidate: Candidate) -> Any:
    return _natural(candidate.priority or "~"), candidate.rank


def _by_weight(candidate: Candidate) -> Any:
    # Light ones first: more of them fit; those without a weight last.
    weight = candidate.issue.weight
    return weight is None, weight or 0, candidate.rank


_KEYS: dict[Order, Callable[[Candidate], Any]] = {
    "suggested": lambda candidate: (-candidate.slipped, candidate.rank),
    "priority": _by_priority,
    "weight": _by_weight,
}
