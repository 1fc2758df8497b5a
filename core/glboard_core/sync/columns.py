"""The queries that read a board column by column, so that columns can be read concurrently. Pure.

Owns the translation of a column into a GitLab filter. If that is impossible (a status, people not known yet),
one query reads the whole board.
"""

from __future__ import annotations

from msgspec import Struct, structs

from glboard_core.board.definition import UNLISTED, Board, Column
from glboard_core.model.workflow import STATES, WorkflowScheme
from glboard_core.ports import IssueQuery


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
