"""A world from a file: as written, with its own time and its own past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demo.wire import SHARED, Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.scenario import ScenarioError, load_scenario
from glboard_core.demo.world.clock import iso_seconds, micros

FILE = SHARED / "scenario" / "custom-models-19.json"


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip("the sample scenario is not beside this repository")
    found = json.loads(FILE.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def scenario(written: dict[str, Any]) -> Iterator[Wire]:
    with DemoServer(load_scenario(FILE)) as server:
        wire = Wire(server)
        yield wire
        wire.close()


def test_time_starts_at_as_of_and_runs_on(scenario: Wire) -> None:
    first = scenario.rest("GET", "/version").headers["date"]
    assert first.startswith("Mon, 07 Dec 2026 15:0")
    clock = scenario.world.clock
    started = clock.now()
    while clock.now() == started:
        pass
    assert clock.now() > started


def test_issues_are_as_written(scenario: Wire, written: dict[str, Any]) -> None:
    found = scenario.rest("GET", "/groups/demo-org/issues", params={"per_page": 100}).json()
    shown = {one["references"]["full"]: one for one in found}
    assert len(shown) == len(written["issues"])
    for row in written["issues"]:
        issue = shown[row["references"]["full"]]
        for name in (
            "id",
            "iid",
            "project_id",
            "title",
            "state",
            "weight",
            "confidential",
            "merge_requests_count",
        ):
            assert issue[name] == row[name], (row["key"], name)
        assert issue["labels"] == sorted(row["labels"])
        assert [one["username"] for one in issue["assignees"]] == row["assignees"]
        milestone = row["milestone"]
        assert (issue["milestone"] or {}).get("id") == (milestone or {}).get("id")
        assert (issue["closed_at"] or "")[:19] == (row["closed_at"] or "")[:19]
        assert issue["updated_at"][:19] == row["updated_at"][:19]


def test_past_is_as_written(scenario: Wire, written: dict[str, Any]) -> None:
    for row in written["issues"]:
        path = f"/projects/{row['project_id']}/issues/{row['iid']}"
        told = []
        for kind in ("milestone", "label", "state"):
            for one in scenario.rest(
                "GET", f"{path}/resource_{kind}_events", params={"per_page": 100}
            ).json():
                value = one.get(kind) if kind != "state" else None
                name = value["title" if kind == "milestone" else "name"] if value else None
                action = one["state"] if kind == "state" else one["action"]
                told.append((one["created_at"][:19], kind, action, name, one["user"]["username"]))
        expected = [
            (one["at"][:19], one["kind"], one["action"], one["value"], one["by"]) for one in row["events"]
        ]
        assert sorted(told, key=str) == sorted(expected, key=str)


def test_manual_order(scenario: Wire, written: dict[str, Any]) -> None:
    rows = list(enumerate(written["issues"]))
    rows.sort(key=lambda pair: (pair[1]["pm_rank"] is None, pair[1]["pm_rank"] or 0, pair[0]))
    found = scenario.data(
        """{ group(fullPath: "demo-org") { issues(includeSubgroups: true, sort: RELATIVE_POSITION_ASC) {
        nodes { reference(full: true) } } } }"""
    )
    shown = [one["reference"] for one in found["group"]["issues"]["nodes"]]
    assert shown == [row["references"]["full"] for _, row in rows]


def test_the_manager_holds_the_token_and_blockers_count(scenario: Wire, written: dict[str, Any]) -> None:
    assert scenario.data("{ currentUser { username } }")["currentUser"]["username"] == written["people"]["em"]
    blocked = [row for row in written["issues"] if row["blocked_by"]]
    for row in blocked:
        query = f'{{ issue(id: "gid://gitlab/Issue/{row["id"]}") {{ blocked blockedByCount }} }}'
        assert scenario.data(query)["issue"] == {"blocked": True, "blockedByCount": len(row["blocked_by"])}
    assert blocked


def base() -> dict[str, Any]:
    return {
        "as_of": "2026-12-07T15:00:00Z",
        "people": {"em": "em_maple", "engineers": ["eng_elm"]},
        "milestones": [{"id": 1, "title": "19.7", "start_date": "2026-11-14", "due_date": "2026-12-11"}],
        "issues": [
            {
                "id": 10, "iid": 1, "project_path": "demo-org/platform", "title": "One",
                "labels": ["type::bug"],
                "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-02T00:00:00Z",
                "milestone": {"title": "19.7"}, "events": [],
            }
        ],
    }  # fmt: skip


def test_a_minimal_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(base()), "utf-8")
    world = load_scenario(path)
    issue = world.issue("demo-org/platform#1")
    assert (issue.id, issue.milestone, issue.history) == (10, world.milestone("19.7"), [])
    assert world.owner.username == "em_maple"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"issues": []}, "no issues"),
        ({"as_of": "soon"}, "as_of"),
        ({"people": {}}, "em"),
        ({"milestones": [{"id": 1, "title": "a"}, {"id": 2, "title": "a"}]}, "duplicate a"),
        ({"issue": {"milestone": {"title": "99.9"}}}, "unknown milestone 99.9"),
        ({"issue": {"state": "closed"}}, "has no closed_at"),
        ({"issue": {"state": "gone"}}, "neither opened nor closed"),
        ({"issue": {"project_path": "platform"}}, "has no group"),
        ({"issue": {"blocked_by": ["Z9"]}}, "blocked by Z9"),
        ({"issue": {"moved_to": 77}}, "moved_to 77 is no other issue of the file"),
        (
            {
                "issue": {
                    "events": [{"kind": "moon", "action": "add", "at": "2026-11-01T00:00:00Z", "by": "a"}]
                }
            },
            "moon add",
        ),
        ({"issue": {"labels": [1]}}, "issue 1: labels[0]"),
        ({"issue": {"weight": -1}}, "issue 1: weight -1"),
        ({"issue": {"weight": 1.5}}, "issue 1: weight 1.5"),
        ({"issue": {"title": None}}, "issue 1: Object missing required field `title`"),
        ({"issue": {"milestone": {"title": "19.8"}}}, "similar: 19.7"),
        ({"issue": {"key": "A1", "events": [{"kind": "label", "action": "add"}]}}, "issue A1: events[0].at"),
        (
            {"issue": {"events": [{"kind": "label", "action": "add", "at": "2026-11-01"}]}},
            "label add has no value",
        ),
        ({"issue": {"created_at": "yesterday"}}, "issue 1: created_at: 'yesterday' is not a time"),
        ({"issues": ["A1"]}, "issues[0]: must be an object"),
        ({"issues": None}, "issues is missing"),
        ({"milestones": [{"id": 1, "title": "a"}, {"id": 1, "title": "b"}]}, "duplicate id 1"),
        (
            {"milestones": [{"title": "19.7", "start_date": "2026-11-14", "due_date": "2026-11-13"}]},
            "19.7 ends before it starts",
        ),
    ],
)
def test_bad_files_are_reported(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    content = base()
    content["issues"][0].update(change.pop("issue", {}))
    content.update(change)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_an_issue_can_have_been_moved_or_be_a_duplicate(tmp_path: Path) -> None:
    content = base()
    done = {"state": "closed", "closed_at": "2026-11-04T10:00:00Z"}
    content["issues"] += [
        {**content["issues"][0], "id": 21, "iid": 21, **done, "moved_to": 22},
        {**content["issues"][0], "id": 22, "iid": 22, **done, "duplicate_of": "demo-org/platform#21"},
    ]
    path = tmp_path / "moved.json"
    path.write_text(json.dumps(content))
    world = load_scenario(path)
    first, second = world.issue("demo-org/platform#21"), world.issue("demo-org/platform#22")
    assert (first.moved_to, second.duplicate_of) == (second, first)
    with DemoServer(world) as server, Wire(server) as wire:
        asked = (
            "query($id: IssueID!) { issue(id: $id) { moved movedTo { iid } closedAsDuplicateOf { iid } } }"
        )
        shown = wire.data(asked, id="gid://gitlab/Issue/21")["issue"]
        assert shown == {"moved": True, "movedTo": {"iid": "22"}, "closedAsDuplicateOf": None}


def test_what_the_format_leaves_open_has_a_plain_meaning(tmp_path: Path) -> None:
    content = base()
    content["as_of"] = "2026-12-07"
    content["milestones"].append({"title": "Backlog"})
    moved = {"kind": "milestone", "action": "add", "value": "19.7", "at": "2026-11-03T10:00"}
    gone = {"kind": "milestone", "action": "remove", "value": "19.1", "at": "2026-11-02T11:00+01:00"}
    closed = {"kind": "state", "action": "closed", "at": "2026-11-04T10:00:00.5Z", "by": "eng_elm"}
    content["issues"] += [
        {
            "references": {"full": "demo-org/platform#7"}, "title": "Two", "state": "closed", "weight": 2.0,
            "labels": ["type::bug", "type::bug"], "assignees": [{"username": "eng_elm"}, "eng_elm"],
            "milestone": "19.7", "updated_at": "2026-11-01T00:00:00Z", "events": [closed, moved, gone],
            "pm_rank": 0.5, "unheard_of": True,
        },
        {
            "key": "N3", "iid": 8, "project_path": "demo-org/platform", "title": "Three", "labels": None,
            "milestone": {"title": "Backlog"}, "events": None, "assignees": None, "confidential": None,
        },
    ]  # fmt: skip
    path = tmp_path / "open.json"
    path.write_text(json.dumps(content), "utf-8")
    world = load_scenario(path)
    assert iso_seconds(world.clock.now())[:17] == "2026-12-07T00:00:"
    two, three = world.issue("demo-org/platform#7"), world.issue("demo-org/platform#8")
    assert [two.id, three.id] == [11, 12]
    assert (two.weight, [one.title for one in two.labels]) == (2, ["type::bug"])
    assert [one.username for one in two.assignees] == ["eng_elm"]
    # In order of time; the unknown milestone was deleted since.
    told = [(iso_seconds(one.at), one.kind, getattr(one.value, "title", None)) for one in two.history or ()]
    assert told == [
        ("2026-11-02T10:00:00Z", "milestone", None),
        ("2026-11-03T10:00:00Z", "milestone", "19.7"),
        ("2026-11-04T10:00:00Z", "state", None),
    ]
    # Closed when its event says so, and each event touched it.
    assert two.closed == two.updated == micros(datetime(2026, 11, 4, 10, 0, 0, 500_000, UTC))
    assert (two.history or [])[0].by.username == "em_maple"
    # Made before anything the file tells of.
    assert three.created == two.created < micros(datetime(2026, 11, 1, tzinfo=UTC))
    assert (three.labels, three.assignees, three.confidential) == ((), (), False)
    assert [one.position for one in (two, world.issue("demo-org/platform#1"), three)] == [512, 1024, 1536]


def test_files_that_are_not_a_scenario(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        load_scenario(tmp_path / "missing.json")
    (tmp_path / "text.json").write_text("{", "utf-8")
    with pytest.raises(ScenarioError, match="is not JSON"):
        load_scenario(tmp_path / "text.json")
