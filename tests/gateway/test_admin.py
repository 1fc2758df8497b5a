"""Boards set up with python-gitlab, without blocking the event loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import structs

from gateway.worlds import NAMES, QUICK, LoadedGateway, make
from glboard_core.board.operations import Rank
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import boards
from glboard_core.errors import (
    EditForbidden,
    EditImpossible,
    EditRefused,
    GlboardError,
    Offline,
    RateLimited,
    ServerFailed,
    TokenRejected,
)
from glboard_core.gitlab.account import Secret
from glboard_core.gitlab.admin import Admin, FinishedBoard
from glboard_core.gitlab.http import Transport
from glboard_core.planning.milestone_setup import WantedBoard


async def finished(admin: Admin, context: LoadedGateway, name: str, **wishes: Any) -> FinishedBoard:
    """The board of that name, created if it does not exist, and as it is wished."""
    board = await admin.create_board(context.catalog.group, name)
    wanted = WantedBoard(name=name, milestone=wishes.pop("milestone", ""), **wishes)
    return await admin.finish_board(context.catalog, board, wanted)


async def test_a_board_is_created_once(context: LoadedGateway) -> None:
    admin = Admin(context.gateway.transport)
    lists = ("type::bug", "type::feature", "nonsense")
    labels = frozenset({"Deliverable"})
    done = await finished(admin, context, "Planning", lists=lists, labels=labels, milestone="19.8")
    assert (done.scoped, done.missing, done.ordered) == (True, ("nonsense",), True)
    again = await finished(admin, context, "Planning", lists=lists)
    assert (again.board.id, again.missing) == (done.board.id, ("nonsense",))
    board = context.world.boards[done.board.id]
    assert [one.label for one in done.board.lists] == ["type::bug", "type::feature"]
    assert [column.title for column in board.movable()] == ["type::bug", "type::feature"]
    assert board.milestone is not None
    assert board.milestone.title == "19.8"
    assert done.board.url.endswith(board.path)


async def test_a_first_board_makes_ranking_possible() -> None:
    world = make(tier="free")
    world.boards.clear()
    boards.unplace(world, [world.issue(f"top/app#{n}") for n in range(1, 7)])
    for other in ("top/sub/lib#1", "top/locked#1"):
        world.delete(other)
    async with DemoServer(world) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            rank = Rank(below=context.issue("top/app#1").id, position=0.5)
            assert isinstance(await context.fail("top/app#3", rank), EditImpossible)
            await Admin(context.gateway.transport).create_board("top", "Board")
            context.catalog = await context.gateway.catalog(NAMES)
            assert (await context.do("top/app#3", rank)).position is not None


async def test_a_board_of_the_community_edition() -> None:
    """It has no REST call that creates one, and allows one board."""
    world = make(tier="free", edition="ce")
    world.boards.clear()
    async with DemoServer(world) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            admin = Admin(context.gateway.transport)
            assert (await admin.create_board("top", "Board")).name == "Board"
            assert (await admin.create_board("top", "Board")).name == "Board"
            assert [board.name for board in world.boards.values()] == ["Board"]
            with pytest.raises(EditRefused, match="boards of top"):
                await admin.create_board("top", "Second")


async def test_a_second_board_on_free() -> None:
    async with DemoServer(make(tier="free")) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            with pytest.raises(EditForbidden, match="Premium"):
                await Admin(context.gateway.transport).create_board("top", "Second")


@pytest.mark.parametrize(("fault", "error"), [("401", TokenRejected), ("500", ServerFailed)])
async def test_what_goes_wrong(context: LoadedGateway, fault: str, error: type[GlboardError]) -> None:
    context.server.faults.next(fault, "boards", times=9)
    with pytest.raises(error):
        await Admin(context.gateway.transport).create_board("top", "Planning")


async def test_no_server(context: LoadedGateway) -> None:
    await asyncio.to_thread(context.server.stop)
    account = structs.replace(context.gateway.account, token=Secret("glpat-NeverShowThis"))
    with pytest.raises(Offline, match="refused the connection") as caught:
        await Admin(Transport(account, QUICK)).create_board("top", "Planning")
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_maintenance_is_told_at_once(context: LoadedGateway) -> None:
    context.world.traits.maintenance = True
    with pytest.raises(ServerFailed, match="maintenance"):
        await Admin(context.gateway.transport).create_board("top", "Planning")
    assert context.server.requests[-1].method == "POST"


async def test_administration_is_counted_and_paced_with_all_other_requests(context: LoadedGateway) -> None:
    before = sum(context.gateway.requests.values())
    context.server.requests.clear()
    await Admin(context.gateway.transport).boards("top")
    assert sum(context.gateway.requests.values()) == before + len(context.server.requests) == before + 1
    context.gateway.transport.pace.per_minute = 1
    with pytest.raises(RateLimited, match="at most 1 requests a minute"):
        await Admin(context.gateway.transport).boards("top")


@pytest.mark.parametrize("match", ["PUT /api/v4/groups/top/boards/", "POST /api/v4/groups/top/boards/"])
async def test_a_lost_answer_to_a_change_of_a_board_is_settled(context: LoadedGateway, match: str) -> None:
    context.server.faults.next("reset-after", match)
    admin = Admin(context.gateway.transport)
    lists = ("type::feature", "type::bug")
    done = await finished(admin, context, "Planning", lists=lists, milestone="19.8")
    assert (done.scoped, done.missing, done.ordered) == (True, (), True)
    assert [one.label for one in done.board.lists] == list(lists)
