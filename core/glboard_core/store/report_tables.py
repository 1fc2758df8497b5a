"""The tables of reports: locked plans, and cached data of past milestones.

Owns their SQL; the store owns the transactions. A plan records a decision, so it is never lost or pruned.
Cached data can be read again: it is removed when no report has used it for longer than reports look back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from glboard_core.model.event import History
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.renames import Renames
from glboard_core.ports import Store
from glboard_core.store.database import rescued

if TYPE_CHECKING:
    from glboard_core.planning.plan_lock import PlanSnapshot


#: Data unused for this long belongs to long past milestones: about four months back.
KEPT_FOR = timedelta(days=120)
#: The day of use need not be exact, and every update is a write.
_EXACT = timedelta(days=7)
#: Placeholders in one query.
_MANY = 500
# Change the key prefixes with the format, so that old entries are never read.
_HISTORY = "history-2:"
_ISSUES = "issues-1:"
_PROMOTED = "promoted-1:"

T = TypeVar("T")


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


def rename_plans(connection: sqlite3.Connection, now: Renames) -> None:
    """Give the plans present names, in the current transaction; those that cannot be read stay as they are.

    A plan's milestone is of the group, as its lines may be of many projects.
    """
    from glboard_core.planning.plan_lock import PlanSnapshot, renamed

    for seq, body in connection.execute("select seq, body from plan").fetchall():
        with suppress(msgspec.DecodeError):
            plan = msgspec.json.decode(body, type=PlanSnapshot)
            if (new := renamed(plan, now)) != plan:
                connection.execute(
                    "update plan set milestone = ?, body = ? where seq = ?",
                    (new.milestone, msgspec.json.encode(new), seq),
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
    connection.execute("delete from past where used_on < ?", ((on - KEPT_FOR).isoformat(),))


def rescued_plans(aside: Path) -> Iterator[PlanSnapshot]:
    """The plans still readable in a renamed file, oldest first."""
    from glboard_core.planning.plan_lock import PlanSnapshot

    for (body,) in rescued(aside, "select body from plan order by seq"):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield msgspec.json.decode(body, type=PlanSnapshot)


class KnownIssues(Struct, frozen=True, kw_only=True):
    """The answer to a query as of ``at``, by the server's clock; ``whole`` is when all of it was last read,
    rather than only what was updated. ``since`` is the oldest update the query asked for, if it had one."""

    at: datetime
    whole: datetime
    issues: tuple[Issue, ...]
    since: datetime | None = None


class KnownPromotion(Struct, frozen=True, kw_only=True):
    """Whether a closed issue had become an epic, when it was last updated at ``updated_at``."""

    issue: IssueId
    updated_at: datetime
    promoted: bool


_encode = msgspec.msgpack.Encoder().encode
_history = msgspec.msgpack.Decoder(History)
_issues = msgspec.msgpack.Decoder(KnownIssues)
_promoted = msgspec.msgpack.Decoder(KnownPromotion)


class ReportCache:
    """What reports read beyond the mirror: histories of issues, and issues by query.

    In one store, for the group with a global id. ``today`` is the day by the server's clock: entries unused
    for months are removed.
    """

    def __init__(self, store: Store, today: date, group: str) -> None:
        self._store = store
        self._today = today
        self._history = f"{_HISTORY}{group}:"
        self._issues = f"{_ISSUES}{group}:"
        self._promoted = f"{_PROMOTED}{group}:"

    def histories(self, issues: Iterable[IssueId]) -> dict[IssueId, History]:
        """The cached histories of these issues, however old."""
        found = self._store.recall([self._history + issue for issue in issues], self._today)
        return {history.issue: history for body in found.values() if (history := decoded(_history, body))}

    def keep_histories(self, histories: Iterable[History]) -> None:
        """Cache the histories of issues, except those that could not be read at all."""
        values = {self._history + one.issue: _encode(one) for one in histories if one.kinds}
        if values:
            self._store.remember(values, self._today)

    def issues(self, question: str) -> KnownIssues | None:
        """The cached answer to a query for issues, or None."""
        found = self._store.recall([self._issues + question], self._today)
        return next((decoded(_issues, body) for body in found.values()), None)

    def promoted(self, issues: Iterable[Issue]) -> dict[IssueId, bool]:
        """Whether these issues became epics, as far as it is cached and none was updated since."""
        asked = {issue.id: issue.updated_at for issue in issues}
        found = self._store.recall([self._promoted + issue for issue in asked], self._today)
        rows = (row for body in found.values() if (row := decoded(_promoted, body)))
        return {row.issue: row.promoted for row in rows if row.updated_at == asked[row.issue]}

    def keep_promoted(self, issues: Iterable[Issue], promoted: Collection[IssueId]) -> None:
        """Cache which of these issues became epics."""
        rows = [
            KnownPromotion(issue=one.id, updated_at=one.updated_at, promoted=one.id in promoted)
            for one in issues
        ]
        if rows:
            self._store.remember({self._promoted + row.issue: _encode(row) for row in rows}, self._today)

    def keep_issues(self, question: str, known: KnownIssues) -> None:
        """Cache the answer to a query for issues."""
        self._store.remember({self._issues + question: _encode(known)}, self._today)


def decoded(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T | None:
    """A stored value; None if it was written by another version, or is damaged."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
        return None
