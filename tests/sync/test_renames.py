"""What is renamed on the server keeps its cards, waiting changes, undo and plans; the configuration follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec import structs

from glboard_core.config import BoardSettings, Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from glboard_core.planning.plan_lock import PlanSnapshot, PlannedIssue
from glboard_core.ports import Store
from glboard_core.sync.events import EngineNotice
from support.engines import GROUP_LABEL, NOW, Session, session

BOARD = BoardSettings(
    id="bugs", name="Bugs", columns=("type::bug", "type::feature"), milestone="19.7", labels=("Deliverable",)
)
FLOW = BoardSettings(id="flow", name="Flow", by="flow", columns=("workflow::in dev",), milestone="19.7")


def on(made: Session, board: str = "bugs") -> dict[str, list[str]]:
    """The references in each column of a board with issues, by its title."""
    from glboard_core.board.definition import flow_scheme
    from glboard_core.board.index import BoardIndex

    engine = made.engine
    index = BoardIndex(engine.board(board), flow_scheme(engine.settings), engine.shown)
    return {
        c.column.title: [engine.shown[i].reference for i in c] for c in index.columns if len(c)
    }


def label(world: World, title: str) -> None:
    found = world.label_of(world.root, title)
    assert found is not None
    world.rename_label(found, f"{title} now")


ACTS: dict[str, Callable[[World], None]] = {
    "milestone": lambda world: upheavals.rename_milestone(world, world.milestone("19.7"), "19.7 GA"),
    "column": lambda world: label(world, "type::bug"),
    "filter": lambda world: label(world, "Deliverable"),
    "scope": lambda world: label(world, GROUP_LABEL),
    "project": lambda world: upheavals.rename_project(world, world.project("top/app"), "top/next/app-2"),
}


@pytest.mark.parametrize("what", ACTS)
async def test_a_rename_leaves_the_board_as_it_is(server: DemoServer, store: Store, what: str) -> None:
    server.world.edit("top/app#1", by="eng_1", add_labels=["Deliverable"])
    settings = Settings(boards=(BOARD,))
    async with session(server, store, settings=settings) as made:
        before = on(made)
        assert before == {"bug": ["top/app#1"]}
        ACTS[what](server.world)
        await made.engine.load_catalog()
        [cards] = on(made).values()
        assert cards == [server.world.project_of(1)] if what == "project" else cards == ["top/app#1"]
