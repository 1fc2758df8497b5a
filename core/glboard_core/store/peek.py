"""What a state file holds, for who asks whether all is well: counts and times, read without writing.

It never creates, migrates or repairs a file, and reads no title.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from glboard_core.errors import WRONG_VALUES, StoreFailed
from glboard_core.model.catalog import Catalog
from glboard_core.store.report_tables import decoded

T = TypeVar("T")

#: A server's clock is never further from this machine's.
_MOST_OFFSET = timedelta(days=10_000)

#: Seconds to wait for a process that writes.
_PATIENCE = 2.0
_catalog = msgspec.msgpack.Decoder(Catalog)


class StateFacts(Struct, frozen=True, kw_only=True):
    """Figures of a state file. ``bytes`` is the size with its log; times are by the server's clock."""

    bytes: int
    issues: int
    projects: tuple[str, ...]
    unsent: int
    conflicts: int
    failed: int
    caught_up: datetime | None = None
    whole: datetime | None = None
    #: The server's clock minus this machine's, in seconds.
    offset: float = 0.0
    catalog: Catalog | None = None


def clock_offset(value: bytes) -> float:
    """The server's clock minus this machine's as stored, in seconds; 0 for what no clock is off by."""
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if abs(seconds) < _MOST_OFFSET.total_seconds() else 0.0


def peek(path: Path) -> StateFacts | None:
    """The figures of a state file; None if there is none. Raises StoreFailed if it cannot be read."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as file:
            return _facts(path, file)
    except (sqlite3.Error, OSError) as error:
        reason = str(error)
    raise StoreFailed(
        f"Cannot read the state file: {reason}.",
        hint="Start glboard to repair or replace it; unsent changes are kept.",
    )


def meta_of(path: Path, key: str) -> bytes | None:
    """One value of a state file; None if the file has none, or cannot be read now."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as file:
            row = file.execute("select value from meta where key = ?", (key,)).fetchone()
    except (sqlite3.Error, OSError):
        return None
    return row[0] if row else None


def _facts(path: Path, file: sqlite3.Connection) -> StateFacts:
    def number(question: str) -> int:
        return int(file.execute(question).fetchone()[0] or 0)

    def meta(key: str, read: Callable[[bytes], T]) -> T | None:
        row = file.execute("select value from meta where key = ?", (key,)).fetchone()
        try:
            return read(row[0]) if row else None
        except WRONG_VALUES:
            return None

    def moment(value: bytes) -> datetime:
        at = datetime.fromisoformat(value.decode())
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

    files = (path, path.with_name(path.name + "-wal"))
    projects = file.execute("select distinct project from issue where slim is not null order by project")
    return StateFacts(
        bytes=sum(one.stat().st_size for one in files if one.exists()),
        issues=number("select count(*) from issue where slim is not null"),
        projects=tuple(project for (project,) in projects),
        unsent=number("select count(*) from outbox"),
        conflicts=number("select count(*) from outbox where clashes is not null"),
        failed=number("select count(*) from refusal"),
        caught_up=meta("caught_up", moment),
        whole=meta("whole", moment),
        offset=meta("clock", clock_offset) or 0.0,
        catalog=meta("catalog", lambda value: decoded(_catalog, value)),
    )
