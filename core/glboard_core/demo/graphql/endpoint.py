"""`/api/graphql`: reads a request, refuses what GitLab refuses, executes the rest.

Knows nothing of HTTP connections or faults, except that an answer may be made partial on demand.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationType,
    execute_sync,
    introspection_from_schema,
    parse,
    validate,
)
from graphql.language import ast

from glboard_core.demo.graphql.complexity import cost_of
from glboard_core.demo.graphql.context import Context
from glboard_core.demo.graphql.refusals import translate, translate_variables

MAX_QUERY = 10_000
MAX_DEPTH = {True: 20, False: 15}
MAX_SCORE = {True: 250, False: 200}
_KEPT = 256


@dataclass(slots=True)
class Asked:
    """One query of a request, read but not yet judged."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    document: ast.DocumentNode | None = None
    syntax: GraphQLError | None = None

    @property
    def operation(self) -> ast.OperationDefinitionNode | None:
        """The operation to run."""
        if self.document is None:
            return None
        operations = [
            one for one in self.document.definitions if isinstance(one, ast.OperationDefinitionNode)
        ]
        for one in operations:
            if one.name is not None and one.name.value == self.operation_name:
                return one
        return operations[0] if operations and not (self.operation_name and len(operations) > 1) else None

    @property
    def name(self) -> str:
        """The operation's name."""
        operation = self.operation
        return operation.name.value if operation is not None and operation.name is not None else ""

    @property
    def fields(self) -> list[str]:
        """The names of its top-level fields."""
        operation = self.operation
        if operation is None:
            return []
        return [
            one.name.value for one in operation.selection_set.selections if isinstance(one, ast.FieldNode)
        ]

    @property
    def is_mutation(self) -> bool:
        """Whether it changes things."""
        operation = self.operation
        return operation is not None and operation.operation is OperationType.MUTATION


@dataclass(slots=True)
class Request:
    """A request body: one query, several (multiplex), or what is wrong with it."""

    asked: list[Asked] = field(default_factory=list)
    many: bool = False
    refused: tuple[int, Any] | None = None


_parsed: OrderedDict[str, ast.DocumentNode | GraphQLError] = OrderedDict()


def _parse(query: str) -> ast.DocumentNode | GraphQLError:
    """A parsed query; the last ones are kept, since clients repeat themselves."""
    found = _parsed.get(query)
    if found is None:
        try:
            found = parse(query)
        except GraphQLSyntaxError as error:
            found = error
        _parsed[query] = found
        while len(_parsed) > _KEPT:
            _parsed.popitem(last=False)
    return found


def _errors(*messages: str) -> dict[str, Any]:
    return {"errors": [{"message": one} for one in messages]}


def _read_one(body: Any) -> Asked | tuple[int, Any]:
    if not isinstance(body, dict):
        return 422, _errors("Invalid request")
    query, variables = body.get("query"), body.get("variables")
    if isinstance(variables, str):
        try:
            variables = msgspec.json.decode(variables) if variables.strip() else {}
        except msgspec.DecodeError as error:
            return 422, _errors(f"Invalid variables: {error}")
    if variables is None:
        variables = {}
    if not isinstance(variables, dict):
        return 422, _errors(f"Unexpected parameter: {variables}")
    asked = Asked(query if isinstance(query, str) else "", variables, body.get("operationName") or None)
    if asked.query and len(asked.query) <= MAX_QUERY:
        parsed = _parse(asked.query)
        if isinstance(parsed, GraphQLError):
            asked.syntax = parsed
        else:
            asked.document = parsed
    return asked


def read(body: bytes) -> Request:
    """Reads a request body."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Request(refused=(400, _errors("There was a problem in the JSON you submitted")))
    request = Request(many=isinstance(content, list))
    for one in content if isinstance(content, list) else [content]:
        asked = _read_one(one)
        if isinstance(asked, tuple):
            return Request(refused=asked)
        request.asked.append(asked)
    if sum(len(one.query) for one in request.asked) > MAX_QUERY:
        return Request(refused=(422, _errors("Query too large")))
    return request


class Endpoint:
    """Executes requests against one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._judged: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()

    def _invalid(self, asked: Asked, document: ast.DocumentNode) -> list[dict[str, Any]]:
        found = self._judged.get(asked.query)
        if found is None:
            found = self._judged[asked.query] = self._judge(document)
            while len(self._judged) > _KEPT:
                self._judged.popitem(last=False)
        return found

    def _judge(self, document: ast.DocumentNode) -> list[dict[str, Any]]:
        errors = list(validate(self.schema, document))
        for definition in document.definitions:
            # Introspection entry points are switched off in production.
            if isinstance(definition, ast.OperationDefinitionNode):
                errors += [
                    GraphQLError(f"Cannot query field '{one.name.value}' on type 'Query'", nodes=one)
                    for one in definition.selection_set.selections
                    if isinstance(one, ast.FieldNode) and one.name.value in ("__schema", "__type")
                ]
        return translate(errors, document)

    def _refusal(self, asked: Asked, context: Context) -> Any:
        """What is wrong with a query before it is executed; None when nothing is."""
        if not asked.query:
            return _errors("No query string was present")
        if asked.syntax is not None:
            where = [{"line": one.line, "column": one.column} for one in asked.syntax.locations or ()]
            return {"errors": [{"message": asked.syntax.message, "locations": where}]}
        document, operation = asked.document, asked.operation
        assert document is not None
        if operation is None:
            return _errors(f'No operation named "{asked.operation_name}"')
        if asked.name == "IntrospectionQuery":
            return {"data": introspection_from_schema(self.schema)}
        invalid = self._invalid(asked, document)
        if invalid:
            return {"errors": invalid}
        cost = cost_of(self.schema, document, operation, asked.variables)
        known = context.user is not None
        context.score, context.limit = cost.score, MAX_SCORE[known]
        if cost.depth > MAX_DEPTH[known]:
            return _errors(f"Query has depth of {cost.depth}, which exceeds max depth of {MAX_DEPTH[known]}")
        if cost.score > context.limit:
            return _errors(
                f"Query has complexity of {cost.score}, which exceeds max complexity of {context.limit}"
            )
        return None

    def answer_one(self, asked: Asked, context: Context) -> Any:
        """The answer to one query."""
        refused = self._refusal(asked, context)
        if refused is not None:
            return refused
        document, operation = asked.document, asked.operation
        assert document is not None
        assert operation is not None
        with context.world.lock:
            result: ExecutionResult = execute_sync(
                self.schema, document, context_value=context, variable_values=asked.variables,
                operation_name=operation.name.value if operation.name is not None else None,
            )  # fmt: skip
        if result.data is None and result.errors and not any(one.path for one in result.errors):
            return {"errors": translate_variables(result.errors, operation, asked.variables)}
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [one.formatted for one in result.errors]
        return answer

    def answer(self, request: Request, context: Context) -> Any:
        """The answer to a request that could be read."""
        answers = [self.answer_one(one, context) for one in request.asked]
        return answers if request.many else answers[0]


def make_partial(answer: Any, asked: Asked, schema: GraphQLSchema) -> Any:
    """Takes one field out of an answer, as a field that ran out of time: null, with an error beside it."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if not data:
        return answer
    key = list(data)[-1]
    owner, path = data, [key]
    kind = "Mutation" if asked.is_mutation else "Query"
    inner = data[key]
    if not asked.is_mutation and isinstance(inner, dict):
        held = [name for name, value in inner.items() if isinstance(value, dict)]
        if held:
            owner, path = inner, [key, held[-1]]
            kind = key.title()
    name = path[-1]
    owner[name] = None
    error = {"message": f"Timeout on {kind}.{name}", "path": path}
    return {**answer, "errors": [*answer.get("errors", ()), error]}
