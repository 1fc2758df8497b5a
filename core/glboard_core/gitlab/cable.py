"""Live events: one WebSocket to ``/-/cable``, on which GitLab tells at once that an issue changed.

Owns one connection, from its handshake to its end: the ActionCable protocol, a subscription for each issue,
and the bounds of what a server may send. The request itself goes through ``http.py`` like any other: the same
proxy, certificates and host, and the token in its header only. When to connect, and again, is decided by
whoever connects. No text of the server, or of a library's error, is shown.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from glboard_core.errors import ConnectionFailed, NoLiveEvents, Offline, RateLimited, ServerFailed
from glboard_core.gitlab import queries
from glboard_core.model.issue import IssueId
from glboard_core.ports import LiveEvents

if TYPE_CHECKING:
    from websockets.protocol import Protocol

    from glboard_core.gitlab.http import Switched, Transport

PATH = "/-/cable"
PROTOCOL = "actioncable-v1-json"
#: How many issues are watched at most: two screens of cards.
MOST_WATCHED = 60

T = TypeVar("T")

#: The id of an issue that GitLab knows.
_ISSUE = r"gid://gitlab/\w+/\d{1,18}"
_CHANNEL = "GraphqlChannel"
_FIELD = "workItemUpdated"
_PORTS = {"http": 80, "https": 443}
#: Bytes read at once.
_CHUNK = 64 * 1024
#: Seconds for a goodbye.
_GOODBYE = 0.5
_WAY = "Check whether a proxy blocks WebSockets, or set [sync] live = false."


class CableLimits(Struct, frozen=True, kw_only=True):
    """Seconds until the welcome, and without a sign of life (GitLab pings every 3); seconds to write.

    Bytes and parts of a message; messages and bytes in a second; messages that are not understood.
    """

    welcome: float = 10.0
    silence: float = 15.0
    write: float = 10.0
    message: int = 64 * 1024
    parts: int = 1_000
    messages: int = 5_000
    bytes: int = 4 * 1024 * 1024
    rubbish: int = 20


class _Message(Struct):
    """What GitLab sends: with a ``type``, or the result of a subscription."""

    type: Annotated[str, Meta(max_length=100)] = ""
    identifier: Annotated[str, Meta(max_length=4_000)] = ""
    reason: Annotated[str, Meta(max_length=1_000)] = ""
    reconnect: bool = True
    message: msgspec.Raw = msgspec.Raw(b"")


class _Result(Struct):
    data: dict[str, msgspec.Raw] | None = None
    errors: msgspec.Raw = msgspec.Raw(b"")


class _Told(Struct):
    """The result of a subscription: at first empty, later each event. ``more``: whether it goes on."""

    result: _Result = msgspec.field(default_factory=_Result)
    more: bool = False

    @property
    def is_event(self) -> bool:
        return bytes((self.result.data or {}).get(_FIELD, b"null")) != b"null"


_MESSAGES, _TELLS = msgspec.json.Decoder(_Message), msgspec.json.Decoder(_Told)


@asynccontextmanager
async def connected(transport: Transport, limits: CableLimits | None = None) -> AsyncIterator[LiveEvents]:
    """Connect, and wait for GitLab's welcome. Raises NoLiveEvents, ConnectionFailed, AuthError."""
    for name in ("websockets.protocol", "websockets.utils"):
        await asyncio.to_thread(importlib.import_module, name)
    from websockets.utils import generate_key

    key = generate_key()
    asked = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": PROTOCOL,
        "Origin": origin_of(transport.account.url),
    }
    host = transport.account.host
    async with transport.switched(PATH, asked) as answer:
        _check(answer, key, host)
        cable = Cable(answer, host, limits or CableLimits())
        try:
            await cable.welcomed()
            yield cable
        finally:
            await cable.say_goodbye()


def origin_of(url: str) -> str:
    """The origin of a site's pages, as a browser sends it.

    >>> origin_of("https://gitlab.example.com:443/gitlab"), origin_of("http://localhost:3000")
    ('https://gitlab.example.com', 'http://localhost:3000')
    """
    parts = urlsplit(url)
    host = parts.netloc.lower()
    return f"{parts.scheme}://{host.removesuffix(f':{_PORTS.get(parts.scheme, 0)}')}"


def _check(answer: Switched, key: str, host: str) -> None:
    """Raise NoLiveEvents or ConnectionFailed unless the connection is a WebSocket now."""
    from websockets.utils import accept_key

    status, headers = answer.status, answer.headers
    if status == 429:
        raise RateLimited(f"Rate limited by {host} (HTTP 429) for live events.", retry_after=60.0)
    if status >= 500:
        raise ServerFailed(f"{host} temporarily refused live events (HTTP {status}).")
    if status != 101:
        raise NoLiveEvents(f"{host} does not offer live events (HTTP {status}).", hint=_WAY)
    right = (
        headers.get("sec-websocket-accept", "").strip() == accept_key(key)
        and headers.get("upgrade", "").strip().lower() == "websocket"
        and headers.get("sec-websocket-protocol", PROTOCOL).strip() == PROTOCOL
        # What was not asked for: compressed messages have no bounds.
        and not headers.get("sec-websocket-extensions")
    )
    if not right:
        raise NoLiveEvents(f"{host} did not answer the WebSocket handshake.", hint=_WAY)


class Cable(LiveEvents):
    """A connection that is a WebSocket now."""

    def __init__(self, connection: Switched, host: str, limits: CableLimits) -> None:
        from websockets.protocol import CLIENT, Protocol

        self._connection = connection
        self._host = host
        self._limits = limits
        self._frames: Protocol = Protocol(CLIENT, max_size=limits.message)
        self._writing = asyncio.Lock()
        self._unread: list[_Message] = []
        #: The issues by the identifiers of their subscriptions, and the reverse.
        self._issues: dict[str, IssueId] = {}
        self._identifiers: dict[IssueId, str] = {}
        #: Those that GitLab told that it tells of; and those of which it does not, on this connection.
        self._running: set[str] = set()
        self._refused: set[IssueId] = set()
        self._offers = False
        self._rubbish = 0
        self._parts: list[bytes] = []
        #: Since when messages and bytes are counted.
        self._since, self._messages, self._bytes = time.monotonic(), 0, 0
        #: When a frame was complete last: bytes of one that never ends are no sign of life.
        self._alive = time.monotonic()

    async def welcomed(self) -> None:
        """Wait for the welcome. Raises NoLiveEvents, ConnectionFailed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.welcome):
                while not any(one.type == "welcome" for one in self._unread):
                    await self._read()
                    self._check_ended(self._unread)
                return
        raise Offline(f"{self._host} opened a connection for live events but never used it.", hint=_WAY)

    async def choose(self, issues: Sequence[IssueId]) -> None:
        self._check_open()
        wanted = [one for one in dict.fromkeys(issues) if re.fullmatch(_ISSUE, one)][:MOST_WATCHED]
        for issue in set(self._identifiers) - set(wanted):
            identifier = self._identifiers.pop(issue)
            del self._issues[identifier]
            self._running.discard(identifier)
            self._command("unsubscribe", identifier)
        for issue in wanted:
            if issue in self._identifiers or issue in self._refused:
                continue
            identifier = _identifier(issue)
            self._issues[identifier], self._identifiers[issue] = issue, identifier
            self._command("subscribe", identifier)
        await self._write()

    def _command(self, command: str, identifier: str) -> None:
        self._frames.send_text(msgspec.json.encode({"command": command, "identifier": identifier}))

    async def __aiter__(self) -> AsyncIterator[IssueId]:
        while True:
            unread, self._unread = self._unread, []
            self._check_ended(unread)
            for message in unread:
                if (issue := self._told(message)) is not None:
                    yield issue
            await self._read()

    def _told(self, message: _Message) -> IssueId | None:
        """The issue of which this tells that it changed. Raises NoLiveEvents."""
        # Only of what was asked for: another issue is never read because a server says so.
        if (issue := self._issues.get(message.identifier)) is None:
            return None
        if message.type == "reject_subscription":
            self._refuse(message.identifier, issue)
        if message.type:
            return None
        if (told := _understood(_TELLS, message.message)) is None:
            self._odd()
            return None
        was_running = message.identifier in self._running
        if told.more:
            self._running.add(message.identifier)
            self._offers = True
            return issue if told.is_event else None
        self._refuse(message.identifier, issue)
        # It went on until now: perhaps we may no longer read the issue, which reading it tells.
        return issue if was_running else None

    def _refuse(self, identifier: str, issue: IssueId) -> None:
        self._refused.add(issue)
        self._running.discard(identifier)
        self._identifiers.pop(issue, None)
        self._issues.pop(identifier, None)
        if not self._offers and not self._issues:
            raise NoLiveEvents(
                f"{self._host} does not offer live events for issues.",
                hint="It may be too old. Update it, or set [sync] live = false.",
            )

    def _check_ended(self, messages: Sequence[_Message]) -> None:
        """Raise NoLiveEvents or ConnectionFailed if one of these says that the connection ends."""
        found = next((self._ending(one) for one in messages if one.type == "disconnect"), None)
        if found is not None:
            raise found

    def _ending(self, message: _Message) -> NoLiveEvents | ConnectionFailed:
        if message.reason in ("unauthorized", "invalid_request"):
            return NoLiveEvents(f"{self._host} does not accept the token for live events.")
        if not message.reconnect:
            return NoLiveEvents(f"{self._host} ended live events.")
        return Offline(f"{self._host} ended the connection for live events.")

    # -- frames

    async def _read(self) -> None:
        """Read once, and understand what has arrived. Raises NoLiveEvents, ConnectionFailed.

        What arrived together with the end comes first: it says why.
        """
        self._check_open()
        left = self._alive + self._limits.silence - time.monotonic()
        data = await self._connection.read(_CHUNK, left) if left > 0 else b""
        if not data:
            raise self._lost()
        self._frames.receive_data(data)
        self._count(0, len(data))
        for frame in self._frames.events_received():
            self._take(frame)
        with suppress(ConnectionFailed):
            await self._write()

    def _take(self, frame: Any) -> None:
        from websockets.frames import Opcode

        self._count(1, 0)
        self._alive = time.monotonic()
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        self._parts.append(bytes(frame.data))
        if len(self._parts) > self._limits.parts:
            raise self._garbled()
        if not frame.fin:
            return
        text, self._parts = b"".join(self._parts), []
        if (message := _understood(_MESSAGES, text)) is None:
            self._odd()
        elif message.type not in ("ping", "confirm_subscription"):
            self._unread.append(message)

    def _odd(self) -> None:
        self._rubbish += 1
        if self._rubbish > self._limits.rubbish:
            raise self._garbled()

    def _garbled(self) -> NoLiveEvents:
        return NoLiveEvents(f"{self._host} sent live events that glboard does not understand.")

    def _count(self, messages: int, size: int) -> None:
        now = time.monotonic()
        if now - self._since >= 1.0:
            self._since, self._messages, self._bytes = now, 0, 0
        self._messages += messages
        self._bytes += size
        if self._messages > self._limits.messages or self._bytes > self._limits.bytes:
            raise NoLiveEvents(f"{self._host} sent too many live events.")

    async def _write(self) -> None:
        """Send what is waiting. Raises ConnectionFailed."""
        async with self._writing:
            # The empty bytes among them say that nothing follows.
            data = b"".join(self._frames.data_to_send())
            if data and not await self._connection.write(data, self._limits.write):
                raise self._lost()

    def _check_open(self) -> None:
        from websockets.protocol import OPEN

        if self._frames.parser_exc is not None:
            raise self._garbled()
        if self._frames.state is not OPEN:
            raise self._lost()

    def _lost(self) -> Offline:
        return Offline(f"The connection to {self._host} for live events was lost.")

    async def say_goodbye(self) -> None:
        """Close the WebSocket; the connection itself is closed by whoever opened it."""
        from websockets.protocol import OPEN

        with suppress(ConnectionFailed, TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                if self._frames.state is OPEN:
                    self._frames.send_close(1000)
                await self._write()


def _understood(decoder: msgspec.json.Decoder[T], text: bytes | msgspec.Raw) -> T | None:
    """What a text says; None if it is not what GitLab says."""
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return decoder.decode(text)
    return None


def _identifier(issue: IssueId) -> str:
    """What names a subscription in both directions: the query as JSON in a string."""
    item = f"gid://gitlab/WorkItem/{issue.rpartition('/')[2]}"
    wanted: Mapping[str, object] = {
        "channel": _CHANNEL,
        "query": queries.ISSUE_CHANGED,
        "variables": {"id": item},
        "operationName": "IssueChanged",
        "nonce": secrets.token_hex(8),
    }
    return msgspec.json.encode(wanted).decode()
