"""The scope of the mirror, and its initial load: the visible board, then everything else.

Owns which columns of which boards are complete: until the scope was read once, no other counts may be shown.
``poller.py`` keeps the mirror up to date afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from msgspec import Struct, json, structs

from glboard_core.board.columns import CLOSED, UNLISTED, ColumnQuery
from glboard_core.board.definition import Board
from glboard_core.concurrency import together
from glboard_core.config import VERSION
from glboard_core.errors import GlboardError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import current, preceding, versions
from glboard_core.model.query import IssueQuery
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.ports import Gateway, Store
from glboard_core.purpose import requests_for
from glboard_core.sync.known_names import KnownNames
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.pinned import pinned_ids
from glboard_core.sync.status import MirrorAge, SyncStatus

#: Meta keys of the mirror's scope, and of the poll's cursor (missing: reload everything).
SCOPE, CURSOR = "scope", "cursor"


class Scope(Struct, frozen=True):
    """Which issues of the group the mirror has: those with its label, open or recently closed.

    ``labels`` an issue must have; closed issues belong from ``closed_after`` on (None: all of them). Besides
    it has those that are ``pinned``.
    """

    labels: tuple[str, ...]
    closed_after: datetime | None
    pinned: frozenset[IssueId] = frozenset()

    def holds(self, issue: Issue) -> bool:
        """Whether the issue belongs to the mirror."""
        if issue.id in self.pinned:
            return True
        if not set(self.labels) <= issue.labels:
            return False
        if issue.is_open:
            return True
        since = self.closed_after
        return issue.closed_at is not None and (since is None or issue.closed_at >= since)


def scope_of_group(label: str, catalog: Catalog | None, today: date, version: str = VERSION) -> Scope:
    """Today's scope. Closed issues belong since the start of the milestone before the current one."""
    return Scope((label,) if label else (), closed_after(catalog, today, version) if catalog else None)


def adopt_scope(store: Store, label: str, age: MirrorAge) -> bool:
    """Give the mirror this scope; returns whether it had another one before.

    Issues outside are removed at once, so that they are never shown; missing ones are read at the next start
    of the mirror, which has no cursor then. Outbox, failed changes and log are unchanged.
    """
    key = _scope_key(label)
    before = store.meta(SCOPE)
    if before == key:
        return False
    if store.meta(CURSOR) or len(store.issues()):
        # First, so that after a crash in between the mirror is reloaded.
        store.put_meta(CURSOR, b"")
        age.forget()
        scope = Scope((label,) if label else (), None, frozenset(pinned_ids(store)))
        store.drop([issue.id for issue in store.issues().matching(None) if not scope.holds(issue)])
    store.put_meta(SCOPE, key)
    return before is not None


def keep_scope(store: Store, label: str) -> None:
    """The label of the mirror's scope was renamed: the mirror has the same issues as before."""
    store.put_meta(SCOPE, _scope_key(label))


def has_scope(store: Store, label: str) -> bool:
    """Whether the mirror has this scope."""
    return store.meta(SCOPE) == _scope_key(label)


def _scope_key(label: str) -> bytes:
    return json.encode([label] if label else [])


def closed_after(catalog: Catalog, today: date, version: str = VERSION) -> datetime:
    """The start of the milestone before the current one; 60 days ago if there is none."""
    now = current(catalog.milestones, today, version)
    before = preceding(catalog.milestones, now.title, version) if now else None
    if before is None and now is None:
        past = [m for m in versions(catalog.milestones, version) if m.due and m.due < today]
        before = past[-1] if past else None
    anchor = before or now
    start = anchor.start if anchor else None
    return datetime.combine(start or today - timedelta(days=60), time.min, tzinfo=UTC)


#: Concurrent queries, in all.
CONCURRENT = 4
#: A query that finds more issues than this is read in parts, several at once: its pages follow one another.
LARGE = 300
#: Parts begin this many days ago: ever longer, since most issues on a board are young.
AGES = (7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 540, 730, 1095, 1825)
#: Seconds to wait for the server to count; then the queries are read whole.
COUNT_WAIT = 5.0
#: Neighbouring parts are joined up to this many issues, if that leaves enough of them.
LEAST_PART = 200
#: Pages per column that are read before the scope; the rest comes with the scope.
FIRST_PAGES = 10

Visible = Callable[[], Board | None]


class Unread:
    """The keys of a board's incomplete columns: a live view."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        #: All open issues of the board were read.
        self.whole = False

    def __contains__(self, key: object) -> bool:
        return key == CLOSED or not (self.whole or key in self.read)


class InitialLoad:
    """Reads boards and the scope.

    ``complete``: whether the whole scope was read once, in this session or an earlier one.
    """

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        status: SyncStatus,
        flow: Callable[[], WorkflowScheme],
        names: KnownNames,
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._status = status
        self._flow = flow
        self._names = names
        self.complete = bool(local_state.store.meta(CURSOR))
        self._boards: dict[tuple[str, str | None], Unread] = {}
        self._board_changed = asyncio.Event()
        self._gate = asyncio.Semaphore(CONCURRENT)
        self._seen: set[IssueId] = set()
        self._total = 0

    def unread(self, board: Board) -> Container[str]:
        """The keys of the board's columns that were read only in part, or not at all, so far."""
        if self.complete:
            return ()
        return self._boards.get(_key(board)) or Unread()

    def board_changed(self) -> None:
        """Another board is visible: while the scope is being read, that board comes first."""
        self._board_changed.set()

    async def read_scope(self, scope: Scope, visible: Visible) -> set[IssueId]:
        """Read the visible board, then the scope; returns the ids of its issues. Raises as the gateway does.

        Any other board that becomes visible meanwhile is read concurrently. The scope is read in the order of
        creation, in which no issue moves past a page while pages are read.
        """
        queries = [
            IssueQuery(labels=scope.labels, state="opened", order="created"),
            IssueQuery(labels=scope.labels, state="closed", closed_after=scope.closed_after, order="created"),
        ]
        self._seen, self._total = set(), 0
        self._boards.clear()
        seen: set[IssueId] = set()
        first = asyncio.Event()

        async with together() as tasks:
            reading = tasks.create_task(self._read_visible(visible, first))
            counting = tasks.create_task(self._count(queries))
            await first.wait()
            await asyncio.wait({counting}, timeout=COUNT_WAIT)
            parts = await self._parts(queries, counting.result() if counting.done() else ())
            with requests_for("load"):
                await self._all([self._read_all(part, seen) for part in parts])
            for task in (reading, counting):
                task.cancel()
        self.complete = True
        self._names.learn(self._seen.__contains__)
        self._boards.clear()
        self._seen, self._total = set(), 0
        return seen

    # Internals

    async def _count(self, queries: Sequence[IssueQuery]) -> Sequence[int]:
        """How many issues each query finds; empty if the server cannot count: it still returns the pages."""
        counts: Sequence[int] = ()
        with suppress(GlboardError):
            counts = await self._gateway.count(queries)
        self._total = sum(counts)
        self._progress()
        return counts

    async def _parts(self, queries: Sequence[IssueQuery], counts: Sequence[int]) -> list[IssueQuery]:
        """The queries, large ones in parts by time of creation: together they find the same, largest first.

        What is created or changed meanwhile comes with the first poll.
        """
        large = [n for n, count in enumerate(counts) if count > LARGE]
        now = self._gateway.now()
        smaller = {n: by_age(queries[n], now) for n in large}
        found: Sequence[int] = ()
        if large:
            with suppress(GlboardError, TimeoutError):
                async with asyncio.timeout(COUNT_WAIT):
                    found = await self._gateway.count([part for n in large for part in smaller[n]])
        if not found:
            return list(queries)
        parts = [(counts[n], query) for n, query in enumerate(queries) if n not in smaller]
        for n in large:
            of_query, found = found[: len(smaller[n])], found[len(smaller[n]) :]
            parts += joined(smaller[n], of_query, max(LEAST_PART, counts[n] // (2 * CONCURRENT)))
        return [part for _, part in sorted(parts, key=lambda part: -part[0])]

    async def _read_visible(self, visible: Visible, first: asyncio.Event) -> None:
        """Read the visible board, and every other one that becomes visible, until cancelled."""
        while True:
            self._board_changed.clear()
            board = visible()
            if board is not None and _key(board) not in self._boards:
                await self._read_columns(board)
                self._names.learn(self._seen.__contains__)
            first.set()
            await self._board_changed.wait()

    async def _read_columns(self, board: Board) -> None:
        """Read the columns of a board concurrently, the first pages of each."""
        unread = self._boards[_key(board)] = Unread()
        questions = board.queries(self._flow())
        missing = {column.key for column in board.columns} | {UNLISTED}
        left = {key: sum(part.keys is None or key in part.keys for part in questions) for key in missing}

        async def ask(part: ColumnQuery) -> None:
            if not await self._read_all(part.query, set(), most=FIRST_PAGES):
                return
            for key in missing if part.keys is None else part.keys & missing:
                left[key] -= 1
                if not left[key]:
                    unread.read.add(key)
            unread.whole = unread.read == missing
            self._progress()

        # A column without its own query (its label is the board's) never has more than the rest.
        await self._all([ask(part) for part in questions])

    async def _read_all(self, query: IssueQuery, seen: set[IssueId], *, most: int | None = None) -> bool:
        """Read the results of a query, or its first pages; returns whether that was all."""
        read = 0
        pages = aiter(self._gateway.pages(query))
        while True:
            # For each page on its own, so that a board that becomes visible need not wait for a whole part.
            async with self._gate:
                asked = asyncio.get_running_loop().time()
                page = await anext(pages, None)
            if page is None:
                return True
            if most is not None and read == most:
                return False
            read += 1
            found = [issue.id for issue in page]
            seen.update(found)
            self._seen.update(found)
            self._local_state.confirm(page, "load", asked=asked)
            self._progress()

    def _progress(self) -> None:
        self._status.answered(
            loading="issues",
            loaded=len(self._seen),
            total=self._total,
            columns=sum(len(unread.read) for unread in self._boards.values()),
        )

    async def _all(self, jobs: Iterable[Coroutine[None, None, object]]) -> None:
        async with together() as tasks:
            for job in jobs:
                tasks.create_task(job)


def by_age(query: IssueQuery, now: datetime) -> list[IssueQuery]:
    """The query in parts by time of creation, newest first: each issue is in one, or on the edge of two."""
    edges = [None, *(now - timedelta(days=days) for days in AGES), None]
    return [
        structs.replace(query, created_after=after, created_before=before)
        for before, after in pairwise(edges)
    ]


def joined(parts: Sequence[IssueQuery], counts: Sequence[int], most: int) -> list[tuple[int, IssueQuery]]:
    """Neighbouring parts as one while they have at most ``most`` issues together, with their counts."""
    found: list[tuple[int, IssueQuery]] = []
    for part, count in zip(parts, counts, strict=True):
        if found and found[-1][0] + count <= most:
            before, last = found[-1]
            found[-1] = before + count, structs.replace(last, created_after=part.created_after)
        else:
            found.append((count, part))
    return found


def _key(board: Board) -> tuple[str, str | None]:
    return board.id, board.milestone
