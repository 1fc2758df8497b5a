"""Finding issues: filters, sort orders and keyset pages.

Owns the indexes (by label title, by milestone title) and the sorted orders, which are built on first use and
kept up to date by `Index.moving`, so that a page of a world of 100,000 issues takes a few hundred steps and
never a full sort. Knows nothing of permissions: a caller passes a predicate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from glboard_core.demo.world.records import Issue, Milestone

# Filters of issues, as predicates.

Test = Callable[[Issue], bool]
LOOSE = "_LOOSE"


@dataclass(slots=True)
class IssueFilter:
    """Conditions on issues; None and empty match everything. Times are stamps, both ends inclusive."""

    projects: frozenset[int] | None = None
    labels: tuple[str, ...] = ()
    any_labels: tuple[str, ...] = ()
    not_labels: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()
    not_milestones: tuple[str, ...] = ()
    milestone_is: str | None = None
    not_milestone_is: str | None = None
    milestone_id: int | None = None
    state: str | None = None
    ids: frozenset[int] | None = None
    iids: frozenset[int] | None = None
    not_iids: frozenset[int] = frozenset()
    assignees: tuple[str, ...] = ()
    any_assignees: tuple[str, ...] = ()
    not_assignees: tuple[str, ...] = ()
    assignee_is: str | None = None
    authors: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    closed_after: int | None = None
    closed_before: int | None = None
    created_after: int | None = None
    created_before: int | None = None
    updated_after: int | None = None
    updated_before: int | None = None
    confidential: bool | None = None
    search: str | None = None
    search_in: frozenset[str] = frozenset({"TITLE", "DESCRIPTION"})
    weight: int | None = None
    weight_is: str | None = None
    not_weight: int | None = None
    kinds: frozenset[str] | None = None
    include_archived: bool = False


def _label_test(title: str) -> Test:
    if title.lower() == "none":
        return lambda issue: not issue.labels
    if title.lower() == "any":
        return lambda issue: bool(issue.labels)
    if title.endswith("::*"):
        prefix = title[:-1]
        return lambda issue: any(one.title.startswith(prefix) for one in issue.labels)
    return lambda issue: any(one.title == title for one in issue.labels)


def _milestone_test(kind: str, today: date) -> Test:
    """A milestone wildcard. STARTED and UPCOMING are GraphQL's since 18.0; with `LOOSE` at the end they are
    REST's and older servers', which require less."""

    def started(one: Milestone) -> bool:
        dated = one.start is not None or one.due is not None
        return dated and (one.start is None or one.start <= today) and (one.due is None or one.due >= today)

    def loosely_started(one: Milestone) -> bool:
        return one.start is not None and one.start <= today

    def upcoming(one: Milestone) -> bool:
        return one.start is not None and one.start > today

    def loosely_upcoming(one: Milestone) -> bool:
        return one.due is not None and one.due > today

    if kind == "NONE":
        return lambda issue: issue.milestone is None
    if kind == "ANY":
        return lambda issue: issue.milestone is not None
    asked = {
        "STARTED": started,
        "UPCOMING": upcoming,
        f"STARTED{LOOSE}": loosely_started,
        f"UPCOMING{LOOSE}": loosely_upcoming,
    }[kind]
    return lambda issue: issue.milestone is not None and not issue.milestone.closed and asked(issue.milestone)


def _time_tests(wanted: IssueFilter) -> Iterator[Test]:
    if (at := wanted.closed_after) is not None:
        yield lambda issue, at=at: issue.closed is not None and issue.closed >= at  # type: ignore[misc]
    if (at := wanted.closed_before) is not None:
        yield lambda issue, at=at: issue.closed is not None and issue.closed <= at  # type: ignore[misc]
    if (at := wanted.created_after) is not None:
        yield lambda issue, at=at: issue.created >= at  # type: ignore[misc]
    if (at := wanted.created_before) is not None:
        yield lambda issue, at=at: issue.created <= at  # type: ignore[misc]
    if (at := wanted.updated_after) is not None:
        yield lambda issue, at=at: issue.updated >= at  # type: ignore[misc]
    if (at := wanted.updated_before) is not None:
        yield lambda issue, at=at: issue.updated <= at  # type: ignore[misc]


def _people_tests(wanted: IssueFilter) -> Iterator[Test]:
    def has(issue: Issue, username: str) -> bool:
        return any(one.username == username for one in issue.assignees)

    if wanted.assignees:
        yield lambda issue: all(has(issue, one) for one in wanted.assignees)
    if wanted.any_assignees:
        yield lambda issue: any(has(issue, one) for one in wanted.any_assignees)
    if wanted.not_assignees:
        yield lambda issue: not any(has(issue, one) for one in wanted.not_assignees)
    if wanted.assignee_is == "ANY":
        yield lambda issue: bool(issue.assignees)
    if wanted.assignee_is == "NONE":
        yield lambda issue: not issue.assignees
    if wanted.authors:
        yield lambda issue: issue.author.username in wanted.authors
    if wanted.not_authors:
        yield lambda issue: issue.author.username not in wanted.not_authors


def _place_tests(wanted: IssueFilter, today: date) -> Iterator[Test]:
    if wanted.milestones:
        yield lambda issue: issue.milestone is not None and issue.milestone.title in wanted.milestones
    if wanted.milestone_id is not None:
        yield lambda issue: issue.milestone is not None and issue.milestone.id == wanted.milestone_id
    if wanted.not_milestones:
        yield lambda issue: issue.milestone is None or issue.milestone.title not in wanted.not_milestones
    if wanted.milestone_is:
        yield _milestone_test(wanted.milestone_is, today)
    if wanted.not_milestone_is:
        unwanted = _milestone_test(wanted.not_milestone_is, today)
        yield lambda issue: not unwanted(issue)
    for title in wanted.labels:
        yield _label_test(title)
    if wanted.any_labels:
        wanted_ones = [_label_test(title) for title in wanted.any_labels]
        yield lambda issue: any(test(issue) for test in wanted_ones)
    if wanted.not_labels:
        unwanted_ones = [_label_test(title) for title in wanted.not_labels]
        yield lambda issue: not any(test(issue) for test in unwanted_ones)


def tests(wanted: IssueFilter, today: date) -> Iterator[Test]:
    """The filter as predicates, cheapest first."""
    if wanted.projects is not None:
        yield lambda issue: issue.project.id in wanted.projects  # type: ignore[operator]
    if not wanted.include_archived:
        yield lambda issue: not issue.project.archived
    if wanted.state == "opened":
        yield lambda issue: issue.open
    elif wanted.state == "closed":
        yield lambda issue: not issue.open
    elif wanted.state == "locked":
        yield lambda _: False
    if wanted.ids is not None:
        yield lambda issue: issue.id in wanted.ids  # type: ignore[operator]
    if wanted.iids is not None:
        yield lambda issue: issue.iid in wanted.iids  # type: ignore[operator]
    if wanted.not_iids:
        yield lambda issue: issue.iid not in wanted.not_iids
    if wanted.confidential is not None:
        yield lambda issue: issue.confidential == wanted.confidential
    if wanted.kinds is not None:
        yield lambda issue: issue.kind in wanted.kinds  # type: ignore[operator]
    if wanted.weight is not None:
        yield lambda issue: issue.weight == wanted.weight
    if wanted.not_weight is not None:
        yield lambda issue: issue.weight != wanted.not_weight
    if wanted.weight_is == "ANY":
        yield lambda issue: issue.weight is not None
    if wanted.weight_is == "NONE":
        yield lambda issue: issue.weight is None
    yield from _time_tests(wanted)
    yield from _place_tests(wanted, today)
    yield from _people_tests(wanted)
    if wanted.search:
        words = wanted.search.lower().split()

        def says(issue: Issue) -> bool:
            text = issue.title.lower() if "TITLE" in wanted.search_in else ""
            if "DESCRIPTION" in wanted.search_in:
                text += "\n" + issue.description.lower()
            return all(word in text for word in words)

        yield says


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
    """Every issue of the world, with indexes and sorted orders."""

    def __init__(self, issues: dict[int, Issue]) -> None:
        self.issues = issues
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

    def rebuild(self) -> None:
        """Rebuild after a change of many issues, or of a label's or milestone's title or dates."""
        self._by_label.clear()
        self._by_milestone.clear()
        self._orders.clear()
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
        return self._by_milestone.get(title, set())

    def with_label(self, title: str) -> set[Issue]:
        """The issues with a label of this title."""
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
            filed = self.with_label(title)
            if len(filed) < size:
                best, size = filed, len(filed)
        if wanted.milestones:
            total = sum(len(self.with_milestone(title)) for title in set(wanted.milestones))
            if total < size:
                best = [one for title in set(wanted.milestones) for one in self.with_milestone(title)]
                size = total
        if wanted.updated_after is not None:
            order = self.order("UPDATED_ASC")
            start = bisect_left(order, (0, wanted.updated_after, 0))
            if len(order) - start < size:
                best = [self._at(key) for key in order[start:]]
        return best

    def matching(self, wanted: IssueFilter, may_see: Test, today: date) -> Iterator[Issue]:
        """All matches, unordered."""
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
        checks = [*tests(wanted, today), may_see]
        keys = self._keys(wanted, sort, first + skip + 1)
        low = bisect_right(keys, after) if after is not None else 0
        high = bisect_left(keys, before) if before is not None else len(keys)
        walk: Iterable[int] = range(high - 1, low - 1, -1) if backwards else range(low, high)
        found: list[Issue] = []
        more = False
        for at in walk:
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
