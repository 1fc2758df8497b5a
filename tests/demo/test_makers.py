"""Groups, projects and people are made and deleted over REST, by those who may, in two steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.wire import Wire
from glboard_core.demo.world.world import World

ME = "em_maple"


@pytest.fixture
def top(serve: Callable[..., Wire]) -> Wire:
    """A group with a project, of an owner and a developer."""
    world = World()
    group = world.add_group("top")
    group.members[world.add_user(ME, "Maple").id] = 50
    group.members[world.add_user("eng_oak", "Oak").id] = 30
    world.owner_username = ME
    world.add_project("top/app")
    return serve(world)


def test_a_group_with_everything_in_it_is_made_and_deleted(top: Wire) -> None:
    world = top.world
    before = {name: len(getattr(world, name)) for name in ("groups", "projects", "labels", "milestones")}
    parent = world.group("top").id
    made = top.rest("POST", "/groups", json={"name": "Sub", "path": "sub", "parent_id": parent})
    assert made.status_code == 201
    assert made.json()["full_path"] == "top/sub"
    again = top.rest("POST", "/groups", json={"name": "Sub", "path": "sub", "parent_id": parent})
    assert again.status_code == 400
    group = made.json()["id"]
    project = top.rest("POST", "/projects", json={"name": "lib", "namespace_id": group}).json()
    assert project["path_with_namespace"] == "top/sub/lib"
    at = f"/groups/{group}"
    top.rest("POST", f"{at}/labels", json={"name": "a", "color": "#aa0000"})
    top.rest("POST", f"{at}/milestones", json={"title": "m"})
    top.rest("POST", f"{at}/boards", json={"name": "b"})
    top.rest("POST", f"/projects/{project['id']}/issues", json={"title": "t", "labels": "a,own"})
    assert top.rest("DELETE", at).status_code == 202
    marked = top.rest("GET", at).json()["full_path"]
    assert marked == f"top/sub-deletion_scheduled-{group}"
    # Its issues are no longer in any list, and can still be read.
    assert top.rest("GET", "/groups/top/issues").json() == []
    assert top.rest("GET", f"/projects/{project['id']}/issues/1").status_code == 200
    wrong = {"permanently_remove": "true", "full_path": "top/sub"}
    assert top.rest("DELETE", at, params=wrong).status_code == 400
    assert top.rest("DELETE", at, params={**wrong, "full_path": marked}).status_code == 202
    assert top.rest("GET", at).status_code == 404
    assert {name: len(getattr(world, name)) for name in before} == before
    assert len(world.index.issues) == len(world.boards) == 0


def test_a_project_is_renamed_archived_and_deleted(top: Wire) -> None:
    at = f"/projects/{top.world.project('top/app').id}"
    assert top.rest("PUT", at, json={"path": "new"}).json()["path_with_namespace"] == "top/new"
    assert top.rest("GET", "/projects/top%2Fapp", follow_redirects=False).status_code == 301
    assert top.rest("POST", f"{at}/archive").json()["archived"]
    assert not top.rest("POST", f"{at}/unarchive").json()["archived"]
    assert top.rest("DELETE", at).status_code == 202
    path = top.rest("GET", at).json()["path_with_namespace"]
    gone = {"permanently_remove": "true", "full_path": path}
    assert top.rest("DELETE", at, params=gone).status_code == 202
    assert top.world.projects == {}


def test_only_owners_make_and_delete(top: Wire) -> None:
    project, group = top.world.project("top/app").id, top.world.group("top").id
    asked = [
        ("POST", "/groups", {"name": "x", "path": "x", "parent_id": group}),
        ("POST", "/projects", {"name": "x", "namespace_id": group}),
        ("PUT", f"/projects/{project}", {"path": "x"}),
        ("POST", f"/projects/{project}/archive", {}),
        ("POST", f"/groups/{group}/access_tokens", {"name": "x", "scopes": ["api"]}),
    ]
    with top.other("eng_oak") as other:
        for method, path, values in asked:
            assert other.rest(method, path, json=values).status_code == 403, path
        assert other.rest("DELETE", f"/projects/{project}").status_code == 403


def test_a_token_of_a_group_has_a_user_of_its_own(top: Wire) -> None:
    at = f"/groups/{top.world.group('top').id}/access_tokens"
    made = top.rest("POST", at, json={"name": "other", "scopes": ["api"], "access_level": 30}).json()
    other = Wire(top.server, made["token"])
    user = other.rest("GET", "/user").json()
    assert user["id"] == made["user_id"]
    assert top.rest("GET", f"/users/{user['id']}").json()["username"] == user["username"]
    assert other.rest("POST", "/projects/top%2Fapp/issues", json={"title": "t"}).status_code == 201
    assert top.rest("DELETE", f"{at}/{made['id']}").status_code == 204
    assert other.rest("GET", "/user").status_code == 401
    other.close()


def test_an_issue_is_moved_and_linked(top: Wire) -> None:
    top.world.add_project("top/lib")
    app, lib = (top.world.project(path).id for path in ("top/app", "top/lib"))
    for n in range(2):
        top.world.create("top/app", f"Issue {n}", by=ME)
    target = {"target_project_id": app, "target_issue_iid": 2, "link_type": "is_blocked_by"}
    linked = top.rest("POST", f"/projects/{app}/issues/1/links", json=target)
    assert linked.status_code == 201
    assert linked.json()["link_type"] == "is_blocked_by"
    assert top.rest("POST", f"/projects/{app}/issues/1/links", json=target).status_code == 409
    assert top.rest("GET", f"/projects/{app}/issues/2").json()["blocking_issues_count"] == 1
    copy = top.rest("POST", f"/projects/{app}/issues/1/move", json={"to_project_id": lib})
    assert copy.json()["references"]["full"] == "top/lib#1"
    assert top.rest("GET", f"/projects/{app}/issues/1").json()["moved_to_id"] == copy.json()["id"]
