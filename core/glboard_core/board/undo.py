"""Undo and redo as a pure value: groups of Ops, one group a keystroke.

Owns the two stacks and nothing of sending. Undo gives the inverse Ops of a whole group, from the values
before; redo the Ops again. At least 100 levels are kept (1,000 here).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct, structs

from glboard_core.board.op import Act, Create, GroupId, Op, OpId, inverse
from glboard_core.model.issue import IssueId

LEVELS = 1_000


class Group(Struct, frozen=True, kw_only=True):
    """What one keystroke did: its Ops and how it is said ("weight 3", "4 to 19.9")."""

    id: GroupId
    title: str
    ops: tuple[Op, ...]


class UndoStack:
    """The groups that can be taken back, and those that can be done again."""

    def __init__(self, levels: int = LEVELS) -> None:
        self._done: deque[Group] = deque(maxlen=levels)
        self._undone: list[Group] = []

    def done(self, group: Group) -> None:
        """Remember a group a person just did; what had been undone can no longer be redone."""
        self._done.append(group)
        self._undone.clear()

    @property
    def last(self) -> Group | None:
        """What ``u`` would take back."""
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Group | None:
        """What ``U`` would do again."""
        return self._undone[-1] if self._undone else None

    def undo(self) -> Group | None:
        """Take the last group off; the caller performs ``inverses`` of it, then gives it to ``undone``."""
        return self._done.pop() if self._done else None

    def undone(self, group: Group) -> None:
        """Keep a group that was taken back, to do it again."""
        self._undone.append(group)

    def redo(self) -> Group | None:
        """Take the group undone last; the caller performs its acts again, then gives the new group back."""
        return self._undone.pop() if self._undone else None

    def redone(self, group: Group) -> None:
        """Remember a group that was done again: with the new Ops, whose ids differ."""
        self._done.append(group)

    def rename(self, old: IssueId, new: IssueId) -> None:
        """Follow a new issue to the id the server gave it."""
        self._done = deque((_renamed(g, old, new) for g in self._done), maxlen=self._done.maxlen)
        self._undone = [_renamed(g, old, new) for g in self._undone]

    def replace(self, op: Op) -> None:
        """Go by this from now on: what the person saw before it is not what it went over in the end."""
        self._done = deque((_replaced(g, op) for g in self._done), maxlen=self._done.maxlen)

    def forget(self, op: OpId) -> None:
        """Drop an Op that failed: it was never done, so there is nothing to take back."""
        kept = (
            Group(id=g.id, title=g.title, ops=tuple(o for o in g.ops if o.id != op)) for g in list(self._done)
        )
        self._done = deque((g for g in kept if g.ops), maxlen=self._done.maxlen)


def _renamed(group: Group, old: IssueId, new: IssueId) -> Group:
    ops = tuple(structs.replace(op, issue=new) if op.issue == old else op for op in group.ops)
    return structs.replace(group, ops=ops)


def _replaced(group: Group, op: Op) -> Group:
    if all(other.id != op.id for other in group.ops):
        return group
    return structs.replace(group, ops=tuple(op if other.id == op.id else other for other in group.ops))


def inverses(ops: Sequence[Op]) -> list[tuple[IssueId, Act]]:
    """The acts that take ``ops`` back, last first. What changed nothing has none."""
    taken_back = ((op.issue, inverse(op.act, op.before, op.id)) for op in reversed(ops))
    return [(issue, act) for issue, act in taken_back if act is not None]


def says(ops: Sequence[Op]) -> str:
    """What undoing would not simply restore, in words; "" where undo restores all."""
    if any(isinstance(op.act, Create) for op in ops):
        return "GitLab cannot unmake an issue: undo closes it."
    return ""
