"""What a wrong query is told: graphql-core finds the errors, graphql-ruby's words are used to say them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError, print_ast
from graphql.language import ast

_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, dict[str, Any]]]]


def _rule(pattern: str, say: Callable[[re.Match[str]], tuple[str, dict[str, Any]]]) -> _Rule:
    return re.compile(pattern, re.DOTALL), say


def _no_selection(name: str, kind: str) -> str:
    hint = f"Did you mean '{name} {{ ... }}'?"
    return f"Field must have selections (field '{name}' returns {kind} but has no selections. {hint})"


_RULES: tuple[_Rule, ...] = (
    _rule(
        r"Cannot query field '(\w+)' on type '(\w+)'",
        lambda m: (
            f"Field '{m[1]}' doesn't exist on type '{m[2]}'",
            {"code": "undefinedField", "typeName": m[2], "fieldName": m[1]},
        ),
    ),
    _rule(
        r"Unknown argument '(\w+)' on field '(\w+)\.(\w+)'",
        lambda m: (
            f"Field '{m[3]}' doesn't accept argument '{m[1]}'",
            {"code": "argumentNotAccepted", "name": m[3], "typeName": "Field", "argumentName": m[1]},
        ),
    ),
    _rule(
        r"Field '(\w+)' is not defined by type '(\w+)'",
        lambda m: (
            f"InputObject '{m[2]}' doesn't accept argument '{m[1]}'",
            {"code": "argumentNotAccepted", "name": m[2], "typeName": "InputObject", "argumentName": m[1]},
        ),
    ),
    _rule(
        r"(?:Field|Argument) '(?:(\w+)\.)?(\w+)' argument '(\w+)' of type '(.+?)' is required",
        lambda m: (
            f"Field '{m[2]}' is missing required arguments: {m[3]}",
            {"code": "missingRequiredArguments", "className": "Field", "name": m[2], "arguments": m[3]},
        ),
    ),
    _rule(
        r"(?:Field|Argument) '(\w+)\.(\w+)' of required type '(.+?)' was not provided",
        lambda m: (
            f"Argument '{m[2]}' on InputObject '{m[1]}' is required. Expected type {m[3]}",
            {
                "code": "missingRequiredInputObjectAttribute",
                "argumentName": m[2],
                "argumentType": m[3],
                "inputObjectType": m[1],
            },
        ),
    ),
    _rule(
        r"Field '(\w+)' of type '(.+?)' must have a selection of subfields",
        lambda m: (
            _no_selection(m[1], m[2].strip("[]!")),
            {"code": "selectionMismatch", "nodeName": f"field '{m[1]}'", "typeName": m[2].strip("[]!")},
        ),
    ),
    _rule(
        r"Field '(\w+)' must not have a selection since type '(.+?)' has no subfields",
        lambda m: (
            f"Selections can't be made on scalars (field '{m[1]}' returns {m[2]} but has selections)",
            {"code": "selectionMismatch", "nodeName": f"field '{m[1]}'", "typeName": m[2].strip("[]!")},
        ),
    ),
    _rule(
        r"Variable '\$(\w+)' of type '(.+?)' used in position expecting type '(.+?)'",
        lambda m: (
            f"Type mismatch on variable ${m[1]} ({m[2]} / {m[3]})",
            {
                "code": "variableMismatch",
                "variableName": m[1],
                "typeName": m[2],
                "errorMessage": "Type mismatch",
            },
        ),
    ),
    _rule(
        r"Variable '\$(\w+)' is never used(?: in operation '(\w+)')?",
        lambda m: (
            f"Variable ${m[1]} is declared by {m[2] or 'anonymous query'} but not used",
            {"code": "variableNotUsed", "variableName": m[1]},
        ),
    ),
    _rule(
        r"Variable '\$(\w+)' is not defined(?: by operation '(\w+)')?",
        lambda m: (
            f"Variable ${m[1]} is used by {m[2] or 'anonymous query'} but not declared",
            {"code": "variableNotDefined", "variableName": m[1]},
        ),
    ),
    _rule(
        r"Unknown fragment '(\w+)'",
        lambda m: (
            f"Fragment {m[1]} was used, but not defined",
            {"code": "useAndDefineFragment", "fragmentName": m[1]},
        ),
    ),
    _rule(
        r"Fragment '(\w+)' is never used",
        lambda m: (
            f"Fragment {m[1]} was defined, but not used",
            {"code": "useAndDefineFragment", "fragmentName": m[1]},
        ),
    ),
    _rule(
        r"Unknown type '(\w+)'",
        lambda m: (
            f"{m[1]} isn't a defined input type",
            {"code": "variableRequiresValidType", "typeName": m[1]},
        ),
    ),
)
_VARIABLE = re.compile(
    r"Variable '\$(\w+)' (?:of required type|of non-null type|got invalid value|has invalid value)(.*)",
    re.DOTALL,
)


def _path_to(document: ast.DocumentNode, wanted: ast.Node) -> list[str]:
    """The names on the way to a node, as graphql-ruby gives them."""
    for definition in document.definitions:
        if isinstance(definition, ast.OperationDefinitionNode):
            name = f" {definition.name.value}" if definition.name else ""
            start = f"{definition.operation.value}{name}"
        elif isinstance(definition, ast.FragmentDefinitionNode):
            start = f"fragment {definition.name.value}"
        else:
            continue
        found = _search(definition, wanted, [start])
        if found is not None:
            return found
    return []


def _search(node: ast.Node, wanted: ast.Node, path: list[str]) -> list[str] | None:
    if node is wanted:
        return path
    for key in node.keys:
        below = getattr(node, key, None)
        for child in below if isinstance(below, list | tuple) else (below,):
            if not isinstance(child, ast.Node):
                continue
            step = path
            if isinstance(child, ast.FieldNode):
                step = [*path, child.alias.value if child.alias else child.name.value]
            elif isinstance(child, ast.ArgumentNode | ast.ObjectFieldNode):
                step = [*path, child.name.value]
            elif isinstance(child, ast.InlineFragmentNode) and child.type_condition:
                step = [*path, f"... on {child.type_condition.name.value}"]
            found = _search(child, wanted, step)
            if found is not None:
                return found
    return None


def translate(errors: Sequence[GraphQLError], document: ast.DocumentNode) -> list[dict[str, Any]]:
    """The errors of a query that is not valid."""
    found = []
    for error in errors:
        message = error.message
        extensions: dict[str, Any] = {}
        for pattern, say in _RULES:
            match = pattern.match(error.message)
            if match:
                message, extensions = say(match)
                break
        entry: dict[str, Any] = {"message": message}
        if error.locations:
            first = error.locations[0]
            entry["locations"] = [{"line": first.line, "column": first.column}]
        if error.nodes:
            entry["path"] = _path_to(document, error.nodes[0])
        if extensions:
            entry["extensions"] = extensions
        found.append(entry)
    return found


def translate_variables(
    errors: Sequence[GraphQLError], operation: ast.OperationDefinitionNode, variables: dict[str, Any]
) -> list[dict[str, Any]]:
    """The errors of variables that do not fit their types."""
    types = {one.variable.name.value: print_ast(one.type) for one in operation.variable_definitions or ()}
    found: list[dict[str, Any]] = []
    for error in errors:
        match = _VARIABLE.match(error.message)
        if match is None:
            found.append({"message": error.message})
            continue
        name, rest = match[1], match[2]
        at = re.search(r" at '(?:value)?\.?([\w.\[\]]+)'", rest)
        where = re.sub(rf"^{name}\.?", "", at[1]) if at else ""
        explanation = (
            rest.rsplit("; ", 1)[-1].strip(" .") if "; " in rest else "Expected value to not be null"
        )
        tail = f" for {where} ({explanation})" if where else ""
        said = f"Variable ${name} of type {types.get(name, '?')} was provided invalid value{tail}"
        found.append(
            {
                "message": said,
                "locations": [
                    {"line": one.line, "column": one.column} for one in (error.locations or ())[:1]
                ],
                "extensions": {
                    "value": variables.get(name),
                    "problems": [{"path": [where] if where else [], "explanation": explanation}],
                },
            }
        )
    return found
