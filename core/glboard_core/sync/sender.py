"""Sends the outbox: when, in which batches, and the outcome of each Op.

Owns the hold (nothing is sent until the keys have rested), the claim in the store (so that two processes or a
crash never send twice), and the recovery of lost answers: ``recovery.py`` checks the server before anything
is sent again. It never decides what is shown: it tells the engine which Ops are done and which failed.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from glboard_core.board.operations import Op, OpId
from glboard_core.errors import (
    NOT_LOADED,
    AuthError,
    ConnectionFailed,
    EditUnknown,
    GlboardError,
    RateLimited,
    StoreFailed,
)
from glboard_core.model.issue import Issue
from glboard_core.ports import Done, Outcome
from glboard_core.sync.conflicts import prepared, without_clashes
from glboard_core.sync.outbox import OutboxItem
from glboard_core.sync.processes import SendLease
from glboard_core.sync.recovery import look_for

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

#: Notes remembered by the Op that created them; older ones are found by their marker.
REMEMBERED = 1_000


class OutboxSender:
    """Sends the outbox."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timing = engine.timing
        self._wake = asyncio.Event()
        self._changed = asyncio.Condition()
        self._sending = 0
        self._failures = 0
        self._not_before = 0.0
        self._notes: OrderedDict[OpId, str] = OrderedDict()
        self._right = SendLease(engine)

    def wake(self) -> None:
        """Something changed: check again what can be sent."""
        self._wake.set()

    def hurry(self) -> None:
        """Try now, without further waiting (refresh, quitting)."""
        self._not_before = 0.0
        self._failures = 0
        self._engine.outbox.hasten()
        self._wake.set()

    async def idle(self) -> None:
        """Wait until everything that can be sent is sent and answered. Conflicts wait for a person."""
        async with self._changed:
            await self._changed.wait_for(self._at_rest)

    def _at_rest(self) -> bool:
        pending = self._engine.outbox
        return not self._sending and not pending.lost() and pending.next_due(time.time()) is None

    async def run(self) -> None:
        """Send until cancelled. Batches of different issues are sent concurrently."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._rest()
                    if self._may_send():
                        for batch in self._batches():
                            self._sending += 1
                            tasks.create_task(self._deliver(batch), name="deliver")
        finally:
            self._engine.store.release_lease()

    async def _rest(self) -> None:
        """Wait until something can be sent, or something changed."""
        try:
            async with asyncio.timeout(self._seconds_to_wait()):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        async with self._changed:
            self._changed.notify_all()

    def signed_out(self) -> None:
        """The server rejects our token: give up the send lease until it accepts us again."""
        self._right.lose()
        self._wake.set()

    def let_in(self) -> None:
        """The server answered: this process can send again."""
        if self._right.regain():
            self._wake.set()

    def _seconds_to_wait(self) -> float | None:
        if not self._sending:
            # Not before all is answered: another process would run recovery, and send it a second time.
            self._right.step_back()
        now = time.time()
        wait = self._next(now)
        if wait is None or self._engine.read_only:
            return None
        wait = max(wait, self._not_before - now)
        return wait if self._right.held() else max(wait, self._timing.lease_check)

    def _next(self, now: float) -> float | None:
        """Seconds until something can be sent or recovered; None if all waits for a person."""
        due = self._engine.outbox.next_due(now)
        waits = [] if due is None else [due]
        waits += [max(0.0, self._look_at(item) - now) for item in self._engine.outbox.lost()]
        return min(waits, default=None)

    def _may_send(self) -> bool:
        ready = time.time() >= self._not_before and bool(len(self._engine.outbox))
        return ready and self._right.held()

    def _batches(self) -> list[list[OutboxItem]]:
        pending = self._engine.outbox
        now = time.time()
        lost = [item for item in pending.lost() if self._look_at(item) <= now]
        for item in lost:
            item.under_way = True
        fresh = pending.take(now)
        return [batch for batch in (lost, fresh) if batch]

    def _look_at(self, item: OutboxItem) -> float:
        """When recovery of a lost Op can start: what must not exist twice, after the server's timeout.

        Anything else starts at once, since it mostly succeeded; if not, again after the server's timeout.
        """
        if not item.op.change.repeatable:
            return self._given_up_at(item)
        return item.due

    def _given_up_at(self, item: OutboxItem) -> float:
        """When the server no longer carries out a request whose answer was lost."""
        return item.lost + self._timing.server_limit

    async def flush(self) -> None:
        """Send everything and wait for the answers: for commands. Raises what prevents sending altogether."""
        pending = self._engine.outbox
        pending.hasten()
        while len(pending):
            batches = self._batches()
            for batch in batches:
                try:
                    unsent = await self._attempt(batch)
                except GlboardError:
                    self._return(batch)
                    raise
                if unsent is not None and not isinstance(unsent, RateLimited):
                    raise unsent
            if not batches:
                wait = self._next(time.time())
                if wait is None:
                    return  # the rest waits for a person
                await asyncio.sleep(max(0.02, wait))

    async def _deliver(self, batch: list[OutboxItem]) -> None:
        engine = self._engine
        try:
            unsent = await self._attempt(batch)
        except StoreFailed as error:
            # Without "sent" on disk, a crash would make us send it twice: so send nothing.
            engine.disk_failed(error)
            self._not_before = time.time() + self._timing.longest_wait
            self._return(batch)
        except GlboardError as error:
            self._stopped(error)
            self._return(batch)
        except BaseException:
            engine.outbox.put_back(batch)
            raise
        else:
            if unsent is None:
                self._failures = 0
            elif not isinstance(unsent, RateLimited):
                self._stopped(unsent)
        finally:
            self._sending -= 1
            self._wake.set()

    def _stopped(self, error: GlboardError) -> None:
        if isinstance(error, AuthError):
            self._engine.poller.hasten()  # check whether it is permanent: then another process can send
        self._engine.unreachable(error, signed_out=isinstance(error, AuthError))
        self._failures += 1
        wait = self._timing.wait(self._failures)
        if isinstance(error, RateLimited):
            wait = max(wait, error.retry_after)
        self._not_before = time.time() + wait

    def _return(self, batch: Sequence[OutboxItem]) -> None:
        """None of these was sent; those lost before still are."""
        back = [item for item in batch if item.op.id in self._engine.outbox and not item.lost]
        self._unclaim([item for item in back if item.sent])
        self._engine.outbox.put_back(batch)

    def _unclaim(self, items: Sequence[OutboxItem]) -> None:
        if not items:
            return
        try:
            self._engine.store.unclaim(item.op.id for item in items)
        except StoreFailed as error:
            self._engine.disk_failed(error)
            for item in items:
                item.lost = time.time()  # "sent" on disk: trust it, and run recovery first

    async def _attempt(self, batch: Sequence[OutboxItem]) -> GlboardError | None:
        """Recover lost Ops, or send; returns why some were not sent, if any.

        Raises what the gateway raises if nothing was sent, and StoreFailed.
        """
        if any(item.lost for item in batch):
            await self._look([item for item in batch if item.op.id in self._engine.outbox])
            return None
        return await self._send([item for item in batch if item.op.id in self._engine.outbox])

    # Sending

    async def _send(self, items: Sequence[OutboxItem]) -> GlboardError | None:
        engine = self._engine
        # Slow steps come first: others may change an issue between our check and our write.
        me = engine.catalog.me.username if engine.catalog is not None else ""
        ready, answered = await prepared([item.op for item in items], self._notes, engine.gateway, me)
        edited = [item.op.issue for item in items if item.op.before is not None and item.op.change.as_edit]
        await engine.poller.freshen(self._timing.fresh, edited)
        items = await without_clashes(engine, items)
        items = self._claimed(items)
        catalog = engine.catalog
        if not items:
            return None
        if catalog is None:
            raise ConnectionFailed(NOT_LOADED)
        known = engine.store.issues()
        confirmed = {item.op.issue: known[item.op.issue] for item in items if item.op.issue in known}
        leaving = [ready[item.op.id] for item in items if item.op.id in ready]
        outcomes = await engine.gateway.send(leaving, confirmed, catalog) if leaving else []
        engine.heard()
        by_op = {outcome.op: outcome for outcome in (*outcomes, *answered)}
        return self._settle([(item, by_op[item.op.id]) for item in items])

    def _claimed(self, items: Sequence[OutboxItem]) -> list[OutboxItem]:
        """Those still in the outbox, marked there as sent. What another process withdrew is dropped.

        What follows one that another process sends stays: it would overtake it.
        """
        engine = self._engine
        now = time.time()
        claimed = engine.store.claim([item.op.id for item in items], now) if items else frozenset()
        vanished = [item.op.id for item in items if item.op.id not in claimed]
        if vanished:
            engine.vanished(vanished)
        behind = {item.op.issue for item in items if item.lost}
        stays = [item for item in items if item.op.id in claimed and item.op.issue in behind]
        self._unclaim(stays)
        engine.outbox.put_back(stays)
        going = [item for item in items if item.op.id in claimed and item.op.issue not in behind]
        for item in going:
            item.sent = now
            item.claimed = item.claimed or now
        return going

    def _settle(self, answers: Sequence[tuple[OutboxItem, Outcome]]) -> GlboardError | None:
        """Process the outcomes; returns why some were not sent, if any."""
        done: list[tuple[Op, Issue | None]] = []
        failed: list[tuple[Op, GlboardError, Issue | None]] = []
        answered: list[OutboxItem] = []
        unsent: list[OutboxItem] = []
        lost: set[str] = set()
        stopped: GlboardError | None = None
        now = time.time()
        for item, outcome in answers:
            item.under_way = False
            if isinstance(outcome, Done):
                answered.append(item)
                self._made(item.op.id, outcome.note)
                done.append((item.op, outcome.issue))
            elif isinstance(outcome.error, EditUnknown):
                # From now, not from when sending began: a rate limit may have delayed it.
                item.lost = now
                item.tries += 1
                lost.add(item.op.issue)
            elif isinstance(outcome.error, ConnectionFailed | AuthError):
                # This one was not sent: back into the outbox, however often it takes.
                unsent.append(item)
                item.claimed = item.claimed if item.tries else 0.0
                if item.op.issue not in lost:
                    item.due = now + self._wait_after(outcome.error)
                    stopped = outcome.error
            else:
                answered.append(item)
                failed.append((item.op, outcome.error, outcome.issue))
        self._unclaim(unsent)
        self._finish(answered, done, failed, "done")
        for item, _ in answers:
            item.sent = 0.0
        return stopped

    def _finish(
        self,
        items: Sequence[OutboxItem],
        done: Sequence[tuple[Op, Issue | None]],
        failed: Sequence[tuple[Op, GlboardError, Issue | None]],
        result: str,
    ) -> None:
        if not items:
            return
        try:
            self._engine.settle(done, failed, result=result)
        except StoreFailed as error:
            # The outcomes could not be saved: treat the answer as lost.
            self._engine.disk_failed(error)
            self._not_before = time.time() + self._timing.longest_wait
            for item in items:
                item.lost = time.time()

    def _wait_after(self, error: GlboardError) -> float:
        return error.retry_after if isinstance(error, RateLimited) else self._timing.first_wait

    def _made(self, op: OpId, note: str | None) -> None:
        if note is not None:
            self._notes[op] = note
            if len(self._notes) > REMEMBERED:
                self._notes.popitem(last=False)

    # Recovery

    async def _look(self, items: Sequence[OutboxItem]) -> None:
        """Recover Ops whose answer was lost. Raises what the gateway raises, and StoreFailed."""
        engine = self._engine
        me = engine.catalog.me.username if engine.catalog else ""
        looked = time.time()
        found = await look_for(items, engine.gateway, me)
        engine.heard()
        for op, note in found.notes.items():
            self._made(op, note)
        engine.confirm((i for i in found.now.values() if engine.store.issue(i.id) is not None), "answer")
        # Carried out late, it would go over what is sent from here on: so not before that cannot happen.
        again = [item for item in found.again if self._given_up_at(item) <= looked]
        if again:
            engine.store.unclaim(item.op.id for item in again)
        for item in items:
            item.under_way = False
        for item in found.again:
            item.due = self._given_up_at(item)
        for item in again:
            item.tries = max(item.tries, 1)  # also if the answer was lost in an earlier session
            item.lost = 0.0
            item.due = 0.0
        over = {op.id for op, _ in found.done} | {op.id for op, _, _ in found.failed}
        self._finish([item for item in items if item.op.id in over], found.done, found.failed, "settled")
