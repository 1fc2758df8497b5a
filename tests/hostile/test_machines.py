"""Machines without a time zone database, a locale, space on the disk, or a reader."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = "from glboard_tui.cli.main import main; main()"


def run(
    *arguments: str, home: Path, out: int | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    where = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home), **env}
    base = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        env={**base, **where},
        stdout=subprocess.PIPE if out is None else out,
        stderr=subprocess.PIPE,
        check=False,
    )


def test_no_time_zone_database(tmp_path: Path) -> None:
    (tmp_path / "glboard").mkdir()
    (tmp_path / "glboard" / "config.toml").write_text('[ui]\ntime_zone = "Europe/Zurich"\n')
    done = run("config", "show", home=tmp_path, PYTHONTZPATH="")
    assert done.returncode == 0, done.stderr
    assert b"Europe/Zurich" in done.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437"])
def test_output_in_another_encoding(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "glboard").mkdir()
    (tmp_path / "glboard" / "config.toml").write_text('[gitlab]\ngroup = "→ 漢字"\n', "utf-8")
    done = run("config", "show", home=tmp_path, PYTHONIOENCODING=encoding, LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_home(tmp_path: Path) -> None:
    done = run("config", "show", home=tmp_path / "missing", HOME="/nonexistent")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_a_message(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = run("config", "show", home=tmp_path, out=full)
    finally:
        os.close(full)
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_is_gone_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run("config", "show", home=tmp_path, out=write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "glboard").write_text("a file where the folder should be")
    done = run("config", "init", home=tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert str(tmp_path / "glboard").encode() in done.stderr
