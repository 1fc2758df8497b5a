"""Errors in the shapes a real GitLab 18.9 gave them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from demo.wire import SHARED, Wire
from glboard_core.demo.http.server import DemoServer
from support.engines import build_world

LIVE = SHARED / "gitlab" / "live"
#: Recorded questions that mean the same here as there, apart from the group's path.
ASKED = (
    "bad-cursor", "batch", "read-api-mutation", "syntax", "too-deep", "too-long", "two-operations",
    "unknown-argument", "unknown-field", "unknown-group", "unknown-issue-mutation",
    "unknown-project-mutation", "variable-type", "weight-huge",
)  # fmt: skip


@pytest.fixture(name="wire")
def served() -> Iterator[Wire]:
    """A server of its own."""
    with DemoServer(build_world(1)) as server, Wire(server) as wire:
        yield wire


@pytest.mark.parametrize("name", ASKED)
def test_the_recorded_answers(wire: Wire, name: str) -> None:
    path = LIVE / f"error-{name}.json"
    if not path.exists():
        pytest.skip("the recorded answers are not beside this repository")
    recorded = json.loads(path.read_text("utf-8").replace("rec-org", "top").replace("em_maple", "em_willow"))
    given = wire.post(recorded["request"])
    assert (given.status_code, shape(given.json())) == (recorded["status"], shape(recorded["answer"]))


def shape(answer: Any) -> Any:
    """An answer without the columns, which move with the length of the path."""
    if isinstance(answer, list):
        return [shape(one) for one in answer]
    if isinstance(answer, dict):
        return {name: shape(value) for name, value in answer.items() if name != "column"}
    return answer


def test_a_body_that_is_no_json_or_holds_nul(wire: Wire) -> None:
    url = f"{wire.server.url}/api/graphql"
    headers = {"authorization": f"Bearer {wire.token}", "content-type": "application/json"}
    assert wire.http.post(url, content=b"{", headers=headers).json() == {"error": "Invalid JSON format"}
    answer = wire.update(wire.world.issue("top/app#1"), title="x")
    assert answer["errors"] == []
    response = wire.rest("PUT", "/projects/top%2Fapp/issues/1", json={"title": "a\0b"})
    assert (response.status_code, response.text) == (400, "Bad Request")


def test_a_page_that_is_no_api(wire: Wire) -> None:
    there = wire.http.get(f"{wire.server.url}/no-such-page")
    assert (there.status_code, there.headers["location"]) == (302, f"{wire.server.url}/users/sign_in")
    form = wire.http.post(f"{wire.server.url}/gitlab/api/graphql", json={"query": "{ currentUser { id } }"})
    assert form.status_code == 422
    assert form.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("state", "status", "body"),
    [
        (
            "expired",
            401,
            {
                "error": "invalid_token",
                "error_description": "Token is expired. You can either do re-authorization or token refresh.",
            },
        ),
        ("blocked", 403, {"message": "403 Forbidden - Your account has been blocked."}),
    ],
)
def test_graphql_says_the_same_of_every_bad_token_and_rest_tells_why(
    wire: Wire, state: str, status: int, body: dict[str, str]
) -> None:
    with wire.other("em_willow") as them:
        {"expired": wire.server.expire, "blocked": wire.server.block}[state](them.token)
        said = them.post({"query": "{ currentUser { id } }"})
        assert (said.status_code, said.json()) == (401, {"errors": [{"message": "Invalid token"}]})
        told = them.rest("GET", "/user")
        assert (told.status_code, told.json()) == (status, body)


def test_maintenance_refuses_writes_and_answers_reads(wire: Wire) -> None:
    wire.world.traits.maintenance = True
    wish = 'updateIssue(input: {projectPath: "top/app", iid: "1", weight: 3}) { errors }'
    answer = wire.answer(f"mutation {{ a: {wish} }}")
    assert answer["data"] == {"a": None}
    assert answer["errors"][0]["message"] == "You cannot perform write operations on a read-only instance"
    written = wire.rest("PUT", "/projects/top%2Fapp/issues/1", json={"weight": 3})
    assert (written.status_code, written.headers["retry-after"]) == (503, "900")
    assert written.json() == {"message": "GitLab is undergoing maintenance"}
    assert wire.data("{ currentUser { username } }")["currentUser"] == {"username": "em_willow"}
    assert wire.world.issue("top/app#1").weight == 1


def test_a_fine_grained_token_gets_nothing_from_graphql(wire: Wire) -> None:
    with wire.other("em_willow", "granular") as them:
        answer = them.answer('{ group(fullPath: "top") { id } currentUser { id } }')
        assert answer["data"] == {"group": None, "currentUser": None}
        said = "Unable to determine boundaries and permissions for authorization"
        assert {one["message"] for one in answer["errors"]} == {said}
        assert them.rest("GET", "/user").status_code == 200
        assert them.rest("PUT", "/projects/top%2Fapp/issues/1", json={"weight": 3}).status_code == 200
        for path in ("/personal_access_tokens/self", "/metadata"):
            refused = them.rest("GET", path)
            assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_granular_scope")


def test_too_many_new_issues_are_a_429_without_a_time_to_wait() -> None:
    said = "This endpoint has been requested too many times. Try again later."
    create = 'mutation {{ createIssue(input: {{projectPath: "top/app", title: "{}"}}) {{ errors }} }}'
    with DemoServer(build_world(1), issue_limit=1) as server, Wire(server) as wire:
        assert wire.data(create.format("One"))["createIssue"]["errors"] == []
        refused = wire.post({"query": create.format("Two")})
        assert (refused.status_code, refused.json()) == (429, {"errors": [{"message": said}]})
        again = wire.rest("POST", "/projects/top%2Fapp/issues", json={"title": "Three"})
        assert (again.status_code, again.json()) == (429, {"message": {"error": said}})
        assert "retry-after" not in refused.headers.keys() | again.headers.keys()


def test_headers_of_a_proxy_can_be_left_out() -> None:
    with DemoServer(build_world(1), plain_headers=True) as server, Wire(server) as wire:
        names = set(wire.rest("GET", "/user").headers)
        assert not [one for one in names if one == "date" or one.startswith("ratelimit")]
    with DemoServer(build_world(1)) as server, Wire(server) as wire:
        assert {"date", "ratelimit-limit"} <= set(wire.rest("GET", "/user").headers)
