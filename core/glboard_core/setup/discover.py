"""Reads what the set-up needs of a server: the groups to choose from, and what is in one of them.

Owns what is asked for, and in how many requests: three for a group of up to a hundred labels, and two or
three searches more for an organisation, whatever its size. It reads only, and judges nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from glboard_core.concurrency import together
from glboard_core.errors import GroupNotFound, QueryRefused, ServerFailed, TimedOut
from glboard_core.gitlab import decode
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.answers import MOST_ENTRIES, Address, Count, Name
from glboard_core.gitlab.dialect import NEWEST
from glboard_core.gitlab.graphql import About, FieldMissing, QueryRunner, chunks, group_missing, server_of
from glboard_core.gitlab.http import Limits, Transport
from glboard_core.gitlab.search import CatalogSearch
from glboard_core.gitlab.wire import Named, Page, Titled, WireLabel, WireMilestone
from glboard_core.model import clean_text
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found
from glboard_core.setup import documents
from glboard_core.setup.found import (
    FoundBoard,
    FoundGroup,
    FoundLabel,
    FoundList,
    GroupChoice,
    ListKind,
    Used,
)

#: A person waits, and trying again is theirs to decide.
LIMITS = Limits(connect=10.0, read=25.0, total=30.0, patience=30.0, attempts=2)
#: Days of dated milestones around today.
BEFORE, AFTER = timedelta(days=200), timedelta(days=370)

#: What is searched for where a group has more labels than are read at once: the start of scopes, and words.
LABEL_WORDS = (
    "group::", "team::", "squad::", "workflow::", "status::", "state::", "stage::", "type::", "kind::",
    "priority", "severity", "deliverable", "committed", "spike", "research", "ignore", "missed", "slipped",
    "won't", "wont", "invalid", "duplicate", "planning issue", "category:", "devops::", "section::", "bug",
    "feature", "enhancement", "maintenance", "chore", "to do", "doing", "in progress", "review", "ready",
    "blocked", "testing",
)  # fmt: skip
#: The same for milestones, of which a large organisation has thousands.
MILESTONE_WORDS = ("next", "later", "backlog", "future", "await", "wait", "hold", "some")
#: What one question may fail with, where the others tell enough.
_DISPENSABLE = (QueryRefused, ServerFailed, TimedOut)
#: Searches in one request.
_EACH = 16

_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_LISTS: dict[str, ListKind] = {
    "label": "label",
    "milestone": "milestone",
    "assignee": "assignee",
    "status": "status",
    "iteration": "iteration",
}


class _Place(Struct, frozen=True, rename="camel"):
    """A group, by path and name."""

    full_path: Address
    name: Name | None = None


class _InGroup(Struct, frozen=True, rename="camel"):
    """A project, and the group it is in; None for one of a user."""

    full_path: Address
    group: _Place | None = None


class _Mine(Struct, frozen=True):
    """The groups of the current user."""

    groups: Page[_Place] | None = None


class _Groups(Struct, frozen=True, rename="camel"):
    """Answer to ``documents.groups``."""

    groups: Page[_Place] | None = None
    current_user: _Mine | None = None
    projects: Page[_InGroup] | None = None
    group: _Place | None = None
    project: _InGroup | None = None


class _Content(Struct, frozen=True, rename="camel"):
    """A group with its labels and milestones."""

    full_path: Address
    name: Name | None = None
    labels: Page[WireLabel] | None = None
    dated: Page[WireMilestone] | None = None
    active: Page[WireMilestone] | None = None


class _Statuses(Struct, frozen=True):
    """The statuses of a group."""

    statuses: Page[Named] | None = None


class _Group(About, frozen=True, rename="camel"):
    """Answer to ``documents.group``."""

    group: _Content | None = None
    root: _Statuses | None = None


class _User(Struct, frozen=True):
    """Whoever a board or list is for."""

    username: Name


class _List(Struct, frozen=True, rename="camel"):
    """A list of a board."""

    title: Name
    list_type: Name
    label: Titled | None = None
    milestone: Titled | None = None
    assignee: _User | None = None
    max_issue_count: Count | None = None
    max_issue_weight: Count | None = None


class _Board(Struct, frozen=True):
    """A board."""

    name: Name | None = None
    lists: Page[_List] | None = None
    milestone: Titled | None = None
    labels: Page[Titled] | None = None
    assignee: _User | None = None
    weight: int | None = None
    iteration: dict[str, Any] | None = None


class _Boards(Struct, frozen=True):
    """The boards of a group."""

    boards: Page[_Board] | None = None


class _Issue(Struct, frozen=True):
    """What an issue uses."""

    labels: Page[WireLabel] | None = None
    status: Named | None = None


class _Issues(Struct, frozen=True):
    """The issues that are counted."""

    recent: Page[_Issue] | None = None
    assigned: Page[_Issue] | None = None
    written: Page[_Issue] | None = None


class _BoardsAnswer(Struct, frozen=True):
    """Answer to ``documents.boards``."""

    group: _Boards | None = None


class _UsedAnswer(Struct, frozen=True):
    """Answer to ``documents.used``."""

    group: _Issues | None = None


class _SearchesAnswer(Struct, frozen=True):
    """Answer to ``documents.searches``: each search under its own name."""

    group: Annotated[dict[str, msgspec.Raw], Meta(max_length=MOST_ENTRIES)] | None = None


class Discovery:
    """Asks one server as one user. Use it as a context manager: it owns its connection.

    All methods raise AuthError, ConnectionFailed and QueryRefused.
    """

    def __init__(self, account: Account, limits: Limits = LIMITS) -> None:
        self.account = account
        self._transport = Transport(account, limits)
        self._runner = QueryRunner(self._transport)

    async def __aenter__(self) -> Discovery:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._transport.close()

    @property
    def requests(self) -> int:
        """How many requests there were so far."""
        return sum(self._transport.pace.last_hour.values())

    # -- groups

    async def groups(self, text: str = "") -> Found[GroupChoice]:
        """The groups we are a member of whose name has ``text``; of a project's path or name, its group."""
        text = text.strip().strip("/")[:255]
        path = bool(text) and _PATH.fullmatch(text) is not None
        variables = {"text": text, "path": text if path else None}
        dialect = await self._runner.dialect()
        try:
            answer = await self._runner.ask(documents.groups(dialect, path=path), variables, _Groups)
        except FieldMissing:
            older = structs.replace(dialect, modern=False)
            answer = await self._runner.ask(documents.groups(older, path=path), variables, _Groups)
        own = (answer.current_user and answer.current_user.groups) or Page()
        mine = answer.groups or Page()
        through = [
            *([answer.project] if answer.project is not None else []),
            *(answer.projects.items() if answer.projects and text else ()),
        ]
        found: dict[str, GroupChoice] = {}
        for place in [*([answer.group] if answer.group is not None else []), *own.items(), *mine.items()]:
            found.setdefault(place.full_path, _choice(place))
        for project in through:
            if project.group is not None:
                found.setdefault(project.group.full_path, _choice(project.group, project.full_path))
        more = own.page_info.has_next_page or mine.page_info.has_next_page
        return Found(tuple(found.values()), more)

    # -- one group

    async def group_at(self, path: str) -> FoundGroup:
        """What the group at a path has; of a project's path, the group that it is in.

        Raises GroupNotFound as well.
        """
        try:
            return await self.group(path)
        except GroupNotFound:
            wanted = path.casefold()
            for one in (await self.groups(path)).items:
                if one.project.casefold() == wanted:
                    return await self.group(one.path)
            raise

    async def group(self, path: str) -> FoundGroup:
        """What a group has. Raises GroupNotFound as well."""
        today = self._transport.now().date()
        days = {"start": (today - BEFORE).isoformat(), "end": (today + AFTER).isoformat()}
        variables = {"group": path, "root": path.partition("/")[0], "days": days}
        answer = await self._runner.ask_in_dialect(documents.group, variables, _Group, assumed=NEWEST)
        server = server_of(answer, self.account.host)
        self._runner.learn(server)
        if answer.group is None or answer.current_user is None:
            raise group_missing(path, self.account.host)
        content, me = answer.group, answer.current_user
        labels, active = content.labels or Page(), content.active or Page()
        async with together() as tasks:
            boards = tasks.create_task(self._boards(path))
            used = tasks.create_task(self._used(path, me.username))
            searched = tasks.create_task(
                self._searched(path, labels.page_info.has_next_page, active.page_info.has_next_page)
            )
        recent, mine, on_issues = used.result()
        more_labels, more_milestones = searched.result()
        statuses = answer.root.statuses if answer.root is not None else None
        licensed = server.enterprise and (statuses is not None or server.release < (18, 5))
        return FoundGroup(
            url=self.account.url,
            path=clean_text.line(content.full_path),
            name=clean_text.line(content.name or ""),
            username=clean_text.line(me.username),
            server=structs.replace(server, has_weight=licensed),
            labels=_labels([*labels.items(), *more_labels, *on_issues]),
            whole=not labels.page_info.has_next_page,
            milestones=self._milestones(
                path, [*(content.dated or Page[WireMilestone]()).items(), *active.items(), *more_milestones]
            ),
            boards=boards.result(),
            statuses=tuple(clean_text.line(one.name) for one in (statuses or Page()).items() if one.name),
            recent=recent,
            mine=mine,
        )

    async def labels(self, path: str, text: str) -> Found[FoundLabel]:
        """The labels of a group whose title contains the text."""
        found = await CatalogSearch(self._runner, path).labels(text, ())
        rows = tuple(FoundLabel(one.title, one.color, one.description) for one in found.items)
        return Found(rows, found.more)

    async def milestones(self, path: str, text: str) -> Found[Milestone]:
        """The active milestones of a group whose title contains the text."""
        return await CatalogSearch(self._runner, path).milestones(text, ())

    async def _boards(self, path: str) -> tuple[FoundBoard, ...]:
        try:
            return await found_boards(self._runner, path)
        except _DISPENSABLE:
            return ()  # boards are an offer: the rest is as useful without

    async def _used(self, path: str, me: str) -> tuple[Used, Used, list[WireLabel]]:
        """What the latest issues use, and our own; and the labels of groups among it."""
        variables = {"group": path, "me": me, "names": [me]}
        try:
            answer = await self._runner.ask_in_dialect(documents.used, variables, _UsedAnswer, heavy=True)
        except _DISPENSABLE:
            return Used(), Used(), []  # in a very large group counting can take too long
        found = answer.group or _Issues()
        mine = [one for page in (found.assigned, found.written) if page for one in page.items()]
        recent = found.recent.items() if found.recent else []
        seen = [label for one in (*mine, *recent) for label in (one.labels or Page[WireLabel]()).items()]
        return _used(recent), _used(mine), [one for one in seen if "/GroupLabel/" in one.id]

    async def _searched(
        self, path: str, labels: bool, milestones: bool
    ) -> tuple[list[WireLabel], list[WireMilestone]]:
        """What was not on the first page, by the words that matter."""
        words = [
            *(("l", w) for w in LABEL_WORDS if labels),
            *(("m", w) for w in MILESTONE_WORDS if milestones),
        ]
        found_labels: list[WireLabel] = []
        found_milestones: list[WireMilestone] = []
        async with together() as tasks:
            asked = [tasks.create_task(self._search(path, part)) for part in chunks(words, _EACH)]
        for task in asked:
            for name, raw in task.result().items():
                if name.startswith("l"):
                    found_labels += (self._runner.part(raw, Page[WireLabel]) or Page()).items()
                elif name.startswith("m"):
                    found_milestones += (self._runner.part(raw, Page[WireMilestone]) or Page()).items()
        return found_labels, found_milestones

    async def _search(self, path: str, words: Sequence[tuple[str, str]]) -> dict[str, msgspec.Raw]:
        labels = [word for kind, word in words if kind == "l"]
        milestones = [word for kind, word in words if kind == "m"]
        variables: dict[str, object] = {"group": path}
        variables |= {f"l{n}": word for n, word in enumerate(labels)}
        variables |= {f"m{n}": word for n, word in enumerate(milestones)}
        build = partial(documents.searches, labels=len(labels), milestones=len(milestones))
        answer = await self._runner.ask_in_dialect(build, variables, _SearchesAnswer)
        return answer.group or {}

    def _milestones(self, path: str, found: Iterable[WireMilestone]) -> tuple[Milestone, ...]:
        rows = {one.id: decode.milestone(one, decode.milestone_owner(one, path)) for one in found}
        return tuple(rows.values())


def _choice(place: _Place, project: str = "") -> GroupChoice:
    return GroupChoice(
        path=clean_text.line(place.full_path),
        name=clean_text.line(place.name or ""),
        project=clean_text.line(project),
    )


def _labels(found: Collection[WireLabel]) -> tuple[FoundLabel, ...]:
    rows: dict[str, FoundLabel] = {}
    for one in found:
        label = decode.label(one, "")
        rows.setdefault(label.title, FoundLabel(label.title, label.color, label.description))
    return tuple(rows.values())


async def found_boards(runner: QueryRunner, path: str) -> tuple[FoundBoard, ...]:
    """The boards of a group with their lists and scope. Raises what the runner raises."""
    answer = await runner.ask_in_dialect(documents.boards, {"group": path}, _BoardsAnswer)
    page = (answer.group and answer.group.boards) or Page()
    return tuple(_board(one) for one in page.items() if one.name)


def _board(board: _Board) -> FoundBoard:
    lists = (board.lists or Page[_List]()).items()
    return FoundBoard(
        name=clean_text.line(board.name or ""),
        lists=tuple(_list(one) for one in lists if one.list_type not in ("backlog", "closed")),
        milestone=clean_text.line(board.milestone.title) if board.milestone else "",
        labels=tuple(clean_text.line(one.title) for one in (board.labels or Page[Titled]()).items()),
        assignee=board.assignee.username if board.assignee else "",
        weight=board.weight if board.weight is not None and board.weight >= 0 else None,
        more="an iteration" if board.iteration else "",
    )


def _list(one: _List) -> FoundList:
    kind = _LISTS.get(one.list_type.lower(), "other")
    target = {"label": one.label, "milestone": one.milestone}.get(kind)
    title = target.title if target is not None else one.assignee.username if one.assignee else one.title
    return FoundList(
        kind=kind,
        title=clean_text.line(title),
        most_issues=one.max_issue_count or 0,
        most_weight=one.max_issue_weight or 0,
    )


def _used(issues: Iterable[_Issue]) -> Used:
    labels: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    count = 0
    for one in issues:
        count += 1
        labels.update({clean_text.line(label.title) for label in (one.labels or Page[WireLabel]()).items()})
        if one.status is not None and one.status.name:
            statuses[clean_text.line(one.status.name)] += 1
    return Used(issues=count, labels=dict(labels), statuses=dict(statuses))
