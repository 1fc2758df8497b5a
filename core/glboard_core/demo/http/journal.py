"""The request log: one record per request, the last few thousand of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

_KEPT = 5000


@dataclass(slots=True)
class Record:
    """A request. `fields` are the top-level GraphQL fields, `mutations` how many of them change something;
    `status` is 0 while it runs and when no answer was sent."""

    method: str
    path: str
    #: The names in the query string, and in a REST call's body.
    parameters: tuple[str, ...] = ()
    operation: str = ""
    fields: tuple[str, ...] = ()
    mutations: int = 0
    status: int = 0
    fault: str | None = None
    username: str | None = None


class Journal:
    """The records, oldest first."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_KEPT)
        self._lock = Lock()

    def add(self, record: Record) -> None:
        """Records a request."""
        with self._lock:
            self._records.append(record)

    def clear(self) -> None:
        """Clears the log."""
        with self._lock:
            self._records.clear()

    def of(self, match: str) -> list[Record]:
        """The requests whose method, path, operation or field names contain a text."""
        return [
            one for one in self if match in f"{one.method} {one.path} {one.operation} {' '.join(one.fields)}"
        ]

    def __iter__(self) -> Iterator[Record]:
        with self._lock:
            return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, at: int) -> Record:
        return self._records[at]
