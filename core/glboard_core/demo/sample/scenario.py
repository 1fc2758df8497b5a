"""A world from a scenario file: milestones, people and issues with their events.

Labels, projects and users are created from what the issues name; the manual order is `pm_rank`, then the
order of the file; the clock starts at `as_of`. Anything unreadable raises `ScenarioError`, which names the
file and the place in it. The expected results in a file are not read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from glboard_core.demo.sample.generated import LABELS
from glboard_core.demo.sample.merge_requests import merge_requests_of
from glboard_core.demo.world.clock import Clock, micros
from glboard_core.demo.world.records import (
    HEALTH,
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
from glboard_core.demo.world.world import World
from glboard_core.errors import ConfigError
from glboard_core.files import json_of, read_bytes

# The format of scenario files, and errors that name the place.

R = TypeVar("R")
_REFERENCE = re.compile(r"(?P<path>.+)#(?P<iid>\d+)")


class ScenarioError(ValueError):
    """An invalid scenario file."""


class MilestoneRow(Struct):
    """A milestone; without an id it gets one."""

    title: str
    id: int | None = None
    start_date: date | None = None
    due_date: date | None = None
    state: str = "active"


class MilestoneName(Struct):
    """The milestone an issue is in."""

    title: str


class People(Struct):
    """The team; the engineering manager holds the token."""

    em: str
    pm: str | None = None
    set: str | None = None
    engineers: list[str] = []


class EventRow(Struct):
    """Something that happened to an issue; without `by` the engineering manager did it."""

    kind: str
    action: str
    at: datetime
    by: str | None = None
    value: str | int | None = None


class IssueRow(Struct):
    """An issue. `references.full` can be the only source of path and number."""

    iid: int
    project_path: str
    title: str
    id: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    project_id: int | None = None
    key: str | None = None
    description: str = ""
    state: str = "opened"
    closed_at: datetime | None = None
    labels: list[str] = []
    status: str | None = None
    milestone: MilestoneName | None = None
    weight: int | float | None = None
    assignees: list[str] = []
    confidential: bool = False
    upvotes: int = 0
    health_status: str | None = None
    merge_requests_count: int = 0
    blocked_by: list[int | str] = []
    moved_to: int | str | None = None
    duplicate_of: int | str | None = None
    pm_rank: int | float | None = None
    events: list[EventRow] = []


class Scenario(Struct):
    """The whole file."""

    as_of: datetime
    people: People
    milestones: list[MilestoneRow]
    issues: list[tuple[str, IssueRow]]
    """Where in the file it stands, in words, and the row."""
    ident: int
    """Another one for another file."""


def read(path: Path) -> Scenario:
    """The file. Raises ScenarioError, which names the file and the place in it."""
    try:
        content = read_bytes(path)
        raw = json_of(content, str(path))
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file") from None
    except ConfigError as error:
        raise ScenarioError(str(error)) from None
    if not isinstance(raw, dict):
        raise ScenarioError(
            f"{path}: not a scenario: expected an object with as_of, people, milestones and issues"
        )
    try:
        return Scenario(
            as_of=_time(_needed(raw, "as_of"), "as_of"),
            people=_people(_needed(raw, "people")),
            milestones=[
                _as(MilestoneRow, row, f"milestones[{at}]")
                for at, row in enumerate(_list(raw.get("milestones"), "milestones"))
            ],
            issues=[_issue(row, at) for at, row in enumerate(_list(_needed(raw, "issues"), "issues"))],
            ident=zlib.crc32(content),
        )
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _needed(raw: Mapping[str, Any], name: str) -> Any:
    if raw.get(name) is None:
        raise ScenarioError(f"{name} is missing")
    return raw[name]


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ScenarioError(f"{where}: must be a list")
    return value


def _people(raw: Any) -> People:
    return _as(People, raw, "people")


def _issue(raw: Any, at: int) -> tuple[str, IssueRow]:
    where = f"issues[{at}]"
    if not isinstance(raw, dict):
        raise ScenarioError(f"{where}: must be an object")
    row = dict(raw)
    names = row.get("references")
    full = names.get("full") if isinstance(names, dict) else None
    if isinstance(full, str) and (found := _REFERENCE.fullmatch(full)):
        row["project_path"] = row.get("project_path") or found["path"]
        row["iid"] = int(found["iid"]) if row.get("iid") is None else row["iid"]
    name = next((row[key] for key in ("key", "iid", "id") if isinstance(row.get(key), str | int)), None)
    if name is not None:
        where = f"issue {name}"
    for key in ("created_at", "updated_at", "closed_at"):
        if row.get(key) is not None:
            row[key] = _time(row[key], f"{where}: {key}")
    if isinstance(row.get("milestone"), str):
        row["milestone"] = {"title": row["milestone"]}
    people = _list(row.get("assignees"), f"{where}: assignees")
    row["assignees"] = [one.get("username") if isinstance(one, dict) else one for one in people]
    events = _list(row.get("events"), f"{where}: events")
    row["events"] = [_event(one, f"{where}: events[{number}]") for number, one in enumerate(events)]
    return where, _as(IssueRow, row, where)


def _event(raw: Any, where: str) -> EventRow:
    if not isinstance(raw, dict):
        raise ScenarioError(f"{where}: must be an object")
    return _as(EventRow, {**raw, "at": _time(raw.get("at"), f"{where}.at")}, where)


def _as(kind: type[R], raw: Any, where: str) -> R:
    """A row of this kind; what is null counts as missing."""
    given = {key: one for key, one in raw.items() if one is not None} if isinstance(raw, dict) else raw
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        inside = place.strip("`").lstrip(".")
        raise ScenarioError(f"{where}: {f'{inside}: ' if inside else ''}{message}") from None


def _time(text: Any, where: str) -> datetime:
    """An aware UTC time from ISO 8601 text; a day alone is its first moment, no zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ScenarioError(f"{where}: {text!r} is not a time such as 2026-12-07T15:00:00Z") from None


def once(values: Iterable[R]) -> list[R]:
    """Each value once, in order."""
    return list(dict.fromkeys(values))


__all__ = ["ScenarioError", "load_scenario"]

_DISTANCE = 512
_COLOR = "#6699cc"


class _Loader:
    def __init__(self, path: Path, data: Scenario, world: World) -> None:
        self.path = path
        self.data = data
        self.world = world
        self.milestones: dict[str, Milestone] = {}
        self.colors = {name: color for name, color, _ in LABELS}

    def wrong(self, where: str, what: str) -> ScenarioError:
        """An error that names its place."""
        return ScenarioError(f"{self.path}: {where}: {what}")

    def user(self, username: str) -> User:
        """A person, created on first use as a member of the group."""
        if not username:
            raise self.wrong("people", "a person has no username")
        known = self.world.users.get(username)
        if known is None:
            known = self.world.add_user(username, username.replace("_", " ").title())
            self.world.root.members[known.id] = REPORTER
        return known

    def label(self, title: str) -> Label:
        """A group label, created on first use."""
        if not title:
            raise self.wrong("labels", "a label has no title")
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
        for acquire_lease in (team.em, team.pm):
            if acquire_lease:
                self.world.root.members[self.user(acquire_lease).id] = MAINTAINER

    def times(self) -> None:
        """The milestones."""
        rows = self.data.milestones
        self.world.next_id("milestone", max((row.id for row in rows if row.id is not None), default=0))
        for one in rows:
            if one.title in self.milestones:
                raise self.wrong("milestones", f"duplicate {one.title}")
            if one.id in self.world.milestones:
                raise self.wrong("milestones", f"duplicate id {one.id}")
            if one.start_date and one.due_date and one.due_date < one.start_date:
                raise self.wrong("milestones", f"{one.title} ends before it starts")
            made = self.world.add_milestone(
                self.world.root, one.title, one.start_date, one.due_date, ident=one.id
            )
            made.closed = one.state == "closed"
            self.milestones[one.title] = made

    def milestone(self, where: str, title: str) -> Milestone:
        """A milestone of the file. Raises ScenarioError if it is unknown."""
        if title not in self.milestones:
            near = get_close_matches(title, self.milestones, 3)
            hint = f"; similar: {', '.join(near)}" if near else ""
            raise self.wrong(where, f"unknown milestone {title}{hint}")
        return self.milestones[title]

    def dawn(self) -> datetime:
        """A time before all events: the creation of issues that give none."""
        days = [one.start_date for one in self.data.milestones if one.start_date]
        told = [datetime.combine(day, time(), UTC) for day in days]
        for _, row in self.data.issues:
            told += [event.at for event in row.events] + [at for at in (row.created_at, row.closed_at) if at]
        first = min([self.data.as_of, *told])
        return first - timedelta(days=7) if first.year > 1 else first

    def project(self, where: str, row: IssueRow) -> Project:
        """The project of an issue, created on first use."""
        if (known := self.world.projects.get(row.project_path)) is not None:
            return known
        if "/" not in row.project_path.strip("/"):
            raise self.wrong(where, f"project_path {row.project_path} has no group")
        same = next((one for one in self.world.projects.values() if one.id == row.project_id), None)
        if same is not None:
            raise self.wrong(where, f"project_id {row.project_id} belongs to {same.full_path}")
        return self.world.add_project(row.project_path, ident=row.project_id)

    def issue(self, where: str, row: IssueRow) -> Issue:
        """One issue."""
        if row.id in self.world.index.issues:
            raise self.wrong(where, f"duplicate id {row.id}")
        project = self.project(where, row)
        if row.iid in project.issues:
            raise self.wrong(where, f"duplicate iid {row.iid} in {row.project_path}")
        if row.state not in ("opened", "closed"):
            raise self.wrong(where, f"state {row.state} is neither opened nor closed")
        if row.weight is not None and (row.weight < 0 or row.weight != int(row.weight)):
            raise self.wrong(where, f"weight {row.weight} is not a whole number of 0 or more")
        made = row.created_at or self.born
        issue = self.world.new_issue(
            project, row.title, self.world.owner, micros(made), ident=row.id, iid=row.iid
        )
        issue.open = row.state == "opened"
        issue.closed = self.closed(where, row)
        # Each change of label, milestone or state updates an issue, whatever its own time is.
        touched = [at for at in (made, row.updated_at, *(event.at for event in row.events)) if at]
        issue.updated = max(*(micros(at) for at in touched), issue.closed or 0)
        issue.description = row.description
        labels = [self.label(one) for one in once(row.labels)]
        issue.labels = tuple(sorted(labels, key=lambda one: one.title))
        issue.milestone = self.milestone(where, row.milestone.title) if row.milestone else None
        issue.weight = None if row.weight is None else int(row.weight)
        issue.assignees = tuple(self.user(one) for one in once(row.assignees))
        issue.confidential = row.confidential
        issue.upvotes = row.upvotes
        issue.health = next((one for one, name in HEALTH.items() if row.health_status in (one, name)), None)
        issue.merge_requests = merge_requests_of(issue, row.merge_requests_count)
        issue.status = row.status if row.status in self.world.statuses else None
        issue.history = [self.event(where, one) for one in sorted(row.events, key=lambda one: one.at)]
        self.world.index.issues[issue.id] = issue
        return issue

    def closed(self, where: str, row: IssueRow) -> int | None:
        """When it was closed: as given, otherwise by its last event."""
        if row.state == "opened":
            return None
        closes = [one.at for one in row.events if (one.kind, one.action) == ("state", "closed")]
        at = row.closed_at or max(closes, default=None)
        if at is None:
            raise self.wrong(where, "is closed but has no closed_at")
        return micros(at)

    def event(self, where: str, row: EventRow) -> Event:
        """One event of an issue. A milestone missing in the file was deleted: GitLab keeps its event with
        null."""
        by, at = self.user(row.by or self.data.people.em), micros(row.at)
        told = f"event {row.kind} {row.action}"
        value: Any = None
        match row.kind, row.action:
            case ("label" | "milestone", "add" | "remove") if row.value is None:
                raise self.wrong(where, f"the {told} has no value")
            case "label", "add" | "remove":
                value = self.label(str(row.value))
            case "milestone", "add" | "remove":
                value = self.milestones.get(str(row.value))
            case "weight", _:
                value = row.value
            case "state", "closed" | "reopened":
                pass
            case _:
                raise self.wrong(where, f"unknown {told}")
        return Event(self.world.next_id("event"), row.kind, row.action, value, at, by)

    def links(self, made: list[tuple[IssueRow, Issue]]) -> None:
        """Blocking issues and successors, by key, id or reference."""
        named: dict[int | str, Issue] = {}
        for row, issue in made:
            named |= {issue.id: issue, issue.reference: issue}
            if row.key:
                named[row.key] = issue
        for row, issue in made:
            where = f"issue {row.key or row.iid}"
            for name in row.blocked_by:
                self.world.block(issue, named.get(name) or self.outsider(where, name))
            issue.moved_to = self.successor(where, "moved_to", row.moved_to, issue, named)
            issue.duplicate_of = self.successor(where, "duplicate_of", row.duplicate_of, issue, named)

    def successor(
        self, where: str, what: str, name: int | str | None, itself: Issue, named: Mapping[int | str, Issue]
    ) -> Issue | None:
        """The issue of the file that another one was closed for."""
        if name is None:
            return None
        if name not in named or named[name] is itself:
            raise self.wrong(where, f"{what} {name} is no other issue of the file")
        return named[name]

    def outsider(self, where: str, name: int | str) -> Issue:
        """An open issue outside the file that blocks one in it: it counts, but is visible to no one."""
        path, _, iid = str(name).rpartition("#")
        if not path or not iid.isdigit():
            raise self.wrong(where, f"is blocked by {name}, which is neither in the file nor a reference")
        elsewhere = Group(0, path, path, path, None)
        project = Project(0, path.rpartition("/")[2], path, path, elsewhere)
        return Issue(0, int(iid), project, "", self.world.owner, 0)

    def load(self) -> None:
        """Create everything, in order of dependency."""
        rows = self.data.issues
        if not rows:
            raise ScenarioError(f"{self.path}: contains no issues")
        # Another file is another group: a client's cache of one must not be used for the other.
        ident = self.data.ident
        self.world.add_group(rows[0][1].project_path.split("/")[0], ident=ident)
        self.people()
        self.times()
        self.born = self.dawn()
        self.world.next_id("issue", max((row.id for _, row in rows if row.id is not None), default=0))
        made = [(row, self.issue(where, row)) for where, row in rows]
        roots = {issue.project.full_path.split("/")[0] for _, issue in made}
        if len(roots) > 1:
            raise ScenarioError(
                f"{self.path}: the issues are in several top-level groups: {', '.join(sorted(roots))}"
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
    """The world of a scenario file. A given clock is used unchanged; otherwise one starts at `as_of`."""
    file = Path(path)
    data = read(file)
    world = World(
        clock=clock or Clock(data.as_of),
        tier=tier,
        edition=edition,
        version=version,
    )
    _Loader(file, data, world).load()
    return world
