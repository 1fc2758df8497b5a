"""The query root and the small types every answer uses."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.graphql.connections import Connection
from glboard_core.demo.graphql.context import Fields, Info, context_of, gid
from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import ACCESS_NAMES, User

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
    group = context.world.groups.get(str(full_path))
    return group if group is not None and permissions.can_read_place(context.user, group) else None


def _project(_: Any, info: Info, full_path: str) -> Any:
    context = context_of(info)
    project = context.world.projects.get(str(full_path))
    return project if project is not None and permissions.can_read_place(context.user, project) else None


def _issue(_: Any, info: Info, ident: int) -> Any:
    context = context_of(info)
    issue = context.world.index.issues.get(ident)
    return issue if issue is not None and context.may_see(issue) else None


def _milestone(_: Any, info: Info, ident: int) -> Any:
    context = context_of(info)
    milestone = context.world.milestones.get(ident)
    return (
        milestone
        if milestone is not None and permissions.can_read_place(context.user, milestone.owner)
        else None
    )


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
    """A user's place in a group or project."""

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
        "boardList": _board_list,
    },
    "UserCore": user_fields(),
    "CurrentUser": user_fields(),
    "GroupMember": _MEMBER,
    "ProjectMember": _MEMBER,
    **{f"{name}Connection": {"count": _count} for name in CONNECTIONS},
}
FIELDS["IssueConnection"]["weight"] = lambda connection, _: connection.weigh()
