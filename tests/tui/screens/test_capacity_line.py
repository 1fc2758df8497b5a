"""The header's figures: the board's one question and who has what, live."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from glboard_core.demo.world.clock import DAY
from glboard_core.planning.capacity import Capacity, CapacityTally
from glboard_core.planning.team import Team
from glboard_core.planning.text import signed
from support.leaks import TEAM
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged


def sums(stage: Stage) -> list[str]:
    return [fact.text for fact in stage.screen.header.view.sums]


def people(stage: Stage) -> list[str]:
    return [fact.text for fact in stage.screen.header.view.people]


async def test_the_header_asks_whether_the_plan_fits(stage: Stage) -> None:
    assert sums(stage) == ["Capacity 13.5w", "2w carried over", "9w planned", "(0w accepted)", "2.5w free"]
    assert people(stage) == [
        *("Planned for", "eng_alder 1w", "eng_birch 2w", "unassigned 6w"),
        *("Over", "eng_birch 1w"),
        *("Free", "eng_alder 11.5w"),
    ]
    warning = stage.screen.header.view.warning
    assert warning is not None
    assert warning.text == "4 have no weight"


async def test_figures_add_up(stage: Stage) -> None:
    """The header's figures are sums of the cards: each is the same number wherever it is shown."""
    view, index = stage.screen.header.view, stage.app.bridge.index
    assert index is not None
    shown = [issue for issue in stage.engine.shown.values() if issue.milestone == "19.8" and issue.is_open]
    weights = [issue.weight for issue in shown]
    carried, planned, accepted, free = (float(words.split("w")[0].strip("( ")) for words in sums(stage)[1:])
    assert accepted == sum(issue.weight or 0 for issue in shown if "Deliverable" in issue.labels)
    assert planned == sum(filter(None, weights)) == sum(column.weight for column in index.visible())
    assert view.warning is not None
    assert view.warning.text.split()[0] == str(weights.count(None))
    assert weights.count(None) == sum(column.unweighted for column in index.visible())
    assert float(sums(stage)[0].split()[1].rstrip("w")) - carried - planned == free
    shares = people(stage)[1 : people(stage).index("Over")]
    assert sum(int(words.split()[1].rstrip("w")) for words in shares) == planned
    # The bar shows the same figures.
    assert sum(part for part, _ in view.bar) == carried + planned
    cards = [index.issue(issue) for column in index.visible() for issue in column]
    assert sum(card.weight or 0 for card in cards if card is not None) == planned


async def test_build_says_what_is_closed(stage: Stage) -> None:
    await stage.press("g", "b")
    assert sums(stage) == ["closed 0 of 1", "0w of 2w done"]
    await stage.focus("platform#8")
    await stage.press("x", "c")
    assert sums(stage) == ["closed 1 of 1", "2w of 2w done"]
    await stage.press("u", "8")
    warning = stage.screen.header.view.warning
    assert warning is not None
    assert warning.text == "1 over weight"


async def test_the_backlog_says_how_old_it_is() -> None:
    world = small_world()
    for days in (20, 40, 400, 800):
        made = world.create(f"{GROUP}/platform", "Old", add_labels=[GROUP_LABEL], milestone="Backlog", by=ME)
        world.issue(made.reference).created -= days * DAY
    world.index.rebuild()
    async with staged(world, board="backlog") as stage:
        assert sums(stage) == [
            *("Oldest 2.2 years", "0 up to a year", "3 under 3 months", "half over 6 weeks")
        ]
        warning = stage.screen.header.view.warning
        assert warning is not None
        assert warning.text == "2 are over a year old"
        # One that leaves takes its age along, and brings it back.
        await stage.press("O", "O", "O")
        assert stage.screen.header.view.sorted_by == "sorted by age, the oldest first, not GitLab's order"
        assert stage.screen.board.focused[0] is not None
        await stage.press("g", "g", "m", "n")
        assert sums(stage)[0] == "Oldest 13 months"
        await stage.press("u")
        assert sums(stage)[0] == "Oldest 2.2 years"


async def test_a_milestone_that_is_over_says_what_was_closed_and_not_who_is_free(tmp_path: Path) -> None:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    world = small_world()
    world.add_milestone(world.group(GROUP), "19.6", date(2026, 10, 10), date(2026, 11, 13))
    bug = ["type::bug", GROUP_LABEL]
    world.create(f"{GROUP}/platform", "Left over", add_labels=bug, milestone="19.6", by=ME, weight=2)
    async with staged(world, team_file=team, milestone="19.6") as stage:
        assert sums(stage) == ["closed 0 of 1", "0w of 2w done"]
        assert people(stage) == []
        await stage.press("]")
        assert people(stage)[0] == "Planned for"


@pytest.mark.slow
async def test_capacity_updates_before_changes_are_sent(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("8")
    assert sums(stage)[2:] == ["17w planned", "(0w accepted)", "5.5w over"]
    await stage.focus("platform#5")
    await stage.press("w", "backspace", "1", "2", "enter")
    assert people(stage)[-4:] == ["Over", "eng_birch 1w", "Free", "eng_alder 0.5w"]
    await stage.press("A")
    await stage.press("w", "backspace", "backspace", "2", "0", "enter")
    assert {"Planned for", "eng_alder 20w", "eng_birch 2w"} < set(people(stage))
    await stage.press("u", "u", "u", "u")
    assert sums(stage)[2:] == ["9w planned", "(0w accepted)", "2.5w free"]
    await stage.press("g", "b")
    await stage.focus("platform#8")
    await stage.press("D")
    await stage.press("g", "p")
    assert sums(stage)[1] == "0w carried over"


async def test_without_a_team_only_the_sums_are_shown() -> None:
    async with staged() as stage:
        assert sums(stage) == ["planned 9w", "0w accepted"]
        assert people(stage) == []


@pytest.mark.slow
async def test_without_a_team_the_header_leads_to_the_capacity(tmp_path: Path) -> None:
    async with staged(team_file=tmp_path / "team.toml") as stage:
        assert sums(stage) == ["planned 9w", "0w accepted", "no capacity yet: gr"]
        # The bar is not full whatever is planned.
        view = stage.screen.header.view
        assert (sum(part for part, _ in view.bar), view.full) == (0, 9)
        await stage.press("g", "r")
        await stage.settle()
        await stage.press("enter", "y")
        await stage.until(lambda: sums(stage)[0].startswith("Capacity"))


async def test_a_board_without_a_version_milestone_says_what_is_ready(stage: Stage) -> None:
    await stage.press("g", "1")
    assert sums(stage) == ["ready with weight 0 of 1", "0w of 0w"]


async def test_an_invalid_team_file_does_not_crash(tmp_path: Path) -> None:
    wrong = tmp_path / "team.toml"
    wrong.write_text("[[people]]\nusernam = 3\n", encoding="utf-8")
    async with staged(team_file=wrong) as stage:
        assert sums(stage)[0] == "planned 9w"


async def test_moving_the_focus_computes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    known = CapacityTally.capacity

    def counted(tally: CapacityTally, team: Team) -> Capacity:
        asked.append("again")
        return known(tally, team)

    monkeypatch.setattr(CapacityTally, "capacity", counted)
    await stage.press("j", "k", "l", "space", "escape")
    stage.screen.show_header()
    assert asked == []
    await stage.press("5")
    assert asked


async def test_a_narrow_header_keeps_the_important_figures(team_file: Path) -> None:
    async with staged(team_file=team_file, size=(80, 24)) as stage:
        line = stage.screen.header.render_line(1).text
        assert "Capacity 13.5w" in line
        assert "2.5w free" in line
        assert "carried over" not in line


@pytest.mark.parametrize(("value", "words"), [(4.25, "+4.25"), (-9.75, "!-9.75"), (0, "+0"), (-0.001, "+0")])
def test_over_has_a_sign(value: float, words: str) -> None:
    assert signed(value) == words
