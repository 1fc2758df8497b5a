"""Undo and redo: of a keystroke of this session or an earlier one, or of chosen changes of the log.

Owns what a step is about: in a draft only what is staged there, else what was sent or waits to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from msgspec import structs

from glboard_core.board.operations import Change, Edit, Op, OpId
from glboard_core.board.renamed import group_now
from glboard_core.board.undo import Group, UndoStack, deletes_notes, inverses
from glboard_core.errors import GlboardError, LastRefused, StoreFailed
from glboard_core.model.renames import since
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import UNDO, LoggedChanges, chosen_group, last_group, log_line
from glboard_core.sync.ops import MakeOps
from glboard_core.sync.staging import Staging


class Undoing:
    """Undo and redo of one engine.

    ``check_writable`` raises if nothing may be changed; ``disk_failed`` is told what could not be stored.
    """

    def __init__(
        self,
        local_state: LocalState,
        stack: UndoStack,
        drafts: Staging,
        log: LoggedChanges,
        make_ops: MakeOps,
        *,
        check_writable: Callable[[], None],
        now: Callable[[], datetime],
        disk_failed: Callable[[StoreFailed], None],
    ) -> None:
        self._local_state = local_state
        self._store = local_state.store
        self._stack = stack
        self._drafts = drafts
        self._log = log
        self._make_ops = make_ops
        self._check_writable = check_writable
        self._now = now
        self._disk_failed = disk_failed

    def undo(self) -> Group | None:
        """Undo the last keystroke, of this session or else of an earlier one.

        In a draft it is the last one staged, and nothing else. Unsent changes are withdrawn; the inverse of
        the others is sent. None if there is nothing to undo.
        Raises LastRefused if GitLab refused the last keystroke, which ``discard_refused`` removes, and what
        ``perform`` raises.
        """
        self._check_writable()
        if self._undoes_staged:
            return self._drafts.undo()
        group = self.last()
        if group is None:
            return None
        if group.is_refused:
            raise LastRefused(group.title)
        self._stack.undo()
        self._drafts.applied_last = False
        sent: Sequence[Op] = group.ops
        try:
            sent = self._local_state.withdraw(group.ops)
            # "Before" is the edit's result: if someone changed that since, it is a conflict.
            results = {op.issue: op.change.apply(op.before) for op in sent if op.before is not None}
            self._local_state.enqueue(self._make_ops(inverses(sent), seen=results), f"{UNDO}{group.title}")
        except GlboardError:
            self._stack.redone(structs.replace(group, ops=tuple(sent)))
            raise
        self._log_undone(sent, group.title)
        self._stack.undone(group)
        return group

    @property
    def deletes(self) -> int:
        """How many posted comments ``undo`` would delete: others may have read them."""
        if self._undoes_staged or (group := self.last()) is None:
            return 0
        return sum(not self._local_state.is_unsent(op.id) for op in deletes_notes(group.ops))

    def undo_chosen(self, ops: Collection[OpId]) -> Group | None:
        """Undo these changes of the log together, from any session; ``redo`` restores them.

        None if none of them can be undone. Raises what ``perform`` raises.
        """
        self._check_writable()
        group = self._present_group(chosen_group([*self._log.unsent(), *self._store.log()], ops))
        if group is None:
            return None
        self._stack.gather(group)
        return self.undo()

    def discard_refused(self) -> Group | None:
        """Discard the last keystroke if GitLab refused it; returns it. Raises what ``perform`` raises."""
        self._check_writable()
        group = self.last()
        if group is None or not group.is_refused:
            return None
        for op in group.refused:
            self._local_state.discard_failed(op.id)
        return group

    def redo(self) -> Group | None:
        """Redo what was undone last. Raises what ``perform`` raises."""
        self._check_writable()
        if self._drafts.current is not None:
            return self._drafts.redo()
        group = self._stack.redo()
        if group is None:
            return None
        ops = self._make_ops([(op.issue, _redone(op)) for op in group.ops])
        try:
            self._local_state.enqueue(ops, group.title)
        except GlboardError:
            self._stack.undone(group)
            raise
        redone = Group(id=group.id, title=group.title, ops=tuple(ops))
        if ops:
            self._stack.redone(redone)
        return redone

    def last(self) -> Group | None:
        """The changes that ``undo`` would undo, or refuses to pass over since GitLab refused them."""
        if self._undoes_staged:
            return self._drafts.last
        if (last := self._stack.last) is not None:
            return last
        failed = {op.id for op, _ in self._local_state.failed}
        return self._present_group(last_group([*self._log.unsent(), *self._store.log()], failed))

    @property
    def next(self) -> Group | None:
        """What ``redo`` would redo."""
        return self._drafts.next if self._drafts.current is not None else self._stack.next

    def _present_group(self, found: Group | None) -> Group | None:
        """A group of the log, which keeps the names of its time, with those of today."""
        catalog = self._store.catalog()
        return group_now(found, since(catalog)) if found and catalog and catalog.former else found

    @property
    def _undoes_staged(self) -> bool:
        """Whether undo takes something out of the draft: nothing that was sent is undone while one is on."""
        return self._drafts.current is not None and not self._drafts.applied_last

    def _log_undone(self, ops: Sequence[Op], title: str) -> None:
        """Record which changes were undone, so that no later session undoes them again."""
        if not ops:
            return
        now = self._now()
        try:
            self._store.settle([], [], [log_line(op, title, now, "undone") for op in ops])
        except StoreFailed as error:
            self._disk_failed(error)


def _redone(op: Op) -> Change:
    """The change that redoes an Op: an issue created once is reopened, not created a second time."""
    created = op.change.creates and not op.issue.startswith("new:")
    return Edit(state="opened") if created else op.change
