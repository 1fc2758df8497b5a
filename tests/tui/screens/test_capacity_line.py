"""The header's second line: the plan and the capacity, live."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.planning import capacity as capacities
from glboard_core.planning.text import signed
from glboard_tui.texts import short_names
from tui.app.stage import Stage, staged


def sums(stage: Stage) -> list[str]:
    return [fact.text for fact in stage.screen.header.view.sums]


def people(stage: Stage) -> list[str]:
    return [fact.text for fact in stage.screen.header.view.people]


async def test_the_header_shows_plan_and_capacity(stage: Stage) -> None:
    assert sums(stage) == [
        "plan 9 + 4 unweighted / capacity 13.5",
        "carry-over 2 likely, 2 all",
        "free 2.5 likely, free 2.5 all",
    ]
    assert people(stage) == ["birch !over", "alder free"]


async def test_capacity_updates_before_changes_are_sent(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("8")
    assert sums(stage)[0] == "plan 17 + 3 unweighted / capacity 13.5"
    assert sums(stage)[2] == "!over 5.5 likely, !over 5.5 all"
    await stage.focus("platform#5")
    await stage.press("w", "backspace", "1", "2", "enter")
    assert people(stage) == ["birch !over", "alder full"]
    await stage.press("A")
    await stage.press("w", "backspace", "backspace", "2", "0", "enter")
    assert people(stage) == ["alder !over", "birch !over"]
    await stage.press("u", "u", "u", "u")
    assert sums(stage)[0] == "plan 9 + 4 unweighted / capacity 13.5"
    await stage.press("g", "b")
    await stage.focus("platform#8")
    await stage.press("D")
    await stage.press("g", "p")
    assert sums(stage)[1] == "carry-over 0 likely, 0 all"


async def test_without_a_team_only_the_sums_are_shown() -> None:
    async with staged() as stage:
        assert sums(stage) == ["plan 9 + 4 unweighted", "carry-over 2 likely, 2 all"]
        assert people(stage) == []


async def test_a_board_without_a_version_milestone_shows_its_own_sums(stage: Stage) -> None:
    await stage.press("g", "k")
    assert sums(stage) == ["plan 0 + 1 unweighted", "1 issue"]


async def test_an_invalid_team_file_does_not_crash(tmp_path: Path) -> None:
    wrong = tmp_path / "team.toml"
    wrong.write_text("[[people]]\nusernam = 3\n", encoding="utf-8")
    async with staged(team_file=wrong) as stage:
        assert sums(stage)[0] == "plan 9 + 4 unweighted"


async def test_moving_the_focus_computes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    known = capacities.capacity

    def counted(*given: object, **named: object) -> object:
        asked.append("again")
        return known(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(capacities, "capacity", counted)
    await stage.press("j", "k", "l", "space", "escape")
    stage.screen.show_header()
    assert asked == []
    await stage.press("5")
    assert asked


async def test_a_narrow_header_keeps_the_important_figures(team_file: Path) -> None:
    async with staged(team_file=team_file, size=(80, 24)) as stage:
        line = stage.screen.header.render_line(1).text
        assert "capacity 13.5" in line
        assert "free 2.5 likely" in line
        assert "carry-over" not in line


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["eng_alder", "eng_birch"], ["alder", "birch"]),
        (["ann", "bob"], ["ann", "bob"]),
        (["eng_alder"], ["eng_alder"]),
        (["eng_a", "eng_", "x"], ["eng_a", "eng_", "x"]),
        (["a-b-c", "a-b-d"], ["c", "d"]),
        ([], []),
    ],
)
def test_short_names_drop_the_common_prefix(names: list[str], short: list[str]) -> None:
    assert list(short_names(names).values()) == short


@pytest.mark.parametrize(("value", "words"), [(4.25, "+4.25"), (-9.75, "!-9.75"), (0, "+0"), (-0.001, "+0")])
def test_over_has_a_sign(value: float, words: str) -> None:
    assert signed(value) == words
