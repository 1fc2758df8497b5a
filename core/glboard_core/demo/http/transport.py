"""uvicorn with three things it has not: a way to cut a connection, a word when it is ready, and an end that
does not wait for the next look at the clock.

Breaking a TCP connection in the middle is what a proxy or a cable does; ASGI has no message for it, so the
protocol puts a function for it in the scope.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

ABORT = "glboard.abort"


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 whose application may cut the connection."""

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


class Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self.serving = threading.Event()
        self.ending = asyncio.Event()
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then tells."""
        self._on_start()
        await super().startup(sockets=sockets)
        self.serving.set()

    async def main_loop(self) -> None:
        """Waits for the end instead of asking for it ten times a second."""
        await self.ending.wait()
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; else every answer takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def configure(app: Any) -> uvicorn.Config:
    """uvicorn's settings: lean, silent, its own Date header off (the world has its own time)."""
    return uvicorn.Config(
        app, http=AbortableProtocol, loop="asyncio", lifespan="off", ws="none", interface="asgi3",
        log_config=None, access_log=False, date_header=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=2,
    )  # fmt: skip
