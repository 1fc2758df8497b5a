"""Which other issues a change of the manual order depends on.

Owns what the gateway is given besides the issue itself. It reads the mirror only.
"""

from __future__ import annotations

from collections.abc import Iterable

from glboard_core.board.operations import Change, Rank
from glboard_core.model.issue import IssueId, order_key
from glboard_core.ports import Issues

#: With more issues without a position than this, only those of the column keep their order: the rest costs
#: requests, and no one has ever put it in order.
MOST_UNPLACED = 300


def concerned(changes: Iterable[Change], known: Issues) -> list[IssueId]:
    """The neighbours, and where one has no position: those like it that come before, and the last that has.

    GitLab gives issues a position behind all others, so those before must get theirs first.
    """
    ranks = [change for change in changes if isinstance(change, Rank)]
    found = [issue for rank in ranks for issue in (*rank.neighbours, *rank.unplaced)]
    waiting = [
        order_key(None, issue)
        for issue in dict.fromkeys(found)
        if (there := known.get(issue)) is not None and there.position is None
    ]
    if not waiting:
        return found
    last = max(waiting)
    rows = [row for row in known.slim(None) if row.kind.is_open]
    before = [row.id for row in rows if row.position is None and order_key(None, row.id) < last]
    if len(before) <= MOST_UNPLACED:
        found += before
    placed = ((row.position, row.id) for row in rows if row.position is not None)
    if (end := max(placed, default=None)) is not None:
        found.append(end[1])
    return found
