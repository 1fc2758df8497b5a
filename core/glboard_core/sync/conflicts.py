"""Conflicts: stored in the outbox, so that every process shows them and can resolve them.

Owns how a conflict begins, changes and ends. It compares nothing itself (``board/conflicts.py``) and sends
nothing: the process with the send lease finds what can be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import structs

from glboard_core.board.conflicts import Conflict, conflicts
from glboard_core.board.operations import Change, NoteSought, Op, OpId
from glboard_core.errors import EditRefused, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Done, Gateway, OutboxEntry, Outcome
from glboard_core.sync.outbox import OutboxItem

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine
    from glboard_core.sync.local_state import LocalState


DESCRIPTION = "description"


def note(local_state: LocalState, items: Iterable[OutboxItem]) -> None:
    """Store the conflicts of these Ops for other processes and a later start."""
    with suppress(StoreFailed):  # then only this process knows until the next attempt to send: no harm
        local_state.store.set_conflicts({item.op.id: item.conflicts for item in items})


def against(item: OutboxItem, now: Issue) -> tuple[Conflict, ...]:
    """What ``item`` would overwrite; marked as possibly made if an answer to it was lost."""
    found = conflicts(item.op, now)
    if item.tries or any(clash.maybe for clash in item.conflicts):
        return tuple(structs.replace(clash, maybe=True) for clash in found)
    return found


def description_clash(item: OutboxItem, theirs: str) -> tuple[Conflict, ...]:
    """The description changed on the server since it was opened for editing."""
    change = item.op.change.description_change
    return () if change is None else (Conflict(DESCRIPTION, *change, theirs, bool(item.tries)),)


def look_again(local_state: LocalState, issues: Iterable[IssueId]) -> None:
    """The server reported these issues: update their conflicts to the current values.

    Someone may have changed the field once more, or back to what the person had seen. The mirror has no
    descriptions, so what is known of them is kept.
    """
    changed: list[OutboxItem] = []
    for issue in issues:
        for item in local_state.outbox.items(issue):
            if not item.conflicts or item.under_way:
                continue
            now = local_state.folded_before(item)
            if now is None:
                continue
            kept = tuple(clash for clash in item.conflicts if clash.field == DESCRIPTION)
            found = (*against(item, now), *kept)
            if found != item.conflicts:
                item.conflicts = found
                changed.append(item)
    if changed:
        note(local_state, changed)


def choose_mine(local_state: LocalState, issue: IssueId) -> None:
    """Keep mine: it overwrites the current values, whatever the person saw before.

    The choice holds even if the program ends before it is sent. Raises StoreFailed; then nothing is changed.
    """
    items = list(local_state.outbox.items(issue))
    before = [(item, item.op, item.conflicts) for item in items]
    for item in items:
        change = item.op.change
        for clash in item.conflicts:
            if clash.field == DESCRIPTION:
                change = change.with_values(description_was=clash.theirs)
                local_state.rewritten(item, structs.replace(item.op, change=change))
        item.conflicts = ()
        local_state.rebase(item)
    try:
        # Do not enqueue it again: another process may have resolved it first, and sent it.
        local_state.store.rewrite([OutboxEntry(op=item.op, due=item.due) for item in items])
    except StoreFailed:
        for item, op, found in before:
            local_state.rewritten(item, op)
            item.conflicts = found
        raise
    for item in items:
        anew(item)
    local_state.tell_same([issue])


def anew(item: OutboxItem) -> None:
    """It was resolved, so it is sent as if for the first time: earlier attempts prove nothing."""
    item.tries, item.claimed = 0, item.lost


def choose_theirs(local_state: LocalState, issue: IssueId) -> None:
    """Keep theirs: discard the conflicting changes of this issue. Raises StoreFailed."""
    items: Sequence[OutboxItem] = [item for item in local_state.outbox.items(issue) if not item.under_way]
    first = next((row for row, item in enumerate(items) if item.conflicts), len(items))
    local_state.drop([item.op for item in items[first:]], "dropped")


# Checks before a change is sent: whether it would overwrite another one, and values known only now.


async def without_clashes(engine: Engine, items: Sequence[OutboxItem]) -> list[OutboxItem]:
    """The Ops that overwrite no one's change; the others wait, with all later ones on their issue.

    The mirror has no descriptions, so one is read before it is overwritten.
    """
    waiting: set[str] = set()
    going: list[OutboxItem] = []
    for item in items:
        issue = item.op.issue
        if issue not in waiting:
            now = engine.local_state.folded_before(item)
            item.conflicts = against(item, now) if now is not None else ()
            theirs = await _other_description(item.op, engine.gateway)
            if not item.conflicts and theirs is not None:
                item.conflicts = description_clash(item, theirs)
        if item.conflicts or issue in waiting:
            waiting.add(issue)
            item.under_way = False
        else:
            going.append(item)
    if waiting:
        engine.clashed(waiting)
    return going


async def _other_description(op: Op, gateway: Gateway) -> str | None:
    """The description if it changed since it was opened for editing."""
    change = op.change.description_change
    if change is None:
        return None
    try:
        there = (await gateway.detail(op.issue)).description
    except EditRefused:
        return None  # the issue is gone; the answer to the edit will tell
    return None if there in change else there


async def prepared(
    ops: Sequence[Op], notes: Mapping[OpId, str], gateway: Gateway, me: str
) -> tuple[dict[OpId, Op], list[Outcome]]:
    """Fill in values known only now: the note a comment created, or the one to be updated.

    Ops that need no sending are answered here. ``me`` is the username whose notes can be updated.
    """
    ready: dict[OpId, Op] = {}
    answered: list[Outcome] = []
    for op in ops:
        change: Change | None = op.change
        if (sought := op.change.note_sought) is not None:
            change = op.change.with_note(await _found(sought, op.issue, notes, gateway, me))
        if change is None:
            answered.append(Done(op=op.id))
        else:
            ready[op.id] = structs.replace(op, change=change)
    return ready, answered


async def _found(
    sought: NoteSought, issue: IssueId, notes: Mapping[OpId, str], gateway: Gateway, me: str
) -> str | None:
    if sought.mark or sought.of is None:
        there = await gateway.marked_note(issue, sought.mark, me)
        return there.id if there else None
    # After a restart the note's id is unknown, but the note has the Op's marker.
    return notes.get(sought.of) or await gateway.note_of(issue, sought.of)
