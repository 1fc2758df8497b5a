"""Boards of one's own: a filter, columns by priority, limits of every column."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.columns import UNASSIGNED, UNLISTED
from glboard_core.board.definition import Board, resolve
from glboard_core.board.index import BoardIndex, Sorting
from glboard_core.board.operations import Edit
from glboard_core.board.priorities import priorities_of, priority_label
from glboard_core.board.use_cases import Edits
from glboard_core.config import BoardSettings, LabelSettings, Limit, Settings
from glboard_core.model.catalog import Label
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.candidates import priority_of
from support.make import GROUP_LABEL, WHEN, catalog, issue

FLOW = WorkflowScheme()
TODAY = WHEN.date()
PRIORITIES = ("priority::1", "priority::2", "priority::10")
USUAL = Settings()
LISTED = Settings(labels=LabelSettings(priorities=("urgent", "soon", "some day")))


def known(*titles: str) -> Any:
    """A catalog with these labels, too."""
    here = catalog()
    others = (one for one in here.labels if not one.title.startswith("priority::"))
    own = (Label(id=f"l{n}", title=t, owner="demo-org") for n, t in enumerate(titles))
    return structs.replace(here, labels=(*others, *own))


def board(settings: Settings = USUAL, labels: tuple[str, ...] = PRIORITIES, **fields: Any) -> Board:
    own = BoardSettings(**{"id": "b", "name": "B", **fields})
    return resolve(own, settings, known(*labels), TODAY)


def ours(number: int, *labels: str, **fields: Any) -> Issue:
    return issue(number, labels=frozenset({GROUP_LABEL, *labels}), **fields)


def columns_of(index: BoardIndex) -> dict[str, list[int]]:
    found = {}
    for column in index.columns:
        if len(column):
            found[column.column.key] = [
                one.iid for row in range(len(column)) if (one := index.issue(column[row])) is not None
            ]
    return found


def test_only_what_fits_the_filter_is_on_the_board_and_nothing_is_hidden() -> None:
    shown = {
        one.id: one
        for one in (
            ours(1, "type::bug", weight=3),
            ours(2, "type::bug", weight=1),
            ours(3, "type::bug", "workflow::blocked", weight=5),
            ours(4, "type::feature", weight=3),
        )
    }
    index = BoardIndex(board(by="none", filter="~bug -is:blocked w>2"), FLOW, shown)
    assert columns_of(index) == {"(all)": [1]}
    assert (index.count, index.total) == (1, 1)
    heavier = structs.replace(shown[ours(2).id], weight=3)
    shown[heavier.id] = heavier
    assert index.update(None, heavier) == {"(all)"}
    assert columns_of(index) == {"(all)": [1, 2]}
    index.update(heavier, structs.replace(heavier, weight=1))
    assert columns_of(index) == {"(all)": [1]}


def test_a_filter_with_a_mistake_says_so_on_the_board() -> None:
    found = board(by="none", filter="is:bloked w>x is:changed")
    words = " ".join(found.warnings)
    for part in ("Board “B”", "did you mean is:blocked?", "w>x is not a weight", "is:changed depends on"):
        assert part in words
    assert not found.matches(ours(1, weight=3))


def test_people_of_a_filtered_board_are_those_of_its_issues() -> None:
    own = BoardSettings(id="b", name="B", by="assignee", filter="w>2", limits={"*": Limit(weight=4)})
    issues = [ours(1, weight=3, assignees=("eng_alder",)), ours(2, weight=1, assignees=("eng_birch",))]
    found = resolve(own, Settings(), known(), TODAY, issues=lambda _: issues)
    assert [column.key for column in found.columns] == [UNASSIGNED, "eng_alder"]
    assert [column.limit_weight for column in found.columns] == [None, 4]


def test_columns_by_priority_follow_from_the_labels_most_urgent_first() -> None:
    found = board(by="priority")
    assert [(one.key, one.title, one.letter) for one in found.columns] == [
        ("priority::1", "Priority 1", "1"),
        ("priority::2", "Priority 2", "2"),
        ("priority::10", "Priority 10", "p"),
    ]
    some = board(
        by="priority", columns=("2", "priority::1"), limits={"2": Limit(issues=1), "*": Limit(issues=9)}
    )
    assert [(one.key, one.limit_issues) for one in some.columns] == [("priority::2", 1), ("priority::1", 9)]


def test_without_priorities_the_board_says_how_to_name_them() -> None:
    found = board(labels=(), by="priority")
    assert found.columns == ()
    assert "labels.priorities" in " ".join(found.warnings)


def moved(found: Board, settings: Settings, one: Issue, key: str) -> Edit | None:
    index = BoardIndex(found, FLOW, {one.id: one})
    column = index.column(key)
    assert column is not None
    edits = Edits(settings=settings, catalog=known(*PRIORITIES, "urgent", "soon", "some day"), today=TODAY)
    work = edits.move([one], index, None, {one.id: column.column})
    changes = [change for _, change in work.changes]
    return changes[0] if changes else None  # type: ignore[return-value]


def test_moving_sets_the_priority_and_removes_the_other() -> None:
    one = ours(1, "priority::2")
    edit = moved(board(by="priority"), Settings(), one, "priority::1")
    assert edit == Edit(add=frozenset({"priority::1"}), remove=frozenset({"priority::2"}))
    assert moved(board(by="priority"), Settings(), one, UNLISTED) == Edit(remove=frozenset({"priority::2"}))
    assert moved(board(by="priority"), Settings(), ours(2), "priority::2") == Edit(
        add=frozenset({"priority::2"})
    )


def test_priorities_out_of_a_scope_exclude_one_another_all_the_same() -> None:
    found = board(LISTED, ("urgent", "soon", "some day"), by="priority")
    assert [one.title for one in found.columns] == ["urgent", "soon", "some day"]
    one = ours(1, "soon", "some day")
    edit = moved(found, LISTED, one, "urgent")
    assert edit == Edit(add=frozenset({"urgent"}), remove=frozenset({"soon", "some day"}))
    edits = Edits(settings=LISTED, catalog=known("urgent", "soon", "some day"), today=TODAY)
    [(_, change)] = edits.one_of_scope([one], "urgent").changes
    assert change == edit


@pytest.mark.parametrize(
    ("settings", "labels", "first", "word"),
    [
        (Settings(), ("priority::2", "priority::10"), "priority::2", "2"),
        (LISTED, ("some day", "soon"), "soon", "2"),
    ],
)
def test_the_most_urgent_priority_counts(
    settings: Settings, labels: tuple[str, ...], first: str, word: str
) -> None:
    one = ours(1, *labels)
    assert priorities_of(one.labels, settings.labels)[0] == first
    assert priority_of(one, settings.labels) == word


def test_a_name_means_a_label_of_the_scope_unless_priorities_are_listed() -> None:
    assert priority_label("1", LabelSettings()) == "priority::1"
    assert priority_label("priority::1", LabelSettings()) == "priority::1"
    assert priority_label("urgent", LISTED.labels) == "urgent"


def test_columns_sort_by_listed_priorities() -> None:
    some = {one.id: one for one in (ours(1, "some day"), ours(2), ours(3, "urgent"))}
    index = BoardIndex(
        board(LISTED, by="none"), FLOW, some, sorting=Sorting(by="priority", names=LISTED.labels)
    )
    assert columns_of(index) == {"(all)": [3, 1, 2]}


def test_a_column_knows_by_how_much_it_is_over_its_limit() -> None:
    some = {one.id: one for one in (ours(1, weight=3), ours(2, weight=3), ours(3))}
    found = board(by="none", limits={"*": Limit(issues=2, weight=5)})
    [column] = [one for one in BoardIndex(found, FLOW, some).columns if len(one)]
    assert column.over_limit == (1, 1)
