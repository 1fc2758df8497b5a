"""Label and status name different states: which is right, and the edit for the other one."""

from __future__ import annotations

from msgspec import structs

from glboard_core.board.edits import set_flow
from glboard_core.board.flow_differences import aligned, alignment
from glboard_core.board.operations import Edit
from glboard_core.model.workflow import BY_NAME, WorkflowScheme
from support.make import issue

BOTH = WorkflowScheme(backend="both")
ONE = issue(1, labels=frozenset({"workflow::in dev"}), status="In review")


def test_the_one_that_is_right_decides_the_other() -> None:
    assert aligned(ONE, BOTH, "label") == Edit(status="In dev")
    assert aligned(ONE, BOTH, "status") == Edit(
        add=frozenset({"workflow::in review"}), remove=frozenset({"workflow::in dev"})
    )
    for right in ("label", "status"):
        edit = aligned(ONE, BOTH, right)
        assert edit is not None
        assert not BOTH.conflict(edit.apply(ONE))


def test_what_does_not_differ_is_left() -> None:
    same = structs.replace(ONE, status="In dev")
    assert aligned(same, BOTH, "label") is None
    assert aligned(ONE, WorkflowScheme(), "label") is None
    work = alignment([same], BOTH, "ask")
    assert work.question is None
    assert (work.changes, work.why_not) == ((), "label and status do not differ")


def test_it_is_asked_which_is_right_unless_that_is_configured() -> None:
    work = alignment([ONE], BOTH, "ask")
    assert work.question is not None
    assert work.question.text == "platform#1: label and status differ. Which do you want to keep?"
    assert work.question.choices == {"y": "the label: in dev", "s": "the status: in review"}
    assert work.answered("s").changes[0][1] == aligned(ONE, BOTH, "status")
    assert alignment([ONE], BOTH, "status").question is None
    two = alignment([ONE, structs.replace(ONE, id=issue(2).id)], BOTH, "ask")
    assert two.question is not None
    assert two.question.text.startswith("2 issues: label and status differ.")


def test_a_group_can_name_its_own_statuses() -> None:
    scheme = WorkflowScheme(
        backend="status", statuses=(("in dev", "In progress"), ("ready for development", "To do"))
    )
    assert scheme.by_status(issue(1, status="in progress")) == BY_NAME["in dev"]
    assert scheme.by_status(issue(1, status="In dev")) is None
    assert set_flow(issue(1), BY_NAME["ready for development"], scheme) == Edit(status="To do")
