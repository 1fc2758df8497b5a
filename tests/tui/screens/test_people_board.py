"""The People board shows the whole team, not only who has something already."""

from __future__ import annotations

from tui.app.stage import Stage


async def test_people_of_the_team_without_an_issue_have_a_column_and_a_letter(stage: Stage) -> None:
    await stage.focus("platform#5")
    await stage.press("m", "k")
    await stage.settle()
    await stage.press("g", "w")
    assert stage.screen.board.has_focus
    assert stage.cards()["eng_alder"] == [], stage.cards()
    assert "eng_alder" in stage.app.bridge.people().values()
