"""``g i``: the planning issue of the milestone, which is on no board."""

from __future__ import annotations

from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged


async def test_g_i_opens_the_planning_issue(stage: Stage) -> None:
    await stage.press("g", "i")
    assert not stage.screen.pane.is_open
    assert "No planning issue for 19.8" in stage.message


async def test_the_planning_issue_is_found_although_it_is_on_no_board() -> None:
    world = small_world()
    for title in ("19.8 planning", "Planning issue 19.8", "19.9 planning"):
        world.create(
            f"{GROUP}/platform",
            title,
            by=ME,
            add_labels=[GROUP_LABEL, "type::ignore"],
            milestone=title[:4] if title[0] == "1" else "19.8",
        )
    async with staged(world=world) as stage:
        await stage.press("g", "i")
        assert stage.screen.pane.issue == stage.issue("platform#12").id
        assert "2 issues match" in stage.message
        await stage.press("escape", "=", "g", "i")
        assert stage.screen.pane.issue == stage.issue("platform#14").id
        assert "planning issue of 19.9" in stage.message
