"""The embedded GitLab over a socket, and a store of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.ports import Store
from glboard_core.store.memory import MemoryStore
from glboard_core.store.sqlite import SqliteStore
from support.engines import Session, build_world, session


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """Ultimate, the newest version."""
    async with DemoServer(build_world()) as running:
        yield running


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind."""
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state.sqlite3")
    yield made
    made.close()


@pytest.fixture
async def context(server: DemoServer, store: Store) -> AsyncIterator[Session]:
    """A loaded engine that polls on demand."""
    async with session(server, store) as one:
        server.requests.clear()
        yield one
