"""Ranks: cards without a position, what places them, and what GitLab answers with its own error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.wire import Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world import boards
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.records import Board, BoardList, Issue
from support.engines import GROUP_LABEL, NOW, build_world

MOVE = """mutation M($input: IssueMoveListInput!) { issueMoveList(input: $input) {
  errors issue { relativePosition milestone { title } labels { nodes { title } } } } }"""
CREATE = """mutation { createIssue(input: {projectPath: "top/app", title: "New"}) {
  issue { id iid relativePosition } } }"""
LIST = "query L($id: ListID!) { boardList(id: $id) { issues { nodes { id relativePosition } } } }"
FAILED = {"errors": [{"message": "Internal server error"}]}


@pytest.fixture(name="wire")
def served() -> Iterator[Wire]:
    """A server of its own: six ranked cards, a board with a list for bugs, and a still clock."""
    world = build_world(6)
    world.clock.freeze()
    boards.settle(world)
    world.add_list(board(world), "label").label = world.label_of(world.root, "type::bug")
    world.add_list(board(world), "label").label = world.label_of(world.root, "type::feature")
    with DemoServer(world) as server, Wire(server) as wire:
        yield wire


def board(world: Any) -> Board:
    found: Board = next(iter(world.boards.values()))
    return found


def column(wire: Wire, title: str) -> BoardList:
    return next(one for one in board(wire.world).lists if one.title == title)


def card(wire: Wire, number: int) -> Issue:
    return wire.world.issue(f"top/app#{number}")


def wish(wire: Wire, number: int, **more: Any) -> dict[str, Any]:
    found = {"boardId": f"gid://gitlab/Board/{board(wire.world).id}", "projectPath": "top/app", **more}
    return {**found, "iid": str(number)}


def move(wire: Wire, number: int, **more: Any) -> dict[str, Any]:
    payload: dict[str, Any] = wire.data(MOVE, input=wish(wire, number, **more))["issueMoveList"]
    return payload


def fails(wire: Wire, number: int, **more: Any) -> bool:
    before = [(one.position, one.labels, one.updated) for one in wire.world.index.issues.values()]
    response = wire.post({"query": MOVE, "variables": {"input": wish(wire, number, **more)}})
    same = before == [(one.position, one.labels, one.updated) for one in wire.world.index.issues.values()]
    return same and response.status_code == 500 and response.json() == FAILED


def test_ranking_next_to_an_unplaced_card_fails_and_changes_nothing(wire: Wire) -> None:
    other = card(wire, 2)
    boards.unplace(wire.world, [other])
    for name in ("moveBeforeId", "moveAfterId"):
        assert fails(wire, 1, **{name: str(other.id)})
    path = "/projects/top%2Fapp/issues/1/reorder"
    for name in ("move_before_id", "move_after_id"):
        assert wire.rest("PUT", path, json={name: other.id}).status_code == 500
    assert other.position is None


def test_an_unplaced_card_can_be_ranked_itself(wire: Wire) -> None:
    boards.unplace(wire.world, [card(wire, 1)])
    assert move(wire, 1, moveBeforeId=str(card(wire, 3).id))["errors"] == []
    assert card(wire, 3).position < card(wire, 1).position < card(wire, 4).position  # type: ignore[operator]


def test_reading_a_list_places_its_cards_and_no_others(wire: Wire) -> None:
    bug, feature = card(wire, 2), card(wire, 3)
    wire.world.edit("top/app#3", by="eng_1", add_labels=["type::feature"], remove_labels=["type::bug"])
    boards.unplace(wire.world, [bug, feature])
    updated = bug.updated
    shown = wire.data(LIST, id=f"gid://gitlab/List/{column(wire, 'type::bug').id}")["boardList"]["issues"][
        "nodes"
    ]
    assert shown[-1] == {"id": f"gid://gitlab/Issue/{bug.id}", "relativePosition": bug.position}
    assert bug.position == max(one.position or 0 for one in wire.world.index.issues.values())
    assert feature.position is None
    assert bug.updated == updated
    assert move(wire, 1, moveBeforeId=str(bug.id))["errors"] == []


def test_reading_issues_of_the_group_places_nothing(wire: Wire) -> None:
    boards.unplace(wire.world, [card(wire, 2)])
    asked = "issues(includeSubgroups: true, sort: RELATIVE_POSITION_ASC) { nodes { relativePosition } }"
    nodes = wire.data(f'{{ group(fullPath: "top") {{ {asked} }} }}')["group"]["issues"]["nodes"]
    assert [one["relativePosition"] is None for one in nodes] == sorted(
        one["relativePosition"] is None for one in nodes
    )
    wire.rest("GET", "/groups/top/issues?order_by=relative_position")
    assert card(wire, 2).position is None


def test_a_new_card_is_placed_a_second_later_and_all_unplaced_ones_with_it(wire: Wire) -> None:
    world = wire.world
    lost = card(wire, 2)
    boards.unplace(world, [lost])
    updated = lost.updated
    made = wire.data(CREATE)["createIssue"]["issue"]
    assert made["relativePosition"] is None
    new = world.index.find(int(made["id"].rsplit("/", 1)[-1]))
    assert new is not None
    asked = "query($id: IssueID!) { issue(id: $id) { relativePosition } }"
    world.clock.advance(0.5)
    assert wire.data(asked, id=made["id"])["issue"]["relativePosition"] is None
    world.clock.advance(0.5)
    assert wire.data(asked, id=made["id"])["issue"]["relativePosition"] == new.position
    assert lost.position is not None
    assert new.position is not None
    assert lost.position < new.position
    assert lost.updated == updated


@pytest.mark.parametrize(
    "ids",
    [
        {"fromListId": "gid://gitlab/List/{bug}", "toListId": "gid://gitlab/List/{feature}"},
        {"fromListId": "{bug}", "toListId": "999999"},
        {"fromListId": "999999", "toListId": "{feature}"},
        {"fromListId": "{bug}", "toListId": "{bug}"},
        {"moveBeforeId": "gid://gitlab/Issue/2"},
    ],
)
def test_what_18_9_trips_over(wire: Wire, ids: dict[str, str]) -> None:
    numbers = {"bug": column(wire, "type::bug").id, "feature": column(wire, "type::feature").id}
    assert fails(wire, 1, **{name: value.format(**numbers) for name, value in ids.items()})


def test_within_one_list_with_a_neighbour_is_a_rank(wire: Wire) -> None:
    bug = str(column(wire, "type::bug").id)
    assert move(wire, 1, fromListId=bug, toListId=bug, moveBeforeId=str(card(wire, 4).id))["errors"] == []
    assert card(wire, 1).position > card(wire, 4).position  # type: ignore[operator]


def test_a_neighbour_that_is_not_there_is_an_error_of_the_payload(wire: Wire) -> None:
    other = wire.world.add_project("elsewhere/app")
    stranger = wire.world.new_issue(other, "Stranger", wire.world.owner, wire.world.clock.now())
    wire.world.index.add(stranger)
    wire.world.traits.misses_neighbours = True
    for ident in (987654, stranger.id):
        assert move(wire, 1, moveBeforeId=str(ident))["errors"] == ["Resource not found"]
        answer = wire.rest("PUT", "/projects/top%2Fapp/issues/1/reorder", json={"move_after_id": ident})
        assert (answer.status_code, answer.json()) == (422, {"message": {"error": "Unprocessable Entity"}})


def test_next_to_itself_is_no_change(wire: Wire) -> None:
    before = card(wire, 1).position
    assert move(wire, 1, moveBeforeId=str(card(wire, 1).id))["errors"] == []
    assert card(wire, 1).position == before


def test_between_both_neighbours_already_is_no_change(wire: Wire) -> None:
    world, before = wire.world, card(wire, 2).position
    boards.move_between(world, card(wire, 2), card(wire, 1), card(wire, 3))
    assert card(wire, 2).position == before


def test_from_a_milestone_list_to_open_clears_the_milestone(wire: Wire) -> None:
    world = wire.world
    milestones = world.add_list(board(world), "milestone")
    milestones.milestone = world.milestone("19.7")
    backlog = column(wire, "Open")
    shown = move(wire, 1, fromListId=str(milestones.id), toListId=str(backlog.id))["issue"]
    assert (shown["milestone"], {one["title"] for one in shown["labels"]["nodes"]}) == (None, {GROUP_LABEL})


def test_from_an_assignee_list_only_open_takes_the_person_away(wire: Wire) -> None:
    world = wire.world
    people = world.add_list(board(world), "assignee")
    people.assignee = world.user("eng_1")
    world.edit("top/app#1", by="em_willow", assignees=["eng_1", "eng_2"])
    move(wire, 1, fromListId=str(people.id), toListId=str(column(wire, "type::feature").id))
    assert [one.username for one in card(wire, 1).assignees] == ["eng_1", "eng_2"]
    move(wire, 1, fromListId=str(people.id), toListId=str(column(wire, "Open").id))
    assert [one.username for one in card(wire, 1).assignees] == ["eng_2"]


@pytest.mark.parametrize(("percent", "expected"), [(0, 0), (5, 15), (75, 225), (100, 300)])
def test_a_share_of_the_generated_issues_has_no_position(percent: int, expected: int) -> None:
    world = default_world(clock=Clock(NOW), unplaced=percent)
    assert sum(one.position is None for one in world.index.issues.values()) == expected
