"""Builds issues with a history in a line or two. Contains no tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from glboard_core.config import LabelSettings
from glboard_core.model.event import Event, EventAction, EventKind
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.capacity import window
from glboard_core.planning.plan_lock import PlanSnapshot, rebuild
from glboard_core.planning.say_do import SayDo, Track, say_do
from glboard_core.planning.timeline import timeline
from support.make import issue, milestone

NAMES = LabelSettings()
FLOW = WorkflowScheme()
READY = "workflow::ready for development"
X = milestone("19.6", "2026-10-10", "2026-11-13")
UTC_WINDOW = window(X, UTC)

_ACTIONS: dict[str, tuple[EventKind, EventAction]] = {
    "+": ("label", "add"),
    "-": ("label", "remove"),
    "into": ("milestone", "add"),
    "out": ("milestone", "remove"),
    "closed": ("state", "closed"),
    "reopened": ("state", "reopened"),
    "weight": ("weight", "add"),
}


def at(text: str) -> datetime:
    """A moment of 2026: ``10-09 10:00:00`` in UTC; without a time it is noon."""
    day, _, time = text.partition(" ")
    return datetime.fromisoformat(f"2026-{day}T{time or '12:00:00'}").replace(tzinfo=UTC)


def event(when: str, what: str, number: int = 0) -> Event:
    """An event from ``+Deliverable``, ``-Deliverable``, ``into 19.6``, ``closed``, ``weight 3``."""
    if what[0] in "+-":
        word, value = what[0], what[1:]
    else:
        word, _, value = what.partition(" ")
    kind, action = _ACTIONS[word]
    known: str | int | None = value or None
    if kind == "weight":
        known = int(value) if value else None
    return Event(kind=kind, action=action, value=known, at=at(when), id=number)


def life(number: int, *past: tuple[str, str], **fields: Any) -> Track:
    """An issue after its events. ``labels`` are added to those; events get ids in the given order."""
    events = [event(when, what, n) for n, (when, what) in enumerate(past, 1)]
    labels: set[str] = set()
    now: dict[str, Any] = {}
    for one in sorted(events, key=lambda e: (e.at.replace(microsecond=0), e.id)):
        match one.kind, one.action:
            case "label", "add":
                labels.add(str(one.value))
            case "label", _:
                labels.discard(str(one.value))
            case "milestone", "add":
                now["milestone"] = one.value
            case "milestone", _ if now.get("milestone") == one.value:
                now["milestone"] = None
            case "state", "closed":
                now |= {"state": "closed", "closed_at": one.at}
            case "state", _:
                now |= {"state": "opened", "closed_at": None}
            case "weight", _:
                now["weight"] = one.value
    more = fields.pop("labels", ())
    until = fields.pop("until", None)
    made = issue(
        number,
        *labels,
        *more,
        **{"created_at": at("09-01"), "updated_at": at("12-04"), **now, **fields},
    )
    return Track(made, timeline(made, events, until=until))


def pairs(tracks: list[Track]) -> list[tuple[Issue, Any]]:
    """Tracks in the form that snapshots take."""
    return [(track.issue, track.line) for track in tracks]


def report(
    *tracks: Track,
    lock: datetime | None = None,
    plan: PlanSnapshot | None = None,
    names: LabelSettings = NAMES,
    count_wont_do: bool = True,
    measured: Any = UTC_WINDOW,
    missed_labels: frozenset[str] = frozenset(),
) -> SayDo:
    """Say/Do of 19.6 from these issues, rebuilt from events unless a plan is given."""
    listed = list(tracks)
    plan = plan or rebuild(pairs(listed), "19.6", lock or measured.lock, names)
    return say_do(
        listed, "19.6", measured, names, plan, count_wont_do=count_wont_do, missed_labels=missed_labels
    )


def numbers(references: tuple[str, ...]) -> list[int]:
    """``demo-org/platform#7`` as 7."""
    return [int(reference.rpartition("#")[2]) for reference in references]
