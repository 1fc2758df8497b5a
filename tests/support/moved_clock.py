"""A clock that a test moves: an hour of an engine passes in seconds, with every wait as long as in life.

All of the process moves with it: event loops, timeouts, the embedded GitLab and its world.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

#: Seconds in one step: shorter than any wait of the engine that matters.
STEP = 0.5
#: Turns of the loop in which what a step has woken begins, or asks for something.
TURNS = 8


class MovedClock:
    """The clocks of this process. ``is_calm``: nothing is under way that takes real time."""

    def __init__(self, patch: pytest.MonkeyPatch, is_calm: Callable[[], bool]) -> None:
        self._ahead = 0.0
        self._is_calm = is_calm
        wall, steady, fine = time.time, time.monotonic, time.monotonic_ns
        patch.setattr(time, "time", lambda: wall() + self._ahead)
        patch.setattr(time, "monotonic", lambda: steady() + self._ahead)
        patch.setattr(time, "monotonic_ns", lambda: fine() + int(self._ahead * 1e9))

    async def let_pass(self, seconds: float) -> None:
        """Let so many seconds pass; requests that begin meanwhile take no longer than they really do."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self._calm()
            self._ahead += min(STEP, max(0.0, end - time.monotonic()))
        await self._calm()

    async def _calm(self) -> None:
        turns = 0
        while turns < TURNS:
            await asyncio.sleep(0)
            turns = turns + 1 if self._is_calm() else 0
            if not turns:
                await asyncio.sleep(0.001)
