"""The outbox, the failed changes and the change log: on disk before a call returns.

Owns the durable connection and its transactions (``synchronous=FULL``). Several processes share the file, so
every step that another process may have done first reports whether it was done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from glboard_core.board.conflicts import Conflict
from glboard_core.board.operations import Op, OpId
from glboard_core.ports import FailedChange, Logged, OutboxEntry
from glboard_core.store.database import failed

#: Maximum number of log lines.
LOGGED = 20_000

T = TypeVar("T")

_encode = msgspec.msgpack.Encoder().encode
read_op = msgspec.msgpack.Decoder(Op)
_clashes = msgspec.msgpack.Decoder(tuple[Conflict, ...])
_refusal = msgspec.msgpack.Decoder(FailedChange)
_logged = msgspec.msgpack.Decoder(Logged)


class Outbox:
    """The half of ``ports.Store`` that must not be lost. Raises StoreFailed if the disk refuses a write."""

    def __init__(self, path: Path, durable: sqlite3.Connection) -> None:
        self.path = path
        self._durable = durable

    def outbox(self) -> Sequence[OutboxEntry]:
        """The unsettled Ops, oldest first. Unreadable ones are skipped and kept."""
        with self._reading():
            rows = self._durable.execute(
                "select op, title, due, sent, clashes from outbox order by seq"
            ).fetchall()
        found: list[OutboxEntry] = []
        for body, title, due, sent, conflicts in rows:
            op = read(read_op, body)
            if op is not None:
                waits = (read(_clashes, conflicts) if conflicts else None) or ()
                found.append(OutboxEntry(op=op, title=title, due=due, sent=sent, conflicts=waits))
        return found

    def enqueue(self, entries: Sequence[OutboxEntry], instead: Iterable[OpId] = ()) -> None:
        """Store Ops until they are settled: on disk before this returns. One with a known id is replaced.

        ``instead`` are failed changes that are deleted in the same transaction.
        """
        with self._writing():
            self._durable.executemany(
                "insert into outbox (id, title, due, sent, op) values (?, ?, ?, ?, ?) "
                "on conflict (id) do update set op = excluded.op, due = excluded.due",
                [(e.op.id, e.title, e.due, e.sent, _encode(e.op)) for e in entries],
            )
            self._durable.executemany("delete from refusal where id = ?", [(op,) for op in instead])

    def rewrite(self, entries: Sequence[OutboxEntry]) -> frozenset[OpId]:
        """Update stored Ops, except when they were sent; returns those still there."""
        there: set[OpId] = set()
        with self._writing():
            for e in entries:
                done = self._durable.execute(
                    "update outbox set op = ?, due = ?, clashes = ? where id = ?",
                    (_encode(e.op), e.due, _waits(e.conflicts), e.op.id),
                )
                if done.rowcount:
                    there.add(e.op.id)
        return frozenset(there)

    def set_conflicts(self, conflicts: Mapping[OpId, Sequence[Conflict]]) -> None:
        """Store the conflicts of Ops (empty: resolved), for all processes."""
        with self._writing():
            self._durable.executemany(
                "update outbox set clashes = ? where id = ?",
                [(_waits(found), op) for op, found in conflicts.items()],
            )

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        """Mark Ops as sent; returns those still there and not claimed before."""
        claimed: set[OpId] = set()
        with self._writing():
            for op in ops:
                done = self._durable.execute("update outbox set sent = ? where id = ? and sent = 0", (at, op))
                if done.rowcount:
                    claimed.add(op)
        return frozenset(claimed)

    def unclaim(self, ops: Iterable[OpId]) -> None:
        """Undo ``claim``: these were not sent after all."""
        with self._writing():
            self._durable.executemany("update outbox set sent = 0 where id = ?", [(op,) for op in ops])

    def take_back(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
        """Withdraw Ops if all are here and none was sent: they are never sent. Then ``log`` is written."""
        try:
            with self._writing():
                for op in ops:
                    done = self._durable.execute("delete from outbox where id = ? and sent = 0", (op,))
                    if not done.rowcount:
                        raise _SentError
                self._write_log(log)
        except _SentError:
            return False
        return True

    def settle(self, ops: Iterable[OpId], refusals: Sequence[FailedChange], log: Sequence[Logged]) -> None:
        """Remove answered Ops, store the failed ones and write the log, in one transaction."""
        with self._writing():
            self._durable.executemany("delete from outbox where id = ?", [(op,) for op in ops])
            self._durable.executemany(
                "insert into refusal (id, body) values (?, ?) "
                "on conflict (id) do update set body = excluded.body",
                [(refusal.op.id, _encode(refusal)) for refusal in refusals],
            )
            self._write_log(log)

    def _write_log(self, log: Sequence[Logged]) -> None:
        if not log:
            return
        self._durable.executemany(
            "insert into log (at, body) values (?, ?)", [(line.at.isoformat(), _encode(line)) for line in log]
        )
        self._durable.execute("delete from log where seq <= (select max(seq) from log) - ?", (LOGGED,))

    def refusals(self) -> Sequence[FailedChange]:
        """The failed changes, oldest first."""
        with self._reading():
            rows = self._durable.execute("select body from refusal order by seq").fetchall()
        return [found for (body,) in rows if (found := read(_refusal, body)) is not None]

    def delete_failed(self, op: OpId) -> None:
        """Delete a failed change."""
        with self._writing():
            self._durable.execute("delete from refusal where id = ?", (op,))

    def log(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""
        with self._reading():
            rows = self._durable.execute(
                "select body from log order by seq desc limit ?", (limit,)
            ).fetchall()
        return [found for (body,) in rows if (found := read(_logged, body)) is not None]

    def prune(self, before: datetime) -> int:
        """Delete log lines older than ``before``; returns how many."""
        moment = before.astimezone(UTC).isoformat()
        with self._writing():
            done = self._durable.execute("delete from log where at < ?", (moment,))
        return done.rowcount

    # Internals

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise failed(self.path, error) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with transaction(self._durable):
                yield
        except sqlite3.Error as error:
            raise failed(self.path, error) from None


def read(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T | None:
    """A decoded value; None if missing or written by another version."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _waits(conflicts: Sequence[Conflict]) -> bytes | None:
    return _encode(tuple(conflicts)) if conflicts else None


class _SentError(Exception):
    """An Op to withdraw was sent already."""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
