"""What waits for a choice: noted in the outbox, so that every window shows it and in each it can be chosen.

Owns how a conflict comes, changes, and ends. It compares nothing itself (``board/conflict.py``) and sends
nothing: what may go is found by whichever window sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from glboard_core.board.conflict import Clash, clashes
from glboard_core.board.op import Edit
from glboard_core.errors import StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Entry
from glboard_core.sync.pending import Item

if TYPE_CHECKING:
    from glboard_core.sync.ledger import Ledger

DESCRIPTION = "description"


def note(ledger: Ledger, items: Iterable[Item]) -> None:
    """Let other windows, and a later start, know what these wait for."""
    with suppress(StoreFailed):  # then only this window knows until the next attempt to send: no harm
        ledger.store.contest({item.op.id: item.clashes for item in items})


def against(item: Item, now: Issue) -> tuple[Clash, ...]:
    """What ``item`` would go over; told as made perhaps, where an answer to it was lost."""
    found = clashes(item.op, now)
    if item.tries or any(clash.maybe for clash in item.clashes):
        return tuple(structs.replace(clash, maybe=True) for clash in found)
    return found


def description_clash(item: Item, theirs: str) -> tuple[Clash, ...]:
    """The description changed on the server since it was opened for editing."""
    act = item.op.act
    if not isinstance(act, Edit) or act.description is UNSET:
        return ()
    return (Clash(DESCRIPTION, str(act.description_was), str(act.description), theirs, bool(item.tries)),)


def look_again(ledger: Ledger, issues: Iterable[IssueId]) -> None:
    """The server was heard on these issues: what waits there is about what they are now.

    Somebody may have changed the field once more, or back to what the person had seen. A description is not
    part of the mirror, so what is known of it stays.
    """
    changed: list[Item] = []
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


def choose_mine(ledger: Ledger, issue: IssueId) -> None:
    """Mine goes over what is there now: nothing the person saw before counts any more.

    Chosen once, also if the program ends before it is sent. Raises StoreFailed; then nothing is changed.
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
        # Not put in again: another window may have chosen first, and sent it.
        ledger.store.rewrite([Entry(op=item.op, due=item.due) for item in items])
    except StoreFailed:
        for item, op, found in before:
            ledger.rewritten(item, op)
            item.clashes = found
        raise
    for item in items:
        anew(item)
    ledger.tell_same([issue])


def anew(item: Item) -> None:
    """It was chosen, so it goes out as if for the first time: what became of it before proves nothing."""
    item.tries, item.claimed = 0, item.lost


def choose_theirs(ledger: Ledger, issue: IssueId) -> None:
    """Drop what waits on this issue; what the server has stays. Raises StoreFailed."""
    items: Sequence[Item] = [item for item in ledger.pending.items(issue) if not item.under_way]
    first = next((row for row, item in enumerate(items) if item.clashes), len(items))
    ledger.drop([item.op for item in items[first:]], "dropped")
