"""REST answers have the keys and types that a real GitLab 18.9 recorded for the same request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from demo.wire import SHARED, Wire
from glboard_core.demo.http.server import DemoServer
from support.engines import build_world

LIVE = SHARED / "gitlab" / "live"
APP = "/projects/top%2Fapp"


@pytest.fixture(scope="module", name="wire")
def served() -> Iterator[Wire]:
    """A server with an issue that has been moved through everything."""
    world = build_world(2)
    world.edit("top/app#1", by="eng_1", milestone="19.8", add_labels=["Deliverable"], assignees=["eng_1"])
    world.edit("top/app#1", by="eng_1", close=True)
    with DemoServer(world) as server, Wire(server) as wire:
        yield wire


def recorded(name: str) -> Any:
    path = LIVE / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded answers are not beside this repository")
    return json.loads(path.read_text("utf-8"))["answer"]


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where an answer has other keys or types; a null says nothing of the type."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{at}[]") if ours and theirs else []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{at}.{name}" for name in sorted(ours.keys() ^ theirs.keys())]
        return found + [
            one for name in sorted(ours.keys() & theirs.keys())
            for one in differences(ours[name], theirs[name], f"{at}.{name}")
        ]  # fmt: skip
    if ours is None or theirs is None or type(ours) is type(theirs):
        return []
    return [f"{at}: {type(ours).__name__}, not {type(theirs).__name__}"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("get-projects-x-issues", f"{APP}/issues?state=closed"),
        ("get-groups-x-issues", "/groups/top/issues?state=closed"),
        ("get-projects-x-issues-resource_label_events", f"{APP}/issues/1/resource_label_events"),
        ("get-projects-x-issues-resource_milestone_events", f"{APP}/issues/1/resource_milestone_events"),
        ("get-projects-x-issues-resource_state_events", f"{APP}/issues/1/resource_state_events"),
    ],
)
def test_what_is_read(wire: Wire, name: str, path: str) -> None:
    assert differences(wire.rest("GET", path).json(), recorded(name)) == []


def test_what_is_written(wire: Wire) -> None:
    world = wire.world
    board = wire.rest("POST", "/groups/top/boards", json={"name": "Planning 19.8"}).json()
    assert differences(board, recorded("post-groups-x-boards")) == []
    wish = {"labels": "type::bug", "milestone_id": world.milestone("19.8").id}
    changed = wire.rest("PUT", f"/groups/top/boards/{board['id']}", json=wish).json()
    assert differences(changed, recorded("put-groups-x-boards")) == []
    label = world.label_of(world.root, "type::bug")
    assert label is not None
    column = wire.rest("POST", f"/groups/top/boards/{board['id']}/lists", json={"label_id": label.id}).json()
    assert differences(column, recorded("post-groups-x-boards-lists")) == []
    made = wire.rest("POST", "/groups/top/labels", json={"name": "new", "color": "#428bca"}).json()
    assert differences(made, recorded("post-groups-x-labels")) == []
    issue = wire.rest("PUT", f"{APP}/issues/2", json={"description": "Words"}).json()
    assert differences(issue, recorded("put-projects-x-issues")) == []
