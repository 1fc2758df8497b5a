"""What to change on a GitLab board, and what to leave as a person set it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.config import Settings
from glboard_core.errors import NameUnknown
from glboard_core.planning.milestone_setup import (
    BoardWork,
    SeenBoard,
    SeenList,
    WantedBoard,
    match,
    moves,
    wanted_boards,
    with_statuses,
    work,
)
from support.make import catalog, milestone

WANTED = WantedBoard(
    name="Planning 19.8", milestone="19.8", labels=frozenset({"group"}), lists=("bug", "care", "new")
)


def seen(*lists: str | None, **fields: object) -> SeenBoard:
    base = SeenBoard(
        id=1,
        name="Planning 19.8",
        url="https://host/1",
        milestone="19.8",
        labels=frozenset({"group"}),
        lists=tuple(SeenList(10 + n, label) for n, label in enumerate(lists)),
    )
    return structs.replace(base, **fields)


def test_own_board_is_completed_and_reordered() -> None:
    assert not work(WANTED, seen("bug", "care", "new"), ours=True)
    assert work(WANTED, seen("bug"), ours=True) == BoardWork(add=("care", "new"))
    assert work(WANTED, seen("new", "bug", "care"), ours=True) == BoardWork(order=True)
    assert work(WANTED, seen("care"), ours=True) == BoardWork(add=("bug", "new"), order=True)


def test_lists_added_by_a_person_stay() -> None:
    assert not work(WANTED, seen("bug", None, "care", "mine", "new"), ours=True)


def test_empty_board_with_that_name_is_completed_whoever_created_it() -> None:
    empty = seen(milestone=None, labels=frozenset())
    assert work(WANTED, empty, ours=False) == BoardWork(scope=True, add=WANTED.lists)


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (seen("new", "bug"), "different lists"),
        (seen("bug", "care", "new", milestone="19.7"), "a different filter"),
        (seen("bug", "care", "new", labels=frozenset()), "a different filter"),
    ],
)
def test_board_created_by_someone_else_is_left_unchanged(board: SeenBoard, said: str) -> None:
    found = work(WANTED, board, ours=False)
    assert not found
    assert said in found.notes[0]


def test_changed_filter_stays() -> None:
    found = work(WANTED, seen("bug", milestone="19.7"), ours=True)
    assert not found
    assert "filter was changed" in found.notes[0]


def test_board_is_found_by_name_own_first_or_by_content() -> None:
    boards = [seen("bug", id=3), seen("bug", id=5)]
    assert match(WANTED, boards, ()) == boards[0]
    assert match(WANTED, boards, {5}) == boards[1]
    other = seen("bug", id=7, name="Our month")
    assert match(WANTED, [other], ()) == other
    assert "named “Our month”" in work(WANTED, other, ours=True).notes[0]
    assert (
        match(WANTED, [seen(id=8, name="Empty"), seen("bug", id=9, name="x", milestone="19.7")], ()) is None
    )


@given(st.permutations(["bug", "care", "new", "mine", "x"]))
def test_moves_reorder_own_lists_and_leave_others_in_place(order: list[str]) -> None:
    lists = [SeenList(n, label) for n, label in enumerate(order)]
    now = list(lists)
    for identity, position in moves(lists, WANTED.lists):
        one = next(each for each in now if each.id == identity)
        now.remove(one)
        now.insert(position, one)
    assert [one.label for one in now if one.label in WANTED.lists] == list(WANTED.lists)
    assert [n for n, one in enumerate(now) if one.label in ("mine", "x")] == [
        n for n, label in enumerate(order) if label in ("mine", "x")
    ]
    assert moves(now, WANTED.lists) == []


def test_boards_of_a_milestone_come_from_the_settings() -> None:
    settings = Settings()
    own = milestone("19.8", "2026-12-12", "2027-01-15")
    planning, build, later, latest = wanted_boards(settings, catalog(), own, date(2026, 12, 7))
    assert planning.name == "Planning 19.8"
    assert planning.lists == ("type::bug", "type::maintenance", "type::feature")
    assert (build.name, build.milestone) == ("Build 19.8", "19.8")
    assert build.labels == {"Deliverable", "group::custom models"}
    assert "workflow::awaiting security release" in build.lacking
    assert (later.name, later.milestone) == ("Next 1-3", "Next 1-3 releases")
    assert (latest.name, latest.why) == ("Next 4-6", "")


def test_impossible_board_says_why() -> None:
    own = milestone("19.8", "2026-12-12", "2027-01-15")
    base = Settings()

    def of(**planning: object) -> Settings:
        return structs.replace(base, planning=structs.replace(base.planning, **planning))

    people, backlog = wanted_boards(of(boards=("people", "backlog")), catalog(), own, date(2026, 12, 7))
    assert "not labels" in people.why
    assert "not labels" in backlog.why
    status = structs.replace(of(boards=("build",)), flow=structs.replace(base.flow, backend="status"))
    [stated] = wanted_boards(status, catalog(), own, date(2026, 12, 7))
    assert (stated.statuses, stated.why) == (True, "")
    assert "Premium" in with_statuses(stated, (), possible=False).why
    known = with_statuses(stated, ("In dev", "Blocked"), possible=True)
    assert (known.lists, known.lacking[0]) == (("In dev", "Blocked"), "Ready for development")
    gone = structs.replace(base, milestones={"next-1-3": ("Some day",)})
    assert "Some day" in wanted_boards(gone, catalog(), own, date(2026, 12, 7))[2].why
    with pytest.raises(NameUnknown, match="biuld"):
        wanted_boards(of(boards=("biuld",)), catalog(), own, date(2026, 12, 7))
