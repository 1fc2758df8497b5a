"""A walk as a value: which issue is next, the pile of those put off, and a walk that is resumed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.config import LabelSettings
from glboard_core.model.issue import IssueId
from glboard_core.planning.walk import Outcome, Resumed, Walk, begun, outcome, outcomes, resumed, tally
from support.make import issue

A, B, C, D = (IssueId(name) for name in "abcd")
NAMES = LabelSettings()


def is_version(title: str) -> bool:
    return title[0].isdigit()


def names(ids: tuple[IssueId, ...]) -> str:
    return "".join(ids)


def test_issues_come_in_their_order_and_the_pile_at_the_end() -> None:
    walk = begun("bug", [A, B, C])
    assert (walk.current, walk.place, walk.total) == (A, 1, 3)
    walk = walk.put_off()
    assert (walk.current, walk.place, names(walk.later)) == (B, 1, "a")
    walk = walk.skip().skip()
    assert (walk.current, walk.place, walk.again, walk.later) == (A, 3, True, ())
    assert walk.put_off().current is None
    assert names(walk.put_off().later) == "a"
    assert walk.put_off().pile_again().current == A
    over = walk.skip()
    assert (over.current, over.place, over.total, over.later) == (None, 3, 3, ())
    assert over.skip() == over == over.put_off()
    assert over.pile_again().current is None


def test_back_goes_the_way_that_was_gone() -> None:
    walk = begun("bug", [A, B, C]).skip().put_off()
    assert walk.current == C
    assert (walk.back().current, walk.back().later) == (B, ())
    assert walk.back().back() == begun("bug", [A, B, C])
    assert walk.back().back().back().current == A
    # From the pile, too: b comes again after c.
    again = walk.skip()
    assert (again.current, again.again) == (B, True)
    assert names(again.back().ahead) == "cb"
    # Only b was put off, also on the way back and forth.
    assert [one.was_put_off for one in (walk, again, again.back(), again.back().skip())] == [
        *(False, True, False, True)
    ]
    assert again.skip().back().was_put_off


def test_an_issue_that_is_shown_again_is_not_counted_twice() -> None:
    walk = begun("bug", [A, B, C]).skip().skip()
    shown = walk.show(A)
    assert (names(shown.ahead), shown.place, shown.total) == ("ac", 2, 3)
    assert shown.skip().current == C
    assert walk.show(D) == walk


def test_a_resumed_walk_skips_what_left_and_appends_what_is_new() -> None:
    walk = begun("bug", [A, B, C]).skip()
    goes_on, left, new, afresh = resumed(walk, "bug", [C, D])
    assert (names(goes_on.ids), names(goes_on.ahead), left, new, afresh) == ("acd", "cd", 1, 1, False)
    # Passed ones count, wherever they are now.
    assert (goes_on.place, goes_on.total) == (2, 3)


def test_a_finished_walk_begins_again_or_goes_on_with_its_pile() -> None:
    over = begun("bug", [A, B]).skip().skip()
    assert resumed(over, "bug", [B, A]) == Resumed(begun("bug", [B, A]), afresh=True)
    assert resumed(over, "bug", [A, B, C]).walk.current == C
    piled = begun("bug", [A, B]).put_off().skip().put_off()
    assert piled.current is None
    assert resumed(piled, "bug", [A, B]).walk.current == A
    assert resumed(piled, "bug", [B]) == Resumed(begun("bug", [B]), afresh=True)
    assert resumed(None, "bug", []).walk.current is None


def test_a_changed_issue_that_left_is_passed_and_not_lost() -> None:
    here = issue(1, weight=2)
    walk = begun("bug", [here.id, A, B]).change(here)
    goes_on, left, new, _ = resumed(walk, "bug", [A, B])
    assert (goes_on.current, goes_on.place, goes_on.total, left, new) == (A, 2, 3, 0, 0)
    assert goes_on.back().current == here.id


before = issue(1, "type::bug", weight=2, milestone="19.8")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"labels": before.labels | {"Deliverable"}, "weight": 3, "assignees": ("elm",)}, "accepted"),
        ({"milestone": "19.9"}, "deferred"),
        ({"milestone": "Backlog"}, "moved"),
        ({"milestone": None}, "moved"),
        ({"state": "closed", "milestone": "Backlog"}, "closed"),
        ({"weight": 3}, "weighted"),
        ({"labels": before.labels - {"type::bug"}}, "changed"),
        ({"assignees": ("elm",)}, "changed"),
        ({"status": "In progress"}, "changed"),
        ({}, "skipped"),
    ],
)
def test_outcome(now: dict[str, object], expected: Outcome) -> None:
    walk = begun("bug", [before.id]).change(before)
    assert outcome(walk.before[before.id], structs.replace(before, **now), NAMES, is_version) == expected


def test_the_outcome_is_of_all_changes_and_an_undone_comment_is_none() -> None:
    heavier = structs.replace(before, weight=5)
    walk = begun("bug", [before.id, B, C]).change(before).change(heavier, commented=True).skip().put_off()
    assert walk.before[before.id].weight == 2
    known = {before.id: before}
    assert outcomes(walk, known.get, NAMES, is_version) == {before.id: "commented"}
    assert outcomes(walk.uncomment(before.id), known.get, NAMES, is_version) == {before.id: "skipped"}
    assert outcomes(walk, lambda _: None, NAMES, is_version) == {before.id: "changed"}
    assert tally(["accepted", "skipped", "accepted"], 2) == "2 accepted, 1 skipped, 2 later"
    assert tally([], 0) == ""


IDS = st.lists(st.sampled_from([IssueId(f"i{n}") for n in range(8)]), unique=True)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["skip", "skip", "put_off", "back", "pile_again"]),
        st.tuples(st.sampled_from(["drop", "join", "show"]), IDS),
    ),
    max_size=30,
)


def after(walk: Walk, step: object) -> Walk:
    match step:
        case ("show", list(ids)):
            return walk.show(ids[0]) if ids else walk
        case (str(name), ids):
            return getattr(walk, name)(ids)  # type: ignore[no-any-return]
    return getattr(walk, str(step))()  # type: ignore[no-any-return]


@given(IDS, STEPS)
def test_whatever_is_pressed_each_issue_is_in_one_place(ids: list[IssueId], steps: list[object]) -> None:
    walk = begun("bug", ids)
    for step in steps:
        was, walk = walk, after(walk, step)
        assert not [one for one, times in Counter(walk.ids).items() if times > 1]
        there = [*walk.ahead, *walk.later]
        assert len(there) == len(set(there))
        assert set(there) | set(walk.trail) <= set(walk.ids)
        # Passed are those that the trail has, and nothing else.
        assert set(walk.ids) - set(there) <= set(walk.trail)
        assert 0 <= walk.passed <= walk.total
        if step in ("skip", "put_off") and was.current is not None:
            assert walk.back().current == was.current
        # A pile that did not come yet comes before the end.
        assert walk.ahead or not walk.later or walk.again


@given(IDS, STEPS)
def test_every_walk_comes_to_its_end(ids: list[IssueId], steps: list[object]) -> None:
    walk = begun("bug", ids)
    for step in steps:
        walk = after(walk, step)
    for _ in range(2 * walk.total + 1):
        walk = walk.put_off()
    assert walk.current is None
    assert set(walk.later) <= set(walk.ids)


@given(IDS, STEPS, IDS)
def test_a_resumed_walk_has_what_is_there_and_what_was_passed(
    ids: list[IssueId], steps: list[object], now: list[IssueId]
) -> None:
    walk = begun("bug", ids)
    for step in steps:
        walk = after(walk, step)
    goes_on, left, new, afresh = resumed(walk, "bug", now)
    assert set(goes_on.ahead) | set(goes_on.later) <= set(now)
    assert set(now) <= set(goes_on.ids)
    if not afresh:
        assert goes_on.total == walk.total - left + new
        assert goes_on.passed == walk.passed
    else:
        assert list(goes_on.ahead) == now
