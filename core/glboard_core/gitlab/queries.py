"""All GraphQL documents that are sent.

Owns which fields are requested, and what they cost by GitLab's complexity rule (API note 1). Documents
are built deterministically, so that tests can check each against the real schemas. Values are passed as
variables, never in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import ceil
from typing import Literal

from msgspec import Struct

from glboard_core.model.catalog import Server

#: GitLab's limits are 250 (signed in) and 10,000; the margin covers what our estimate misses.
MOST_COMPLEXITY = 200
MOST_CHARACTERS = 9_000
PAGE = 100


class Dialect(Struct, frozen=True, kw_only=True):
    """Which fields a server has: ``ee`` weight and blocked, ``status`` work item statuses, ``modern`` 18+.

    ``titles``: labels can be asked for by their exact title. ``licence``: the field of a group that only a
    licence answers, since without one GitLab has the fields of ``ee`` and ``status``, and all are null; "" in
    the Community Edition. ``kinds``: how the types of work items that boards show are found (19.0 and later,
    which have types of one's own); ``by_kind``: issues are asked by the ids of these. ``rights``: what one$
    may do in a project can be asked.
    """

    ee: bool = True
    status: bool = False
    modern: bool = False
    titles: bool = False
    licence: Literal["", "epicsEnabled", "lifecycles"] = ""
    kinds: Literal["", "named", "board"] = ""
    by_kind: bool = False
    rights: bool = True


def dialect_of(server: Server) -> Dialect:
    """The dialect for a server's version and edition."""
    ee = server.enterprise
    modern, statuses = server.release >= (18, 0), server.release >= (18, 5)
    return Dialect(
        ee=ee,
        status=ee and statuses and not server.fine_grained,
        modern=modern,
        titles=modern,
        licence="" if not ee else "lifecycles" if statuses else "epicsEnabled",
        # A fine-grained token may not read types; nor rights, which would take the project along.
        kinds="board" if server.release >= (19, 0) and not server.fine_grained else "",
        rights=not server.fine_grained,
    )


#: What is assumed of a server before it has answered; a refusal tells better.
NEWEST = Dialect(ee=True, status=True, modern=True, titles=True, licence="lifecycles")

#: How a group is asked for its licence: both need the one that weights, blocked issues and statuses need.
_LICENCE = {
    "": "",
    "epicsEnabled": " epicsEnabled",
    "lifecycles": " lifecycles(first: 1) { nodes { id } }",
}
#: How a group is asked for its types of work items.
_KINDS = {
    "": "",
    "named": " workItemTypes(first: 50) { nodes { id name } }",
    "board": " workItemTypes(first: 50) { nodes { id name isFilterableBoardView } }",
}


# -- issues

_TITLES = "labels(first: 100) { nodes { title } }"
_ASSIGNEES = "assignees(first: 100) { nodes { username } }"
_MILESTONE = "id title startDate dueDate state webPath"

#: How the whole of a list of an issue is asked for, where the card's page of it is full.
_LISTS = {"labels": "id title color", "assignees": "id username name"}

#: The maximum cost of one ``issue(id:)`` and one ``createIssue`` with all fields of a card; of a card with
#: names.
CARD_COST, NAMED_COST = 38, 48
CREATE_COST = 52


@cache
def card(dialect: Dialect, *, named: bool = False) -> str:
    """The fields of a card, as a fragment; ``named``: also who and what its labels and milestone are."""
    labels, assignees, milestone = _TITLES, _ASSIGNEES, "title"
    if named:
        labels = "labels(first: 100) { nodes { id title color } }"
        assignees = "assignees(first: 100) { nodes { id username name } }"
        milestone = _MILESTONE
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


_PAGE_INFO = "pageInfo { hasNextPage endCursor }"


@cache
def issues(dialect: Dialect) -> str:
    """A page of the group's issues. Variables: group, first, after, and any of the filters."""
    return (
        f"query Issues($group: ID!, $first: Int, $after: String, $sort: IssueSort, {_filters(dialect)})"
        f" {{ group(fullPath: $group) {{{_LICENCE[dialect.licence]}"
        f" issues({_arguments(dialect)}, sort: $sort, first: $first, after: $after)"
        f" {{ {_PAGE_INFO} nodes {{ ...Card }} }} }} }} {card(dialect, named=True)}"
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


@cache
def kinds(dialect: Dialect) -> str:
    """The types of work items of a group. Variables: group."""
    return f"query Kinds($group: ID!) {{ group(fullPath: $group) {{ fullPath{_KINDS[dialect.kinds]} }} }}"


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
        f" {name}(first: $first, after: $after) {{ {_PAGE_INFO} nodes {{ {_LISTS[name]} }} }} }} }}"
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
    return 2 + (NAMED_COST + 1) * (100 + size) // 100


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
    """Issues by number, as many as ``sizes`` of each project, as p0, p1… Variables: p0, n0, p1, n1…

    With the ids of what is on them, which tell of a rename: a person changes them by names just typed.
    """
    names = ", ".join(f"$p{n}: ID!, $n{n}: [String!]" for n in range(len(sizes)))
    parts = " ".join(
        f"p{n}: project(fullPath: $p{n}) {{ issues(iids: $n{n}, first: {size}) {{ nodes {{ ...Card }} }} }}"
        for n, size in enumerate(sizes)
    )
    who = "currentUser { id username name }"
    return f"query Find({names}) {{ {who} {parts} }} {card(dialect, named=True)}"


@cache
def recent(dialect: Dialect) -> str:
    """A page of a project's newest issues with descriptions. Variables: path, created, first, after."""
    return (
        "query Recent($path: ID!, $created: Time, $first: Int, $after: String) { project(fullPath: $path)"
        " { issues(createdAfter: $created, sort: CREATED_DESC, first: $first, after: $after)"
        f" {{ {_PAGE_INFO} nodes {{ ...Card description }} }} }} }} {card(dialect)}"
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
        f" {{ closingMergeRequests(first: {CLOSING}) {{ {_PAGE_INFO} nodes {{ {request} }} }} }} }}"
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
_BLOCKER = "id reference(full: true) title state confidential"

#: A page of what blocks an issue (EE): all that a fine-grained token may read. Variables: id, first, after.
BLOCKED_BY = (
    "query BlockedBy($id: IssueID!, $first: Int, $after: String) { issue(id: $id) { id"
    f" blockedByIssues(first: $first, after: $after) {{ {_PAGE_INFO} nodes {{ {_BLOCKER} }} }} }} }}"
)


def _widgets(kind: str, dialect: Dialect) -> str:
    return f"widgets(onlyTypes: [{kind}])" if dialect.modern else "widgets"


def _linked_items(page: str, dialect: Dialect) -> str:
    nodes = f"{_PAGE_INFO} nodes {{ linkType workItem {{ {_BLOCKER} }} }}"
    return (
        f"id {_widgets('LINKED_ITEMS', dialect)} {{ ... on WorkItemWidgetLinkedItems"
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
        f" {{ fullPath archived{leaving}{_rights(dialect)} }} }}"
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
    f" {{ boards(first: 1, after: $after) {{ {_PAGE_INFO} nodes {{ id lists(first: 50) {{ nodes"
    " { issues(first: 100, filters: { iids: $iids }) { nodes { id relativePosition } } } } } } } }"
)
#: An issue that has a position, if there is one. Variables: group.
FIRST_PLACED = (
    "query FirstPlaced($group: ID!) { group(fullPath: $group) { issues(includeSubgroups: true,"
    " sort: RELATIVE_POSITION_ASC, first: 1) { nodes { id relativePosition } } } }"
)

# -- what the server offers

#: Version, edition and user.
ABOUT = "query About { metadata { version enterprise } currentUser { id username name } }"


#: What is at the path of a group that was not found. Variables: path, names (the path).
INSTEAD = (
    "query Instead($path: ID!, $names: [String!]) { project(fullPath: $path) { fullPath group { fullPath } }"
    " users(usernames: $names, first: 1) { nodes { username } } }"
)


class Field(Struct, frozen=True, kw_only=True):
    """A field that asks by name. ``value`` is the type of its variable, ``cost`` its score."""

    text: str
    value: str
    cost: int


def _connection(field: str, nodes: str, first: int, count: int) -> tuple[str, int]:
    """A connection with the first of ``nodes`` (``count`` fields); a whole page tells if there are more."""
    more, extra = (f"{_PAGE_INFO} ", 3) if first == PAGE else ("", 0)
    cost = ceil((count + 2 + extra) * (1 + first / 100))
    return f"{field}, first: {first}) {{ {more}nodes {{ {nodes} }} }}", cost


def _labels(which: str, first: int = 5) -> Field:
    text, cost = _connection(
        f"labels({which}, includeAncestorGroups: true", "id title color description", first, 4
    )
    return Field(text=text, value="String", cost=cost)


def _milestones(which: str, value: str, first: int = 5, *, below: bool = False) -> Field:
    descendants = ", includeDescendants: true" if below else ""
    text, cost = _connection(f"milestones({which}, includeAncestors: true{descendants}", _MILESTONE, first, 6)
    return Field(text=text, value=value, cost=cost)


_PROJECT = "id fullPath archived"
#: Not those of the projects below: their ids are valid in one project only.
_OWN = "onlyGroupLabels: true"

#: What can be asked for, as (of what, by what). Each has one variable, $v.
NAMED: dict[tuple[str, str], Field] = {
    ("group", "label"): _labels(f"title: $v, {_OWN}"),
    ("group", "family"): _labels(f"searchTerm: $v, {_OWN}", 100),
    ("group", "label below"): _labels("title: $v, includeDescendantGroups: true", 20),
    ("group", "family below"): _labels("searchTerm: $v, includeDescendantGroups: true", 100),
    ("group", "label near"): _labels(f"searchTerm: $v, {_OWN}", 20),
    ("group", "milestone"): _milestones("title: $v", "String"),
    ("group", "milestone below"): _milestones("title: $v", "String", 20, below=True),
    ("group", "milestones"): _milestones("ids: $v", "[ID!]", 100, below=True),
    ("group", "dated"): _milestones("timeframe: $v", "Timeframe", 100),
    ("group", "milestone near"): _milestones("searchTitle: $v", "String", 20, below=True),
    ("group", "project"): Field(
        text=f"projects(search: $v, includeSubgroups: true, first: 50) {{ nodes {{ {_PROJECT} }} }}",
        value="String",
        cost=20,
    ),
    ("project", "label"): _labels("title: $v"),
    ("project", "family"): _labels("searchTerm: $v", 100),
    ("project", "milestone"): _milestones("title: $v", "String"),
    ("group", "people near"): Field(
        text="groupMembers(search: $v, relations: [DIRECT, INHERITED], first: 20)"
        " { nodes { user { id username name } } }",
        value="String",
        cost=14,
    ),
    ("", "people ids"): Field(
        text="users(ids: $v, first: 100) { nodes { id username name } }", value="[ID!]", cost=10
    ),
    ("", "projects"): Field(
        text=f"projects(ids: $v, first: 100) {{ nodes {{ {_PROJECT} }} }}", value="[ID!]", cost=10
    ),
    ("", "people"): Field(
        text="users(usernames: $v, first: 100) { nodes { id username name } }", value="[String!]", cost=10
    ),
}
#: On servers that cannot ask labels by their exact title: those whose title or description contains it.
_BY_TERM = {
    ("group", "label"): _labels(f"searchTerm: $v, {_OWN}", 100),
    ("group", "label below"): _labels("searchTerm: $v, includeDescendantGroups: true", 100),
    ("project", "label"): _labels("searchTerm: $v", 100),
}
#: The cost of a group or project itself, and of the server and the user.
PLACE_COST, ABOUT_COST = 7, 14
#: How many usernames or projects one field asks for.
NAMES_EACH, PROJECTS_EACH = 100, 50


def named(of: str, by: str, dialect: Dialect) -> Field:
    """The field that asks for something by name, in the server's dialect."""
    return (not dialect.titles and _BY_TERM.get((of, by))) or NAMED[of, by]


class NamedField(Struct, frozen=True, kw_only=True):
    """One thing to ask for: ``by`` a value, ``of`` the server (""), a group or a project with a path."""

    of: str
    by: str
    value: object
    path: str = ""


def names(
    asked: Sequence[NamedField], dialect: Dialect, group: str, *, about: bool = False
) -> tuple[str, dict[str, object]]:
    """The document that asks for all of ``asked``, as f0, f1…, and its variables.

    Groups and projects are g0, g1…, p0, p1… in order of appearance. ``about``: also server and user, and
    the group itself.
    """
    variables: dict[str, object] = {}
    declared: list[str] = []
    fields: dict[tuple[str, str], list[str]] = {("group", group): []} if about else {}
    for n, one in enumerate(asked):
        field = named(one.of, one.by, dialect)
        declared.append(f"$f{n}: {field.value}")
        variables[f"f{n}"] = one.value
        fields.setdefault((one.of, one.path), []).append(f"f{n}: {field.text.replace('$v', f'$f{n}')}")
    parts = ["metadata { version enterprise } currentUser { id username name }"] if about else []
    for (of, path), texts in fields.items():
        if not of:
            parts += texts
            continue
        alias = f"{of[0]}{sum(name.startswith(of[0]) and name[1:].isdigit() for name in variables)}"
        declared.append(f"${alias}: ID!")
        variables[alias] = path
        own = f"{_PROJECT}{_rights(dialect)}" if of == "project" else "id fullPath"
        if about and path == group:
            own += f" boards(first: 1) {{ nodes {{ id }} }}{_LICENCE[dialect.licence]}"
        parts.append(f"{alias}: {of}(fullPath: ${alias}) {{ {' '.join([own, *texts])} }}")
    name = "Meta" if about else "Names"
    return f"query {name}({', '.join(declared)}) {{ {' '.join(parts)} }}", variables


def _rights(dialect: Dialect) -> str:
    permission = "adminIssue" if dialect.modern else "createLabel"
    return f" userPermissions {{ mayEdit: {permission} }}" if dialect.rights else ""


@cache
def projects(dialect: Dialect) -> str:
    """Projects by full path, with what we may do there. Variables: paths, first."""
    return (
        "query Projects($paths: [String!], $first: Int) { projects(fullPaths: $paths, first: $first)"
        f" {{ nodes {{ {_PROJECT}{_rights(dialect)} }} }} }}"
    )


@cache
def roles(dialect: Dialect, *, named: bool) -> str:
    """Our role in a page of projects: those of a group, or the ``named``. Variables: path, or paths."""
    level = " maxAccessLevel { integerValue }" if dialect.modern else ""
    fields = f"pageInfo {{ hasNextPage }} nodes {{ fullPath archived{level} {_rights(dialect)} }}"
    if named:
        return f"query Roles($paths: [String!]) {{ projects(fullPaths: $paths, first: 100) {{ {fields} }} }}"
    return (
        "query Roles($path: ID!) { group(fullPath: $path)"
        f" {{ projects(includeSubgroups: true, first: 100) {{ {fields} }} }} }}"
    )


#: Rows of one answer to a search: as many as a picker shows at once.
SEARCHED = 20


def _searched(place: str, name: str, field: str, variables: str = "$path: ID!, $text: String!") -> str:
    return f"query Search{name}({variables}) {{ place: {place}(fullPath: $path) {{ {field} }} }}"


@cache
def search_labels(dialect: Dialect, place: str) -> str:
    """The labels available in a ``group`` or ``project`` by title. Variables: path, text.

    Before 18.0, descriptions are searched as well.
    """
    only = "onlyGroupLabels: true, " if place == "group" else ""
    where = ", searchIn: [TITLE]" if dialect.modern else ""
    arguments = f"includeAncestorGroups: true, {only}searchTerm: $text{where}, first: {SEARCHED}"
    return _searched(
        place, "Labels", f"labels({arguments}) {{ {_PAGE_INFO} nodes {{ id title color description }} }}"
    )


@cache
def search_milestones(place: str) -> str:
    """The active milestones available in a ``group`` or ``project`` by title. Variables: path, text.

    Closed ones cannot be set: GitLab would ignore them silently.
    """
    arguments = (
        "includeAncestors: true, state: active, searchTitle: $text, sort: EXPIRED_LAST_DUE_DATE_ASC,"
        f" first: {SEARCHED}"
    )
    return _searched(
        place, "Milestones", f"milestones({arguments}) {{ {_PAGE_INFO} nodes {{ {_MILESTONE} }} }}"
    )


@cache
def search_people(place: str) -> str:
    """People who can be assigned in a ``group`` or ``project``, at most 20. Variables: path, text."""
    return _searched(place, "People", "autocompleteUsers(search: $text) { id username name }")


@cache
def search_projects(dialect: Dialect) -> str:
    """The projects of a group and its subgroups by path or name. Variables: path, text."""
    arguments = f"includeSubgroups: true, search: $text, sort: SIMILARITY, first: {SEARCHED}"
    nodes = f"{_PAGE_INFO} nodes {{ {_PROJECT}{_rights(dialect)} }}"
    return _searched("group", "Projects", f"projects({arguments}) {{ {nodes} }}")


@cache
def search_issues(place: str) -> str:
    """The issues of a ``group`` and its subgroups by title, the last updated first. Variables: path, text."""
    arguments = (
        "includeSubgroups: true, types: [ISSUE, INCIDENT], search: $text, in: [TITLE], sort: UPDATED_DESC,"
        f" first: {SEARCHED}"
    )
    return _searched(place, "Issues", f"issues({arguments}) {{ {_PAGE_INFO} nodes {{ {_BLOCKER} }} }}")


#: The statuses that issues of a group can have, and those of the group at the top (18.5 and later, EE).
#: Variables: group, root.
STATUSES = (
    "query Statuses($group: ID!, $root: ID!) {"
    " group(fullPath: $group) { statuses(first: 100) { nodes { id name } } }"
    " root: group(fullPath: $root) { statuses(first: 100) { nodes { id name } } } }"
)


# -- changes

#: What to request back for each field that an Op changes, and its maximum cost.
TOUCHED: dict[str, tuple[str, int]] = {
    # With ids, by which a label that was renamed meanwhile is known.
    "labels": ("labels(first: 100) { nodes { id title } }", 8),
    # With ids, by which a person who was renamed meanwhile is known.
    "assignees": ("assignees(first: 100) { nodes { id username } }", 6),
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
STATUS_BACK = (
    "workItem { id updatedAt state closedAt"
    " widgets(onlyTypes: [STATUS]) { ... on WorkItemWidgetStatus { status { name } } } }"
)


@cache
def links_back(dialect: Dialect) -> str:
    """The payload to request from a mutation of links: what is linked then, whatever it says of errors."""
    blocked = "blocked " if dialect.ee else ""
    return (
        f"errors workItem {{ id updatedAt {_widgets('LINKED_ITEMS', dialect)}"
        f" {{ ... on WorkItemWidgetLinkedItems {{ {blocked}linkedItems(first: {LINKS})"
        " { pageInfo { hasNextPage } nodes { linkType workItem { id } } } } } }"
    )


#: The maximum cost of a mutation of links.
LINK_COST = 30


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
    def text(self) -> str | None:
        """The description or comment it writes, if any."""
        found = self.input.get("description", self.input.get("body"))
        return found if isinstance(found, str) else None

    @property
    def input_type(self) -> str:
        """GitLab's name for the type of its input."""
        return f"{self.field[0].upper()}{self.field[1:]}Input"


def mutation(calls: tuple[Mutation, ...], dialect: Dialect) -> tuple[str, dict[str, object]]:
    """The document with these calls in order, as m0, m1…, and its variables."""
    names = ", ".join(f"$i{n}: {call.input_type}!" for n, call in enumerate(calls))
    fields = " ".join(f"m{n}: {call.field}(input: $i{n}) {{ {call.back} }}" for n, call in enumerate(calls))
    # With the ids of what a new issue was given, since that can be called otherwise now.
    cards = f" {card(dialect, named=True)}" if any(call.card for call in calls) else ""
    return f"mutation Send({names}) {{ {fields} }}{cards}", {f"i{n}": c.input for n, c in enumerate(calls)}
