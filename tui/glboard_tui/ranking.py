"""Ranking one or several cards of a column: the Ops that move them up, down, to the top or the bottom.

Pure. One card costs the same in a column of any size (only its neighbours are read). Several cards keep their
order, and each Op uses the neighbours at its turn, so undoing them in reverse order restores everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import structs

from glboard_core.board import edits
from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.board.operations import Change
from glboard_core.board.use_cases import EditBatch, titled
from glboard_core.model.issue import Issue, IssueId

Where = Literal["up", "down", "top", "bottom"]

_WORDS: dict[Where, str] = {"up": "ranked up", "down": "ranked down", "top": "to top", "bottom": "to bottom"}


def ranked(index: BoardIndex, cards: ColumnIndex, issues: Sequence[Issue], where: Where) -> EditBatch:
    """The Ops that move these cards of one column; cards already in place are left alone."""
    here = [(row, issue) for issue in issues if (row := cards.row_of(issue)) is not None]
    here.sort()
    if not here:
        return EditBatch(skipped="not in this column")
    acts = _one(index, cards, *here[0], where) if len(here) == 1 else _many(index, cards, here, where)
    if not acts:
        return EditBatch(skipped="already there")
    return EditBatch(acts=tuple(acts), title=titled([issue for _, issue in here], _WORDS[where]))


def _one(
    index: BoardIndex, cards: ColumnIndex, row: int, issue: Issue, where: Where
) -> list[tuple[IssueId, Change]]:
    places = edits.ranked(_Rows(cards), row, _target(row, len(cards), where))
    if places is None:
        return []
    above, below, was_above, was_below = (index.issue(place) if place else None for place in places)
    return [(issue.id, edits.rank(issue, above, below, was_above, was_below))]


class _Rows(Sequence[IssueId]):
    """A column as a sequence of ids, without copying it."""

    def __init__(self, cards: ColumnIndex) -> None:
        self._cards = cards

    def __len__(self) -> int:
        return len(self._cards)

    def __getitem__(self, row: int) -> IssueId:  # type: ignore[override]  # never sliced
        return self._cards[row]


def _target(row: int, count: int, where: Where) -> int:
    return {"up": row - 1, "down": row + 1, "top": 0, "bottom": count - 1}[where]


def _many(
    index: BoardIndex, cards: ColumnIndex, here: list[tuple[int, Issue]], where: Where
) -> list[tuple[IssueId, Change]]:
    rows = [cards[row] for row in range(len(cards))]
    now = {issue.id: issue for _, issue in here}
    forward = where in ("up", "top")
    acts: list[tuple[IssueId, Change]] = []
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
        places = edits.ranked(rows, row, to)
        if places is None:
            continue
        near = [now.get(place) or index.issue(place) if place else None for place in places]
        act = edits.rank(now[issue.id], *near)
        acts.append((issue.id, act))
        if act.position is not None:
            now[issue.id] = structs.replace(now[issue.id], position=act.position)
        rows.insert(to, rows.pop(row))
    return acts
