"""What a change of an issue does: which parts GitLab silently drops, and what it writes.

The only place that changes issues, so GraphQL, REST, quick actions and tests that act as another person all
get the same silent drops, events and timestamps. Callers fill a `Change`; results are lists of validation
messages, empty if the change was applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Final, Literal

from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import NO_ACCESS, Issue, Label, Milestone, User
from glboard_core.demo.world.registry import Registry
from glboard_core.demo.world.system_notes import told
from glboard_core.demo.world.texts import normalised

MAX_TITLE = 255
MAX_DESCRIPTION = 1024 * 1024
MAX_ASSIGNEES = 200


_COLUMNS = (
    "title", "description", "due", "confidential", "locked", "kind", "health", "time_estimate",
    "duplicate_of",
)  # fmt: skip


class Unset(Enum):
    """Marks fields a change leaves alone, since None means "clear"."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(slots=True, kw_only=True)
class Change:
    """A requested change; `labels` replaces, `add_labels` and `remove_labels` add and remove."""

    title: str | Unset = UNSET
    description: str | Unset = UNSET
    due: date | Unset | None = UNSET
    confidential: bool | Unset = UNSET
    locked: bool | Unset = UNSET
    kind: str | Unset = UNSET
    weight: int | Unset | None = UNSET
    health: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    milestone: Milestone | Unset | None = UNSET
    labels: Sequence[Label] | Unset = UNSET
    add_labels: Sequence[Label] = ()
    remove_labels: Sequence[Label] = ()
    assignees: Sequence[User] | Unset = UNSET
    state: Literal["close", "reopen"] | Unset = UNSET
    time_estimate: int | Unset = UNSET
    duplicate_of: Issue | Unset | None = UNSET


def problems(change: Change) -> list[str]:
    """Validation messages of a change."""
    found: list[str] = []
    if change.title is not UNSET:
        if not change.title.strip():
            found.append("Title can't be blank")
        if len(change.title.strip()) > MAX_TITLE:
            found.append(f"Title is too long (maximum is {MAX_TITLE} characters)")
    if change.description is not UNSET and len(change.description.encode()) > MAX_DESCRIPTION:
        found.append("Description is too long (1 MiB). The maximum size is 1 MiB.")
    if isinstance(change.weight, int) and change.weight < 0:
        found.append("Weight must be greater than or equal to 0")
    if change.assignees is not UNSET and len(change.assignees) > MAX_ASSIGNEES:
        found.append(f"Assignees total must be less than or equal to {MAX_ASSIGNEES}")
    return found


def allowed(world: Registry, issue: Issue, change: Change, actor: User, *, creating: bool = False) -> Change:
    """The change without what GitLab silently drops. Whoever may create an issue may give it everything but a
    weight; to change these things takes the Planner role."""
    kept = replace(change)
    if creating and not permissions.can_admin(actor, issue):
        kept.weight = UNSET
    elif not permissions.can_admin(actor, issue):
        kept.labels = kept.milestone = kept.assignees = kept.weight = kept.due = UNSET
        kept.health = kept.confidential = kept.time_estimate = kept.status = UNSET
        kept.add_labels = kept.remove_labels = ()
    here = issue.project
    if kept.labels is not UNSET:
        kept.labels = [one for one in kept.labels if permissions.label_available(one, here)]
    kept.add_labels = [one for one in kept.add_labels if permissions.label_available(one, here)]
    if isinstance(kept.milestone, Milestone) and (
        kept.milestone.closed or not permissions.milestone_visible(kept.milestone, here)
    ):
        kept.milestone = UNSET
    if kept.assignees is not UNSET:
        readers = [one for one in kept.assignees if permissions.level(one, here) > NO_ACCESS]
        if kept.assignees and not readers:
            kept.assignees = UNSET
        else:
            # Without the licence one stays: the one with the highest id.
            last = sorted(readers, key=lambda one: one.id)[-1:]
            kept.assignees = readers if world.licensed("premium") else last
    if not world.licensed("premium"):
        kept.weight = kept.status = UNSET
    if not world.licensed("ultimate"):
        kept.health = UNSET
    return kept


def scoped(
    before: Iterable[Label], after: Sequence[Label], order: Sequence[Label], unseen: Collection[Label] = ()
) -> list[Label]:
    """One label per scope to which something was added: the last of `order` survives. Existing pairs that are
    not touched stay, and so do those that a write at the same time has added unseen."""
    had = set(before)
    drop: set[Label] = set()
    by_scope: dict[str, list[Label]] = {}
    for label in after:
        if label.scope is not None:
            by_scope.setdefault(label.scope, []).append(label)
    for members in by_scope.values():
        if len(members) < 2 or all(one in had for one in members):
            continue
        winner = max(members, key=lambda one: max((at for at, o in enumerate(order) if o is one), default=-1))
        drop.update(one for one in members if one is not winner)
    return [one for one in after if one not in drop or one in unseen]


def _new_labels(world: Registry, issue: Issue, change: Change) -> tuple[Label, ...]:
    base = list(issue.labels) if change.labels is UNSET else list(change.labels)
    unseen = world.racing(issue)
    removed = set(change.remove_labels).difference(unseen)
    merged = [one for one in dict.fromkeys([*base, *change.add_labels]) if one not in removed]
    if world.licensed("premium"):
        order = [*change.add_labels, *(() if change.labels is UNSET else change.labels)]
        merged = scoped(issue.labels, merged, order, unseen)
    return tuple(sorted(merged, key=lambda one: one.title))


def apply(world: Registry, issue: Issue, change: Change, actor: User, *, creating: bool = False) -> list[str]:
    """Apply a change as GitLab would for this actor; returns messages if a field was refused. Then no field
    is saved, but labels and state are written all the same."""
    found = problems(change)
    change = allowed(world, issue, change, actor, creating=creating)
    world.ensure_history(issue)
    if found:
        if world.traits.partial_writes:
            _write_beside_errors(world, issue, change, actor)
        return found
    before = copy(issue)
    with world.index.moving(issue):
        touched = _write_others(world, issue, change, actor)
        saved = _write_columns(world, issue, change, actor)
        saved |= _write_state(world, issue, change, actor)
        if saved or (touched and (issue.updated_by is not actor or not world.throttled(issue))):
            issue.updated = world.clock.now()
        if saved or touched:
            issue.updated_by = actor
    if saved or touched:
        world.tell(issue)
    if before.open != issue.open:
        # Closing and reopening tell of themselves once more.
        world.tell(issue)
    if world.traits.system_notes and not creating and (saved or touched):
        world.note_change(issue, told(before, issue), actor)
    return []


def _write_beside_errors(world: Registry, issue: Issue, change: Change, actor: User) -> None:
    """What is saved before the fields are checked: labels, without an event, and the state."""
    with world.index.moving(issue):
        issue.labels = _new_labels(world, issue, change)
        if _write_state(world, issue, change, actor):
            issue.updated, issue.updated_by = world.clock.now(), actor
    world.tell(issue)


def attempted(world: Registry, issue: Issue, change: Change, actor: User) -> Issue:
    """The issue as the answer to a refused change shows it: with the fields that were not saved."""
    shown, change = copy(issue), allowed(world, issue, change, actor)
    for name in (*_COLUMNS, "milestone", "weight"):
        if getattr(change, name) is not UNSET:
            setattr(shown, name, getattr(change, name))
    return shown


def _write_columns(world: Registry, issue: Issue, change: Change, actor: User) -> bool:
    """Write what is saved in the issue itself and so always moves its time."""
    touched = False
    for name in _COLUMNS:
        value = getattr(change, name)
        if name == "title" and value is not UNSET:
            value = value.strip()
        if name == "description" and value is not UNSET:
            issue.described = True
            value = normalised(value)
        if value is not UNSET and value != getattr(issue, name):
            setattr(issue, name, value)
            touched = True
            issue.lock_version += name in ("title", "description")
    if change.milestone is not UNSET and change.milestone is not issue.milestone:
        # A change from A to B writes only `add B`; only clearing writes `remove A`.
        if change.milestone is None:
            world.record(issue, "milestone", "remove", issue.milestone, actor)
        else:
            world.record(issue, "milestone", "add", change.milestone, actor)
        issue.milestone = change.milestone
        touched = True
    if change.weight is not UNSET and change.weight != issue.weight:
        issue.weight = change.weight
        world.record(issue, "weight", "add", change.weight, actor)
        touched = True
    return touched


def _write_others(world: Registry, issue: Issue, change: Change, actor: User) -> bool:
    """Write what is saved elsewhere and only touches the issue: labels, assignees and the status."""
    touched = _write_labels(world, issue, change, actor)
    if change.assignees is not UNSET and tuple(change.assignees) != issue.assignees:
        issue.assignees = tuple(dict.fromkeys(change.assignees))
        touched = True
    if change.status is not UNSET and change.status != issue.status:
        issue.status = change.status
        touched = True
    if world.licensed("premium"):
        _follow_status(world, issue, change)
    return touched


def _follow_status(world: Registry, issue: Issue, change: Change) -> None:
    """A status of a closing category closes the issue; closing and reopening set the category's default
    status."""
    new, closed, duplicate = world.usual_statuses
    if isinstance(change.status, str):
        closes = world.statuses[change.status].closes
        if closes == issue.open:
            change.state = "close" if closes else "reopen"
    elif change.state == "close" and issue.open:
        issue.status = duplicate if isinstance(change.duplicate_of, Issue) else closed
    elif change.state == "reopen" and not issue.open:
        issue.status = new


def _write_labels(world: Registry, issue: Issue, change: Change, actor: User) -> bool:
    labels = _new_labels(world, issue, change)
    if labels == issue.labels:
        return False
    for label in labels:
        if label not in issue.labels:
            world.record(issue, "label", "add", label, actor)
    for label in issue.labels:
        if label not in labels:
            world.record(issue, "label", "remove", label, actor)
    world.raced(issue, [one for one in labels if one not in issue.labels])
    issue.labels = labels
    return True


def _write_state(world: Registry, issue: Issue, change: Change, actor: User) -> bool:
    if change.state == "close" and issue.open:
        issue.open = False
        issue.closed = world.clock.now()
        issue.closed_by = actor
        world.record(issue, "state", "closed", None, actor)
        return True
    # A locked issue stays closed, without a word.
    if change.state == "reopen" and not issue.open and not issue.locked:
        issue.open = True
        issue.closed = issue.closed_by = issue.moved_to = issue.duplicate_of = None
        world.record(issue, "state", "reopened", None, actor)
        return True
    return False
