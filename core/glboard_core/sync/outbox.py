"""The unconfirmed Ops: which can be sent, which are being sent, and which must wait.

Owns the in-memory bookkeeping of the store's outbox, per issue and in order. It sends nothing and has no
clock: all times are passed in, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from glboard_core.board.conflicts import Conflict
from glboard_core.board.operations import GroupId, Op, OpId
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import OutboxEntry


class OutboxItem:
    """An Op in the outbox. Times are in seconds since the epoch by this machine's clock, 0 for never.

    ``due``: when it can be sent or recovered. ``batch``: the batch that prepares, sends or recovers it,
    0 for none.
    ``sent_at``: when it was sent. ``lost_at``: when its answer was found lost; it needs recovery.
    ``claimed_at``: since when it may be on the server. ``tries``: how often an answer to it was lost.
    ``crashed``: whether it was lost since the server failed on the request. Then it ``goes_alone``, and
    ``crashes`` counts how often the server failed on it alone.
    ``conflicts``: to be resolved by a person.
    """

    __slots__ = (
        "batch",
        "claimed_at",
        "conflicts",
        "crashed",
        "crashes",
        "due",
        "goes_alone",
        "lost_at",
        "op",
        "sent_at",
        "title",
        "tries",
    )

    def __init__(self, entry: OutboxEntry) -> None:
        self.op = entry.op
        self.title = entry.title
        self.due = entry.due
        self.lost_at = self.claimed_at = entry.sent
        self.sent_at = 0.0
        self.batch = 0
        self.tries = 0
        self.crashed = self.goes_alone = False
        self.crashes = 0
        self.conflicts = entry.conflicts

    @property
    def under_way(self) -> bool:
        """Whether it is being prepared, sent or recovered by this process."""
        return bool(self.batch)

    def release(self) -> None:
        """Release it from its batch, so that another one can take it."""
        self.batch = 0
        self.sent_at = 0.0

    @property
    def entry(self) -> OutboxEntry:
        """What the store keeps of it."""
        return OutboxEntry(op=self.op, title=self.title, due=self.due, conflicts=self.conflicts)

    def forget_attempts(self) -> None:
        """Its conflict was resolved: it is sent as if for the first time; earlier attempts prove nothing."""
        self.tries, self.crashes, self.claimed_at = 0, 0, self.lost_at


class Batch:
    """Items that are sent, or recovered, together. An item belongs to one batch at a time: a batch that has
    handed an item on, to recovery or to a person, must not release it for the next."""

    __slots__ = ("_items", "_number")

    def __init__(self, items: Sequence[OutboxItem], number: int) -> None:
        self._items = items
        self._number = number
        for item in items:
            item.batch = number

    @property
    def items(self) -> list[OutboxItem]:
        """The items that still belong to it."""
        return [item for item in self._items if item.batch == self._number]

    def put_back(self) -> None:
        """It is over: what still belongs to it stays in the outbox, for the next batch."""
        for item in self.items:
            item.release()


class Outbox:
    """The outbox by issue. While Ops of an issue are being sent, no more of that issue are."""

    def __init__(self, entries: Iterable[OutboxEntry] = ()) -> None:
        self._by_issue: dict[IssueId, list[OutboxItem]] = {}
        self._by_op: dict[OpId, OutboxItem] = {}
        self._batches = 0
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._by_op)

    def __iter__(self) -> Iterator[Op]:
        for item in self._by_op.values():
            yield item.op

    def __contains__(self, op: object) -> bool:
        return op in self._by_op

    def item(self, op: OpId) -> OutboxItem | None:
        """The outbox item of an Op."""
        return self._by_op.get(op)

    def items(self, issue: IssueId) -> Sequence[OutboxItem]:
        """The queue of one issue."""
        return self._by_issue.get(issue, ())

    def issues(self) -> list[IssueId]:
        """The issues with unsent Ops."""
        return list(self._by_issue)

    def add(self, entry: OutboxEntry) -> None:
        """Append an Op to its issue's queue."""
        item = OutboxItem(entry)
        self._by_issue.setdefault(entry.op.issue, []).append(item)
        self._by_op[entry.op.id] = item

    def of(self, issue: IssueId) -> Sequence[Op]:
        """The Ops of one issue, oldest first."""
        return [item.op for item in self._by_issue.get(issue, ())]

    def busy(self, issue: IssueId) -> bool:
        """Whether an Op of the issue is being sent, or its answer was lost."""
        return any(item.under_way or item.lost_at for item in self.items(issue))

    def under_way(self, group: GroupId) -> int:
        """How many Ops of a keystroke are being sent."""
        return sum(item.under_way for item in self._by_op.values() if item.op.group == group)

    def on_wire(self, issue: IssueId) -> bool:
        """Whether the server may be changing the issue for us now, or may have done so (answer lost)."""
        return any(item.sent_at or item.lost_at for item in self.items(issue))

    def conflicting(self, issue: IssueId) -> tuple[Conflict, ...]:
        """The conflicts of this issue."""
        return tuple(conflict for item in self.items(issue) for conflict in item.conflicts)

    def hold(self, issue: IssueId, due: float) -> None:
        """Hold the issue's unsent Ops until ``due``, because another key was pressed."""
        for item in self.items(issue):
            if not item.under_way and not item.lost_at:
                item.due = max(item.due, due)

    def stop_holding(self) -> None:
        """Let everything be sent at once (quitting)."""
        for item in self._by_op.values():
            item.due = 0.0

    def next_due(self, now: float) -> float | None:
        """Seconds until something can be sent, 0 for now; None if there is nothing to send."""
        waits = [
            max(0.0, first.due - now)
            for issue, items in self._by_issue.items()
            if not self.busy(issue) and (first := items[0]) and not first.conflicts and self._sendable(first)
        ]
        return min(waits, default=None)

    def unanswered(self) -> list[OutboxItem]:
        """Ops sent without an answer, and not in recovery yet."""
        return [item for item in self._by_op.values() if item.lost_at and not item.under_way]

    def due(self, now: float) -> list[OutboxItem]:
        """What can be sent now: per issue in order, none of a busy issue.

        A change of a kind that is sent one at a time waits while another of the kind is under way.
        """
        found: list[OutboxItem] = []
        taken = {
            type(item.op.change)
            for item in self._by_op.values()
            if (item.under_way or item.lost_at) and item.op.change.one_at_a_time
        }
        for issue, items in self._by_issue.items():
            if self.busy(issue):
                continue
            for item in items:
                if item.due > now or item.conflicts or not self._sendable(item):
                    break
                if type(item.op.change) in taken:
                    break
                found.append(item)
                if item.op.change.later_wait or item.goes_alone:
                    break
        return found

    def take(self, items: Sequence[OutboxItem]) -> Batch:
        """A batch of these; they are under way from now on."""
        self._batches += 1
        return Batch(items, self._batches)

    def _sendable(self, item: OutboxItem) -> bool:
        op = item.op
        needed = op.change.neighbours if op.change.creates else (op.issue, *op.change.neighbours)
        return op.change.waits_for not in self and not any(issue.startswith("new:") for issue in needed)

    def sort(self, order: Sequence[OpId]) -> None:
        """Sort every queue in the order of the outbox, which all processes share."""
        place = {op: at for at, op in enumerate(order)}
        for items in self._by_issue.values():
            items.sort(key=lambda item: place.get(item.op.id, len(place)))

    def remove(self, op: OpId) -> None:
        """Remove an Op that was applied, failed or withdrawn."""
        item = self._by_op.pop(op, None)
        if item is not None:
            self._leave_queue(item, item.op.issue)

    def _leave_queue(self, item: OutboxItem, issue: IssueId) -> None:
        left = [other for other in self._by_issue.get(issue, ()) if other is not item]
        if left:
            self._by_issue[issue] = left
        else:
            self._by_issue.pop(issue, None)

    def with_server_id(self, old: IssueId, new: Issue) -> list[tuple[OutboxItem, Op]]:
        """The Ops that refer to a new issue, and their versions with the id assigned by the server."""
        found: list[tuple[OutboxItem, Op]] = []
        for item in self._by_op.values():
            op = item.op
            if op.issue == old and not op.change.creates:
                seen = op.before
                if seen is not None:
                    seen = structs.replace(seen, id=new.id, iid=new.iid, web_url=new.web_url)
                op = structs.replace(op, issue=new.id, before=seen)
            change = op.change.renamed(old, new.id)
            if change is not op.change:
                op = structs.replace(op, change=change)
            if op is not item.op:
                found.append((item, op))
        return found

    def replace(self, item: OutboxItem, op: Op) -> None:
        """The same Op with other content, perhaps on an issue that has another id now."""
        old, item.op = item.op.issue, op
        if op.issue != old:
            self._leave_queue(item, old)
            self._by_issue.setdefault(op.issue, []).append(item)
