"""The JSON of ``glboard report``: stable shapes, as DESIGN.md section 6 and the README document them.

Owns names and nesting only. Times are ISO 8601 in UTC; issues are full references; lists are in the order
shown, and are to be compared as sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from glboard_core.model.issue import Issue
from glboard_core.planning.candidates import Candidate
from glboard_core.planning.capacity import Capacity
from glboard_core.planning.load import Load
from glboard_core.planning.mix import Mix
from glboard_core.planning.say_do import DEFINITIONS, Definition, SayDo
from glboard_core.planning.scope import Scope
from glboard_core.planning.triage import Finding

Shape = dict[str, Any]


def moment(at: datetime) -> str:
    """A time as written in JSON, to the second: ``2026-11-13T23:59:59Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def references(issues: Iterable[Issue]) -> list[str]:
    """Full references."""
    return [issue.reference for issue in issues]


def say_do_as_json(report: SayDo) -> Shape:
    """``report say-do``."""
    return {
        "milestone": report.milestone,
        "cut_off": moment(report.cut_off),
        "locked_at": moment(report.locked_at),
        "source": report.source,
        **_locker(report.locked_by),
        "definitions": {name: _ratio(report, name) for name in DEFINITIONS},
        "late_added": report.late_added,
        "removed_or_moved_early": report.removed_or_moved_early,
        "late_closed": report.late_closed,
        "unresolved": report.unresolved,
    }


def _locker(username: str) -> Shape:
    """Who locked the plan; nothing if it was rebuilt from events."""
    return {"locked_by": username} if username else {}


def _ratio(report: SayDo, name: Definition) -> Shape:
    ratio = report.definitions[name]
    if name.startswith("handbook"):
        # The handbook's formula has no list of what was planned, only what was missed and what was done.
        return {"completed": ratio.done, "missed": ratio.missed, "percent": ratio.percent}
    return {"assigned": ratio.said, "completed": ratio.done, "percent": ratio.percent}


def capacity_as_json(report: Capacity) -> Shape:
    """``report capacity``. Nothing is rounded; days and weight are null for people not in the team file."""
    return {
        "milestone": report.milestone,
        "workdays": report.workdays,
        "people": [
            {
                "username": person.username,
                "net_days": person.budget.net_days if person.budget else None,
                "weight": person.budget.weight if person.budget else None,
                "committed": person.committed,
            }
            for person in report.people
        ],
        "total_weight": report.total,
        "carry_over": {
            "weight": report.carry_over.weight,
            "likely_weight": report.carry_over.likely,
            "issues": references(report.carry_over.issues),
        },
        "planned": report.planned,
        "unweighted": report.unweighted,
        "room": report.room,
        "room_likely": report.room_likely,
    }


def candidates_as_json(milestone: str, found: Sequence[Candidate]) -> Shape:
    """``report candidates``."""
    return {
        "milestone": milestone,
        "eligible": [
            {
                "reference": one.issue.reference,
                "weight": one.issue.weight,
                "slipped": one.slipped,
                "rank": one.rank,
                "priority": one.priority,
                "warnings": one.warnings,
            }
            for one in found
            if one.eligible
        ],
        "not_eligible": [
            {"reference": one.issue.reference, "reasons": one.reasons} for one in found if not one.eligible
        ],
    }


def triage_as_json(found: Sequence[Finding], now: datetime) -> Shape:
    """``report triage``."""
    return {
        "as_of": moment(now),
        "findings": [
            {"reference": one.issue.reference, "title": one.issue.title, "reasons": one.reasons}
            for one in found
        ],
    }


def mix_as_json(report: Mix) -> Shape:
    """``report mix``."""
    return {
        "milestone": report.milestone,
        "types": {
            name: {
                "count": share.sums.count,
                "weight": share.sums.weight,
                "percent_count": share.percent_count,
                "percent_weight": share.percent_weight,
            }
            for name, share in report.types.items()
        },
        "target": dict(report.target),
    }


def load_as_json(report: Load) -> Shape:
    """``report load``."""
    return {
        "milestone": report.milestone,
        "people": [
            {
                "username": person.username,
                "issues": references(person.issues),
                "weight": person.sums.weight,
                "budget": person.budget,
            }
            for person in report.people
        ],
        "unassigned": {
            "issues": references(report.unassigned),
            "weight": report.unassigned_sums.weight,
        },
    }


def scope_as_json(report: Scope) -> Shape:
    """``report scope``."""
    return {
        "milestone": report.locked.milestone,
        "locked_at": moment(report.locked.locked_at),
        **_locker(report.locked.locked_by),
        "added": [row.reference for row in report.added],
        "removed": [row.reference for row in report.removed],
        "reweighted": [
            {"reference": one.reference, "from": one.before, "to": one.after} for one in report.reweighted
        ],
    }
