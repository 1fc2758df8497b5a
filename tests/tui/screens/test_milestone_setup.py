"""Opening a milestone from the palette: the plan first, then Enter, with errors from GitLab on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import structs

from glboard_core.config import PlanningIssueSettings
from glboard_core.gitlab import admin
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.milestone_setup import MilestoneSetup
from glboard_core.planning.team import Team
from glboard_core.sync.engine import Engine
from glboard_tui.actions import BY_ID
from glboard_tui.screens.milestone_setup import MilestoneSetupDialog
from tui.app.stage import STILL, Stage, staged

SETTINGS = structs.replace(
    STILL,
    planning=structs.replace(STILL.planning, issue=PlanningIssueSettings(project="demo-org/platform")),
)


def opening(engine: Engine, milestone: str, team: Team | None) -> MilestoneSetup:
    assert isinstance(engine.gateway, GitLabGateway)
    return MilestoneSetup(engine, milestone, team=team)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "LOOKS", (0.01,))


@asynccontextmanager
async def looking(**given: Any) -> AsyncIterator[tuple[Stage, MilestoneSetupDialog]]:
    """The pane, once it has read from GitLab."""
    async with staged(**{"settings": SETTINGS, "opening": opening, **given}) as stage:
        stage.screen.context.run("pane.milestone-setup")
        await stage.pilot.pause()
        pane = stage.app.screen
        assert isinstance(pane, MilestoneSetupDialog)
        await stage.until(lambda: not pane.said.startswith("Loading"))
        await idle(stage, pane)
        yield stage, pane


async def idle(stage: Stage, pane: MilestoneSetupDialog) -> None:
    await stage.until(lambda: not pane.is_busy)
    await stage.pilot.pause()


def rows(pane: MilestoneSetupDialog) -> str:
    return "\n".join(str(option.prompt) for option in pane.list.options)


async def go(stage: Stage, pane: MilestoneSetupDialog) -> None:
    await stage.press("enter")
    await idle(stage, pane)


async def test_nothing_is_written_before_enter() -> None:
    async with looking() as (stage, pane):
        assert "+ create       label  missed:19.8" in rows(pane)
        assert "+ create       board  Build 19.8\n    filter 19.8, Deliverable" in rows(pane)
        assert "+ create       issue  19.8 planning" in rows(pane)
        await stage.press("escape")
        assert stage.app.screen is stage.screen
        assert len(stage.world.boards) == 1
        assert not any(r.method == "POST" and "v4" in r.path for r in stage.server.requests)


@pytest.mark.slow
async def test_enter_applies_the_plan_and_the_planning_issue_is_found() -> None:
    async with looking() as (stage, pane):
        await go(stage, pane)
        assert "✓ done         issue  19.8 planning" in rows(pane)
        assert "!" not in rows(pane)
        assert len(stage.world.boards) == 5
        await stage.press("enter")
        assert len(stage.world.boards) == 5
        await stage.press("r")
        await idle(stage, pane)
        assert "Nothing to do" in pane.said
        assert "+" not in rows(pane)
        await stage.press("escape")
        await stage.settle()
        assert "Opened 19.8" in stage.message
        # What was just written here is not news, and undo says that it cannot take it back.
        await stage.engine.poller.poll()
        await stage.pilot.pause()
        assert list(stage.app.bridge.unseen) == []
        await stage.press("u")
        assert stage.message.startswith("Opening 19.8 cannot be undone")
        await stage.press("g", "i")
        assert stage.issue("platform#12").id == stage.screen.pane.issue


@pytest.mark.slow
async def test_a_line_left_out_is_not_applied() -> None:
    async with looking() as (stage, pane):
        await stage.press("j", "j", "space")
        assert "- left out     board  Planning 19.8" in rows(pane)
        await go(stage, pane)
        assert "Planning 19.8" not in {board.name for board in stage.world.boards.values()}
        assert "Build 19.8" in {board.name for board in stage.world.boards.values()}


@pytest.mark.slow
async def test_failures_are_reported_and_the_rest_is_applied() -> None:
    async with looking() as (stage, pane):
        stage.server.faults.next("403", "POST /api/v4/groups/demo-org/labels", times=2)
        await go(stage, pane)
        assert "! failed       label  missed:19.8" in rows(pane)
        assert "Planner role" in rows(pane)
        assert "✓ done         board  Build 19.8" in rows(pane)
        assert "2 of 7 not done" in pane.said
        await stage.press("r")
        await idle(stage, pane)
        assert "+ create       label  missed:19.8" in rows(pane)
        assert "  no change    board  Build 19.8" in rows(pane)


@pytest.mark.slow
async def test_closing_does_not_stop_running_work() -> None:
    async with looking() as (stage, pane):
        stage.server.faults.slow_seconds = 0.2
        stage.server.faults.next("slow", "POST /api/v4/groups/demo-org/boards")
        await stage.press("enter", "escape")
        assert stage.app.screen is stage.screen
        await stage.press("j")  # keys work while it runs
        await idle(stage, pane)
        assert len(stage.world.boards) == 5
        assert "Opened 19.8" in stage.message


async def test_an_incomplete_configuration_shows_what_to_write() -> None:
    async with looking(settings=STILL) as (stage, pane):
        assert "planning.issue.project" in rows(pane)
        assert 'project = "group/project"' in rows(pane)
        await stage.press("enter")
        assert "r refreshes" in pane.said


async def test_a_read_only_session_does_not_offer_opening_in_the_palette() -> None:
    async with staged(settings=SETTINGS, opening=opening, token="read") as stage:
        assert not BY_ID["pane.milestone-setup"].applies(stage.screen.context.situation())
