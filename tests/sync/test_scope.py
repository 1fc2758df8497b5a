"""A mirror has one scope: another group label reloads it, and nothing of the old one is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from glboard_core.board.operations import Edit
from glboard_core.config import LabelSettings, Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.ports import Store
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import EngineNotice
from support.engines import GROUP_LABEL, HASTE, STILL, Session, build_world, gateway

OTHER = "type::feature"


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """app#1 has the other label in addition to the group's, app#2 instead of it."""
    world = build_world()
    world.edit("top/app#1", by="eng_1", add_labels=[OTHER])
    world.edit("top/app#2", by="eng_1", add_labels=[OTHER], remove_labels=[GROUP_LABEL])
    world.clock.advance(60)
    async with DemoServer(world) as running:
        yield running


@asynccontextmanager
async def desk_of(
    server: DemoServer, store: Store, label: str, *, running: bool = True
) -> AsyncIterator[Session]:
    """A session with that group label."""
    async with gateway(server) as one:
        engine = Engine(one, store, Settings(sync=STILL, labels=LabelSettings(group=label)), timing=HASTE)
        context = Session(engine, server)
        if not running:
            yield context
            return
        context.task = asyncio.create_task(engine.run())
        await context.until(lambda: engine.verified)
        await context.settled()
        yield context
        context.task.cancel()
        with suppress(asyncio.CancelledError):
            await context.task


def names(context: Session) -> set[str]:
    """The issues of app that are shown."""
    return {f"app#{i.iid}" for i in context.engine.shown.values() if i.project == "top/app"}


async def test_another_group_label_reloads_everything(server: DemoServer, store: Store) -> None:
    async with desk_of(server, store, GROUP_LABEL) as context:
        assert names(context) == {f"app#{n}" for n in range(1, 13)} - {"app#2"}
    async with desk_of(server, store, OTHER, running=False) as context:
        # The first frame, before any request: the issues that match, and no age.
        assert names(context) == {"app#1"}
        assert context.engine.status.age is None
    async with desk_of(server, store, OTHER) as context:
        assert names(context) == {"app#1", "app#2"}
        assert context.engine.status.freshness == "live"
    # And back, with a EngineNotice; unchanged, it is read as usual.
    async with desk_of(server, store, GROUP_LABEL) as context:
        assert len(names(context)) == 11
        assert any("label changed" in notice.text for notice in context.told(EngineNotice))
    server.requests.clear()
    async with desk_of(server, store, GROUP_LABEL) as context:
        assert len(names(context)) == 11
        assert context.told(EngineNotice) == []


async def test_no_label_is_the_whole_group(server: DemoServer, store: Store) -> None:
    async with desk_of(server, store, GROUP_LABEL):
        pass
    async with desk_of(server, store, "") as context:
        assert names(context) == {f"app#{n}" for n in range(1, 13)}


async def test_an_interrupted_reload_starts_again(server: DemoServer, store: Store) -> None:
    async with desk_of(server, store, GROUP_LABEL):
        pass
    async with desk_of(server, store, OTHER, running=False):
        pass  # ended before the server was asked
    async with desk_of(server, store, OTHER) as context:
        assert names(context) == {"app#1", "app#2"}


async def test_outbox_and_log_are_kept(server: DemoServer, store: Store) -> None:
    async with desk_of(server, store, GROUP_LABEL) as context:
        context.edit("app#3", weight=4)
        await context.settled()
    async with desk_of(server, store, GROUP_LABEL, running=False) as context:
        context.engine.perform([(context.issue("app#4").id, Edit(weight=7))], "weight 7")
    async with desk_of(server, store, OTHER) as context:
        assert context.there("app#4").weight == 7
        assert names(context) == {"app#1", "app#2"}
        assert [line.title for line in context.engine.store.log()] == ["weight 7", "test"]
