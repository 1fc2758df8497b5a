"""How true the screen is: when the server answered last, what is unsent, and whether the disk takes changes.

Owns the status and tells when it changed. It decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import structs

from glboard_core.errors import StoreFailed
from glboard_core.sync.events import Event, Notice, Status, StatusChanged
from glboard_core.sync.ledger import Ledger


class Condition:
    """The status of one engine."""

    def __init__(self, ledger: Ledger, tell: Callable[[Event], None]) -> None:
        self._ledger = ledger
        self._tell = tell
        self._answered: float | None = None
        self._disk_refuses = False
        self.status = Status(
            unsent=len(ledger.pending),
            failed=len(ledger.failed),
            freshness="cached" if ledger.store.catalog() else "loading",
        )

    def heard(self) -> None:
        """The server answered just now."""
        self._answered = time.monotonic()

    def disk_failed(self, error: StoreFailed) -> None:
        """The disk refuses what has to be kept: said once, until it works again."""
        if not self._disk_refuses:
            self._disk_refuses = True
            self._tell(Notice(str(error)))

    def disk_works(self) -> None:
        """The disk took what it was given."""
        self._disk_refuses = False

    def update(self, *, counting: bool, **changes: object) -> None:
        """Look again; ``counting`` is whether issues are being counted, ``changes`` what else is known."""
        ledger = self._ledger
        age = None if self._answered is None else time.monotonic() - self._answered
        status = structs.replace(
            self.status,
            unsent=len(ledger.pending),
            failed=len(ledger.failed),
            conflicts=sum(bool(ledger.pending.clashing(issue)) for issue in ledger.pending.issues()),
            loaded=len(ledger.store.issues()) if counting else self.status.loaded,
            age=age,
            **changes,
        )
        changed = structs.replace(status, age=None) != structs.replace(self.status, age=None)
        self.status = status
        if changed:
            self._tell(StatusChanged(status))
