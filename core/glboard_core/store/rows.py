"""The issue table as a mapping: one row each, decoded when asked for.

Owns the cache of decoded issues, and what the disk refused to take (kept in memory: it can be read again from
GitLab). A row without content is an issue that went: other windows have to learn of that too.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Issues

#: Issues kept decoded: a few screens of cards.
CACHED = 4_096

_decode = msgspec.msgpack.Decoder(Issue).decode
_encode = msgspec.msgpack.Encoder().encode

_PUT = """
insert into issue (id, milestone, project, updated_at, rev, slim) values (?, ?, ?, ?, ?, ?)
on conflict (id) do update set milestone = excluded.milestone, project = excluded.project,
updated_at = excluded.updated_at, rev = excluded.rev, slim = excluded.slim
"""
#: Another window may have read the issue later than this one did.
_PUT_NEWER = f"{_PUT} where excluded.updated_at >= issue.updated_at or issue.slim is null"


class Rows(Issues):
    """The confirmed issues. ``rev`` is the number of the last change this window knows of."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cache: OrderedDict[IssueId, Issue] = OrderedDict()
        #: What could not be written: the issue, or None for one that is gone.
        self._unwritten: dict[IssueId, Issue | None] = {}
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
        return self._keep(_decode(row[0]))

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
            self._connection.execute("select count(*) from issue where slim is not null").fetchone()[0]
        )

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone ("" for none), or all for None: decoded one by one, not kept."""
        question = "select slim from issue where slim is not null"
        rows = (
            self._connection.execute(question)
            if milestone is None
            else self._connection.execute(f"{question} and milestone = ?", (milestone,))
        ).fetchall()
        for (slim,) in rows:
            issue = _decode(slim)
            if issue.id not in self._unwritten:
                yield issue
        for held in list(self._unwritten.values()):
            if held is not None and (milestone is None or (held.milestone or "") == milestone):
                yield held

    @property
    def held(self) -> bool:
        """Whether some of it is in memory alone."""
        return bool(self._unwritten)

    def write(self, issues: Sequence[Issue], gone: Sequence[IssueId]) -> int:
        """Write changes in the transaction that is open; returns their number. Raises sqlite3.Error."""
        rev = self._latest() + 1
        self._connection.executemany(
            _PUT_NEWER,
            [(i.id, i.milestone or "", i.project, i.updated_at.isoformat(), rev, _encode(i)) for i in issues],
        )
        self._connection.executemany(_PUT, [(identity, "", "", "", rev, None) for identity in gone])
        return rev

    def wrote(self, rev: int, issues: Iterable[Issue], gone: Iterable[IssueId]) -> None:
        """The transaction was committed."""
        if rev == self.rev + 1:
            # Nobody wrote in between, so ``since`` need not bring our own change back to us.
            self.rev = rev
        for identity in (*(issue.id for issue in issues), *gone):
            self._unwritten.pop(identity, None)
            self._cache.pop(identity, None)

    def hold(self, issues: Iterable[Issue], gone: Iterable[IssueId]) -> None:
        """The disk refused: keep these in memory."""
        self._unwritten.update((issue.id, issue) for issue in issues)
        self._unwritten.update((identity, None) for identity in gone)

    def since(self) -> tuple[list[Issue], list[IssueId], list[Issue]]:
        """(issues, gone, were) written by anybody since the last call; ``were``: as this window had them."""
        rows = self._connection.execute(
            "select id, slim, rev from issue where rev > ? order by rev", (self.rev,)
        ).fetchall()
        issues: list[Issue] = []
        gone: list[IssueId] = []
        were: list[Issue] = []
        for identity, slim, rev in rows:
            self.rev = max(self.rev, rev)
            if (was := self._cache.pop(identity, None)) is not None:
                were.append(was)
            if slim is None:
                gone.append(identity)
            else:
                issues.append(_decode(slim))
        return issues, gone, were

    def _latest(self) -> int:
        return int(self._connection.execute("select coalesce(max(rev), 0) from issue").fetchone()[0])

    def _keep(self, issue: Issue) -> Issue:
        self._cache[issue.id] = issue
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return issue
