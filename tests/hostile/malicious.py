"""A server that answers with whatever bytes a test wants, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from msgspec import Struct


class Sent(Struct):
    """A request that arrived: its first line, headers and body."""

    line: str
    headers: dict[str, str]
    body: bytes
    whole: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


#: The bytes of the answer to a request; None to close the connection without one.
Reply = Callable[[Sent], bytes | None]


def answer(status: int = 200, body: bytes | Any = b"", **headers: str) -> bytes:
    """The bytes of an answer: JSON for anything but bytes; ``_`` in names of headers stands for ``-``."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(raw))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Odd\r\n{head}\r\n".encode() + raw


class Malicious:
    """Listens on a port of this machine; ``drip`` is the seconds between two bytes of an answer."""

    def __init__(
        self, reply: Reply | bytes = b"", *, trust: ssl.SSLContext | None = None, drip: float = 0
    ) -> None:
        self.reply: Reply = reply if callable(reply) else lambda _: reply
        self.sent: list[Sent] = []
        #: Whether the connection is closed after each answer.
        self.closes = False
        self._trust = trust
        self._drip = drip
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._trust else 'http'}://localhost:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "localhost", 0, ssl=self._trust)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if serving := [task for task in self._writers.values() if task is not None]:
            await asyncio.wait(serving)

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """What comes before HTTP; returns whether HTTP follows."""
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[writer] = asyncio.current_task()
        try:
            if await self.greet(reader, writer):
                while await self._exchange(reader, writer):
                    pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self._writers[writer]

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.sent.append(Sent(line, headers, body, head + body))
        if (raw := self.reply(self.sent[-1])) is None:
            return False
        for at in range(0, len(raw), 1) if self._drip else (0,):
            writer.write(raw[at : at + 1] if self._drip else raw)
            await writer.drain()
            await asyncio.sleep(self._drip)
        return not self.closes and "close" not in head.decode("latin-1").lower()


class Socks(Malicious):
    """A SOCKS 5 proxy that answers in place of the server; with ``garbled`` it answers these bytes,
    ``reached`` is set once it was sent something, ``left`` once the client has closed the connection."""

    garbled: bytes | None = None
    #: The address it was asked to connect to.
    wanted = b""

    def __init__(self, reply: Reply | bytes = b"") -> None:
        super().__init__(reply)
        self.reached, self.left = asyncio.Event(), asyncio.Event()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        self.reached.set()
        if self.garbled is not None:
            writer.write(self.garbled)
            with suppress(OSError):
                await writer.drain()
                await reader.read()
            self.left.set()
            return False
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        self.wanted = await reader.readexactly(length)
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return True
