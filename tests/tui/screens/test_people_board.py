"""The People board shows the whole team, not only who has something already."""

from __future__ import annotations

from pathlib import Path

from glboard_tui.screens.capacity import CapacityPane
from glboard_tui.widgets.column_headers import ColumnHeaders
from glboard_tui.widgets.facts import Facts
from glboard_tui.widgets.footer import WhichKey
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


async def test_the_same_person_is_called_the_same_everywhere(team_file: Path) -> None:
    world = small_world()
    world.group(GROUP).members[world.add_user("eng_cedar", "Engi Cedar").id] = 40
    world.edit(f"{GROUP}/platform#2", by=ME, assignees=["eng_cedar"])
    world.comment(f"{GROUP}/platform#1", "Seen.", by="eng_alder")
    async with staged(world, team_file=team_file) as stage:
        head = stage.screen.header
        assert "birch 2w" in head.render_line(2).text
        assert "eng_" not in head.render_line(2).text
        await stage.focus("platform#1")
        await stage.press("d")
        strip = stage.screen.query_one(WhichKey)
        menu = "\n".join(strip.render_line(y).text for y in range(strip.size.height))
        assert " alder " in menu
        assert "eng_" not in menu
        await stage.press("escape", "enter")
        await stage.settle()
        facts = stage.screen.pane.query_one(Facts)
        assert "@birch" in "\n".join(facts.render_line(y).text for y in range(facts.size.height))
        await stage.until(lambda: "@alder" in str(stage.screen.pane._notes.content))
        await stage.press("escape", "g", "r")
        await stage.settle()
        people = stage.screen.query_one(CapacityPane)._people
        names = [people.render_line(y).text.split()[0].lstrip("▌") for y in range(2)]
        assert names == ["alder", "birch"]
