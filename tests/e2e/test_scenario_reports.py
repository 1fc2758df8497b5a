"""The sample scenario, served by the embedded GitLab and read by ``report``, gives every expected result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
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
def references(scenario: dict[str, Any]) -> dict[str, str]:
    return {issue["key"]: issue["references"]["full"] for issue in scenario["issues"]}


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(load_scenario(SCENARIO)) as running:
        yield running


@pytest.fixture(autouse=True)
def _account(server: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    # Not the user's own team file, configuration or state.
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def team(scenario: dict[str, Any], tmp_path: Path) -> Path:
    """A team.toml from the scenario's capacity data."""
    milestone = scenario["expected"]["capacity"]["milestone"]
    lines = [f"holidays = {json.dumps(scenario['holidays'])}"]
    for person in scenario["capacity_inputs"]:
        lines += [
            "[[people]]",
            f"username = {json.dumps(person['handle'])}",
            f"factor = {person['factor']}",
            f"time_off = {json.dumps(person['pto'])}",
            f"support_days = {{ {json.dumps(milestone)} = {person['support_days']} }}",
        ]
    path = tmp_path / "team.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


Report = Any


@pytest.fixture
def report(scenario: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Report:
    """Runs ``report`` as of the scenario's time and reads its JSON."""

    def one(*arguments: str, as_of: str | None = None) -> dict[str, Any]:
        moment = as_of or scenario["as_of"]
        assert run(["--as-of", moment, "report", *arguments, "--format", "json"]) == 0
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        return printed

    return one


def test_say_do(report: Report, scenario: dict[str, Any], references: dict[str, str]) -> None:
    expected = scenario["expected"]["say_do"]
    title = expected["milestone"]
    locked = scenario["lock_times"][title]
    got = report("say-do", title, "--locked-at", locked)
    assert (got["milestone"], got["locked_at"], got["source"]) == (title, locked, "rebuilt")
    assert got["cut_off"] == "2026-11-13T23:59:59Z"
    for name, definition in got["definitions"].items():
        for part, value in expected[name].items():
            if part == "percent":
                assert definition[part] == value, name
            else:
                assert len(definition[part]) == len(value)
                assert set(definition[part]) == {references[key] for key in value}, (name, part)
    assert set(got["definitions"]) == expected.keys() & {
        "group", "committed", "reprioritized", "handbook", "handbook_deliverable",
    }  # fmt: skip
    for name in ("late_added", "removed_or_moved_early", "late_closed", "unresolved"):
        assert set(got[name]) == {references[key] for key in expected[name]}, name


def test_default_lock_time_is_the_end_of_the_previous_day(report: Report) -> None:
    got = report("say-do", "19.6")
    assert got["locked_at"] == "2026-10-09T23:59:59Z"
    assert len(got["definitions"]["committed"]["assigned"]) == 11


def test_earlier_as_of_ignores_later_events(report: Report, references: dict[str, str]) -> None:
    got = report("say-do", "19.6", as_of="2026-11-15T12:00:00Z")
    # Only after that, A7 was closed and the bot labelled and moved A8 and D1.
    assert got["late_closed"] == []
    assert got["definitions"]["handbook"]["missed"] == []
    assert set(got["unresolved"]) == {references[key] for key in ("A7", "A8", "C1", "D1")}
    during = report("say-do", "19.6", as_of="2026-10-22T10:00:00Z")
    done = during["definitions"]["group"]["completed"]
    assert set(done) == {references[key] for key in ("A2", "A3")}
    assert references["B1"] not in during["definitions"]["group"]["assigned"]


def test_candidates(report: Report, scenario: dict[str, Any], references: dict[str, str]) -> None:
    expected = scenario["expected"]
    got = report("candidates", "next")
    assert got["milestone"] == "19.8"
    assert {one["reference"] for one in got["eligible"]} == {
        references[key] for key in expected["deliverable_eligible_19_8"]
    }
    assert {one["reference"]: set(one["reasons"]) for one in got["not_eligible"]} == {
        references[key]: set(codes) for key, codes in expected["not_eligible_19_8"].items()
    }
    ranks = {i["references"]["full"]: i["pm_rank"] for i in scenario["issues"] if i["pm_rank"]}
    assert (
        [one["rank"] for one in got["eligible"]]
        == [ranks[one["reference"]] for one in got["eligible"]]
        == sorted(ranks[one["reference"]] for one in got["eligible"])
    )


def test_capacity(report: Report, scenario: dict[str, Any], references: dict[str, str], team: Path) -> None:
    expected = scenario["expected"]["capacity"]
    got = report("capacity", expected["milestone"], "--team", str(team))
    assert (got["milestone"], got["workdays"]) == (expected["milestone"], expected["workdays"])
    assert [(p["username"], p["net_days"], p["weight"]) for p in got["people"]] == [
        (p["handle"], p["net_days"], p["weight"]) for p in expected["per_engineer"]
    ]
    assert got["total_weight"] == expected["total_weight"]
    carried = got["carry_over"]
    assert set(carried["issues"]) == {references[key] for key in expected["open_deliverables_of_19_7"]}
    assert carried["weight"] == expected["open_deliverable_weight_of_19_7"]
    # 8 of it is in review, in verification or awaiting security release.
    assert carried["likely_weight"] == 12
    assert (got["planned"], got["unweighted"]) == (27, 3)
    assert (got["room"], got["room_likely"]) == (35.25 - 20 - 27, 35.25 - 12 - 27)
    assert {p["username"]: p["committed"] for p in got["people"] if p["committed"]} == {"eng_elm": 2}


def test_mix(report: Report, scenario: dict[str, Any]) -> None:
    got = report("mix", "19.8")
    for name, sums in scenario["expected"]["mix_19_8"].items():
        assert {part: got["types"][name][part] for part in sums} == sums
    assert got["types"]["undefined"]["count"] == 1
    assert got["types"]["type::feature"]["percent_count"] == 40.0
    assert got["target"] == {"type::feature": 60.0, "type::maintenance + type::bug": 40.0}


def test_triage(report: Report, scenario: dict[str, Any], references: dict[str, str]) -> None:
    got = report("triage")
    assert got["as_of"] == scenario["as_of"]
    assert {one["reference"]: set(one["reasons"]) for one in got["findings"]} == {
        references[key]: set(codes) for key, codes in scenario["expected"]["triage"].items()
    }


def test_load(report: Report, scenario: dict[str, Any], team: Path) -> None:
    got = report("load", "current", "--team", str(team))
    assert got["milestone"] == "19.7"
    assert [person["username"] for person in got["people"]] == [
        person["handle"] for person in scenario["capacity_inputs"]
    ]
    listed = [reference for person in got["people"] for reference in person["issues"]]
    assert len(listed) == len(scenario["expected"]["capacity"]["open_deliverables_of_19_7"])
    assert sum(person["weight"] for person in got["people"]) == 20
    assert all(person["budget"] is not None for person in got["people"])
    assert got["unassigned"] == {"issues": [], "weight": 0}


def test_load_without_a_team_has_no_budgets(report: Report) -> None:
    assert {person["budget"] for person in report("load", "19.7")["people"]} == {None}


def test_scope(report: Report, scenario: dict[str, Any], references: dict[str, str]) -> None:
    got = report("scope", "19.6", "--locked-at", scenario["lock_times"]["19.6"])
    assert set(got["added"]) == {references["B1"]}
    assert set(got["removed"]) == {references[key] for key in ("A8", "A9", "A10")}
    assert got["reweighted"] == []


@pytest.mark.parametrize("style", ["table", "markdown", "csv"])
@pytest.mark.parametrize("kind", ["say-do", "capacity", "candidates", "mix", "load", "scope", "triage"])
def test_other_formats(kind: str, style: str, team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    milestone = {"say-do": ["19.6"], "scope": ["19.6"], "triage": []}.get(kind, ["19.8"])
    assert run(["report", kind, *milestone, "--team", str(team), "--format", style]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip()
    assert printed.err == ""


def test_say_do_starts_with_a_summary(scenario: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "say-do", "19.6", "--locked-at", scenario["lock_times"]["19.6"]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "7 of 12 closed by 13 Nov (58.3 %), definition group."
    assert lines[2].startswith("6 of 11 (54.5 %), definition committed, rebuilt from events as of 2026-10-09")


def test_before_the_cut_off_the_report_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "say-do", "current"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "1 of 11 closed so far, until 11 Dec (9.1 %), definition group."
    )


def test_reports_never_contain_confidential_titles(
    scenario: dict[str, Any], team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = [issue["title"] for issue in scenario["issues"] if issue["confidential"]]
    assert secret
    for arguments in (["triage"], ["load", "19.7"], ["candidates", "19.7"]):
        assert run(["report", *arguments, "--team", str(team), "--format", "markdown"]) == 0
        printed = capsys.readouterr().out.replace("\\", "")
        assert not [title for title in secret if title in printed]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["say-do"], 2, "Which milestone"),
        (["triage", "19.8"], 2, "takes no milestone"),
        (["mix", "19.88"], 2, "19.8"),
        (["say-do", "19.6", "--locked-at", ""], 2, "is not a time"),
        (["scope", "19.6", "--locked-at", "0001-01-01T00:00:00+10:00"], 2, "is not a time"),
        (["say-do", "backlog"], 2, "no start and due date"),
        (["capacity", "next"], 1, "team.toml"),
        (["capacity", "next", "--team", "none.toml"], 1, "no such file"),
        (["scope", "19.9"], 2, "not locked before"),
        (["velocity", "19.8"], 2, "velocity"),
    ],
)
def test_invalid_arguments_are_reported(
    arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", *arguments]) == status
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "planning", "--milestone", "19.88"], "Similar: 19.8"),
        (["show", "planning", "--milestone", ""], "No milestone named"),
        (["show", "plannin"], "Similar: planning.\n"),
        (["show", "nonsense"], "Choose one of planning, build,"),
        (["--as-of", "", "show", "planning"], "is not a time"),
        (["plan", "lock", "19.8", "--at", ""], "is not a time"),
    ],
)
def test_unknown_name_or_invalid_time_is_an_error(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.out == ""


def test_any_title_of_an_alias_selects_the_milestone(capsys: pytest.CaptureFixture[str]) -> None:
    printed = set()
    for name in ("next-1-3", "Next 1-3 Milestones", "Next 1-3 releases"):
        assert run(["show", "build", "--milestone", name, "--format", "json"]) == 0
        assert run(["report", "mix", name, "--format", "json"]) == 0
        printed.add(re.sub(r'"as_of": ".*"', "", capsys.readouterr().out))
    assert len(printed) == 1
