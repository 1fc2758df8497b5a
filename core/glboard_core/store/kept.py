"""Cache of what reports read beyond the mirror: histories of issues, closed issues of milestones.

Owns the keys and the format of the entries; whoever reads them decides whether they are still valid (an issue
not updated since has the same history). Entries of a group are never used for another group that has the same
path on a reinstalled server. It reads nothing from the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from glboard_core.model.event import History
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Store

T = TypeVar("T")

# Change the key prefixes with the format, so that old entries are never read.
_HISTORY = "history-2:"
_CLOSED = "closed-2:"


class ClosedIssues(Struct, frozen=True, kw_only=True):
    """The closed issues of a milestone as of ``at``, by the server's clock; ``whole`` is when all of
    them were last read, rather than only those updated."""

    at: datetime
    whole: datetime
    issues: tuple[Issue, ...]


_encode = msgspec.msgpack.Encoder().encode
_history = msgspec.msgpack.Decoder(History)
_closed = msgspec.msgpack.Decoder(ClosedIssues)


class Kept:
    """The cache in one store, for the group with a global id. ``today`` is the day by the server's clock:
    entries unused for months are removed."""

    def __init__(self, store: Store, today: date, group: str) -> None:
        self._store = store
        self._today = today
        self._history = f"{_HISTORY}{group}:"
        self._closed = f"{_CLOSED}{group}:"

    def histories(self, issues: Iterable[IssueId]) -> dict[IssueId, History]:
        """The cached histories of these issues, however old."""
        found = self._store.recall([self._history + issue for issue in issues], self._today)
        return {history.issue: history for body in found.values() if (history := _read(_history, body))}

    def keep_histories(self, histories: Iterable[History]) -> None:
        """Cache the histories of issues, except those that could not be read at all."""
        values = {self._history + one.issue: _encode(one) for one in histories if one.kinds}
        if values:
            self._store.remember(values, self._today)

    def closed(self, question: str) -> ClosedIssues | None:
        """The cached answer to a query for closed issues, or None."""
        found = self._store.recall([self._closed + question], self._today)
        return next((_read(_closed, body) for body in found.values()), None)

    def keep_closed(self, question: str, closed: ClosedIssues) -> None:
        """Cache the closed issues of a milestone."""
        self._store.remember({self._closed + question: _encode(closed)}, self._today)


def _read(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T | None:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
