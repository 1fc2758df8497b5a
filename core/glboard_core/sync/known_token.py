"""Whose token it is, remembered: a command need not ask GitLab each time.

Owns when the catalog was last read with which token. The token itself is never stored, only a salted hash of
it, so that another token is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from secrets import token_bytes

import msgspec
from msgspec import Struct

from glboard_core.ports import Store
from glboard_core.sync.status import TOLERANCE

#: Meta key of the last sign-in.
SIGNED_IN = "signed_in"


class _SignIn(Struct, frozen=True):
    """``at`` is the server's time."""

    at: datetime
    salt: bytes
    mark: bytes


class KnownToken:
    """The last sign-in with one token. ``reveal`` returns the token, ``now`` the server's clock."""

    def __init__(self, store: Store, reveal: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._store = store
        self._reveal = reveal
        self._now = now

    @property
    def seconds(self) -> float | None:
        """Seconds since this token was last used to sign in; None if it never was, or if unknown."""
        kept = self._store.meta(SIGNED_IN)
        if kept is None:
            return None
        try:
            last = msgspec.json.decode(kept, type=_SignIn)
        except msgspec.DecodeError:
            return None
        if last.mark != self._mark(last.salt):
            return None
        seconds = (self._now() - last.at).total_seconds()
        # In the future: a clock was set back since.
        return seconds if seconds >= -TOLERANCE else None

    def signed_in(self) -> None:
        """The server just said whose token it is."""
        salt = token_bytes(16)
        last = _SignIn(self._now(), salt, self._mark(salt))
        self._store.put_meta(SIGNED_IN, msgspec.json.encode(last))

    def _mark(self, salt: bytes) -> bytes:
        return blake2b(self._reveal().encode(), digest_size=16, salt=salt).digest()
