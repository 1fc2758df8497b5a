"""One contract, two stores: whatever is done to both, both answer the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from glboard_core.board.conflicts import Conflict
from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot
from glboard_core.ports import FailedChange, Logged, OutboxEntry
from glboard_core.store.memory import MemoryStore
from glboard_core.store.sqlite import SqliteStore
from support import make

names = st.sampled_from([OpId(name) for name in "abcdef"])
some_names = st.lists(names, unique=True, max_size=4)
CLASHES = (Conflict("weight", "1", "8", "5"),)
milestones = st.sampled_from([None, "19.8", "19.9"])


def op(name: OpId, weight: int) -> Op:
    """An Op of that name."""
    return Op(
        id=name,
        group=GroupId("g"),
        issue=make.issue_id(1),
        change=Edit(weight=weight),
        at=make.WHEN,
        before=make.issue(1),
    )


def line(name: OpId, weight: int, result: str) -> Logged:
    """A line of the change log."""
    return Logged(
        at=make.WHEN,
        change=op(name, weight),
        op=name,
        group="g",
        title="t",
        reference="r",
        what="w",
        was="",
        result=result,
    )


class Both(RuleBasedStateMachine):
    """Does everything to a store in memory and to one on disk, which is reopened now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.sqlite3"
        self.memory = MemoryStore()
        self.disk = SqliteStore(self.path)

    def teardown(self) -> None:
        """Close the file."""
        self.disk.close()
        self.folder.cleanup()

    def both(self, name: str, *arguments: Any) -> None:
        """Do it to both; the answers must be equal."""
        answers = [getattr(store, name)(*arguments) for store in (self.memory, self.disk)]
        assert answers[0] == answers[1]

    @rule(numbers=st.lists(st.integers(1, 8), max_size=4), milestone=milestones, seconds=st.integers(-5, 5))
    def put(self, numbers: list[int], milestone: str | None, seconds: int) -> None:
        """Issues were read, perhaps late."""
        at = make.WHEN + timedelta(seconds=seconds)
        self.both("put", [make.issue(n, milestone=milestone, updated_at=at) for n in numbers])

    @rule(numbers=st.lists(st.integers(1, 8), max_size=4))
    def drop(self, numbers: list[int]) -> None:
        """Issues left."""
        self.both("drop", [make.issue_id(n) for n in numbers])

    @rule(
        ops=some_names,
        weight=st.integers(0, 9),
        due=st.floats(0, 100),
        title=st.sampled_from(["one", "two"]),
        instead=some_names,
    )
    def enqueue(self, ops: list[OpId], weight: int, due: float, title: str, instead: list[OpId]) -> None:
        """Ops are stored, or replaced; failed ones are deleted."""
        self.both(
            "enqueue", [OutboxEntry(op=op(name, weight), title=title, due=due) for name in ops], instead
        )

    @rule(ops=some_names, weight=st.integers(0, 9), due=st.floats(0, 100), waits=st.booleans())
    def rewrite(self, ops: list[OpId], weight: int, due: float, waits: bool) -> None:
        """Stored Ops are updated, and none is added."""
        conflicts = CLASHES if waits else ()
        self.both("rewrite", [OutboxEntry(op=op(name, weight), due=due, conflicts=conflicts) for name in ops])

    @rule(ops=some_names, waits=st.booleans())
    def set_conflicts(self, ops: list[OpId], waits: bool) -> None:
        """Ops get conflicts, or none."""
        self.both("set_conflicts", dict.fromkeys(ops, CLASHES if waits else ()))

    @rule(ops=some_names, at=st.floats(1, 100))
    def claim(self, ops: list[OpId], at: float) -> None:
        """Ops are claimed."""
        self.both("claim", ops, at)

    @rule(ops=some_names)
    def unclaim(self, ops: list[OpId]) -> None:
        """Ops were not sent."""
        self.both("unclaim", ops)

    @rule(ops=some_names, logged=st.booleans())
    def take_back(self, ops: list[OpId], logged: bool) -> None:
        """Ops are withdrawn: all or none, together with the log."""
        self.both("take_back", ops, [line(name, 1, "dropped") for name in ops] if logged else [])

    @rule(ops=some_names, failed=some_names, weight=st.integers(0, 9))
    def settle(self, ops: list[OpId], failed: list[OpId], weight: int) -> None:
        """Ops were answered."""
        refusals = [
            FailedChange(op=op(n, weight), title="t", kind="EditInvalid", message="m", hint="", at=make.WHEN)
            for n in failed
        ]
        log = [line(name, weight, "done") for name in ops]
        self.both("settle", ops, refusals, log)

    @rule(name=names)
    def delete_failed(self, name: OpId) -> None:
        """A failed change is discarded."""
        self.both("delete_failed", name)

    @rule(key=st.sampled_from(["k", "l"]), value=st.binary(max_size=4))
    def put_meta(self, key: str, value: bytes) -> None:
        """Another value is stored."""
        self.both("put_meta", key, value)

    @rule(milestone=st.sampled_from(["19.8", "19.9"]), weight=st.integers(0, 9))
    def keep_plan(self, milestone: str, weight: int) -> None:
        """A plan is locked."""
        row = PlannedIssue(issue=make.issue_id(1), reference="a#1", weight=weight, assignees=("b",))
        self.both("keep_plan", PlanSnapshot(milestone=milestone, locked_at=make.WHEN, issues=(row,)))

    @rule(values=st.dictionaries(st.sampled_from("xyz"), st.binary(max_size=4), max_size=3))
    def remember(self, values: dict[str, bytes]) -> None:
        """Past data is cached."""
        self.both("remember", values, make.WHEN.date())

    @rule()
    def again(self) -> None:
        """The file is closed and reopened."""
        self.disk.close()
        self.disk = SqliteStore(self.path)
        assert self.disk.notice == ""

    @invariant()
    def alike(self) -> None:
        """Both return the same for everything."""
        for name in ("outbox", "refusals", "log", "projects", "acquire_lease"):
            self.both(name)
        self.both("log", 2)
        for key in ("k", "l"):
            self.both("meta", key)
        for title in ("19.8", "19.9", "never"):
            self.both("plans", title)
        self.both("recall", ["x", "y", "never"], make.WHEN.date())
        for n in (1, 2, 9):
            self.both("issue", make.issue_id(n))
        one, two = self.memory.issues(), self.disk.issues()
        assert dict(one) == dict(two)
        assert len(one) == len(two)
        for milestone in (None, "", "19.8", "19.9", "never"):
            found = {issue.id: issue for issue in two.matching(milestone)}
            assert found == {issue.id: issue for issue in one.matching(milestone)}
            assert found == {
                issue.id: issue
                for issue in two.values()
                if milestone is None or (issue.milestone or "") == milestone
            }


TestContract = Both.TestCase
TestContract.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
