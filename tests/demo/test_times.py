"""When `updatedAt` and `lockVersion` move, as a real GitLab 18.9 moved them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glboard_core.demo.world import boards
from glboard_core.demo.world.world import World
from support.engines import build_world

REF = "top/app#1"
ME, OTHER = "em_willow", "eng_1"

Act = Callable[[World, str], object]


def label(world: World, by: str) -> object:
    return world.edit(REF, by=by, add_labels=["documentation"])


def unlabel(world: World, by: str) -> object:
    return world.edit(REF, by=by, remove_labels=["type::bug"])


def assign(world: World, by: str) -> object:
    return world.edit(REF, by=by, assignees=["eng_2"])


def comment(world: World, by: str) -> object:
    return world.comment(REF, "Looks good", by=by)


def rank(world: World, by: str) -> object:
    world.move(REF, after="top/app#3")
    return None


def same_title(world: World, by: str) -> object:
    return world.edit(REF, by=by, title="Issue 1")


def milestone(world: World, by: str) -> object:
    return world.edit(REF, by=by, milestone="19.8")


def weight(world: World, by: str) -> object:
    return world.edit(REF, by=by, weight=5)


def title(world: World, by: str) -> object:
    return world.edit(REF, by=by, title="Another")


def describe(world: World, by: str) -> object:
    return world.edit(REF, by=by, description="Another")


def hide(world: World, by: str) -> object:
    return world.edit(REF, by=by, confidential=True)


def close(world: World, by: str) -> object:
    return world.edit(REF, by=by, close=True)


@pytest.fixture(name="world")
def touched_world() -> World:
    """A world whose first issue was touched by ME at once before."""
    world = build_world(3)
    world.clock.freeze()
    world.edit(REF, by=ME, add_labels=["workflow::in dev"])
    return world


def moved(world: World, act: Act, by: str, after: float) -> bool:
    before = world.issue(REF).updated
    world.clock.advance(after)
    act(world, by)
    return world.issue(REF).updated != before


@pytest.mark.parametrize(
    ("act", "by", "after", "moves"),
    [
        (label, ME, 5, False),
        (label, ME, 59.9, False),
        (label, ME, 60, True),
        (label, OTHER, 5, True),
        (assign, ME, 5, False),
        (assign, OTHER, 5, True),
        (comment, ME, 5, False),
        (comment, OTHER, 5, False),
        (comment, OTHER, 61, True),
        (rank, ME, 61, False),
        (same_title, ME, 61, False),
        *((act, ME, 5, True) for act in (milestone, weight, title, describe, hide, close)),
    ],
)
def test_a_second_touch_within_a_minute_does_not_move_the_time(
    world: World, act: Act, by: str, after: float, moves: bool
) -> None:
    assert moved(world, act, by, after) is moves


def test_the_first_label_after_creation_moves_it_even_by_the_creator() -> None:
    world = build_world(1)
    world.clock.freeze()
    issue = world.create("top/app", "New", by=ME)
    world.clock.advance(2)
    world.edit(issue.reference, by=ME, add_labels=["documentation"])
    assert issue.updated == world.clock.now()


def test_a_comment_does_not_count_as_an_edit_by_its_author(world: World) -> None:
    assert moved(world, comment, OTHER, 5) is False
    assert moved(world, label, OTHER, 1) is True


@pytest.mark.parametrize(("act", "steps"), [(title, 1), (describe, 1), (label, 0), (weight, 0), (close, 0)])
def test_lock_version_counts_titles_and_descriptions_only(world: World, act: Act, steps: int) -> None:
    before = world.issue(REF).lock_version
    act(world, ME)
    assert world.issue(REF).lock_version == before + steps


def test_the_throttle_can_be_switched_off(world: World) -> None:
    world.traits.throttles = False
    assert moved(world, unlabel, ME, 5) is True


def test_a_rank_is_no_change(world: World) -> None:
    before = world.issue(REF).updated_by
    boards.move_between(world, world.issue(REF), None, world.issue("top/app#2"))
    assert world.issue(REF).updated_by is before
