"""Reading a board column by column: together the queries find everything the columns show."""

from __future__ import annotations

import pytest

from glboard_core.board.columns import (
    UNLISTED,
    AllColumn,
    Column,
    FlowColumn,
    LabelColumn,
    MilestoneColumn,
)
from glboard_core.board.definition import Board
from glboard_core.model.issue import Issue
from glboard_core.model.query import IssueQuery
from glboard_core.model.workflow import WorkflowScheme
from support.make import issue


def finds(query: IssueQuery, one: Issue) -> bool:
    """GitLab's matching: all labels present, none of the excluded ones, exact titles."""
    return (
        one.is_open
        and set(query.labels) <= one.labels
        and one.labels.isdisjoint(query.without)
        and (query.milestone is None or (one.milestone or "") == query.milestone)
        and one.milestone not in query.without_milestones
    )


def flow(*names: str) -> tuple[Column, ...]:
    return tuple(FlowColumn(key=f"workflow::{n}", title=n, value=n) for n in names)


TYPES = tuple(LabelColumn(key=f"type::{n}", title=n, value=f"type::{n}") for n in ("bug", "feature"))
BOARDS = {
    "label": Board(id="b", name="B", milestone="19.8", labels=frozenset({"g"}), columns=TYPES),
    "flow": Board(
        id="b",
        name="B",
        labels=frozenset({"g"}),
        without=frozenset({"type::ignore"}),
        columns=flow("planning breakdown", "in dev"),
    ),
    "flow with scheduling": Board(id="b", name="B", columns=flow("planning breakdown", "scheduling")),
    "milestone": Board(
        id="b",
        name="B",
        columns=tuple(MilestoneColumn(key=t, title=t, value=t) for t in ("19.8", "Backlog")),
    ),
    "people": Board(id="b", name="B", milestone="19.8"),
    "all": Board(id="b", name="B", milestone="", columns=(AllColumn(key="(all)", title="B"),)),
}
ISSUES = [
    issue(number, labels=frozenset(labels), milestone=milestone)
    for number, (labels, milestone) in enumerate(
        (labels, milestone)
        for milestone in ("19.8", "19.9", "Backlog", None)
        for labels in (
            {"g"},
            {"g", "type::bug"},
            {"g", "type::feature", "workflow::in dev"},
            {"g", "type::bug", "type::feature"},
            {"g", "workflow::scheduling"},
            {"g", "workflow::planning breakdown", "type::ignore"},
            {"type::bug", "workflow::complete"},
        )
    )
]


@pytest.mark.parametrize("backend", ["label", "both", "status"])
@pytest.mark.parametrize("name", BOARDS)
def test_queries_of_a_column_find_its_issues(name: str, backend: str) -> None:
    board = BOARDS[name]
    scheme = WorkflowScheme(backend=backend)  # type: ignore[arg-type]
    questions = board.queries(scheme)
    for one in ISSUES:
        found = [part for part in questions if finds(part.query, one)]
        assert bool(found) == board.matches(one)
        for key in board.keys_of(one, scheme):
            assert any(part.keys is None or key in part.keys for part in found), (key, one)


def test_columns_that_cannot_be_queried_alone_are_read_at_once() -> None:
    assert len(BOARDS["flow"].queries(WorkflowScheme(backend="status"))) == 1
    assert len(BOARDS["people"].queries(WorkflowScheme())) == 1
    # Two states in one column need two queries; the remaining issues need one more.
    keys = [part.keys for part in BOARDS["flow"].queries(WorkflowScheme())]
    assert keys.count(frozenset({"workflow::planning breakdown"})) == 2
    assert keys[-1] == frozenset({UNLISTED})
