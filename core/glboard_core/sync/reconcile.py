"""Reconcile: reads whole cards again, page by page and slowly, to find what the poll cannot see.

GitLab moves ``updated_at`` neither with a new place in the manual order nor with a deletion, a rename or a
blocker that was closed. Owns which page comes next: the board on screen first and every other time, the rest
of the scope in between. It must not remove an issue because a page lacked it: cards move while pages are
read, so what was not seen is asked for by id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from glboard_core.errors import QueryRefused
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway
from glboard_core.sync.initial_load import Scope, Visible
from glboard_core.sync.local_state import LocalState

#: Pages per ``sync.reconcile`` seconds: with its default of 240, one a minute.
PAGES = 4
#: A scope of at most this many open issues fits on a page: the board on screen needs no turns of its own.
ONE_PAGE = 100
#: Of a list that never ends, no more pages than this are read in a round.
MOST_PAGES = 2_000
#: Closed issues are read in every such round: a board shows few of them, and they rarely change unnoticed.
CLOSED_EVERY = 4


class _Sweep:
    """The pages of one query, from the first to the last; ``started`` by the loop's clock."""

    def __init__(self, query: IssueQuery, started: float) -> None:
        self.query = query
        self.started = started
        self.after: str | None = None
        self.seen: set[IssueId] = set()
        self.pages = 0


class Reconciler:
    """Reconciles the mirror with the server, a page at a time.

    ``adopt`` takes what was read at a time; ``reread`` reads issues by id and removes those that are gone.
    """

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        seconds: float,
        *,
        visible: Visible,
        scope: Callable[[], Scope],
        adopt: Callable[[Sequence[Issue], float], None],
        reread: Callable[[Collection[IssueId]], Awaitable[None]],
    ) -> None:
        """``seconds`` is the time from the start of one round to that of the next, at least."""
        self._gateway = gateway
        self._local_state = local_state
        self._store = local_state.store
        self._seconds = seconds
        self._visible = visible
        self._scope = scope
        self._adopt = adopt
        self._reread = reread
        self._board: _Sweep | None = None
        self._board_of: IssueQuery | None = None
        self._rest: list[_Sweep] = []
        self._rounds = 0
        self._board_started = self._rest_started = self._read = float("-inf")
        self._board_was_last = False

    def configure(self, seconds: float) -> None:
        """Use another time between two rounds."""
        self._seconds = seconds

    def everything_was_read(self) -> None:
        """The whole scope was just read: start again after the usual time."""
        self._board, self._rest = None, []
        self._board_of = self._board_query()
        self._board_started = self._rest_started = self._read = asyncio.get_running_loop().time()

    async def continue_slowly(self) -> bool:
        """Read the next page, if one is due; returns whether a round of the scope has ended with it.

        Raises what the gateway raises; the page is then read again.
        """
        now = asyncio.get_running_loop().time()
        if now - self._read < self._seconds / PAGES or (sweep := self._next(now)) is None:
            return False
        self._read = now
        rest = len(self._rest)
        await self._page(sweep)
        return rest > 0 and not self._rest

    async def whole_round(self) -> None:
        """Read all pages of the scope now. Raises what the gateway raises."""
        self._rest_started = asyncio.get_running_loop().time()
        self._rest = self._sweeps(self._rest_started, closed=True)
        while self._rest:
            await self._page(self._rest[0])

    # Which page

    def _next(self, now: float) -> _Sweep | None:
        board, rest = self._board_sweep(now), self._rest_sweep(now)
        self._board_was_last = board is not None and (rest is None or not self._board_was_last)
        return board if self._board_was_last else rest

    def _board_sweep(self, now: float) -> _Sweep | None:
        """The sweep through the board on screen: at once for another board, then after the usual time."""
        query = self._board_query()
        if query is None:
            self._board = None
        elif query != self._board_of or (self._board is None and now - self._board_started >= self._seconds):
            self._board = _Sweep(query, now)
            self._board_of, self._board_started = query, now
        return self._board

    def _rest_sweep(self, now: float) -> _Sweep | None:
        if not self._rest and now - self._rest_started >= self._seconds:
            self._rest_started = now
            self._rest = self._sweeps(now, closed=self._rounds % CLOSED_EVERY == 0)
            self._rounds += 1
        return self._rest[0] if self._rest else None

    def _board_query(self) -> IssueQuery | None:
        board = self._visible()
        if board is None or len(self._store.issues()) <= ONE_PAGE:
            return None
        labels = {*board.labels, *self._scope().labels}
        return IssueQuery(labels=tuple(sorted(labels)), milestone=board.milestone, state="opened")

    def _sweeps(self, now: float, *, closed: bool) -> list[_Sweep]:
        scope = self._scope()
        queries = [IssueQuery(labels=scope.labels, state="opened")]
        if closed:
            queries.append(
                IssueQuery(
                    labels=scope.labels, state="closed", closed_after=scope.closed_after, order="updated"
                )
            )
        return [_Sweep(query, now) for query in queries]

    # A page

    async def _page(self, sweep: _Sweep) -> None:
        asked = asyncio.get_running_loop().time()
        try:
            page, after = await self._gateway.page(sweep.query, sweep.after)
        except QueryRefused:
            # Not this page again, or the rest would never be read: the sweep begins again in the next round.
            self._end(sweep)
            raise
        sweep.seen.update(issue.id for issue in page)
        self._adopt(page, asked)
        sweep.after = after
        sweep.pages += 1
        if sweep.pages >= MOST_PAGES:
            self._end(sweep)
        elif after is None:
            scope = self._scope()
            missing = self._missing(sweep)
            outside = [issue.id for issue in missing if not scope.holds(issue)]
            self._local_state.remove(outside, asked=sweep.started)
            # If this fails, the sweep is repeated.
            await self._reread([issue.id for issue in missing if scope.holds(issue)])
            self._end(sweep)

    def _end(self, sweep: _Sweep) -> None:
        if sweep is self._board:
            self._board = None
        self._rest = [other for other in self._rest if other is not sweep]

    def _missing(self, sweep: _Sweep) -> list[Issue]:
        """The issues that the sweep should have met, unless another read has met them since it began."""
        query, read_since = sweep.query, self._local_state.read_since
        labels = set(query.labels)
        return [
            issue
            for issue in self._store.issues().matching(query.milestone)
            if issue.id not in sweep.seen
            and issue.state == query.state
            and labels <= issue.labels
            and not read_since(issue.id, sweep.started)
        ]
