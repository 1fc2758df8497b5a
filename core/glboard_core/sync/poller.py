"""Polling: when everything is loaded, the poll for changes, and reconcile.

Owns the scope (one group, its group label, open issues and those closed since the start of the milestone
before the current one) and the cursor of the poll. It passes what it read to the engine and changes nothing
itself. Times are the server's, in UTC, so that a wrong clock on this machine misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from glboard_core.board.definition import Board
from glboard_core.errors import AuthError, GlboardError, NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.sync.initial_load import CURSOR, Loading, Scope, scope_of_group

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

#: With more pages of changes than this, the boards are read instead.
MANY_PAGES = 5
#: A change can become visible a moment after its timestamp, and timestamps are in whole seconds.
MARGIN = timedelta(seconds=2)
#: Seconds without a keystroke after which the program counts as idle.
IDLE_AFTER = 60.0
#: With less than this share of the rate limit left, polls are six times as rare.
SCARCE = 0.2


class Poller:
    """Keeps the engine's confirmed issues in sync with the server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._again = False
        self._reading = asyncio.Lock()
        self._cursor: datetime | None = None
        self._polled = float("-inf")
        self._reconciled = float("-inf")
        self._catalogued = float("-inf")
        self._extended: frozenset[str] = frozenset()
        self._used = float("-inf")
        #: The visible board, and its milestone if chosen by hand.
        self._looked: tuple[str, str | None] | None = None
        self.first = Loading(engine, complete=bool(engine.store.meta(CURSOR)))
        #: Whether a load is running.
        self.loading = False

    def refresh(self) -> None:
        """Read everything again now rather than at the next poll."""
        self._again = True
        self._quiet.clear()
        self._wake.set()

    def hasten(self) -> None:
        """Read what changed now rather than at the next poll."""
        self._wake.set()

    def touch(self) -> None:
        """A key was pressed: polls are frequent while the program is used, and rarer while it is idle."""
        now = asyncio.get_running_loop().time()
        idle = now - self._used > IDLE_AFTER
        self._used = now
        if idle and now - self._polled > self._engine.settings.sync.poll:
            self._wake.set()

    async def idle(self) -> None:
        """Wait until everything was read once, and no read is running or requested."""
        await self._quiet.wait()

    async def run(self) -> None:
        """Load or catch up, then poll until cancelled. Failures change the status and are retried."""
        self._quiet.clear()
        failures = 0
        loaded = False
        while True:
            try:
                async with self._reading:
                    if self._again or not loaded:
                        again, self._again = self._again, False
                        await (self.load() if again else self.start())
                        loaded = True
                    else:
                        await self._follow()
                failures = 0
                self._engine.heard(loading="")
            except AuthError as error:
                self._engine.unreachable(error, signed_out=True)
                failures += 1
            except GlboardError as error:
                # Other failures too (group gone, query rejected): report and retry.
                self._engine.unreachable(error)
                failures += 1
            self.loading = False
            if not self._again:
                self._quiet.set()
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        if failures:
            most = self._engine.timing.longest_read_wait
            seconds = min(most, self._engine.settings.sync.poll * 2.0 ** min(failures - 1, 6))
        else:
            seconds = self._interval()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        self._quiet.clear()

    def _interval(self) -> float:
        """Seconds until the next poll: depends on use, and on the rate limit left."""
        sync = self._engine.settings.sync
        used = asyncio.get_running_loop().time() - self._used <= IDLE_AFTER
        seconds = sync.poll if used else max(sync.poll, sync.poll_idle)
        left = self._engine.gateway.remaining
        scarce = left is not None and left < SCARCE
        self._engine.slowed(scarce)
        return seconds * 6 if scarce else seconds

    # Loading

    async def start(self) -> None:
        """After a start: load everything, or with a mirror what changed. Raises what the gateway raises."""
        kept = self._engine.store.meta(CURSOR)
        if not kept or self._engine.catalog is None:
            await self.load()
            return
        self.loading = True
        self._engine.heard(loading="what changed")
        self._cursor = datetime.fromisoformat(kept.decode())
        await self._catalog()
        if not await self._catch_up():
            # Away for long: reading the boards is less work than reading all changes.
            await self.load()
            return
        await self.reconcile()
        self.loading = False

    async def load(self) -> None:
        """Read the catalog, the visible board, then the whole scope. Raises what the gateway raises."""
        engine = self._engine
        self.loading = True
        engine.heard(loading="labels and milestones")
        catalog = await self._catalog()
        # The first poll, by the server's clock, reads again whatever changes while pages are read.
        started = engine.gateway.now()
        asked = asyncio.get_running_loop().time()
        seen = await self.first.everything(self._scope(catalog), self._board)
        engine.gone([issue for issue in engine.store.issues() if issue not in seen], asked=asked)
        self._move_cursor(started)
        self._polled = self._reconciled = asyncio.get_running_loop().time()
        self.loading = False
        await self._extend()

    async def _catalog(self) -> Catalog:
        engine = self._engine
        catalog = await engine.gateway.catalog()
        if self._extended:
            catalog = await engine.gateway.extend_catalog(catalog, self._extended)
        engine.keep_catalog(catalog)
        self._catalogued = asyncio.get_running_loop().time()
        return catalog

    def look(self, board: str, milestone: str | None = None) -> None:
        """This board is visible: an initial load reads it before the rest."""
        if (board, milestone) != self._looked:
            self._looked = (board, milestone)
            self.first.turn()

    def _board(self) -> Board | None:
        if self._looked is None:
            return None
        try:
            return self._engine.board(*self._looked)
        except NameUnknown:
            return None

    async def _extend(self) -> None:
        """Read the labels and milestones of the projects of issues: after the boards."""
        projects = self._engine.store.projects()
        catalog = self._engine.catalog
        if catalog is None or projects <= self._extended:
            return
        self._engine.keep_catalog(await self._engine.gateway.extend_catalog(catalog, projects))
        self._extended |= projects

    # Polling

    async def freshen(self, seconds: float, issues: Sequence[IssueId]) -> None:
        """Read these issues again, unless that was done in the last ``seconds``.

        Changes are compared with the result before they are sent. Raises what the gateway raises.
        """
        if not issues or asyncio.get_running_loop().time() - self._polled < seconds:
            return
        if not self._reading.locked():
            if self._cursor is None:
                return  # a command, which has read what it changes
            async with self._reading:
                if await self._catch_up():
                    return
            self.refresh()
        # During a long load, or after a long absence: only these.
        await self._reread(issues)

    async def _reread(self, issues: Iterable[IssueId]) -> None:
        engine = self._engine
        wanted = [issue for issue in issues if not issue.startswith("new:")]
        if not wanted:
            return
        asked = asyncio.get_running_loop().time()
        now = await engine.gateway.read(wanted)
        scope = self._scope(engine.catalog)
        here = [issue for issue in now.values() if scope.holds(issue)]
        engine.confirm(here, "theirs", asked=asked)
        kept = {issue.id for issue in here}
        engine.gone([issue for issue in wanted if issue not in kept], asked=asked)

    async def _follow(self) -> None:
        await self.poll()
        now = asyncio.get_running_loop().time()
        sync = self._engine.settings.sync
        if now - self._reconciled >= sync.reconcile:
            await self.reconcile()
        if now - self._catalogued >= sync.catalog:
            await self._catalog()
        await self._extend()

    async def poll(self) -> None:
        """Read what changed since the cursor; if that is too much, everything next time."""
        if not await self._catch_up():
            self.refresh()

    async def _catch_up(self) -> bool:
        """Read what changed since the cursor, unfiltered by label and milestone, to see issues that left.

        Inclusive, so what was read last comes again and is ignored. Returns False, with nothing adopted
        beyond the first pages, if more changed than is worth reading one by one.
        """
        engine = self._engine
        loop = asyncio.get_running_loop()
        asked = loop.time()
        if self._cursor is None:
            self._cursor = engine.gateway.now()
        newest = self._cursor
        scope = self._scope(engine.catalog)
        # A read ignored because a change of ours was being sent may have contained changes by others, too.
        unsure = [issue for issue in engine.local_state.unsure if not engine.outbox.on_wire(issue)]
        pages = 0
        since = self._cursor - MARGIN
        async for page in engine.gateway.pages(IssueQuery(updated_after=since, order="updated")):
            pages += 1
            if pages > MANY_PAGES:
                return False
            newest = max(newest, max((issue.updated_at for issue in page), default=newest))
            engine.confirm((i for i in page if scope.holds(i)), "theirs", asked=asked)
            engine.gone([i.id for i in page if not scope.holds(i)], asked=asked)
        await self._reread(issue for issue in unsure if issue in engine.local_state.unsure)
        # Only now that every page is read: advancing the cursor earlier would skip unread pages.
        self._move_cursor(newest)
        self._polled = asked
        return True

    def _move_cursor(self, to: datetime) -> None:
        if to != self._cursor or not self._engine.store.meta(CURSOR):
            self._cursor = to
            self._engine.store.put_meta(CURSOR, to.isoformat().encode())

    async def reconcile(self) -> None:
        """Reconcile: find what ``updated_after`` misses: deletions, moves out of the group, reordering."""
        engine = self._engine
        loop = asyncio.get_running_loop()
        asked = loop.time()
        seen: set[IssueId] = set()
        moved: dict[IssueId, float | None] = {}
        unknown: list[IssueId] = []
        scope = self._scope(engine.catalog)
        async for page in engine.gateway.placements(scope.labels):
            for placed in page:
                seen.add(placed.id)
                known = engine.store.issue(placed.id)
                if known is None or not known.is_open:
                    unknown.append(placed.id)
                elif known.position != placed.position:
                    moved[placed.id] = placed.position
        missing = [i.id for i in engine.store.issues().values() if i.is_open and i.id not in seen]
        if missing or unknown:
            # Read each one by id: one that came or left while the list was read is not gone.
            await self._reread([*missing, *unknown])
        now = ((engine.store.issue(issue), position) for issue, position in moved.items())
        engine.confirm(
            [structs.replace(issue, position=position) for issue, position in now if issue is not None],
            "theirs",
            asked=asked,
        )
        self._reconciled = asked

    def _scope(self, catalog: Catalog | None) -> Scope:
        engine = self._engine
        return scope_of_group(engine.settings.labels.group, catalog, engine.today())
