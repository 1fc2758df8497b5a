"""Reading a board column by column: together the queries find everything the columns show."""

from __future__ import annotations

import pytest

from glboard_core.board.columns import column_keys, matches, parts
from glboard_core.board.definition import UNLISTED, Board, Column
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
    return tuple(Column(key=f"workflow::{n}", title=n, kind="flow", value=n) for n in names)


TYPES = tuple(Column(key=f"type::{n}", title=n, kind="label", value=f"type::{n}") for n in ("bug", "feature"))
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
        columns=tuple(Column(key=t, title=t, kind="milestone", value=t) for t in ("19.8", "Backlog")),
    ),
    "people": Board(id="b", name="B", milestone="19.8"),
    "all": Board(id="b", name="B", milestone="", columns=(Column(key="(all)", title="B", kind="all"),)),
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
    questions = parts(board, scheme)
    for one in ISSUES:
        found = [part for part in questions if finds(part.query, one)]
        assert bool(found) == matches(board, one)
        for key in column_keys(board, one, scheme):
            assert any(part.keys is None or key in part.keys for part in found), (key, one)


def test_columns_that_cannot_be_queried_alone_are_read_at_once() -> None:
    assert len(parts(BOARDS["flow"], WorkflowScheme(backend="status"))) == 1
    assert len(parts(BOARDS["people"], WorkflowScheme())) == 1
    # Two states in one column need two queries; the remaining issues need one more.
    keys = [part.keys for part in parts(BOARDS["flow"], WorkflowScheme())]
    assert keys.count(frozenset({"workflow::planning breakdown"})) == 2
    assert keys[-1] == frozenset({UNLISTED})
