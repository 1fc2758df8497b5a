"""The mirror, the outbox and the change log on disk: ``ports.Store`` over a state file.

Owns transactions. Two connections: what a person did is on disk before the call returns; what was read from
GitLab may be lost to a power cut, since it can be read again. Several windows share the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from glboard_core.board.op import Op, OpId
from glboard_core.errors import StoreFailed
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Entry, Logged, Refusal, Seen
from glboard_core.store import past
from glboard_core.store.database import Aside, failed, lock_of, open_file, rescue
from glboard_core.store.lease import Lease
from glboard_core.store.rows import Rows

if TYPE_CHECKING:
    from glboard_core.planning.snapshot import PlanSnapshot

#: Lines of the change log that are kept.
LOGGED = 20_000

T = TypeVar("T")

_encode = msgspec.msgpack.Encoder().encode
_op = msgspec.msgpack.Decoder(Op)
_catalog = msgspec.msgpack.Decoder(Catalog)
_refusal = msgspec.msgpack.Decoder(Refusal)
_logged = msgspec.msgpack.Decoder(Logged)


class SqliteStore:
    """``ports.Store`` on disk. Raises StoreFailed where the disk refuses what a person did.

    ``notice`` says in words what was put aside and rescued when it was opened, or is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._durable, self._fast, aside = open_file(path)
        self._lease = Lease(lock_of(path))
        self._rows = Rows(self._fast)
        self._kept: Catalog | None = None
        self._version = self._data_version()
        self.notice = self._unread() if aside is None else self._rescue(aside)

    # The mirror

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or none."""
        return self._rows.get(issue)

    def issues(self) -> Rows:
        """All confirmed issues, live."""
        return self._rows

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues, in one transaction."""
        self._mirror(list(issues), [])

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Forget issues that left the scope."""
        self._mirror([], list(issues))

    def _mirror(self, issues: Sequence[Issue], gone: Sequence[IssueId]) -> None:
        try:
            with _transaction(self._fast):
                rev = self._rows.write(issues, gone)
        except sqlite3.Error:
            self._rows.hold(issues, gone)
        else:
            self._rows.wrote(rev, issues, gone)

    def projects(self) -> frozenset[str]:
        """The projects that issues stand in."""
        if self._rows.held:
            return frozenset(issue.project for issue in self._rows.matching(None))
        rows = self._fast.execute("select distinct project from issue where slim is not null")
        return frozenset(project for (project,) in rows)

    # What is known beside issues

    def catalog(self) -> Catalog | None:
        """The catalog kept last, or none."""
        if self._kept is None and (value := self.meta("catalog")) is not None:
            try:
                self._kept = _catalog.decode(value)
            except msgspec.DecodeError:
                return None  # of another version: it is read again
        return self._kept

    def put_catalog(self, catalog: Catalog) -> None:
        """Keep the catalog."""
        self._kept = catalog
        self.put_meta("catalog", _encode(catalog))

    def meta(self, key: str) -> bytes | None:
        """A value kept under a key, or none."""
        row = self._fast.execute("select value from meta where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put_meta(self, key: str, value: bytes) -> None:
        """Keep a value under a key; a full disk is no reason to stop, since all of it can be read again."""
        try:
            with _transaction(self._fast):
                self._fast.execute(
                    "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
                    (key, value),
                )
        except sqlite3.Error:
            return

    # What reports keep

    def plans(self, milestone: str) -> Sequence[PlanSnapshot]:
        """The plans of a milestone, the one kept last first. Raises StoreFailed for one that is damaged."""
        with self._must_read():
            return past.plans(self._durable, milestone)

    def keep_plan(self, plan: PlanSnapshot) -> None:
        """Keep a locked plan: on disk before this returns. Those kept before stay."""
        with self._must_write():
            past.keep_plan(self._durable, plan)

    def recall(self, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
        """What was kept under these keys, where it is still there; used on that day."""
        return past.recall(self._fast, keys, on)

    def remember(self, values: Mapping[str, bytes], on: date) -> None:
        """Keep what can be read again; a full disk is no reason to stop."""
        with suppress(sqlite3.Error), _transaction(self._fast):
            past.remember(self._fast, values, on)

    # The outbox

    def outbox(self) -> Sequence[Entry]:
        """The Ops not yet settled, oldest first. What cannot be read stays where it is."""
        with self._must_read():
            rows = self._durable.execute("select op, title, due, sent from outbox order by seq").fetchall()
        found = ((_read(_op, op), title, due, sent) for op, title, due, sent in rows)
        return [
            Entry(op=op, title=title, due=due, sent=sent) for op, title, due, sent in found if op is not None
        ]

    def enqueue(self, entries: Sequence[Entry]) -> None:
        """Keep Ops until they are settled: on disk before this returns. One with a known id is replaced."""
        with self._must_write():
            self._durable.executemany(
                "insert into outbox (id, title, due, sent, op) values (?, ?, ?, ?, ?) "
                "on conflict (id) do update set op = excluded.op, due = excluded.due",
                [(e.op.id, e.title, e.due, e.sent, _encode(e.op)) for e in entries],
            )

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        """Mark Ops as sent now; returns those still there and not claimed before."""
        claimed: set[OpId] = set()
        with self._must_write():
            for op in ops:
                done = self._durable.execute("update outbox set sent = ? where id = ? and sent = 0", (at, op))
                if done.rowcount:
                    claimed.add(op)
        return frozenset(claimed)

    def unclaim(self, ops: Iterable[OpId]) -> None:
        """These were not sent after all."""
        with self._must_write():
            self._durable.executemany("update outbox set sent = 0 where id = ?", [(op,) for op in ops])

    def take_back(self, ops: Sequence[OpId]) -> bool:
        """Remove Ops if all are here and none was sent: then they never leave."""
        try:
            with self._must_write():
                for op in ops:
                    done = self._durable.execute("delete from outbox where id = ? and sent = 0", (op,))
                    if not done.rowcount:
                        raise _SentError
        except _SentError:
            return False
        return True

    def settle(self, ops: Iterable[OpId], refusals: Sequence[Refusal], log: Sequence[Logged]) -> None:
        """Remove Ops that were answered, keep the refused ones and write the log, in one transaction."""
        with self._must_write():
            self._durable.executemany("delete from outbox where id = ?", [(op,) for op in ops])
            self._durable.executemany(
                "insert into refusal (id, body) values (?, ?) "
                "on conflict (id) do update set body = excluded.body",
                [(refusal.op.id, _encode(refusal)) for refusal in refusals],
            )
            self._durable.executemany(
                "insert into log (at, body) values (?, ?)",
                [(line.at.isoformat(), _encode(line)) for line in log],
            )
            self._durable.execute("delete from log where seq <= (select max(seq) from log) - ?", (LOGGED,))

    def refusals(self) -> Sequence[Refusal]:
        """The changes that were not made, oldest first."""
        with self._must_read():
            rows = self._durable.execute("select body from refusal order by seq").fetchall()
        return [found for (body,) in rows if (found := _read(_refusal, body)) is not None]

    def forgive(self, op: OpId) -> None:
        """Strike a change from the list of refused ones."""
        with self._must_write():
            self._durable.execute("delete from refusal where id = ?", (op,))

    def log(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""
        with self._must_read():
            rows = self._durable.execute(
                "select body from log order by seq desc limit ?", (limit,)
            ).fetchall()
        return [found for (body,) in rows if (found := _read(_logged, body)) is not None]

    # Other windows

    def lead(self) -> bool:
        """Whether this window sends."""
        return self._lease.held()

    def others(self) -> Seen | None:
        """What other windows wrote since the last call; None where nothing changed."""
        with self._must_read():
            version = self._data_version()
            if version == self._version:
                return None
            self._version = version
            issues, gone = self._rows.since()
        return Seen(issues=tuple(issues), gone=tuple(gone))

    def close(self) -> None:
        """Let go of the file."""
        self._lease.release()
        self._fast.close()
        self._durable.close()

    # Inside

    def _data_version(self) -> tuple[int, int]:
        # Each connection counts the commits of all others, ours among them: both, or one hides the other.
        return tuple(
            connection.execute("pragma data_version").fetchone()[0]
            for connection in (self._durable, self._fast)
        )

    def _rescue(self, aside: Aside) -> str:
        found = [(title, sent, _read(_op, body)) for title, sent, body in rescue(aside.path)]
        entries = [Entry(op=op, title=title, sent=sent) for title, sent, op in found if op is not None]
        if entries:
            self.enqueue(entries)
        with suppress(StoreFailed):
            for plan in past.rescued(aside.path):
                self.keep_plan(plan)
        rescued = f" {_changes(len(entries))} rescued from it." if entries else ""
        kept = f"It is kept as {aside.path.name}; a new one was begun."
        return f"The state file cannot be used: {aside.why}. {kept}{rescued}"

    def _unread(self) -> str:
        with self._must_read():
            rows = self._durable.execute("select op from outbox").fetchall()
        unread = sum(_read(_op, op) is None for (op,) in rows)
        if not unread:
            return ""
        return f"{_changes(unread)} not understood, and so not sent; they stay in {self.path.name}."

    @contextmanager
    def _must_read(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise failed(self.path, error) from None

    @contextmanager
    def _must_write(self) -> Iterator[None]:
        try:
            with _transaction(self._durable):
                yield
        except sqlite3.Error as error:
            raise failed(self.path, error) from None


def _read(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T | None:
    """A value from its bytes; none where another version wrote it, or nobody."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _changes(count: int) -> str:
    return f"{count} unsent change was" if count == 1 else f"{count} unsent changes were"


class _SentError(Exception):
    """An Op that was to be taken back has left."""


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
