"""Live events on screen: what others do to a card in view glows at once; ``g l`` says how changes arrive."""

from __future__ import annotations

import time

import pytest
from msgspec import structs
from textual.widgets import Static

from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import NoLiveEvents
from glboard_core.sync.events import LiveStatus
from glboard_core.sync.timing import Timing
from glboard_tui import texts
from glboard_tui.screens.queues import Triage
from glboard_tui.screens.walk import WalkPane
from tui.app.stage import GROUP, GROUP_LABEL, ME, STILL, Stage, small_world, staged
from tui.screens.lists import on_top

LIVE = structs.replace(STILL, sync=structs.replace(STILL.sync, live=True))
#: As in use, but a view that moves is followed at once.
TIMING = Timing(view_rest=0.01)


def numbers(stage: Stage, *names: str) -> set[int]:
    return {stage.world.issue(f"{GROUP}/{name}").id for name in names}


def subscribed(server: DemoServer) -> set[int]:
    return set(server.cable.subscribed)


def shown(stage: Stage) -> set[int]:
    """The cards that are visible."""
    return {int(issue.rpartition("/")[2]) for issue in stage.screen.board.in_view()}


async def watched(stage: Stage) -> None:
    await stage.until(lambda: bool(shown(stage)) and shown(stage) == subscribed(stage.server))


def connection(stage: Stage) -> str:
    return " ".join(str(part.render()) for part in stage.app.screen.query(Static))


@pytest.mark.slow
async def test_a_change_by_others_glows_and_is_named_within_a_second() -> None:
    async with staged(settings=LIVE, timing=TIMING) as stage:
        await watched(stage)
        await stage.focus("platform#3")
        await stage.press("k")
        stage.server.requests.clear()
        took: list[float] = []
        for weight in (6, 7, 8):
            asked = time.monotonic()
            stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=weight)
            await stage.until(lambda: stage.issue("platform#3").weight == weight)  # noqa: B023
            took.append(time.monotonic() - asked)
        # Polls are an hour apart. On a busy machine, the quickest of three counts.
        assert min(took) < 1.0
        assert len(stage.server.requests) == 3
        assert stage.screen.header.view.changed == 1
        assert stage.issue("platform#3").id in stage.app.bridge.unseen
        await stage.focus("platform#3")
        assert stage.message == "eng_birch: weight 1 to 8, just now"
        assert not stage.toasts


@pytest.mark.slow
async def test_a_card_that_others_rank_moves_at_once() -> None:
    async with staged(settings=LIVE, timing=TIMING) as stage:
        await watched(stage)
        stage.world.move(f"{GROUP}/platform#3", before=f"{GROUP}/platform#1")
        await stage.until(lambda: stage.cards()["bug"][0] == "platform#3")


@pytest.mark.slow
async def test_ones_own_change_does_not_glow() -> None:
    async with staged(settings=LIVE, timing=TIMING) as stage:
        await watched(stage)
        await stage.focus("platform#3")
        await stage.press("5")
        await stage.settle()
        await stage.until(lambda: stage.server.cable.events > 0)
        stage.world.edit(f"{GROUP}/platform#2", by="eng_birch", weight=8)
        await stage.until(lambda: stage.issue("platform#2").weight == 8)
        assert [row.issue.iid for row in stage.app.bridge.unseen] == [2]


async def test_what_is_watched_follows_the_view() -> None:
    async with staged(settings=LIVE, timing=TIMING, size=(160, 12)) as stage:
        await watched(stage)
        before = subscribed(stage.server)
        await stage.focus("platform#1")
        await stage.press("G")
        await stage.until(lambda: shown(stage) != before)
        await watched(stage)
        assert numbers(stage, "ai-gateway#1") <= subscribed(stage.server)
        # Another board has other cards; the one on screen before is no longer watched.
        await stage.press("g", "b")
        await stage.settle()
        await stage.until(lambda: subscribed(stage.server) == numbers(stage, "platform#8") == shown(stage))


async def test_the_open_issue_is_watched_wherever_its_card_is() -> None:
    async with staged(settings=LIVE, timing=TIMING) as stage:
        await watched(stage)
        stage.screen._open_issue.open(stage.issue("platform#10").id)
        await stage.until(lambda: numbers(stage, "platform#10") <= subscribed(stage.server))
        await stage.press("escape")
        await watched(stage)


@pytest.mark.slow
async def test_what_a_list_or_a_walk_shows_is_watched_first() -> None:
    world = small_world()
    # Longer than the screen, and on no board: only a list shows these.
    for number in range(30):
        world.create(
            f"{GROUP}/platform", f"Some day {number}", add_labels=[GROUP_LABEL], milestone="Backlog", by=ME
        )
    async with staged(world, settings=LIVE, timing=TIMING, size=(160, 20)) as stage:
        await watched(stage)
        board = shown(stage)
        await stage.press("g", "t")
        listed = on_top(stage, Triage)

        def visible() -> set[int]:
            found = {int(issue.rpartition("/")[2]) for issue in listed.in_view()}
            assert 1 < len(found) < len(listed.entries)
            return found

        first = visible()
        assert not first <= board
        await stage.until(lambda: subscribed(stage.server) == first | board)
        await stage.press("G")
        await stage.until(lambda: visible() != first and subscribed(stage.server) == visible() | board)
        # The mouse scrolls without moving the cursor.
        last = visible()
        listed.rows.scroll_to(y=3, animate=False, immediate=True)
        await stage.until(lambda: visible() != last and subscribed(stage.server) == visible() | board)
        name = stage.name(listed.entries[listed.rows.in_view().start].issue)
        stage.world.edit(f"{GROUP}/{name}", by="eng_birch", weight=8)
        await stage.until(lambda: stage.issue(name).weight == 8)
        await stage.press("g", "n")
        walk = on_top(stage, WalkPane)
        await stage.until(
            lambda: {int(i.rpartition("/")[2]) for i in walk.in_view()} <= subscribed(stage.server)
        )
        # The cards below come after those on top: what does not fit is cut from the end.
        assert stage.engine.watcher._cards[:2] == walk.walk.ahead[:2]
        await stage.press("escape", "escape")
        await watched(stage)


async def test_the_connection_says_that_changes_arrive_at_once() -> None:
    async with staged(settings=LIVE, timing=TIMING) as stage:
        await watched(stage)
        await stage.press("g", "l")
        assert f"{len(shown(stage))} issues in view, every" in connection(stage)
        assert stage.screen.header.view.fresh == "live"


@pytest.mark.slow
async def test_where_it_is_refused_the_connection_says_why_and_nothing_else_changes() -> None:
    async with staged(settings=LIVE, timing=TIMING, loaded=False) as stage:
        stage.server.settings.cable = False
        await stage.settle()
        await stage.until(lambda: stage.app.bridge.live.state == "refused")
        assert stage.screen.header.view.fresh == "live"
        assert not stage.toasts
        await stage.press("g", "l")
        said = connection(stage)
        assert "by polling" in said
        assert "does not offer live events (HTTP 404)" in said
        # A person who asks again is heard.
        stage.server.settings.cable = True
        await stage.press("r")
        await watched(stage)


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (
            LiveStatus(state="on", cards=1),
            "Changes by others: live for the 1 issue in view, every 10 s for the rest.",
        ),
        (LiveStatus(), "Changes by others: by polling, every 10 s."),
        (LiveStatus(state="off"), "Live events are switched off ([sync] live)."),
        (LiveStatus(state="connecting"), "Connecting for live events …"),
        (LiveStatus(state="refused", error=NoLiveEvents("No.", hint="Why."), next_try=700.0), "No."),
        (LiveStatus(state="refused", error=NoLiveEvents("No.", hint="Why."), next_try=700.0), "Why."),
        (
            LiveStatus(state="refused", error=NoLiveEvents("No."), next_try=700.0),
            "glboard retries within 12 min.",
        ),
        (
            LiveStatus(state="lost", error=NoLiveEvents("No."), next_try=0.7),
            "glboard retries within 1 s.",
        ),
    ],
)
def test_how_changes_arrive_in_words(live: LiveStatus, words: str) -> None:
    assert words in texts.live_words(live, 10.0)
