"""Ranking on a GitLab that fails next to issues without a position, re-spaces others, or has no board."""

from __future__ import annotations

import pytest
from msgspec import structs

from gateway.worlds import LoadedGateway, errors, everything
from glboard_core.board.operations import Edit, Rank
from glboard_core.demo.world import boards
from glboard_core.errors import EditDropped, EditFailed, EditForbidden, EditImpossible
from glboard_core.model.issue import IssueId, rank_key
from glboard_core.ports import Done


async def unplaced(context: LoadedGateway, *numbers: int) -> None:
    """Take the positions of these issues away, and read all again."""
    boards.unplace(context.world, [context.world.issue(f"top/app#{n}") for n in numbers])
    for other in ("top/sub/lib#1", "top/locked#1"):
        context.world.delete(other)
    context.shown = {issue.id: issue for issue in await everything(context.gateway)}
    context.server.requests.clear()


def rank(context: LoadedGateway, above: int | None, below: int | None, *others: int) -> Rank:
    def number(n: int) -> IssueId:
        return context.issue(f"top/app#{n}").id

    return Rank(
        above=number(above) if above else None,
        below=number(below) if below else None,
        unplaced=tuple(number(n) for n in others),
    )


def order(context: LoadedGateway) -> list[int]:
    """The issues of top/app as GitLab has them in order, those without a position last."""
    there = [issue for issue in context.world.index.issues.values() if issue.project.full_path == "top/app"]
    return [one.iid for one in sorted(there, key=lambda one: (one.position is None, one.position, one.id))]


async def test_a_rank_answers_with_what_was_edited_in_the_same_call(context: LoadedGateway) -> None:
    edited = context.op("top/app#1", Edit(weight=8))
    ranked = context.op("top/app#1", rank(context, 5, 6))
    outcomes = await context.send(edited, ranked)
    assert [isinstance(outcome, Done) for outcome in outcomes] == [True, True]
    assert [outcome.issue.weight for outcome in outcomes if outcome.issue] == [8, 8]


def failures(context: LoadedGateway) -> list[int]:
    return [record.status for record in context.server.requests if record.status != 200]


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        (5, 6, [2, 3, 4, 5, 1, 6]),
        (None, 4, [2, 3, 1, 4, 5, 6]),
        (6, None, [2, 3, 4, 5, 6, 1]),
        (3, 4, [2, 3, 1, 4, 5, 6]),
    ],
)
async def test_next_to_a_card_without_a_position(
    context: LoadedGateway, above: int | None, below: int | None, expected: list[int]
) -> None:
    await unplaced(context, 4, 5, 6)
    updated = context.world.issue("top/app#5").updated
    [outcome] = await context.send(context.op("top/app#1", rank(context, above, below)))
    assert isinstance(outcome, Done)
    assert outcome.issue is not None
    assert outcome.issue.position == context.world.issue("top/app#1").position
    assert order(context) == expected
    assert len(context.server.requests) == 2
    assert not failures(context)
    assert context.world.issue("top/app#5").updated == updated
    # What GitLab has placed meanwhile is known without reading it again.
    for identity, at in outcome.places.items():
        assert at == context.world.issue(context.shown[identity].reference).position
    assert {context.shown[issue].iid for issue in outcome.places} == {4, 5, 6}


async def test_next_to_placed_cards_nothing_is_asked_before(context: LoadedGateway) -> None:
    await unplaced(context, 5, 6)
    await context.do("top/app#6", rank(context, 1, 2))
    assert order(context) == [1, 6, 2, 3, 4, 5]
    assert len(context.server.requests) == 1


async def test_cards_keep_their_order_when_lists_place_some_of_them_first(context: LoadedGateway) -> None:
    board = next(iter(context.world.boards.values()))
    column = context.world.add_list(board, "label")
    column.label = context.world.label_of(context.world.root, "Deliverable")
    context.world.edit("top/app#3", by="em_willow", add_labels=["Deliverable"])
    await unplaced(context, 2, 3, 4, 5)
    await context.do("top/app#1", rank(context, 4, 5, 2, 3, 4))
    assert order(context) == [6, 2, 3, 4, 1, 5]


async def test_cards_that_no_list_shows_are_ranked_themselves(context: LoadedGateway) -> None:
    context.world.traits.boards_place = False
    await unplaced(context, 4, 5, 6)
    await context.do("top/app#1", rank(context, 5, 6, 4, 5, 6))
    assert order(context) == [2, 3, 4, 5, 1, 6]
    assert not failures(context)


@pytest.mark.parametrize("first", [4, 5])
async def test_a_block_among_cards_without_a_position(context: LoadedGateway, first: int) -> None:
    await unplaced(context, 3, 4, 5, 6)
    one, two = context.issue("top/app#1").id, context.issue(f"top/app#{first}").id
    ops = [
        context.op("top/app#1", rank(context, 6, None)),
        context.op(f"top/app#{first}", Rank(above=one)),
        context.op("top/app#2", Rank(above=two)),
    ]
    assert errors(await context.send(*ops)) == [None] * 3
    assert order(context)[-3:] == [1, first, 2]


async def test_without_a_board_ranks_go_over_rest(context: LoadedGateway) -> None:
    context.world.boards.clear()
    context.catalog = structs.replace(context.catalog, ranking_board=None)
    await unplaced(context, 5, 6)
    issue = await context.do("top/app#4", rank(context, 1, 2))
    assert order(context) == [1, 4, 2, 3, 5, 6]
    assert issue.position == context.world.issue("top/app#4").position
    await context.do("top/app#1", rank(context, 5, 6))
    assert order(context) == [4, 2, 3, 5, 1, 6]
    assert not failures(context)
    assert context.sent() == 0


async def test_without_a_board_and_without_any_position(context: LoadedGateway) -> None:
    context.world.boards.clear()
    context.catalog = structs.replace(context.catalog, ranking_board=None)
    await unplaced(context, *range(1, 7))
    error = await context.fail("top/app#1", rank(context, 2, 3))
    assert isinstance(error, EditImpossible)
    assert "board" in error.message
    assert "Create" in error.hint
    assert order(context) == [1, 2, 3, 4, 5, 6]


async def test_rest_refuses_those_who_may_not_rank(context: LoadedGateway) -> None:
    context.catalog = structs.replace(context.catalog, ranking_board=None)
    below = context.issue("top/app#1").id
    assert isinstance(await context.fail("top/locked#1", Rank(below=below)), EditForbidden)
    context.world.delete("top/app#1")
    assert isinstance(await context.fail("top/app#5", Rank(below=below)), EditDropped)


async def test_a_position_that_was_lost_meanwhile(context: LoadedGateway) -> None:
    await unplaced(context)
    boards.unplace(context.world, [context.world.issue("top/app#4")])
    issue = await context.do("top/app#1", rank(context, 4, None))
    assert order(context) == [2, 3, 5, 6, 4, 1]
    assert issue.position == context.world.issue("top/app#1").position
    assert failures(context) == [500]


async def test_a_card_that_was_placed_meanwhile(context: LoadedGateway) -> None:
    await unplaced(context, 6)
    boards.place(context.world, [context.world.issue("top/app#6")])
    await context.do("top/app#1", rank(context, 6, None))
    assert order(context) == [2, 3, 4, 5, 6, 1]


async def test_a_board_that_was_deleted_meanwhile(context: LoadedGateway) -> None:
    await unplaced(context)
    context.world.boards.clear()
    await context.do("top/app#1", rank(context, 4, 5))
    assert order(context) == [2, 3, 4, 1, 5, 6]


async def test_a_card_put_elsewhere_is_set_right_once(context: LoadedGateway) -> None:
    await unplaced(context)
    context.world.traits.misplaces = 1
    [outcome] = await context.send(context.op("top/app#1", rank(context, 4, 5)))
    assert isinstance(outcome, Done)
    assert order(context) == [2, 3, 4, 1, 5, 6]
    assert {context.shown[issue].iid for issue in outcome.places} <= {4, 5}
    context.world.traits.misplaces = 2
    error = await context.fail("top/app#2", rank(context, 4, 1))
    assert isinstance(error, EditDropped)
    assert "a different position" in error.message


async def test_a_server_that_fails_again_is_not_asked_a_third_time(context: LoadedGateway) -> None:
    await unplaced(context, 5, 6)
    context.server.faults.next("crash-before", "issueMoveList", times=9)
    error = await context.fail("top/app#1", rank(context, 2, 3))
    assert isinstance(error, EditFailed)
    assert context.sent() == 2


async def test_of_two_neighbours_one_is_enough(context: LoadedGateway) -> None:
    await unplaced(context)
    wish = rank(context, 4, 5)
    context.world.delete("top/app#4")
    await context.do("top/app#1", wish)
    assert order(context) == [2, 3, 1, 5, 6]


async def test_the_order_read_is_the_order_wanted(context: LoadedGateway) -> None:
    await unplaced(context, 2, 3, 4, 5, 6)
    await context.do("top/app#5", rank(context, 2, 3))
    found = sorted(await everything(context.gateway), key=rank_key)
    assert [issue.iid for issue in found] == [1, 2, 5, 3, 4, 6]


async def test_issues_of_the_same_number_elsewhere_keep_their_order(context: LoadedGateway) -> None:
    for n in range(1, 5):
        context.world.create("top/sub/lib", f"Other {n}", by="em_willow", add_labels=["type::bug"])
    issues = list(context.world.index.issues.values())
    boards.unplace(context.world, issues)
    context.shown = {issue.id: issue for issue in await everything(context.gateway)}
    wanted = [one.id for one in issues if one.project.full_path != "top/locked"]
    wanted.insert(3, wanted.pop(0))
    await context.do("top/app#1", rank(context, 4, 5))
    there = sorted(issues, key=lambda one: (one.position is None, one.position, one.id))
    assert [one.id for one in there if one.id in wanted] == wanted


async def test_neighbours_that_others_have_swapped(context: LoadedGateway) -> None:
    await unplaced(context)
    context.world.move("top/app#5", before="top/app#2")
    issue = await context.do("top/app#1", rank(context, 4, 5))
    assert order(context) == [5, 2, 3, 4, 1, 6]
    assert issue.position == context.world.issue("top/app#1").position
