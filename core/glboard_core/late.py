"""A gateway that is imported on first use: the network stack takes longer to load than the board.

Owns only the delay. Until the first answer its clock is this machine's, corrected by the server's offset in
the last session.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from glboard_core.board.operations import Op, OpId
from glboard_core.model.catalog import Catalog
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue, IssueDetail, IssueId, Note, Reference
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway, Outcome, Placed


class LateGateway:
    """``ports.Gateway``, forwarded to the one ``make`` builds; ``module`` is imported in a thread first.

    ``offset`` is the server's clock minus this machine's.
    """

    def __init__(self, module: str, make: Callable[[], Gateway], offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self._module = module
        self._make = make
        #: A catalog that was read ahead of the first call to ``catalog``.
        self._met: Catalog | None = None
        self._gateway: Gateway | None = None
        self._lock = asyncio.Lock()
        self._answered = False

    async def _real(self) -> Gateway:
        async with self._lock:
            if self._gateway is None:
                await asyncio.to_thread(importlib.import_module, self._module)
                self._gateway = self._make()
        return self._gateway

    @property
    def remaining(self) -> float | None:
        """The share of the rate limit that is left, if known."""
        return self._gateway.remaining if self._gateway else None

    def now(self) -> datetime:
        """The server's clock in UTC."""
        if self._gateway is not None and self._answered:
            return self._gateway.now()
        return datetime.now(UTC) + self.offset

    async def meet(self) -> Catalog:
        """Read the catalog to learn the current user; the next call to ``catalog`` returns it."""
        self._met = await self.catalog()
        return self._met

    async def catalog(self) -> Catalog:
        """See ``ports.Gateway``, as for all methods below."""
        if self._met is not None:
            met, self._met = self._met, None
            return met
        found = await (await self._real()).catalog()
        self._answered = True
        return found

    async def extend_catalog(self, catalog: Catalog, projects: Iterable[str]) -> Catalog:
        """Labels and milestones of projects."""
        return await (await self._real()).extend_catalog(catalog, projects)

    async def pages(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        """Issues page by page."""
        async for page in (await self._real()).pages(query):
            yield page

    async def count(self, queries: Sequence[IssueQuery]) -> int:
        """Number of issues."""
        return await (await self._real()).count(queries)

    async def placements(self, labels: tuple[str, ...]) -> AsyncIterator[list[Placed]]:
        """Slim rows for reconcile."""
        async for page in (await self._real()).placements(labels):
            yield page

    async def read(self, issues: Sequence[IssueId]) -> Mapping[IssueId, Issue]:
        """Issues by id."""
        return await (await self._real()).read(issues)

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """Issues by reference."""
        return await (await self._real()).find(references)

    async def note_of(self, issue: IssueId, op: OpId) -> str | None:
        """The note a Comment Op created."""
        return await (await self._real()).note_of(issue, op)

    async def marked_note(self, issue: IssueId, mark: str, author: str) -> Note | None:
        """The note a NoteWrite Op wrote."""
        return await (await self._real()).marked_note(issue, mark, author)

    async def events(
        self, issues: Sequence[Issue], kinds: Iterable[EventKind]
    ) -> Mapping[IssueId, Sequence[Event]]:
        """Events of issues."""
        return await (await self._real()).events(issues, kinds)

    async def created_by(self, op: Op) -> Issue | None:
        """The issue a Create Op created."""
        return await (await self._real()).created_by(op)

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes."""
        return await (await self._real()).detail(issue)

    async def send(
        self, ops: Sequence[Op], shown: Mapping[IssueId, Issue], catalog: Catalog
    ) -> list[Outcome]:
        """Send the changes."""
        return await (await self._real()).send(ops, shown, catalog)

    async def close(self) -> None:
        """Close connections, if there are any."""
        if self._gateway is not None:
            await self._gateway.close()
