"""Live events, over a real socket: what others change is known at once, and what it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.operations import Rank
from glboard_core.demo.http.server import DemoServer
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync import watcher
from glboard_core.sync.events import IssuesChanged
from support.engines import HASTE, STILL, Session, session

#: Waits for tests: nothing is tried a second time unless a test is about that.
LIVE = structs.replace(HASTE, gather=0.03, view_rest=0.01, live_wait=0.02, longest_live_wait=0.1)


@asynccontextmanager
async def live(server: DemoServer, *names: str, **more: Any) -> AsyncIterator[Session]:
    """A session in which these cards are in view and watched; app#1 to app#3 without names."""
    async with session(server, **{"timing": LIVE, **more}) as made:
        see(made, *(names or ("app#1", "app#2", "app#3")))
        await watched(made)
        server.requests.clear()
        yield made


def see(made: Session, *names: str) -> None:
    made.engine.in_view([made.issue(name).id for name in names])


async def watched(made: Session) -> None:
    """Wait until GitLab tells of just the cards in view."""
    cards = made.engine.watcher._cards

    def told() -> bool:
        numbers = {int(card.rpartition("/")[2]) for card in cards}
        return made.engine.watcher.status.state == "on" and numbers == set(made.server.cable.subscribed)

    await made.until(told)


def reads(server: DemoServer) -> int:
    """Requests by which cards were read again."""
    return len([one for one in server.requests.of("/api/graphql") if "issue" in one.fields])


def seen_by_others(made: Session) -> list[str]:
    """References of what was reported as changed by others."""
    return [
        diff[1].reference.removeprefix("top/")
        for event in made.told(IssuesChanged)
        if event.cause == "theirs"
        for diff in event.confirmed
        if diff[1] is not None
    ]


async def test_a_change_by_others_is_known_at_once_for_one_request(server: DemoServer) -> None:
    async with live(server) as made:
        # The next poll is an hour away.
        server.world.edit("top/app#2", by="eng_1", weight=8)
        await made.until(lambda: made.issue("app#2").weight == 8)
        assert len(server.requests) == 1
        assert seen_by_others(made) == ["app#2"]
        # In the background, like the request to connect.
        assert made.engine.gateway.requests["live"] == 2


async def test_what_moves_no_time_is_known_too(server: DemoServer) -> None:
    async with live(server) as made:
        server.world.move("top/app#1", after="top/app#9")
        there = server.world.issue("top/app#1")
        await made.until(lambda: made.issue("app#1").position == there.position)
        server.world.edit("top/app#2", by="eng_1", add_labels=["documentation"])
        await made.until(lambda: "documentation" in made.issue("app#2").labels)
        at = server.world.issue("top/app#2").updated
        server.world.edit("top/app#2", by="eng_1", add_labels=["Deliverable"])
        assert server.world.issue("top/app#2").updated == at
        await made.until(lambda: "Deliverable" in made.issue("app#2").labels)


async def test_many_changes_at_once_are_read_together(server: DemoServer) -> None:
    async with live(server) as made:
        for name in ("app#1", "app#2", "app#3"):
            server.world.edit(f"top/{name}", by="eng_1", weight=5, close=name == "app#3")
        await made.until(lambda: [made.issue(f"app#{n}").weight for n in (1, 2, 3)] == [5, 5, 5])
        assert server.cable.events >= 4
        assert reads(server) <= 2


async def test_a_card_that_leaves_the_scope_leaves_the_mirror(server: DemoServer) -> None:
    async with live(server) as made:
        server.world.edit("top/app#2", by="eng_1", remove_labels=["group::custom models"])
        await made.until(lambda: not made.known("app#2"))


async def test_our_own_change_is_neither_read_nor_news(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine its event comes late.
    monkeypatch.setattr(watcher, "OWN", 60.0)
    async with live(server) as made:
        made.edit("app#1", weight=5)
        await made.settled()
        assert made.mutations == 1
        await made.until(lambda: server.cable.events > 0)
        told = server.cable.events
        server.world.edit("top/app#2", by="eng_1", weight=7)
        await made.until(lambda: made.issue("app#2").weight == 7)
        assert server.cable.events > told
        assert reads(server) == 1
        assert seen_by_others(made) == ["app#2"]
        # What others do to the same card afterwards is news.
        monkeypatch.setattr(watcher, "OWN", 0.0)
        server.world.edit("top/app#1", by="eng_1", weight=6)
        await made.until(lambda: made.issue("app#1").weight == 6)
        assert seen_by_others(made) == ["app#2", "app#1"]


async def test_our_own_rank_is_not_news(server: DemoServer) -> None:
    async with live(server) as made:
        made.do("app#1", Rank(above=made.issue("app#3").id, below=made.issue("app#4").id))
        await made.settled()
        await made.until(lambda: server.cable.events > 0)
        server.world.edit("top/app#2", by="eng_1", weight=7)
        await made.until(lambda: made.issue("app#2").weight == 7)
        assert "app#1" not in seen_by_others(made)


async def test_the_view_moves_and_only_the_difference_is_asked_for(server: DemoServer) -> None:
    async with live(server, "app#1", "app#2") as made:
        see(made, "app#2", "app#3")
        await watched(made)
        assert server.cable.most_open == 2
        server.world.edit("top/app#1", by="eng_1", weight=5)
        server.world.edit("top/app#3", by="eng_1", weight=6)
        await made.until(lambda: made.issue("app#3").weight == 6)
        assert made.issue("app#1").weight == 1
        assert server.cable.events == 1


async def test_at_most_sixty_cards_are_watched(server: DemoServer) -> None:
    for n in range(80):
        server.world.create("top/app", f"More {n}", by="em_willow", add_labels=["group::custom models"])
    async with session(server, timing=LIVE) as made:
        made.engine.in_view([issue.id for issue in made.engine.shown.values() if issue.iid])
        await watched(made)
        assert len(server.cable.subscribed) == watcher.MOST_CARDS == made.engine.watcher.status.cards


async def test_a_flood_of_events_costs_few_reads(server: DemoServer) -> None:
    async with live(server, timing=structs.replace(LIVE, gather=0.3)) as made:
        before = server.cable.events
        for n in range(1_000):
            server.world.edit(f"top/app#{1 + n % 3}", by="eng_1", weight=n % 90 + 2)
        await made.until(lambda: server.cable.events - before >= 1_000)
        last = [server.world.issue(f"top/app#{n}").weight for n in (1, 2, 3)]
        await made.until(lambda: [made.issue(f"app#{n}").weight for n in (1, 2, 3)] == last)
        assert reads(server) <= 6
        assert made.engine.watcher.status.state == "on"


@pytest.mark.slow
async def test_a_flood_that_goes_on_is_read_ever_more_rarely(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "MOST_READS", 3.0)
    monkeypatch.setattr(watcher, "READ_EVERY", 0.3)
    async with live(server) as made:
        started = time.monotonic()
        for n in range(60):
            server.world.edit("top/app#1", by="eng_1", weight=n + 2)
            await asyncio.sleep(0.02)
        await made.until(lambda: made.issue("app#1").weight == 61)
        assert reads(server) <= 3 + (time.monotonic() - started) / 0.3 + 1


async def test_a_cut_connection_is_made_again_and_nothing_is_missed(server: DemoServer) -> None:
    async with live(server, timing=structs.replace(LIVE, live_wait=0.2)) as made:
        server.faults.next("503", "/-/cable")
        server.cable.cut()
        await made.until(lambda: made.engine.watcher.status.state == "lost")
        error = made.engine.watcher.status.error
        assert error is not None
        assert "live events" in error.message
        # No poll sees a place.
        server.world.move("top/app#1", after="top/app#9")
        await watched(made)
        there = server.world.issue("top/app#1")
        await made.until(lambda: made.issue("app#1").position == there.position)
        # What works without live events is not affected.
        assert made.engine.status.freshness == "live"


@pytest.mark.parametrize("fault", ["403", "html-200"])
async def test_where_it_is_refused_it_is_asked_once_and_polling_goes_on(
    server: DemoServer, fault: str
) -> None:
    server.faults.next(fault, "/-/cable", times=99)
    async with session(server, timing=LIVE, sync=structs.replace(STILL, poll=0.05, poll_idle=0.05)) as made:
        see(made, "app#1")
        await made.until(lambda: made.engine.watcher.status.state == "refused")
        server.world.edit("top/app#1", by="eng_1", weight=8)
        await made.until(lambda: made.issue("app#1").weight == 8)
        assert len(server.requests.of("/-/cable")) == 1
        assert made.engine.watcher.status.next_try is not None
        assert made.engine.watcher.status.next_try > 300
        assert made.engine.status.error is None
        # Only a person asks again earlier.
        server.faults.clear()
        made.engine.refresh()
        await watched(made)


async def test_a_site_without_live_events(server: DemoServer) -> None:
    server.settings.cable = False
    async with session(server, timing=LIVE) as made:
        see(made, "app#1")
        await made.until(lambda: made.engine.watcher.status.state == "refused")
        assert "HTTP 404" in str(made.engine.watcher.status.error)


async def test_a_proxy_that_cuts_them_counts_as_refusing(server: DemoServer) -> None:
    server.faults.next("reset-before", "/-/cable", times=99)
    async with session(server, timing=LIVE) as made:
        see(made, "app#1")
        await made.until(lambda: made.engine.watcher.status.state == "refused")
        assert len(server.requests.of("/-/cable")) == watcher.TRIES


async def test_a_rate_limit_is_waited_for(server: DemoServer) -> None:
    server.faults.next("429", "/-/cable")
    async with session(server, timing=LIVE) as made:
        see(made, "app#1")
        await made.until(lambda: made.engine.watcher.status.state == "lost")
        assert made.engine.watcher.status.next_try == 60.0
        assert made.engine.status.freshness == "live"


async def test_switched_off_it_never_asks(server: DemoServer) -> None:
    async with session(server, timing=LIVE, sync=structs.replace(STILL, live=False)) as made:
        see(made, "app#1")
        await made.refreshed()
        assert made.engine.watcher.status.state == "off"
        assert server.requests.of("/-/cable") == []


async def test_a_token_that_expires_ends_it(server: DemoServer) -> None:
    token = server.token_for("em_willow")
    async with live(server, token=token) as made:
        server.revoke(token)
        server.world.edit("top/app#1", by="eng_1", weight=8)
        await made.until(lambda: made.engine.watcher.status.state == "refused")
        assert token not in str(made.engine.watcher.status.error)


async def test_idle_unattended_or_without_a_board_there_is_no_connection(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing = structs.replace(LIVE, unattended=0.05)
    async with live(server, timing=timing) as made:
        one = made.engine.watcher

        async def closed() -> None:
            await made.until(lambda: one.status.state == "resting" and len(server.cable) == 0)

        one.attend(False)
        await closed()
        one.attend(True)
        await watched(made)
        made.engine.in_view([])
        await closed()
        see(made, "app#1")
        await watched(made)
        monkeypatch.setattr(watcher, "IDLE_AFTER", 0.05)
        one.attend(True)
        await closed()
        # On a shared screen others look on while no key is pressed.
        one.share(True)
        await watched(made)
        one.share(False)
        await closed()


async def test_after_a_rest_the_cards_are_read_once(server: DemoServer) -> None:
    async with live(server) as made:
        made.engine.in_view([])
        await made.until(lambda: len(server.cable) == 0)
        server.world.move("top/app#1", after="top/app#9")
        see(made, "app#1", "app#2")
        there = server.world.issue("top/app#1")
        await made.until(lambda: made.issue("app#1").position == there.position)
        assert reads(server) == 1


async def test_two_on_one_account_do_not_fight(server: DemoServer, tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "state.sqlite3") for _ in range(2)]
    # As usual, changes are held longer than it takes the other process to know of them.
    kind: dict[str, Any] = {"sync": structs.replace(STILL, hold=0.3)}
    async with live(server, store=stores[0], **kind) as one, live(server, store=stores[1], **kind) as two:
        await one.until(lambda: len(server.cable) == 2)
        server.requests.clear()
        one.edit("app#1", weight=5)
        two.edit("app#2", weight=6)
        for made in (one, two):
            await made.settled()
            await made.until(lambda: [made.issue(f"app#{n}").weight for n in (1, 2)] == [5, 6])  # noqa: B023
        server.world.edit("top/app#3", by="eng_1", weight=7)
        for made in (one, two):
            await made.until(lambda: made.issue("app#3").weight == 7)  # noqa: B023
        # What one process of a person sent is no news in the other.
        assert {*seen_by_others(one), *seen_by_others(two)} == {"app#3"}
        assert one.mutations == 2
    for store in stores:
        store.close()


async def test_a_confidential_issue_that_we_may_no_longer_read_leaves(server: DemoServer) -> None:
    token = server.token_for("eng_1")
    guest = server.world.user("eng_1")
    server.world.root.members[guest.id] = 10
    async with live(server, "app#1", token=token) as made:
        server.world.edit("top/app#1", by="em_willow", confidential=True)
        await made.until(lambda: not made.known("app#1"))


async def test_the_configuration_switches_live_events_off_and_on(server: DemoServer) -> None:
    async with live(server) as made:
        settings = made.engine.settings
        made.engine.configure(
            structs.replace(settings, sync=structs.replace(settings.sync, live=False, poll=1800.0, hold=7.0))
        )
        await made.until(lambda: made.engine.watcher.status.state == "off")
        assert made.engine.local_state._sync.hold == 7.0
        assert made.engine.poller._interval() >= 1800.0
        made.engine.configure(settings)
        await watched(made)
