"""Boards, lists, moves and manual order."""

from __future__ import annotations

from typing import Any

from demo.wire import Wire, label
from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import Board, BoardList, Issue
from glboard_core.demo.world.world import World

MOVE = """mutation M($input: IssueMoveListInput!) { issueMoveList(input: $input) {
  errors issue { updatedAt state relativePosition labels { nodes { title } } } } }"""
READY, DEV = "workflow::ready for development", "workflow::in dev"


def make_board(world: World, *names: str) -> Board:
    board = world.add_board(world.root, "Made for a test")
    for name in names:
        world.add_list(board, "label").label = label(world, name)
    return board


def column(board: Board, name: str) -> BoardList:
    return next(one for one in board.lists if one.title == name)


def ordinary(world: World, count: int) -> list[Issue]:
    found = [
        one
        for one in world.project("demo-org/platform").issues.values()
        if one.open and one.position is not None
    ]
    return found[:count]


def wish(board: Board, issue: Issue, **more: Any) -> dict[str, Any]:
    me = {
        "boardId": f"gid://gitlab/Board/{board.id}",
        "projectPath": issue.project.full_path,
        "iid": str(issue.iid),
    }
    return {**me, **more}


def test_from_list_to_list(wire: Wire) -> None:
    world = wire.world
    board = make_board(world, READY, DEV)
    issue = ordinary(world, 1)[0]
    world.edit(issue.reference, by="pm_oak", add_labels=[READY])
    ready, dev = column(board, READY), column(board, DEV)
    found = wire.data(MOVE, input=wish(board, issue, fromListId=str(ready.id), toListId=str(dev.id)))[
        "issueMoveList"
    ]
    held = {one["title"] for one in found["issue"]["labels"]["nodes"]}
    assert DEV in held
    assert READY not in held


def test_open_and_closed_take_every_list_label(wire: Wire) -> None:
    world = wire.world
    board = make_board(world, READY, DEV, "spike")
    issue = ordinary(world, 1)[0]
    world.edit(issue.reference, by="pm_oak", add_labels=[READY, "spike"])
    closed = column(board, "Closed")
    wire.data(
        MOVE, input=wish(board, issue, fromListId=str(column(board, READY).id), toListId=str(closed.id))
    )
    assert not issue.open
    assert {READY, "spike"}.isdisjoint(one.title for one in issue.labels)
    wire.data(MOVE, input=wish(board, issue, fromListId=str(closed.id), toListId=str(column(board, DEV).id)))
    assert issue.open
    assert DEV in {one.title for one in issue.labels}


def test_ranking_touches_nothing_else(wire: Wire) -> None:
    world = wire.world
    board = next(iter(world.boards.values()))
    first, second, third = ordinary(world, 3)
    updated = third.updated
    world.clock.advance(10)
    found = wire.data(MOVE, input=wish(board, third, moveBeforeId=str(first.id)))["issueMoveList"]
    order = [key[2] for key in world.index.order("RELATIVE_POSITION_ASC")]
    assert order.index(third.id) == order.index(first.id) + 1
    assert third.updated == updated
    assert found["issue"]["relativePosition"] == third.position
    wire.data(MOVE, input=wish(board, third, moveAfterId=str(second.id)))
    order = [key[2] for key in world.index.order("RELATIVE_POSITION_ASC")]
    assert order.index(third.id) == order.index(second.id) - 1


def test_ranking_works_when_no_gap_is_left(wire: Wire) -> None:
    world = wire.world
    first, second, third = ordinary(world, 3)
    for _ in range(30):
        world.move(third.reference, after=first.reference)
        world.move(second.reference, after=first.reference)
    order = [key[2] for key in world.index.order("RELATIVE_POSITION_ASC")]
    at = order.index(first.id)
    assert order[at : at + 3] == [first.id, second.id, third.id]


def test_an_issue_without_a_position_gets_one(wire: Wire) -> None:
    world = wire.world
    lost = next(one for one in world.index.issues.values() if one.position is None and one.open)
    anchor = ordinary(world, 1)[0]
    world.move(lost.reference, before=anchor.reference)
    assert lost.position is not None
    assert anchor.position is not None
    assert lost.position < anchor.position


def test_required_arguments_of_a_move(wire: Wire) -> None:
    board = make_board(wire.world, READY, DEV)
    issue = ordinary(wire.world, 1)[0]
    ready, dev = str(column(board, READY).id), str(column(board, DEV).id)
    assert "At least one of the arguments" in wire.error(MOVE, input=wish(board, issue))
    assert "Both fromListId and toListId must be present" in wire.error(
        MOVE, input=wish(board, issue, toListId=dev)
    )
    both = wish(board, issue, fromListId=ready, toListId=dev, positionInList=0, moveAfterId="1")
    assert "mutually exclusive" in wire.error(MOVE, input=both)
    assert ">= 0 or -1" in wire.error(
        MOVE, input=wish(board, issue, fromListId=ready, toListId=dev, positionInList=-2)
    )


def test_position_in_a_list(wire: Wire) -> None:
    world = wire.world
    board = make_board(world, READY, DEV)
    issues = ordinary(world, 6)
    for issue in issues[:5]:
        world.edit(issue.reference, by="pm_oak", add_labels=[DEV])
    mover = issues[5]
    lists = {"fromListId": str(column(board, "Open").id), "toListId": str(column(board, DEV).id)}
    query = """query L($id: ListID!) { boardList(id: $id) { issuesCount totalIssueWeight
      issues { nodes { reference(full: true) } } } }"""
    dev = f"gid://gitlab/List/{column(board, DEV).id}"
    for place, at in ((0, 0), (-1, -1), (2, 2)):
        wire.data(MOVE, input=wish(board, mover, **lists, positionInList=place))
        shown = wire.data(query, id=dev)["boardList"]
        assert shown["issues"]["nodes"][at]["reference"] == mover.reference
        world.edit(mover.reference, by="pm_oak", remove_labels=[DEV])
    assert isinstance(shown["totalIssueWeight"], str)
    assert shown["issuesCount"] >= 6


def test_what_a_board_shows(wire: Wire) -> None:
    world = wire.world
    board = make_board(world, READY, DEV)
    board.milestone = world.milestone("Next 1-3 releases")
    query = """query B($id: BoardID!) { group(fullPath: "demo-org") { board(id: $id) { lists { nodes {
      title listType issuesCount issues(first: 100) { nodes { reference(full: true) } } } } } } }"""
    lists = wire.data(query, id=f"gid://gitlab/Board/{board.id}")["group"]["board"]["lists"]["nodes"]
    assert [one["listType"] for one in lists] == ["backlog", "label", "label", "closed"]
    # The milestone of the board is applied by GitLab's pages, not by the API.
    for shown in lists:
        found = {one["reference"] for one in shown["issues"]["nodes"]}
        expected = set()
        for issue in world.index.issues.values():
            names = {one.title for one in issue.labels}
            if not permissions.can_read(world.owner, issue):
                continue
            there = {
                "backlog": issue.open and not names & {READY, DEV},
                "label": issue.open and shown["title"] in names,
                "closed": not issue.open,
            }[shown["listType"]]
            if there:
                expected.add(issue.reference)
        assert shown["issuesCount"] == len(expected)
        assert found <= expected


def test_a_list_accepts_one_milestone_or_a_wildcard(wire: Wire) -> None:
    board = make_board(wire.world, READY)
    query = (
        "query L($id: ListID!, $f: BoardIssueInput) { boardList(id: $id) { issues(filters: $f) { count } } }"
    )
    ident = f"gid://gitlab/List/{column(board, READY).id}"
    assert "Only one of" in wire.error(
        query, id=ident, f={"milestoneTitle": "Backlog", "milestoneWildcardId": "ANY"}
    )
    assert wire.data(query, id=ident, f={"milestoneTitle": "Backlog"})


def test_boards_and_lists_are_created_and_deleted(wire: Wire) -> None:
    world = wire.world
    create = """mutation C($input: CreateBoardInput!) { createBoard(input: $input) { errors board {
      id name labels { nodes { title } } milestone { title } lists { nodes { listType } } } } }"""
    group = label(world, "group::custom models")
    made = wire.data(create, input={
        "groupPath": "demo-org", "name": "Build 19.8", "labelIds": [f"gid://gitlab/GroupLabel/{group.id}"],
        "milestoneId": f"gid://gitlab/Milestone/{world.milestone('19.8').id}",
    })["createBoard"]  # fmt: skip
    assert made["errors"] == []
    board = made["board"]
    assert [one["listType"] for one in board["lists"]["nodes"]] == ["backlog", "closed"]
    assert (board["milestone"]["title"], board["labels"]["nodes"]) == (
        "19.8",
        [{"title": "group::custom models"}],
    )

    add = """mutation A($input: BoardListCreateInput!) { boardListCreate(input: $input) {
      errors list { id position title } } }"""
    names = {}
    for name, position in ((READY, None), (DEV, 0)):
        at = {} if position is None else {"position": position}
        wanted = {"boardId": board["id"], "labelId": f"gid://gitlab/GroupLabel/{label(world, name).id}", **at}
        names[name] = wire.data(add, input=wanted)["boardListCreate"]["list"]
        assert wire.data(add, input=wanted)["boardListCreate"]["errors"] == ["Label has already been taken"]
    held = world.boards[int(board["id"].rsplit("/", 1)[1])]
    assert [one.title for one in held.movable()] == [DEV, READY]

    move = """mutation U($id: ListID!) { updateBoardList(input: {listId: $id, position: 1}) {
      errors list { position } } }"""
    assert wire.data(move, id=names[DEV]["id"])["updateBoardList"]["list"] == {"position": 1}
    drop = "mutation D($id: ListID!) { destroyBoardList(input: {listId: $id}) { errors list { id } } }"
    assert wire.data(drop, id=names[DEV]["id"])["destroyBoardList"]["errors"] == []
    assert [one.title for one in held.movable()] == [READY]
    change = """mutation U($id: BoardID!) { updateBoard(input: {id: $id, name: "New name"}) {
      errors board { name } } }"""
    assert wire.data(change, id=board["id"])["updateBoard"]["board"] == {"name": "New name"}
    gone = "mutation D($id: BoardID!) { destroyBoard(input: {id: $id}) { errors board { id } } }"
    assert wire.data(gone, id=board["id"])["destroyBoard"] == {"errors": [], "board": None}
    assert held.id not in world.boards


def test_free_tier_has_one_board_without_a_scope(serve: Any) -> None:
    wire = serve(tier="free")
    create = 'mutation { createBoard(input: {groupPath: "demo-org", name: "More"}) { errors board { id } } }'
    assert wire.data(create)["createBoard"] == {
        "errors": ["You don't have the permission to create a board for this resource."],
        "board": None,
    }
    # Of several boards from before only the first is there.
    first, *_ = sorted(wire.world.boards.values(), key=lambda one: one.name.lower())
    later = wire.world.add_board(first.group, "Zoo")
    asked = f'{{ group(fullPath: "{first.group.full_path}") {{ boards {{ nodes {{ name }} }} %s }} }}'
    other = f'board(id: "gid://gitlab/Board/{later.id}") {{ name }}'
    assert wire.data(asked % other)["group"] == {"boards": {"nodes": [{"name": first.name}]}, "board": None}
    assert wire.rest("GET", f"/groups/demo-org/boards/{later.id}").status_code == 404
    wire.world.boards.clear()
    assert wire.data(create)["createBoard"]["board"]


def test_labels_are_created_once_per_place(wire: Wire) -> None:
    create = """mutation L($input: LabelCreateInput!) { labelCreate(input: $input) {
      errors label { id title color } } }"""
    wanted = {"groupPath": "demo-org", "title": "missed:99.1", "color": "#ff0000"}
    assert wire.data(create, input=wanted)["labelCreate"]["label"]["title"] == "missed:99.1"
    assert wire.data(create, input=wanted)["labelCreate"]["errors"] == ["Title has already been taken"]
    assert wire.data(create, input={**wanted, "title": "a, b"})["labelCreate"]["errors"] == [
        "Title is invalid"
    ]
    assert "Exactly one of" in wire.error(create, input={"title": "nowhere"})
