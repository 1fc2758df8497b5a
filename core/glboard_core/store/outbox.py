"""What a person did, on disk before a call returns: the outbox, the refused changes and the change log.

Owns the durable connection and its transactions (``synchronous=FULL``). Several windows share the file, so
every step that one window may have been faster with says whether it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from glboard_core.board.conflict import Clash
from glboard_core.board.op import Op, OpId
from glboard_core.ports import Entry, Logged, Refusal
from glboard_core.store.database import failed

#: Lines of the change log that are kept.
LOGGED = 20_000

T = TypeVar("T")

_encode = msgspec.msgpack.Encoder().encode
read_op = msgspec.msgpack.Decoder(Op)
_clashes = msgspec.msgpack.Decoder(tuple[Clash, ...])
_refusal = msgspec.msgpack.Decoder(Refusal)
_logged = msgspec.msgpack.Decoder(Logged)


class Outbox:
    """The half of ``ports.Store`` that must not be lost. Raises StoreFailed where the disk refuses."""

    def __init__(self, path: Path, durable: sqlite3.Connection) -> None:
        self.path = path
        self._durable = durable

    def outbox(self) -> Sequence[Entry]:
        """The Ops not yet settled, oldest first. What cannot be read stays where it is."""
        with self._reading():
            rows = self._durable.execute(
                "select op, title, due, sent, clashes from outbox order by seq"
            ).fetchall()
        found: list[Entry] = []
        for body, title, due, sent, clashes in rows:
            op = read(read_op, body)
            if op is not None:
                waits = (read(_clashes, clashes) if clashes else None) or ()
                found.append(Entry(op=op, title=title, due=due, sent=sent, clashes=waits))
        return found

    def enqueue(self, entries: Sequence[Entry], instead: Iterable[OpId] = ()) -> None:
        """Keep Ops until they are settled: on disk before this returns. One with a known id is replaced.

        ``instead`` are refused ones that leave their list in the same transaction.
        """
        with self._writing():
            self._durable.executemany(
                "insert into outbox (id, title, due, sent, op) values (?, ?, ?, ?, ?) "
                "on conflict (id) do update set op = excluded.op, due = excluded.due",
                [(e.op.id, e.title, e.due, e.sent, _encode(e.op)) for e in entries],
            )
            self._durable.executemany("delete from refusal where id = ?", [(op,) for op in instead])

    def rewrite(self, entries: Sequence[Entry]) -> frozenset[OpId]:
        """Replace what is kept of Ops, but not when they were sent; returns those that were still there."""
        there: set[OpId] = set()
        with self._writing():
            for e in entries:
                done = self._durable.execute(
                    "update outbox set op = ?, due = ?, clashes = ? where id = ?",
                    (_encode(e.op), e.due, _waits(e.clashes), e.op.id),
                )
                if done.rowcount:
                    there.add(e.op.id)
        return frozenset(there)

    def contest(self, clashes: Mapping[OpId, Sequence[Clash]]) -> None:
        """Note which Ops wait for a choice (or, with nothing to choose, wait no longer), for all windows."""
        with self._writing():
            self._durable.executemany(
                "update outbox set clashes = ? where id = ?",
                [(_waits(found), op) for op, found in clashes.items()],
            )

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        """Mark Ops as sent now; returns those still there and not claimed before."""
        claimed: set[OpId] = set()
        with self._writing():
            for op in ops:
                done = self._durable.execute("update outbox set sent = ? where id = ? and sent = 0", (at, op))
                if done.rowcount:
                    claimed.add(op)
        return frozenset(claimed)

    def unclaim(self, ops: Iterable[OpId]) -> None:
        """These were not sent after all."""
        with self._writing():
            self._durable.executemany("update outbox set sent = 0 where id = ?", [(op,) for op in ops])

    def take_back(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
        """Remove Ops if all are here and none was sent: then they never leave. ``log`` is written with it."""
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

    def settle(self, ops: Iterable[OpId], refusals: Sequence[Refusal], log: Sequence[Logged]) -> None:
        """Remove Ops that were answered, keep the refused ones and write the log, in one transaction."""
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

    def refusals(self) -> Sequence[Refusal]:
        """The changes that were not made, oldest first."""
        with self._reading():
            rows = self._durable.execute("select body from refusal order by seq").fetchall()
        return [found for (body,) in rows if (found := read(_refusal, body)) is not None]

    def forgive(self, op: OpId) -> None:
        """Strike a change from the list of refused ones."""
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
        """Forget lines of the change log older than that; how many."""
        moment = before.astimezone(UTC).isoformat()
        with self._writing():
            done = self._durable.execute("delete from log where at < ?", (moment,))
        return done.rowcount

    # Inside

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
    """A value from its bytes; none where another version wrote it, or nobody."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _waits(clashes: Sequence[Clash]) -> bytes | None:
    return _encode(tuple(clashes)) if clashes else None


class _SentError(Exception):
    """An Op that was to be taken back has left."""


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
