"""What the events of an issue prove: an edit was made, though its answer was lost and another came over it.

Owns the judgement and nothing else. An edit that is hidden behind somebody else's change does not show in the
issue, but GitLab noted who changed labels, milestone, state and weight, and when. Where that does not prove
it, nothing is proven: better to ask a person than to call something made that was not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import UNSET

from glboard_core.board.conflict import same
from glboard_core.board.op import Edit, Op, OpId
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue

#: What is changed with one event: the kind, and for labels which.
_Key = tuple[EventKind, str]
_Wanted = dict[_Key, tuple[str, object]]

#: Fields whose changes leave no event that tells the new value.
_SILENT = ("assignees", "title", "status")


def kinds(ops: Iterable[Op]) -> frozenset[EventKind]:
    """The kinds of events that could prove these Ops."""
    return frozenset(kind for op in ops for kind, _ in _wanted(op))


def proven(
    ops: Sequence[Op], now: Issue, events: Iterable[Event], by: str, since: Mapping[OpId, datetime]
) -> list[Op]:
    """Those of these Ops on one issue, oldest first, that ``by`` made, none before its ``since``.

    Every field of an edit must be proven: by an event, or by the issue as it is ``now``. The last event of
    ours in a field must be that of the last Op, and so on backwards: one before may be of an earlier edit.
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
    """The events that an edit leaves, if it finds the issue as the person saw it."""
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
