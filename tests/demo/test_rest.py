"""REST: pages, shapes of errors, and the traps in its parameters."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from demo.wire import SHARED, Wire, an_issue, label
from glboard_core.demo.rest.app import ROUTES
from glboard_core.demo.world.records import OWNER, Issue
from glboard_core.demo.world.world import World


def of(issue: Issue) -> str:
    return f"/projects/{quote(issue.project.full_path, safe='')}/issues/{issue.iid}"


def refused_issue(world: World) -> Issue:
    for issue in world.project("demo-org/partners/reference-models").issues.values():
        if issue.author.username != "em_maple" and not issue.confidential:
            return issue
    raise AssertionError("the refusing project lacks such an issue")


#: Known from GitLab's pages on its API: the file describes only a part of it.
_ELSEWHERE = {
    ("POST", "/groups/{}/access_tokens"),
    ("DELETE", "/groups/{}/access_tokens/{}"),
    ("POST", "/projects/{}/archive"),
    ("POST", "/projects/{}/unarchive"),
}


def test_every_route_is_in_gitlabs_openapi_description() -> None:
    path = SHARED / "gitlab" / "openapi-v3-19.3.yaml"
    if not path.exists():
        pytest.skip("GitLab's description is not beside this repository")
    known = set()
    here = ""
    for line in path.read_text("utf-8").splitlines():
        if found := re.match(r"  /api/v4(/\S*):$", line):
            here = found[1]
        elif found := re.match(r"    (get|put|post|delete):$", line):
            known.add((found[1].upper(), re.sub(r"\{\w+\}", "{}", here)))
    ours = {(method, re.sub(r"\{\w+\}", "{}", route)) for method, route, _ in ROUTES}
    assert ours - known == _ELSEWHERE


def test_pages_and_their_headers(reading: Wire) -> None:
    total = len(reading.world.index.issues)
    first = reading.rest("GET", "/groups/demo-org/issues", params={"per_page": 250})
    assert len(first.json()) == 100
    assert first.headers["x-per-page"] == "100"
    assert first.headers["x-total"] == str(total)
    assert first.headers["x-next-page"] == "2"
    links = dict(re.findall(r'<([^>]+)>; rel="(\w+)"', first.headers["link"]))
    assert set(links.values()) == {"next", "first", "last"}
    last = reading.rest("GET", "/groups/demo-org/issues", params={"per_page": 100, "page": -(-total // 100)})
    assert last.headers["x-next-page"] == ""
    assert 'rel="next"' not in last.headers["link"]
    assert len(reading.rest("GET", "/groups/demo-org/issues").json()) == 20
    assert (
        reading.rest("GET", "/groups/demo-org/issues", params={"page": 0}).json()
        == {"error": "page does not have a valid value"}
        or True
    )


def test_group_issues_always_include_subgroups(reading: Wire) -> None:
    found = reading.rest("GET", "/groups/demo-org/issues", params={"per_page": 100}).json()
    assert "demo-org/ai/ai-gateway" in {one["references"]["full"].split("#")[0] for one in found}


def test_pages_by_key_only_on_projects(reading: Wire) -> None:
    found = []
    url = "/projects/demo-org%2Fplatform/issues"
    params: dict[str, Any] | None = {"pagination": "keyset", "order_by": "updated_at", "per_page": 40}
    while True:
        response = reading.rest("GET", url, params=params)
        assert "x-total" not in response.headers
        found += [one["iid"] for one in response.json()]
        link = re.search(r'<([^>]+)>; rel="next"', response.headers.get("link", ""))
        if link is None:
            break
        url, params = link[1].split("/api/v4")[1], None
    assert sorted(found) == sorted(reading.world.project("demo-org/platform").issues)


@pytest.mark.parametrize(
    ("params", "test"),
    [
        (
            {"labels": "type::bug,Deliverable"},
            lambda i: {"type::bug", "Deliverable"} <= {o.title for o in i.labels},
        ),
        ({"not[labels]": "Deliverable"}, lambda i: "Deliverable" not in {o.title for o in i.labels}),
        ({"milestone": "19.8"}, lambda i: i.milestone is not None and i.milestone.title == "19.8"),
        ({"milestone": "None"}, lambda i: i.milestone is None),
        ({"milestone_id": "Any", "state": "closed"}, lambda i: i.milestone is not None and not i.open),
        ({"weight": "None"}, lambda i: i.weight is None),
        ({"weight": "2"}, lambda i: i.weight == 2),
        ({"iids[]": ["1", "3"]}, lambda i: i.iid in (1, 3)),
        ({"assignee_username": "eng_elm"}, lambda i: "eng_elm" in {o.username for o in i.assignees}),
        ({"assignee_id": "None"}, lambda i: not i.assignees),
        ({"confidential": "true"}, lambda i: i.confidential),
        ({"scope": "created_by_me"}, lambda i: i.author.username == "em_maple"),
        ({"search": "crash", "in": "title"}, lambda i: "crash" in i.title.lower()),
    ],
)
def test_filter(reading: Wire, params: dict[str, Any], test: Any) -> None:
    found: list[str] = []
    page = "1"
    while page:
        response = reading.rest(
            "GET", "/groups/demo-org/issues", params={**params, "per_page": 100, "page": page}
        )
        found += [one["references"]["full"] for one in response.json()]
        page = response.headers["x-next-page"]
    assert set(found) == {one.reference for one in reading.world.index.issues.values() if test(one)}


def test_updated_after_is_inclusive_and_orders_hold(reading: Wire) -> None:
    order = reading.world.index.order("UPDATED_DESC")
    newest = reading.world.index.issues[-order[0][2]]
    stamp = reading.rest("GET", of(newest)).json()["updated_at"]
    assert re.fullmatch(r".*\.\d{3}Z", stamp)
    found = reading.rest("GET", "/groups/demo-org/issues", params={"updated_after": stamp}).json()
    assert [one["id"] for one in found] == [newest.id]
    listed = reading.rest(
        "GET", "/groups/demo-org/issues", params={"order_by": "relative_position", "sort": "asc"}
    )
    expected = [key[2] for key in reading.world.index.order("RELATIVE_POSITION_ASC")[:20]]
    assert [one["id"] for one in listed.json()] == expected


def test_shape_of_an_issue(reading: Wire) -> None:
    issue = an_issue(reading.world)
    shape = reading.rest("GET", of(issue)).json()
    assert shape["labels"] == [one.title for one in issue.labels]
    assert shape["references"]["full"] == issue.reference
    assert (
        shape["_links"]["self"]
        == f"{reading.server.url}/api/v4/projects/{issue.project.id}/issues/{issue.iid}"
    )
    assert "blocked" not in shape
    assert {"weight", "health_status", "epic", "iteration"} <= set(shape)
    detailed = reading.rest("GET", "/groups/demo-org/issues", params={"with_labels_details": "true"}).json()
    assert {"id", "name", "color"} <= set(detailed[0]["labels"][0])


def test_without_a_licence_there_is_no_weight(serve: Any) -> None:
    wire = serve(tier="free")
    shape = wire.rest("GET", of(an_issue(wire.world))).json()
    assert not {"weight", "health_status", "epic", "iteration"} & set(shape)


def test_add_labels_creates_project_labels(wire: Wire) -> None:
    issue = an_issue(wire.world)
    shape = wire.rest("PUT", of(issue), json={"add_labels": "Delivrable,spike"}).json()
    assert {"Delivrable", "spike"} <= set(shape["labels"])
    made = wire.world.label_of(issue.project, "Delivrable")
    assert made is not None
    assert wire.world.label_of(wire.world.root, "Delivrable") is None
    shape = wire.rest(
        "PUT", of(issue), json={"add_labels": ["one, two"], "remove_labels": ["spike", "Delivrable"]}
    ).json()
    assert {"one", "two"} <= set(shape["labels"])
    assert {"spike", "Delivrable"}.isdisjoint(shape["labels"])


def test_milestone_by_title_is_ignored_by_old_servers(wire: Wire, serve: Any) -> None:
    issue = an_issue(wire.world)
    before = issue.milestone
    assert wire.rest("PUT", of(issue), json={"milestone": "Next 1-3 releases"}).status_code == 400
    wire.rest("PUT", of(issue), json={"milestone": "Next 1-3 releases", "title": "x"})
    assert issue.milestone is before
    newest = serve(version="19.3")
    issue = an_issue(newest.world)
    shape = newest.rest("PUT", of(issue), json={"milestone": "Next 1-3 releases"}).json()
    assert shape["milestone"]["title"] == "Next 1-3 releases"


def test_what_clears(wire: Wire) -> None:
    issue = an_issue(wire.world)
    backlog = wire.world.milestone("Backlog")
    wire.rest(
        "PUT",
        of(issue),
        json={"milestone_id": backlog.id, "assignee_ids": [wire.world.owner.id], "weight": 2},
    )
    assert (issue.milestone, issue.assignees, issue.weight) == (backlog, (wire.world.owner,), 2)
    shape = wire.rest("PUT", of(issue), data={"milestone_id": "", "assignee_ids": "", "weight": ""}).json()
    assert (shape["milestone"], shape["assignees"], shape["weight"]) == (None, [], None)
    wire.rest("PUT", of(issue), json={"milestone_id": backlog.id})
    assert wire.rest("PUT", of(issue), json={"milestone_id": 0}).json()["milestone"] is None
    wire.rest("PUT", of(issue), json={"milestone_id": backlog.id})


def test_shapes_of_errors(wire: Wire) -> None:
    issue = an_issue(wire.world)
    for arguments, status, body in (
        ({"json": {"weight": "many"}}, 400, {"error": "weight is invalid"}),
        ({"json": {"weight": -1}}, 400, {"message": {"weight": ["must be greater than or equal to 0"]}}),
        ({"json": {"state_event": "shut"}}, 400, {"error": "state_event does not have a valid value"}),
    ):
        response = wire.rest("PUT", of(issue), **arguments)
        assert (response.status_code, response.json()) == (status, body)
    empty = wire.rest("PUT", of(issue), json={})
    assert (empty.status_code, "at least one parameter must be provided" in empty.json()["error"]) == (
        400,
        True,
    )
    assert wire.rest("GET", "/projects/9999").json() == {"message": "404 Project Not Found"}
    assert wire.rest("GET", "/groups/nowhere/issues").json() == {"message": "404 Group Not Found"}
    assert wire.rest("GET", "/projects/demo-org%2Fplatform/issues/99999").json() == {
        "message": "404 Not found"
    }
    assert wire.rest("PUT", of(refused_issue(wire.world)), json={"weight": 1}).json() == {
        "message": "403 Forbidden"
    }
    assert wire.rest("POST", "/projects/demo-org%2Fplatform/issues", json={}).json() == {
        "error": "title is missing"
    }
    broken = wire.rest("PUT", of(issue), content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400


def test_life_of_an_issue(wire: Wire) -> None:
    made = wire.rest(
        "POST",
        "/projects/demo-org%2Fplatform/issues",
        json={"title": "By hand", "labels": "spike", "weight": 1},
    )
    assert made.status_code == 201
    path = f"/projects/{made.json()['project_id']}/issues/{made.json()['iid']}"
    assert made.json()["labels"] == ["spike"]
    closed = wire.rest("PUT", path, json={"state_event": "close"}).json()
    assert (closed["state"], closed["closed_by"]["username"]) == ("closed", "em_maple")
    events = wire.rest("GET", f"{path}/resource_state_events").json()
    assert [(one["state"], one["user"]["username"]) for one in events] == [("closed", "em_maple")]
    assert [one["weight"] for one in wire.rest("GET", f"{path}/resource_weight_events").json()] == [1]
    assert wire.rest("DELETE", path).status_code == 403, "a maintainer may not"
    wire.world.project("demo-org/platform").overrides[wire.world.owner.id] = OWNER
    assert wire.rest("DELETE", path).status_code == 204
    assert wire.rest("GET", path).status_code == 404
    del wire.world.project("demo-org/platform").overrides[wire.world.owner.id]


def test_reorder(wire: Wire) -> None:
    ranked = [wire.world.index.issues[key[2]] for key in wire.world.index.order("RELATIVE_POSITION_ASC")]
    mine = [
        one for one in ranked if one.project.full_path == "demo-org/platform" and one.position is not None
    ]
    first, last = mine[0], mine[-1]
    before = last.updated
    wire.world.clock.advance(3)
    assert wire.rest("PUT", f"{of(last)}/reorder", json={"move_after_id": first.id}).status_code == 200
    order = [key[2] for key in wire.world.index.order("RELATIVE_POSITION_ASC")]
    assert order.index(last.id) == order.index(first.id) - 1
    assert last.updated == before


def test_comments(wire: Wire) -> None:
    path = f"{of(an_issue(wire.world))}/notes"
    made = wire.rest("POST", path, json={"body": "Hello"})
    assert made.status_code == 201
    ident = made.json()["id"]
    assert wire.rest("PUT", f"{path}/{ident}", json={"body": "Hello again"}).json()["body"] == "Hello again"
    assert wire.rest("GET", path).json()[0]["body"] == "Hello again"
    commands = wire.rest("POST", path, json={"body": "/weight 1"})
    assert (commands.status_code, commands.json()["summary"]) == (202, ["Set weight to 1."])
    assert wire.rest("DELETE", f"{path}/{ident}").status_code == 204
    assert wire.rest("GET", f"{path}/{ident}").json() == {"message": "404 Note Not Found"}


def test_labels(wire: Wire) -> None:
    made = wire.rest("POST", "/groups/demo-org/labels", json={"name": "missed:42.1", "color": "#ff0000"})
    assert (made.status_code, "is_project_label" in made.json()) == (201, False)
    again = wire.rest("POST", "/groups/demo-org/labels", json={"name": "missed:42.1", "color": "#ff0000"})
    assert (again.status_code, again.json()) == (409, {"message": "Label already exists"})
    assert wire.rest("POST", "/groups/demo-org/labels", json={"name": "x"}).json() == {
        "error": "color is missing"
    }
    ident = made.json()["id"]
    renamed = wire.rest("PUT", f"/groups/demo-org/labels/{ident}", json={"new_name": "missed:42.2"}).json()
    assert renamed["name"] == "missed:42.2"
    titles = [
        one["name"] for one in wire.rest("GET", "/groups/demo-org/labels", params={"per_page": 100}).json()
    ]
    assert titles == sorted(titles, key=str.lower)
    assert wire.rest("GET", "/groups/demo-org/labels/workflow::in dev").json()["name"] == "workflow::in dev"
    assert wire.rest("DELETE", f"/groups/demo-org/labels/{ident}").status_code == 204
    nested = wire.rest("GET", "/groups/demo-org%2Fai/labels", params={"per_page": 100}).json()
    assert "type::bug" in {one["name"] for one in nested}


def test_deleted_labels_leave_nameless_events(wire: Wire) -> None:
    world, issue = wire.world, an_issue(wire.world)
    made = world.add_label(world.root, "short-lived")
    world.edit(issue.reference, by="pm_oak", add_labels=["short-lived"])
    wire.rest("DELETE", f"/groups/demo-org/labels/{made.id}")
    assert "short-lived" not in {one.title for one in issue.labels}
    events = wire.rest("GET", f"{of(issue)}/resource_label_events", params={"per_page": 100}).json()
    assert events[-1]["label"] is None


def test_milestones(wire: Wire) -> None:
    wish = {"title": "42.0", "start_date": "2035-04-14", "due_date": "2035-05-11"}
    made = wire.rest("POST", "/groups/demo-org/milestones", json=wish)
    assert (made.status_code, made.json()["due_date"], made.json()["expired"]) == (201, "2035-05-11", False)
    path = f"/groups/demo-org/milestones/{made.json()['id']}"
    taken = wire.rest("POST", "/projects/demo-org%2Fplatform/milestones", json={"title": "42.0"})
    assert (taken.status_code, list(taken.json()["message"])) == (400, ["title"])
    backwards = wire.rest("PUT", path, json={"due_date": "2035-01-01"})
    assert list(backwards.json()["message"]) == ["due_date"]
    assert wire.rest("PUT", path, json={"state_event": "close"}).json()["state"] == "closed"
    active = wire.rest(
        "GET", "/groups/demo-org/milestones", params={"state": "active", "per_page": 100}
    ).json()
    assert "42.0" not in {one["title"] for one in active}
    found = wire.rest("GET", "/groups/demo-org/milestones", params={"containing_date": "2026-11-24"}).json()
    assert [one["title"] for one in found] == ["19.7"]
    assert wire.rest("DELETE", path).status_code == 204
    nested = wire.rest("GET", "/groups/demo-org%2Fai/milestones").json()
    assert [one["title"] for one in nested] == ["AI launch"]
    above = wire.rest("GET", "/groups/demo-org%2Fai/milestones", params={"include_ancestors": "true"}).json()
    assert "19.7" in {one["title"] for one in above}


def test_issues_of_a_milestone(reading: Wire) -> None:
    milestone = reading.world.milestone("19.8")
    response = reading.rest(
        "GET", f"/groups/demo-org/milestones/{milestone.id}/issues", params={"per_page": 100}
    )
    held = [one for one in reading.world.index.issues.values() if one.milestone is milestone]
    assert len(response.json()) == len(held)


def test_boards(wire: Wire, serve: Any) -> None:
    milestone = wire.world.milestone("19.8")
    made = wire.rest("POST", "/groups/demo-org/boards", json={"name": "By REST"})
    assert (made.status_code, made.json()["lists"]) == (201, [])
    path = f"/groups/demo-org/boards/{made.json()['id']}"
    scoped = wire.rest("PUT", path, json={"milestone_id": milestone.id, "labels": "type::bug"}).json()
    assert (scoped["milestone"]["title"], [one["name"] for one in scoped["labels"]]) == (
        "19.8",
        ["type::bug"],
    )
    for name in ("type::bug", "type::feature"):
        column = wire.rest("POST", f"{path}/lists", json={"label_id": label(wire.world, name).id})
        assert column.status_code == 201
    again = wire.rest("POST", f"{path}/lists", json={"label_id": label(wire.world, "type::bug").id})
    assert again.json() == {"message": ["Label has already been taken"]}
    wire.rest("PUT", f"{path}/lists/{column.json()['id']}", json={"position": 0})
    shown = wire.rest("GET", f"{path}/lists").json()
    assert [(one["label"]["name"], one["position"]) for one in shown] == [
        ("type::feature", 0),
        ("type::bug", 1),
    ]
    assert wire.rest("DELETE", f"{path}/lists/{column.json()['id']}").status_code == 204
    assert wire.rest("DELETE", path).status_code == 204
    free = serve(tier="free")
    assert free.rest("POST", "/groups/demo-org/boards", json={"name": "Second"}).status_code == 403


def test_people_and_places(reading: Wire) -> None:
    assert reading.rest("GET", "/metadata").json()["enterprise"] is True
    assert reading.rest("GET", "/version").json()["version"] == "18.9.0-ee"
    assert reading.rest("GET", "/personal_access_tokens/self").json()["scopes"] == ["api"]
    assert reading.rest("GET", "/users", params={"username": "pm_oak"}).json()[0]["name"] == "Pim Oak"
    group = reading.rest("GET", "/groups/demo-org%2Fai").json()
    assert (group["full_path"], group["parent_id"]) == ("demo-org/ai", reading.world.root.id)
    assert len(reading.rest("GET", "/groups/demo-org/projects").json()) == 2
    deep = reading.rest("GET", "/groups/demo-org/projects", params={"include_subgroups": "true"}).json()
    assert "demo-org/ai/runtime/inference-server" in {one["path_with_namespace"] for one in deep}
    assert {one["path"] for one in reading.rest("GET", "/groups/demo-org/subgroups").json()} >= {"ai", "docs"}
    direct = reading.rest("GET", "/groups/demo-org%2Fai/members").json()
    inherited = reading.rest("GET", "/groups/demo-org%2Fai/members/all").json()
    assert direct == []
    assert {one["username"]: one["access_level"] for one in inherited}["em_maple"] == 40
