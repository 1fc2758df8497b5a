"""Turns what a person does into Ops. One keystroke is one group, undone and redone as one.

Owns how acts become Ops, and the undo stack. The ledger stores the Ops; this module sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from msgspec import structs

from glboard_core.board.operations import (
    Change,
    Create,
    Edit,
    GroupId,
    Op,
    OpId,
    apply,
    changes_nothing,
    created,
)
from glboard_core.board.undo import Group, UndoStack, inverses
from glboard_core.errors import EditImpossible, GlboardError, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.sync.ids import new_id
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import UNDO, last_made, logged

#: Why a failed change cannot be retried.
GONE = EditImpossible("The issue no longer exists.", hint="Press r to refresh, or discard the change.")


class Hand:
    """Creates the Ops of what a person does. ``now`` is the server's clock; ``refused`` is called if the log
    cannot be written.

    Changing methods raise StoreFailed if the change cannot be saved; then nothing is changed.
    """

    def __init__(
        self,
        ledger: LocalState,
        undo_stack: UndoStack,
        now: Callable[[], datetime],
        refused: Callable[[StoreFailed], None],
    ) -> None:
        self._ledger = ledger
        self._undo_stack = undo_stack
        self._now = now
        self._refused = refused

    def perform(
        self, acts: Sequence[tuple[IssueId, Change]], title: str, instead: Collection[OpId] = ()
    ) -> list[Op]:
        """Do one keystroke's acts: shown at once, saved in the outbox, sent soon. Returns the new Ops.

        An act that would change nothing creates no Op. ``instead`` are failed changes that are deleted in the
        same step, if any Op is created.
        """
        ops = self._make(acts)
        if ops:
            self._ledger.enqueue(ops, title, instead)
            self._undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))
        return ops

    def undo(self) -> Group | None:
        """Undo the last keystroke, of this session or else of an earlier one.

        Unsent changes are withdrawn; the inverse of the others is sent. None if there is nothing to undo.
        """
        group = self._undo_stack.undo() or last_made(self._ledger.store.log())
        if group is None:
            return None
        made: Sequence[Op] = group.ops
        try:
            made = self._ledger.take_back(group.ops)
            # "Before" is the edit's result: if someone changed that since, it is a conflict.
            left = {op.issue: apply(op.act, op.before) for op in made if op.before is not None}
            self._ledger.enqueue(self._make(inverses(made), seen=left), f"{UNDO}{group.title}")
        except GlboardError:
            self._undo_stack.redone(structs.replace(group, ops=tuple(made)))
            raise
        self._log_undone(made, group.title)
        self._undo_stack.undone(group)
        return group

    def _log_undone(self, ops: Sequence[Op], title: str) -> None:
        """Record which changes were undone, so that no later session undoes them again."""
        if not ops:
            return
        now = self._now()
        try:
            self._ledger.store.settle([], [], [logged(op, title, now, "undone") for op in ops])
        except StoreFailed as error:
            self._refused(error)

    def redo(self) -> Group | None:
        """Redo what was undone last."""
        group = self._undo_stack.redo()
        if group is None:
            return None
        ops = self._make([(op.issue, _again(op)) for op in group.ops])
        try:
            self._ledger.enqueue(ops, group.title)
        except GlboardError:
            self._undo_stack.undone(group)
            raise
        again = Group(id=group.id, title=group.title, ops=tuple(ops))
        if ops:
            self._undo_stack.redone(again)
        return again

    def retry(self, op: OpId) -> None:
        """Retry a failed change, with its dependent changes; does nothing if it no longer exists.

        If its issue is gone, the change stays, with that as the reason.
        """
        ledger = self._ledger
        failed = next((failed for failed, _ in ledger.failed if failed.id == op), None)
        if failed is None:
            return
        new = isinstance(failed.act, Create)
        if not new and failed.issue not in ledger.shown:
            ledger.failed = [(one, GONE if one is failed else error) for one, error in ledger.failed]
            return
        # Changes to a new issue that could not be created go with it.
        along = [one for one, _ in ledger.failed if one is failed or (new and one.issue == failed.issue)]
        titles = {refusal.op.id: refusal.title for refusal in ledger.store.refusals()}
        title = f"again: {titles.get(op, '').removeprefix('again: ')}"
        ops = self._make([(other.issue, other.act) for other in along])
        # In one transaction: what is in the outbox again is no longer a failed change.
        self._ledger.enqueue(ops, title, [other.id for other in along])
        if ops:
            self._undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))

    def drop_failed(self, op: OpId) -> None:
        """Discard a failed change. Raises StoreFailed."""
        self._ledger.store.forgive(op)
        self._ledger.failed = [(failed, error) for failed, error in self._ledger.failed if failed.id != op]

    def _make(
        self, acts: Sequence[tuple[IssueId, Change]], *, seen: Mapping[IssueId, Issue] | None = None
    ) -> list[Op]:
        """Ops of one group. ``seen``: the issue as the person saw it, if that is not what is shown."""
        group = GroupId(new_id())
        ops: list[Op] = []
        now: dict[IssueId, Issue] = {}
        saw: dict[IssueId, Issue] = dict(seen or {})
        for issue, act in acts:
            shown = now.get(issue) or self._ledger.shown.get(issue)
            if shown is None and not isinstance(act, Create):
                continue
            if shown is not None and changes_nothing(act, shown):
                continue
            before = saw.get(issue, shown)
            # The server's time even with --as-of: recovery on the server depends on it.
            at = self._now()
            op = Op(id=OpId(new_id()), group=group, issue=issue, act=act, at=at, before=before)
            ops.append(op)
            if shown is not None:
                now[issue] = apply(act, shown)
            elif isinstance(act, Create):
                now[issue] = created(op)
            if before is not None:
                saw[issue] = apply(act, before)
        return ops


def _again(op: Op) -> Change:
    """The act that redoes an Op: an issue created once is reopened, not created a second time."""
    if isinstance(op.act, Create) and not op.issue.startswith("new:"):
        return Edit(state="opened")
    return op.act
