"""Candidates by keyboard on the embedded GitLab: accepting, capacity, the proposal."""

from __future__ import annotations

import pytest

from glboard_core.config import ShareSettings
from glboard_tui.screens.candidates import Candidates
from glboard_tui.widgets.footer import WhichKey
from tui.app.stage import Stage, staged
from tui.screens.lists import lines, names, on_top, text


@pytest.mark.slow
async def test_candidates_are_accepted_line_by_line(stage: Stage) -> None:
    await stage.press("g", "c")
    screen = on_top(stage, Candidates)
    assert "Candidates 19.8: 0 of 9 accepted · 11.5w left to accept" in text(stage)
    assert names(stage)[:2] == ["platform#1", "platform#2"]
    assert "not ready, no weight" in lines(stage)[1]
    await stage.press("enter")
    assert "Deliverable" in stage.issue("platform#1").labels
    assert "Accepted for eng_birch." in screen.entries[0].words
    assert "1 of 9 accepted · 9.5w left" in text(stage)
    await stage.press("u")
    assert "Deliverable" not in stage.issue("platform#1").labels
    await stage.press("d", "a")
    assert stage.issue("platform#1").assignees == ("eng_alder",)
    await stage.press("D", "escape")
    assert "Deliverable" not in stage.issue("platform#1").labels


@pytest.mark.slow
async def test_a_ruler_shows_where_capacity_is_reached(stage: Stage) -> None:
    await stage.press("g", "c")
    assert lines(stage)[9].startswith("── everything fits, 8.5 left ──")
    await stage.press("j", "W", "9", "y")
    await stage.press("g", "g", "w", "backspace", "6", "enter")
    ruler = next(at for at, line in enumerate(lines(stage)) if "capacity 11.5 reached" in line)
    # platform#1 weighs 6, platform#2 9: with it the sum is 15.
    assert ruler == 1
    assert "!15" in lines(stage)[2]


@pytest.mark.slow
async def test_candidates_can_be_sorted(stage: Stage) -> None:
    await stage.press("g", "c", "G", "k", "P", "1", "O")
    assert "by priority" in text(stage)
    assert names(stage)[0] == "ai-gateway#1"
    await stage.press("O")
    assert "by weight" in text(stage)
    assert names(stage)[0] == "platform#3"
    await stage.press("O")
    assert names(stage)[0] == "platform#1"


async def test_person_letters_show_free_capacity(stage: Stage) -> None:
    await stage.press("g", "c", "d")
    strip = dict(stage.app.screen.query_one(WhichKey).entries)
    assert strip["a"].endswith("alder 11.5w free")
    assert strip["b"].endswith("birch 1w over")
    await stage.press("escape")
    stage.app.share.settings = ShareSettings(people="words")
    await stage.press("p", "d")
    strip = dict(stage.app.screen.query_one(WhichKey).entries)
    assert strip["a"].endswith("alder free")
    assert strip["b"].endswith("birch over")


@pytest.mark.slow
async def test_fill_capacity_proposal_can_be_accepted_as_a_whole(stage: Stage) -> None:
    await stage.press("g", "c", "F")
    assert "2 issues, weight 3 of 11.5 proposed; nothing changed yet." in text(stage)
    assert [line.split()[-1] for line in lines(stage) if "proposed" in line] == ["proposed"] * 2
    assert not stage.app.bridge.undoing.title
    await stage.press("F", "n", "escape")
    assert "Proposal discarded" in text(stage)
    assert not stage.app.bridge.undoing.title
    on_top(stage, Candidates)
    await stage.press("F", "F", "y")
    assert all("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))
    await stage.press("u")
    assert not any("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))


async def test_a_proposal_can_be_accepted_line_by_line(stage: Stage) -> None:
    await stage.press("g", "c", "F")
    screen = on_top(stage, Candidates)
    assert stage.name(screen.chosen()) == "platform#1"
    await stage.press("enter")
    assert "Deliverable" in stage.issue("platform#1").labels
    assert stage.name(screen.chosen()) == "platform#5"
    await stage.press("-")
    assert "Deliverable" not in stage.issue("platform#5").labels
    assert not any("proposed" in line for line in lines(stage))
    await stage.press("escape")
    assert stage.app.screen is stage.screen


@pytest.mark.slow
async def test_accepting_a_proposal_assigns_unassigned_issues(stage: Stage) -> None:
    await stage.focus("platform#5")
    await stage.press("a", "space", "enter")
    assert stage.issue("platform#5").assignees == ()
    await stage.press("g", "c", "F")
    # By free weight: birch is over, alder has all days.
    assert [line.split()[-2] for line in lines(stage) if "proposed" in line] == ["eng_birch", "eng_alder"]
    await stage.press("j", "j", "j", "j", "d", "b")
    assert [line.split()[-2] for line in lines(stage) if "proposed" in line] == ["eng_birch", "eng_birch"]
    await stage.press("d", "a")
    assert stage.issue("platform#5").assignees == ()
    await stage.press("F", "y")
    assert stage.issue("platform#5").assignees == ("eng_alder",)
    assert stage.issue("platform#1").assignees == ("eng_birch",)
    assert all("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))


async def test_without_a_team_there_is_no_proposal() -> None:
    async with staged() as stage:
        await stage.press("g", "c", "F")
        assert "needs team.toml" in text(stage)


@pytest.mark.slow
async def test_the_cursor_follows_accepted_and_moved_issues(stage: Stage) -> None:
    await stage.press("g", "c", "enter")
    screen = on_top(stage, Candidates)
    # It is still listed, to be assigned to someone else.
    assert stage.name(screen.chosen()) == "platform#1"
    await stage.press("O", "G", "k")
    last = stage.name(screen.chosen())
    before = names(stage).index(last)
    await stage.press("P", "1")
    assert names(stage).index(last) < before
    assert stage.name(screen.chosen()) == last
