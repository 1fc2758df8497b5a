"""The undo stack: levels, redo, failed Ops, new ids."""

from __future__ import annotations

from glboard_core.board.operations import Create, Edit, GroupId, Op, OpId
from glboard_core.board.undo import Group, UndoStack, inverses, says
from glboard_core.model.issue import IssueId
from support.make import WHEN, issue, issue_id


def group(number: int, *changes: Edit) -> Group:
    ops = tuple(
        Op(
            id=OpId(f"{number}.{n}"),
            group=GroupId(str(number)),
            issue=issue_id(n),
            change=change,
            at=WHEN,
            before=issue(n, weight=9),
        )
        for n, change in enumerate(changes or (Edit(weight=number),))
    )
    return Group(id=GroupId(str(number)), title=f"weight {number}", ops=ops)


def test_keeps_at_least_a_hundred_levels() -> None:
    stack = UndoStack()
    for number in range(150):
        stack.done(group(number))
    for number in reversed(range(150)):
        taken = stack.undo()
        assert taken
        assert taken.title == f"weight {number}"
    assert stack.undo() is None


def test_redo_is_possible_until_a_new_edit() -> None:
    stack = UndoStack()
    stack.done(group(1))
    taken = stack.undo()
    assert taken
    stack.undone(taken)
    again = stack.redo()
    assert again == taken
    stack.redone(again)
    assert stack.last == again
    taken = stack.undo()
    assert taken
    stack.undone(taken)
    stack.done(group(2))
    assert stack.redo() is None


def test_bulk_edit_is_undone_completely_and_last_first() -> None:
    bulk = group(1, Edit(weight=1), Edit(weight=9), Edit(weight=2))
    assert inverses(bulk.ops) == [(issue_id(2), Edit(weight=9)), (issue_id(0), Edit(weight=9))]


def test_failed_op_is_forgotten() -> None:
    stack = UndoStack()
    stack.done(group(1, Edit(weight=1), Edit(weight=2)))
    stack.forget(OpId("1.0"))
    assert stack.last
    assert [op.id for op in stack.last.ops] == ["1.1"]
    stack.forget(OpId("1.1"))
    assert stack.last is None


def test_a_refused_group_stays_the_last_thing_done_until_it_is_discarded() -> None:
    stack = UndoStack()
    first, second = group(1), group(2, Edit(weight=1), Edit(weight=2))
    stack.done(first)
    stack.done(second)
    stack.refuse(second.ops[0], second.title)
    assert stack.last
    assert not stack.last.is_refused
    assert (stack.last.ops, stack.last.refused) == (second.ops[1:], second.ops[:1])
    stack.refuse(second.ops[1], second.title)
    assert stack.last.is_refused
    stack.keep_refused({second.ops[1].id})
    assert stack.last.refused == second.ops[1:]
    stack.keep_refused(set())
    assert stack.last == first


def test_a_refused_change_of_an_earlier_session_becomes_the_last_thing_done() -> None:
    stack = UndoStack()
    stack.done(group(1))
    (op,) = group(2).ops
    stack.refuse(op, "undo: weight 2")
    assert stack.last == Group(id=op.group, title="undo: weight 2", ops=(), refused=(op,))


def test_new_issue_keeps_its_place_under_its_new_id() -> None:
    stack = UndoStack()
    new = IssueId("new:1")
    op = Op(id=OpId("1"), group=GroupId("1"), issue=new, change=Create(project="p", title="t"), at=WHEN)
    stack.done(Group(id=op.group, title="new", ops=(op,)))
    stack.rename(new, issue_id(5))
    assert stack.last
    assert inverses(stack.last.ops) == [(issue_id(5), Edit(state="closed"))]
    assert "closes" in says(stack.last.ops)
    assert says(()) == ""
