"""The embedded GitLab over a socket, one per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.worlds import Desk, make
from glboard_core.demo.http.server import DemoServer


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """Ultimate, the newest version."""
    async with DemoServer(make()) as running:
        yield running


@pytest.fixture
async def context(server: DemoServer) -> AsyncIterator[Desk]:
    """Everything read, ready to send."""
    one = await Desk(server).open()
    async with one.gateway:
        yield one
