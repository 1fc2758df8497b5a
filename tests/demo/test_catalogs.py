"""Labels, milestones, people and projects by name: what a client asks that does not page through them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from demo.wire import NOW, Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.clock import Clock

ROOT = "demo-org"
PLATFORM = "demo-org/platform"


@pytest.fixture(scope="module", name="wire")
def served() -> Iterator[Wire]:
    """A server that these tests only read."""
    world = default_world(clock=Clock(NOW), issues=60)
    ai = world.group("demo-org/ai")
    world.add_label(ai, "ai-only", "#aa0000", "Found by its description alone")
    world.add_milestone(ai, "Half open", date(2026, 11, 1), None)
    with DemoServer(world) as server:
        wire = Wire(server)
        yield wire
        wire.close()


def titles(wire: Wire, kind: str, path: str, what: str, arguments: str) -> list[str]:
    asked = f'{{ {kind}(fullPath: "{path}") {{ {what}({arguments}) {{ nodes {{ title }} }} }} }}'
    return [one["title"] for one in wire.data(asked)[kind][what]["nodes"]]


def test_a_projects_labels_are_those_of_its_groups_too(wire: Wire) -> None:
    found = wire.data(
        '{ project(fullPath: "demo-org/platform") { labels(first: 100) { nodes { id title } } } }'
    )
    kinds = {one["title"]: one["id"].split("/")[-2] for one in found["project"]["labels"]["nodes"]}
    assert kinds["needs-docs"] == "ProjectLabel"
    assert kinds["type::bug"] == "GroupLabel"
    assert "ai-only" not in kinds
    gateway = titles(wire, "project", "demo-org/ai/ai-gateway", "labels", 'searchTerm: "only"')
    assert gateway == ["ai-only"]


def test_a_projects_milestones_are_its_own_unless_ancestors_are_asked_for(wire: Wire) -> None:
    assert titles(wire, "project", PLATFORM, "milestones", "includeAncestors: false") == [
        "Platform hardening"
    ]
    assert titles(wire, "project", PLATFORM, "milestones", "first: 50") == ["Platform hardening"]
    assert "Backlog" in titles(wire, "project", PLATFORM, "milestones", "includeAncestors: true")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('title: "type::bug"', ["type::bug"]),
        ('title: "TYPE::bug"', []),
        ('searchTerm: "TYPE::B"', ["type::bug"]),
        ('searchTerm: "counts nowhere"', ["type::ignore"]),
        ('searchTerm: "counts nowhere", searchIn: [TITLE]', []),
        ('searchTerm: "nowhere", searchIn: [DESCRIPTION]', ["type::ignore"]),
        ('searchTerm: "vali backlog"', ["workflow::validation backlog"]),
        ('searchTerm: "ux"', []),
        ('searchTerm: "SPIKE"', ["spike"]),
        ('searchTerm: "alone"', []),
        ('searchTerm: "alone", includeDescendantGroups: true', ["ai-only"]),
        ('searchTerm: "needs-", includeDescendantGroups: true', ["needs-docs", "needs-docs"]),
        ('searchTerm: "needs-", includeDescendantGroups: true, onlyGroupLabels: true', []),
    ],
)
def test_labels_by_title_and_by_words(wire: Wire, arguments: str, expected: list[str]) -> None:
    assert titles(wire, "group", ROOT, "labels", arguments) == expected


def test_labels_of_a_subgroup_leave_its_ancestors_out_unless_asked(wire: Wire) -> None:
    assert titles(wire, "group", "demo-org/ai", "labels", 'searchTerm: "type::bug"') == []
    above = 'searchTerm: "type::bug", includeAncestorGroups: true'
    assert titles(wire, "group", "demo-org/ai", "labels", above) == ["type::bug"]


def test_many_titles_are_one_request_within_the_limit(wire: Wire) -> None:
    names = [one.title for one in wire.world.labels.values()][:25]
    aliases = " ".join(
        f"l{at}: labels(title: {name!r}, first: 1) {{ nodes {{ id title color }} }}".replace("'", '"')
        for at, name in enumerate(names)
    )
    found = wire.data(f'{{ group(fullPath: "{ROOT}") {{ {aliases} }} queryComplexity {{ score limit }} }}')
    assert [found["group"][f"l{at}"]["nodes"][0]["title"] for at in range(25)] == names
    assert found["queryComplexity"]["score"] == 129


FRAME = 'timeframe: {{ start: "{}", end: "{}" }}'


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('title: "19.7"', ["19.7"]),
        ('title: "backlog"', []),
        ('searchTitle: "BACKLOG"', ["Backlog"]),
        ('searchTitle: "19"', []),
        (FRAME.format("2026-12-01", "2026-12-20"), ["19.7", "19.8"]),
        (FRAME.format("2026-12-12", "2026-12-12"), ["19.8"]),
        ('containingDate: "2026-12-12T08:00:00Z"', ["19.8"]),
        ("state: closed", []),
    ],
)
def test_milestones_by_title_words_and_days(wire: Wire, arguments: str, expected: list[str]) -> None:
    assert titles(wire, "group", ROOT, "milestones", arguments) == expected


def test_a_milestone_with_one_date_is_open_at_the_other_end(wire: Wire) -> None:
    frame = FRAME.format("2030-01-01", "2030-01-02")
    assert titles(wire, "group", "demo-org/ai", "milestones", frame) == ["Half open"]
    assert titles(wire, "group", ROOT, "milestones", f"includeDescendants: true, {frame}") == ["Half open"]


def test_a_time_frame_must_not_end_before_it_starts(wire: Wire) -> None:
    frame = FRAME.format("2026-02-02", "2026-02-01")
    said = wire.error(f'{{ group(fullPath: "{ROOT}") {{ milestones({frame}) {{ nodes {{ id }} }} }} }}')
    assert said == "start must be before end"


def test_milestones_by_ids_in_either_form(wire: Wire) -> None:
    one, other = wire.world.milestone("19.7").id, wire.world.milestone("19.8").id
    asked = f'ids: ["{one}", "gid://gitlab/Milestone/{other}"]'
    assert titles(wire, "group", ROOT, "milestones", asked) == ["19.7", "19.8"]


def names(found: Any, key: str = "username") -> list[str]:
    return [one[key] for one in found]


def test_people_by_name(wire: Wire) -> None:
    asked = '{ users(usernames: ["ENG_Alder", "eng_birch", "no_such"]) { nodes { username } } }'
    assert names(wire.data(asked)["users"]["nodes"]) == ["eng_birch", "eng_alder"]
    ident = wire.world.user("pm_oak").id
    asked = f'{{ users(ids: ["gid://gitlab/User/{ident}"]) {{ nodes {{ username }} }} }}'
    assert names(wire.data(asked)["users"]["nodes"]) == ["pm_oak"]


def test_completion_of_people_searches_name_and_username(wire: Wire) -> None:
    for kind, path in (("group", ROOT), ("project", PLATFORM)):
        asked = '{{ {}(fullPath: "{}") {{ autocompleteUsers(search: "{}") {{ username name }} }} }}'
        found = wire.data(asked.format(kind, path, "ENG"))[kind]["autocompleteUsers"]
        assert names(found, "name") == sorted(names(found, "name"))
        assert set(names(found)) == {"eng_alder", "eng_birch", "eng_cedar", "eng_dogwood", "eng_elm"}
        assert names(wire.data(asked.format(kind, path, "Pim Oak"))[kind]["autocompleteUsers"]) == ["pm_oak"]
        assert wire.data(asked.format(kind, path, "nothing"))[kind]["autocompleteUsers"] == []


def test_members_by_search_of_two_letters(wire: Wire) -> None:
    members = 'projectMembers(search: "oa") { nodes { user { username } } }'
    found = wire.data(f'{{ project(fullPath: "{PLATFORM}") {{ {members} }} }}')["project"]["projectMembers"]
    assert names([one["user"] for one in found["nodes"]]) == ["pm_oak"]


def test_projects_by_ids_search_and_path(wire: Wire) -> None:
    world = wire.world
    wanted = [world.project(PLATFORM).id, world.project("demo-org/custom-models").id]
    ids = ", ".join(f'"gid://gitlab/Project/{one}"' for one in wanted)
    paths = "nodes { fullPath }"
    found = wire.data(f"{{ projects(ids: [{ids}]) {{ {paths} }} }}")["projects"]["nodes"]
    assert names(found, "fullPath") == ["demo-org/custom-models", PLATFORM]
    for arguments, expected in (
        ('search: "GATEWAY"', ["demo-org/charts/gateway-chart", "demo-org/ai/ai-gateway"]),
        ('search: "ai"', []),
        (f'ids: [{ids}], search: "platform"', [PLATFORM]),
    ):
        inside = f"projects(includeSubgroups: true, {arguments}) {{ {paths} }}"
        asked = f'{{ group(fullPath: "{ROOT}") {{ {inside} }} }}'
        assert names(wire.data(asked)["group"]["projects"]["nodes"], "fullPath") == expected


def test_groups_by_ids_and_search(wire: Wire) -> None:
    ident = wire.world.group("demo-org/ai").id
    for arguments, expected in (
        (f'ids: ["gid://gitlab/Group/{ident}"]', ["demo-org/ai"]),
        ('search: "RUNTIME"', ["demo-org/ai/runtime"]),
        ('search: "ch"', []),
    ):
        found = wire.data(f"{{ groups({arguments}) {{ nodes {{ fullPath }} }} }}")["groups"]["nodes"]
        assert names(found, "fullPath") == expected


def test_paths_ignore_case_and_answer_with_their_own(wire: Wire) -> None:
    found = wire.data(
        '{ project(fullPath: "Demo-ORG/Platform") { fullPath } group(fullPath: "DEMO-org") { fullPath } }'
    )
    assert (found["project"]["fullPath"], found["group"]["fullPath"]) == (PLATFORM, ROOT)


def test_issues_by_iid_of_a_group_and_of_the_whole_instance(wire: Wire) -> None:
    inside = 'issues(includeSubgroups: true, iids: ["1"]) { nodes { iid } }'
    found = wire.data(f'{{ group(fullPath: "{ROOT}") {{ {inside} }} issues(iids: ["1"]) {{ count }} }}')
    assert {one["iid"] for one in found["group"]["issues"]["nodes"]} == {"1"}
    assert found["issues"]["count"] == len(found["group"]["issues"]["nodes"]) > 1
    assert (
        wire.error("{ issues(first: 1) { count } }")
        == "You must provide at least one filter argument for this query"
    )


@pytest.mark.parametrize(
    "empty", ["labelName: []", "milestoneTitle: []", "labelName: null", "milestoneTitle: null"]
)
def test_an_empty_list_is_no_filter(wire: Wire, empty: str) -> None:
    asked = '{{ group(fullPath: "demo-org") {{ issues(includeSubgroups: true{}) {{ count }} }} }}'
    everything = wire.data(asked.format(""))["group"]["issues"]["count"]
    assert wire.data(asked.format(f", {empty}"))["group"]["issues"]["count"] == everything


def test_titles_in_filters_are_case_sensitive(wire: Wire) -> None:
    for argument in ('labelName: ["TYPE::BUG"]', 'milestoneTitle: ["BACKLOG"]'):
        asked = (
            f'{{ group(fullPath: "demo-org") {{ issues(includeSubgroups: true, {argument}) {{ count }} }} }}'
        )
        assert wire.data(asked)["group"]["issues"]["count"] == 0
