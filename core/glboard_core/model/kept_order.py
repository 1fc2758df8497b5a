"""What of a sequence of places keeps its order: so that only what moved is told of, or ranked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def in_order(places: Sequence[float | None]) -> set[int]:
    """As many of these places as are in order already, by index.

    >>> sorted(in_order([3.0, 1.0, None, 2.0, 4.0]))
    [1, 3, 4]
    """
    ends: list[tuple[float, int]] = []
    before: dict[int, int] = {}
    for index, place in enumerate(places):
        if place is None:
            continue
        at = bisect_left(ends, (place, -1))
        if at:
            before[index] = ends[at - 1][1]
        ends[at : at + 1] = [(place, index)]
    found: set[int] = set()
    last = ends[-1][1] if ends else None
    while last is not None:
        found.add(last)
        last = before.get(last)
    return found
