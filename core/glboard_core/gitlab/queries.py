"""The GraphQL documents that read issues.

Owns which fields are requested, and what they cost by GitLab's complexity rule (API note 1). Those that
change issues are in ``mutations.py``, those that ask for names in ``name_queries.py``. Documents are built
deterministically, so that tests can check each against the real schemas. Values are passed as variables,
never in the text.
"""

from __future__ import annotations

from functools import cache

from glboard_core.gitlab.dialect import LICENCE, MOST_COMPLEXITY, PAGE, Dialect, rights, widgets

# -- issues

_TITLES = "labels(first: 100) { nodes { title } }"
ASSIGNEES = "assignees(first: 100) { nodes { username } }"
MILESTONE_FIELDS = "id title startDate dueDate state webPath"

#: How the whole of a list of an issue is asked for, where the card's page of it is full.
_LISTS = {"labels": "id title color", "assignees": "id username name"}

#: The maximum cost of one ``issue(id:)`` with all fields of a card.
CARD_COST = 38


@cache
def card(dialect: Dialect, *, named: bool = False) -> str:
    """The fields of a card, as a fragment; ``named``: also who and what its labels and milestone are."""
    labels, assignees, milestone = _TITLES, ASSIGNEES, "title"
    if named:
        labels = "labels(first: 100) { nodes { id title color } }"
        assignees = "assignees(first: 100) { nodes { id username name } }"
        milestone = MILESTONE_FIELDS
    extra = ""
    if dialect.ee:
        extra += " weight blocked healthStatus"
    if dialect.status:
        extra += " status { name }"
    return (
        "fragment Card on Issue { id iid title state confidential createdAt updatedAt closedAt dueDate webUrl"
        " relativePosition mergeRequestsCount userNotesCount reference(full: true) updatedBy { username }"
        f" closedAsDuplicateOf {{ id }} moved movedTo {{ id }} milestone {{ {milestone} }}"
        f" {assignees} {labels}{extra} }}"
    )


def _filters(dialect: Dialect, n: str = "") -> str:
    kinds = f" $kinds{n}: [WorkItemsTypeID!]," if dialect.by_kind else ""
    return kinds + (
        f"$labels{n}: [String], $milestone{n}: [String], $wild{n}: MilestoneWildcardId,"
        f" $state{n}: IssuableState, $updatedAfter{n}: Time, $closedAfter{n}: Time,"
        f" $createdAfter{n}: Time, $createdBefore{n}: Time, $iids{n}: [String!],"
        f" $not{n}: NegatedIssueFilterInput"
    )


def _arguments(dialect: Dialect, n: str = "") -> str:
    # GitLab's boards show issues and incidents; tasks and the like belong to their parents.
    kinds = f"workItemTypeIds: $kinds{n}" if dialect.by_kind else "types: [ISSUE, INCIDENT]"
    return (
        f"includeSubgroups: true, {kinds}, labelName: $labels{n},"
        f" milestoneTitle: $milestone{n}, milestoneWildcardId: $wild{n}, state: $state{n},"
        f" updatedAfter: $updatedAfter{n}, closedAfter: $closedAfter{n},"
        f" createdAfter: $createdAfter{n}, createdBefore: $createdBefore{n}, iids: $iids{n}, not: $not{n}"
    )


PAGE_INFO = "pageInfo { hasNextPage endCursor }"


@cache
def issues(dialect: Dialect) -> str:
    """A page of the group's issues. Variables: group, first, after, and any of the filters."""
    return (
        f"query Issues($group: ID!, $first: Int, $after: String, $sort: IssueSort, {_filters(dialect)})"
        f" {{ group(fullPath: $group) {{{LICENCE[dialect.licence]}"
        f" issues({_arguments(dialect)}, sort: $sort, first: $first, after: $after)"
        f" {{ {PAGE_INFO} nodes {{ ...Card }} }} }} }} {card(dialect, named=True)}"
    )


#: Number of filters per ``counts`` document: each takes the server a while.
COUNTS_EACH = 8


@cache
def counts(dialect: Dialect, count: int) -> str:
    """The number of issues for each of ``count`` filters, as q0, q1… Variables: group, labels0, labels1…"""
    names = [str(n) for n in range(count)]
    return (
        f"query Counts($group: ID!, {', '.join(_filters(dialect, n) for n in names)})"
        f" {{ group(fullPath: $group)"
        f" {{ {' '.join(f'q{n}: issues({_arguments(dialect, n)}) {{ count }}' for n in names)} }} }}"
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


@cache
def listed(name: str) -> str:
    """A page of an issue's ``labels`` or ``assignees``. Variables: id, first, after."""
    return (
        f"query Listed($id: IssueID!, $first: Int, $after: String) {{ issue(id: $id) {{ id"
        f" {name}(first: $first, after: $after) {{ {PAGE_INFO} nodes {{ {_LISTS[name]} }} }} }} }}"
    )


#: How many issues of one project a ``find`` document asks for: few sizes, so that few documents are built.
_SIZES = (1, 5, 20, 50, PAGE)


def size_for(count: int) -> int:
    """The page size to ask for ``count`` issues, at most a page."""
    return next(size for size in _SIZES if size >= min(count, PAGE))


#: The cost of asking who we are in a ``find`` document.
WHO_COST = 5


def find_cost(size: int) -> int:
    """The cost of ``size`` issues of one project in a ``find`` document."""
    return 2 + (CARD_COST + 1) * (100 + size) // 100


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


@cache
def find(dialect: Dialect, sizes: tuple[int, ...]) -> str:
    """Issues by number, as many as ``sizes`` of each project, as p0, p1… Variables: p0, n0, p1, n1…"""
    names = ", ".join(f"$p{n}: ID!, $n{n}: [String!]" for n in range(len(sizes)))
    parts = " ".join(
        f"p{n}: project(fullPath: $p{n}) {{ issues(iids: $n{n}, first: {size}) {{ nodes {{ ...Card }} }} }}"
        for n, size in enumerate(sizes)
    )
    who = "currentUser { id username name }"
    return f"query Find({names}) {{ {who} {parts} }} {card(dialect)}"


@cache
def recent(dialect: Dialect) -> str:
    """A page of a project's newest issues with descriptions. Variables: path, created, first, after."""
    return (
        "query Recent($path: ID!, $created: Time, $first: Int, $after: String) { project(fullPath: $path)"
        " { issues(createdAfter: $created, sort: CREATED_DESC, first: $first, after: $after)"
        f" {{ {PAGE_INFO} nodes {{ ...Card description }} }} }} }} {card(dialect)}"
    )


#: Tells that an issue changed. What changed is read with all fields of a card, so nothing else is selected.
#: Variables: id (of its work item).
ISSUE_CHANGED = "subscription IssueChanged($id: WorkItemID!) { workItemUpdated(workItemId: $id) { id } }"

#: How many of the merge requests that close an issue are asked for, and for how many issues at once.
CLOSING, CLOSING_EACH = 10, PAGE


@cache
def closing_merge_requests(sizes: tuple[int, ...], *, approvals: bool = False) -> str:
    """The merge requests that close issues, by number, as p0, p1… (18.0 and later). Variables: p0, n0, p1…

    ``approvals`` (EE): also how many each needs and lacks, which takes the server a while.
    """
    names = ", ".join(f"$p{n}: ID!, $n{n}: [String!]" for n in range(len(sizes)))
    more = " approvalsRequired approvalsLeft" if approvals else ""
    request = f"mergeRequest {{ reference(full: true) title state draft headPipeline {{ status }}{more} }}"
    fields = (
        "id widgets(onlyTypes: [DEVELOPMENT]) { ... on WorkItemWidgetDevelopment"
        f" {{ closingMergeRequests(first: {CLOSING}) {{ {PAGE_INFO} nodes {{ {request} }} }} }} }}"
    )
    parts = " ".join(
        f"p{n}: project(fullPath: $p{n})"
        f" {{ workItems(iids: $n{n}, first: {size}) {{ nodes {{ {fields} }} }} }}"
        for n, size in enumerate(sizes)
    )
    return f"query ClosingMergeRequests({names}) {{ {parts} }}"


def closing_cost(size: int) -> int:
    """The cost of ``size`` issues of one project in such a document: the connection alone costs ten."""
    return 2 + 40 * (100 + size) // 100


#: A page of comments, starting at the end. Variables: id, last, before.
LAST_NOTES = (
    "query LastNotes($id: IssueID!, $last: Int, $before: String) { issue(id: $id) { id"
    " notes(filter: ONLY_COMMENTS, last: $last, before: $before)"
    " { pageInfo { hasPreviousPage startCursor } nodes { id body createdAt author { username } } } } }"
)


#: Of how many issues the last comments' authors are asked for at once, and of how many comments of each.
COMMENTERS_EACH, COMMENTERS = 20, 5


@cache
def commenters(count: int) -> str:
    """Who wrote the last comments on ``count`` issues, as i0, i1… Variables: i0, i1…"""
    names = range(count)
    page = f"notes(filter: ONLY_COMMENTS, last: {COMMENTERS}) {{ nodes {{ author {{ username }} }} }}"
    return (
        f"query Commenters({', '.join(f'$i{n}: IssueID!' for n in names)})"
        f" {{ {' '.join(f'i{n}: issue(id: $i{n}) {{ {page} }}' for n in names)} }}"
    )


#: Links that come with the rest of the open issue, and of a page of them: GitLab allows a hundred of a kind.
LINKS = 100
BLOCKER_FIELDS = "id reference(full: true) title state confidential"

#: A page of what blocks an issue (EE): all that a fine-grained token may read. Variables: id, first, after.
BLOCKED_BY = (
    "query BlockedBy($id: IssueID!, $first: Int, $after: String) { issue(id: $id) { id"
    f" blockedByIssues(first: $first, after: $after) {{ {PAGE_INFO} nodes {{ {BLOCKER_FIELDS} }} }} }} }}"
)


def _linked_items(page: str, dialect: Dialect) -> str:
    nodes = f"{PAGE_INFO} nodes {{ linkType workItem {{ {BLOCKER_FIELDS} }} }}"
    return (
        f"id {widgets('LINKED_ITEMS', dialect)} {{ ... on WorkItemWidgetLinkedItems"
        f" {{ linkedItems({page}) {{ {nodes} }} }} }}"
    )


@cache
def linked(dialect: Dialect) -> str:
    """A page of the issues linked to an issue. Variables: id, first, after."""
    return (
        "query Linked($id: WorkItemID!, $first: Int, $after: String) { workItem(id: $id)"
        f" {{ {_linked_items('first: $first, after: $after', dialect)} }} }}"
    )


@cache
def detail(dialect: Dialect) -> str:
    """Description, a page of notes, starting at the end, and links, if ``whole``.

    Variables: id, item, first, before, whole.
    """
    links = (
        f" workItem(id: $item) @include(if: $whole) {{ {_linked_items(f'first: {LINKS}', dialect)} }}"
        if dialect.rights
        else ""
    )
    item = " $item: WorkItemID!, $whole: Boolean!," if dialect.rights else ""
    thread = " discussion { id resolved }" if dialect.rights else ""
    return (
        f"query Detail($id: IssueID!,{item} $first: Int, $before: String)"
        " { issue(id: $id) { id description"
        " notes(filter: ALL_NOTES, last: $first, before: $before)"
        " { pageInfo { hasPreviousPage startCursor }"
        f" nodes {{ id body createdAt system author {{ username }}{thread} }} }} }}{links} }}"
    )


@cache
def place(dialect: Dialect) -> str:
    """A project as it is now, with what one may do there. Variables: path."""
    leaving = " markedForDeletionOn" if dialect.modern else ""
    return (
        "query Place($path: ID!) { project(fullPath: $path)"
        f" {{ fullPath archived{leaving}{rights(dialect)} }} }}"
    )


#: A milestone as it is now. Variables: id.
MILESTONE = "query Milestone($id: MilestoneID!) { milestone(id: $id) { title state } }"

#: People as they are called now. Variables: ids.
PEOPLE = "query People($ids: [ID!]) { users(ids: $ids, first: 100) { nodes { id username name } } }"

# -- the manual order

#: Reading a list gives its issues a position, in order. One board at a time, of its lists the issues with
#: these numbers. Variables: group, iids, after.
PLACES = (
    "query Places($group: ID!, $iids: [String!], $after: String) { group(fullPath: $group)"
    f" {{ boards(first: 1, after: $after) {{ {PAGE_INFO} nodes {{ id lists(first: 50) {{ nodes"
    " { issues(first: 100, filters: { iids: $iids }) { nodes { id relativePosition } } } } } } } }"
)
#: An issue that has a position, if there is one. Variables: group.
FIRST_PLACED = (
    "query FirstPlaced($group: ID!) { group(fullPath: $group) { issues(includeSubgroups: true,"
    " sort: RELATIVE_POSITION_ASC, first: 1) { nodes { id relativePosition } } } }"
)

#: What to request back for each field that an Op changes, and its maximum cost.
TOUCHED: dict[str, tuple[str, int]] = {
    # With ids, by which a label that was renamed meanwhile is known.
    "labels": ("labels(first: 100) { nodes { id title } }", 8),
    "assignees": (ASSIGNEES, 5),
    "weight": ("weight", 1),
    "milestone": ("milestone { id title }", 3),
    "state": ("state closedAt", 2),
    "status": ("status { name }", 2),
    "title": ("title", 1),
    "description": ("description", 1),
    "confidential": ("confidential", 1),
    "health_status": ("healthStatus", 1),
    "rank": ("relativePosition", 1),
}
