"""The mirror, the outbox and the change log on disk: ``ports.Store`` over a state file.

Owns the connection for data read from GitLab: a power cut may lose it, since it can be read again.
``outbox.py`` owns the changes of a person. Several processes share the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from glboard_core.errors import StoreFailed
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import ExternalWrites, OutboxEntry
from glboard_core.store import reports
from glboard_core.store.database import Aside, Lease, damage, lock_of, open_file, rescue
from glboard_core.store.issues import Rows
from glboard_core.store.outbox import Outbox, read, read_op, transaction

if TYPE_CHECKING:
    from glboard_core.planning.plan_lock import PlanSnapshot

_encode = msgspec.msgpack.Encoder().encode
_catalog = msgspec.msgpack.Decoder(Catalog)


class SqliteStore(Outbox):
    """``ports.Store`` on disk. Raises StoreFailed if the disk refuses to save a person's changes.

    ``notice`` tells what was moved away and recovered when it was opened, or is empty.
    """

    durable = True

    def __init__(self, path: Path) -> None:
        durable, self._fast, aside = open_file(path)
        super().__init__(path, durable)
        self._lease = Lease(lock_of(path))
        self._rows = Rows(self._fast)
        self._kept: Catalog | None = None
        self._version = self._data_version()
        self.notice = self._unread() if aside is None else self._rescue(aside)

    # The mirror

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or None."""
        return self._rows.get(issue)

    def issues(self) -> Rows:
        """All confirmed issues, live."""
        return self._rows

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues, in one transaction."""
        self._mirror(list(issues), [])

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Remove issues that left the scope."""
        self._mirror([], list(issues))

    def _mirror(self, issues: Sequence[Issue], gone: Sequence[IssueId]) -> None:
        try:
            with transaction(self._fast):
                rev = self._rows.write(issues, gone)
        except sqlite3.Error:
            self._rows.hold(issues, gone)
        else:
            self._rows.wrote(rev, issues, gone)

    def projects(self) -> frozenset[str]:
        """The projects of all issues."""
        return self._rows.projects()

    # Catalog and other values

    def catalog(self) -> Catalog | None:
        """The last stored catalog, or None."""
        if self._kept is None and (value := self.meta("catalog")) is not None:
            try:
                self._kept = _catalog.decode(value)
            except msgspec.DecodeError:
                return None  # written by another version: read it again
        return self._kept

    def put_catalog(self, catalog: Catalog) -> None:
        """Store the catalog."""
        self._kept = catalog
        self.put_meta("catalog", _encode(catalog))

    def meta(self, key: str) -> bytes | None:
        """The value stored under a key, or None."""
        row = self._fast.execute("select value from meta where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put_meta(self, key: str, value: bytes) -> None:
        """Store a value under a key; a full disk is no error, since all of it can be read again."""
        try:
            with transaction(self._fast):
                self._fast.execute(
                    "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
                    (key, value),
                )
        except sqlite3.Error:
            return

    # Reports

    def plans(self, milestone: str) -> Sequence[PlanSnapshot]:
        """The plans of a milestone, newest first. Raises StoreFailed if one is damaged."""
        with self._reading():
            return reports.plans(self._durable, milestone)

    def keep_plan(self, plan: PlanSnapshot) -> None:
        """Store a locked plan: on disk before this returns. Earlier ones are kept."""
        with self._writing():
            reports.keep_plan(self._durable, plan)

    def recall(self, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
        """The values cached under these keys, as far as they exist; ``on`` is the day of use."""
        return reports.recall(self._fast, keys, on)

    def remember(self, values: Mapping[str, bytes], on: date) -> None:
        """Cache values that can be read again; a full disk is no error."""
        with suppress(sqlite3.Error), transaction(self._fast):
            reports.remember(self._fast, values, on)

    # Other processes

    def acquire_lease(self) -> bool:
        """Whether this process has the send lease."""
        return self._lease.held()

    def release_lease(self) -> None:
        """Release the send lease."""
        self._lease.release()

    def poll_external(self) -> ExternalWrites | None:
        """What other processes wrote since the last call; None if nothing changed."""
        with self._reading():
            version = self._data_version()
            if version == self._version:
                return None
            self._version = version
            issues, gone, were = self._rows.since()
        return ExternalWrites(issues=tuple(issues), gone=tuple(gone), were=tuple(were))

    def check(self) -> StoreFailed | None:
        """Check a large file; returns the error if it is damaged."""
        why = damage(self.path)
        if not why:
            return None
        return StoreFailed(
            f"The state file is damaged ({why}): edits are refused from now on.",
            hint="Restart glboard: it will move the damaged file away and recover unsent changes.",
        )

    def close(self) -> None:
        """Close the file."""
        self._lease.release()
        self._fast.close()
        self._durable.close()

    # Internals

    def _data_version(self) -> tuple[int, int]:
        # Each connection counts the commits of all others, including our own: use both, or one hides the
        # other.
        return tuple(
            connection.execute("pragma data_version").fetchone()[0]
            for connection in (self._durable, self._fast)
        )

    def _rescue(self, aside: Aside) -> str:
        found = [(title, sent, read(read_op, body)) for title, sent, body in rescue(aside.path)]
        entries = [OutboxEntry(op=op, title=title, sent=sent) for title, sent, op in found if op is not None]
        if entries:
            self.enqueue(entries)
        with suppress(StoreFailed):
            for plan in reports.rescued(aside.path):
                self.keep_plan(plan)
        rescued = f" {_changes(len(entries))} recovered from it." if entries else ""
        kept = f"It was moved to {aside.path.name}, and a new one was created."
        return f"Cannot use the state file: {aside.why}. {kept}{rescued}"

    def _unread(self) -> str:
        with self._reading():
            rows = self._durable.execute("select op from outbox").fetchall()
        unread = sum(read(read_op, op) is None for (op,) in rows)
        if not unread:
            return ""
        return f"{_changes(unread)} not readable and will not be sent; kept in {self.path.name}."


def _changes(count: int) -> str:
    return f"{count} unsent change was" if count == 1 else f"{count} unsent changes were"
