"""The embedded GitLab against callers that are not ours: other pages of the browser, and broken clients."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from glboard_core.demo.graphql import endpoint
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world

JSON = "application/json"


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
    "input": "mutation { updateIssue(input: { "
    + " ".join(f"a{n}: 1" for n in range(1_000))
    + " }) { errors } }",
    "unknown": "{ " + " ".join(f"projectMileston{n}" for n in range(450)) + " }",
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


def test_queries_in_one_body_are_counted_before_they_are_parsed(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(endpoint, "_parse", parsed.append)
    body = json.dumps([{"query": QUERIES["unknown"]}] * 500)
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{server.url}/api/graphql", content=body, headers=headers, timeout=20)
    assert (answer.status_code, parsed) == (422, [])


@pytest.mark.parametrize("state", ["unknown", "expire", "revoke", "block"])
def test_a_token_that_is_not_valid_is_refused_before_the_body_is_read(server: DemoServer, state: str) -> None:
    token = "glpat-unknown"
    if state != "unknown":
        token = server.token_for(server.world.owner.username)
        getattr(server, state)(token)
    # The bomb would be an error with status 200 if it were parsed.
    assert ask(server, QUERIES["fragments"], token=token).status_code == 401
    assert server.requests[-1].operation == ""
    # Nor is a body waited for that is announced and never comes.
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 99999999999\r\n\r\n"
        wire.sendall(f"POST /api/graphql HTTP/1.1\r\n{head}".encode())
        assert wire.recv(64).startswith(b"HTTP/1.1 401")


#: Values and names of parameters that no client sends, for every one there is.
ODD: tuple[object, ...] = (
    "²",
    "9" * 5_000,
    "",
    "a[b",
    "-1",
    "\ud800",
    "1e400",
    [],
    {},
    [[1]],
    None,
    2**70,
    1e308,
)


@pytest.mark.slow
def test_no_parameter_breaks_a_call_over_rest(server: DemoServer) -> None:
    """What breaks it would be an error 500 without JSON, and a traceback in the terminal."""
    names = ("per_page", "milestone_id", "color", "weight", "state[a]")
    paths = (
        "projects/{}/issues",
        "projects/{}/issues/{}",
        "groups/{}/labels/{}",
        "groups/{}/boards",
        "users/{}",
    )
    headers = {"authorization": f"Bearer {server.token}"}
    group, project = server.world.root.id, next(iter(server.world.projects.values())).id
    with httpx.Client(base_url=f"{server.url}/api/v4/", headers=headers, timeout=20) as client:
        deep = client.post(
            f"projects/{project}/issues", content=b"[" * 300_000, headers={"content-type": JSON}
        )
        assert (deep.status_code, deep.json()) == (400, {"error": "Invalid JSON format"})
        for odd in ODD:
            text = str(odd).encode("utf-8", "replace").decode()
            for path in paths:
                for place in (text, group if "groups" in path else project):
                    here = path.format(quote(str(place), safe=""), quote(text, safe=""))
                    for name in names:
                        found = [client.get(here, params=[(name, text), (f"{name}[]", text)])]
                        found += [client.put(here, json={name: odd})] if odd != "\ud800" else []
                        assert not [one.text for one in found if one.status_code == 500], (
                            here[:80],
                            name,
                            odd,
                        )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("LOCALHOST:80", 200),
        ("localhost.", 403),
        ("localhost:80x", 403),
        ("localhost@evil.example", 403),
        ("evil.example@localhost", 403),
        ("localhost evil.example", 403),
        ("127.1", 403),
        ("0.0.0.0", 403),
        ("2130706433", 403),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("", 403),
        ("10.0.0.1", 403),
    ],
)
def test_it_answers_only_to_its_own_names(server: DemoServer, host: str, status: int) -> None:
    assert ask(server, "{ currentUser { username } }", host=host).status_code == status
