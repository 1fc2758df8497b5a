"""What an issue's events prove: an edit was applied, though its answer was lost and a later change hides it.

Owns the judgement and nothing else. An edit hidden by someone else's change is not visible in the issue, but
GitLab records who changed labels, milestone, state and weight, and when. If that does not prove it, nothing
is proven: better to ask a person than to report an edit as applied that was not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import UNSET

from glboard_core.board.conflicts import same
from glboard_core.board.operations import Edit, Op, OpId
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue

#: What one event changes: its kind and, for labels, which label.
_Key = tuple[EventKind, str]
_Wanted = dict[_Key, tuple[str, object]]

#: Fields whose changes leave no event with the new value.
_SILENT = ("assignees", "title", "status")


def kinds(ops: Iterable[Op]) -> frozenset[EventKind]:
    """The kinds of events that could prove these Ops."""
    return frozenset(kind for op in ops for kind, _ in _wanted(op))


def proven_by_events(
    ops: Sequence[Op], now: Issue, events: Iterable[Event], by: str, since: Mapping[OpId, datetime]
) -> list[Op]:
    """Those of these Ops on one issue, oldest first, that ``by`` applied, each not before its ``since``.

    Every field of an edit must be proven: by an event, or by the issue as it is ``now``. Our last event in a
    field must belong to the last Op, and so on backwards: an earlier event may belong to an earlier edit.
    """
    mine: dict[_Key, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.id):
        if event.by == by:
            mine[event.kind, str(event.value) if event.kind == "label" else ""].append(event)
    found: list[Op] = []
    for op in reversed(ops):
        wanted = _wanted(op)
        told = all(_tells(mine[key][-1:], want, since[op.id]) for key, want in wanted.items())
        if wanted and told and _rest_shows(op, now):
            found.insert(0, op)
        if told:
            for key in wanted:
                mine[key].pop()
    return found


def _tells(last: Sequence[Event], want: tuple[str, object], since: datetime) -> bool:
    return any((event.action, event.value) == want and event.at >= since for event in last)


def _wanted(op: Op) -> _Wanted:
    """The events an edit leaves if the issue was still as the person saw it."""
    edit, saw = op.act, op.before
    found: _Wanted = {}
    if not isinstance(edit, Edit) or saw is None:
        return found
    for label in edit.add - saw.labels:
        found["label", label] = ("add", label)
    for label in edit.remove & saw.labels:
        found["label", label] = ("remove", label)
    if edit.weight is not UNSET and edit.weight != saw.weight:
        found["weight", ""] = ("add", edit.weight)
    if edit.milestone is not UNSET and edit.milestone != saw.milestone:
        to = edit.milestone
        found["milestone", ""] = ("add", to) if to is not None else ("remove", saw.milestone)
    if edit.state is not UNSET and edit.state != saw.state:
        found["state", ""] = ("closed" if edit.state == "closed" else "reopened", None)
    return found


def _rest_shows(op: Op, now: Issue) -> bool:
    edit = op.act
    if not isinstance(edit, Edit) or edit.description is not UNSET:
        return False
    return all(
        getattr(edit, name) is UNSET or same(name, getattr(edit, name), getattr(now, name))
        for name in _SILENT
    )
