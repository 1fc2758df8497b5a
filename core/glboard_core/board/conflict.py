"""Conflicts, found by the client: the same field changed on the server since the person saw it.

Owns the comparison and nothing else. Different fields merge; labels merge by add and remove, except that a
scope (``workflow::``) is one field. What the server has already become is no conflict.
"""

from __future__ import annotations

from msgspec import UNSET, Struct

from glboard_core.board.op import Edit, Op
from glboard_core.model.issue import Issue, scope_of


class Clash(Struct, frozen=True):
    """One field that both changed, in words: what the person saw, wants, and what the server has now."""

    field: str
    saw: str
    mine: str
    theirs: str


def clashes(op: Op, now: Issue) -> tuple[Clash, ...]:
    """The fields in which ``op`` would overwrite somebody else's change. Empty for what cannot clash."""
    if not isinstance(op.act, Edit) or op.before is None:
        return ()
    found = [*_fields(op.act, op.before, now), *_scopes(op.act, op.before, now)]
    return tuple(found)


def _fields(edit: Edit, saw: Issue, now: Issue) -> list[Clash]:
    found: list[Clash] = []
    for name in ("state", "milestone", "weight", "assignees", "status", "title"):
        mine = getattr(edit, name)
        if mine is UNSET:
            continue
        was, theirs = getattr(saw, name), getattr(now, name)
        if theirs not in (was, mine):
            found.append(Clash(name, _words(was), _words(mine), _words(theirs)))
    return found


def _scopes(edit: Edit, saw: Issue, now: Issue) -> list[Clash]:
    found: list[Clash] = []
    touched = {scope for label in (*edit.add, *edit.remove) if (scope := scope_of(label)) is not None}
    for scope in sorted(touched):
        was, theirs = _of_scope(saw, scope), _of_scope(now, scope)
        mine = frozenset(label for label in edit.add if scope_of(label) == scope)
        wanted = mine if mine else was - edit.remove
        if theirs not in (was, wanted):
            found.append(Clash(scope, _words(was), _words(wanted), _words(theirs)))
    return found


def _of_scope(issue: Issue, scope: str) -> frozenset[str]:
    return frozenset(label for label in issue.labels if scope_of(label) == scope)


def _words(value: object) -> str:
    if value is None or value in ((), frozenset()):
        return "none"
    if isinstance(value, tuple | frozenset):
        return ", ".join(sorted(map(str, value)))
    return str(value)
