"""Pickers search GitLab as one types: known choices at once, one request a pause, no line moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec import structs
from textual.events import Paste

from glboard_core.demo.world.world import World
from glboard_core.errors import Offline
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_tui.lookup import RECENT, Lookup
from glboard_tui.screens import picker
from glboard_tui.screens.picker import Picker
from tui.app.stage import GROUP, ME, Stage, small_world, staged

#: Labels of the group that the catalog does not know yet.
UNKNOWN = ("devops::create", "devops::plan", "docs needed")


class Pauses:
    """When a person pauses: a test decides it, not the machine."""

    now: asyncio.Event

    async def wait(self) -> None:
        """Wait for the pause."""
        await self.now.wait()


_PAUSES = Pauses()


@pytest.fixture(autouse=True)
def _pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    _PAUSES.now = asyncio.Event()
    monkeypatch.setattr(picker, "pause", _PAUSES.wait)


@pytest.fixture
def world() -> World:
    """The small world with more labels, people and milestones than the catalog will know."""
    world = small_world()
    root = world.groups[GROUP]
    for title in UNKNOWN:
        world.add_label(root, title, "#00aa00")
    for n in range(25):
        root.members[world.add_user(f"tester_{n:02}", f"Tess Tester {n:02}").id] = 30
    world.add_milestone(root, "Research")
    world.add_project(f"{GROUP}/tools/runner")
    world.edit(f"{GROUP}/platform#9", by=ME, add_labels=["documentation"])
    return world


def forget(stage: Stage, *, labels: Iterable[str] = UNKNOWN) -> None:
    """Take out of the catalog what a large group has and no board names."""
    catalog = stage.engine.catalog
    assert catalog is not None
    gone = set(labels)
    known = structs.replace(
        catalog,
        labels=tuple(one for one in catalog.labels if one.title not in gone),
        people=tuple(one for one in catalog.people if not one.username.startswith("tester")),
        milestones=tuple(one for one in catalog.milestones if one.title != "Research"),
        projects=tuple(one for one in catalog.projects if "tools" not in one.path),
    )
    stage.engine.store.put_catalog(known)
    stage.server.requests.clear()


def asked(stage: Stage) -> list[str]:
    """The searches that reached the server."""
    return [one.operation for one in stage.server.requests if one.operation.startswith("Search")]


def open_picker(stage: Stage) -> Picker:
    """The picker on top."""
    assert isinstance(stage.app.screen, Picker)
    return stage.app.screen


def rows(stage: Stage) -> list[str]:
    """The lines of the picker."""
    return [choice.value for choice, _ in open_picker(stage)._list._rows]


def state(stage: Stage) -> str:
    """What it says below the lines."""
    return str(open_picker(stage)._state_line.render())


async def paused(stage: Stage) -> None:
    """Pause, until the search for what was typed is answered."""
    _PAUSES.now.set()
    await stage.until(lambda: "searching" not in state(stage))
    _PAUSES.now.clear()


async def test_opening_costs_nothing_and_a_pause_one_request(world: World) -> None:
    async with staged(world) as stage:
        forget(stage)
        await stage.focus("platform#2")
        await stage.press("t")
        assert "type to search GitLab" in state(stage)
        assert len(stage.server.requests) == 0
        await stage.type("devops")
        assert (len(stage.server.requests), "searching GitLab" in state(stage)) == (0, True)
        await paused(stage)
        assert (asked(stage), len(stage.server.requests)) == (["SearchLabels"], 1)
        assert rows(stage) == ["devops::create", "devops::plan"]
        assert state(stage) == "2 found · no more in GitLab"
        # A whole answer also answers what is typed on, and what was typed before.
        await stage.type("::p")
        await stage.press(*["backspace"] * 3)
        assert (rows(stage), len(stage.server.requests)) == (["devops::create", "devops::plan"], 1)
        await stage.press("down", "enter")
        await stage.settle()
        assert "devops::plan" in {label.title for label in world.issue(f"{GROUP}/platform#2").labels}
        # It is known from now on, and offered first.
        catalog = stage.engine.catalog
        assert catalog is not None
        assert catalog.label(f"{GROUP}/ai-gateway", "devops::plan") is not None
        assert catalog.label(f"{GROUP}/ai-gateway", "devops::create") is None
        await stage.focus("platform#4")
        await stage.press("t")
        first = next(row for row in rows(stage) if row not in stage.issue("platform#4").labels)
        assert first == "devops::plan"


async def test_known_lines_stay_where_they_are_while_answers_come(world: World) -> None:
    async with staged(world) as stage:
        forget(stage)
        await stage.press("t")
        await stage.type("doc")
        chosen = "documentation"
        before = rows(stage)
        assert before[0] == chosen
        await paused(stage)
        assert rows(stage) == [*before, "docs needed"]
        current = open_picker(stage)._list.current
        assert current is not None
        assert current.value == chosen


@pytest.mark.slow
async def test_a_slow_server_does_not_slow_typing(world: World) -> None:
    async with staged(world) as stage:
        forget(stage)
        stage.server.faults.slow_seconds = 9.0
        stage.server.faults.next("slow", "SearchLabels")
        await stage.press("t", *"devops")
        _PAUSES.now.set()
        await stage.until(lambda: len(stage.server.requests) > 0)
        _PAUSES.now.clear()
        # Letters are shown while the answer is awaited, which then is for another text.
        await stage.press(*["backspace"] * 6, *"docu")
        assert (rows(stage), state(stage)) == (["documentation"], "1 found · searching GitLab …")
        await stage.press("backspace", "s")
        await paused(stage)
        assert (rows(stage), len(asked(stage))) == (["docs needed"], 2)
        stage.server.faults.next("slow", "SearchLabels")
        await stage.type("x")
        _PAUSES.now.set()
        await stage.press("escape")
        assert not isinstance(stage.app.screen, Picker)


@pytest.mark.slow
async def test_people_milestones_and_projects_are_searched_too(world: World) -> None:
    async with staged(world) as stage:
        forget(stage)
        await stage.focus("platform#2")
        await stage.press("a", *"tess")
        await paused(stage)
        assert state(stage) == "20 found · more in GitLab, keep typing"
        await stage.press("ctrl+u", *"tester_21")
        await paused(stage)
        assert rows(stage) == ["tester_21"]
        await stage.press("enter")
        await stage.settle()
        assert stage.issue("platform#2").assignees == ("tester_21",)
        await stage.press("m", "slash", *"resea")
        await paused(stage)
        await stage.press("enter")
        await stage.settle()
        assert stage.issue("platform#2").milestone == "Research"
        await stage.focus("locked#1")
        await stage.press("n", *"runner")
        await paused(stage)
        assert rows(stage) == [f"{GROUP}/tools/runner"]
        assert set(asked(stage)) == {"SearchPeople", "SearchMilestones", "SearchProjects"}


@pytest.mark.slow
async def test_only_what_is_valid_in_all_projects_is_found(world: World) -> None:
    async with staged(world) as stage:
        forget(stage, labels=("only-platform", *UNKNOWN))
        await stage.focus("platform#1")
        await stage.press("t", *"only")
        await paused(stage)
        assert rows(stage) == ["only-platform"]
        await stage.press("escape")
        await stage.mark("platform#1", "ai-gateway#1")
        await stage.press("t", *"only")
        await paused(stage)
        assert rows(stage) == []
        await stage.press(*["backspace"] * 4, *"docs")
        await paused(stage)
        assert rows(stage) == ["docs needed"]


@pytest.mark.slow
async def test_an_error_is_one_line_and_without_a_connection_the_known_is_offered(world: World) -> None:
    async with staged(world) as stage:
        forget(stage)
        stage.server.faults.next("403", "SearchLabels", times=9)
        await stage.press("t", *"docs")
        await paused(stage)
        assert state(stage).startswith("0 found · search failed: ")
        stage.server.faults.clear()
        await stage.press("backspace")
        await paused(stage)
        assert rows(stage) == ["documentation", "docs needed"]
        await stage.press("escape")
        stage.server.requests.clear()
        stage.engine._status.unreachable(Offline("Nothing answers."))
        await stage.press("t")
        assert state(stage).endswith("known · offline: only local results")
        await stage.type("docu")
        assert state(stage) == "1 found · offline: only local results"
        assert (rows(stage), len(stage.server.requests)) == (["documentation"], 0)


async def test_keys_that_mean_nothing_say_so_and_pasting_searches(world: World) -> None:
    async with staged(world) as stage:
        forget(stage)
        await stage.press("m", "slash", "f5")
        assert state(stage) == "F5 does nothing here: type to search."
        open_picker(stage)._input.post_message(Paste("Resea\nmore"))
        await stage.pilot.pause()
        await paused(stage)
        assert rows(stage) == ["Research"]
        await stage.type("zzz")
        await paused(stage)
        await stage.press("enter")
        assert state(stage) == "Nothing matches. Esc cancels."
        await stage.press("escape")
        assert not isinstance(stage.app.screen, Picker)
        assert stage.issue("platform#1").milestone == "19.8"


def test_recent_choices_survive_a_restart_and_a_damaged_list_is_none() -> None:
    store = SqliteStore(":memory:")

    def lookup() -> Lookup:
        return Lookup(lambda: cast("Engine", SimpleNamespace(store=store)))

    for title in "abcdefgh":
        lookup().chosen("label", [title])
    lookup().chosen("label", ["d"])
    lookup().chosen("person", [])
    assert lookup().recent("label") == ["d", "h", "g", "f", "e", "c"]
    assert lookup().recent("person") == []
    store.put_meta(RECENT, b"{")
    assert lookup().recent("label") == []
