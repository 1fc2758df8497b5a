"""A locked plan: which issues were in it, with weight and people, at a moment (planning rule 19).

Owns the snapshot's shape, its creation, and its JSON, which colleagues exchange. It is preferred to replayed
events, since GitLab loses some (rule 6). Weights are GitLab's issue weights; times are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct, structs

from glboard_core.config import LabelSettings
from glboard_core.errors import ConfigError
from glboard_core.files import json_of
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.renames import Renames
from glboard_core.planning.readiness import counts
from glboard_core.planning.text import counted
from glboard_core.planning.timeline import Moment, Timeline, cut

#: The file's format version; unknown versions are rejected.
FORMAT = 1

_ID = re.compile(r"gid://[\w-]+/[\w:-]+/\d+", re.ASCII)
_REFERENCE = re.compile(r"[\w./-]+#\d+", re.ASCII)
_USERNAME = re.compile(r"[\w.-]+", re.ASCII)


class PlannedIssue(Struct, frozen=True, kw_only=True):
    """One line of a plan. ``assignees`` are usernames."""

    issue: IssueId
    reference: str
    weight: int | None = None
    assignees: tuple[str, ...] = ()


class PlanSnapshot(Struct, frozen=True, kw_only=True):
    """The plan of a milestone as it was at ``locked_at``. ``rebuilt`` if it comes from events.

    ``locked_by`` is the username of the person who locked it; ``host`` and ``group`` say where its issues
    are. All three are empty if it was never locked, as in a plan that a report rebuilds. ``group_id`` is the
    group's global id, since another group can take over its path; empty in plans of earlier versions, which
    use the path.
    """

    milestone: str
    locked_at: datetime
    issues: tuple[PlannedIssue, ...] = ()
    rebuilt: bool = False
    locked_by: str = ""
    host: str = ""
    group: str = ""
    group_id: str = ""

    def is_of(self, group_id: str) -> bool:
        """Whether it can be a plan of the group with that global id, if both are known."""
        return not self.group_id or not group_id or self.group_id == group_id

    @property
    def weight(self) -> int:
        """The sum of the weights; unweighted issues count as 0."""
        return sum(row.weight or 0 for row in self.issues)


class _Version(Struct, frozen=True):
    glboard_plan: int | None = None


class _File(PlanSnapshot, frozen=True, kw_only=True):
    glboard_plan: int = FORMAT


def take(issues: Iterable[Issue], milestone: str, at: datetime, names: LabelSettings) -> PlanSnapshot:
    """The plan as it is now: every Deliverable of the milestone that counts, including closed ones."""
    planned = [
        _line(issue, issue.weight)
        for issue in sorted(issues, key=lambda issue: (issue.project, issue.iid))
        if issue.milestone == milestone and names.deliverable in issue.labels and counts(issue, names)
    ]
    return PlanSnapshot(milestone=milestone, locked_at=cut(at), issues=tuple(planned))


def followed(plan: PlanSnapshot, copies: Mapping[IssueId, Issue]) -> PlanSnapshot:
    """The plan with the copy in place of each issue that was moved to another project since."""
    rows: dict[IssueId, PlannedIssue] = {}
    for row in plan.issues:
        copy = copies.get(row.issue)
        kept = structs.replace(row, issue=copy.id, reference=copy.reference) if copy is not None else row
        rows.setdefault(kept.issue, kept)
    return structs.replace(plan, issues=tuple(rows.values()))


def renamed(plan: PlanSnapshot, now: Renames) -> PlanSnapshot:
    """The plan with present names of its milestone, projects and people."""
    rows = [
        structs.replace(
            row,
            reference=f"{now.path(project)}{mark}{number}",
            assignees=tuple(map(now.person, row.assignees)),
        )
        for row in plan.issues
        for project, mark, number in [row.reference.rpartition("#")]
    ]
    return structs.replace(
        plan,
        milestone=now.milestone(plan.milestone, now.group[0]),
        issues=tuple(rows),
        locked_by=now.person(plan.locked_by),
        group=now.group[1] if plan.group == now.group[0] else plan.group,
    )


def rebuild(
    tracks: Iterable[tuple[Issue, Timeline]], milestone: str, at: datetime, names: LabelSettings
) -> PlanSnapshot:
    """The plan as it was, from events: in the milestone with Deliverable at that second.

    Past assignees are not recorded, so ``assignees`` are today's.
    """
    return _from_moments(((issue, line, line.at(at)) for issue, line in tracks), milestone, at, names)


def at_the_end(
    tracks: Iterable[tuple[Issue, Timeline]], milestone: str, at: datetime, names: LabelSettings
) -> PlanSnapshot:
    """The plan at the end of the timelines, which is ``at``: now, or the moment of the report."""
    return _from_moments(((issue, line, line.last) for issue, line in tracks), milestone, at, names)


def _from_moments(
    rows: Iterable[tuple[Issue, Timeline, Moment | None]], milestone: str, at: datetime, names: LabelSettings
) -> PlanSnapshot:
    planned = [
        _line(issue, then.weight)
        for issue, line, then in sorted(rows, key=lambda row: (row[0].project, row[0].iid))
        if then is not None
        and then.planned_in(milestone, names.deliverable)
        and names.ignore not in (line.last or then).labels
        and not issue.moved
        and not issue.promoted
    ]
    return PlanSnapshot(milestone=milestone, locked_at=cut(at), issues=tuple(planned), rebuilt=True)


def _line(issue: Issue, weight: int | None) -> PlannedIssue:
    return PlannedIssue(issue=issue.id, reference=issue.reference, weight=weight, assignees=issue.assignees)


def locked(snapshot: PlanSnapshot, by: str, host: str, group: str, group_id: str = "") -> PlanSnapshot:
    """The snapshot with who locked it, and the host and group of its issues."""
    return structs.replace(snapshot, locked_by=by, host=host, group=group, group_id=group_id)


def exported(snapshot: PlanSnapshot) -> bytes:
    """The snapshot as JSON, for a file."""
    return msgspec.json.format(msgspec.json.encode(_File(**structs.asdict(snapshot))), indent=2) + b"\n"


def imported(raw: bytes, where: str) -> PlanSnapshot:
    """The snapshot from untrusted JSON. Raises ConfigError, naming ``where``."""
    try:
        content = json_of(raw, where)
        version = msgspec.convert(content, type=_Version).glboard_plan
        if version is not None and version != FORMAT:
            raise ConfigError(
                f"this locked plan uses format {version}; this glboard reads format {FORMAT}.",
                where=where,
                hint="If a newer glboard wrote it, update this one.",
            )
        found = msgspec.convert(content, type=_File)
    except msgspec.ValidationError as error:
        raise ConfigError(f"not a locked plan: {error}", where=where) from None
    if found.locked_at.tzinfo is None:
        raise ConfigError("the time has no time zone.", where=where, key="locked_at")
    if not 2000 <= found.locked_at.year < 3000:
        raise ConfigError("no plan was locked then.", where=where, key="locked_at")
    for key in ("milestone", "locked_by", "host", "group", "group_id"):
        if not getattr(found, key).isprintable():
            raise ConfigError("it contains unprintable characters.", where=where, key=key)
    seen: set[IssueId] = set()
    for at, row in enumerate(found.issues):
        if wrong := _wrong(row, seen):
            raise ConfigError(wrong, where=where, key=f"issues[{at}]")
        seen.add(row.issue)
    fields = {name: getattr(found, name) for name in PlanSnapshot.__struct_fields__}
    return PlanSnapshot(**{**fields, "locked_at": cut(found.locked_at.astimezone(UTC))})


def _wrong(row: PlannedIssue, seen: Container[IssueId]) -> str:
    if not _ID.fullmatch(row.issue):
        return "issue is not a global id such as gid://gitlab/Issue/17."
    if row.issue in seen:
        return f"{row.issue} is listed twice."
    if not _REFERENCE.fullmatch(row.reference):
        return "reference is not of the form group/project#12."
    if row.weight is not None and row.weight < 0:
        return "weight is below 0."
    if any(not _USERNAME.fullmatch(name) for name in row.assignees):
        return "assignees are not usernames."
    return ""


def refused(snapshot: PlanSnapshot, host: str, group: str, group_id: str = "") -> str:
    """Why a plan cannot be used for a group on a host; "" if it can."""
    if not (snapshot.host and snapshot.group):
        return "it does not name its host and group"
    if (snapshot.host, snapshot.group) != (host, group):
        return f"it belongs to {snapshot.group} on {snapshot.host}, but this is {group} on {host}"
    if not snapshot.is_of(group_id):
        return f"it belongs to another group, previously named {group} on {host}"
    return ""


# As text; times in UTC


def minute(at: datetime) -> str:
    """``2026-11-13 17:00 UTC``."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def locked_words(plan: PlanSnapshot) -> str:
    """When and by whom it was locked, or rebuilt from events: ``locked 2026-11-13 17:00 UTC by em_maple``."""
    return lock_words(plan.locked_at, plan.locked_by, rebuilt=plan.rebuilt)


def lock_words(at: datetime, by: str, *, rebuilt: bool) -> str:
    """``locked_words`` of a plan with these fields."""
    by = f" by {by}" if by else ""
    if rebuilt:
        return f"rebuilt from events as of {minute(at)}{', locked' + by if by else ''}"
    return f"locked {minute(at)}{by}"


def count_words(plan: PlanSnapshot) -> str:
    """``12 Deliverables, weight 20``."""
    return f"{counted(len(plan.issues), 'Deliverable')}, weight {plan.weight}"


# Changes since the lock


class Reweighted(Struct, frozen=True, kw_only=True):
    """An issue that stayed in the plan with a different weight; None is no weight, or an unknown one."""

    reference: str
    before: int | None
    after: int | None


class PlanChanges(Struct, frozen=True, kw_only=True):
    """The changes since ``locked`` was taken."""

    locked: PlanSnapshot
    added: tuple[PlannedIssue, ...]
    removed: tuple[PlannedIssue, ...]
    reweighted: tuple[Reweighted, ...]


def scope(locked: PlanSnapshot, now: PlanSnapshot) -> PlanChanges:
    """What was added to the plan, removed from it and reweighted since it was locked."""
    before = {row.issue: row for row in locked.issues}
    after = {row.issue: row for row in now.issues}
    return PlanChanges(
        locked=locked,
        added=tuple(row for row in now.issues if row.issue not in before),
        removed=tuple(row for row in locked.issues if row.issue not in after),
        reweighted=tuple(
            Reweighted(reference=row.reference, before=before[row.issue].weight, after=row.weight)
            for row in now.issues
            if row.issue in before and before[row.issue].weight != row.weight
        ),
    )
