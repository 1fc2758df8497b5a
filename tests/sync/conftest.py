"""The embedded GitLab over a socket, and a store on disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.ports import Store
from glboard_core.store.sqlite import SqliteStore
from support.engines import Session, build_world, session


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """Ultimate, the newest version."""
    async with DemoServer(build_world()) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on disk."""
    made = SqliteStore(tmp_path / "state.sqlite3")
    yield made
    made.close()


@pytest.fixture
async def context(server: DemoServer, store: Store) -> AsyncIterator[Session]:
    """A loaded engine that polls on demand."""
    async with session(server, store) as one:
        server.requests.clear()
        yield one
