"""The team that comes with the demo is one the program can read, and its days lie where they count."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from glboard_core.demo.sample.generated import PEOPLE
from glboard_core.demo.sample.team import team_of_scenario, team_of_world
from glboard_core.demo.world.clock import around
from glboard_core.planning.capacity import budget
from glboard_core.planning.team import load
from support import make


def _team(text: str, folder: Path) -> Path:
    path = folder / "team.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("days", range(0, 400, 13))
def test_on_any_day_everyone_has_capacity_in_the_next_milestone(days: int, tmp_path: Path) -> None:
    today = date(2026, 11, 23) + timedelta(days=days)
    team = load(_team(team_of_world(today), tmp_path))
    assert {person.username for person in team.people} <= {username for username, _ in PEOPLE}
    coming = around(today, 0, 1)[-1]
    milestone = make.milestone(coming.title, coming.start.isoformat(), coming.due.isoformat())
    budgets = [budget(person, team, milestone) for person in team.people]
    assert all(one.weight > 0 for one in budgets)
    # Days off of several people fall into it.
    assert len({one.net_days for one in budgets}) > 2


def test_a_scenario_brings_its_own(tmp_path: Path) -> None:
    scenario = {
        "next_milestone": "19.8",
        "holidays": ["2026-12-24"],
        "capacity_inputs": [{"handle": "eng_alder", "pto": ["2026-12-21"], "support_days": 2.5, "factor": 1}],
    }
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(scenario), "utf-8")
    text = team_of_scenario(path)
    assert text is not None
    (person,) = load(_team(text, tmp_path)).people
    assert (person.username, person.support_days) == ("eng_alder", {"19.8": 2.5})


@pytest.mark.parametrize("content", ["{}", "not json", '{"capacity_inputs": 3}'])
def test_a_scenario_without_one_has_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(content, "utf-8")
    assert team_of_scenario(path) is None
