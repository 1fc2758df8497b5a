"""What every resolver gets besides its arguments, and the errors of GitLab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo

from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import Issue, User
from glboard_core.demo.world.world import World

NOT_AVAILABLE = (
    "The resource that you are attempting to access does not exist or you don't have permission to "
    "perform this action"
)

if TYPE_CHECKING:
    Info = GraphQLResolveInfo[Any]
else:
    Info = GraphQLResolveInfo

Resolver = Callable[..., Any]
Fields = dict[str, dict[str, Resolver]]


@dataclass(slots=True)
class Context:
    """One request: who asks, with what scope, from where, and what it costs. `throttle_note` says whether one
    more note is too many."""

    world: World
    user: User | None
    scope: str
    base_url: str
    score: int = 0
    limit: int = 250
    throttle_note: Callable[[User], bool] = lambda _: False

    def may_see(self, issue: Issue) -> bool:
        """Whether an issue exists for whoever asks."""
        return permissions.can_read(self.user, issue)


def context_of(info: Info) -> Context:
    """The request behind a resolver call."""
    found = info.context
    assert isinstance(found, Context)
    return found


def not_available() -> GraphQLError:
    """Not there, or not allowed: GitLab does not say which."""
    return GraphQLError(NOT_AVAILABLE)


def writer(info: Info) -> tuple[World, User]:
    """The world and the user for a mutation; a read-only token is refused as if not found."""
    context = context_of(info)
    if context.user is None or context.scope != "api":
        raise not_available()
    return context.world, context.user


def gid(kind: str, ident: int) -> str:
    """A global id."""
    return f"gid://gitlab/{kind}/{ident}"
