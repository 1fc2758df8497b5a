"""The Ops a person did and the server has not confirmed: which may be sent, which are under way, which wait.

Owns the bookkeeping over the store's outbox, in memory, per issue and in order. It sends nothing and keeps no
time of its own: every moment is given, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from glboard_core.board.conflict import Clash
from glboard_core.board.op import Create, DeleteNote, NoteWrite, Op, OpId, Rank
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Entry


class Item:
    """An Op in line.

    ``due``: not before then; a lost one is not looked for before then. ``under_way``: being prepared or sent
    by this window. ``sent``: on the wire, since that moment. ``lost``: sent, and known since that moment to
    have no answer; it has to be looked for. ``clashes``: waits for a person to choose. ``claimed``: since
    when it may be on the server, by this machine's clock; 0 where it cannot be. ``tries``: how often an
    answer to it was lost.
    """

    __slots__ = ("claimed", "clashes", "due", "lost", "op", "sent", "title", "tries", "under_way")

    def __init__(self, entry: Entry) -> None:
        self.op = entry.op
        self.title = entry.title
        self.due = entry.due
        self.lost = self.claimed = entry.sent
        self.sent = 0.0
        self.under_way = False
        self.tries = 0
        self.clashes = entry.clashes


class Pending:
    """The outbox by issue. An issue with Ops under way sends nothing more until they are answered."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._by_issue: dict[IssueId, list[Item]] = {}
        self._by_op: dict[OpId, Item] = {}
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._by_op)

    def __iter__(self) -> Iterator[Op]:
        for item in self._by_op.values():
            yield item.op

    def __contains__(self, op: object) -> bool:
        return op in self._by_op

    def item(self, op: OpId) -> Item | None:
        """What is known of an Op in line."""
        return self._by_op.get(op)

    def items(self, issue: IssueId) -> Sequence[Item]:
        """The line of one issue."""
        return self._by_issue.get(issue, ())

    def issues(self) -> list[IssueId]:
        """The issues with something in line."""
        return list(self._by_issue)

    def add(self, entry: Entry) -> None:
        """Put an Op at the end of its issue's line."""
        item = Item(entry)
        self._by_issue.setdefault(entry.op.issue, []).append(item)
        self._by_op[entry.op.id] = item

    def of(self, issue: IssueId) -> Sequence[Op]:
        """The Ops of one issue, oldest first."""
        return [item.op for item in self._by_issue.get(issue, ())]

    def busy(self, issue: IssueId) -> bool:
        """Whether an Op of the issue is under way, or its answer was lost."""
        return any(item.under_way or item.lost for item in self.items(issue))

    def on_wire(self, issue: IssueId) -> bool:
        """Whether the server may be changing the issue for us right now, or may have done so unheard."""
        return any(item.sent or item.lost for item in self.items(issue))

    def clashing(self, issue: IssueId) -> tuple[Clash, ...]:
        """What waits for a choice on this issue."""
        return tuple(clash for item in self.items(issue) for clash in item.clashes)

    def hold(self, issue: IssueId, due: float) -> None:
        """A further key was pressed on the issue: what is still here waits with it, until ``due``."""
        for item in self.items(issue):
            if not item.under_way and not item.lost:
                item.due = max(item.due, due)

    def hasten(self) -> None:
        """Hold nothing back any more (quitting)."""
        for item in self._by_op.values():
            item.due = 0.0

    def next_due(self, now: float) -> float | None:
        """Seconds until something may be sent, 0 where something may be; None where nothing will be."""
        waits = [
            max(0.0, first.due - now)
            for issue, items in self._by_issue.items()
            if not self.busy(issue) and (first := items[0]) and not first.clashes and self._sendable(first)
        ]
        return min(waits, default=None)

    def lost(self) -> list[Item]:
        """What was sent and not answered, and is not being looked for."""
        return [item for item in self._by_op.values() if item.lost and not item.under_way]

    def take(self, now: float) -> list[Item]:
        """What to send now, marked as under way: per issue in order, none of an issue that is busy.

        Places in the manual order are told by neighbours, so while one is under way the next waits.
        """
        batch: list[Item] = []
        ranking = any(
            (item.under_way or item.lost) and isinstance(item.op.act, Rank) for item in self._by_op.values()
        )
        for issue, items in self._by_issue.items():
            if self.busy(issue):
                continue
            for item in items:
                if item.due > now or item.clashes or not self._sendable(item):
                    break
                if ranking and isinstance(item.op.act, Rank):
                    break
                batch.append(item)
                if isinstance(item.op.act, Create | NoteWrite):
                    break  # what follows needs the id that the server gives
        for item in batch:
            item.under_way = True
        return batch

    def _sendable(self, item: Item) -> bool:
        op = item.op
        if op.issue.startswith("new:") and not isinstance(op.act, Create):
            return False
        if isinstance(op.act, Rank):
            near = (op.act.above, op.act.below)
            return not any(other is not None and other.startswith("new:") for other in near)
        # A note can be deleted once it is known which one it became.
        return not (isinstance(op.act, DeleteNote) and op.act.note is None and op.act.of in self)

    def put_back(self, items: Iterable[Item]) -> None:
        """Not under way any more; they stay in line."""
        for item in items:
            item.under_way = False
            item.sent = 0.0

    def arrange(self, order: Sequence[OpId]) -> None:
        """Put every line in this order: that of the outbox, which all windows share."""
        place = {op: at for at, op in enumerate(order)}
        for items in self._by_issue.values():
            items.sort(key=lambda item: place.get(item.op.id, len(place)))

    def remove(self, op: OpId) -> Op | None:
        """Take an Op out of the line: it was made, refused or taken back."""
        item = self._by_op.pop(op, None)
        if item is None:
            return None
        left = [other for other in self._by_issue.get(item.op.issue, ()) if other is not item]
        if left:
            self._by_issue[item.op.issue] = left
        else:
            self._by_issue.pop(item.op.issue, None)
        return item.op

    def renamed(self, old: IssueId, new: Issue) -> list[tuple[Item, Op]]:
        """The Ops that speak of a new issue, and how they read with the id that the server gave it."""
        found: list[tuple[Item, Op]] = []
        for item in self._by_op.values():
            op = item.op
            if op.issue == old and not isinstance(op.act, Create):
                seen = op.before
                if seen is not None:
                    seen = structs.replace(seen, id=new.id, iid=new.iid, web_url=new.web_url)
                op = structs.replace(op, issue=new.id, before=seen)
            if isinstance(op.act, Rank) and old in (op.act.above, op.act.below):
                act = structs.replace(
                    op.act,
                    above=new.id if op.act.above == old else op.act.above,
                    below=new.id if op.act.below == old else op.act.below,
                )
                op = structs.replace(op, act=act)
            if op is not item.op:
                found.append((item, op))
        return found

    def put(self, item: Item, op: Op) -> None:
        """The same Op with other content, perhaps on an issue that has another id now."""
        old, item.op = item.op.issue, op
        if op.issue == old:
            return
        left = [other for other in self._by_issue.get(old, ()) if other is not item]
        if left:
            self._by_issue[old] = left
        else:
            self._by_issue.pop(old, None)
        self._by_issue.setdefault(op.issue, []).append(item)
