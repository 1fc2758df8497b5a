"""Generated scenarios: the command line reports what the written planning rules give.

The rules are in ``support/rules_oracle.py``, which shares no code with glboard. By default a few seeds;
``GLBOARD_SCENARIOS=200`` tries as many, and ``GLBOARD_SCENARIOS=7-7`` only that one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.scenario import load_scenario
from glboard_tui.cli.main import run
from support import random_scenarios, rules_oracle
from support.rules_oracle import RulesOracle, when
from support.say_do_oracle import SayDo
from support.shared import SCENARIO, needs_scenario

Row = dict[str, Any]
#: A zone without summer time, so that the reference needs no rules for it.
ZONES: dict[str, tzinfo] = {"UTC": UTC, "Asia/Kolkata": timezone(timedelta(hours=5, minutes=30))}
LISTS = ("late_added", "removed_or_moved_early", "late_closed", "unresolved")


def seeds() -> range:
    first, _, last = os.environ.get("GLBOARD_SCENARIOS", "6").rpartition("-")
    return range(int(first or 1), int(last) + 1)


class Asked:
    """One scenario, served, and ways to query it."""

    def __init__(self, data: Row, words: RulesOracle, say: Callable[..., Any], team: Path) -> None:
        self.data = data
        self.words = words
        self.say = say
        self.team = team

    def report(self, *arguments: str, as_of: str | None = None) -> Any:
        return self.say("report", *arguments, as_of=as_of or self.data["as_of"])

    def at(self, as_of: str) -> RulesOracle:
        """What the words say as of another moment."""
        return RulesOracle(self.data, when(as_of), self.words.zone)


def _seed(seed: int) -> Any:
    """A scenario and its zone; every other one is in .ci/slow."""
    marks = () if seed % 2 else (pytest.mark.slow,)
    zone = list(ZONES)[seed % 3 == 0]
    return pytest.param((seed, zone), id=f"{seed} {zone}", marks=marks)


@pytest.fixture(params=[_seed(seed) for seed in seeds()])
def asked(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Asked]:  # fmt: skip
    seed, zone = request.param
    data = random_scenarios.scenario(seed)
    team, file, config = tmp_path / "team.toml", tmp_path / "scenario.json", tmp_path / "config.toml"
    team.write_text(toml(data["team"]), "utf-8")
    file.write_text(json.dumps(data), "utf-8")
    config.write_text(f'[ui]\ntime_zone = "{zone}"\n', "utf-8")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))

    def say(*arguments: str, as_of: str = data["as_of"]) -> Any:
        line = ["--config", str(config), "--as-of", as_of, *arguments, "--format", "json"]
        status = run(line)
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out)

    with DemoServer(load_scenario(file)) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
        yield Asked(data, RulesOracle(data, when(data["as_of"]), ZONES[zone]), say, team)


def toml(team: Row) -> str:
    def value(one: Any) -> str:
        if isinstance(one, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(each)}" for key, each in one.items()) + " }"
        if isinstance(one, list):
            return "[" + ", ".join(value(each) for each in one) + "]"
        return json.dumps(one)

    lines = [f"{key} = {value(one)}" for key, one in team.items() if key != "people"]
    for person in team["people"]:
        lines += ["[[people]]", *(f"{key} = {value(one)}" for key, one in person.items())]
    return "\n".join(lines) + "\n"


def test_reports_follow_the_written_rules(asked: Asked) -> None:
    words = asked.words
    for name in words.begun():
        say_do(asked, name)
    say_do(asked, asked.at(asked.data["earlier"]).begun()[-1], asked.data["earlier"])
    for name in [one for one in (words.current(), words.next()) if one]:
        planning(asked, name)
    boards(asked)
    triage(asked)


@needs_scenario
def test_written_rules_reproduce_the_sample() -> None:
    data: Row = json.loads(SCENARIO.read_text("utf-8"))
    expected = data["expected"]
    refs = {issue["key"]: rules_oracle.ref(issue) for issue in data["issues"]}
    words = RulesOracle(data, when(data["as_of"]))
    assert (words.current(), words.next()) == (data["current_milestone"], data["next_milestone"])
    said = SayDo(words).say_do("19.6", when(data["lock_times"]["19.6"]))
    for name, wanted in expected["say_do"].items():
        if isinstance(wanted, dict):
            lists = {key: {refs[one] for one in keys} for key, keys in wanted.items() if key != "percent"}
            assert said["definitions"][name] == {**lists, "percent": wanted["percent"]}
        elif isinstance(wanted, list):
            assert said[name] == {refs[one] for one in wanted}
    for key, board, milestone in (
        ("planning_19_8", "planning", "19.8"),
        ("build_19_7", "build", "19.7"),
        ("next_1_3", "next-1-3", "Next 1-3 releases"),
        ("next_4_6", "next-4-6", "Next 4-6 releases"),
    ):
        shown = {name: (*sums, set(rows)) for name, (*sums, rows) in words.board(board, milestone).items()}
        assert shown == {
            name: (one["count"], one["weight"], one["unweighted"], {refs[k] for k in one["keys"]})
            for name, one in expected["boards"][key].items()
            if name != "(unlisted)" or one["count"]
        }
    assert words.closed("19.7") == {refs[key] for key in expected["boards"]["build_19_7_closed"]}
    yes, no = words.candidates("19.8")
    assert set(yes) == {refs[key] for key in expected["deliverable_eligible_19_8"]}
    assert dict(no) == {refs[key]: set(codes) for key, codes in expected["not_eligible_19_8"].items()}
    assert words.triage() == {refs[key]: set(codes) for key, codes in expected["triage"].items()}
    assert {rules_oracle.ref(one): n for one in words.open if (n := rules_oracle.missed(one))} == {
        refs[key]: times for key, times in expected["slipped"].items()
    }
    carried = {refs[key] for key in expected["capacity"]["open_deliverables_of_19_7"]}
    assert words.carried("19.8")[:2] == (carried, expected["capacity"]["open_deliverable_weight_of_19_7"])
    assert len(words.workdays("19.8")) == expected["capacity"]["workdays"]
    assert (
        words.mix("19.8").items()
        >= {k: (v["count"], v["weight"]) for k, v in expected["mix_19_8"].items()}.items()
    )


def say_do(asked: Asked, name: str, as_of: str | None = None) -> None:
    """With the scenario's lock, and with the default one."""
    words = asked.at(as_of or asked.data["as_of"])
    lock = asked.data["lock_times"][name]
    for given in (lock, None):
        got = asked.report("say-do", name, *(["--locked-at", given] if given else []), as_of=as_of)
        wanted = SayDo(words).say_do(name, when(given) if given else None)
        assert (when(got["cut_off"]), when(got["locked_at"])) == (wanted["cut_off"], wanted["locked_at"])
        for definition, parts in wanted["definitions"].items():
            for part, value in parts.items():
                assert plain(got["definitions"][definition][part]) == value, (name, given, definition, part)
        for part in LISTS:
            assert plain(got[part]) == wanted[part], (name, given, part)
    if when(lock) <= words.now:
        got = asked.report("scope", name, "--locked-at", lock, as_of=as_of)
        assert (set(got["added"]), set(got["removed"])) == SayDo(words).scope(name, when(lock)), name


def plain(value: Any) -> Any:
    """A list as a set, keeping duplicates."""
    if not isinstance(value, list):
        return value
    assert len(set(value)) == len(value)
    return set(value)


def planning(asked: Asked, name: str) -> None:
    """Candidates, capacity, load and mix of a milestone."""
    words = asked.words
    got = asked.report("candidates", name)
    yes, no = words.candidates(name)
    assert [one["reference"] for one in got["eligible"]] == yes, name
    assert [(one["reference"], set(one["reasons"])) for one in got["not_eligible"]] == no, name
    capacity(asked, name)
    got = asked.report("load", name, "--team", str(asked.team))
    mine, nobody, weights = words.loads(name)
    assert {one["username"]: set(one["issues"]) for one in got["people"] if one["issues"]} == mine
    assert set(got["unassigned"]["issues"]) == nobody
    assert {one["username"]: one["weight"] for one in got["people"] if one["issues"]} == weights
    types = asked.report("mix", name)["types"]
    assert {kind: (one["count"], one["weight"]) for kind, one in types.items() if one["count"]} == words.mix(
        name
    )
    count = len(words.in_(name))
    for kind, (some, _) in words.mix(name).items():
        assert types[kind]["percent_count"] == pytest.approx(100 * some / count, abs=0.05), kind


def capacity(asked: Asked, name: str) -> None:
    """Days and weight per person, and free capacity."""
    words, team = asked.words, asked.data["team"]
    got = asked.report("capacity", name, "--team", str(asked.team))
    days = words.workdays(name)
    assert got["workdays"] == len(days)
    committed = words.planned(name)
    total = 0.0
    people = {one["username"]: one for one in got["people"]}
    for person in team["people"]:
        shown = people.pop(person["username"])
        net = rules_oracle.net_days(days, team, person, name)
        total += (weight := rules_oracle.budget(net, team, person))
        assert (shown["net_days"], shown["weight"]) == (pytest.approx(net), pytest.approx(weight)), person
        assert shown["committed"] == committed.pop(person["username"], 0)
    assert {name: one["committed"] for name, one in people.items() if one["committed"]} == {
        name: weight for name, weight in committed.items() if weight
    }
    assert all(one["net_days"] is one["weight"] is None for one in people.values())
    carried, all_of_it, likely = words.carried(name)
    assert got["total_weight"] == pytest.approx(total)
    assert set(got["carry_over"]["issues"]) == carried
    assert (got["carry_over"]["weight"], got["carry_over"]["likely_weight"]) == (all_of_it, likely)
    _, planned, unweighted = words.sums(words.in_(name))
    assert (got["planned"], got["unweighted"]) == (planned, unweighted)
    assert got["room"] == pytest.approx(total - all_of_it - planned)
    assert got["room_likely"] == pytest.approx(total - likely - planned)


def boards(asked: Asked) -> None:
    """The four boards of the page; ``slipped`` and ``over-weight`` on their issues."""
    words = asked.words
    known = {rules_oracle.ref(issue): issue for issue in asked.data["issues"]}
    shown = [("planning", words.next()), ("build", words.current())]
    shown += [("planning", words.current()), ("build", words.next())]
    shown += [("next-1-3", "Next 1-3 Milestones"), ("next-4-6", "Next 4-6 releases")]
    for board, milestone in shown:
        if milestone is None or milestone not in words.milestones:
            continue
        got = asked.say("show", board, "--milestone", milestone, "--closed")
        assert (got["board"], got["milestone"]) == (board, milestone)
        columns = {
            one["name"]: (
                one["count"],
                one["weight"],
                one["unweighted"],
                [i["reference"] for i in one["issues"]],
            )
            for one in got["columns"]
        }
        closed = columns.pop("(closed)", (0, 0, 0, []))
        if board == "build":
            assert set(closed[3]) == words.closed(milestone)
        wanted = words.board(board, milestone)
        assert list(columns) == list(wanted)
        assert columns == wanted, (board, milestone)
        for issue in (
            issue for one in got["columns"] if one["name"] != "(closed)" for issue in one["issues"]
        ):
            row = known[issue["reference"]]
            assert issue["slipped"] == rules_oracle.missed(row)
            assert ("over-weight" in issue["warnings"]) == ((row["weight"] or 0) > 3)
            assert issue["title"].isprintable()


def triage(asked: Asked) -> None:
    """All of the group's open issues."""
    got = asked.report("triage")
    assert got["as_of"] == asked.data["as_of"].replace(".000", "")
    assert {one["reference"]: set(one["reasons"]) for one in got["findings"]} == asked.words.triage()
