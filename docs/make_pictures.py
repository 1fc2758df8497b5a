"""Generates the pictures in docs: the real screen on the embedded GitLab, on a fixed day, dark and light.

Run it after a change of the look: ``python docs/make_pictures.py``, or with parts of file names.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import structs
from textual.pilot import Pilot
from textual.screen import Screen

from glboard_core.config import GitLabSettings, Settings
from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from glboard_core.demo.sample.team import team_of_world
from glboard_core.gitlab.account import Account, Secret
from glboard_core.reports import Reports, open_reports
from glboard_core.session import EngineOptions, open_engine
from glboard_core.setup.connection import SetupConnection
from glboard_core.setup.sign_ins import SignIns
from glboard_core.sync.engine import Engine
from glboard_styles.themes import DARK, HIGH_CONTRAST, LIGHT
from glboard_tui.app import GlboardApp
from glboard_tui.screens.picker import Picker
from glboard_tui.screens.setup_connect import ServerPage, StartPage
from glboard_tui.screens.setup_proposal import ProposalPage
from glboard_tui.setup_app import SetupApp, SetupResult

DOCS = Path(__file__).parent
#: A Monday in the middle of a milestone.
DAY = "2026-12-07T15:00:00Z"
_PATIENCE = 30.0
#: Seconds in which what was read for an open pane is shown.
_SETTLE = 0.4
#: Rich links its font from a server; a picture should load nothing.
_REMOTE_FONT = re.compile(r",?\s*url\(\"https?://[^)]*\) format\(\"[^\"]*\"\)")


def _typed(text: str) -> list[str]:
    return ["space" if letter == " " else letter for letter in text]


#: A short call: one issue accepted, one reweighted, two deferred, one dropped, and a note.
_CALL = (
    *("g", "x", "plus", "escape", "j", "j", "d", "a", "j", "M", "l", "2", "j", "M"),
    *("j", "x", "p", *_typed("Not before the new runner"), "ctrl+s"),
    *("semicolon", *_typed("Ask the platform team first"), "ctrl+s", "g", "x"),
)

#: The name of the picture, the board, and the keys from there on.
SCREENS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("planning", "planning", ("l", "j", "j", "space", "j", "space")),
    ("build", "build", ()),
    ("people", "people", ()),
    ("issue", "build", ("l", "l", "enter")),
    ("capacity", "planning", ("g", "r")),
    ("walk", "planning", ("l", "g", "n", "n", "1", "l")),
    ("candidates", "planning", ("g", "c", "F")),
    ("triage", "planning", ("g", "t")),
    ("refinement", "planning", ("g", "q")),
    ("question", "planning", ("l", "l", "j", "j", "d", "c")),
    ("menu", "planning", ("g",)),
    ("log", "planning", ("2", "l", "3", "M", "g", "h", "space")),
    ("draft", "planning", ("g", "d", *"lj2jM", "space", "j", "space", "M", *"hda", "g", "D", "space", "j")),
    ("keys", "planning", ("question_mark",)),
    ("share", "planning", ("p", "l", "l", "j", "d", "b")),
    # Last, since it changes what the others show.
    ("decisions", "planning", _CALL),
)
THEMES = (("dark", DARK.name), ("light", LIGHT.name), ("contrast", HIGH_CONTRAST.name))
SIZES = ((160, 45), (80, 24))


def main() -> None:
    """Generate the pictures, or those whose file names contain one of the arguments."""
    wanted = sys.argv[1:]
    with spawn(DemoOptions(as_of=DAY)) as server:
        for (name, board, keys), (shade, theme), size in product(SCREENS, THEMES, SIZES):
            if shade == "contrast" and name != "share":
                continue
            file = DOCS / f"{name}-{shade}-{size[0]}x{size[1]}.svg"
            if wanted and not any(word in file.name for word in wanted):
                continue
            _write(file, asyncio.run(_screen(server, board, keys, theme, size)))
        for (shade, theme), size in product(THEMES[:2], SIZES):
            file = DOCS / f"setup-{shade}-{size[0]}x{size[1]}.svg"
            if not wanted or any(word in file.name for word in wanted):
                _write(file, asyncio.run(_set_up(server, theme, size)))


def _write(file: Path, picture: str) -> None:
    # Some viewers drop spaces at the ends of a text.
    picture = _REMOTE_FONT.sub("", picture).replace("<svg ", '<svg xml:space="preserve" ', 1)
    file.write_text(picture, encoding="utf-8")


async def _set_up(server: SpawnedDemo, theme: str, size: tuple[int, int]) -> str:
    """The last page of the set-up."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        settings = GitLabSettings(url=server.url)
        env = {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token}
        connection = SetupConnection(
            home / "config.toml",
            settings,
            folder=home,
            as_of=datetime.fromisoformat(DAY),
            sign_ins=SignIns(settings, env=env, home=home),
        )
        app = SetupApp(connection)
        async with app.run_test(size=size) as pilot:
            app.theme = theme
            for page, key in (
                (StartPage, "c"),
                (ServerPage, "enter"),
                (Picker, "enter"),
                (ProposalPage, "j"),
            ):
                await _shown(app, pilot, page)
                await pilot.press(key)
            await pilot.pause(_SETTLE)
            host = server.url.partition("://")[2]
            return app.export_screenshot(title="glboard").replace(host, "gitlab.example.com".ljust(len(host)))


async def _shown(app: SetupApp, pilot: Pilot[SetupResult], page: type[Screen[Any]]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not isinstance(app.screen, page):
            await pilot.pause(0.05)


async def _screen(
    server: SpawnedDemo, board: str, keys: Sequence[str], theme: str, size: tuple[int, int]
) -> str:
    settings = structs.replace(Settings(), gitlab=GitLabSettings(url=server.url, group=server.group))
    account = Account(url=server.url, token=Secret(server.token), kind="token", source="the demo")
    options = EngineOptions(group=server.group, keep=False)

    @asynccontextmanager
    async def connect() -> AsyncIterator[Engine]:
        async with open_engine(options, settings, account=account) as engine:
            yield engine

    @asynccontextmanager
    async def reports(engine: Engine) -> AsyncIterator[Reports]:
        async with open_reports(engine) as reading:
            yield reading

    with TemporaryDirectory() as folder:
        team = Path(folder) / "team.toml"
        team.write_text(team_of_world(datetime.fromisoformat(DAY).date()), "utf-8")
        app = GlboardApp(settings, connect, reports=reports, board=board, team_file=team)
        async with app.run_test(size=size) as pilot:
            app.theme = theme
            await _all_read(app, pilot)
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            await pilot.pause(_SETTLE)
            return app.export_screenshot(title="glboard")


async def _all_read(app: GlboardApp, pilot: Pilot[int]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while (status := app.bridge.status) is None or status.freshness != "live":
            await pilot.pause(0.05)


if __name__ == "__main__":
    main()
