"""The schema of one emulated GitLab.

`schema.graphql` marks with `@ee` what the community edition lacks, with `@new` what 16.8 lacks, and with
`@v19` what 19.0 added. Fields that the world does not implement are not in it, so that a query for one is
rejected instead of answered with an invention.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_ast_schema,
    get_named_type,
    parse,
)

from glboard_core.demo.graphql import board_mutations, endpoint, issues, links, mutations, places, work_items
from glboard_core.demo.graphql.context import UNMAPPED, Fields, Resolver, bind_scalars

_FIELDS: tuple[Fields, ...] = (
    endpoint.FIELDS, places.FIELDS, issues.FIELDS, issues.BOARD_FIELDS, work_items.FIELDS, mutations.FIELDS,
    board_mutations.FIELDS, mutations.NOTE_FIELDS, work_items.MUTATION_FIELDS, links.FIELDS,
)  # fmt: skip
# Names of arguments in resolvers, if their own is a builtin or no Python name.
_NAMES = {
    "id": "ident",
    "input": "wish",
    "filter": "which",
    "fullPath": "full_path",
    "issueFilters": "issue_filters",
    "onlyTypes": "only_types",
    "workItemId": "work_item_id",
    "exceptTypes": "except_types",
}
_MARK = re.compile(r" @\w+")
_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


def text() -> str:
    """The schema's text, with its marks."""
    return resources.files(__package__).joinpath("schema.graphql").read_text("utf-8")


def _marks(text_: str) -> set[str]:
    return {word[1:] for word in text_.split() if word.startswith("@")}


def _line(line: str, dropped: frozenset[str]) -> str | None:
    """A schema line without marks and missing arguments; None if the server lacks the field itself."""
    head, bracket, rest = line.partition("(")
    arguments, _, tail = rest.partition(")")
    if _marks(tail if bracket else head) & dropped:
        return None
    if bracket:
        kept = [one for one in arguments.split(", ") if not _marks(one) & dropped]
        line = f"{head}({', '.join(kept)}){tail}" if kept else f"{head}{tail}"
    return _MARK.sub("", line)


def _kept(whole: str, dropped: frozenset[str]) -> str:
    """The schema without everything that has one of these marks."""
    found: list[str] = []
    inside_dropped = False
    for line in whole.splitlines():
        if inside_dropped:
            inside_dropped = line != "}"
            continue
        kept = _line(line, dropped)
        if kept is None:
            inside_dropped = line.endswith("{")
        else:
            found.append(kept)
    return "\n".join(found)


# Types and mutations without a permission that a fine-grained token could have: the first are null to it, the
# others are refused.
_UNMAPPED_TYPES = frozenset({
    "BoardList", "Discussion", "GroupPermissions", "IssuePermissions", "LinkedWorkItemType", "MilestoneStats",
    "ProjectPermissions",
    "QuickActionsStatus", "TaskCompletionStatus", "WorkItemLifecycle", "WorkItemPermissions",
    "WorkItemStatus", "WorkItemType",
})  # fmt: skip
_UNMAPPED_MUTATIONS = frozenset({
    "issueMoveList", "createBoard", "updateBoard", "boardListCreate", "updateBoardList", "destroyBoard",
    "destroyBoardList", "destroyNote", "workItemBulkUpdate", "workItemAddLinkedItems",
    "workItemRemoveLinkedItems",
})  # fmt: skip


def _without_granular(resolve: Resolver, *, refuse: bool) -> Resolver:
    """A resolver that gives a fine-grained token null, or an error."""

    def guarded(source: Any, info: Any, **args: Any) -> Any:
        if info.context.scope != "granular":
            return resolve(source, info, **args)
        if refuse:
            raise GraphQLError(UNMAPPED)
        return None

    return guarded


def _getter(name: str) -> Resolver:
    attribute = _UPPER.sub(r"_\1", name).lower()
    read = attrgetter(attribute)

    def resolve(source: Any, _: Any) -> Any:
        return source.get(name) if type(source) is dict else read(source)

    return resolve


@lru_cache(maxsize=8)
def load(edition: str, since: tuple[int, int]) -> GraphQLSchema:
    """The executable schema of an edition and version."""
    marks = {"ee": edition == "ce", "new": since < (17, 0), "v19": since < (19, 0)}
    dropped = frozenset({name for name, gone in marks.items() if gone})
    document = parse(_kept(text(), dropped), no_location=True)
    schema = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    bind_scalars(schema)
    resolvers: Fields = {}
    for fields in _FIELDS:
        for name, own in fields.items():
            resolvers.setdefault(name, {}).update(own)
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLInterfaceType):
            kind.resolve_type = lambda value, *_: value.typename
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        own = resolvers.get(name, {})
        for field_name, field in kind.fields.items():
            resolve = own.get(field_name) or _getter(field_name)
            of = get_named_type(field.type).name.removesuffix("Connection")
            refuse = name == "Mutation" and field_name in _UNMAPPED_MUTATIONS
            guarded = refuse or of in _UNMAPPED_TYPES
            field.resolve = _without_granular(resolve, refuse=refuse) if guarded else resolve
            for argument_name, argument in field.args.items():
                argument.out_name = _NAMES.get(argument_name)
    return schema
