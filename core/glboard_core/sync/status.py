"""The sync status: whether the server answers, how old the mirror is, what is unsent, whether the disk works.

Owns the status and emits its changes. It decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from glboard_core.errors import AuthError, GlboardError, StoreFailed
from glboard_core.ports import Store
from glboard_core.sync.events import EngineNotice, Event, Freshness, Status, StatusChanged
from glboard_core.sync.local_state import LocalState

#: Meta keys of when the mirror was last up to date, of when all of it was last compared with the server, and
#: of the server's clock minus this machine's (seconds); and of the boards that commands have read.
CAUGHT_UP, WHOLE, CLOCK, BOARDS = "caught_up", "whole", "clock", "boards"
#: Seconds between two writes to disk: after a kill the mirror looks older by that much, never younger.
KEPT_EVERY = 30.0
#: Times are in whole seconds, and clocks drift a little.
TOLERANCE = 5.0


class MirrorAge:
    """When one store's mirror was last up to date with the server, stored across restarts.

    ``now`` is the server's clock, as far as it is known.
    """

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
        return None if seconds < -TOLERANCE else max(0.0, seconds)

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

    @property
    def whole(self) -> datetime | None:
        """When any process last loaded or reconciled the whole mirror, by the server's clock; None: never."""
        return self._read(WHOLE)

    def loaded(self) -> None:
        """The whole mirror was loaded or reconciled: it has all issues of its scope, and no others."""
        self._store.put_meta(WHOLE, self._now().isoformat().encode())

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
        self._store.put_meta(WHOLE, b"")
        self._store.put_meta(BOARDS, b"")

    def _read(self, key: str = CAUGHT_UP) -> datetime | None:
        try:
            kept = datetime.fromisoformat((self._store.meta(key) or b"").decode())
        except ValueError:
            return None
        return kept if kept.tzinfo is not None else kept.replace(tzinfo=UTC)


class SyncStatus:
    """The status of one engine. ``wake`` is called when the server accepts our token again, or no longer."""

    def __init__(
        self, local_state: LocalState, age: MirrorAge, emit: Callable[[Event], None], wake: Callable[[], None]
    ) -> None:
        self._local_state = local_state
        self._emit = emit
        self._age = age
        self._wake = wake
        self._disk_failed = False
        #: Whether the server confirmed, in this session, that we are the user the store belongs to.
        self.verified = False
        #: Whether the server accepts our token, as far as is known.
        self.token_accepted = True
        #: Whether a load is running.
        self.is_loading = False
        self.status = Status(
            unsent=len(local_state.outbox),
            failed=len(local_state.failed),
            conflicts=self._conflicts(),
            **self._draft(),
            freshness="cached" if local_state.store.catalog() else "loading",
            age=age.seconds,
        )

    def answered(self, *, loading: str | None = None, **progress: int) -> None:
        """The server answered; ``loading`` is what is being read, empty once all was read.

        ``progress`` are the fields loaded, total and columns of the status.
        """
        changes: dict[str, object] = {**progress}
        if loading is not None:
            changes["loading"] = loading
        if loading == "":
            self._age.caught_up()
            changes |= {"loaded": 0, "total": 0}
        self._accept_token(True)
        self.update(error=None, next_try=None, freshness=self._freshness(), **changes)

    def mirror_is_whole(self) -> None:
        """The whole mirror was loaded or reconciled now."""
        self._age.loaded()

    def unreachable(self, error: GlboardError) -> None:
        """The server did not answer, or rejects our token (AuthError); the shown data may be outdated."""
        if signed_out := isinstance(error, AuthError):
            self._accept_token(False)
        self.update(freshness="signed-out" if signed_out else "offline", error=error)

    def _accept_token(self, accepted: bool) -> None:
        if accepted != self.token_accepted:
            self.token_accepted = accepted
            self._wake()

    def _freshness(self) -> Freshness:
        """Data of an earlier session counts as cached until it is up to date: there is something to show
        meanwhile."""
        if not self.is_loading:
            return "live"
        cached = not self._age.caught_up_here and self._age.seconds is not None
        return "cached" if cached else "loading"

    def disk_failed(self, error: StoreFailed) -> None:
        """The disk refused a write: reported once, until it works again."""
        if not self._disk_failed:
            self._disk_failed = True
            self._emit(EngineNotice(str(error)))

    def disk_works(self) -> None:
        """A write succeeded."""
        self._disk_failed = False

    def update(self, **changes: object) -> None:
        """Update the status; ``changes`` are fields to set."""
        local_state = self._local_state
        status = structs.replace(
            self.status,
            unsent=len(local_state.outbox),
            failed=len(local_state.failed),
            conflicts=self._conflicts(),
            age=self._age.seconds,
            **self._draft(),
            **changes,
        )
        changed = structs.replace(status, age=None) != structs.replace(self.status, age=None)
        self.status = status
        if changed:
            self._emit(StatusChanged(status))

    def _draft(self) -> dict[str, Any]:
        drafts = self._local_state.drafts
        return {"draft": drafts.current and drafts.current.name, "staged": len(drafts.issues())}

    def _conflicts(self) -> int:
        outbox = self._local_state.outbox
        return sum(bool(outbox.conflicting(issue)) for issue in outbox.issues())
