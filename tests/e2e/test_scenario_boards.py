"""The sample scenario, served by the embedded GitLab and printed by ``show``, gives the expected boards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.scenario import load_scenario
from glboard_tui.cli.main import run
from support.shared import SCENARIO, needs_scenario

pytestmark = needs_scenario


@pytest.fixture(scope="module")
def scenario() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(SCENARIO.read_text("utf-8"))
    return data


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(load_scenario(SCENARIO)) as running:
        yield running


@pytest.fixture(autouse=True)
def _account(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["show", *arguments, "--format", "json"]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


@pytest.mark.parametrize(
    ("board", "expected", "milestone"),
    [
        ("planning", "planning_19_8", "19.8"),
        ("build", "build_19_7", "19.7"),
        ("next-1-3", "next_1_3", "Next 1-3 releases"),
        ("next-4-6", "next_4_6", "Next 4-6 releases"),
    ],
)
def test_boards(
    board: str, expected: str, milestone: str, scenario: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = show(capsys, board)
    assert shown["board"] == board
    assert shown["milestone"] == milestone
    # The scenario's clock starts at as_of and runs on.
    assert shown["as_of"][:15] == scenario["as_of"][:15]
    references = {issue["key"]: issue["references"]["full"] for issue in scenario["issues"]}
    wanted = {
        name: (c["count"], c["weight"], c["unweighted"], {references[key] for key in c["keys"]})
        for name, c in scenario["expected"]["boards"][expected].items()
        if name != "(unlisted)" or c["count"]
    }
    got = {
        c["name"]: (c["count"], c["weight"], c["unweighted"], {i["reference"] for i in c["issues"]})
        for c in shown["columns"]
    }
    assert got == wanted
    # In the board's order, (unlisted) last.
    assert list(got) == list(wanted)


def test_closed_column_is_appended_only_on_request(
    scenario: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    last = show(capsys, "build", "--closed")["columns"][-1]
    references = {issue["key"]: issue["references"]["full"] for issue in scenario["issues"]}
    assert last["name"] == "(closed)"
    wanted = {references[key] for key in scenario["expected"]["boards"]["build_19_7_closed"]}
    assert {issue["reference"] for issue in last["issues"]} == wanted


def test_issues_have_slipped_and_over_weight(
    scenario: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = scenario["expected"]
    references = {issue["key"]: issue["references"]["full"] for issue in scenario["issues"]}
    boards = [show(capsys, "planning"), show(capsys, "build"), show(capsys, "backlog")]
    issues = {i["reference"]: i for b in boards for c in b["columns"] for i in c["issues"]}
    slipped = {ref: issue["slipped"] for ref, issue in issues.items() if issue["slipped"]}
    assert slipped == {references[k]: n for k, n in expected["slipped"].items() if references[k] in issues}
    planning = {i["reference"]: i for c in boards[0]["columns"] for i in c["issues"]}
    over = {ref for ref, issue in planning.items() if "over-weight" in issue["warnings"]}
    assert over == {references[key] for key in expected["over_weight_19_8"]}


def test_another_milestone_and_other_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, "planning", "--milestone", "19.9")["milestone"] == "19.9"
    for style in ("table", "markdown", "csv"):
        assert run(["show", "build", "--format", style]) == 0
        assert "platform#" in capsys.readouterr().out


def test_unknown_names_are_usage_errors_with_close_matches(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "bulid"]) == 2
    assert "build" in capsys.readouterr().err
    assert run(["shwo"]) == 2
    assert "show" in capsys.readouterr().err
