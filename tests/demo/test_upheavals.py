"""Renames, moves, duplicates and deletions: `updatedAt` says nothing of them, ids do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from demo.wire import NOT_AVAILABLE, Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from support.engines import GROUP_LABEL, build_world

POLL = """query P($after: Time) { group(fullPath: "top") {
  issues(includeSubgroups: true, updatedAfter: $after) { nodes { reference(full: true) state moved } } } }"""
MOVE = """mutation M($input: IssueMoveInput!) { issueMove(input: $input) { errors
  issue { id iid createdAt updatedAt weight milestone { title } reference(full: true)
    labels { nodes { title } } } } }"""
MOVED = "query($id: IssueID!) { issue(id: $id) { state moved movedTo { id } closedAsDuplicateOf { iid } } }"
NOTE = """mutation N($id: NoteableID!, $body: String!) { createNote(input: {noteableId: $id, body: $body}) {
  errors note { id } } }"""
COUNT = '{ group(fullPath: "top") { a: issues(includeSubgroups: true) { count } %s } }'


@pytest.fixture(name="wire")
def served() -> Iterator[Wire]:
    """A server of its own."""
    world = build_world(3)
    world.clock.freeze()
    with DemoServer(world) as server, Wire(server) as wire:
        yield wire


def rename_label(world: World) -> None:
    label = world.label_of(world.root, "type::bug")
    assert label is not None
    world.rename_label(label, "type::fault")


def promote(world: World) -> None:
    label = world.label_of(world.project("top/lib"), "lib-only")
    assert label is not None
    made = upheavals.promote_label(world, label)
    assert (made.owner, made.id != label.id) == (world.root, True)
    assert made in world.issue("top/lib#1").labels


@pytest.mark.parametrize(
    "act",
    [
        rename_label,
        promote,
        lambda world: upheavals.rename_milestone(world, world.milestone("19.7"), "19.7 late"),
        lambda world: upheavals.rename_project(world, world.project("top/app"), "top/renamed"),
        lambda world: upheavals.rename_group(world, world.root, "summit"),
        lambda world: upheavals.rename_user(world, world.user("eng_1"), "eng_one"),
        lambda world: upheavals.schedule_deletion(world, world.project("top/app")),
    ],
)
def test_no_poll_sees_a_rename(wire: Wire, act: Callable[[World], object]) -> None:
    before = wire.world.clock.moment().isoformat()
    wire.world.clock.advance(1)
    act(wire.world)
    path = wire.world.root.full_path
    found = wire.data(POLL.replace('"top"', f'"{path}"'), after=before)
    assert found["group"]["issues"]["nodes"] == []


def test_old_titles_and_names_match_nothing(wire: Wire) -> None:
    upheavals.rename_milestone(wire.world, wire.world.milestone("19.7"), "19.7 late")
    rename_label(wire.world)
    upheavals.rename_user(wire.world, wire.world.user("eng_1"), "eng_one")
    for argument in ('milestoneTitle: ["19.7"]', 'labelName: ["type::bug"]', 'assigneeUsernames: ["eng_1"]'):
        asked = f"issues(includeSubgroups: true, {argument}) {{ count }}"
        assert wire.data(f'{{ group(fullPath: "top") {{ {asked} }} }}')["group"]["issues"]["count"] == 0


def test_a_former_path_is_gone_for_graphql_and_redirects_over_rest(wire: Wire) -> None:
    world = wire.world
    project = world.project("top/app")
    upheavals.rename_project(world, project, "top/other/app-2")
    assert wire.data('{ project(fullPath: "top/app") { id } }')["project"] is None
    assert (
        wire.data('{ project(fullPath: "TOP/Other/APP-2") { fullPath } }')["project"]["fullPath"]
        == "top/other/app-2"
    )
    wish = 'updateIssue(input: {projectPath: "top/app", iid: "1", weight: 3}) { errors }'
    assert NOT_AVAILABLE in wire.error(f"mutation {{ {wish} }}")
    there = wire.rest("GET", "/projects/top%2Fapp/issues/1")
    assert there.status_code == 301
    assert there.headers["location"] == f"{wire.server.url}/api/v4/projects/{project.id}/issues/1"
    assert wire.rest("GET", f"/projects/{project.id}/issues/1").status_code == 200
    refused = wire.rest("PUT", "/projects/top%2Fapp/issues/1", json={"weight": 3})
    assert (refused.status_code, refused.json()) == (
        405, {"message": "Non GET methods are not allowed for moved projects"},
    )  # fmt: skip
    ids = f'{{ projects(ids: ["gid://gitlab/Project/{project.id}"]) {{ nodes {{ fullPath }} }} }}'
    assert wire.data(ids)["projects"]["nodes"] == [{"fullPath": "top/other/app-2"}]


def test_a_renamed_group_takes_its_projects_along(wire: Wire) -> None:
    upheavals.rename_group(wire.world, wire.world.root, "summit")
    assert wire.data('{ group(fullPath: "top") { id } }')["group"] is None
    assert wire.rest("GET", "/groups/top").status_code == 404
    assert wire.rest("GET", "/projects/top%2Fapp").status_code == 301
    found = wire.data('{ project(fullPath: "summit/app") { issue(iid: "1") { reference(full: true) } } }')
    assert found["project"]["issue"]["reference"] == "summit/app#1"


@pytest.mark.parametrize("kind", ["archived", "deleted"])
def test_an_archived_project_leaves_the_groups_issues_only(wire: Wire, kind: str) -> None:
    world = wire.world
    project, issue = world.project("top/app"), world.issue("top/app#1")
    more = "b: issues(includeSubgroups: true, includeArchived: true) { count }"
    everything = wire.data(COUNT % more)["group"]["a"]["count"]
    if kind == "archived":
        project.archived = True
    else:
        upheavals.schedule_deletion(world, project)
        assert project.full_path == f"top/app-deletion_scheduled-{project.id}"
        assert project.archived is False
    found = wire.data(COUNT % more)["group"]
    assert (found["a"]["count"], found["b"]["count"]) == (everything - 3, everything)
    asked = f'{{ issue(id: "gid://gitlab/Issue/{issue.id}") {{ reference(full: true) }} }}'
    assert wire.data(asked)["issue"]["reference"] == f"{project.full_path}#1"
    if kind == "deleted":
        upheavals.restore(world, project)
        assert (project.full_path, project.name, project.marked) == ("top/app", "App", None)


def move(wire: Wire, target: str, number: int = 1) -> dict[str, Any]:
    wish = {"projectPath": "top/app", "iid": str(number), "targetProjectPath": target}
    payload: dict[str, Any] = wire.data(MOVE, input=wish)["issueMove"]
    return payload


def test_a_moved_issue_is_a_copy_and_a_closed_original(wire: Wire) -> None:
    world = wire.world
    old = world.issue("top/app#1")
    own = world.add_label(old.project, "app-only")
    world.edit("top/app#1", by="eng_1", add_labels=["app-only"], assignees=["eng_2"])
    before = wire.world.clock.moment().isoformat()
    world.clock.advance(90)
    payload = move(wire, "top/lib")
    assert payload["errors"] == []
    made = payload["issue"]
    assert made["id"].startswith("gid://gitlab/WorkItem/")
    assert (made["reference"], made["weight"], made["milestone"]) == ("top/lib#2", 1, {"title": "19.7"})
    assert {one["title"] for one in made["labels"]["nodes"]} == {GROUP_LABEL, "type::bug"}
    new = world.issue("top/lib#2")
    assert (new.created, new.assignees, new.position) == (old.created, old.assignees, old.position)
    assert (own in old.labels, old.open) == (True, False)
    shown = wire.data(MOVED, id=f"gid://gitlab/Issue/{old.id}")["issue"]
    assert (shown["state"], shown["moved"]) == ("closed", True)
    assert shown["movedTo"] == {"id": f"gid://gitlab/Issue/{new.id}"}
    seen = wire.data(POLL, after=before)["group"]["issues"]["nodes"]
    assert {one["reference"] for one in seen} == {"top/app#1", "top/lib#2"}
    kinds = [(one.kind, one.action) for one in new.history or ()]
    assert kinds == [(one.kind, one.action) for one in old.history or ()][:-1]


def test_reopening_the_original_forgets_the_move(wire: Wire) -> None:
    move(wire, "top/lib")
    wire.update(wire.world.issue("top/app#1"), stateEvent="REOPEN")
    assert wire.world.issue("top/app#1").moved_to is None


def test_a_move_into_the_same_project_makes_no_copy(wire: Wire) -> None:
    payload = move(wire, "top/app")
    assert (payload["errors"], payload["issue"]["reference"]) == ([], "top/app#1")
    assert wire.world.issue("top/app#1").open


def test_a_guest_may_not_move(wire: Wire) -> None:
    user = wire.world.add_user("guest", "Guest")
    wire.world.root.members[user.id] = 10
    with wire.other("guest") as them:
        wish = {"projectPath": "top/app", "iid": "1", "targetProjectPath": "top/lib"}
        assert NOT_AVAILABLE in them.error(MOVE, input=wish)
    assert move(wire, "top/locked")["errors"] == ["Cannot move issue due to insufficient permissions!"]


def test_a_duplicate_is_closed_and_points_to_the_other(wire: Wire) -> None:
    issue = wire.world.issue("top/app#1")
    issue.status = "In dev"
    labels = issue.labels
    done = wire.data(NOTE, id=f"gid://gitlab/Issue/{issue.id}", body="/duplicate #2")["createNote"]
    assert done == {"errors": [], "note": None}
    shown = wire.data(MOVED, id=f"gid://gitlab/Issue/{issue.id}")["issue"]
    assert (shown["state"], shown["closedAsDuplicateOf"]) == ("closed", {"iid": "2"})
    assert (issue.status, issue.labels) == ("Duplicate", labels)
