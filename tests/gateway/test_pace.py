"""How fast requests go, who goes first, and how many changes one document takes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from gateway.worlds import NAMES, LoadedGateway, gateway
from glboard_core.board.operations import Edit
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import RateLimited
from glboard_core.gitlab import pace
from glboard_core.gitlab.batch_size import FIRST, MOST, BatchSize
from glboard_core.gitlab.pace import UNTOLD, Pace
from glboard_core.purpose import current, requests_for, with_purpose


class _Clock:
    """A clock that moves on when somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: self.now))
        sleeping = SimpleNamespace(**{name: getattr(asyncio, name) for name in ("Event", "timeout")})
        sleeping.sleep = self.sleep
        monkeypatch.setattr(pace, "asyncio", sleeping)

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """The clock of the pace."""
    return _Clock(monkeypatch)


FOREVER = float("inf")


async def test_no_more_than_the_limit_in_any_minute(clock: _Clock) -> None:
    one = Pace()
    started = clock.now
    for _ in range(UNTOLD):
        assert await one.turn("read", FOREVER) is None
    assert clock.now == started
    await one.turn("read", FOREVER)
    assert clock.now == started + 60.0
    # Not a burst of a minute's worth either: the window moves.
    for _ in range(UNTOLD - 1):
        await one.turn("read", FOREVER)
    assert clock.now == started + 60.0
    await one.turn("read", FOREVER)
    assert clock.now == started + 120.0


async def test_half_of_what_the_server_allows(clock: _Clock) -> None:
    one = Pace()
    one.allowed(None)
    assert one.per_minute == UNTOLD
    one.allowed(12)
    assert one.per_minute == 6
    one.allowed(1)
    assert one.per_minute == 1


async def test_the_background_leaves_room_for_a_person(clock: _Clock) -> None:
    one = Pace()
    one.allowed(80)
    for _ in range(30):
        await one.turn("reconcile", FOREVER)
    assert await one.turn("load", clock.now + 10) == pytest.approx(60.0)
    started = clock.now
    for _ in range(10):
        assert await one.turn("change", clock.now + 5) is None
    assert clock.now == started
    assert await one.turn("change", clock.now + 5) == pytest.approx(60.0)


async def test_the_background_yields_to_what_a_person_waits_for() -> None:
    one = Pace()
    order: list[str] = []

    async def reconcile() -> None:
        await one.turn("reconcile", FOREVER)
        order.append("reconcile")

    with one.urgent("read"):
        waiting = asyncio.create_task(reconcile())
        await one.turn("read", FOREVER)
        await asyncio.sleep(0)
        order.append("read")
    await waiting
    assert order == ["read", "reconcile"]
    # The background does not yield to itself.
    with one.urgent("history"):
        await one.turn("reconcile", FOREVER)


async def test_requests_of_the_last_hour_are_counted_by_purpose(clock: _Clock) -> None:
    one = Pace()
    for _ in range(3):
        await one.turn("poll", FOREVER)
    clock.now += 1_800
    await one.turn("change", FOREVER)
    assert one.last_hour == {"poll": 3, "change": 1}
    clock.now += 1_860
    assert one.last_hour == {"change": 1}


async def test_the_outermost_purpose_stays_and_passes_to_tasks() -> None:
    @with_purpose("poll")
    async def poll() -> str:
        return current()

    assert current() == "read"
    with requests_for("change"):
        assert await asyncio.create_task(poll()) == "change"
    assert await poll() == "poll"


async def test_a_change_that_would_wait_for_long_is_not_sent(context: LoadedGateway) -> None:
    transport = context.gateway._transport
    transport.pace.per_minute = 1
    transport.pace._count("read")
    with pytest.raises(RateLimited, match="at most 1 requests a minute"):
        await context.send(context.op("top/app#1", Edit(weight=8)))
    assert context.sent() == 0


async def test_a_gateway_counts_and_follows_the_servers_limit(server: DemoServer) -> None:
    server.limit(100)
    async with gateway(server) as one:
        await one.catalog(NAMES)
        assert sum(one.requests.values()) == len(server.requests)
        assert one._transport.pace.per_minute == 50


@pytest.mark.parametrize(
    ("measured", "size"),
    [
        ([], FIRST),
        ([(10, 2.2)], 10),  # within 2 to 3 seconds: it stays
        ([(10, 0.5)], 20),  # at most doubled at once
        ([(10, 1.9)], 13),
        ([(10, 0.1)] * 9, 20),  # only a full document shows that a larger one fits
        ([(10, 0.1), (20, 0.1), (40, 0.1), (60, 0.1)], MOST),
        ([(10, 5.0)], 5),
        ([(10, 60.0)], 2),  # at most to a quarter at once
        ([(1, 5.0)], FIRST),  # what one request costs says nothing of ten changes
        ([(10, 60.0), (2, 9.0), (1, 9.0)], 1),
    ],
)
def test_a_document_is_as_large_as_what_takes_two_to_three_seconds(
    measured: list[tuple[int, float]], size: int
) -> None:
    one = BatchSize()
    for calls, seconds in measured:
        one.answered(calls, seconds)
    assert one.most == size


def test_a_document_without_an_answer_halves_the_next() -> None:
    one = BatchSize()
    for _ in range(9):
        one.timed_out()
    assert one.most == 1
