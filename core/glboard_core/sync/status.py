"""The sync status: how old the mirror is, what is unsent, and whether changes can be saved.

Owns the status and announces its changes. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from glboard_core.errors import StoreFailed
from glboard_core.sync.age import MirrorAge
from glboard_core.sync.events import Event, Freshness, Notice, Status, StatusChanged
from glboard_core.sync.local_state import LocalState


class SyncStatus:
    """The status of one engine."""

    def __init__(self, ledger: LocalState, age: MirrorAge, tell: Callable[[Event], None]) -> None:
        self._ledger = ledger
        self._tell = tell
        self._age = age
        self._disk_refuses = False
        self.status = Status(
            unsent=len(ledger.pending),
            failed=len(ledger.failed),
            conflicts=self._conflicts(),
            freshness="cached" if ledger.store.catalog() else "loading",
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
        ledger = self._ledger
        status = structs.replace(
            self.status,
            unsent=len(ledger.pending),
            failed=len(ledger.failed),
            conflicts=self._conflicts(),
            age=self._age.seconds,
            **changes,
        )
        changed = structs.replace(status, age=None) != structs.replace(self.status, age=None)
        self.status = status
        if changed:
            self._tell(StatusChanged(status))

    def _conflicts(self) -> int:
        pending = self._ledger.pending
        return sum(bool(pending.clashing(issue)) for issue in pending.issues())
