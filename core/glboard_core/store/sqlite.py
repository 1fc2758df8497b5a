"""The mirror, the outbox and the change log in SQLite: ``ports.Store`` over a state file, or in memory.

Owns the transactions. What was read from GitLab may be lost by a power cut, since it can be read again; a
change of a person is on disk before a call returns. Several processes share the file, so every step that
another process may have done first reports whether it was done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import structs

from glboard_core.board.conflicts import Conflict
from glboard_core.board.draft import Draft, DraftId
from glboard_core.board.operations import Op, OpId
from glboard_core.errors import StoreFailed
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.renames import Renames
from glboard_core.ports import ExternalWrites, FailedChange, Logged, OutboxEntry, Store
from glboard_core.store import report_tables
from glboard_core.store.database import (
    LockFile,
    MovedFile,
    damage,
    failed,
    lock_of,
    open_file,
    open_memory,
    rescued,
)
from glboard_core.store.issues import StoredIssues
from glboard_core.store.report_tables import decoded

if TYPE_CHECKING:
    from glboard_core.planning.plan_lock import PlanSnapshot

#: The start of the keys of what a person typed, among values that can be read again.
RECORD = "record:"
#: Maximum number of log lines.
LOGGED = 20_000
#: Meta key of the draft that is on.
_DRAFT_ON = "draft"

_encode = msgspec.msgpack.Encoder().encode
_catalog = msgspec.msgpack.Decoder(Catalog)
_op = msgspec.msgpack.Decoder(Op)
_conflicts = msgspec.msgpack.Decoder(tuple[Conflict, ...])
_draft = msgspec.msgpack.Decoder(Draft)
_failed_change = msgspec.msgpack.Decoder(FailedChange)
_logged = msgspec.msgpack.Decoder(Logged)


class SqliteStore(Store):
    """``ports.Store`` on disk, or for this process only (``":memory:"``: demo, commands that read once, or an
    unusable state folder).

    Raises StoreFailed if the disk refuses to save a person's changes. ``notice`` tells what was moved away
    and recovered when it was opened, or is empty.
    """

    def __init__(self, path: Path | Literal[":memory:"]) -> None:
        self.path = Path(path)
        self.durable = path != ":memory:"
        moved: MovedFile | None = None
        if isinstance(path, Path):
            self._durable, self._fast, moved = open_file(path)
        else:
            self._durable = self._fast = open_memory()
        self._lock = LockFile(lock_of(path)) if isinstance(path, Path) else None
        self._issues = StoredIssues(self._fast)
        self._kept: Catalog | None = None
        self._version = self._data_version()
        self.notice = self._unread() if moved is None else self._rescue(moved)

    # The mirror

    def issue(self, issue: IssueId) -> Issue | None:
        return self._issues.get(issue)

    def issues(self) -> StoredIssues:
        return self._issues

    def put(self, issues: Iterable[Issue]) -> None:
        self._mirror(list(issues), [])

    def drop(self, issues: Iterable[IssueId]) -> None:
        self._mirror([], list(issues))

    def _mirror(self, issues: Sequence[Issue], gone: Sequence[IssueId]) -> None:
        try:
            with _transaction(self._fast):
                rev = self._issues.write(issues, gone)
        except sqlite3.Error:
            self._issues.hold(issues, gone)
        else:
            self._issues.wrote(rev, issues, gone)

    def projects(self) -> frozenset[str]:
        return self._issues.projects()

    # Catalog and other values

    def catalog(self) -> Catalog | None:
        if self._kept is None:
            self._kept = self.shared_catalog()
        return self._kept

    def shared_catalog(self) -> Catalog | None:
        value = self.meta("catalog")
        # One that another version has written is read again from GitLab.
        return None if value is None else decoded(_catalog, value)

    def put_catalog(self, catalog: Catalog) -> None:
        self._kept = catalog
        self.put_meta("catalog", _encode(catalog))

    def meta(self, key: str) -> bytes | None:
        row = self._fast.execute("select value from meta where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put_meta(self, key: str, value: bytes) -> None:
        with suppress(sqlite3.Error), _transaction(self._fast):
            self._fast.execute(
                "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
                (key, value),
            )

    def records(self, kind: str) -> Mapping[str, bytes]:
        with self._reading():
            rows = self._durable.execute(
                "select key, value from meta where substr(key, 1, ?) = ?",
                (len(RECORD + kind), RECORD + kind),
            ).fetchall()
        return {key.removeprefix(RECORD): value for key, value in rows}

    def keep_record(self, name: str, value: bytes) -> None:
        with self._writing():
            self._durable.execute(
                "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
                (RECORD + name, value),
            )

    # The outbox, the failed changes and the change log

    def outbox(self) -> Sequence[OutboxEntry]:
        with self._reading():
            rows = self._durable.execute(
                "select op, title, due, sent, clashes from outbox order by seq"
            ).fetchall()
        found: list[OutboxEntry] = []
        for body, title, due, sent, encoded in rows:
            op = decoded(_op, body)
            if op is not None:
                conflicts = (decoded(_conflicts, encoded) if encoded else None) or ()
                found.append(OutboxEntry(op=op, title=title, due=due, sent=sent, conflicts=conflicts))
        return found

    def enqueue(self, entries: Sequence[OutboxEntry], instead: Iterable[OpId] = ()) -> None:
        with self._writing():
            self._enqueue(entries)
            self._durable.executemany("delete from refusal where id = ?", [(op,) for op in instead])

    def _enqueue(self, entries: Sequence[OutboxEntry]) -> None:
        self._durable.executemany(
            "insert into outbox (id, title, due, sent, op) values (?, ?, ?, ?, ?) "
            "on conflict (id) do update set op = excluded.op, due = excluded.due",
            [(e.op.id, e.title, e.due, e.sent, _encode(e.op)) for e in entries],
        )

    def rewrite(self, entries: Sequence[OutboxEntry]) -> frozenset[OpId]:
        there: set[OpId] = set()
        with self._writing():
            for e in entries:
                done = self._durable.execute(
                    "update outbox set op = ?, due = ?, clashes = ? where id = ?",
                    (_encode(e.op), e.due, _encoded(e.conflicts), e.op.id),
                )
                if done.rowcount:
                    there.add(e.op.id)
        return frozenset(there)

    def set_conflicts(self, conflicts: Mapping[OpId, Sequence[Conflict]]) -> None:
        with self._writing():
            self._durable.executemany(
                "update outbox set clashes = ? where id = ?",
                [(_encoded(found), op) for op, found in conflicts.items()],
            )

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        claimed: set[OpId] = set()
        with self._writing():
            for op in ops:
                done = self._durable.execute("update outbox set sent = ? where id = ? and sent = 0", (at, op))
                if done.rowcount:
                    claimed.add(op)
        return frozenset(claimed)

    def unclaim(self, ops: Iterable[OpId]) -> None:
        with self._writing():
            self._durable.executemany("update outbox set sent = 0 where id = ?", [(op,) for op in ops])

    def withdraw(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
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

    def settle(self, ops: Iterable[OpId], failed: Sequence[FailedChange], log: Sequence[Logged]) -> None:
        with self._writing():
            self._durable.executemany("delete from outbox where id = ?", [(op,) for op in ops])
            self._durable.executemany(
                "insert into refusal (id, body) values (?, ?) "
                "on conflict (id) do update set body = excluded.body",
                [(one.op.id, _encode(one)) for one in failed],
            )
            self._write_log(log)

    def _write_log(self, log: Sequence[Logged]) -> None:
        if not log:
            return
        self._durable.executemany(
            "insert into log (at, body) values (?, ?)", [(line.at.isoformat(), _encode(line)) for line in log]
        )
        self._durable.execute("delete from log where seq <= (select max(seq) from log) - ?", (LOGGED,))

    def failed_changes(self) -> Sequence[FailedChange]:
        with self._reading():
            rows = self._durable.execute("select body from refusal order by seq").fetchall()
        return [found for (body,) in rows if (found := decoded(_failed_change, body)) is not None]

    def delete_failed(self, op: OpId) -> None:
        with self._writing():
            self._durable.execute("delete from refusal where id = ?", (op,))

    def log(self, limit: int = 500) -> Sequence[Logged]:
        with self._reading():
            rows = self._durable.execute(
                "select body from log order by seq desc limit ?", (limit,)
            ).fetchall()
        return [found for (body,) in rows if (found := decoded(_logged, body)) is not None]

    def prune(self, before: datetime) -> int:
        moment = before.astimezone(UTC).isoformat()
        with self._writing():
            done = self._durable.execute("delete from log where at < ?", (moment,))
        return done.rowcount

    # Drafts

    def drafts(self) -> Sequence[Draft]:
        with self._reading():
            rows = self._durable.execute("select body from draft order by id").fetchall()
        return [found for (body,) in rows if (found := decoded(_draft, body)) is not None]

    def draft_on(self) -> DraftId | None:
        value = self.meta(_DRAFT_ON)
        return DraftId(value.decode()) if value else None

    def turn_on_draft(self, draft: DraftId | None) -> None:
        # Durable: after a power cut, edits must not be sent because no one knows that a draft was on.
        with self._writing():
            self._durable.execute(
                "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value",
                (_DRAFT_ON, (draft or "").encode()),
            )

    def put_draft(self, draft: Draft, entries: Sequence[OutboxEntry] = ()) -> bool:
        with self._writing():
            if self._revision(draft.id) != draft.revision - 1:
                return False
            self._durable.execute(
                "insert into draft values (?, ?, ?) on conflict (id) do update set "
                "revision = excluded.revision, body = excluded.body",
                (draft.id, draft.revision, _encode(draft)),
            )
            self._enqueue(entries)
        return True

    def delete_draft(self, draft: Draft, entries: Sequence[OutboxEntry] = ()) -> bool:
        with self._writing():
            if self._revision(draft.id) != draft.revision:
                return False
            self._durable.execute("delete from draft where id = ?", (draft.id,))
            self._enqueue(entries)
        return True

    def _revision(self, draft: DraftId) -> int:
        row = self._durable.execute("select revision from draft where id = ?", (draft,)).fetchone()
        return row[0] if row else 0

    # Reports

    def plans(self, milestone: str) -> Sequence[PlanSnapshot]:
        with self._reading():
            return report_tables.plans(self._durable, milestone)

    def keep_plan(self, plan: PlanSnapshot) -> None:
        with self._writing():
            report_tables.keep_plan(self._durable, plan)

    def rename_plans(self, now: Renames) -> None:
        with self._writing():
            report_tables.rename_plans(self._durable, now)

    def recall(self, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
        return report_tables.recall(self._fast, keys, on)

    def remember(self, values: Mapping[str, bytes], on: date) -> None:
        with suppress(sqlite3.Error), _transaction(self._fast):
            report_tables.remember(self._fast, values, on)

    # Other processes

    def acquire_lease(self) -> bool:
        return self._lock is None or self._lock.acquire()

    def release_lease(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def poll_external(self) -> ExternalWrites | None:
        with self._reading():
            version = self._data_version()
            if version == self._version:
                return None
            self._version = version
            issues, gone, before = self._issues.since()
        return ExternalWrites(issues=tuple(issues), gone=tuple(gone), before=tuple(before))

    def check(self) -> StoreFailed | None:
        if not self.durable or not (why := damage(self.path)):
            return None
        return StoreFailed(
            f"The state file is damaged ({why}). Editing is now disabled.",
            hint="Restart glboard: it will move the damaged file away and recover unsent changes.",
        )

    def close(self) -> None:
        self.release_lease()
        self._fast.close()
        self._durable.close()

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
            with _transaction(self._durable):
                yield
        except sqlite3.Error as error:
            raise failed(self.path, error) from None

    def _data_version(self) -> tuple[int, int]:
        # Each connection counts the commits of all others, including our own: use both, or one hides the
        # other.
        return tuple(
            connection.execute("pragma data_version").fetchone()[0]
            for connection in (self._durable, self._fast)
        )

    def _rescue(self, moved: MovedFile) -> str:
        rows = rescued(moved.path, "select title, sent, op from outbox order by seq")
        entries = [
            OutboxEntry(op=op, title=title if isinstance(title, str) else "", sent=float(sent))
            for title, sent, body in rows
            if (op := decoded(_op, body)) is not None and isinstance(sent, int | float)
        ]
        if entries:
            self.enqueue(entries)
        with suppress(StoreFailed):
            for plan in report_tables.rescued_plans(moved.path):
                self.keep_plan(plan)
            for (body,) in rescued(moved.path, "select body from draft order by id"):
                if (draft := decoded(_draft, body)) is not None:
                    self.put_draft(structs.replace(draft, revision=1))
            for key, value in rescued(moved.path, "select key, value from meta where key like 'record:%'"):
                if isinstance(value, bytes):
                    self.keep_record(key.removeprefix(RECORD), value)
        recovered = f" {_changes(len(entries))} recovered from it." if entries else ""
        kept = f"Moved it to {moved.path.name} and created a new one."
        return f"Cannot use the state file: {moved.why}. {kept}{recovered}"

    def _unread(self) -> str:
        with self._reading():
            rows = self._durable.execute("select op from outbox").fetchall()
        unread = sum(decoded(_op, op) is None for (op,) in rows)
        if not unread:
            return ""
        return f"{_changes(unread)} unreadable and will not be sent; kept in {self.path.name}."


def _changes(count: int) -> str:
    return f"{count} unsent change was" if count == 1 else f"{count} unsent changes were"


def _encoded(conflicts: Sequence[Conflict]) -> bytes | None:
    return _encode(tuple(conflicts)) if conflicts else None


class _SentError(Exception):
    """An Op to withdraw was sent already."""


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
