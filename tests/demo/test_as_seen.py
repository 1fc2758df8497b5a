"""What a running GitLab was seen to do, where it is easy to be more lenient."""

from __future__ import annotations

from demo.wire import Wire, an_issue, label
from glboard_core.demo.world import boards as rules
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.records import Board
from glboard_core.demo.world.world import World

READY, DEV = "workflow::ready for development", "workflow::in dev"
LISTS = """query B($id: BoardID!) { group(fullPath: "demo-org") { board(id: $id) { lists { nodes {
  title listType position issuesCount } } } } }"""
MAKE = """mutation M($input: CreateBoardInput!) { createBoard(input: $input) {
  errors board { id labels { nodes { title } } lists { nodes { listType } } } } }"""


def a_board(world: World, name: str = "Mixed") -> Board:
    return world.add_board(world.root, name)


def lists_of(wire: Wire, board: Board) -> list[dict[str, object]]:
    found = wire.data(LISTS, id=f"gid://gitlab/Board/{board.id}")["group"]["board"]["lists"]["nodes"]
    assert isinstance(found, list)
    return found


def test_lists_come_by_type_and_only_then_by_position(wire: Wire) -> None:
    world = wire.world
    board = a_board(world)
    world.add_list(board, "milestone").milestone = world.milestone("19.8")
    world.add_list(board, "label").label = label(world, DEV)
    world.add_list(board, "assignee").assignee = world.owner
    world.add_list(board, "label").label = label(world, READY)
    found = lists_of(wire, board)
    assert [one["listType"] for one in found] == [
        "backlog", "label", "label", "closed", "assignee", "milestone",
    ]  # fmt: skip
    assert [one["position"] for one in found] == [None, 1, 3, None, 2, 0]


def test_hidden_lists_are_not_listed(wire: Wire) -> None:
    wish = {"groupPath": "demo-org", "name": "Bare", "hideBacklogList": True, "hideClosedList": True}
    assert wire.data(MAKE, input=wish)["createBoard"]["board"]["lists"]["nodes"] == []


def test_a_board_is_made_with_its_labels_and_needs_a_name(wire: Wire) -> None:
    said = ["There was an error when creating a board."]
    for name in ("", "  ", "x" * 300):
        wish: dict[str, object] = {"groupPath": "demo-org", "name": name}
        assert wire.data(MAKE, input=wish)["createBoard"] == {"errors": said, "board": None}
    wish = {"groupPath": "demo-org", "name": "Labelled", "labels": ["never seen before"]}
    made = wire.data(MAKE, input=wish)["createBoard"]["board"]
    assert [one["title"] for one in made["labels"]["nodes"]] == ["never seen before"]
    assert wire.world.label_of(wire.world.root, "never seen before") is not None


def test_a_list_of_a_closing_status_counts_closed_issues(wire: Wire) -> None:
    world = wire.world
    board = a_board(world)
    world.add_list(board, "status").status = world.statuses["Complete"]
    issue = an_issue(world)
    world.edit(issue.reference, by="pm_oak", status="Complete")
    [done] = [one for one in lists_of(wire, board) if one["listType"] == "status"]
    assert done["issuesCount"] == sum(1 for one in world.index.issues.values() if one.status == "Complete")


def test_a_custom_status_has_its_place_in_the_list_only(wire: Wire) -> None:
    asked = '{ group(fullPath: "demo-org") { statuses { nodes { name category position } } } }'
    found = wire.data(asked)["group"]["statuses"]["nodes"]
    assert {one["position"] for one in found} == {0}
    assert {one["category"] for one in found} == {"triage", "to_do", "in_progress", "done", "canceled"}


def test_deleting_a_milestone_moves_the_time_of_its_issues(wire: Wire) -> None:
    world = wire.world
    milestone = world.add_milestone(world.root, "Short-lived")
    issue = an_issue(world)
    world.edit(issue.reference, by="pm_oak", milestone="Short-lived")
    world.clock.advance(500)
    before = issue.updated
    world.drop_milestone(milestone)
    assert issue.milestone is None
    assert issue.updated > before


def test_how_many_an_issue_blocks_does_not_depend_on_its_own_state(wire: Wire) -> None:
    world = wire.world
    blocker, blocked = world.create("demo-org/platform", "A", by="pm_oak"), an_issue(world)
    world.link(blocker.reference, blocked.reference, "blocks", by="pm_oak")
    world.edit(blocker.reference, by="pm_oak", close=True)
    asked = "query($id: IssueID!) { issue(id: $id) { blocked blockingCount } }"
    assert wire.data(asked, id=f"gid://gitlab/Issue/{blocker.id}")["issue"]["blockingCount"] == 1
    assert wire.data(asked, id=f"gid://gitlab/Issue/{blocked.id}")["issue"]["blocked"] is False


def test_a_task_has_a_page_of_a_work_item(wire: Wire) -> None:
    issue = an_issue(wire.world)
    asked = """query($id: IssueID!, $item: WorkItemID!) {
      issue(id: $id) { webUrl } workItem(id: $item) { webUrl } }"""
    ids = {"id": f"gid://gitlab/Issue/{issue.id}", "item": f"gid://gitlab/WorkItem/{issue.id}"}
    found = wire.data(asked, **ids)
    assert found["issue"]["webUrl"].endswith(f"/-/issues/{issue.iid}")
    assert found["workItem"]["webUrl"] == found["issue"]["webUrl"]
    issue.kind = "TASK"
    assert wire.data(asked, **ids)["issue"]["webUrl"].endswith(f"/-/work_items/{issue.iid}")


def test_two_letters_find_no_group(wire: Wire) -> None:
    asked = "query($text: String) { groups(search: $text) { nodes { fullPath } } }"
    assert wire.world.group_at("demo-org/ai") is not None
    assert wire.data(asked, text="ai")["groups"]["nodes"] == []
    assert wire.data(asked, text="docs")["groups"]["nodes"] != []


def test_a_status_is_not_dropped_but_refused_in_an_archived_project(wire: Wire) -> None:
    issue = an_issue(wire.world)
    issue.project.archived = True
    asked = "mutation($input: WorkItemUpdateInput!) { workItemUpdate(input: $input) { errors } }"
    status = {"status": "gid://gitlab/WorkItems::Statuses::Custom::Status/9"}
    wish = {"id": f"gid://gitlab/WorkItem/{issue.id}", "statusWidget": status}
    assert "does not exist or you don't have permission" in wire.error(asked, input=wish)


def test_the_original_of_a_move_has_the_status_of_a_duplicate(wire: Wire) -> None:
    world = wire.world
    issue = an_issue(world)
    made = upheavals.move_issue(world, issue, world.project("demo-org/docs/handbook"), world.owner)
    assert (issue.status, issue.open) == ("Duplicate", False)
    assert made.open
    assert rules.scope_of(world, next(iter(world.boards.values()))).labels == ()


def test_a_description_that_was_never_given_is_null(wire: Wire) -> None:
    world = wire.world
    issue = world.create("demo-org/platform", "Bare", by="pm_oak")
    asked = "query($id: IssueID!) { issue(id: $id) { description } }"
    path = f"/projects/{issue.project.id}/issues/{issue.iid}"
    ident = f"gid://gitlab/Issue/{issue.id}"
    assert wire.data(asked, id=ident)["issue"]["description"] is None
    assert wire.rest("GET", path).json()["description"] is None
    world.edit(issue.reference, by="pm_oak", description="")
    assert wire.data(asked, id=ident)["issue"]["description"] == ""
