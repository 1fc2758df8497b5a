"""The GraphQL documents of the set-up: groups to choose from, and what one group has.

Few and wide, since a person waits: a group of 10,000 labels is searched for the names that matter, and is
never read page by page. Their cost by GitLab's rule is checked with those of ``gitlab.queries``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from glboard_core.gitlab.dialect import Dialect

_MORE = "pageInfo { hasNextPage }"
_MILESTONE = "id title startDate dueDate state webPath"
_LABEL = "id title color description"

#: Rows of an answer to a search for groups.
GROUPS = 30
#: Labels of a group that are read whatever their names are.
LABELS = 100
#: Issues whose labels are counted: the ones changed last, and our own twice, as assignee and as author.
RECENT, MINE = 100, 50
#: Boards that are offered, and lists of each.
BOARDS, LISTS = 20, 20


@cache
def groups(dialect: Dialect, *, path: bool) -> str:
    """The groups we are a member of, by name; with ``path`` also what is at that path.

    First those with a membership of one's own; from 18.0 on also those below them. Variables: text, path.
    """
    page = f"{{ {_MORE} nodes {{ fullPath name }} }}"
    mine = f"currentUser {{ groups(search: $text, first: {GROUPS}) {page} }}"
    if dialect.modern:
        mine += f" groups(search: $text, allAvailable: false, first: {GROUPS}) {page}"
    exact = " group(fullPath: $path) { fullPath name }" if path else ""
    exact += " project(fullPath: $path) { fullPath group { fullPath name } }" if path else ""
    projects = (
        "projects(membership: true, search: $text, searchNamespaces: true, first: 20)"
        " { nodes { fullPath group { fullPath name } } }"
    )
    declared = "$text: String, $path: ID!" if path else "$text: String"
    return f"query Groups({declared}) {{ {mine} {projects}{exact} }}"


@cache
def group(dialect: Dialect) -> str:
    """A group with labels and milestones, and the statuses of the group at its top.

    Variables: group, root, days.
    """
    labels = (
        f"labels(includeAncestorGroups: true, onlyGroupLabels: true, first: {LABELS})"
        f" {{ {_MORE} nodes {{ {_LABEL} }} }}"
    )
    dated = (
        "dated: milestones(timeframe: $days, includeAncestors: true, first: 100)"
        f" {{ nodes {{ {_MILESTONE} }} }}"
    )
    # Those that are over come last, those without dates before them.
    order = "state: active, sort: EXPIRED_LAST_DUE_DATE_ASC"
    active = (
        f"active: milestones({order}, includeAncestors: true, first: 100)"
        f" {{ {_MORE} nodes {{ {_MILESTONE} }} }}"
    )
    root = (
        " root: group(fullPath: $root) { statuses(first: 100) { nodes { name } } }" if dialect.status else ""
    )
    declared = "$group: ID!, $days: Timeframe" + (", $root: ID!" if dialect.status else "")
    return (
        f"query Group({declared}) {{ metadata {{ version enterprise }} currentUser {{ id username name }}"
        f" group(fullPath: $group) {{ fullPath name {labels} {dated} {active} }}{root} }}"
    )


@cache
def boards(dialect: Dialect) -> str:
    """The boards of a group with their lists. Variables: group."""
    scope = limits = ""
    if dialect.ee:
        scope = (
            " milestone { title } labels(first: 20) { nodes { title } } assignee { username } weight"
            " iteration { id }"
        )
        limits = " maxIssueCount maxIssueWeight milestone { title } assignee { username }"
    lists = f"lists(first: {LISTS}) {{ nodes {{ title listType label {{ title }}{limits} }} }}"
    return (
        f"query Boards($group: ID!) {{ group(fullPath: $group) {{ boards(first: {BOARDS})"
        f" {{ nodes {{ name{scope} {lists} }} }} }} }}"
    )


@cache
def used(dialect: Dialect) -> str:
    """The labels and statuses of the issues changed last, and of our own. Variables: group, me, names."""
    status = " status { name }" if dialect.status else ""
    fields = f"nodes {{ labels(first: 30) {{ nodes {{ id title color }} }}{status} }}"
    both = "includeSubgroups: true, types: [ISSUE, INCIDENT], sort: UPDATED_DESC"
    return (
        "query Used($group: ID!, $me: String, $names: [String!]) { group(fullPath: $group) {"
        f" recent: issues({both}, first: {RECENT}) {{ {fields} }}"
        f" assigned: issues({both}, assigneeUsernames: $names, first: {MINE}) {{ {fields} }}"
        f" written: issues({both}, authorUsername: $me, first: {MINE}) {{ {fields} }} }} }}"
    )


@cache
def searches(dialect: Dialect, labels: int, milestones: int) -> str:
    """Searches for so many words in the titles of labels and milestones: l0, l1…, m0, m1…

    Variables: group, l0, l1…, m0, m1…
    """
    where = ", searchIn: [TITLE]" if dialect.modern else ""
    names = [*(f"l{n}" for n in range(labels)), *(f"m{n}" for n in range(milestones))]
    found: Sequence[str] = [
        *(
            f"l{n}: labels(searchTerm: $l{n}{where}, includeAncestorGroups: true, onlyGroupLabels: true,"
            f" first: 50) {{ nodes {{ {_LABEL} }} }}"
            for n in range(labels)
        ),
        *(
            f"m{n}: milestones(searchTitle: $m{n}, state: active, includeAncestors: true, first: 20)"
            f" {{ nodes {{ {_MILESTONE} }} }}"
            for n in range(milestones)
        ),
    ]
    declared = ", ".join(f"${name}: String" for name in names)
    return f"query Searches($group: ID!, {declared}) {{ group(fullPath: $group) {{ {' '.join(found)} }} }}"
