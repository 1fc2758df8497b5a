"""Snapshots of the most used screens, on fixed data: every visual change shows up here.

Made with the Textual and plugin versions pinned in pyproject; ``--snapshot-update`` redraws them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import Offline
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_tui.app import GlboardApp
from tui.app.stage import GROUP, STILL, Stage, small_world

WIDE, NARROW, SMALL = (160, 45), (100, 30), (40, 10)

Compare = Callable[..., bool]


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """A small demo server."""
    world = small_world()
    world.edit(
        f"{GROUP}/platform#6",
        by="pm_oak",
        description="## Why\n\nThe route `[/api]` ends the program.\n\n- [x] seen\n- [ ] fixed\n",
    )
    world.comment(f"{GROUP}/platform#6", "Seen on [/api] too.", by="eng_alder")
    with DemoServer(world) as running:
        yield running


@pytest.fixture
def picture(snap_compare: Any, server: DemoServer) -> Compare:
    """Compares the screen after some keys."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Engine]:
        async with GitLabGateway(Account(url=server.url, token=Secret(server.token)), GROUP) as gateway:
            yield Engine(gateway, SqliteStore(":memory:"), STILL)

    def compare(size: tuple[int, int], *keys: str, card: str = "platform#1") -> bool:
        app = GlboardApp(STILL, connect)

        async def before(pilot: Pilot[int]) -> None:
            stage = Stage(app, pilot, server)
            await stage.until(lambda: app.bridge.engine is not None)
            await stage.settle()
            await stage.focus(card)
            await stage.press(*keys)
            await stage.settle()
            await pilot.pause(0.2)

        same: bool = snap_compare(app, terminal_size=size, run_before=before)
        return same

    return compare


def test_planning_board_wide(picture: Compare) -> None:
    assert picture(WIDE, "space", "j", "space", "j")


def test_planning_board_narrow(picture: Compare) -> None:
    assert picture(NARROW)


def test_planning_board_on_the_smallest_terminal(picture: Compare) -> None:
    assert picture(SMALL)


def test_what_can_follow_a_prefix(picture: Compare) -> None:
    assert picture(NARROW, "s")


def test_label_picker(picture: Compare) -> None:
    assert picture(NARROW, "space", "j", "space", "t", "t", "y", "p", "e")


def test_help(picture: Compare) -> None:
    assert picture(NARROW, "question_mark")


def test_opened_issue(picture: Compare) -> None:
    assert picture(WIDE, "enter", card="platform#6")


@pytest.mark.slow
def test_walk_wide(picture: Compare) -> None:
    assert picture(WIDE, "g", "n", "n", card="platform#6")


@pytest.mark.slow
def test_end_of_a_walk_narrow(picture: Compare) -> None:
    assert picture(NARROW, "g", "n", "3", "l", "n", "M", "l")


def test_change_of_type(picture: Compare) -> None:
    assert picture(NARROW, "L", card="platform#3")


def test_decisions_of_a_call(picture: Compare) -> None:
    keys = (
        "g",
        "x",
        "+",
        "escape",
        "d",
        "enter",
        "j",
        "2",
        "j",
        "semicolon",
        *"Who?",
        "ctrl+s",
        "M",
        "g",
        "x",
    )
    assert picture(NARROW, *keys)


def test_no_connection(snap_compare: Any) -> None:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Engine]:
        raise Offline("Nothing answers at https://gitlab.example.com.", hint="Check --url and your network.")
        yield  # makes it a generator

    app = GlboardApp(STILL, connect)

    async def before(pilot: Pilot[int]) -> None:
        await Stage(app, pilot, None).until(lambda: app.bridge.connect_error is not None)
        await pilot.pause(0.2)

    assert snap_compare(app, terminal_size=NARROW, run_before=before)
