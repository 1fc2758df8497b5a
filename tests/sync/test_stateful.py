"""Random sessions, by hypothesis: edits, undo, other people, faults of every kind at 20 %, crashes.

Whatever the order, at the end every change is on the server once, or is listed as failed, in conflict or
discarded. Here a crash drops the engine with everything in progress; ``test_crashes.py`` kills real
processes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from glboard_core.board.operations import Comment, Create, Edit, new_issue_id
from glboard_core.config import Settings
from glboard_core.demo.http.faults import KINDS, Faults
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.http import Limits
from glboard_core.model.issue import IssueId
from glboard_core.sync.engine import Engine
from support.audit import audit
from support.crashes import FAULTS
from support.engines import BRISK, GROUP_LABEL, HASTE, ME, build_world, eventually, gateway
from support.worker import Progress, ReportingStore

LIMITS = Limits(first_wait=0.01, longest_wait=0.02, read=0.25, total=0.5, patience=1.5)
ISSUES = 5
rows = st.integers(0, ISSUES - 1)


class Sessions(RuleBasedStateMachine):
    """Sessions on one state file, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.said: list[Progress] = []
        self.number = 1_000
        self.server = DemoServer(build_world(issues=ISSUES), faults=Faults(retry_after=0)).start()
        self.server.faults.slow_seconds = 0.3
        self.open()

    # The life of an engine

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the engine run while this is done."""
        self.loop.run_until_complete(work)
        if self.task.done():
            self.task.result()

    def open(self) -> None:
        """Start a session."""
        self.store = ReportingStore(Path(self.folder.name) / "state.sqlite3", self.said.append)
        self.gateway = gateway(self.server, limits=LIMITS)
        self.engine = Engine(self.gateway, self.store, Settings(sync=BRISK), timing=HASTE)
        self.task = self.loop.create_task(self.engine.run())
        self.run(eventually(lambda: self.engine.catalog is not None and len(self.engine.shown) >= ISSUES))

    def close(self) -> None:
        """End it, whatever is in progress."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self.task)
        self.loop.run_until_complete(self.gateway.close())
        self.store.close()

    def next(self) -> int:
        """An unused number."""
        self.number += 1
        return self.number

    def issues(self) -> list[IssueId]:
        """The issues that existed at the start."""
        there = [i for i in self.engine.shown.values() if i.project == "top/app" and 0 < i.iid <= ISSUES]
        return [issue.id for issue in sorted(there, key=lambda issue: issue.iid)]

    # Steps

    @initialize(seed=st.integers(0, 1_000))
    def trouble(self, seed: int) -> None:
        """From now on one request in five goes wrong."""
        self.server.faults.chances.update(FAULTS)
        self.server.faults._random.seed(seed)

    @rule(row=rows)
    def edit(self, row: int) -> None:
        """One issue."""
        self.engine.perform([(self.issues()[row], Edit(weight=self.next()))], "edit")

    @rule()
    def edit_all(self) -> None:
        """All issues with one key."""
        self.engine.perform([(issue, Edit(weight=self.next())) for issue in self.issues()], "bulk")

    @rule(row=rows)
    def edit_and_comment(self, row: int) -> None:
        """Two acts with one key."""
        issue = self.issues()[row]
        changes = (Edit(weight=self.next()), Comment(body=f"note {self.next()}"))
        self.engine.perform([(issue, change) for change in changes], "both")

    @rule(row=rows)
    def comment(self, row: int) -> None:
        """A comment."""
        self.engine.perform([(self.issues()[row], Comment(body=f"note {self.next()}"))], "comment")

    @rule()
    def create(self) -> None:
        """A new issue, changed before it is there."""
        new = new_issue_id()
        made = Create(project="top/app", title=f"made {self.next()}", labels=frozenset({GROUP_LABEL}))
        self.engine.perform([(new, made)], "new issue")
        self.engine.perform([(new, Edit(weight=self.next()))], "weight")

    @rule()
    def undo(self) -> None:
        """Undo the last key."""
        self.engine.undoing.undo()

    @rule()
    def redo(self) -> None:
        """Redo what was undone."""
        self.engine.undoing.redo()

    @rule(row=rows)
    def another_person(self, row: int) -> None:
        """Someone else changes the same field."""
        self.server.world.edit(f"top/app#{row + 1}", by="eng_1", weight=50_000_000 + self.next())

    @rule()
    def refresh(self) -> None:
        """Read all again."""
        self.engine.refresh()

    @rule(kind=st.sampled_from(sorted(set(KINDS) - {"401", "403", "drip", "503"})))
    def next_change_goes_wrong(self, kind: str) -> None:
        """A fault for the next send only."""
        self.server.faults.next(kind, "Send")

    @rule(turns=st.integers(1, 60))
    def time_passes(self, turns: int) -> None:
        """The engine runs for a while."""

        async def wait() -> None:
            for _ in range(turns):
                await asyncio.sleep(0.001)

        self.run(wait())

    @rule()
    def crash(self) -> None:
        """The session ends in the middle of its work; another begins."""
        self.close()
        self.open()

    @precondition(lambda self: self.engine.status.conflicts)
    @rule(mine=st.booleans())
    def choose(self, mine: bool) -> None:
        """Resolve conflicts."""
        for issue in self.engine.outbox.issues():
            if self.engine.outbox.conflicting(issue):
                self.engine.keep_mine(issue) if mine else self.engine.keep_theirs(issue)

    @precondition(lambda self: self.engine.failed)
    @rule()
    def retry(self) -> None:
        """Retry failed changes."""
        self.engine.retry(self.engine.failed[0][0].id)

    def teardown(self) -> None:
        """The faults end, all is sent that can be, and every change is accounted for."""
        try:
            self.server.faults.clear()
            self.engine.refresh()
            self.run(eventually(self.at_rest, seconds=30))
            found = audit(self.server.world, self.store, self.said, me=ME)
            assert found.lost == []
            assert found.doubled == []
        finally:
            self.close()
            self.server.stop()
            self.loop.close()
            self.folder.cleanup()

    def at_rest(self) -> bool:
        """Whether only conflicts are left."""
        engine = self.engine
        waiting = sum(
            len(engine.outbox.items(i)) for i in engine.outbox.issues() if engine.outbox.conflicting(i)
        )
        return engine.status.freshness == "live" and len(engine.outbox) == waiting


#: More examples, on demand.
EXAMPLES = int(os.environ.get("GLBOARD_EXAMPLES", "6"))

TestSessions = Sessions.TestCase
TestSessions.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
)
