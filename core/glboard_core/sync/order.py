"""Which other issues a change of the manual order depends on, and which it may have moved.

It reads the mirror only.
"""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.operations import Op, Rank
from glboard_core.model.issue import IssueId
from glboard_core.ports import Issues

#: With more issues without a position than this, only those of the column are sure to keep their order: the
#: rest costs requests, and no one has ever put it in order.
MOST_UNPLACED = 100
#: How many issues are read again above and below one that GitLab has moved to make way.
NEAR = 50


def concerned(ops: Sequence[Op], known: Issues) -> list[IssueId]:
    """The neighbours, and where one has no position: all others like it, and the last that has one.

    GitLab gives issues a position behind all that have one, so they must get theirs in order.
    """
    ranks = [op.change for op in ops if isinstance(op.change, Rank)]
    ranked = {op.issue for op in ops if isinstance(op.change, Rank)}
    found = [issue for rank in ranks for issue in (*rank.neighbours, *rank.unplaced)]
    neighbours = (known.get(issue) for rank in ranks for issue in rank.neighbours)
    if not any(there is not None and there.position is None for there in neighbours):
        return found
    rows = [row for row in known.slim(None) if row.kind.is_open]
    others = [row.id for row in rows if row.position is None]
    if len(others) <= MOST_UNPLACED:
        found += others
    placed = ((row.position, row.id) for row in rows if row.position is not None and row.id not in ranked)
    if (end := max(placed, default=None)) is not None:
        found.append(end[1])
    return found


def near(moved: Sequence[IssueId], known: Issues) -> list[IssueId]:
    """The issues around those that GitLab has moved to make way: it moves a stretch of the order at once."""
    wanted = set(moved)
    rows = sorted((row.position, row.id) for row in known.slim(None) if row.position is not None)
    at = [index for index, (_, issue) in enumerate(rows) if issue in wanted]
    return [issue for _, issue in rows[max(0, min(at) - NEAR) : max(at) + NEAR][: 2 * NEAR]] if at else []
