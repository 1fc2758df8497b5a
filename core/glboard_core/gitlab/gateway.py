"""The gateway: ``ports.Gateway`` for a real GitLab server.

Owns the connection and the order of requests; queries and mutations are written elsewhere. It must not cache
issues: the mirror does. One gateway serves one group and is used by many tasks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self

from msgspec import Struct

from glboard_core.board.operations import Op, OpId
from glboard_core.errors import AuthError, EditForbidden, NotGitLab, ScopeMissing, TokenRejected
from glboard_core.gitlab import decode, queries
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.catalog import CatalogReader
from glboard_core.gitlab.decode import Decoder, Page, WireIssue, WireNote, WirePlaced
from glboard_core.gitlab.graphql import QueryRunner, group_missing, side_by_side
from glboard_core.gitlab.http import Budget, Limits, Transport
from glboard_core.gitlab.http_errors import not_json
from glboard_core.gitlab.queries import Dialect
from glboard_core.gitlab.send import Sender
from glboard_core.model.catalog import Catalog, Server
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Blocker, Issue, IssueDetail, IssueId, Note, Reference
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Outcome, Placed

#: Concurrent queries.
PARALLEL = 4
#: Of an issue with more notes than this, the newest are missing: a board need not show them all.
MOST_NOTES = 1_000

_CLOCKS_DIFFER = timedelta(minutes=5)

_SORTS = {"rank": "RELATIVE_POSITION_ASC", "updated": "UPDATED_DESC"}


# Requested fields have no default: an answer without them is not GitLab's, and treating it as "not found"
# would send a change twice.


class _Issues(Struct, frozen=True):
    issues: Page[WireIssue] | None


class _IssuesAnswer(Struct, frozen=True):
    group: _Issues | None


class _Count(Struct, frozen=True):
    count: int


class _CountsAnswer(Struct, frozen=True):
    group: dict[str, _Count | None] | None


class _Placements(Struct, frozen=True):
    issues: Page[WirePlaced] | None


class _PlacementsAnswer(Struct, frozen=True):
    group: _Placements | None


class _Project(Struct, frozen=True):
    issues: Page[WireIssue] | None


class _RecentAnswer(Struct, frozen=True):
    project: _Project | None


class _Detail(Struct, frozen=True, rename="camel"):
    id: str
    description: str | None = None
    notes: Page[WireNote] | None = None
    blocked_by_issues: Page[decode.WireBlocker] | None = None


class _DetailAnswer(Struct, frozen=True):
    issue: _Detail | None


class GitLabGateway:
    """GitLab, as the engine sees it. Connects on the first request; close it, or use ``async with``."""

    def __init__(
        self,
        account: Account,
        group: str,
        *,
        server: Server | None = None,
        limits: Limits | None = None,
    ) -> None:
        """``server`` comes from a stored catalog, which saves a request; ``limits`` are for tests."""
        self.account = account
        self.group = group
        self._transport = Transport(account, limits)
        self._asking = QueryRunner(self._transport, server)
        self._decoder = Decoder()
        self._meta = CatalogReader(self._asking, group)
        self._writer = Sender(self._asking, self._decoder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def budget(self) -> Budget | None:
        """The rate limit headers of GitLab's last answer, or None."""
        return self._transport.budget

    @property
    def remaining(self) -> float | None:
        """The share of the rate limit that is left, 0 to 1; None if the server reports none."""
        known = self._transport.budget
        if known is None or known.remaining is None or not known.limit:
            return None
        return min(1.0, max(0.0, known.remaining / known.limit))

    @property
    def paused(self) -> float:
        """The seconds until a rate limit ends; 0 without one."""
        return self._transport.paused

    def now(self) -> datetime:
        """The server's clock in UTC; this machine's before the first answer."""
        return self._transport.now()

    async def close(self) -> None:
        """Close connections."""
        await self._transport.close()

    # -- what the server offers

    async def catalog(self) -> Catalog:
        """Labels, milestones, people, projects, server and user. Raises GroupNotFound."""
        return await self._meta.catalog()

    async def extend_catalog(self, catalog: Catalog, projects: Iterable[str]) -> Catalog:
        """The catalog plus what these projects and the subgroups above them own."""
        return await self._meta.extended(catalog, projects)

    # -- issues

    async def pages(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        """The issues, page by page, each at most once. Also raises GroupNotFound."""
        variables = {"group": self.group, "sort": _SORTS[query.order], **_filters(query)}
        seen: set[IssueId] = set()
        async for page in self._asking.pages(queries.issues, variables, _IssuesAnswer, self._issues_of):
            yield decode.unique(map(self._decoder.issue, page), seen)

    def _issues_of(self, answer: _IssuesAnswer) -> Page[WireIssue]:
        if answer.group is None:
            raise group_missing(self.group, self.account.host)
        return answer.group.issues or Page()

    async def count(self, queries_: Sequence[IssueQuery]) -> int:
        """How many issues these queries find in total, in one request. Also raises GroupNotFound."""
        variables: dict[str, object] = {"group": self.group}
        for n, query in enumerate(queries_):
            variables |= {f"{name}{n}": value for name, value in _filters(query).items()}
        document = queries.counts(len(queries_))
        answer = await self._asking.ask(document, variables, _CountsAnswer)
        if answer.group is None:
            raise group_missing(self.group, self.account.host)
        self._all_there((f"q{n}" for n in range(len(queries_))), answer.group)
        return sum(found.count for found in answer.group.values() if found is not None)

    async def placements(self, labels: tuple[str, ...]) -> AsyncIterator[list[Placed]]:
        """All open issues with these labels as slim rows, in manual order."""
        variables = {"group": self.group, "labels": list(labels) or None}
        seen: set[IssueId] = set()
        async for page in self._asking.pages(
            queries.placements(), variables, _PlacementsAnswer, self._placements_of
        ):
            rows = [row for wire in page if (row := decode.placed(wire)).id not in seen]
            seen.update(row.id for row in rows)
            yield rows

    def _placements_of(self, answer: _PlacementsAnswer) -> Page[WirePlaced]:
        if answer.group is None:
            raise group_missing(self.group, self.account.host)
        return answer.group.issues or Page()

    async def read(self, issues: Sequence[IssueId]) -> Mapping[IssueId, Issue]:
        """These issues as they are now; deleted, hidden and not yet created ones are absent."""
        wanted = [identity for identity in dict.fromkeys(issues) if not identity.startswith("new:")]
        each = queries.READ_EACH
        parts = [wanted[at : at + each] for at in range(0, len(wanted), each)]
        found = await side_by_side([partial(self._read, part) for part in parts], PARALLEL)
        return {issue.id: issue for part in found for issue in part}

    async def _read(self, part: Sequence[IssueId]) -> list[Issue]:
        def build(dialect: Dialect) -> str:
            return queries.read(dialect, len(part))

        variables = {f"i{n}": identity for n, identity in enumerate(part)}
        answer = await self._asking.speak(build, variables, dict[str, WireIssue | None])
        self._all_there(variables, answer)
        return [self._decoder.issue(wire) for wire in answer.values() if wire is not None]

    def _all_there(self, asked: Iterable[str], answer: Mapping[str, object]) -> None:
        if not set(asked) <= set(answer):
            raise not_json(self.account.host)

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """The issues with these references; those that do not exist or are hidden are absent."""
        by_project: dict[str, list[str]] = {}
        for one in dict.fromkeys(references):
            by_project.setdefault(one.project, []).append(str(one.iid))
        each = queries.FIND_IIDS
        asked = [
            (path, iids[at : at + each])
            for path, iids in by_project.items()
            for at in range(0, len(iids), each)
        ]
        most = queries.FIND_PROJECTS
        parts = [asked[at : at + most] for at in range(0, len(asked), most)]
        found = await side_by_side([partial(self._find, part) for part in parts], PARALLEL)
        issues = {(issue.project.casefold(), issue.iid): issue for part in found for issue in part}
        named = ((one, issues.get((one.project.casefold(), one.iid))) for one in references)
        return {one: issue for one, issue in named if issue is not None}

    async def _find(self, part: Sequence[tuple[str, list[str]]]) -> list[Issue]:
        def build(dialect: Dialect) -> str:
            return queries.find(dialect, len(part))

        variables: dict[str, object] = {}
        for n, (path, iids) in enumerate(part):
            variables[f"p{n}"], variables[f"n{n}"] = path, iids
        answer = await self._asking.speak(build, variables, dict[str, _Project | None])
        self._all_there((name for name in variables if name.startswith("p")), answer)
        pages = [project.issues for project in answer.values() if project and project.issues]
        return [issue for page in pages for issue in self._decoder.issues(page)]

    async def note_of(self, issue: IssueId, op: OpId) -> str | None:
        """The id of the note that a Comment Op created, found by its marker, or None."""
        async for note in self._last_notes(issue):
            if note.op == op:
                return note.id
        return None

    async def marked_note(self, issue: IssueId, mark: str, author: str) -> Note | None:
        """The newest note by ``author`` with this mark, or None."""
        async for note in self._last_notes(issue):
            if decode.same_kind(mark, note.mark) and note.author.casefold() == author.casefold():
                return note
        return None

    async def _last_notes(self, issue: IssueId) -> AsyncIterator[Note]:
        """Comments, newest first, up to a limit."""
        before: str | None = None
        for _ in range(MOST_NOTES // queries.PAGE):
            variables = {"id": issue, "last": queries.PAGE, "before": before}
            answer = await self._asking.ask(queries.last_notes(), variables, _DetailAnswer)
            page = (answer.issue and answer.issue.notes) or Page[WireNote]()
            for row in reversed(page.items()):
                yield decode.note(row)
            before = page.page_info.start_cursor
            if not page.page_info.has_previous_page or before is None:
                break

    async def events(
        self, issues: Sequence[Issue], kinds: Iterable[EventKind]
    ) -> Mapping[IssueId, Sequence[Event]]:
        """The events of these issues, over REST; hidden ones are absent."""
        from glboard_core.gitlab.events import EventReader  # rarely needed: keep it out of the start

        try:
            read = await EventReader(self._transport).histories(issues, kinds)
        except (TokenRejected, ScopeMissing):
            raise
        except (AuthError, NotGitLab):
            return {}  # no access, or a proxy blocks REST
        return {issue: history.events for issue, history in read.histories.items()}

    async def created_by(self, op: Op) -> Issue | None:
        """The issue that a Create Op created, found by its marker, or None."""
        if not op.change.creates:
            return None
        # The Op's time is the server's, in whole seconds, and the clocks in a cluster differ a little.
        variables = {"path": op.change.project_of(None), "created": op.at - _CLOCKS_DIFFER}
        pages = self._asking.pages(
            queries.recent,
            variables,
            _RecentAnswer,
            lambda answer: (answer.project and answer.project.issues) or Page[WireIssue](),
        )
        async for page in pages:
            for wire in page:
                if decode.split_marker(decode.clean_body(wire.description or ""))[1] == op.id:
                    return self._decoder.issue(wire)
        return None

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description, blockers and notes. Raises EditForbidden if the issue is gone."""
        description: str | None = None
        blockers: tuple[Blocker, ...] = ()
        notes: list[Note] = []

        def pick(answer: _DetailAnswer) -> Page[WireNote]:
            nonlocal description, blockers
            if answer.issue is None:
                raise EditForbidden("Issue not found, or you no longer have access.")
            description = answer.issue.description
            blockers = tuple(map(decode.blocker, (answer.issue.blocked_by_issues or Page()).items()))
            return answer.issue.notes or Page()

        pages = self._asking.pages(queries.detail, {"id": issue}, _DetailAnswer, pick)
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
        """Send the changes; one outcome per Op, in the same order. See ``ports.Gateway.send``."""
        return await self._writer.send(ops, shown, catalog)


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
