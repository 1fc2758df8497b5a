"""A long session: polls with an edit now and then, and its memory, file size and connections.

It runs in a process of its own, so that threads and late imports of other tests are not measured.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from glboard_core.board.operations import Comment, Edit
from glboard_core.config import LabelSettings, Settings, SyncSettings
from glboard_core.demo.http.process import DemoOptions, spawn
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from support.engines import HASTE, QUICK, settled

#: How much faster than life: a poll every 10 s, order every 240 s, labels every 600 s.
FASTER = 1_000.0
#: Bytes that a line of the change log takes; the last 20,000 are kept.
LOGGED = 1_200
#: Polls between two edits.
EVERY = 60
DAY = SyncSettings(
    poll=10 / FASTER,
    poll_idle=10 / FASTER,
    reconcile=240 / FASTER,
    catalog=600 / FASTER,
    hold=0,
    hold_comments=0,
)


class Day(Struct, kw_only=True):
    """Measurements after a quarter of the polls and at the end. Memory and file size in bytes."""

    polls: int
    edits_early: int
    edits: int
    memory_early: int
    memory_at_end: int
    file_early: int
    file_at_end: int
    connections_early: int
    connections_at_end: int
    resident_early: int
    resident_at_end: int

    def line(self) -> str:
        """In one line."""
        return (
            f"{self.polls} polls, {self.edits} edits: "
            f"traced {self.memory_early:,} -> {self.memory_at_end:,}, "
            f"resident {self.resident_early:,} -> {self.resident_at_end:,}, "
            f"files {self.file_early:,} -> {self.file_at_end:,} bytes, "
            f"open files {self.connections_early} -> {self.connections_at_end}"
        )


def assert_flat(day: Day) -> None:
    """Check that nothing grew after the first quarter, except the change log."""
    # On a busy machine the pool may not be full after the first quarter; it never grows beyond its limit.
    assert day.connections_at_end <= day.connections_early + QUICK.connections
    assert day.file_at_end <= day.file_early + LOGGED * (day.edits - day.edits_early) + 32_768
    assert day.memory_at_end <= day.memory_early + 400_000


class _Measure:
    def __init__(self, state: Path) -> None:
        gc.collect()
        with closing(sqlite3.connect(state)) as connection:
            # The journal is as long as its limit; what is in it belongs to the file.
            connection.execute("pragma wal_checkpoint(truncate)")
        self.memory = tracemalloc.get_traced_memory()[0]
        self.file = sum(one.stat().st_size for one in state.parent.iterdir())
        self.open = len(os.listdir("/proc/self/fd"))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.resident = pages * os.sysconf("SC_PAGE_SIZE")


async def _some(
    engine: Engine, running: asyncio.Task[None], state: Path, done: Callable[[], int], until: int
) -> _Measure:
    """Wait for that many polls, then measure."""
    next_edit = done()
    while done() < until:
        await asyncio.sleep(0.001)
        if running.done():
            running.result()
        if done() >= next_edit and engine.verified and len(engine.shown):
            next_edit = done() + EVERY
            issue = sorted(engine.shown)[done() % len(engine.shown)]
            if engine.undoing.undo() is None or done() % 2:
                weight = (engine.shown[issue].weight or 0) % 5 + 1
                engine.perform([(issue, Edit(weight=weight)), (issue, Comment(body="Still here"))], "edit")
    await settled(engine)
    return _Measure(state)


def live(state: Path, *, polls: int) -> Day:
    """Run that many polls with an edit now and then; each edit is undone by the next."""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "support.long_session", str(state), str(polls)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Day)


async def _live(state: Path, polls: int) -> Day:
    settings = Settings(sync=DAY, labels=LabelSettings(group=""))
    with spawn(DemoOptions(issues=150, seed=3)) as demo:
        store = SqliteStore(state)
        account = Account(url=demo.url, token=Secret(demo.token))
        async with GitLabGateway(account, demo.group, limits=QUICK) as gateway:
            engine = Engine(gateway, store, settings, timing=HASTE)
            running = asyncio.create_task(engine.run())
            done = 0
            poll = engine.poller.poll

            async def counted() -> None:
                nonlocal done
                await poll()
                done += 1

            engine.poller.poll = counted  # type: ignore[method-assign]
            try:
                tracemalloc.start()
                early = await _some(engine, running, state, lambda: done, polls // 4)
                edits_early = len(store.log(100_000))
                late = await _some(engine, running, state, lambda: done, polls)
                edits = len(store.log(100_000))
            finally:
                tracemalloc.stop()
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
        store.close()
    return Day(
        polls=done,
        edits_early=edits_early,
        edits=edits,
        memory_early=early.memory,
        memory_at_end=late.memory,
        file_early=early.file,
        file_at_end=late.file,
        connections_early=early.open,
        connections_at_end=late.open,
        resident_early=early.resident,
        resident_at_end=late.resident,
    )


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(asyncio.run(_live(Path(sys.argv[1]), int(sys.argv[2])))).decode())
