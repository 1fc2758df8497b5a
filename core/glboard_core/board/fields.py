"""The editable fields of an issue: the one table of what an edit can set.

Owns for each field how a new value reads, when two values mean the same to GitLab, what GitLab's events tell
of a change, and the likely cause when GitLab ignores it. Labels are not in the table, because they change by
add and remove, and the description is not, because the mirror does not hold it: both belong to ``Edit``.
Assignees change by assign and unassign as well; as a whole list only a new issue has them, and an edit that
an older version stored.

A new field is an entry here, with its value in ``FieldValues``, and an attribute of ``Issue``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from glboard_core.model.event import EventAction, EventKind
from glboard_core.model.issue import HealthStatus, Issue, State


class FieldEvent(Struct, frozen=True):
    """The event that GitLab records: its kind, and its action and value from the values before and after."""

    kind: EventKind
    told: Callable[[Any, Any], tuple[EventAction, object]]


class EditableField(Struct, frozen=True, kw_only=True):
    """One field that an edit sets whole. ``name`` is the attribute of ``Issue``, ``Edit`` and ``Create``.

    ``title`` names it in a list of changes, ``described`` is a new value as text. ``ignored``: what to report
    if GitLab did not set the value on this issue, and the likely cause. ``plain`` normalises a value:
    spellings that mean the same to GitLab become equal. ``differs``: the text of a change by others, if it is
    not "title old to new". ``event``: the event that has the new value; None if there is none.
    """

    name: str
    title: str
    described: Callable[[Any], str]
    ignored: Callable[[Any, Issue], tuple[str, str]]
    plain: Callable[[Any], object] = lambda value: value
    differs: Callable[[Issue, Issue], str] | None = None
    event: FieldEvent | None = None

    def same(self, one: object, other: object) -> bool:
        """Whether two values of the field mean the same to GitLab."""
        return self.plain(one) == self.plain(other)

    def differs_in(self, one: Issue, other: Issue) -> bool:
        """Whether the field means something else in two issues."""
        return not self.same(getattr(one, self.name), getattr(other, self.name))

    def difference(self, before: Issue, after: Issue) -> str:
        """The change between two versions of an issue as text: ``weight 3 to 5``."""
        if self.differs is not None:
            return self.differs(before, after)
        return f"{self.title} {text_of(getattr(before, self.name))} to {text_of(getattr(after, self.name))}"


def text_of(value: object) -> str:
    """A value as text; ``none`` for a missing one."""
    if value is None or value in ((), frozenset()):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _state_differs(_: Issue, after: Issue) -> str:
    if after.is_open:
        return "reopened"
    if after.moved:
        return "moved to another project"
    return "closed as a duplicate" if after.duplicate else "closed"


def _milestone_ignored(title: str | None, issue: Issue) -> tuple[str, str]:
    what = f"the milestone {title} was not set" if title else "the milestone was not removed"
    return what, f"it may not be visible to {issue.project}, or you need the Reporter role there"


def _assignees_ignored(wanted: tuple[str, ...], issue: Issue) -> tuple[str, str]:
    gone = missing_people(wanted, issue.assignees)
    what = f"the assignee {', '.join(sorted(gone))} was not set" if gone else "the assignees were not changed"
    if len(issue.assignees) == 1:
        only = "multiple assignees need GitLab Premium"
        return what, f"they have no access to {issue.project}, or {only}"
    return what, f"they have no access to {issue.project}"


#: What GitLab's interface calls each health status.
HEALTH_WORDS: dict[HealthStatus, str] = {
    "onTrack": "on track",
    "needsAttention": "needs attention",
    "atRisk": "at risk",
}


def health_words(status: HealthStatus | None) -> str:
    """A health status as GitLab's interface names it."""
    return HEALTH_WORDS[status] if status is not None else "none"


def _people(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def missing_people(names: Iterable[str], among: Iterable[str]) -> frozenset[str]:
    """The usernames that are not ``among`` the others; case means nothing to GitLab."""
    there = _people(among)
    return frozenset(name for name in names if name.casefold() not in there)


def assignees_after(
    names: tuple[str, ...], assign: frozenset[str], unassign: frozenset[str]
) -> tuple[str, ...]:
    """The assignees without ``unassign``, and with those of ``assign`` that are missing."""
    staying = missing_people(names, missing_people(unassign, assign))
    kept = tuple(name for name in names if name in staying)
    return (*kept, *sorted(missing_people(assign, kept)))


ASSIGNEES = EditableField(
    name="assignees",
    title="assignee",
    described=lambda names: f"assign {', '.join(names)}" if names else "unassign",
    ignored=_assignees_ignored,
    plain=_people,
)

#: In the order in which a change names them.
FIELDS: tuple[EditableField, ...] = (
    EditableField(
        name="state",
        title="state",
        described=lambda state: "close" if state == "closed" else "reopen",
        ignored=lambda state, _: (
            "the issue was not closed" if state == "closed" else "the issue was not reopened",
            # GitLab leaves a locked issue closed without a word.
            "it may be blocked, or you may lack permission"
            if state == "closed"
            else "its discussion is locked (unlock it in GitLab first), or you may lack permission",
        ),
        differs=_state_differs,
        event=FieldEvent("state", lambda _, state: ("closed" if state == "closed" else "reopened", None)),
    ),
    EditableField(
        name="milestone",
        title="milestone",
        described=lambda title: f"to {title}" if title else "no milestone",
        ignored=_milestone_ignored,
        event=FieldEvent("milestone", lambda was, to: ("remove", was) if to is None else ("add", to)),
    ),
    EditableField(
        name="weight",
        title="weight",
        described=lambda weight: "clear weight" if weight is None else f"weight {weight}",
        ignored=lambda *_: ("the weight was not set", "weights need Premium, and the Reporter role"),
        event=FieldEvent("weight", lambda _, weight: ("add", weight)),
    ),
    ASSIGNEES,
    EditableField(
        name="status",
        title="status",
        described=lambda status: f"status {status}" if status else "no status",
        ignored=lambda *_: ("the status was not set", "statuses need Premium, and the Reporter role"),
        plain=lambda status: status.casefold() if status else status,
    ),
    EditableField(
        name="title",
        title="title",
        described=lambda _: "title",
        ignored=lambda *_: ("the title was not changed", "no permission for this issue"),
        plain=lambda title: title.strip(),
        differs=lambda *_: "title",
    ),
    EditableField(
        name="confidential",
        title="confidential",
        described=lambda confidential: "make confidential" if confidential else "make public",
        ignored=lambda confidential, _: (
            f"the issue is not {'confidential' if confidential else 'public'}",
            "only its author, assignees, or users with at least the Planner role can change this",
        ),
        differs=lambda _, after: "confidential" if after.confidential else "no longer confidential",
    ),
    EditableField(
        name="health_status",
        title="health status",
        described=lambda status: f"health {health_words(status)}" if status else "no health status",
        ignored=lambda *_: (
            "the health status was not set",
            "health statuses need Ultimate, and the Reporter role",
        ),
        differs=lambda before, after: (
            f"health {health_words(before.health_status)} to {health_words(after.health_status)}"
        ),
    ),
)


class FieldValues(Struct, frozen=True, kw_only=True):
    """New values of the fields. UNSET fields stay as they are; None clears what can be cleared."""

    state: State | UnsetType = UNSET
    milestone: str | UnsetType | None = UNSET
    weight: int | UnsetType | None = UNSET
    assignees: tuple[str, ...] | UnsetType = UNSET
    status: str | UnsetType | None = UNSET
    title: str | UnsetType = UNSET
    confidential: bool | UnsetType = UNSET
    health_status: HealthStatus | UnsetType | None = UNSET

    def fields(self) -> list[tuple[EditableField, Any]]:
        """The fields that are set, with their values."""
        return [(field, value) for field in FIELDS if (value := getattr(self, field.name)) is not UNSET]
