"""The embedded GitLab with an OAuth application, and a store in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from glboard_core.auth import device
from glboard_core.auth.search import server_at
from glboard_core.auth.store import CredentialStore
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Account
from support.engines import build_world


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "SHORTEST_INTERVAL", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """Device codes can be asked for twenty times a second."""
    async with DemoServer(build_world(issues=2)) as running:
        running.oauth.interval = 0.05
        yield running


@pytest.fixture
def place(server: DemoServer, tmp_path: Path) -> Account:
    """The server, to sign in to."""
    return server_at(server.url, env={}, home=tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    """No sign-in yet."""
    return CredentialStore(tmp_path / "state")
