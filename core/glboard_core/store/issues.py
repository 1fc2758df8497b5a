"""The issue table as a mapping: one row per issue, decoded on access.

Owns the cache of decoded issues, and the writes that the disk refused (kept in memory: GitLab still has
them). A row without content is a removed issue: other processes have to learn of that, too.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from glboard_core.model.issue import Issue, IssueId, IssueRow, PlacementKey, row_of
from glboard_core.ports import Issues
from glboard_core.store.database import unreadable
from glboard_core.store.report_tables import decoded

#: Decoded issues in the cache: a few screens of cards.
CACHED = 4_096

#: Rows per read.
READ_EACH = 2_000

_decoder = msgspec.msgpack.Decoder(Issue)
_encode = msgspec.msgpack.Encoder().encode

_PUT = """
insert into issue (id, milestone, project, updated_at, rev, slim, place, position, weight, closed)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (id) do update set milestone = excluded.milestone, project = excluded.project,
updated_at = excluded.updated_at, rev = excluded.rev, slim = excluded.slim, place = excluded.place,
position = excluded.position, weight = excluded.weight, closed = excluded.closed
"""


class StoredIssues(Issues):
    """The confirmed issues. ``rev`` is the number of the last change this process knows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cache: OrderedDict[IssueId, Issue] = OrderedDict()
        #: Failed writes: the issue, or None if it was removed.
        self._unwritten: dict[IssueId, Issue | None] = {}
        self._projects: frozenset[str] | None = None
        self.rev = self._latest()

    def __getitem__(self, issue: IssueId) -> Issue:
        if issue in self._unwritten:
            held = self._unwritten[issue]
            if held is None:
                raise KeyError(issue)
            return held
        cached = self._cache.get(issue)
        if cached is not None:
            self._cache.move_to_end(issue)
            return cached
        row = self._connection.execute("select slim from issue where id = ?", (issue,)).fetchone()
        if row is None or row[0] is None:
            raise KeyError(issue)
        return self._keep(self._decoded(row[0]))

    def __iter__(self) -> Iterator[IssueId]:
        rows = self._connection.execute("select id from issue where slim is not null").fetchall()
        for (identity,) in rows:
            if identity not in self._unwritten:
                yield identity
        for identity, issue in list(self._unwritten.items()):
            if issue is not None:
                yield identity

    def __len__(self) -> int:
        if self._unwritten:
            return sum(1 for _ in self)
        return int(
            # The smallest index, so that the rows need not be read.
            self._connection.execute(
                "select count(*) from issue indexed by issue_by_milestone where slim is not null"
            ).fetchone()[0]
        )

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        for identity, slim in self._read("id, slim", milestone):
            if identity not in self._unwritten:
                yield self._decoded(slim)
        yield from self._held(milestone)

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        kinds: dict[tuple[str, str], PlacementKey] = {}
        wanted = "id, milestone, place, position, weight, closed, case when place is null then slim end"
        for identity, title, place, position, weight, closed, whole in self._read(wanted, milestone):
            if identity in self._unwritten:
                continue
            if place is None:  # written before this column existed
                yield row_of(self._decoded(whole))
                continue
            kind = kinds.get((title, place))
            if kind is None:
                kind = kinds[title, place] = self._kind(title, place)
            yield IssueRow(identity, kind, position, weight, closed)
        yield from map(row_of, self._held(milestone))

    def _read(self, wanted: str, milestone: str | None) -> Iterator[tuple[Any, ...]]:
        """Rows by id, in batches, so that they are never all in memory at once."""
        given = () if milestone is None else (milestone,)
        which = "milestone = ? and" if given else ""
        rest = "id > ? and slim is not null order by id limit ?"
        question = " ".join(("select", wanted, "from issue where", which, rest))
        last = ""
        while True:
            rows = self._connection.execute(question, (*given, last, READ_EACH)).fetchall()
            yield from rows
            if len(rows) < READ_EACH:
                return
            last = rows[-1][0]

    def _held(self, milestone: str | None) -> Iterator[Issue]:
        for held in list(self._unwritten.values()):
            if held is not None and (milestone is None or (held.milestone or "") == milestone):
                yield held

    def projects(self) -> frozenset[str]:
        """The projects of all issues."""
        if self._unwritten:
            return frozenset(issue.project for issue in self.matching(None))
        if self._projects is None:
            rows = self._connection.execute("select distinct project from issue where slim is not null")
            self._projects = frozenset(project for (project,) in rows)
        return self._projects

    def write(self, issues: Sequence[Issue], gone: Sequence[IssueId]) -> int:
        """Write changes in the current transaction; returns their number. Raises sqlite3.Error."""
        rev = self._latest() + 1
        self._connection.executemany(
            _PUT,
            [
                (i.id, i.milestone or "", i.project, i.updated_at.isoformat(), rev, _encode(i), *_slim_row(i))
                for i in issues
            ],
        )
        nothing = (None,) * 5
        self._connection.executemany(_PUT, [(identity, "", "", "", rev, *nothing) for identity in gone])
        self._projects = None
        return rev

    def wrote(self, rev: int, issues: Iterable[Issue], gone: Iterable[IssueId]) -> None:
        """The transaction was committed."""
        if rev == self.rev + 1:
            # No one else wrote in between, so ``since`` need not return our own change.
            self.rev = rev
        for identity in (*(issue.id for issue in issues), *gone):
            self._unwritten.pop(identity, None)
            self._cache.pop(identity, None)

    def hold(self, issues: Iterable[Issue], gone: Iterable[IssueId]) -> None:
        """The disk refused the write: keep these in memory."""
        self._unwritten.update((issue.id, issue) for issue in issues)
        self._unwritten.update((identity, None) for identity in gone)

    def since(self) -> tuple[list[Issue], list[IssueId], list[Issue]]:
        """(issues, gone, before) by anyone since the last call; ``before``: as this process had them."""
        rows = self._connection.execute(
            "select id, slim, rev from issue where rev > ? order by rev", (self.rev,)
        ).fetchall()
        issues: list[Issue] = []
        gone: list[IssueId] = []
        before: list[Issue] = []
        for identity, slim, rev in rows:
            self.rev = max(self.rev, rev)
            self._projects = None
            if (was := self._cache.pop(identity, None)) is not None:
                before.append(was)
            if slim is None:
                gone.append(identity)
            else:
                issues.append(self._decoded(slim))
        return issues, gone, before

    def _decoded(self, slim: bytes) -> Issue:
        """Raises StoreFailed for what is no issue."""
        if (found := decoded(_decoder, slim)) is None:
            raise unreadable(self._connection)
        return found

    def _kind(self, milestone: str, place: str) -> PlacementKey:
        if (found := _kind(milestone, place)) is None:
            raise unreadable(self._connection)
        return found

    def _latest(self) -> int:
        return int(self._connection.execute("select coalesce(max(rev), 0) from issue").fetchone()[0])

    def _keep(self, issue: Issue) -> Issue:
        self._cache[issue.id] = issue
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return issue


#: Separators of the fields of ``place``, and of the items of one field: no text from GitLab contains them.
_FIELD, _ITEM = "\x1e", "\x1f"


def _slim_row(issue: Issue) -> tuple[str, float | None, int | None, float | None]:
    fields = (issue.state, issue.status or "", _ITEM.join(issue.assignees), _ITEM.join(sorted(issue.labels)))
    closed = issue.closed_at.timestamp() if issue.closed_at else None
    return _FIELD.join(fields), issue.position, issue.weight, closed


def _kind(milestone: str, place: str) -> PlacementKey | None:
    fields = place.split(_FIELD)
    if len(fields) != 4:
        return None
    state, status, assignees, labels = fields
    return PlacementKey(
        milestone or None,
        "opened" if state == "opened" else "closed",
        status or None,
        tuple(assignees.split(_ITEM)) if assignees else (),
        frozenset(labels.split(_ITEM)) if labels else frozenset(),
    )
