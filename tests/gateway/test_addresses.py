"""Addresses and paths are the server's own: links for everybody, and no case in paths."""

from __future__ import annotations

import pytest

from gateway.test_milestone_setup import run
from gateway.worlds import NAMES, NEEDS, everything, gateway, make
from glboard_core.demo.http.server import DemoServer
from glboard_core.model.issue import Reference, parse_reference
from support.empty_milestone import planning_issues, world_of

PUBLIC = "https://gitlab.example.com/code"


async def test_the_planning_issue_links_boards_by_the_servers_own_address() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        # We reach it through a tunnel.
        server.settings.external_url = PUBLIC
        done = await run(server)
        assert all(one.url.startswith(PUBLIC) for one in done if one.url)
        [issue] = planning_issues(world)
        assert f"({PUBLIC}/groups/top/-/boards/" in issue.description
        assert "127.0.0.1" not in issue.description


async def test_cards_have_the_servers_own_address() -> None:
    async with DemoServer(make()) as server, gateway(server) as one:
        server.settings.external_url = PUBLIC
        [issue] = [issue for issue in await everything(one) if issue.reference == "top/app#1"]
        assert issue.web_url == f"{PUBLIC}/top/app/-/issues/1"


@pytest.mark.parametrize("relative", ["", "/code"])
async def test_who_owns_a_milestone_does_not_depend_on_our_address(relative: str) -> None:
    async with DemoServer(make(), relative_url=relative) as server, gateway(server, "TOP") as one:
        catalog = await one.extend_catalog(await one.catalog(NAMES), NEEDS)
        assert catalog.group == "top"
        assert {m.title: m.owner for m in catalog.milestones}["19.8"] == "top"
        assert {m.title: m.owner for m in catalog.milestones}["lib-1"] == "top/sub/lib"
        # Paths have no case, titles have.
        assert catalog.milestone("Top/APP", "19.8") is not None
        assert catalog.label("TOP/sub/LIB", "lib-only") is not None
        assert catalog.label("top/sub/lib", "LIB-only") is None
        assert catalog.milestone("topmost/app", "19.8") is None
        for text in (
            "TOP/App#1",
            "App#1",
            f"{server.url}/TOP/App/-/issues/1",
            f"{PUBLIC}/Top/APP/-/work_items/1",
        ):
            assert parse_reference(text, catalog) == Reference("top/app", 1)
