"""What the edition and the licence have: found out with the catalog, and followed when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.worlds import NAMES, everything, gateway, make
from glboard_core.demo.http.server import DemoServer
from glboard_core.model.issue import IssueId


@pytest.mark.parametrize("version", ["18.9", "16.8"])
@pytest.mark.parametrize(("tier", "has"), [("free", False), ("premium", True)])
async def test_a_licence_is_not_an_edition(tier: Any, has: bool, version: str) -> None:
    async with DemoServer(make(tier=tier, version=version)) as server, gateway(server) as one:
        catalog = await one.catalog(NAMES)
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
