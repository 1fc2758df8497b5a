"""`/-/cable`: tells those who have issues open, over ActionCable, that an issue changed.

Owns the connections, the subscriptions of each, and the frames as a real GitLab sends them. Who may connect
is the gate's decision; what a subscription selects is executed like any query, with the rights of its token
at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from glboard_core.demo.graphql.context import Context
from glboard_core.demo.graphql.endpoint import Asked, Endpoint, read
from glboard_core.demo.http.transport import ABORT
from glboard_core.demo.world.boards import settle
from glboard_core.demo.world.clock import SECOND
from glboard_core.demo.world.records import Issue
from glboard_core.demo.world.registry import InternalServerError
from glboard_core.demo.world.world import World

PATH = "/-/cable"
PROTOCOL = "actioncable-v1-json"
#: Seconds between two pings of the server.
PING_EVERY = 3.0
#: Bytes of a message of a client.
MOST_MESSAGE = 64 * 1024
_CHANNEL = "GraphqlChannel"


@dataclass(slots=True, eq=False)
class _Connection:
    """A client. `context` makes the context of a query, or returns None once its token is not valid."""

    socket: WebSocket
    context: Callable[[], Context | None]
    loop: asyncio.AbstractEventLoop
    #: By identifier: the query, and the issue it is about.
    subscriptions: dict[str, tuple[Asked, int]] = field(default_factory=dict)
    changed: asyncio.Queue[Issue] = field(default_factory=asyncio.Queue)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, message: Mapping[str, Any]) -> None:
        """One frame."""
        async with self.sending:
            await self.socket.send_text(msgspec.json.encode(message).decode())


class Cable:
    """All connections. `events` counts what was told, `most_open` the subscriptions at one time."""

    def __init__(self, world: World, endpoint: Endpoint) -> None:
        self._world = world
        self._endpoint = endpoint
        self._connections: set[_Connection] = set()
        self.events = 0
        self.most_open = 0
        world.watchers.append(self._tell)

    @property
    def subscribed(self) -> list[int]:
        """The ids of the issues that somebody is told of."""
        with self._world.lock:
            return sorted(ident for one in self._connections for _, ident in one.subscriptions.values())

    def __len__(self) -> int:
        return len(self._connections)

    def cut(self) -> None:
        """Break all connections, as a cable or a proxy does."""
        for one in list(self._connections):
            one.loop.call_soon_threadsafe(one.socket.scope[ABORT])

    def _tell(self, issue: Issue) -> None:
        """An issue changed; the lock is held. Each connection sends by itself, in its own loop."""
        for one in self._connections:
            if any(ident == issue.id for _, ident in one.subscriptions.values()):
                one.loop.call_soon_threadsafe(one.changed.put_nowait, issue)

    async def serve(self, socket: WebSocket, context: Callable[[], Context | None]) -> None:
        """One connection, from the handshake to its end."""
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        one = _Connection(socket, context, asyncio.get_running_loop())
        with suppress(WebSocketDisconnect, RuntimeError):
            if context() is None:
                await self._disconnect(one)
                return
            await one.send({"type": "welcome"})
            with self._world.lock:
                self._connections.add(one)
            tasks = {asyncio.ensure_future(job) for job in (self._hear(one), self._say(one), self._ping(one))}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                with self._world.lock:
                    self._connections.discard(one)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def _disconnect(one: _Connection) -> None:
        # GitLab says so of a token that is not valid, although a client would only be refused again.
        await one.send({"type": "disconnect", "reason": "invalid_request", "reconnect": True})
        await one.socket.close()

    async def _ping(self, one: _Connection) -> None:
        while True:
            await asyncio.sleep(PING_EVERY)
            await one.send({"type": "ping", "message": self._world.clock.now() // SECOND})

    async def _hear(self, one: _Connection) -> None:
        while True:
            text = await one.socket.receive_text()
            try:
                command = msgspec.json.decode(text, type=dict[str, Any])
                identifier = str(command["identifier"])
                wanted = msgspec.json.decode(identifier, type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError, KeyError):
                continue  # ActionCable only writes it into its log
            if command.get("command") == "unsubscribe":
                with self._world.lock:
                    one.subscriptions.pop(identifier, None)
            elif command.get("command") == "subscribe" and wanted.get("channel") == _CHANNEL:
                await self._subscribe(one, identifier, wanted)

    async def _subscribe(self, one: _Connection, identifier: str, wanted: dict[str, Any]) -> None:
        if identifier in one.subscriptions:
            return
        context = one.context()
        if context is None:
            await self._disconnect(one)
            return
        body = {name: wanted.get(name) for name in ("query", "variables", "operationName")}
        request = read(msgspec.json.encode(body))
        asked = request.asked[0] if request.asked else None
        result: Any = request.refused[1] if request.refused else None
        if asked is not None:
            result = self._result(asked, context, None)
        told = context.subscribed and "errors" not in result
        if asked is not None and told:
            with self._world.lock:
                one.subscriptions[identifier] = (asked, min(context.subscribed))
                self.most_open = max(self.most_open, len(one.subscriptions))
        # The result of the query itself comes first: it has nothing yet.
        await one.send({"identifier": identifier, "message": {"result": result, "more": bool(told)}})
        await one.send({"identifier": identifier, "type": "confirm_subscription"})

    async def _say(self, one: _Connection) -> None:
        while True:
            issue = await one.changed.get()
            for identifier, (asked, ident) in list(one.subscriptions.items()):
                if ident != issue.id:
                    continue
                if (context := one.context()) is None:
                    await self._disconnect(one)
                    return
                result = self._result(asked, context, issue)
                if not (more := "errors" not in result):
                    with self._world.lock:
                        one.subscriptions.pop(identifier, None)
                self.events += 1
                await one.send({"identifier": identifier, "message": {"result": result, "more": more}})

    def _result(self, asked: Asked, context: Context, issue: Issue | None) -> Any:
        with self._world.lock:
            settle(self._world)
            try:
                return self._endpoint.answer_one(asked, context, issue)
            except InternalServerError:
                return {"errors": [{"message": "Internal server error"}]}
