"""How old the mirror is: when it last held all that the server had, kept through restarts.

Owns that moment, as the server's clock told it, beside how far this machine's clock was from it then. An
offline start can go by this machine's clock alone, corrected; as soon as the server has answered anything its
own clock counts. So a clock that is wrong, and stays so, does not lie about the age.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from glboard_core.ports import Store

#: Where the store keeps that moment, and how far the server's clock was from this machine's, in seconds.
CAUGHT_UP, CLOCK = "caught_up", "clock"
#: Seconds between two notes on disk: a kill makes the mirror look that much older, never younger.
KEPT_EVERY = 30.0
#: Times are told to the second, and clocks drift a little.
TRIFLE = 5.0


class Age:
    """The age of one store's mirror; ``now`` is the server's clock, as far as it is known."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._kept = self._read()
        #: When it was caught up in this session: by the server's clock, this machine's, and one that only
        #: goes forward.
        self._here: tuple[datetime, float, float] | None = None
        self._written = float("-inf")

    @property
    def seconds(self) -> float | None:
        """Seconds since the mirror held all that the server had; none where it never did, or nobody knows."""
        if self._here is not None:
            # The steady clock stands still while the machine sleeps, the other one may be put back.
            _, wall, steady = self._here
            return max(time.monotonic() - steady, time.time() - wall)
        if self._kept is None:
            return None
        seconds = (self._now() - self._kept).total_seconds()
        # From the future: a clock was put back since, and no age is better than a false one.
        return None if seconds < -TRIFLE else max(0.0, seconds)

    @property
    def caught_up_here(self) -> bool:
        """Whether the mirror was caught up in this session."""
        return self._here is not None

    def caught_up(self) -> None:
        """Just now the mirror held all that the server had."""
        steady = time.monotonic()
        self._here = (self._now(), time.time(), steady)
        if steady - self._written >= KEPT_EVERY:
            self.keep()

    def keep(self) -> None:
        """Note it on disk, unless another window has noted a later moment."""
        if self._here is None:
            return
        moment, wall, _ = self._here
        self._written = time.monotonic()
        kept = self._read()
        if kept is None or kept < moment:
            self._store.put_meta(CAUGHT_UP, moment.isoformat().encode())
            self._put_clock(moment.timestamp() - wall)

    def set_clock(self) -> None:
        """The server answered: note how far its clock is from this machine's."""
        self._put_clock((self._now() - datetime.now(UTC)).total_seconds())

    def _put_clock(self, offset: float) -> None:
        self._store.put_meta(CLOCK, f"{offset:.0f}".encode())

    def forget(self) -> None:
        """The mirror holds less than it should: it has no age until it is caught up."""
        self._here = self._kept = None
        self._store.put_meta(CAUGHT_UP, b"")

    def _read(self) -> datetime | None:
        try:
            kept = datetime.fromisoformat((self._store.meta(CAUGHT_UP) or b"").decode())
        except ValueError:
            return None
        return kept if kept.tzinfo is not None else kept.replace(tzinfo=UTC)
