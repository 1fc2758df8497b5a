"""What every resolver receives in addition to its arguments, and GitLab's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, GraphQLError, GraphQLResolveInfo, GraphQLScalarType, GraphQLSchema

from glboard_core.demo.world import permissions
from glboard_core.demo.world.clock import iso_seconds, parse_time
from glboard_core.demo.world.records import Issue, User
from glboard_core.demo.world.texts import whole
from glboard_core.demo.world.world import World

NOT_AVAILABLE = (
    "The resource that you are attempting to access does not exist or you don't have permission to "
    "perform this action"
)

# What a fine-grained token gets where no permission is mapped.
UNMAPPED = "Unable to determine boundaries and permissions for authorization"

if TYPE_CHECKING:
    Info = GraphQLResolveInfo[Any]
else:
    Info = GraphQLResolveInfo

Resolver = Callable[..., Any]
Fields = dict[str, dict[str, Resolver]]


class TooManyIssues(Exception):
    """One more issue exceeds the limit: the whole request is answered with HTTP 429."""


@dataclass(slots=True)
class Context:
    """One request: user, scope, address and cost. `throttle_note` and `throttle_issue` tell whether one more
    exceeds the limit; `moved` are the ids of issues that this request has made by moving,
    `subscribed` of those that it asks to be told of."""

    world: World
    user: User | None
    scope: str
    base_url: str
    score: int = 0
    limit: int = 250
    moved: set[int] = field(default_factory=set)
    subscribed: set[int] = field(default_factory=set)
    throttle_note: Callable[[User], bool] = lambda _: False
    throttle_issue: Callable[[User], bool] = lambda _: False

    def may_see(self, issue: Issue) -> bool:
        """Whether the current user can see an issue."""
        return permissions.can_read(self.user, issue)


def context_of(info: Info) -> Context:
    """The request behind a resolver call."""
    found = info.context
    assert isinstance(found, Context)
    return found


def not_available() -> GraphQLError:
    """The object does not exist or is not visible: GitLab does not say which."""
    return GraphQLError(NOT_AVAILABLE)


def writer(info: Info) -> tuple[World, User]:
    """The world and the user for a mutation; a read-only token is rejected as if nothing was found."""
    context = context_of(info)
    if context.user is None or context.scope not in ("api", "granular"):
        raise not_available()
    return context.world, context.user


def gid(kind: str, ident: int) -> str:
    """A global id."""
    return f"gid://gitlab/{kind}/{ident}"


# How single values are read and written.

_GID = re.compile(r"gid://gitlab/([A-Za-z:]+)/([A-Za-z0-9]+)")
# Scalars whose kind is not just the name without ID, and those that take several kinds.
_KINDS = {
    "UserID": ("User",),
    "WorkItemID": ("WorkItem", "Issue"),
    "IssueID": ("Issue", "WorkItem"),
    "LabelID": ("Label", "GroupLabel", "ProjectLabel"),
    "ListID": ("List",),
    "NoteID": ("Note",),
    "NoteableID": ("Issue", "WorkItem"),
    "WorkItemsTypeID": ("WorkItems::Type",),
    "WorkItemsStatusesStatusID": (
        "WorkItems::Statuses::Custom::Status",
        "WorkItems::Statuses::SystemDefined::Status",
    ),
}


def _time_out(value: object) -> str:
    if isinstance(value, int):
        return iso_seconds(value)
    assert isinstance(value, date)
    return value.isoformat()


def _time_in(value: object) -> int:
    if not isinstance(value, str):
        raise GraphQLError(f"{value!r} is not a valid Time")
    try:
        return parse_time(value)
    except ValueError:
        raise GraphQLError(f'"{value}" is not a valid Time') from None


def _date_in(value: object) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise GraphQLError(f'"{value}" is not a valid Date') from None


class GlobalId(int):
    """The number of a global id that also knows the kind it was given with."""

    kind: str = ""


def _id_in(kinds: tuple[str, ...]) -> Callable[[object], int]:
    def parse(value: object) -> int:
        found = _GID.fullmatch(value) if isinstance(value, str) else None
        if found is None or whole(found.group(2)) is None:
            raise GraphQLError(f'"{value}" is not a valid GitLab ID.')
        if found.group(1) not in kinds:
            raise GraphQLError(f'"{value}" does not represent an instance of {kinds[0]}')
        number = GlobalId(found.group(2))
        number.kind = found.group(1)
        return number

    return parse


def _same(value: Any) -> Any:
    return value


def _id_out(kind: str) -> Callable[[object], str]:
    return lambda value: value if isinstance(value, str) else gid(kind, int(str(value)))


def _set(scalar: GraphQLScalarType, out: Callable[[Any], Any], into: Callable[[Any], Any]) -> None:
    # graphql-core 3.3 renamed both functions and keeps copies under the old names.
    for name in ("serialize", "coerce_output_value"):
        setattr(scalar, name, out)
    for name in ("parse_value", "coerce_input_value"):
        setattr(scalar, name, into)


def bind_scalars(schema: GraphQLSchema) -> None:
    """Give every custom scalar of a schema its functions."""
    for name, kind in schema.type_map.items():
        if name == "WorkItemStatusCategoryEnum" and isinstance(kind, GraphQLEnumType):
            # What GitLab answers are not the names of its own enumeration.
            for each in ("serialize", "coerce_output_value"):
                setattr(kind, each, lambda value: str(value).lower())
        if not isinstance(kind, GraphQLScalarType) or name in ("ID", "Int", "String", "Boolean", "Float"):
            continue
        if name == "Time":
            _set(kind, _time_out, _time_in)
        elif name in ("Date", "ISO8601Date"):
            _set(kind, _time_out, _date_in)
        elif name == "BigInt":
            _set(kind, str, int)
        elif name.endswith("ID") and name != "GlobalID":
            kinds = _KINDS.get(name, (name.removesuffix("ID"),))
            _set(kind, _id_out(kinds[0]), _id_in(kinds))
        else:
            _set(kind, _same, _same)
