"""Changes of a plan since it was locked (EM-10, DOMAIN.md 7.6): added, removed, re-weighted.

Owns the comparison of a snapshot with now. Both are snapshots, so that "now" can be the issues on screen,
including pending changes, or an earlier moment rebuilt from events.
"""

from __future__ import annotations

from msgspec import Struct

from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot


class Reweighted(Struct, frozen=True, kw_only=True):
    """An issue that stayed in the plan with a different weight; None is no weight, or an unknown one."""

    reference: str
    before: int | None
    after: int | None


class Scope(Struct, frozen=True, kw_only=True):
    """The changes since ``locked`` was taken."""

    locked: PlanSnapshot
    added: tuple[PlannedIssue, ...]
    removed: tuple[PlannedIssue, ...]
    reweighted: tuple[Reweighted, ...]


def scope(locked: PlanSnapshot, now: PlanSnapshot) -> Scope:
    """What was added to the plan, removed from it and re-weighted since it was locked."""
    before = {row.issue: row for row in locked.issues}
    after = {row.issue: row for row in now.issues}
    return Scope(
        locked=locked,
        added=tuple(row for row in now.issues if row.issue not in before),
        removed=tuple(row for row in locked.issues if row.issue not in after),
        reweighted=tuple(
            Reweighted(reference=row.reference, before=before[row.issue].weight, after=row.weight)
            for row in now.issues
            if row.issue in before and before[row.issue].weight != row.weight
        ),
    )
