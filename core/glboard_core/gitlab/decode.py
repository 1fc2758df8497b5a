"""Decodes issues and notes from GitLab's JSON into the model.

Owns the JSON of an issue, and the interning that keeps 100,000 issues small. Other JSON is in ``wire.py``.
All text is cleaned here, so nothing above ever sees a control character. It sends nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable
from datetime import date, datetime
from typing import get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from glboard_core.gitlab.answers import (
    EARLIEST,
    LATEST,
    Address,
    Count,
    Digits,
    Identity,
    Name,
    Position,
    Text,
    moment,
)
from glboard_core.gitlab.markers import split_mark, split_marker
from glboard_core.gitlab.wire import (
    HasId,
    Named,
    Page,
    User,
    WireBlocker,
    WireCommented,
    WireLabel,
    WireMilestone,
    WireNote,
    WithIssues,
)
from glboard_core.model.catalog import Label, Person
from glboard_core.model.clean_text import clean_body, line
from glboard_core.model.issue import HealthStatus, Issue, IssueId, LinkedIssue, LinkKind, Note, State
from glboard_core.model.milestone import Milestone

#: Beyond this many interned values, the cache is cleared.
_MOST_KEPT = 50_000


class WireIssue(Struct, frozen=True, kw_only=True, rename="camel"):
    """An issue as requested by ``queries.card``."""

    id: Identity
    iid: Digits
    title: Name
    state: Name
    reference: Address
    created_at: datetime
    updated_at: datetime
    updated_by: User | None = None
    closed_at: datetime | None = None
    confidential: bool = False
    due_date: Name | None = None
    web_url: Address = ""
    relative_position: Position | None = None
    merge_requests_count: Count = 0
    user_notes_count: Count = 0
    closed_as_duplicate_of: HasId | None = None
    moved: bool = False
    moved_to: HasId | None = None
    milestone: WireMilestone | None = None
    assignees: Page[User] | None = None
    labels: Page[WireLabel] | None = None
    weight: Count | None = None
    blocked: bool = False
    health_status: Name | None = None
    status: Named | None = None
    #: Only if it was requested.
    description: Text | None = None


class IssuePart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of an issue requested from a mutation; others are UNSET."""

    id: Identity
    updated_at: datetime
    state: Name | UnsetType = UNSET
    closed_at: datetime | UnsetType | None = UNSET
    title: Name | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    relative_position: Position | UnsetType | None = UNSET
    milestone: WireMilestone | UnsetType | None = UNSET
    assignees: Page[User] | UnsetType | None = UNSET
    labels: Page[WireLabel] | UnsetType | None = UNSET
    weight: Count | UnsetType | None = UNSET
    confidential: bool | UnsetType = UNSET
    health_status: Name | UnsetType | None = UNSET
    status: Named | UnsetType | None = UNSET


class OfProject(Struct, frozen=True):
    """The answer about the issues of a project."""

    project: WithIssues[WireIssue] | None


def authors(wire: WireCommented) -> list[str]:
    """Who wrote the comments, in their order; "" for an imported one without an author."""
    rows = wire.notes.items() if wire.notes is not None else []
    return [line(row.author.username) if row.author else "" for row in rows]


_LINK_KINDS: dict[str, LinkKind] = {name: name for name in get_args(LinkKind)}


def link_kind(value: str) -> LinkKind:
    """How an issue is linked; in a way that we do not know, it is related."""
    return _LINK_KINDS.get(value, "relates_to")


def linked_issue(wire: WireBlocker, kind: LinkKind = "is_blocked_by") -> LinkedIssue:
    """A linked issue from JSON."""
    return LinkedIssue(
        id=issue_id(wire.id),
        reference=line(wire.reference),
        title=line(wire.title),
        kind=kind,
        state=state_of(wire.state),
        confidential=wire.confidential,
    )


def day(value: str | None) -> date | None:
    """The calendar day of a date or time in JSON, or None."""
    if not value:
        return None
    try:
        return min(max(date.fromisoformat(value[:10]), EARLIEST.date()), LATEST.date())
    except ValueError:
        return None


def state_of(value: str) -> State:
    """GitLab's state as ours: a locked issue is open; work items have OPEN and CLOSED."""
    return "closed" if value.lower() == "closed" else "opened"


_HEALTH: dict[str, HealthStatus] = {name: name for name in get_args(HealthStatus)}


def health_of(value: str | None) -> HealthStatus | None:
    """A health status; one that we do not know is none."""
    return _HEALTH.get(value) if value else None


def issue_id(identity: str) -> IssueId:
    """The id of an issue, which GitLab can also name as a work item of the same number."""
    return IssueId(identity.replace("gid://gitlab/WorkItem/", "gid://gitlab/Issue/"))


def note(row: WireNote) -> Note:
    """A note with clean text. The marker of one of our comments becomes ``op``."""
    body, op = split_marker(clean_body(row.body))
    body, mark = split_mark(body)
    return Note(
        id=row.id,
        author=line(row.author.username) if row.author else "",
        body=body,
        created_at=moment(row.created_at),
        system=row.system,
        op=op,
        mark=mark,
        thread=row.discussion.id if row.discussion else "",
        resolved=row.discussion is not None and row.discussion.resolved,
    )


def label(wire: WireLabel, owner: str) -> Label:
    """A label from JSON."""
    color = wire.color if wire.color.startswith("#") else "#6e7681"
    return Label(
        id=wire.id,
        title=line(wire.title),
        owner=owner,
        color=line(color).lower(),
        description=line(wire.description or ""),
    )


def milestone(wire: WireMilestone, owner: str) -> Milestone:
    """A milestone from JSON; its id is the plain number."""
    return Milestone(
        id=wire.id.rpartition("/")[2],
        title=line(wire.title),
        owner=owner,
        start=day(wire.start_date),
        due=day(wire.due_date),
        active=wire.state == "active",
    )


def person(user: User) -> Person:
    """A person from JSON."""
    return Person(id=user.id, username=line(user.username), name=line(user.name))


class SeenNames:
    """The labels, milestones and people seen on issues, each kept until it is taken.

    An issue comes again and again, so what was taken once is not kept a second time.
    """

    def __init__(self) -> None:
        self._taken: set[Hashable] = set()
        self._new: dict[tuple[str, WireLabel | WireMilestone | User], list[IssueId]] = {}

    def add(self, issue: IssueId, project: str, wire: WireIssue) -> None:
        """Keep what the answer says beyond titles and usernames, if it does."""
        found: list[tuple[str, WireLabel | WireMilestone | User]] = []
        if wire.labels is not None:
            found += [(project, one) for one in wire.labels.items() if one.id]
        if wire.assignees is not None:
            found += [("", one) for one in wire.assignees.items() if one.id]
        if wire.milestone is not None and wire.milestone.id:
            found.append(("", wire.milestone))
        for key in found:
            if key not in self._taken:
                self._new.setdefault(key, []).append(issue)

    def take(self, wanted: Callable[[IssueId], bool]) -> list[tuple[str, WireLabel | WireMilestone | User]]:
        """What was seen on one of the wanted issues since the last call, each with its project or ""."""
        new, self._new = self._new, {}
        found = [key for key, issues in new.items() if any(map(wanted, issues))]
        if len(self._taken) > _MOST_KEPT:
            self._taken.clear()
        self._taken.update(found)
        return found

    def forget(self) -> None:
        """Keep everything again: the catalog has forgotten it."""
        self._taken.clear()


class Decoder:
    """Creates issues. Equal label sets, assignees, paths and milestone titles share one object each."""

    def __init__(self) -> None:
        self.seen = SeenNames()
        self._lines: dict[str, str] = {}
        self._labels: dict[frozenset[str], frozenset[str]] = {}
        self._people: dict[tuple[str, ...], tuple[str, ...]] = {}

    def issue(self, wire: WireIssue) -> Issue:
        """The model's issue, with clean text."""
        identity, project = issue_id(wire.id), sys.intern(self.line(wire.reference.rpartition("#")[0]))
        self.seen.add(identity, project, wire)
        return Issue(
            id=identity,
            project=project,
            iid=int(wire.iid) if wire.iid.isdecimal() else 0,
            title=line(wire.title),
            state=state_of(wire.state),
            labels=self.labels(wire.labels),
            milestone=self.title(wire.milestone),
            weight=wire.weight,
            assignees=self.people(wire.assignees),
            confidential=wire.confidential,
            position=wire.relative_position,
            status=self.line(wire.status.name) if wire.status and wire.status.name else None,
            blocked=wire.blocked,
            due=day(wire.due_date),
            health_status=health_of(wire.health_status),
            created_at=moment(wire.created_at),
            updated_at=moment(wire.updated_at),
            updated_by=self.line(wire.updated_by.username) if wire.updated_by else None,
            closed_at=wire.closed_at and moment(wire.closed_at),
            duplicate=wire.closed_as_duplicate_of is not None,
            moved=wire.moved,
            moved_to=issue_id(wire.moved_to.id) if wire.moved_to and wire.moved_to.id else None,
            merge_requests=wire.merge_requests_count,
            notes=wire.user_notes_count,
            web_url=line(wire.web_url),
        )

    def changed(self, issue: Issue, part: IssuePart) -> Issue:
        """The issue updated with the returned fields."""
        new = {
            "updated_at": moment(part.updated_at),
            "state": part.state and state_of(part.state),
            "closed_at": part.closed_at and moment(part.closed_at),
            "title": part.title and line(part.title),
            "position": part.relative_position,
            "milestone": part.milestone and self.title(part.milestone),
            "assignees": UNSET if part.assignees is UNSET else self.people(part.assignees),
            "labels": UNSET if part.labels is UNSET else self.labels(part.labels),
            "weight": part.weight,
            "confidential": part.confidential,
            "health_status": UNSET if part.health_status is UNSET else health_of(part.health_status),
            "status": part.status and part.status.name and self.line(part.status.name),
        }
        changes = {name: value for name, value in new.items() if value is not UNSET}
        if changes.get("state") == "opened":
            # Reopening ends both.
            changes |= {"duplicate": False, "moved": False, "moved_to": None}
        return msgspec.structs.replace(issue, **changes)

    def title(self, wire: WireMilestone | None) -> str | None:
        """The title of a milestone, or None."""
        return self.line(wire.title) if wire else None

    def labels(self, page: Page[WireLabel] | None) -> frozenset[str]:
        """A set of label titles."""
        found = frozenset(self.line(label.title) for label in page.items()) if page else frozenset()
        if len(self._labels) > _MOST_KEPT:
            self._labels.clear()
        return self._labels.setdefault(found, found)

    def people(self, page: Page[User] | None) -> tuple[str, ...]:
        """Usernames in the server's order."""
        found = tuple(self.line(user.username) for user in page.items()) if page else ()
        if len(self._people) > _MOST_KEPT:
            self._people.clear()
        return self._people.setdefault(found, found)

    def line(self, value: str) -> str:
        """A clean line, interned."""
        kept = self._lines.get(value)
        if kept is None:
            if len(self._lines) > _MOST_KEPT:
                self._lines.clear()
            kept = self._lines[value] = line(value)
        return kept


def unique(issues: Iterable[Issue], seen: set[IssueId]) -> list[Issue]:
    """The issues not seen before: pages may overlap while others make changes."""
    fresh = []
    for issue in issues:
        if issue.id not in seen:
            seen.add(issue.id)
            fresh.append(issue)
    return fresh


def milestone_owner(wire: WireMilestone, group: str) -> str:
    """The full path of the group or project that a milestone belongs to; of those above, the group's.

    Its path tells: ``/groups/GROUP/-/milestones/1`` or ``/PROJECT/-/milestones/1``, below the server's
    own root, which need not be in the address that we use.
    """
    path = line(wire.web_path.partition("/-/")[0]) + "/"
    at = path.lower().find(f"/{group}/".lower())
    return path[at:].strip("/") if at >= 0 else group
