"""Other processes on the same state file: adopts what they wrote into the local state."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from glboard_core.board.operations import IssueDiff, Op, OpId
from glboard_core.errors import StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Logged, OutboxEntry
from glboard_core.sync.conflicts import anew
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import remembered

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


#: Log lines searched for what another process sent: ids of new issues, overwritten values.
RECENT = 200


def look_at_others(local_state: LocalState) -> bool:
    """Adopt what other processes wrote since the last check; returns whether there was anything.

    Raises StoreFailed if the disk cannot be read.
    """
    seen = local_state.store.poll_external()
    if seen is None:
        return False
    entries = local_state.store.outbox()
    pending = local_state.outbox
    here = {entry.op.id: entry for entry in entries}
    settled = [op for op in pending if op.id not in here]
    new = [entry for entry in entries if entry.op.id not in pending]
    recent = local_state.store.log(RECENT) if settled else ()
    renamed = _renamed(local_state, settled, here, recent)
    # Their earlier state is no longer known: for removed issues, the id must suffice.
    before: dict[IssueId, Issue | None] = {issue.id: None for issue in seen.issues}
    before |= {issue: local_state.shown.get(issue) or _bare(issue) for issue in seen.gone}
    before |= local_state.seen(
        [*(op.issue for op in settled), *(e.op.issue for e in new), *renamed, *renamed.values()]
    )
    gone = {op.id for op in settled}
    for line in recent:
        if line.op in gone:
            local_state.was_sent(line.change)
    for op in settled:
        pending.remove(op.id)
        local_state.answered(renamed.get(op.issue, op.issue))
    for entry in new:
        pending.add(entry)
    for item in [item for op in pending if (item := pending.item(op.id)) is not None]:
        entry = here[item.op.id]
        if item.op != entry.op:
            before.setdefault(item.op.issue, local_state.shown.get(item.op.issue))
            local_state.rewritten(item, entry.op)
        if item.conflicts != entry.conflicts and not item.under_way:
            # Found, or resolved, in another process.
            before.setdefault(item.op.issue, local_state.shown.get(item.op.issue))
            if item.conflicts and not entry.conflicts:
                anew(item)
            item.conflicts = entry.conflicts
    pending.arrange(list(here))
    local_state.failed = [remembered(refusal) for refusal in local_state.store.refusals()]
    for old, to in renamed.items():
        local_state.renamed(old, to)
    # What the other process changed is the person's own; what it read is changes by others.
    ours = {*(op.issue for op in (*settled, *(entry.op for entry in new))), *renamed, *renamed.values()}
    were = {issue.id: issue for issue in seen.were if issue.id not in ours}
    now: dict[IssueId, Issue | None] = {issue.id: issue for issue in seen.issues}
    local_state.fold_and_tell({i: was for i, was in before.items() if i in ours}, "answer", always=True)
    local_state.fold_and_tell(
        {i: was for i, was in before.items() if i not in ours},
        "theirs",
        always=True,
        confirmed=[IssueDiff((was, now.get(issue))) for issue, was in were.items()],
    )
    return True


def take_over(local_state: LocalState) -> None:
    """This window sends from now on: what the one before it claimed and did not settle is looked for first.

    It may have been in line here before it was claimed there. What follows on its issue must not overtake
    it, and nobody is asked to choose about what is perhaps made. Raises StoreFailed.
    """
    for entry in local_state.store.outbox():
        item = local_state.outbox.item(entry.op.id)
        if item is not None and entry.sent and not item.lost and not item.under_way:
            item.lost = time.time()
            item.claimed = entry.sent


def vanished(local_state: LocalState, ops: Sequence[OpId]) -> None:
    """These could not be claimed: another process sends them, or has withdrawn them."""
    here = {entry.op.id: entry for entry in local_state.store.outbox()}
    left = [item for op in ops if (item := local_state.outbox.item(op)) is not None]
    before = local_state.seen(item.op.issue for item in left)
    for item in left:
        item.under_way = False
        if item.op.id in here:
            item.lost = time.time()
            item.claimed = here[item.op.id].sent
        else:
            local_state.outbox.remove(item.op.id)
    local_state.fold_and_tell(before, "answer", always=True)


def _renamed(
    local_state: LocalState, settled: Sequence[Op], here: Mapping[OpId, OutboxEntry], recent: Sequence[Logged]
) -> dict[IssueId, IssueId]:
    """New issues created by another process: their ids before and after."""
    found = {
        op.issue: here[op.id].op.issue
        for op in local_state.outbox
        if op.id in here and op.issue != here[op.id].op.issue
    }
    creates = {op.id: op.issue for op in settled if op.change.creates}
    for line in recent:
        if line.op in creates and line.change.issue != creates[line.op]:
            found[creates[line.op]] = line.change.issue
    return found


def _bare(issue: IssueId) -> Issue:
    """An issue of which only the id is known."""
    never = datetime.fromtimestamp(0, UTC)
    return Issue(id=issue, project="", iid=0, title="", created_at=never, updated_at=never)


# The send lease: one process per state file has it, and only while the server accepts its token.


class SendLease:
    """The send lease of one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._has = False
        self._let_in = True

    @property
    def entitled(self) -> bool:
        """Whether this process may have it. Nothing is sent before the server confirmed the user."""
        return self._engine.verified and self._let_in and not self._engine.read_only

    def lose(self) -> None:
        """The server rejects our token."""
        self._let_in = False

    def regain(self) -> bool:
        """The server accepts our token; returns whether it did not before."""
        was, self._let_in = self._let_in, True
        return not was

    def held(self) -> bool:
        """Whether this process has the lease; acquires it if allowed and free.

        The previous holder may have sent and settled what still waits here, so that is checked first.
        """
        if not self.entitled:
            return False
        if not self._has and self._engine.store.acquire_lease():
            try:
                self._engine.look_at_others()
                take_over(self._engine.local_state)
            except StoreFailed as error:
                self._engine.disk_failed(error)
                self._engine.store.release_lease()
                return False
            self._has = True
        return self._has

    def step_back(self) -> None:
        """Release the lease if this process may not have it. Nothing of ours is being sent."""
        if self._has and not self.entitled:
            self._has = False
            self._engine.store.release_lease()
