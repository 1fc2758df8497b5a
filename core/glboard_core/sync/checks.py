"""What is looked at before a change leaves: whether it goes over another one, and what is known only now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from glboard_core.board.op import DeleteNote, Edit, NoteWrite, Op, OpId
from glboard_core.errors import EditRefused
from glboard_core.model.issue import IssueId
from glboard_core.ports import Done, Gateway, Outcome
from glboard_core.sync.contest import against, description_clash
from glboard_core.sync.pending import Item

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


async def without_clashes(engine: Engine, items: Sequence[Item]) -> list[Item]:
    """Those that overwrite nobody's change; the others wait, and all that follows on their issue.

    A description is not part of the mirror, so it is read before it is overwritten.
    """
    waiting: set[str] = set()
    going: list[Item] = []
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
    """What the description has become since it was opened for editing, if it has."""
    act = op.act
    if not isinstance(act, Edit) or act.description is UNSET or act.description_was is UNSET:
        return None
    try:
        there = (await gateway.detail(op.issue)).description
    except EditRefused:
        return None  # the issue is gone; the answer to the edit will say so
    return None if there in (act.description_was, act.description) else there


async def prepared(
    ops: Sequence[Op], notes: Mapping[OpId, str], gateway: Gateway, me: str
) -> tuple[dict[OpId, Op], list[Outcome]]:
    """Fill in what is only known now: the note a comment became, or the one that is written anew.

    What needs no sending is answered. ``me`` is the username whose notes may be written anew.
    """
    ready: dict[OpId, Op] = {}
    answered: list[Outcome] = []
    for op in ops:
        match op.act:
            case DeleteNote(note=None):
                note = await _note_to_delete(op.issue, op.act, notes, gateway, me)
                if note is None:
                    answered.append(Done(op=op.id))  # the comment never was: there is nothing to delete
                    continue
                ready[op.id] = structs.replace(op, act=structs.replace(op.act, note=note))
            case NoteWrite():
                # As it is there now, whatever was there when the key was pressed: so there is never a second.
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
    # After a restart it is not remembered which note it was, but the note bears the Op's mark.
    return notes.get(act.of) or await gateway.note_of(issue, act.of)
