"""Reading the server: the first load, the poll for changes, the reconciling list.

Owns the scope (one group, its group label, open issues and those closed since the start of the milestone
before the current one) and the cursor of the poll. It hands what it read to the engine and changes nothing
itself. Times are the server's, in UTC, so a wrong clock on this machine misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from glboard_core.errors import AuthError, GlboardError, NameUnknown
from glboard_core.model.board import Board
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import current, preceding, versions
from glboard_core.ports import IssueQuery

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

#: The longest wait between two attempts while the server cannot be reached, in seconds.
MAX_WAIT = 60.0
#: Columns read at the same time on a first load.
SIDE_BY_SIDE = 6


class Mirror:
    """Keeps the engine's confirmed issues like the server's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._again = False
        self._cursor: datetime | None = None
        self._reconciled = 0.0
        self._extended: frozenset[str] = frozenset()
        #: Whether the first load is still under way.
        self.loading = False

    def refresh(self) -> None:
        """Read everything again now rather than at the next poll."""
        self._again = True
        self._quiet.clear()
        self._wake.set()

    async def idle(self) -> None:
        """Wait until no reading is under way or asked for."""
        await self._quiet.wait()

    async def run(self, first: Board | str | None) -> None:
        """Load, then poll until cancelled. Failures change the status and are tried again."""
        self._quiet.clear()
        failures = 0
        loaded = False
        while True:
            try:
                if not loaded or self._again:
                    self._again = False
                    await self.load(first)
                    loaded = True
                else:
                    await self.poll()
                failures = 0
                self._engine.heard(loading="")
            except AuthError as error:
                self._engine.unreachable(error, signed_out=True)
                failures += 1
            except GlboardError as error:
                # Also what is not a connection's fault (group gone, query refused): said, and tried again.
                self._engine.unreachable(error)
                failures += 1
            self.loading = False
            if not self._again:
                self._quiet.set()
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        seconds = self._engine.settings.sync.poll
        if failures:
            seconds = min(MAX_WAIT, seconds * 2.0 ** min(failures - 1, 6))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        self._quiet.clear()

    # Loading

    async def load(self, first: Board | str | None) -> None:
        """Read the catalog, the board seen first, then the whole scope. Raises what the gateway does."""
        engine = self._engine
        self.loading = True
        engine.heard(loading="labels and milestones")
        catalog = await engine.gateway.catalog()
        known = engine.catalog
        if known is not None and known.group == catalog.group and self._extended:
            catalog = await engine.gateway.extend_catalog(catalog, self._extended)
        engine.keep_catalog(catalog)
        started = engine.gateway.now()
        board = self._board(first)
        if board is not None and not engine.store.issues():
            await self._load_board(board)
        seen = await self._load_scope(catalog)
        self._forget_others(seen)
        self._cursor = max((i.updated_at for i in engine.store.issues().values()), default=started)
        self.loading = False
        await self._extend(catalog)

    def _board(self, first: Board | str | None) -> Board | None:
        if isinstance(first, str):
            try:
                return self._engine.board(first)
            except NameUnknown:
                return None
        return first

    async def load_board(self, board: Board, *, closed: bool = False) -> None:
        """Read one board's issues and no more, its columns side by side. For commands that print a board."""
        await self._load_board(board, closed=closed)

    async def _load_board(self, board: Board, *, closed: bool = False) -> None:
        base = IssueQuery(labels=tuple(sorted(board.labels)), milestone=board.milestone, state="opened")
        queries = [base]
        if closed:
            queries.append(
                IssueQuery(labels=base.labels, milestone=base.milestone, state="closed", order="updated")
            )
        await self._read_all(queries)

    async def _load_scope(self, catalog: Catalog) -> set[IssueId]:
        labels = self._scope_labels()
        closed_after = self._closed_after(catalog)
        return await self._read_all(
            [
                IssueQuery(labels=labels, state="opened"),
                IssueQuery(labels=labels, state="closed", closed_after=closed_after, order="updated"),
            ]
        )

    async def _read_all(self, queries: Iterable[IssueQuery]) -> set[IssueId]:
        seen: set[IssueId] = set()
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def read(query: IssueQuery) -> None:
            async with gate:
                async for page in self._engine.gateway.pages(query):
                    seen.update(issue.id for issue in page)
                    self._engine.confirm(page, "load")
                    self._engine.heard(loading=f"{len(seen)} issues")

        await _side_by_side(read(query) for query in queries)
        return seen

    def _forget_others(self, seen: set[IssueId]) -> None:
        self._engine.gone([issue for issue in self._engine.store.issues() if issue not in seen])

    async def _extend(self, catalog: Catalog) -> None:
        """Learn the labels and milestones of the projects that issues stand in: later than the boards."""
        projects = frozenset(issue.project for issue in self._engine.store.issues().values())
        if projects <= self._extended:
            return
        self._extended |= projects
        self._engine.keep_catalog(await self._engine.gateway.extend_catalog(catalog, projects))

    # Following

    async def poll(self) -> None:
        """Read what changed since the cursor, unfiltered by label and milestone, so that leavers are seen."""
        engine = self._engine
        if self._cursor is None:
            self._cursor = engine.gateway.now()
        newest = self._cursor
        here: list[Issue] = []
        left: list[IssueId] = []
        # Inclusive, so what was read last comes again; the engine ignores what it knows.
        async for page in engine.gateway.pages(IssueQuery(updated_after=self._cursor, order="updated")):
            for issue in page:
                newest = max(newest, issue.updated_at)
                if engine.pending.busy(issue.id):
                    continue  # the answer under way is newer than this page
                if self.in_scope(issue):
                    here.append(issue)
                else:
                    left.append(issue.id)
        engine.confirm(here, "theirs")
        engine.gone(left)
        self._cursor = newest
        loop = asyncio.get_running_loop()
        if loop.time() - self._reconciled >= engine.settings.sync.reconcile:
            await self.reconcile()
            self._reconciled = loop.time()
        if (catalog := engine.catalog) is not None:
            await self._extend(catalog)

    async def reconcile(self) -> None:
        """Find what ``updated_after`` never shows: deletions, moves out of the group, and re-ordering."""
        engine = self._engine
        seen: set[IssueId] = set()
        moved: list[Issue] = []
        unknown: list[IssueId] = []
        async for page in engine.gateway.placements(self._scope_labels()):
            for placed in page:
                seen.add(placed.id)
                known = engine.store.issue(placed.id)
                if known is None:
                    unknown.append(placed.id)
                elif known.position != placed.position and not engine.pending.busy(placed.id):
                    moved.append(structs.replace(known, position=placed.position))
        gone = [i.id for i in engine.store.issues().values() if i.is_open and i.id not in seen]
        if gone or unknown:
            now = await engine.gateway.read([*gone, *unknown])
            engine.confirm((issue for issue in now.values() if self.in_scope(issue)), "theirs")
            engine.gone([i for i in gone if i not in now or not self.in_scope(now[i])])
        engine.confirm(moved, "theirs")

    def in_scope(self, issue: Issue) -> bool:
        """Whether the mirror holds such an issue: group label, open or lately closed."""
        if not set(self._scope_labels()) <= issue.labels:
            return False
        if issue.is_open:
            return True
        catalog = self._engine.catalog
        since = self._closed_after(catalog) if catalog else None
        return issue.closed_at is not None and (since is None or issue.closed_at >= since)

    def _scope_labels(self) -> tuple[str, ...]:
        label = self._engine.settings.labels.group
        return (label,) if label else ()

    def _closed_after(self, catalog: Catalog) -> datetime:
        """The start of the milestone before the current one; 60 days ago where there is none."""
        today = self._engine.today()
        now = current(catalog.milestones, today)
        before = preceding(catalog.milestones, now.title) if now else None
        if before is None and now is None:
            past = [m for m in versions(catalog.milestones) if m.due and m.due < today]
            before = past[-1] if past else None
        anchor = before or now
        start = anchor.start if anchor else None
        return datetime.combine(start or today - timedelta(days=60), time.min, tzinfo=UTC)


async def _side_by_side(jobs: Iterable[Coroutine[None, None, None]]) -> None:
    """Run jobs together; the first failure cancels the others and is raised as itself, not in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for job in jobs:
                tasks.create_task(job)
    except* GlboardError as group:
        raise group.exceptions[0] from None
