"""Ranks through the engine, where some cards have no position: what is shown is what GitLab has."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Rank
from glboard_core.board.ranking import Where, ranked
from glboard_core.demo.world import boards
from glboard_core.model.issue import Issue, rank_key
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.sync.events import IssuesChanged
from support.engines import Session

WHERE: tuple[Where, ...] = ("up", "down", "top", "bottom")


def shown(context: Session) -> list[str]:
    return [one.reference for one in sorted(context.engine.shown.values(), key=rank_key)]


def there(context: Session) -> list[str]:
    """The whole order on the server."""
    issues = sorted(
        context.world.index.issues.values(), key=lambda one: (one.position is None, one.position, one.id)
    )
    return [f"{one.project.full_path}#{one.iid}" for one in issues]


def bugs(context: Session) -> tuple[BoardIndex, list[Issue]]:
    """A board by type, and the cards of a column in order."""
    index = BoardIndex(context.engine.board("planning", "19.7"), WorkflowScheme(), context.engine.shown)
    column = index.column("type::bug")
    assert column is not None
    return index, [context.engine.shown[one] for one in column]


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_shown_is_what_gitlab_has(context: Session, seed: int) -> None:
    random = Random(seed)
    world = context.world
    board = next(iter(world.boards.values()))
    world.add_list(board, "label").label = world.label_of(world.root, "Deliverable")
    for n in (2, 5, 9):
        world.edit(f"top/app#{n}", by="eng_1", add_labels=["Deliverable"])
    issues = list(world.index.issues.values())
    boards.unplace(world, random.sample(issues, (13, 9, 5, 14)[seed % 4]))
    context.engine.refresh()
    await context.settled()
    assert shown(context) == there(context)
    for _ in range(3):
        index, cards = bugs(context)
        column = index.column("type::bug")
        assert column is not None
        work = ranked(index, column, random.sample(cards, random.choice((1, 1, 2))), random.choice(WHERE))
        before = [one.id for one in cards]
        context.engine.perform(work.changes, "rank")
        _, wanted = bugs(context)
        await context.settled()
        _, cards = bugs(context)
        assert [one.id for one in cards] == [one.id for one in wanted]
        assert shown(context) == there(context)
        if work.changes and random.random() < 0.5:
            context.engine.undoing.undo()
            await context.settled()
            assert [one.id for one in bugs(context)[1]] == before
            assert shown(context) == there(context)
    assert not context.engine.failed
    assert not [record for record in context.server.requests if record.status == 500]


async def test_a_place_given_by_gitlab_outlives_a_page_requested_before(context: Session) -> None:
    issue = context.issue("app#2")
    boards.unplace(context.world, [context.there("app#2")])
    context.engine.refresh()
    await context.settled()
    page = context.issue("app#2")
    assert page.position is None
    context.events.clear()
    state = context.engine.local_state
    asked = asyncio.get_running_loop().time()
    state.place({issue.id: 77.0, context.issue("app#3").id: context.issue("app#3").position or 0})
    assert context.issue("app#2").position == 77.0
    [event] = context.told(IssuesChanged)
    assert event.cause == "answer"
    state.confirm([page], "theirs", asked=asked)
    assert context.issue("app#2").position == 77.0
    assert issue.id in state.unsure


async def test_cards_that_gitlab_moves_to_make_way_are_read_again(context: Session) -> None:
    context.world.traits.misplaces = 1
    index, cards = bugs(context)
    column = index.column("type::bug")
    assert column is not None
    context.engine.perform(ranked(index, column, [cards[0]], "down").changes, "rank")
    await context.settled()
    assert context.issue("app#12").position == context.there("app#12").position != 6000
    assert shown(context) == there(context)


@pytest.mark.parametrize("place", ["above", "below"])
async def test_a_card_that_makes_way_without_being_named_is_read_again(context: Session, place: str) -> None:
    """GitLab shifts the next one of the whole order; the ranked one still fits where it was put."""
    ids = [context.issue(f"app#{n}").id for n in range(1, 5)]
    for at, n in enumerate((1, 2, 3, 4)):
        context.there(f"app#{n}").position = 400 + at
    context.world.index.rebuild()
    context.engine.refresh()
    await context.settled()
    context.do("app#12", Rank(above=ids[1]) if place == "above" else Rank(below=ids[2]))
    await context.settled()
    assert shown(context) == there(context)
    assert context.there("app#3").position > 500
    assert context.issue("app#3").position == context.there("app#3").position


async def test_on_the_very_place_of_a_neighbour_is_not_between(
    context: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The neighbour has made way: it is read again."""
    for at, n in ((500, 1), (501, 2), (10_000, 3)):
        context.there(f"app#{n}").position = at
    context.world.index.rebuild()
    context.engine.refresh()
    await context.settled()
    first, second = (context.issue(f"app#{n}") for n in (1, 2))

    def shift_above(*_: object) -> None:
        with context.world.index.moving(context.there("app#1")):
            context.there("app#1").position = 499

    monkeypatch.setattr(boards, "make_way", shift_above)
    context.do("app#12", Rank(above=first.id, below=second.id, position=500.5))
    await context.settled()
    assert shown(context) == there(context)
    assert context.issue("app#1").position == context.there("app#1").position != 500


@pytest.mark.parametrize("seed", range(5))
async def test_the_order_is_gitlabs_however_little_room_there_is(context: Session, seed: int) -> None:
    """GitLab makes way again and again: what we ranked is as there at once, the rest after a reconcile."""
    random, world, at = Random(seed), context.world, 400
    for n in random.sample(range(1, 13), 12):
        at += random.choice((1, 1, 1, 2, 3, 700))
        context.there(f"app#{n}").position = at
    world.index.rebuild()
    context.engine.refresh()
    await context.settled()
    for _ in range(5):
        if random.random() < 0.3:
            one, other = random.sample(range(1, 13), 2)
            world.move(f"top/app#{one}", **{random.choice(("before", "after")): f"top/app#{other}"})
            await context.engine.poller.reconcile()
            assert shown(context) == there(context)
        index, cards = bugs(context)
        column = index.column("type::bug")
        assert column is not None
        chosen = random.sample(cards, random.choice((1, 1, 2)))
        context.engine.perform(ranked(index, column, chosen, random.choice(WHERE)).changes, "rank")
        await context.settled()
        assert shown(context) == there(context)
    assert not context.engine.failed
