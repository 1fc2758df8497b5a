"""Issues that exist but were not made yet, because no one asked for one of them.

An organisation has a hundred times as many issues as a team sees. They are made a project at a time, when a
question can concern them; the same project always gets the same issues. Until then only their ids are taken.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass

from glboard_core.demo.world.filters import IssueFilter
from glboard_core.demo.world.records import Issue, Label, Milestone, User


@dataclass(frozen=True, slots=True)
class Share:
    """The unread issues of a project: `count` ids from `first` on."""

    project: int
    first: int
    count: int


class Unread:
    """The unread issues. Each has labels among `labels`, people among `people`, no milestone or one whose set
    contains its project, and was last changed at `newest` (a stamp) or before."""

    def __init__(
        self,
        shares: Iterable[Share],
        make: Callable[[Share], list[Issue]],
        *,
        labels: Iterable[Label],
        milestones: Mapping[Milestone, Set[int]],
        people: Set[User],
        newest: int,
    ) -> None:
        self._shares = {one.project: one for one in shares}
        ordered = sorted(self._shares.values(), key=lambda one: one.first)
        self._firsts = [one.first for one in ordered]
        self._ordered = ordered
        self._make = make
        self._labels = list(labels)
        self._milestones = milestones
        self._people = frozenset(one.username for one in people)
        self._newest = newest
        self._titles: frozenset[str] = frozenset()
        self._places: dict[str, set[int]] = {}
        self.name()

    def __len__(self) -> int:
        return sum(one.count for one in self._shares.values())

    def name(self) -> None:
        """Learn the titles again: labels and milestones can be renamed."""
        self._titles = frozenset(one.title for one in self._labels)
        self._places = {}
        for milestone, projects in self._milestones.items():
            self._places.setdefault(milestone.title, set()).update(projects)

    def holders(self, idents: Iterable[int]) -> set[int]:
        """The projects with unread issues of these ids."""
        found = set()
        for ident in idents:
            at = bisect_right(self._firsts, ident) - 1
            share = self._ordered[at] if at >= 0 else None
            if share is not None and ident < share.first + share.count and share.project in self._shares:
                found.add(share.project)
        return found

    def needed(self, wanted: IssueFilter) -> Set[int]:
        """The projects whose unread issues can match a filter."""
        if not self._shares or not self._can_match(wanted):
            return frozenset()
        if wanted.ids is not None:
            return self.holders(wanted.ids)
        if not wanted.milestones:
            return self._shares.keys() if wanted.projects is None else wanted.projects & self._shares.keys()
        found = set().union(*(self._places.get(title, ()) for title in wanted.milestones))
        return found if wanted.projects is None else found & wanted.projects

    def _can_match(self, wanted: IssueFilter) -> bool:
        if wanted.updated_after is not None and wanted.updated_after > self._newest:
            return False
        if not all(map(self._has, wanted.labels)):
            return False
        if wanted.any_labels and not any(map(self._has, wanted.any_labels)):
            return False
        if wanted.any_assignees and self._people.isdisjoint(wanted.any_assignees):
            return False
        if wanted.authors and self._people.isdisjoint(wanted.authors):
            return False
        return self._people.issuperset(wanted.assignees)

    def _has(self, title: str) -> bool:
        return title in self._titles or title.endswith("::*") or title.lower() in ("any", "none")

    def take(self, projects: Iterable[int]) -> list[Issue]:
        """Make the unread issues of projects."""
        shares = [self._shares.pop(one) for one in list(projects) if one in self._shares]
        return [issue for share in shares for issue in self._make(share)]
