"""Checks before a change is sent: whether it would overwrite another one, and values known only now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from glboard_core.board.operations import DeleteNote, Edit, NoteWrite, Op, OpId
from glboard_core.errors import EditRefused
from glboard_core.model.issue import IssueId
from glboard_core.ports import Done, Gateway, Outcome
from glboard_core.sync.conflicts import against, description_clash
from glboard_core.sync.outbox import OutboxItem

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


async def without_clashes(engine: Engine, items: Sequence[OutboxItem]) -> list[OutboxItem]:
    """The Ops that overwrite no one's change; the others wait, with all later ones on their issue.

    The mirror has no descriptions, so one is read before it is overwritten.
    """
    waiting: set[str] = set()
    going: list[OutboxItem] = []
    for item in items:
        issue = item.op.issue
        if issue not in waiting:
            now = engine.ledger.folded_before(item)
            item.clashes = against(item, now) if now is not None else ()
            theirs = await _other_description(item.op, engine.gateway)
            if not item.clashes and theirs is not None:
                item.clashes = description_clash(item, theirs)
        if item.clashes or issue in waiting:
            waiting.add(issue)
            item.under_way = False
        else:
            going.append(item)
    if waiting:
        engine.clashed(waiting)
    return going


async def _other_description(op: Op, gateway: Gateway) -> str | None:
    """The description if it changed since it was opened for editing."""
    act = op.act
    if not isinstance(act, Edit) or act.description is UNSET or act.description_was is UNSET:
        return None
    try:
        there = (await gateway.detail(op.issue)).description
    except EditRefused:
        return None  # the issue is gone; the answer to the edit will tell
    return None if there in (act.description_was, act.description) else there


async def prepared(
    ops: Sequence[Op], notes: Mapping[OpId, str], gateway: Gateway, me: str
) -> tuple[dict[OpId, Op], list[Outcome]]:
    """Fill in values known only now: the note a comment created, or the one to be updated.

    Ops that need no sending are answered here. ``me`` is the username whose notes can be updated.
    """
    ready: dict[OpId, Op] = {}
    answered: list[Outcome] = []
    for op in ops:
        match op.act:
            case DeleteNote(note=None):
                note = await _note_to_delete(op.issue, op.act, notes, gateway, me)
                if note is None:
                    answered.append(Done(op=op.id))  # the comment was never created: nothing to delete
                    continue
                ready[op.id] = structs.replace(op, act=structs.replace(op.act, note=note))
            case NoteWrite():
                # The current note, whatever existed when the key was pressed: so there is never a second one.
                there = await gateway.marked_note(op.issue, op.act.mark, me)
                ready[op.id] = structs.replace(
                    op, act=structs.replace(op.act, note=there.id if there else None)
                )
            case _:
                ready[op.id] = op
    return ready, answered


async def _note_to_delete(
    issue: IssueId, act: DeleteNote, notes: Mapping[OpId, str], gateway: Gateway, me: str
) -> str | None:
    if act.mark:
        there = await gateway.marked_note(issue, act.mark, me)
        return there.id if there else None
    # After a restart the note's id is unknown, but the note has the Op's marker.
    return notes.get(act.of) or await gateway.note_of(issue, act.of)
