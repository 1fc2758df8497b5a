"""Ranking cards of a column: the changes that move them up, down, to the top or to the bottom.

Pure. A place is between two neighbours. GitLab keeps one order for all issues: a card goes between two cards
of its column, and undo takes it back between the two that it stood between in the whole order. Cards without
a position come last, by id; those that the card is put behind or among are named, since GitLab ranks next to
a card only if that has a position.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import structs

from glboard_core.board.batch import EditBatch, titled
from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.board.operations import Change, Rank
from glboard_core.model.issue import Issue, IssueId, is_placed, order_key, place_of

#: Less than the distance of two cards, also of two without a position.
_STEP = 0.5

Where = Literal["up", "down", "top", "bottom"]

_WORDS: dict[Where, str] = {"up": "ranked up", "down": "ranked down", "top": "to top", "bottom": "to bottom"}


def ranked(index: BoardIndex, cards: ColumnIndex, issues: Sequence[Issue], where: Where) -> EditBatch:
    """The Ops that move these cards of one column; cards already in place are left alone."""
    here = [(row, issue) for issue in issues if (row := cards.row_of(issue)) is not None]
    here.sort()
    if not here:
        return EditBatch(why_not="not in this column")
    changes = _one(index, cards, *here[0], where) if len(here) == 1 else _many(index, cards, here, where)
    if not changes:
        return EditBatch(why_not="already there")
    return EditBatch(changes=tuple(changes), title=titled([issue for _, issue in here], _WORDS[where]))


def _one(
    index: BoardIndex, cards: ColumnIndex, row: int, issue: Issue, where: Where
) -> list[tuple[IssueId, Change]]:
    to = {"up": row - 1, "down": row + 1, "top": 0, "bottom": len(cards) - 1}[where]
    places = neighbours(cards, row, to)
    if places is None:
        return []
    above, below = (index.issue(place) if place else None for place in places)
    order = index.positions()
    was = around(issue.id, order)
    unplaced = _unplaced([one for one in cards if one != issue.id], (*places, *was), order)
    return [(issue.id, _between_neighbours(issue, above, below, was, unplaced))]


def _many(
    index: BoardIndex, cards: ColumnIndex, here: list[tuple[int, Issue]], where: Where
) -> list[tuple[IssueId, Change]]:
    rows = list(cards)
    now = {issue.id: issue for _, issue in here}
    positions = index.positions()
    # A list, since places of cards that share one do not tell their order once some of them were moved.
    order: list[IssueId] = sorted(positions, key=lambda one: order_key(positions[one], one))
    forward = where in ("up", "top")
    changes: list[tuple[IssueId, Change]] = []
    #: Not among the cards without a position: they are ranked themselves, or were named before.
    named = set(now)
    blocked = -1 if forward else len(rows)
    for nth, (_, issue) in enumerate(here if forward else reversed(here)):
        row = rows.index(issue.id)
        edge = nth if forward else len(rows) - 1 - nth
        to = edge if where in ("top", "bottom") else row + (-1 if forward else 1)
        # A selected card at the end stops the one behind it, so that their order is kept.
        if to in (blocked, row) or not 0 <= to < len(rows):
            blocked = row
            continue
        blocked = to
        places = neighbours(rows, row, to)
        if places is None:
            continue
        above, below = (now.get(place) or index.issue(place) if place else None for place in places)
        here_in = order.index(issue.id)
        was = (_nearest(order, here_in, -1), _nearest(order, here_in, 1))
        unplaced = _unplaced([one for one in rows if one not in named], (*places, *was), positions)
        unplaced = tuple(one for one in unplaced if one not in named)
        named.update(unplaced)
        change = _between_neighbours(now[issue.id], above, below, was, unplaced)
        changes.append((issue.id, change))
        if change.position is not None:
            now[issue.id] = structs.replace(now[issue.id], position=change.position)
            positions[issue.id] = change.position
        del order[here_in]
        beside = order.index(change.above) + 1 if change.above else order.index(change.below or order[0])
        order.insert(beside, issue.id)
        rows.insert(to, rows.pop(row))
    return changes


def _between_neighbours(
    issue: Issue,
    above: Issue | None,
    below: Issue | None,
    was: tuple[IssueId | None, IssueId | None],
    unplaced: tuple[IssueId, ...],
) -> Rank:
    """A place between two neighbours (one may be None), remembering between which two it was."""
    return Rank(
        above=above.id if above else None,
        below=below.id if below else None,
        position=between(
            place_of(above.position, above.id) if above else None,
            place_of(below.position, below.id) if below else None,
        ),
        was_above=was[0],
        was_below=was[1],
        was_position=place_of(issue.position, issue.id),
        unplaced=unplaced,
    )


def _unplaced(
    rows: Sequence[IssueId], beside: Sequence[IssueId | None], order: Mapping[IssueId, float]
) -> tuple[IssueId, ...]:
    """Cards of a column without a position, and such neighbours, if a neighbour, now or before, has none."""
    if all(place is None or is_placed(order.get(place)) for place in beside):
        return ()
    start = bisect_left(rows, True, key=lambda one: not is_placed(order.get(one)))
    waiting = {*rows[start:], *(one for one in beside if one and not is_placed(order.get(one)))}
    known = (one for one in waiting if one in order and not one.startswith("new:"))
    return tuple(sorted(known, key=lambda one: order_key(order[one], one)))


def between(above: float | None, below: float | None) -> float | None:
    """A place to show between two: halfway, or half a step past the only one; None if there is neither."""
    if above is not None and below is not None:
        return (above + below) / 2
    if above is not None:
        return above + _STEP
    return below - _STEP if below is not None else None


def neighbours(rows: Sequence[IssueId], row: int, to: int) -> tuple[IssueId | None, IssueId | None] | None:
    """(above, below) when the card in ``row`` of a column moves to row ``to``; None if it is already there.

    Only the neighbours are read, so any column size costs the same.
    """
    last = len(rows) - 1
    to = max(0, min(to, last))
    if row == to:
        return None
    if to < row:
        return (rows[to - 1] if to > 0 else None), rows[to]
    return rows[to], (rows[to + 1] if to < last else None)


def around(issue: IssueId, positions: Mapping[IssueId, float]) -> tuple[IssueId | None, IssueId | None]:
    """(above, below) of an issue in the whole order; one not in it comes after all others."""
    mine = positions.get(issue)
    key = order_key(mine, issue)
    # Not those that GitLab does not have yet: their ids change.
    known = {one: at for one, at in positions.items() if not one.startswith("new:")}
    highest = max((at for at in known.values() if mine is None or at < mine), default=None)
    lowest = min((at for at in known.values() if mine is not None and at > mine), default=None)
    near = (order_key(at, one) for one, at in known.items() if at in (highest, mine, lowest))
    nearest = sorted(one for one in near if one != key)
    place = bisect_left(nearest, key)
    above = IssueId(nearest[place - 1][3]) if place else None
    return above, IssueId(nearest[place][3]) if place < len(nearest) else None


def _nearest(order: Sequence[IssueId], at: int, step: int) -> IssueId | None:
    """The next issue above (``step`` -1) or below a place in an order that GitLab has already."""
    at += step
    while 0 <= at < len(order):
        if not order[at].startswith("new:"):
            return order[at]
        at += step
    return None
