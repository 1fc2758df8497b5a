"""The age of the mirror: correct from the start of a session, also offline and with wrong clocks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from glboard_core.config import Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Account, Secret
from glboard_core.ports import Store
from glboard_core.session import EngineOptions, open_engine
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync import status as age_module
from glboard_core.sync.events import StatusChanged
from glboard_core.sync.status import CAUGHT_UP, MirrorAge
from support.engines import GROUP, STILL, Session, eventually, session

HOURS = 3_600.0
HOUR = timedelta(hours=1)


class Clocks:
    """Adjustable clocks of this machine and the server."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.steady = 100.0
        #: The server's clock minus this machine's, and the offset known before the server answers.
        self.offset = timedelta()

    def now(self) -> datetime:
        """The server's clock."""
        return datetime.fromtimestamp(self.wall, UTC) + self.offset

    def pass_(self, seconds: float) -> None:
        """Advance all clocks."""
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks that the age uses."""
    made = Clocks()

    class Time:
        time = staticmethod(lambda: made.wall)
        monotonic = staticmethod(lambda: made.steady)

    monkeypatch.setattr(age_module, "time", Time)
    return made


def aged(store: Store, clocks: Clocks) -> MirrorAge:
    """An age at the start of a session."""
    return MirrorAge(store, clocks.now)


def test_the_age_survives_a_restart(clocks: Clocks) -> None:
    store = SqliteStore(":memory:")
    first = aged(store, clocks)
    assert first.seconds is None
    first.caught_up()
    clocks.pass_(2 * HOURS)
    assert first.seconds == aged(store, clocks).seconds == 2 * HOURS


def test_a_wrong_clock_is_corrected_once_the_server_has_answered(clocks: Clocks) -> None:
    store = SqliteStore(":memory:")
    # This machine is an hour fast, and is then corrected; the server answers, but without issues.
    clocks.offset = -HOUR
    aged(store, clocks).caught_up()
    clocks.pass_(3 * HOURS)
    clocks.wall -= HOURS
    clocks.offset = timedelta()
    assert aged(store, clocks).seconds == 3 * HOURS


def test_a_clock_set_back_gives_no_age_rather_than_a_false_one(clocks: Clocks) -> None:
    store = SqliteStore(":memory:")
    aged(store, clocks).caught_up()
    clocks.wall -= 24 * HOURS
    assert aged(store, clocks).seconds is None


def test_time_asleep_counts(clocks: Clocks) -> None:
    here = aged(SqliteStore(":memory:"), clocks)
    here.caught_up()
    clocks.wall += 8 * HOURS  # the steady clock stands still meanwhile
    assert here.seconds == 8 * HOURS
    clocks.wall -= 24 * HOURS
    clocks.steady += 60
    assert here.seconds == 60


def test_the_age_is_saved_periodically_and_at_the_end(clocks: Clocks) -> None:
    store = SqliteStore(":memory:")
    here = aged(store, clocks)
    here.caught_up()
    clocks.pass_(10)
    here.caught_up()
    clocks.pass_(5)
    assert aged(store, clocks).seconds == 15  # older than true, never younger
    here.keep()
    assert aged(store, clocks).seconds == 5


def test_a_later_time_of_another_process_is_kept(clocks: Clocks) -> None:
    store = SqliteStore(":memory:")
    one, two = aged(store, clocks), aged(store, clocks)
    one.caught_up()
    clocks.pass_(100)
    two.caught_up()
    one.keep()
    assert aged(store, clocks).seconds == 0


def test_nonsense_on_disk_is_no_age(clocks: Clocks) -> None:
    store = SqliteStore(":memory:")
    for nonsense in (b"", b"\xff\xfe", b"yesterday"):
        store.put_meta(CAUGHT_UP, nonsense)
        assert aged(store, clocks).seconds is None


def older(store: Store, **by: Any) -> None:
    """Make the data in the store older."""
    kept = store.meta(CAUGHT_UP)
    assert kept
    moment = datetime.fromisoformat(kept.decode()) - timedelta(**by)
    store.put_meta(CAUGHT_UP, moment.isoformat().encode())


async def test_a_start_shows_the_age_of_the_mirror(server: DemoServer, tmp_path: Path) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    settings = Settings(sync=STILL)
    who = Account(url=server.url, token=Secret(server.token))
    async with open_engine(place, settings, account=who) as engine:
        await engine.poller.load()
        older(engine.store, hours=2)
        # The server's clock is days off this machine's: only the difference may count.
        assert abs((engine.now() - datetime.now(UTC)).total_seconds()) > HOURS
    async with open_engine(place, settings, account=who) as engine:
        assert engine.status.freshness == "cached"
        assert engine.status.age == pytest.approx(2 * HOURS, abs=60)


@pytest.mark.slow
async def test_an_offline_start_shows_the_age(server: DemoServer, tmp_path: Path) -> None:
    place = EngineOptions(group=GROUP, folder=tmp_path)
    settings = Settings(sync=STILL)
    who = Account(url=server.url, token=Secret(server.token))
    async with open_engine(place, settings, account=who) as engine:
        await engine.poller.load()
        older(engine.store, days=3)
    await asyncio.to_thread(server.stop)
    async with open_engine(place, settings, account=who) as engine:
        context = Session(engine, server)
        running = asyncio.create_task(engine.run())
        await eventually(lambda: engine.status.freshness == "offline")
        assert engine.status.age == pytest.approx(72 * HOURS, abs=60)
        await asyncio.to_thread(server.start)
        engine.refresh()
        await eventually(lambda: engine.status.freshness == "live")
        assert engine.status.age == pytest.approx(0, abs=60)
        # It stayed cached, not "loading", until it was up to date: there was something to show.
        assert "loading" not in {event.status.freshness for event in context.told(StatusChanged)}
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_an_answer_to_a_change_does_not_reset_the_age(server: DemoServer, store: Store) -> None:
    async with session(server, store) as context:
        kept = store.meta(CAUGHT_UP)
        server.world.clock.advance(100)
        context.edit("app#1", weight=5)
        await context.settled()
        context.engine._age.keep()
        assert store.meta(CAUGHT_UP) == kept


async def test_an_interrupted_load_leaves_no_age(server: DemoServer, store: Store) -> None:
    server.faults.next("500", "Issues", times=9999)
    async with session(server, store, loaded=False) as context:
        await context.until(lambda: context.engine.status.freshness == "offline")
        assert context.engine.status.age is None
    assert not store.meta(CAUGHT_UP)
