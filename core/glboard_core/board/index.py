"""A board with its issues in columns, updated one change at a time.

Owns counts, weight sums and order. An update costs a binary search and one list insertion, whatever the size
of the board; only a change of board or filter reads all issues. It does no I/O and knows no screen; an issue
is identified by its id, never by a row.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from glboard_core.board.columns import REST, Column
from glboard_core.board.definition import Board
from glboard_core.model.issue import (
    Issue,
    IssueId,
    IssueRow,
    PlacementKey,
    is_placed,
    order_key,
    place_of,
    rank_key,
    row_of,
)
from glboard_core.model.workflow import WorkflowScheme

Key = tuple[bool, float, int, str]
Keep = Callable[[Issue], bool]


@runtime_checkable
class IssueSource(Protocol):
    """A collection of issues that can list those of one milestone without reading the rest."""

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone ("" for those without), or all for None."""

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        """The same, but only what is needed to place, count and sort them."""


class Placement(NamedTuple):
    """What the index remembers of an issue on the board: enough to remove it later."""

    columns: tuple[str, ...]
    key: Key
    weight: int | None
    is_open: bool


def _place(issue: Issue, columns: tuple[str, ...]) -> Placement:
    return Placement(columns, _key(issue), issue.weight, issue.is_open)


def _place_slim(issue: IssueRow, columns: tuple[str, ...]) -> Placement:
    by = issue.position
    if not (is_open := issue.kind.is_open):
        by = None if issue.closed is None else -issue.closed
    return Placement(columns, order_key(by, issue.id), issue.weight, is_open)


def _key(issue: Issue) -> Key:
    if issue.is_open:
        return rank_key(issue)
    # The order of (closed): most recently closed first.
    return order_key(-issue.closed_at.timestamp() if issue.closed_at else None, issue.id)


class ColumnIndex(Sequence[IssueId]):
    """One column's issues in order, with count and sums over what matches the filter.

    ``weight`` sums the weights that are set; ``unweighted`` counts the issues without one (planning rule 5).
    """

    def __init__(self, column: Column) -> None:
        self.column = column
        self.weight = 0
        self.unweighted = 0
        self._keys: list[Key] = []

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, row: int) -> IssueId:  # type: ignore[override]  # never sliced
        return IssueId(self._keys[row][3])

    def row_of(self, issue: Issue) -> int | None:
        """The row of an issue, or None if it is not in this column."""
        return self._row(_key(issue))

    def fill(self, places: list[Placement]) -> None:
        """Replace the content."""
        self._keys = sorted(place.key for place in places)
        self.weight = sum(place.weight or 0 for place in places)
        self.unweighted = sum(place.weight is None for place in places)

    def add(self, place: Placement) -> None:
        """Insert an issue at its place."""
        insort(self._keys, place.key)
        self._count(place.weight, 1)

    def remove(self, place: Placement) -> None:
        """Remove an issue from its place."""
        row = self._row(place.key)
        if row is not None:
            del self._keys[row]
            self._count(place.weight, -1)

    def _row(self, key: Key) -> int | None:
        row = bisect_left(self._keys, key)
        return row if row < len(self._keys) and self._keys[row] == key else None

    def _count(self, weight: int | None, sign: int) -> None:
        if weight is None:
            self.unweighted += sign
        else:
            self.weight += sign * weight


class BoardIndex:
    """A board and its columns over ``issues``, a live view of what is shown.

    ``keep`` is the filter a person set, or None. ``show_closed`` decides whether (closed) is visible.
    """

    def __init__(
        self,
        board: Board,
        flow: WorkflowScheme,
        issues: Mapping[IssueId, Issue],
        *,
        keep: Keep | None = None,
        show_closed: bool = False,
    ) -> None:
        self.board = board
        self.show_closed = show_closed
        self._flow = flow
        self._issues = issues
        self._keep = keep
        self._by_key: dict[str, ColumnIndex] = {}
        self._on_board: dict[IssueId, Placement] = {}
        #: Over the open issues of the board, each counted once even if it is in two columns.
        self.count = self.weight = self.unweighted = 0
        self.columns: list[ColumnIndex] = []
        self.rebuild()

    def rebuild(self, keep: Keep | None = None, *, same_filter: bool = True) -> None:
        """Read all issues again; with ``same_filter=False`` with the filter given (or none)."""
        if not same_filter:
            self._keep = keep
        self._by_key = {column.key: ColumnIndex(column) for column in (*self.board.columns, *REST)}
        self.count = self.weight = self.unweighted = 0
        self._on_board = {}
        found: dict[str, list[Placement]] = {}
        for identity, place in self._places():
            self._on_board[identity] = place
            self._sum(place, 1)
            for key in place.columns:
                found.setdefault(key, []).append(place)
        for key, places in found.items():
            self._column(key).fill(places)
        self._order()

    def visible(self) -> list[ColumnIndex]:
        """The columns to draw: (unlisted) only if it has issues, (closed) only if requested."""
        return [
            column
            for column in self.columns
            if column.column.is_visible(len(column), show_closed=self.show_closed)
        ]

    def column(self, key: str) -> ColumnIndex | None:
        """The column with that key, visible or not."""
        return self._by_key.get(key)

    def issue(self, issue: IssueId) -> Issue | None:
        """The issue as shown, whether on this board or not."""
        return self._issues.get(issue)

    def positions(self) -> dict[IssueId, float]:
        """The places in the manual order of everything known, on this board or not."""
        here = self._issues
        rows = here.slim(None) if isinstance(here, IssueSource) else map(row_of, here.values())
        return {row.id: place_of(row.position, row.id) for row in rows}

    def has_order(self) -> bool:
        """Whether anything known has a place in GitLab's manual order."""
        return any(is_placed(place) for place in self.positions().values())

    def keys_of(self, issue: Issue) -> tuple[str, ...]:
        """The columns the issue is in with the current filter."""
        keys = self.board.keys_of(issue, self._flow)
        return keys if not keys or self._keep is None or self._keep(issue) else ()

    def update(self, before: Issue | None, after: Issue | None) -> set[str]:
        """Apply one change. Returns the keys of the columns that must be redrawn.

        The index remembers where the issue was, so ``before`` is only needed to name a removed issue when
        ``after`` is None, and changes by others in between do no harm.
        """
        issue = after or before
        if issue is None:
            return set()
        old = self._on_board.pop(issue.id, None)
        if old is not None:
            self._sum(old, -1)
            for key in old.columns:
                self._column(key).remove(old)
        new = self.keys_of(after) if after is not None else ()
        if after is not None and new:
            place = self._on_board[after.id] = _place(after, new)
            self._sum(place, 1)
            for key in new:
                self._column(key).add(place)
        return {*(old.columns if old else ()), *new}

    def _places(self) -> Iterator[tuple[IssueId, Placement]]:
        if self._keep is None and isinstance(self._issues, IssueSource):
            # Without a filter the slim part is enough, and issues of one kind belong to the same columns.
            placed: dict[PlacementKey, tuple[str, ...]] = {}
            for slim in self._issues.slim(self.board.milestone):
                columns = placed.get(slim.kind)
                if columns is None:
                    columns = placed[slim.kind] = self.board.keys_of(slim.kind, self._flow)
                if columns:
                    yield slim.id, _place_slim(slim, columns)
            return
        here = self._issues
        for issue in here.matching(self.board.milestone) if isinstance(here, IssueSource) else here.values():
            if keys := self.keys_of(issue):
                yield issue.id, _place(issue, keys)

    def _sum(self, place: Placement, sign: int) -> None:
        if place.is_open:
            self.count += sign
            self.weight += sign * (place.weight or 0)
            self.unweighted += sign * (place.weight is None)

    def _column(self, key: str) -> ColumnIndex:
        column = self._by_key.get(key)
        if column is None:
            # Such as that of someone who was assigned later.
            column = self._by_key[key] = ColumnIndex(self.board.kind.added(key))
            self._order()
        return column

    def _order(self) -> None:
        fixed = [self._by_key[c.key] for c in self.board.columns]
        rest = [self._by_key[c.key] for c in REST]
        known = {c.column.key for c in (*fixed, *rest)}
        later = sorted((c for k, c in self._by_key.items() if k not in known), key=lambda c: c.column.key)
        self.columns = [*fixed, *later, *rest]
