"""Records of the world: users, places, labels, milestones, issues, notes, boards, events.

Plain classes with slots, since a world can have 100,000 issues. They know their names and paths and nothing
else: permissions are in `permissions.py`, what a change writes is in `changes.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Tier = Literal["free", "premium", "ultimate"]
Edition = Literal["ee", "ce"]

NO_ACCESS, GUEST, PLANNER, REPORTER, DEVELOPER, MAINTAINER, OWNER = 0, 10, 15, 20, 30, 40, 50
ACCESS_NAMES = {
    GUEST: "GUEST", PLANNER: "PLANNER", REPORTER: "REPORTER",
    DEVELOPER: "DEVELOPER", MAINTAINER: "MAINTAINER", OWNER: "OWNER",
}  # fmt: skip

#: Health statuses as GraphQL names them, and as REST does.
HEALTH = {"onTrack": "on_track", "needsAttention": "needs_attention", "atRisk": "at_risk"}

_SCOPE = re.compile(r"^(.*)::")


@dataclass(slots=True, eq=False)
class User:
    """A user account."""

    id: int
    username: str
    name: str


@dataclass(slots=True, eq=False)
class Group:
    """A group; `members` maps user id to access level."""

    id: int
    path: str
    full_path: str
    name: str
    parent: Group | None
    description: str = ""
    members: dict[int, int] = field(default_factory=dict)
    marked: int | None = None
    """When it was marked for deletion (a stamp)."""

    def chain(self) -> list[Group]:
        """This group and its ancestors, nearest first."""
        found: list[Group] = []
        at: Group | None = self
        while at is not None:
            found.append(at)
            at = at.parent
        return found


@dataclass(slots=True, eq=False)
class Project:
    """A project. `overrides` sets a user's level here, whatever the groups above grant: what a fine-grained
    token or a custom role does, and how a project becomes read-only."""

    id: int
    path: str
    full_path: str
    name: str
    group: Group
    description: str = ""
    archived: bool = False
    issues_enabled: bool = True
    members: dict[int, int] = field(default_factory=dict)
    overrides: dict[int, int] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    last_iid: int = 0
    marked: int | None = None
    """When it was marked for deletion (a stamp)."""

    @property
    def root(self) -> Group:
        """The topmost group above it."""
        return self.group.chain()[-1]


Place = Group | Project


@dataclass(slots=True, eq=False)
class Label:
    """A label of a group or a project."""

    id: int
    title: str
    color: str
    owner: Place
    description: str | None = None
    created: int = 0
    updated: int = 0

    @property
    def scope(self) -> str | None:
        """Everything before the last `::`; an issue can have one label per scope (Premium)."""
        found = _SCOPE.match(self.title)
        return found.group(1) if found else None

    @property
    def text_color(self) -> str:
        """Black or white, whichever is readable on the colour."""
        code = self.color[1:] if len(self.color) == 7 else "".join(sign * 2 for sign in self.color[1:])
        red, green, blue = (int(code[at : at + 2], 16) for at in (0, 2, 4))
        return "#1F1E24" if red * 299 + green * 587 + blue * 114 > 128_000 else "#FFFFFF"


@dataclass(slots=True, eq=False)
class Milestone:
    """A milestone of a group or a project."""

    id: int
    iid: int
    title: str
    start: date | None
    due: date | None
    owner: Place
    description: str = ""
    closed: bool = False
    created: int = 0
    updated: int = 0


@dataclass(slots=True, eq=False)
class Event:
    """One resource event. `value` is a label, a milestone or a weight, depending on the kind; for a state
    event the action is the new state."""

    id: int
    kind: Literal["label", "milestone", "state", "weight"]
    action: str
    value: Label | Milestone | int | None
    at: int
    by: User


@dataclass(slots=True, eq=False)
class Note:
    """A comment on an issue."""

    id: int
    issue: Issue
    body: str
    author: User
    created: int
    updated: int
    internal: bool = False
    system: bool = False
    #: The first note of its thread; None for that one, and for a comment without replies.
    thread: Note | None = None
    #: Of the first note of a thread: whether the thread is resolved.
    resolved: bool = False


@dataclass(slots=True, eq=False)
class MergeRequest:
    """A merge request that closes an issue."""

    iid: int
    project: Project
    title: str
    state: str = "opened"
    draft: bool = False
    pipeline: str = ""
    #: How many approvals it needs, and how many it has.
    approvals_required: int = 0
    approvals: int = 0


class Issue:
    """An issue. `labels` is sorted by title; `history` is None until its first use."""

    __slots__ = (
        "assignees",
        "author",
        "blocked_by",
        "closed",
        "closed_by",
        "confidential",
        "created",
        "described",
        "description",
        "due",
        "duplicate_of",
        "epic_url",
        "health",
        "history",
        "id",
        "iid",
        "kind",
        "labels",
        "lock_version",
        "locked",
        "merge_requests",
        "milestone",
        "moved_to",
        "notes",
        "open",
        "position",
        "project",
        "related",
        "severity",
        "status",
        "time_estimate",
        "title",
        "updated",
        "updated_by",
        "upvotes",
        "weight",
    )  # fmt: skip

    def __init__(
        self, ident: int, iid: int, project: Project, title: str, author: User, created: int
    ) -> None:
        self.id = ident
        self.iid = iid
        self.project = project
        self.title = title
        self.author = author
        self.created = created
        self.updated = created
        self.updated_by: User | None = None
        self.closed: int | None = None
        self.closed_by: User | None = None
        self.open = True
        self.description = ""
        #: Whether a description was ever given, be it an empty one: otherwise it is null.
        self.described = False
        self.confidential = False
        self.locked = False
        self.kind = "ISSUE"
        self.due: date | None = None
        self.weight: int | None = None
        self.health: str | None = None
        self.severity = "UNKNOWN"
        self.status: str | None = None
        self.time_estimate = 0
        self.position: int | None = None
        self.labels: tuple[Label, ...] = ()
        self.milestone: Milestone | None = None
        self.assignees: tuple[User, ...] = ()
        self.blocked_by: tuple[Issue, ...] = ()
        self.related: tuple[Issue, ...] = ()
        #: Those that close it, whatever their state: GitLab keeps the link of merged and closed ones.
        self.merge_requests: list[MergeRequest] = []
        self.upvotes = 0
        self.moved_to: Issue | None = None
        self.duplicate_of: Issue | None = None
        #: The epic that it was promoted to.
        self.epic_url: str | None = None
        self.lock_version = 0
        self.history: list[Event] | None = None
        self.notes: list[Note] | None = None

    @property
    def mr_count(self) -> int:
        """What GitLab calls the number of its merge requests."""
        return len(self.merge_requests)

    @property
    def reference(self) -> str:
        """`group/project#12`."""
        return f"{self.project.full_path}#{self.iid}"

    @property
    def path(self) -> str:
        """The path of its page: that of a task is one of a work item."""
        page = "work_items" if self.kind == "TASK" else "issues"
        return f"/{self.project.full_path}/-/{page}/{self.iid}"

    def __repr__(self) -> str:
        return f"<Issue {self.reference}>"


#: The types of lists, in the order of their numbers in GitLab.
_LIST_TYPES = ("backlog", "label", "closed", "assignee", "milestone", "status")


@dataclass(slots=True, eq=False)
class BoardList:
    """A list of a board: `kind` is backlog, label, milestone, assignee, status or closed."""

    id: int
    board: Board
    kind: str
    position: int | None = None
    label: Label | None = None
    milestone: Milestone | None = None
    assignee: User | None = None
    status: Status | None = None
    collapsed: bool = False

    @property
    def title(self) -> str:
        """Its parent."""
        if self.label is not None:
            return self.label.title
        if self.milestone is not None:
            return self.milestone.title
        if self.assignee is not None:
            return f"@{self.assignee.username}"
        if self.status is not None:
            return self.status.name
        return "Open" if self.kind == "backlog" else "Closed"


@dataclass(slots=True, eq=False)
class Board:
    """An issue board of a group."""

    id: int
    group: Group
    name: str
    created: int
    updated: int
    milestone: Milestone | None = None
    labels: tuple[Label, ...] = ()
    assignee: User | None = None
    weight: int | None = None
    hide_backlog: bool = False
    hide_closed: bool = False
    lists: list[BoardList] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/groups/{self.group.full_path}/-/boards/{self.id}"

    def listed(self) -> list[BoardList]:
        """Its lists as GitLab answers them: by type, where Closed comes third, and only then by position."""
        return sorted(self.lists, key=lambda one: (_LIST_TYPES.index(one.kind), one.position or 0, one.id))

    def movable(self) -> list[BoardList]:
        """Its lists with a position, in that order."""
        placed = [one for one in self.lists if one.position is not None]
        return sorted(placed, key=lambda one: (one.position or 0, one.id))


# Work item statuses (Premium), in addition to `workflow::` labels. Nothing syncs the two.

_ROWS = (
    ("Validation backlog", "TRIAGE"), ("Problem validation", "TRIAGE"), ("Ready for design", "TO_DO"),
    ("Design", "IN_PROGRESS"), ("Solution validation", "IN_PROGRESS"), ("Planning breakdown", "TO_DO"),
    ("Refinement", "TO_DO"), ("Ready for development", "TO_DO"), ("In dev", "IN_PROGRESS"),
    ("In review", "IN_PROGRESS"), ("Blocked", "IN_PROGRESS"), ("Verification", "IN_PROGRESS"),
    ("Awaiting security release", "IN_PROGRESS"), ("Complete", "DONE"), ("Duplicate", "CANCELED"),
    ("Won't do", "CANCELED"),
)  # fmt: skip
_COLORS = {
    "TRIAGE": "#995715",
    "TO_DO": "#737278",
    "IN_PROGRESS": "#1f75cb",
    "DONE": "#108548",
    "CANCELED": "#DD2B0E",
}
_ICONS = {
    "TRIAGE": "status-neutral", "TO_DO": "status-waiting", "IN_PROGRESS": "status-running",
    "DONE": "status-success", "CANCELED": "status-cancelled",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """A status of the root group."""

    id: int
    name: str
    category: str
    position: int
    own: bool = True
    """Whether the group at the top has made it; otherwise it is one of GitLab's."""

    @property
    def color(self) -> str:
        """The colour of its category."""
        return _COLORS[self.category]

    @property
    def icon(self) -> str:
        """The icon of its category."""
        return _ICONS[self.category]

    @property
    def closes(self) -> bool:
        """Whether it closes an item."""
        return self.category in ("DONE", "CANCELED")


#: What a new issue has, what closing it sets, and what becoming a duplicate or a moved one sets.
OPEN, CLOSED, DUPLICATE = "Validation backlog", "Complete", "Duplicate"
#: The same of a group that has no statuses of its own.
SYSTEM_DEFAULTS = ("To do", "Done", "Duplicate")


def system_statuses() -> dict[str, Status]:
    """GitLab's own statuses, by name."""
    rows = (
        ("To do", "TO_DO"), ("In progress", "IN_PROGRESS"), ("Done", "DONE"), ("Won't do", "CANCELED"),
        ("Duplicate", "CANCELED"),
    )  # fmt: skip
    return {name: Status(at + 1, name, kind, at, own=False) for at, (name, kind) in enumerate(rows)}


def default_statuses() -> dict[str, Status]:
    """The statuses of the planning process, by name."""
    return {name: Status(at + 1, name, category, at) for at, (name, category) in enumerate(_ROWS)}
