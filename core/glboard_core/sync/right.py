"""The send lease: one process per state file has it, and only while the server accepts its token.

Owns when it is acquired and released, so that a process whose token has expired, or that is read-only, never
keeps another one with a valid token from sending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glboard_core.errors import StoreFailed
from glboard_core.sync.processes import take_over

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


class SendLease:
    """The send lease of one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._has = False
        self._let_in = True

    @property
    def entitled(self) -> bool:
        """Whether this process may have it. Nothing is sent before the server confirmed the user."""
        return self._engine.verified and self._let_in and not self._engine.read_only

    def lose(self) -> None:
        """The server rejects our token."""
        self._let_in = False

    def regain(self) -> bool:
        """The server accepts our token; returns whether it did not before."""
        was, self._let_in = self._let_in, True
        return not was

    def held(self) -> bool:
        """Whether this process has the lease; acquires it if allowed and free.

        The previous holder may have sent and settled what still waits here, so that is checked first.
        """
        if not self.entitled:
            return False
        if not self._has and self._engine.store.lead():
            try:
                self._engine.look_at_others()
                take_over(self._engine.ledger)
            except StoreFailed as error:
                self._engine.disk_failed(error)
                self._engine.store.resign()
                return False
            self._has = True
        return self._has

    def step_back(self) -> None:
        """Release the lease if this process may not have it. Nothing of ours is being sent."""
        if self._has and not self.entitled:
            self._has = False
            self._engine.store.resign()
