"""The capacity pane: live figures, the team's file edited by keys, net days typed hidden."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs
from textual.widgets import Input, Static

from glboard_core.config import ShareSettings
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from glboard_core.errors import Offline
from glboard_core.planning.capacity import ClosedWeight
from glboard_core.planning.team import days, load
from glboard_core.reports import Reports, kept_closed
from glboard_tui.screens.capacity import CapacityDialog, CapacityPane
from glboard_tui.screens.capacity_post import PostCapacity
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.picker import Picker
from glboard_tui.screens.prompts import HiddenInput, Prompt
from glboard_tui.widgets.facts import Facts, HeadLine
from tui.app.stage import STILL, Stage, small_world, staged
from tui.screens.lists import reading

#: Too narrow for the pane next to the board.
narrow = partial(staged, size=(120, 45))
TWO = '[[people]]\nusername = "eng_alder"\n[[people]]\nusername = "eng_birch"\n'


@pytest_asyncio.fixture
async def stage(team_file: Path) -> AsyncIterator[Stage]:
    async with narrow(team_file=team_file) as running:
        yield running


def body(stage: Stage) -> CapacityPane:
    return next(found for screen in stage.app.screen_stack for found in screen.query(CapacityPane))


def lines(stage: Stage) -> list[str]:
    """The lines of the people and the team in the pane, with cells separated."""
    pane = body(stage)
    rows = [*pane._people._table.rows, *pane._team._table.rows]
    return [" ".join(text.strip() for text, _ in row if text.strip()) for row in rows]


def words(stage: Stage) -> str:
    """What is said around the lists; the words of a fact two cells apart."""
    said: list[str] = []
    for part in body(stage).children:
        if isinstance(part, Static) and part.display:
            said.append(str(part.render()))
        elif isinstance(part, Facts) and part.display:
            said += [part.render_line(y).text for y in range(part.size.height)]
        elif isinstance(part, HeadLine) and part.display:
            said.append("  ".join((part.name_text, *part.aside)))
    return "\n".join(re.sub(" {2,}", "  ", line).rstrip() for line in said)


def on_top(stage: Stage) -> str:
    return "\n".join(str(part.render()) for part in stage.app.screen.query(Static))


async def typed(stage: Stage, key: str, text: str) -> None:
    """Press a key of the pane and type an answer that replaces the current value."""
    await stage.press(key, "ctrl+u", *text, "enter")


async def test_capacity_of_each_person_and_the_team(stage: Stage) -> None:
    await stage.press("g", "r")
    assert isinstance(stage.app.screen, CapacityDialog)
    alder, birch, unassigned, team = lines(stage)
    assert alder.startswith("eng_alder backend 25 0 1 ppp-")
    assert alder.endswith("- 11.5w free of 12.5")
    assert birch.startswith("eng_birch frontend 2 0 2 ppp")
    assert birch.endswith("o 1w over of 1")
    assert unassigned == "unassigned 2 6"
    assert team.startswith("team 2 9 ccc")
    assert team.endswith("2.5w free of 13.5")
    said = words(stage)
    assert "Carried from 19.7  2w likely" in said
    assert "By role  backend 12.5w · frontend 1w" in said
    assert "Planned  9w  0w accepted, 6w unassigned" in said
    assert "No weight yet  4 issues" in said
    assert "Capacity of 19.8  25 working days" in said
    await stage.press("j")
    said = words(stage)
    assert "eng_birch  frontend · 2 working days" in said
    assert "Time off  12 Dec – 13 Jan" in said
    assert "Factor  1" in said
    await stage.press("escape")
    assert not isinstance(stage.app.screen, CapacityDialog)


@pytest.mark.slow
async def test_a_team_file_is_created_after_asking(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    async with narrow(team_file=path) as stage:
        await stage.press("g", "r")
        assert "with the 2 people who have issues in 19.8" in words(stage)
        # Only what does something before there is a team.
        assert [key for key, _ in stage.screen.footer.view.hints] == ["Enter", "r", "?"]
        await stage.press("enter")
        assert isinstance(stage.app.screen, Ask)
        assert "eng_alder, eng_birch" in on_top(stage)
        await stage.press("n")
        assert not path.exists()
        await stage.press("enter", "y")
        assert [member.username for member in load(path).people] == ["eng_alder", "eng_birch"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert lines(stage)[0].endswith("11.5w free of 12.5")
        assert stage.screen.context.planning.team is not None
        await stage.press("u")
        assert not path.exists()
        await stage.press("escape")
        assert stage.screen.header.view.people == ()


async def test_an_invalid_file_is_reported_and_reloaded(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text('[[people]]\nusername = "eng_alder"\nfacto = 1\n', encoding="utf-8")
    async with narrow(team_file=path) as stage:
        await stage.press("g", "r")
        assert "Cannot use team.toml" in words(stage)
        assert "factor" in words(stage)
        path.write_text('[[people]]\nusername = "eng_alder"\n', encoding="utf-8")
        await stage.press("r", "q")
        assert stage.screen.header.view.sums[0].text == "Capacity 12.5w"


@pytest.mark.slow
async def test_every_value_can_be_edited_and_undone(stage: Stage, team_file: Path) -> None:
    before = team_file.read_text(encoding="utf-8")
    await stage.press("g", "r")
    await typed(stage, "t", "12-21, 12-28..30")
    assert len(days(load(team_file).people[0].time_off)) == 4
    assert lines(stage)[0].startswith("eng_alder backend 21 ")
    await typed(stage, "h", "2026-12-24")
    await typed(stage, "s", "2,5")
    await typed(stage, "f", "0.5")
    await typed(stage, "o", "SET")
    alder = load(team_file).people[0]
    assert (alder.support_days, alder.factor, alder.role) == ({"19.8": 2.5}, 0.5, "SET")
    assert lines(stage)[0].startswith("eng_alder SET 17.5 ")
    await typed(stage, "R", "20 %")
    await typed(stage, "w", "2.5")
    await typed(stage, "H", "12-25")
    team = load(team_file)
    assert (team.reserve, team.days_per_weight, len(team.holidays)) == (0.2, 2.5, 1)
    assert "reserve 20 %" in words(stage)
    await stage.press(*["u"] * 8)
    assert team_file.read_text(encoding="utf-8") == before
    await stage.press("u")
    assert "Nothing to undo" in words(stage)
    assert lines(stage)[0].startswith("eng_alder backend 25 ")


@pytest.mark.slow
async def test_people_can_be_added_and_removed(stage: Stage, team_file: Path) -> None:
    await stage.press("g", "r", "a")
    assert isinstance(stage.app.screen, Picker)
    await stage.press(*"maple", "enter")
    assert load(team_file).member("em_maple") is not None
    await stage.press("k", "k", "j", "x")
    assert "Remove eng_birch" in on_top(stage)
    await stage.press("y")
    assert [member.username for member in load(team_file).people] == ["eng_alder", "em_maple"]
    # A person who is assigned but has no days is still listed, and can be added again.
    assert lines(stage)[2] == "eng_birch 0 2 no days"
    await stage.press("j", "j", "t")
    assert "eng_birch is not in team.toml; a adds them" in words(stage)
    await stage.press("u", "u")
    assert [member.username for member in load(team_file).people] == ["eng_alder", "eng_birch"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("t", "12-40", "“12-40” is not a date"),
        ("f", "much", "Not a number"),
        ("f", "-1", "must be 0 or more"),
        ("f", "inf", "must be 0 or more"),
        ("R", "100 %", "< 1"),
        ("w", "0", "> 0"),
        ("s", "1e999", "must be 0 or more"),
    ],
)
async def test_invalid_input_is_reported_and_kept_in_the_prompt(
    stage: Stage, team_file: Path, key: str, text: str, says: str
) -> None:
    before = team_file.read_text(encoding="utf-8")
    await stage.press("g", "r")
    await typed(stage, key, text)
    assert isinstance(stage.app.screen, Prompt)
    assert says in on_top(stage)
    assert stage.app.screen.query_one(Input).value == text
    await stage.press("escape")
    assert team_file.read_text(encoding="utf-8") == before


@pytest.mark.slow
async def test_a_file_changed_elsewhere_is_not_overwritten(stage: Stage, team_file: Path) -> None:
    await stage.press("g", "r", "f", "ctrl+u", "2")
    team_file.write_text(TWO.replace("birch", "cedar"), encoding="utf-8")
    await stage.press("enter")
    assert "someone else changed this file" in on_top(stage)
    assert "cedar" in team_file.read_text(encoding="utf-8")
    assert "factor" not in team_file.read_text(encoding="utf-8")
    await stage.press("escape")
    assert lines(stage)[1].startswith("eng_cedar")
    # It was reloaded, so the same answer is accepted now.
    await typed(stage, "f", "2")
    assert load(team_file).people[0].factor == 2


@pytest.mark.slow
async def test_a_shared_screen_shows_only_the_teams_bar_or_words(stage: Stage) -> None:
    await stage.press("g", "r", "p")
    assert lines(stage) == ["eng_alder backend", "eng_birch frontend", "team free"]
    assert "━━━━" in words(stage)
    stage.app.share.settings = ShareSettings(people="words")
    await stage.press("p", "p", "p")
    assert lines(stage) == ["eng_alder backend free", "eng_birch frontend over", "team free"]
    said = words(stage)
    assert "Capacity of 19.8  figures hidden" in said
    assert "By role" not in said
    assert "Time off" not in said
    assert "working day" not in said
    for key in ("t", "h", "s", "f", "w", "R", "H", "i"):
        await stage.press(key)
        assert isinstance(stage.app.screen, CapacityDialog)
        assert "hidden" in words(stage)
    await stage.press("escape", "g", "r")
    assert lines(stage)[0] == "eng_alder backend free"
    await stage.press("p", "p")
    assert lines(stage)[0].startswith("eng_alder backend 25")


@pytest.mark.slow
async def test_net_days_are_typed_hidden(stage: Stage, team_file: Path) -> None:
    await stage.press("g", "r", "p", "n", "1", "2", ".", "5")
    assert isinstance(stage.app.screen, HiddenInput)
    assert "12.5" not in on_top(stage)
    shown = on_top(stage)
    await stage.press("backspace", "backspace")
    assert on_top(stage) == shown
    await stage.press("x", "enter")
    assert "Not a number" in on_top(stage)
    assert "12x" not in on_top(stage)
    await stage.press("9", "9", "9", "9", "enter")
    assert "9999" not in on_top(stage)
    await stage.press("1", "2", ",", "5", "enter")
    assert load(team_file).people[0].net_days == {"19.8": 12.5}
    assert lines(stage)[0] == "eng_alder backend"
    await stage.press("p", "p")
    assert lines(stage)[0].startswith("eng_alder backend 12.5 ")
    assert "Net days set  12.5" in words(stage)
    await stage.press("n", "enter")
    assert load(team_file).people[0].net_days == {}
    assert lines(stage)[0].startswith("eng_alder backend 25")


@pytest.mark.slow
async def test_closed_weight_is_read_in_the_background_and_kept(team_file: Path) -> None:
    world = small_world()
    world.add_milestone(world.group("demo-org"), "19.6", date(2026, 10, 10), date(2026, 11, 13))
    for weight in (3, 2):
        world.create(
            "demo-org/platform", "Shipped", by="em_maple", milestone="19.6", weight=weight, close=True,
            add_labels=["group::custom models", "type::bug", "Deliverable"],
        )  # fmt: skip
    async with narrow(world, team_file=team_file, reports=reading) as stage:
        await stage.press("g", "r")
        await stage.until(lambda: "5w on average  (19.6 5w)" in words(stage))
        milestone = stage.screen.context.planning.milestone()
        assert milestone
        assert kept_closed(stage.engine, milestone) == (ClosedWeight(milestone="19.6", count=2, weight=5),)
        await stage.press("escape")
        asked = len(stage.server.requests)
        await stage.press("g", "r")
        assert "5w on average" in words(stage)
        await stage.settle()
        assert len(stage.server.requests) == asked


async def test_a_read_error_is_reported_and_blocks_nothing(
    team_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise Offline("GitLab is away.")

    monkeypatch.setattr(Reports, "closed_before", fails)
    world = small_world()
    world.add_milestone(world.group("demo-org"), "19.6", date(2026, 10, 10), date(2026, 11, 13))
    async with narrow(world, team_file=team_file, reports=reading) as stage:
        await stage.press("g", "r")
        await stage.until(lambda: "cannot be loaded: GitLab is away." in words(stage))
        assert lines(stage)[0].startswith("eng_alder")


async def test_many_people_scroll_and_the_sums_stay_visible(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text("".join(f'[[people]]\nusername = "eng_{n:02}"\n' for n in range(20)), "utf-8")
    async with narrow(team_file=path, size=(100, 30)) as stage:
        await stage.press("g", "r", "G")
        pane = body(stage)
        assert pane.person is not None
        assert pane.person.username == "eng_birch"  # assigned, not in the file
        assert pane._people.scroll_offset.y > 0
        keys = pane._keys.region
        assert keys.bottom <= 29
        assert keys.height == 1


def carrying_world() -> World:
    world = small_world()
    world.create(
        "demo-org/platform", "Left over", by="em_maple", milestone="19.7", weight=2, assignees=["eng_alder"],
        add_labels=["group::custom models", "type::bug", "Deliverable"],
    )  # fmt: skip
    return world


async def test_a_person_is_shown_with_what_comes_along(team_file: Path) -> None:
    async with narrow(carrying_world(), team_file=team_file) as stage:
        await stage.press("g", "r")
        said = words(stage)
        assert "eng_alder  backend · 25 working days" in said
        assert "Support  none" in said
        assert "Carries over  platform#12 2w" in said


@pytest.mark.parametrize("size", [(80, 24), (58, 20)])
async def test_on_a_low_screen_a_person_has_one_line_and_all_is_in_view(
    team_file: Path, size: tuple[int, int]
) -> None:
    async with narrow(carrying_world(), team_file=team_file, size=size) as stage:
        await stage.press("g", "r")
        said = " ".join(words(stage).split())
        along = " · carries over platform#12 2w" if size[1] == 24 else ""
        assert f"eng_alder · backend · 25 working days · factor 1{along}" in said
        pane = body(stage)
        assert pane._keys.region.height == 1
        assert pane._keys.region.bottom <= size[1] - 2
        assert pane._person.region.bottom <= pane._keys.region.y


# Posting


def planned_world(**wishes: Any) -> World:
    world = small_world()
    world.create(
        "demo-org/platform", "Planning 19.8", by="em_maple", milestone="19.8",
        add_labels=["group::custom models", "type::ignore"], **wishes,
    )  # fmt: skip
    return world


def notes(stage: Stage) -> list[str]:
    found = stage.world.issue("demo-org/platform#12")
    return [note.body for note in found.notes or () if not note.system]


@pytest.mark.slow
async def test_the_capacity_is_posted_after_a_preview_and_updated_later(team_file: Path) -> None:
    async with narrow(planned_world(), team_file=team_file) as stage:
        await stage.press("g", "r", "i")
        screen = stage.app.screen
        assert isinstance(screen, PostCapacity)
        await stage.until(lambda: "A new comment will be posted." in on_top(stage))
        shown = on_top(stage)
        assert "| Capacity | 13.5 | 13.5 |" in shown
        assert "eng" not in shown
        await stage.press("n")
        assert "eng\\_alder" in on_top(stage)
        await stage.press("n", "enter")
        assert "Posting to demo-org/platform#12" in words(stage)
        await stage.settle()
        [first] = notes(stage)
        assert first.startswith("## Capacity 19.8")
        assert "<!-- glboard note: capacity 19.8 -->" in first
        await stage.press("i")
        await stage.until(lambda: "up to date" in on_top(stage))
        await stage.press("enter")
        assert isinstance(stage.app.screen, PostCapacity)
        await stage.press("escape")
        await typed(stage, "f", "2")
        await stage.press("i")
        await stage.until(lambda: "will be updated" in on_top(stage))
        await stage.press("enter")
        await stage.settle()
        [second] = notes(stage)
        assert "| Capacity | 26 | 26 |" in second
        await stage.press("escape", "u")
        await stage.settle()
        assert notes(stage)[0].splitlines()[:-2] == first.splitlines()[:-2]
        await stage.press("u", "y")
        await stage.settle()
        assert notes(stage) == []


@pytest.mark.slow
async def test_posting_can_be_undone_before_it_is_sent(team_file: Path) -> None:
    held = structs.replace(STILL, sync=structs.replace(STILL.sync, hold=3600, hold_comments=3600))
    async with narrow(planned_world(), team_file=team_file, settings=held) as stage:
        await stage.press("g", "r", "i")
        await stage.until(lambda: "A new comment will be posted." in on_top(stage))
        await stage.press("enter", "i")
        # An unsent comment counts as posted: a second one replaces it.
        await stage.until(lambda: "up to date" in on_top(stage))
        await stage.press("escape", "escape", "u")
        assert stage.app.bridge.status is not None
        assert stage.app.bridge.status.unsent == 0
        assert not stage.server.requests.of("createNote")


@pytest.mark.slow
async def test_posting_reports_why_it_is_not_possible(stage: Stage, team_file: Path) -> None:
    await stage.press("g", "r", "i")
    assert "No planning issue for 19.8" in words(stage)
    async with narrow(planned_world(), team_file=team_file, read_only=True) as other:
        await other.press("g", "r", "i")
        assert "Read-only session" in words(other)
    async with narrow(planned_world(), team_file=team_file) as other:
        other.server.faults.next("500", "LastNotes", times=99)
        await other.press("g", "r", "i")
        await other.until(lambda: "Cannot load your earlier comment" in on_top(other))
        await other.press("enter")
        assert isinstance(other.app.screen, PostCapacity)


# Next to the board


@asynccontextmanager
async def wide(team_file: Path, **more: Any) -> AsyncIterator[Stage]:
    async with staged(team_file=team_file, **more) as running:
        yield running


@pytest.mark.slow
async def test_the_pane_stays_next_to_the_board_and_updates_with_it(team_file: Path) -> None:
    async with wide(team_file) as stage:
        await stage.focus("platform#2")
        await stage.press("g", "r")
        assert not isinstance(stage.app.screen, CapacityDialog)
        docked = stage.screen.dock.pane
        assert docked is not None
        assert docked.has_keys
        assert stage.screen.board.region.right <= docked.region.x
        assert docked.region.right <= 160
        assert stage.screen.footer.view.target == "eng_alder"
        await stage.press("j")
        assert "eng_birch" in words(stage)
        await stage.press("escape")
        assert stage.focused == "platform#2"
        assert docked.is_open
        await stage.press("8", "A")
        assert stage.issue("platform#2").weight == 8
        assert lines(stage)[-3].startswith("em_maple 0 8")
        await stage.press("u", "u", "space")
        assert stage.selected == ["platform#2"]
        assert "Planned  9w" in words(stage)
        await stage.press("g", "r")
        assert stage.screen.dock.pane is None
        assert stage.selected == ["platform#2"]


@pytest.mark.slow
async def test_tab_reaches_the_pane_after_the_last_column(team_file: Path) -> None:
    async with wide(team_file) as stage:
        await stage.press("g", "r", "tab")
        docked, board = stage.screen.dock.pane, stage.screen.board
        assert docked is not None
        assert not docked.has_keys
        await stage.press(*["tab"] * 4)
        assert docked.has_keys
        await stage.press("shift+tab")
        assert not docked.has_keys
        assert board.focused[1] is not None
        assert board.focused[1].title == "(unlisted)"
        await stage.press("tab")
        # This key closes the focused widget, so the test cannot wait on it.
        stage.burst("q")
        await stage.until(lambda: stage.screen.dock.pane is None and stage.app.focused is board)


@pytest.mark.slow
async def test_pane_keys_change_the_team_and_never_a_card(team_file: Path) -> None:
    async with wide(team_file) as stage:
        weight = stage.issue("platform#1").weight
        await stage.press("g", "r", "5", "d", "x")
        assert stage.issue("platform#1").weight == weight
        assert isinstance(stage.app.screen, Ask)
        await stage.press("n")
        await typed(stage, "f", "0.5")
        assert load(team_file).people[0].factor == 0.5
        assert stage.screen.header.view.sums[0].text == "Capacity 7.25w"
        await stage.press("u")
        assert load(team_file).people[0].factor == 1


@pytest.mark.slow
async def test_an_open_issue_or_a_narrow_terminal_hides_the_pane(team_file: Path) -> None:
    async with wide(team_file) as stage:
        await stage.press("g", "r", "escape", "enter")
        docked = stage.screen.dock.pane
        assert docked is not None
        assert not docked.is_open
        await stage.press("escape")
        assert docked.is_open
        await stage.pilot.resize_terminal(100, 30)
        await stage.pilot.pause()
        assert not docked.is_open
        await stage.press("g", "r")
        assert isinstance(stage.app.screen, CapacityDialog)
        await stage.press("escape")
        await stage.pilot.resize_terminal(160, 45)
        await stage.pilot.pause()
        assert docked.is_open


async def test_the_pane_follows_the_boards_milestone(team_file: Path) -> None:
    async with wide(team_file) as stage:
        await stage.press("g", "r", "escape", "=")
        assert "Capacity of 19.9" in words(stage)
        await stage.press("g", "k")
        assert "Capacity of 19.8" in words(stage)


async def test_moving_the_focus_does_not_rebuild_the_pane(
    team_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wide(team_file) as stage:
        await stage.press("g", "r", "escape")
        made: list[str] = []
        show = CapacityPane.show

        def counted(pane: CapacityPane) -> None:
            made.append("again")
            show(pane)

        await stage.settle()
        monkeypatch.setattr(CapacityPane, "show", counted)
        await stage.press("j", "k", "l", "space", "escape")
        assert made == []


@pytest.mark.slow
async def test_a_team_file_with_former_names_counts_and_can_be_brought_up_to_date(
    stage: Stage, team_file: Path
) -> None:
    upheavals.rename_user(stage.world, stage.world.user("eng_alder"), "eng_elder")
    engine = stage.app.bridge.engine
    assert engine is not None
    await engine.names.read()
    await stage.press("g", "r")
    assert lines(stage)[0].startswith("eng_elder backend 25 0 1 ")
    assert lines(stage)[0].endswith("11.5w free of 12.5")
    assert "eng_alder is now eng_elder. W updates team.toml." in words(stage)
    # The keys find the person under the old name.
    await typed(stage, "o", "SET")
    assert load(team_file).people[0].role == "SET"
    await stage.press("W")
    assert load(team_file).people[0].username == "eng_elder"
    assert "Renamed in GitLab" not in words(stage)
    assert lines(stage)[0].startswith("eng_elder SET 25 ")
    await stage.press("u", "u")
    assert load(team_file).people[0].username == "eng_alder"
