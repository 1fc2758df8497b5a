"""team.toml: its allowed content, and errors that name file, line, key and the nearest known key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from glboard_core.errors import ConfigError
from glboard_core.planning.team import Team, days, load, parse_team

WHOLE = """
days_per_weight = 2
reserve = 0.1
holidays = ["2026-12-24", 2026-12-25]
[[people]]
username = "eng_alder"
role = "backend"
factor = 1
holidays = []
time_off = ["2026-12-21", { from = "2026-12-28", to = 2026-12-30 }]
support_days = { "19.8" = 5 }
[[people]]
username = "eng_birch"
support_days = { "19.8" = 2.5 }
"""


def test_complete_file() -> None:
    team = parse_team(WHOLE, "team.toml")
    assert (team.days_per_weight, team.reserve) == (2.0, 0.1)
    assert days(team.holidays) == {date(2026, 12, 24), date(2026, 12, 25)}
    alder = team.people[0]
    assert days(alder.time_off) == {date(2026, 12, d) for d in (21, 28, 29, 30)}
    assert alder.support_days == {"19.8": 5}
    assert alder.role == "backend"
    birch = team.member("eng_birch")
    assert birch is not None
    assert (birch.factor, birch.time_off, birch.support_days) == (1.0, (), {"19.8": 2.5})
    assert team.member("nobody") is None


def test_an_empty_file_is_an_empty_team() -> None:
    assert parse_team("", "team.toml") == Team()


def test_a_range_of_one_day() -> None:
    team = parse_team('holidays = [{ from = "2026-12-24", to = "2026-12-24" }]', "t")
    assert days(team.holidays) == {date(2026, 12, 24)}


PEOPLE = '[[people]]\nusername = "a"\n[[people]]\nusername = "b"\n'


@pytest.mark.parametrize(
    ("text", "where", "key", "says"),
    [
        ("reserv = 0\n", "t:1", "reserv", "Did you mean “reserve”"),
        ("[holliday]\n", "t:1", "holliday", "holidays"),
        (PEOPLE + 'timeoff = ["2026-12-24"]\n', "t:5", "people.timeoff", "Did you mean “time_off”"),
        (PEOPLE + "factor = 'x'\n", "t:5", "people.factor", "expected `float`"),
        (PEOPLE + "factor = -1\n", "t:5", "people.factor", ">= 0"),
        ('[[people]]\nfactor = 1\n', "t:1", "people.username", "missing"),
        (PEOPLE + '[[people]]\nusername = "a"\n', "t:6", "people.username", "a is listed twice"),
        (PEOPLE + 'support_days = { "19.8" = -1 }\n', "t:5", "people.support_days", ">= 0"),
        ("reserve = 1\n", "t:1", "reserve", "< 1"),
        ("days_per_weight = 0\n", "t:1", "days_per_weight", "> 0"),
        ('holidays = "2026-12-24"\n', "t:1", "holidays", "list of days"),
        ('\nholidays = ["24.12.2026"]\n', "t:2", "holidays", "“24.12.2026” is not a date"),
        ("holidays = [2026-12-24T10:00:00]\n", "t:1", "holidays", "is not a date"),
        ("holidays = [20261224]\n", "t:1", "holidays", "is not a date"),
        (PEOPLE + 'time_off = ["2026-02-30"]\n', "t:5", "people.time_off", "not a date"),
        ('holidays = [{ from = "2026-12-24" }]\n', "t:1", "holidays", "both from and to"),
        ('holidays = [{ from = "2026-12-24", til = "2026-12-25" }]\n', "t:1", "til", "Did you mean"),
        ('holidays = [{ from = "2026-12-25", to = "2026-12-24" }]\n', "t:1", "holidays", "before it starts"),
        ('holidays = [{ from = "2026-12-25", to = "2206-12-24" }]\n', "t:1", "holidays", "than a year"),
        ("nonsense = = 1\n", "t", "", "invalid TOML"),
    ],
)  # fmt: skip
def test_errors_name_their_place(text: str, where: str, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_team(text, "t")
    assert (caught.value.where, caught.value.key) == (where, key)
    assert says in str(caught.value)


def test_load_from_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "team.toml")
    (tmp_path / "team.toml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match="cannot read this file"):
        load(tmp_path / "team.toml")
    (tmp_path / "team.toml").write_text(WHOLE, "utf-8")
    assert len(load(tmp_path / "team.toml").people) == 2
