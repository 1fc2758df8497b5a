"""Everything there is in the world: records with their ids, the index, the clock and the one lock.

Creates, deletes and finds records. What a change of an issue does is `changes.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from threading import RLock
from typing import Any, Literal, TypeVar

from glboard_core.demo.world import permissions
from glboard_core.demo.world.clock import SECOND, Clock
from glboard_core.demo.world.records import (
    CLOSED,
    DUPLICATE,
    OPEN,
    Board,
    BoardList,
    Edition,
    Event,
    Group,
    Issue,
    Label,
    Milestone,
    Note,
    Place,
    Project,
    Tier,
    User,
    default_statuses,
)
from glboard_core.demo.world.search import Index
from glboard_core.demo.world.texts import whole
from glboard_core.demo.world.traits import Traits

DEFAULT_VERSION = "18.9"
#: The first version in which GraphQL accepts fine-grained tokens.
GRANULAR_SINCE = (19, 2)
#: Within this time after the last one, a touch does not move `updated_at`: a minute, in microseconds.
THROTTLE = 60 * SECOND

_T = TypeVar("_T")


class UnknownName(LookupError):
    """A name that is not in the world."""


class InternalServerError(Exception):
    """GitLab fails at this itself: HTTP 500. What was done before stays done."""


class Registry:
    """Everything in the world. `tier` and `edition` decide what the licence allows; `version` is GitLab's."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        tier: Tier = "ultimate",
        edition: Edition = "ee",
        version: str = DEFAULT_VERSION,
    ) -> None:
        self.lock = RLock()
        self.clock = clock or Clock()
        self.tier = tier
        self.edition = edition
        self.version = version
        self.traits = Traits()
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.projects: dict[str, Project] = {}
        self.labels: dict[int, Label] = {}
        self.milestones: dict[int, Milestone] = {}
        self.boards: dict[int, Board] = {}
        self.board_lists: dict[int, BoardList] = {}
        self.notes: dict[int, Note] = {}
        self.statuses = default_statuses()
        self.usual_statuses = (OPEN, CLOSED, DUPLICATE)
        """What a new issue has, what closing it sets, and what becoming a duplicate sets."""
        self.former_statuses: dict[int, str] = {}
        """The names that GitLab's own statuses had, by id, once the group has statuses of its own."""
        self.types = {"ISSUE": 1, "INCIDENT": 2, "TEST_CASE": 3, "REQUIREMENT": 4, "TASK": 5}
        """Types of work items: GitLab's own in capitals, and those of the organisation (19.0 and later)."""
        self.index = Index({})
        self.owner_username = ""
        self.historian: Callable[[Issue], list[Event]] | None = None
        self._titles: dict[tuple[Place, str], Label] = {}
        self._ids: Counter[str] = Counter()
        self._waiting: dict[Issue, list[Issue]] = {}
        self._people: dict[int, User] = {}
        self.moved_paths: dict[str, Project] = {}
        """Projects by the paths they had before, in lower case."""
        self._races: dict[Issue, tuple[int, int, list[Label]]] = {}
        self.turn = 0
        """Counts the requests."""
        self.placing: int | None = None
        """When a background job will place what has no position yet (a stamp)."""
        self.watchers: list[Callable[[Issue], None]] = []
        """Called, with the lock held, for each change of which GitLab tells those who have an issue open."""

    # What it is

    @property
    def owner(self) -> User:
        """The user of the server's token: the engineering manager."""
        return self.user(self.owner_username)

    @property
    def since(self) -> tuple[int, int]:
        """The emulated version as numbers."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def root(self) -> Group:
        """The top-level group."""
        return next(iter(self.groups.values()))

    def licensed(self, needed: Tier) -> bool:
        """Whether the licence covers a tier; the community edition has none."""
        return self.edition == "ee" and permissions.licensed(self.tier, needed)

    def status_of(self, issue: Issue) -> str:
        """The status of an issue; GitLab answers one also where none was ever stored."""
        new, closed, duplicate = self.usual_statuses
        usual = new if issue.open else duplicate if issue.duplicate_of is not None else closed
        return issue.status if issue.status is not None else usual

    def next_id(self, kind: str, given: int | None = None) -> int:
        """The next id of a kind; a given one is used, and later ones are higher."""
        if given is not None:
            self._ids[kind] = max(self._ids[kind], given)
            return given
        self._ids[kind] += 1
        return self._ids[kind]

    # Finding things

    def user(self, username: str) -> User:
        """A user by username."""
        return self._find(self.users, username, "user")

    def user_of(self, ident: int | None) -> User | None:
        """A user by id, or None."""
        return None if ident is None else self._people.get(ident)

    def users_of(self, idents: Iterable[int]) -> list[User]:
        """The users with these ids; unknown ones are left out."""
        return [self._people[one] for one in idents if one in self._people]

    def user_named(self, username: str) -> User | None:
        """A user by name, ignoring case, or None."""
        return self._any_case(self.users, username)

    def group_at(self, path: str) -> Group | None:
        """A group by full path, ignoring case, or None."""
        return self._any_case(self.groups, path)

    def project_at(self, path: str) -> Project | None:
        """A project by full path, ignoring case, or None."""
        return self._any_case(self.projects, path)

    def group(self, path: str) -> Group:
        """A group by full path."""
        return self._find(self.groups, path, "group")

    def project(self, path: str) -> Project:
        """A project by full path."""
        return self._find(self.projects, path, "project")

    def issue(self, reference: str) -> Issue:
        """An issue by reference, such as `demo-org/platform#12`."""
        path, _, iid = reference.partition("#")
        found = self.issue_of(self.project(path), whole(iid) or 0)
        if found is None:
            raise UnknownName(f"no issue {reference} in this world")
        return found

    def issue_of(self, project: Project, iid: int) -> Issue | None:
        """An issue of a project, or None."""
        self.index.read({project.id})
        return project.issues.get(iid)

    def milestone(self, title: str) -> Milestone:
        """The first milestone with a title."""
        for one in self.milestones.values():
            if one.title == title:
                return one
        raise UnknownName(f"no milestone {title} in this world")

    def label_of(self, owner: Place, title: str) -> Label | None:
        """The label of exactly this place, or None."""
        return self._titles.get((owner, title))

    def label_for(self, place: Place, title: str) -> Label | None:
        """The nearest label with a title that issues of a place can have, or None."""
        chain = permissions.owners_of(place) if isinstance(place, Project) else place.chain()
        for owner in chain:
            found = self._titles.get((owner, title))
            if found is not None:
                return found
        return None

    def projects_below(self, group: Group, *, deep: bool = True) -> list[Project]:
        """The projects of a group, including its subgroups' if ``deep``."""
        inside = {group, *(self.groups_below(group) if deep else ())}
        return [one for one in self.projects.values() if one.group in inside]

    def groups_below(self, group: Group) -> list[Group]:
        """All subgroups of a group, at any depth."""
        return [one for one in self.groups.values() if one is not group and group in one.chain()]

    @staticmethod
    def _find(table: dict[str, _T], name: str, kind: str) -> _T:
        try:
            return table[name]
        except KeyError:
            raise UnknownName(f"no {kind} {name} in this world") from None

    @staticmethod
    def _any_case(table: dict[str, _T], name: str) -> _T | None:
        found = table.get(name)
        if found is None:
            name = name.lower()
            found = next((value for key, value in table.items() if key.lower() == name), None)
        return found

    # Creating and deleting

    def add_user(self, username: str, name: str) -> User:
        """Add a user."""
        user = self.users[username] = User(self.next_id("user"), username, name)
        self._people[user.id] = user
        return user

    def add_group(self, full_path: str, name: str | None = None, *, ident: int | None = None) -> Group:
        """Add a group and, if needed, its parents."""
        if full_path in self.groups:
            return self.groups[full_path]
        above, _, path = full_path.rpartition("/")
        parent = self.add_group(above) if above else None
        group = Group(
            self.next_id("group", ident), path, full_path, name or path.replace("-", " ").title(), parent
        )
        self.groups[full_path] = group
        return group

    def add_project(self, full_path: str, name: str | None = None, *, ident: int | None = None) -> Project:
        """Add a project and, if needed, its groups."""
        above, _, path = full_path.rpartition("/")
        group = self.add_group(above)
        title = name or path.replace("-", " ").title()
        project = Project(self.next_id("project", ident), path, full_path, title, group)
        self.projects[full_path] = project
        return project

    def add_label(
        self, owner: Place, title: str, color: str = "#6699cc", description: str | None = None
    ) -> Label:
        """Add a label to a place; titles are unique per place."""
        now = self.clock.now()
        label = Label(self.next_id("label"), title, color, owner, description, now, now)
        self.labels[label.id] = label
        self._titles[owner, title] = label
        return label

    def drop_label(self, label: Label) -> None:
        """Delete a label: issues, events and board lists lose it."""
        for issue in list(self.index.with_label(label.title)):
            with self.index.moving(issue):
                issue.labels = tuple(one for one in issue.labels if one is not label)
        for issue in self.index.issues.values():
            for event in issue.history or ():
                if event.value is label:
                    event.value = None
        for one in [one for one in self.board_lists.values() if one.label is label]:
            one.board.lists.remove(one)
            del self.board_lists[one.id]
        del self._titles[label.owner, label.title]
        del self.labels[label.id]

    def rename_label(self, label: Label, title: str) -> None:
        """Rename a label."""
        del self._titles[label.owner, label.title]
        label.title = title
        self._titles[label.owner, title] = label
        for issue in self.index.issues.values():
            if label in issue.labels:
                issue.labels = tuple(sorted(issue.labels, key=lambda one: one.title))
        self.index.rebuild()

    def add_milestone(
        self,
        owner: Place,
        title: str,
        start: date | None = None,
        due: date | None = None,
        *,
        ident: int | None = None,
    ) -> Milestone:
        """Add a milestone to a place."""
        now = self.clock.now()
        iid = self.next_id(f"milestone of {owner.full_path}")
        milestone = Milestone(
            self.next_id("milestone", ident), iid, title, start, due, owner, created=now, updated=now
        )
        self.milestones[milestone.id] = milestone
        return milestone

    def drop_milestone(self, milestone: Milestone) -> None:
        """Delete a milestone; its issues have none afterwards, each of them being updated for it."""
        for issue in [
            one for one in self.index.with_milestone(milestone.title) if one.milestone is milestone
        ]:
            with self.index.moving(issue):
                issue.milestone, issue.updated = None, self.clock.now()
        for board in self.boards.values():
            if board.milestone is milestone:
                board.milestone = None
        for one in [one for one in self.board_lists.values() if one.milestone is milestone]:
            one.board.lists.remove(one)
            del self.board_lists[one.id]
        del self.milestones[milestone.id]

    def new_issue(
        self,
        project: Project,
        title: str,
        author: User,
        created: int,
        *,
        ident: int | None = None,
        iid: int | None = None,
    ) -> Issue:
        """Create an issue that is not in the index yet: fill it, then `index.add` it (or rebuild once for
        many)."""
        if iid is None:
            iid = project.last_iid + 1
        project.last_iid = max(project.last_iid, iid)
        issue = Issue(self.next_id("issue", ident), iid, project, title, author, created)
        project.issues[iid] = issue
        return issue

    def add_board(self, group: Group, name: str) -> Board:
        """Add a board with its Open and Closed lists."""
        now = self.clock.now()
        board = Board(self.next_id("board"), group, name, now, now)
        self.boards[board.id] = board
        self.add_list(board, "backlog")
        self.add_list(board, "closed")
        return board

    def add_list(self, board: Board, kind: str) -> BoardList:
        """Add a list at the end of a board."""
        made = BoardList(self.next_id("list"), board, kind)
        if kind not in ("backlog", "closed"):
            made.position = sum(1 for one in board.lists if one.position is not None)
        board.lists.append(made)
        self.board_lists[made.id] = made
        return made

    def add_note(
        self,
        issue: Issue,
        body: str,
        author: User,
        *,
        internal: bool = False,
        system: bool = False,
        thread: Note | None = None,
    ) -> Note:
        """Add a comment, to ``thread`` if it answers one.

        The issue counts as updated unless it was within the last minute.
        """
        now = self.clock.now()
        note = Note(self.next_id("note"), issue, body, author, now, now, internal, system, thread)
        self.notes[note.id] = note
        issue.notes = [*(issue.notes or ()), note]
        if not self.throttled(issue):
            with self.index.moving(issue):
                issue.updated = now
        return note

    def note_change(self, issue: Issue, bodies: Iterable[str], author: User) -> None:
        """Add system notes about a change that was just written; they move no time of their own."""
        now = self.clock.now()
        for body in bodies:
            note = Note(self.next_id("note"), issue, body, author, now, now, system=True)
            self.notes[note.id] = note
            issue.notes = [*(issue.notes or ()), note]

    def tell(self, issue: Issue) -> None:
        """Those who have an issue open are told that it changed."""
        for watcher in self.watchers:
            watcher(issue)

    def throttled(self, issue: Issue) -> bool:
        """Whether a mere touch of an issue does not move its `updated_at`: it was moved a moment ago."""
        return self.traits.throttles and self.clock.now() - issue.updated < THROTTLE

    def raced(self, issue: Issue, added: list[Label]) -> None:
        """Remember which labels were added now, for writes at the same time."""
        if self.traits.races:
            self._races[issue] = (self.clock.now(), self.turn, added)

    def racing(self, issue: Issue) -> list[Label]:
        """The labels that another request has added at the same time, which a write does not see."""
        at, turn, added = self._races.get(issue, (0, 0, []))
        near = self.clock.now() - at < self.traits.races * SECOND
        return added if near and turn != self.turn else []

    def place_later(self) -> None:
        """Have a background job place all issues without a position in a while."""
        if self.traits.placing is not None:
            self.placing = self.clock.now() + int(self.traits.placing * SECOND)

    def drop_note(self, note: Note) -> None:
        """Delete a comment."""
        note.issue.notes = [one for one in note.issue.notes or () if one is not note]
        del self.notes[note.id]

    def block(self, issue: Issue, by: Issue) -> None:
        """Mark an issue as blocked by another one."""
        issue.blocked_by = (*issue.blocked_by, by)
        self._waiting.setdefault(by, []).append(issue)
        self.tell(issue)

    def unblock(self, issue: Issue, by: Issue) -> None:
        """Remove the mark that an issue is blocked by another one, if there is one."""
        if by in issue.blocked_by:
            issue.blocked_by = tuple(one for one in issue.blocked_by if one is not by)
            self._waiting[by].remove(issue)

    def blocks(self, issue: Issue) -> list[Issue]:
        """The issues that this one blocks, whatever their state."""
        return list(self._waiting.get(issue, ()))

    def blocked_by(self, issue: Issue) -> list[Issue]:
        """The open issues that this one blocks."""
        waiting = self._waiting.get(issue, ())
        return [one for one in waiting if one.open]

    def record(
        self,
        issue: Issue,
        kind: Literal["label", "milestone", "state", "weight"],
        action: str,
        value: Any,
        by: User,
    ) -> None:
        """Record a resource event, now."""
        events = issue.history
        if events is None:
            events = issue.history = []
        events.append(Event(self.next_id("event"), kind, action, value, self.clock.now(), by))

    def ensure_history(self, issue: Issue) -> list[Event]:
        """The events of an issue; generated on first use, so call this before the first change."""
        if issue.history is None:
            issue.history = self.historian(issue) if self.historian is not None else []
        return issue.history
