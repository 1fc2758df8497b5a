"""A board with its issues in columns, kept current one change at a time.

Owns counts, weight sums and order. An update costs a binary search and one list insertion, whatever the size
of the board; only a change of board or filter reads all issues. It does no input or output and knows no
screen; identity is the issue's id, never a row.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping

from glboard_core.board.placement import column_keys
from glboard_core.board.resolve import assignee_column
from glboard_core.model.board import CLOSED, UNLISTED, Board, Column
from glboard_core.model.flow import FlowScheme
from glboard_core.model.issue import Issue, IssueId, rank_key

Key = tuple[bool, float, int, str]
Keep = Callable[[Issue], bool]


def closed_key(issue: Issue) -> Key:
    """The order of (closed): the last closed first."""
    _, _, number, identity = rank_key(issue)
    return (
        issue.closed_at is None,
        -issue.closed_at.timestamp() if issue.closed_at else 0.0,
        number,
        identity,
    )


class ColumnIndex:
    """One column's issues in order, with its count and sums over what the filter lets through.

    ``weight`` sums the weights that are set; ``unweighted`` counts the issues without one (DOMAIN.md 7.5).
    """

    def __init__(self, column: Column) -> None:
        self.column = column
        self.weight = 0
        self.unweighted = 0
        self._keys: list[Key] = []
        self._key = closed_key if column.kind == "closed" else rank_key

    @property
    def count(self) -> int:
        """How many issues stand here."""
        return len(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, row: int) -> IssueId:
        return IssueId(self._keys[row][3])

    def row_of(self, issue: Issue) -> int | None:
        """The row of an issue, or none where it does not stand here."""
        key = self._key(issue)
        row = bisect_left(self._keys, key)
        return row if row < len(self._keys) and self._keys[row] == key else None

    def fill(self, issues: list[Issue]) -> None:
        """Replace the content."""
        self._keys = sorted(map(self._key, issues))
        self.weight = sum(issue.weight or 0 for issue in issues)
        self.unweighted = sum(issue.weight is None for issue in issues)

    def add(self, issue: Issue) -> None:
        """Put an issue in its place."""
        insort(self._keys, self._key(issue))
        self._count(issue, 1)

    def remove(self, issue: Issue) -> None:
        """Take an issue out; it must be given as it was when it was added."""
        row = self.row_of(issue)
        if row is not None:
            del self._keys[row]
            self._count(issue, -1)

    def _count(self, issue: Issue, sign: int) -> None:
        if issue.weight is None:
            self.unweighted += sign
        else:
            self.weight += sign * issue.weight


class BoardIndex:
    """A board and its columns over ``issues``, a live view of what is shown.

    ``keep`` is the filter a person set, or none. ``show_closed`` decides whether (closed) is visible.
    """

    def __init__(
        self,
        board: Board,
        flow: FlowScheme,
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
        #: Over the open issues of the board, each counted once even if it stands in two columns.
        self.count = self.weight = self.unweighted = 0
        self.columns: list[ColumnIndex] = []
        self.rebuild()

    @property
    def keep(self) -> Keep | None:
        """The filter in force."""
        return self._keep

    def rebuild(self, keep: Keep | None = None, *, same_filter: bool = True) -> None:
        """Read all issues again; with ``same_filter=False`` under the filter given (or none)."""
        if not same_filter:
            self._keep = keep
        columns = [*self.board.columns]
        columns.append(Column(key=UNLISTED, title="(unlisted)", kind="unlisted", letter="u"))
        columns.append(Column(key=CLOSED, title="(closed)", kind="closed", letter="c"))
        self._by_key = {column.key: ColumnIndex(column) for column in columns}
        self.count = self.weight = self.unweighted = 0
        found: dict[str, list[Issue]] = {}
        for issue in self._issues.values():
            if keys := self._placed(issue):
                self._sum(issue, 1)
            for key in keys:
                found.setdefault(key, []).append(issue)
        for key, issues in found.items():
            self._column(key).fill(issues)
        self._order()

    def visible(self) -> list[ColumnIndex]:
        """The columns to draw: (unlisted) only when something is in it, (closed) only when asked for."""
        return [
            column
            for column in self.columns
            if not (column.column.kind == "unlisted" and not len(column))
            and not (column.column.kind == "closed" and not self.show_closed)
        ]

    def column(self, key: str) -> ColumnIndex | None:
        """The column with that key, visible or not."""
        return self._by_key.get(key)

    def issue(self, issue: IssueId) -> Issue | None:
        """The issue as shown, whether on this board or not."""
        return self._issues.get(issue)

    def keys_of(self, issue: Issue) -> tuple[str, ...]:
        """The columns the issue stands in under the filter."""
        return self._placed(issue)

    def update(self, before: Issue | None, after: Issue | None) -> set[str]:
        """Follow one change. Returns the keys of the columns whose content or picture changed."""
        old = self._placed(before) if before is not None else ()
        new = self._placed(after) if after is not None else ()
        if before is not None and old:
            self._sum(before, -1)
            for key in old:
                self._column(key).remove(before)
        if after is not None and new:
            self._sum(after, 1)
            for key in new:
                self._column(key).add(after)
        return {*old, *new}

    def _placed(self, issue: Issue) -> tuple[str, ...]:
        keys = column_keys(self.board, issue, self._flow)
        return keys if not keys or self._keep is None or self._keep(issue) else ()

    def _sum(self, issue: Issue, sign: int) -> None:
        if issue.is_open:
            self.count += sign
            self.weight += sign * (issue.weight or 0)
            self.unweighted += sign * (issue.weight is None)

    def _column(self, key: str) -> ColumnIndex:
        column = self._by_key.get(key)
        if column is None:
            # Only a people board names columns that were not there: somebody new was assigned.
            column = self._by_key[key] = ColumnIndex(assignee_column(key))
            self._order()
        return column

    def _order(self) -> None:
        fixed = [self._by_key[c.key] for c in self.board.columns]
        known = {c.column.key for c in fixed} | {UNLISTED, CLOSED}
        later = sorted((c for k, c in self._by_key.items() if k not in known), key=lambda c: c.column.key)
        self.columns = [*fixed, *later, self._by_key[UNLISTED], self._by_key[CLOSED]]
