"""The laws of Ops and of the fold, for any issue and any edit."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from glboard_core.board.fields import FIELDS
from glboard_core.board.operations import (
    Change,
    Comment,
    Create,
    DeleteNote,
    Edit,
    GroupId,
    Op,
    OpId,
    Rank,
    fold_one,
    labels_after,
)
from glboard_core.model.issue import Issue, IssueId, scope_of
from support.make import WHEN, issue, issue_id, issues, label_sets, usernames


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    values: dict[str, object] = {}
    choices: dict[str, st.SearchStrategy[object]] = {
        "weight": st.none() | st.integers(0, 9),
        "milestone": st.none() | st.sampled_from(["19.8", "19.9"]),
        "assignees": st.lists(usernames, unique=True, max_size=2).map(tuple),
        "state": st.sampled_from(["opened", "closed"]),
        "title": st.text(max_size=5),
    }
    for name in draw(st.sets(st.sampled_from(sorted(choices)))):
        values[name] = draw(choices[name])
    add, people = draw(label_sets), st.frozensets(usernames, max_size=2)
    assign = draw(people)
    remove, unassign = draw(label_sets) - add, draw(people) - assign
    return Edit(add=add, remove=remove, assign=assign, unassign=unassign, **values)  # type: ignore[arg-type]


def op(change: Change, identity: IssueId | None = None, before: Issue | None = None, number: int = 1) -> Op:
    return Op(
        id=OpId(f"op{number}"),
        group=GroupId("g"),
        issue=identity or issue_id(1),
        change=change,
        at=WHEN,
        before=before,
    )


def shown(confirmed: list[Issue], ops: list[Op]) -> list[Issue | None]:
    return [fold_one(one, [op for op in ops if op.issue == one.id]) for one in confirmed]


@given(issues(), edits())
def test_undo_of_do_is_identity(before: Issue, edit: Edit) -> None:
    after = edit.apply(before)
    back = edit.inverse(before, OpId("x"))
    undone = back.apply(after) if back else after
    assert sorted(undone.assignees) == sorted(before.assignees)
    undone = structs.replace(undone, assignees=before.assignees)
    scopes = [scope for label in before.labels if (scope := scope_of(label))]
    if len(scopes) == len(set(scopes)):
        assert undone == before
    else:
        # GitLab does not allow two labels of one scope again: one of them is there, and all other labels.
        assert structs.replace(undone, labels=before.labels) == before
        assert undone.labels <= before.labels
        lost = before.labels - undone.labels
        assert {scope_of(label) for label in lost} <= {scope_of(label) for label in undone.labels} - {None}


@given(issues(), edits())
def test_edit_without_changes_has_no_undo(before: Issue, edit: Edit) -> None:
    if edit.changes_nothing(before):
        assert edit.inverse(before, OpId("x")) is None


@given(issues(), edits())
def test_applying_twice_is_applying_once(before: Issue, edit: Edit) -> None:
    once = edit.apply(before)
    # A person cannot add two labels of one scope at once.
    if len({scope_of(a) for a in edit.add}) == len(edit.add):
        assert edit.apply(once) == once


@given(issues(1), issues(2), edits(), edits())
def test_edits_of_different_issues_commute(one: Issue, two: Issue, first: Edit, second: Edit) -> None:
    a, b = op(first, one.id, number=1), op(second, two.id, number=2)
    assert shown([one, two], [a, b]) == shown([one, two], [b, a])


@given(issues(), edits(), edits())
def test_edits_of_different_fields_commute(before: Issue, first: Edit, second: Edit) -> None:
    if first.touches().isdisjoint(second.touches()):
        assert second.apply(first.apply(before)) == first.apply(second.apply(before))


@given(issues(), edits())
def test_only_touched_fields_change(before: Issue, edit: Edit) -> None:
    after = edit.apply(before)
    fields = ("labels", "weight", "milestone", "assignees", "state", "status", "title")
    for name in fields:
        if name not in edit.touches():
            assert getattr(after, name) == getattr(before, name)


@given(label_sets, label_sets, label_sets)
def test_added_scoped_label_is_the_only_one_of_its_scope(
    labels: frozenset[str], add: frozenset[str], remove: frozenset[str]
) -> None:
    after = labels_after(labels, add, remove - add)
    for label in add - labels:
        scope = scope_of(label)
        if scope is not None:
            assert {other for other in after if scope_of(other) == scope} <= add


def test_two_labels_of_one_scope_stay_when_untouched() -> None:
    labels = frozenset({"type::bug", "type::feature"})
    assert labels_after(labels, frozenset({"type::bug", "Deliverable"}), frozenset()) == labels | {
        "Deliverable"
    }


def test_new_issue_is_shown_at_once_and_can_be_edited() -> None:
    new = IssueId("new:1")
    change = Create(project="demo-org/platform", title="Later", labels=frozenset({"type::bug"}), weight=1)
    found = fold_one(None, [op(change, new, number=1), op(Edit(weight=3), new, number=2)])
    assert found is not None
    assert found.weight == 3
    assert found.labels == {"type::bug"}
    assert found.reference == "demo-org/platform#new"
    assert fold_one(None, [op(Edit(weight=1))]) is None


def test_each_act_has_its_inverse() -> None:
    assert Comment(body="x").inverse(None, OpId("7")) == DeleteNote(of=OpId("7"), body="x")
    assert DeleteNote(of=OpId("7"), body="x").inverse(None, OpId("8")) == Comment(body="x")
    assert Create(project="p", title="t").inverse(None, OpId("7")) == Edit(state="closed")
    rank = Rank(above=issue_id(1), position=3.0, was_below=issue_id(2), was_position=9.0)
    back = rank.inverse(None, OpId("7"))
    assert back == Rank(below=issue_id(2), position=9.0, was_above=issue_id(1), was_position=3.0)
    description = Edit(description="new", description_was="old")
    assert description.inverse(issue(), OpId("7")) == Edit(description="old", description_was="new")


def test_table_of_fields_is_that_of_an_edit_and_an_issue() -> None:
    names = {field.name for field in FIELDS}
    others = {"add", "remove", "assign", "unassign", "description", "description_was"}
    assert names == set(Edit.__struct_fields__) - others
    assert names <= set(Issue.__struct_fields__)
    for field in FIELDS:
        edit = Edit(**{field.name: getattr(issue(1), field.name)})
        assert edit.touches() == {field.name}
        assert edit.describe() != "nothing"
        assert edit.missing_on(issue(1)) == Edit()


def test_rank_moves_and_notes_count() -> None:
    before = issue(1, notes=0)
    assert Rank(position=0.5).apply(before).position == 0.5
    assert Comment(body="x").apply(before).notes == 1
    assert DeleteNote(of=OpId("7")).apply(before).notes == 0
    assert fold_one(None, [op(Create(project="p", title="t"), IssueId("new:1"))]) is not None


def test_describe() -> None:
    before = issue(1, "workflow::in dev")
    move = Edit(add=frozenset({"workflow::in review"}), remove=frozenset({"workflow::in dev"}))
    assert move.describe(before) == "+workflow::in review"
    assert Edit(weight=None).describe() == "clear weight"
    assert Edit(milestone="19.9", remove=frozenset({"Deliverable"})).describe() == "to 19.9, -Deliverable"
    assert Edit(state="closed").describe() == "close"


def test_undo_of_closing_restores_the_status_that_gitlab_moves_along() -> None:
    before = issue(1, status="In review")
    assert Edit(state="closed").inverse(before, OpId("1")) == Edit(state="opened", status="In review")
    assert Edit(state="closed").inverse(issue(1), OpId("1")) == Edit(state="opened")
    assert Edit(weight=1).inverse(before, OpId("1")) == Edit(weight=None)


@given(issues(), edits())
def test_what_went_through_and_the_rest_are_the_whole_edit(before: Issue, edit: Edit) -> None:
    # A list of assignees is of earlier versions, which had nothing else for them.
    assume(edit.assignees is UNSET or not (edit.assign or edit.unassign))
    after = edit.apply(before)
    went, rest = edit.split_by(before, after)
    assert rest == Edit()
    assert same(went.apply(before), after)
    went, rest = edit.split_by(before, before)
    assert went == Edit()
    assert (rest == Edit()) == same(before, after)


def same(one: Issue, other: Issue) -> bool:
    """Whether two issues mean the same to GitLab."""
    return one.labels == other.labels and not any(field.differs_in(one, other) for field in FIELDS)


def test_assignees_that_gitlab_dropped_count_as_changed() -> None:
    before = issue(1, "bug", assignees=("eng_1",), weight=1)
    now = issue(1, "bug", "feature", assignees=(), weight=1)
    wanted = Edit(add=frozenset({"feature"}), assignees=("eng_1", "eng_2"), weight=3)
    went, rest = wanted.split_by(before, now)
    assert went == Edit(add=frozenset({"feature"}), assignees=())
    assert rest == Edit(assignees=("eng_1", "eng_2"), weight=3)
