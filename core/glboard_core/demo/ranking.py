"""Manual order: one relative position per issue over the whole root group, sparse, sometimes null.

A move writes only positions and never `updated_at`: polling by time does not see it. When no gap is left
between two issues, all positions are reassigned.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from glboard_core.demo.world.records import Issue

if TYPE_CHECKING:
    from glboard_core.demo.world.world import World

DISTANCE = 512
_ORDER = "RELATIVE_POSITION_ASC"


def _put(world: World, issue: Issue, position: int) -> None:
    with world.index.moving(issue):
        issue.position = position


def _ends(world: World) -> tuple[int, int]:
    order = world.index.order(_ORDER)
    ranked = bisect_left(order, (1, 0, 0))
    if ranked == 0:
        return 0, 0
    return order[0][1], order[ranked - 1][1]


def place_at_end(world: World, issue: Issue) -> None:
    """Gives an issue the last position."""
    _put(world, issue, _ends(world)[1] + DISTANCE)


def place_at_start(world: World, issue: Issue) -> None:
    """Gives an issue the first position."""
    _put(world, issue, _ends(world)[0] - DISTANCE)


def rebalance(world: World) -> None:
    """Reassigns all positions in the same order."""
    order = world.index.order(_ORDER)
    ranked = bisect_left(order, (1, 0, 0))
    for at, key in enumerate(order[:ranked]):
        world.index.issues[key[2]].position = (at + 1) * DISTANCE
    world.index.rebuild()


def _neighbour(world: World, issue: Issue, moved: Issue, step: int) -> int | None:
    """The position next to an issue in the whole order, without the moved one."""
    order = world.index.order(_ORDER)
    key = (0, issue.position, issue.id)
    at = bisect_left(order, key) - 1 if step < 0 else bisect_right(order, key)
    while 0 <= at < len(order) and order[at][0] == 0:
        if order[at][2] != moved.id:
            return int(order[at][1])
        at += step
    return None


def move_between(world: World, moved: Issue, before: Issue | None, after: Issue | None) -> None:
    """Puts `moved` after `before` and before `after`; either may be None, not both."""
    for one in (before, after):
        if one is not None and one.position is None:
            place_at_end(world, one)
    if before is not None and after is not None and (before.position or 0) > (after.position or 0):
        before, after = after, before
    for _ in range(2):
        low = before.position if before else None
        high = after.position if after else None
        if low is None and after is not None:
            low = _neighbour(world, after, moved, -1)
        if high is None and before is not None:
            high = _neighbour(world, before, moved, 1)
        if low is None and high is None:
            return
        if low is None:
            _put(world, moved, (high or 0) - DISTANCE)
            return
        if high is None:
            _put(world, moved, low + DISTANCE)
            return
        if high - low >= 2:
            _put(world, moved, (low + high) // 2)
            return
        rebalance(world)
