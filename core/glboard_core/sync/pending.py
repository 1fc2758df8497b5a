"""The Ops a person did and the server has not confirmed: which may be sent, which are under way.

Owns the bookkeeping over the store's outbox, in memory, per issue and in order. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from glboard_core.board.op import Create, Op, OpId, Rank
from glboard_core.model.issue import IssueId


class Pending:
    """The outbox by issue. An issue with Ops under way sends nothing more until they are answered."""

    def __init__(self, ops: Iterable[Op] = ()) -> None:
        self._by_issue: dict[IssueId, list[Op]] = {}
        self._under_way: set[OpId] = set()
        self._tries: dict[OpId, int] = {}
        for op in ops:
            self.add(op)

    def __len__(self) -> int:
        return sum(map(len, self._by_issue.values()))

    def __iter__(self) -> Iterator[Op]:
        for ops in self._by_issue.values():
            yield from ops

    def __contains__(self, op: OpId) -> bool:
        return any(other.id == op for other in self)

    def add(self, op: Op) -> None:
        """Put an Op at the end of its issue's line."""
        self._by_issue.setdefault(op.issue, []).append(op)

    def of(self, issue: IssueId) -> Sequence[Op]:
        """The Ops of one issue, oldest first."""
        return self._by_issue.get(issue, ())

    def busy(self, issue: IssueId) -> bool:
        """Whether an Op of the issue is under way."""
        return any(op.id in self._under_way for op in self.of(issue))

    def unsent(self, ops: Iterable[OpId]) -> bool:
        """Whether all of these are still here and none is under way: they can be taken back unseen."""
        return all(op in self and op not in self._under_way for op in ops)

    def take(self) -> list[Op]:
        """The Ops to send now, marked as under way: per issue in order, none of an issue that is busy.

        What belongs to an issue not yet made waits for the Create; a rank waits for a neighbour not yet made.
        """
        batch: list[Op] = []
        for issue, ops in self._by_issue.items():
            if self.busy(issue):
                continue
            for op in ops:
                if issue.startswith("new:") and not isinstance(op.act, Create):
                    break
                if isinstance(op.act, Rank) and any(
                    near is not None and near.startswith("new:") for near in (op.act.above, op.act.below)
                ):
                    break
                batch.append(op)
        self._under_way.update(op.id for op in batch)
        return batch

    def put_back(self, ops: Iterable[OpId]) -> None:
        """Not under way any more; they stay in line."""
        self._under_way.difference_update(ops)

    def tried(self, op: OpId) -> int:
        """Count one more try whose answer was lost; returns how many there were."""
        self._tries[op] = self._tries.get(op, 0) + 1
        return self._tries[op]

    def settle(self, op: Op) -> None:
        """Remove an Op that was made, refused or taken back."""
        self._under_way.discard(op.id)
        self._tries.pop(op.id, None)
        left = [other for other in self._by_issue.get(op.issue, ()) if other.id != op.id]
        if left:
            self._by_issue[op.issue] = left
        else:
            self._by_issue.pop(op.issue, None)

    def rename(self, old: IssueId, new: IssueId) -> list[Op]:
        """Follow a new issue to its id from the server; returns the Ops that changed, to be stored again."""
        changed = [structs.replace(op, issue=new) for op in self._by_issue.pop(old, ())]
        for op in changed:
            self.add(op)
        for issue, ops in self._by_issue.items():
            for row, op in enumerate(ops):
                if isinstance(op.act, Rank) and old in (op.act.above, op.act.below):
                    act = structs.replace(
                        op.act,
                        above=new if op.act.above == old else op.act.above,
                        below=new if op.act.below == old else op.act.below,
                    )
                    ops[row] = structs.replace(op, act=act)
                    changed.append(ops[row])
            self._by_issue[issue] = ops
        return changed
