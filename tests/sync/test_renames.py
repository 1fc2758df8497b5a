"""What is renamed on the server keeps its cards, waiting changes and undo; the configuration follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glboard_core.board.changes import differences
from glboard_core.board.definition import flow_scheme
from glboard_core.board.index import BoardIndex
from glboard_core.config import BoardSettings, Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from glboard_core.ports import Store
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import EngineNotice, IssuesChanged
from support.engines import GROUP_LABEL, HASTE, STILL, gateway, session

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


ACTS: dict[str, tuple[Callable[[World], None], str]] = {
    "milestone": (
        lambda world: upheavals.rename_milestone(world, world.milestone("19.7"), "19.7 GA"),
        "The milestone 19.7 is now 19.7 GA; the configuration names 19.7. Set milestone of the board",
    ),
    "column": (lambda world: relabel(world, "type::bug"), "The label type::bug is now type::bug now;"),
    "filter": (lambda world: relabel(world, "Deliverable"), "Set labels.deliverable in config.toml."),
    "scope": (lambda world: relabel(world, GROUP_LABEL), "Set labels.group in config.toml."),
    "state": (lambda world: relabel(world, "workflow::in dev"), "flow.labels"),
    "project": (
        lambda world: upheavals.rename_project(world, world.project("top/app"), "top/next/app"),
        "The project top/app is now top/next/app.",
    ),
    "group": (lambda world: upheavals.rename_group(world, world.root, "summit"), "The group top is now"),
    "user": (
        lambda world: upheavals.rename_user(world, world.user("eng_1"), "eng_one"),
        "The user eng_1 is now eng_one.",
    ),
}


@pytest.mark.parametrize("what", ACTS)
async def test_a_rename_leaves_the_board_as_it_is(server: DemoServer, store: Store, what: str) -> None:
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
        await engine.load_catalog()
        assert everywhere(engine) == [issue.reference] * 2
        assert any(said in event.text for event in made.told(EngineNotice))
        # Nobody changed an issue by it.
        await made.refreshed()
        await engine.poller.reconcile()
        diffs = [diff for event in made.told(IssuesChanged) for diff in event.confirmed]
        assert [differences(before, after) for before, after in diffs if before and after] == [()] * len(
            diffs
        )
        assert engine.undo() is not None
        await made.settled()
        assert (issue.weight, engine.failed) == (1, [])
    async with gateway(server) as again:
        later = Engine(again, store, SETTINGS, timing=HASTE)
        assert [list(cards.values()) for cards in (on(later), on(later, "flow"))] == [
            [[issue.reference]],
            [[issue.reference]],
        ]
        await later.poller._start()
        assert [list(cards.values()) for cards in (on(later), on(later, "flow"))] == [
            [[issue.reference]],
            [[issue.reference]],
        ]
