"""The watch over tokens sees a planted one: in a file, in arguments, in an environment; and the run fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import token_watch
from support.token_watch import files_with_tokens, reports

# Not in one piece, so that this file holds none.
TOKEN = "glpat" + "-0123456789abcdefghij"
OAUTH = "0f" * 32
TESTS = Path(__file__).parent

#: The product's by its file: it starts a program as it should, or with the whole environment.
PRODUCT = """
import os, subprocess, sys
from glboard_core.environment import for_child

def begin(*arguments, leaks):
    environment = dict(os.environ) if leaks else for_child()
    subprocess.run([sys.executable, "-c", "pass", *arguments], env=environment, check=True)
"""
STARTS = f"""
import sys
exec(compile({PRODUCT!r}, "/somewhere/glboard_tui/planted.py", "exec"))
begin(*sys.argv[2:], leaks="leaks" in sys.argv)
"""


@pytest.fixture(name="home")
def planted(tmp_path: Path) -> Iterator[Path]:
    """A folder that is gone when this run's own homes are looked through."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A folder with the recorder, apart from that of this run."""
    shutil.copy(TESTS / "support" / "children" / "sitecustomize.py", tmp_path)
    return tmp_path


def start(folder: Path, code: str, *arguments: str, **variables: str) -> list[str]:
    """What the recorder reports of a program."""
    path = os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path, **variables},
        check=True,
    )
    return reports(folder)


def test_a_program_started_without_a_token_is_not_reported(watched: Path) -> None:
    assert start(watched, STARTS, "right", GITLAB_TOKEN=TOKEN) == []


@pytest.mark.parametrize("name", ["GITLAB_TOKEN", "SOME_OTHER_NAME"])
def test_a_token_in_the_environment_is_reported(watched: Path, name: str) -> None:
    [report] = start(watched, STARTS, "leaks", **{name: TOKEN})
    assert report.endswith(f"was started with a token in {name}")
    assert TOKEN not in report


@pytest.mark.parametrize("token", [TOKEN, OAUTH])
def test_a_token_in_an_argument_is_reported(watched: Path, token: str) -> None:
    [report] = start(watched, STARTS, "right", f"--header=Bearer {token}")
    assert report.endswith("was started with a token in its arguments")


def test_what_a_test_itself_starts_is_not_reported(watched: Path) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], check=True)"
    assert start(watched, code, GITLAB_TOKEN=TOKEN) == []


def test_a_file_with_a_token_is_found(home: Path) -> None:
    (home / "home").mkdir()
    (home / "home" / "glboard.log").write_text(f"GET /api/v4/user {TOKEN}\n")
    (home / "outbox").write_text(
        f"nothing but the length {'0f' * 31} of a commit {'0f' * 33}, avatar/{OAUTH}"
    )
    (home / "session.json").write_text(f'{{"access": "{OAUTH}"}}')
    # On the border of two pieces.
    long = b" " * (token_watch._PIECE - 8) + TOKEN.encode()
    (home / "state.sqlite3").write_bytes(long)
    (home / "notes").write_text("glpat" + "- is how a token begins")
    assert files_with_tokens(home) == [
        "session.json holds a token",
        "state.sqlite3 holds a token",
        "home/glboard.log holds a token",
    ]


def test_a_token_may_be_where_one_belongs(home: Path) -> None:
    for name in ("config.yml", "python-gitlab.cfg", "keyring.py", "credentials.json"):
        (home / name).write_text(TOKEN)
        (home / name).chmod(0o600)
    assert files_with_tokens(home) == []
    # Our own file is for its owner only.
    (home / "credentials.json").chmod(0o640)
    assert files_with_tokens(home) == ["credentials.json holds a token, and others can read it (mode 640)"]


PLANTED = f"""
exec(compile({PRODUCT!r}, "/somewhere/glboard_tui/planted.py", "exec"))

def test_leaves_a_token(tmp_path):
    (tmp_path / "left.json").write_text("glpat" + "{TOKEN.removeprefix("glpat")}")

def test_passes_a_token_on(monkeypatch):
    monkeypatch.setenv("GITLAB_TOKEN", "any")
    begin(leaks=True)

def test_is_innocent(tmp_path):
    (tmp_path / "left.json").write_text("nothing")
"""


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_the_run_fails_although_every_test_passed(home: Path, workers: str) -> None:
    (home / "test_planted.py").write_text(PLANTED)
    (home / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "support.token_watch"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--basetemp", str(home / "homes"), "."],
        cwd=home,
        # Without the recorder of this run, which it would tell.
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    assert "left.json holds a token" in done.stdout
    assert "was started with a token in GITLAB_TOKEN" in done.stdout
