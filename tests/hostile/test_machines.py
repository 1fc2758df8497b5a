"""Machines without a time zone database, a locale, space on the disk, or a reader."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from glboard_tui.cli import main

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


def shell(command: str, home: Path) -> subprocess.CompletedProcess[bytes]:
    """A command of a shell, in which ``glboard`` is the program."""
    where = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)}
    base = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    program = f"{shlex.quote(sys.executable)} -c {shlex.quote(MAIN)}"
    return subprocess.run(
        command.replace("glboard", program, 1),
        shell=True,
        env={**base, **where},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("glboard config show >&-", 0),
        ("glboard config show 2>&-", 0),
        ("glboard --version <&- >&- 2>&-", 0),
        ("glboard shwo 2>&-", 2),
        ("glboard shwo 2>/dev/full", 2),
        ("glboard show --wrong 2>/dev/full", 2),
        ("glboard open <&-", 2),
        ("glboard config show >/dev/full 2>/dev/full", 1),
    ],
)
def test_closed_and_full_streams(command: str, status: int, tmp_path: Path) -> None:
    done = shell(command, tmp_path)
    assert done.returncode == status, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"bug in glboard" not in done.stderr


def test_what_a_command_cannot_print_is_not_blamed_on_gitlab() -> None:
    """A command that talks to the server prints within a group of tasks."""
    full = ExceptionGroup("", [ExceptionGroup("", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))])])
    assert main._cause(main._innermost(full)).message == "No space left on device."


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
