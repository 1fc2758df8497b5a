"""Which columns an issue is in.

Owns the board's filter and the membership rule of each kind of column. An issue with two list labels is in
both columns; one that fits no column is in (unlisted); a closed one is only in (closed).
"""

from __future__ import annotations

from glboard_core.board.definition import CLOSED, UNASSIGNED, UNLISTED, Board, Column
from glboard_core.model.slim import Placeable
from glboard_core.model.workflow import WorkflowScheme


def matches(board: Board, issue: Placeable) -> bool:
    """Whether the issue matches the board's filter, open or closed."""
    if board.milestone is not None and (issue.milestone or "") != board.milestone:
        return False
    return board.labels <= issue.labels and board.without.isdisjoint(issue.labels)


def column_keys(board: Board, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
    """The keys of the columns the issue is in, in order; empty if it is not on the board."""
    if not matches(board, issue):
        return ()
    if not issue.is_open:
        return (CLOSED,)
    if not board.columns:
        return (UNLISTED,)
    kind = board.columns[0].kind
    if kind == "all":
        return (board.columns[0].key,)
    if kind == "assignee":
        return issue.assignees or (UNASSIGNED,)
    if kind == "flow":
        found = _flow_keys(board.columns, issue, flow)
    elif kind == "milestone":
        found = tuple(c.key for c in board.columns if c.value == issue.milestone)
    else:
        found = tuple(c.key for c in board.columns if c.value in issue.labels)
    return found or (UNLISTED,)


def _flow_keys(columns: tuple[Column, ...], issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
    listed = {column.value for column in columns}
    # An absorbed state (scheduling) is shown in the other's column, unless the board has one for it.
    values = {
        state.name if state.name in listed else (state.shown_as or state.name) for state in flow.all_of(issue)
    }
    return tuple(column.key for column in columns if column.value in values)
