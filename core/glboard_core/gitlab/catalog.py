"""The catalog: labels, milestones, people and projects of a group, asked by name.

Owns what is asked for in one document, and which owner each label and milestone belongs to: GitLab 16.8 does
not report the group of a label. Nothing is read page by page, since a group has tens of thousands of them. It
must not read issues.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from glboard_core.concurrency import together
from glboard_core.errors import FineGrainedToken, GlboardError, GroupNotFound
from glboard_core.gitlab import decode, queries
from glboard_core.gitlab.answers import Address, Identity
from glboard_core.gitlab.decode import HasId, Licence, OfGroup, Page, User, WireLabel, WireMilestone
from glboard_core.gitlab.graphql import (
    About,
    QueryRunner,
    TooComplex,
    chunks,
    group_missing,
    server_of,
    side_by_side,
)
from glboard_core.gitlab.http_errors import fine_grained
from glboard_core.gitlab.queries import Dialect, NamedField
from glboard_core.model.catalog import Absent, Catalog, Label, Project, without
from glboard_core.model.names import CatalogNames, Needs, around

#: Concurrent queries.
PARALLEL = 4
#: With more known labels or milestones than this, a refresh forgets it.
MOST_KNOWN = 2_000
#: Milestones asked for by one field.
IDS_EACH = 100

#: Labels asked for by id, one by one, since they are no longer found by title.
MOST_LOST = 20

#: How often a time with more milestones than one answer holds is divided.
MOST_HALVES = 4

_OF_LABELS = ("label", "family", "label below", "label near", "family below")
_OF_MILESTONES = ("milestone", "milestone below", "milestone near", "milestones", "dated")
_WORD = re.compile(r"\w+")


class _GroupPath(Struct, frozen=True):
    """A group by REST."""

    full_path: str


class _RestLabel(Struct, frozen=True):
    """A label by REST."""

    name: str
    color: str = ""
    description: str | None = None


class Membership(Struct, frozen=True):
    """A membership; an invitation has no user."""

    user: User | None = None


class Permissions(Struct, frozen=True, rename="camel"):
    """Whether we can change issues of a project."""

    may_edit: bool | None = None


#: Types that no board shows, where GitLab does not tell: they belong to a parent, or have pages of their own.
_NOT_ON_BOARDS = ("task", "epic", "objective", "key result", "test case", "requirement")


class WireKind(Struct, frozen=True, rename="camel"):
    """A type of work items."""

    id: str
    name: str
    is_filterable_board_view: bool | UnsetType | None = UNSET

    @property
    def on_boards(self) -> bool:
        """Whether boards show issues of this type."""
        if self.is_filterable_board_view is UNSET:
            return self.name.casefold() not in _NOT_ON_BOARDS
        return bool(self.is_filterable_board_view)


class WirePlace(Licence, frozen=True, kw_only=True, rename="camel"):
    """A group or project. Fields that were not requested stay empty."""

    full_path: Address = ""
    id: Identity | None = None
    archived: bool | None = None
    user_permissions: Permissions = Permissions()
    boards: Page[HasId] | None = None
    work_item_types: Page[WireKind] | None = None


class ProjectsAnswer(Struct, frozen=True):
    """Answer to ``queries.projects``."""

    projects: Page[WirePlace] | None = None


class TokenSelf(Struct, frozen=True):
    """What the API reports about a personal access token; ``granular`` from 19.3 on."""

    scopes: list[str] = []
    granular: bool = False

    @property
    def fine_grained(self) -> bool:
        """Whether its permissions are granted one by one: scopes say nothing of them."""
        return self.granular or self.scopes == ["granular"]

    @property
    def can_write(self) -> bool | None:
        """Whether it has the scope for writing; None if unknown."""
        return None if self.fine_grained or not self.scopes else "api" in self.scopes


class _OAuthToken(Struct, frozen=True):
    """What the API reports about an OAuth token."""

    scope: list[str] = []


class _WireProject(Struct, frozen=True, rename="camel"):
    """A project, and the group it is in; None for one of a user."""

    full_path: str
    group: WirePlace | None = None


class _Place(Struct, frozen=True, rename="camel"):
    """A group by its path."""

    full_path: Address


class _Groups(Struct, frozen=True):
    """The groups of the current user."""

    groups: Page[_Place] | None = None


class _InsteadAnswer(Struct, frozen=True, rename="camel"):
    """Answer to ``queries.INSTEAD``."""

    project: _WireProject | None
    users: Page[User] | None = None
    current_user: _Groups | None = None

    @property
    def groups(self) -> list[str]:
        """The paths of groups that we are in."""
        page = self.current_user.groups if self.current_user is not None else None
        return [decode.line(one.full_path) for one in page.items()] if page is not None else []


class _Replies:
    """What the documents answered, in order."""

    def __init__(self) -> None:
        self.about = About()
        self.group: WirePlace | None = None
        self.projects: dict[str, WirePlace | None] = {}
        self.rows: list[tuple[NamedField, Page[Any]]] = []

    def of(self, *kinds: str) -> Iterable[tuple[NamedField, Page[Any]]]:
        """The replies to what was asked by one of ``kinds``."""
        return ((asked, page) for asked, page in self.rows if asked.by in kinds)


class CatalogReader:
    """Reads catalogs for one group."""

    def __init__(self, runner: QueryRunner, group: str) -> None:
        self._runner = runner
        #: The group's full path; another one once it was renamed.
        self.group = group

    async def catalog(self, names: CatalogNames, known: Catalog | None) -> Catalog:
        """What the configuration names, in one round trip; the rest stays as ``known``, asked by id.

        Raises GroupNotFound, TokenRejected and what reading raises.
        """
        known = _worth_keeping(known)
        async with together() as tasks:
            asked = tasks.create_task(self._ask(self._named(names, known), about=True))
            asked_token = tasks.create_task(self._token()) if names.token else None
            asked_kinds = tasks.create_task(self._kinds()) if self._runner.has_kinds else None
        replies = asked.result()
        group, user = replies.group, replies.about.current_user
        if group is None and await self._is_renamed(known):
            return await self.catalog(names, known)
        if group is None or user is None or replies.about.metadata is None:
            raise await self._unanswered(replies)
        server = server_of(replies.about, self._runner.host)
        if asked_token is not None:
            token = asked_token.result()
            rights = token.can_write, token.fine_grained
        else:
            rights = (known.server.can_write, known.server.fine_grained) if known else (None, False)
        # A fine-grained token may not read lifecycles: that says nothing of the licence.
        licensed = server.enterprise and (group.licensed is not False or rights[1])
        server = structs.replace(server, has_weight=licensed, can_write=rights[0], fine_grained=rights[1])
        self._runner.learn(server)
        if self._runner.has_kinds:
            kinds = asked_kinds.result() if asked_kinds is not None else await self._kinds()
            server = structs.replace(server, kinds=kinds)
            self._runner.learn(server)
        await self._follow(names, replies)
        path, me = decode.line(group.full_path), decode.person(user)
        if known is None or known.group_id != (group.id or ""):
            known = Catalog(group=path, me=me)
        elif known.group != path:
            known = known.moved(known.group, path)
        await self._look_for_lost(known, replies)
        boards = (group.boards or Page()).items()
        current = structs.replace(
            known,
            group=path,
            group_id=group.id or "",
            me=me,
            server=structs.replace(server, has_weight=self._runner.has_weight),
            ranking_board=boards[0].id if boards else None,
            families=frozenset(
                str(one.value) for one, page in replies.of("family") if not page.page_info.has_next_page
            )
            - {one.name for one in known.absent if one.kind == "family"},
        )
        learned = self._learned(without(current, *self._gone(current, replies)), replies)
        return learned.learn(people=[me])

    async def extended(self, catalog: Catalog, needs: Needs) -> Catalog:
        """The catalog plus what is needed and not known: asked once, also what does not exist."""
        wanted = needs.unknown(catalog)
        if not wanted:
            return catalog
        asked = list(_needed(wanted, catalog.group))
        async with together() as tasks:
            replying = tasks.create_task(self._ask(asked))
            rights = tasks.create_task(self._projects(sorted(wanted.projects)))
        replies = replying.result()
        learned = self._learned(catalog, replies).learn(projects=rights.result())
        own = {one.id for one in catalog.labels if one.owner == catalog.group}
        below = {str(asked.value) for asked, page in replies.of("family below") if _more(asked, page, own)}
        # Renamed, hidden or gone: that says nothing of what is in them.
        lost = {path for path, place in replies.projects.items() if place is None}
        return structs.replace(
            learned,
            absent=learned.absent
            | self._absent(learned, wanted.outside(lost), replies)
            | {Absent("project", path) for path in lost},
            families=learned.families - below,
        )

    # -- what to ask for

    def _named(self, names: CatalogNames, known: Catalog | None) -> list[NamedField]:
        single = [title for title in sorted(names.labels) if not _family_of(title, names)]
        people = sorted(names.people - {one.username for one in known.people} if known else names.people)
        ids = (
            [f"gid://gitlab/Milestone/{one}" for one in sorted({m.id for m in known.milestones})]
            if known
            else []
        )
        titles = {one.title for one in known.milestones if one.owner == known.group} if known else set()
        group = partial(NamedField, of="group", path=self.group)
        return [
            group(by="dated", value=_days(names.since, names.until)),
            # Those that are known are asked for by their ids.
            *(group(by="milestone", value=title) for title in sorted(names.milestones - titles)),
            *(group(by="milestones", value=part) for part in chunks(ids, IDS_EACH)),
            *(group(by="family", value=prefix) for prefix in sorted(names.families)),
            *(group(by="label", value=title) for title in single),
            *(NamedField(of="", by="people", value=part) for part in chunks(people, queries.NAMES_EACH)),
            *self._by_id(known),
        ]

    def _by_id(self, known: Catalog | None) -> Iterable[NamedField]:
        """Whoever and whatever is known, by the ids that stay when it is renamed."""
        if known is not None:
            for by, rows in (("people ids", known.people), ("projects", known.projects)):
                for part in chunks(sorted(one.id for one in rows), IDS_EACH):
                    yield NamedField(of="", by=by, value=list(part))

    async def _is_renamed(self, known: Catalog | None) -> bool:
        """Whether the group has another path now, which is used from now on."""
        if known is None or not known.group_id:
            return False
        try:
            raw = await self._runner.transport.get(f"/api/v4/groups/{known.group_id.rpartition('/')[2]}")
            path = decode.line(msgspec.json.decode(raw, type=_GroupPath).full_path)
        except (GlboardError, msgspec.DecodeError):
            return False  # it is gone, or REST is blocked
        before, self.group = self.group, path
        return path != before

    async def _look_for_lost(self, known: Catalog, replies: _Replies) -> None:
        """Ask by id for labels of the group that are no longer found by title: they may have another."""
        lost = self._lost(known, replies)
        jobs = [partial(self._label, known.group_id, one) for one in lost[:MOST_LOST]]
        for one in await side_by_side(jobs, PARALLEL):
            if one is not None:
                asked = NamedField(of="group", by="label by id", value=one.title, path=self.group)
                replies.rows.append((asked, Page(nodes=[one])))

    async def _label(self, group: str, label: Label) -> WireLabel | None:
        path = f"/api/v4/groups/{group.rpartition('/')[2]}/labels/{label.id.rpartition('/')[2]}"
        try:
            found = msgspec.json.decode(await self._runner.transport.get(path), type=_RestLabel)
        except (GlboardError, msgspec.DecodeError):
            return None  # deleted, or REST is blocked: then a card tells
        return WireLabel(found.name, label.id, found.color, found.description)

    async def _follow(self, names: CatalogNames, replies: _Replies) -> None:
        """Ask for what did not fit: milestones of a busy time, and labels of a very large family."""
        more: list[NamedField] = []
        for asked, page in replies.of("family"):
            if page.page_info.has_next_page:
                seen = {label.title for label in page.items()}
                under = (title for title in names.labels if title.startswith(str(asked.value)))
                more += [structs.replace(asked, by="label", value=t) for t in sorted(under) if t not in seen]
        if more:
            replies.rows += (await self._ask(more)).rows
        days = [(names.since, names.until)] if self._is_cut(replies.rows) else []
        for _ in range(MOST_HALVES):
            if not days:
                break
            halves = [half for one in days for half in _halves(*one)]
            found = await self._ask([self._dated(half) for half in halves])
            replies.rows += found.rows
            parts = zip(halves, found.rows, strict=True)
            days = [half for half, row in parts if self._is_cut([row])]

    def _dated(self, days: tuple[date, date]) -> NamedField:
        return NamedField(of="group", by="dated", value=_days(*days), path=self.group)

    @staticmethod
    def _is_cut(rows: Iterable[tuple[NamedField, Page[Any]]]) -> bool:
        return any(asked.by == "dated" and page.page_info.has_next_page for asked, page in rows)

    # -- asking

    async def _ask(self, asked: Sequence[NamedField], *, about: bool = False) -> _Replies:
        """Ask for all of it, in as few documents as are allowed, at once."""
        documents = _packed(asked, self.group, queries.MOST_COMPLEXITY, about=about)
        replies = _Replies()
        jobs = [
            partial(self._document, part, replies, about=about and not n) for n, part in enumerate(documents)
        ]
        found = await side_by_side(jobs, PARALLEL)
        replies.rows = [row for rows in found for row in rows]
        return replies

    async def _document(
        self, asked: Sequence[NamedField], replies: _Replies, *, about: bool
    ) -> list[tuple[NamedField, Page[Any]]]:
        _, variables = queries.names(asked, queries.NEWEST, self.group, about=about)

        def document(dialect: Dialect) -> str:
            return queries.names(asked, dialect, self.group, about=about)[0]

        try:
            answer = await self._runner.ask_in_dialect(
                document, variables, dict[str, msgspec.Raw], assumed=queries.NEWEST
            )
        except TooComplex:
            if len(asked) < 2:
                raise
            half = len(asked) // 2
            first = await self._document(asked[:half], replies, about=about)
            return [*first, *await self._document(asked[half:], replies, about=False)]
        return self._decoded(asked, variables, answer, replies, about=about)

    def _decoded(
        self,
        asked: Sequence[NamedField],
        variables: Mapping[str, object],
        answer: Mapping[str, msgspec.Raw],
        replies: _Replies,
        *,
        about: bool,
    ) -> list[tuple[NamedField, Page[Any]]]:
        if about:
            whole = msgspec.Raw(msgspec.json.encode(answer))
            replies.about = self._runner.part(whole, About) or About()
        places: dict[tuple[str, str], Mapping[str, msgspec.Raw]] = {("", ""): answer}
        for alias, raw in answer.items():
            if alias not in variables or alias[0] not in "gp" or not alias[1:].isdigit():
                continue
            place = self._runner.part(raw, WirePlace)
            if alias[0] == "p":
                replies.projects[str(variables[alias])] = place
            elif about:
                # Only this document asks for its boards and its licence; another one may have come first.
                replies.group = place
            if place is not None:
                kind = "group" if alias[0] == "g" else "project"
                fields = self._runner.part(raw, dict[str, msgspec.Raw])
                places[kind, str(variables[alias])] = fields or {}
        rows: list[tuple[NamedField, Page[Any]]] = []
        for n, one in enumerate(asked):
            field = places.get((one.of, one.path), {}).get(f"f{n}")
            page = self._runner.part(field, _page_of(one)) if field is not None else None
            rows.append((one, page or Page()))
        return rows

    async def _projects(self, paths: Sequence[str]) -> list[Project]:
        async def read(part: Sequence[str]) -> list[Project]:
            variables = {"paths": list(part), "first": len(part)}
            answer = await self._runner.ask_in_dialect(queries.projects, variables, ProjectsAnswer)
            return [_project(one) for one in (answer.projects or Page[WirePlace]()).items()]

        jobs = [partial(read, part) for part in chunks(paths, queries.PROJECTS_EACH)]
        return [project for part in await side_by_side(jobs, PARALLEL) for project in part]

    async def _kinds(self) -> tuple[str, ...]:
        """The ids of the types that boards show; empty where they are asked for by name."""
        answer = await self._runner.ask_in_dialect(queries.kinds, {"group": self.group}, OfGroup[WirePlace])
        found = (answer.group and answer.group.work_item_types) or Page[WireKind]()
        return tuple(kind.id for kind in found.items() if kind.on_boards)

    async def _token(self) -> TokenSelf:
        """The token; empty if unknown (older servers)."""
        transport = self._runner.transport
        try:
            if transport.account.kind == "oauth":
                raw = await transport.get("/oauth/token/info")
                return TokenSelf(scopes=msgspec.json.decode(raw, type=_OAuthToken).scope)
            raw = await transport.get("/api/v4/personal_access_tokens/self")
            return msgspec.json.decode(raw, type=TokenSelf)
        except FineGrainedToken:
            # It may not even read about itself.
            return TokenSelf(granular=True)
        except (GlboardError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Best effort: if it matters, the other queries fail as well.
            return TokenSelf()

    async def _unanswered(self, replies: _Replies) -> GlboardError:
        """Why GitLab answered null to who we are, to its version or to the group."""
        host, about = self._runner.host, replies.about
        if (await self._token()).fine_grained:
            lacks = "User: Read" if about.current_user is None else "Group: Read"
            lacks = "Metadata: Read" if about.metadata is None else lacks
            return fine_grained(host, f"it seems to lack the permission {lacks}.")
        server_of(about, host)
        answer = await self._runner.ask(
            queries.INSTEAD, {"path": self.group, "names": [self.group]}, _InsteadAnswer
        )
        if answer.project is not None:
            above = answer.project.group
            return GroupNotFound(
                f"“{decode.line(answer.project.full_path)}” is a project, not a group.",
                hint=f"Use the group it is in: {decode.line(above.full_path)}."
                if above is not None
                else "It belongs to a user, and glboard needs a group.",
            )
        if answer.users is not None and answer.users.items():
            return GroupNotFound(
                f"“{self.group}” is a user, not a group.",
                hint="Use the full path of a group, such as company/team.",
            )
        near = get_close_matches(self.group.casefold(), answer.groups, 3)
        missing = group_missing(self.group, host)
        return GroupNotFound(missing.message, hint=f"Near matches: {', '.join(near)}.") if near else missing

    # -- what was learned

    def _learned(self, catalog: Catalog, replies: _Replies) -> Catalog:
        group = catalog.group
        labels: list[Label] = []
        for asked, page in replies.of("label", "family", "label near", "label by id"):
            owner = asked.path if asked.of == "project" else group
            found = [decode.label(wire, owner) for wire in page.items()]
            if asked.by == "label":
                found = [one for one in found if one.title == asked.value]
            if asked.by == "family":
                found = [one for one in found if one.title.startswith(str(asked.value))]
            # A project's own label hides one of the same title above it.
            labels += sorted(found, key=lambda one: "/ProjectLabel/" in one.id)
        milestones = [
            decode.milestone(wire, self.owner_of(wire, group))
            for asked, page in replies.of(*_OF_MILESTONES)
            for wire in page.items()
        ]
        found_people = replies.of("people", "people ids")
        people = [decode.person(user) for _, page in found_people for user in page.items()]
        members = [one.user for _, page in replies.of("people near") for one in page.items()]
        people += [decode.person(user) for user in members if user is not None]
        projects = [_project(place) for place in replies.projects.values() if place is not None]
        found_projects = replies.of("project", "projects")
        projects += [_project(place) for _, page in found_projects for place in page.items()]
        return catalog.learn(labels=labels, milestones=milestones, people=people, projects=projects)

    def owner_of(self, wire: WireMilestone, group: str) -> str:
        """The full path of the group or project that a milestone belongs to; of those above, the group's.

        Its path tells: ``/groups/GROUP/-/milestones/1`` or ``/PROJECT/-/milestones/1``, below the server's
        own root, which need not be in the address that we use.
        """
        path = decode.line(wire.web_path.partition("/-/")[0]) + "/"
        at = path.lower().find(f"/{group}/".lower())
        return path[at:].strip("/") if at >= 0 else group

    def _lost(self, known: Catalog, replies: _Replies) -> list[Label]:
        """The labels of the group that were asked for and not found."""
        asked = replies.of("label", "family", "label by id")
        answered = {label.id for _, page in asked for label in page.items()}
        whole = {str(a.value) for a, page in replies.of("family") if not page.page_info.has_next_page}
        single = {str(a.value) for a, _ in replies.of("label")}
        return [
            one
            for one in known.labels
            if one.owner == known.group
            and one.id not in answered
            and (one.title in single or one.title.startswith(tuple(whole)))
        ]

    def _gone(self, known: Catalog, replies: _Replies) -> tuple[set[str], set[str]]:
        """The ids of labels and milestones of the group that no longer exist."""
        labels = {one.id for one in self._lost(known, replies)}
        there = {
            wire.id.rpartition("/")[2]
            for _, page in replies.of("milestone", "milestones", "dated")
            for wire in page.items()
        }
        return labels, {one.id for one in known.milestones} - there

    def _absent(self, catalog: Catalog, needs: Needs, replies: _Replies) -> set[Absent]:
        """What was asked for and does not exist."""
        labels = {Absent("label", t, p) for p, t in needs.labels if catalog.label(p, t) is None}
        found = {str(a.value) for a, page in replies.of("label below") if page.items()}
        labels |= {Absent("label", title, catalog.group) for title in needs.below - found}
        labels |= {Absent("label", prefix, catalog.group) for prefix in needs.families}
        labels |= {Absent("family", prefix, place) for place, prefix in needs.own_families}
        titles = {Absent("milestone", t, p) for p, t in needs.milestones if catalog.milestone(p, t) is None}
        near = (title for title in needs.near_milestones if catalog.find_milestone(title) is None)
        titles |= {Absent("milestone", title, catalog.group) for title in near}
        folded = {person.username.casefold() for person in catalog.people}
        people = {Absent("person", name) for name in needs.people if name.casefold() not in folded}
        projects = {Absent("project", path) for path in needs.projects if catalog.project(path) is None}
        return labels | titles | people | projects


def _worth_keeping(known: Catalog | None) -> Catalog | None:
    """What is known, unless that is so much that asking about all of it would be no cheaper than before."""
    if known is None or max(len(known.labels), len(known.milestones), len(known.people)) <= MOST_KNOWN:
        return known
    return structs.replace(known, labels=(), milestones=(), people=(), projects=(), absent=frozenset())


def _needed(needs: Needs, group: str) -> Iterable[NamedField]:
    def of(place: str) -> str:
        return "group" if place == group else "project"

    for day in sorted(needs.days):
        yield NamedField(of="group", by="dated", value=_days(*around(day)), path=group)
    for place, title in sorted(needs.labels):
        yield NamedField(of=of(place), by="label", value=title, path=place)
    for place, title in sorted(needs.milestones):
        yield NamedField(of=of(place), by="milestone", value=title, path=place)
    for name in sorted(needs.project_names):
        yield NamedField(of="group", by="project", value=name, path=group)
    for title in sorted(needs.below):
        yield NamedField(of="group", by="label below", value=title, path=group)
        yield NamedField(of="group", by="label near", value=_term(title), path=group)
    for prefix in sorted(needs.families):
        yield NamedField(of="group", by="family below", value=prefix, path=group)
    for place, prefix in sorted(needs.own_families):
        yield NamedField(of=of(place), by="family", value=prefix, path=place)
    for name in sorted(needs.near_people):
        yield NamedField(of="group", by="people near", value=name[:4], path=group)
    for title in sorted(needs.near_milestones):
        yield NamedField(of="group", by="milestone below", value=title, path=group)
        yield NamedField(of="group", by="milestone near", value=_term(title), path=group)
    for part in chunks(sorted(needs.people), queries.NAMES_EACH):
        yield NamedField(of="", by="people", value=list(part))


def _term(title: str) -> str:
    """What similar titles contain as well: the start of the longest word, since the end may be misspelled."""
    longest = max(_WORD.findall(title), key=len, default=title)
    return longest[:4]


def _more(asked: NamedField, page: Page[Any], own: Collection[str]) -> bool:
    """Whether there are labels with that prefix other than the group's ``own`` ids."""
    prefix = str(asked.value)
    found = (wire.id for wire in page.items() if decode.line(wire.title).startswith(prefix))
    return page.page_info.has_next_page or any(identity not in own for identity in found)


def _packed(asked: Sequence[NamedField], group: str, most: int, *, about: bool) -> list[list[NamedField]]:
    """The documents, each within the complexity limit; at least one if ``about`` is asked."""
    documents: list[list[NamedField]] = [[]] if about else []
    cost, places = (queries.ABOUT_COST + queries.PLACE_COST, {group}) if about else (most, set[str]())
    for one in sorted(asked, key=lambda one: (one.of, one.path)):
        # By the dearest dialect, since the server may not be known yet.
        fields = (queries.named(one.of, one.by, dialect) for dialect in (queries.NEWEST, Dialect()))
        own = max(field.cost for field in fields)
        added = own + (queries.PLACE_COST if one.path and one.path not in places else 0)
        if cost + added > most:
            documents.append([])
            cost, places, added = 0, set(), own + queries.PLACE_COST
        documents[-1].append(one)
        places.add(one.path)
        cost += added
    return documents


def _family_of(title: str, names: CatalogNames) -> bool:
    return title.startswith(tuple(names.families))


def _page_of(asked: NamedField) -> Any:
    if asked.by in ("people", "people ids"):
        return Page[User]
    if asked.by == "people near":
        return Page[Membership]
    if asked.by in ("project", "projects"):
        return Page[WirePlace]
    return Page[WireLabel] if asked.by in _OF_LABELS else Page[WireMilestone]


def _days(since: date, until: date) -> dict[str, str]:
    return {"start": since.isoformat(), "end": until.isoformat()}


def _halves(since: date, until: date) -> list[tuple[date, date]]:
    middle = since + (until - since) // 2
    return [(since, middle), (middle + timedelta(days=1), until)] if since < until else [(since, until)]


def _project(place: WirePlace) -> Project:
    return Project(
        id=place.id or "",
        path=decode.line(place.full_path),
        archived=bool(place.archived),
        can_edit=place.user_permissions.may_edit,
    )
