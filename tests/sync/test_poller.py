"""Polling: changes by others are seen, issues that left are removed, stale answers are ignored."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from glboard_core.demo.http.server import DemoServer
from glboard_core.ports import Store
from glboard_core.sync.events import IssuesChanged
from support.engines import BRISK, GROUP_LABEL, QUICK, Session, build_world, session


async def test_everything_in_scope_is_loaded(context: Session) -> None:
    assert len(context.engine.shown) == 14
    assert context.engine.status.freshness == "live"
    assert context.issue("app#3").milestone == "19.7"
    assert "lib-only" in context.issue("lib#1").labels


async def test_changes_by_others_are_seen_and_marked(context: Session) -> None:
    context.world.edit("top/app#2", by="eng_1", weight=5, add_labels=["Deliverable"])
    context.world.create("top/app", "Fresh", by="eng_1", add_labels=[GROUP_LABEL])
    await context.refreshed()
    assert context.issue("app#2").weight == 5
    assert context.issue("app#13").title == "Fresh"
    [event] = context.told(IssuesChanged)[-1:]
    assert event.cause == "theirs"
    assert len(event.changes) == 2


async def test_the_poll_sees_issues_leave_the_scope(context: Session) -> None:
    context.world.edit("top/app#2", by="eng_1", remove_labels=[GROUP_LABEL])
    await context.refreshed()
    assert not context.known("app#2")


async def test_reconcile_sees_deletions_and_new_order(context: Session) -> None:
    context.world.delete("top/app#4")
    context.world.move("top/app#9", before="top/app#1")
    await context.refreshed()
    assert context.known("app#4")
    assert context.issue("app#9").position == 4500
    await context.engine.poller.reconcile()
    assert not context.known("app#4")
    place = context.issue("app#9").position
    assert place is not None
    assert place < (context.issue("app#1").position or 0)


async def test_reconcile_finds_what_polls_missed(context: Session) -> None:
    # As if it had been made unnoticed, with a time before the cursor.
    issue = context.world.create("top/app", "Old", by="eng_1", add_labels=[GROUP_LABEL])
    issue.updated -= 3_600_000_000
    context.world.index.rebuild()
    await context.engine.poller.reconcile()
    assert context.known("app#13")


async def test_a_stale_page_does_not_revert_a_change(context: Session) -> None:
    """A poll is sent, an edit is made and answered, and only then does the poll's answer arrive."""
    gateway = context.engine.gateway
    read = asyncio.Event()
    go_on = asyncio.Event()
    pages = gateway.pages

    async def late(query: Any) -> Any:
        async for page in pages(query):
            read.set()
            await go_on.wait()
            yield page

    # The page contains another person's change, so that the poll returns this issue.
    context.world.edit("top/app#1", by="eng_1", title="Renamed")
    gateway.pages = late  # type: ignore[method-assign]
    polling = asyncio.create_task(context.engine.poller.poll())
    await read.wait()
    gateway.pages = pages  # type: ignore[method-assign]
    context.engine.poller._polled = asyncio.get_running_loop().time()  # nothing to freshen: it was just asked
    context.edit("app#1", weight=8)
    await context.until(lambda: not len(context.engine.outbox))
    go_on.set()
    await polling
    assert context.issue("app#1").weight == 8
    # And the content of the stale page is not lost.
    await context.refreshed()
    assert context.issue("app#1").title == "Renamed"
    assert context.issue("app#1").weight == 8


async def test_stale_pages_do_not_remove_a_new_issue(context: Session) -> None:
    """Pages requested before an issue was created do not contain it; it must not be removed for that."""
    gateway = context.engine.gateway
    pages = gateway.pages
    made = asyncio.Event()
    asked = asyncio.Event()

    async def late(query: Any) -> Any:
        found = [page async for page in pages(query)]
        asked.set()
        await made.wait()
        for page in found:
            yield page

    gateway.pages = late  # type: ignore[method-assign]
    loading = asyncio.create_task(context.engine.poller.load())
    await asked.wait()
    gateway.pages = pages  # type: ignore[method-assign]
    context.engine.poller._polled = asyncio.get_running_loop().time() + 60
    context.create("Brand new")
    await context.until(lambda: not len(context.engine.outbox))
    before = len(context.told(IssuesChanged))
    made.set()
    await loading
    gone = [c for e in context.told(IssuesChanged)[before:] for c in e.changes if c[1] is None]
    assert not gone
    assert context.known("app#13")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_an_hour_off_misses_nothing(hours: int) -> None:
    # The world's clock runs, so this sets its offset from this machine's.
    from datetime import UTC, datetime

    now = datetime.now(UTC) + timedelta(hours=hours)
    async with DemoServer(build_world(now=now)) as server, session(server) as context:
        context.world.edit("top/app#1", by="eng_1", weight=4)
        await context.refreshed()
        assert context.issue("app#1").weight == 4
        context.world.edit("top/app#1", by="eng_1", weight=5)
        context.edit("app#2", weight=9)
        await context.settled()
        await context.refreshed()
        assert context.issue("app#1").weight == 5
        assert context.there("app#2").weight == 9
        assert abs((context.engine.now() - now).total_seconds()) < 180


async def test_after_a_long_absence_the_boards_are_read(server: DemoServer, store: Store) -> None:
    async with session(server, store):
        pass
    # More than five pages of changes, from a server that returns ten at a time.
    for n in range(1, 13):
        server.world.edit(f"top/app#{n}", by="eng_1", weight=7)
    from glboard_core.sync import poller

    kept = poller.MANY_PAGES
    poller.MANY_PAGES = 0
    try:
        server.requests.clear()
        async with session(server, store) as again:
            assert all(again.issue(f"app#{n}").weight == 7 for n in range(1, 13))
    finally:
        poller.MANY_PAGES = kept


async def test_a_start_from_the_mirror_catches_up(server: DemoServer, store: Store) -> None:
    async with session(server, store):
        pass
    server.world.edit("top/app#1", by="eng_1", weight=4)
    server.world.delete("top/app#2")
    async with session(server, store, loaded=False) as again:
        assert again.engine.status.freshness in ("cached", "loading")
        assert again.issue("app#1").weight == 1
        await again.settled()
        assert again.issue("app#1").weight == 4
        assert not again.known("app#2")


async def test_a_low_rate_limit_makes_polls_rare_and_is_shown(server: DemoServer) -> None:
    async with session(server, sync=structs.replace(BRISK, poll=0.3, poll_idle=0.3)) as context:
        server.limit(100_000)
        await context.until(lambda: context.engine.gateway.remaining is not None)
        assert not context.engine.status.slowed
        assert context.engine.poller._interval() == pytest.approx(0.3)
        # Most of it is used by others: we never use more than half.
        server.limit(1_000)
        for _ in range(900):
            server._gate.requests.count(context.world.owner.username)
        await context.until(lambda: context.engine.status.slowed)
        assert context.engine.poller._interval() == pytest.approx(1.8)


async def test_use_makes_polls_frequent(server: DemoServer) -> None:
    sync = structs.replace(BRISK, poll=10, poll_idle=60)
    async with session(server, sync=sync) as context:
        assert context.engine.poller._interval() == 60
        context.engine.poller.touch()
        assert context.engine.poller._interval() == 10


async def test_polls_pick_up_changes_by_others(server: DemoServer) -> None:
    async with session(server, sync=BRISK) as context:
        context.world.edit("top/app#1", by="eng_1", weight=4)
        await context.until(lambda: context.issue("app#1").weight == 4)
        context.world.delete("top/app#2")
        await context.until(lambda: not context.known("app#2"))


async def test_a_poll_while_nothing_changes_is_one_request(context: Session) -> None:
    await context.refreshed()
    context.server.requests.clear()
    for _ in range(5):
        await context.refreshed()
    assert len(context.server.requests) == 5


async def test_a_change_by_others_during_our_send_is_not_missed(context: Session) -> None:
    """The poll's page is ignored for an issue that is being changed; it must be read again."""
    context.server.faults.slow_seconds = 0.3
    context.server.faults.next("slow", "updateIssue")
    context.edit("app#1", milestone="19.8")
    await context.until(lambda: context.there("app#1").milestone.title == "19.8")
    # Made, and the answer is pending: now someone else changes it, and later something else.
    context.world.edit("top/app#1", by="eng_1", weight=6)
    context.world.clock.advance(60)
    context.world.edit("top/app#2", by="eng_1", weight=6)
    await context.refreshed()
    assert len(context.engine.outbox) == 1
    await context.until(lambda: not len(context.engine.outbox))
    await context.refreshed()
    assert context.issue("app#1").weight == 6
    assert context.issue("app#1").milestone == "19.8"


@pytest.mark.slow
async def test_a_dripping_server_times_out(server: DemoServer) -> None:
    server.faults.slow_seconds = 60
    async with session(server, sync=BRISK, limits=structs.replace(QUICK, total=0.3, patience=0.5)) as context:
        server.faults.next("drip", times=6)
        await context.until(lambda: context.engine.status.freshness == "offline")
        started = time.monotonic()
        context.edit("app#1", weight=3)
        assert time.monotonic() - started < 1
        server.faults.clear()
        await context.until(lambda: context.there("app#1").weight == 3)
