"""Searches for labels, milestones, people, projects and issues, as one types: one request each.

Owns where each is searched, so that only what is valid in all the asked projects is found. It keeps nothing:
whoever asks knows what is known already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from glboard_core.errors import NameUnknown, QueryRefused, TimedOut
from glboard_core.gitlab import decode, name_queries
from glboard_core.gitlab.answers import MOST_ENTRIES, Address, Identity
from glboard_core.gitlab.dialect import Dialect
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.gitlab.wire import Page, Permissions, User, WireBlocker, WireLabel, WireMilestone
from glboard_core.model import clean_text
from glboard_core.model.catalog import Label, Person, Project
from glboard_core.model.issue import LinkedIssue
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found

#: Seconds after which a search is given up: a person waits for it, and can type on instead.
PATIENCE = 10.0
#: The most characters of a search: no title is longer.
MOST_TEXT = 255


class FoundProject(Struct, frozen=True, rename="camel"):
    """A project by its path."""

    id: Identity
    full_path: Address
    archived: bool | None = None
    user_permissions: Permissions = Permissions()


class Place(Struct, frozen=True, rename="camel"):
    """What was found in a group or project; only what was searched for is there."""

    labels: Page[WireLabel] | None = None
    milestones: Page[WireMilestone] | None = None
    projects: Page[FoundProject] | None = None
    issues: Page[WireBlocker] | None = None
    autocomplete_users: Annotated[list[User], Meta(max_length=MOST_ENTRIES)] | None = None


class SearchAnswer(Struct, frozen=True):
    """Answer to a search."""

    place: Place | None = None


def place_of(group: str, projects: Collection[str]) -> tuple[str, str]:
    """Kind and path of where to search for what is valid in all of these projects.

    That is the project itself if there is only one, else the lowest group above all of them; at most the
    team's group. Only what a group owns is valid in several projects.
    """
    if len(projects) == 1:
        return "project", next(iter(projects))
    if not projects:
        return "group", group
    parts = [path.split("/")[:-1] for path in projects]
    common = parts[0]
    for other in parts[1:]:
        while other[: len(common)] != common:
            common = common[:-1]
    return "group", "/".join(common) or group


class CatalogSearch:
    """Searches in one group and its projects. All methods raise AuthError, ConnectionFailed, QueryRefused,
    and NameUnknown if a project is gone or hidden."""

    def __init__(self, runner: QueryRunner, group: str) -> None:
        self._runner = runner
        self.group = group
        self._in_titles = True

    async def labels(self, text: str, projects: Collection[str]) -> Found[Label]:
        """The labels valid in all of ``projects`` (without any: in the group) whose title contains it."""
        kind, path = place_of(self.group, projects)
        found = await self._labels(kind, path, text)
        page, sought = found.labels or Page(), text.strip().casefold()
        labels = tuple(decode.label(one, _label_owner(one, kind, path)) for one in page.items())
        # Servers that also search descriptions find labels that no title explains.
        shown = tuple(one for one in labels if all(word in one.title.casefold() for word in sought.split()))
        return Found(shown, page.page_info.has_next_page)

    async def _labels(self, kind: str, path: str, text: str) -> Place:
        """Search in titles only where the server can: not every version with the modern fields does."""
        if self._in_titles:
            try:
                document = partial(name_queries.search_labels, place=kind)
                return await self._ask(document, kind, path, text)
            except QueryRefused as error:
                if "searchIn" not in error.message:
                    raise
                self._in_titles = False
        return await self._ask(lambda _: name_queries.search_labels(Dialect(), kind), kind, path, text)

    async def milestones(self, text: str, projects: Collection[str]) -> Found[Milestone]:
        """The active milestones available to all of ``projects`` whose title contains the text."""
        kind, path = place_of(self.group, projects)
        found = await self._ask(lambda _: name_queries.search_milestones(kind), kind, path, text)
        page = found.milestones or Page()
        milestones = tuple(decode.milestone(one, _milestone_owner(one, kind, path)) for one in page.items())
        return Found(milestones, page.page_info.has_next_page)

    async def people(self, text: str, project: str | None) -> Found[Person]:
        """The people who can be assigned in a project, or in the group, by name or username."""
        kind, path = ("group", self.group) if project is None else ("project", project)
        found = await self._ask(lambda _: name_queries.search_people(kind), kind, path, text)
        users = found.autocomplete_users or []
        return Found(tuple(map(decode.person, users)), len(users) >= name_queries.SEARCHED)

    async def projects(self, text: str) -> Found[Project]:
        """The projects of the group and its subgroups by path or name, without archived ones."""
        found = await self._ask(name_queries.search_projects, "group", self.group, text)
        page = found.projects or Page()
        projects = (
            Project(id=one.id, path=clean_text.line(one.full_path), can_edit=one.user_permissions.may_edit)
            for one in page.items()
            if not one.archived
        )
        return Found(tuple(projects), page.page_info.has_next_page)

    async def issues(self, text: str) -> Found[LinkedIssue]:
        """The issues of the group and its subgroups whose title contains the text."""
        found = await self._ask(lambda _: name_queries.search_issues("group"), "group", self.group, text)
        page = found.issues or Page()
        return Found(tuple(map(decode.linked_issue, page.items())), page.page_info.has_next_page)

    async def _ask(self, build: Callable[[Dialect], str], kind: str, path: str, text: str) -> Place:
        variables = {"path": path, "text": text.strip()[:MOST_TEXT]}
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._runner.ask_in_dialect(build, variables, SearchAnswer)
        except TimeoutError:
            seconds = f"{PATIENCE:.0f} seconds"
            raise TimedOut(
                f"{self._runner.host} did not respond to the search within {seconds}.",
                hint="Type more letters, or try again.",
            ) from None
        if answer.place is None:
            raise NameUnknown(kind, path, hint="Check its name: it no longer exists, or you have no access.")
        return answer.place


def _label_owner(found: WireLabel, kind: str, path: str) -> str:
    """The owner to store for a label that was found in a group or project.

    Its id tells whether a group owns it, but not which of those above the project. It is valid everywhere
    below the group that the project is in.
    """
    return path.rpartition("/")[0] if kind == "project" and "/GroupLabel/" in found.id else path


def _milestone_owner(found: WireMilestone, kind: str, path: str) -> str:
    """The same for a milestone, whose address has ``/groups/`` before the path of a group."""
    of_project = found.web_path.partition("/-/")[0].endswith(f"/{path}")
    return path if kind == "group" or of_project else path.rpartition("/")[0]
