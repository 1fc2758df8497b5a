"""A plain HTTP client and a few finders for the tests of the embedded GitLab.

Uses nothing of the product's client: it shows the wire as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.records import Issue, Label, Milestone
from glboard_core.demo.world.world import World

SHARED = Path(__file__).parents[2].parent / "shared"
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
NOT_AVAILABLE = "does not exist or you don't have permission to perform this action"


class Wire:
    """A client that sends exactly what it is given and returns exactly what it receives."""

    def __init__(self, server: DemoServer, token: str | None = None) -> None:
        self.server = server
        self.world = server.world
        self.token = server.token if token is None else token
        self.http = httpx.Client(timeout=10, trust_env=False)

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def other(self, username: str = "em_maple", scope: str = "api") -> Wire:
        """The same server with another token."""
        return Wire(self.server, self.server.token_for(username, scope))

    def post(self, content: Any, **headers: str) -> httpx.Response:
        """Post JSON to the GraphQL endpoint."""
        auth = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.post(f"{self.server.url}/api/graphql", json=content, headers={**auth, **headers})

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole response to a query."""
        response = self.post({"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        content = response.json()
        assert isinstance(content, dict)
        return content

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query that must succeed."""
        content = self.answer(query, **variables)
        assert "errors" not in content, content["errors"]
        data = content["data"]
        assert isinstance(data, dict)
        return data

    def error(self, query: str, **variables: Any) -> str:
        """The first top-level error of a query that must fail."""
        return str(self.answer(query, **variables)["errors"][0]["message"])

    def update(self, issue: Issue, **wish: Any) -> dict[str, Any]:
        """`updateIssue`: its payload."""
        found = self.data(
            UPDATE, input={"projectPath": issue.project.full_path, "iid": str(issue.iid), **wish}
        )
        payload = found["updateIssue"]
        assert isinstance(payload, dict)
        return payload

    def rest(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """A REST request."""
        auth = {"private-token": self.token} if self.token else {}
        return self.http.request(
            method, f"{self.server.url}/api/v4{path}", headers={**auth, **(headers or {})}, **more
        )


UPDATE = """mutation Update($input: UpdateIssueInput!) { updateIssue(input: $input) {
  errors issue { id iid title updatedAt state closedAt weight confidential relativePosition
    milestone { id title } labels(first: 50) { nodes { id title } } assignees { nodes { username } } } } }"""


def titles(payload: dict[str, Any]) -> set[str]:
    """The label titles of an `updateIssue` payload."""
    return {one["title"] for one in payload["issue"]["labels"]["nodes"]}


def an_issue(world: World, *, path: str = "demo-org/platform", is_open: bool = True) -> Issue:
    """Some ordinary issue of a project in a milestone, not confidential."""
    for issue in world.project(path).issues.values():
        if issue.open == is_open and issue.milestone is not None and not issue.confidential:
            return issue
    raise AssertionError("the world has no such issue")


def label(world: World, title: str) -> Label:
    """A label of the root group."""
    found = world.label_of(world.root, title)
    assert found is not None
    return found


def next_milestone(world: World) -> Milestone:
    """The version milestone that comes next."""
    today = world.clock.today()
    coming = (one for one in world.milestones.values() if one.start and one.start > today)
    return min(coming, key=lambda one: str(one.start))
