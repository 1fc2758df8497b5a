"""The states of merge requests, for the cards in view: read in the background, and kept with the mirror.

An issue tells only how many merge requests it has, open or not, and nothing of it moves when one is merged or
a pipeline fails. So those of the cards in view are read while the program is in use: one request for all that
need it, when their issue changed, and again after a while. Owns when that is, and what is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

import msgspec

from glboard_core.errors import WRONG_VALUES, GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.merge_requests import KnownRequests, MergeRequest
from glboard_core.ports import Gateway
from glboard_core.purpose import with_purpose
from glboard_core.sync.events import ReadsChanged
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.timing import Timing

#: As many as are read with one request.
MOST_CARDS = 100
#: Seconds between two requests about the same issue, however often it changes.
LEAST = 15.0
#: The longest wait after failures, in requests_wait doubled.
_MOST_DOUBLED = 4
#: Change the prefix with the format, so that old entries are never read.
_KEY = "requests-1:"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KnownRequests).decode


class MergeRequestStates:
    """The merge requests that close the issues in view, as last read.

    ``ready`` waits until issues were read at all; ``in_use`` tells whether anybody looks.
    """

    def __init__(
        self,
        gateway: Gateway,
        local_state: LocalState,
        timing: Timing,
        *,
        emit: Callable[[ReadsChanged], None],
        ready: Callable[[], Awaitable[None]],
        in_use: Callable[[], bool],
        today: Callable[[], date],
    ) -> None:
        self._gateway = gateway
        self._local_state = local_state
        self._timing = timing
        self._emit = emit
        self._ready = ready
        self._in_use = in_use
        self._today = today
        self._cards: tuple[IssueId, ...] = ()
        self._known: dict[IssueId, KnownRequests] = {}
        #: What was looked up in the store already.
        self._recalled: set[IssueId] = set()
        self._moved = asyncio.Event()
        self._failures = 0

    def of(self, issue: IssueId) -> Sequence[MergeRequest]:
        """The merge requests of an issue, as far as they were read; not what has none any longer."""
        found = self._known.get(issue)
        return found.requests or () if found is not None else ()

    def look(self, cards: Sequence[IssueId]) -> None:
        """These cards are in view, the most important first."""
        chosen = tuple(dict.fromkeys(cards))[:MOST_CARDS]
        if chosen != self._cards:
            self._cards = chosen
            self._moved.set()

    def touch(self) -> None:
        """The program is in use again, or an issue in view changed."""
        self._moved.set()

    def learn(self, issue: Issue, requests: Sequence[MergeRequest] | None) -> None:
        """Keep what was read of an issue by whatever asked for it."""
        self._keep([issue], {issue.id: requests} if requests is not None else {})

    # The background

    async def run(self) -> None:
        """Read until cancelled. Failures lead to longer waits."""
        await self._ready()
        while True:
            self._moved.clear()
            self._recall()
            if (due := self._due()) and self._in_use() and not await self._read(due):
                await self._pause()
                continue
            await self._rest()

    async def _rest(self) -> None:
        """Until the view moved, and rests; or until something in view is old."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_to_wait()):
                await self._moved.wait()
        await asyncio.sleep(self._timing.view_rest)

    async def _pause(self) -> None:
        self._failures += 1
        doubled = 2.0 ** min(self._failures - 1, _MOST_DOUBLED)
        await asyncio.sleep(self._timing.requests_wait * doubled)

    def _seconds_to_wait(self) -> float | None:
        """Until the first of the cards in view is old; None if there is nothing to wait for."""
        now = self._gateway.now()
        waits = [
            (self._due_at(known) - now).total_seconds()
            for issue in self._issues()
            if (known := self._known.get(issue.id)) is not None
        ]
        # The program rests: whatever is due is read at the next key.
        return max(0.0, min(waits)) if waits and self._in_use() else None

    def _due_at(self, known: KnownRequests) -> datetime:
        timing = self._timing
        age = timing.settled_requests_age if known.is_settled else timing.requests_age
        return known.at + timedelta(seconds=age)

    def _issues(self) -> list[Issue]:
        """The issues in view that have merge requests, as GitLab has them."""
        confirmed = self._local_state.store.issues()
        found = (confirmed.get(card) for card in self._cards if not card.startswith("new:"))
        return [issue for issue in found if issue is not None and issue.merge_requests]

    def _due(self) -> list[Issue]:
        now = self._gateway.now()
        due: list[Issue] = []
        for issue in self._issues():
            known = self._known.get(issue.id)
            if known is None:
                due.append(issue)
                continue
            changed = not known.fits(issue) and now - known.at >= timedelta(seconds=LEAST)
            if changed or now >= self._due_at(known):
                due.append(issue)
        return due

    @with_purpose("requests")
    async def _read(self, issues: Sequence[Issue]) -> bool:
        """Read those of these issues; returns whether GitLab answered."""
        try:
            found = await self._gateway.merge_requests(issues)
        except (GlboardError, *WRONG_VALUES):
            return False
        self._failures = 0
        self._keep(issues, found)
        return True

    # What is kept

    def _keep(self, issues: Sequence[Issue], found: Mapping[IssueId, Sequence[MergeRequest]]) -> None:
        now = self._gateway.now()
        fresh = {
            issue.id: KnownRequests(
                issue=issue.id,
                at=now,
                updated_at=issue.updated_at,
                count=issue.merge_requests,
                requests=tuple(found[issue.id]) if issue.id in found else None,
            )
            for issue in issues
        }
        other = tuple(issue for issue, known in fresh.items() if known.requests != self._requests(issue))
        self._known |= fresh
        self._recalled |= fresh.keys()
        self._local_state.store.remember(
            {_KEY + issue: _encode(known) for issue, known in fresh.items()}, self._today()
        )
        if other:
            self._emit(ReadsChanged(other))

    def _requests(self, issue: IssueId) -> tuple[MergeRequest, ...] | None:
        known = self._known.get(issue)
        return known.requests if known is not None else None

    def _recall(self) -> None:
        """Look up what an earlier session, or another process, has kept of the cards in view."""
        wanted = [issue.id for issue in self._issues() if issue.id not in self._recalled]
        if not wanted:
            return
        self._recalled |= set(wanted)
        kept = self._local_state.store.recall([_KEY + issue for issue in wanted], self._today())
        found: list[IssueId] = []
        for body in kept.values():
            with suppress(msgspec.DecodeError):
                known = _decode(body)
                self._known[known.issue] = known
                found.append(known.issue)
        if found:
            self._emit(ReadsChanged(tuple(found)))
