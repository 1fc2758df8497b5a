"""A locked plan: which issues were in it, with weight and people, at a moment (DOMAIN.md section 7, EM-10).

Owns the snapshot's shape, its making, and its JSON, which colleagues exchange. It is preferred to events that
are replayed, since GitLab loses some (7.6 caveats). Weight in GitLab's issue weight; times in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from glboard_core.config import LabelSettings
from glboard_core.errors import ConfigError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.counting import counts
from glboard_core.planning.replay import Moment, Timeline, cut

#: The shape of the file; a reader refuses one it does not know.
FORMAT = 1


class PlannedIssue(Struct, frozen=True, kw_only=True):
    """One line of a plan. ``assignees`` are usernames."""

    issue: IssueId
    reference: str
    weight: int | None = None
    assignees: tuple[str, ...] = ()


class PlanSnapshot(Struct, frozen=True, kw_only=True):
    """The plan of a milestone as it was at ``locked_at``. ``rebuilt`` where it comes from events."""

    milestone: str
    locked_at: datetime
    issues: tuple[PlannedIssue, ...] = ()
    rebuilt: bool = False


class _File(PlanSnapshot, frozen=True, kw_only=True):
    glboard_plan: int = FORMAT


def take(issues: Iterable[Issue], milestone: str, at: datetime, names: LabelSettings) -> PlanSnapshot:
    """The plan as it is now: every Deliverable of the milestone that counts, closed ones too."""
    planned = [
        PlannedIssue(
            issue=issue.id, reference=issue.reference, weight=issue.weight, assignees=issue.assignees
        )
        for issue in sorted(issues, key=lambda issue: (issue.project, issue.iid))
        if issue.milestone == milestone and names.deliverable in issue.labels and counts(issue, names)
    ]
    return PlanSnapshot(milestone=milestone, locked_at=cut(at), issues=tuple(planned))


def rebuild(
    tracks: Iterable[tuple[Issue, Timeline]], milestone: str, at: datetime, names: LabelSettings
) -> PlanSnapshot:
    """The plan as it was, from events: in the milestone with Deliverable at that second.

    Nobody records who was assigned then, so ``assignees`` are today's.
    """
    return _from_moments(((issue, line, line.at(at)) for issue, line in tracks), milestone, at, names)


def at_the_end(
    tracks: Iterable[tuple[Issue, Timeline]], milestone: str, at: datetime, names: LabelSettings
) -> PlanSnapshot:
    """The plan at the end of the timelines, which is ``at``: now, or the moment the report is as of."""
    return _from_moments(((issue, line, line.last) for issue, line in tracks), milestone, at, names)


def _from_moments(
    rows: Iterable[tuple[Issue, Timeline, Moment | None]], milestone: str, at: datetime, names: LabelSettings
) -> PlanSnapshot:
    planned = [
        PlannedIssue(issue=issue.id, reference=issue.reference, weight=then.weight, assignees=issue.assignees)
        for issue, line, then in sorted(rows, key=lambda row: (row[0].project, row[0].iid))
        if then is not None
        and then.planned_in(milestone, names.deliverable)
        and names.ignore not in (line.last or then).labels
    ]
    return PlanSnapshot(milestone=milestone, locked_at=cut(at), issues=tuple(planned), rebuilt=True)


def exported(snapshot: PlanSnapshot) -> bytes:
    """The snapshot as JSON, for a file."""
    fields = {name: getattr(snapshot, name) for name in PlanSnapshot.__struct_fields__}
    return msgspec.json.format(msgspec.json.encode(_File(**fields)), indent=2)


def imported(raw: bytes, where: str) -> PlanSnapshot:
    """The snapshot from JSON. Raises ConfigError, naming ``where``, for anything else."""
    try:
        found = msgspec.json.decode(raw, type=_File)
    except msgspec.DecodeError as error:
        raise ConfigError(f"this is not a locked plan: {error}", where=where) from None
    if found.glboard_plan != FORMAT:
        raise ConfigError("this locked plan was written by a newer glboard.", where=where)
    if found.locked_at.tzinfo is None:
        raise ConfigError("the time has no zone.", where=where, key="locked_at")
    fields = {name: getattr(found, name) for name in PlanSnapshot.__struct_fields__}
    return PlanSnapshot(**{**fields, "locked_at": found.locked_at.astimezone(UTC)})
