"""The board at the sizes people have, with titles that break boards: nothing is cut without a sign."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.config import GitLabSettings, Settings
from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from glboard_core.demo.sample.team import team_of_world
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Account, Secret
from glboard_core.session import EngineOptions, open_engine
from glboard_core.sync.engine import Engine
from glboard_tui.actions import ACTIONS
from glboard_tui.app import GlboardApp
from tui.app.stage import GROUP, GROUP_LABEL, READY, Stage, small_world, staged

SIZES = ((160, 45), (120, 36), (100, 30), (80, 24), (58, 20))
#: Long, wide, right to left, one endless word.
TITLES = (
    "Wrong total in token accounting behind a load balancer when the endpoint has a trailing slash",
    "漢字" * 40,
    "שלום עולם " * 12,
    "a" * 200,
)


def nasty_world() -> World:
    """The small world, with more to show on its first column."""
    world = small_world()
    for number, title in enumerate(TITLES):
        world.create(
            f"{GROUP}/platform",
            title,
            by="em_maple",
            milestone="19.8",
            add_labels=[GROUP_LABEL, "type::bug", READY, "missed:19.7", "priority::1", "documentation"],
            weight=number,
            assignees=["eng_alder"],
        )
    return world


def drawn(stage: Stage) -> list[str]:
    """The screen, line by line."""
    strips = stage.app.screen._compositor.render_strips(stage.app.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


async def read_down(stage: Stage) -> dict[str, str]:
    """What each card of the first column shows, read while going down."""
    found: dict[str, str] = {}
    for _ in range(9):
        pane = next(iter(stage.screen.board.columns.lists()))
        for shown in pane._window:
            if shown.y + shown.height > pane.size.height:
                continue
            lines = [pane.render_line(y).text for y in range(shown.y, shown.y + shown.height)]
            found[shown.issue] = "\n".join(lines)
        await stage.press("j")
    return found


@pytest.mark.slow
async def test_no_fact_lies_and_nothing_is_cut_without_a_sign() -> None:
    async with staged(nasty_world(), size=SIZES[0]) as stage:
        for size in SIZES:
            await stage.pilot.resize_terminal(*size)
            await stage.press("g", "g")
            cards = await read_down(stage)
            assert len(cards) == 8, size
            for identity, text in cards.items():
                issue = next(one for one in stage.engine.shown.values() if one.id == identity)
                first, *others = text.splitlines()
                shown = "".join(line[2:].replace(" ", "") for line in (first[:-3], *others))
                title = issue.title.replace(" ", "")
                assert title in shown or "…" in text, (size, text)
                # What matters is never dropped: state and slips, whatever the width.
                if READY in issue.labels:
                    assert "ready" in text, (size, text)
                if "missed:19.7" in issue.labels:
                    assert "slipped" in text, (size, text)
                    assert "P1" in text, (size, text)


#: Every key that leads to a pane, a list, a dialog or a menu.
PANES = (
    *(tuple(action.keys[0].split()) for action in ACTIONS if action.id.startswith("pane.") and action.keys),
    *(("enter",), ("question_mark",), ("m",), ("g",), ("t",), ("d", "b"), ("b",), ("w",), ("n",), ("a",)),
)
#: These move the keys and open nothing.
NO_PANES = {("tab",), ("shift+tab",), ("q",)}


@pytest.mark.slow
async def test_every_pane_can_be_read_and_left_at_80x24() -> None:
    async with staged(nasty_world(), size=(80, 24)) as stage:
        await stage.focus("platform#2")
        await stage.press("4")
        for keys in PANES:
            if keys in NO_PANES:
                continue
            before = drawn(stage)
            await stage.press(*keys)
            inside = drawn(stage)
            assert inside != before, keys
            assert all(len(line) <= 80 for line in inside), keys
            # Header and footer stay, and no scrollbar of the whole screen covers them.
            assert inside[0].rstrip().endswith("live"), keys
            assert inside[0][:9] == before[0][:9], keys
            assert inside[-1].strip(), keys
            for _ in range(3):
                if stage.app.screen is stage.screen and not stage.screen.pane.is_open:
                    break
                await stage.press("escape")
            await stage.press("escape")
            assert stage.app.screen is stage.screen, keys
            assert not stage.screen.pane.is_open, keys
            assert stage.screen.context.pane is None, keys


@pytest.fixture(scope="module")
def demo() -> Iterator[SpawnedDemo]:
    with spawn(DemoOptions(as_of="2026-12-07T15:00:00Z")) as server:
        yield server


async def test_every_title_of_the_demo_is_whole_at_160x45(demo: SpawnedDemo, tmp_path: Path) -> None:
    """On the boards of a milestone: titles come first, whatever a column holds."""
    settings = structs.replace(Settings(), gitlab=GitLabSettings(url=demo.url, group=demo.group))
    account = Account(url=demo.url, token=Secret(demo.token), kind="token", source="the demo")

    @asynccontextmanager
    async def connect() -> AsyncIterator[Engine]:
        async with open_engine(EngineOptions(group=demo.group, keep=False), settings, account=account) as one:
            yield one

    team = tmp_path / "team.toml"
    team.write_text(team_of_world(date(2026, 12, 7)), "utf-8")
    app = GlboardApp(settings, connect, board="planning", team_file=team)
    async with app.run_test(size=(160, 45)) as pilot, asyncio.timeout(60):
        while (status := app.bridge.status) is None or status.freshness != "live":
            await pilot.pause(0.02)
        for board, key in (("planning", "p"), ("build", "b")):
            await pilot.press("g", key)
            await pilot.pause()
            assert app.bridge.view.board_id == board
            for column in app.board_screen.board.columns.lists():
                assert column.cards is not None
                assert len(column._window) == len(column.cards), "no card is below the edge"
                for shown in column._window:
                    lines = [column.render_line(y).text for y in range(shown.y, shown.y + shown.height)]
                    assert not any(line[:-1].rstrip(" ?0123456789").endswith("…") for line in lines), lines
