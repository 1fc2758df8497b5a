"""The catalog: labels, milestones, people and projects of a group, asked by name.

Owns when what is asked: which names is in ``catalog_questions.py``, what an answer means in
``catalog_answers.py``. Nothing is read page by page, since a group has tens of thousands of them. It must not
read issues.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct, structs

from glboard_core.concurrency import together
from glboard_core.errors import GlboardError, GroupNotFound
from glboard_core.gitlab import decode, name_queries
from glboard_core.gitlab.answers import Address
from glboard_core.gitlab.catalog_answers import (
    Replies,
    WireKind,
    WirePlace,
    absent_in,
    gone,
    is_cut,
    lost_labels,
    page_of,
    project_of,
    with_answers,
)
from glboard_core.gitlab.catalog_questions import configured, days_between, halves_of, needed, packed
from glboard_core.gitlab.dialect import MOST_COMPLEXITY, NEWEST, Dialect
from glboard_core.gitlab.graphql import (
    About,
    QueryRunner,
    TooComplex,
    chunks,
    group_missing,
    server_of,
    side_by_side,
)
from glboard_core.gitlab.name_queries import NamedField
from glboard_core.gitlab.own_token import own_token
from glboard_core.gitlab.token_errors import fine_grained
from glboard_core.gitlab.wire import OfGroup, Page, User, WireLabel
from glboard_core.model import clean_text
from glboard_core.model.catalog import Absent, Catalog, Label, Project, without
from glboard_core.model.catalog_needs import CatalogNames, Needs

#: Concurrent queries.
PARALLEL = 4
#: With more known labels or milestones than this, a refresh forgets it.
MOST_KNOWN = 2_000

#: Labels asked for by id, one by one, since they are no longer found by title.
MOST_LOST = 20

#: How often a time with more milestones than one answer holds is divided.
MOST_HALVES = 4


class _GroupPath(Struct, frozen=True):
    """A group by REST."""

    full_path: str


class _RestLabel(Struct, frozen=True):
    """A label by REST."""

    name: str
    color: str = ""
    description: str | None = None


class ProjectsAnswer(Struct, frozen=True):
    """Answer to ``name_queries.projects``."""

    projects: Page[WirePlace] | None = None


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
    """Answer to ``name_queries.INSTEAD``."""

    project: _WireProject | None
    users: Page[User] | None = None
    current_user: _Groups | None = None

    @property
    def groups(self) -> list[str]:
        """The paths of groups that we are in."""
        page = self.current_user.groups if self.current_user is not None else None
        return [clean_text.line(one.full_path) for one in page.items()] if page is not None else []


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
            asked = tasks.create_task(self._ask(configured(names, known, self.group), about=True))
            asked_token = tasks.create_task(own_token(self._runner.transport)) if names.token else None
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
        path, me = clean_text.line(group.full_path), decode.person(user)
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
        return with_answers(without(current, *gone(current, replies)), replies).learn(people=[me])

    async def extended(self, catalog: Catalog, needs: Needs) -> Catalog:
        """The catalog plus what is needed and not known: asked once, also what does not exist."""
        wanted = needs.unknown(catalog)
        if not wanted:
            return catalog
        asked = list(needed(wanted, catalog.group))
        async with together() as tasks:
            replying = tasks.create_task(self._ask(asked))
            rights = tasks.create_task(self._projects(sorted(wanted.projects)))
        replies = replying.result()
        learned = with_answers(catalog, replies).learn(projects=rights.result())
        own = {one.id for one in catalog.labels if one.owner == catalog.group}
        below = {str(asked.value) for asked, page in replies.of("family below") if _more(asked, page, own)}
        # Renamed, hidden or gone: that says nothing of what is in them.
        lost = {path for path, place in replies.projects.items() if place is None}
        return structs.replace(
            learned,
            absent=learned.absent
            | absent_in(learned, wanted.outside(lost), replies)
            | {Absent("project", path) for path in lost},
            families=learned.families - below,
        )

    # -- what it asks of names that are lost, or did not fit

    async def _is_renamed(self, known: Catalog | None) -> bool:
        """Whether the group has another path now, which is used from now on."""
        if known is None or not known.group_id:
            return False
        try:
            raw = await self._runner.transport.get(f"/api/v4/groups/{known.group_id.rpartition('/')[2]}")
            path = clean_text.line(msgspec.json.decode(raw, type=_GroupPath).full_path)
        except (GlboardError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False  # it is gone, or REST is blocked
        before, self.group = self.group, path
        return path != before

    async def _look_for_lost(self, known: Catalog, replies: Replies) -> None:
        """Ask by id for labels of the group that are no longer found by title: they may have another."""
        lost = lost_labels(known, replies)
        jobs = [partial(self._label, known.group_id, one) for one in lost[:MOST_LOST]]
        for one in await side_by_side(jobs, PARALLEL):
            if one is not None:
                asked = NamedField(of="group", by="label by id", value=one.title, path=self.group)
                replies.rows.append((asked, Page(nodes=[one])))

    async def _label(self, group: str, label: Label) -> WireLabel | None:
        path = f"/api/v4/groups/{group.rpartition('/')[2]}/labels/{label.id.rpartition('/')[2]}"
        try:
            found = msgspec.json.decode(await self._runner.transport.get(path), type=_RestLabel)
        except (GlboardError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # deleted, or REST is blocked: then a card tells
        return WireLabel(found.name, label.id, found.color, found.description)

    async def _follow(self, names: CatalogNames, replies: Replies) -> None:
        """Ask for what did not fit: milestones of a busy time, and labels of a very large family."""
        more: list[NamedField] = []
        for asked, page in replies.of("family"):
            if page.page_info.has_next_page:
                seen = {label.title for label in page.items()}
                under = (title for title in names.labels if title.startswith(str(asked.value)))
                more += [structs.replace(asked, by="label", value=t) for t in sorted(under) if t not in seen]
        if more:
            replies.rows += (await self._ask(more)).rows
        days = [(names.since, names.until)] if is_cut(replies.rows) else []
        for _ in range(MOST_HALVES):
            if not days:
                break
            halves = [half for one in days for half in halves_of(*one)]
            found = await self._ask([self._dated(half) for half in halves])
            replies.rows += found.rows
            parts = zip(halves, found.rows, strict=True)
            days = [half for half, row in parts if is_cut([row])]

    def _dated(self, days: tuple[date, date]) -> NamedField:
        return NamedField(of="group", by="dated", value=days_between(*days), path=self.group)

    # -- asking

    async def _ask(self, asked: Sequence[NamedField], *, about: bool = False) -> Replies:
        """Ask for all of it, in as few documents as are allowed, at once."""
        documents = packed(asked, self.group, MOST_COMPLEXITY, about=about)
        replies = Replies()
        jobs = [
            partial(self._document, part, replies, about=about and not n) for n, part in enumerate(documents)
        ]
        found = await side_by_side(jobs, PARALLEL)
        replies.rows = [row for rows in found for row in rows]
        return replies

    async def _document(
        self, asked: Sequence[NamedField], replies: Replies, *, about: bool
    ) -> list[tuple[NamedField, Page[Any]]]:
        _, variables = name_queries.names(asked, NEWEST, self.group, about=about)

        def document(dialect: Dialect) -> str:
            return name_queries.names(asked, dialect, self.group, about=about)[0]

        try:
            answer = await self._runner.ask_in_dialect(
                document, variables, dict[str, msgspec.Raw], assumed=NEWEST
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
        replies: Replies,
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
            page = self._runner.part(field, page_of(one)) if field is not None else None
            rows.append((one, page or Page()))
        return rows

    async def _projects(self, paths: Sequence[str]) -> list[Project]:
        async def read(part: Sequence[str]) -> list[Project]:
            variables = {"paths": list(part), "first": len(part)}
            answer = await self._runner.ask_in_dialect(name_queries.projects, variables, ProjectsAnswer)
            return [project_of(one) for one in (answer.projects or Page[WirePlace]()).items()]

        jobs = [partial(read, part) for part in chunks(paths, name_queries.PROJECTS_EACH)]
        return [project for part in await side_by_side(jobs, PARALLEL) for project in part]

    async def _kinds(self) -> tuple[str, ...]:
        """The ids of the types that boards show; empty where they are asked for by name."""
        answer = await self._runner.ask_in_dialect(
            name_queries.kinds, {"group": self.group}, OfGroup[WirePlace]
        )
        found = (answer.group and answer.group.work_item_types) or Page[WireKind]()
        return tuple(kind.id for kind in found.items() if kind.on_boards)

    async def _unanswered(self, replies: Replies) -> GlboardError:
        """Why GitLab answered null to who we are, to its version or to the group."""
        host, about = self._runner.host, replies.about
        if (await own_token(self._runner.transport)).fine_grained:
            lacks = "User: Read" if about.current_user is None else "Group: Read"
            lacks = "Metadata: Read" if about.metadata is None else lacks
            return fine_grained(host, f"it seems to lack the permission {lacks}.")
        server_of(about, host)
        answer = await self._runner.ask(
            name_queries.INSTEAD, {"path": self.group, "names": [self.group]}, _InsteadAnswer
        )
        if answer.project is not None:
            above = answer.project.group
            return GroupNotFound(
                f"“{clean_text.line(answer.project.full_path)}” is a project, not a group.",
                hint=f"Use its group: {clean_text.line(above.full_path)}."
                if above is not None
                else "It belongs to a user; glboard needs a group.",
            )
        if answer.users is not None and answer.users.items():
            return GroupNotFound(
                f"“{self.group}” is a user, not a group.",
                hint="Use the full path of a group, such as company/team.",
            )
        near = get_close_matches(self.group.casefold(), answer.groups, 3)
        missing = group_missing(self.group, host)
        return GroupNotFound(missing.message, hint=f"Similar: {', '.join(near)}.") if near else missing


def _worth_keeping(known: Catalog | None) -> Catalog | None:
    """What is known, unless that is so much that asking about all of it would be no cheaper than before."""
    if known is None or max(len(known.labels), len(known.milestones), len(known.people)) <= MOST_KNOWN:
        return known
    return structs.replace(known, labels=(), milestones=(), people=(), projects=(), absent=frozenset())


def _more(asked: NamedField, page: Page[Any], own: Collection[str]) -> bool:
    """Whether there are labels with that prefix other than the group's ``own`` ids."""
    prefix = str(asked.value)
    found = (wire.id for wire in page.items() if clean_text.line(wire.title).startswith(prefix))
    return page.page_info.has_next_page or any(identity not in own for identity in found)
