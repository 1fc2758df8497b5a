"""The incremental index always equals one built from scratch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board.columns import CLOSED, UNLISTED
from glboard_core.board.definition import Board, resolve
from glboard_core.board.filters import compiled, parse
from glboard_core.board.index import BoardIndex, Sorting
from glboard_core.config import BoardSettings, Settings, SortBy
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.store.sqlite import SqliteStore
from support.make import GROUP_LABEL, WHEN, catalog, issue, issues

FLOW = WorkflowScheme()
TODAY = WHEN.date()


DAY = timedelta(days=1)


def board(by: Any = "label", **fields: object) -> Board:
    columns = {
        "label": ("type::bug", "type::feature"),
        "flow": ("in dev", "blocked"),
        "milestone": ("next", "backlog"),
    }
    settings_ = BoardSettings(
        id="b",
        name="B",
        by=by,
        columns=columns.get(by, ()),
        **{"milestone": "any", **fields},  # type: ignore[arg-type]
    )
    return resolve(settings_, Settings(), catalog(), TODAY)


def picture(index: BoardIndex) -> dict[str, tuple[list[IssueId], int, int]]:
    return {c.column.key: (list(c), c.weight, c.unweighted) for c in index.columns if c}


@pytest.mark.parametrize("by", ["label", "flow", "milestone", "assignee", "none"])
@pytest.mark.parametrize("text", ["", "w>2 | is:never"])
@settings(max_examples=30)
@given(data=st.data())
def test_updating_equals_rebuilding(by: str, text: str, data: st.DataObject) -> None:
    shown: dict[IssueId, Issue] = {i.id: i for i in data.draw(st.lists(issues(), max_size=12))}
    keep = compiled(parse(text), {})
    index = BoardIndex(board(by), FLOW, shown, keep=keep)
    for after in data.draw(st.lists(issues(), max_size=12)):
        before = shown.get(after.id)
        if before is not None and data.draw(st.booleans()):
            del shown[after.id]
            index.update(before, None)
        else:
            shown[after.id] = after
            touched = index.update(before, after)
            assert set(index.keys_of(after)) <= touched
    anew = BoardIndex(board(by), FLOW, shown, keep=keep)
    assert picture(index) == picture(anew)
    assert (index.count, index.weight, index.unweighted) == (anew.count, anew.weight, anew.unweighted)


def test_issue_with_two_list_labels_is_in_both_columns_and_counted_in_both() -> None:
    both = issue(1, "type::bug", "type::feature", weight=2)
    index = BoardIndex(board(), FLOW, {both.id: both})
    assert [len(c) for c in index.visible()] == [1, 1]
    assert [c.weight for c in index.visible()] == [2, 2]
    assert (index.count, index.weight) == (1, 2)


def test_unlisted_is_shown_only_with_issues_and_closed_only_on_request() -> None:
    plain, closed = issue(1), issue(2, state="closed", closed_at=WHEN)
    index = BoardIndex(board(), FLOW, {plain.id: plain, closed.id: closed})
    assert [c.column.key for c in index.visible()] == ["type::bug", "type::feature", UNLISTED]
    index.show_closed = True
    assert [c.column.key for c in index.visible()][-1] == CLOSED
    index.update(plain, None)
    assert UNLISTED not in [c.column.key for c in index.visible()]


def test_ignored_issues_and_other_groups_are_on_no_board() -> None:
    ignored = issue(1, "type::ignore", "type::bug")
    foreign = issue(2, "type::bug", labels=frozenset({"type::bug"}))
    index = BoardIndex(board(), FLOW, {ignored.id: ignored, foreign.id: foreign})
    assert index.count == 0


def test_manual_order_puts_issues_without_a_position_last() -> None:
    some = [issue(1, position=None), issue(2, position=9.0), issue(3, position=-4.0), issue(4, position=None)]
    index = BoardIndex(board("none"), FLOW, {i.id: i for i in some})
    column = index.visible()[0]
    assert [column[row].rpartition("/")[2] for row in range(4)] == ["3", "2", "1", "4"]
    assert [column.row_of(i) for i in some] == [2, 1, 0, 3]
    assert column.row_of(issue(9)) is None


def test_person_assigned_later_gets_a_column() -> None:
    first = issue(1, assignees=("eng_alder",))
    shown = {first.id: first}
    index = BoardIndex(board("assignee"), FLOW, shown)
    second = issue(2, assignees=("eng_birch", "eng_alder"))
    assert index.update(None, second) == {"eng_alder", "eng_birch"}
    assert [c.column.key for c in index.visible()] == ["(unassigned)", "eng_alder", "eng_birch"]


def test_scheduling_is_shown_as_planning_breakdown() -> None:
    one = issue(1, "workflow::scheduling")
    planned = BoardSettings(id="b", name="B", by="flow", columns=("planning breakdown", "in dev"))
    index = BoardIndex(resolve(planned, Settings(), catalog(), TODAY), FLOW, {one.id: one})
    assert [len(c) for c in index.visible()] == [1, 0]


def test_empty_milestone_filter_matches_issues_without_one() -> None:
    one, two = issue(1), issue(2, milestone="19.8")
    index = BoardIndex(board("none", milestone="none"), FLOW, {one.id: one, two.id: two})
    assert index.count == 1
    assert GROUP_LABEL in index.board.labels


@given(st.lists(issues(), max_size=12), st.sampled_from(["label", "flow", "milestone", "assignee", "none"]))
def test_slim_issues_are_enough_to_build_it(some: list[Issue], by: Any) -> None:
    whole = {one.id: one for one in some}
    store = SqliteStore(":memory:")
    store.put(whole.values())
    built, slim = (BoardIndex(board(by), FLOW, held) for held in (whole, store.issues()))
    for one, other in zip(slim.columns, built.columns, strict=True):
        assert one.column == other.column
        assert [one[row] for row in range(len(one))] == [other[row] for row in range(len(other))]
        assert (one.weight, one.unweighted) == (other.weight, other.unweighted)
    assert (slim.count, slim.weight, slim.unweighted) == (built.count, built.weight, built.unweighted)
    for each in whole.values():
        assert slim.update(each, None) == built.update(each, None)
    assert slim.count == 0


def test_columns_sorted_by_a_value_keep_gitlabs_order_within_it() -> None:
    some = [
        issue(1, "type::bug", "priority::2", weight=1, position=30.0),
        issue(2, "type::bug", "missed:19.7", weight=5, position=20.0, created_at=WHEN - 2 * DAY),
        issue(3, "type::bug", "priority::1", "missed:19.6", "missed:19.7", position=10.0),
        issue(4, "type::bug", "priority::1", weight=1, position=5.0, created_at=WHEN - DAY),
    ]
    some[0] = structs.replace(some[0], milestone="19.9")
    some[2] = structs.replace(some[2], milestone="19.8")
    found = {}
    for by in get_args(SortBy):
        sorting = Sorting(by=by, milestones=("19.8", "19.9"))
        everywhere = board(milestone="any")
        index = BoardIndex(everywhere, FLOW, {one.id: one for one in some}, sorting=sorting)
        column = index.column("type::bug")
        assert column is not None
        found[by] = [int(identity.rpartition("/")[2]) for identity in column]
        assert [column.row_of(one) for one in some] == [found[by].index(one.iid) for one in some]
        # A change finds the issue where it was, and puts it where it belongs now.
        heavier = structs.replace(some[0], weight=8)
        index.update(some[0], heavier)
        assert len(column) == 4
        assert column.row_of(heavier) is not None
    assert found == {
        "rank": [4, 3, 2, 1],
        "weight": [2, 4, 1, 3],
        "priority": [4, 3, 1, 2],
        "age": [2, 4, 3, 1],
        "slipped": [3, 2, 4, 1],
        "milestone": [3, 1, 4, 2],
    }


def test_a_store_sorts_by_age_as_well_and_tells_how_old_its_issues_are() -> None:
    some = [issue(n, created_at=WHEN - days * DAY) for n, days in enumerate((3, 30, 200, 400, 1500), 1)]
    store = SqliteStore(":memory:")
    store.put(some)
    index = BoardIndex(board("none"), FLOW, store.issues(), sorting=Sorting(by="age"))
    [column] = index.visible()
    assert [column.row_of(one) for one in reversed(some)] == [0, 1, 2, 3, 4]
    index = BoardIndex(board("none"), FLOW, store.issues(), ages=True)
    ages = index.sums.ages(WHEN.timestamp())
    assert ages is not None
    assert abs(ages.oldest - 1500) < 7
    assert abs(ages.middle - 200) < 7
    assert (ages.young, ages.old) == (2, 2)
    # One that is gone no longer has an age here.
    for one in some[3:]:
        index.update(one, None)
    ages = index.sums.ages(WHEN.timestamp())
    assert ages is not None
    assert abs(ages.oldest - 200) < 7
    assert (ages.young, ages.old) == (2, 0)
    for one in some[:3]:
        index.update(one, None)
    assert index.sums.ages(WHEN.timestamp()) is None


def test_what_a_filter_hides_is_counted() -> None:
    some = [issue(number, "type::bug", weight=number) for number in (1, 2, 3)]
    index = BoardIndex(board(), FLOW, {one.id: one for one in some}, keep=lambda one: one.weight == 2)
    assert (index.count, index.total) == (1, 3)
    index.update(some[0], structs.replace(some[0], weight=2))
    assert (index.count, index.total) == (2, 3)
    index.update(some[2], None)
    assert (index.count, index.total) == (2, 2)
