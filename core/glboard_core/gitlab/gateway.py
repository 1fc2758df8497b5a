"""The gateway: ``ports.Gateway`` for a real GitLab server.

Owns the connection and the order of requests; queries and mutations are written elsewhere. It must not cache
issues: the mirror does. One gateway serves one group and is used by many tasks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from types import TracebackType
from typing import Self, TypeVar

from glboard_core.board.operations import Op, OpId
from glboard_core.errors import AuthError, EditForbidden, NotGitLab, QueryRefused, ScopeMissing, TokenRejected
from glboard_core.gitlab import decode, markers, queries
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.answer_errors import not_json
from glboard_core.gitlab.answers import last_request
from glboard_core.gitlab.catalog import CatalogReader
from glboard_core.gitlab.decode import Decoder, WireIssue
from glboard_core.gitlab.dialect import PAGE
from glboard_core.gitlab.graphql import QueryRunner, chunks, group_missing, side_by_side
from glboard_core.gitlab.http import Limits, Transport
from glboard_core.gitlab.reading import PARALLEL, IssueReader
from glboard_core.gitlab.search import CatalogSearch
from glboard_core.gitlab.send import Report, Sender
from glboard_core.gitlab.wire import (
    IssueCount,
    OfGroup,
    OfIssue,
    Page,
    User,
    WireCommented,
    WireLabel,
    WireLink,
    WireMilestone,
    WireNote,
    WirePromotion,
    WithIssues,
)
from glboard_core.model import clean_text
from glboard_core.model.catalog import Catalog, Label, Person, Project, Server
from glboard_core.model.catalog_needs import CatalogNames, Needs
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue, IssueDetail, IssueId, LinkedIssue, Note, Reference
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found, IssueQuery
from glboard_core.ports import Gateway, LiveEvents, Outcome
from glboard_core.purpose import Purpose

T = TypeVar("T")

#: If an issue has more notes, the oldest are not loaded.
MOST_NOTES = 1_000

#: A catalog read ahead is used, unless it turned out that the server's clock is another month's.
SAME_DAYS = timedelta(days=30)

_SORTS = {"rank": "RELATIVE_POSITION_ASC", "updated": "UPDATED_DESC", "created": "CREATED_DESC"}

#: The colour of a label that is created from a question: GitLab wants one.
_NEW_LABEL = "#6e7681"


class GitLabGateway(Gateway):
    """GitLab, as the engine sees it. Connects on the first request; close it, or use ``async with``."""

    def __init__(
        self, account: Account, group: str, *, server: Server | None = None, limits: Limits | None = None
    ) -> None:
        """``server`` comes from a stored catalog, which saves a request; ``limits`` are for tests."""
        self.account = account
        self._transport = Transport(account, limits)
        self._runner = QueryRunner(self._transport, server)
        self._decoder = Decoder()
        self._catalog_reader = CatalogReader(self._runner, group)
        self._search = CatalogSearch(self._runner, group)
        self._reader = IssueReader(self._runner, self._decoder)
        self._sender = Sender(self._runner, self._decoder, self._reader, self._catalog_reader.extended)
        #: A catalog that was read ahead of the next call of ``catalog``.
        self._ahead: tuple[CatalogNames, Catalog] | None = None
        self._user: Person | None = None
        self._licence_changed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def remaining(self) -> float | None:
        return self._transport.remaining

    @property
    def requests(self) -> Mapping[Purpose, int]:
        return self._transport.pace.last_hour

    @property
    def last_request(self) -> str:
        return last_request()

    def tell_left_out(self, tell: Callable[[str], None]) -> None:
        self._runner.tell = tell

    def expect_offset(self, offset: timedelta) -> None:
        """Take the server's clock to be this machine's plus ``offset`` until its first answer."""
        self._transport.expected_offset = offset

    def now(self) -> datetime:
        return self._transport.now()

    @property
    def knows_time(self) -> bool:
        return self._transport.knows_time

    async def close(self) -> None:
        await self._transport.close()

    @property
    def transport(self) -> Transport:
        """The connection, for other requests to the same server."""
        return self._transport

    # -- what the server offers

    @property
    def user(self) -> Person | None:
        return self._reader.user or self._user

    @property
    def licence_changed(self) -> bool:
        return self._licence_changed

    @property
    def token_mark(self) -> str:
        account = self.account
        # A renewed token differs every two hours, but has the same permissions.
        token = f"{account.kind} {account.user}" if account.tokens is not None else account.token.reveal()
        return sha256(f"{account.url} {token}".encode()).hexdigest()[:8]

    def expect(self, server: Server) -> None:
        self._runner.learn(server)

    @property
    def group(self) -> str:
        """The group's full path; another one once it was found to be renamed."""
        return self._catalog_reader.group

    def prefer_titles(self) -> None:
        self._sender.prefers_titles = True

    def expect_group(self, path: str) -> None:
        self._catalog_reader.group = self._search.group = path

    async def catalog(self, names: CatalogNames, known: Catalog | None = None) -> Catalog:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and abs(ahead[0].since - names.since) < SAME_DAYS:
            return ahead[1]
        if known is None or not known.labels:
            self._decoder.seen.forget()
        read = await self._catalog_reader.catalog(names, known)
        self.expect_group(self._catalog_reader.group)
        self._licence_changed = False
        self._user = read.me
        return read

    async def sign_in(self, names: CatalogNames) -> Catalog:
        """Read the catalog to learn who the user is; the next call of ``catalog`` returns it."""
        catalog = await self.catalog(names)
        self._ahead = names, catalog
        return catalog

    async def extend_catalog(self, catalog: Catalog, needs: Needs) -> Catalog:
        return await self._catalog_reader.extended(catalog, needs)

    def learned(self, catalog: Catalog, wanted: Callable[[IssueId], bool]) -> Catalog:
        labels: list[Label] = []
        milestones: list[Milestone] = []
        people: list[Person] = []
        for project, wire in self._decoder.seen.take(wanted):
            match wire:
                case WireLabel():
                    labels.append(decode.label(wire, project))
                case WireMilestone():
                    owner = decode.milestone_owner(wire, catalog.group)
                    milestones.append(decode.milestone(wire, owner))
                case User():
                    people.append(decode.person(wire))
        for one in self._sender.relearned:
            labels += [one] if isinstance(one, Label) else []
            milestones += [one] if isinstance(one, Milestone) else []
            people += [one] if isinstance(one, Person) else []
        self._sender.relearned.clear()
        return catalog.learn(labels=labels, milestones=milestones, people=people)

    async def search_labels(self, text: str, projects: Collection[str]) -> Found[Label]:
        return await self._search.labels(text, projects)

    async def search_milestones(self, text: str, projects: Collection[str]) -> Found[Milestone]:
        return await self._search.milestones(text, projects)

    async def search_people(self, text: str, project: str | None) -> Found[Person]:
        return await self._search.people(text, project)

    async def search_projects(self, text: str) -> Found[Project]:
        return await self._search.projects(text)

    async def search_issues(self, text: str) -> Found[LinkedIssue]:
        return await self._search.issues(text)

    # -- issues

    async def pages(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        variables = self._sorted(query)
        seen: set[IssueId] = set()
        kind = OfGroup[WithIssues[WireIssue]]
        async for page in self._runner.pages(queries.issues, variables, kind, self._page_of):
            yield decode.unique(await self._reader.decoded(page), seen)

    async def page(self, query: IssueQuery, after: str | None) -> tuple[list[Issue], str | None]:
        kind = OfGroup[WithIssues[WireIssue]]
        variables = {**self._sorted(query), "after": after}
        page = await self._runner.page(queries.issues, variables, kind, self._page_of)
        further = page.page_info.end_cursor if page.page_info.has_next_page else None
        # A repeated cursor would loop forever.
        return await self._reader.decoded(page.items()), further if further != after else None

    def _sorted(self, query: IssueQuery) -> dict[str, object]:
        kinds = list(self._runner.kinds) or None
        return {"group": self.group, "sort": _SORTS[query.order], "kinds": kinds, **_filters(query)}

    def _in_group(self, answer: OfGroup[T]) -> T:
        if answer.group is None:
            raise group_missing(self.group, self.account.host)
        return answer.group

    def _page_of(self, answer: OfGroup[WithIssues[T]]) -> Page[T]:
        group = self._in_group(answer)
        # A fine-grained token cannot read fields that need a license.
        if group.licensed not in (None, self._runner.licensed) and not self._runner.fine_grained:
            self._licence_changed = True
        return group.issues or Page()

    async def count(self, asked: Sequence[IssueQuery]) -> Sequence[int]:
        parts = chunks(asked, queries.COUNTS_EACH)
        found = await side_by_side([partial(self._count, part) for part in parts], PARALLEL)
        return [count for part in found for count in part]

    async def _count(self, asked: Sequence[IssueQuery]) -> list[int]:
        variables: dict[str, object] = {"group": self.group}
        for n, query in enumerate(asked):
            variables |= {f"{name}{n}": value for name, value in _filters(query).items()}
            variables[f"kinds{n}"] = list(self._runner.kinds) or None
        answer = await self._runner.ask_in_dialect(
            lambda dialect: queries.counts(dialect, len(asked)),
            variables,
            OfGroup[dict[str, IssueCount | None]],
        )
        found = self._in_group(answer)
        names = [f"q{n}" for n in range(len(asked))]
        if not set(names) <= set(found):
            raise not_json(self.account.host)
        return [one.count if (one := found[name]) is not None else 0 for name in names]

    async def read(
        self, issues: Sequence[IssueId], known: Mapping[IssueId, Issue] | None = None
    ) -> Mapping[IssueId, Issue]:
        return await self._reader.read(issues, known)

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        return await self._reader.find(references)

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

    async def merge_requests(
        self, issues: Sequence[Issue], *, approvals: bool = False
    ) -> Mapping[IssueId, Sequence[MergeRequest]]:
        from glboard_core.gitlab.closing import read_closing  # on demand: keep it out of the start

        return await read_closing(self._runner, issues, approvals=approvals)

    async def note_of(self, issue: IssueId, op: OpId) -> str | None:
        with self._runner.whole():
            async for note in self._last_notes(issue):
                if note.op == op:
                    return note.id
        return None

    async def commenters(self, issues: Mapping[IssueId, int]) -> Mapping[IssueId, Sequence[str]]:
        parts = chunks(list(issues), queries.COMMENTERS_EACH)
        found = await side_by_side([partial(self._commenters, part) for part in parts], PARALLEL)
        authors = {issue: names for part in found for issue, names in part.items()}
        return {issue: names[-issues[issue] :] for issue, names in authors.items()}

    async def _commenters(self, part: Sequence[IssueId]) -> dict[IssueId, list[str]]:
        variables = {f"i{n}": issue for n, issue in enumerate(part)}
        answer = await self._runner.ask(
            queries.commenters(len(part)), variables, dict[str, WireCommented | None]
        )
        rows = ((issue, answer.get(f"i{n}")) for n, issue in enumerate(part))
        return {issue: decode.authors(row) for issue, row in rows if row is not None}

    async def marked_note(self, issue: IssueId, mark: str, author: str) -> Note | None:
        with self._runner.whole():
            async for note in self._last_notes(issue):
                if markers.same_mark(mark, note.mark) and note.author.casefold() == author.casefold():
                    return note
        return None

    async def has_health(self, issue: IssueId) -> bool | None:
        from glboard_core.gitlab.health import has_health  # not before somebody sets one

        return await has_health(self._runner, issue)

    async def _last_notes(self, issue: IssueId) -> AsyncIterator[Note]:
        """Comments, newest first."""
        # Check all of them: a comment that is missed would be posted a second time.
        before: str | None = None
        while True:
            variables = {"id": issue, "last": PAGE, "before": before}
            answer = await self._runner.ask(queries.LAST_NOTES, variables, OfIssue)
            page = (answer.issue and answer.issue.notes) or Page[WireNote]()
            for row in reversed(page.items()):
                yield decode.note(row)
            further = page.page_info.start_cursor
            # A repeated cursor would loop forever.
            if not page.page_info.has_previous_page or further in (None, before):
                break
            before = further

    async def events(
        self, issues: Sequence[Issue], kinds: Iterable[EventKind]
    ) -> Mapping[IssueId, Sequence[Event]]:
        from glboard_core.gitlab.resource_events import EventReader  # rarely needed: keep it out of the start

        try:
            read = await EventReader(self._transport).histories(issues, kinds)
        except (TokenRejected, ScopeMissing):
            raise
        except (AuthError, NotGitLab):
            return {}  # no access, or a proxy blocks REST
        return {issue: history.events for issue, history in read.histories.items()}

    @asynccontextmanager
    async def live(self) -> AsyncIterator[LiveEvents]:
        from glboard_core.gitlab.cable import connected  # not before the board is shown

        async with connected(self._transport) as events:
            yield events

    async def created_by(self, op: Op) -> Issue | None:
        return await self._reader.created_by(op)

    async def detail(self, issue: IssueId) -> IssueDetail:
        description: str | None = None
        linked: Page[WireLink] | None = None
        notes: list[Note] = []

        def pick(answer: OfIssue) -> Page[WireNote]:
            nonlocal description, linked
            if answer.issue is None:
                raise EditForbidden("Issue not found, or you no longer have access.")
            description = answer.issue.description
            linked = answer.work_item.page() if answer.work_item is not None else linked
            return answer.issue.notes or Page()

        item = f"gid://gitlab/WorkItem/{issue.rpartition('/')[2]}"
        before: str | None = None
        while True:
            variables = {"id": issue, "item": item, "before": before, "whole": before is None}
            page = await self._runner.page(queries.detail, variables, OfIssue, pick)
            notes[:0] = map(decode.note, page.items())
            further = page.page_info.start_cursor
            older = page.page_info.has_previous_page and further not in (None, before)
            if not older or len(notes) >= MOST_NOTES:
                break
            before = further
        source, op = markers.split_marker(description or "")
        return IssueDetail(
            id=issue,
            description=clean_text.clean_body(source),
            source=source,
            notes=tuple(notes),
            older=older,
            op=op,
            links=await self._links(issue, linked),
        )

    async def _links(self, issue: IssueId, first: Page[WireLink] | None) -> tuple[LinkedIssue, ...]:
        """All issues linked to one, each once; ``first`` is their first page, if it came along."""
        from glboard_core.gitlab.linking import read_links  # with an open issue: keep it out of the start

        return await read_links(self._runner, issue, first)

    # -- changes

    async def send(
        self,
        ops: Sequence[Op],
        shown: Mapping[IssueId, Issue],
        catalog: Catalog,
        report: Report | None = None,
    ) -> list[Outcome]:
        return await self._sender.send(ops, shown, catalog, report)

    async def create_labels(self, titles: Sequence[str]) -> Sequence[Label]:
        from glboard_core.gitlab.admin import Admin  # rarely needed: keep it out of the start

        admin, made = Admin(self._transport), list[Label]()
        for title in titles:
            await admin.ensure_label(self.group, title, _NEW_LABEL, "")
            found = await self._search.labels(title, ())
            made += [label for label in found.items if label.title == title]
        return made

    async def create_board(self, name: str) -> str:
        from glboard_core.gitlab.admin import Admin  # rarely needed: keep it out of the start

        board = await Admin(self._transport).create_board(self.group, name)
        return f"gid://gitlab/Board/{board.id}"


def _filters(query: IssueQuery) -> dict[str, object]:
    filters: dict[str, object] = {
        "labels": list(query.labels) or None,
        "milestone": [query.milestone] if query.milestone else None,
        "wild": "NONE" if query.milestone == "" else None,
        "state": query.state,
        "updatedAfter": query.updated_after,
        "closedAfter": query.closed_after,
        "createdAfter": query.created_after,
        "createdBefore": query.created_before,
        "iids": list(query.iids) or None,
    }
    absent = {"labelName": list(query.without), "milestoneTitle": list(query.without_milestones)}
    if any(absent.values()):
        filters["not"] = {name: titles for name, titles in absent.items() if titles}
    return filters


def transport_of(gateway: Gateway) -> Transport:
    """The connection of a gateway, for what else is asked of its server: one limit holds for all."""
    if not isinstance(gateway, GitLabGateway):
        raise TypeError("only a gateway to GitLab has a connection")
    return gateway.transport
