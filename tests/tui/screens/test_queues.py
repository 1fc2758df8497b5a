"""The refinement queue and one's own work as lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged
from tui.screens.lists import lines, names, text


@pytest.mark.slow
async def test_the_refinement_queue_and_own_work(stage: Stage) -> None:
    await stage.press("g", "q")
    assert names(stage) == ["platform#2", "platform#9"]
    await stage.press("W", "2")
    assert names(stage) == ["platform#9"]
    assert stage.issue("platform#2").weight == 2
    assert "Refinement queue: 1 of 1" in text(stage)
    await stage.press("A", "escape", "g", "o")
    assert names(stage) == ["platform#9"]
    assert "My work: 1 open · 0 to pick" in text(stage)
    await stage.press("A")
    assert names(stage) == []
    assert "My work: 0 open · 0 to pick" in text(stage)


@pytest.mark.slow
async def test_own_work_by_workflow_state_and_issues_to_pick_next(team_file: Path) -> None:
    world = small_world()
    ready = [GROUP_LABEL, "type::bug", "workflow::ready for development"]
    for title, more in (("Later one", []), ("Sooner one", ["priority::1"])):
        world.create(
            f"{GROUP}/ai-gateway", title, by=ME, add_labels=[*ready, *more], milestone="19.7", weight=1
        )
    async with staged(world, team_file=team_file) as stage:
        await stage.focus("platform#5")
        await stage.press("A")
        await stage.focus("platform#3")
        await stage.press("A", "g", "o")
        assert names(stage) == ["platform#3", "platform#5", "ai-gateway#3", "ai-gateway#2"]
        shown = lines(stage)
        assert shown[0].strip() == "no state · 1"
        assert shown[2].strip() == "ready for development · 1"
        assert shown[4].strip() == "next to pick up in 19.7 · 2"
        await stage.press("j", "j", "I")
        taken = stage.issue("ai-gateway#3")
        assert taken.assignees == (ME,)
        assert "workflow::in dev" in taken.labels
        assert names(stage) == ["platform#3", "platform#5", "ai-gateway#3", "ai-gateway#2"]
        assert "My work: 3 open · 1 to pick up · line 3 of 4" in text(stage)
        await stage.press("b")
        await stage.type("platform#1")
        await stage.press("ctrl+s")
        assert "workflow::blocked" in stage.issue("ai-gateway#3").labels
        assert any(line.strip() == "blocked · 1" for line in lines(stage))
        await stage.settle()
        # The reason is a comment that others can already read.
        await stage.press("u", "y", "u")
        assert stage.issue("ai-gateway#3").assignees == ()


async def test_lists_use_the_width_of_the_screen(stage: Stage) -> None:
    await stage.press("g", "t")
    assert stage.app.screen.query_one(".overlay").size.width > 130
