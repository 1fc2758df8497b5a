"""What the edition and the licence have: found out with the catalog, and followed when it changes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from gateway.worlds import NAMES, LoadedGateway, everything, gateway, make
from glboard_core.board.operations import Create, Edit
from glboard_core.demo.graphql.schema import load
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_core.model.issue import IssueId
from glboard_core.model.query import IssueQuery


@pytest.mark.parametrize("version", ["18.9", "16.8"])
@pytest.mark.parametrize(("tier", "has"), [("free", False), ("premium", True)])
async def test_a_licence_is_not_an_edition(tier: Any, has: bool, version: str) -> None:
    # So much is named that it takes several documents: only one of them asks for the licence.
    names = structs.replace(NAMES, milestones=frozenset(f"Sprint {n}" for n in range(60)))
    async with DemoServer(make(tier=tier, version=version)) as server, gateway(server) as one:
        catalog = await one.catalog(names)
        assert len(server.requests.of("Names")) > 1
        assert catalog.server.enterprise
        assert catalog.server.has_weight is has
        # What the licence lacks is not asked for, since GitLab would answer null, or what is left of before.
        server.requests.clear()
        world = server.world
        world.block(world.issue("top/app#1"), world.issue("top/app#2"))
        issues = {issue.reference: issue for issue in await everything(one)}
        assert issues["top/app#1"].blocked is has
        assert (issues["top/app#1"].weight is not None) is has
        detail = await one.detail(IssueId(f"gid://gitlab/Issue/{world.issue('top/app#1').id}"))
        assert bool(detail.blockers) is has
        assert len(server.requests) == 2


async def test_a_licence_comes_and_goes() -> None:
    async with DemoServer(make()) as server, gateway(server) as one:
        known = None
        for tier, has in (("free", False), ("premium", True), ("free", False)):
            server.world.tier = tier  # type: ignore[assignment]
            known = await one.catalog(NAMES, known)
            assert known.server.has_weight is has
            assert any(issue.weight is not None for issue in await everything(one)) is has
    # The next session begins with what is stored.
    assert known is not None
    async with DemoServer(server.world) as again, gateway(again, server=known.server) as one:
        again.world.tier = "premium"
        await everything(one)
        assert (await one.catalog(NAMES, known)).server.has_weight
        assert len(again.requests.of("graphql")) == 2


def with_own_type(version: str) -> World:
    """A world with a type of its own, and an issue and a task."""
    world = make(version=version)
    world.types["Bug report"] = 1001
    for title, kind in (("Own", "Bug report"), ("Part", "TASK"), ("Alarm", "INCIDENT")):
        world.create("top/app", title, by="em_willow").kind = kind
    world.index.rebuild()
    return world


@pytest.mark.parametrize(("version", "own"), [("18.9", False), ("19.0", True), ("19.3", True)])
async def test_types_of_ones_own_are_on_the_board(version: str, own: bool) -> None:
    async with DemoServer(with_own_type(version)) as server, gateway(server) as one:
        known = await one.catalog(NAMES)
        titles = {issue.title for issue in await everything(one)}
        assert ("Own" in titles) is own
        assert "Alarm" in titles
        assert "Part" not in titles
        assert await one.count([IssueQuery()]) == [len(titles)]
        # The next session knows them from the start, and asks for them with the catalog.
        server.requests.clear()
        async with gateway(server, server=known.server) as again:
            assert {issue.title for issue in await everything(again)} == titles
            assert len(server.requests) == 1
            await again.catalog(NAMES, known)
        assert len(server.requests.of("graphql")) == 2 + own


async def test_a_server_that_has_no_types_to_ask_by() -> None:
    """It says it is 19, and refuses what 19 has."""
    async with DemoServer(with_own_type("19.0")) as server:
        server._gate.endpoint.schema = load("ee", (18, 9))
        async with gateway(server) as one:
            assert (await one.catalog(NAMES)).server.kinds == (
                "gid://gitlab/WorkItems::Type/1",
                "gid://gitlab/WorkItems::Type/2",
                "gid://gitlab/WorkItems::Type/1001",
            )
            titles = {issue.title for issue in await everything(one)}
            assert {"Own", "Part"} & titles == set()
            assert "Alarm" in titles
            refused = len(server.requests)
            await everything(one)
            assert len(server.requests) == refused + 1


async def test_ids_of_work_items_are_those_of_issues() -> None:
    async with DemoServer(make()) as server:
        server.world.traits.work_item_ids = True
        server.world.block(server.world.issue("top/app#1"), server.world.issue("top/app#2"))
        context = await LoadedGateway(server).open()
        async with context.gateway:
            first = context.issue("top/app#1")
            assert first.id.startswith("gid://gitlab/Issue/")
            assert await context.gateway.read([first.id]) == {first.id: first}
            assert (await context.do("top/app#1", Edit(weight=8))).id == first.id
            made = await context.do("new:1", Create(project="top/app", title="x"))
            assert made.id.startswith("gid://gitlab/Issue/")
            [blocker] = (await context.gateway.detail(first.id)).blockers
            assert blocker.id == context.issue("top/app#2").id
