"""Conflicts, detected by the client: the same field changed on the server since the person saw it.

Owns the comparison, and what an issue's fields and events prove of an edit whose answer was lost. Different
fields merge; labels merge by add and remove, except that a scope (``workflow::``) is one field. A value the
server already has is no conflict, and neither is a different spelling that means the same to GitLab
(``EditableField.same``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import UNSET, Struct, structs

from glboard_core.board.fields import FIELDS, text_of
from glboard_core.board.operations import Change, Edit, Op, OpId
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue, scope_of


class Conflict(Struct, frozen=True):
    """One field that both changed, as text: what the person saw, what they want, what the server has now.

    ``maybe``: an answer was lost, so mine may have been applied already, before theirs.
    """

    field: str
    saw: str
    mine: str
    theirs: str
    maybe: bool = False


def conflicts(op: Op, now: Issue) -> tuple[Conflict, ...]:
    """The fields in which ``op`` would overwrite a change by others. Empty if it is not an edit."""
    edit = op.change.as_edit
    if edit is None or op.before is None:
        return ()
    return (*_fields(edit, op.before, now), *_scopes(edit, op.before, now))


def shown_by(ops: Sequence[Op], issue: Issue) -> list[Op]:
    """Those of these Ops on one issue, oldest first, whose effect is visible in the issue.

    An Op may be hidden by later ones that were applied. A new description is not visible in an issue, and
    neither is anything but an edit.
    """
    found: list[Op] = []
    for op in reversed(ops):
        if op.change.as_edit is None or "description" in op.change.touches():
            continue
        after = op.change.apply(issue)
        for later in found:
            after = later.change.apply(after)
        if _alike(after, issue):
            found.insert(0, op)
    return found


def seen_without(before: Issue, change: Change, now: Issue) -> Issue:
    """What a person would have seen without ``change``: its fields as they are ``now``, the others as seen.

    Used for edits that follow a rejected one: in the fields of the rejected edit they are compared with the
    server's values, in all others still with what the person saw.
    """
    touched = change.touches()
    changes: dict[str, object] = {f.name: getattr(now, f.name) for f in FIELDS if f.name in touched}
    edit = change.as_edit
    if edit is not None:
        named = edit.add | edit.remove
        scopes = {scope_of(label) for label in named} - {None}
        mixed = {label for label in before.labels | now.labels if label in named or scope_of(label) in scopes}
        changes["labels"] = (before.labels - mixed) | (now.labels & mixed)
    if "rank" in touched:
        changes["position"] = now.position
    return structs.replace(before, **changes)


def _fields(edit: Edit, saw: Issue, now: Issue) -> list[Conflict]:
    found: list[Conflict] = []
    for field, mine in edit.fields():
        was, theirs = getattr(saw, field.name), getattr(now, field.name)
        # Every issue has a status: none means that GitLab does not tell, as without a licence.
        if field.name == "status" and (None in (was, theirs) or _moved_along(edit, saw, now)):
            continue
        if not field.same(theirs, was) and not field.same(theirs, mine):
            found.append(Conflict(field.name, _words(was), _words(mine), _words(theirs)))
    return found


def _moved_along(edit: Edit, saw: Issue, now: Issue) -> bool:
    """Whether the status changed only because GitLab moves it with the state, which this edit sets back."""
    return edit.state is not UNSET and edit.status == saw.status and now.state == saw.state


def _alike(one: Issue, other: Issue) -> bool:
    return one.labels == other.labels and not any(field.differs_in(one, other) for field in FIELDS)


def _scopes(edit: Edit, saw: Issue, now: Issue) -> list[Conflict]:
    found: list[Conflict] = []
    touched = {scope for label in (*edit.add, *edit.remove) if (scope := scope_of(label)) is not None}
    for scope in sorted(touched):
        was, theirs = _of_scope(saw, scope), _of_scope(now, scope)
        mine = frozenset(label for label in edit.add if scope_of(label) == scope)
        wanted = mine if mine else was - edit.remove
        if theirs not in (was, wanted):
            found.append(Conflict(scope, _words(was), _words(wanted), _words(theirs)))
    return found


def _of_scope(issue: Issue, scope: str) -> frozenset[str]:
    return frozenset(label for label in issue.labels if scope_of(label) == scope)


def _words(value: object) -> str:
    return text_of(tuple(sorted(value)) if isinstance(value, tuple | frozenset) else value)


#: What one event changes: its kind and, for labels, which label.
_Key = tuple[EventKind, str]
_Wanted = dict[_Key, tuple[str, object]]


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
    edit, saw = op.change.as_edit, op.before
    found: _Wanted = {}
    if edit is None or saw is None:
        return found
    for label in edit.add - saw.labels:
        found["label", label] = ("add", label)
    for label in edit.remove & saw.labels:
        found["label", label] = ("remove", label)
    for field, value in edit.fields():
        was = getattr(saw, field.name)
        if field.event is not None and value != was:
            found[field.event.kind, ""] = field.event.told(was, value)
    return found


def _rest_shows(op: Op, now: Issue) -> bool:
    edit = op.change.as_edit
    if edit is None or "description" in edit.touches():
        return False
    silent = {field.name for field in FIELDS if field.event is None} & edit.touches()
    after = edit.apply(now)
    return not any(field.differs_in(after, now) for field in FIELDS if field.name in silent)
