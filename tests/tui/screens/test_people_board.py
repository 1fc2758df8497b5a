"""The People board shows the whole team, not only who has something already."""

from __future__ import annotations

from glboard_tui.widgets.column_headers import ColumnHeaders
from tui.app.stage import GROUP, ME, Stage, small_world, staged


async def test_people_of_the_team_without_an_issue_have_a_column_and_a_letter(stage: Stage) -> None:
    await stage.focus("platform#5")
    await stage.press("m", "k")
    await stage.settle()
    await stage.press("g", "w")
    assert stage.screen.board.has_focus
    assert stage.cards()["eng_alder"] == [], stage.cards()
    assert "eng_alder" in stage.app.bridge.people().values()


async def test_a_column_calls_a_person_as_the_cards_do() -> None:
    world = small_world()
    world.group(GROUP).members[world.add_user("eng_cedar", "Engi Cedar").id] = 40
    world.edit(f"{GROUP}/platform#2", by=ME, assignees=["eng_cedar"])
    async with staged(world) as stage:
        await stage.press("g", "w")
        head = stage.screen.board.query_one(ColumnHeaders).render_line(0).text
        assert " @birch " in head
        assert " @cedar " in head
        assert "eng_" not in head
        await stage.focus("platform#1")
        assert stage.screen.board.where(stage.issue("platform#1").id) == "1 of 1 in @birch"
