"""What events prove about an edit whose answer was lost: never more than they record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.board.conflicts import conflicts, kinds, proven_by_events
from glboard_core.board.operations import Change, Comment, Edit, GroupId, Op, OpId
from glboard_core.model.event import Event, EventAction, EventKind
from glboard_core.model.issue import Issue
from support import make

ME, OTHER = "em_willow", "eng_1"
LATER = make.WHEN + timedelta(hours=1)
SAW = make.issue(1, "workflow::in dev", weight=1, milestone="19.7")


def op(change: Change, before: Issue | None = SAW, name: str = "1") -> Op:
    """An Op created at WHEN."""
    return Op(
        id=OpId(name), group=GroupId("g"), issue=make.issue_id(1), change=change, at=make.WHEN, before=before
    )


def event(
    number: int,
    kind: EventKind,
    action: EventAction,
    value: object = None,
    *,
    by: str = ME,
    at: datetime = LATER,
) -> Event:
    """An event; the number is its order."""
    return Event(kind=kind, action=action, value=value, by=by, at=at, id=number)  # type: ignore[arg-type]


def judge(ops: list[Op], events: list[Event], **now: Any) -> list[str]:
    """The names of the proven Ops."""
    there = make.issue(1, **{"weight": 9, **now})
    return [
        found.id for found in proven_by_events(ops, there, events, ME, {one.id: make.WHEN for one in ops})
    ]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (Edit(weight=5), [event(1, "weight", "add", 5)]),
        (Edit(weight=None), [event(1, "weight", "add", None)]),
        (Edit(milestone="19.8"), [event(1, "milestone", "add", "19.8")]),
        (Edit(milestone=None), [event(1, "milestone", "remove", "19.7")]),
        (Edit(state="closed"), [event(1, "state", "closed")]),
        (
            Edit(add=frozenset({"workflow::blocked"}), remove=frozenset({"workflow::in dev"})),
            [event(1, "label", "add", "workflow::blocked"), event(2, "label", "remove", "workflow::in dev")],
        ),
        (Edit(weight=5, state="closed"), [event(9, "weight", "add", 5), event(1, "state", "closed")]),
    ],
)
def test_each_field_is_proven_by_its_event(edit: Edit, told: list[Event]) -> None:
    theirs = [event(50, "weight", "add", 9, by=OTHER)]
    assert judge([op(edit)], [*told, *theirs]) == ["1"]
    assert kinds([op(edit)]) == {one.kind for one in told}
    # With an event missing, by another person, or from before the send, nothing is proven.
    for at in range(len(told)):
        rest = [*told[:at], *told[at + 1 :], *theirs]
        assert judge([op(edit)], rest) == []
        one = told[at]
        assert judge([op(edit)], [*rest, event(one.id, one.kind, one.action, one.value, by=OTHER)]) == []
        early = make.WHEN - timedelta(seconds=1)
        assert judge([op(edit)], [*rest, event(one.id, one.kind, one.action, one.value, at=early)]) == []


def test_fields_without_events_are_proven_only_by_the_issue() -> None:
    told = [event(1, "weight", "add", 5)]
    both = op(Edit(weight=5, assignees=("eng_1",)))
    assert judge([both], told, assignees=("eng_2",)) == []
    assert judge([both], told, assignees=("eng_1",)) == ["1"]
    assert judge([op(Edit(weight=5, description="x"))], told) == []
    assert judge([op(Edit(title="x"))], told) == []
    assert judge([op(Edit(weight=1))], told) == []  # it changed nothing, so the event is of another edit
    assert judge([op(Comment(body="x")), op(Edit(weight=5), None, "2")], told) == []
    assert kinds([op(Edit(title="x")), op(Comment(body="x")), op(Edit(weight=1))]) == frozenset()


def test_earlier_edit_of_the_same_value_proves_nothing() -> None:
    """5 was set, undone, and set again: the first event does not prove the last edit."""
    told = [
        event(1, "weight", "add", 5),
        event(2, "weight", "add", 1),
        event(3, "weight", "add", 9, by=OTHER),
    ]
    assert judge([op(Edit(weight=5))], told) == []


def test_several_edits_of_one_issue_are_told_apart() -> None:
    first, second = op(Edit(weight=5)), op(Edit(weight=7), make.issue(1, weight=5), "2")
    five, seven = event(1, "weight", "add", 5), event(2, "weight", "add", 7)
    theirs = event(3, "weight", "add", 9, by=OTHER)
    assert judge([first, second], [five, seven, theirs]) == ["1", "2"]
    # The second never arrived; the first is still proven.
    assert judge([first, second], [five, theirs]) == ["1"]
    assert judge([first, second], [theirs]) == []


values = st.integers(0, 3)


@given(st.lists(values, min_size=1, max_size=4), st.integers(0, 4), st.lists(values, max_size=4))
def test_no_more_is_proven_than_was_applied(weights: list[int], made: int, theirs: list[int]) -> None:
    """Only the first edits were applied, each on what was seen, and changes by others followed."""
    issue = make.issue(1, weight=100)
    ops: list[Op] = []
    for number, weight in enumerate(weights):
        if weight != issue.weight:
            ops.append(op(Edit(weight=weight), issue, str(number)))
            issue = ops[-1].change.apply(issue)
    done = ops[:made]
    told = [event(n, "weight", "add", one.change.weight) for n, one in enumerate(done)]  # type: ignore[union-attr]
    told += [event(100 + n, "weight", "add", value, by=OTHER) for n, value in enumerate(theirs)]
    found = judge(ops, told, weight=theirs[-1] if theirs else 50)
    assert len(found) <= len(done)
    if all(one.change != done[-1].change for one in ops[made:] if done):
        assert found == [one.id for one in done]


def test_a_status_that_gitlab_moved_with_the_state_is_no_conflict() -> None:
    closed = make.issue(1, state="closed", status="In review")
    reopening = op(Edit(state="opened", status="In review"), before=closed)
    assert conflicts(reopening, make.issue(1, state="closed", status="Complete")) == ()
    # Somebody else reopened it, and decided.
    (found,) = conflicts(reopening, make.issue(1, status="In dev"))
    assert (found.field, found.theirs) == ("status", "In dev")
    completing = op(Edit(state="closed", status="Complete"), before=make.issue(1, status="In dev"))
    assert conflicts(completing, make.issue(1, status="In review"))
