"""How fast requests go to one server: never a flood, and what a person waits for first.

Owns the limit of requests a minute, the yielding of background requests, and the count of the last hour. It
sends nothing: ``http.py`` asks it before every attempt.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from glboard_core.purpose import BACKGROUND, Purpose

#: Requests a minute to a server that does not say what it allows.
UNTOLD = 300
#: How much of what the server allows is used: others use the same account or address.
SHARE = 0.5
#: How much of that is for the background: the rest stays for a person.
BACKGROUND_SHARE = 0.75
#: Seconds that a background request yields at most, so that it is never stopped for good.
LONGEST_YIELD = 15.0

_MINUTE = 60.0
_MINUTES = 60


class Pace:
    """The pace of all requests to one server."""

    def __init__(self) -> None:
        #: The most requests a minute.
        self.per_minute = UNTOLD
        self._times: deque[float] = deque()
        self._minutes: deque[tuple[int, Counter[Purpose]]] = deque()
        self._urgent = 0
        self._calm = asyncio.Event()
        self._calm.set()

    def allowed(self, limit: int | None) -> None:
        """The server allows ``limit`` requests a minute; None if it does not say."""
        if limit is not None and limit > 0:
            self.per_minute = max(1, int(limit * SHARE))

    @contextmanager
    def urgent(self, purpose: Purpose) -> Iterator[None]:
        """While a request that a person waits for is under way, background requests yield."""
        if purpose in BACKGROUND:
            yield
            return
        self._urgent += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._urgent -= 1
            if not self._urgent:
                self._calm.set()

    async def turn(self, purpose: Purpose, deadline: float) -> float | None:
        """Wait for the turn of a request, and count it. Seconds still to wait if that is past ``deadline``.

        ``deadline`` is by the monotonic clock. None: it may be sent now.
        """
        background = purpose in BACKGROUND
        if background and self._urgent:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_YIELD):
                    await self._calm.wait()
        while (wait := self._wait(background)) > 0:
            if time.monotonic() + wait > deadline:
                return wait
            await asyncio.sleep(wait)
        self._count(purpose)
        return None

    def _wait(self, background: bool) -> float:
        """Seconds until one more request is within the limit; 0 if it is now."""
        now = time.monotonic()
        while self._times and self._times[0] <= now - _MINUTE:
            self._times.popleft()
        most = max(1, int(self.per_minute * BACKGROUND_SHARE)) if background else self.per_minute
        over = len(self._times) - most
        return 0.0 if over < 0 else max(0.001, self._times[over] + _MINUTE - now)

    def _count(self, purpose: Purpose) -> None:
        now = time.monotonic()
        self._times.append(now)
        minute = int(now // _MINUTE)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, Counter()))
        self._minutes[-1][1][purpose] += 1
        self._forget(minute)

    def _forget(self, minute: int) -> None:
        while self._minutes and self._minutes[0][0] <= minute - _MINUTES:
            self._minutes.popleft()

    @property
    def last_hour(self) -> Mapping[Purpose, int]:
        """How many requests were sent in the last hour, by purpose."""
        self._forget(int(time.monotonic() // _MINUTE))
        total: Counter[Purpose] = Counter()
        for _, counts in self._minutes:
            total.update(counts)
        return dict(total)
