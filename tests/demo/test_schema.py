"""The demo's schema says nothing that GitLab's does not say, for each server it can be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    execute_sync,
    get_named_type,
    is_required_argument,
    parse,
)
from graphql.language import ast

from demo.wire import SHARED
from glboard_core.demo.graphql.context import Context
from glboard_core.demo.graphql.schema import load
from glboard_core.demo.sample.generated import default_world

SERVERS = (
    ("ee", (18, 9), "schema-ee-18.9-from-reference.graphql", True),
    ("ee", (16, 8), "schema-ee-16.8.graphql", False),
    ("ce", (18, 5), "schema-ce-18.5.graphql", False),
)
Theirs = dict[str, Any]


def _theirs(name: str) -> Theirs:
    path = SHARED / "gitlab" / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this repository")
    document = parse(path.read_text("utf-8"), no_location=True)
    return {one.name.value: one for one in document.definitions if isinstance(one, ast.TypeDefinitionNode)}


def _text(node: Any) -> str:
    if isinstance(node, ast.NonNullTypeNode):
        return f"{_text(node.type)}!"
    if isinstance(node, ast.ListTypeNode):
        return f"[{_text(node.type)}]"
    return str(node.name.value)


def _loose(text: str) -> str:
    """Between versions GitLab tightens types: nullable becomes required, ID becomes an id of a kind."""
    return re.sub(r"\w*ID\b", "String", text.replace("!", ""))


def _same(ours: str, theirs: str, exact: bool) -> bool:
    return ours == theirs if exact else _loose(ours) == _loose(theirs)


def _check_fields(kind: GraphQLObjectType | GraphQLInterfaceType, node: Any, exact: bool) -> list[str]:
    found = []
    fields = {one.name.value: one for one in node.fields}
    for name, field in kind.fields.items():
        theirs = fields.get(name)
        if theirs is None:
            found.append(f"{kind.name}.{name} is not there")
            continue
        if not _same(str(field.type), _text(theirs.type), exact):
            found.append(f"{kind.name}.{name} is {_text(theirs.type)}, not {field.type}")
        arguments = {one.name.value: one for one in theirs.arguments or ()}
        for argument_name, argument in field.args.items():
            other = arguments.get(argument_name)
            if other is None:
                found.append(f"{kind.name}.{name}({argument_name}) is not there")
            elif not _same(str(argument.type), _text(other.type), exact):
                found.append(
                    f"{kind.name}.{name}({argument_name}) is {_text(other.type)}, not {argument.type}"
                )
    return found


def _check_inputs(kind: GraphQLInputObjectType, node: Any, exact: bool) -> list[str]:
    found = []
    fields = {one.name.value: one for one in node.fields}
    for name, field in kind.fields.items():
        theirs = fields.get(name)
        if theirs is None:
            found.append(f"{kind.name}.{name} is not there")
        elif not _same(str(field.type), _text(theirs.type), exact):
            found.append(f"{kind.name}.{name} is {_text(theirs.type)}, not {field.type}")
    return found


def _differences(schema: GraphQLSchema, theirs: Theirs, exact: bool) -> list[str]:
    found = []
    for name, kind in schema.type_map.items():
        if name.startswith("__") or name in ("ID", "Int", "String", "Boolean", "Float"):
            continue
        node = theirs.get(name)
        if name == "Subscription" and node is None and exact:
            continue  # the reference that this schema was made from lists none
        if node is None:
            found.append(f"{name} is not there")
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            found += _check_fields(kind, node, exact)
        elif isinstance(kind, GraphQLInputObjectType):
            found += _check_inputs(kind, node, exact)
        elif isinstance(kind, GraphQLEnumType):
            values = {one.name.value for one in node.values}
            found += [f"{name}.{one} is not there" for one in kind.values if one not in values]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("edition", "since", "name", "exact"), SERVERS)
def test_every_part_is_in_gitlabs_schema(
    edition: str, since: tuple[int, int], name: str, exact: bool
) -> None:
    assert _differences(load(edition, since), _theirs(name), exact) == []


def test_community_edition_has_no_enterprise_fields() -> None:
    schema = load("ce", (18, 9))
    issue = schema.get_type("Issue")
    assert isinstance(issue, GraphQLObjectType)
    assert not {"weight", "healthStatus", "blocked", "iteration", "hasEpic", "status"} & set(issue.fields)


def test_older_servers_lack_newer_fields() -> None:
    schema = load("ee", (16, 8))
    lists = schema.get_type("BoardListCreateInput")
    assert isinstance(lists, GraphQLInputObjectType)
    assert "position" not in lists.fields
    mutation = schema.mutation_type
    assert mutation is not None
    assert "workItemBulkUpdate" not in mutation.fields


def _selection(schema: GraphQLSchema, kind: Any, depth: int) -> str:
    parts = []
    for name, field in kind.fields.items():
        if any(is_required_argument(one) for one in field.args.values()) or name == "issue":
            continue
        below = get_named_type(field.type)
        if isinstance(below, GraphQLObjectType):
            if depth:
                parts.append(f"{name} {{ {_selection(schema, below, depth - 1)} }}")
        elif isinstance(below, GraphQLInterfaceType):
            if depth:
                inner = " ".join(
                    f"... on {one.name} {{ {_selection(schema, one, depth - 1)} }}"
                    for one in schema.get_possible_types(below)
                )
                parts.append(f"{name} {{ {inner} }}")
        else:
            parts.append(name)
    return " ".join(parts) or "__typename"


def test_every_field_of_every_type_answers() -> None:
    world = default_world(issues=40)
    schema = load("ee", (18, 9))
    issue = next(one for one in world.index.issues.values() if one.assignees and one.milestone)
    world.comment(issue.reference, "a comment", by="pm_oak")
    context = Context(world, world.owner, "api", "http://localhost")
    for root, kind in (
        ('group(fullPath: "demo-org")', "Group"),
        (f'project(fullPath: "{issue.project.full_path}")', "Project"),
        (f'issue(id: "gid://gitlab/Issue/{issue.id}")', "Issue"),
        (f'workItem(id: "gid://gitlab/WorkItem/{issue.id}")', "WorkItem"),
        (f'milestone(id: "gid://gitlab/Milestone/{issue.milestone.id}")', "Milestone"),  # type: ignore[union-attr]
        (f'boardList(id: "gid://gitlab/List/{next(iter(world.board_lists))}")', "BoardList"),
    ):
        selection = _selection(schema, schema.get_type(kind), 3)
        rest = "currentUser { id webUrl } metadata { version } queryComplexity { score }"
        query = f"{{ {root} {{ {selection} }} {rest} }}"
        result = execute_sync(schema, parse(query), context_value=context)
        assert result.errors is None, result.errors
        assert result.data is not None
        assert all(value is not None for value in result.data.values())
