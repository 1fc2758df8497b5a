"""Each fault, on a real socket."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from demo.wire import UPDATE, Wire, an_issue
from glboard_core.demo.http.faults import KINDS, Faults, FaultSpecError

ME = "query Me { currentUser { username } }"


@pytest.fixture(autouse=True)
def _quiet(wire: Wire) -> None:
    wire.server.faults.clear()
    wire.server.requests.clear()


def wish(wire: Wire, weight: int) -> dict[str, Any]:
    issue = an_issue(wire.world)
    return {
        "query": UPDATE,
        "variables": {
            "input": {"projectPath": issue.project.full_path, "iid": str(issue.iid), "weight": weight}
        },
    }


def test_reset_before_changes_nothing(wire: Wire) -> None:
    wire.post(wish(wire, 1))
    wire.server.faults.next("reset-before", match="updateIssue")
    with pytest.raises(httpx.TransportError):
        wire.post(wish(wire, 2))
    assert an_issue(wire.world).weight == 1
    assert wire.post(wish(wire, 3)).json()["data"]


def test_reset_after_has_changed_it(wire: Wire) -> None:
    wire.post(wish(wire, 1))
    wire.server.faults.next("reset-after", match="updateIssue")
    assert wire.data(ME)
    with pytest.raises(httpx.TransportError):
        wire.post(wish(wire, 2))
    assert an_issue(wire.world).weight == 2
    record = wire.server.requests[-1]
    assert (record.fault, record.status, record.operation, record.mutations) == (
        "reset-after",
        0,
        "Update",
        1,
    )


def test_statuses(wire: Wire) -> None:
    for kind, kind_of_body in (
        ("401", "application/json"),
        ("403", "application/json"),
        ("500", "application/json"),
        ("502", "text/plain"),
        ("503", "application/json"),
    ):
        wire.server.faults.next(kind)
        response = wire.post({"query": ME})
        assert response.status_code == int(kind)
        assert response.headers["content-type"].startswith(kind_of_body)
        assert "date" in response.headers


def test_expired_token_in_both_apis(wire: Wire) -> None:
    wire.server.faults.next("401", times=2)
    assert wire.post({"query": ME}).json() == {"errors": [{"message": "Invalid token"}]}
    assert wire.rest("GET", "/user").json()["error"] == "invalid_token"


def test_too_many_requests(wire: Wire) -> None:
    wire.server.faults.retry_after = 7
    wire.server.faults.next("429")
    response = wire.post({"query": ME})
    assert (response.status_code, response.text, response.headers["retry-after"]) == (
        429,
        "Retry later\n",
        "7",
    )
    assert response.headers["ratelimit-remaining"] == "0"


def test_html_of_a_proxy(wire: Wire) -> None:
    for kind, status in (("html", 502), ("html-200", 200)):
        wire.server.faults.next(kind)
        response = wire.post({"query": ME})
        assert (response.status_code, response.headers["content-type"]) == (
            status,
            "text/html; charset=utf-8",
        )


def test_partial_answer(wire: Wire) -> None:
    wire.server.faults.next("partial", times=2)
    query = 'query Q { group(fullPath: "demo-org") { id issues(first: 1) { nodes { id } } } }'
    answer = wire.answer(query)
    assert answer["data"]["group"]["issues"] is None
    assert answer["data"]["group"]["id"]
    assert answer["errors"] == [{"message": "Timeout on Group.issues", "path": ["group", "issues"]}]
    response = wire.post(wish(wire, 5)).json()
    assert response["data"] == {"updateIssue": None}
    assert response["errors"][0]["message"] == "Timeout on Mutation.updateIssue"
    assert an_issue(wire.world).weight == 5


def test_no_answer_until_the_client_gives_up(wire: Wire) -> None:
    wire.server.faults.next("timeout")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{wire.server.url}/api/graphql", json={"query": ME}, timeout=0.2)


def test_no_answer_ends_with_the_server(serve: Any) -> None:
    wire = serve()
    wire.server.faults.next("timeout")
    outcome: list[Exception] = []
    arrived = threading.Event()

    def ask() -> None:
        arrived.set()
        try:
            httpx.post(f"{wire.server.url}/api/graphql", json={"query": ME}, timeout=20)
        except httpx.TransportError as error:
            outcome.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    arrived.wait(5)
    while not len(wire.server.requests):
        arrived.wait(0.01)
    wire.server.stop()
    asking.join(5)
    assert len(outcome) == 1


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_slow_answers_are_whole(wire: Wire, kind: str) -> None:
    wire.server.faults.slow_seconds = 0.2
    wire.server.faults.next(kind)
    response = wire.post({"query": ME})
    assert response.json()["data"]["currentUser"]["username"] == "em_maple"
    assert response.elapsed.total_seconds() >= 0.02


def test_latency(serve: Any) -> None:
    wire = serve(latency_ms=60)
    assert wire.rest("GET", "/version").elapsed.total_seconds() >= 0.06


def test_scripted_for_some_requests_only(wire: Wire) -> None:
    wire.server.faults.next("500", match="currentUser", times=2, skip=1)
    assert [wire.post({"query": ME}).status_code for _ in range(4)] == [200, 500, 500, 200]
    wire.server.faults.next("502", match="GET /api/v4/version")
    assert wire.post({"query": ME}).status_code == 200
    assert wire.rest("GET", "/version").status_code == 502


def test_random_faults_are_seeded() -> None:
    first, second = (Faults.parse("429:0.2,reset-after:0.1", seed=5) for _ in range(2))
    rolls = [first.pick("GET /") for _ in range(400)]
    assert rolls == [second.pick("GET /") for _ in range(400)]
    assert 50 < rolls.count("429") < 110
    assert 20 < rolls.count("reset-after") < 65
    assert set(rolls) == {None, "429", "reset-after"}


def test_every_kind_can_be_requested() -> None:
    assert set(Faults.parse(",".join(f"{kind}:0.01" for kind in KINDS)).chances) == set(KINDS)
    faults = Faults.parse("429:0.1, retry-after:3, slow-seconds:0.5")
    assert (faults.retry_after, faults.slow_seconds) == (3, 0.5)


@pytest.mark.parametrize("spec", ["nope:0.1", "429", "429:x", "429:2", "429:0.6,500:0.6"])
def test_invalid_faults(spec: str) -> None:
    with pytest.raises(FaultSpecError):
        Faults.parse(spec)


def test_offline_and_back_on_the_same_port(serve: Any) -> None:
    wire = serve()
    before = wire.server.url
    assert wire.data(ME)
    wire.server.stop()
    with pytest.raises(httpx.ConnectError):
        wire.post({"query": ME})
    wire.server.start()
    assert wire.server.url == before
    assert wire.data(ME)


def test_journal_counts(wire: Wire) -> None:
    wire.data(ME)
    wire.rest("GET", "/version")
    wire.post({**wish(wire, 1), "operationName": "Update"})
    records = list(wire.server.requests)
    assert [(one.method, one.path, one.operation, one.mutations, one.status) for one in records] == [
        ("POST", "/api/graphql", "Me", 0, 200),
        ("GET", "/api/v4/version", "", 0, 200),
        ("POST", "/api/graphql", "Update", 1, 200),
    ]
    assert records[0].username == "em_maple"
    assert len(wire.server.requests.of("updateIssue")) == 1
