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


def store_of(path: Path) -> tuple[TeamStore, list[str]]:
    told: list[str] = []
    return TeamStore(path, lambda: told.append("changed")), told


def test_changes_are_written_reported_and_undone(path: Path) -> None:
    store, told = store_of(path)
    with pytest.raises(UsageError, match="No team"):
        store.change(ROLE)
    store.make(["eng_alder"])
    assert store.change(ROLE)
    assert not store.change(ROLE)
    assert store.team is not None
    assert store.team.people[0].role == "backend"
    assert 'role = "backend"' in path.read_text()
    assert len(told) == 2
    assert store.undo() == "role of eng_alder"
    assert store.team.people[0].role == ""
    assert store.undo() == "a new team.toml"
    assert store.team is None
    assert not path.exists()
    assert store.undo() == ""


def test_changes_by_others_are_shown_and_never_undone(path: Path) -> None:
    store, _ = store_of(path)
    store.make(["eng_alder"])
    path.write_text('[[people]]\nusername = "eng_birch"\n')
    with pytest.raises(FileChanged):
        store.change(ROLE)
    assert store.team is not None
    assert store.team.member("eng_birch")
    assert "eng_birch" in path.read_text()
    assert store.undo() == ""
    store.change(AddPeople(("eng_cedar",)))
    path.write_text("reserve = 0.5\n")
    with pytest.raises(FileChanged):
        store.undo()
    assert path.read_text() == "reserve = 0.5\n"
    assert store.team == store_of(path)[0].team
    path.unlink()
    with pytest.raises(FileChanged):
        store.change(AddPeople(("eng_cedar",)))
    assert store.team is None


def test_an_invalid_file_is_not_edited(path: Path) -> None:
    path.write_text("facto = 1\n")
    store, _ = store_of(path)
    assert store.trouble is not None
    with pytest.raises(ConfigError, match="unknown key"):
        store.change(ROLE)
    path.write_text("")
    assert store.reload()
    assert store.trouble is None


def test_without_a_path_nothing_is_written() -> None:
    store = TeamStore(None, lambda: None)
    assert not store.reload()
    with pytest.raises(UsageError, match="No folder"):
        store.make(["eng_alder"])
