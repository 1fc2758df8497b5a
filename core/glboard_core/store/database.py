"""The state file: opening it, its schema and migrations, and recovery when it is unusable.

Owns the SQLite connections. One file per host, group and user, mode 0600, WAL. Two connections: one that
waits for the disk (outbox, ``synchronous=FULL``) and one that does not (mirror, which can be read again). A
corrupt file or one of a newer version is renamed, never deleted.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from glboard_core.errors import StoreFailed


class LockFile:
    """The send lease between processes: the system releases it when its holder ends, even by a crash."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Whether this process has the lock, after one attempt that never waits."""
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            # The folder is not writable: nothing can be enqueued either, so there is nothing to send.
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Release it for other processes."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


#: Schema version n is the result of MIGRATIONS[:n], in order. Only ever append.
MIGRATIONS: tuple[str, ...] = (
    """
    create table meta (key text primary key, value blob not null) without rowid;
    create table issue (
        id text primary key,
        milestone text not null,
        project text not null,
        updated_at text not null,
        rev integer not null,
        slim blob
    ) without rowid;
    create index issue_by_milestone on issue (milestone) where slim is not null;
    create index issue_by_update on issue (updated_at) where slim is not null;
    create index issue_by_rev on issue (rev);
    create table outbox (
        seq integer primary key autoincrement,
        id text not null unique,
        title text not null,
        due real not null,
        sent real not null,
        op blob not null
    );
    create table refusal (seq integer primary key autoincrement, id text not null unique, body blob not null);
    create table log (seq integer primary key autoincrement, at text not null, body blob not null);
    """,
    # Locked plans, which cannot be read again, and what reports read beyond the mirror, which can.
    """
    create table plan (seq integer primary key autoincrement, milestone text not null, body blob not null);
    create index plan_by_milestone on plan (milestone);
    insert into plan (milestone, body) select substr(key, 6), value from meta where key like 'plan:%';
    delete from meta where key like 'plan:%';
    create table past (key text primary key, used_on text not null, value blob not null) without rowid;
    """,
    # The conflicts of an Op, so that every process shows them and can resolve them.
    "alter table outbox add column clashes blob",
    # What is needed to place, count and sort an issue without decoding it; null in older rows.
    """
    alter table issue add column place text;
    alter table issue add column position real;
    alter table issue add column weight integer;
    alter table issue add column closed real;
    """,
    # Changes that are tried out: apart from the outbox, so that nothing that sends can find them.
    "create table draft (id text primary key, revision integer not null, body blob not null)",
)

#: Files up to this size are checked at the start (2 ms for 6,000 issues, 200 for 100,000), larger ones
#: afterwards.
CHECKED = 32 * 1024 * 1024

#: The types that the columns have, by tables.
_TYPES: Mapping[str, Mapping[str, str]] = {
    "meta": {"key": "'text'", "value": "'blob'"},
    "issue": {
        **dict.fromkeys(("id", "milestone", "project", "updated_at"), "'text'"),
        "rev": "'integer'",
        "slim": "'blob', 'null'",
        "place": "'text', 'null'",
        "weight": "'integer', 'null'",
        **dict.fromkeys(("position", "closed"), "'real', 'integer', 'null'"),
    },
    "outbox": {
        **dict.fromkeys(("id", "title"), "'text'"),
        **dict.fromkeys(("due", "sent"), "'real'"),
        "op": "'blob'",
        "clashes": "'blob', 'null'",
    },
    "refusal": {"id": "'text'", "body": "'blob'"},
    "log": {"at": "'text'", "body": "'blob'"},
    "plan": {"milestone": "'text'", "body": "'blob'"},
    "past": {**dict.fromkeys(("key", "used_on"), "'text'"), "value": "'blob'"},
    "draft": {"id": "'text'", "revision": "'integer'", "body": "'blob'"},
}
#: Bytes of the reason in a mark that are read: it is a file like any other.
_LONGEST_WHY = 500

#: Seconds to wait for another process to write.
BUSY = 5.0


def state_file(folder: Path, url: str, group: str, user: str) -> Path:
    """The state file of one host, group and user. The name is readable, and unique by a short hash."""
    parts = urlsplit(url)
    name = "-".join((parts.netloc + parts.path, group, user))
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")[:80]
    return folder / f"{readable}-{sha256(name.encode()).hexdigest()[:10]}.sqlite3"


class MovedFile(NamedTuple):
    """A state file that was unusable: its new path, and the reason in words."""

    path: Path
    why: str


def open_file(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection, MovedFile | None]:
    """(durable, fast, moved): connections to a state file of this version, created or migrated as needed.

    An unusable file is renamed, unless another process uses it. Raises StoreFailed in that case, and if the
    folder is not writable at all.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return *_open(path), None
    except (sqlite3.DatabaseError, _NewerError) as error:
        broken = any(sign in str(error) for sign in ("no such table", "no such column", "malformed"))
        if isinstance(error, sqlite3.OperationalError) and not broken:
            raise failed(path, error) from None
        why = str(error) if isinstance(error, _NewerError) else f"it is damaged ({error})"
    except OSError as error:
        raise failed(path, error) from None
    lock = LockFile(lock_of(path))
    if not lock.acquire():
        raise StoreFailed(
            f"Cannot use the state file: {why}, and another glboard session is using it.",
            hint="This session is read-only. Close the other one, then restart glboard.",
        )
    try:
        moved = MovedFile(put_aside(path), why)
        return *_open(path), moved
    except (sqlite3.Error, OSError) as error:
        raise failed(path, error) from None
    finally:
        lock.release()


def open_memory() -> sqlite3.Connection:
    """A connection to an empty database of this process, which ends with it."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _migrate(connection)
    return connection


def lock_of(path: Path) -> Path:
    """The lock file of the send lease."""
    return path.with_suffix(".lock")


def put_aside(path: Path) -> Path:
    """Rename a state file (with its WAL) so that it is kept but no longer used; returns the new path."""
    number = 1
    while (aside := path.with_suffix(f".aside-{number}")).exists():
        number += 1
    path.rename(aside)
    _mark_of(path).unlink(missing_ok=True)
    for tail in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + tail).rename(aside.with_name(aside.name + tail))
    return aside


def failed(path: Path, error: Exception) -> StoreFailed:
    """The error to show when the state folder is unusable."""
    if _is_busy(error):
        return StoreFailed(
            f"Another glboard session has locked {path} for more than {BUSY:g} seconds.",
            hint="Nothing is lost. Try again in a moment. If it persists, close the other session.",
        )
    # Python's words for an error of the system have its number, and the path again.
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return StoreFailed(
        f"Cannot save changes in {path.parent}: {reason}.",
        hint="Editing is disabled until this works. Free up disk space, or fix the folder's permissions.",
    )


class _NewerError(Exception):
    """The file has a schema version that this program does not know."""


def _open(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    # Create it ourselves first, so that it never exists with wider permissions, not even briefly.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    durable = _connect(path, "full")
    try:
        _migrate(durable)
        _check(durable, path)
        fast = _connect(path, "normal")
    except BaseException:
        durable.close()
        raise
    return durable, fast


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        _into_wal(connection)
        connection.execute(f"pragma synchronous = {synchronous}")
        connection.execute("pragma cache_size = -4096")
        connection.execute("pragma journal_size_limit = 4194304")
    except BaseException:
        connection.close()
        raise
    return connection


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite refuses this at once while another process does it, ignoring its busy timeout.

    Raises sqlite3.OperationalError if that takes longer than BUSY.
    """
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _is_busy(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("begin immediate")
    try:
        (version,) = connection.execute("pragma user_version").fetchone()
        if version > len(MIGRATIONS):
            raise _NewerError(f"it was written by a newer glboard, version {version}")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {number}")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Read all that matters: a truncated or overwritten file is detected now, not in a later call."""
    connection.execute("select sum(length(op)) from outbox").fetchone()
    connection.execute("select sum(length(body)) from refusal").fetchone()
    connection.execute("select sum(length(body)) from draft").fetchone()
    connection.execute("select max(rev) from issue").fetchone()
    if (marked := _mark_of(path)).exists():
        why = marked.read_bytes()[:_LONGEST_WHY].decode("utf-8", "replace") if marked.is_file() else ""
        raise sqlite3.DatabaseError(why or "found in the last session")
    if path.stat().st_size <= CHECKED:
        _quick_check(connection)
        _check_types(connection)


def _quick_check(connection: sqlite3.Connection) -> None:
    (said,) = connection.execute("pragma quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said.splitlines()[-1])


def _check_types(connection: sqlite3.Connection) -> None:
    """SQLite keeps a value of any type in any column, as another program may have written it."""
    for table, columns in _TYPES.items():
        wrong = " or ".join(f"typeof({column}) not in ({types})" for column, types in columns.items())
        found = connection.execute(f"select 1 from {table} where {wrong} limit 1")  # noqa: S608  (our words)
        if found.fetchone() is not None:
            raise sqlite3.DatabaseError(f"a value of another type in {table}")


def _mark_of(path: Path) -> Path:
    return path.with_suffix(".damaged")


def unreadable(connection: sqlite3.Connection) -> StoreFailed:
    """The error for a value that cannot be decoded: the file is marked, and renamed by the next start."""
    (_, _, name) = connection.execute("pragma database_list").fetchone()
    if name:
        with suppress(OSError):
            _mark_of(Path(name)).write_text("a value cannot be read", "utf-8")
    return StoreFailed(
        "The state file is damaged: a value cannot be read.",
        hint="Run glboard again: it will move the damaged file away and recover unsent changes.",
    )


def damage(path: Path) -> str:
    """Check a file that was too large to check at the start; returns the damage in words, or "".

    Takes a while, on its own connection: run it in a thread. A damaged file is marked, so that the next start
    renames it and recovers unsent changes: that cannot be done while other processes use it.
    """
    if not path.exists() or path.stat().st_size <= CHECKED:
        return ""
    try:
        with closing(_connect(path, "normal")) as connection:
            _quick_check(connection)
    except sqlite3.OperationalError:
        return ""  # busy, or deleted in the meantime: no statement possible
    except sqlite3.DatabaseError as error:
        with suppress(OSError):
            _mark_of(path).write_text(str(error), "utf-8")
        return str(error)
    return ""


def rescued(aside: Path, question: str) -> Iterator[tuple[Any, ...]]:
    """The rows still readable in a renamed file."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{aside.as_uri()}?mode=ro", uri=True)) as connection,
    ):
        yield from connection.execute(question)
