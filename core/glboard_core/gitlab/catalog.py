"""The catalog: labels, milestones, people and projects of a group and everything below it.

Owns the queries for them, and which owner each belongs to. GitLab 16.8 does not report which group a label or
milestone belongs to, so each owner is queried for its own. It must not read issues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct, structs

from glboard_core.errors import GlboardError
from glboard_core.gitlab import decode, queries
from glboard_core.gitlab.decode import HasId, Page, User, day
from glboard_core.gitlab.graphql import (
    About,
    QueryRunner,
    chunks,
    group_missing,
    server_of,
    side_by_side,
    together,
)
from glboard_core.model.catalog import Catalog, Label, Person, Project
from glboard_core.model.milestone import Milestone

#: Limits: pickers do not need more, and large groups have tens of thousands.
MOST_PEOPLE = 2_000
MOST_PROJECTS = 2_000
#: Closed milestones, newest first: reports do not look back forever.
CLOSED_MILESTONES = 100
#: Concurrent queries.
PARALLEL = 4


class WireLabel(Struct, frozen=True):
    """A label with its id."""

    id: str
    title: str
    color: str = ""
    description: str | None = None


class WireMilestone(Struct, frozen=True, rename="camel"):
    """A milestone with its id and dates."""

    id: str
    title: str
    state: str = "active"
    start_date: str | None = None
    due_date: str | None = None


class Membership(Struct, frozen=True):
    """A membership; an invitation has no user."""

    user: User | None = None


class Permissions(Struct, frozen=True, rename="camel"):
    """Whether we can change issues of a project."""

    may_edit: bool | None = None


class Owner(Struct, frozen=True, rename="camel"):
    """A group or project with what it owns itself. Fields that were not requested stay empty."""

    full_path: str = ""
    id: str | None = None
    archived: bool | None = None
    user_permissions: Permissions = Permissions()
    labels: Page[WireLabel] | None = None
    milestones: Page[WireMilestone] | None = None
    boards: Page[HasId] | None = None
    group_members: Page[Membership] | None = None
    projects: Page[Owner] | None = None


class CatalogAnswer(About, frozen=True, rename="camel"):
    """Answer to ``queries.CATALOG``."""

    group: Owner | None = None


class OwnerAnswer(Struct, frozen=True):
    """Answer to a query for a page of what one owner has."""

    owner: Owner | None = None


class TokenSelf(Struct, frozen=True):
    """What the API reports about a personal access token."""

    scopes: list[str] = []


#: The document with a page of a field of the group.
_DOCUMENTS = {
    "labels": queries.GROUP_LABELS,
    "milestones": queries.GROUP_MILESTONES,
    "group_members": queries.MEMBERS,
    "projects": queries.PROJECTS,
}


class CatalogReader:
    """Reads catalogs for one group."""

    def __init__(self, runner: QueryRunner, group: str) -> None:
        self._runner = runner
        self._group = group

    async def catalog(self) -> Catalog:
        """The catalog of the group itself. Raises GroupNotFound, TokenRejected and what reading raises."""
        async with together() as tasks:
            asked = tasks.create_task(self._first())
            asked_projects = tasks.create_task(self._all("projects", most=MOST_PROJECTS))
            closed = self._all("milestones", most=CLOSED_MILESTONES, state="closed", sort="DUE_DATE_DESC")
            asked_closed = tasks.create_task(closed)
            asked_scope = tasks.create_task(self._can_write())
        first, projects = asked.result(), asked_projects.result()
        group, user = first.group, first.current_user
        server = server_of(first, self._runner.host)
        if group is None or user is None:
            raise group_missing(self._group, self._runner.host)
        self._runner.learn(server)
        path = decode.line(group.full_path)
        async with together() as tasks:
            asked_labels = tasks.create_task(self._all("labels", group.labels or Page()))
            active = self._all("milestones", group.milestones or Page(), state="active")
            asked_milestones = tasks.create_task(active)
            members = self._all("group_members", group.group_members or Page(), most=MOST_PEOPLE)
            asked_people = tasks.create_task(members)
        people = asked_people.result()
        notes = []
        if len(people) >= MOST_PEOPLE:
            notes.append(f"Showing only the first {MOST_PEOPLE} members.")
        if len(projects) >= MOST_PROJECTS:
            notes.append(f"Showing only the first {MOST_PROJECTS} projects.")
        boards = (group.boards or Page()).items()
        return Catalog(
            group=path,
            me=_person(user),
            server=structs.replace(
                server, has_weight=self._runner.has_weight, can_write=asked_scope.result()
            ),
            labels=tuple(_label(one, path) for one in asked_labels.result()),
            milestones=_milestones([*asked_milestones.result(), *asked_closed.result()], path),
            people=_people(people),
            projects=tuple(
                Project(id=one.id or "", path=decode.line(one.full_path))
                for one in projects
                if not one.archived
            ),
            ranking_board=boards[0].id if boards else None,
            notes=tuple(notes),
            group_id=group.id or "",
        )

    async def extended(self, catalog: Catalog, projects: Iterable[str]) -> Catalog:
        """The catalog plus what these projects and the subgroups above them own."""
        paths = sorted(set(projects))
        if not paths:
            return catalog
        groups = sorted({above for path in paths for above in _between(catalog.group, path)})
        names = [("group", group) for group in groups] + [("project", path) for path in paths]
        parts = chunks(names, queries.OWNERS_EACH)
        answers = await side_by_side((partial(self._owners, part) for part in parts), PARALLEL)
        found = {path: owner for answer in answers for path, owner in answer.items()}
        asked = set(found)
        labels = [one for one in catalog.labels if one.owner not in asked]
        milestones = [one for one in catalog.milestones if one.owner not in asked]
        known = {project.path: project for project in catalog.projects}
        for path, owner in found.items():
            labels += [_label(one, path) for one in (owner.labels or Page()).items()]
            milestones += _milestones((owner.milestones or Page()).items(), path)
            if owner.id is not None:
                known[path] = _project(owner, path)
        return structs.replace(
            catalog,
            labels=tuple(labels),
            milestones=tuple(milestones),
            projects=tuple(known[path] for path in sorted(known)),
        )

    # -- queries

    async def _first(self) -> CatalogAnswer:
        variables = {"group": self._group, "first": self._runner.page_size}
        answer = await self._runner.ask(queries.CATALOG, variables, CatalogAnswer)
        if answer.current_user is not None and answer.group is None:
            raise group_missing(self._group, self._runner.host)
        return answer

    async def _all(
        self, field: str, first: Page[Any] | None = None, *, most: int | None = None, **variables: str
    ) -> list[Any]:
        """What the group has in a field, up to ``most``; ``first`` is a page that was read already."""
        asked = {"group": self._group, **variables}
        return await self._collected(_DOCUMENTS[field], asked, field, first, most)

    async def _collected(
        self,
        document: str,
        variables: Mapping[str, object],
        field: str,
        first: Page[Any] | None,
        most: int | None = None,
    ) -> list[Any]:
        def pick(answer: OwnerAnswer) -> Page[Any]:
            return getattr(answer.owner, field, None) or Page()

        found = first.items() if first is not None else []
        if first is not None and not first.page_info.has_next_page:
            return found
        after = first.page_info.end_cursor if first is not None else None
        async for page in self._runner.pages(document, variables, OwnerAnswer, pick, after=after):
            found += page
            if most is not None and len(found) >= most:
                return found[:most]
        return found

    async def _can_write(self) -> bool | None:
        """Whether the token has the scope for writing; None if unknown (OAuth, older servers)."""
        try:
            raw = await self._runner.transport.get("/api/v4/personal_access_tokens/self")
            return "api" in msgspec.json.decode(raw, type=TokenSelf).scopes
        except (GlboardError, msgspec.DecodeError):
            # Best effort: if it matters, the other queries fail as well.
            return None

    async def _owners(self, names: Sequence[tuple[str, str]]) -> dict[str, Owner]:
        groups = [path for kind, path in names if kind == "group"]
        projects = [path for kind, path in names if kind == "project"]
        variables = {f"g{n}": path for n, path in enumerate(groups)}
        variables |= {f"p{n}": path for n, path in enumerate(projects)}
        answer = await self._runner.ask_in_dialect(
            lambda dialect: queries.owners(dialect, len(groups), len(projects)),
            variables,
            dict[str, Owner | None],
        )
        found: dict[str, Owner] = {}
        for alias, path in variables.items():
            if (owner := answer.get(alias)) is not None:
                found[path] = await self._whole(owner, "group" if alias[0] == "g" else "project", path)
        return found

    async def _whole(self, owner: Owner, kind: str, path: str) -> Owner:
        """An owner including the pages after the first."""
        for field in ("labels", "milestones"):
            first, document = getattr(owner, field) or Page(), queries.owned(kind, field)
            rows = await self._collected(document, {"path": path}, field, first)
            owner = structs.replace(owner, **{field: Page(nodes=rows)})
        return owner


def _between(group: str, project: str) -> list[str]:
    """The subgroups between ``group`` and ``project``, outermost first."""
    if not project.startswith(group + "/"):
        return []
    parts = project.split("/")[:-1]
    depth = group.count("/") + 1
    return ["/".join(parts[:n]) for n in range(depth + 1, len(parts) + 1)]


def _label(wire: WireLabel, owner: str) -> Label:
    color = wire.color if wire.color.startswith("#") else "#6e7681"
    return Label(
        id=wire.id,
        title=decode.line(wire.title),
        owner=owner,
        color=decode.line(color).lower(),
        description=decode.line(wire.description or ""),
    )


def _milestones(wires: Iterable[WireMilestone], owner: str) -> tuple[Milestone, ...]:
    """The milestones, each once."""
    found = {
        wire.id: Milestone(
            id=wire.id.rpartition("/")[2],
            title=decode.line(wire.title),
            owner=owner,
            start=day(wire.start_date),
            due=day(wire.due_date),
            active=wire.state == "active",
        )
        for wire in wires
    }
    return tuple(found.values())


def _person(user: User) -> Person:
    return Person(id=user.id, username=decode.line(user.username), name=decode.line(user.name))


def _people(members: Iterable[Membership]) -> tuple[Person, ...]:
    found = {member.user.username: _person(member.user) for member in members if member.user is not None}
    return tuple(found[name] for name in sorted(found))


def _project(owner: Owner, path: str) -> Project:
    can_edit = owner.user_permissions.may_edit
    return Project(id=owner.id or "", path=path, archived=bool(owner.archived), can_edit=can_edit)
