"""`/api/graphql`: read a request, reject what GitLab rejects, execute the rest.

Knows nothing of HTTP connections or faults, except that a response can be made partial on demand.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationType,
    execute_sync,
    get_named_type,
    introspection_from_schema,
    parse,
    validate,
)
from graphql.language import ast

from glboard_core.demo.graphql import bounds
from glboard_core.demo.graphql.connections import Connection, listed
from glboard_core.demo.graphql.context import (
    UNMAPPED,
    Context,
    Fields,
    Info,
    TooManyIssues,
    context_of,
    gid,
)
from glboard_core.demo.graphql.refusals import syntax_error, translate, translate_variables
from glboard_core.demo.world import permissions
from glboard_core.demo.world.boards import settle
from glboard_core.demo.world.records import ACCESS_NAMES, User
from glboard_core.demo.world.registry import GRANULAR_SINCE, InternalServerError

# The query root and the small types that every response uses.

CONNECTIONS = (
    "Issue", "Label", "Milestone", "Board", "BoardList", "Note", "Discussion", "UserCore", "GroupMember",
    "MemberInterface", "Project", "Group", "WorkItem", "WorkItemStatus",
)  # fmt: skip


def _metadata(_: Any, info: Info) -> dict[str, Any]:
    world = context_of(info).world
    suffix = "-ee" if world.edition == "ee" else ""
    return {
        "version": f"{world.version}.0{suffix}",
        "revision": "0ddba11f00d",
        "enterprise": world.edition == "ee",
    }


def _complexity(_: Any, info: Info) -> dict[str, int]:
    context = context_of(info)
    return {"score": context.score, "limit": context.limit}


def _echo(_: Any, info: Info, text: str) -> str:
    user = context_of(info).user
    return f'"{user.username if user else ""}" says: {text}'


def _group(_: Any, info: Info, full_path: str) -> Any:
    context = context_of(info)
    group = context.world.group_at(str(full_path))
    return group if group is not None and permissions.can_read_place(context.user, group) else None


def _project(_: Any, info: Info, full_path: str) -> Any:
    context = context_of(info)
    project = context.world.project_at(str(full_path))
    return project if project is not None and permissions.can_read_place(context.user, project) else None


def _issue(_: Any, info: Info, ident: int) -> Any:
    context = context_of(info)
    issue = context.world.index.find(ident)
    return issue if issue is not None and context.may_see(issue) else None


def _milestone(_: Any, info: Info, ident: int) -> Any:
    context = context_of(info)
    milestone = context.world.milestones.get(ident)
    return (
        milestone
        if milestone is not None and permissions.can_read_place(context.user, milestone.owner)
        else None
    )


def _users(_: Any, info: Info, **args: Any) -> Connection:
    names = {name.casefold() for name in args.get("usernames") or ()}
    users = context_of(info).world.users.values()
    kept = [one for one in users if args.get("usernames") is None or one.username.casefold() in names]
    return listed(sorted(kept, key=lambda one: -one.id), args)


def _board_list(_: Any, info: Info, ident: int, issue_filters: Any = None) -> Any:
    context = context_of(info)
    column = context.world.board_lists.get(ident)
    if column is None or not permissions.can_read_place(context.user, column.board.group):
        return None
    return column


def _count(connection: Connection, _: Any, limit: int | None = None) -> int:
    return connection.total(limit)


def user_fields() -> dict[str, Any]:
    """Fields of a person."""
    return {
        "id": lambda user, _: gid("User", user.id),
        "state": lambda *_: "active",
        "bot": lambda *_: False,
        "webPath": lambda user, _: f"/{user.username}",
        "webUrl": lambda user, info: f"{context_of(info).base_url}/{user.username}",
        "avatarUrl": lambda *_: None,
        "publicEmail": lambda *_: None,
    }


class Member:
    """A user's membership of a group or project."""

    __slots__ = ("created_at", "group", "level", "typename", "user")

    def __init__(self, user: User, level: int, typename: str, group: Any, created_at: int) -> None:
        self.user = user
        self.level = level
        self.typename = typename
        self.group = group
        self.created_at = created_at


_MEMBER: dict[str, Any] = {
    "id": lambda member, _: gid(member.typename, member.user.id),
    "accessLevel": lambda member, _: {
        "integerValue": member.level,
        "stringValue": ACCESS_NAMES.get(member.level),
    },
}

FIELDS: Fields = {
    "Query": {
        "metadata": _metadata,
        "currentUser": lambda _, info: context_of(info).user,
        "queryComplexity": _complexity,
        "echo": _echo,
        "group": _group,
        "project": _project,
        "issue": _issue,
        "workItem": _issue,
        "milestone": _milestone,
        "users": _users,
        "boardList": _board_list,
    },
    "UserCore": user_fields(),
    "CurrentUser": user_fields(),
    "GroupMember": _MEMBER,
    "ProjectMember": _MEMBER,
    **{f"{name}Connection": {"count": _count} for name in CONNECTIONS},
}
FIELDS["IssueConnection"]["weight"] = lambda connection, _: connection.weigh()


# What a query costs, as GitLab counts before it executes (API note 1).

# Connections that hang on their parent's own data have no resolver and no multiplier.
_PLAIN = frozenset({
    ("Issue", "assignees"), ("Issue", "participants"), ("Issue", "notes"), ("Issue", "discussions"),
    ("Board", "labels"), ("WorkItemWidgetAssignees", "assignees"), ("Discussion", "notes"),
})  # fmt: skip
_DEAR = frozenset(
    {"participants", "subscribed", "descriptionHtml", "titleHtml", "linkedWorkItems", "blockedByIssues"}
)
_MAX_PAGE = 100
# How often a field can be in one branch.
_MOST_REPEATED = 2
_REPEATABLE = frozenset({"nodes", "edges", "node", "ofType"})


@dataclass(slots=True)
class Cost:
    """The measures of a query; `repeats` are fields that are too often in one branch."""

    score: int = 0
    depth: int = 0
    repeats: dict[str, int] = field(default_factory=dict)


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
        self.branch: Counter[str] = Counter()
        self.repeats: dict[str, int] = {}

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
        """Whether `@skip` or `@include` removes a selection."""
        for directive in node.directives or ():
            wanted = directive.name.value == "include"
            for argument in directive.arguments or ():
                if argument.name.value == "if" and bool(self.value(argument.value)) != wanted:
                    return True
        return False

    def selection(self, kind: Any, node: ast.SelectionSetNode, depth: int) -> int:
        """The cost of a selection on a type."""
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

    def _enter(self, name: str) -> None:
        self.branch[name] += 1
        if self.branch[name] > _MOST_REPEATED and name not in _REPEATABLE:
            self.repeats[name] = max(self.repeats.get(name, 0), self.branch[name])

    def field(self, kind: Any, node: ast.FieldNode, depth: int) -> int:
        """The cost of one field with its selection."""
        name = node.name.value
        field = kind.fields.get(name) if hasattr(kind, "fields") else None
        if field is None:
            return 1  # __typename
        below = get_named_type(field.type)
        self._enter(name)
        child = self.selection(below, node.selection_set, depth + 1) if node.selection_set else 0
        self.branch[name] -= 1
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
    return Cost(score, counter.deepest, counter.repeats)


MAX_QUERY = 10_000
MAX_DEPTH = {True: 20, False: 15}
MAX_SCORE = {True: 250, False: 200}
_KEPT = 256


@dataclass(slots=True)
class Asked:
    """One query of a request, before validation."""

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
        return operations[0] if len(operations) == 1 else None

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
        """Whether it is a mutation."""
        operation = self.operation
        return operation is not None and operation.operation is OperationType.MUTATION

    @property
    def is_subscription(self) -> bool:
        """Whether it is a subscription."""
        operation = self.operation
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION


@dataclass(slots=True)
class Request:
    """A request body: one query, several (multiplex), or what is wrong with it."""

    asked: list[Asked] = field(default_factory=list)
    many: bool = False
    refused: tuple[int, Any] | None = None


_parsed: OrderedDict[str, ast.DocumentNode | GraphQLError] = OrderedDict()


def _parse(query: str) -> ast.DocumentNode | GraphQLError:
    """A parsed query; recent ones are cached, since clients repeat them."""
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
        except (msgspec.DecodeError, RecursionError) as error:
            return 422, _errors(f"Invalid variables: {error}")
    if variables is None:
        variables = {}
    if not isinstance(variables, dict):
        return 422, _errors(f"Unexpected parameter: {variables}")
    asked = Asked(query if isinstance(query, str) else "", variables, body.get("operationName") or None)
    if asked.query:
        if bounds.too_deep(asked.query):
            return 200, _errors(f"Query has depth of over {bounds.MOST_DEPTH}, which exceeds max depth of 20")
        parsed = _parse(asked.query)
        if isinstance(parsed, GraphQLError):
            asked.syntax = parsed
        elif (why := bounds.too_large(parsed)) is not None:
            return 200, _errors(why)
        else:
            asked.document = parsed
    return asked


def read(body: bytes) -> Request:
    """Read a request body."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Request(refused=(400, {"error": "Invalid JSON format"}))
    request = Request(many=isinstance(content, list))
    parts = content if isinstance(content, list) else [content]
    # All of them count, and before any is parsed.
    if sum(len(query) for one in parts if isinstance(query := _query(one), str)) > MAX_QUERY:
        return Request(refused=(422, _errors("Query too large")))
    for one in parts:
        asked = _read_one(one)
        if isinstance(asked, tuple):
            return Request(refused=asked)
        request.asked.append(asked)
    return request


def _query(body: Any) -> Any:
    return body.get("query") if isinstance(body, dict) else None


class Endpoint:
    """Execute requests against one schema."""

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
        errors = list(validate(self.schema, document, max_errors=bounds.MOST_ERRORS))
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
        """Errors found before execution; None if there are none."""
        if not asked.query:
            return _errors("No query string was present")
        if asked.syntax is not None:
            where = [{"line": one.line, "column": one.column} for one in asked.syntax.locations or ()]
            return {"errors": [{"message": syntax_error(asked.syntax), "locations": where}]}
        document, operation = asked.document, asked.operation
        assert document is not None
        if operation is None:
            if asked.operation_name is None:
                return _errors("An operation name is required")
            return _errors(f'No operation named "{asked.operation_name}"')
        if asked.name == "IntrospectionQuery":
            return {"data": introspection_from_schema(self.schema)}
        invalid = self._invalid(asked, document)
        if invalid:
            return {"errors": invalid}
        cost = cost_of(self.schema, document, operation, asked.variables)
        known = context.user is not None
        context.score, context.limit = cost.score, MAX_SCORE[known]
        found = []
        if cost.repeats:
            name, times = max(cost.repeats.items(), key=lambda one: one[1])
            many = f"too many of fields '{{\"{name}\"=>{times}}}' detected"
            found.append(f'Recursive query - {many}\nin single branch of the query")\n')
        if cost.depth > MAX_DEPTH[known]:
            found.append(f"Query has depth of {cost.depth}, which exceeds max depth of {MAX_DEPTH[known]}")
        if cost.score > context.limit:
            found.append(
                f"Query has complexity of {cost.score}, which exceeds max complexity of {context.limit}"
            )
        return _errors(*found) if found else None

    @staticmethod
    def _barred(asked: Asked, operation: ast.OperationDefinitionNode, context: Context) -> Any:
        """Each field null with an error: for a fine-grained token, and for changes during maintenance."""
        if context.scope == "granular" and context.world.since < GRANULAR_SINCE:
            said = UNMAPPED
        elif asked.is_mutation and context.world.traits.maintenance:
            said = "You cannot perform write operations on a read-only instance"
        else:
            return None
        keys = [
            (one.alias or one.name).value
            for one in operation.selection_set.selections
            if isinstance(one, ast.FieldNode)
        ]
        errors = [{"message": said, "path": [one]} for one in keys]
        return {"data": dict.fromkeys(keys), "errors": errors}

    def answer_one(self, asked: Asked, context: Context, root: Any = None) -> Any:
        """The response to one query; `root` is what a subscription is told of."""
        refused = self._refusal(asked, context)
        if refused is not None:
            return refused
        document, operation = asked.document, asked.operation
        assert document is not None
        assert operation is not None
        barred = self._barred(asked, operation, context)
        if barred is not None:
            return barred
        with context.world.lock:
            settle(context.world)
            result: ExecutionResult = execute_sync(
                self.schema, document, root, context_value=context, variable_values=asked.variables,
                operation_name=operation.name.value if operation.name is not None else None,
            )  # fmt: skip
        for error in result.errors or ():
            if isinstance(error.original_error, InternalServerError | TooManyIssues):
                raise error.original_error
        if result.data is None and result.errors and not any(one.path for one in result.errors):
            return {"errors": translate_variables(result.errors, operation, asked.variables)}
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [one.formatted for one in result.errors]
        return answer

    def answer(self, request: Request, context: Context) -> Any:
        """The response to a request that could be parsed."""
        if any(one.is_subscription for one in request.asked):
            raise InternalServerError  # there is the cable for these
        answers = [self.answer_one(one, context) for one in request.asked]
        return answers if request.many else answers[0]


def make_partial(answer: Any, asked: Asked, schema: GraphQLSchema) -> Any:
    """Replace one field of a response as if it had timed out: null, with an error next to it."""
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
