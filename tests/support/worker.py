"""A glboard process without a screen, to be killed: it edits at random and reports what it saved.

Run as ``python -m support.worker JOB`` with a ``Job`` in JSON. Each line it prints is a ``Progress``: what is
in the outbox from then on, and what was withdrawn unsent. It stops by itself after ``edits`` edits once
nothing is left to send; with ``edits = 0`` it only sends what it finds.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from glboard_core.board.operations import Change, Comment, Create, Edit, Op, OpId, new_issue_id
from glboard_core.config import Settings, SyncSettings
from glboard_core.errors import GlboardError
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.model.issue import IssueId
from glboard_core.ports import Logged, OutboxEntry
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_core.sync.timing import Timing

GROUP_LABEL = "group::custom models"


class Job(Struct, frozen=True, kw_only=True):
    """What to do. ``first`` is the first number for weights, bodies and titles: each is used once."""

    url: str
    token: str
    state: str
    seed: int
    first: int
    edits: int
    server_limit: float = 0.8
    #: Seconds without anything to send after which it ends, in a file that others write too.
    linger: float = 0.0
    #: Whether it settles what waits for a choice before it ends.
    choose: bool = False
    #: Issues to edit, from top/app#1 on.
    issues: int = 12


class Progress(Struct, frozen=True, kw_only=True):
    """One line: Ops saved, Ops about to be withdrawn, Ops withdrawn, or the end."""

    what: Literal["kept", "taking", "taken", "done"]
    ops: tuple[Op, ...] = ()
    ids: tuple[OpId, ...] = ()


def say(said: Progress) -> None:
    """Report to the watching process, in one write."""
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


class ReportingStore(SqliteStore):
    """A store that reports what it saves."""

    def __init__(self, path: Path, tell: Callable[[Progress], None] = say) -> None:
        self._tell = tell
        super().__init__(path)

    def enqueue(self, entries: Sequence[OutboxEntry], instead: Iterable[OpId] = ()) -> None:
        """Save, then report."""
        super().enqueue(entries, instead)
        self._tell(Progress(what="kept", ops=tuple(entry.op for entry in entries)))

    def rewrite(self, entries: Sequence[OutboxEntry]) -> frozenset[OpId]:
        """Save, then report what of it was there."""
        there = super().rewrite(entries)
        self._tell(Progress(what="kept", ops=tuple(entry.op for entry in entries if entry.op.id in there)))
        return there

    def withdraw(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
        """Report, withdraw, report; lines of the log need no report."""
        if log:
            return super().withdraw(ops, log)
        self._tell(Progress(what="taking", ids=tuple(ops)))
        taken = super().withdraw(ops)
        if taken:
            self._tell(Progress(what="taken", ids=tuple(ops)))
        return taken


class RandomEdits:
    """Random edits on one engine."""

    def __init__(self, engine: Engine, job: Job) -> None:
        self.engine = engine
        self.random = random.Random(job.seed)
        self.next = job.first
        self.left = job.edits
        self.most = job.issues

    def number(self) -> int:
        """An unused number."""
        self.next += 1
        return self.next

    def some(self, count: int) -> list[IssueId]:
        """Some issues to edit."""
        there = [
            issue.id
            for issue in self.engine.shown.values()
            if issue.project == "top/app" and 0 < issue.iid <= self.most
        ]
        return self.random.sample(sorted(there), min(count, len(there)))

    def change(self) -> None:
        """One keystroke."""
        roll = self.random.random()
        engine = self.engine
        if roll < 0.45:
            self.perform([(issue, Edit(weight=self.number())) for issue in self.some(1)])
        elif roll < 0.57:
            self.perform([(issue, Edit(weight=self.number())) for issue in self.some(8)])
        elif roll < 0.65:
            [issue] = self.some(1)
            changes: list[Change] = [Edit(weight=self.number()), Comment(body=f"note {self.number()}")]
            self.perform([(issue, change) for change in changes])
        elif roll < 0.72:
            label = self.random.choice(["documentation", "Deliverable", "workflow::blocked"])
            add = self.random.random() < 0.5
            edit = Edit(add=frozenset({label})) if add else Edit(remove=frozenset({label}))
            self.perform([(issue, edit) for issue in self.some(4)])
        elif roll < 0.79:
            self.perform([(issue, Comment(body=f"note {self.number()}")) for issue in self.some(1)])
        elif roll < 0.82:
            labels = frozenset({GROUP_LABEL})
            new = new_issue_id()
            self.perform([(new, Create(project="top/app", title=f"made {self.number()}", labels=labels))])
            self.perform([(new, Edit(weight=self.number()))])
        elif roll < 0.92:
            engine.undoing.undo()
        elif roll < 0.94:
            engine.undoing.redo()
        elif roll < 0.96:
            engine.refresh()
        else:
            self.choose()

    def perform(self, changes: list[tuple[IssueId, Change]]) -> None:
        """Count and perform."""
        self.left -= len(self.engine.perform(changes, "random"))

    def choose(self) -> None:
        """Resolve conflicts either way; retry or discard failed changes."""
        engine = self.engine
        for issue in engine.outbox.issues():
            if engine.outbox.conflicting(issue):
                if self.random.random() < 0.5:
                    engine.keep_mine(issue)
                else:
                    engine.keep_theirs(issue)
        for op, _ in list(engine.failed):
            if self.random.random() < 0.5 and any(op.id == failed.id for failed, _ in engine.failed):
                with contextlib.suppress(GlboardError):
                    engine.retry(op.id)

    async def work(self) -> None:
        """Edit until nothing is left to do."""
        while self.left > 0:
            self.change()
            # Bursts, as with a held key, and rests in which something is sent.
            if self.random.random() < 0.3:
                await asyncio.sleep(self.random.choice([0.0, 0.01, 0.05]))
            # A person who sees hundreds of unsent changes waits.
            while len(self.engine.outbox) > 200:
                await asyncio.sleep(0.02)
                self.choose()


async def main(job: Job) -> None:
    """Run the engine, edit, wait for the end."""
    limits = Limits(first_wait=0.01, longest_wait=0.05, read=0.5, total=1.0, patience=3.0)
    timing = Timing(
        first_wait=0.02,
        longest_wait=0.1,
        longest_read_wait=0.1,
        server_limit=job.server_limit,
        lease_check=0.05,
        follow=0.05,
        fresh=0.05,
    )
    sync = SyncSettings(poll=0.2, poll_idle=0.2, reconcile=2, catalog=3600, hold=0.03, hold_comments=0.08)
    store = ReportingStore(Path(job.state))
    gateway = GitLabGateway(Account(url=job.url, token=Secret(job.token)), "top", limits=limits)
    engine = Engine(gateway, store, Settings(sync=sync), timing=timing)
    running = asyncio.create_task(engine.run())
    while engine.catalog is None or not len(engine.shown):
        await _alive(running)
    hand = RandomEdits(engine, job)
    working = asyncio.create_task(hand.work())
    while not working.done():
        await _alive(running)
    working.result()
    quiet = 0.0
    while quiet <= job.linger:
        await _alive(running)
        if job.choose:
            hand.choose()
        waiting = sum(
            len(engine.outbox.items(i)) for i in engine.outbox.issues() if engine.outbox.conflicting(i)
        )
        quiet = quiet + 0.01 if len(engine.outbox) == waiting else 0.0
    say(Progress(what="done"))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await gateway.close()
    store.close()


async def _alive(running: asyncio.Task[None]) -> None:
    """Yield to the engine; raise what ended it."""
    await asyncio.sleep(0.01)
    if running.done():
        running.result()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Job)))
