"""A store without persistence: mirror, outbox and log in memory.

For ``glboard demo``, for commands that read once, and for an unusable state folder. It fulfils
``ports.Store`` except for durability and other processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import structs

from glboard_core.board.conflicts import Conflict
from glboard_core.board.operations import OpId
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, IssueRow, row_of
from glboard_core.ports import ExternalWrites, FailedChange, Issues, Logged, OutboxEntry

if TYPE_CHECKING:
    from glboard_core.planning.plan_lock import PlanSnapshot

#: Maximum number of log lines.
LOGGED = 5_000


class HeldIssues(Issues):
    """Issues in a dictionary, with the one query that boards need."""

    def __init__(self) -> None:
        self.held: dict[IssueId, Issue] = {}

    def __getitem__(self, issue: IssueId) -> Issue:
        return self.held[issue]

    def __iter__(self) -> Iterator[IssueId]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone ("" for those without), or all for None."""
        for issue in self.held.values():
            if milestone is None or (issue.milestone or "") == milestone:
                yield issue

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        """The same as slim rows: only what is needed to place, count and sort."""
        return map(row_of, self.matching(milestone))


class MemoryStore:
    """``ports.Store`` in memory."""

    durable = False

    def __init__(self) -> None:
        self.notice = ""
        self._issues = HeldIssues()
        self._outbox: dict[OpId, OutboxEntry] = {}
        self._refusals: dict[OpId, FailedChange] = {}
        self._log: deque[Logged] = deque(maxlen=LOGGED)
        self._meta: dict[str, bytes] = {}
        self._plans: list[PlanSnapshot] = []
        self._past: dict[str, bytes] = {}
        self._catalog: Catalog | None = None

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or None."""
        return self._issues.held.get(issue)

    def issues(self) -> HeldIssues:
        """All confirmed issues, live."""
        return self._issues

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues."""
        for issue in issues:
            known = self._issues.held.get(issue.id)
            if known is None or issue.updated_at >= known.updated_at:
                self._issues.held[issue.id] = issue

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Remove issues that left the scope."""
        for issue in issues:
            self._issues.held.pop(issue, None)

    def projects(self) -> frozenset[str]:
        """The projects of all issues."""
        return frozenset(issue.project for issue in self._issues.held.values())

    def catalog(self) -> Catalog | None:
        """The last stored catalog, or None."""
        return self._catalog

    def put_catalog(self, catalog: Catalog) -> None:
        """Store the catalog."""
        self._catalog = catalog

    def meta(self, key: str) -> bytes | None:
        """The value stored under a key, or None."""
        return self._meta.get(key)

    def put_meta(self, key: str, value: bytes) -> None:
        """Store a value under a key."""
        self._meta[key] = value

    def plans(self, milestone: str) -> Sequence[PlanSnapshot]:
        """The plans of a milestone, newest first."""
        return [plan for plan in reversed(self._plans) if plan.milestone == milestone]

    def keep_plan(self, plan: PlanSnapshot) -> None:
        """Store a locked plan; earlier ones are kept."""
        self._plans.append(plan)

    def recall(self, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
        """The values cached under these keys."""
        return {key: self._past[key] for key in keys if key in self._past}

    def remember(self, values: Mapping[str, bytes], on: date) -> None:
        """Cache values for this session."""
        self._past |= values

    def outbox(self) -> Sequence[OutboxEntry]:
        """The unsettled Ops, oldest first."""
        return list(self._outbox.values())

    def enqueue(self, entries: Sequence[OutboxEntry], instead: Iterable[OpId] = ()) -> None:
        """Store Ops until they are settled, replacing failed ones; one with a known id is replaced."""
        for op in instead:
            self._refusals.pop(op, None)
        for entry in entries:
            kept = self._outbox.get(entry.op.id)
            self._outbox[entry.op.id] = (
                entry if kept is None else structs.replace(kept, op=entry.op, due=entry.due)
            )

    def rewrite(self, entries: Sequence[OutboxEntry]) -> frozenset[OpId]:
        """Update stored Ops, except when they were sent; returns those still there."""
        there = [entry for entry in entries if entry.op.id in self._outbox]
        for entry in there:
            kept = self._outbox[entry.op.id]
            self._outbox[entry.op.id] = structs.replace(
                kept, op=entry.op, due=entry.due, conflicts=entry.conflicts
            )
        return frozenset(entry.op.id for entry in there)

    def set_conflicts(self, conflicts: Mapping[OpId, Sequence[Conflict]]) -> None:
        """Store the conflicts of Ops; empty ones are resolved."""
        for op, found in conflicts.items():
            if op in self._outbox:
                self._outbox[op] = structs.replace(self._outbox[op], conflicts=tuple(found))

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        """Mark Ops as sent; returns those still there and not sent before."""
        claimed = frozenset(op for op in ops if op in self._outbox and not self._outbox[op].sent)
        for op in claimed:
            self._outbox[op] = structs.replace(self._outbox[op], sent=at)
        return claimed

    def unclaim(self, ops: Iterable[OpId]) -> None:
        """Undo ``claim``: these were not sent after all."""
        for op in ops:
            if op in self._outbox:
                self._outbox[op] = structs.replace(self._outbox[op], sent=0.0)

    def take_back(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
        """Withdraw Ops if all are here and none was sent; then ``log`` is written, too."""
        if any(op not in self._outbox or self._outbox[op].sent for op in ops):
            return False
        for op in ops:
            del self._outbox[op]
        self._log.extend(log)
        return True

    def settle(self, ops: Iterable[OpId], refusals: Sequence[FailedChange], log: Sequence[Logged]) -> None:
        """Remove answered Ops, store the failed ones and write the log."""
        for op in ops:
            self._outbox.pop(op, None)
        for refusal in refusals:
            self._refusals[refusal.op.id] = refusal
        self._log.extend(log)

    def refusals(self) -> Sequence[FailedChange]:
        """The failed changes, oldest first."""
        return list(self._refusals.values())

    def delete_failed(self, op: OpId) -> None:
        """Delete a failed change."""
        self._refusals.pop(op, None)

    def log(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""
        return list(reversed(self._log))[:limit]

    def prune(self, before: datetime) -> int:
        """Delete log lines older than ``before``; returns how many."""
        kept = [line for line in self._log if line.at >= before]
        gone = len(self._log) - len(kept)
        self._log = deque(kept, maxlen=LOGGED)
        return gone

    def acquire_lease(self) -> bool:
        """There is no other process."""
        return True

    def release_lease(self) -> None:
        """There is no other process."""

    def poll_external(self) -> ExternalWrites | None:
        """There is no other process."""
        return None

    def check(self) -> None:
        """There is no file."""

    def close(self) -> None:
        """Nothing to close."""
