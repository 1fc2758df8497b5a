"""Boards and their lists as GraphQL shows them. A board's own scope is Premium."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.filtering import IssueFilter
from glboard_core.demo.graphql.connections import Connection, found, listed
from glboard_core.demo.graphql.context import Context, Fields, Info, context_of, gid
from glboard_core.demo.graphql.filters import fill
from glboard_core.demo.world import boards as rules
from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import Board, BoardList, Group

# Boards may be asked for in one page, unlike everything else.
MAX_BOARDS = 2000


def readable_board(context: Context, ident: int) -> Board | None:
    """A board, if whoever asks may see its group."""
    board = context.world.boards.get(ident)
    return board if board is not None and permissions.can_read_place(context.user, board.group) else None


def _boards(group: Group, info: Info, ident: int | None = None, **args: Any) -> Connection:
    boards = [one for one in context_of(info).world.boards.values() if one.group is group]
    if ident is not None:
        boards = [one for one in boards if one.id == ident]
    return listed(sorted(boards, key=lambda one: (one.name.lower(), one.id)), args, MAX_BOARDS)


def _board(group: Group, info: Info, ident: int) -> Board | None:
    board = context_of(info).world.boards.get(ident)
    return board if board is not None and board.group is group else None


def _lists(board: Board, info: Info, ident: int | None = None, **args: Any) -> Connection:
    shown = [one for one in board.shown() if ident is None or one.id == ident]
    return listed(shown, args)


def _wanted(column: BoardList, info: Info, filters: dict[str, Any] | None) -> tuple[IssueFilter, str]:
    wanted = rules.scope_of(context_of(info).world, column.board)
    order = rules.narrow(wanted, column)
    kept_milestone = wanted.milestone_id
    wanted = fill(wanted, filters or {}, context_of(info).world.since)
    wanted.milestone_id = kept_milestone
    return wanted, order


def _issues(column: BoardList, info: Info, filters: dict[str, Any] | None = None, **args: Any) -> Connection:
    wanted, order = _wanted(column, info, filters)
    return found(context_of(info), wanted, order, args)


def _count(column: BoardList, info: Info) -> int:
    context = context_of(info)
    wanted, _ = _wanted(column, info, None)
    return context.world.index.count(wanted, context.may_see, context.world.clock.today())


def _weight(column: BoardList, info: Info) -> int | None:
    context = context_of(info)
    if not context.world.licensed("premium"):
        return None
    wanted, _ = _wanted(column, info, None)
    issues = context.world.index.matching(wanted, context.may_see, context.world.clock.today())
    return sum(one.weight or 0 for one in issues)


BOARD_FIELDS: Fields = {
    "Group": {"boards": _boards, "board": _board},
    "Board": {
        "id": lambda board, _: gid("Board", board.id),
        "webPath": lambda board, _: board.path,
        "webUrl": lambda board, info: info.context.base_url + board.path,
        "createdAt": lambda board, _: board.created,
        "updatedAt": lambda board, _: board.updated,
        "hideBacklogList": lambda board, _: board.hide_backlog,
        "hideClosedList": lambda board, _: board.hide_closed,
        "iteration": lambda *_: None,
        "labels": lambda board, _, **args: listed(board.labels, args),
        "lists": _lists,
    },
    "BoardList": {
        "id": lambda column, _: gid("List", column.id),
        "listType": lambda column, _: column.kind,
        "iteration": lambda *_: None,
        "issuesCount": _count,
        "totalIssueWeight": _weight,
        "maxIssueCount": lambda *_: 0,
        "maxIssueWeight": lambda *_: 0,
        "limitMetric": lambda *_: "all_metrics",
        "issues": _issues,
    },
}
