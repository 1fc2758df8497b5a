"""Conflicts: changes by others to the same field need a decision; all else merges silently."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.conflicts import conflicts, seen_without, shown_by
from glboard_core.board.operations import Comment, Create, Edit, GroupId, Op, OpId, Rank
from glboard_core.demo.http.server import DemoServer
from glboard_core.model.issue import Issue, scope_of
from glboard_core.ports import Store
from glboard_core.sync.events import EngineNotice
from support import make
from support.engines import GROUP_LABEL, Session, session


async def conflict(context: Session, theirs: dict[str, Any], **mine: Any) -> list[str]:
    """Someone edits app#1 while an edit of ours is being sent; returns the fields in conflict."""
    ops = context.edit("app#1", **mine)
    assert ops
    context.world.edit("top/app#1", by="eng_1", **theirs)
    await context.settled()
    return [clash.field for clash in context.engine.outbox.conflicting(ops[0].issue)]


async def test_the_same_field_waits(context: Session) -> None:
    assert await conflict(context, {"weight": 5}, weight=8) == ["weight"]
    assert context.there("app#1").weight == 5
    assert context.issue("app#1").weight == 8
    assert (context.engine.status.conflicts, context.engine.status.unsent) == (1, 1)
    [clash] = context.engine.outbox.conflicting(context.issue("app#1").id)
    assert (clash.saw, clash.mine, clash.theirs) == ("1", "8", "5")


async def test_keep_mine_overwrites_the_server(context: Session) -> None:
    await conflict(context, {"weight": 5}, weight=8)
    context.engine.keep_mine(context.issue("app#1").id)
    await context.settled()
    assert context.there("app#1").weight == 8
    assert context.engine.status.conflicts == 0
    # Undo restores the other person's value.
    context.engine.undoing.undo()
    await context.settled()
    assert context.there("app#1").weight == 5


async def test_keep_theirs_discards_mine(context: Session) -> None:
    await conflict(context, {"weight": 5}, weight=8)
    context.engine.keep_theirs(context.issue("app#1").id)
    await context.settled()
    assert context.there("app#1").weight == context.issue("app#1").weight == 5
    assert context.engine.status.unsent == 0
    assert context.engine.store.log()[0].result == "dropped"
    assert context.engine.undoing.undo() is None


async def test_changes_after_a_conflict_wait_with_it(context: Session) -> None:
    await conflict(context, {"weight": 5}, weight=8)
    context.edit("app#1", milestone="19.9")
    context.comment("app#1", "After it")
    context.edit("app#2", weight=3)
    await context.settled()
    assert context.there("app#2").weight == 3
    assert context.there("app#1").milestone.title == "19.7"
    context.engine.keep_mine(context.issue("app#1").id)
    await context.settled()
    assert context.there("app#1").milestone.title == "19.9"
    assert context.notes_there("app#1") == ["After it"]


async def test_different_fields_merge(context: Session) -> None:
    assert await conflict(context, {"weight": 5, "title": "Theirs"}, milestone="19.9") == []
    there = context.there("app#1")
    assert (there.weight, there.title, there.milestone.title) == (5, "Theirs", "19.9")
    assert context.issue("app#1").weight == 5


async def test_labels_merge(context: Session) -> None:
    assert await conflict(context, {"add_labels": ["documentation"]}, add=frozenset({"Deliverable"})) == []
    assert context.labels_there("app#1") == {GROUP_LABEL, "type::bug", "documentation", "Deliverable"}


async def test_a_scope_is_one_field(context: Session) -> None:
    mine = frozenset({"workflow::in review"})
    assert await conflict(context, {"add_labels": ["workflow::in dev"]}, add=mine) == ["workflow"]
    assert "workflow::in dev" in context.labels_there("app#1")


async def test_the_same_change_by_both_is_no_conflict(context: Session) -> None:
    theirs = {"weight": 8, "assignees": ["eng_2", "eng_1"], "title": "Same"}
    assert await conflict(context, theirs, weight=8, assignees=("eng_1", "eng_2"), title="Same ") == []


async def test_a_description_is_read_before_it_is_overwritten(context: Session) -> None:
    context.world.edit("top/app#1", by="eng_1", description="Old")
    context.world.edit("top/app#2", by="eng_1", description="Old")
    await context.refreshed()
    context.world.edit("top/app#1", by="eng_1", description="Theirs")
    for name in ("app#1", "app#2"):
        context.edit(name, description="Mine", description_was="Old")
    context.edit("app#1", weight=4)
    await context.settled()
    assert context.there("app#1").description == "Theirs"
    assert context.there("app#1").weight == 1
    assert context.there("app#2").description == "Mine"
    [clash] = context.engine.outbox.conflicting(context.issue("app#1").id)
    assert (clash.field, clash.saw, clash.theirs) == ("description", "Old", "Theirs")
    context.engine.keep_mine(context.issue("app#1").id)
    await context.settled()
    assert context.there("app#1").description == "Mine"
    assert context.there("app#1").weight == 4


async def test_undo_checks_the_same_way(context: Session) -> None:
    context.edit("app#1", weight=8)
    context.edit("app#2", weight=8)
    await context.settled()
    context.world.edit("top/app#1", by="eng_1", weight=5)
    context.engine.undoing.undo()
    context.engine.undoing.undo()
    await context.settled()
    assert context.there("app#2").weight == 1
    assert context.there("app#1").weight == 5
    assert [clash.field for clash in context.engine.outbox.conflicting(context.issue("app#1").id)] == [
        "weight"
    ]


async def test_a_conflict_survives_a_restart(server: DemoServer, store: Store) -> None:
    async with session(server, store) as context:
        await conflict(context, {"weight": 5}, weight=8)
    async with session(server, store) as context:
        assert context.engine.status.conflicts == 1
        assert any(isinstance(event, EngineNotice) for event in context.events)
        assert context.there("app#1").weight == 5
        context.engine.keep_mine(context.issue("app#1").id)
        await context.settled()
        assert context.there("app#1").weight == 8


async def test_a_deleted_issue_is_reported(context: Session) -> None:
    context.edit("app#1", weight=8)
    context.world.delete("top/app#1")
    await context.settled()
    await context.engine.poller.reconcile()
    [(op, _)] = context.engine.failed
    assert op.change == Edit(weight=8)
    assert not context.known("app#1")
    # Retrying a change to a deleted issue keeps it in the list.
    context.engine.retry(op.id)
    [(_, error)] = context.engine.failed
    assert "no longer exists" in error.message
    assert context.engine.status.failed == 1


async def test_a_rank_next_to_a_deleted_issue_is_reported(context: Session) -> None:
    above = context.issue("app#9").id
    context.world.delete("top/app#9")
    context.do(
        "app#1", Rank(above=above, position=4600.0, was_below=context.issue("app#2").id, was_position=500.0)
    )
    context.edit("app#1", weight=3)
    await context.settled()
    assert context.there("app#1").weight == 3
    assert [type(op.change) for op, _ in context.engine.failed] == [Rank]
    assert context.issue("app#1").position == 500


# Properties of the comparison


def op_on(before: Issue | None, edit: Any) -> Op:
    """An Op of a person who saw ``before``."""
    return Op(
        id=OpId("1"), group=GroupId("g"), issue=make.issue_id(1), change=edit, at=make.WHEN, before=before
    )


def one_of_each_scope(labels: frozenset[str]) -> bool:
    """Whether no two labels exclude each other."""
    scopes = [scope for label in labels if (scope := scope_of(label)) is not None]
    return len(scopes) == len(set(scopes))


def edits() -> st.SearchStrategy[Edit]:
    """Any edit of the fields that an issue shows."""
    return st.builds(
        lambda add, remove, fields: Edit(add=add, remove=remove - add, **fields),
        make.label_sets,
        make.label_sets,
        st.fixed_dictionaries(
            {},
            optional={
                "weight": st.none() | st.integers(0, 9),
                "milestone": st.sampled_from([None, "19.8", "19.9"]),
                "assignees": st.lists(make.usernames, unique=True, max_size=2).map(tuple),
                "title": st.sampled_from(["A", "B "]),
                "state": st.sampled_from(["opened", "closed"]),
            },
        ),
    )


@given(make.issues(1), edits())
def test_no_change_in_between_is_no_conflict(issue: Issue, edit: Edit) -> None:
    assert conflicts(op_on(issue, edit), issue) == ()


@given(make.issues(1), edits())
def test_a_value_already_set_is_no_conflict(issue: Issue, edit: Edit) -> None:
    after = edit.apply(issue)
    found = {clash.field for clash in conflicts(op_on(issue, edit), after)}
    # An edit never results in two labels of one scope.
    scopes = {scope_of(label) for label in edit.add}
    assert all(sum(scope_of(label) == scope for label in edit.add) > 1 for scope in found & scopes)
    assert found <= scopes


@given(make.issues(1), edits(), edits())
def test_only_fields_changed_by_both_conflict(issue: Issue, mine: Edit, theirs: Edit) -> None:
    now = theirs.apply(issue)
    for clash in conflicts(op_on(issue, mine), now):
        if clash.field in Edit.__struct_fields__:
            assert getattr(now, clash.field) != getattr(issue, clash.field)
        else:
            changed = now.labels ^ issue.labels
            assert any(scope_of(label) == clash.field for label in changed)


@given(make.issues(1), make.issues(1), edits())
def test_keep_mine_leaves_no_conflict(saw: Issue, now: Issue, edit: Edit) -> None:
    assert conflicts(op_on(saw, edit), now) == conflicts(op_on(saw, edit), now)
    assert conflicts(op_on(now, edit), now) == ()


@given(make.issues(1), make.issues(1))
def test_only_edits_conflict(saw: Issue, now: Issue) -> None:
    for change in (Comment(body="x"), Rank(above=make.issue_id(2)), Create(project="p", title="t")):
        assert conflicts(op_on(saw, change), now) == ()
    assert conflicts(op_on(None, Edit(weight=3)), now) == ()


@given(make.issues(1), st.lists(edits(), max_size=4))
def test_edits_made_in_order_show_in_the_issue(issue: Issue, changes: list[Edit]) -> None:
    # Two labels of one scope at once are an error that GitLab does not allow.
    assume(all(one_of_each_scope(labels) for labels in (issue.labels, *(change.add for change in changes))))
    ops = [structs.replace(op_on(None, change), id=OpId(str(n))) for n, change in enumerate(changes)]
    for op in ops:
        issue = op.change.apply(issue)
    assert shown_by(ops, issue) == ops


@given(make.issues(1), edits(), edits())
def test_without_a_failed_edit_other_fields_are_as_seen(saw: Issue, refused: Edit, next_: Edit) -> None:
    """After a failure its fields have no conflict, and other fields conflict as before."""
    shown = refused.apply(saw)
    assert conflicts(op_on(seen_without(shown, refused, saw), next_), saw) == ()
