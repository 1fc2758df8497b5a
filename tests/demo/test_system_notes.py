"""The notes GitLab writes itself: which changes leave one, and in which form."""

from __future__ import annotations

from typing import Any

import pytest

from demo.wire import Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from support.engines import build_world

REF = "top/app#1"
RETITLED = (
    '<p>changed title from <code class="idiff">Issue <span class="idiff left right deletion">1</span></code>'
    ' to <code class="idiff">Issue <span class="idiff left right addition">&lt;b&gt;2&lt;/b&gt;</span></code>'
    "</p>"
)


@pytest.fixture(name="world")
def small_world() -> World:
    """A world of its own."""
    return build_world(2)


def bodies(world: World) -> list[str]:
    return [one.body for one in world.issue(REF).notes or () if one.system]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (
            {"title": "Issue <b>2</b>"},
            [RETITLED],
        ),
        ({"description": "Words"}, ["changed the description"]),
        ({"assignees": ["eng_1", "eng_2"]}, ["assigned to @eng_1, @eng_2"]),
        ({"confidential": True}, ["made the issue confidential"]),
        (
            {"duplicate_of": "top/app#2"},
            ["set status to **Duplicate**", "marked this issue as a duplicate of #2"],
        ),
        ({"add_labels": ["documentation"], "milestone": "19.8", "weight": 3}, []),
        # GitLab moves the status along.
        ({"close": True}, ["set status to **Complete**"]),
        ({"title": "Issue 1"}, []),
    ],
)
def test_a_change_leaves_a_note_unless_it_has_an_event(
    world: World, wish: dict[str, Any], expected: list[str]
) -> None:
    world.edit(REF, by="eng_1", **wish)
    assert bodies(world) == expected


def test_people_who_came_and_went_are_in_one_note(world: World) -> None:
    world.edit(REF, by="eng_1", assignees=["eng_1"])
    world.edit(REF, by="eng_1", assignees=["eng_2"])
    assert bodies(world)[-1] == "assigned to @eng_2 and unassigned @eng_1"


def test_a_status_is_bold_in_markdown(world: World) -> None:
    world.issue(REF).status = "In dev"
    world.edit(REF, by="eng_1", status="Blocked")
    assert bodies(world) == ["set status to **Blocked**"]


def test_they_count_as_activity_and_not_as_comments(world: World) -> None:
    world.edit(REF, by="eng_1", description="Words")
    world.comment(REF, "A comment", by="eng_1")
    with DemoServer(world) as server, Wire(server) as wire:
        asked = "notes(filter: {}) {{ nodes {{ body system }} }}"
        for kind, expected in (("ONLY_ACTIVITY", "changed the description"), ("ONLY_COMMENTS", "A comment")):
            issue = f'issue(iid: "1") {{ userNotesCount {asked.format(kind)} }}'
            found = wire.data(f'{{ project(fullPath: "top/app") {{ {issue} }} }}')["project"]["issue"]
            assert [one["body"] for one in found["notes"]["nodes"]] == [expected]
            assert found["userNotesCount"] == 1


def test_a_new_issue_has_none(world: World) -> None:
    made = world.create("top/app", "New", by="eng_1", description="Words", assignees=["eng_1"])
    assert [one for one in made.notes or () if one.system] == []


def test_they_can_be_switched_off(world: World) -> None:
    world.traits.system_notes = False
    world.edit(REF, by="eng_1", description="Words")
    assert bodies(world) == []
