"""Polling: when everything is loaded, the poll for changes, and reconcile.

Owns when what is read, and the cursor of the poll; the local state adopts what was read. Times are the
server's, in UTC, so that a wrong clock on this machine misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from msgspec import structs

from glboard_core.config import Settings
from glboard_core.errors import GlboardError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway
from glboard_core.sync.initial_load import CURSOR, InitialLoad, Scope, Visible, scope_of_group
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.status import SyncStatus

#: With more pages of changes than this, the boards are read instead.
MANY_PAGES = 5
#: A change can become visible a moment after its timestamp, and timestamps are in whole seconds.
MARGIN = timedelta(seconds=2)
#: Seconds without a keystroke after which the program counts as idle.
IDLE_AFTER = 60.0
#: With less than this share of the rate limit left, polls are six times as rare.
SCARCE = 0.2


class Poller:
    """Keeps the confirmed issues and the catalog in sync with the server.

    ``visible`` is the board on screen, ``today`` the day in the team's time zone; ``keep_catalog`` gets every
    catalog that was read.
    """

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        status: SyncStatus,
        initial_load: InitialLoad,
        settings: Settings,
        longest_wait: float,
        *,
        visible: Visible,
        today: Callable[[], date],
        keep_catalog: Callable[[Catalog], None],
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._store = local_state.store
        self._status = status
        self._initial_load = initial_load
        self._sync = settings.sync
        self._label, self._version = settings.labels.group, settings.planning.version
        self._longest_wait = longest_wait
        self._visible = visible
        self._today = today
        self._keep_catalog = keep_catalog
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._reload = False
        self._reading = asyncio.Lock()
        self._cursor: datetime | None = None
        self._polled = float("-inf")
        self._reconciled = float("-inf")
        self._catalogued = float("-inf")
        self._extended: frozenset[str] = frozenset()
        self._used = float("-inf")

    def refresh(self) -> None:
        """Read everything again now rather than at the next poll."""
        self._reload = True
        self._quiet.clear()
        self._wake.set()

    def poll_soon(self) -> None:
        """Read what changed now rather than at the next poll."""
        self._wake.set()

    def touch(self) -> None:
        """A key was pressed: polls are frequent while the program is used, and rarer while it is idle."""
        now = asyncio.get_running_loop().time()
        idle = now - self._used > IDLE_AFTER
        self._used = now
        if idle and now - self._polled > self._sync.poll:
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
                    if self._reload or not loaded:
                        reload, self._reload = self._reload, False
                        await (self.load() if reload else self._start())
                        loaded = True
                    else:
                        await self._follow()
                failures = 0
            except GlboardError as error:
                # Other failures too (group gone, query rejected): report and retry.
                self._status.unreachable(error)
                failures += 1
            self._status.is_loading = False
            if not self._reload:
                self._quiet.set()
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        doubled = min(self._longest_wait, self._sync.poll * 2.0 ** min(failures - 1, 6))
        seconds = doubled if failures else self._interval()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()
        self._quiet.clear()

    def _interval(self) -> float:
        """Seconds until the next poll: depends on use, and on the rate limit left."""
        sync = self._sync
        used = asyncio.get_running_loop().time() - self._used <= IDLE_AFTER
        seconds = sync.poll if used else max(sync.poll, sync.poll_idle)
        left = self._gateway.remaining
        scarce = left is not None and left < SCARCE
        self._status.update(slowed=scarce)
        return seconds * 6 if scarce else seconds

    # Loading

    async def _start(self) -> None:
        """After a start: load everything, or with a mirror what changed. Raises what the gateway raises."""
        kept = self._store.meta(CURSOR)
        if not kept or self._store.catalog() is None:
            await self.load()
            return
        self._status.is_loading = True
        self._status.answered(loading="what changed")
        self._cursor = datetime.fromisoformat(kept.decode())
        await self._read_catalog()
        if not await self._catch_up():
            # Away for long: reading the boards is less work than reading all changes.
            await self.load()
            return
        await self.reconcile()
        self._status.is_loading = False
        self._status.answered(loading="")

    async def load(self) -> None:
        """Read the catalog, the visible board, then the whole scope. Raises what the gateway raises."""
        self._status.is_loading = True
        self._status.answered(loading="labels and milestones")
        await self._read_catalog()
        # The first poll, by the server's clock, reads again whatever changes while pages are read.
        started = self._gateway.now()
        asked = asyncio.get_running_loop().time()
        seen = await self._initial_load.read_scope(self._scope, self._visible)
        self._local_state.remove([issue for issue in self._store.issues() if issue not in seen], asked=asked)
        self._move_cursor(started)
        self._polled = self._reconciled = asyncio.get_running_loop().time()
        self._status.is_loading = False
        await self._extend_catalog()
        self._status.answered(loading="")

    async def _read_catalog(self) -> None:
        catalog = await self._gateway.catalog()
        if self._extended:
            catalog = await self._gateway.extend_catalog(catalog, self._extended)
        self._keep_catalog(catalog)
        self._catalogued = asyncio.get_running_loop().time()

    async def _extend_catalog(self) -> None:
        """Read the labels and milestones of the projects of issues: after the boards."""
        projects = self._store.projects()
        catalog = self._store.catalog()
        if catalog is None or projects <= self._extended:
            return
        self._keep_catalog(await self._gateway.extend_catalog(catalog, projects))
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
        wanted = [issue for issue in issues if not issue.startswith("new:")]
        if not wanted:
            return
        asked = asyncio.get_running_loop().time()
        now = await self._gateway.read(wanted)
        scope = self._scope
        here = [issue for issue in now.values() if scope.holds(issue)]
        self._local_state.confirm(here, "theirs", asked=asked)
        kept = {issue.id for issue in here}
        self._local_state.remove([issue for issue in wanted if issue not in kept], asked=asked)

    async def _follow(self) -> None:
        await self.poll()
        now = asyncio.get_running_loop().time()
        sync = self._sync
        if now - self._reconciled >= sync.reconcile:
            await self.reconcile()
        if now - self._catalogued >= sync.catalog:
            await self._read_catalog()
        await self._extend_catalog()
        self._status.answered(loading="")

    async def poll(self) -> None:
        """Read what changed since the cursor; if that is too much, everything next time."""
        if not await self._catch_up():
            self.refresh()

    async def _catch_up(self) -> bool:
        """Read what changed since the cursor, unfiltered by label and milestone, to see issues that left.

        Inclusive, so what was read last comes again and is ignored. Returns False, with nothing adopted
        beyond the first pages, if more changed than is worth reading one by one.
        """
        local_state = self._local_state
        asked = asyncio.get_running_loop().time()
        if self._cursor is None:
            self._cursor = self._gateway.now()
        newest = self._cursor
        scope = self._scope
        # A read ignored because a change of ours was being sent may have contained changes by others, too.
        unsure = [issue for issue in local_state.unsure if not local_state.outbox.on_wire(issue)]
        pages = 0
        since = self._cursor - MARGIN
        async for page in self._gateway.pages(IssueQuery(updated_after=since, order="updated")):
            pages += 1
            if pages > MANY_PAGES:
                return False
            newest = max(newest, max((issue.updated_at for issue in page), default=newest))
            local_state.confirm((i for i in page if scope.holds(i)), "theirs", asked=asked)
            local_state.remove([i.id for i in page if not scope.holds(i)], asked=asked)
        await self._reread(issue for issue in unsure if issue in local_state.unsure)
        # Only now that every page is read: advancing the cursor earlier would skip unread pages.
        self._move_cursor(newest)
        self._polled = asked
        return True

    def _move_cursor(self, to: datetime) -> None:
        if to != self._cursor or not self._store.meta(CURSOR):
            self._cursor = to
            self._store.put_meta(CURSOR, to.isoformat().encode())

    async def reconcile(self) -> None:
        """Reconcile: find what ``updated_after`` misses: deletions, moves out of the group, reordering."""
        asked = asyncio.get_running_loop().time()
        seen: set[IssueId] = set()
        moved: dict[IssueId, float | None] = {}
        unknown: list[IssueId] = []
        async for page in self._gateway.placements(self._scope.labels):
            for placed in page:
                seen.add(placed.id)
                known = self._store.issue(placed.id)
                if known is None or not known.is_open:
                    unknown.append(placed.id)
                elif known.position != placed.position:
                    moved[placed.id] = placed.position
        missing = [i.id for i in self._store.issues().values() if i.is_open and i.id not in seen]
        if missing or unknown:
            # Read each one by id: one that came or left while the list was read is not gone.
            await self._reread([*missing, *unknown])
        now = ((self._store.issue(issue), position) for issue, position in moved.items())
        self._local_state.confirm(
            [structs.replace(issue, position=position) for issue, position in now if issue is not None],
            "theirs",
            asked=asked,
        )
        self._reconciled = asked

    @property
    def _scope(self) -> Scope:
        return scope_of_group(self._label, self._store.catalog(), self._today(), self._version)
