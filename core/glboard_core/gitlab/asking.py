"""Runs queries: one query, or page by page, in the dialect of the server.

Owns page sizes (halved for good when a page is too heavy), the fallback to fewer fields, and bounded
concurrency. It must not know what the answers mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec import Struct, structs

from glboard_core.errors import GlboardError, GroupNotFound, QueryRefused, ServerFailed, TimedOut
from glboard_core.gitlab import queries
from glboard_core.gitlab.decode import Page, User
from glboard_core.gitlab.graphql import FieldMissing, TooComplex, complete, opened, request
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.http_errors import token_rejected
from glboard_core.gitlab.queries import Dialect
from glboard_core.gitlab.text import line
from glboard_core.model.catalog import Server

T = TypeVar("T")
R = TypeVar("R")

#: Builds a document for a dialect.
Build = str | Callable[[Dialect], str]

#: The smallest page size.
SMALLEST = 10
#: Above this size, a failing page is requested in a smaller size rather than retried many times.
_HEAVY = 25


class Metadata(Struct, frozen=True):
    """The server's version and edition."""

    version: str
    enterprise: bool = True


class About(Struct, frozen=True, rename="camel"):
    """Answer to ``queries.about``."""

    metadata: Metadata | None = None
    current_user: User | None = None


class QueryRunner:
    """Runs queries on one server."""

    def __init__(self, transport: Transport, server: Server | None = None) -> None:
        self.transport = transport
        self.host = transport.account.host
        #: Nodes per page; shrinks for good when the server cannot handle it.
        self.page_size = queries.PAGE
        self._dialect = queries.dialect_of(server) if server is not None and server.version else None
        self._learning = asyncio.Lock()

    async def ask(
        self, document: str, variables: Mapping[str, object], kind: type[T], *, heavy: bool = False
    ) -> T:
        """The data of one answer. Raises AuthError, ConnectionFailed, QueryRefused."""
        raw = await self.transport.read(request(document, variables), heavy=heavy)
        return complete(opened(raw, kind, self.host), self.host)

    async def pages(
        self,
        build: Build,
        variables: Mapping[str, object],
        kind: type[T],
        pick: Callable[[T], Page[R]],
        *,
        after: str | None = None,
    ) -> AsyncIterator[list[R]]:
        """The nodes of a connection, page by page, from the cursor ``after`` on. Raises as ``ask``."""
        cursors: set[str] = set()
        while True:
            page = await self._page(build, {**variables, "after": after}, kind, pick)
            yield page.items()
            after = page.page_info.end_cursor
            # A repeated cursor would loop forever.
            if not page.page_info.has_next_page or after is None or after in cursors:
                return
            cursors.add(after)

    async def _page(
        self,
        build: Build,
        variables: Mapping[str, object],
        kind: type[T],
        pick: Callable[[T], Page[R]],
    ) -> Page[R]:
        while True:
            size = self.page_size
            try:
                return pick(await self.speak(build, {**variables, "first": size}, kind, heavy=size > _HEAVY))
            except TooComplex:
                if size <= SMALLEST:
                    raise
            except (TimedOut, ServerFailed):
                if size <= _HEAVY:
                    raise
            self.page_size = min(self.page_size, max(SMALLEST, size // 2))

    async def speak(
        self,
        build: Build,
        variables: Mapping[str, object],
        kind: type[T],
        *,
        heavy: bool = False,
    ) -> T:
        """Like ``ask``, with a document in the server's dialect; adapts when a field is missing."""
        if isinstance(build, str):
            return await self.ask(build, variables, kind, heavy=heavy)
        while True:
            dialect = await self.dialect()
            try:
                return await self.ask(build(dialect), variables, kind, heavy=heavy)
            except FieldMissing as missing:
                if not self.lacks(missing.field, dialect):
                    raise

    async def dialect(self) -> Dialect:
        """The server's dialect, requested once."""
        if self._dialect is None:
            async with self._learning:
                if self._dialect is None:
                    about = await self.ask(queries.about(), {}, About)
                    self.learn(server_of(about.metadata, about.current_user, self.host))
        assert self._dialect is not None
        return self._dialect

    def learn(self, server: Server) -> None:
        """Use this server's dialect; a field once found missing stays missing."""
        known = queries.dialect_of(server)
        if self._dialect is not None:
            known = Dialect(
                ee=known.ee and self._dialect.ee,
                status=known.status and self._dialect.status,
                modern=known.modern and self._dialect.modern,
            )
        self._dialect = known

    def lacks(self, field: str, used: Dialect) -> bool:
        """Record that ``field`` is missing; returns whether a dialect other than ``used`` may work."""
        if self._dialect != used:
            return True
        if field in ("weight", "blocked", "blockedByIssues") and used.ee:
            self._dialect = structs.replace(used, ee=False, status=False)
        elif field == "status" and used.status:
            self._dialect = structs.replace(used, status=False)
        elif field == "adminIssue" and used.modern:
            self._dialect = structs.replace(used, modern=False)
        else:
            return False
        return True

    @property
    def has_weight(self) -> bool:
        """Whether the fields of EE exist, as far as known."""
        return self._dialect is None or self._dialect.ee


def server_of(metadata: Metadata | None, user: User | None, host: str) -> Server:
    """The server as it describes itself. Raises TokenRejected if it does not recognise us."""
    if user is None:
        raise token_rejected(host)
    if metadata is None:
        raise QueryRefused(
            f"{host} does not report its GitLab version.", hint="The token needs the scope read_api or api."
        )
    return Server(
        version=line(metadata.version), enterprise=metadata.enterprise, has_weight=metadata.enterprise
    )


def group_missing(group: str, host: str) -> GroupNotFound:
    """The group does not exist, or is hidden from us."""
    return GroupNotFound(
        f"Group “{group}” not found on {host}, or the token has no access to it.",
        hint="Use its full path, such as company/team, and check that you are a member.",
    )


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first GlboardError cancels the rest and is raised alone, not in a group."""
    failed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except* GlboardError as problems:
        failed = problems
        while isinstance(failed, BaseExceptionGroup):
            failed = failed.exceptions[0]
    if failed is not None:
        raise failed


async def side_by_side(jobs: Iterable[Callable[[], Coroutine[Any, Any, T]]], most: int) -> list[T]:
    """The results in order, with at most ``most`` running at once. Raises the first error."""
    gate = asyncio.Semaphore(most)

    async def one(job: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with gate:
            return await job()

    async with together() as group:
        tasks = [group.create_task(one(job)) for job in jobs]
    return [task.result() for task in tasks]
