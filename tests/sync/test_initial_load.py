"""The initial load: the visible board comes first, and shows what is not known yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from glboard_core.board.columns import CLOSED, UNLISTED
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.clock import DAY
from glboard_core.errors import ServerFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Store
from glboard_core.sync import initial_load
from glboard_core.sync.events import StatusChanged
from support.engines import GROUP_LABEL, Session, session

BUG, FEATURE = "type::bug", "type::feature"


class Held:
    """A process whose pages wait until a test releases them."""

    def __init__(self, made: Session) -> None:
        self.session = made
        self.engine = made.engine
        self.asked: list[IssueQuery] = []
        self.open = asyncio.Event()
        #: Queries with these labels are held back even so.
        self.shut: set[str] = set()
        #: And so are those for the rest of the scope.
        self.shut_rest = False
        self.shut_open = asyncio.Event()
        self._pages = made.engine.gateway.pages
        made.engine.gateway.pages = self._held  # type: ignore[method-assign]

    async def _held(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        self.asked.append(query)
        await self.open.wait()
        async for page in self._pages(query):
            if self.shut & set(query.labels) or (self.shut_rest and query.milestone is None):
                await self.shut_open.wait()
            yield page

    def unread(self) -> set[str]:
        if self.engine.catalog is None:
            return {"everything"}
        board = self.engine.board("planning", "19.7")
        keys = [*(column.key for column in board.columns), UNLISTED, CLOSED]
        unread = self.engine.initial_load.unread(board)
        return {key for key in keys if key in unread}


@pytest.fixture
async def held(server: DemoServer, store: Store) -> AsyncIterator[Held]:
    async with session(server, store, running=False) as made:
        made.engine.look("planning", "19.7")
        yield Held(made)


@asynccontextmanager
async def loading_of(held: Held) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(held.engine.poller.load())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_visible_columns_are_read_concurrently_and_first(held: Held) -> None:
    async with loading_of(held) as task:
        await held.session.until(lambda: len(held.asked) == 4)
        assert {query.milestone for query in held.asked} == {"19.7"}
        assert {BUG, FEATURE} <= {label for query in held.asked for label in query.labels}
        assert held.unread() == {BUG, FEATURE, "type::maintenance", UNLISTED, CLOSED}
        held.open.set()
        await task
    assert [query.milestone for query in held.asked[4:]] == [None, None]
    assert held.unread() == set()
    assert held.engine.initial_load.complete
    assert len(held.engine.shown) == 14


async def test_a_column_is_complete_before_the_others(held: Held) -> None:
    held.shut = {FEATURE}
    held.open.set()
    async with loading_of(held) as task:
        await held.session.until(lambda: held.unread() == {FEATURE, CLOSED})
        assert not held.engine.initial_load.complete
        held.shut_open.set()
        await task


async def test_a_long_column_comes_with_the_rest(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first pages fill the screen; reading all of it twice would only delay everything else."""
    monkeypatch.setattr(initial_load, "FIRST_PAGES", 1)
    held.engine.gateway._runner.page_size = 5  # type: ignore[attr-defined]
    held.open.set()

    async with loading_of(held) as task:
        await held.session.until(lambda: any(query.milestone is None for query in held.asked))
        assert held.unread() == {BUG, CLOSED}
        await task
    assert held.unread() == set()


async def test_another_visible_board_is_read_during_the_load(held: Held) -> None:
    held.shut_rest = True
    held.open.set()
    build = ("build", None)
    async with loading_of(held) as task:
        await held.session.until(lambda: held.unread() == {CLOSED})
        board = held.engine.board(*build)
        assert UNLISTED in held.engine.initial_load.unread(board)
        held.engine.look(*build)
        await held.session.until(lambda: UNLISTED not in held.engine.initial_load.unread(board))
        assert not held.engine.initial_load.complete
        held.shut_open.set()
        await task


async def test_issues_are_counted_once(held: Held) -> None:
    held.open.set()
    await held.engine.poller.load()
    told = [event.status for event in held.session.told(StatusChanged)]
    assert {status.total for status in told if status.total} == {14}
    assert max(status.loaded for status in told) == 14
    assert len(held.session.server.requests.of("Counts")) == 1


async def test_a_server_that_cannot_count_is_read_anyway(held: Held) -> None:
    async def count(queries: object) -> list[int]:
        raise ServerFailed("too much to count")

    held.engine.gateway.count = count  # type: ignore[method-assign]
    held.open.set()
    await held.engine.poller.load()
    assert len(held.engine.shown) == 14
    assert held.engine.status.total == 0


async def test_a_large_scope_is_read_in_parts_at_once(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each issue is read, and none of them twice, whatever moves in the manual order meanwhile."""
    monkeypatch.setattr(initial_load, "LARGE", 10)
    monkeypatch.setattr(initial_load, "LEAST_PART", 4)
    world = server.world
    for n in range(13, 61):
        issue = world.create("top/app", f"Issue {n}", by="eng_1", add_labels=[GROUP_LABEL])
        issue.created -= n * n * DAY // 4
        if n % 4 == 0:
            world.edit(issue.reference, by="eng_1", close=True)
    world.index.rebuild()
    async with session(server, running=False) as made:
        made.engine.gateway._runner.page_size = 3  # type: ignore[attr-defined]
        pages, at_once, most = made.engine.gateway.pages, 0, 0
        read: list[IssueId] = []

        async def counted(query: IssueQuery) -> AsyncIterator[list[Issue]]:
            nonlocal at_once, most
            found = aiter(pages(query))
            while True:
                at_once += 1
                most = max(most, at_once)
                page = await anext(found, None)
                at_once -= 1
                if page is None:
                    return
                read.extend(issue.id for issue in page)
                world.move("top/app#1", after=f"top/app#{len(read) % 12 + 2}")
                yield page

        made.engine.gateway.pages = counted  # type: ignore[method-assign]
        await made.engine.poller.load()
        assert len(read) == len(set(read)) == len(made.engine.shown) == 62
        assert 2 <= most <= initial_load.CONCURRENT
        told = [event.status for event in made.told(StatusChanged)]
        assert max(status.loaded for status in told) == max(status.total for status in told) == 62


async def test_an_interrupted_load_is_not_complete(server: DemoServer, store: Store) -> None:
    async with session(server, store, running=False) as made:
        held = Held(made)
        made.engine.look("planning", "19.7")
        held.shut = {FEATURE}
        held.open.set()
        async with loading_of(held):
            await made.until(lambda: held.unread() == {FEATURE, CLOSED})
    async with session(server, store, running=False) as again:
        assert not again.engine.initial_load.complete
        assert BUG in again.engine.initial_load.unread(again.engine.board("planning", "19.7"))
