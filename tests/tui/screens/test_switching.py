"""From one list to another, to the capacity pane and to a board, without closing anything first."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_tui.screens.candidates import Candidates
from glboard_tui.screens.capacity import CapacityDialog
from glboard_tui.screens.queues import Triage
from tui.app.stage import Stage, staged
from tui.screens.lists import names, on_top, text


def over(stage: Stage) -> list[str]:
    """The screens over the board, from the bottom."""
    return [type(screen).__name__ for screen in stage.app.screen_stack[2:]]


@pytest.mark.slow
async def test_a_list_replaces_another(stage: Stage) -> None:
    await stage.press("g", "c", "g", "t")
    on_top(stage, Triage)
    assert over(stage) == ["Triage"]
    assert stage.screen.context.top is on_top(stage, Triage)
    first = names(stage)[0]
    await stage.press("7")
    assert stage.issue(first).weight == 7
    await stage.press("j", "g", "t")
    assert "Already open" in text(stage)
    assert stage.name(on_top(stage, Triage).chosen()) == names(stage)[1]
    await stage.press("g", "c")
    on_top(stage, Candidates)
    await stage.press("escape")
    assert over(stage) == []
    assert stage.screen.context.top is None


async def test_keys_that_arrive_together_reach_the_other_list(stage: Stage) -> None:
    await stage.press("g", "q")
    stage.burst("g", "t", "j", "7")
    await stage.until(lambda: isinstance(stage.app.screen, Triage) and bool(stage.app.bridge.undoing.title))
    assert stage.issue(names(stage)[1]).weight == 7


@pytest.mark.slow
async def test_from_a_list_to_a_board_and_to_the_capacity_pane(stage: Stage) -> None:
    await stage.press("g", "c", "g", "b")
    assert over(stage) == []
    assert stage.cards()["in dev"] == ["platform#8"]
    await stage.press("g", "p", "g", "c", "g", "r")
    docked = stage.screen.dock.pane
    assert docked is not None
    assert docked.has_keys
    # It stays next to the board while lists are open, and g r returns to it.
    await stage.press("g", "t", "g", "r")
    assert over(stage) == []
    assert stage.screen.dock.pane is docked
    assert docked.has_keys


async def test_on_a_narrow_terminal_the_capacity_pane_is_replaced_too(team_file: Path) -> None:
    async with staged(team_file=team_file, size=(100, 30)) as stage:
        await stage.press("g", "c", "g", "r")
        assert isinstance(stage.app.screen, CapacityDialog)
        assert over(stage) == ["CapacityDialog"]
        await stage.press("g", "t")
        assert over(stage) == ["Triage"]


async def test_keys_of_the_capacity_pane_never_reach_a_card(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("6")
    await stage.focus("platform#2")
    await stage.press("space", "g", "r")
    assert stage.screen.footer.view.target == "eng_alder"
    order = stage.cards()
    await stage.press("g")
    assert not {"K", "J", "v"} & {key for key, _ in stage.screen.strip.entries}
    assert {"c", "t", "p"} <= {key for key, _ in stage.screen.strip.entries}
    await stage.press("K", "g", "J")
    await stage.settle()
    assert stage.cards() == order
    # Its u undoes changes to the team's days.
    assert stage.screen.footer.view.last == ""
    await stage.press("u", "escape")
    assert stage.issue("platform#1").weight == 6
    assert "platform#1 weight 6" in stage.screen.footer.view.last
    assert stage.screen.footer.view.target == "1 selected"
    await stage.press("7")
    assert stage.issue("platform#2").weight == 7


@pytest.mark.slow
async def test_the_palette_in_a_list_offers_actions_of_the_list(stage: Stage) -> None:
    await stage.press("g", "t", "ctrl+p")
    await stage.type("defer")
    await stage.pilot.pause()
    await stage.press("enter")
    await stage.until(lambda: isinstance(stage.app.screen, Triage))
    await stage.until(lambda: stage.issue("platform#1").milestone == "19.9")
    # Brackets in a title are not markup.
    await stage.press("ctrl+p")
    await stage.type("fix")
    await stage.pilot.pause()
    await stage.press("escape")
    # An issue of the list is found in the list.
    await stage.press("ctrl+p")
    await stage.type("upgrade the runner")
    await stage.pilot.pause()
    await stage.press("enter")
    await stage.until(lambda: isinstance(stage.app.screen, Triage))
    await stage.until(lambda: stage.name(on_top(stage, Triage).chosen()) == "platform#4")
