"""Sending what a person did: when, in which batches, and what became of each Op.

Owns the hold (nothing leaves until the keys have rested), the claim in the store (so that two windows and a
crash never send twice), and the settling of lost answers, which are looked for on the server before anything
is sent again. It never decides what is shown: it tells the engine which Ops are done and which are refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from glboard_core.board.conflict import clashes
from glboard_core.board.op import Comment, Create, DeleteNote, Edit, Op, OpId, apply
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    EditForbidden,
    EditUnknown,
    GlboardError,
    StoreFailed,
)
from glboard_core.model.issue import Issue
from glboard_core.ports import Done, Outcome
from glboard_core.sync.pending import Item

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

#: The longest wait between two attempts, in seconds.
MAX_WAIT = 30.0
#: How often an Op whose answer was lost is sent again before a person is asked.
MAX_TRIES = 8
#: How long GitLab may go on with a request whose connection broke (its own limit is 30), in seconds.
SERVER_LIMIT = 35.0
#: How often a window that does not send looks whether it may, in seconds.
LEASE_CHECK = 1.0
#: What was read this long ago counts as fresh when a batch leaves, in seconds.
FRESH = 1.0


class Drain:
    """Empties the outbox."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wake = asyncio.Event()
        self._changed = asyncio.Condition()
        self._sending = 0
        self._failures = 0
        self._not_before = 0.0
        self.server_limit = SERVER_LIMIT
        #: The note that a comment Op became, so that it can be deleted again.
        self._notes: dict[OpId, str] = {}

    def wake(self) -> None:
        """Something changed: look again at what is to be sent."""
        self._wake.set()

    def hurry(self) -> None:
        """Try now, whatever was waited for (refresh, quitting)."""
        self._not_before = 0.0
        self._failures = 0
        self._engine.pending.hasten()
        self._wake.set()

    async def idle(self) -> None:
        """Wait until everything that can be sent is sent and answered. What clashes waits for a person."""
        async with self._changed:
            await self._changed.wait_for(self._at_rest)

    def _at_rest(self) -> bool:
        pending = self._engine.pending
        return not self._sending and not pending.lost() and pending.next_due(time.time()) is None

    async def run(self) -> None:
        """Send until cancelled. Batches of different issues travel side by side."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                wait = self._seconds_to_wait()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
                if not self._may_send():
                    continue
                for batch in self._batches():
                    self._sending += 1
                    tasks.create_task(self._deliver(batch), name="deliver")

    def _seconds_to_wait(self) -> float | None:
        engine = self._engine
        now = time.time()
        waits: list[float] = []
        due = engine.pending.next_due(now)
        if due is not None:
            waits.append(due)
        waits += [max(0.0, self._look_at(item) - now) for item in engine.pending.lost()]
        if not waits:
            return None
        wait = max(min(waits), self._not_before - now)
        if not engine.verified or not engine.store.lead():
            wait = max(wait, LEASE_CHECK)
        return wait

    def _may_send(self) -> bool:
        # Before the server said who we are nothing leaves; the catalog's arrival wakes us.
        return (
            self._engine.verified
            and time.time() >= self._not_before
            and bool(len(self._engine.pending))
            and self._engine.store.lead()
        )

    def _batches(self) -> list[list[Item]]:
        pending = self._engine.pending
        now = time.time()
        lost = [item for item in pending.lost() if self._look_at(item) <= now]
        for item in lost:
            item.under_way = True
        fresh = pending.take(now)
        return [batch for batch in (lost, fresh) if batch]

    def _look_at(self, item: Item) -> float:
        """When a lost Op may be looked for: what must not be there twice, not before the server gave up."""
        if isinstance(item.op.act, Create | Comment):
            return item.lost + self.server_limit
        return 0.0

    async def flush(self) -> None:
        """Send everything and see it answered: for commands. Raises what stops everything from being sent."""
        pending = self._engine.pending
        while len(pending):
            pending.hasten()
            batches = self._batches()
            if not batches and not pending.lost():
                return  # what is left waits for a person
            for batch in batches:
                try:
                    await self._attempt(batch)
                except (ConnectionFailed, AuthError):
                    self._return(batch)
                    raise
            if not batches:
                soonest = min(self._look_at(item) for item in pending.lost())
                await asyncio.sleep(max(0.05, soonest - time.time()))

    async def _deliver(self, batch: list[Item]) -> None:
        engine = self._engine
        try:
            await self._attempt(batch)
        except (ConnectionFailed, AuthError) as error:
            engine.unreachable(error, signed_out=isinstance(error, AuthError))
            self._failures += 1
            self._not_before = time.time() + min(MAX_WAIT, 2.0 ** min(self._failures - 1, 5))
            self._return(batch)
        except StoreFailed as error:
            # Nothing was sent: without a note on disk that it was, a crash would make us send it twice.
            engine.unreachable(error)
            self._not_before = time.time() + MAX_WAIT
            self._return(batch)
        except BaseException:
            engine.pending.put_back(batch)
            raise
        else:
            self._failures = 0
        finally:
            self._sending -= 1
            self._wake.set()
            async with self._changed:
                self._changed.notify_all()

    def _return(self, batch: Sequence[Item]) -> None:
        """Nothing was sent of these."""
        engine = self._engine
        back = [item for item in batch if item.op.id in engine.pending and not item.lost]
        try:
            engine.store.unclaim(item.op.id for item in back)
        except StoreFailed:
            for item in back:
                item.lost = time.time()  # the note on disk says "sent": believe it, and look first
        engine.pending.put_back(batch)

    async def _attempt(self, batch: Sequence[Item]) -> None:
        """Look for what was lost, send the rest. Raises ConnectionFailed or AuthError where nothing was."""
        lost = [item for item in batch if item.lost]
        if lost:
            await self._look(lost)
        fresh = [item for item in batch if not item.lost and item.op.id in self._engine.pending]
        fresh = [item for item in fresh if item.under_way]
        if fresh:
            await self._send(fresh)

    # Sending

    async def _send(self, items: Sequence[Item]) -> None:
        engine = self._engine
        await engine.mirror.freshen(FRESH)
        items = self._without_clashes(items)
        items = await self._with_description_checked(items)
        items = self._claimed(items)
        if not items:
            return
        catalog = engine.catalog
        if catalog is None:
            raise ConnectionFailed("Nothing has been read from GitLab yet.")
        known = engine.store.issues()
        confirmed = {item.op.issue: known[item.op.issue] for item in items if item.op.issue in known}
        ready, answered = await self._prepared([item.op for item in items])
        sent = time.time()
        outcomes = await engine.gateway.send(ready, confirmed, catalog) if ready else []
        engine.heard()
        by_op = {outcome.op: outcome for outcome in (*outcomes, *answered)}
        self._settle(items, [by_op[item.op.id] for item in items], sent)

    def _without_clashes(self, items: Sequence[Item]) -> list[Item]:
        """Those that overwrite nobody's change; the others wait, and all that follows on their issue."""
        engine = self._engine
        waiting: set[str] = set()
        going: list[Item] = []
        for item in items:
            issue = item.op.issue
            now = engine.folded_before(item)
            item.clashes = clashes(item.op, now) if now is not None and issue not in waiting else item.clashes
            if item.clashes or issue in waiting:
                waiting.add(issue)
                item.under_way = False
            else:
                going.append(item)
        if waiting:
            engine.clashed(waiting)
        return going

    async def _with_description_checked(self, items: Sequence[Item]) -> list[Item]:
        """A description is not part of the mirror, so it is read before it is overwritten."""
        going: list[Item] = []
        for item in items:
            act = item.op.act
            if isinstance(act, Edit) and act.description is not UNSET and act.description_was is not UNSET:
                detail = await self._engine.gateway.detail(item.op.issue)
                if detail.description not in (act.description_was, act.description):
                    item.under_way = False
                    self._engine.description_clashed(item, detail.description)
                    continue
            going.append(item)
        return going

    def _claimed(self, items: Sequence[Item]) -> list[Item]:
        """Those still in the outbox, marked there as sent. What another window took back is dropped."""
        engine = self._engine
        claimed = engine.store.claim([item.op.id for item in items], time.time())
        vanished = [item.op.id for item in items if item.op.id not in claimed]
        if vanished:
            engine.vanished(vanished)
        return [item for item in items if item.op.id in claimed]

    async def _prepared(self, ops: Sequence[Op]) -> tuple[list[Op], list[Outcome]]:
        """Fill in what is only known now: the note a comment became."""
        ready: list[Op] = []
        answered: list[Outcome] = []
        for op in ops:
            if isinstance(op.act, DeleteNote) and op.act.note is None:
                # After a restart it is not remembered which note it was, but the note bears the Op's mark.
                note = self._notes.get(op.act.of) or await self._engine.gateway.note_of(op.issue, op.act.of)
                if note is None:
                    answered.append(Done(op=op.id))  # the comment never was: there is nothing to delete
                    continue
                ready.append(structs.replace(op, act=structs.replace(op.act, note=note)))
            else:
                ready.append(op)
        return ready, answered

    def _settle(self, items: Sequence[Item], outcomes: Sequence[Outcome], sent: float) -> None:
        done: list[tuple[Op, Issue | None]] = []
        failed: list[tuple[Op, GlboardError, Issue | None]] = []
        for item, outcome in zip(items, outcomes, strict=True):
            item.under_way = False
            if isinstance(outcome, Done):
                self._made(item.op, outcome.note)
                done.append((item.op, outcome.issue))
            elif isinstance(outcome.error, EditUnknown):
                item.lost = sent
                item.tries += 1
            elif isinstance(outcome.error, ConnectionFailed | AuthError):
                # This one was not sent: back into the line, however often it takes.
                self._engine.unreachable(outcome.error, signed_out=isinstance(outcome.error, AuthError))
                self._engine.store.unclaim([item.op.id])
                item.tries += 1
                self._not_before = time.time() + min(MAX_WAIT, 2.0 ** min(item.tries, 5))
            else:
                failed.append((item.op, outcome.error, outcome.issue))
        if done or failed:
            self._engine.settle(done, failed)

    def _made(self, op: Op, note: str | None) -> None:
        if note is not None:
            self._notes[op.id] = note

    # Settling what was lost

    async def _look(self, items: Sequence[Item]) -> None:
        """What became of Ops whose answer was lost, by reading back. Raises ConnectionFailed, AuthError."""
        engine = self._engine
        done: list[tuple[Op, Issue | None]] = []
        failed: list[tuple[Op, GlboardError, Issue | None]] = []
        again: list[Item] = []
        existing = [item.op.issue for item in items if not item.op.issue.startswith("new:")]
        now = await engine.gateway.read(existing) if existing else {}
        for item in items:
            op, issue = item.op, now.get(item.op.issue)
            if isinstance(op.act, Create):
                made = await engine.gateway.created_by(op)
                if made is not None:
                    done.append((op, made))
                else:
                    again.append(item)
            elif issue is None:
                failed.append((op, EditForbidden("The issue is gone, or you may no longer see it."), None))
            elif isinstance(op.act, Comment):
                note = await engine.gateway.note_of(op.issue, op.id)
                if note is not None:
                    self._made(op, note)
                    done.append((op, issue))
                else:
                    again.append(item)
            elif isinstance(op.act, Edit) and apply(op.act, issue) == issue and op.act.description is UNSET:
                done.append((op, issue))
            elif item.tries >= MAX_TRIES:
                failed.append((op, _unknown(), issue))
            else:
                # An edit, a rank or the deletion of a note may be sent twice without harm.
                again.append(item)
        engine.heard()
        engine.confirm(now.values(), "answer", asked=None)
        for item in items:
            item.under_way = False
        if again:
            engine.store.unclaim(item.op.id for item in again)
            for item in again:
                item.lost = 0.0
                item.due = 0.0
        if done or failed:
            engine.settle(done, failed, result="settled")


def _unknown() -> EditUnknown:
    return EditUnknown(
        "The connection broke again and again before GitLab answered; the change may have been made.",
        hint="Look at the issue in GitLab, then try again or drop it in the list of failed changes (g f).",
    )
