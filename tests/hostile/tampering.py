"""A malicious server: the embedded GitLab, but of whose answers are not as GitLab gives them.

It serves over a socket of its own, in a thread, so that the real gateway, commands and the engine can ask it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World

#: Stands for a hostile value in a tree, until it is JSON.
MARK = "@@hostile@@"

#: The way to a value in a tree.
Way = tuple[str | int, ...]


class Answer(msgspec.Struct):
    """An answer, to be changed before it is sent. ``asked`` is the body of the request."""

    path: str
    asked: bytes
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def paths(tree: Any, start: Way = ()) -> Iterator[Way]:
    """The ways to all values; of a list's, those of the first two."""
    yield start
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from paths(value, (*start, key))
    elif isinstance(tree, list):
        for n, value in enumerate(tree[:2]):
            yield from paths(value, (*start, n))


def with_value(body: bytes, path: Way, value: bytes) -> bytes:
    """JSON with another value at a place, which need not be JSON; the same if there is no such place."""
    if not path:
        return value
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # another value made it what cannot be changed
    at = tree
    for step in path[:-1]:
        inside = at.get(step) if isinstance(at, dict) else at[step] if _has(at, step) else None
        if inside is None:
            return body
        at = inside
    if not (isinstance(at, dict) and path[-1] in at) and not _has(at, path[-1]):
        return body
    at[path[-1]] = MARK
    return msgspec.json.encode(tree).replace(f'"{MARK}"'.encode(), value)


def _has(at: Any, step: str | int) -> bool:
    return isinstance(at, list) and isinstance(step, int) and step < len(at)


class MaliciousServer:
    """The embedded GitLab of a world, with every answer passed through ``tamper``."""

    def __init__(self, world: World, *, token: str | None = None) -> None:
        self.demo = DemoServer(world, token=token)
        self.world = world
        self.token = self.demo.token
        self.tamper: Callable[[Answer], None] | None = None
        self.answers: list[Answer] = []
        self._kept: dict[tuple[str, bytes], Answer] = {}
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="malicious", daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> MaliciousServer:
        self.demo.start()
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self.demo.stop()

    def forget(self) -> None:
        """Ask the world again: it was changed by other ways than requests."""
        self._kept.clear()

    @contextmanager
    def tampering(self, tamper: Callable[[Answer], None] | None) -> Iterator[None]:
        """Tamper with all answers for a while."""
        self.tamper = tamper
        try:
            yield
        finally:
            self.tamper = None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._client = httpx.AsyncClient(trust_env=False)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ", 2)
                answer = await self._true_answer(method, path, body, headers)
                self.answers.append(answer)
                answer = Answer(path, body, answer.status, list(answer.headers), answer.body)
                if self.tamper is not None:
                    self.tamper(answer)
                told = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
                start = f"HTTP/1.1 {answer.status} Told\r\n{told}content-length: {len(answer.body)}\r\n\r\n"
                writer.write(start.encode("utf-8", "surrogatepass") + answer.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _true_answer(self, method: str, path: str, body: bytes, asked: Mapping[str, str]) -> Answer:
        key = (f"{method} {path}", body)
        signs_in = path.startswith("/oauth/")
        writes = b'"query":"mutation' in body or method not in ("GET", "POST") or signs_in
        # What reads over REST has no body.
        writes = writes or (method == "POST" and "/graphql" not in path)
        if writes and not signs_in:
            self._kept.clear()
        if not writes and (kept := self._kept.get(key)) is not None:
            return kept
        passed = ("authorization", "content-type", "private-token")
        sent = {name: asked[name] for name in passed if name in asked}
        got = await self._client.request(method, self.demo.url + path, content=body, headers=sent)
        names = ("content-type", "date", "x-request-id", "x-next-page", "x-page", "x-total", "x-total-pages")
        headers = [(name, got.headers[name]) for name in names if name in got.headers]
        answer = Answer(path, body, got.status_code, headers, got.content)
        if not writes and got.status_code == 200:
            self._kept[key] = answer
        return answer
