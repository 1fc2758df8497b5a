"""Selection, the cursor and the mouse in a list."""

from __future__ import annotations

from glboard_core.board.operations import Edit
from glboard_tui.screens.issue_list import IssueList
from glboard_tui.screens.queues import Triage
from tui.app.stage import Stage
from tui.screens.lists import names, on_top


async def test_a_key_acts_on_the_selection_and_clears_it(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    first, second, third = names(stage)[:3]
    await stage.press("space", "j", "j", "space")
    assert screen.footer.view.target == "2 selected"
    assert screen.rows.render_line(1).text.startswith(" ✓ platform#")
    await stage.press("7")
    assert [stage.issue(name).weight for name in (first, third)] == [7, 7]
    assert stage.issue(second).weight != 7
    assert screen.footer.view.target == third
    await stage.press("g", "v")
    assert screen.footer.view.target == "2 selected"
    assert stage.screen.board.selection.all == ()


async def test_only_selected_issues_in_the_list_are_affected(stage: Stage) -> None:
    await stage.press("g", "q")
    screen = on_top(stage, IssueList)
    assert names(stage) == ["platform#2", "platform#9"]
    await stage.press("asterisk")
    assert screen.footer.view.target == "2 selected"
    stage.engine.perform([(stage.issue("platform#2").id, Edit(weight=1))], "from elsewhere")
    await stage.press("V")
    assert screen.footer.view.target == "1 selected"
    await stage.press("W", "2")
    assert stage.issue("platform#2").weight == 1
    assert stage.issue("platform#9").weight == 2


async def test_escape_clears_the_selection_before_closing_the_list(stage: Stage) -> None:
    await stage.press("g", "t", "V", "j")
    screen = on_top(stage, Triage)
    assert screen.footer.view.target == "2 selected"
    await stage.press("escape")
    assert screen.footer.view.message == "Range selected."
    await stage.press("escape")
    assert screen.footer.view.target == names(stage)[1]
    await stage.press("escape")
    assert stage.app.screen is stage.screen


async def test_keys_that_arrive_together_act_on_the_remaining_lines(stage: Stage) -> None:
    await stage.press("g", "q")
    stage.burst("W", "1", "W", "2")
    await stage.until(lambda: not names(stage))
    assert [stage.issue(f"platform#{n}").weight for n in (2, 9)] == [1, 2]


async def test_a_click_moves_the_cursor(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    await stage.pilot.click(screen.rows, offset=(10, 3))
    assert stage.name(screen.chosen()) == names(stage)[2]
