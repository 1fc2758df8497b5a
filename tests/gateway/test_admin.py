"""Boards set up with python-gitlab, without blocking the event loop."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from gateway.worlds import LoadedGateway, make
from glboard_core.board.operations import Rank
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import (
    EditForbidden,
    EditImpossible,
    GlboardError,
    Offline,
    ServerFailed,
    TokenRejected,
)
from glboard_core.gitlab.account import Secret
from glboard_core.gitlab.admin import Admin


async def test_a_board_is_created_once(context: LoadedGateway) -> None:
    admin = Admin(context.gateway.account)
    lists = ("type::bug", "type::feature", "nonsense")
    made = await admin.ensure_board(
        context.catalog, "Planning", lists=lists, labels=["Deliverable"], milestone="19.8"
    )
    assert (made.new, made.scoped, made.missing) == (True, True, ("nonsense",))
    again = await admin.ensure_board(context.catalog, "Planning", lists=lists)
    assert (again.id, again.new, again.missing) == (made.id, False, ("nonsense",))
    board = context.world.boards[int(made.id.rpartition("/")[2])]
    assert [column.title for column in board.shown()][1:-1] == ["type::bug", "type::feature"]
    assert board.milestone is not None
    assert board.milestone.title == "19.8"
    assert made.url.endswith(board.path)


async def test_a_first_board_makes_ranking_possible() -> None:
    world = make(tier="free")
    world.boards.clear()
    async with DemoServer(world) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            rank = Rank(below=context.issue("top/app#1").id, position=0.5)
            assert isinstance(await context.fail("top/app#3", rank), EditImpossible)
            await Admin(context.gateway.account).ensure_board(context.catalog, "Board")
            context.catalog = await context.gateway.catalog()
            assert (await context.do("top/app#3", rank)).position is not None


async def test_a_second_board_on_free() -> None:
    async with DemoServer(make(tier="free")) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            with pytest.raises(EditForbidden, match="Premium"):
                await Admin(context.gateway.account).ensure_board(context.catalog, "Second")


@pytest.mark.parametrize(("fault", "error"), [("401", TokenRejected), ("500", ServerFailed)])
async def test_what_goes_wrong(context: LoadedGateway, fault: str, error: type[GlboardError]) -> None:
    context.server.faults.next(fault, "boards")
    with pytest.raises(error):
        await Admin(context.gateway.account).ensure_board(context.catalog, "Planning")


async def test_no_server(context: LoadedGateway) -> None:
    await asyncio.to_thread(context.server.stop)
    account = structs.replace(context.gateway.account, token=Secret("glpat-NeverShowThis"))
    with pytest.raises(Offline) as caught:
        await Admin(account).ensure_board(context.catalog, "Planning")
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
