"""Errors of invalid queries: graphql-core finds them, the messages are graphql-ruby's."""

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


def _unknown_input(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    return (
        f"InputObject '{kind}' doesn't accept argument '{name}'",
        {"code": "argumentNotAccepted", "name": kind, "typeName": "InputObject", "argumentName": name},
    )


def _missing_argument(field: str, name: str) -> tuple[str, dict[str, Any]]:
    return (
        f"Field '{field}' is missing required arguments: {name}",
        {"code": "missingRequiredArguments", "className": "Field", "name": field, "arguments": name},
    )


def _missing_input(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    return (
        f"Argument '{name}' on InputObject '{kind}' is required",
        {"code": "missingRequiredInputObjectAttribute", "argumentName": name, "inputObjectType": kind},
    )


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
        r"(?:Field '(?P<old>\w+)' is not defined by type '(?P<oldtype>\w+)'|"
        r"Expected value of type '(?P<type>\w+)!?' "
        r"not to include unknown field '(?P<field>\w+)')",
        lambda m: _unknown_input(m["type"] or m["oldtype"], m["field"] or m["old"]),
    ),
    _rule(
        r"(?:Field '(?P<old>\w+)' argument '(?P<oldarg>\w+)'|"
        r"Argument '(?:\w+\.)?(?P<field>\w+)\((?P<arg>\w+):\)') "
        r"of type '.+?' is required",
        lambda m: _missing_argument(m["field"] or m["old"], m["arg"] or m["oldarg"]),
    ),
    _rule(
        r"(?:Field '(?P<oldtype>\w+)\.(?P<old>\w+)' of required type '.+?' was not provided|"
        r"Expected value of type "
        r"'(?P<type>\w+)!?' to include required field '(?P<field>\w+)')",
        lambda m: _missing_input(m["type"] or m["oldtype"], m["field"] or m["old"]),
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
_VARIABLE = re.compile(r"Variable '\$(?P<name>\w+)' (?P<rest>.*)", re.DOTALL)
_PLACE = re.compile(r" at (?:'value)?\.?'?(?P<place>[\w.\[\]]+)'?[:;] ")
_UNKNOWN = re.compile(r"not to include unknown field '(\w+)'|Field '(\w+)' is not defined by type")
_REQUIRED = re.compile(r"to include required field '(\w+)'|Field '(?:\w+\.)?(\w+)' of required type")
_TYPE = re.compile(r"of type '(\w+)!?'|by type '(\w+)'")
_NULL = "Expected value to not be null"


def _path_to(document: ast.DocumentNode, wanted: ast.Node) -> list[str]:
    """The path to a node, as graphql-ruby reports it."""
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


def syntax_error(error: GraphQLError) -> str:
    """A syntax error as GitLab words it; what it cannot parse at all is quoted as our parser says it."""
    if not error.message.endswith("found <EOF>.") or not error.locations:
        return error.message
    at = error.locations[0]
    wanted = error.message.removeprefix("Syntax Error: Expected ").partition(",")[0].upper()
    return f'Expected {wanted}, actual: (none) ("") at [{at.line}, {at.column - 1}]'


def translate(errors: Sequence[GraphQLError], document: ast.DocumentNode) -> list[dict[str, Any]]:
    """The errors of an invalid query."""
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


_NO_INT = re.compile(r"Int cannot represent [^:]*: (?P<value>.*?)\.?$")


def _quoted(value: str) -> str:
    """A value as JSON writes it."""
    return f'"{value[1:-1]}"' if value.startswith("'") else value


def _problem(rest: str) -> tuple[list[str], str]:
    """Where a variable is invalid, and why."""
    found = _PLACE.search(rest)
    place = found["place"].split(".") if found else []
    unknown, required = _UNKNOWN.search(rest), _REQUIRED.search(rest)
    if unknown is not None:
        kind = _TYPE.search(rest)
        named = kind[1] or kind[2] if kind else "the type"
        return [*place, unknown[1] or unknown[2]], f"Field is not defined on {named}"
    if required is not None:
        return [*place, required[1] or required[2]], _NULL
    if "non-null type" in rest or "required type" in rest:
        return place, _NULL
    number = _NO_INT.search(rest)
    if number is not None:
        return place, f"Could not coerce value {_quoted(number['value'])} to Int"
    told = re.split(r"has invalid value(?: at [^:]*)?: |; ", rest)[-1].strip().rstrip(".")
    return place, told


def translate_variables(
    errors: Sequence[GraphQLError], operation: ast.OperationDefinitionNode, variables: dict[str, Any]
) -> list[dict[str, Any]]:
    """The errors of variables that do not match their types."""
    types = {one.variable.name.value: print_ast(one.type) for one in operation.variable_definitions or ()}
    found: list[dict[str, Any]] = []
    for error in errors:
        match = _VARIABLE.match(error.message)
        if match is None:
            found.append({"message": error.message})
            continue
        name = match["name"]
        place, explanation = _problem(match["rest"])
        if place[:1] == [name]:  # graphql-core 3.2 begins with the variable itself
            place = place[1:]
        tail = f" for {'.'.join(place)} ({explanation})" if place else ""
        said = f"Variable ${name} of type {types.get(name, '?')} was provided invalid value{tail}"
        where = [{"line": one.line, "column": one.column} for one in (error.locations or ())[:1]]
        problems = [{"path": place, "explanation": explanation}]
        extensions = {"value": variables.get(name), "problems": problems}
        found.append({"message": said, "locations": where, "extensions": extensions})
    return found
