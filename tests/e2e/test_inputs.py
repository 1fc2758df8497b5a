"""Small invented groups, each with one thing that is easily got wrong, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.scenario import ScenarioError, load_scenario
from glboard_tui.cli.main import run

INPUTS = Path(__file__).parent / "inputs"
PLATFORM, GATEWAY = "demo-org/platform", "demo-org/ai/ai-gateway"

Ask = Callable[..., Any]


class Input:
    """A group in the embedded GitLab, and the command line on it."""

    def __init__(self, server: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.server = server
        self._capsys = capsys
        #: What the last command said on stderr.
        self.said = ""

    def __call__(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        assert run([*arguments, "--format", "json"]) == 0, self._capsys.readouterr().err
        printed = self._capsys.readouterr()
        self.said = printed.err
        return json.loads(printed.out)

    def printed(self) -> str:
        """The output of the last command that was run without this."""
        return self._capsys.readouterr().out

    def shown(self, board: str) -> tuple[str, list[str]]:
        """A board's milestone, and its issues."""
        got = self("show", board)
        return got["milestone"], [one["reference"] for column in got["columns"] for one in column["issues"]]


@pytest.fixture
def ask(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Input]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with DemoServer(load_scenario(INPUTS / f"{request.param}.json")) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
        yield Input(server, capsys)


@pytest.mark.parametrize("ask", ["boundary"], indirect=True)
def test_two_milestones_that_share_a_day(ask: Input) -> None:
    # On 12 December, 19.7 ends and 19.8 starts.
    assert ask.shown("planning") == ("19.9", [f"{PLATFORM}#2"])
    assert "19.7 and 19.8 overlap on 2026-12-12; using 19.8" in ask.said
    assert ask.shown("build")[0] == "19.8"
    assert ask("report", "mix", "current")["milestone"] == "19.8"
    assert "19.7 and 19.8 overlap on 2026-12-12; using 19.8" in ask.said
    assert ask("report", "mix", "next")["milestone"] == "19.9"


@pytest.mark.parametrize("ask", ["overlap"], indirect=True)
def test_two_milestones_that_overlap(ask: Input, tmp_path: Path) -> None:
    # 19.8 starts on 1 December, 19.7 runs to the 11th, today is the 7th.
    assert ask.shown("planning") == ("19.9", [f"{PLATFORM}#2"])
    assert "19.7 and 19.8 overlap on 2026-12-07; using 19.8" in ask.said
    assert ask.shown("build")[0] == "19.8"
    team = tmp_path / "team.toml"
    team.write_text('[[people]]\nusername = "eng_alder"\n')
    got = ask("report", "capacity", "next", "--team", str(team))
    assert (got["milestone"], got["planned"]) == ("19.9", 2)


@pytest.mark.parametrize("ask", ["sprint-titles"], indirect=True)
def test_milestones_whose_titles_are_no_version(ask: Input, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[planning]\nversion = '^Sprint \\d+$'\n")
    with_titles = ("--config", str(config))
    assert ask(*with_titles, "report", "mix", "next")["milestone"] == "Sprint 44"
    assert ask(*with_titles, "report", "load", "current")["milestone"] == "Sprint 43"
    got = ask(*with_titles, "show", "planning")
    assert got["milestone"] == "Sprint 44"
    assert [column["count"] for column in got["columns"]] == [1, 0, 0]
    # Without the setting, these titles are buckets, and the error says so.
    assert run(["report", "mix", "next"]) == 2


@pytest.mark.parametrize("ask", ["moved"], indirect=True)
def test_an_issue_moved_to_another_project_is_not_done(ask: Input) -> None:
    got = ask("report", "say-do", "19.7")
    copy = f"{GATEWAY}#2"
    for name in ("group", "committed", "reprioritized"):
        assert got["definitions"][name] == {"assigned": [copy], "completed": [], "percent": 0.0}, name
    assert got["definitions"]["handbook"]["completed"] == []
    assert (got["unresolved"], got["late_added"], got["removed_or_moved_early"]) == ([copy], [], [])
    scope = ask("report", "scope", "19.7")
    assert (scope["added"], scope["removed"]) == ([], [])


@pytest.mark.parametrize("ask", ["moved"], indirect=True)
def test_a_locked_plan_follows_the_issue_to_its_copy(ask: Input, tmp_path: Path) -> None:
    assert run(["plan", "lock", "19.7", "--at", "2026-11-20T00:00:00Z"]) == 0
    ask.printed()
    assert run(["plan", "export", "19.7"]) == 0
    # As it was locked while the original was open.
    plan = json.loads(ask.printed()) | {"rebuilt": False}
    plan["issues"][0] |= {"issue": "gid://gitlab/Issue/900001", "reference": f"{PLATFORM}#1"}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))
    assert run(["plan", "import", str(file), "--replace"]) == 0
    ask.printed()
    got = ask("report", "say-do", "19.7")
    assert (got["source"], got["definitions"]["committed"]["assigned"]) == ("snapshot", [f"{GATEWAY}#2"])
    scope = ask("report", "scope", "19.7")
    assert (scope["added"], scope["removed"]) == ([], [])


@pytest.mark.parametrize("to", [1, 99, "demo-org/platform#7"])
def test_a_move_to_no_other_issue_is_an_error(to: int | str, tmp_path: Path) -> None:
    data = json.loads((INPUTS / "moved.json").read_text())
    data["issues"][0]["moved_to"] = 900_001 if to == 1 else to
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ScenarioError, match="is no other issue of the file"):
        load_scenario(file)
