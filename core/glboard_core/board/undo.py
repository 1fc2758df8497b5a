"""Undo and redo as a pure value: groups of Ops, one group per keystroke.

Owns the two stacks and no sending. Undo returns the inverse Ops of a whole group, from the values before;
redo returns the Ops again. At least 100 levels are kept (1,000 here).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct, structs

from glboard_core.board.operations import Change, DeleteNote, GroupId, Op, OpId
from glboard_core.model.issue import IssueId

LEVELS = 1_000


class Group(Struct, frozen=True, kw_only=True):
    """What one keystroke did: its Ops and its title on screen ("weight 3", "4 to 19.9").

    ``refused`` are those of its Ops that GitLab refused, until they are retried or discarded.
    """

    id: GroupId
    title: str
    ops: tuple[Op, ...]
    refused: tuple[Op, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it was done: there is nothing to undo, only something to discard."""
        return bool(self.refused) and not self.ops


class UndoStack:
    """The groups that can be undone, and those that can be redone."""

    def __init__(self) -> None:
        self._done: deque[Group] = deque(maxlen=LEVELS)
        self._undone: list[Group] = []

    def done(self, group: Group) -> None:
        """Remember a group that was just done; what had been undone can no longer be redone."""
        self._done.append(group)
        self._undone.clear()

    @property
    def last(self) -> Group | None:
        """What ``u`` would undo."""
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Group | None:
        """What ``U`` would redo."""
        return self._undone[-1] if self._undone else None

    def gather(self, group: Group) -> None:
        """Make this the last group: its Ops leave the groups that they are in."""
        ids = {op.id for op in group.ops}
        self._keep(structs.replace(g, ops=tuple(o for o in g.ops if o.id not in ids)) for g in self._done)
        self._done.append(group)

    def undo(self) -> Group | None:
        """Pop the last group; the caller performs its ``inverses``, then passes it to ``undone``."""
        return self._done.pop() if self._done else None

    def undone(self, group: Group) -> None:
        """Keep an undone group for redo."""
        self._undone.append(group)

    def redo(self) -> Group | None:
        """Pop the last undone group; the caller redoes its acts, then passes the new group to ``redone``."""
        return self._undone.pop() if self._undone else None

    def redone(self, group: Group) -> None:
        """Remember a redone group, with its new Ops, whose ids differ."""
        self._done.append(group)

    def rename(self, old: IssueId, new: IssueId) -> None:
        """Replace a new issue's temporary id with the id the server assigned."""
        self._done = deque((_renamed(g, old, new) for g in self._done), maxlen=LEVELS)
        self._undone = [_renamed(g, old, new) for g in self._undone]

    def replace(self, op: Op) -> None:
        """Replace an Op by its sent version, whose ``before`` is what it actually overwrote."""
        self._done = deque((_replaced(g, op) for g in self._done), maxlen=LEVELS)

    def convert(self, now: Callable[[Group], Group]) -> None:
        """Replace every group by what ``now`` makes of it: something was renamed."""
        self._done = deque(map(now, self._done), maxlen=LEVELS)
        self._undone = list(map(now, self._undone))

    def forget(self, op: OpId) -> None:
        """Remove a discarded Op: it was never done, so there is nothing to undo."""
        self._keep(structs.replace(g, ops=tuple(o for o in g.ops if o.id != op)) for g in self._done)

    def refuse(self, op: Op, title: str) -> None:
        """GitLab refused an Op: it stays the last thing done, so that undo does not pass over it.

        One of an earlier session, or of an undo, becomes the last thing done.
        """
        if all(group.id != op.group for group in self._done):
            self._done.append(Group(id=op.group, title=title, ops=()))
        self._keep(
            structs.replace(g, ops=tuple(o for o in g.ops if o.id != op.id), refused=(*g.refused, op))
            if g.id == op.group
            else g
            for g in self._done
        )

    def keep_refused(self, failed: Collection[OpId]) -> None:
        """Only these failed changes are left: the others were retried or discarded."""
        if any(op.id not in failed for group in self._done for op in group.refused):
            self._keep(
                structs.replace(g, refused=tuple(op for op in g.refused if op.id in failed))
                for g in self._done
            )

    def _keep(self, groups: Iterable[Group]) -> None:
        self._done = deque((g for g in groups if g.ops or g.refused), maxlen=LEVELS)


def _renamed(group: Group, old: IssueId, new: IssueId) -> Group:
    ops = (structs.replace(op, issue=new) if op.issue == old else op for op in group.ops)
    ops = (structs.replace(op, change=op.change.renamed(old, new)) for op in ops)
    return structs.replace(group, ops=tuple(ops))


def _replaced(group: Group, op: Op) -> Group:
    if all(other.id != op.id for other in group.ops):
        return group
    return structs.replace(group, ops=tuple(op if other.id == op.id else other for other in group.ops))


def inverses(ops: Sequence[Op]) -> list[tuple[IssueId, Change]]:
    """The acts that undo ``ops``, last first. An Op that changed nothing has none."""
    taken_back = ((op.issue, op.change.inverse(op.before, op.id)) for op in reversed(ops))
    return [(issue, change) for issue, change in taken_back if change is not None]


def posted_comments(count: int) -> str:
    """What undo would delete, in words."""
    return "posted comment" if count == 1 else f"{count} posted comments"


def deletes_notes(ops: Iterable[Op]) -> list[Op]:
    """Those of ``ops`` whose undo deletes the comment that they posted."""
    return [op for op in ops if isinstance(op.change.inverse(op.before, op.id), DeleteNote)]


def says(ops: Sequence[Op]) -> str:
    """A text on what undo cannot fully restore; "" if it restores everything."""
    created = any(op.change.creates for op in ops)
    chosen = any(
        (edit := op.change.as_edit) is not None and op.before is not None and edit.chosen(op.before)
        for op in ops
    )
    words = ["GitLab cannot delete issues, so undo closes it."] if created else []
    if chosen:
        words.append("GitLab keeps one label per scope, so the previous label is restored.")
    return " ".join(words)
