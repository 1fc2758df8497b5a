"""One stage per test, and edits are sent without waiting for further keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tui.app.stage import Stage, staged


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    """The small world's planning board, loaded."""
    async with staged() as running:
        yield running
