"""Processes of glboard that are killed at random times and restarted, until there were enough edits."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from glboard_core.demo.http.server import DemoServer
from glboard_core.store.sqlite import SqliteStore
from support.audit import AuditResult, audit
from support.engines import ME
from support.worker import Job, Progress

TESTS = Path(__file__).resolve().parents[1]
#: Every kind of fault, 20 % together.
FAULTS = {
    "429": 0.02,
    "500": 0.025,
    "502": 0.025,
    "timeout": 0.02,
    "reset-before": 0.025,
    "reset-after": 0.03,
    "partial": 0.025,
    "slow": 0.01,
    "html": 0.02,
}
#: Each process has this many numbers of its own.
NUMBERS = 100_000


class Worker:
    """One process, its standard output read by a thread."""

    def __init__(self, job: Job) -> None:
        path = os.pathsep.join([str(TESTS.parent / "core"), str(TESTS)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.worker", msgspec.json.encode(job).decode()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.said: list[Progress] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._errors = b""
        self._error_reader = threading.Thread(target=self._read_errors, daemon=True)
        self._error_reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                self.said.append(msgspec.json.decode(line, type=Progress))

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors = self._process.stderr.read()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def kept(self) -> int:
        """How many Ops it reported as saved."""
        return sum(len(one.ops) for one in self.said)

    def kill(self) -> None:
        """Kill it, like a power cut."""
        self._process.kill()

    def join(self, seconds: float = 120.0) -> None:
        """Wait for its end, killed or not. Raises if it ended with an error of its own."""
        status = self._process.wait(seconds)
        self._reader.join(10)
        self._error_reader.join(10)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if status not in (0, -9):
            raise AssertionError(self._errors.decode())


def edit_and_kill(
    server: DemoServer, state: Path, *, edits: int, kills: int, seed: int, issues: int = 12
) -> AuditResult:
    """Let processes edit one after the other; all but the last are killed after a random time."""
    chance = random.Random(seed)
    each = max(1, edits // (kills + 1))
    said: list[Progress] = []
    stop = threading.Event()
    other = threading.Thread(target=_other_person, args=(server, seed, issues, stop))
    other.start()
    run = 0
    try:
        while True:
            last = run >= kills and sum(len(one.ops) for one in said) + each >= edits
            job = Job(
                url=server.url,
                token=server.token,
                state=str(state),
                seed=seed * 1_000 + run,
                first=(run + 1) * NUMBERS,
                edits=each,
                issues=issues,
            )
            worker = Worker(job)
            if not last:
                # Killed somewhere in the middle of its edits, or of the sending after them.
                enough = chance.uniform(0.05, 1.2) * each
                end = time.monotonic() + 30
                while worker.running and worker.kept < enough and time.monotonic() < end:
                    time.sleep(0.005)
                    if worker.kept and worker.kept >= each * 0.9:
                        time.sleep(chance.uniform(0, 0.2))
                        break
                worker.kill()
            worker.join(300)
            said += worker.said
            run += 1
            if last:
                break
    finally:
        stop.set()
        other.join()
    # Once more without faults: what can still be sent is sent.
    server.faults.clear()
    worker = Worker(
        Job(url=server.url, token=server.token, state=str(state), seed=1, first=1000, edits=0, choose=True)
    )
    worker.join(120)
    said += worker.said
    store = SqliteStore(state)
    try:
        return audit(server.world, store, said, me=ME)
    finally:
        store.close()


def _other_person(server: DemoServer, seed: int, issues: int, stop: threading.Event) -> None:
    """Edit the same issues now and then, with numbers of one's own."""
    chance = random.Random(seed + 1)
    number = 50_000_000
    while not stop.wait(chance.uniform(0.02, 0.2)):
        number += 1
        name = f"top/app#{chance.randint(1, issues)}"
        roll = chance.random()
        if roll < 0.7:
            server.world.edit(name, by="eng_1", weight=number)
        elif roll < 0.9:
            server.world.edit(name, by="eng_1", title=f"Title {number}")
        else:
            server.world.comment(name, f"foreign {number}", by="eng_1")


def edit_together(
    server: DemoServer, state: Path, *, edits: int, seed: int, issues: int, kill: bool = False
) -> AuditResult:
    """Let two processes with one state file and another person edit at once. With ``kill`` the sending
    process is killed midway and the other takes over."""
    stop = threading.Event()
    other = threading.Thread(target=_other_person, args=(server, seed, issues, stop))
    other.start()
    try:
        workers = [
            Worker(
                Job(
                    url=server.url,
                    token=server.token,
                    state=str(state),
                    seed=seed + n,
                    first=(n + 1) * NUMBERS,
                    edits=edits,
                    linger=1.0,
                    issues=issues,
                )
            )
            for n in range(2)
        ]
        if kill:
            end = time.monotonic() + 60
            while workers[0].running and workers[0].kept < edits / 2 and time.monotonic() < end:
                time.sleep(0.005)
            workers[0].kill()
        for worker in workers:
            worker.join(600)
    finally:
        stop.set()
        other.join()
    server.faults.clear()
    last = Worker(
        Job(url=server.url, token=server.token, state=str(state), seed=1, first=1000, edits=0, choose=True)
    )
    last.join(120)
    store = SqliteStore(state)
    try:
        return audit(server.world, store, [*workers[0].said, *workers[1].said, *last.said], me=ME)
    finally:
        store.close()
