"""An awkward milestone through the command line: cases that the sample scenario does not contain.

The scenario is part of this file, next to the expectations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.scenario import load_scenario
from glboard_tui.cli.main import run

GROUP = "group::custom models"
ORG = [GROUP, "devops::ai-powered", "section::data science", "Category:Self-Hosted models"]
AS_OF = "2027-02-01T09:00:00Z"

MILESTONES = [
    (1, "19.6", "2026-10-10", "2026-11-13", "closed"),
    (2, "19.7", "2026-11-14", "2026-12-11", "active"),
    (3, "19.9", "2027-01-16", "2027-02-12", "active"),
    (4, "19.10", "2027-02-13", "2027-03-12", "active"),
    (5, "19.11", "2027-03-13", "2027-04-09", "active"),
    (6, "Next 1-3 Milestones", None, None, "active"),
    (7, "Backlog", None, None, "active"),
]


def at(text: str) -> str:
    """``10-20`` or ``10-20 23:59:59`` of 2026, as ISO in UTC."""
    day, _, time = text.partition(" ")
    return f"2026-{day}T{time or '12:00:00'}Z"


def row(number: int, *past: tuple[str, str], labels: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """An issue of the file; ``past`` as in ``+Deliverable``, ``into 19.6``, ``out 19.6``, ``closed``."""
    events = []
    for when, what in past:
        kind, action, value = {
            "+": ("label", "add", what[1:]),
            "-": ("label", "remove", what[1:]),
            "i": ("milestone", "add", what[5:]),
            "o": ("milestone", "remove", what[4:]),
            "c": ("state", "closed", None),
            "r": ("state", "reopened", None),
        }[what[0]]
        events.append({"kind": kind, "action": action, "value": value, "at": at(when), "by": "em_maple"})
    closed = fields.get("closed_at")
    milestone = fields.pop("milestone", None)
    return {
        "key": f"N{number}",
        "id": 5000 + number,
        "iid": number,
        "project_path": "demo-org/app",
        "title": f"Issue {number}",
        "state": "closed" if closed else "opened",
        "created_at": at("09-01"),
        "updated_at": at("12-20"),
        "labels": [*fields.pop("org", ORG), *labels],
        "milestone": {"title": milestone} if milestone else None,
        "weight": 1,
        "assignees": [],
        "events": events,
        **fields,
    }


D = "Deliverable"
IN = (("10-07", "into 19.6"), ("10-09 10:00:00", "+Deliverable"))
READY = ("type::bug", "bug::ux", "severity::1", "priority::2", "workflow::ready for development")

ISSUES = [
    # Say/Do of 19.6, in Berlin: it ends at 22:59:59 UTC.
    row(1, *IN, ("11-13 22:59:59", "closed"), labels=(D,), milestone="19.6", closed_at=at("11-13 22:59:59")),
    row(2, *IN, ("11-13 23:00:00", "closed"), labels=(D,), milestone="19.6", closed_at=at("11-13 23:00:00")),
    # No remove when the milestone changes.
    row(3, *IN, ("11-01", "into 19.7"), labels=(D,), milestone="19.7"),
    # Away and back, and closed.
    row(
        4, *IN, ("10-20", "into 19.7"), ("10-21", "into 19.6"), ("11-02", "closed"),
        labels=(D,), milestone="19.6", closed_at=at("11-02"),
    ),
    # Closed, reopened, left open.
    row(5, *IN, ("10-20", "closed"), ("10-30", "reopened"), labels=(D,), milestone="19.6"),
    # In it for no time at all.
    row(
        6, ("10-01", "+Deliverable"), ("10-20", "into 19.6"), ("10-20", "into 19.7"),
        labels=(D,), milestone="19.7",
    ),
    # The planning issue, and another group's.
    row(7, *IN, labels=(D, "type::ignore"), milestone="19.6"),
    row(8, *IN, labels=(D,), org=["group::other"], milestone="19.6"),
    # Closed without being done, which counts unless someone says otherwise.
    row(9, *IN, ("10-22", "closed"), labels=(D,), milestone="19.6", closed_at=at("10-22"), status="Won't do"),
    # Locked at 16:00 UTC by --locked-at; this one came an hour later.
    row(10, ("10-07", "into 19.6"), ("10-09 17:00:00", "+Deliverable"), labels=(D,), milestone="19.6"),
    # Missed twice, now a candidate of the current milestone; PM's last choice.
    row(11, labels=(*READY, "missed:19.6", "missed:19.7"), milestone="19.9", pm_rank=9, weight=0),
    row(12, labels=READY, milestone="19.9", pm_rank=1, weight=4),
    row(13, labels=(*READY, "workflow::refinement"), milestone="19.9", pm_rank=2),
    row(14, labels=(*READY, D), milestone="19.9", pm_rank=3, assignees=["eng_alder", "eng_birch"]),
    # 19.10 comes after 19.9 and is next; 19.11 is beyond.
    row(15, labels=(*READY, D), milestone="19.10", weight=2),
    row(16, labels=(*READY, D), milestone="19.11"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    path = tmp_path_factory.mktemp("scenario") / "month.json"
    milestones = [
        {"id": n, "title": title, "start_date": start, "due_date": due, "state": state}
        for n, title, start, due, state in MILESTONES
    ]
    people = {"em": "em_maple", "pm": "pm_oak", "engineers": ["eng_alder", "eng_birch"]}
    path.write_text(
        json.dumps({"as_of": AS_OF, "people": people, "milestones": milestones, "issues": ISSUES}), "utf-8"
    )
    with DemoServer(load_scenario(path)) as running:
        yield running


Report = Any


@pytest.fixture
def report(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Report:
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))

    def one(*arguments: str, config: str = "", as_of: str | None = AS_OF) -> Any:
        file = tmp_path / "config.toml"
        file.write_text(config, "utf-8")
        moment = ["--as-of", as_of] if as_of else []
        assert run(["--config", str(file), *moment, "report", *arguments, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out, object_hook=_short)

    return one


def _short(value: dict[str, Any]) -> dict[str, Any]:
    """References as numbers."""

    def number(one: Any) -> Any:
        if isinstance(one, str) and one.startswith("demo-org/app#"):
            return int(one.rpartition("#")[2])
        return [number(each) for each in one] if isinstance(one, list) else one

    return {key: number(one) for key, one in value.items()}


BERLIN = '[ui]\ntime_zone = "Europe/Berlin"\n'


def test_say_do_of_a_closed_milestone_in_berlin(report: Report) -> None:
    got = report("say-do", "19.6", "--locked-at", "2026-10-09T18:00:00+02:00", config=BERLIN)
    assert (got["cut_off"], got["locked_at"]) == ("2026-11-13T22:59:59Z", "2026-10-09T16:00:00Z")
    figures = got["definitions"]
    assert figures["group"] == {
        "assigned": [1, 2, 3, 4, 5, 9, 10],
        "completed": [1, 4, 9],
        "percent": 42.9,
    }
    assert figures["committed"] == {"assigned": [1, 2, 3, 4, 5, 9], "completed": [1, 4, 9], "percent": 50.0}
    assert figures["reprioritized"] == {"assigned": [1, 2, 4, 5, 9], "completed": [1, 4, 9], "percent": 60.0}
    # The bot labelled issue 11; no event puts it in a milestone.
    assert figures["handbook"] == {"completed": [1, 2, 4, 9], "missed": [11], "percent": 80.0}
    assert figures["handbook_deliverable"] == {"completed": [1, 2, 4, 9], "missed": [], "percent": 100.0}
    assert got["late_added"] == [10]
    assert got["removed_or_moved_early"] == [3]
    assert got["late_closed"] == [2]
    assert got["unresolved"] == [5, 10]


def test_in_utc_the_second_issue_is_in_time(report: Report) -> None:
    got = report("say-do", "19.6")
    assert got["definitions"]["group"]["completed"] == [1, 2, 4, 9]
    assert got["late_closed"] == []


def test_wont_dos_do_not_count_if_configured(report: Report) -> None:
    got = report("say-do", "19.6", config="[planning]\ncount_wont_do = false\n")
    assert got["definitions"]["group"] == {
        "assigned": [1, 2, 3, 4, 5, 10],
        "completed": [1, 2, 4],
        "percent": 50.0,
    }


def test_report_without_a_lock_before_the_start(report: Report) -> None:
    got = report("say-do", "19.11", as_of="2026-10-01T00:00:00Z")
    assert got["definitions"]["committed"] == {"assigned": [16], "completed": [], "percent": 0.0}
    empty = report("say-do", "19.7", as_of="2026-10-08T00:00:00Z")
    figures = empty["definitions"]
    assert (figures["group"]["percent"], figures["committed"]["percent"]) == (None, None)
    # A label without an event was always there.
    assert figures["handbook"] == {"completed": [], "missed": [11], "percent": 0.0}


def test_candidates_of_the_current_milestone(report: Report) -> None:
    got = report("candidates", "current")
    assert got["milestone"] == "19.9"
    assert got["eligible"] == [
        {"reference": 11, "weight": 0, "slipped": 2, "rank": 4, "priority": "2", "warnings": []},
        {"reference": 12, "weight": 4, "slipped": 0, "rank": 1, "priority": "2", "warnings": ["over-weight"]},
        {"reference": 14, "weight": 1, "slipped": 0, "rank": 3, "priority": "2", "warnings": []},
    ]
    assert got["not_eligible"] == [{"reference": 13, "reasons": ["not-ready"]}]


def test_next_is_found_by_date_and_nothing_is_eligible_beyond_it(report: Report) -> None:
    assert report("candidates", "next")["milestone"] == "19.10"
    assert report("candidates", "after-next")["not_eligible"] == [
        {"reference": 16, "reasons": ["other-milestone"]}
    ]
    assert report("candidates", "next-1-3") == {
        "milestone": "Next 1-3 Milestones",
        "eligible": [],
        "not_eligible": [],
    }


def test_triage_uses_the_day_in_the_teams_time_zone(report: Report) -> None:
    findings = {one["reference"]: one["reasons"] for one in report("triage")["findings"]}
    assert findings[16] == ["deliverable-beyond-next"]
    assert findings[12] == ["over-weight"]
    assert "expired-milestone" in findings[5]
    assert not {7, 8, 11, 14, 15} & findings.keys()
    # At noon UTC of the last day it is already the next day in Auckland.
    last = "2027-02-12T12:00:00Z"
    assert "expired-milestone" not in str(report("triage", as_of=last)["findings"][-1])
    auckland = report("triage", as_of=last, config='[ui]\ntime_zone = "Pacific/Auckland"\n')["findings"]
    assert {12, 13, 14} <= {o["reference"] for o in auckland if "expired-milestone" in o["reasons"]}


def test_capacity_counts_an_issue_once_for_the_team_and_in_full_per_assignee(
    report: Report, tmp_path: Path
) -> None:
    team = tmp_path / "team.toml"
    team.write_text('[[people]]\nusername = "eng_birch"\nsupport_days = { "19.9" = 4 }\n', "utf-8")
    # Next to the configuration file it is found without an option.
    got = report("capacity", "current")
    assert got["people"] == [
        {"username": "eng_birch", "net_days": 16, "weight": 8.0, "committed": 1},
        {"username": "eng_alder", "net_days": None, "weight": None, "committed": 1},
    ]
    assert (got["total_weight"], got["planned"], got["unweighted"]) == (8.0, 6, 0)
    # The version milestone before 19.9 is 19.7: 19.8 is missing from this server.
    assert got["carry_over"] == {"weight": 2, "likely_weight": 2, "issues": [3, 6]}
    assert (got["room"], got["room_likely"]) == (0.0, 0.0)


def test_scope_lists_added_and_removed_issues(report: Report) -> None:
    got = report("scope", "19.6", "--locked-at", "2026-10-09T16:00:00Z")
    assert (got["added"], got["removed"], got["reweighted"]) == ([10], [3], [])
    early = report("scope", "19.6", "--locked-at", "2026-10-09T16:00:00Z", as_of="2026-10-20T12:30:00Z")
    assert (early["added"], early["removed"]) == ([10], [4])


def test_unreadable_history_is_reported_and_the_rest_is_printed(
    server: DemoServer, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report is not None
    server.faults.next("403", "issues/1/resource_label_events")
    assert run(["report", "say-do", "19.6"]) == 3
    printed = capsys.readouterr()
    assert "Say/Do 19.6" in printed.out
    assert "demo-org/app#1" in printed.err


def test_another_server_at_the_same_address_has_its_own_history(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    milestones = [{"id": 1, "title": "19.6", "start_date": "2026-10-10", "due_date": "2026-11-13"}]
    port = 0
    for day, committed in (("10-09 10:00:00", 1), ("10-12", 0)):
        # The same issue, updated at the same time: only its history differs.
        issue = row(1, ("10-07", "into 19.6"), (day, "+Deliverable"), labels=(D,), milestone="19.6")
        path = tmp_path / "world.json"
        people = {"em": "em_maple"}
        content = {"as_of": AS_OF, "people": people, "milestones": milestones, "issues": [issue]}
        path.write_text(json.dumps(content), "utf-8")
        with DemoServer(load_scenario(path), port=port) as served:
            port = int(served.url.rpartition(":")[2])
            monkeypatch.setenv("GITLAB_HOST", served.url)
            monkeypatch.setenv("GITLAB_TOKEN", served.token)
            assert run(["report", "say-do", "19.6", "--format", "json"]) == 0
        got = json.loads(capsys.readouterr().out)
        assert len(got["definitions"]["committed"]["assigned"]) == committed, day
