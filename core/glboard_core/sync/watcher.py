"""Live events: reads the cards in view as soon as GitLab tells that they changed.

Owns when there is a connection for them, which cards are watched, and how often their events lead to a read:
events are gathered and their cards read with one request. Polling goes on as well, so whatever is not told,
or is dropped here, is found a few seconds later; and where there are no live events nothing else changes. The
protocol is the gateway's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Literal

from glboard_core.concurrency import together
from glboard_core.errors import WRONG_VALUES, GlboardError, NoLiveEvents, RateLimited, StoreFailed, misled
from glboard_core.model.issue import IssueId
from glboard_core.ports import LiveEvents
from glboard_core.purpose import with_purpose
from glboard_core.sync.events import LiveStatus
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.poller import IDLE_AFTER
from glboard_core.sync.timing import Timing

#: At most so many cards are watched.
MOST_CARDS = 60
#: GitLab tells of our own change within a tenth of a second of its answer: what it tells so soon is not read.
OWN = 0.5
#: Seconds for which an event waits for the answer to a change of ours that is being sent.
HELD = 5.0
#: Reads that may follow one another, and seconds until there may be one more: a flood of events costs this.
MOST_READS, READ_EVERY = 10.0, 2.0
#: A connection that lasted this long was a good one: the next attempt follows at once.
STABLE = 60.0
#: After so many attempts without one that worked, live events count as refused: a proxy may just cut them.
TRIES = 4

Connect = Callable[[], AbstractAsyncContextManager[LiveEvents]]


class Watcher:
    """Watches the cards in view, while somebody uses the program.

    ``ready`` waits until issues were read at all; ``reread`` reads issues and adopts them.
    """

    def __init__(
        self,
        connect: Connect,
        local_state: LocalState,
        timing: Timing,
        *,
        on: bool,
        ready: Callable[[], Awaitable[None]],
        reread: Callable[[Sequence[IssueId]], Awaitable[None]],
    ) -> None:
        self._connect = connect
        self._local_state = local_state
        self._timing = timing
        self._ready = ready
        self._reread = reread
        self._on = on
        self.status = LiveStatus(state="resting" if on else "off")
        #: Whether others look at the screen too, so that it is in use without a key and without the focus.
        self._shared = False
        self._cards: tuple[IssueId, ...] = ()
        #: By the loop's clock: the last key, and since when the terminal has no focus.
        self._used = float("-inf")
        self._left: float | None = None
        #: Something that decides whether to be connected has changed; so have the cards; try again now.
        self._changed, self._moved, self._again = asyncio.Event(), asyncio.Event(), asyncio.Event()
        #: The cards to be read, and when GitLab last told of each.
        self._pending: dict[IssueId, float] = {}
        self._told = asyncio.Event()
        self._failures = 0
        #: Whether a connection worked before, in this session.
        self._worked = False

    # What the screen tells

    def look(self, cards: Sequence[IssueId]) -> None:
        """These cards are in view, the most important first."""
        chosen = tuple(dict.fromkeys(cards))[:MOST_CARDS]
        if set(chosen) != set(self._cards):
            appears = bool(chosen) != bool(self._cards)
            self._cards = chosen
            self._moved.set()
            if appears:
                self._changed.set()

    def touch(self) -> None:
        """A key was pressed."""
        now = self._now()
        if now - self._used >= IDLE_AFTER:
            self._changed.set()
        self._used = now

    def attend(self, focused: bool) -> None:
        """Whether the terminal has the focus, as far as known."""
        now = self._now()
        self._left = None if focused else now
        if focused:
            self._used = now
        self._changed.set()

    def share(self, on: bool) -> None:
        """Others watch the screen: changes arrive at once also while no key is pressed."""
        self._shared = on
        self._changed.set()

    def switch(self, *, on: bool) -> None:
        """Live events are switched on or off by the configuration."""
        if on != self._on:
            self._on = on
            self.status = LiveStatus(state="resting" if on else "off")
            self._changed.set()

    def in_use(self) -> bool:
        """Whether somebody uses the program, or watches its screen."""
        return self._used_for() > 0.0

    def retry(self) -> None:
        """Try again now, whatever was refused before."""
        self._failures = 0
        self._again.set()

    # The connection

    async def run(self) -> None:
        """Watch until cancelled, while it is not switched off. Failures change the status and are retried."""
        self._used = self._now()
        while not self._on:
            await self._changed.wait()
            self._changed.clear()
        self._used = self._now()
        await self._ready()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            while True:
                await self._until_needed()
                if (error := await self._watch()) is not None:
                    await self._pause(error)

    @with_purpose("live")
    async def _watch(self) -> GlboardError | None:
        """Connect, and watch until it is not needed any longer; the error if that came first."""
        started = self._now()
        self.status = LiveStatus(state="connecting")
        try:
            async with self._connect() as events, together() as tasks:
                following = tasks.create_task(self._follow(events))
                hearing = tasks.create_task(self._hear(events))
                await self._until_unneeded()
                following.cancel()
                hearing.cancel()
        except GlboardError as error:
            found: GlboardError = error
        except WRONG_VALUES as problem:
            # What an answer led to must not stop what is sent.
            found = misled(problem)
        else:
            self.status = LiveStatus(state="resting" if self._on else "off")
            return None
        if self._now() - started >= STABLE:
            self._failures = 0
        return found

    async def _pause(self, error: GlboardError) -> None:
        timing = self._timing
        self._again.clear()
        refused = isinstance(error, NoLiveEvents) or (not self._worked and self._failures + 1 >= TRIES)
        full = min(timing.longest_live_wait, timing.live_wait * 2.0 ** min(self._failures, 16))
        seconds = (timing.live_refused if refused else full) * (0.5 + random.random() / 2)
        if isinstance(error, RateLimited):
            seconds = max(seconds, error.retry_after)
        self._failures += 1
        state: Literal["refused", "lost"] = "refused" if refused else "lost"
        self.status = LiveStatus(state=state, error=error, next_try=seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()

    def _needed_for(self) -> float:
        """For how many seconds more the program is in use; not at all if it is not positive."""
        return self._used_for() if self._cards and self._on else 0.0

    def _used_for(self) -> float:
        """The same, whether or not there is a connection to have."""
        if self._shared:
            return float("inf")
        until = self._used + IDLE_AFTER
        if self._left is not None:
            until = min(until, self._left + self._timing.unattended)
        return until - self._now()

    async def _until_needed(self) -> None:
        while self._needed_for() <= 0.0:
            self.status = LiveStatus(state="resting" if self._on else "off")
            await self._changed.wait()
            self._changed.clear()

    async def _until_unneeded(self) -> None:
        while (left := self._needed_for()) > 0.0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, IDLE_AFTER)):
                    await self._changed.wait()
            self._changed.clear()

    async def _follow(self, events: LiveEvents) -> None:
        """Watch the cards in view, as the view moves."""
        reconnected = self._worked
        while True:
            self._moved.clear()
            cards = self._cards
            await events.choose(cards)
            self.status = LiveStatus(state="on", cards=len(cards))
            if reconnected:
                # What changed since the last connection was not told, and polls do not see places.
                self._tell(cards)
            self._worked, reconnected = True, False
            await self._moved.wait()
            await asyncio.sleep(self._timing.view_rest)

    async def _hear(self, events: LiveEvents) -> None:
        async for issue in events:
            self._tell([issue])

    # The cards

    def _tell(self, issues: Sequence[IssueId]) -> None:
        now = self._now()
        for issue in issues:
            self._pending[issue] = now
        if issues:
            self._told.set()

    async def _read(self) -> None:
        """Read what was told of, a while after it was: together, and not too often."""
        reads, counted = MOST_READS, self._now()
        while True:
            await self._told.wait()
            await asyncio.sleep(self._timing.gather)
            now = self._now()
            reads, counted = min(MOST_READS, reads + (now - counted) / READ_EVERY), now
            if reads < 1.0:
                await asyncio.sleep((1.0 - reads) * READ_EVERY)
                continue
            self._told.clear()
            if not (issues := self._due()):
                continue
            reads -= 1.0
            try:
                await self._reread(issues)
            except (GlboardError, *WRONG_VALUES):
                # The next poll finds out why, and what changed.
                continue

    def _due(self) -> list[IssueId]:
        """The cards to read now: not those that we are changing, have just changed, or have read since."""
        state = self._local_state
        # Another process of the same person may have changed them.
        state.follow()
        pending, self._pending = self._pending, {}
        due: list[IssueId] = []
        for issue, told in pending.items():
            if self._now() - told < HELD and self._is_being_sent(issue):
                # Its answer tells whether this was our own change.
                self._pending[issue] = told
                self._told.set()
            elif not (state.answered_since(issue, told - OWN) or state.read_since(issue, told)):
                due.append(issue)
        return due

    def _is_being_sent(self, issue: IssueId) -> bool:
        """Whether a change of ours to it may be on its way, sent by this process or another."""
        outbox = self._local_state.outbox
        if not outbox.of(issue) or outbox.on_wire(issue):
            return outbox.on_wire(issue)
        with suppress(StoreFailed):
            return any(entry.sent for entry in self._local_state.store.outbox() if entry.op.issue == issue)
        return False

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
