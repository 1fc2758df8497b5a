"""config.toml: defaults, overrides, and errors that name file, line, key and the nearest known key."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.config import Settings, load, parse
from glboard_core.errors import ConfigError


def test_defaults_apply_without_a_file(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings()


def test_configured_boards_replace_by_id_or_are_added() -> None:
    text = """
[gitlab]
url = "https://gitlab.example.com"
group = "demo-org"
[milestones]
backlog = "Some day"
[[boards]]
id = "planning"
name = "Ours"
columns = ["type::bug"]
limits = { "type::bug" = { issues = 3 } }
[[boards]]
id = "support"
name = "Support"
by = "none"
milestone = "any"
labels = ["support"]
"""
    settings = parse(text, "config.toml")
    assert settings.boards[0].name == "Ours"
    assert settings.boards[0].limits["type::bug"].issues == 3
    assert settings.boards[-1].id == "support"
    assert settings.milestones["backlog"] == ("Some day",)
    assert settings.milestones["awaiting"]


@pytest.mark.parametrize(
    ("text", "where", "key", "hint"),
    [
        ("[gitlab]\ngrop = 'x'\n", "c.toml:2", "gitlab.grop", "Did you mean “group”"),
        ("[ui]\ndensity = 'huge'\n", "c.toml:2", "ui.density", ""),
        ("[sync]\n\npoll = 'x'\n", "c.toml:3", "sync.poll", ""),
        ("[[boards]]\nid = 'x'\nname = 'X'\ncolums = []\n", "c.toml:4", "boards.colums", "columns"),
        ("[gitlab]\ntoken = 'glpat-secret'\n", "c.toml:2", "token", "glboard auth login"),
        ("nonsense = = 1", "c.toml", "", ""),
        ("[nonsense]\n", "c.toml:1", "nonsense", "Known keys"),
        ("[ui]\ntime_zone = 'Mars/One'\n", "c.toml:2", "ui.time_zone", "Europe/Berlin"),
        ("[ui]\ntime_zone = 'Europe/Berln'\n", "c.toml:2", "ui.time_zone", "Did you mean “Europe/Berlin”"),
        ("[ui]\ntime_zone = ''\n", "c.toml:2", "ui.time_zone", "Region/City"),
        ("[ui]\ntime_zone = '../passwd'\n", "c.toml:2", "ui.time_zone", "Region/City"),
        ("[ui]\ntime_zone = 'Europe'\n", "c.toml:2", "ui.time_zone", "Region/City"),
        ("[sync]\npoll = 0\n", "c.toml:2", "sync.poll", ""),
        ("[sync]\npoll = nan\n", "c.toml:2", "sync.poll", ""),
        ("[sync]\nhold = -1\n", "c.toml:2", "sync.hold", ""),
        ("[sync]\ncatalog = inf\n", "c.toml:2", "sync.catalog", ""),
        ("[planning]\nmix = { 'type::bug' = -3 }\n", "c.toml:2", "planning.mix", ""),
        ("[planning]\nversion = '^Sprint ('\n", "c.toml:2", "planning.version", "^Sprint"),
        ("[planning]\nversion = '\\d*'\n", "c.toml:2", "planning.version", "single quotes"),
        ("milestones = 'x'\n", "c.toml:1", "milestones", "[milestones]"),
        ("[milestones]\nbacklog = []\n", "c.toml:2", "milestones.backlog", "Some day"),
        ("[milestones]\nbacklog = 3\n", "c.toml:2", "milestones.backlog", "Some day"),
        ("[milestones]\nbacklog = ['']\n", "c.toml:2", "milestones.backlog", "Some day"),
    ],
)
def test_errors_name_their_place(text: str, where: str, key: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c.toml")
    assert caught.value.where == where
    assert caught.value.key == key
    assert hint in caught.value.hint
    assert "glpat-secret" not in str(caught.value)


def test_unreadable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError):
        load(tmp_path / "config.toml")
