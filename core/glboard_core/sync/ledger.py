"""The ledger: what is confirmed, what is pending, and what is shown = fold(confirmed, pending).

Owns the three and every way they change; each change is on disk before it is true here, so that a disk that
refuses leaves all as it was. It asks no server and keeps no time of its own but the loop's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec import structs

from glboard_core.board.conflict import seen_without
from glboard_core.board.op import Comment, Create, GroupId, NoteWrite, Op, OpId
from glboard_core.board.undo import UndoStack
from glboard_core.config import SyncSettings
from glboard_core.errors import GlboardError, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Entry, Store
from glboard_core.state import Change, fold_one
from glboard_core.sync import contest
from glboard_core.sync.events import Cause, Event, IssuesChanged, Renamed, Settled
from glboard_core.sync.outcome import Made, Refused, logged, made, refused, remembered, sorted_out
from glboard_core.sync.pending import Item, Pending
from glboard_core.sync.shown import Shown

#: Moments of answers are kept that long, in seconds, once there are many: no page is under way for longer.
LATE = 600.0
KEPT = 1_000


class Ledger:
    """Confirmed, pending and shown. ``tell`` is given every event; ``now`` is the server's clock."""

    def __init__(
        self,
        store: Store,
        undo_stack: UndoStack,
        sync: SyncSettings,
        tell: Callable[[Event], None],
        now: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.pending = Pending(store.outbox())
        self.shown = Shown(store.issues())
        #: Changes that were refused, oldest first, until they are tried again or dropped.
        self.failed: list[tuple[Op, GlboardError]] = [remembered(r) for r in store.refusals()]
        #: Issues of which something read was not taken over, a change of ours being on the wire: read again.
        self.unsure: set[IssueId] = set()
        self._undo_stack = undo_stack
        self._sync = sync
        self._tell = tell
        self._now = now
        #: When each issue was last answered for, by the loop's clock: a page asked for earlier is late.
        self._settled_at: dict[IssueId, float] = {}
        self._titles: dict[GroupId, str] = {}
        self._take_up()

    def _take_up(self) -> None:
        """Go on with what an earlier session left."""
        now = time.time()
        for issue in self.pending.issues():
            for item in self.pending.items(issue):
                if item.lost:
                    # When exactly the last session's request left is not known: count from now.
                    item.lost = now
                # This machine's clock may have been put back since; nothing is held for longer than ever.
                item.due = min(item.due, now + max(self._sync.hold, self._sync.hold_comments))
            self.shown.fold(issue, self.pending.of(issue))

    # What a person does

    def enqueue(self, ops: Sequence[Op], title: str, instead: Collection[OpId] = ()) -> None:
        """Keep Ops and show them; ``instead`` are refused ones that they stand for. Raises StoreFailed; then
        nothing is changed.

        What one key does leaves together, a comment's edit with the comment: so undo takes back all of it
        or nothing, and no mail tells of half. Hence it is held as long as its longest part.
        """
        if not ops and not instead:
            return
        now = time.time()
        sync = self._sync
        speaks = any(isinstance(op.act, Comment | NoteWrite | Create) for op in ops)
        due = now + (max(sync.hold, sync.hold_comments) if speaks else sync.hold)
        entries = [Entry(op=op, title=title, due=due) for op in ops]
        self.store.enqueue(entries, instead)
        self.failed = [(failed, error) for failed, error in self.failed if failed.id not in instead]
        self._titles.update((op.group, title) for op in ops[:1])
        before = self.seen(op.issue for op in ops)
        for entry in entries:
            self.pending.hold(entry.op.issue, now + sync.hold)
            self.pending.add(entry)
        self.fold_and_tell(before, "mine", always=True)

    def take_back(self, ops: Sequence[Op]) -> list[Op]:
        """Take back those that were not sent, without a trace on the server; returns the others.

        Raises StoreFailed.
        """
        here = [op for op in ops if self._unsent(op.id)]
        if not self.store.take_back([op.id for op in here]):
            # Another window was faster with some of them.
            here = [op for op in reversed(here) if self.store.take_back([op.id])]
        before = self.seen(op.issue for op in here)
        for op in here:
            self.pending.remove(op.id)
        self._forget_titles(here)
        self.fold_and_tell(before, "mine", always=True)
        gone = {op.id for op in here}
        return [op for op in ops if op.id not in gone]

    def _unsent(self, op: OpId) -> bool:
        item = self.pending.item(op)
        return item is not None and not item.sent and not item.lost

    def drop(self, ops: Sequence[Op], result: str) -> None:
        """Drop Ops that were not sent for good; the log tells. What another window has sent meanwhile stays.

        Raises StoreFailed.
        """
        now = self._now()
        dropped = [
            op for op in ops if self.store.take_back([op.id], [logged(op, self.title(op), now, result)])
        ]
        before = self.seen(op.issue for op in dropped)
        for op in dropped:
            self.pending.remove(op.id)
            self._undo_stack.forget(op.id)
        self._forget_titles(dropped)
        self.fold_and_tell(before, "mine", always=True)

    def rebase(self, item: Item, *, without: Op | None = None) -> None:
        """What the person saw no longer counts: compare with what is there now.

        All of it, or (``without``) only in what an Op that was refused had touched.
        """
        now, saw = self.folded_before(item), item.op.before
        if now is None:
            return
        if without is not None and saw is not None:
            now = seen_without(saw, without.act, now)
        self.rewritten(item, structs.replace(item.op, before=now))

    def rewritten(self, item: Item, op: Op) -> None:
        """The same Op, with another thing seen before it."""
        self.pending.put(item, op)
        self._undo_stack.replace(op)

    def was_sent(self, op: Op) -> None:
        """Another window sent it, perhaps after a choice there: undo goes by what it went over."""
        self._undo_stack.replace(op)

    def folded_before(self, item: Item) -> Issue | None:
        """The issue as the server would show it just before this Op: with what is ahead in line done."""
        ahead: list[Op] = []
        for other in self.pending.items(item.op.issue):
            if other is item:
                break
            ahead.append(other.op)
        return fold_one(self.store.issue(item.op.issue), ahead)

    def title(self, op: Op) -> str:
        """How the keystroke of an Op is called."""
        item = self.pending.item(op.id)
        return item.title if item is not None else self._titles.get(op.group, "")

    # What the server says

    def confirm(self, issues: Iterable[Issue], cause: Cause, *, asked: float | None = None) -> None:
        """The server says these issues are so.

        Ignored is what is older than what is known. What was asked for before an answer to a change of ours
        (``asked``, by the loop's clock) may not show the change: it counts as unsure and is read again.
        """
        fresh: list[Issue] = []
        confirmed: list[Change] = []
        for issue in issues:
            if self._late(issue.id, asked):
                continue
            known = self.store.issue(issue.id)
            if known is None or (issue != known and issue.updated_at >= known.updated_at):
                fresh.append(issue)
                confirmed.append(Change((known, issue)))
        if not fresh:
            return
        before = self.seen(issue.id for issue in fresh)
        self.store.put(fresh)
        contest.look_again(self, (issue.id for issue in fresh))
        self.fold_and_tell(before, cause, confirmed=confirmed)

    def gone(self, issues: Iterable[IssueId], cause: Cause = "theirs", *, asked: float | None = None) -> None:
        """These issues left the scope; late answers count as in ``confirm``."""
        left = {
            issue: known
            for issue in issues
            if not self._late(issue, asked) and (known := self.store.issue(issue)) is not None
        }
        if not left:
            return
        before = self.seen(left)
        self.store.drop(left)
        self.fold_and_tell(before, cause, confirmed=[Change((known, None)) for known in left.values()])

    def _late(self, issue: IssueId, asked: float | None) -> bool:
        late = asked is not None and (
            self.pending.on_wire(issue) or self._settled_at.get(issue, -1.0) >= asked
        )
        if late:
            self.unsure.add(issue)
        else:
            self.unsure.discard(issue)
        return late

    def settle(self, done: Sequence[Made], failed: Sequence[Refused], *, result: str = "done") -> None:
        """Ops were answered: what was made is confirmed, what was refused is kept with the reason.

        Raises StoreFailed; then nothing is changed, and the answers have to be looked for again.
        """
        done, failed = sorted_out(done, failed, self.pending)
        now = self._now()
        answered = [*(op for op, _ in done), *(op for op, _, _ in failed)]
        titles = {op.id: self.title(op) for op in answered}
        new = {op.issue: issue for op, issue in done if isinstance(op.act, Create) and issue is not None}
        renamed = [pair for old, issue in new.items() for pair in self.pending.renamed(old, issue)]
        lines = [made(op, issue, titles[op.id], now, result) for op, issue in done]
        lines += [logged(op, titles[op.id], now, "failed", str(error)) for op, error, _ in failed]
        # Before the new issue's own Op leaves the outbox: a crash in between finds it by its mark again.
        if renamed:
            self.store.rewrite([Entry(op=op, due=i.due, clashes=i.clashes) for i, op in renamed])
        refusals = [refused(op, titles[op.id], error, now) for op, error, _ in failed]
        self.store.settle([op.id for op in answered], refusals, lines)
        # On disk: from here on nothing fails.
        before = self.seen([*(op.issue for op in answered), *(issue.id for issue in new.values())])
        self._put(done, failed)
        for item, op in renamed:
            self.pending.put(item, op)
        for op in answered:
            self.pending.remove(op.id)
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
        """What follows on a refused Op is compared with what is there, in the fields of that Op."""
        rebased: list[Item] = []
        for op in refused_:
            for item in self.pending.items(op.issue):
                self.rebase(item, without=op)
                rebased.append(item)
        if rebased:
            with suppress(StoreFailed):  # after a restart it would be asked about: no harm
                self.store.rewrite([Entry(op=i.op, due=i.due, clashes=i.clashes) for i in rebased])

    def answered(self, issue: IssueId) -> None:
        """A change of ours was answered just now: what was asked for earlier is late."""
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
            # What left the mirror meanwhile comes back by the next poll, if it belongs there.
            if isinstance(op.act, Create) or (known is not None and issue.updated_at >= known.updated_at):
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
        for group in groups - {op.group for op in self.pending}:
            self._titles.pop(group, None)

    # Telling

    def seen(self, issues: Iterable[IssueId]) -> dict[IssueId, Issue | None]:
        """These issues as shown: what a change is told against."""
        return {issue: self.shown.get(issue) for issue in issues}

    def fold_and_tell(
        self,
        before: Mapping[IssueId, Issue | None],
        cause: Cause,
        *,
        always: bool = False,
        confirmed: Sequence[Change] = (),
    ) -> None:
        """Fold issues again and tell what changed since ``before``, and what the server changed.

        ``always``: the picture changes even where the issue does not (no longer unsent, say).
        """
        changes: list[Change] = []
        for issue, was in before.items():
            self.shown.fold(issue, self.pending.of(issue))
            now = self.shown.get(issue)
            if (always or was != now) and not (was is None and now is None):
                changes.append(Change((was, now)))
        if changes or confirmed:
            self._tell(IssuesChanged(tuple(changes), cause, tuple(confirmed)))

    def tell_same(self, issues: Iterable[IssueId]) -> None:
        """The picture of these issues changed, though they did not."""
        self.fold_and_tell(self.seen(issues), "answer", always=True)
