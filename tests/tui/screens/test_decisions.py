"""A planning call from its start to the posted list, and decisions without a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from glboard_core.demo.world.world import World
from glboard_tui.screens import decisions_post
from glboard_tui.screens.decisions import DecisionsPane
from glboard_tui.screens.decisions_post import PostDecisions
from glboard_tui.screens.prompts import CommentDialog
from tui.app.stage import GROUP, GROUP_LABEL, ME, READY, STILL, Stage, small_world, staged
from tui.screens.lists import lines, names, on_top, reading, text


def planned_world() -> World:
    """With a planning issue, and a confidential one in the plan."""
    world = small_world()
    world.create(
        f"{GROUP}/platform",
        "Planning 19.8",
        by=ME,
        add_labels=[GROUP_LABEL, "type::ignore"],
        milestone="19.8",
    )
    world.create(
        f"{GROUP}/platform",
        "Leak at Some Customer",
        by=ME,
        add_labels=[GROUP_LABEL, "type::bug", READY],
        milestone="19.8",
        weight=1,
        confidential=True,
    )
    world.index.rebuild()
    return world


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(planned_world(), reports=reading) as running:
        yield running


def posted(stage: Stage) -> list[str]:
    return [note.body for note in stage.world.issue(f"{GROUP}/platform#12").notes if not note.system]


def whole(stage: Stage) -> str:
    return "\n".join([text(stage), *lines(stage)])


async def start(stage: Stage) -> None:
    await stage.press("g", "x", "+")
    assert stage.screen.context.planning.calls.running is not None
    await stage.press("escape")


async def test_a_small_call(stage: Stage) -> None:
    await start(stage)
    assert "call since 15:0" in stage.screen.header.view.call
    await stage.focus("platform#1")
    await stage.press("d", "enter")
    await stage.focus("platform#3")
    await stage.press("0", "2", "3")
    await stage.focus("platform#4")
    await stage.press("semicolon")
    on_top(stage, CommentDialog)
    await stage.type("Needs a runner.")
    await stage.press("enter")
    await stage.type("Who has one?")
    await stage.press("ctrl+s")
    assert stage.message == "Noted on platform#4, for the call; gx shows them."
    await stage.press("M")
    await stage.focus("ai-gateway#1")
    await stage.press("1", "u")
    assert stage.screen.header.view.call.endswith("· 3 decisions")
    await stage.press("g", "x")
    on_top(stage, DecisionsPane)
    assert names(stage) == ["platform#1", "platform#4", "platform#3"]
    shown = whole(stage)
    for part in ("Accepted (1)", "weight 2, @eng_birch", "19.8 to 19.9", "weight 1 to 3", "Call since 15:0"):
        assert part in shown
    assert "Open questions (1)" in shown
    # Every key of the board acts here as well; what is undone leaves the list.
    await stage.press("u", "u")
    assert "platform#4" not in names(stage)
