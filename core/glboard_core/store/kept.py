"""What reports read beyond the mirror, kept between runs: histories of issues, closed issues of milestones.

Owns the keys and the shape of what is kept; whether it still holds is judged by what is asked for (an issue
that was not updated since has the same history). What was kept of a group is never taken for that of another
one which came to have the same path, on a server set up anew. It reads nothing from the server.
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

# Another shape of what is kept wants other keys: what stands under the old ones is then never read.
_HISTORY = "history-2:"
_CLOSED = "closed-2:"


class Closed(Struct, frozen=True, kw_only=True):
    """The closed issues of a milestone as they were at ``at``, by the server's clock; ``whole`` is when all
    of them were read, and not only what was updated."""

    at: datetime
    whole: datetime
    issues: tuple[Issue, ...]


_encode = msgspec.msgpack.Encoder().encode
_history = msgspec.msgpack.Decoder(History)
_closed = msgspec.msgpack.Decoder(Closed)


class Kept:
    """Over one store, of the group with a global id. ``today`` is the day by the server's clock: what is not
    used for months goes."""

    def __init__(self, store: Store, today: date, group: str) -> None:
        self._store = store
        self._today = today
        self._history = f"{_HISTORY}{group}:"
        self._closed = f"{_CLOSED}{group}:"

    def histories(self, issues: Iterable[IssueId]) -> dict[IssueId, History]:
        """The histories that are kept of these issues, as old as they may be."""
        found = self._store.recall([self._history + issue for issue in issues], self._today)
        return {history.issue: history for body in found.values() if (history := _read(_history, body))}

    def keep_histories(self, histories: Iterable[History]) -> None:
        """Keep what was read of issues; what could not be read at all is not kept."""
        values = {self._history + one.issue: _encode(one) for one in histories if one.kinds}
        if values:
            self._store.remember(values, self._today)

    def closed(self, question: str) -> Closed | None:
        """The closed issues that were the answer to a question, or none."""
        found = self._store.recall([self._closed + question], self._today)
        return next((_read(_closed, body) for body in found.values()), None)

    def keep_closed(self, question: str, closed: Closed) -> None:
        """Keep the closed issues of a milestone."""
        self._store.remember({self._closed + question: _encode(closed)}, self._today)


def _read(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T | None:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
