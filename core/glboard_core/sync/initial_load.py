"""The scope of the mirror, and its initial load: the visible board, then everything else.

Owns which columns of which boards are complete: until the scope was read once, no other counts may be shown.
``poller.py`` keeps the mirror up to date afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct, json

from glboard_core.board.columns import CLOSED, UNLISTED, ColumnQuery
from glboard_core.board.definition import Board
from glboard_core.errors import GlboardError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import VERSION, current, preceding, versions
from glboard_core.model.query import IssueQuery
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.ports import Gateway, Store
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.status import MirrorAge, SyncStatus

#: Meta keys of the mirror's scope, and of the poll's cursor (missing: reload everything).
SCOPE, CURSOR = "scope", "cursor"


class Scope(Struct, frozen=True):
    """Which issues of the group the mirror has: those with its label, open or recently closed.

    ``labels`` an issue must have; closed issues belong from ``closed_after`` on (None: all of them).
    """

    labels: tuple[str, ...]
    closed_after: datetime | None

    def holds(self, issue: Issue) -> bool:
        """Whether the issue belongs to the mirror."""
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
    key = json.encode([label] if label else [])
    before = store.meta(SCOPE)
    if before == key:
        return False
    if store.meta(CURSOR) or len(store.issues()):
        # First, so that after a crash in between the mirror is reloaded.
        store.put_meta(CURSOR, b"")
        age.forget()
        scope = Scope((label,) if label else (), None)
        store.drop([issue.id for issue in store.issues().matching(None) if not scope.holds(issue)])
    store.put_meta(SCOPE, key)
    return before is not None


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


#: Concurrent queries.
CONCURRENT = 6
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
        self, gateway: Gateway, local_state: LocalState, status: SyncStatus, flow: WorkflowScheme
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._status = status
        self._flow = flow
        self.complete = bool(local_state.store.meta(CURSOR))
        self._boards: dict[tuple[str, str | None], Unread] = {}
        self._board_changed = asyncio.Event()
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

        Any other board that becomes visible meanwhile is read concurrently.
        """
        queries = [
            IssueQuery(labels=scope.labels, state="opened"),
            IssueQuery(labels=scope.labels, state="closed", closed_after=scope.closed_after, order="updated"),
        ]
        self._seen, self._total = set(), 0
        self._boards.clear()
        seen: set[IssueId] = set()
        first = asyncio.Event()

        async with _together() as tasks:
            meanwhile = [
                tasks.create_task(self._read_visible(visible, first)),
                tasks.create_task(self._count(queries)),
            ]
            await first.wait()
            await self._all([self._read_all(query, seen) for query in queries])
            for task in meanwhile:
                task.cancel()
        self.complete = True
        self._boards.clear()
        self._seen, self._total = set(), 0
        return seen

    async def read_board(self, board: Board, *, closed: bool = False) -> None:
        """Read one board completely, with as few queries as possible: for commands that print it."""
        base = IssueQuery(labels=tuple(sorted(board.labels)), milestone=board.milestone, state="opened")
        queries = [base]
        if closed:
            queries.append(
                IssueQuery(labels=base.labels, milestone=base.milestone, state="closed", order="updated")
            )
        await self._all([self._read_all(query, set()) for query in queries])

    # Internals

    async def _count(self, queries: list[IssueQuery]) -> None:
        # A server that cannot count in time still returns the pages.
        with suppress(GlboardError):
            self._total = await self._gateway.count(queries)

    async def _read_visible(self, visible: Visible, first: asyncio.Event) -> None:
        """Read the visible board, and every other one that becomes visible, until cancelled."""
        while True:
            self._board_changed.clear()
            board = visible()
            if board is not None and _key(board) not in self._boards:
                await self._read_columns(board)
            first.set()
            await self._board_changed.wait()

    async def _read_columns(self, board: Board) -> None:
        """Read the columns of a board concurrently, the first pages of each."""
        unread = self._boards[_key(board)] = Unread()
        questions = board.queries(self._flow)
        missing = {column.key for column in board.columns} | {UNLISTED}
        left = {key: sum(part.keys is None or key in part.keys for part in questions) for key in missing}
        gate = asyncio.Semaphore(CONCURRENT)

        async def ask(part: ColumnQuery) -> None:
            async with gate:
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
        asked = asyncio.get_running_loop().time()
        pages = 0
        async for page in self._gateway.pages(query):
            if most is not None and pages == most:
                return False
            pages += 1
            found = [issue.id for issue in page]
            seen.update(found)
            self._seen.update(found)
            self._local_state.confirm(page, "load", asked=asked)
            self._progress()
            asked = asyncio.get_running_loop().time()
        return True

    def _progress(self) -> None:
        self._status.answered(
            loading="issues",
            loaded=len(self._seen),
            total=self._total,
            columns=sum(len(unread.read) for unread in self._boards.values()),
        )

    async def _all(self, jobs: Iterable[Coroutine[None, None, object]]) -> None:
        async with _together() as tasks:
            for job in jobs:
                tasks.create_task(job)


def _key(board: Board) -> tuple[str, str | None]:
    return board.id, board.milestone


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first failure cancels the others and is raised alone, not in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except* GlboardError as group:
        found: BaseException = group
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        raise found from None
