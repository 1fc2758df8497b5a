"""A draft as a value: what its changes amount to, and what others changed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.draft import Draft, DraftId, rebased, squeezed, staged_issues
from glboard_core.board.operations import Change, Comment, Create, Edit, GroupId, Op, OpId, Rank, fold_one
from glboard_core.board.undo import Group
from glboard_core.model.issue import Issue, IssueId
from support import make

FIRST = structs.replace(make.issue(1), weight=1, milestone="19.8")
EMPTY = Draft(id=DraftId("d"), name="what if")


def staged(*changes: Change, issue: Issue = FIRST) -> Draft:
    """Each change as one keystroke on one issue."""
    draft, now = EMPTY, issue
    for number, change in enumerate(changes):
        op = Op(
            id=OpId(f"{issue.id} {number}"),
            group=GroupId(f"g{number}"),
            issue=issue.id,
            change=change,
            at=make.WHEN,
            before=now,
        )
        draft = draft.staged(Group(id=op.group, title=f"key {number}", ops=(op,)))
        now = change.apply(now)
    return draft


def what(draft: Draft, now: Issue | None = FIRST) -> list[tuple[str, ...]]:
    return [one.what for one in staged_issues(draft, lambda _: now)]


def test_edits_of_one_issue_are_one_and_say_what_they_amount_to() -> None:
    draft = staged(Edit(weight=2), Edit(milestone="19.9"), Edit(weight=5, add=frozenset({"Deliverable"})))
    [one] = staged_issues(draft, lambda _: FIRST)
    assert len(one.ops) == 1
    assert one.ops[0].change == Edit(weight=5, milestone="19.9", add=frozenset({"Deliverable"}))
    assert one.what[:2] == ("milestone 19.8 to 19.9", "weight 1 to 5")


def test_edits_that_cancel_each_other_leave_nothing_to_send() -> None:
    draft = staged(
        Edit(weight=5), Edit(add=frozenset({"x"})), Edit(weight=FIRST.weight, remove=frozenset({"x"}))
    )
    [one] = staged_issues(draft, lambda _: FIRST)
    assert one.ops == ()
    assert one.what == ("no change left",)


def test_comments_and_ranks_stay_apart_from_the_edit() -> None:
    draft = staged(Edit(weight=5), Comment(body="why"), Edit(weight=6), Rank(above=IssueId("other")))
    [one] = staged_issues(draft, lambda _: FIRST)
    assert [type(op.change) for op in one.ops] == [Edit, Comment, Rank]
    assert one.what == ("weight 1 to 6", "1 comment", "rank to bottom")


def test_two_descriptions_are_compared_with_the_one_that_was_there_first() -> None:
    draft = staged(Edit(description="a", description_was="0"), Edit(description="b", description_was="a"))
    [op] = staged_issues(draft, lambda _: FIRST)[0].ops
    assert op.change == Edit(description="b", description_was="0")


def test_a_change_by_others_is_found_even_if_it_came_between_two_edits() -> None:
    others = structs.replace(FIRST, weight=8)
    draft = staged(Edit(weight=2), Edit(weight=3))
    [one] = staged_issues(draft, lambda _: others)
    assert [(c.field, c.saw, c.mine, c.theirs) for c in one.conflicts] == [("weight", "1", "3", "8")]
    # Another field of the same issue is no conflict, whenever it changed.
    moved = structs.replace(FIRST, milestone="19.9")
    assert staged_issues(draft, lambda _: moved)[0].conflicts == ()
    [op] = rebased(one.ops, others)
    assert op.before == others


def test_an_issue_that_is_gone_cannot_be_changed() -> None:
    [one] = staged_issues(staged(Edit(weight=2)), lambda _: None)
    assert one.is_gone
    assert one.issue == FIRST


def test_undo_takes_keystrokes_out_and_redo_puts_them_back() -> None:
    draft = staged(Edit(weight=2), Edit(weight=3))
    less = draft.undo()
    assert [op.change for op in less.ops] == [Edit(weight=2)]
    assert less.redone(draft.groups[-1]) == draft
    assert less.staged(draft.groups[-1]).undone == ()
    assert EMPTY.undo() == EMPTY


def test_what_is_dropped_can_be_redone_and_takes_ranks_next_to_a_new_issue_along() -> None:
    new = IssueId("new:1")
    create = Create(project="top/app", title="t")
    made = Op(id=OpId("c"), group=GroupId("g"), issue=new, change=create, at=make.WHEN)
    rank = Op(
        id=OpId("r"), group=GroupId("g"), issue=FIRST.id, change=Rank(above=new), at=make.WHEN, before=FIRST
    )
    draft = EMPTY.staged(Group(id=made.group, title="k", ops=(made, rank)))
    assert draft.with_needed([FIRST.id]) == [new, FIRST.id]
    assert draft.with_needed([new]) == [new]
    dropped = draft.dropped([new])
    assert dropped.ops == []
    assert dropped.undone[-1].title == "2 dropped"
    assert draft.dropped([IssueId("unknown")]) == draft
    known = draft.with_server_id(new, IssueId("gid"))
    assert known.issues == [IssueId("gid"), FIRST.id]
    assert known.ops[1].change.neighbours == ("gid",)


LABELS = ("Deliverable", "x", "workflow::a", "workflow::b", "workflow::c")
labels = st.frozensets(st.sampled_from(LABELS), max_size=2)
people = st.frozensets(st.sampled_from(["alder", "birch", "cedar"]), max_size=2)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    add, assign = draw(labels), draw(people)
    scoped = sorted(label for label in add if "::" in label)
    values: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "weight": st.sampled_from([None, 1, 2]),
                "milestone": st.sampled_from([None, "19.8", "19.9"]),
                "state": st.sampled_from(["opened", "closed"]),
            },
        )
    )
    return Edit(
        add=add - set(scoped[1:]),
        remove=draw(labels) - add,
        assign=assign,
        unassign=draw(people) - assign,
        **values,
    )


@given(st.lists(edits(), min_size=1, max_size=6))
def test_what_is_sent_has_the_effect_of_all_that_was_staged(changes: Sequence[Edit]) -> None:
    ops = staged(*changes).ops
    one, all_ = fold_one(FIRST, squeezed(ops)), fold_one(FIRST, ops)
    assert one is not None
    assert all_ is not None
    assert structs.replace(one, assignees=()) == structs.replace(all_, assignees=())
    assert set(one.assignees) == set(all_.assignees)
    assert len(squeezed(ops)) <= 1
