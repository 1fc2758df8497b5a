"""All GraphQL documents that are sent.

Owns which fields are requested, and what they cost by GitLab's complexity rule (API note 1). Documents
are built deterministically, so that tests can check each against the real schemas. Values are passed as
variables, never in the text.
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from glboard_core.model.catalog import Server

#: GitLab's limits are 250 (signed in) and 10,000; the margin covers what our estimate misses.
MOST_COMPLEXITY = 200
MOST_CHARACTERS = 9_000
PAGE = 100


class Dialect(Struct, frozen=True, kw_only=True):
    """Which fields a server has: ``ee`` weight and blocked, ``status`` work item statuses, ``modern`` 18+."""

    ee: bool = True
    status: bool = False
    modern: bool = False


def dialect_of(server: Server) -> Dialect:
    """The dialect for a server's version and edition."""
    ee = server.enterprise and server.has_weight
    return Dialect(ee=ee, status=ee and server.release >= (18, 5), modern=server.release >= (18, 0))


# -- issues

_LABELS = "labels(first: 100) { nodes { title } }"
_ASSIGNEES = "assignees(first: 100) { nodes { username } }"

#: The maximum cost of one ``issue(id:)`` and one ``createIssue`` with all fields of a card.
CARD_COST = 37
CREATE_COST = 39


@cache
def card(dialect: Dialect) -> str:
    """The fields of a card, as a fragment."""
    extra = ""
    if dialect.ee:
        extra += " weight blocked"
    if dialect.status:
        extra += " status { name }"
    return (
        "fragment Card on Issue { id iid title state confidential createdAt updatedAt closedAt dueDate webUrl"
        " relativePosition mergeRequestsCount userNotesCount reference(full: true) updatedBy { username }"
        " closedAsDuplicateOf { id } moved movedTo { id }"
        f" milestone {{ title }} {_ASSIGNEES} {_LABELS}{extra} }}"
    )


def _filters(n: str = "") -> str:
    return (
        f"$labels{n}: [String], $milestone{n}: [String], $wild{n}: MilestoneWildcardId,"
        f" $state{n}: IssuableState, $updatedAfter{n}: Time, $closedAfter{n}: Time,"
        f" $not{n}: NegatedIssueFilterInput"
    )


def _arguments(n: str = "") -> str:
    # GitLab's boards show issues and incidents; tasks and the like belong to their parents.
    return (
        f"includeSubgroups: true, types: [ISSUE, INCIDENT], labelName: $labels{n},"
        f" milestoneTitle: $milestone{n}, milestoneWildcardId: $wild{n}, state: $state{n},"
        f" updatedAfter: $updatedAfter{n}, closedAfter: $closedAfter{n}, not: $not{n}"
    )


_PAGE_INFO = "pageInfo { hasNextPage endCursor }"


@cache
def issues(dialect: Dialect) -> str:
    """A page of the group's issues. Variables: group, first, after, and any of the filters."""
    return (
        f"query Issues($group: ID!, $first: Int, $after: String, $sort: IssueSort, {_filters()})"
        f" {{ group(fullPath: $group) {{ issues({_arguments()}, sort: $sort, first: $first, after: $after)"
        f" {{ {_PAGE_INFO} nodes {{ ...Card }} }} }} }} {card(dialect)}"
    )


@cache
def counts(count: int) -> str:
    """The number of issues for each of ``count`` filters, as q0, q1… Variables: group, labels0, labels1…"""
    names = [str(n) for n in range(count)]
    return (
        f"query Counts($group: ID!, {', '.join(map(_filters, names))}) {{ group(fullPath: $group)"
        f" {{ {' '.join(f'q{n}: issues({_arguments(n)}) {{ count }}' for n in names)} }} }}"
    )


#: A page of open issues as slim rows. Variables: group, labels, first, after.
PLACEMENTS = (
    "query Placements($group: ID!, $first: Int, $after: String, $labels: [String])"
    " { group(fullPath: $group) { issues(includeSubgroups: true, types: [ISSUE, INCIDENT],"
    " labelName: $labels, state: opened, sort: RELATIVE_POSITION_ASC, first: $first, after: $after)"
    f" {{ {_PAGE_INFO} nodes {{ id relativePosition updatedAt }} }} }} }}"
)

#: Number of issues per ``read`` document.
READ_EACH = MOST_COMPLEXITY // CARD_COST


@cache
def read(dialect: Dialect, count: int) -> str:
    """``count`` issues by id, as i0, i1… Variables: i0, i1…"""
    names = range(count)
    return (
        f"query Read({', '.join(f'$i{n}: IssueID!' for n in names)})"
        f" {{ {' '.join(f'i{n}: issue(id: $i{n}) {{ ...Card }}' for n in names)} }} {card(dialect)}"
    )


#: Number of issues per ``promoted`` document.
PROMOTED_EACH = 50


@cache
def promoted(count: int) -> str:
    """To which epics ``count`` issues were promoted (18.5 and later, EE), as w0, w1… Variables: w0, w1…"""
    names = range(count)
    return (
        f"query Promoted({', '.join(f'$w{n}: WorkItemID!' for n in names)})"
        f" {{ {' '.join(f'w{n}: workItem(id: $w{n}) {{ promotedToEpicUrl }}' for n in names)} }}"
    )


#: Number of issues per project, and of projects, per ``find`` document.
FIND_IIDS = 50
FIND_PROJECTS = 3


@cache
def find(dialect: Dialect, projects: int) -> str:
    """Issues by number in several projects, as p0, p1… Variables: p0, n0, p1, n1…"""
    names = ", ".join(f"$p{n}: ID!, $n{n}: [String!]" for n in range(projects))
    parts = " ".join(
        f"p{n}: project(fullPath: $p{n}) {{ issues(iids: $n{n}, first: {FIND_IIDS})"
        " { nodes { ...Card } } }"
        for n in range(projects)
    )
    return f"query Find({names}) {{ {parts} }} {card(dialect)}"


@cache
def recent(dialect: Dialect) -> str:
    """A page of a project's newest issues with descriptions. Variables: path, created, first, after."""
    return (
        "query Recent($path: ID!, $created: Time, $first: Int, $after: String) { project(fullPath: $path)"
        " { issues(createdAfter: $created, sort: CREATED_DESC, first: $first, after: $after)"
        f" {{ {_PAGE_INFO} nodes {{ ...Card description }} }} }} }} {card(dialect)}"
    )


#: A page of comments, starting at the end. Variables: id, last, before.
LAST_NOTES = (
    "query LastNotes($id: IssueID!, $last: Int, $before: String) { issue(id: $id) { id"
    " notes(filter: ONLY_COMMENTS, last: $last, before: $before)"
    " { pageInfo { hasPreviousPage startCursor } nodes { id body createdAt author { username } } } } }"
)


def detail(dialect: Dialect) -> str:
    """Description, blockers and a page of notes. Variables: id, first, after."""
    blockers = (
        " blockedByIssues(first: 20) { nodes { id reference(full: true) title state confidential } }"
        if dialect.ee
        else ""
    )
    return (
        "query Detail($id: IssueID!, $first: Int, $after: String)"
        f" {{ issue(id: $id) {{ id description{blockers}"
        " notes(filter: ALL_NOTES, first: $first, after: $after)"
        f" {{ {_PAGE_INFO} nodes {{ id body createdAt system author {{ username }} }} }} }} }}"
    )


# -- what the server offers

#: Version, edition and user.
ABOUT = "query About { metadata { version enterprise } currentUser { id username name } }"


_LABEL_NODES = f"{_PAGE_INFO} nodes {{ id title color description }}"
_MEMBER_NODES = f"{_PAGE_INFO} nodes {{ user {{ id username name }} }}"
_MILESTONE_NODES = f"{_PAGE_INFO} nodes {{ id title startDate dueDate state }}"

#: The cost of one group or project in ``owners``.
OWNER_COST = 38

#: The first pages of everything in a group's catalog, in one request. Variables: group, first.
CATALOG = (
    "query Meta($group: ID!, $first: Int) { metadata { version enterprise }"
    " currentUser { id username name }"
    " group(fullPath: $group) { id fullPath boards(first: 1) { nodes { id } }"
    " milestones(includeAncestors: true, includeDescendants: false, state: active, first: $first)"
    f" {{ {_MILESTONE_NODES} }}"
    f" labels(includeAncestorGroups: true, onlyGroupLabels: true, first: $first) {{ {_LABEL_NODES} }}"
    f" groupMembers(relations: [DIRECT, INHERITED], first: $first) {{ {_MEMBER_NODES} }} }} }}"
)


def _group_page(name: str, field: str, which: str, nodes: str, more: str = "") -> str:
    """The document with a page of a field of the group. Variables: group, first, after, and ``more``."""
    return (
        f"query {name}($group: ID!, $first: Int, $after: String{more}) {{ owner: group(fullPath: $group)"
        f" {{ {field}({which}, first: $first, after: $after) {{ {_PAGE_INFO} nodes {{ {nodes} }} }} }} }}"
    )


#: A page of the milestones of a group and its ancestors. Variables: also state, sort.
GROUP_MILESTONES = _group_page(
    "Milestones",
    "milestones",
    "includeAncestors: true, includeDescendants: false, state: $state, sort: $sort",
    "id title startDate dueDate state",
    ", $state: MilestoneStateEnum, $sort: MilestoneSort",
)
#: A page of the labels of a group and its ancestors.
GROUP_LABELS = _group_page(
    "Labels", "labels", "includeAncestorGroups: true, onlyGroupLabels: true", "id title color description"
)
#: A page of a group's members.
MEMBERS = _group_page(
    "Members", "groupMembers", "relations: [DIRECT, INHERITED]", "user { id username name }"
)
#: A page of the projects in a group and its subgroups.
PROJECTS = _group_page("Projects", "projects", "includeSubgroups: true", "id fullPath archived")

#: Number of groups and projects per ``owners`` document.
OWNERS_EACH = MOST_COMPLEXITY // OWNER_COST


@cache
def owners(dialect: Dialect, groups: int, projects: int) -> str:
    """What groups (g0, g1…) and projects (p0, p1…) own themselves. Variables: g0…, p0…"""
    permission = "adminIssue" if dialect.modern else "createLabel"
    label = f"first: 100) {{ {_PAGE_INFO} nodes {{ id title color }} }}"
    own = f"milestones(includeAncestors: false, first: 50) {{ {_MILESTONE_NODES} }}"
    parts = [
        f"g{n}: group(fullPath: $g{n}) {{ fullPath labels(onlyGroupLabels: true, {label} {own} }}"
        for n in range(groups)
    ]
    parts += [
        f"p{n}: project(fullPath: $p{n}) {{ id fullPath archived userPermissions {{ mayEdit: {permission} }}"
        f" labels({label} {own} }}"
        for n in range(projects)
    ]
    names = [f"$g{n}: ID!" for n in range(groups)] + [f"$p{n}: ID!" for n in range(projects)]
    return f"query Owners({', '.join(names)}) {{ {' '.join(parts)} }}"


def owned(kind: str, field: str) -> str:
    """A further page of the labels or milestones a group or project owns. Variables: path, first, after."""
    only = "onlyGroupLabels: true, " if kind == "group" else ""
    which, nodes = (
        (only, _LABEL_NODES) if field == "labels" else ("includeAncestors: false, ", _MILESTONE_NODES)
    )
    return (
        f"query Owned($path: ID!, $first: Int, $after: String) {{ owner: {kind}(fullPath: $path)"
        f" {{ {field}({which}first: $first, after: $after) {{ {nodes} }} }} }}"
    )


#: The statuses that issues of a group can have (18.5 and later, EE). Variables: group.
STATUSES = (
    "query Statuses($group: ID!) { group(fullPath: $group) { statuses(first: 100) { nodes { id name } } } }"
)


# -- changes

#: What to request back for each field that an Op changes, and its maximum cost.
TOUCHED: dict[str, tuple[str, int]] = {
    "labels": (_LABELS, 7),
    "assignees": (_ASSIGNEES, 5),
    "weight": ("weight", 1),
    "milestone": ("milestone { title }", 2),
    "state": ("state closedAt", 2),
    "title": ("title", 1),
    "description": ("description", 1),
    "rank": ("relativePosition", 1),
}
STATUS_BACK = (
    "workItem { id updatedAt state closedAt"
    " widgets(onlyTypes: [STATUS]) { ... on WorkItemWidgetStatus { status { name } } } }"
)


def issue_back(fields: tuple[str, ...]) -> tuple[str, int]:
    """The payload to request from a mutation that returns an issue, and the cost including the mutation."""
    extra = [TOUCHED[name] for name in fields]
    text = " ".join(("id updatedAt", *(part for part, _ in extra)))
    return f"errors issue {{ {text} }}", 5 + sum(cost for _, cost in extra)


class Mutation(Struct, frozen=True, kw_only=True):
    """One mutation of a document: its field, its input and the requested payload."""

    field: str
    input: dict[str, object]
    back: str
    cost: int
    #: Whether the payload contains the whole card.
    card: bool = False

    @property
    def input_type(self) -> str:
        """GitLab's name for the type of its input."""
        return f"{self.field[0].upper()}{self.field[1:]}Input"


def mutation(calls: tuple[Mutation, ...], dialect: Dialect) -> tuple[str, dict[str, object]]:
    """The document with these calls in order, as m0, m1…, and its variables."""
    names = ", ".join(f"$i{n}: {call.input_type}!" for n, call in enumerate(calls))
    fields = " ".join(f"m{n}: {call.field}(input: $i{n}) {{ {call.back} }}" for n, call in enumerate(calls))
    cards = f" {card(dialect)}" if any(call.card for call in calls) else ""
    return f"mutation Send({names}) {{ {fields} }}{cards}", {f"i{n}": c.input for n, c in enumerate(calls)}
