"""Sending what a person did: batches from the outbox, and what became of each Op.

Owns when to send, when to try again, and how a lost answer is settled. It never decides what is shown: it
tells the engine which Ops are done and which are refused. A refused Op is never tried again by itself; one
whose answer was lost is looked for on the server first, so that nothing is done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from glboard_core.board.op import Comment, Create, DeleteNote, Edit, Op, OpId, apply
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    EditForbidden,
    EditUnknown,
    GlboardError,
)
from glboard_core.model.issue import Issue
from glboard_core.ports import Done, Outcome

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine

#: Seconds to wait for further keys before sending, so that a burst of edits travels together.
HOLD = 0.15
#: The longest wait between two attempts, in seconds.
MAX_WAIT = 30.0
#: How often an Op whose answer was lost is sent again before a person is asked.
MAX_TRIES = 5


class Drain:
    """Empties the outbox."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        if not len(engine.pending):
            self._quiet.set()
        else:
            self._wake.set()
        self._sending = 0
        self._failures = 0
        #: The note that a comment Op became, so that it can be deleted again.
        self._notes: dict[OpId, str] = {}

    def wake(self) -> None:
        """There is something to send."""
        if len(self._engine.pending):
            self._quiet.clear()
            self._wake.set()
        elif not self._sending:
            self._quiet.set()

    async def idle(self) -> None:
        """Wait until everything is sent and answered."""
        await self._quiet.wait()

    async def run(self) -> None:
        """Send until cancelled. Batches of different issues travel side by side with those under way."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._wake.wait()
                await asyncio.sleep(HOLD)
                self._wake.clear()
                if self._engine.catalog is None:
                    # Ids are not known yet; the catalog's arrival wakes us again.
                    await asyncio.sleep(HOLD)
                    self._wake.set()
                    continue
                batch = self._engine.pending.take()
                if batch:
                    self._sending += 1
                    tasks.create_task(self._deliver(batch), name="deliver")

    async def flush(self) -> None:
        """Send what is there now, once: for commands. Raises what stops everything from being sent."""
        while batch := self._engine.pending.take():
            outcomes = await self._send(batch)
            await self._settle(batch, outcomes)

    async def _deliver(self, batch: Sequence[Op]) -> None:
        engine = self._engine
        try:
            outcomes = await self._send(batch)
        except (ConnectionFailed, AuthError) as error:
            engine.unreachable(error, signed_out=isinstance(error, AuthError))
            await self._wait_and_retry(batch)
        except asyncio.CancelledError:
            engine.pending.put_back(op.id for op in batch)
            raise
        else:
            self._failures = 0
            engine.heard()
            await self._settle(batch, outcomes)
        finally:
            self._sending -= 1
            if len(engine.pending):
                self._wake.set()
            elif not self._sending:
                self._quiet.set()

    async def _wait_and_retry(self, batch: Sequence[Op]) -> None:
        self._failures += 1
        await asyncio.sleep(min(MAX_WAIT, 2.0 ** min(self._failures - 1, 5)))
        self._engine.pending.put_back(op.id for op in batch)

    async def _send(self, batch: Sequence[Op]) -> list[Outcome]:
        engine = self._engine
        catalog = engine.catalog
        if catalog is None:
            raise ConnectionFailed("Nothing has been read from GitLab yet.")
        known = engine.store.issues()
        confirmed = {op.issue: known[op.issue] for op in batch if op.issue in known}
        ready, refused = self._prepared(batch)
        outcomes = await engine.gateway.send(ready, confirmed, catalog) if ready else []
        by_op = {outcome.op: outcome for outcome in (*outcomes, *refused)}
        return [by_op[op.id] for op in batch]

    def _prepared(self, batch: Sequence[Op]) -> tuple[list[Op], list[Outcome]]:
        """Fill in what is only known now: the note a comment became."""
        ready: list[Op] = []
        refused: list[Outcome] = []
        for op in batch:
            if isinstance(op.act, DeleteNote) and op.act.note is None:
                note = self._notes.get(op.act.of)
                if note is None:
                    refused.append(Done(op=op.id))  # the comment never was: there is nothing to delete
                    continue
                ready.append(structs.replace(op, act=structs.replace(op.act, note=note)))
            else:
                ready.append(op)
        return ready, refused

    async def _settle(self, batch: Sequence[Op], outcomes: Sequence[Outcome]) -> None:
        done: list[tuple[Op, Issue | None]] = []
        failed: list[tuple[Op, GlboardError, Issue | None]] = []
        lost: list[Op] = []
        for op, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Done):
                if outcome.note is not None:
                    self._notes[op.id] = outcome.note
                done.append((op, outcome.issue))
            elif isinstance(outcome.error, EditUnknown):
                lost.append(op)
            else:
                failed.append((op, outcome.error, outcome.issue))
        if lost:
            found, refused = await self._look(lost)
            done += found
            failed += refused
        if done or failed:
            self._engine.settle(done, failed)

    async def _look(
        self, lost: Sequence[Op]
    ) -> tuple[list[tuple[Op, Issue | None]], list[tuple[Op, GlboardError, Issue | None]]]:
        """What became of Ops whose answer was lost, by reading the issues back."""
        engine = self._engine
        done: list[tuple[Op, Issue | None]] = []
        # Sent twice, these would be there twice: a person has to look.
        once = [op for op in lost if isinstance(op.act, Create | Comment)]
        failed: list[tuple[Op, GlboardError, Issue | None]] = [(op, _unknown(op), None) for op in once]
        lost = [op for op in lost if op not in once]
        try:
            now = await engine.gateway.read([op.issue for op in lost]) if lost else {}
        except (ConnectionFailed, AuthError) as error:
            engine.unreachable(error, signed_out=isinstance(error, AuthError))
            await self._wait_and_retry(lost)
            return done, failed
        again: list[OpId] = []
        for op in lost:
            issue = now.get(op.issue)
            if issue is None:
                failed.append((op, EditForbidden("The issue is gone, or you may no longer see it."), None))
            elif isinstance(op.act, Edit) and apply(op.act, issue) == issue and not _unseen(op.act):
                done.append((op, issue))
            elif engine.pending.tried(op.id) >= MAX_TRIES:
                failed.append((op, _unknown(op), issue))
            else:
                # An edit, a rank or the deletion of a note may be sent twice without harm.
                engine.confirm((issue,), "answer")
                again.append(op.id)
        engine.pending.put_back(again)
        return done, failed


def _unseen(edit: Edit) -> bool:
    """Whether an edit has a part that the slim issue does not show."""
    return bool(edit.description)


def _unknown(op: Op) -> EditUnknown:
    what = "comment" if isinstance(op.act, Comment) else "new issue" if isinstance(op.act, Create) else "edit"
    return EditUnknown(
        f"The connection broke before GitLab answered; the {what} may have been made.",
        hint="Look at the issue in GitLab, then try again from the list of failed changes (g f) or drop it.",
    )
