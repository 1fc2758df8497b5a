"""The sync status: how old the mirror is, what is unsent, and whether changes can be saved.

Owns the status and announces its changes. It decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import structs

from glboard_core.errors import StoreFailed
from glboard_core.ports import Store
from glboard_core.sync.events import Event, Freshness, Notice, Status, StatusChanged
from glboard_core.sync.local_state import LocalState

# The age of the mirror: when it was last up to date with the server, stored across restarts.

#: Meta keys of that time, and of the server's clock minus this machine's, in seconds.
CAUGHT_UP, CLOCK = "caught_up", "clock"
#: Seconds between two writes to disk: after a kill the mirror looks older by that much, never younger.
KEPT_EVERY = 30.0
#: Times are in whole seconds, and clocks drift a little.
TRIFLE = 5.0


class MirrorAge:
    """The age of one store's mirror; ``now`` is the server's clock, as far as it is known."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._kept = self._read()
        #: When it was brought up to date in this session: by the server's clock, this machine's, and a
        #: monotonic one.
        self._here: tuple[datetime, float, float] | None = None
        self._written = float("-inf")

    @property
    def seconds(self) -> float | None:
        """Seconds since the mirror was up to date; None if it never was, or if unknown."""
        if self._here is not None:
            # The monotonic clock stops while the machine sleeps; the other one can be set back.
            _, wall, steady = self._here
            return max(time.monotonic() - steady, time.time() - wall)
        if self._kept is None:
            return None
        seconds = (self._now() - self._kept).total_seconds()
        # In the future: a clock was set back since, and no age is better than a false one.
        return None if seconds < -TRIFLE else max(0.0, seconds)

    @property
    def caught_up_here(self) -> bool:
        """Whether the mirror was brought up to date in this session."""
        return self._here is not None

    def caught_up(self) -> None:
        """The mirror is up to date now."""
        steady = time.monotonic()
        self._here = (self._now(), time.time(), steady)
        if steady - self._written >= KEPT_EVERY:
            self.keep()

    def keep(self) -> None:
        """Write the time to disk, unless another process wrote a later one."""
        if self._here is None:
            return
        moment, wall, _ = self._here
        self._written = time.monotonic()
        kept = self._read()
        if kept is None or kept < moment:
            self._store.put_meta(CAUGHT_UP, moment.isoformat().encode())
            self._put_clock(moment.timestamp() - wall)

    def set_clock(self) -> None:
        """The server answered: record the offset of its clock."""
        self._put_clock((self._now() - datetime.now(UTC)).total_seconds())

    def _put_clock(self, offset: float) -> None:
        self._store.put_meta(CLOCK, f"{offset:.0f}".encode())

    def forget(self) -> None:
        """The mirror is incomplete: it has no age until it is up to date."""
        self._here = self._kept = None
        self._store.put_meta(CAUGHT_UP, b"")

    def _read(self) -> datetime | None:
        try:
            kept = datetime.fromisoformat((self._store.meta(CAUGHT_UP) or b"").decode())
        except ValueError:
            return None
        return kept if kept.tzinfo is not None else kept.replace(tzinfo=UTC)


class SyncStatus:
    """The status of one engine."""

    def __init__(self, local_state: LocalState, age: MirrorAge, tell: Callable[[Event], None]) -> None:
        self._local_state = local_state
        self._tell = tell
        self._age = age
        self._disk_refuses = False
        self.status = Status(
            unsent=len(local_state.outbox),
            failed=len(local_state.failed),
            conflicts=self._conflicts(),
            freshness="cached" if local_state.store.catalog() else "loading",
            age=age.seconds,
        )

    def heard(self, *, loading: bool) -> Freshness:
        """The server answered: update how fresh the shown data is.

        Data of an earlier session counts as cached until it is up to date: there is something to show
        meanwhile.
        """
        if not loading:
            return "live"
        cached = not self._age.caught_up_here and self._age.seconds is not None
        return "cached" if cached else "loading"

    def disk_failed(self, error: StoreFailed) -> None:
        """The disk refuses writes: reported once, until it works again."""
        if not self._disk_refuses:
            self._disk_refuses = True
            self._tell(Notice(str(error)))

    def disk_works(self) -> None:
        """A write succeeded."""
        self._disk_refuses = False

    def update(self, **changes: object) -> None:
        """Update the status; ``changes`` are fields to set."""
        local_state = self._local_state
        status = structs.replace(
            self.status,
            unsent=len(local_state.outbox),
            failed=len(local_state.failed),
            conflicts=self._conflicts(),
            age=self._age.seconds,
            **changes,
        )
        changed = structs.replace(status, age=None) != structs.replace(self.status, age=None)
        self.status = status
        if changed:
            self._tell(StatusChanged(status))

    def _conflicts(self) -> int:
        pending = self._local_state.outbox
        return sum(bool(pending.conflicting(issue)) for issue in pending.issues())
