"""Live events of the embedded GitLab, frame by frame as a real one sends them; the client is a stock one."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from demo.wire import NOT_AVAILABLE, Wire
from glboard_core.demo.http.cable import MOST_MESSAGE, PROTOCOL

QUERY = """subscription WorkItemChanged($id: WorkItemID!) { workItemUpdated(workItemId: $id)
  { id state updatedAt widgets(onlyTypes: [LABELS, WEIGHT]) {
    ... on WorkItemWidgetLabels { labels(first: 50) { nodes { title } } }
    ... on WorkItemWidgetWeight { weight } } } }"""


class Client:
    """One connection; pings are skipped."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def next(self) -> dict[str, Any]:
        """The next frame."""
        while True:
            frame = json.loads(self.socket.recv(timeout=10))
            assert isinstance(frame, dict)
            if frame.get("type") != "ping":
                return frame

    def subscribe(self, number: int, query: str = QUERY) -> str:
        """Ask to be told of an issue; returns the identifier."""
        wanted = {"query": query, "variables": {"id": f"gid://gitlab/WorkItem/{number}"}}
        identifier = json.dumps({"channel": "GraphqlChannel", **wanted, "nonce": str(number)})
        self.say({"command": "subscribe", "identifier": identifier})
        return identifier

    def say(self, command: object) -> None:
        self.socket.send(json.dumps(command))

    def is_idle(self) -> bool:
        """Whether nothing else was told up to now: what is asked for next is the next answer."""
        identifier = json.dumps({"channel": "GraphqlChannel", "query": "", "nonce": "last"})
        self.say({"command": "subscribe", "identifier": identifier})
        frames = [self.next(), self.next()]
        return all(frame["identifier"] == identifier for frame in frames)


@contextmanager
def cable(wire: Wire, token: str | None = None, origin: str | None = None) -> Iterator[Client]:
    """A connection that was welcomed, or not."""
    url = wire.server.url
    auth = {"Authorization": f"Bearer {wire.token if token is None else token}"} if token != "" else {}
    with connect(
        f"ws{url.removeprefix('http')}/-/cable",
        origin=Origin(origin or url.removesuffix(wire.server.settings.relative_url)),
        additional_headers=auth,
        subprotocols=[Subprotocol(PROTOCOL)],
        proxy=None,
    ) as socket:
        yield Client(socket)


@pytest.fixture
def small(serve: Callable[..., Wire]) -> Wire:
    """A small GitLab of one test."""
    return serve(issues=30)


def test_first_nothing_then_the_confirmation_then_each_change(small: Wire) -> None:
    issue = next(iter(small.world.index.issues.values()))
    issue.weight = 2
    with cable(small) as client:
        assert client.next() == {"type": "welcome"}
        identifier = client.subscribe(issue.id)
        empty = {"result": {"data": {"workItemUpdated": None}}, "more": True}
        assert client.next() == {"identifier": identifier, "message": empty}
        assert client.next() == {"identifier": identifier, "type": "confirm_subscription"}
        small.world.edit(issue.reference, by="em_maple", weight=7)
        told = client.next()
        assert told["identifier"] == identifier
        item = told["message"]["result"]["data"]["workItemUpdated"]
        assert item["id"] == f"gid://gitlab/WorkItem/{issue.id}"
        assert {"weight": 7} in item["widgets"]


def test_places_and_changes_that_move_no_time_are_told_and_comments_are_not(small: Wire) -> None:
    one, two, three = [i for i in small.world.index.issues.values() if i.position is not None and i.open][:3]
    label = small.world.add_label(small.world.root, "new label")
    with cable(small) as client:
        client.next()
        for issue in (one, two):
            client.subscribe(issue.id)
            client.next(), client.next()
        small.world.move(one.reference, after=max(two, three, key=lambda i: i.position or 0).reference)
        assert str(one.id) in json.dumps(client.next())
        small.world.edit(two.reference, by="em_maple", add_labels=[label.title])
        at = two.updated
        small.world.edit(two.reference, by="em_maple", remove_labels=[label.title])
        assert two.updated == at
        assert [str(two.id) in json.dumps(client.next()) for _ in range(2)] == [True, True]
        small.world.edit(two.reference, by="em_maple", close=True)
        assert [client.next()["message"]["more"] for _ in range(2)] == [True, True]
        small.world.comment(one.reference, "Hello", by="em_maple")
        small.world.edit(three.reference, by="em_maple", weight=9)
        assert client.is_idle()


def test_unsubscribed_is_not_told(small: Wire) -> None:
    issue = next(iter(small.world.index.issues.values()))
    with cable(small) as client:
        client.next()
        identifier = client.subscribe(issue.id)
        client.next(), client.next()
        client.say({"command": "unsubscribe", "identifier": identifier})
        assert client.is_idle()
        small.world.edit(issue.reference, by="em_maple", weight=9)
        assert client.is_idle()
        assert small.server.cable.subscribed == []


def test_a_confidential_issue_is_told_to_those_who_may_read_it(small: Wire) -> None:
    world = small.world
    issue = next(i for i in world.index.issues.values() if not i.assignees)
    guest = world.add_user("guest_fir", "Gus Fir")
    world.root.members[guest.id] = 10
    other = small.other("guest_fir")
    with cable(small) as mine, cable(other) as theirs:
        for client in (mine, theirs):
            client.next()
            client.subscribe(issue.id)
            assert client.next()["message"]["more"] is True
            client.next()
        world.edit(issue.reference, by="em_maple", confidential=True)
        assert mine.next()["message"]["result"]["data"]["workItemUpdated"]
        gone = theirs.next()["message"]
        assert gone["more"] is False
        assert NOT_AVAILABLE in json.dumps(gone["result"])
        world.edit(issue.reference, by="em_maple", weight=9)
        assert mine.next()["message"]["more"] is True
        theirs.subscribe(issue.id, QUERY + " ")
        assert theirs.next()["message"]["more"] is False
    other.close()


@pytest.mark.parametrize("origin", ["https://gitlab.example.com", "null"])
def test_another_origin_finds_no_such_page(small: Wire, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, cable(small, origin=origin):
        pass
    assert refused.value.response.status_code == 404


def test_where_it_is_off_there_is_no_such_page(small: Wire) -> None:
    small.server.settings.cable = False
    with pytest.raises(InvalidStatus) as refused, cable(small):
        pass
    assert refused.value.response.status_code == 404
    assert httpx.get(f"{small.server.url}/-/cable", trust_env=False).status_code == 404


def test_a_foreign_name_is_blocked(small: Wire) -> None:
    port = int(small.server.url.rpartition(":")[2])
    auth = {"Authorization": f"Bearer {small.token}"}
    with socket.create_connection(("127.0.0.1", port)) as made, pytest.raises(InvalidStatus) as refused:
        connect("ws://evil.example/-/cable", sock=made, additional_headers=auth, proxy=None)
    assert refused.value.response.status_code == 403


def test_a_token_that_is_wrong_or_revoked_is_disconnected(small: Wire) -> None:
    said = {"type": "disconnect", "reason": "invalid_request", "reconnect": True}
    with cable(small, token="glpat-wrong") as client:
        assert client.next() == said
    issue = next(iter(small.world.index.issues.values()))
    token = small.server.token_for("em_maple")
    with cable(small, token=token) as client:
        client.next()
        client.subscribe(issue.id)
        client.next(), client.next()
        small.server.revoke(token)
        small.world.edit(issue.reference, by="em_maple", weight=9)
        assert client.next() == said


def test_without_a_token_nothing_can_be_read(small: Wire) -> None:
    issue = next(iter(small.world.index.issues.values()))
    with cable(small, token="") as client:
        assert client.next() == {"type": "welcome"}
        client.subscribe(issue.id)
        assert client.next()["message"]["more"] is False


def test_read_api_is_enough(small: Wire) -> None:
    issue = next(iter(small.world.index.issues.values()))
    with cable(small, token=small.server.token_for("em_maple", "read_api")) as client:
        client.next()
        client.subscribe(issue.id)
        assert client.next()["message"]["more"] is True


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"command": "subscribe"}', '{"command":"subscribe","identifier":"{"}', "[" * 9_000]
)
def test_rubbish_is_ignored(small: Wire, text: str) -> None:
    with cable(small) as client:
        client.next()
        client.socket.send(text)
        assert client.is_idle()


def test_a_message_too_large_ends_the_connection(small: Wire) -> None:
    with cable(small) as client:
        client.next()
        client.socket.send("x" * (MOST_MESSAGE + 1))
        with pytest.raises(ConnectionClosed):
            client.next()


def test_requests_for_it_count_to_the_rate_limit(small: Wire) -> None:
    small.server.limit(1)
    small.http.get(f"{small.server.url}/api/v4/user", headers={"private-token": small.token})
    with pytest.raises(InvalidStatus) as refused, cable(small):
        pass
    assert refused.value.response.status_code == 429


def test_a_subscription_over_http_fails(small: Wire) -> None:
    asked = {"query": QUERY, "variables": {"id": "gid://gitlab/WorkItem/1"}}
    assert small.post(asked).status_code == 500


def test_a_relative_url_has_its_own_path(serve: Callable[..., Wire]) -> None:
    with cable(serve(issues=10, relative_url="gitlab")) as client:
        assert client.next() == {"type": "welcome"}
