"""Counting per minute: requests per user (Rack::Attack, with headers) and comments (an application limit).

Windows follow the world's clock, so a test can let a minute pass without waiting for it.
"""

from __future__ import annotations

from email.utils import formatdate

from glboard_core.demo.world.clock import SECOND, Clock

_MINUTE = 60
# What the headers say when nothing is limited: the figure of gitlab.com.
_NOMINAL = 2000


class Window:
    """A count per key and minute."""

    def __init__(self, clock: Clock, limit: int | None) -> None:
        self._clock = clock
        self._minute = -1
        self._seen: dict[str, int] = {}
        self.limit = limit

    def count(self, key: str) -> int:
        """Counts one more and returns the count."""
        minute = self._clock.now() // SECOND // _MINUTE
        if minute != self._minute:
            self._minute, self._seen = minute, {}
        self._seen[key] = self._seen.get(key, 0) + 1
        return self._seen[key]

    def over(self, key: str) -> bool:
        """Counts one more and returns whether that exceeds the limit."""
        return self.limit is not None and self.count(key) > self.limit

    def headers(self, observed: int) -> dict[str, str]:
        """The informational headers of an answer."""
        limit = self.limit or _NOMINAL
        reset = (self._clock.now() // SECOND // _MINUTE + 1) * _MINUTE
        return {
            "ratelimit-limit": str(limit),
            "ratelimit-name": "throttle_authenticated_api",
            "ratelimit-observed": str(observed),
            "ratelimit-remaining": str(max(0, limit - observed)),
            "ratelimit-reset": str(reset),
        }

    def refusal(self) -> dict[str, str]:
        """The further headers of a 429."""
        now = self._clock.now() // SECOND
        reset = (now // _MINUTE + 1) * _MINUTE
        return {
            "retry-after": str(reset - now),
            "ratelimit-resettime": formatdate(reset, usegmt=True),
        }
