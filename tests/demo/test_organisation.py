"""The world of the size of an organisation: all of it is there, and nearly nothing of it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.wire import Wire
from glboard_core.demo.http.process import DemoOptions, OptionsError, parse
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.organisation import Size, organisation
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from support.engines import NOW
from support.organisations import org_world

TEAM = "group::custom models"
STRANGER = """{ issue(id: "gid://gitlab/Issue/54321") {
  iid reference(full: true) labels { nodes { title } } } }"""
PAGE = "count pageInfo { hasNextPage endCursor } nodes { id }"
SMALL = Size(labels=200, projects=60, people=80, milestones=40, issues=900, of_team=120)


@pytest.fixture(scope="module", name="wire")
def served() -> Iterator[Wire]:
    """A server of an organisation of this module."""
    with DemoServer(org_world()) as server:
        wire = Wire(server)
        yield wire
        wire.close()


def issues(wire: Wire, arguments: str, fields: str = "count") -> dict[str, Any]:
    query = (
        f'{{ group(fullPath: "demo-org") {{ issues(includeSubgroups: true, {arguments}) {{ {fields} }} }} }}'
    )
    found: dict[str, Any] = wire.data(query)["group"]["issues"]
    return found


def unread(wire: Wire) -> int:
    assert wire.world.index.unread is not None
    return len(wire.world.index.unread)


def test_what_a_team_asks_makes_no_one_elses_issues(wire: Wire) -> None:
    world = wire.world
    before = unread(wire)
    assert issues(wire, f'labelName: ["{TEAM}"], first: 1')["count"] == 2_000
    recent = f'updatedAfter: "{world.clock.moment().isoformat()}"'
    assert issues(wire, recent)["count"] == 0
    assert issues(wire, 'assigneeUsernames: ["eng_alder"], milestoneTitle: ["19.8"]')["count"] > 0
    assert unread(wire) == before >= 95_000


def test_a_stranger_is_made_with_its_project_when_asked_by_id_or_path(wire: Wire) -> None:
    before = unread(wire)
    found = wire.data(STRANGER)
    reference = found["issue"]["reference"]
    assert 0 < before - unread(wire) < 100
    path, _, iid = reference.partition("#")
    named = wire.data(f'{{ project(fullPath: "{path}") {{ issue(iid: "{iid}") {{ id }} openIssuesCount }} }}')
    assert named["project"]["issue"]["id"] == "gid://gitlab/Issue/54321"
    assert wire.rest("GET", f"/projects/{path.replace('/', '%2F')}/issues/{iid}").json()["id"] == 54321
    assert TEAM not in {one["title"] for one in found["issue"]["labels"]["nodes"]}


def test_catalogs_are_of_the_size(wire: Wire) -> None:
    world = wire.world
    assert sum(one.owner is world.root for one in world.labels.values()) == 10_000
    assert len(world.projects) == 3_000
    assert len(world.users) == 10_000
    assert len(world.milestones) == 2_000
    assert max(one.full_path.count("/") for one in world.projects.values()) >= 3
    assert any(one.owner in world.projects.values() for one in list(world.labels.values())[-5:])


def test_the_team_works_in_many_projects(wire: Wire) -> None:
    held = {one.project for one in wire.world.index.with_label(TEAM)}
    assert len(held) > 100


def test_every_issue_appears_once_when_all_are_asked_for() -> None:
    world = organisation(size=SMALL, clock=Clock(NOW))
    with DemoServer(world) as server, Wire(server) as wire:
        seen: list[str] = []
        after = "null"
        while True:
            page = issues(wire, f"first: 100, after: {after}", PAGE)
            seen += [one["id"] for one in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = f'"{page["pageInfo"]["endCursor"]}"'
        assert page["count"] == len(seen) == len(set(seen)) == 900
        assert unread(wire) == 0
        new = world.create("demo-org/platform", "One more", by="em_maple")
        assert new.id == 901


def make(read_first: bool) -> set[tuple[int, str, str, tuple[str, ...]]]:
    world = organisation(size=SMALL, clock=Clock(NOW, frozen=True))
    assert world.index.unread is not None
    if not read_first:
        for ident in (899, 300, 600):
            world.index.find(ident)
    world.index.read([one.id for one in world.projects.values()])
    return {
        (one.id, one.reference, one.title, tuple(label.title for label in one.labels))
        for one in world.index.issues.values()
    }


def test_the_order_of_asking_makes_no_difference() -> None:
    assert make(True) == make(False)


def test_a_renamed_label_is_found_by_its_new_title_only() -> None:
    world = organisation(size=SMALL, clock=Clock(NOW))
    label = world.label_of(world.root, "type::bug")
    assert label is not None
    world.rename_label(label, "type::fault")
    assert len(world.index.with_label("type::fault")) > 20
    assert not world.index.with_label("type::bug")


def dropped(world: World) -> int:
    label = world.label_of(world.root, "priority::1")
    assert label is not None
    world.drop_label(label)
    world.index.read([one.id for one in world.projects.values()])
    return sum(label in one.labels for one in world.index.issues.values())


def test_a_deleted_label_is_on_nothing_that_is_made_later() -> None:
    assert dropped(organisation(size=SMALL, clock=Clock(NOW))) == 0


def test_its_size_is_an_option_that_excludes_others() -> None:
    assert parse(["--size", "org"]).arguments()[2:] == ["--size", "org"]
    DemoOptions(size="org").check()
    with pytest.raises(OptionsError, match="leave out --issues"):
        DemoOptions(size="org", issues=5).check()
