"""The team's file as the screen sees it: changes by others are noticed, own ones undone step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.errors import ConfigError, FileChanged, UsageError
from glboard_core.planning.team_edit import AddPeople, OfPerson
from glboard_tui.team_store import TeamStore

ROLE = OfPerson("eng_alder", "role", "backend")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "team.toml"


def roster_of(path: Path) -> tuple[TeamStore, list[str]]:
    told: list[str] = []
    return TeamStore(path, lambda: told.append("changed")), told


def test_changes_are_written_reported_and_undone(path: Path) -> None:
    roster, told = roster_of(path)
    with pytest.raises(UsageError, match="No team"):
        roster.change(ROLE)
    roster.make(["eng_alder"])
    assert roster.change(ROLE)
    assert not roster.change(ROLE)
    assert roster.team is not None
    assert roster.team.people[0].role == "backend"
    assert 'role = "backend"' in path.read_text()
    assert len(told) == 2
    assert roster.undo() == "role of eng_alder"
    assert roster.team.people[0].role == ""
    assert roster.undo() == "a new team.toml"
    assert roster.team is None
    assert not path.exists()
    assert roster.undo() == ""


def test_changes_by_others_are_shown_and_never_undone(path: Path) -> None:
    roster, _ = roster_of(path)
    roster.make(["eng_alder"])
    path.write_text('[[people]]\nusername = "eng_birch"\n')
    with pytest.raises(FileChanged):
        roster.change(ROLE)
    assert roster.team is not None
    assert roster.team.member("eng_birch")
    assert "eng_birch" in path.read_text()
    assert roster.undo() == ""
    roster.change(AddPeople(("eng_cedar",)))
    path.write_text("reserve = 0.5\n")
    with pytest.raises(FileChanged):
        roster.undo()
    assert path.read_text() == "reserve = 0.5\n"
    assert roster.team == roster_of(path)[0].team
    path.unlink()
    with pytest.raises(FileChanged):
        roster.change(AddPeople(("eng_cedar",)))
    assert roster.team is None


def test_an_invalid_file_is_not_edited(path: Path) -> None:
    path.write_text("facto = 1\n")
    roster, _ = roster_of(path)
    assert roster.trouble is not None
    with pytest.raises(ConfigError, match="unknown key"):
        roster.change(ROLE)
    path.write_text("")
    assert roster.reload()
    assert roster.trouble is None


def test_without_a_path_nothing_is_written() -> None:
    roster = TeamStore(None, lambda: None)
    assert not roster.reload()
    with pytest.raises(UsageError, match="No folder"):
        roster.make(["eng_alder"])
