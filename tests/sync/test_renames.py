"""What is renamed on the server keeps its cards, waiting changes and undo; the configuration follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.board.changes import differences
from glboard_core.board.definition import flow_scheme, milestone_title
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Edit, Rank
from glboard_core.board.rules import types_of
from glboard_core.config import BoardSettings, Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import boards, upheavals
from glboard_core.demo.world.world import World
from glboard_core.errors import EditImpossible
from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot
from glboard_core.ports import Store
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync import present_names
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import EngineNotice, IssuesChanged
from glboard_core.sync.log import ServerAnswer
from support.engines import GROUP_LABEL, HASTE, NOW, STILL, Session, gateway, session

BOARD = BoardSettings(
    id="bugs", name="Bugs", columns=("type::bug", "type::feature"), milestone="19.7", labels=("Deliverable",)
)
FLOW = BoardSettings(id="flow", name="Flow", by="flow", columns=("workflow::in dev",), milestone="19.7")
SETTINGS = Settings(boards=(BOARD, FLOW), sync=STILL)


def on(engine: Engine, board: str = "bugs") -> dict[str, list[str]]:
    """The references in each column of a board that has issues, by the column's title."""
    index = BoardIndex(engine.board(board), flow_scheme(engine.settings), engine.shown)
    return {
        c.column.title: [engine.shown[i].reference for i in c]
        for c in index.columns
        if c.column.is_list and len(c)
    }


def everywhere(engine: Engine) -> list[str]:
    """The references on both boards."""
    return [card for board in ("bugs", "flow") for cards in on(engine, board).values() for card in cards]


def relabel(world: World, title: str) -> None:
    """Rename a label of the group."""
    found = world.label_of(world.root, title)
    assert found is not None
    world.rename_label(found, f"{title} now")


def retitle(world: World) -> None:
    """Rename a milestone, a column, the board's filter, the mirror's scope, a state, and a person."""
    upheavals.rename_milestone(world, world.milestone("19.7"), "19.7 GA")
    for title in ("type::bug", "Deliverable", GROUP_LABEL, "workflow::in dev"):
        relabel(world, title)
    upheavals.rename_user(world, world.user("eng_1"), "eng_one")


ACTS: dict[str, tuple[Callable[[World], None], list[str]]] = {
    "titles": (
        retitle,
        [
            "The milestone 19.7 is now 19.7 GA; the configuration names 19.7. Set milestone of the board",
            "Set labels.group in config.toml.",
            "Set labels.deliverable in config.toml.",
            'Set flow.labels."in dev" in config.toml.',
            "Set columns of the board bugs in config.toml.",
            "The user eng_1 is now eng_one.",
        ],
    ),
    "project": (
        lambda world: upheavals.rename_project(world, world.project("top/app"), "top/next/app"),
        ["The project top/app is now top/next/app."],
    ),
    "group": (lambda world: upheavals.rename_group(world, world.root, "summit"), ["The group top is now"]),
}


@pytest.mark.parametrize("what", ACTS)
async def test_a_rename_leaves_the_board_as_it_is(
    server: DemoServer, store: Store, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present_names, "MOST_SAID", 99)
    act, said = ACTS[what]
    add = ["Deliverable", "workflow::in dev"]
    issue = server.world.issue("top/app#1")
    server.world.edit("top/app#1", by="eng_1", add_labels=add, assignees=["eng_1"])
    async with session(server, store, settings=SETTINGS) as made:
        engine = made.engine
        assert everywhere(engine) == ["top/app#1"] * 2
        made.edit("app#1", weight=8)
        await made.settled()
        made.events.clear()
        act(server.world)
        await made.refreshed()  # nothing moved
        await engine.names.read()
        assert everywhere(engine) == [issue.reference] * 2
        told = [event.text for event in made.told(EngineNotice)]
        assert [line for line in said if not any(line in text for text in told)] == []
        # No one changed an issue by it.
        await made.refreshed()
        await engine.poller.reconcile()
        diffs = [diff for event in made.told(IssuesChanged) for diff in event.confirmed]
        said_of = [differences(before, after) for before, after in diffs if before and after]
        assert said_of == [()] * len(diffs)
        assert engine.undoing.undo() is not None
        await made.settled()
        assert (issue.weight, engine.failed) == (1, [])
    async with gateway(server) as again:
        later = Engine(again, store, SETTINGS, timing=HASTE)
        assert everywhere(later) == [issue.reference] * 2
        await later.poller._start()
        assert everywhere(later) == [issue.reference] * 2


async def test_what_waits_what_failed_and_what_was_locked_follow(server: DemoServer, store: Store) -> None:
    world = server.world
    world.edit("top/app#2", by="eng_1", assignees=["eng_1"])
    held = structs.replace(SETTINGS, sync=structs.replace(STILL, hold=3600))
    async with session(server, store, settings=held) as made:
        engine = made.engine
        label = frozenset({"Deliverable"})
        made.edit("app#1", milestone="19.8", add=label, assign=frozenset({"eng_1"}))
        refused, _ = made.edit("app#2", milestone="19.8"), made.edit("app#3", weight=2)
        locked = PlannedIssue(issue=made.issue("app#1").id, reference="top/app#1", assignees=("eng_1",))
        store.keep_plan(PlanSnapshot(milestone="19.8", locked_at=NOW, issues=(locked,)))
        no = EditImpossible("No.")
        engine.local_state.settle([ServerAnswer(refused[0], None, no)], result="done")
        upheavals.rename_milestone(world, world.milestone("19.8"), "19.8 GA")
        upheavals.rename_user(world, world.user("eng_1"), "eng_one")
        upheavals.rename_project(world, world.project("top/app"), "top/app-2")
        relabel(world, "Deliverable")
        await engine.names.read()
        shown = made.issue("app-2#1")
        assert (shown.milestone, shown.assignees) == ("19.8 GA", ("eng_one",))
        assert "Deliverable now" in shown.labels
        [(failed, _)] = engine.failed
        assert failed.change == Edit(milestone="19.8 GA")
        assert engine.failed[0][0] == store.failed_changes()[0].op
        [plan] = store.plans("19.8 GA")
        assert (plan.issues[0].reference, plan.issues[0].assignees) == ("top/app-2#1", ("eng_one",))
        engine.sender.hurry()
        await made.settled()
        there = world.issue("top/app-2#1")
        assert (there.milestone and there.milestone.title, there.assignees[0].username) == (
            "19.8 GA",
            "eng_one",
        )
        assert "Deliverable now" in {one.title for one in there.labels}
        assert len(engine.failed) == 1


async def test_another_process_follows(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    add = ["Deliverable", "workflow::in dev"]
    server.world.edit("top/app#1", by="eng_1", add_labels=add, assignees=["eng_1"])
    both = session(server, one, settings=SETTINGS), session(server, two, settings=SETTINGS)
    async with both[0] as first, both[1] as second:
        second.events.clear()
        retitle(server.world)
        await first.engine.names.read()
        await second.until(lambda: second.engine.settings.labels.deliverable == "Deliverable now")
        assert everywhere(second.engine) == ["top/app#1"] * 2
        assert all(not event.confirmed for event in second.told(IssuesChanged))


async def test_a_former_name_means_what_has_another_one(server: DemoServer, store: Store) -> None:
    world = server.world
    async with session(server, store) as made:
        engine = made.engine
        made.edit("app#1", milestone="19.8")
        await made.settled()
        upheavals.rename_milestone(world, world.milestone("19.8"), "19.8 GA")
        await engine.names.read()
        assert engine.board("planning", "19.8").milestone == "19.8 GA"
    async with gateway(server) as again:
        later = Engine(again, store, SETTINGS, timing=HASTE)
        last = later.undoing.last()  # from the log, which keeps the names of its time
        assert last is not None
        assert last.ops[0].change == Edit(milestone="19.8 GA")
        # Until something is called so again.
        world.add_milestone(world.root, "19.8", date(2027, 3, 1), date(2027, 3, 31))
        await later.names.read()
        await later.names.know_milestones(["19.8"])
        assert later.catalog is not None
        assert milestone_title("19.8", later.settings, later.catalog, later.today()) == "19.8"


async def test_a_label_that_no_title_tells_is_found_with_a_card(server: DemoServer, store: Store) -> None:
    """Another one than the configuration names; and one that REST does not tell, since a proxy blocks it."""
    world = server.world
    for n in (1, 2):
        world.edit(f"top/app#{n}", by="eng_1", add_labels=["documentation", "Deliverable"])
    async with session(server, store, settings=SETTINGS) as made:
        engine = made.engine
        server.faults.next("html", "labels", times=99)
        for title in ("documentation", "Deliverable"):
            relabel(world, title)
        await engine.names.read()
        made.events.clear()
        await engine.poller.reconcile()
        assert {"documentation now", "Deliverable now"} <= made.issue("app#2").labels
        assert engine.settings.labels.deliverable == "Deliverable now"
        assert on(engine) == {"bug": ["top/app#1", "top/app#2"]}
        said_of = [differences(a, b) for e in made.told(IssuesChanged) for a, b in e.confirmed if a and b]
        assert {word for words in said_of for word in words} == set()


async def test_a_scope_that_was_renamed_as_a_whole_is_one_proposal(server: DemoServer, store: Store) -> None:
    world = server.world
    world.edit("top/app#1", by="eng_1", add_labels=["Deliverable", "workflow::in dev"])
    async with session(server, store, settings=SETTINGS) as made:
        engine = made.engine
        made.events.clear()

        def rename(old: str) -> None:
            label = world.label_of(world.root, old)
            assert label is not None
            world.rename_label(label, old.replace("workflow::", "flow::").replace("type::", "kind::"))

        rename("workflow::in dev")
        await engine.names.read()
        assert engine.settings.labels.workflow_prefix == "workflow::"  # others are still called so
        for title in ("workflow::in review", "workflow::blocked", "type::bug", "type::feature"):
            rename(title)
        made.events.clear()
        await engine.names.read()
        labels = engine.settings.labels
        assert (labels.workflow_prefix, labels.type_prefix) == ("flow::", "kind::")
        told = [event.text for event in made.told(EngineNotice)]
        assert sorted(told) == [
            f"The labels {old}… are now {new}…; the configuration names {old}."
            f" Replace it in config.toml ({key})."
            for old, new, key in (
                ("type::", "kind::", "labels.type_prefix"),
                ("workflow::", "flow::", "labels.workflow_prefix"),
            )
        ]
        assert everywhere(engine) == ["top/app#1"] * 2
        assert types_of(made.issue("app#1"), labels) == ("kind::bug",)
        # A new label of the scope is found by its new prefix.
        world.add_label(world.root, "flow::ready for development")
        await engine.names.read()
        assert engine.catalog is not None
        assert "flow::ready for development" in {one.title for one in engine.catalog.labels}


async def test_a_label_asked_for_at_a_former_path_is_found_at_the_present_one(
    server: DemoServer, store: Store
) -> None:
    """GitLab answers nothing at an old path, which says nothing of the label."""
    top = server.world.group("top")
    for title in ("first", "second"):
        server.world.add_label(top, title)
    async with session(server, store) as context:
        upheavals.rename_project(server.world, server.world.project("top/app"), "top/application")
        context.edit("app#1", add=frozenset({"first"}))
        await context.settled()
        assert context.engine.failed == []
        # The rename is learned by one change while the other asks.
        upheavals.rename_project(server.world, server.world.project("top/application"), "top/app")
        context.edit("application#1", weight=8)
        context.edit("application#2", add=frozenset({"second"}), milestone="19.9")
        await context.settled()
        assert context.engine.failed == []
        assert "first" in context.labels_there("app#1")
        assert "second" in context.labels_there("app#2")
        assert server.world.issue("top/app#1").weight == 8


async def test_no_title_is_blamed_for_a_project_that_is_gone(server: DemoServer, store: Store) -> None:
    server.world.add_label(server.world.group("top"), "first")
    async with session(server, store) as context:
        upheavals.drop_project(server.world, server.world.project("top/lib"))
        context.edit("lib#1", add=frozenset({"first"}))
        await context.settled()
        [(_, error)] = context.engine.failed
        assert "top/lib no longer exists" in error.message


def hand_on_path(world: World, labels: Sequence[str] = ()) -> None:
    """Rename top/app, and make a new project with issues under its path."""
    upheavals.rename_project(world, world.project("top/app"), "top/app-old")
    world.add_project("top/app")
    for n in range(1, 5):
        world.create("top/app", f"Stranger {n}", by="eng_1", add_labels=labels)


async def test_a_path_that_a_new_project_has_now(server: DemoServer) -> None:
    """The first poll that shows an issue of the new project tells; cards go by their own project's path."""
    world = server.world
    async with session(server) as one:
        known = one.issue("app#3")
        hand_on_path(world, labels=[GROUP_LABEL])
        await one.refreshed()
        shown = one.engine.shown
        assert shown[known.id].reference == "top/app-old#3"
        assert sorted(i.reference for i in shown.values() if i.title.startswith("Stranger")) == [
            f"top/app#{n}" for n in range(1, 5)
        ]
        one.engine.perform([(known.id, Edit(weight=8))], "weight")
        await one.settled()
        assert world.issue("top/app-old#3").weight == 8
        assert world.issue("top/app#3").weight is None
        assert not one.engine.local_state.failed


async def test_a_change_of_a_card_whose_path_another_has(server: DemoServer) -> None:
    """Before any poll has shown the new project: the look before a change is sent does."""
    world = server.world
    async with session(server) as one:
        known = one.issue("app#3")
        hand_on_path(world)
        one.engine.perform([(known.id, Edit(weight=8))], "weight")
        await one.settled()
        assert world.issue("top/app-old#3").weight == 8
        assert world.issue("top/app#3").weight is None
        assert not one.engine.local_state.failed


#: What is changed before any poll has followed the group, and what the server has then.
HOT: dict[str, tuple[Callable[[Session], object], Callable[[World], bool]]] = {
    "weight": (
        lambda made: made.edit("app#1", weight=5),
        lambda world: world.issue("summit/app#1").weight == 5,
    ),
    "status": (
        lambda made: made.edit("app#1", status="In dev"),
        lambda world: world.issue("summit/app#1").status == "In dev",
    ),
    "rank": (
        lambda made: made.do("app#1", Rank(above=made.issue("app#3").id, below=made.issue("app#4").id)),
        lambda world: world.issue("summit/app#1").position is not None,
    ),
}


@pytest.mark.parametrize("just_polled", [True, False])
@pytest.mark.parametrize("what", HOT)
async def test_a_group_that_was_just_renamed_is_not_taken_for_an_empty_one(
    server: DemoServer, what: str, just_polled: bool
) -> None:
    """What waits is sent once the group is found by its id, without waiting for the next poll."""
    act, is_made = HOT[what]
    async with session(server) as made:
        boards.unplace(server.world, list(server.world.index.issues.values()))
        now = asyncio.get_running_loop().time()
        made.engine.poller._polled = now + 99 if just_polled else float("-inf")
        upheavals.rename_group(server.world, server.world.root, "summit")
        act(made)
        await made.settled()
        assert made.engine.failed == []
        assert is_made(server.world)
        assert made.engine.status.error is None
