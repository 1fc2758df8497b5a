"""Boards, columns, filters and commands called after a customer say nothing on a shared screen."""

from __future__ import annotations

import pytest
from msgspec import structs

from glboard_core.command_template import CommandSettings
from glboard_core.config import BoardSettings
from support.leaks import SETTINGS, Watcher, secret_world
from tui.app.stage import GROUP, staged

#: A board of GitLab's, one of one's own, a column and a command, all called after a customer.
OWN = BoardSettings(
    id="zqown",
    name="Zq Big Bank escalations and all the rest",
    columns=("customer::zqbank",),
    filter="~customer::zqbank",
    key="g 5",
)
SHARED = structs.replace(
    SETTINGS,
    boards=(*SETTINGS.boards, OWN),
    commands=(CommandSettings(key="Q", name="Tell Zqcorp", run="echo zqsaid"),),
)


@pytest.mark.parametrize("width", [pytest.param(160, marks=pytest.mark.slow), 58])
async def test_boards_and_commands_with_masked_names_leak_nothing(width: int) -> None:
    world = secret_world()
    world.add_board(world.group(GROUP), "Zqcorp board")
    async with staged(world, settings=SHARED, size=(width, 24)) as stage:
        assert "zq" in "".join(tab.title for tab in stage.screen.header.view.tabs).lower()
        await stage.press("p")
        watcher = Watcher(stage)
        watcher.look("planning")
        for keys in (
            ("g",),
            ("g", "5"),
            ("f",),
            ("g", "B"),
            ("ctrl+p", "b"),
            ("g", "w"),
            ("question_mark", "Z"),
            ("Q",),
        ):
            await watcher.press("", *keys)
            await stage.press("escape", "escape")
            watcher.look(" ".join(keys))
        await watcher.press("own board", "g", "5", "o", "g", "n", "escape", "escape", "y", "r", "z", "O")
        await watcher.press("back", "g", "p", "g", "u")
        assert watcher.found == [], "\n".join(watcher.found)
