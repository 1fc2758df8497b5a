"""A call in two sessions on one state file: each knows what the other one started, noted and ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_tui.app import GlboardApp
from support.engines import HASTE
from tui.app.stage import GROUP, QUICK, STILL, Stage, small_world
from tui.screens.lists import lines


@asynccontextmanager
async def session(server: DemoServer, file: Path) -> AsyncIterator[Stage]:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Engine]:
        account = Account(url=server.url, token=Secret(server.token))
        async with GitLabGateway(account, GROUP, limits=QUICK) as gateway:
            yield Engine(gateway, SqliteStore(file), STILL, timing=HASTE)

    app = GlboardApp(STILL, connect)
    async with app.run_test(size=(160, 45)) as pilot:
        stage = Stage(app, pilot, server)
        await stage.until(lambda: app.bridge.engine is not None)
        await stage.settle()
        yield stage


async def note(stage: Stage, issue: str, text: str) -> None:
    await stage.focus(issue)
    await stage.press("semicolon")
    await stage.type(text)
    await stage.press("ctrl+s")


@pytest.mark.slow
async def test_a_call_of_two_sessions_on_one_state_file(tmp_path: Path) -> None:
    world = small_world()
    # A call starts later than its issues, also by a clock that is told in whole seconds.
    world.clock.advance(60)
    async with (
        DemoServer(world) as server,
        session(server, tmp_path / "state.sqlite3") as one,
        session(server, tmp_path / "state.sqlite3") as other,
    ):
        await one.press("g", "x", "plus", "escape")
        await other.until(lambda: "call since" in other.screen.header.view.call)
        await note(other, "platform#3", "Theirs")
        assert other.message == "Noted on platform#3, for the call; gx shows them."
        await note(one, "platform#4", "Mine")
        # A note that was begun before another session noted something on the same issue goes below.
        await one.focus("platform#2")
        await one.press("semicolon")
        await note(other, "platform#2", "First")
        await one.type("Second")
        await one.press("ctrl+s")
        await other.press("g", "x", "Q")
        await one.press("g", "x", "Q")
        for stage, question in ((other, "Who?"), (one, "When?")):
            await stage.type(question)
            await stage.press("ctrl+s")
        for stage in (one, other):
            await stage.until(lambda stage=stage: "Who?" in "".join(lines(stage)))  # type: ignore[misc]
            shown = "\n".join(lines(stage))
            assert [word for word in ("Theirs", "Mine", "First Second", "When?") if word not in shown] == []
        await other.press("F")
        await one.until(lambda: one.screen.header.view.call == "")
        assert one.screen.context.planning.calls.running is None
