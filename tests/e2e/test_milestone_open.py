"""``glboard milestone open``: the preview, the results as text and data, and the exit statuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import boards
from glboard_core.gitlab import admin
from glboard_tui.cli.context import Options
from glboard_tui.cli.main import run
from glboard_tui.cli.milestone import milestone_command
from support.empty_milestone import board, planning_issues, world_of


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(world_of()) as running:
        monkeypatch.setenv("GITLAB_HOST", running.url)
        monkeypatch.setenv("GITLAB_TOKEN", running.token)
        monkeypatch.setenv("GLBOARD_GROUP", "top")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setattr(admin, "LOOKS", (0.01,))
        folder = tmp_path / "config" / "glboard"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text('[planning.issue]\nproject = "top/app"\n', encoding="utf-8")
        yield running


def asked(answers: str) -> str:
    """What a user sees who answers like this."""
    done = CliRunner().invoke(milestone_command, ["open", "next"], input=answers, obj=Options())
    assert done.exit_code == 0, done.output
    return done.output


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = run(["milestone", "open", "next", "--format", "json", *arguments])
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, printed


def test_dry_run_shows_the_plan_and_changes_nothing(
    server: DemoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["milestone", "open", "next", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "create        board  Build 19.8" in said
    assert "No changes made (--dry-run)." in said
    status, data = shown(capsys, "--dry-run")
    assert status == 0
    assert data["milestone"] == "19.8"
    assert {step["action"] for step in data["steps"]} == {"create"}
    assert data["steps"][0] == {
        "part": "label",
        "name": "missed:19.8",
        "action": "create",
        "changes": ["group label"],
        "notes": [],
        "url": None,
    }
    assert not server.world.boards
    assert not planning_issues(server.world)


def test_second_run_has_nothing_to_do(server: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, data = shown(capsys, "--yes")
    assert status == 0
    assert {step["result"] for step in data["steps"]} == {"done"}
    assert data["steps"][-1]["url"].endswith("/top/app/-/issues/3")
    status, data = shown(capsys, "--yes")
    assert status == 0
    assert {step["action"] for step in data["steps"]} == {"nothing"}
    assert run(["milestone", "open", "19.8"]) == 0
    assert "Nothing to do." in capsys.readouterr().out
    assert len(planning_issues(server.world)) == 1


def test_asks_first_and_separately_about_labels(server: DemoServer) -> None:
    said = asked("n\n")
    assert said.endswith("No changes made.\n")
    assert not server.world.boards
    said = asked("y\nn\n")
    assert "Create missed:19.8 in the group? [y/N]: n" in said
    assert "done          issue  19.8 planning  http" in said
    assert len(server.world.boards) == 4
    assert not any(label.title == "missed:19.8" for label in server.world.labels.values())
    said = asked("y\n")
    assert "done          label  missed:19.8" in said


def test_parts_can_be_skipped(server: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, data = shown(capsys, "--yes", "--without", "board", "--without", "label")
    assert status == 0
    assert [step["part"] for step in data["steps"]] == ["issue"]
    assert not server.world.boards
    assert "Build 19.8: not in GitLab" in planning_issues(server.world)[0].description


def test_exit_status_is_3_if_partly_done_and_1_if_failed(
    server: DemoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults.next("reset-before", "POST /api/v4/projects")
    status, data = shown(capsys, "--yes")
    assert status == 3
    assert data["steps"][-1]["result"] == "failed"
    # Whether the reset is seen while reading or while reconnecting depends on the machine.
    message = data["steps"][-1]["message"]
    assert "did not respond" in message or "Cannot reach" in message
    server.faults.next("500", "PUT", times=9)
    server.faults.next("500", "POST /api/v4", times=9)
    assert run(["milestone", "open", "next", "--yes"]) == 1
    assert "failed        issue" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["milestone", "open", "19.88"], "No milestone named “19.88”"),
        (["milestone", "open", "Backlog"], "no start and due date"),
        (["milestone", "open", "next", "--format", "json"], "--dry-run or --yes"),
        (["--read-only", "milestone", "open", "next"], "Read-only session"),
        (["milestone", "opne", "next"], "No command named “opne”"),
    ],
)
def test_usage_error_exits_2_with_a_hint(
    server: DemoServer, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
    assert not server.world.boards


# Lists of statuses


STATES = """\
[flow]
backend = "status"
[planning]
boards = ["build"]
[planning.issue]
project = "top/app"
"""


def with_states(tmp_path: Path) -> None:
    (tmp_path / "config" / "glboard" / "config.toml").write_text(STATES, encoding="utf-8")


def test_boards_get_status_lists_where_statuses_are_the_workflow(
    server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_states(tmp_path)
    status, data = shown(capsys, "--yes")
    assert status == 0, data
    made = board(server.world, "Build 19.8")
    wanted = ["Ready for development", "In dev", "In review", "Awaiting security release", "Blocked"]
    assert [one.title for one in made.movable()] == wanted
    assert {one.kind for one in made.movable()} == {"status"}
    assert made.milestone is not None
    again, data = shown(capsys, "--dry-run")
    assert again == 0
    assert [step["action"] for step in data["steps"] if step["part"] == "board"] == ["nothing"]


def test_missing_status_lists_are_added_in_order_and_unknown_statuses_said(
    server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_states(tmp_path)
    assert shown(capsys, "--yes")[0] == 0
    made = board(server.world, "Build 19.8")
    gone = next(one for one in made.lists if one.title == "In dev")
    boards.drop_list(server.world, gone)
    del server.world.statuses["Awaiting security release"]
    status, data = shown(capsys, "--yes")
    assert status == 0
    [step] = [step for step in data["steps"] if step["part"] == "board"]
    assert step["notes"] == ["no status for Awaiting security release"]
    titles = [one.title for one in made.movable()]
    titles.remove("Awaiting security release")
    assert titles == ["Ready for development", "In dev", "In review", "Blocked"]


def test_without_statuses_the_plan_says_why_there_is_no_board(
    server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_states(tmp_path)
    server.world.tier = "free"
    _, data = shown(capsys, "--dry-run")
    [step] = [step for step in data["steps"] if step["part"] == "board"]
    assert step["action"] == "impossible"
    assert step["notes"] == ["its lists are statuses, which need GitLab 18.5 or later and a Premium license"]
