"""uvicorn with additions: cutting a connection, a signal once it is ready, and stopping without delay.

Proxies and cables break TCP connections in the middle; ASGI has no message for that, so the protocol puts a
function for it into the scope.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

ABORT = "glboard.abort"


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 whose application can cut the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: Any = self.app

        async def with_abort(scope: Any, receive: Any, send: Any) -> None:
            scope[ABORT] = self._cut
            await inner(scope, receive, send)

        self.app = with_abort

    def _cut(self) -> None:
        self.cycle.response_complete = True
        self.cycle.disconnected = True
        self.transport.abort()


@cache
def _websocket() -> Callable[..., asyncio.Protocol]:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
    from websockets.protocol import CLOSING

    class AbortableWebSocket(WebSocketsSansIOProtocol):
        """A WebSocket whose application can cut the connection."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            inner: Any = self.app

            async def with_abort(scope: Any, receive: Any, send: Any) -> None:
                scope[ABORT] = self.transport.abort
                await inner(scope, receive, send)

            self.app = with_abort

        def shutdown(self) -> None:
            """Close; one that is closing already cannot say so again."""
            if self.conn.state is CLOSING:
                self.transport.close()
            else:
                super().shutdown()

    return AbortableWebSocket


def websocket(*args: Any, **kwargs: Any) -> asyncio.Protocol:
    """uvicorn's WebSocket, imported by the first one."""
    return _websocket()(*args, **kwargs)


class Server(uvicorn.Server):
    """Signals when it is ready (``serving``), and stops as soon as ``ending`` is set."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self.serving = threading.Event()
        self.ending = asyncio.Event()
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then signal."""
        self._on_start()
        await super().startup(sockets=sockets)
        self.serving.set()

    async def main_loop(self) -> None:
        """Wait for the end instead of checking ten times a second."""
        await self.ending.wait()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; uvicorn's own takes at least 0.1 s. Requests get the configured time to end."""
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
                while self.server_state.connections:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.001)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; otherwise every response takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def configure(app: Any, most_message: int) -> uvicorn.Config:
    """uvicorn's settings: lean, silent, without its own Date header (the world has its own time)."""
    way: Any = websocket
    return uvicorn.Config(
        app, http=AbortableProtocol, loop="asyncio", lifespan="off", ws=way, interface="asgi3",
        ws_max_size=most_message, ws_ping_interval=None, ws_per_message_deflate=False,
        log_config=None, access_log=False, date_header=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=2,
    )  # fmt: skip
