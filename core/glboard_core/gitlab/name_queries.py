"""The documents that ask for labels, milestones, people and projects: by name, by id or by a search."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import ceil

from msgspec import Struct

from glboard_core.gitlab.dialect import LICENCE, PAGE, Dialect, rights
from glboard_core.gitlab.queries import BLOCKER_FIELDS, MILESTONE_FIELDS, PAGE_INFO

#: How a group is asked for its types of work items.
_KINDS = {
    "": "",
    "named": " workItemTypes(first: 50) { nodes { id name } }",
    "board": " workItemTypes(first: 50) { nodes { id name isFilterableBoardView } }",
}


@cache
def kinds(dialect: Dialect) -> str:
    """The types of work items of a group. Variables: group."""
    return f"query Kinds($group: ID!) {{ group(fullPath: $group) {{ fullPath{_KINDS[dialect.kinds]} }} }}"


#: Version, edition and user.
ABOUT = "query About { metadata { version enterprise } currentUser { id username name } }"

#: What is at the path of a group that was not found. Variables: path, names (the path).
INSTEAD = (
    "query Instead($path: ID!, $names: [String!]) { project(fullPath: $path) { fullPath group { fullPath } }"
    " users(usernames: $names, first: 1) { nodes { username } }"
    " currentUser { groups(first: 100) { nodes { fullPath } } } }"
)


class Field(Struct, frozen=True, kw_only=True):
    """A field that asks by name. ``value`` is the type of its variable, ``cost`` its score."""

    text: str
    value: str
    cost: int


def _connection(field: str, nodes: str, first: int, count: int) -> tuple[str, int]:
    """A connection with the first of ``nodes`` (``count`` fields); a whole page tells if there are more."""
    more, extra = (f"{PAGE_INFO} ", 3) if first == PAGE else ("", 0)
    cost = ceil((count + 2 + extra) * (1 + first / 100))
    return f"{field}, first: {first}) {{ {more}nodes {{ {nodes} }} }}", cost


def _labels(which: str, first: int = 5) -> Field:
    text, cost = _connection(
        f"labels({which}, includeAncestorGroups: true", "id title color description", first, 4
    )
    return Field(text=text, value="String", cost=cost)


def _milestones(which: str, value: str, first: int = 5, *, below: bool = False) -> Field:
    descendants = ", includeDescendants: true" if below else ""
    text, cost = _connection(
        f"milestones({which}, includeAncestors: true{descendants}", MILESTONE_FIELDS, first, 6
    )
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
        own = f"{_PROJECT}{rights(dialect)}" if of == "project" else "id fullPath"
        if about and path == group:
            own += f" boards(first: 1) {{ nodes {{ id }} }}{LICENCE[dialect.licence]}"
        parts.append(f"{alias}: {of}(fullPath: ${alias}) {{ {' '.join([own, *texts])} }}")
    name = "Meta" if about else "Names"
    return f"query {name}({', '.join(declared)}) {{ {' '.join(parts)} }}", variables


@cache
def projects(dialect: Dialect) -> str:
    """Projects by full path, with what we may do there. Variables: paths, first."""
    return (
        "query Projects($paths: [String!], $first: Int) { projects(fullPaths: $paths, first: $first)"
        f" {{ nodes {{ {_PROJECT}{rights(dialect)} }} }} }}"
    )


@cache
def roles(dialect: Dialect, *, named: bool) -> str:
    """Our role in a page of projects: those of a group, or the ``named``. Variables: path, or paths."""
    level = " maxAccessLevel { integerValue }" if dialect.modern else ""
    fields = f"pageInfo {{ hasNextPage }} nodes {{ fullPath archived{level} {rights(dialect)} }}"
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
        place, "Labels", f"labels({arguments}) {{ {PAGE_INFO} nodes {{ id title color description }} }}"
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
        place, "Milestones", f"milestones({arguments}) {{ {PAGE_INFO} nodes {{ {MILESTONE_FIELDS} }} }}"
    )


@cache
def search_people(place: str) -> str:
    """People who can be assigned in a ``group`` or ``project``, at most 20. Variables: path, text."""
    return _searched(place, "People", "autocompleteUsers(search: $text) { id username name }")


@cache
def search_projects(dialect: Dialect) -> str:
    """The projects of a group and its subgroups by path or name. Variables: path, text."""
    arguments = f"includeSubgroups: true, search: $text, sort: SIMILARITY, first: {SEARCHED}"
    nodes = f"{PAGE_INFO} nodes {{ {_PROJECT}{rights(dialect)} }}"
    return _searched("group", "Projects", f"projects({arguments}) {{ {nodes} }}")


@cache
def search_issues(place: str) -> str:
    """The issues of a ``group`` and its subgroups by title, the last updated first. Variables: path, text."""
    arguments = (
        "includeSubgroups: true, types: [ISSUE, INCIDENT], search: $text, in: [TITLE], sort: UPDATED_DESC,"
        f" first: {SEARCHED}"
    )
    return _searched(place, "Issues", f"issues({arguments}) {{ {PAGE_INFO} nodes {{ {BLOCKER_FIELDS} }} }}")


#: The statuses that issues of a group can have, and those of the group at the top (18.5 and later, EE).
#: Variables: group, root.
STATUSES = (
    "query Statuses($group: ID!, $root: ID!) {"
    " group(fullPath: $group) { statuses(first: 100) { nodes { id name } } }"
    " root: group(fullPath: $root) { statuses(first: 100) { nodes { id name } } } }"
)
