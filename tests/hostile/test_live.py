"""Servers and proxies that lie about live events: the token stays, frames are bounded, nothing is shown."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from msgspec import structs
from websockets.utils import accept_key

from glboard_core.errors import (
    ConnectionFailed,
    GlboardError,
    NoLiveEvents,
    Offline,
    RateLimited,
    ServerFailed,
)
from glboard_core.gitlab import cable
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.cable import MOST_WATCHED, CableLimits, connected
from glboard_core.gitlab.http import Transport
from glboard_core.model.issue import IssueId
from glboard_core.ports import LiveEvents
from hostile.malicious import Malicious, Reply, Sent, Socks, answer
from hostile.test_http import PEM, QUICK, TOKEN, not_found, trusting, unspoken

#: What the server says of itself, which must not be shown.
HOSTILE = "\x1b[2J<script>hunter2"
LIMITS = CableLimits(welcome=0.3, silence=0.3, write=0.3)
ISSUES = [IssueId(f"gid://gitlab/Issue/{n}") for n in range(1, 4)]


def frame(text: str | bytes | dict[str, Any], *, opcode: int = 1, fin: bool = True, flags: int = 0) -> bytes:
    """A frame as a server sends it: not masked."""
    data = (
        json.dumps(text).encode()
        if isinstance(text, dict)
        else text.encode()
        if isinstance(text, str)
        else text
    )
    head = bytes([(0x80 if fin else 0) | flags | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    if len(data) < 65_536:
        return head + b"\x7e" + struct.pack("!H", len(data)) + data
    return head + b"\x7f" + struct.pack("!Q", len(data)) + data


WELCOME = frame({"type": "welcome"})


def switching(sent: Sent, **more: str) -> bytes:
    """The handshake's answer."""
    fields = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accept_key(sent.headers["sec-websocket-key"]),
    } | {name.replace("_", "-"): value for name, value in more.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode()


def saying(*frames: bytes) -> Reply:
    """A server that is a GitLab up to its welcome, and then says this."""
    return lambda sent: switching(sent) + WELCOME + b"".join(frames)


@asynccontextmanager
async def listening(url: str, limits: CableLimits = LIMITS, **fields: Any) -> AsyncIterator[LiveEvents]:
    account = Account(url=url, token=Secret(TOKEN), **fields)
    transport = Transport(account, structs.replace(QUICK, connect=1.0))
    try:
        async with connected(transport, limits) as events:
            yield events
    finally:
        await transport.close()


async def failure(
    reply: Reply | bytes, kind: type[GlboardError] = GlboardError, limits: CableLimits = LIMITS, **server: Any
) -> GlboardError:
    """What listening to a server ends with."""
    async with Malicious(reply, **server) as one:
        return await failure_at(one.url, kind, limits)


async def _hear(url: str, limits: CableLimits) -> None:
    async with listening(url, limits) as events:
        await events.choose(ISSUES)
        async for issue in events:
            raise AssertionError(f"{issue} was told of")


async def told_of(events: LiveEvents) -> set[IssueId]:
    """The issues that a server tells of until it is silent."""
    found: set[IssueId] = set()
    with suppress(Offline):
        async for issue in events:
            found.add(issue)
    return found


async def failure_at(url: str, kind: type[GlboardError], limits: CableLimits = LIMITS) -> GlboardError:
    with pytest.raises(kind) as caught:
        await _hear(url, limits)
    assert "script" not in f"{caught.value!r} {caught.value.hint}"
    return unspoken(caught.value)


# -- the handshake


async def test_the_request_names_the_site_and_has_the_token_in_its_header_only() -> None:
    async with Malicious(saying()) as server:
        await failure_at(f"{server.url}/gitlab", Offline)
        [sent] = server.sent
    assert sent.line == "GET /gitlab/-/cable HTTP/1.1"
    assert sent.headers["origin"] == server.url
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.whole.count(TOKEN.encode()) == 1
    assert "sec-websocket-extensions" not in sent.headers
    assert "cookie" not in sent.headers


async def test_a_redirect_is_not_followed() -> None:
    async with Malicious(saying()) as other:
        for status in (301, 302, 307, 308):
            error = await failure(answer(status, location=f"{other.url}/-/cable"), NoLiveEvents)
            assert f"HTTP {status}" in error.message
        assert other.sent == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, NoLiveEvents) for status in (200, 400, 401, 403, 404, 407, 426)),
        (429, RateLimited),
        *((status, ServerFailed) for status in (500, 502, 503)),
    ],
)
async def test_refusals_have_our_words(status: int, kind: type[GlboardError]) -> None:
    error = await failure(answer(status, HOSTILE.encode(), content_type="text/html"), kind)
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize(
    "reply",
    [
        lambda sent: switching(sent, Sec_WebSocket_Accept="x" * 28),
        lambda sent: switching(sent, Upgrade="h2c"),
        lambda sent: switching(sent, Sec_WebSocket_Protocol="actioncable-unsupported"),
        lambda sent: switching(sent, Sec_WebSocket_Extensions="permessage-deflate"),
        lambda _: b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)  # fmt: skip
async def test_a_wrong_handshake_is_refused(reply: Reply) -> None:
    await failure(reply, NoLiveEvents)


@pytest.mark.parametrize("reply", [b"", b"\x00\xff" * 100, b"HTTP/1.1 101\r\n", b"SSH-2.0-\x1b[2J\r\n\r\n"])
async def test_what_is_no_http_is_an_error_of_ours(reply: bytes) -> None:
    await failure(reply, ConnectionFailed)


async def test_a_server_that_never_answers_or_never_welcomes() -> None:
    async with Malicious(lambda _: b"HTTP/1.1 101 Switching", drip=0.2) as server:
        transport = Transport(
            Account(url=server.url, token=Secret(TOKEN)), structs.replace(QUICK, connect=0.2)
        )
        with pytest.raises(ConnectionFailed):
            async with connected(transport):
                pass
        await transport.close()
    assert "never used it" in (await failure(switching, Offline)).message
    assert (
        "never used it" in (await failure(lambda s: switching(s) + frame({"type": "ping"}), Offline)).message
    )


async def test_a_token_that_cannot_be_sent_is_not_shown() -> None:
    transport = Transport(Account(url="http://localhost:1", token=Secret(f"{TOKEN}\n")), QUICK)
    with pytest.raises(GlboardError) as caught:
        async with connected(transport):
            pass
    unspoken(caught.value)


# -- frames


@pytest.mark.parametrize(
    "frames",
    [
        frame(b"x" * 65_537),
        frame(b"x" * 40_000, fin=False) + frame(b"x" * 40_000, opcode=0),
        frame(b"x" * 60_000, fin=False) + frame(b"", opcode=0, fin=False) * 9 + frame(b"x" * 9_000, opcode=0),
        frame(b"", fin=False) + frame(b"", opcode=0, fin=False) * 1_000,
        b"\x81\x7f" + b"\xff" * 8,
        b"\x81\x7f" + struct.pack("!Q", 2**62),
        frame(b"x", flags=0x40),
        frame(b"x", opcode=3),
        frame(b"x", opcode=0),
        b"\x81\x81\x00\x00\x00\x00x",
        frame(b"x" * 126, opcode=9),
        frame(b"x", opcode=9, fin=False),
        frame(b"x", fin=False) + frame(b"y"),
        frame(b"\xff", opcode=8),
        frame(struct.pack("!H", 5), opcode=8),
    ],
    ids=range(15),
)  # fmt: skip
async def test_frames_that_no_server_sends_end_it(frames: bytes) -> None:
    await failure(saying(frames), NoLiveEvents)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "7", '"', "[" * 30_000, '{"a":' * 10_000, '{"type": 7}', '{"type": "' + "x" * 200 + '"}',
        '{"identifier": "' + "x" * 5_000 + '"}', '{"reconnect": "yes"}', b"\xff\xfe", "\x00", "NaN",
    ],
    ids=range(13),
)  # fmt: skip
async def test_messages_that_are_no_messages_are_skipped_and_many_end_it(text: str | bytes) -> None:
    assert "was lost" in (await failure(saying(frame(text) * 3), Offline)).message
    error = await failure(saying(frame(text) * (LIMITS.rubbish + 1)), NoLiveEvents)
    assert "does not understand" in error.message


@pytest.mark.parametrize(
    ("frames", "limit"),
    [
        (frame({"type": "ping"}) * 60, {"messages": 50}),
        (frame(b"", opcode=9) * 60, {"messages": 50}),
        (frame("x" * 1_000, opcode=10), {"bytes": 500}),
        (frame({"type": "x", "reason": "y" * 500}) * 60, {"bytes": 20_000}),
    ],
    ids=range(4),
)
async def test_more_than_a_client_can_use_ends_it(frames: bytes, limit: dict[str, int]) -> None:
    error = await failure(saying(frames), NoLiveEvents, structs.replace(LIMITS, **limit))
    assert "too many live events" in error.message


class Dripping(Malicious):
    """Welcomes, and then sends a byte of one frame after the other, without an end."""

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await super()._exchange(reader, writer)
        for byte in b"\x81\x7e\xf0\x00" + b"x" * 50_000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)
        return False


async def test_a_frame_that_never_ends_is_no_sign_of_life() -> None:
    started = time.monotonic()
    async with Dripping(saying()) as server:
        error = await failure_at(server.url, Offline, structs.replace(LIMITS, silence=0.3))
    assert "was lost" in error.message
    assert time.monotonic() - started < 20


async def test_a_flood_does_not_hold_up_the_loop() -> None:
    started = time.monotonic()
    event = frame(
        {"identifier": HOSTILE, "message": {"result": {"data": {"workItemUpdated": 1}}, "more": True}}
    )
    error = await failure(saying(event * 20_000), NoLiveEvents)
    assert "too many live events" in error.message
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": "disconnect", "reason": "invalid_request", "reconnect": True}, NoLiveEvents),
        ({"type": "disconnect", "reason": "unauthorized", "reconnect": False}, NoLiveEvents),
        ({"type": "disconnect", "reason": HOSTILE, "reconnect": False}, NoLiveEvents),
        ({"type": "disconnect", "reason": "server_restart", "reconnect": True}, Offline),
        ({"type": "disconnect", "reason": HOSTILE}, Offline),
    ],
    ids=range(5),
)
async def test_the_end_is_told_in_our_words(message: dict[str, Any], kind: type[GlboardError]) -> None:
    await failure(saying(frame(message)), kind)
    # Also in place of the welcome, and with the goodbye at its heels.
    goodbye = frame(struct.pack("!H", 1_000), opcode=8)
    await failure(lambda sent: switching(sent) + frame(message) + goodbye, kind)


class Talking(Malicious):
    """Answers each subscription with what ``tell`` makes of its identifier."""

    def __init__(self, tell: Callable[[str], bytes]) -> None:
        super().__init__(saying())
        self._tell = tell
        self.commands: list[dict[str, Any]] = []

    async def _serve(self, reader: Any, writer: Any) -> None:
        self._writers[writer] = None
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        writer.write(switching(Sent(line="", headers=headers, body=b"", whole=head)) + WELCOME)
        try:
            while True:
                first, length = await reader.readexactly(2)
                size = length & 0x7F
                if size == 126:
                    [size] = struct.unpack("!H", await reader.readexactly(2))
                mask = await reader.readexactly(4)
                data = bytes(b ^ mask[n % 4] for n, b in enumerate(await reader.readexactly(size)))
                if first & 0x0F != 1:
                    return
                command = json.loads(data)
                self.commands.append(command)
                if command["command"] == "subscribe":
                    writer.write(self._tell(command["identifier"]))
        except (EOFError, OSError):
            return


def told(identifier: str, item: object, *, more: bool = True, **result: Any) -> bytes:
    message = {"result": {"data": {"workItemUpdated": item}, **result}, "more": more}
    return frame({"identifier": identifier, "message": message})


async def test_only_issues_that_were_asked_for_are_told_of() -> None:
    def tell(identifier: str) -> bytes:
        other = identifier.replace("WorkItem/1", "WorkItem/999")
        return told(other, {"id": "gid://gitlab/WorkItem/999"}) + told(
            identifier, {"id": "gid://gitlab/WorkItem/999", "title": HOSTILE}
        )

    async with Talking(tell) as server, listening(server.url) as events:
        await events.choose(ISSUES[:1])
        assert await told_of(events) == {ISSUES[0]}


async def test_no_more_than_sixty_are_asked_for_and_each_once() -> None:
    many = [IssueId(f"gid://gitlab/Issue/{n}") for n in range(100)]
    odd = [IssueId("new:1"), IssueId("gid://gitlab/Issue/../1"), IssueId("")]
    async with Talking(lambda i: told(i, None)) as server, listening(server.url) as events:
        await events.choose([*odd, *many, *many])
        await events.choose(many[1:])
        assert await told_of(events) == set()
        kinds = [one["command"] for one in server.commands]
    assert kinds.count("subscribe") == MOST_WATCHED + 1
    assert kinds.count("unsubscribe") == 1
    identifiers = [json.loads(one["identifier"]) for one in server.commands]
    assert {one["channel"] for one in identifiers} == {"GraphqlChannel"}
    assert TOKEN not in json.dumps(server.commands)


async def test_a_server_that_refuses_every_subscription_has_no_events() -> None:
    errors = [{"message": HOSTILE}]
    for tell in (
        lambda i: told(i, None, more=False, errors=errors),
        lambda i: frame({"identifier": i, "type": "reject_subscription"}),
    ):
        async with Talking(tell) as server:
            error = await failure_at(server.url, NoLiveEvents)
        assert "does not offer live events for issues" in error.message


async def test_one_that_is_refused_leaves_the_others() -> None:
    def tell(identifier: str) -> bytes:
        refused = "WorkItem/1" in identifier
        return told(identifier, None, more=not refused) + told(identifier, {"id": "1"}, more=not refused)

    async with Talking(tell) as server, listening(server.url) as events:
        await events.choose(ISSUES[1:])
        await events.choose(ISSUES)
        assert await told_of(events) == set(ISSUES[1:])
        # It is not asked for again.
        assert sum("WorkItem/1" in one["identifier"] for one in server.commands) == 1


# -- the way


async def test_it_takes_the_way_of_all_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "localhost")
    async with Socks(saying()) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://localhost:{proxy.port}/")
        async with listening("http://gitlab.example.com"):
            pass
        assert proxy.wanted == b"gitlab.example.com"
        assert proxy.sent[0].headers["origin"] == "http://gitlab.example.com"


async def test_a_proxy_gets_no_token_for_an_encrypted_site(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Malicious(answer(403)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@localhost:{proxy.port}")
        error = await failure_at("https://gitlab.example.com", ConnectionFailed)
        assert "HTTPS_PROXY" in error.hint
        assert [sent.line for sent in proxy.sent] == ["CONNECT gitlab.example.com:443 HTTP/1.1"]
        assert TOKEN.encode() not in proxy.sent[0].whole


async def test_a_proxy_that_takes_the_upgrade_away_is_no_live_events(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Malicious(answer(404, b"Page not found")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://localhost:{proxy.port}")
        await failure_at("http://gitlab.example.com", NoLiveEvents)


async def test_certificates_are_checked_as_for_all_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Malicious(saying(), trust=trusting()) as server:
        await failure_at(server.url, ConnectionFailed)
        assert server.sent == []
        async with listening(server.url, verify=str(PEM)):
            pass
        async with listening(server.url, verify=False):
            pass
        assert len(server.sent) == 2


async def test_a_host_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", not_found)
    await failure_at("http://gitlab.invalid", ConnectionFailed)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://GitLab.example.com:443/gitlab", "https://gitlab.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://gitlab.example.com:4430", "https://gitlab.example.com:4430"),
    ],
)
def test_the_origin_is_as_browsers_send_it(url: str, origin: str) -> None:
    assert cable.origin_of(url) == origin
