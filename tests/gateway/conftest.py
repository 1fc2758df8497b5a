"""The embedded GitLab over a socket, one per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.worlds import LoadedGateway, make
from glboard_core.demo.http.server import DemoServer


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """Ultimate, the newest version."""
    async with DemoServer(make()) as running:
        yield running


@pytest.fixture
async def context(server: DemoServer) -> AsyncIterator[LoadedGateway]:
    """Everything read, ready to send."""
    one = await LoadedGateway(server).open()
    async with one.gateway:
        yield one
