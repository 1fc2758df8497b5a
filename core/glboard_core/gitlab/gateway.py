"""The gateway: ``ports.Gateway`` for a real GitLab server.

Owns the connection and the order of requests; queries and mutations are written elsewhere. It must not cache
issues: the mirror does. One gateway serves one group and is used by many tasks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from glboard_core.board.operations import Op, OpId
from glboard_core.errors import AuthError, EditForbidden, NotGitLab, QueryRefused, ScopeMissing, TokenRejected
from glboard_core.gitlab import decode, queries
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.catalog import CatalogReader
from glboard_core.gitlab.decode import (
    Decoder,
    OfGroup,
    OfIssue,
    OfProject,
    Page,
    WireIssue,
    WireNote,
    WirePlaced,
    WirePromotion,
    WithIssues,
)
from glboard_core.gitlab.graphql import QueryRunner, chunks, group_missing, side_by_side
from glboard_core.gitlab.http import Limits, Transport
from glboard_core.gitlab.http_errors import not_json
from glboard_core.gitlab.send import Sender
from glboard_core.model.catalog import Catalog, Server
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Blocker, Issue, IssueDetail, IssueId, Note, Reference
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway, Outcome, Placed

T = TypeVar("T")

#: Concurrent queries.
PARALLEL = 4
#: Of an issue with more notes than this, the newest are missing: a board need not show them all.
MOST_NOTES = 1_000

_CLOCKS_DIFFER = timedelta(minutes=5)

_SORTS = {"rank": "RELATIVE_POSITION_ASC", "updated": "UPDATED_DESC"}


class GitLabGateway(Gateway):
    """GitLab, as the engine sees it. Connects on the first request; close it, or use ``async with``."""

    def __init__(
        self, account: Account, group: str, *, server: Server | None = None, limits: Limits | None = None
    ) -> None:
        """``server`` comes from a stored catalog, which saves a request; ``limits`` are for tests."""
        self.account = account
        self.group = group
        self._transport = Transport(account, limits)
        self._runner = QueryRunner(self._transport, server)
        self._decoder = Decoder()
        self._catalog_reader = CatalogReader(self._runner, group)
        self._sender = Sender(self._runner, self._decoder)
        #: A catalog that was read ahead of the next call of ``catalog``.
        self._ahead: Catalog | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def remaining(self) -> float | None:
        return self._transport.remaining

    def expect_offset(self, offset: timedelta) -> None:
        """Take the server's clock to be this machine's plus ``offset`` until its first answer."""
        self._transport.expected_offset = offset

    def now(self) -> datetime:
        return self._transport.now()

    async def close(self) -> None:
        await self._transport.close()

    # -- what the server offers

    async def catalog(self) -> Catalog:
        ahead, self._ahead = self._ahead, None
        return ahead or await self._catalog_reader.catalog()

    async def sign_in(self) -> Catalog:
        """Read the catalog to learn who the user is; the next call of ``catalog`` returns it."""
        self._ahead = await self.catalog()
        return self._ahead

    async def extend_catalog(self, catalog: Catalog, projects: Iterable[str]) -> Catalog:
        return await self._catalog_reader.extended(catalog, projects)

    # -- issues

    async def pages(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        variables = {"group": self.group, "sort": _SORTS[query.order], **_filters(query)}
        seen: set[IssueId] = set()
        kind = OfGroup[WithIssues[WireIssue]]
        async for page in self._runner.pages(queries.issues, variables, kind, self._page_of):
            yield decode.unique(map(self._decoder.issue, page), seen)

    def _in_group(self, answer: OfGroup[T]) -> T:
        if answer.group is None:
            raise group_missing(self.group, self.account.host)
        return answer.group

    def _page_of(self, answer: OfGroup[WithIssues[T]]) -> Page[T]:
        return self._in_group(answer).issues or Page()

    async def count(self, asked: Sequence[IssueQuery]) -> int:
        variables: dict[str, object] = {"group": self.group}
        for n, query in enumerate(asked):
            variables |= {f"{name}{n}": value for name, value in _filters(query).items()}
        document = queries.counts(len(asked))
        answer = await self._runner.ask(document, variables, OfGroup[dict[str, decode.Count | None]])
        found = self._in_group(answer)
        self._all_there((f"q{n}" for n in range(len(asked))), found)
        return sum(one.count for one in found.values() if one is not None)

    async def placements(self, labels: tuple[str, ...]) -> AsyncIterator[list[Placed]]:
        variables = {"group": self.group, "labels": list(labels) or None}
        seen: set[IssueId] = set()
        kind = OfGroup[WithIssues[WirePlaced]]
        async for page in self._runner.pages(queries.PLACEMENTS, variables, kind, self._page_of):
            yield decode.unique(map(decode.placed, page), seen)

    async def read(self, issues: Sequence[IssueId]) -> Mapping[IssueId, Issue]:
        wanted = [identity for identity in dict.fromkeys(issues) if not identity.startswith("new:")]
        parts = chunks(wanted, queries.READ_EACH)
        found = await side_by_side([partial(self._read, part) for part in parts], PARALLEL)
        return {issue.id: issue for part in found for issue in part}

    async def _read(self, part: Sequence[IssueId]) -> list[Issue]:
        variables = {f"i{n}": identity for n, identity in enumerate(part)}
        answer = await self._runner.ask_in_dialect(
            lambda dialect: queries.read(dialect, len(part)), variables, dict[str, WireIssue | None]
        )
        self._all_there(variables, answer)
        return [self._decoder.issue(wire) for wire in answer.values() if wire is not None]

    def _all_there(self, asked: Iterable[str], answer: Mapping[str, object]) -> None:
        if not set(asked) <= set(answer):
            raise not_json(self.account.host)

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        by_project: dict[str, list[str]] = {}
        for one in dict.fromkeys(references):
            by_project.setdefault(one.project, []).append(str(one.iid))
        asked = [
            (path, part) for path, iids in by_project.items() for part in chunks(iids, queries.FIND_IIDS)
        ]
        parts = chunks(asked, queries.FIND_PROJECTS)
        found = await side_by_side([partial(self._find, part) for part in parts], PARALLEL)
        issues = {(issue.project.casefold(), issue.iid): issue for part in found for issue in part}
        named = ((one, issues.get((one.project.casefold(), one.iid))) for one in references)
        return {one: issue for one, issue in named if issue is not None}

    async def _find(self, part: Sequence[tuple[str, Sequence[str]]]) -> list[Issue]:
        variables: dict[str, object] = {}
        for n, (path, iids) in enumerate(part):
            variables[f"p{n}"], variables[f"n{n}"] = path, iids
        answer = await self._runner.ask_in_dialect(
            lambda dialect: queries.find(dialect, len(part)),
            variables,
            dict[str, WithIssues[WireIssue] | None],
        )
        self._all_there((name for name in variables if name.startswith("p")), answer)
        pages = [project.issues for project in answer.values() if project and project.issues]
        return [self._decoder.issue(wire) for page in pages for wire in page.items()]

    async def promoted(self, issues: Sequence[IssueId]) -> frozenset[IssueId]:
        if not (await self._runner.dialect()).status:
            return frozenset()
        parts = chunks(list(dict.fromkeys(issues)), queries.PROMOTED_EACH)
        try:
            found = await side_by_side([partial(self._promoted, part) for part in parts], PARALLEL)
        except QueryRefused:
            return frozenset()  # a version that lacks it, or a token that may not read it
        return frozenset(issue for part in found for issue in part)

    async def _promoted(self, part: Sequence[IssueId]) -> list[IssueId]:
        numbers = (issue.rpartition("/")[2] for issue in part)
        variables = {f"w{n}": f"gid://gitlab/WorkItem/{number}" for n, number in enumerate(numbers)}
        answer = await self._runner.ask(
            queries.promoted(len(part)), variables, dict[str, WirePromotion | None]
        )
        rows = ((issue, answer.get(f"w{n}")) for n, issue in enumerate(part))
        return [issue for issue, row in rows if row is not None and row.promoted_to_epic_url]

    async def note_of(self, issue: IssueId, op: OpId) -> str | None:
        async for note in self._last_notes(issue):
            if note.op == op:
                return note.id
        return None

    async def marked_note(self, issue: IssueId, mark: str, author: str) -> Note | None:
        async for note in self._last_notes(issue):
            if decode.same_mark(mark, note.mark) and note.author.casefold() == author.casefold():
                return note
        return None

    async def _last_notes(self, issue: IssueId) -> AsyncIterator[Note]:
        """Comments, newest first, up to a limit."""
        before: str | None = None
        for _ in range(MOST_NOTES // queries.PAGE):
            variables = {"id": issue, "last": queries.PAGE, "before": before}
            answer = await self._runner.ask(queries.LAST_NOTES, variables, OfIssue)
            page = (answer.issue and answer.issue.notes) or Page[WireNote]()
            for row in reversed(page.items()):
                yield decode.note(row)
            before = page.page_info.start_cursor
            if not page.page_info.has_previous_page or before is None:
                break

    async def events(
        self, issues: Sequence[Issue], kinds: Iterable[EventKind]
    ) -> Mapping[IssueId, Sequence[Event]]:
        from glboard_core.gitlab.events import EventReader  # rarely needed: keep it out of the start

        try:
            read = await EventReader(self._transport).histories(issues, kinds)
        except (TokenRejected, ScopeMissing):
            raise
        except (AuthError, NotGitLab):
            return {}  # no access, or a proxy blocks REST
        return {issue: history.events for issue, history in read.histories.items()}

    async def created_by(self, op: Op) -> Issue | None:
        if not op.change.creates:
            return None
        # The Op's time is the server's, in whole seconds, and the clocks in a cluster differ a little.
        variables = {"path": op.change.project_of(None), "created": op.at - _CLOCKS_DIFFER}
        pages = self._runner.pages(
            queries.recent,
            variables,
            OfProject,
            lambda answer: (answer.project and answer.project.issues) or Page[WireIssue](),
        )
        async for page in pages:
            for wire in page:
                if decode.split_marker(decode.clean_body(wire.description or ""))[1] == op.id:
                    return self._decoder.issue(wire)
        return None

    async def detail(self, issue: IssueId) -> IssueDetail:
        description: str | None = None
        blockers: tuple[Blocker, ...] = ()
        notes: list[Note] = []

        def pick(answer: OfIssue) -> Page[WireNote]:
            nonlocal description, blockers
            if answer.issue is None:
                raise EditForbidden("Issue not found, or you no longer have access.")
            description = answer.issue.description
            blockers = tuple(map(decode.blocker, (answer.issue.blocked_by_issues or Page()).items()))
            return answer.issue.notes or Page()

        pages = self._runner.pages(queries.detail, {"id": issue}, OfIssue, pick)
        async for page in pages:
            notes += map(decode.note, page)
            if len(notes) >= MOST_NOTES:
                break
        body, op = decode.split_marker(decode.clean_body(description or ""))
        return IssueDetail(id=issue, description=body, notes=tuple(notes), op=op, blockers=blockers)

    # -- changes

    async def send(
        self, ops: Sequence[Op], shown: Mapping[IssueId, Issue], catalog: Catalog
    ) -> list[Outcome]:
        return await self._sender.send(ops, shown, catalog)


def _filters(query: IssueQuery) -> dict[str, object]:
    filters: dict[str, object] = {
        "labels": list(query.labels) or None,
        "milestone": [query.milestone] if query.milestone else None,
        "wild": "NONE" if query.milestone == "" else None,
        "state": query.state,
        "updatedAfter": query.updated_after,
        "closedAfter": query.closed_after,
    }
    absent = {"labelName": list(query.without), "milestoneTitle": list(query.without_milestones)}
    if any(absent.values()):
        filters["not"] = {name: titles for name, titles in absent.items() if titles}
    return filters
