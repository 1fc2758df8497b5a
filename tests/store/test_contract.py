"""The contract of the store: whatever is done to it, it answers like a few dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import structs

from glboard_core.board.conflicts import Conflict
from glboard_core.board.draft import Draft, DraftId
from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.board.undo import Group
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot
from glboard_core.ports import FailedChange, Logged, OutboxEntry
from glboard_core.store.sqlite import SqliteStore
from support import make

names = st.sampled_from([OpId(name) for name in "abcdef"])
some_names = st.lists(names, unique=True, max_size=4)
drafts = st.sampled_from([DraftId("d"), DraftId("e")])
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


class Model:
    """What a store has to keep, in dictionaries."""

    def __init__(self) -> None:
        self.held: dict[IssueId, Issue] = {}
        self.entries: dict[OpId, OutboxEntry] = {}
        self.failed: dict[OpId, FailedChange] = {}
        self.lines: list[Logged] = []
        self.values: dict[str, bytes] = {}
        self.locked: list[PlanSnapshot] = []
        self.cached: dict[str, bytes] = {}
        self.staged: dict[DraftId, Draft] = {}
        self.on: DraftId | None = None

    def drafts(self) -> list[Draft]:
        return [self.staged[name] for name in sorted(self.staged)]

    def draft_on(self) -> DraftId | None:
        return self.on

    def turn_on_draft(self, draft: DraftId | None) -> None:
        self.on = draft

    def _revision(self, draft: DraftId) -> int:
        return self.staged[draft].revision if draft in self.staged else 0

    def put_draft(self, draft: Draft, entries: Sequence[OutboxEntry]) -> bool:
        if self._revision(draft.id) != draft.revision - 1:
            return False
        self.staged[draft.id] = draft
        self.enqueue(entries, [])
        return True

    def delete_draft(self, draft: Draft, entries: Sequence[OutboxEntry]) -> bool:
        if self._revision(draft.id) != draft.revision:
            return False
        self.staged.pop(draft.id, None)
        self.enqueue(entries, [])
        return True

    def put(self, issues: Sequence[Issue]) -> None:
        for issue in issues:
            self.held[issue.id] = issue

    def drop(self, issues: Sequence[IssueId]) -> None:
        for issue in issues:
            self.held.pop(issue, None)

    def issue(self, issue: IssueId) -> Issue | None:
        return self.held.get(issue)

    def issues(self) -> dict[IssueId, Issue]:
        return self.held

    def projects(self) -> frozenset[str]:
        return frozenset(issue.project for issue in self.held.values())

    def outbox(self) -> list[OutboxEntry]:
        return list(self.entries.values())

    def _update(self, op_id: OpId, **fields: Any) -> None:
        self.entries[op_id] = structs.replace(self.entries[op_id], **fields)

    def enqueue(self, entries: Sequence[OutboxEntry], instead: Sequence[OpId]) -> None:
        for op in instead:
            self.failed.pop(op, None)
        for entry in entries:
            self.entries.setdefault(entry.op.id, entry)
            self._update(entry.op.id, op=entry.op, due=entry.due)

    def rewrite(self, entries: Sequence[OutboxEntry]) -> frozenset[OpId]:
        there = [entry for entry in entries if entry.op.id in self.entries]
        for entry in there:
            self._update(entry.op.id, op=entry.op, due=entry.due, conflicts=entry.conflicts)
        return frozenset(entry.op.id for entry in there)

    def set_conflicts(self, conflicts: dict[OpId, tuple[Conflict, ...]]) -> None:
        for op in conflicts.keys() & self.entries.keys():
            self._update(op, conflicts=conflicts[op])

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        claimed = frozenset(op for op in ops if op in self.entries and not self.entries[op].sent)
        for op in claimed:
            self._update(op, sent=at)
        return claimed

    def unclaim(self, ops: Sequence[OpId]) -> None:
        for op in self.entries.keys() & ops:
            self._update(op, sent=0.0)

    def withdraw(self, ops: Sequence[OpId], log: Sequence[Logged]) -> bool:
        if any(op not in self.entries or self.entries[op].sent for op in ops):
            return False
        for op in ops:
            del self.entries[op]
        self.lines.extend(log)
        return True

    def settle(self, ops: Sequence[OpId], failed: Sequence[FailedChange], log: Sequence[Logged]) -> None:
        for op in ops:
            self.entries.pop(op, None)
        for one in failed:
            self.failed[one.op.id] = one
        self.lines.extend(log)

    def failed_changes(self) -> list[FailedChange]:
        return list(self.failed.values())

    def delete_failed(self, op: OpId) -> None:
        self.failed.pop(op, None)

    def log(self, limit: int = 500) -> list[Logged]:
        return self.lines[::-1][:limit]

    def meta(self, key: str) -> bytes | None:
        return self.values.get(key)

    def put_meta(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def plans(self, milestone: str) -> list[PlanSnapshot]:
        return [plan for plan in reversed(self.locked) if plan.milestone == milestone]

    def keep_plan(self, plan: PlanSnapshot) -> None:
        self.locked.append(plan)

    def recall(self, keys: Sequence[str], _: date) -> dict[str, bytes]:
        return {key: self.cached[key] for key in keys if key in self.cached}

    def remember(self, values: dict[str, bytes], _: date) -> None:
        self.cached |= values


class Contract(RuleBasedStateMachine):
    """Does everything to the model and to a store on disk, which is reopened now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.sqlite3"
        self.model = Model()
        self.disk = SqliteStore(self.path)

    def teardown(self) -> None:
        """Close the file."""
        self.disk.close()
        self.folder.cleanup()

    def both(self, name: str, *arguments: Any) -> None:
        """Do it to both; the answers must be equal."""
        answers = [getattr(store, name)(*arguments) for store in (self.model, self.disk)]
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
    def withdraw(self, ops: list[OpId], logged: bool) -> None:
        """Ops are withdrawn: all or none, together with the log."""
        self.both("withdraw", ops, [line(name, 1, "dropped") for name in ops] if logged else [])

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

    @rule(name=drafts, revision=st.integers(0, 3), weight=st.integers(0, 9), handed=some_names)
    def put_draft(self, name: DraftId, revision: int, weight: int, handed: list[OpId]) -> None:
        """Something is staged, or handed over to the outbox, by whoever knows the draft as it is."""
        group = Group(id=GroupId("g"), title="t", ops=(op(OpId("z"), weight),))
        entries = [OutboxEntry(op=op(one, weight)) for one in handed]
        self.both("put_draft", Draft(id=name, name="what if", revision=revision, groups=(group,)), entries)

    @rule(name=drafts, revision=st.integers(1, 3), handed=some_names)
    def delete_draft(self, name: DraftId, revision: int, handed: list[OpId]) -> None:
        """A draft is deleted, or all of it applied."""
        entries = [OutboxEntry(op=op(one, 1)) for one in handed]
        self.both("delete_draft", Draft(id=name, name="what if", revision=revision), entries)

    @rule(name=st.none() | drafts)
    def turn_on_draft(self, name: DraftId | None) -> None:
        """Another draft is on, or none."""
        self.both("turn_on_draft", name)

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
        for name in ("outbox", "failed_changes", "log", "projects", "drafts", "draft_on"):
            self.both(name)
        self.both("log", 2)
        for key in ("k", "l"):
            self.both("meta", key)
        for title in ("19.8", "19.9", "never"):
            self.both("plans", title)
        self.both("recall", ["x", "y", "never"], make.WHEN.date())
        for n in (1, 2, 9):
            self.both("issue", make.issue_id(n))
        one, two = self.model.issues(), self.disk.issues()
        assert one == dict(two) == {issue.id: issue for issue in two.values()}
        assert len(one) == len(two)
        assert self.disk.acquire_lease()
        for milestone in (None, "", "19.8", "19.9", "never"):
            found = {issue.id: issue for issue in two.matching(milestone)}
            assert found == {
                issue.id: issue
                for issue in one.values()
                if milestone is None or (issue.milestone or "") == milestone
            }


TestContract = Contract.TestCase
TestContract.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
