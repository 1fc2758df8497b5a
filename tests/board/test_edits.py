"""The meaning of moving a card and of the edit keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board import edits, use_cases
from glboard_core.board.columns import AssigneeColumn, ClosedColumn, Column, UnlistedColumn
from glboard_core.board.definition import Board, resolve
from glboard_core.board.operations import Edit, OpId
from glboard_core.board.ranking import between, neighbours
from glboard_core.board.rules import warnings
from glboard_core.config import LabelSettings, Settings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import BY_NAME, WorkflowScheme
from support.make import WHEN, catalog, issue, issue_id, issues

NAMES = LabelSettings()
FLOW = WorkflowScheme()
UNLISTED = UnlistedColumn()
CLOSED = ClosedColumn()


def board(name: str) -> Board:
    settings = Settings()
    found = settings.board(name)
    assert found
    return resolve(found, settings, catalog(), WHEN.date())


def move(one: Issue, on: Board, source: Column, target: Column, flow: WorkflowScheme = FLOW) -> Edit:
    plan = on.move(one, source, target, flow, NAMES)
    assert plan
    return plan.edit


def test_move_between_label_columns_swaps_the_label_and_its_scope() -> None:
    planning = board("planning")
    bug, _, feature = planning.columns
    one = issue(1, "type::bug", "type::maintenance", "documentation")
    edit = move(one, planning, bug, feature)
    assert edit == Edit(
        add=frozenset({"type::feature"}), remove=frozenset({"type::bug", "type::maintenance"})
    )
    assert planning.move(one, bug, bug, FLOW, NAMES) is None


def test_change_of_type_asks_and_offers_to_remove_the_subtype() -> None:
    planning = board("planning")
    bug, _, feature = planning.columns
    plan = planning.move(issue(1, "type::bug", "bug::functional"), bug, feature, FLOW, NAMES)
    assert plan
    assert plan.asks
    assert "bug::functional" not in plan.edit.remove
    assert plan.if_asked
    assert plan.if_asked.remove == {"type::bug", "bug::functional"}
    first_type = planning.move(issue(1), UNLISTED, feature, FLOW, NAMES)
    assert first_type
    assert not first_type.asks


def test_move_from_unlisted_adds_the_label_and_clears_its_scope() -> None:
    build = board("build")
    one = issue(1, "workflow::verification", "Deliverable")
    edit = move(one, build, UNLISTED, build.columns[1])
    assert edit == Edit(add=frozenset({"workflow::in dev"}), remove=frozenset({"workflow::verification"}))
    assert move(issue(2), build, UNLISTED, build.columns[1]) == Edit(add=frozenset({"workflow::in dev"}))


def test_move_to_unlisted_removes_only_this_boards_labels() -> None:
    build = board("build")
    one = issue(1, "workflow::in dev", "Deliverable", "type::bug")
    assert move(one, build, build.columns[1], UNLISTED) == Edit(remove=frozenset({"workflow::in dev"}))


def test_move_to_closed_only_closes_and_move_from_it_reopens() -> None:
    build = board("build")
    one = issue(1, "workflow::in dev", "Deliverable")
    assert move(one, build, build.columns[1], CLOSED) == Edit(state="closed")
    shut = issue(1, "workflow::complete", state="closed")
    edit = move(shut, build, CLOSED, build.columns[1])
    assert edit.state == "opened"
    assert edit.add == {"workflow::in dev"}
    assert edit.remove == {"workflow::complete"}
    assert move(issue(1, "workflow::in dev", state="closed"), build, CLOSED, build.columns[1]) == Edit(
        state="opened"
    )
    assert move(shut, build, CLOSED, UNLISTED) == Edit(state="opened")


def test_milestone_and_people_columns_set_milestone_and_assignee() -> None:
    milestones = board("milestones")
    assert move(issue(1, milestone="19.8"), milestones, milestones.columns[0], milestones.columns[1]) == Edit(
        milestone="19.9"
    )
    assert move(issue(1, milestone="19.8"), milestones, milestones.columns[0], UNLISTED) == Edit(
        milestone=None
    )
    nobody, alder, birch = (
        AssigneeColumn(key=str(v), title="", value=v) for v in (None, "eng_alder", "eng_birch")
    )
    two = issue(1, assignees=("pm_oak", "eng_alder"))
    people = board("people")
    assert move(two, people, alder, birch) == Edit(
        assign=frozenset({"eng_birch"}), unassign=frozenset({"eng_alder"})
    )
    assert move(two, people, alder, nobody) == Edit(unassign=frozenset({"eng_alder"}))
    assert move(issue(1), people, nobody, alder) == Edit(assign=frozenset({"eng_alder"}))


def test_state_is_set_by_label_status_or_both() -> None:
    one = issue(1, "workflow::in dev", "workflow::odd", status="In dev")
    review = BY_NAME["in review"]
    labels = Edit(
        add=frozenset({"workflow::in review"}), remove=frozenset({"workflow::in dev", "workflow::odd"})
    )
    assert edits.set_flow(one, review, WorkflowScheme()) == labels
    assert edits.set_flow(one, review, WorkflowScheme(backend="status")) == Edit(status="In review")
    both = edits.set_flow(one, review, WorkflowScheme(backend="both"))
    assert (both.add, both.remove, both.status) == (labels.add, labels.remove, "In review")
    assert edits.set_flow(one, None, WorkflowScheme()).remove == {"workflow::in dev", "workflow::odd"}


@pytest.mark.parametrize(
    ("labels", "to"),
    [
        ((), "validation backlog"),
        (("workflow::ready for development",), "in dev"),
        (("workflow::blocked",), "in dev"),
        (("workflow::refinement",), "ready for development"),
        (("workflow::in dev", "workflow::complete"), "in review"),
        (("workflow::complete",), None),
    ],
)
def test_advance(labels: tuple[str, ...], to: str | None) -> None:
    state = edits.advance(issue(1, *labels), FLOW)
    assert (state.name if state else None) == to


def test_deferring_and_accepting() -> None:
    one = issue(1, "Deliverable", assignees=("pm_oak",))
    assert edits.unplan("19.9", NAMES, one) == Edit(milestone="19.9", remove=frozenset({"Deliverable"}))
    assert edits.accept(issue(2), "eng_alder", NAMES) == Edit(
        add=frozenset({"Deliverable"}), assign=frozenset({"eng_alder"})
    )
    assert edits.accept(one, None, NAMES) == Edit()
    assert edits.take_back(one, NAMES) == Edit(remove=frozenset({"Deliverable"}))
    assert edits.complete(one, FLOW) == Edit(add=frozenset({"workflow::complete"}), state="closed")
    assert edits.toggle_assignee(one, "pm_oak") == Edit(unassign=frozenset({"pm_oak"}))


@pytest.mark.parametrize("name", ["build", "planning", "milestones"])
@given(issues())
def test_moved_card_is_in_the_target_column(name: str, one: Issue) -> None:
    on = board(name)
    one = Edit(add=on.labels, remove=on.without, state="opened").apply(one)
    if on.milestone is not None:
        one = Edit(milestone=on.milestone).apply(one)
    sources = [c for c in (*on.columns, UNLISTED) if c.key in on.keys_of(one, FLOW)]
    assert sources
    for source in sources:
        for target in (*on.columns, UNLISTED, CLOSED):
            plan = on.move(one, source, target, FLOW, NAMES)
            if plan is not None:
                assert on.keys_of(plan.edit.apply(one), FLOW) == (target.key,)


@pytest.mark.parametrize("name", ["build", "planning", "milestones", "people"])
def test_new_issue_is_in_its_column(name: str) -> None:
    on = board(name)
    for column in on.columns:
        new = use_cases.new_issue(on, column, "demo-org/platform", "New", FLOW)
        shown = new.new_issue(IssueId("new:1"), WHEN)
        assert shown is not None
        assert on.keys_of(shown, FLOW) == (column.key,)
        assert len({column, structs.replace(column)}) == 1


@given(st.integers(2, 9), st.integers(0, 8), st.integers(-2, 12))
def test_ranked_returns_the_neighbours_of_the_new_place(size: int, row: int, to: int) -> None:
    rows = [issue_id(n) for n in range(size)]
    row %= size
    found = neighbours(rows, row, to)
    wanted = rows[:row] + rows[row + 1 :]
    place = max(0, min(to, size - 1))
    wanted.insert(place, rows[row])
    if found is None:
        assert wanted == rows
        return
    above, below = found
    assert above == (wanted[place - 1] if place else None)
    assert below == (wanted[place + 1] if place < size - 1 else None)


def test_shown_position_lies_between_the_neighbours() -> None:
    assert between(1, 3) == 2
    assert between(None, 3) == 2.5
    assert between(3, None) == 3.5
    assert between(None, None) is None


DEV, REVIEW = "workflow::in dev", "workflow::in review"


def test_one_label_of_each_scope_is_kept_and_undo_puts_the_other_in_its_place() -> None:
    two = issue(1, DEV, REVIEW, "priority::1", "priority::2", "Deliverable")
    edit = edits.one_each(two, "priority::2", FLOW)
    mended = edit.apply(two)
    assert two.labels - mended.labels == {REVIEW, "priority::1"}
    back = edit.inverse(two, OpId("1"))
    assert back is not None
    undone = back.apply(mended)
    assert two.labels - undone.labels == {DEV, "priority::2"}
    assert edit.apply(undone).labels == mended.labels
    assert edits.one_each(mended, None, FLOW) == Edit()


def test_a_state_chosen_again_can_be_undone_to_the_other() -> None:
    two = issue(1, DEV, REVIEW)
    for edit in (
        edits.set_flow(two, BY_NAME["in dev"], FLOW),
        edits.relabel(two, frozenset({DEV}), frozenset({REVIEW})),
    ):
        assert edit == Edit(add=frozenset({DEV}), remove=frozenset({REVIEW}))
        back = edit.inverse(two, OpId("1"))
        assert back is not None
        assert back.apply(edit.apply(two)).scoped("workflow::") == (REVIEW,)
    # A label that was only taken off does not push out the one that stayed.
    off = Edit(remove=frozenset({REVIEW}))
    assert off.inverse(two, OpId("1")) is None


def test_two_states_are_one_column_and_two_types_are_two() -> None:
    build, planning = board("build"), board("planning")
    two = issue(1, DEV, REVIEW, "type::bug", "type::feature", "Deliverable", milestone="19.7")
    assert build.keys_of(two, FLOW) == (DEV,)
    assert planning.keys_of(structs.replace(two, milestone="19.8"), FLOW) == ("type::bug", "type::feature")
    assert {"several-types", "several-states"} <= {*warnings(two, FLOW, NAMES)}
    assert warnings(issue(1, "type::bug", "priority::1", "priority::2"), FLOW, NAMES) == ("several-of-scope",)
