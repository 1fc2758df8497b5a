"""A world from a scenario file: milestones, people and issues with their events, as written.

Labels, projects and users are made from what the issues name; the manual order is `pm_rank`, then the order
of the file; the clock starts at `as_of`. Anything unreadable raises `ScenarioError`, which names the file and
the place in it. What a file expects as results is not read.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from glboard_core.demo.clock import Clock, micros
from glboard_core.demo.records import (
    MAINTAINER,
    REPORTER,
    Edition,
    Event,
    Group,
    Issue,
    Label,
    Milestone,
    Project,
    Tier,
    User,
)
from glboard_core.demo.vocabulary import LABELS
from glboard_core.demo.world import World

_DISTANCE = 512
_COLOR = "#6699cc"


class ScenarioError(ValueError):
    """A scenario file that cannot be used."""


class _Milestone(msgspec.Struct):
    id: int
    title: str
    start_date: date | None = None
    due_date: date | None = None
    state: str = "active"


class _MilestoneName(msgspec.Struct):
    title: str


class _People(msgspec.Struct):
    em: str
    pm: str | None = None
    set: str | None = None
    engineers: list[str] = []


class _Event(msgspec.Struct):
    kind: str
    action: str
    at: datetime
    by: str
    value: str | int | None = None


class _Issue(msgspec.Struct):
    id: int
    iid: int
    project_path: str
    title: str
    created_at: datetime
    updated_at: datetime
    project_id: int | None = None
    key: str | None = None
    description: str | None = None
    state: str = "opened"
    closed_at: datetime | None = None
    labels: list[str] = []
    status: str | None = None
    milestone: _MilestoneName | None = None
    weight: int | None = None
    assignees: list[str] = []
    confidential: bool = False
    upvotes: int = 0
    health_status: str | None = None
    merge_requests_count: int = 0
    blocked_by: list[int | str] = []
    pm_rank: int | None = None
    events: list[_Event] = []


class _Scenario(msgspec.Struct):
    as_of: datetime
    people: _People
    milestones: list[_Milestone]
    issues: list[_Issue]


def _read(path: Path) -> _Scenario:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Scenario)
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror})") from error
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{path}: {error}") from error
    except msgspec.DecodeError as error:
        raise ScenarioError(f"{path}: is not JSON ({error})") from error


class _Loader:
    def __init__(self, path: Path, data: _Scenario, world: World) -> None:
        self.path = path
        self.data = data
        self.world = world
        self.milestones: dict[str, Milestone] = {}
        self.colors = {name: color for name, color, _ in LABELS}

    def wrong(self, where: str, what: str) -> ScenarioError:
        """An error that names its place."""
        return ScenarioError(f"{self.path}: {where}: {what}")

    def user(self, username: str) -> User:
        """A person, made at first sight and put in the group."""
        known = self.world.users.get(username)
        if known is None:
            known = self.world.add_user(username, username.replace("_", " ").title())
            self.world.root.members[known.id] = REPORTER
        return known

    def label(self, title: str) -> Label:
        """A group label, made at first sight."""
        root = self.world.root
        return self.world.label_of(root, title) or self.world.add_label(
            root, title, self.colors.get(title, _COLOR)
        )

    def people(self) -> None:
        """The team; the engineering manager holds the token."""
        team = self.data.people
        named = [team.em, *(one for one in (team.pm, team.set) if one), *team.engineers]
        for username in named:
            self.user(username)
        self.world.owner_username = team.em
        for lead in (team.em, team.pm):
            if lead:
                self.world.root.members[self.user(lead).id] = MAINTAINER

    def times(self) -> None:
        """The milestones."""
        for one in self.data.milestones:
            if one.title in self.milestones:
                raise self.wrong("milestones", f"{one.title} stands there twice")
            made = self.world.add_milestone(
                self.world.root, one.title, one.start_date, one.due_date, ident=one.id
            )
            made.closed = one.state == "closed"
            self.milestones[one.title] = made

    def milestone(self, where: str, title: str) -> Milestone:
        """A milestone that must be known."""
        if title not in self.milestones:
            raise self.wrong(where, f"there is no milestone {title}")
        return self.milestones[title]

    def issue(self, row: _Issue) -> Issue:
        """One issue."""
        where = f"issue {row.key or row.iid}"
        if row.id in self.world.index.issues:
            raise self.wrong(where, f"id {row.id} stands there twice")
        project = self.world.projects.get(row.project_path)
        if project is None:
            if "/" not in row.project_path:
                raise self.wrong(where, f"project_path {row.project_path} has no group")
            project = self.world.add_project(row.project_path, ident=row.project_id)
        if row.iid in project.issues:
            raise self.wrong(where, f"iid {row.iid} stands twice in {row.project_path}")
        if row.state not in ("opened", "closed"):
            raise self.wrong(where, f"state {row.state} is neither opened nor closed")
        author = self.world.owner
        issue = self.world.new_issue(
            project, row.title, author, micros(row.created_at), ident=row.id, iid=row.iid
        )
        issue.updated = micros(row.updated_at)
        issue.open = row.state == "opened"
        issue.closed = micros(row.closed_at) if row.closed_at else None
        if not issue.open and issue.closed is None:
            raise self.wrong(where, "is closed and has no closed_at")
        issue.description = row.description or ""
        issue.labels = tuple(sorted((self.label(one) for one in row.labels), key=lambda one: one.title))
        issue.milestone = self.milestone(where, row.milestone.title) if row.milestone else None
        issue.weight = row.weight
        issue.assignees = tuple(self.user(one) for one in row.assignees)
        issue.confidential = row.confidential
        issue.upvotes = row.upvotes
        issue.health = row.health_status
        issue.mr_count = row.merge_requests_count
        issue.status = row.status if row.status in self.world.statuses else None
        issue.history = [self.event(where, one) for one in sorted(row.events, key=lambda one: one.at)]
        self.world.index.issues[issue.id] = issue
        return issue

    def event(self, where: str, row: _Event) -> Event:
        """One event of an issue."""
        by, at = self.user(row.by), micros(row.at)
        value: Any = None
        match row.kind, row.action:
            case "label", "add" | "remove":
                value = self.label(str(row.value))
            case "milestone", "add" | "remove":
                value = self.milestone(where, str(row.value))
            case "weight", _:
                value = row.value
            case "state", "closed" | "reopened":
                pass
            case kind, action:
                raise self.wrong(where, f"there is no event {kind} {action}")
        return Event(self.world.next_id("event"), row.kind, row.action, value, at, by)

    def links(self, made: list[tuple[_Issue, Issue]]) -> None:
        """Who waits for whom, by key, id or reference."""
        named: dict[int | str, Issue] = {}
        for row, issue in made:
            named |= {issue.id: issue, issue.reference: issue}
            if row.key:
                named[row.key] = issue
        for row, issue in made:
            for name in row.blocked_by:
                blocker = named.get(name) or self.outsider(f"issue {row.key or row.iid}", name)
                self.world.block(issue, blocker)

    def outsider(self, where: str, name: int | str) -> Issue:
        """An open issue outside the file that blocks one in it: it counts, and nobody may see it."""
        path, _, iid = str(name).rpartition("#")
        if not path or not iid.isdigit():
            raise self.wrong(where, f"is blocked by {name}, which is neither in the file nor a reference")
        elsewhere = Group(0, path, path, path, None)
        project = Project(0, path.rpartition("/")[2], path, path, elsewhere)
        return Issue(0, int(iid), project, "", self.world.owner, 0)

    def load(self) -> None:
        """Everything, in the order things need one another."""
        if not self.data.issues:
            raise ScenarioError(f"{self.path}: there are no issues in it")
        self.world.add_group(self.data.issues[0].project_path.split("/")[0])
        self.people()
        self.times()
        made = [(row, self.issue(row)) for row in self.data.issues]
        roots = {issue.project.full_path.split("/")[0] for _, issue in made}
        if len(roots) > 1:
            raise ScenarioError(
                f"{self.path}: the issues lie in several top-level groups: {', '.join(sorted(roots))}"
            )
        self.links(made)
        ranked = sorted(
            enumerate(made), key=lambda pair: (pair[1][0].pm_rank is None, pair[1][0].pm_rank or 0, pair[0])
        )
        for place, (_, (_, issue)) in enumerate(ranked):
            issue.position = (place + 1) * _DISTANCE
        self.world.index.rebuild()


def load_scenario(
    path: Path | str,
    *,
    clock: Clock | None = None,
    tier: Tier = "ultimate",
    edition: Edition = "ee",
    version: str = "18.9",
) -> World:
    """The world of a scenario file. A clock that is given is used as it is; else one starts at `as_of`."""
    file = Path(path)
    data = _read(file)
    world = World(
        clock=clock or Clock(data.as_of),
        tier=tier,
        edition=edition,
        version=version,
    )
    _Loader(file, data, world).load()
    return world
