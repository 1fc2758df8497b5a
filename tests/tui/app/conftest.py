"""One stage per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tui.app.stage import Stage, staged


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    """The small world's planning board, loaded."""
    async with staged() as running:
        yield running
