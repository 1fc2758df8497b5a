"""team.toml on disk: written completely or not at all, never over a change by others, private."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from glboard_core.errors import ConfigError, FileChanged
from glboard_core.store import team_file


def test_new_file_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "team.toml"
    assert team_file.read(path) is None
    team_file.write(path, "a\r\nb\n", seen=None)
    assert team_file.read(path) == "a\r\nb\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["team.toml"]


def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "kept.toml"
    real.write_text("x")
    real.chmod(0o640)
    link = tmp_path / "team.toml"
    link.symlink_to(real)
    team_file.write(link, "y", seen="x")
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("y", 0o640)


@pytest.mark.parametrize("seen", [None, "before"])
def test_change_by_others_is_not_overwritten(tmp_path: Path, seen: str | None) -> None:
    path = tmp_path / "team.toml"
    path.write_text("theirs")
    with pytest.raises(FileChanged, match="someone else changed this file"):
        team_file.write(path, "mine", seen=seen)
    assert path.read_text() == "theirs"
    path.unlink()
    if seen is not None:
        with pytest.raises(FileChanged):
            team_file.write(path, "mine", seen=seen)
    assert os.listdir(tmp_path) == []


def test_write_error_leaves_the_file_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "team.toml"
    path.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        team_file.write(path, "after", seen="before")
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["team.toml"]
    (tmp_path / "team.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot read this file"):
        team_file.read(path)
