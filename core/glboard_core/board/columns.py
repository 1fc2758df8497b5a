"""Which columns an issue is in.

Owns the board's filter and the membership rule of each kind of column. An issue with two list labels is in
both columns; one that fits no column is in (unlisted); a closed one is only in (closed).
"""

from __future__ import annotations

from msgspec import Struct, structs

from glboard_core.board.definition import CLOSED, UNASSIGNED, UNLISTED, Board, Column
from glboard_core.model.issue import Placeable
from glboard_core.model.query import IssueQuery
from glboard_core.model.workflow import STATES, WorkflowScheme


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


# The queries that read a board column by column, so that columns can be read concurrently. Pure.


class Part(Struct, frozen=True):
    """A query, and the keys of the columns it reads; empty: all columns of the board."""

    query: IssueQuery
    keys: frozenset[str] | None = None


def parts(board: Board, flow: WorkflowScheme) -> list[Part]:
    """The queries for a board's open issues. A column is complete once all parts with its key are read."""
    base = IssueQuery(
        labels=tuple(sorted(board.labels)),
        without=tuple(sorted(board.without)),
        milestone=board.milestone,
        state="opened",
    )
    kind = board.columns[0].kind if board.columns else None
    if kind == "label":
        titles = {column.key: [column.value or ""] for column in board.columns}
    elif kind == "flow" and flow.backend != "status":
        titles = {column.key: _labels(column, board, flow) for column in board.columns}
    elif kind == "milestone" and board.milestone is None:
        return _by_milestone(board, base)
    else:
        return [Part(base)]
    found = [
        Part(structs.replace(base, labels=(*base.labels, title)), frozenset({key}))
        for key, values in titles.items()
        for title in values
        if title not in base.labels
    ]
    listed = sorted({title for values in titles.values() for title in values})
    found.append(Part(structs.replace(base, without=(*base.without, *listed)), frozenset({UNLISTED})))
    return found


def _labels(column: Column, board: Board, flow: WorkflowScheme) -> list[str]:
    """The labels that put an issue into a workflow column: its own, and those of the states it absorbed."""
    listed = {other.value for other in board.columns}
    return [
        flow.label(state)
        for state in STATES
        if state.name == column.value or (state.shown_as == column.value and state.name not in listed)
    ]


def _by_milestone(board: Board, base: IssueQuery) -> list[Part]:
    titles = [(column.key, column.value or "") for column in board.columns]
    found = [Part(structs.replace(base, milestone=title), frozenset({key})) for key, title in titles]
    listed = tuple(sorted(title for _, title in titles if title))
    return [*found, Part(structs.replace(base, without_milestones=listed), frozenset({UNLISTED}))]
