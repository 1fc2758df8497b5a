"""What edits and polls cost: requests, and round trips at 150 ms.

Run as ``python -m pytest -n0 -s tests/soak/test_cost.py``; it prints the figures. Round trips are the time
from letting go of what was held to the last answer, in units of the latency.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Answer
from glboard_core.store.sqlite import SqliteStore
from support.engines import STILL, build_world, session

LATENCY = 150.0
HELD = structs.replace(STILL, hold=3600, hold_comments=3600)


@pytest.mark.parametrize("count", [1, 20, 100])
async def test_edits(tmp_path: Path, count: int) -> None:
    store = SqliteStore(tmp_path / "state.sqlite3")
    async with DemoServer(build_world(issues=100)) as server, session(server, store, sync=HELD) as context:
        server.settings.latency_ms = LATENCY
        server.requests.clear()
        context.edit_all([f"app#{n}" for n in range(1, count + 1)], milestone="19.8")
        started = time.monotonic()
        assert await context.engine.finish(60) == 0
        trips = (time.monotonic() - started) * 1_000 / LATENCY
        asked = len(server.requests)
        writes = sum(1 for record in server.requests if record.mutations)
        print(f"{count} edits: {asked} requests ({writes} of them changes), {trips:.1f} round trips")
        assert len(server.requests) <= 10
    store.close()


async def test_polls(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.sqlite3")
    async with DemoServer(build_world(issues=500)) as server, session(server, store) as context:
        server.requests.clear()
        started = time.process_time()
        for _ in range(100):
            await context.refreshed()
        spent = (time.process_time() - started) * 10
        each = len(server.requests) / 100
        print(f"a poll when nothing changed: {each} requests, {spent:.1f} ms of both sides")
        server.requests.clear()
        await context.engine.poller.reconcile()
        print(f"reconciling 502 issues: {len(server.requests)} requests")
    store.close()


@pytest.mark.parametrize("each", [0.1, 0.25, 0.5])
async def test_edits_on_a_slow_server(each: float) -> None:
    """GitLab needs a quarter of a second for each change (measured on 18.9): a document takes 2 to 3 s."""
    async with DemoServer(build_world(issues=100)) as server, session(server, sync=HELD) as context:
        assert isinstance(context.engine.gateway, GitLabGateway)
        transport = context.engine.gateway._transport
        once = transport._exchange
        took: list[float] = []

        async def slow(method: str, path: str, body: bytes) -> Answer | Failure:
            calls = body.count(b": updateIssue(")
            if calls:
                took.append(calls * each)
                await asyncio.sleep(took[-1])
            return await once(method, path, body)

        transport._exchange = slow  # type: ignore[method-assign]
        server.requests.clear()
        context.edit_all([f"app#{n}" for n in range(1, 101)], milestone="19.8")
        # A poll while half of them are sent.
        asyncio.get_running_loop().call_later(100 * each / 4, context.engine.poller.poll_soon)
        started = time.monotonic()
        assert await context.engine.finish(120) == 0
        seconds = time.monotonic() - started
        await context.refreshed()
        asked = len(server.requests)
        writes = sum(1 for record in server.requests if record.mutations)
        print(
            f"100 edits at {each} s each: {asked} requests ({writes} of them changes), {seconds:.0f} s,"
            f" the longest document {max(took):.1f} s"
        )
        assert asked <= 30 if each > 0.25 else asked <= 16
