"""Mutations of boards, lists and labels."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.context import Fields, Info, context_of, not_available, writer
from glboard_core.demo.graphql.issues import readable_board
from glboard_core.demo.world import boards as rules
from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import Board, BoardList, Group, Place
from glboard_core.demo.world.world import World

#: Characters of the name of a board.
_MOST_NAME = 255
COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")


def _scope(world: World, board: Board, wish: dict[str, Any]) -> None:
    """A board's own filter, which is Premium: silently dropped without the licence."""
    if wish.get("name"):
        board.name = wish["name"]
    if wish.get("hideBacklogList") is not None:
        board.hide_backlog = wish["hideBacklogList"]
    if wish.get("hideClosedList") is not None:
        board.hide_closed = wish["hideClosedList"]
    if not world.licensed("premium"):
        return
    if "milestoneId" in wish:
        ident = wish["milestoneId"]
        board.milestone = None if ident is None else world.milestones.get(ident, board.milestone)
    if wish.get("labelIds") is not None:
        known = [world.labels[one] for one in wish["labelIds"] if one in world.labels]
        board.labels = tuple(one for one in known if one.owner in board.group.chain())
    elif wish.get("labels") is not None:
        # Those that are missing are made.
        board.labels = tuple(
            world.label_for(board.group, title) or world.add_label(board.group, title)
            for title in wish["labels"]
        )
    if "assigneeId" in wish:
        board.assignee = world.user_of(wish["assigneeId"])
    if "weight" in wish:
        board.weight = wish["weight"]


def _create_board(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    if bool(wish.get("groupPath")) == bool(wish.get("projectPath")):
        raise GraphQLError("Exactly one of [groupPath, projectPath] arguments is required.")
    group = world.group_at(str(wish.get("groupPath")))
    if group is None or not permissions.can_plan(user, group):
        raise not_available()
    done: dict[str, Any] = {"board": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}
    if not rules.may_add_board(world, group):
        return {**done, "errors": [rules.NO_BOARD]}
    name = wish.get("name")
    if name is not None and not 0 < len(name.strip()) <= _MOST_NAME:
        return {**done, "errors": ["There was an error when creating a board."]}
    if wish.get("labels") is not None and wish.get("labelIds") is not None:
        raise GraphQLError("Only one of [labels, labelIds] arguments is allowed at the same time.")
    board = world.add_board(group, "Development")
    _scope(world, board, wish)
    return {**done, "board": board}


def _own_board(info: Info, ident: int) -> Board:
    _, user = writer(info)
    board = readable_board(context_of(info), ident)
    if board is None or not permissions.can_plan(user, board.group):
        raise not_available()
    return board


def _update_board(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    board = _own_board(info, wish["id"])
    world = context_of(info).world
    _scope(world, board, wish)
    board.updated = world.clock.now()
    return {"board": board, "errors": [], "clientMutationId": wish.get("clientMutationId")}


def _destroy_board(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    board = _own_board(info, wish["id"])
    world = context_of(info).world
    done: dict[str, Any] = {"board": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}
    if sum(1 for one in world.boards.values() if one.group is board.group) == 1:
        return {**done, "board": board, "errors": ["The board could not be deleted: it is the last one"]}
    rules.drop_board(world, board)
    return done


def _target(world: World, board: Board, wish: dict[str, Any]) -> tuple[str, Any]:
    given = [
        name
        for name in ("backlog", "labelId", "milestoneId", "assigneeId", "statusId")
        if wish.get(name) is not None
    ]
    if len(given) != 1:
        raise GraphQLError(
            "Exactly one of [backlog, labelId, milestoneId, assigneeId] arguments is required."
        )
    name = given[0]
    if name == "backlog":
        return "backlog", None
    if name == "labelId":
        label = world.labels.get(wish[name])
        return "label", label if label is not None and label.owner in board.group.chain() else None
    if name == "milestoneId":
        return "milestone", world.milestones.get(wish[name])
    if name == "statusId":
        return "status", next((one for one in world.statuses.values() if one.id == wish[name]), None)
    return "assignee", world.user_of(wish[name])


def _create_list(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    board = _own_board(info, wish["boardId"])
    world = context_of(info).world
    done: dict[str, Any] = {"list": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}
    kind, target = _target(world, board, wish)
    if kind == "backlog":
        column = next((one for one in board.lists if one.kind == "backlog"), None)
        return {**done, "list": column or world.add_list(board, "backlog")}
    if target is None:
        return {**done, "errors": [f"{kind.title()} not found"]}
    if kind != "label" and not world.licensed("premium"):
        return {**done, "errors": [f"{kind.title()} lists are not available with your current license"]}
    if rules.taken(board, kind, target):
        return {**done, "errors": [rules.TAKEN[kind]]}
    column = world.add_list(board, kind)
    setattr(column, kind, target)
    if wish.get("position") is not None:
        rules.place_list(column, wish["position"])
    return {**done, "list": column}


def _own_list(info: Info, ident: int) -> BoardList:
    column = context_of(info).world.board_lists.get(ident)
    if column is None:
        raise not_available()
    _own_board(info, column.board.id)
    return column


def _update_list(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    column = _own_list(info, wish["listId"])
    if wish.get("collapsed") is not None:
        column.collapsed = wish["collapsed"]
    if wish.get("position") is not None and column.position is not None:
        rules.place_list(column, wish["position"])
    return {"list": column, "errors": [], "clientMutationId": wish.get("clientMutationId")}


def _destroy_list(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    column = _own_list(info, wish["listId"])
    done: dict[str, Any] = {"list": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}
    if column.position is None:
        return {**done, "list": column, "errors": ["The list could not be deleted"]}
    rules.drop_list(context_of(info).world, column)
    return done


def label_problems(world: World, owner: Place, title: str, color: str | None) -> list[str]:
    """Validation messages of a label."""
    found = []
    if not title.strip():
        found.append("Title can't be blank")
    if "," in title:
        found.append("Title is invalid")
    if len(title) > 255:
        found.append("Title is too long (maximum is 255 characters)")
    if world.label_of(owner, title) is not None:
        found.append("Title has already been taken")
    if color is not None and not COLOR.fullmatch(color):
        found.append("Color must be a valid color code")
    return found


def _create_label(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    if bool(wish.get("groupPath")) == bool(wish.get("projectPath")):
        raise GraphQLError("Exactly one of [groupPath, projectPath] arguments is required.")
    owner: Group | Any = world.group_at(str(wish.get("groupPath"))) or world.project_at(
        str(wish.get("projectPath"))
    )
    if owner is None or not permissions.can_plan(user, owner):
        raise not_available()
    errors = label_problems(world, owner, wish["title"], wish.get("color"))
    label = None
    if not errors:
        label = world.add_label(owner, wish["title"], wish.get("color") or "#6699cc", wish.get("description"))
    return {"label": label, "errors": errors, "clientMutationId": wish.get("clientMutationId")}


FIELDS: Fields = {
    "Mutation": {
        "createBoard": _create_board,
        "updateBoard": _update_board,
        "destroyBoard": _destroy_board,
        "boardListCreate": _create_list,
        "updateBoardList": _update_list,
        "destroyBoardList": _destroy_list,
        "labelCreate": _create_label,
    },
}
