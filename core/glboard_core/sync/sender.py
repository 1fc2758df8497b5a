"""Sends the outbox: decides when and in which batches, and handles the response to each Op.

Owns the hold (nothing is sent until the keyboard is idle), the claim in the store (so that two processes or a
crash never send twice), and the recovery of lost responses: ``recovery.py`` checks the server before anything
is sent again. Only the process with the send lease (``processes.py``) sends.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from msgspec import structs

from glboard_core.board.operations import Change, NoteSought, Op, OpId
from glboard_core.errors import (
    NOT_LOADED,
    AuthError,
    ConnectionFailed,
    EditCrashed,
    EditGone,
    EditUnknown,
    GlboardError,
    GroupNotFound,
    QueryRefused,
    RateLimited,
    StoreFailed,
)
from glboard_core.model.issue import IssueId
from glboard_core.ports import Done, Gateway, Outcome
from glboard_core.purpose import with_purpose
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import ServerAnswer
from glboard_core.sync.manual_order import concerned, made_way, near
from glboard_core.sync.outbox import Batch, OutboxItem
from glboard_core.sync.poller import Poller
from glboard_core.sync.processes import OtherProcesses, SendLease
from glboard_core.sync.recovery import recover
from glboard_core.sync.status import SyncStatus
from glboard_core.sync.timing import Timing

#: Ops sent after one check for changes by others: about ten seconds' worth.
MOST_AT_ONCE = 50
#: Notes remembered by the Op that created them; older ones are found by their marker.
REMEMBERED = 1_000


class OutboxSender:
    """Sends the outbox. Set ``wake`` when something changed that can be sent."""

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        poller: Poller,
        others: OtherProcesses,
        lease: SendLease,
        status: SyncStatus,
        timing: Timing,
        wake: asyncio.Event,
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._store = local_state.store
        self._outbox = local_state.outbox
        self._poller = poller
        self._others = others
        self._lease = lease
        self._status = status
        self._timing = timing
        self._wake = wake
        self._rested = asyncio.Condition()
        self._sending = 0
        self._failures = 0
        self._not_before = 0.0
        self._notes: OrderedDict[OpId, str] = OrderedDict()
        self._respaced: list[IssueId] = []
        #: The other issues of links that were just changed.
        self._linked: list[IssueId] = []

    def hurry(self) -> None:
        """Try now, without further waiting (refresh, quitting)."""
        self._not_before = 0.0
        self._failures = 0
        self._outbox.stop_holding()
        self._wake.set()

    async def idle(self) -> None:
        """Wait until everything that can be sent is sent and answered. Conflicts wait for a person."""
        async with self._rested:
            await self._rested.wait_for(self._is_idle)

    def _is_idle(self) -> bool:
        outbox = self._outbox
        return not self._sending and not outbox.unanswered() and outbox.next_due(time.time()) is None

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
            self._lease.release()

    async def flush(self, ops: Collection[OpId] = ()) -> None:
        """Send what is in the outbox now and wait for the answers to these Ops, or to all: for commands.

        What an earlier session left is sent too, but an answer that it lost is not waited for. If another
        process has the send lease, it sends, and this one waits. Raises what prevents sending altogether, and
        ConnectionFailed if the other process does not send.
        """
        self._outbox.stop_holding()
        wanted = set(ops) or {op.id for op in self._outbox}
        give_up = time.time() + self._timing.longest_flush
        try:
            while any(op in self._outbox for op in wanted):
                wait = self._next(time.time())
                if wait is None or self._waits_for_a_person(wanted):
                    return
                if self._lease.held():
                    await self._flush_once(wait)
                    self._poller.learn_names()
                elif time.time() < give_up:
                    await asyncio.sleep(self._timing.lease_check)
                    self._others.adopt()
                else:
                    raise ConnectionFailed(
                        "Another glboard session is still sending changes.",
                        hint="Your changes are queued there. Check that session, or close it and try again.",
                    )
        finally:
            self._lease.release()

    def _waits_for_a_person(self, wanted: Collection[OpId]) -> bool:
        left = [item.op for op in wanted if (item := self._outbox.item(op)) is not None]
        return all(self._outbox.conflicting(op.issue) for op in left)

    async def _flush_once(self, wait: float) -> None:
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
            await asyncio.sleep(max(0.02, wait))

    # When

    async def _rest(self) -> None:
        """Wait until something can be sent, or something changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_to_wait()):
                await self._wake.wait()
        self._wake.clear()
        async with self._rested:
            self._rested.notify_all()

    def _seconds_to_wait(self) -> float | None:
        if not self._sending:
            # Not before all is answered: another process would run recovery, and send it a second time.
            self._lease.release_if_not_allowed()
        now = time.time()
        wait = self._next(now)
        if wait is None or self._lease.read_only:
            return None
        wait = max(wait, self._not_before - now)
        return wait if self._lease.held() else max(wait, self._timing.lease_check)

    def _next(self, now: float) -> float | None:
        """Seconds until something can be sent or recovered; None if all waits for a person."""
        due = self._outbox.next_due(now)
        waits = [] if due is None else [due]
        waits += [max(0.0, self._recovery_at(item) - now) for item in self._outbox.unanswered()]
        return min(waits, default=None)

    def _may_send(self) -> bool:
        ready = time.time() >= self._not_before and bool(len(self._outbox))
        return ready and self._lease.held()

    def _batches(self) -> list[Batch]:
        now = time.time()
        unanswered = [item for item in self._outbox.unanswered() if self._recovery_at(item) <= now]
        fresh = self._outbox.due(now)
        # Ops that made the server fail are sent alone, so that they cannot fail others.
        alone = [[item] for item in fresh if item.goes_alone]
        together = [item for item in fresh if not item.goes_alone]
        return [self._outbox.take(items) for items in (unanswered, together, *alone) if items]

    def _recovery_at(self, item: OutboxItem) -> float:
        """When recovery of a lost answer can start: what must not exist twice, after the server's timeout.

        Anything else starts at once, since it mostly succeeded; if not, again after the server's timeout.
        """
        if not item.op.change.repeatable:
            return self._server_done_at(item)
        return item.due

    def _server_done_at(self, item: OutboxItem) -> float:
        """When the server has stopped processing a request whose response was lost, or that failed."""
        return item.lost_at if item.crashed else item.lost_at + self._timing.server_limit

    # One batch

    async def _deliver(self, batch: Batch) -> None:
        try:
            unsent = await self._attempt(batch)
        except StoreFailed as error:
            # Without "sent" on disk, a crash would make us send it twice: so send nothing.
            self._disk_failed(error)
            self._return(batch)
        except GlboardError as error:
            self._pause(error)
            self._return(batch)
        except BaseException:
            batch.put_back()
            raise
        else:
            if unsent is None:
                self._failures = 0
            elif not isinstance(unsent, RateLimited):
                self._pause(unsent)
        finally:
            self._sending -= 1
            self._wake.set()

    def _pause(self, error: GlboardError) -> None:
        """Sending failed altogether: try again later, each time after a longer wait."""
        if isinstance(error, AuthError | GroupNotFound):
            # Permanent, so that another process can send? Or is the group called otherwise now?
            self._poller.poll_soon()
        self._status.unreachable(error)
        self._failures += 1
        wait = self._timing.wait(self._failures)
        if isinstance(error, RateLimited):
            wait = max(wait, error.retry_after)
        self._not_before = time.time() + wait
        self._status.update(next_try=wait)

    def _disk_failed(self, error: StoreFailed) -> None:
        self._status.disk_failed(error)
        self._not_before = time.time() + self._timing.longest_wait

    def _return(self, batch: Batch) -> None:
        """None of what is left of it was sent; what is without an answer still has none."""
        back = [item for item in batch.items if item.op.id in self._outbox and not item.lost_at]
        self._unclaim([item for item in back if item.sent_at])
        batch.put_back()

    def _unclaim(self, items: Sequence[OutboxItem]) -> None:
        if not items:
            return
        try:
            self._store.unclaim(item.op.id for item in items)
        except StoreFailed as error:
            self._status.disk_failed(error)
            for item in items:
                item.lost_at = time.time()  # "sent" on disk: trust it, and run recovery first

    @with_purpose("change")
    async def _attempt(self, batch: Batch) -> GlboardError | None:
        """Recover Ops without an answer, or send; returns why some were not sent, if any.

        Raises what the gateway raises if nothing was sent, and StoreFailed.
        """
        if not (items := [item for item in batch.items if item.op.id in self._outbox]):
            return None
        if any(item.lost_at for item in items):
            await self._recover(items)
            return None
        for part, rest in self._parts(items):
            stopped = await self._send([item for item in part if item.op.id in self._outbox])
            if stopped is not None:
                wait = self._wait_after(stopped)
                for item in rest:
                    item.due = max(item.due, time.time() + wait)
                    item.release()
                return stopped
        return None

    def _parts(
        self, items: Sequence[OutboxItem]
    ) -> Iterator[tuple[Sequence[OutboxItem], Sequence[OutboxItem]]]:
        """The items in parts that are sent one after the other, each with what follows it.

        What is overwritten is checked before each part, and must not be long ago. Items that keep an order
        among themselves stay together: those of one issue, and changes of the manual order.
        """
        ranked = {item.op.issue for item in items if item.op.change.one_at_a_time}
        lanes: dict[str, list[OutboxItem]] = {}
        for item in items:
            lanes.setdefault("" if item.op.issue in ranked else item.op.issue, []).append(item)
        ordered = [item for lane in lanes.values() for item in lane]
        part: list[OutboxItem] = []
        for lane in lanes.values():
            if part and len(part) + len(lane) > MOST_AT_ONCE:
                ordered = ordered[len(part) :]
                yield part, ordered
                part = []
            part += lane
        yield part, ()

    @property
    def _me(self) -> str:
        catalog = self._store.catalog()
        return catalog.me.username if catalog is not None else ""

    # Sending

    async def _send(self, items: Sequence[OutboxItem]) -> GlboardError | None:
        # Slow steps come first: others may change an issue between our check and our write.
        ready, answered = await self._with_notes([item.op for item in items])
        edited = [item.op.issue for item in items if item.op.before is not None and item.op.change.as_edit]
        await self._poller.prepare(self._timing.fresh, edited, [item.op for item in items])
        items, waiting = await self._local_state.conflicts.check(items, self._gateway)
        if waiting:
            self._local_state.conflicts_changed(waiting)
        items = self._claim(items)
        if not items:
            return None
        catalog = self._store.catalog()
        if catalog is None:
            raise ConnectionFailed(NOT_LOADED, hint="Open the board once, then try again.")
        known = self._store.issues()
        issues = [item.op.issue for item in items]
        issues += concerned([item.op for item in items], known)
        confirmed = {issue: known[issue] for issue in issues if issue in known}
        leaving = [ready[item.op.id] for item in items if item.op.id in ready]
        by_op = {item.op.id: item for item in items}
        settled: set[OpId] = set()

        def report(final: Sequence[Outcome]) -> None:
            # Each as its document is answered: a hundred cards take a while.
            self._status.answered()
            settled.update(outcome.op for outcome in final)
            self._settle([(by_op[outcome.op], outcome) for outcome in final])

        outcomes = await self._gateway.send(leaving, confirmed, catalog, report) if leaving else []
        self._status.answered()
        rest = [outcome for outcome in (*outcomes, *answered) if outcome.op not in settled]
        stopped = self._settle([(by_op[outcome.op], outcome) for outcome in rest])
        await self._read_places()
        await self._read_linked()
        return stopped

    async def _read_linked(self) -> None:
        """Read the other issues of changed links: GitLab does not update their ``updated_at``."""
        linked, self._linked = self._linked, []
        known = self._store.issues()
        if not (issues := [issue for issue in dict.fromkeys(linked) if issue in known]):
            return
        # What cannot be read now is found by the next reconcile.
        with suppress(ConnectionFailed, AuthError, QueryRefused):
            found = await self._gateway.read(issues, known)
            self._local_state.confirm(found.values(), "answer")

    async def _read_places(self) -> None:
        """Read the positions of issues near one that was ranked, since GitLab may have moved them."""
        moved, self._respaced = self._respaced, []
        known = self._store.issues()
        if not moved or not (issues := near(moved, known)):
            return
        # What cannot be read now is found by the next reconcile.
        with suppress(ConnectionFailed, AuthError, QueryRefused):
            found = await self._gateway.read(issues, {issue: known[issue] for issue in issues})
            places = {one.id: one.position for one in found.values() if one.position is not None}
            self._local_state.place(places)

    async def _with_notes(self, ops: Sequence[Op]) -> tuple[dict[OpId, Op], list[Outcome]]:
        """Fill in values known only now: the note a comment created, or the one to be updated.

        Ops that need no sending are answered here.
        """
        ready: dict[OpId, Op] = {}
        answered: list[Outcome] = []
        for op in ops:
            change: Change | None = op.change
            if (sought := op.change.note_sought) is not None:
                change = op.change.with_note(await self._find_note(sought, op.issue))
            if change is None:
                answered.append(Done(op=op.id))
            else:
                ready[op.id] = structs.replace(op, change=change)
        return ready, answered

    async def _find_note(self, sought: NoteSought, issue: IssueId) -> str | None:
        if sought.mark or sought.of is None:
            there = await self._gateway.marked_note(issue, sought.mark, self._me)
            return there.id if there else None
        # After a restart the note's id is unknown, but the note has the Op's marker.
        return self._notes.get(sought.of) or await self._gateway.note_of(issue, sought.of)

    def _claim(self, items: Sequence[OutboxItem]) -> list[OutboxItem]:
        """Those still in the outbox, marked there as sent. What another process withdrew is dropped.

        What follows one that another process sends stays: it would overtake it.
        """
        now = time.time()
        claimed = self._store.claim([item.op.id for item in items], now) if items else frozenset()
        if not_claimed := [item.op.id for item in items if item.op.id not in claimed]:
            self._others.not_claimed(not_claimed)
        behind = {item.op.issue for item in items if item.lost_at}
        stays = [item for item in items if item.op.id in claimed and item.op.issue in behind]
        self._unclaim(stays)
        for item in stays:
            item.release()
        going = [item for item in items if item.op.id in claimed and item.op.issue not in behind]
        for item in going:
            item.sent_at = now
            item.claimed_at = item.claimed_at or now
        return going

    def _settle(self, outcomes: Sequence[tuple[OutboxItem, Outcome]]) -> GlboardError | None:
        """Process the outcomes; returns why some were not sent, if any."""
        answers: list[ServerAnswer] = []
        unsent: list[OutboxItem] = []
        lost: set[IssueId] = set()
        stopped: GlboardError | None = None
        now = time.time()
        for item, outcome in outcomes:
            item.batch = 0
            if isinstance(outcome, Done):
                self._remember_note(item.op.id, outcome.note)
                self._linked += [link.other] if (link := item.op.change.link_wanted) is not None else []
                answers.append(ServerAnswer(item.op, outcome.issue))
            elif isinstance(outcome.error, EditUnknown):
                # From now, not from when sending began: a rate limit may have delayed it.
                item.lost_at = now
                item.tries += 1
                item.crashed = isinstance(outcome.error, EditCrashed)
                item.goes_alone |= item.crashed
                item.crashes += isinstance(outcome.error, EditCrashed) and outcome.error.alone
                lost.add(item.op.issue)
            elif isinstance(outcome.error, ConnectionFailed | AuthError | GroupNotFound):
                # This one was not sent: back into the outbox, however often it takes.
                unsent.append(item)
                item.claimed_at = item.claimed_at if item.tries else 0.0
                if item.op.issue not in lost:
                    item.due = now + self._wait_after(outcome.error)
                    stopped = outcome.error
            else:
                answers.append(ServerAnswer(item.op, outcome.issue, outcome.error))
        self._unclaim(unsent)
        # By what was known before the answer is taken over.
        ranked = [(answer.op, answer.issue) for answer in answers if answer.issue and not answer.error]
        if made_way(ranked, self._store.issues()):
            self._respaced += [op.issue for op, _ in ranked]
        self._save(answers, [item for item, _ in outcomes], "done")
        for item, outcome in outcomes:
            self._local_state.place(outcome.places)
            if outcome.respaced:
                self._respaced += [item.op.issue, *outcome.places]
        self._local_state.remove(answer.op.issue for answer in answers if isinstance(answer.error, EditGone))
        for item, _ in outcomes:
            item.release()
        return stopped

    def _save(self, answers: Sequence[ServerAnswer], items: Sequence[OutboxItem], result: str) -> None:
        """Save the answers to some of these items."""
        if not answers:
            return
        try:
            self._local_state.settle(answers, result=result)
        except StoreFailed as error:
            # Treat the answers as lost.
            self._disk_failed(error)
            answered = {answer.op.id for answer in answers}
            for item in items:
                if item.op.id in answered:
                    item.lost_at = time.time()
        else:
            self._status.disk_works()

    def _wait_after(self, error: GlboardError) -> float:
        return error.retry_after if isinstance(error, RateLimited) else self._timing.first_wait

    def _remember_note(self, op: OpId, note: str | None) -> None:
        if note is not None:
            self._notes[op] = note
            if len(self._notes) > REMEMBERED:
                self._notes.popitem(last=False)

    # Recovery

    async def _recover(self, items: Sequence[OutboxItem]) -> None:
        """Find out about Ops whose answer was lost. Raises what the gateway raises, and StoreFailed."""
        started = time.time()
        found = await recover(items, self._gateway, self._me)
        self._status.answered()
        for op, note in found.notes.items():
            self._remember_note(op, note)
        known = [issue for issue in found.now.values() if self._store.issue(issue.id) is not None]
        self._local_state.confirm(known, "answer")
        # Carried out late, it would go over what is sent from here on: so not before that cannot happen.
        again = [item for item in found.again if self._server_done_at(item) <= started]
        if again:
            self._store.unclaim(item.op.id for item in again)
        for item in items:
            item.release()
        for item in found.again:
            item.due = self._server_done_at(item)
        for item in again:
            item.tries = max(item.tries, 1)  # also if the answer was lost in an earlier session
            item.lost_at = 0.0
            item.due = time.time() + self._timing.first_wait if item.crashed else 0.0
        self._save(found.answers, items, "settled")
