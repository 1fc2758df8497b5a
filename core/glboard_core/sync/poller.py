"""Polling: when everything is loaded, the poll for changes, and reconcile.

Owns when what is read, and the cursor of the poll; the local state adopts what was read. Times are the
server's, in UTC, so that a wrong clock on this machine misses nothing. What the poll cannot see at all is
found by ``reconcile.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import MAXYEAR, date, datetime, timedelta

from msgspec import structs

from glboard_core.board.operations import Op
from glboard_core.concurrency import together
from glboard_core.config import Settings
from glboard_core.errors import WRONG_VALUES, GlboardError, GroupNotFound, NotUnderstood, misled
from glboard_core.model.address import is_below
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway
from glboard_core.purpose import with_purpose
from glboard_core.sync.initial_load import (
    CURSOR,
    InitialLoad,
    Scope,
    Visible,
    scope_of_group,
)
from glboard_core.sync.known_names import KnownNames
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.reconcile import Reconciler
from glboard_core.sync.status import SyncStatus

#: With more pages of changes than this, the boards are read instead. Of what comes again because a poll looks
#: back, no more than this is read: the rest of a very large batch is left to reconcile.
MANY_PAGES = 5
#: How far before its cursor a poll looks. For 60 s after a change GitLab does not move ``updated_at`` for
#: further changes of labels, assignees or status by the same person; the rest is for clocks of a cluster that
#: differ, and for changes that become visible a while after their timestamp.
LOOK_BACK = timedelta(seconds=75)
#: The precision of times in GraphQL.
SECOND = timedelta(seconds=1)
#: At most this many issues are read again because another one was closed or reopened.
MOST_BLOCKED = 50
#: Seconds without a keystroke after which the program counts as idle.
IDLE_AFTER = 60.0
#: With less than this share of the rate limit left, polls are six times as rare.
SCARCE = 0.2


class Poller:
    """Keeps the confirmed issues and the catalog in sync with the server.

    ``visible`` is the board on screen, ``today`` the day in the team's time zone.
    """

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        status: SyncStatus,
        initial_load: InitialLoad,
        names: KnownNames,
        settings: Callable[[], Settings],
        longest_wait: float,
        *,
        visible: Visible,
        today: Callable[[], date],
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._store = local_state.store
        self._status = status
        self._initial_load = initial_load
        self._names = names
        self._settings = settings
        self._sync = settings().sync
        self._longest_wait = longest_wait
        self._visible = visible
        self._today = today
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._reload = False
        self._reading = asyncio.Lock()
        self._cursor: datetime | None = None
        self._polled = float("-inf")
        self._reconciler = Reconciler(
            gateway,
            local_state,
            self._sync.reconcile,
            visible=visible,
            scope=lambda: self._scope,
            adopt=self._adopt,
            reread=self._reread,
        )
        self._catalogued = float("-inf")
        self._used = float("-inf")
        self._attended = True

    def refresh(self) -> None:
        """Read everything again now rather than at the next poll."""
        self._reload = True
        self._quiet.clear()
        self._wake.set()

    def configure(self, *, names: bool) -> None:
        """The configuration changed; ``names``: what it names in GitLab did, too, and has to be read."""
        self._sync = self._settings().sync
        self._reconciler.configure(self._sync.reconcile)
        if names:
            self._catalogued = float("-inf")
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

    def attend(self, focused: bool) -> None:
        """Whether the terminal has the focus, as far as known: without it, reconciling is put off."""
        returned = focused and not self._attended
        self._attended = focused
        if returned:
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
                        await (self.load(anew=True) if reload else self._start())
                        loaded = True
                    else:
                        await self._follow()
                failures = 0
            except GlboardError as error:
                # Other failures too (group gone, query rejected): report and retry.
                self._status.unreachable(error)
                failures += 1
            except WRONG_VALUES as problem:
                # What an answer led to must not stop what is sent.
                self._status.unreachable(misled(problem, self._gateway.last_request))
                failures += 1
            self._status.is_loading = False
            if not self._reload:
                self._quiet.set()
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        doubled = min(self._longest_wait, self._sync.poll * 2.0 ** min(failures - 1, 6))
        seconds = doubled if failures else self._interval()
        if failures:
            self._status.update(next_try=seconds)
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
        kept = _kept_cursor(self._store.meta(CURSOR))
        if kept is None or self._store.catalog() is None:
            await self.load()
            return
        self._status.is_loading = True
        self._status.answered(loading="what changed")
        self._cursor = kept
        # Nothing of the poll is adopted before the server has confirmed who we are.
        async with together() as tasks:
            tasks.create_task(self._read_catalog())
            caught_up = tasks.create_task(self._follow_group())
        if not caught_up.result():
            # Away for long: reading the boards is less work than reading all changes.
            await self.load()
            return
        await self._reconcile_slowly()
        self._status.is_loading = False
        self._status.answered(loading="")
        await self._names.look_further(self._store.projects())

    async def load(self, *, anew: bool = False) -> None:
        """Read the catalog, the visible board, then the whole scope; ``anew``: what was learned, too.

        Raises what the gateway raises.
        """
        self._status.is_loading = True
        self._status.answered(loading="labels and milestones")
        await self._read_catalog(anew=anew)
        self._reload = False  # whatever was to be read again is read now
        # The first poll, by the server's clock, reads again whatever changes while pages are read.
        started = await self._clock()
        asked = asyncio.get_running_loop().time()
        seen = await self._initial_load.read_scope(self._scope, self._visible)
        await self._remove_unseen(seen, asked)
        self._move_cursor(started)
        self._polled = asyncio.get_running_loop().time()
        self._reconciler.everything_was_read()
        self._local_state.licence_changed = False
        self._status.mirror_is_whole()
        self._status.is_loading = False
        self._status.answered(loading="")
        await self._names.look_further(self._store.projects())

    async def _clock(self) -> datetime:
        """The server's clock, or a time before it if only issues tell: then the newest update."""
        now = self._gateway.now()
        if self._gateway.knows_time:
            return now
        page, _ = await self._gateway.page(IssueQuery(order="updated"), None)
        return min(now, max((issue.updated_at for issue in page), default=now))

    async def _remove_unseen(self, seen: set[IssueId], asked: float) -> None:
        """What was not seen among all issues of the scope has left it, if it shows that itself or by id."""
        scope = self._scope
        unseen = [issue for issue in self._store.issues().values() if issue.id not in seen]
        outside = [issue.id for issue in unseen if not scope.holds(issue)]
        self._local_state.remove(outside, asked=asked)
        left = set(outside)
        await self._reread(issue.id for issue in unseen if issue.id not in left)

    async def _read_catalog(self, *, anew: bool = False) -> None:
        await self._names.read(anew=anew)
        self._catalogued = asyncio.get_running_loop().time()

    # Polling

    async def prepare(self, seconds: float, issues: Sequence[IssueId], ops: Sequence[Op]) -> None:
        """Freshen these issues and, at the same time, ask for the ids that sending these changes needs.

        Raises what the gateway raises.
        """
        async with together() as tasks:
            tasks.create_task(self._freshen_if_understood(seconds, issues))
            needed = tasks.create_task(self._names.need_for(ops))
        self._local_state.confirm(needed.result().values(), "answer")

    def learn_names(self) -> None:
        """Keep what answers to changes have shown to be called otherwise: a command reads no more then."""
        self._names.learn(lambda issue: self._store.issue(issue) is not None)

    async def _freshen_if_understood(self, seconds: float, issues: Sequence[IssueId]) -> None:
        """Freshen these issues; what GitLab answers about others, or cannot tell, does not hold them up."""
        try:
            await self.freshen(seconds, issues)
        except NotUnderstood:
            try:
                await self._reread(issues)
            except NotUnderstood as error:
                self._status.unreachable(error)

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
                if await self._follow_group():
                    return
            self.refresh()
        # During a long load, or after a long absence: only these.
        await self._reread(issues)

    @with_purpose("live")
    async def reread(self, issues: Sequence[IssueId]) -> None:
        """Read these issues, of which GitLab told that they changed. Raises what the gateway raises."""
        await self._reread(issues)

    async def _reread(self, issues: Iterable[IssueId]) -> None:
        wanted = [issue for issue in issues if not issue.startswith("new:")]
        if not wanted:
            return
        asked = asyncio.get_running_loop().time()
        now = await self._gateway.read(wanted, self._store.issues())
        scope = self._scope
        here = [issue for issue in now.values() if scope.holds(issue)]
        self._local_state.confirm(here, "theirs", asked=asked)
        kept = {issue.id for issue in here}
        self._local_state.remove([issue for issue in wanted if issue not in kept], asked=asked)

    async def _follow(self) -> None:
        await self.poll()
        if self._attended:
            await self._reconcile_slowly()
        if asyncio.get_running_loop().time() - self._catalogued >= self._sync.catalog:
            await self._read_catalog()
        await self._names.look_further(self._store.projects())
        self._status.answered(loading="")

    async def poll(self) -> None:
        """Read what changed since the cursor; if that is too much, everything next time."""
        if not await self._follow_group():
            self.refresh()

    async def _follow_group(self) -> bool:
        """Catch up, also if the group has another path now: it is asked for by its id."""
        try:
            return await self._catch_up()
        except GroupNotFound:
            await self._read_catalog()
            return await self._catch_up()

    @with_purpose("poll")
    async def _catch_up(self) -> bool:
        """Read what changed since the cursor, unfiltered by label and milestone, to see issues that left.

        Inclusive and from ``LOOK_BACK`` before, so what was read last comes again, and is ignored where it is
        equal. Returns False, with nothing adopted beyond the first pages, if more changed than is worth
        reading one by one, or if the server's clock was put back: then its times cannot be compared.
        """
        local_state = self._local_state
        clock = asyncio.get_running_loop().time
        asked = clock()
        # Never beyond this: an issue stamped in the future would make later polls blind.
        started, told = self._gateway.now(), self._gateway.knows_time
        cursor = self._cursor or started
        if told and cursor - started > LOOK_BACK:
            return False
        # A read ignored because a change of ours was being sent may have contained changes by others, too.
        unsure = [issue for issue in local_state.unsure if not local_state.outbox.on_wire(issue)]
        newest = cursor
        new = again = 0
        async for page in self._gateway.pages(IssueQuery(updated_after=cursor - LOOK_BACK, order="updated")):
            if not told and self._gateway.knows_time:
                # After a start only the first answer tells the server's time.
                started, told = self._gateway.now() - timedelta(seconds=clock() - asked), True
                if cursor - started > LOOK_BACK:
                    return False
            if self._gateway.licence_changed:
                # What this page lacks, or has more, is no one's change.
                return False
            # Most recent first; those stamped in the future come each time, and are neither.
            times = [issue.updated_at for issue in page if issue.updated_at <= started]
            latest = max(times, default=None)
            if latest is not None and latest >= cursor - SECOND:
                new += 1
            elif latest is not None:
                again += 1
            if new > MANY_PAGES:
                return False
            if again > MANY_PAGES:
                break
            await self._names.checked()
            newest = max(newest, latest or newest)
            if self._has_path_of_another(page):
                # Before these are adopted: what has been renamed is the project of those that are known.
                await self._read_catalog()
            self._adopt(page, asked)
        again_by_id = [issue for issue in unsure if issue in local_state.unsure]
        await self._reread(dict.fromkeys([*again_by_id, *self._elsewhere()]))
        await self._reread_blocked()
        # Only now that every page is read: advancing the cursor earlier would skip unread pages. Without the
        # server's clock only its issues tell the time. It may have been put back since the last answer.
        reached = started if self._gateway.knows_time else min(started, newest)
        self._move_cursor(min(reached, self._gateway.now()))
        self._polled = asked
        return True

    def _has_path_of_another(self, page: Sequence[Issue]) -> bool:
        """Whether an issue that is new here has the reference of another, whose project has been renamed."""
        projects, new = self._store.projects(), [one for one in page if self._store.issue(one.id) is None]
        names = {(one.project, one.iid) for one in new if one.project in projects}
        return bool(names) and any((one.project, one.iid) in names for one in self._store.issues().values())

    def _elsewhere(self) -> list[IssueId]:
        """The issues of other groups, of which no poll of this one tells, that are open or being changed."""
        state, catalog = self._local_state, self._store.catalog()
        wanted = {*state.pinned.open, *state.outbox.issues()}.intersection(state.pinned.ids())
        issues = [issue for one in wanted if (issue := self._store.issue(one)) is not None]
        return [issue.id for issue in issues if catalog and not is_below(issue.project, catalog.group)]

    def _adopt(self, page: Sequence[Issue], asked: float) -> None:
        """The server returned these issues of any scope, as requested at ``asked`` by the loop's clock."""
        held = {issue.id for issue in page if self._scope.holds(issue)}
        # First the names that came with them: what was renamed is no change of an issue.
        self._names.learn(lambda issue: issue in held or self._store.issue(issue) is not None)
        scope = self._scope
        self._local_state.confirm((i for i in page if scope.holds(i)), "theirs", asked=asked)
        self._local_state.remove([i.id for i in page if not scope.holds(i)], asked=asked)

    async def _reread_blocked(self) -> None:
        """Read issues that may be blocked no longer or again, since others were closed or reopened.

        Which those block is not known: so the blocked ones on screen, and those that were blocked before.
        """
        state, found = self._local_state, set[IssueId]()
        closed, reopened = state.closed_some, state.reopened_some
        if closed:
            board = self._visible()
            issues = self._store.issues().matching(board.milestone if board is not None else None)
            found |= {issue.id for issue in issues if issue.blocked and issue.is_open}
        if reopened:
            found |= {issue for issue in state.unblocked if issue in self._store.issues()}
        state.closed_some = state.reopened_some = False
        if len(found) > MOST_BLOCKED:
            return
        try:
            await self._reread(found)
        except GlboardError:
            state.closed_some |= closed
            state.reopened_some |= reopened
            raise

    def _move_cursor(self, to: datetime) -> None:
        if to != self._cursor or not self._store.meta(CURSOR):
            self._cursor = to
            self._store.put_meta(CURSOR, to.isoformat().encode())

    @with_purpose("reconcile")
    async def _reconcile_slowly(self) -> None:
        if await self._reconciler.continue_slowly():
            self._status.mirror_is_whole()

    @with_purpose("reconcile")
    async def reconcile(self) -> None:
        """Compare the whole scope with the server now. Raises what the gateway raises."""
        await self._reconciler.whole_round()
        self._status.mirror_is_whole()

    @property
    def _scope(self) -> Scope:
        settings, catalog = self._settings(), self._store.catalog()
        scope = scope_of_group(settings.labels.group, catalog, self._today(), settings.planning.version)
        return structs.replace(scope, pinned=self._local_state.pinned.kept())


def _kept_cursor(kept: bytes | None) -> datetime | None:
    """The stored cursor; None if there is none that can be a time of a server."""
    try:
        found = datetime.fromisoformat((kept or b"").decode())
    except ValueError:
        return None
    return found if found.tzinfo is not None and 1 < found.year < MAXYEAR else None
