"""The app on a malicious server, and hostile values in whatever it reads."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any

import msgspec

from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_tui.app import GlboardApp
from hostile.operations import gateway_to
from hostile.tampering import MARK, Answer, MaliciousServer
from hostile.values import JSON_VALUES, TEXTS
from tui.app.stage import GROUP, STILL, Stage, small_world

#: Fields whose value is text that anybody writes: they get long texts, too.
_WRITTEN = ("title", "description", "body", "name")


@asynccontextmanager
async def malicious_stage() -> AsyncIterator[tuple[Stage, MaliciousServer]]:
    """The board of a small world, loaded, on a server whose answers can be tampered with."""
    with MaliciousServer(small_world()) as server:

        @asynccontextmanager
        async def connect() -> AsyncIterator[Engine]:
            async with gateway_to(server, GROUP) as gateway:
                yield Engine(gateway, SqliteStore(":memory:"), STILL)

        app = GlboardApp(STILL, connect)
        async with app.run_test(size=(160, 45)) as pilot:
            stage = Stage(app, pilot, server.demo)
            await stage.until(lambda: app.bridge.engine is not None)
            await stage.settle()
            yield stage, server


def fields(answers: list[Answer]) -> list[str]:
    """The names of all fields in these answers."""
    found: dict[str, None] = {}

    def look(tree: Any) -> None:
        for key, value in tree.items() if isinstance(tree, dict) else ():
            found[key] = None
            look(value)
        for value in tree if isinstance(tree, list) else ():
            look(value)

    for answer in answers:
        look(msgspec.json.decode(answer.body))
    return list(found)


def everywhere(field: str, value: bytes) -> Callable[[Answer], None]:
    """Put the value into every second place of a field."""

    def put(tree: Any, turn: Iterator[bool]) -> None:
        if isinstance(tree, dict):
            for key, inside in tree.items():
                if key == field and next(turn):
                    tree[key] = MARK
                else:
                    put(inside, turn)
        elif isinstance(tree, list):
            for inside in tree:
                put(inside, turn)

    def tamper(answer: Answer) -> None:
        tree = msgspec.json.decode(answer.body)
        put(tree, cycle((True, False)))
        answer.body = msgspec.json.encode(tree).replace(f'"{MARK}"'.encode(), value)

    return tamper


async def press_through(stage: Stage, server: MaliciousServer, rounds: int, seed: int) -> float:
    """Read hostile values and press keys; the longest time in seconds until the screen answered a key."""
    chance, longest = random.Random(seed), 0.0
    engine = stage.engine
    server.answers.clear()
    engine.refresh()
    await stage.settle()
    await stage.press("enter")
    await stage.press("escape")
    names = fields(list(server.answers))
    values = list(JSON_VALUES.values())
    for _ in range(rounds):
        field, value = chance.choice(names), chance.choice(values)
        if field in _WRITTEN and chance.random() < 0.5:
            text = chance.choice(list(TEXTS.values()))(100_000).encode("utf-8", "replace").decode()
            value = msgspec.json.encode(text)
        with server.tampering(everywhere(field, value)):
            await refreshed(stage)
            started = time.monotonic()
            await stage.press("j", "enter")
            await stage.press("escape", "l")
            longest = max(longest, time.monotonic() - started)
    await refreshed(stage)
    await stage.settle()
    return longest


async def refreshed(stage: Stage) -> None:
    """Read everything again, by another engine if the answer is that the token is another user's."""
    engine = stage.engine
    engine.refresh()
    read = asyncio.create_task(engine.poller.idle())
    await stage.until(lambda: read.done() or stage.app.bridge.engine is not engine)
    read.cancel()
    if stage.app.bridge.engine is not engine:
        await refreshed(stage)
