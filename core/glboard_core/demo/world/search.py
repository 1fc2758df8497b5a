"""Finding issues: sort orders and keyset pages.

Owns the indexes (by label title, by milestone title) and the sorted orders, which are built on first use and
kept up to date by `Index.moving`, so that a page of a world of 100,000 issues takes a few hundred steps and
never a full sort. Issues that were not made yet are made when a question can concern them. Knows nothing of
permissions: a caller passes a predicate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from glboard_core.demo.world.filters import IssueFilter, Test, tests
from glboard_core.demo.world.records import Issue
from glboard_core.demo.world.unread import Unread

Key = tuple[int, Any, int]


class Down(str):
    """Text that sorts in reverse."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)

    def __gt__(self, other: str) -> bool:
        return str.__lt__(self, other)


def _due(issue: Issue) -> int | None:
    return issue.due.toordinal() if issue.due else None


def _milestone_due(issue: Issue) -> int | None:
    return issue.milestone.due.toordinal() if issue.milestone and issue.milestone.due else None


_VALUES: dict[str, Callable[[Issue], Any]] = {
    "CREATED": lambda issue: issue.created,
    "UPDATED": lambda issue: issue.updated,
    "CLOSED_AT": lambda issue: issue.closed,
    "DUE_DATE": _due,
    "WEIGHT": lambda issue: issue.weight,
    "TITLE": lambda issue: issue.title.lower(),
    "MILESTONE_DUE": _milestone_due,
    "RELATIVE_POSITION": lambda issue: issue.position,
}
SORTS = frozenset(f"{name}_{way}" for name in _VALUES for way in ("ASC", "DESC"))
# GitLab pages these by offset inside its cursors, so they repeat and skip rows when data changes.
UNSTABLE = frozenset({"MILESTONE_DUE_ASC", "MILESTONE_DUE_DESC"})
DEFAULT_SORT = "CREATED_DESC"


def key_of(issue: Issue, sort: str) -> Key:
    """The sort key of an issue in an order: nulls last either way, then by id."""
    name, _, way = sort.rpartition("_")
    value = _VALUES[name](issue)
    ident = issue.id if way == "ASC" else -issue.id
    if value is None:
        return (1, 0, ident)
    if way == "DESC":
        value = Down(value) if isinstance(value, str) else -value
    return (0, value, ident)


@dataclass(slots=True)
class Page:
    """A part of an order."""

    issues: list[Issue]
    has_next: bool
    has_previous: bool
    offset: int = 0


class Index:
    """Every issue of the world that was made so far, with indexes and sorted orders."""

    def __init__(self, issues: dict[int, Issue]) -> None:
        self.issues = issues
        self.unread: Unread | None = None
        self._by_label: dict[str, set[Issue]] = {}
        self._by_milestone: dict[str, set[Issue]] = {}
        self._orders: dict[str, list[Key]] = {}
        for issue in issues.values():
            self._file(issue)

    def _file(self, issue: Issue) -> None:
        for label in issue.labels:
            filed = self._by_label.get(label.title)
            if filed is None:
                filed = self._by_label[label.title] = set()
            filed.add(issue)
        if issue.milestone is not None:
            self._by_milestone.setdefault(issue.milestone.title, set()).add(issue)

    def _unfile(self, issue: Issue) -> None:
        for label in issue.labels:
            self._by_label[label.title].discard(issue)
        if issue.milestone is not None:
            self._by_milestone[issue.milestone.title].discard(issue)

    def add(self, issue: Issue) -> None:
        """Add a new issue."""
        self.issues[issue.id] = issue
        self._file(issue)
        for sort, order in self._orders.items():
            insort(order, key_of(issue, sort))

    def drop(self, issue: Issue) -> None:
        """Remove an issue."""
        for sort, order in self._orders.items():
            del order[bisect_left(order, key_of(issue, sort))]
        self._unfile(issue)
        del self.issues[issue.id]

    @contextmanager
    def moving(self, issue: Issue) -> Iterator[None]:
        """Context for every change that can move an issue in an order or an index."""
        before = {sort: key_of(issue, sort) for sort in self._orders}
        self._unfile(issue)
        try:
            yield
        finally:
            self._file(issue)
            for sort, order in self._orders.items():
                after = key_of(issue, sort)
                if after != before[sort]:
                    del order[bisect_left(order, before[sort])]
                    insort(order, after)

    def find(self, ident: int) -> Issue | None:
        """An issue by id, or None."""
        if self.unread is not None and ident not in self.issues:
            self.read(self.unread.holders([ident]))
        return self.issues.get(ident)

    def read(self, projects: Iterable[int]) -> None:
        """Make the issues of projects that were not made yet."""
        if self.unread is None:
            return
        made = self.unread.take(projects)
        if len(made) * 10 > len(self.issues):
            self._orders.clear()
        for issue in made:
            self.add(issue)

    def _read_for(self, wanted: IssueFilter) -> None:
        if self.unread is not None:
            self.read(self.unread.needed(wanted))

    def rebuild(self) -> None:
        """Rebuild after a change of many issues, or of a label's or milestone's title or dates."""
        self._by_label.clear()
        self._by_milestone.clear()
        self._orders.clear()
        if self.unread is not None:
            self.unread.name()
        for issue in self.issues.values():
            self._file(issue)

    def order(self, sort: str) -> list[Key]:
        """The keys of all issues, sorted."""
        order = self._orders.get(sort)
        if order is None:
            order = self._orders[sort] = sorted(key_of(issue, sort) for issue in self.issues.values())
        return order

    def with_milestone(self, title: str) -> set[Issue]:
        """The issues whose milestone has this title."""
        self._read_for(IssueFilter(milestones=(title,)))
        return self._by_milestone.get(title, set())

    def with_label(self, title: str) -> set[Issue]:
        """The issues with a label of this title."""
        self._read_for(IssueFilter(labels=(title,)))
        return self._by_label.get(title, set())

    def _at(self, key: Key) -> Issue:
        return self.issues[abs(key[2])]

    def _candidates(self, wanted: IssueFilter) -> Iterable[Issue] | None:
        """The smallest indexed set that contains every match; None if there is none."""
        best: Iterable[Issue] | None = None
        size = len(self.issues)
        if wanted.ids is not None:
            return [self.issues[ident] for ident in wanted.ids if ident in self.issues]
        for title in wanted.labels:
            if title.endswith("::*") or title.lower() in ("any", "none"):
                continue
            filed = self._by_label.get(title, set())
            if len(filed) < size:
                best, size = filed, len(filed)
        if wanted.milestones:
            filed_ones = [self._by_milestone.get(title, set()) for title in set(wanted.milestones)]
            total = sum(map(len, filed_ones))
            if total < size:
                best, size = [one for filed in filed_ones for one in filed], total
        if wanted.updated_after is not None:
            order = self.order("UPDATED_ASC")
            start = bisect_left(order, (0, wanted.updated_after, 0))
            if len(order) - start < size:
                best = [self._at(key) for key in order[start:]]
        return best

    def matching(self, wanted: IssueFilter, may_see: Test, today: date) -> Iterator[Issue]:
        """All matches, unordered."""
        self._read_for(wanted)
        found = self._candidates(wanted)
        checks = [*tests(wanted, today), may_see]
        for issue in self.issues.values() if found is None else found:
            if all(check(issue) for check in checks):
                yield issue

    def count(self, wanted: IssueFilter, may_see: Test, today: date, limit: int | None = None) -> int:
        """How many match; counting stops above the limit."""
        total = 0
        for _ in self.matching(wanted, may_see, today):
            total += 1
            if limit is not None and total > limit:
                break
        return total

    def _keys(self, wanted: IssueFilter, sort: str, need: int) -> list[Key]:
        """The keys to scan, sorted: those of the candidates, or all keys if that is cheaper."""
        found = self._candidates(wanted)
        if found is None:
            return self.order(sort)
        some = list(found)
        # Sorting the candidates costs about their number; scanning the whole order until enough are found
        # costs about everything * need / candidates.
        if len(some) * len(some) > len(self.issues) * need:
            return self.order(sort)
        return sorted(key_of(issue, sort) for issue in some)

    def page(
        self,
        wanted: IssueFilter,
        sort: str,
        may_see: Test,
        today: date,
        *,
        first: int,
        after: Key | None = None,
        before: Key | None = None,
        backwards: bool = False,
        skip: int = 0,
    ) -> Page:
        """`first` issues after a key (or, backwards, the last ones before one), skipping some."""
        self._read_for(wanted)
        checks = [*tests(wanted, today), may_see]
        keys = self._keys(wanted, sort, first + skip + 1)
        low = bisect_right(keys, after) if after is not None else 0
        high = bisect_left(keys, before) if before is not None else len(keys)
        places: Iterable[int] = range(high - 1, low - 1, -1) if backwards else range(low, high)
        found: list[Issue] = []
        more = False
        for at in places:
            issue = self._at(keys[at])
            if not all(check(issue) for check in checks):
                continue
            if skip:
                skip -= 1
                continue
            if len(found) == first:
                more = True
                break
            found.append(issue)
        if backwards:
            found.reverse()
            return Page(found, has_next=before is not None, has_previous=more)
        return Page(found, has_next=more, has_previous=after is not None)
