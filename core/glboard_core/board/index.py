"""A board with its issues in columns, updated one change at a time.

Owns counts, weight sums and order. An update costs a binary search and one list insertion, whatever the size
of the board; only a change of board or filter reads all issues. It does no I/O and knows no screen; an issue
is identified by its id, never by a row.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple, Protocol, runtime_checkable

from msgspec import Struct

from glboard_core.board.columns import REST, Column
from glboard_core.board.definition import Board
from glboard_core.board.priorities import priorities_of, rank
from glboard_core.board.rules import MAX_WEIGHT, missed_titles
from glboard_core.config import LabelSettings, SortBy
from glboard_core.model.issue import (
    Issue,
    IssueId,
    IssueRow,
    Placeable,
    PlacementKey,
    is_placed,
    order_key,
    place_of,
    rank_key,
    row_of,
)
from glboard_core.model.workflow import WorkflowScheme

Key = tuple[float, bool, float, int, str]
"""What sorts an issue in its column: what a person sorts by, then GitLab's order."""
Keep = Callable[[Issue], bool]


class Sorting(Struct, frozen=True, kw_only=True):
    """What columns are sorted by, and the labels that say it; what is equal stays in GitLab's order."""

    by: SortBy = "rank"
    names: LabelSettings = LabelSettings()
    #: Former titles of milestones, with the present ones.
    renamed: Mapping[str, str] = {}
    #: Milestones as they follow one another.
    milestones: tuple[str, ...] = ()

    def lead(self, issue: Placeable, weight: int | None, created: float | None = None) -> float:
        """The part of the key before GitLab's order; what has no such value comes last."""
        if self.by == "rank" or not issue.is_open:
            return 0.0
        if self.by == "age":
            return inf if created is None else created
        if self.by == "milestone":
            at = issue.milestone
            return self.milestones.index(at) if at is not None and at in self.milestones else inf
        if self.by == "weight":
            return inf if weight is None else -weight
        if self.by == "slipped":
            return -len(missed_titles(issue.labels, self.names.missed_prefix, self.renamed))
        found = priorities_of(issue.labels, self.names)
        return rank(found[0], self.names)[0] if found else inf


_DAY = 86_400.0
_WEEK = 7 * _DAY
#: Days up to which an issue is young, and from which it is old.
YOUNG, OLD = 91, 365

RANKED = Sorting()
"""GitLab's order."""


@runtime_checkable
class IssueSource(Protocol):
    """A collection of issues that can list those of one milestone without reading the rest."""

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone ("" for those without), or all for None."""

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        """The same, but only what is needed to place, count and sort them."""


class _Kind(NamedTuple):
    """What issues of one kind have in common: their columns, and what they count as."""

    columns: tuple[str, ...]
    accepted: bool
    ready: bool


class Placement(NamedTuple):
    """What the index remembers of an issue on the board: enough to remove it later."""

    columns: tuple[str, ...]
    key: Key
    weight: int | None
    is_open: bool
    accepted: bool = False
    ready: bool = False
    #: When the issue was created, where the board asks for it.
    created: float | None = None


def _place(issue: Issue, kind: _Kind, sorting: Sorting) -> Placement:
    key, created = _key(issue, sorting), issue.created_at.timestamp()
    return Placement(kind.columns, key, issue.weight, issue.is_open, kind.accepted, kind.ready, created)


def _place_slim(issue: IssueRow, kind: _Kind, sorting: Sorting) -> Placement:
    by = issue.position
    if not (is_open := issue.kind.is_open):
        by = None if issue.closed is None else -issue.closed
    key = (sorting.lead(issue.kind, issue.weight), *order_key(by, issue.id))
    return Placement(kind.columns, key, issue.weight, is_open, kind.accepted, kind.ready)


def _key(issue: Issue, sorting: Sorting) -> Key:
    lead = sorting.lead(issue, issue.weight, issue.created_at.timestamp())
    if issue.is_open:
        return (lead, *rank_key(issue))
    # The order of (closed): most recently closed first.
    return (lead, *order_key(-issue.closed_at.timestamp() if issue.closed_at else None, issue.id))


class Ages(NamedTuple):
    """How old issues are, in days: the oldest one, the one in the middle; how many are young, and old."""

    oldest: float
    middle: float
    young: int
    old: int


class Sums:
    """Count and sums of issues, kept up to date one issue at a time.

    ``weight`` sums the weights that are set; ``unweighted`` counts the issues without one (planning rule 5).
    ``accepted`` is the part of ``weight`` that is Deliverable, ``ready`` counts what is ready for development
    and weighted, ``heavy`` what weighs more than an issue should (planning rule 4). ``weeks`` counts by the
    week of creation, where that is known.
    """

    def __init__(self) -> None:
        self.count = self.weight = self.unweighted = 0
        self.accepted = self.ready = self.ready_weight = self.heavy = 0
        self.weeks: Counter[int] = Counter()

    def add(self, place: Placement, sign: int = 1) -> None:
        """Count an issue, or with ``sign`` -1 no longer."""
        self.count += sign
        if place.created is not None:
            self.weeks[int(place.created // _WEEK)] += sign
        if (weight := place.weight) is None:
            self.unweighted += sign
            return
        self.weight += sign * weight
        self.accepted += sign * weight * place.accepted
        self.ready += sign * place.ready
        self.ready_weight += sign * weight * place.ready
        self.heavy += sign * (weight > MAX_WEIGHT)

    def ages(self, now: float) -> Ages | None:
        """How old the issues are, within a week; None if there are none."""
        oldest = middle = None
        young = old = passed = 0
        for week in sorted(self.weeks):
            if (count := self.weeks[week]) <= 0:
                continue
            days = max(0.0, (now - (week + 0.5) * _WEEK) / _DAY)
            oldest = days if oldest is None else oldest
            passed += count
            if middle is None and 2 * passed >= self.weeks.total():
                middle = days
            young += count if days <= YOUNG else 0
            old += count if days > OLD else 0
        return None if oldest is None or middle is None else Ages(oldest, middle, young, old)


class ColumnIndex(Sequence[IssueId]):
    """One column's issues in order, with count and sums over what matches the filter."""

    def __init__(self, column: Column, sorting: Sorting) -> None:
        self.column = column
        self._sorting = sorting
        self.sums = Sums()
        self._keys: list[Key] = []

    @property
    def weight(self) -> int:
        """The sum of the weights that are set."""
        return self.sums.weight

    @property
    def unweighted(self) -> int:
        """How many issues have no weight."""
        return self.sums.unweighted

    @property
    def over_limit(self) -> tuple[int, int]:
        """By how many issues, and by how much weight, it is over its limit."""
        column = self.column
        issues = len(self) - column.limit_issues if column.limit_issues is not None else 0
        weight = self.weight - column.limit_weight if column.limit_weight is not None else 0
        return max(issues, 0), max(weight, 0)

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, row: int) -> IssueId:  # type: ignore[override]  # never sliced
        return IssueId(self._keys[row][4])

    def row_of(self, issue: Issue) -> int | None:
        """The row of an issue, or None if it is not in this column."""
        return self._row(_key(issue, self._sorting))

    def fill(self, places: list[Placement]) -> None:
        """Replace the content."""
        self._keys = sorted(place.key for place in places)
        self.sums = Sums()
        for place in places:
            self.sums.add(place)

    def add(self, place: Placement) -> None:
        """Insert an issue at its place."""
        insort(self._keys, place.key)
        self.sums.add(place)

    def remove(self, place: Placement) -> None:
        """Remove an issue from its place."""
        row = self._row(place.key)
        if row is not None:
            del self._keys[row]
            self.sums.add(place, -1)

    def _row(self, key: Key) -> int | None:
        row = bisect_left(self._keys, key)
        return row if row < len(self._keys) and self._keys[row] == key else None


class BoardIndex:
    """A board and its columns over ``issues``, a live view of what is shown.

    ``keep`` is the filter a person set, or None. ``show_closed`` decides whether (closed) is visible;
    ``deliverable`` is the label of what is accepted. ``sums`` are over the open issues of the board, each
    counted once even if it is in two columns. ``sorting`` orders the columns. ``ages``: the board asks how
    old its issues are, for which each is read whole.
    """

    def __init__(
        self,
        board: Board,
        flow: WorkflowScheme,
        issues: Mapping[IssueId, Issue],
        *,
        keep: Keep | None = None,
        show_closed: bool = False,
        deliverable: str = "",
        sorting: Sorting = RANKED,
        ages: bool = False,
    ) -> None:
        self.board = board
        self._ages = ages or sorting.by == "age"
        self.sorting = sorting
        self._deliverable = deliverable
        self.show_closed = show_closed
        self._flow = flow
        self._issues = issues
        self._keep = keep
        self._by_key: dict[str, ColumnIndex] = {}
        self._on_board: dict[IssueId, Placement] = {}
        #: The open issues of the board that the filter hides.
        self._hidden: set[IssueId] = set()
        self.sums = Sums()
        self.columns: list[ColumnIndex] = []
        self.rebuild()

    def rebuild(self, keep: Keep | None = None, *, same_filter: bool = True) -> None:
        """Read all issues again; with ``same_filter=False`` with the filter given (or none)."""
        if not same_filter:
            self._keep = keep
        self._by_key = {
            column.key: ColumnIndex(column, self.sorting) for column in (*self.board.columns, *REST)
        }
        self.sums = Sums()
        self._on_board = {}
        self._hidden = set()
        found: dict[str, list[Placement]] = {}
        for identity, place in self._places():
            self._on_board[identity] = place
            self._sum(place, 1)
            for key in place.columns:
                found.setdefault(key, []).append(place)
        for key, places in found.items():
            self._column(key).fill(places)
        self._order()

    @property
    def count(self) -> int:
        """How many open issues are on the board."""
        return self.sums.count

    @property
    def total(self) -> int:
        """How many there are with those that the filter hides."""
        return self.sums.count + len(self._hidden)

    @property
    def weight(self) -> int:
        """The sum of their weights."""
        return self.sums.weight

    @property
    def unweighted(self) -> int:
        """How many of them have no weight."""
        return self.sums.unweighted

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

    def has(self, issue: str) -> bool:
        """Whether an issue is among those that the board shows now."""
        place = self._on_board.get(IssueId(issue))
        return place is not None and (place.is_open or self.show_closed)

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
        self._hidden.discard(issue.id)
        new = self._keys_or_hidden(after) if after is not None else ()
        if after is not None and new:
            place = self._on_board[after.id] = _place(after, self._kind(after, new), self.sorting)
            self._sum(place, 1)
            for key in new:
                self._column(key).add(place)
        return {*(old.columns if old else ()), *new}

    def _places(self) -> Iterator[tuple[IssueId, Placement]]:
        plain = self._keep is None and self.board.filter is None and not self._ages
        if plain and isinstance(self._issues, IssueSource):
            # Without a filter the slim part is enough, and issues of one kind belong to the same columns.
            placed: dict[PlacementKey, _Kind] = {}
            for slim in self._issues.slim(self.board.milestone):
                kind = placed.get(slim.kind)
                if kind is None:
                    columns = self.board.keys_of(slim.kind, self._flow)
                    kind = placed[slim.kind] = self._kind(slim.kind, columns)
                if kind.columns:
                    yield slim.id, _place_slim(slim, kind, self.sorting)
            return
        here = self._issues
        for issue in here.matching(self.board.milestone) if isinstance(here, IssueSource) else here.values():
            if keys := self._keys_or_hidden(issue):
                yield issue.id, _place(issue, self._kind(issue, keys), self.sorting)

    def _keys_or_hidden(self, issue: Issue) -> tuple[str, ...]:
        """``keys_of``; an open issue that only the filter keeps off the board is counted as hidden."""
        keys = self.board.keys_of(issue, self._flow)
        if not keys or self._keep is None or self._keep(issue):
            return keys
        if issue.is_open:
            self._hidden.add(issue.id)
        return ()

    def _kind(self, issue: Placeable, columns: tuple[str, ...]) -> _Kind:
        state = self._flow.of(issue)
        ready = state is not None and state.name == "ready for development"
        return _Kind(columns, self._deliverable in issue.labels, ready)

    def _sum(self, place: Placement, sign: int) -> None:
        if place.is_open:
            self.sums.add(place, sign)

    def _column(self, key: str) -> ColumnIndex:
        column = self._by_key.get(key)
        if column is None:
            # Such as that of someone who was assigned later.
            column = self._by_key[key] = ColumnIndex(self.board.kind.added(key), self.sorting)
            self._order()
        return column

    def _order(self) -> None:
        fixed = [self._by_key[c.key] for c in self.board.columns]
        rest = [self._by_key[c.key] for c in REST]
        known = {c.column.key for c in (*fixed, *rest)}
        later = sorted((c for k, c in self._by_key.items() if k not in known), key=lambda c: c.column.key)
        self.columns = [*fixed, *later, *rest]
