"""Conflicts: stored in the outbox, so that every process shows them and can resolve them.

Owns how a conflict begins, changes and ends. It compares nothing itself (``board/conflicts.py``) and sends
nothing: the process with the send lease finds what can be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from glboard_core.board.conflicts import Conflict, conflicts
from glboard_core.board.operations import Edit
from glboard_core.errors import StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import OutboxEntry
from glboard_core.sync.outbox import OutboxItem

if TYPE_CHECKING:
    from glboard_core.sync.local_state import LocalState

DESCRIPTION = "description"


def note(ledger: LocalState, items: Iterable[OutboxItem]) -> None:
    """Store the conflicts of these Ops for other processes and a later start."""
    with suppress(StoreFailed):  # then only this process knows until the next attempt to send: no harm
        ledger.store.contest({item.op.id: item.clashes for item in items})


def against(item: OutboxItem, now: Issue) -> tuple[Conflict, ...]:
    """What ``item`` would overwrite; marked as possibly made if an answer to it was lost."""
    found = conflicts(item.op, now)
    if item.tries or any(clash.maybe for clash in item.clashes):
        return tuple(structs.replace(clash, maybe=True) for clash in found)
    return found


def description_clash(item: OutboxItem, theirs: str) -> tuple[Conflict, ...]:
    """The description changed on the server since it was opened for editing."""
    act = item.op.act
    if not isinstance(act, Edit) or act.description is UNSET:
        return ()
    return (Conflict(DESCRIPTION, str(act.description_was), str(act.description), theirs, bool(item.tries)),)


def look_again(ledger: LocalState, issues: Iterable[IssueId]) -> None:
    """The server reported these issues: update their conflicts to the current values.

    Someone may have changed the field once more, or back to what the person had seen. The mirror has no
    descriptions, so what is known of them is kept.
    """
    changed: list[OutboxItem] = []
    for issue in issues:
        for item in ledger.pending.items(issue):
            if not item.clashes or item.under_way:
                continue
            now = ledger.folded_before(item)
            if now is None:
                continue
            kept = tuple(clash for clash in item.clashes if clash.field == DESCRIPTION)
            found = (*against(item, now), *kept)
            if found != item.clashes:
                item.clashes = found
                changed.append(item)
    if changed:
        note(ledger, changed)


def choose_mine(ledger: LocalState, issue: IssueId) -> None:
    """Keep mine: it overwrites the current values, whatever the person saw before.

    The choice holds even if the program ends before it is sent. Raises StoreFailed; then nothing is changed.
    """
    items = list(ledger.pending.items(issue))
    before = [(item, item.op, item.clashes) for item in items]
    for item in items:
        act = item.op.act
        for clash in item.clashes:
            if clash.field == DESCRIPTION and isinstance(act, Edit):
                act = structs.replace(act, description_was=clash.theirs)
                ledger.rewritten(item, structs.replace(item.op, act=act))
        item.clashes = ()
        ledger.rebase(item)
    try:
        # Do not enqueue it again: another process may have resolved it first, and sent it.
        ledger.store.rewrite([OutboxEntry(op=item.op, due=item.due) for item in items])
    except StoreFailed:
        for item, op, found in before:
            ledger.rewritten(item, op)
            item.clashes = found
        raise
    for item in items:
        anew(item)
    ledger.tell_same([issue])


def anew(item: OutboxItem) -> None:
    """It was resolved, so it is sent as if for the first time: earlier attempts prove nothing."""
    item.tries, item.claimed = 0, item.lost


def choose_theirs(ledger: LocalState, issue: IssueId) -> None:
    """Keep theirs: discard the conflicting changes of this issue. Raises StoreFailed."""
    items: Sequence[OutboxItem] = [item for item in ledger.pending.items(issue) if not item.under_way]
    first = next((row for row, item in enumerate(items) if item.clashes), len(items))
    ledger.drop([item.op for item in items[first:]], "dropped")
