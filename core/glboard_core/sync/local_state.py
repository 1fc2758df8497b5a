"""Local state: confirmed, pending, and shown = fold(confirmed, pending).

Owns the three and all their changes; each change is on disk before it is applied here, so that a failed write
changes nothing. It sends no requests and uses no clock but the loop's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, ValuesView
from contextlib import suppress
from datetime import datetime

from msgspec import structs

from glboard_core.board.conflicts import seen_without
from glboard_core.board.operations import GroupId, IssueDiff, Op, OpId, fold_one
from glboard_core.board.undo import UndoStack
from glboard_core.config import SyncSettings
from glboard_core.errors import GlboardError, StoreFailed
from glboard_core.model.issue import Issue, IssueId, IssueRow, row_of
from glboard_core.ports import Issues, OutboxEntry, Store
from glboard_core.sync import conflicts
from glboard_core.sync.events import Cause, Event, IssuesChanged, Renamed, Settled
from glboard_core.sync.log import Made, Refused, logged, made, refused, remembered, sorted_out
from glboard_core.sync.outbox import Outbox, OutboxItem

# The shown issues as a mapping: the confirmed issues with pending changes applied.


class Shown(Mapping[IssueId, Issue]):
    """shown = fold(confirmed, pending), computed only for issues with pending Ops."""

    def __init__(self, confirmed: Issues) -> None:
        self._confirmed = confirmed
        self._overlay: dict[IssueId, Issue] = {}

    def fold(self, issue: IssueId, ops: Sequence[Op]) -> None:
        """Recompute one issue from its pending Ops."""
        folded = fold_one(self._confirmed.get(issue), ops) if ops else None
        if folded is None:
            self._overlay.pop(issue, None)
        else:
            self._overlay[issue] = folded

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone as shown ("" for those without), or all for None."""
        for issue in self._confirmed.matching(milestone):
            if issue.id not in self._overlay:
                yield issue
        for issue in list(self._overlay.values()):
            if milestone is None or (issue.milestone or "") == milestone:
                yield issue

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        """The same as slim rows: only what is needed to place, count and sort."""
        for issue in self._confirmed.slim(milestone):
            if issue.id not in self._overlay:
                yield issue
        for shown in list(self._overlay.values()):
            if milestone is None or (shown.milestone or "") == milestone:
                yield row_of(shown)

    def values(self) -> ValuesView[Issue]:
        """All of them, in one pass rather than one by one."""
        return _Values(self)

    def __getitem__(self, issue: IssueId) -> Issue:
        return self._overlay[issue] if issue in self._overlay else self._confirmed[issue]

    def __iter__(self) -> Iterator[IssueId]:
        yield from self._confirmed
        for issue in self._overlay:
            if issue not in self._confirmed:
                yield issue

    def __len__(self) -> int:
        return len(self._confirmed) + sum(issue not in self._confirmed for issue in self._overlay)

    def __contains__(self, issue: object) -> bool:
        return issue in self._overlay or issue in self._confirmed


class _Values(ValuesView[Issue]):
    def __init__(self, shown: Shown) -> None:
        super().__init__(shown)
        self._shown = shown

    def __iter__(self) -> Iterator[Issue]:
        return self._shown.matching(None)


#: Once there are many, times of answers are kept for this many seconds: no page takes longer.
LATE = 600.0
KEPT = 1_000


class LocalState:
    """Confirmed, pending and shown. ``tell`` gets every event; ``now`` is the server's clock."""

    def __init__(
        self,
        store: Store,
        undo_stack: UndoStack,
        sync: SyncSettings,
        tell: Callable[[Event], None],
        now: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.outbox = Outbox(store.outbox())
        self.shown = Shown(store.issues())
        #: Failed changes, oldest first, until they are retried or discarded.
        self.failed: list[tuple[Op, GlboardError]] = [remembered(r) for r in store.refusals()]
        #: Issues for which a read was ignored because a change of ours was being sent: read them again.
        self.unsure: set[IssueId] = set()
        self._undo_stack = undo_stack
        self._sync = sync
        self._tell = tell
        self._now = now
        #: When a change to each issue was last answered, by the loop's clock: a page requested earlier is
        #: stale.
        self._settled_at: dict[IssueId, float] = {}
        self._titles: dict[GroupId, str] = {}
        self._take_up()

    def _take_up(self) -> None:
        """Continue with what an earlier session left."""
        now = time.time()
        for issue in self.outbox.issues():
            for item in self.outbox.items(issue):
                if item.lost:
                    # It is unknown when exactly the last session sent its request: count from now.
                    item.lost = now
                # This machine's clock may have been set back since; nothing is held for longer than usual.
                item.due = min(item.due, now + max(self._sync.hold, self._sync.hold_comments))
            self.shown.fold(issue, self.outbox.of(issue))

    # Changes of a person

    def enqueue(self, ops: Sequence[Op], title: str, instead: Collection[OpId] = ()) -> None:
        """Save Ops and show them; ``instead`` are the failed changes they replace. Raises StoreFailed; then
        nothing is changed.

        What one key does is sent together, for example an edit with its comment: so undo withdraws all of it
        or nothing, and no email reports half of it. Hence it is held as long as its longest part.
        """
        if not ops and not instead:
            return
        now = time.time()
        sync = self._sync
        speaks = any(op.change.speaks for op in ops)
        due = now + (max(sync.hold, sync.hold_comments) if speaks else sync.hold)
        entries = [OutboxEntry(op=op, title=title, due=due) for op in ops]
        self.store.enqueue(entries, instead)
        self.failed = [(failed, error) for failed, error in self.failed if failed.id not in instead]
        self._titles.update((op.group, title) for op in ops[:1])
        before = self.seen(op.issue for op in ops)
        for entry in entries:
            self.outbox.hold(entry.op.issue, now + sync.hold)
            self.outbox.add(entry)
        self.fold_and_tell(before, "mine", always=True)

    def take_back(self, ops: Sequence[Op]) -> list[Op]:
        """Withdraw those not sent, without a trace on the server; returns the others.

        Raises StoreFailed.
        """
        here = [op for op in ops if self._unsent(op.id)]
        if not self.store.take_back([op.id for op in here]):
            # Another process was faster with some of them.
            here = [op for op in reversed(here) if self.store.take_back([op.id])]
        before = self.seen(op.issue for op in here)
        for op in here:
            self.outbox.remove(op.id)
        self._forget_titles(here)
        self.fold_and_tell(before, "mine", always=True)
        gone = {op.id for op in here}
        return [op for op in ops if op.id not in gone]

    def _unsent(self, op: OpId) -> bool:
        item = self.outbox.item(op)
        return item is not None and not item.sent and not item.lost

    def drop(self, ops: Sequence[Op], result: str) -> None:
        """Discard unsent Ops for good, with a log line. Those that another process has sent meanwhile stay.

        Raises StoreFailed.
        """
        now = self._now()
        dropped = [
            op for op in ops if self.store.take_back([op.id], [logged(op, self.title(op), now, result)])
        ]
        before = self.seen(op.issue for op in dropped)
        for op in dropped:
            self.outbox.remove(op.id)
            self._undo_stack.forget(op.id)
        self._forget_titles(dropped)
        self.fold_and_tell(before, "mine", always=True)

    def rebase(self, item: OutboxItem, *, without: Op | None = None) -> None:
        """Compare Ops with the current values instead of those the person saw.

        In all fields, or (``without``) only in those a failed Op had changed.
        """
        now, saw = self.folded_before(item), item.op.before
        if now is None:
            return
        if without is not None and saw is not None:
            now = seen_without(saw, without.change, now)
        self.rewritten(item, structs.replace(item.op, before=now))

    def rewritten(self, item: OutboxItem, op: Op) -> None:
        """The same Op, with another issue as seen before it."""
        self.outbox.put(item, op)
        self._undo_stack.replace(op)

    def was_sent(self, op: Op) -> None:
        """Another process sent it, perhaps after resolving a conflict: undo restores what it overwrote."""
        self._undo_stack.replace(op)

    def folded_before(self, item: OutboxItem) -> Issue | None:
        """The issue as the server would have it just before this Op: with all earlier Ops applied."""
        ahead: list[Op] = []
        for other in self.outbox.items(item.op.issue):
            if other is item:
                break
            ahead.append(other.op)
        return fold_one(self.store.issue(item.op.issue), ahead)

    def title(self, op: Op) -> str:
        """The title of an Op's keystroke."""
        item = self.outbox.item(op.id)
        return item.title if item is not None else self._titles.get(op.group, "")

    # Answers of the server

    def confirm(self, issues: Iterable[Issue], cause: Cause, *, asked: float | None = None) -> None:
        """The server returned these issues.

        Older versions than the known ones are ignored. A page requested before an answer to a change of ours
        (``asked``, by the loop's clock) may lack that change: it counts as unsure and is read again.
        """
        fresh: list[Issue] = []
        confirmed: list[IssueDiff] = []
        for issue in issues:
            if self._late(issue.id, asked):
                continue
            known = self.store.issue(issue.id)
            if known is None or (issue != known and issue.updated_at >= known.updated_at):
                fresh.append(issue)
                confirmed.append(IssueDiff((known, issue)))
        if not fresh:
            return
        before = self.seen(issue.id for issue in fresh)
        self.store.put(fresh)
        conflicts.look_again(self, (issue.id for issue in fresh))
        self.fold_and_tell(before, cause, confirmed=confirmed)

    def gone(self, issues: Iterable[IssueId], cause: Cause = "theirs", *, asked: float | None = None) -> None:
        """These issues left the scope; stale answers are treated as in ``confirm``."""
        left = {
            issue: known
            for issue in issues
            if not self._late(issue, asked) and (known := self.store.issue(issue)) is not None
        }
        if not left:
            return
        before = self.seen(left)
        self.store.drop(left)
        self.fold_and_tell(before, cause, confirmed=[IssueDiff((known, None)) for known in left.values()])

    def _late(self, issue: IssueId, asked: float | None) -> bool:
        late = asked is not None and (
            self.outbox.on_wire(issue) or self._settled_at.get(issue, -1.0) >= asked
        )
        if late:
            self.unsure.add(issue)
        else:
            self.unsure.discard(issue)
        return late

    def settle(self, done: Sequence[Made], failed: Sequence[Refused], *, result: str = "done") -> None:
        """Ops were answered: successful ones are confirmed, failed ones stored with the reason.

        Raises StoreFailed; then nothing is changed, and the answers count as lost.
        """
        done, failed = sorted_out(done, failed, self.outbox)
        now = self._now()
        answered = [*(op for op, _ in done), *(op for op, _, _ in failed)]
        titles = {op.id: self.title(op) for op in answered}
        new = {op.issue: issue for op, issue in done if op.change.creates and issue is not None}
        renamed = [pair for old, issue in new.items() for pair in self.outbox.renamed(old, issue)]
        lines = [made(op, issue, titles[op.id], now, result) for op, issue in done]
        lines += [logged(op, titles[op.id], now, "failed", str(error)) for op, error, _ in failed]
        # Before the new issue's own Op leaves the outbox: after a crash in between, its marker finds it.
        if renamed:
            self.store.rewrite([OutboxEntry(op=op, due=i.due, conflicts=i.conflicts) for i, op in renamed])
        refusals = [refused(op, titles[op.id], error, now) for op, error, _ in failed]
        self.store.settle([op.id for op in answered], refusals, lines)
        # On disk: nothing can fail from here on.
        before = self.seen([*(op.issue for op in answered), *(issue.id for issue in new.values())])
        self._put(done, failed)
        for item, op in renamed:
            self.outbox.put(item, op)
        for op in answered:
            self.outbox.remove(op.id)
            self.answered(new[op.issue].id if op.issue in new else op.issue)
        for old, issue in new.items():
            self.renamed(old, issue.id)
        for op, error, _ in failed:
            self.failed.append((op, error))
            self._undo_stack.forget(op.id)
        self._rebase_on_refused([op for op, _, _ in failed])
        self.fold_and_tell(before, "answer", always=True)
        self._say_settled([op for op, _ in done], [(op, error) for op, error, _ in failed], titles)

    def _rebase_on_refused(self, refused_: Sequence[Op]) -> None:
        """Ops after a failed one are compared with the current values, in the fields of that Op."""
        rebased: list[OutboxItem] = []
        for op in refused_:
            for item in self.outbox.items(op.issue):
                self.rebase(item, without=op)
                rebased.append(item)
        if rebased:
            with suppress(StoreFailed):  # after a restart it would show as a conflict: no harm
                self.store.rewrite([OutboxEntry(op=i.op, due=i.due, conflicts=i.conflicts) for i in rebased])

    def answered(self, issue: IssueId) -> None:
        """A change of ours was answered now: pages requested earlier are stale."""
        moment = asyncio.get_running_loop().time()
        self._settled_at[issue] = moment
        if len(self._settled_at) > KEPT:
            self._settled_at = {i: at for i, at in self._settled_at.items() if moment - at < LATE}

    def renamed(self, old: IssueId, new: IssueId) -> None:
        """A new issue has its id from the server now."""
        self._undo_stack.rename(old, new)
        self._tell(Renamed(old, new))

    def _put(self, done: Sequence[Made], failed: Sequence[Refused]) -> None:
        issues: list[Issue] = []
        for op, issue in (*done, *((op, issue) for op, _, issue in failed)):
            if issue is None:
                continue
            known = self.store.issue(issue.id)
            # What left the mirror meanwhile returns with the next poll, if it belongs there.
            if op.change.creates or (known is not None and issue.updated_at >= known.updated_at):
                issues.append(issue)
        self.store.put(issues)

    def _say_settled(
        self,
        done: Sequence[Op],
        failed: Sequence[tuple[Op, GlboardError]],
        titles: Mapping[OpId, str],
    ) -> None:
        for group in dict.fromkeys(op.group for op in (*done, *(op for op, _ in failed))):
            these = tuple(op for op in done if op.group == group)
            refused_ = tuple((op, error) for op, error in failed if op.group == group)
            first = these[0] if these else refused_[0][0]
            self._tell(Settled(title=titles[first.id], done=these, failed=refused_))
        self._forget_titles([*done, *(op for op, _ in failed)])

    def _forget_titles(self, ops: Iterable[Op]) -> None:
        groups = {op.group for op in ops}
        for group in groups - {op.group for op in self.outbox}:
            self._titles.pop(group, None)

    # Events

    def seen(self, issues: Iterable[IssueId]) -> dict[IssueId, Issue | None]:
        """These issues as shown, to compare with after a change."""
        return {issue: self.shown.get(issue) for issue in issues}

    def fold_and_tell(
        self,
        before: Mapping[IssueId, Issue | None],
        cause: Cause,
        *,
        always: bool = False,
        confirmed: Sequence[IssueDiff] = (),
    ) -> None:
        """Fold issues again and announce what changed since ``before``, and what the server changed.

        ``always``: announce issues even if unchanged (for example when no longer unsent).
        """
        changes: list[IssueDiff] = []
        for issue, was in before.items():
            self.shown.fold(issue, self.outbox.of(issue))
            now = self.shown.get(issue)
            if (always or was != now) and not (was is None and now is None):
                changes.append(IssueDiff((was, now)))
        if changes or confirmed:
            self._tell(IssuesChanged(tuple(changes), cause, tuple(confirmed)))

    def tell_same(self, issues: Iterable[IssueId]) -> None:
        """The display of these issues changed, though they did not."""
        self.fold_and_tell(self.seen(issues), "answer", always=True)
