"""Conflicts: somebody else changed a field that an unsent change is about, and a person decides.

Owns how a conflict begins, changes and ends: found before a change is sent, updated with every read, stored
in the outbox so that every process shows it and can resolve it. What two issues differ in is decided by
``board/conflicts.py``; nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from msgspec import structs

from glboard_core.board.conflicts import Conflict, conflicts, seen_without
from glboard_core.board.operations import Op, fold_one
from glboard_core.board.undo import UndoStack
from glboard_core.errors import EditRefused, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.stored_text import literal, stored
from glboard_core.ports import Gateway, Store
from glboard_core.sync.outbox import Outbox, OutboxItem

DESCRIPTION = "description"


class Conflicts:
    """The conflicts of one outbox."""

    def __init__(self, store: Store, outbox: Outbox, undo_stack: UndoStack) -> None:
        self._store = store
        self._outbox = outbox
        self._undo_stack = undo_stack

    async def check(
        self, items: Sequence[OutboxItem], gateway: Gateway
    ) -> tuple[list[OutboxItem], set[IssueId]]:
        """Check before sending: the items that overwrite no one's change, and the issues with conflicts.

        The items of those issues wait, with all later ones. The mirror has no descriptions, so one is read
        before it is overwritten: raises what the gateway raises.
        """
        waiting: set[IssueId] = set()
        free: list[OutboxItem] = []
        for item in items:
            issue = item.op.issue
            if issue not in waiting:
                now = self._before(item)
                item.conflicts = _conflicts(item, now) if now is not None else ()
                theirs = None if self._follows(item) else await _changed_description(item.op, gateway)
                if not item.conflicts and theirs is not None:
                    item.conflicts = _description_conflict(item, theirs)
            if item.conflicts or issue in waiting:
                waiting.add(issue)
                item.release()
            else:
                free.append(item)
        self._save(item for issue in waiting for item in self._outbox.items(issue) if item.conflicts)
        return free, waiting

    def update(self, issues: Iterable[IssueId]) -> None:
        """The server reported these issues: compare their conflicts with the current values.

        Someone may have changed the field once more, or back to what the person had seen. What is known of
        descriptions is kept.
        """
        changed: list[OutboxItem] = []
        for issue in issues:
            for item in self._outbox.items(issue):
                if not item.conflicts or item.under_way or (now := self._before(item)) is None:
                    continue
                kept = (conflict for conflict in item.conflicts if conflict.field == DESCRIPTION)
                found = (*_conflicts(item, now), *kept)
                if found != item.conflicts:
                    item.conflicts = found
                    changed.append(item)
        self._save(changed)

    def keep_mine(self, issue: IssueId) -> None:
        """Keep mine: it overwrites the current values, whatever the person saw before.

        The choice holds even if the program ends before it is sent. Raises StoreFailed; then nothing is
        changed.
        """
        items = list(self._outbox.items(issue))
        before = [(item, item.op, item.conflicts) for item in items]
        for item in items:
            change = item.op.change
            for conflict in item.conflicts:
                if conflict.field == DESCRIPTION:
                    change = structs.replace(change, description_was=conflict.theirs)
                    self._replace(item, structs.replace(item.op, change=change))
            item.conflicts = ()
            self._rebase(item)
        try:
            # Do not enqueue it again: another process may have resolved it first, and sent it.
            self._store.rewrite([item.entry for item in items])
        except StoreFailed:
            for item, op, found in before:
                self._replace(item, op)
                item.conflicts = found
            raise
        for item in items:
            item.forget_attempts()

    def losing(self, issue: IssueId) -> list[Op]:
        """Keep theirs: the Ops to discard, which are the conflicting one and all later ones of the issue."""
        items = [item for item in self._outbox.items(issue) if not item.under_way]
        first = next((row for row, item in enumerate(items) if item.conflicts), len(items))
        return [item.op for item in items[first:]]

    def rebase_after(self, failed: Sequence[Op]) -> None:
        """Compare Ops after a failed one with the current values, in the fields of that Op."""
        rebased: list[OutboxItem] = []
        for op in failed:
            for item in self._outbox.items(op.issue):
                self._rebase(item, without=op)
                rebased.append(item)
        if rebased:
            with suppress(StoreFailed):  # after a restart it would show as a conflict: no harm
                self._store.rewrite([item.entry for item in rebased])

    # Internals

    def _follows(self, item: OutboxItem) -> bool:
        """Whether an unsent Op before it changes the description, too: it is compared for both."""
        for other in self._outbox.items(item.op.issue):
            if other is item:
                return False
            if other.op.change.description_change is not None:
                return True
        return False

    def _before(self, item: OutboxItem) -> Issue | None:
        """The issue as the server would have it just before this Op: with all earlier Ops applied."""
        earlier: list[Op] = []
        for other in self._outbox.items(item.op.issue):
            if other is item:
                break
            earlier.append(other.op)
        return fold_one(self._store.issue(item.op.issue), earlier)

    def _rebase(self, item: OutboxItem, *, without: Op | None = None) -> None:
        """Compare an Op with the current values instead of those the person saw.

        In all fields, or (``without``) only in those a failed Op had changed.
        """
        now, saw = self._before(item), item.op.before
        if now is None:
            return
        if without is not None and saw is not None:
            now = seen_without(saw, without.change, now)
        self._replace(item, structs.replace(item.op, before=now))

    def _replace(self, item: OutboxItem, op: Op) -> None:
        self._outbox.replace(item, op)
        self._undo_stack.replace(op)

    def _save(self, items: Iterable[OutboxItem]) -> None:
        """Store conflicts for other processes and a later start."""
        if found := {item.op.id: item.conflicts for item in items}:
            with suppress(StoreFailed):  # then only this process knows until the next attempt: no harm
                self._store.set_conflicts(found)


def _conflicts(item: OutboxItem, now: Issue) -> tuple[Conflict, ...]:
    """What ``item`` would overwrite; marked as possibly made if an answer to it was lost."""
    found = conflicts(item.op, now)
    if item.tries or any(conflict.maybe for conflict in item.conflicts):
        return tuple(structs.replace(conflict, maybe=True) for conflict in found)
    return found


def _description_conflict(item: OutboxItem, theirs: str) -> tuple[Conflict, ...]:
    """The description changed on the server since it was opened for editing."""
    change = item.op.change.description_change
    return () if change is None else (Conflict(DESCRIPTION, *change, theirs, bool(item.tries)),)


async def _changed_description(op: Op, gateway: Gateway) -> str | None:
    """The description if it changed since it was opened for editing."""
    change = op.change.description_change
    if change is None:
        return None
    try:
        there = (await gateway.detail(op.issue)).source
    except EditRefused:
        return None  # the issue is gone; the answer to the edit will tell
    return None if stored(there) in {stored(literal(text)) for text in change} else there
