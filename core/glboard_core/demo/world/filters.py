"""Filters of issues, as predicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from glboard_core.demo.world.records import Issue, Milestone

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
    status: str | None = None
    not_statuses: tuple[str, ...] = ()
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
        yield lambda issue: not issue.project.archived and issue.project.marked is None
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
    if wanted.status is not None:
        yield lambda issue: issue.status == wanted.status
    if wanted.not_statuses:
        yield lambda issue: issue.status not in wanted.not_statuses
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
