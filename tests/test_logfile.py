"""The log file: what a line holds, its size, its permissions, and that processes share it."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glboard_core import logfile
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_core.environment import TOKENS
from glboard_core.logfile import LogFile, requests_of_last_hour, shown_path
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, small_world, staged

SECRETS = ("glpat-", "Planted", "planted", "Bearer", "Deliverable", "type::", "Enga", "{", "query")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log" / "glboard.log"


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/graphql", "/api/graphql"),
        ("/api/v4/groups/demo-org%2Fai", "/api/v4/groups/demo-org%2Fai"),
        (
            "/api/v4/groups/1/issues?labels=Secret%20plan&page=2&state=all",
            "/api/v4/groups/1/issues?labels=*&page=2&state=all",
        ),
        ("/api/v4/projects/7/issues?search=Secret", "/api/v4/projects/7/issues?search=*"),
        ("/api/v4/users?username=em_maple", "/api/v4/users?username=*"),
        ("/api/v4/x?updated_after=2026-12-07T15:00:00Z", "/api/v4/x?updated_after=2026-12-07T15:00:00Z"),
        ("/api/v4/groups/1/labels/Secret%20plan", "/api/v4/groups/1/labels/*"),
        ("/api/v4/groups/1/labels/17", "/api/v4/groups/1/labels/17"),
        ("/api/v4/x?private_token=glpat-planted", "/api/v4/x?private_token=*"),
    ],
)
def test_a_path_is_shown_without_what_could_be_text(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_it_is_quiet_unless_something_fails(file: Path) -> None:
    log = LogFile(file)
    log.request("POST", "/api/graphql", purpose="read", seconds=0.1, status=200)
    assert not file.exists()
    log.request("GET", "/api/v4/user", purpose="read", seconds=0.1, status=502, request_id="01X\x1b[31m")
    log.request("POST", "/api/graphql", purpose="poll", seconds=5, error="TimedOut")
    log.close()
    lines = file.read_text("ascii").splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == [
        "warning GET /api/v4/user 502 0.100s read id=01X?[31m",
        "warning POST /api/graphql TimedOut 5.000s poll",
        "info sent 3 requests: poll 1, read 2",
    ]
    assert modes(file.parent) == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_it_never_grows_beyond_its_size(file: Path) -> None:
    log = LogFile(file, debug=True, most=2_000)
    for _ in range(100):
        log.request("GET", "/api/v4/user", purpose="read", seconds=0.1, status=200)
    log.close()
    assert {one.name for one in file.parent.iterdir()} == {"glboard.log", "glboard.log.1", "glboard.lock"}
    assert all(one.stat().st_size <= 2_100 for one in file.parent.iterdir())
    assert modes(file.parent) == {0o600}


def test_two_processes_write_whole_lines_and_lose_none_but_the_oldest(file: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from glboard_core.logfile import LogFile\n"
        "log = LogFile(Path(sys.argv[1]), most=40_000)\n"
        "for n in range(500): log.write('info', f'{sys.argv[2]} {n:04} ' + 'x' * 20)\n"
        "log.close()"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(file), name]) for name in "ab"]
    assert [one.wait(30) for one in running] == [0, 0]
    lines = [
        line
        for one in (file.with_name("glboard.log.1"), file)
        if one.exists()
        for line in one.read_text("ascii").splitlines()
    ]
    assert len(lines) > 400
    for name in "ab":
        own = [line.split()[4] for line in lines if line.split()[3] == name]
        # Each process's last lines are all there, in order.
        assert own == [f"{n:04}" for n in range(500 - len(own), 500)]
    assert all(line.endswith("x" * 20) for line in lines)


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    log = LogFile(tmp_path / "log" / "glboard.log")
    log.write("error", "x")
    log.close()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("")
    (tmp_path / "glboard.log").symlink_to(tmp_path / "victim")
    log = LogFile(tmp_path / "glboard.log")
    log.write("error", "x")
    log.close()
    assert (tmp_path / "victim").read_text() == ""


def test_the_requests_of_the_last_hour_are_those_of_all_processes(file: Path) -> None:
    now = datetime.now(UTC)
    assert requests_of_last_hour(file, now) is None
    for number in (3, 4):
        log = LogFile(file)
        for _ in range(number):
            log.request("GET", "/", purpose="read", seconds=0, status=200)
        log.close()
    with file.open("ab") as opened:
        opened.write(b"\xff not ours\n9999-99-99T 1 info sent 7 requests: read 7\n")
    assert requests_of_last_hour(file, now) == 7
    assert requests_of_last_hour(file, now + timedelta(hours=2)) == 0


def test_a_fault_is_logged_by_its_place_and_not_its_text(file: Path) -> None:
    log = LogFile(file)
    try:
        raise ValueError("glpat-planted")
    except ValueError as error:
        log.fault(error)
    log.close()
    line = file.read_text()
    assert "error ValueError at test_logfile.py:" in line
    assert "planted" not in line


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A world full of texts that must not be logged, on a machine of its own."""
    world = small_world()
    for project in world.projects.values():
        for issue in project.issues.values():
            issue.title = f"Planted title {issue.iid}"
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", *TOKENS):
        monkeypatch.delenv(name, raising=False)
    with DemoServer(world, token="glpat-planted-token") as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", GROUP)
        yield world


def test_the_log_of_a_session_holds_no_secret_and_no_text(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    one = f"{GROUP}/platform#1"
    assert run(["--debug", "show", "planning"]) == 0
    assert run(["--debug", "edit", one, "--weight", "5", "--comment", "planted comment"]) == 0
    assert run(["--debug", "edit", one, "--add-label", "documentation", "--assign", "eng_alder"]) == 0
    assert run(["--debug", "report", "candidates", "next"]) == 0
    assert run(["--debug", "milestone", "open", "next", "--dry-run"]) in (0, 1, 4)
    assert run(["--debug", "edit", one, "--milestone", "Planted milestone"]) == 2
    text = logfile.default_path().read_text("ascii")
    assert [secret for secret in SECRETS if secret in text] == []
    lines = text.splitlines()
    requests = [line for line in lines if " debug " in line]
    assert len(requests) > 10
    assert all(" id=demo-" in line for line in requests)
    assert any("POST /api/graphql 200" in line and "change" in line for line in requests)
    assert any("GET /api/v4/groups/" in line for line in requests)
    assert modes(logfile.default_path().parent) == {0o600}
    capsys.readouterr()


async def test_the_log_of_a_screen_holds_no_secret_and_no_text(file: Path) -> None:
    logfile.start(debug=True, path=file)
    try:
        async with staged() as stage:
            await stage.press("c", *"planted comment", "ctrl+s", "5", "slash", *"Planted", "enter")
            await stage.press("a", *"planted")
            await stage.settle()
    finally:
        logfile.stop()
    text = file.read_text("ascii")
    assert text.count(" debug POST /api/graphql 200 ") > 3
    assert " change id=" in text
    assert [secret for secret in SECRETS if secret in text] == []


def test_without_debug_only_a_count_is_logged_and_an_error_names_the_file(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["show", "planning"]) == 0
    [line] = logfile.default_path().read_text().splitlines()
    assert " info sent " in line
    monkeypatch.setenv("GITLAB_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr("glboard_core.gitlab.http.Limits.attempts", 1, raising=False)
    assert run(["show", "planning", "--fresh"]) == 1
    said = capsys.readouterr().err
    assert f"Log: {logfile.shown_place()}" in said
    assert "Offline" in logfile.default_path().read_text()
    assert logfile.current() is None
