"""Generates docs/board.svg: the real screen on the embedded GitLab, on a fixed day, so it is reproducible.

Run it after a change of the look: ``python docs/make_pictures.py``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs
from textual.pilot import Pilot

from glboard_core.config import GitLabSettings, Settings
from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from glboard_core.demo.sample.team import team_of_world
from glboard_core.gitlab.account import Account, Secret
from glboard_core.session import EngineOptions, open_engine
from glboard_core.sync.engine import Engine
from glboard_tui.app import GlboardApp

PICTURE = Path(__file__).with_name("board.svg")
SIZE = (160, 45)
#: A Monday in the middle of a milestone.
DAY = "2026-12-07T15:00:00Z"
#: The capacity pane, one card weighted and set ready, two selected.
KEYS = ("g", "r", "escape", "j", "W", "3", "l", "j", "j", "space", "j", "space")
_PATIENCE = 30.0
#: Rich links its font from a server; a picture should load nothing.
_REMOTE_FONT = re.compile(r",?\s*url\(\"https?://[^)]*\) format\(\"[^\"]*\"\)")


def main() -> None:
    """Generate the picture."""
    with spawn(DemoOptions(as_of=DAY)) as server:
        picture = asyncio.run(_screen(server))
    # Some viewers drop spaces at the ends of a text.
    picture = _REMOTE_FONT.sub("", picture).replace("<svg ", '<svg xml:space="preserve" ', 1)
    PICTURE.write_text(picture, encoding="utf-8")


async def _screen(server: SpawnedDemo) -> str:
    settings = structs.replace(Settings(), gitlab=GitLabSettings(url=server.url, group=server.group))
    account = Account(url=server.url, token=Secret(server.token), kind="token", source="the demo")
    options = EngineOptions(group=server.group, keep=False)

    @asynccontextmanager
    async def connect() -> AsyncIterator[Engine]:
        async with open_engine(options, settings, account=account) as engine:
            yield engine

    with TemporaryDirectory() as folder:
        team = Path(folder) / "team.toml"
        team.write_text(team_of_world(datetime.fromisoformat(DAY).date()), "utf-8")
        app = GlboardApp(settings, connect, team_file=team)
        async with app.run_test(size=SIZE) as pilot:
            await _all_read(app, pilot)
            for key in KEYS:
                await pilot.press(key)
                await pilot.pause()
            return app.export_screenshot(title="glboard")


async def _all_read(app: GlboardApp, pilot: Pilot[int]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while (status := app.bridge.status) is None or status.freshness != "live":
            await pilot.pause(0.05)


if __name__ == "__main__":
    main()
