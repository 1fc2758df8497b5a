"""The initial load: the visible board, its columns concurrently, then the rest of the scope.

Owns which columns of which boards are complete: until the scope was read once, no other counts may be shown.
It passes what it read to the engine; ``poller.py`` does the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Coroutine, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from glboard_core.board.definition import CLOSED, UNLISTED, Board
from glboard_core.board.resolve import flow_scheme
from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId
from glboard_core.ports import IssueQuery
from glboard_core.sync.columns import Part, parts
from glboard_core.sync.scope import Scope

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

#: Concurrent queries.
SIDE_BY_SIDE = 6
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


class Loading:
    """Reads boards and the scope. ``complete``: the mirror had the whole scope once before."""

    def __init__(self, engine: Engine, *, complete: bool) -> None:
        self._engine = engine
        self.complete = complete
        self._boards: dict[tuple[str, str | None], Unread] = {}
        self._turned = asyncio.Event()
        self._seen: set[IssueId] = set()
        self._total = 0

    def unread(self, board: Board) -> Container[str]:
        """The keys of the board's columns that were read only in part, or not at all, so far."""
        if self.complete:
            return ()
        return self._boards.get(_key(board)) or Unread()

    def turn(self) -> None:
        """Another board is visible: while the scope is being read, that board comes first."""
        self._turned.set()

    async def everything(self, scope: Scope, visible: Visible) -> set[IssueId]:
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

        async def rest() -> None:
            await first.wait()
            await self._side_by_side([self._read_all(query, seen) for query in queries])
            for task in aside:
                task.cancel()

        aside: list[asyncio.Task[None]] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                aside.append(tasks.create_task(self._look(visible, first)))
                aside.append(tasks.create_task(self._count(queries)))
                tasks.create_task(rest())
        except* GlboardError as group:
            raise _first_of(group) from None
        self.complete = True
        self._boards.clear()
        self._seen, self._total = set(), 0
        return seen

    async def board(self, board: Board, *, closed: bool = False) -> None:
        """Read one board completely, with as few queries as possible: for commands that print it."""
        base = IssueQuery(labels=tuple(sorted(board.labels)), milestone=board.milestone, state="opened")
        queries = [base]
        if closed:
            queries.append(
                IssueQuery(labels=base.labels, milestone=base.milestone, state="closed", order="updated")
            )
        await self._side_by_side([self._read_all(query, set()) for query in queries])

    # Internals

    async def _count(self, queries: list[IssueQuery]) -> None:
        # A server that cannot count in time still returns the pages.
        with suppress(GlboardError):
            self._total = await self._engine.gateway.count(queries)

    async def _look(self, visible: Visible, first: asyncio.Event) -> None:
        """Read the visible board, and every other one that becomes visible, until cancelled."""
        while True:
            self._turned.clear()
            board = visible()
            if board is not None and _key(board) not in self._boards:
                await self._columns(board)
            first.set()
            await self._turned.wait()

    async def _columns(self, board: Board) -> None:
        """Read the columns of a board concurrently, the first pages of each."""
        unread = self._boards[_key(board)] = Unread()
        questions = parts(board, flow_scheme(self._engine.settings))
        missing = {column.key for column in board.columns} | {UNLISTED}
        left = {key: sum(part.keys is None or key in part.keys for part in questions) for key in missing}
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def ask(part: Part) -> None:
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
        await self._side_by_side([ask(part) for part in questions])

    async def _read_all(self, query: IssueQuery, seen: set[IssueId], *, most: int | None = None) -> bool:
        """Read the results of a query, or its first pages; returns whether that was all."""
        engine = self._engine
        asked = asyncio.get_running_loop().time()
        pages = 0
        async for page in engine.gateway.pages(query):
            if most is not None and pages == most:
                return False
            pages += 1
            found = [issue.id for issue in page]
            seen.update(found)
            self._seen.update(found)
            engine.confirm(page, "load", asked=asked)
            self._progress()
            asked = asyncio.get_running_loop().time()
        return True

    def _progress(self) -> None:
        self._engine.heard(
            loading="issues",
            loaded=len(self._seen),
            total=self._total,
            columns=sum(len(unread.read) for unread in self._boards.values()),
        )

    async def _side_by_side(self, jobs: Iterable[Coroutine[None, None, object]]) -> None:
        """Run jobs concurrently; the first failure cancels the others and is raised alone, not in a group."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for job in jobs:
                    tasks.create_task(job)
        except* GlboardError as group:
            raise _first_of(group) from None


def _key(board: Board) -> tuple[str, str | None]:
    return board.id, board.milestone


def _first_of(group: BaseExceptionGroup[GlboardError]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
