"""Several processes on one state file: who may send, and what the others wrote.

Every process shows all changes and can add some, but only one sends: two would send a change twice, or one
would look for a change that the other is sending just now. ``SendLease`` decides which one that is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from glboard_core.board.operations import IssueDiff, Op, OpId
from glboard_core.errors import StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.renames import Renames
from glboard_core.ports import Logged, OutboxEntry, Store
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import failed_ops
from glboard_core.sync.status import SyncStatus

#: Log lines searched for what another process sent: ids of new issues, overwritten values.
RECENT = 200
#: Meta key of a mark that changes whenever something was found to be renamed.
RENAMED = "renamed"


class OtherProcesses:
    """Adopts what other processes wrote into the local state."""

    def __init__(self, local_state: LocalState, status: SyncStatus) -> None:
        self._local_state = local_state
        self._store = local_state.store
        self._outbox = local_state.outbox
        self._status = status
        #: Adopts what another process found to be renamed; set by the engine.
        self.adopt_names: Callable[[], Renames | None] = lambda: None
        self._names = self._store.meta(RENAMED)

    async def follow(self, seconds: float) -> None:
        """Adopt what they write, every ``seconds``, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            self.adopt_now()

    def adopt_now(self) -> None:
        """Adopt what they wrote, if the disk can be read."""
        try:
            self.adopt()
        except StoreFailed as error:
            self._status.disk_failed(error)

    def adopt(self) -> None:
        """Adopt what other processes wrote since the last call. Raises StoreFailed."""
        written = self._store.poll_external()
        if written is None:
            return
        local_state, outbox = self._local_state, self._outbox
        names: Renames | None = None
        if (mark := self._store.meta(RENAMED)) != self._names:
            self._names, names = mark, self.adopt_names()
        local_state.drafts.adopt()
        stored = {entry.op.id: entry for entry in self._store.outbox()}
        settled = [op for op in outbox if op.id not in stored]
        new = [entry for op, entry in stored.items() if op not in outbox]
        recent = self._store.log(RECENT) if settled else ()
        renamed = self._renamed(settled, stored, recent)
        # Their earlier state is no longer known: for removed issues, the id must suffice.
        before: dict[IssueId, Issue | None] = {issue.id: None for issue in written.issues}
        before |= {issue: local_state.shown.get(issue) or _only_id(issue) for issue in written.gone}
        touched = (*(op.issue for op in settled), *(entry.op.issue for entry in new))
        staged = local_state.drafts.unshown()
        ours = dict.fromkeys((*touched, *renamed, *renamed.values(), *staged))
        before |= local_state.as_shown(ours)
        settled_ids = {op.id for op in settled}
        for line in recent:
            if line.op in settled_ids:
                # Perhaps sent after resolving a conflict: undo restores what it overwrote.
                local_state.undo_stack.replace(line.change)
        for op in settled:
            outbox.remove(op.id)
            local_state.answered(renamed.get(op.issue, op.issue))
        for entry in new:
            outbox.add(entry)
        for issue in self._adopt_entries(stored):
            before.setdefault(issue, local_state.shown.get(issue))
        for read in written.issues:
            # Whatever this process asked for before may be older.
            local_state.answered(read.id)
        outbox.sort(list(stored))
        local_state.failed = failed_ops(self._store.failed_changes())
        for old, to in renamed.items():
            local_state.renamed(old, to)
        # What the other process changed is the person's own; what it read is changes by others.
        known = {
            issue.id: names.issue(issue) if names is not None else issue
            for issue in written.before
            if issue.id not in ours
        }
        now = {issue.id: issue for issue in written.issues}
        local_state.update_shown({i: was for i, was in before.items() if i in ours}, "answer", always=True)
        local_state.update_shown(
            {i: was for i, was in before.items() if i not in ours},
            "theirs",
            always=True,
            confirmed=[
                IssueDiff((was, now.get(issue))) for issue, was in known.items() if was != now.get(issue)
            ],
        )
        local_state.written_elsewhere()
        local_state.changed()

    def _adopt_entries(self, stored: Mapping[OpId, OutboxEntry]) -> list[IssueId]:
        """Other contents of Ops, and conflicts found or resolved elsewhere; returns the issues concerned."""
        found: list[IssueId] = []
        for op in list(self._outbox):
            item, entry = self._outbox.item(op.id), stored[op.id]
            if item is None:
                continue
            if item.op != entry.op:
                found.append(item.op.issue)
                self._outbox.replace(item, entry.op)
                self._local_state.undo_stack.replace(entry.op)
            if item.conflicts != entry.conflicts and not item.under_way:
                found.append(item.op.issue)
                if item.conflicts and not entry.conflicts:
                    item.forget_attempts()
                item.conflicts = entry.conflicts
        return found

    def recover_claimed(self) -> None:
        """This process sends from now on: what the one before claimed and did not settle needs recovery.

        It may have been in the outbox here before it was claimed there. What follows on its issue must not
        overtake it, and no one is asked to decide about what may have been made. Raises StoreFailed.
        """
        for entry in self._store.outbox():
            item = self._outbox.item(entry.op.id)
            if item is not None and entry.sent and not item.lost_at and not item.under_way:
                item.lost_at = time.time()
                item.claimed_at = entry.sent

    def not_claimed(self, ops: Sequence[OpId]) -> None:
        """These could not be claimed: another process sends or has withdrawn them. Raises StoreFailed."""
        stored = {entry.op.id: entry for entry in self._store.outbox()}
        left = [item for op in ops if (item := self._outbox.item(op)) is not None]
        before = self._local_state.as_shown(item.op.issue for item in left)
        for item in left:
            item.release()
            if item.op.id in stored:
                item.lost_at = time.time()
                item.claimed_at = stored[item.op.id].sent
            else:
                self._outbox.remove(item.op.id)
        self._local_state.update_shown(before, "answer", always=True)
        self._local_state.changed()

    def _renamed(
        self, settled: Sequence[Op], stored: Mapping[OpId, OutboxEntry], recent: Sequence[Logged]
    ) -> dict[IssueId, IssueId]:
        """New issues created by another process: their ids before and after."""
        found = {
            op.issue: stored[op.id].op.issue
            for op in self._outbox
            if op.id in stored and op.issue != stored[op.id].op.issue
        }
        creates = {op.id: op.issue for op in settled if op.change.creates}
        for line in recent:
            if line.op in creates and line.change.issue != creates[line.op]:
                found[creates[line.op]] = line.change.issue
        return found


def _only_id(issue: IssueId) -> Issue:
    """An issue of which only the id is known."""
    never = datetime.fromtimestamp(0, UTC)
    return Issue(id=issue, project="", iid=0, title="", created_at=never, updated_at=never)


class SendLease:
    """The right to send: one process per state file has it, and another takes over when that one ends.

    A process may have it only once the server confirmed that its user is the one the state file belongs to,
    while the server accepts its token, and not in a read-only session.
    """

    def __init__(self, others: OtherProcesses, store: Store, status: SyncStatus, *, read_only: bool) -> None:
        self.read_only = read_only
        self._others = others
        self._store = store
        self._status = status
        self._has = False

    @property
    def _allowed(self) -> bool:
        return self._status.verified and self._status.token_accepted and not self.read_only

    def held(self) -> bool:
        """Whether this process has the lease; acquires it if allowed and free.

        The previous holder may have sent and settled what still waits here, so that is checked first.
        """
        if not self._allowed:
            return False
        if not self._has and self._store.acquire_lease():
            try:
                self._others.adopt()
                self._others.recover_claimed()
            except StoreFailed as error:
                self._status.disk_failed(error)
                self._store.release_lease()
                return False
            self._has = True
        return self._has

    def release_if_not_allowed(self) -> None:
        """Let another process send if this one may not. Call it only while nothing of ours is being sent."""
        if not self._allowed:
            self.release()

    def release(self) -> None:
        """Let another process send."""
        if self._has:
            self._has = False
            self._store.release_lease()
