"""Which other issues a change of the manual order depends on, and whether and which it may have moved.

It reads the mirror only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from glboard_core.board.operations import Op, Rank
from glboard_core.model.issue import Issue, IssueId
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


def made_way(ranked: Sequence[tuple[Op, Issue]], known: Issues) -> bool:
    """Whether GitLab must have moved issues that were not named, to make way for one of these.

    GitLab's answer has the place of the ranked issue only. One that was put next to a single neighbour is
    between that and the next issue of the whole order: if it is not, the next one is not where it was.
    """
    single = [(op.change, issue) for op, issue in ranked if isinstance(op.change, Rank)]
    single = [(rank, issue) for rank, issue in single if len(rank.neighbours) == 1]
    if not single:
        return False
    own = {op.issue for op, _ in ranked}
    places = sorted(
        row.position for row in known.slim(None) if row.position is not None and row.id not in own
    )
    for rank, issue in single:
        beside = known.get(rank.neighbours[0])
        if beside is None or beside.id in own or issue.position is None or beside.position is None:
            continue
        low, high = sorted((issue.position, beside.position))
        # Nothing is on the way, nor on the very place of the ranked one.
        first = bisect_right(places, low) if beside.position == low else bisect_left(places, low)
        last = bisect_right(places, high) if beside.position == low else bisect_left(places, high)
        if last > first:
            return True
    return False


def near(moved: Sequence[IssueId], known: Issues) -> list[IssueId]:
    """The issues around those that GitLab has moved to make way: it moves a stretch of the order at once."""
    wanted = set(moved)
    rows = sorted((row.position, row.id) for row in known.slim(None) if row.position is not None)
    at = [index for index, (_, issue) in enumerate(rows) if issue in wanted]
    return [issue for _, issue in rows[max(0, min(at) - NEAR) : max(at) + NEAR][: 2 * NEAR]] if at else []
