"""Local state: the confirmed issues, the outbox, and what is shown: one with the other applied, then a draft.

Owns the three and all their changes; each change is on disk before it is applied here, so that a failed write
changes nothing. It sends no requests.

Answers are believed in the order in which they were asked for, never by ``updated_at``: GitLab does not move
that with each change, and after a restored backup, an import or a correction of the clock it can lie in the
future.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec import structs

from glboard_core.board.operations import GroupId, IssueDiff, Op, OpId, fold_one
from glboard_core.board.renamed import group_now, op_now
from glboard_core.board.undo import UndoStack
from glboard_core.config import SyncSettings
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId, IssueRow, row_of
from glboard_core.model.renames import Renames
from glboard_core.ports import Issues, OutboxEntry, Store
from glboard_core.sync.conflicts import Conflicts
from glboard_core.sync.drafts import Drafts
from glboard_core.sync.events import Cause, Event, IssuesChanged, Renamed, Settled, WrittenElsewhere
from glboard_core.sync.log import (
    ServerAnswer,
    answer_line,
    failed_change,
    failed_ops,
    log_line,
    split_new_issues,
)
from glboard_core.sync.outbox import Outbox
from glboard_core.sync.pinned import PinnedIssues


class Shown(Issues):
    """The confirmed issues with unsent and staged changes applied: computed only for those with some.

    ``matching`` and ``slim``, and so boards and figures, leave out pinned issues that do not belong there.
    """

    def __init__(self, confirmed: Issues, pinned: PinnedIssues) -> None:
        self._confirmed = confirmed
        self._pinned = pinned
        self._overlay: dict[IssueId, Issue] = {}

    def fold(self, issue: IssueId, ops: Sequence[Op]) -> None:
        """Recompute one issue from its pending Ops, layer over layer."""
        folded = fold_one(self._confirmed.get(issue), ops) if ops else None
        if folded is None:
            self._overlay.pop(issue, None)
        else:
            self._overlay[issue] = folded

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        unlisted = self._pinned.unlisted(self)
        for issue in self._confirmed.matching(milestone):
            if issue.id not in self._overlay and issue.id not in unlisted:
                yield issue
        for issue in list(self._overlay.values()):
            if (milestone is None or (issue.milestone or "") == milestone) and issue.id not in unlisted:
                yield issue

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        unlisted = self._pinned.unlisted(self)
        for issue in self._confirmed.slim(milestone):
            if issue.id not in self._overlay and issue.id not in unlisted:
                yield issue
        for shown in list(self._overlay.values()):
            if (milestone is None or (shown.milestone or "") == milestone) and shown.id not in unlisted:
                yield row_of(shown)

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


#: Once there are many, times of reads and answers are kept for this many seconds: no page takes longer.
LONGEST_PAGE = 600.0
MOST_TIMES = 1_000


class _Times:
    """A time of each issue by the loop's clock, as long as a read requested before it may be under way."""

    def __init__(self) -> None:
        self._at: dict[IssueId, float] = {}
        self._most = MOST_TIMES

    def of(self, issue: IssueId) -> float:
        """The time, or one before all others."""
        return self._at.get(issue, -1.0)

    def set(self, issue: IssueId, at: float) -> None:
        """Remember a time."""
        self._at[issue] = at
        if len(self._at) > self._most:
            self._at = {i: then for i, then in self._at.items() if at - then < LONGEST_PAGE}
            self._most = max(MOST_TIMES, 2 * len(self._at))


class LocalState:
    """Confirmed, unsent and shown. ``now`` is the server's clock.

    ``emit`` gets every event; ``changed`` is called after each change of the outbox, the failed changes, the
    conflicts or the drafts. ``drafts``: whether a draft can be on.
    """

    def __init__(
        self,
        store: Store,
        undo_stack: UndoStack,
        sync: SyncSettings,
        *,
        emit: Callable[[Event], None],
        changed: Callable[[], None],
        now: Callable[[], datetime],
        drafts: bool = True,
    ) -> None:
        self.store = store
        #: Whether issues are read with other fields than before, until all were.
        self.licence_changed = False
        self.undo_stack = undo_stack
        self.outbox = Outbox(store.outbox())
        self.conflicts = Conflicts(store, self.outbox, undo_stack)
        self.drafts = Drafts(store, active=drafts)
        #: Issues that are kept although they are out of scope.
        self.pinned = PinnedIssues(store)
        self.shown = Shown(store.issues(), self.pinned)
        self._failed = failed_ops(store.failed_changes())
        #: Whether changes are held before they are sent: only while the engine runs, not for a command.
        self.holds = False
        #: Issues for which a read was ignored because a change of ours was being sent: read them again.
        self.unsure: set[IssueId] = set()
        #: Whether issues were closed or reopened since this was last reset: others may be blocked no longer,
        #: or again. That does not move their times.
        self.closed_some = self.reopened_some = False
        #: The issues that were blocked earlier in this session.
        self.unblocked: set[IssueId] = set()
        #: Adopts what other processes wrote; set by the engine.
        self.follow: Callable[[], None] = lambda: None
        self._sync = sync
        self._emit = emit
        self.changed = changed
        self._now = now
        #: When a change to each issue was last answered, by the loop's clock: a page requested earlier is
        #: stale.
        self._answered_at = _Times()
        #: When the read that each issue is known from was requested: one requested earlier is older.
        self._asked_at = _Times()
        self._titles: dict[GroupId, str] = {}
        self._continue()

    @property
    def failed(self) -> list[tuple[Op, GlboardError]]:
        """Failed changes, oldest first, until they are retried or discarded."""
        return self._failed

    @failed.setter
    def failed(self, failed: list[tuple[Op, GlboardError]]) -> None:
        self._failed = failed
        self.undo_stack.keep_refused({op.id for op, _ in failed})

    def _continue(self) -> None:
        """Continue with what an earlier session left."""
        now = time.time()
        for issue in self.outbox.issues():
            for item in self.outbox.items(issue):
                if item.lost_at:
                    # It is unknown when exactly the last session sent its request: count from now.
                    item.lost_at = now
                # This machine's clock may have been set back since; nothing is held for longer than usual.
                item.due = min(item.due, now + max(self._sync.hold, self._sync.hold_comments))
        for issue in dict.fromkeys((*self.outbox.issues(), *self.drafts.issues())):
            self._fold(issue)

    # Changes of a person

    def enqueue(self, ops: Sequence[Op], title: str, instead: Collection[OpId] = ()) -> None:
        """Save Ops and show them; ``instead`` are the failed changes they replace. Raises StoreFailed; then
        nothing is changed.

        What one key does is sent together, for example an edit with its comment: so undo withdraws all of it
        or nothing, and no email reports half of it. Hence it is held as long as its longest part.
        """
        if not ops and not instead:
            return
        entries = self.entries(ops, title)
        self.store.enqueue(entries, instead)
        self.failed = [(failed, error) for failed, error in self.failed if failed.id not in instead]
        self.queued(entries, self.as_shown(op.issue for op in ops))

    def entries(self, ops: Sequence[Op], title: str) -> list[OutboxEntry]:
        """The Ops of one key as they are kept in the outbox."""
        hold, hold_comments = self._holds
        speaks = any(op.change.speaks for op in ops)
        due = time.time() + (max(hold, hold_comments) if speaks else hold)
        return [OutboxEntry(op=op, title=title, due=due) for op in ops]

    @property
    def _holds(self) -> tuple[float, float]:
        return (self._sync.hold, self._sync.hold_comments) if self.holds else (0.0, 0.0)

    def configure(self, sync: SyncSettings) -> None:
        """Hold changes as long as the configuration says now; what is held already keeps its time."""
        self._sync = sync

    def queued(self, entries: Sequence[OutboxEntry], before: Mapping[IssueId, Issue | None]) -> None:
        """These are in the stored outbox now; ``before`` are the issues concerned as shown until now."""
        hold, hold_comments = self._holds
        longer = max(hold, hold_comments) - hold
        speaks = any(entry.op.change.speaks for entry in entries)
        for entry in entries:
            self._titles[entry.op.group] = entry.title
            # What the issue waits for already goes with it, but no later than an edit would.
            self.outbox.hold(entry.op.issue, entry.due - (longer if speaks else 0.0))
            self.outbox.add(entry)
        self.update_shown(before, "mine", always=True)
        self.changed()

    def withdraw(self, ops: Sequence[Op]) -> list[Op]:
        """Withdraw those not sent, without a trace on the server; returns the others.

        Raises StoreFailed.
        """
        unsent = [op for op in ops if self.is_unsent(op.id)]
        if not self.store.withdraw([op.id for op in unsent]):
            # Another process was faster with some of them.
            unsent = [op for op in reversed(unsent) if self.store.withdraw([op.id])]
        self._remove(unsent)
        withdrawn = {op.id for op in unsent}
        return [op for op in ops if op.id not in withdrawn]

    def is_unsent(self, op: OpId) -> bool:
        """Whether it is still held or waits, so that it can be withdrawn without a trace."""
        item = self.outbox.item(op)
        return item is not None and not item.sent_at and not item.lost_at

    def discard(self, ops: Sequence[Op]) -> None:
        """Discard unsent Ops for good, with a log line. Those that another process has sent meanwhile stay.

        Raises StoreFailed.
        """
        now = self._now()
        discarded = [
            op for op in ops if self.store.withdraw([op.id], [log_line(op, self.title(op), now, "dropped")])
        ]
        for op in discarded:
            self.undo_stack.forget(op.id)
        self._remove(discarded)

    def _remove(self, ops: Sequence[Op]) -> None:
        before = self.as_shown(op.issue for op in ops)
        for op in ops:
            self.outbox.remove(op.id)
        self._forget_titles(ops)
        self.update_shown(before, "mine", always=True)
        self.changed()

    def discard_failed(self, op: OpId) -> None:
        """Discard a failed change. Raises StoreFailed."""
        self.store.delete_failed(op)
        self.failed = [(failed, error) for failed, error in self.failed if failed.id != op]
        self.changed()

    def title(self, op: Op) -> str:
        """The title of an Op's keystroke."""
        item = self.outbox.item(op.id)
        return item.title if item is not None else self._titles.get(op.group, "")

    # Answers of the server

    def confirm(self, issues: Iterable[Issue], cause: Cause, *, asked: float | None = None) -> None:
        """The server returned these issues, as requested at ``asked`` by the loop's clock (None: just now).

        What was requested later is newer, whatever the issue's own times say. A page requested before an
        answer to a change of ours may lack that change: it counts as unsure and is read again.
        """
        self.follow()
        fresh: list[Issue] = []
        confirmed: list[IssueDiff] = []
        for issue in issues:
            known = self.store.issue(issue.id)
            if self._is_stale(issue.id, asked, same=issue == known) or issue == known:
                continue
            self._note_blocking(known, issue)
            fresh.append(issue)
            if known is not None and self.licence_changed:
                # What a licence adds or takes away is no one's change.
                known = structs.replace(
                    known, weight=issue.weight, blocked=issue.blocked, status=issue.status
                )
            confirmed.append(IssueDiff((known, issue)))
        if not fresh:
            return
        before = self.as_shown(issue.id for issue in fresh)
        self.store.put(fresh)
        self.conflicts.update(issue.id for issue in fresh)
        self.update_shown(before, cause, confirmed=confirmed)
        self.changed()  # conflicts may have resolved themselves

    def place(self, places: Mapping[IssueId, float]) -> None:
        """GitLab has these issues at other places in the manual order. Nothing else of them was read."""
        fresh: list[Issue] = []
        confirmed: list[IssueDiff] = []
        for identity, at in places.items():
            known = self.store.issue(identity)
            if known is None or known.position == at:
                continue
            # A page requested earlier still shows the old place: it is read again.
            self.answered(identity)
            fresh.append(structs.replace(known, position=at))
            confirmed.append(IssueDiff((known, fresh[-1])))
        if not fresh:
            return
        before = self.as_shown(issue.id for issue in fresh)
        self.store.put(fresh)
        self.update_shown(before, "answer", confirmed=confirmed)

    def rename(self, now: Renames) -> None:
        """Give everything its present names: issues, unsent and failed changes, what can be undone, plans.

        No one changed an issue by it. Can be repeated, after a crash in between. Raises StoreFailed.
        """
        known = self.store.issues()
        narrow = now.milestones and not (
            now.labels or now.people or now.projects or now.group[0] != now.group[1]
        )
        found = (i for title in now.milestones for i in known.matching(title)) if narrow else known.values()
        issues = [new for issue in found if (new := now.issue(issue)) is not issue]
        queued = [item for issue in self.outbox.issues() for item in self.outbox.items(issue)]
        items = [(item, op) for item in queued if (op := op_now(item.op, now)) is not item.op]
        failed = [
            structs.replace(one, op=op)
            for one in self.store.failed_changes()
            if (op := op_now(one.op, now)) is not one.op
        ]
        before = self.as_shown([*(issue.id for issue in issues), *(op.issue for _, op in items)])
        if items:
            self.store.rewrite([structs.replace(item.entry, op=op) for item, op in items])
        if failed:
            self.store.settle([], failed, [])
        self.store.rename_plans(now)
        self.store.put(issues)
        for item, op in items:
            self.outbox.replace(item, op)
        staged = self.drafts.convert(partial(group_now, now=now))
        before = {**self.as_shown(staged), **before}
        self.undo_stack.convert(partial(group_now, now=now))
        self.failed = [(op_now(op, now), error) for op, error in self.failed]
        self.conflicts.update(op.issue for _, op in items)
        self.update_shown(before, "answer", always=True)

    def remove(self, issues: Iterable[IssueId], *, asked: float | None = None) -> None:
        """These issues left the scope; stale answers are treated as in ``confirm``."""
        self.follow()
        left: dict[IssueId, Issue] = {}
        for issue in issues:
            known = self.store.issue(issue)
            if not self._is_stale(issue, asked, same=known is None) and known is not None:
                left[issue] = known
        if not left:
            return
        before = self.as_shown(left)
        self.store.drop(left)
        self.update_shown(before, "theirs", confirmed=[IssueDiff((known, None)) for known in left.values()])

    def forget(self, issues: Collection[IssueId]) -> None:
        """These pinned issues are not needed any longer: no one changed them."""
        if issues:
            before = self.as_shown(issues)
            self.store.drop(issues)
            self.update_shown(before, "answer")

    def _is_stale(self, issue: IssueId, asked: float | None, *, same: bool) -> bool:
        """Whether something newer is known, or about to be. ``same``: the answer is what is known anyway."""
        if asked is None:
            asked = asyncio.get_running_loop().time()
        elif self.outbox.on_wire(issue) or self._answered_at.of(issue) >= asked:
            if not same:
                self.unsure.add(issue)
            return True
        elif self._asked_at.of(issue) > asked:
            return True
        self._asked_at.set(issue, asked)
        self.unsure.discard(issue)
        return False

    def _note_blocking(self, before: Issue | None, after: Issue) -> None:
        if before is None:
            return
        self.closed_some |= before.is_open and not after.is_open
        self.reopened_some |= after.is_open and not before.is_open
        if before.blocked and not after.blocked:
            self.unblocked.add(after.id)
        elif after.blocked:
            self.unblocked.discard(after.id)

    def settle(self, answers: Iterable[ServerAnswer], *, result: str) -> None:
        """Ops were answered: those made are confirmed, failed ones stored with the reason.

        ``result`` is what the log says of those made. Raises StoreFailed; then nothing is changed, and the
        answers count as lost.
        """
        catalog = self.store.catalog()
        one_assignee = catalog is not None and not catalog.server.has_weight
        answers = split_new_issues(answers, self.outbox, one_assignee=one_assignee)
        now = self._now()
        titles = {answer.op.id: self.title(answer.op) for answer in answers}
        # The rest of a change that was made in part has an id of its own.
        by_group = {answer.op.group: title for answer in answers if (title := titles[answer.op.id])}
        titles = {answer.op.id: by_group.get(answer.op.group, "") for answer in answers}
        new = {
            answer.op.issue: answer.issue
            for answer in answers
            if answer.error is None and answer.op.change.creates and answer.issue is not None
        }
        renamed = [pair for old, issue in new.items() for pair in self.outbox.with_server_id(old, issue)]
        # Before the new issue's own Op leaves the outbox: after a crash in between, its marker finds it.
        if renamed:
            self.store.rewrite([OutboxEntry(op=op, due=i.due, conflicts=i.conflicts) for i, op in renamed])
        for old, created in new.items():
            self.drafts.with_server_id(old, created.id)
        failed = [(answer.op, answer.error) for answer in answers if answer.error is not None]
        self.store.settle(
            [answer.op.id for answer in answers],
            [failed_change(op, titles[op.id], error, now) for op, error in failed],
            [answer_line(answer, titles[answer.op.id], now, result) for answer in answers],
        )
        # On disk: nothing can fail from here on.
        before = self.as_shown([*(answer.op.issue for answer in answers), *(i.id for i in new.values())])
        known = {one.op.issue: self.store.issue(one.op.issue) for one in answers if one.error is None}
        self._put_answered(answers)
        for item, op in renamed:
            self.outbox.replace(item, op)
        for answer in answers:
            issue = answer.op.issue
            sent = self.outbox.item(answer.op.id)
            if sent is not None and answer.error is None and sent.op.change != answer.op.change:
                self.undo_stack.replace(answer.op)  # made in part
            self.outbox.remove(answer.op.id)
            self.answered(new[issue].id if issue in new else issue)
        for old, created in new.items():
            self.renamed(old, created.id)
        for op, _ in failed:
            self.undo_stack.refuse(op, titles[op.id])
        self.failed = [*self.failed, *failed]
        self.conflicts.rebase_after([op for op, _ in failed])
        # Also where nothing looks different: a comment was shown before, and is not in the answer.
        confirmed = [IssueDiff((was, self.store.issue(issue))) for issue, was in known.items()]
        self.update_shown(before, "answer", always=True, confirmed=confirmed)
        self._emit_settled(answers, titles)
        self.changed()

    def answered(self, issue: IssueId) -> None:
        """A change of ours was answered now, or another process wrote: pages requested earlier are stale."""
        self._answered_at.set(issue, asyncio.get_running_loop().time())

    def read_since(self, issue: IssueId, moment: float) -> bool:
        """Whether a read requested after ``moment`` (by the loop's clock) has returned the issue."""
        return self._asked_at.of(issue) >= moment

    def answered_since(self, issue: IssueId, moment: float) -> bool:
        """Whether a change of ours to the issue was answered after ``moment`` (by the loop's clock)."""
        return self._answered_at.of(issue) >= moment

    def renamed(self, old: IssueId, new: IssueId) -> None:
        """A new issue has its id from the server now."""
        self.undo_stack.rename(old, new)
        self._emit(Renamed(old, new))

    def written_elsewhere(self) -> None:
        """Another process wrote to the store, and that is adopted."""
        self._emit(WrittenElsewhere())

    def _put_answered(self, answers: Iterable[ServerAnswer]) -> None:
        issues: list[Issue] = []
        for answer in answers:
            if (issue := answer.issue) is None:
                continue
            known = self.store.issue(issue.id)
            created = answer.op.change.creates
            # What left the mirror meanwhile returns with the next poll, if it belongs there.
            if created or known is not None:
                self._note_blocking(known, issue)
                issues.append(issue)
        self.store.put(issues)

    def _emit_settled(self, answers: Sequence[ServerAnswer], titles: Mapping[OpId, str]) -> None:
        for group in dict.fromkeys(answer.op.group for answer in answers):
            of_group = [answer for answer in answers if answer.op.group == group]
            done = tuple(answer.op for answer in of_group if answer.error is None)
            failed = tuple((answer.op, answer.error) for answer in of_group if answer.error is not None)
            left = self.outbox.under_way(group)
            self._emit(Settled(title=titles[of_group[0].op.id], done=done, failed=failed, left=left))
        self._forget_titles(answer.op for answer in answers)

    def _forget_titles(self, ops: Iterable[Op]) -> None:
        for group in {op.group for op in ops} - {op.group for op in self.outbox}:
            self._titles.pop(group, None)

    # What is shown

    def as_shown(self, issues: Iterable[IssueId]) -> dict[IssueId, Issue | None]:
        """These issues as shown, to compare with after a change."""
        return {issue: self.shown.get(issue) for issue in issues}

    def _fold(self, issue: IssueId) -> None:
        self.shown.fold(issue, [*self.outbox.of(issue), *self.drafts.of(issue)])

    def update_shown(
        self,
        before: Mapping[IssueId, Issue | None],
        cause: Cause,
        *,
        always: bool = False,
        confirmed: Sequence[IssueDiff] = (),
    ) -> None:
        """Compute issues again and emit what changed since ``before``, and what the server changed.

        ``always``: emit issues even if unchanged (for example when no longer unsent).
        """
        changes: list[IssueDiff] = []
        for issue, was in before.items():
            self._fold(issue)
            now = self.shown.get(issue)
            if (always or was != now) and not (was is None and now is None):
                changes.append(IssueDiff((was, now)))
        if changes or confirmed:
            self._emit(IssuesChanged(tuple(changes), cause, tuple(confirmed)))

    def conflicts_changed(self, issues: Iterable[IssueId]) -> None:
        """The conflicts of these issues changed, and with them how they are displayed."""
        self.update_shown(self.as_shown(issues), "answer", always=True)
        self.changed()
