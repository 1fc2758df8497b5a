"""Reads one board for a command: from the mirror and what changed since, or all of it from GitLab.

Owns when the mirror is complete enough for that, across processes: after a whole load or a reconcile by any
of them, or after a command read just this board. A command adds to the mirror what it read, but marks only
its board as complete, so that no screen takes the mirror for more than it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct, structs

from glboard_core.board.definition import Board
from glboard_core.concurrency import together
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway
from glboard_core.sync.initial_load import CURSOR, Scope
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.status import BOARDS, TOLERANCE, MirrorAge
from glboard_core.sync.timing import RECENT

#: GitLab does not move ``updatedAt`` for a second change by the same person within a minute, and a change can
#: become visible a moment later.
LOOK_BACK = timedelta(seconds=75)
#: With more pages of changes than this, the board is read instead.
MANY_PAGES = 5
#: With more issues than this that the mirror has on the board and GitLab has not, the mirror is too old.
MANY_MISSING = 100


class _Read(Struct, frozen=True):
    """When a board was read: completely, and up to when its changes are known (the server's time)."""

    whole: datetime
    until: datetime


class BoardReader:
    """Reads boards for commands. ``ours`` is whether the mirror has the scope of this session's settings."""

    def __init__(self, gateway: Gateway, local_state: LocalState, age: MirrorAge, *, ours: bool) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._store = local_state.store
        self._age = age
        self._ours = ours

    async def read(
        self, board: Board, scope: Scope, *, closed: bool = False, fresh: bool = False
    ) -> Mapping[IssueId, Issue]:
        """The board's issues as GitLab has them, without changes that are not sent yet.

        With ``closed`` also the closed ones, which are always read; with ``fresh`` nothing is taken from the
        mirror. Raises what the gateway raises.
        """
        base = IssueQuery(labels=tuple(sorted(board.labels)), milestone=board.milestone, state="opened")
        done = structs.replace(base, state="closed", order="updated")
        async with together() as tasks:
            shut = tasks.create_task(self._all(done, scope)) if closed else None
            found = tasks.create_task(self._open(board, base, scope, fresh=fresh))
        return {**found.result(), **(shut.result() if shut is not None else {})}

    async def _open(
        self, board: Board, base: IssueQuery, scope: Scope, *, fresh: bool
    ) -> dict[IssueId, Issue]:
        key = msgspec.json.encode([base.labels, base.milestone]).decode()
        since = None if fresh else self._since(key)
        # Only the answer tells the server's clock for certain, and so how long ago the mirror was complete.
        if since is not None and await self._changes(since, key, scope) and self._since(key) is not None:
            unlisted = self._local_state.pinned.unlisted(self._store.issues())
            rows = self._store.issues().matching(board.milestone)
            issues = (issue for issue in rows if issue.id not in unlisted)
            return {issue.id: issue for issue in issues if issue.is_open and board.matches(issue)}
        clock = asyncio.get_running_loop().time
        asked = clock()
        found = await self._all(base, scope)
        started = self._gateway.now() - timedelta(seconds=clock() - asked)
        if self._ours and await self._without_missing(board, found, scope):
            self._keep(key, _Read(whole=started, until=started))
        return found

    async def _all(self, query: IssueQuery, scope: Scope) -> dict[IssueId, Issue]:
        found: dict[IssueId, Issue] = {}
        asked = asyncio.get_running_loop().time()
        async for page in self._gateway.pages(query):
            found.update((issue.id, issue) for issue in page)
            if self._ours:
                self._local_state.confirm(filter(scope.holds, page), "load", asked=asked)
            asked = asyncio.get_running_loop().time()
        return found

    async def _without_missing(self, board: Board, found: Mapping[IssueId, Issue], scope: Scope) -> bool:
        """Read what the mirror has on the board and GitLab has not: it is not gone until asked by id.

        Returns whether the mirror agrees with GitLab on this board now.
        """
        known = self._store.issues().matching(board.milestone)
        missing = [i.id for i in known if i.is_open and board.matches(i) and i.id not in found]
        if len(missing) > MANY_MISSING:
            return False
        if missing:
            asked = asyncio.get_running_loop().time()
            now = await self._gateway.read(missing)
            here = [issue for issue in now.values() if scope.holds(issue)]
            self._local_state.confirm(here, "theirs", asked=asked)
            kept = {issue.id for issue in here}
            self._local_state.remove((issue for issue in missing if issue not in kept), asked=asked)
        return True

    # What is known from before

    def _since(self, key: str) -> datetime | None:
        """From when on to ask for changes; None if the board must be read."""
        if not self._ours:
            return None
        now = self._gateway.now()
        if (cursor := self._store.meta(CURSOR)) and _recent(self._age.whole, now):
            return datetime.fromisoformat(cursor.decode())
        read = self._boards().get(key)
        return read.until if read is not None and _recent(read.whole, now) else None

    async def _changes(self, since: datetime, key: str, scope: Scope) -> bool:
        """Adopt what changed since, of all issues of the group, to notice those that left the board.

        Returns False if that is too much.
        """
        clock = asyncio.get_running_loop().time
        asked = clock()
        pages = 0
        query = IssueQuery(updated_after=since - LOOK_BACK, order="updated")
        async for page in self._gateway.pages(query):
            pages += 1
            if pages > MANY_PAGES:
                return False
            self._local_state.confirm(filter(scope.holds, page), "theirs", asked=asked)
            self._local_state.remove((i.id for i in page if not scope.holds(i)), asked=asked)
        read = self._boards().get(key)
        if read is not None and not self._local_state.unsure:
            started = self._gateway.now() - timedelta(seconds=clock() - asked)
            self._keep(key, structs.replace(read, until=max(read.until, started)))
        return True

    def _boards(self) -> dict[str, _Read]:
        try:
            return msgspec.json.decode(self._store.meta(BOARDS) or b"{}", type=dict[str, _Read])
        except msgspec.DecodeError:
            return {}

    def _keep(self, key: str, read: _Read) -> None:
        now = self._gateway.now()
        known = {other: one for other, one in self._boards().items() if _recent(one.whole, now)}
        self._store.put_meta(BOARDS, msgspec.json.encode({**known, key: read}))


def _recent(moment: datetime | None, now: datetime) -> bool:
    # Longer ago, deletions, moves to other groups and the manual order may differ: changes lack them.
    return moment is not None and -TOLERANCE <= (now - moment).total_seconds() <= RECENT
