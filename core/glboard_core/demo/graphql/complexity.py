"""What a query costs, as GitLab counts before it executes (FACTS section 1).

A field is 1 and what is below it. A connection with a resolver costs that, one more when `sort` is given,
five more for `search`, times 1 + the page size in percent; asked for by iid it is not multiplied. Parts of a
query for different types are added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type
from graphql.language import ast

# Connections that hang on their parent's own data have no resolver and no multiplier.
_PLAIN = frozenset({
    ("Issue", "assignees"), ("Issue", "participants"), ("Issue", "notes"), ("Issue", "discussions"),
    ("Board", "labels"), ("WorkItemWidgetAssignees", "assignees"), ("Discussion", "notes"),
})  # fmt: skip
_DEAR = frozenset(
    {"participants", "subscribed", "descriptionHtml", "titleHtml", "linkedWorkItems", "blockedByIssues"}
)
_MAX_PAGE = 100


@dataclass(slots=True)
class Cost:
    """The two measures of a query."""

    score: int = 0
    depth: int = 0


class _Counter:
    def __init__(
        self, schema: GraphQLSchema, document: ast.DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, ast.FragmentDefinitionNode)
        }
        self.deepest = 0

    def value(self, node: ast.ValueNode) -> Any:
        """The value of an argument; only numbers and "is it there" matter."""
        if isinstance(node, ast.VariableNode):
            return self.variables.get(node.name.value)
        if isinstance(node, ast.IntValueNode):
            return int(node.value)
        if isinstance(node, ast.NullValueNode):
            return None
        if isinstance(node, ast.BooleanValueNode):
            return node.value
        return True

    def skipped(self, node: Any) -> bool:
        """Whether `@skip` or `@include` takes a selection away."""
        for directive in node.directives or ():
            wanted = directive.name.value == "include"
            for argument in directive.arguments or ():
                if argument.name.value == "if" and bool(self.value(argument.value)) != wanted:
                    return True
        return False

    def selection(self, kind: Any, node: ast.SelectionSetNode, depth: int) -> int:
        """The cost of what is selected of a type."""
        self.deepest = max(self.deepest, depth)
        return sum(self.part(kind, one, depth) for one in node.selections if not self.skipped(one))

    def part(self, kind: Any, node: ast.SelectionNode, depth: int) -> int:
        """The cost of one field or fragment."""
        if isinstance(node, ast.FieldNode):
            return self.field(kind, node, depth)
        if isinstance(node, ast.FragmentSpreadNode):
            fragment = self.fragments[node.name.value]
            inside = self.schema.type_map[fragment.type_condition.name.value]
            return self.selection(inside, fragment.selection_set, depth)
        assert isinstance(node, ast.InlineFragmentNode)
        inside = self.schema.type_map[node.type_condition.name.value] if node.type_condition else kind
        return self.selection(inside, node.selection_set, depth)

    def field(self, kind: Any, node: ast.FieldNode, depth: int) -> int:
        """The cost of one field with what is below it."""
        name = node.name.value
        field = kind.fields.get(name) if hasattr(kind, "fields") else None
        if field is None:
            return 1  # __typename
        below = get_named_type(field.type)
        child = self.selection(below, node.selection_set, depth + 1) if node.selection_set else 0
        own = 5 if name in _DEAR else 1
        args = {one.name.value: self.value(one.value) for one in node.arguments or ()}
        connection = isinstance(below, GraphQLObjectType) and below.name.endswith("Connection")
        if not connection or (kind.name, name) in _PLAIN:
            return own + child
        cost = (
            own
            + child
            + (1 if args.get("sort") is not None else 0)
            + (5 if args.get("search") is not None else 0)
        )
        if args.get("iid") is not None or args.get("iids") is not None:
            return cost
        sizes = [one for one in (args.get("first"), args.get("last")) if isinstance(one, int)]
        page = 2000 if (kind.name, name) == ("Group", "boards") else _MAX_PAGE
        return int(cost * (100 + min([*sizes, page])) // 100)


def cost_of(
    schema: GraphQLSchema,
    document: ast.DocumentNode,
    operation: ast.OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> Cost:
    """The cost of an operation that has been validated."""
    given = dict(variables)
    counter = _Counter(schema, document, given)
    for one in operation.variable_definitions or ():
        name = one.variable.name.value
        if name not in given and one.default_value is not None:
            given[name] = counter.value(one.default_value)
    root = schema.get_root_type(operation.operation)
    score = counter.selection(root, operation.selection_set, 1)
    return Cost(score, counter.deepest)
