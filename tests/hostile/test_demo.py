"""The embedded GitLab against callers that are not ours: other pages of the browser, and broken clients."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(default_world(issues=20)) as one:
        yield one


def ask(
    server: DemoServer, query: str, *, token: str | None = None, host: str | None = None
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token or server.token}"}
    if host is not None:
        headers["host"] = host
    return httpx.post(f"{server.url}/api/graphql", json={"query": query}, headers=headers, timeout=20)


def bomb(levels: int) -> str:
    fields = "".join(f"fragment f{n} on User {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return f"{{ currentUser {{ ...f0 }} }} {fields} fragment f{levels} on User {{ id }}"


QUERIES = {
    "fragments": bomb(40),
    "circle": "{ currentUser { ...a } } fragment a on User { ...b } fragment b on User { ...a }",
    "fields": "{ " + "currentUser { id } " * 400 + "}",
    "depth": "{" + "currentUser{" * 700 + "id" + "}" * 701,
    "lists": "{ group(fullPath: " + "[" * 4_000 + "]" * 4_000 + ") { id } }",
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_of_10_kb_keeps_it_busy(server: DemoServer, name: str) -> None:
    answer = ask(server, QUERIES[name])
    assert answer.status_code == 200
    assert answer.json()["errors"]
    assert ask(server, "{ currentUser { username } }").json()["data"]["currentUser"]


def test_a_body_is_bounded_and_json_may_not_be_deep(server: DemoServer) -> None:
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    url = f"{server.url}/api/graphql"
    assert httpx.post(url, content=b"[" * 200_000, headers=headers, timeout=20).status_code == 400
    assert httpx.post(url, content=b" " * (9 * 1024 * 1024), headers=headers, timeout=20).status_code == 413


def test_an_unknown_token_is_refused_before_the_body_is_read(server: DemoServer) -> None:
    # The bomb would be an error with status 200 if it were parsed.
    assert ask(server, QUERIES["fragments"], token="glpat-unknown").status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("", 403),
        ("10.0.0.1", 403),
    ],
)
def test_it_answers_only_to_its_own_names(server: DemoServer, host: str, status: int) -> None:
    assert ask(server, "{ currentUser { username } }", host=host).status_code == status
