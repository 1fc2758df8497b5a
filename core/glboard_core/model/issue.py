"""The issue as the boards see it.

Owns the shape of an issue, whole and slim (enough to place, count and sort it on any board), what can be
derived from the issue alone, and references as people write them. It must not know boards, wire formats or
configuration. All times are aware and in UTC; weight is GitLab's issue weight (an integer of 0 or
more, or None: 0 and None differ).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal, NewType, Protocol

from msgspec import Struct

from glboard_core.errors import NameUnknown, UsageError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue_url import is_of_group, issue_url

IssueId = NewType("IssueId", str)
"""The global id (``gid://gitlab/Issue/42``), or ``new:…`` for an issue not yet created on the server."""

State = Literal["opened", "closed"]

#: GitLab's values of a health status, in the order in which it offers them.
HealthStatus = Literal["onTrack", "needsAttention", "atRisk"]


class Issue(Struct, frozen=True, kw_only=True, gc=False):
    """One issue, slim: all that boards, rules and cards need, and no more.

    ``project`` is the full path; ``labels`` and ``milestone`` are titles (ids differ by project and belong to
    the catalog); ``assignees`` are usernames in the server's order; ``position`` is GitLab's relative
    position (lower values come first; None comes last).
    """

    id: IssueId
    project: str
    iid: int
    title: str
    state: State = "opened"
    labels: frozenset[str] = frozenset()
    milestone: str | None = None
    weight: int | None = None
    assignees: tuple[str, ...] = ()
    confidential: bool = False
    position: float | None = None
    status: str | None = None
    blocked: bool = False
    due: date | None = None
    #: Needs Ultimate: None without it, and on most issues with it.
    health_status: HealthStatus | None = None
    created_at: datetime
    updated_at: datetime
    #: Who changed it last, according to GitLab; None if never changed. A comment only moves ``updated_at``.
    updated_by: str | None = None
    closed_at: datetime | None = None
    duplicate: bool = False
    #: Closed because it was moved to another project: its copy there stands for it, and it never counts.
    moved: bool = False
    #: The id of that copy; None if we have no access to it.
    moved_to: IssueId | None = None
    #: Closed because it became an epic. Only reports ask for it: it is always False in the mirror.
    promoted: bool = False
    merge_requests: int = 0
    notes: int = 0
    web_url: str = ""

    @property
    def reference(self) -> str:
        """The full reference, ``group/project#12``; an issue not yet created ends in ``#new``."""
        return f"{self.project}#{self.iid or 'new'}"

    @property
    def is_open(self) -> bool:
        """Whether the issue's state is opened."""
        return self.state == "opened"

    @property
    def is_new(self) -> bool:
        """Whether the server does not know this issue yet."""
        return self.id.startswith("new:")

    def scoped(self, prefix: str) -> tuple[str, ...]:
        """The labels that start with ``prefix`` (``type::``), sorted."""
        return tuple(sorted(label for label in self.labels if label.startswith(prefix)))


class Note(Struct, frozen=True, kw_only=True):
    """A comment or system note, as shown in the issue pane."""

    id: str
    author: str
    body: str
    created_at: datetime
    system: bool = False
    #: The id of the Op that wrote this comment, from the invisible marker it carries; ``body`` is without it.
    op: str | None = None
    #: The kind of comment, from another such marker; "" for most.
    mark: str = ""
    #: The id of its thread; a comment without replies is one alone. "" if that is not told.
    thread: str = ""
    #: Whether its thread is resolved.
    resolved: bool = False


#: How an issue is linked to another, seen from that other one.
LinkKind = Literal["is_blocked_by", "blocks", "relates_to"]


class LinkedIssue(Struct, frozen=True, kw_only=True):
    """An issue that is linked to another one, possibly from another group, and visible to us."""

    id: IssueId
    reference: str
    title: str
    kind: LinkKind = "is_blocked_by"
    state: State = "opened"
    confidential: bool = False

    @property
    def is_open(self) -> bool:
        """Whether its state is opened."""
        return self.state == "opened"


def to_link(issue: Issue) -> LinkedIssue:
    """An issue of the mirror, to be linked."""
    return LinkedIssue(
        id=issue.id,
        reference=issue.reference,
        title=issue.title,
        state=issue.state,
        confidential=issue.confidential,
    )


class IssueDetail(Struct, frozen=True, kw_only=True):
    """What the issue pane shows beyond the card: read on demand, never part of the mirror's slim row."""

    id: IssueId
    #: Clean text, to be shown.
    description: str
    #: The description exactly as GitLab stores it, to be edited.
    source: str = ""
    notes: tuple[Note, ...] = ()
    #: Whether it has older notes than these, which were not read.
    older: bool = False
    #: Why notes are not shown, in words; "" if they are.
    without_notes: str = ""
    #: The id of the Op that created this issue, as for a note.
    op: str | None = None
    #: The issues linked to it: only related ones where the server has no others (the Free tier).
    links: tuple[LinkedIssue, ...] = ()

    @property
    def blockers(self) -> tuple[LinkedIssue, ...]:
        """What blocks it: links to closed issues no longer do."""
        return tuple(one for one in self.links if one.kind == "is_blocked_by" and one.is_open)


def short_reference(full: str) -> str:
    """A reference without the groups above the project: ``platform#4219``."""
    return full.rpartition("/")[2]


def scope_of(label: str) -> str | None:
    """The scope of a scoped label: everything before its last ``::``, or None (API note 4).

    >>> scope_of("a::b::c"), scope_of("Deliverable")
    ('a::b', None)
    """
    scope, separator, _ = label.rpartition("::")
    return scope if separator else None


def same_scope(label: str, others: Iterable[str]) -> frozenset[str]:
    """Those of ``others`` that share ``label``'s scope, without itself; empty for an unscoped label."""
    scope = scope_of(label)
    if scope is None:
        return frozenset()
    return frozenset(other for other in others if other != label and scope_of(other) == scope)


def doubled(labels: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The labels of each scope that has several: by mistake, since two people set one at the same moment."""
    found: dict[str, list[str]] = {}
    for label in sorted(labels):
        if (scope := scope_of(label)) is not None:
            found.setdefault(scope, []).append(label)
    return {scope: tuple(several) for scope, several in found.items() if len(several) > 1}


def rank_key(issue: Issue) -> tuple[bool, float, int, str]:
    """The order of GitLab's manual sorting: by relative position, None last, then by id."""
    return order_key(issue.position, issue.id)


#: Places from here on are of issues without a position. GitLab's positions are below 2**31.
UNPLACED = float(2**32)
#: Stands for the number of an issue that is not in GitLab yet: it comes last.
_NEWEST = 2**48


def order_key(by: float | None, issue: IssueId) -> tuple[bool, float, int, str]:
    """Sort key: by a number, None last, then by the id's number. UNPLACED and above is None's kind."""
    number = _number(issue)
    if by is None:
        by = UNPLACED + number
    return (by >= UNPLACED, by, number, issue)


def place_of(position: float | None, issue: IssueId) -> float:
    """Where an issue is in the manual order: its position, or a place among those without one.

    So that a card ranked between two without a position can be shown there. Never sent to GitLab.
    """
    return UNPLACED + _number(issue) if position is None else position


def is_placed(position: float | None) -> bool:
    """Whether a position or place is one that GitLab gave, or one between such."""
    return position is not None and position < UNPLACED


def _number(issue: IssueId) -> int:
    number = issue.rpartition("/")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else _NEWEST


class Placeable(Protocol):
    """What decides the column: a whole issue, or its placement key."""

    @property
    def labels(self) -> frozenset[str]:
        """Label titles."""

    @property
    def milestone(self) -> str | None:
        """The title, or None."""

    @property
    def assignees(self) -> tuple[str, ...]:
        """Usernames in the server's order."""

    @property
    def status(self) -> str | None:
        """The work item status, or None."""

    @property
    def is_open(self) -> bool:
        """Whether the state is opened."""


class PlacementKey(Struct, frozen=True, eq=False):
    """Everything that decides an issue's column. Compared by identity: create each only once."""

    milestone: str | None
    state: State
    status: str | None
    assignees: tuple[str, ...]
    labels: frozenset[str]

    @property
    def is_open(self) -> bool:
        """Whether the state is opened."""
        return self.state == "opened"


class IssueRow(Struct, frozen=True, gc=False):
    """One issue: its placement key, and what counts and sorts it. ``closed``: seconds since the epoch."""

    id: IssueId
    kind: PlacementKey
    position: float | None
    weight: int | None
    closed: float | None


def row_of(issue: Issue) -> IssueRow:
    """The slim part of a whole issue, with a placement key of its own."""
    kind = PlacementKey(issue.milestone, issue.state, issue.status, issue.assignees, issue.labels)
    closed = issue.closed_at.timestamp() if issue.closed_at else None
    return IssueRow(issue.id, kind, issue.position, issue.weight, closed)


_FULL = re.compile(r"(?P<project>[^\s#]+)#(?P<iid>[0-9]{1,18})")


class Reference(Struct, frozen=True):
    """An issue by its project's full path and its number there."""

    project: str
    iid: int

    def __str__(self) -> str:
        return f"{self.project}#{self.iid}"


def parse_reference(text: str, catalog: Catalog) -> Reference:
    """What ``text`` refers to. The last parts of a project's path are enough if they are unique.

    Raises UsageError if it is not a reference, NameUnknown if a short path fits no project or several.
    """
    if "://" in text:
        return _from_url(text, catalog)
    match = _FULL.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"“{text}” is not an issue.", hint="Use group/project#12, project#12 or its URL.")
    return Reference(_project(match["project"], catalog), int(match["iid"]))


def _from_url(text: str, catalog: Catalog) -> Reference:
    url = issue_url(text.strip())
    if url is None:
        if is_of_group(text):
            raise UsageError(f"“{text}” is a work item of a group, such as an epic.", hint=_OF_A_PROJECT)
        raise UsageError(
            f"“{text}” is not an issue URL.", hint="Copy it from the browser. It ends in /-/issues/NUMBER."
        )
    project = url.project
    # Under a relative URL the path starts with more than the project.
    former = [one.name for one in catalog.former if one.kind == "project"]
    known = [one for one in (*(one.path for one in catalog.projects), *former) if _ends(project, one)]
    found = catalog.present("project", max(known, key=len, default=project))
    return Reference(found, url.iid)


_OF_A_PROJECT = "Name an issue: it belongs to a project."


def _ends(path: str, end: str) -> bool:
    """Whether ``path`` is ``end``, or ends with it after a slash; GitLab ignores the case of paths."""
    return f"/{path}".lower().endswith(f"/{end}".lower())


def short_project(text: str, catalog: Catalog) -> str:
    """The project's name in a reference with only the end of a path that is not known; else ""."""
    match = _FULL.fullmatch(text.strip())
    if match is None or _is_whole(match["project"], catalog):
        return ""
    path = match["project"]
    known = any(_ends(project.path, path) for project in catalog.projects) or _renamed(path, catalog)
    return "" if known else path.rpartition("/")[2]


def _is_whole(path: str, catalog: Catalog) -> bool:
    return path.lower().startswith(f"{catalog.group}/".lower()) or catalog.project(path) is not None


def _renamed(path: str, catalog: Catalog) -> list[str]:
    """The present paths of projects that had this one, or one that ends like it."""
    former = (one.name for one in catalog.former if one.kind == "project" and _ends(one.name, path))
    return sorted({now for name in former if (now := catalog.present("project", name)) != name})


def _project(path: str, catalog: Catalog) -> str:
    known = [project.path for project in catalog.projects]
    if _is_whole(path, catalog):
        if (found := catalog.project(path)) is not None:
            return found.path
        former = (one.name for one in catalog.former if one.kind == "project")
        same = next((name for name in former if name.lower() == path.lower()), path)
        return catalog.present("project", same)
    fits = [project for project in known if _ends(project, path)] or _renamed(path, catalog)
    if len(fits) == 1:
        return fits[0]
    raise NameUnknown("project", path, tuple(fits or known)[:5])
