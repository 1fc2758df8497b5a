"""The right to send: of all windows on one state file one has it, and only while the server lets it in.

Owns when it is asked for and when it is given up, so that a window whose token has ended, or that may only
read, never keeps another one with a good token from sending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glboard_core.errors import StoreFailed
from glboard_core.sync.windows import take_over

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


class Right:
    """The right of one window."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._has = False
        self._let_in = True

    @property
    def entitled(self) -> bool:
        """Whether this window may have it. Before the server said who we are nothing leaves."""
        return self._engine.verified and self._let_in and not self._engine.read_only

    def lose(self) -> None:
        """The server does not let us in any more."""
        self._let_in = False

    def regain(self) -> bool:
        """The server lets us in; whether it did not before."""
        was, self._let_in = self._let_in, True
        return not was

    def held(self) -> bool:
        """Whether this window sends; takes the right where it may, and nobody has it.

        Whoever had it before may have sent and settled what still waits here: that is looked at first.
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
        """Give the right to another window, where this one may not have it. Nothing of ours is on its way."""
        if self._has and not self.entitled:
            self._has = False
            self._engine.store.resign()
