"""The tables of reports: locked plans, and cached data of past milestones.

Owns their SQL; the store owns the transactions. A plan records a decision, so it is never lost or pruned.
Cached data can be read again: it is removed when no report has used it for longer than reports look back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from glboard_core.planning.plan_lock import PlanSnapshot

#: Data unused for this long belongs to long past milestones: about four months back.
KEPT = timedelta(days=120)
#: The day of use need not be exact, and every update is a write.
_EXACT = timedelta(days=7)
#: Placeholders in one query.
_MANY = 500


def plans(connection: sqlite3.Connection, milestone: str) -> Sequence[PlanSnapshot]:
    """The plans of a milestone, newest first. Raises sqlite3.Error, msgspec.DecodeError."""
    from glboard_core.planning.plan_lock import PlanSnapshot

    rows = connection.execute(
        "select body from plan where milestone = ? order by seq desc", (milestone,)
    ).fetchall()
    return [msgspec.json.decode(body, type=PlanSnapshot) for (body,) in rows]


def keep_plan(connection: sqlite3.Connection, plan: PlanSnapshot) -> None:
    """Store a plan in the current transaction."""
    connection.execute(
        "insert into plan (milestone, body) values (?, ?)", (plan.milestone, msgspec.json.encode(plan))
    )


def recall(connection: sqlite3.Connection, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
    """The values cached under these keys. Their day of use is updated about once a week; failures count as
    missing."""
    found: dict[str, bytes] = {}
    with suppress(sqlite3.Error):
        for start in range(0, len(keys), _MANY):
            some = keys[start : start + _MANY]
            question = f"from past where key in ({', '.join('?' * len(some))})"
            found |= dict(connection.execute(f"select key, value {question}", some).fetchall())
            old = connection.execute(
                f"select key {question} and used_on < ?", (*some, (on - _EXACT).isoformat())
            ).fetchall()
            if old:
                connection.executemany(
                    "update past set used_on = ? where key = ?", [(on.isoformat(), key) for (key,) in old]
                )
    return found


def remember(connection: sqlite3.Connection, values: Mapping[str, bytes], on: date) -> None:
    """Cache values in the current transaction, and remove those unused for long."""
    connection.executemany(
        "insert into past (key, used_on, value) values (?, ?, ?) "
        "on conflict (key) do update set used_on = excluded.used_on, value = excluded.value",
        [(key, on.isoformat(), value) for key, value in values.items()],
    )
    connection.execute("delete from past where used_on < ?", ((on - KEPT).isoformat(),))


def rescued(aside: Path) -> list[PlanSnapshot]:
    """The plans still readable in a renamed file, oldest first."""
    from glboard_core.planning.plan_lock import PlanSnapshot

    found: list[PlanSnapshot] = []
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{aside.as_uri()}?mode=ro", uri=True)) as connection,
    ):
        rows = connection.execute("select body from plan order by seq")
        while (row := rows.fetchone()) is not None:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                found.append(msgspec.json.decode(row[0], type=PlanSnapshot))
    return found
