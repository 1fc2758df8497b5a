"""The composition root: whose file is opened, and what happens if none can be."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from glboard_core.board.operations import Edit
from glboard_core.config import Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.errors import ConnectionFailed, StoreFailed
from glboard_core.gitlab.account import Account, Secret
from glboard_core.model.issue import IssueId
from glboard_core.session import EngineOptions, open_engine
from glboard_core.store.database import state_file
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine, UserChangedError
from glboard_core.sync.events import EngineNotice
from support.engines import GROUP, ME, STILL, eventually, session, settled

SETTINGS = Settings(sync=STILL)


def account(server: DemoServer, user: str | None = None) -> Account:
    """The owner's account, or another person's."""
    return Account(url=server.url, token=Secret(server.token_for(user) if user else server.token))


def issue(engine: Engine, reference: str) -> IssueId:
    """The id of an issue as shown."""
    return next(found.id for found in engine.shown.values() if found.reference == reference)


async def run(place: EngineOptions, who: Account) -> None:
    """Open an engine that has something to send, and run it."""
    async with open_engine(place, SETTINGS, account=who) as engine:
        assert len(engine.outbox) == 1
        await engine.run()


async def stop(running: asyncio.Task[None]) -> None:
    """Stop the background tasks."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_the_next_session_sends_the_outbox(server: DemoServer, tmp_path: Path) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        await engine.poller.load()
        # Never run: as if it had ended before anything was sent.
        engine.perform([(issue(engine, "top/app#1"), Edit(weight=5))], "weight 5")
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        assert engine.shown[issue(engine, "top/app#1")].weight == 5
        notices: list[str] = []
        engine.listen(lambda event: notices.append(event.text) if isinstance(event, EngineNotice) else None)
        running = asyncio.create_task(engine.run())
        await eventually(lambda: engine.status.unsent == 0)
        assert notices == ["Sending 1 change from the last session ..."]
        await stop(running)
    assert server.world.issue("top/app#1").weight == 5


async def test_undo_after_a_restart_offline_withdraws_what_is_not_sent_yet(
    server: DemoServer, tmp_path: Path
) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        await engine.poller.load()
        engine.perform([(issue(engine, "top/app#2"), Edit(weight=2))], "weight 2")
        running = asyncio.create_task(engine.run())
        await eventually(lambda: engine.status.unsent == 0)
        await stop(running)
        # From here on nothing is sent.
        engine.perform([(issue(engine, "top/app#1"), Edit(weight=5))], "weight 5")
        engine.perform([(issue(engine, "top/app#1"), Edit(weight=7))], "weight 7")
    undone = []
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        while (group := engine.undoing.undo()) is not None:
            undone.append(group.title)
        assert engine.shown[issue(engine, "top/app#1")].weight == 1
        assert engine.shown[issue(engine, "top/app#2")].weight == 1
    assert undone == ["weight 7", "weight 5", "weight 2"]


async def test_another_users_outbox_is_never_sent(server: DemoServer, tmp_path: Path) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        await engine.poller.load()
        engine.perform([(issue(engine, "top/app#1"), Edit(weight=5))], "weight 5")
    server.requests.clear()
    with pytest.raises(UserChangedError):
        await run(place, account(server, "eng_1"))
    assert sum(record.mutations for record in server.requests) == 0
    # The next start opens that person's own file; the first one's change waits in the other.
    async with open_engine(place, SETTINGS, account=account(server, "eng_1")) as engine:
        assert len(engine.outbox) == 0
        running = asyncio.create_task(engine.run())
        await eventually(lambda: engine.verified)
        await settled(engine)
        await stop(running)
    assert server.world.issue("top/app#1").weight == 1
    store = SqliteStore(state_file(tmp_path, server.url, GROUP, ME))
    assert len(store.outbox()) == 1
    store.close()


async def test_an_unusable_folder_refuses_edits_and_shows_the_board(
    server: DemoServer, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    place = EngineOptions(group=GROUP, folder=tmp_path / "state")
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        assert not engine.store.durable
        notices: list[str] = []
        engine.listen(lambda event: notices.append(event.text) if isinstance(event, EngineNotice) else None)
        running = asyncio.create_task(engine.run())
        await eventually(lambda: len(engine.shown) == 14)
        await settled(engine)
        with pytest.raises(StoreFailed):
            engine.perform([(issue(engine, "top/app#1"), Edit(weight=5))], "weight 5")
        assert any("Cannot save changes" in text for text in notices)
        await stop(running)
    assert server.world.issue("top/app#1").weight == 1


@pytest.mark.slow
async def test_a_first_start_without_a_server_is_reported(server: DemoServer, tmp_path: Path) -> None:
    await asyncio.to_thread(server.stop)
    with pytest.raises(ConnectionFailed):
        async with open_engine(
            EngineOptions(group=GROUP, folder=tmp_path), SETTINGS, account=account(server)
        ):
            pass
    await asyncio.to_thread(server.start)


async def test_a_damaged_list_of_users_costs_a_request(server: DemoServer, tmp_path: Path) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        await engine.poller.load()
    (tmp_path / "users.json").write_bytes(b'{"half a')
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        assert len(engine.shown) == 14
    assert (tmp_path / "users.json").stat().st_mode & 0o077 == 0


async def test_a_renamed_group_keeps_its_state_file(server: DemoServer, tmp_path: Path) -> None:
    async with open_engine(
        EngineOptions(group=GROUP, folder=tmp_path), SETTINGS, account=account(server)
    ) as engine:
        await engine.poller.load()
        upheavals.rename_group(server.world, server.world.root, "summit")
        await engine.names.read()
    # Under its old path, and under the new one that the configuration is to have.
    for path in (GROUP, "summit"):
        place = EngineOptions(group=path, folder=tmp_path)
        async with open_engine(place, SETTINGS, account=account(server)) as engine:
            assert issue(engine, "summit/app#1") in engine.shown
            await engine.poller._start()
    assert len(list(tmp_path.glob("*.sqlite3"))) == 1


async def test_the_clock_offset_of_the_last_session_is_used_at_first(
    server: DemoServer, tmp_path: Path
) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        await engine.poller.load()
        there = server.world.clock.moment()
    await asyncio.to_thread(server.stop)
    async with open_engine(place, SETTINGS, account=account(server)) as engine:
        assert abs((engine.now() - there).total_seconds()) < 60
    await asyncio.to_thread(server.start)


async def test_damage_found_after_the_start_refuses_edits_and_is_reported(server: DemoServer) -> None:
    class Damaged(SqliteStore):
        def check(self) -> StoreFailed:
            return StoreFailed("The state file is damaged.", hint="Start again.")

    async with session(server, Damaged(":memory:")) as context:
        await context.until(lambda: context.engine.save_error is not None)
        assert any("damaged" in notice.text for notice in context.told(EngineNotice))
        with pytest.raises(StoreFailed):
            context.edit("app#1", weight=5)
