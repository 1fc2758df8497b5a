"""What is read of a group, on every kind of server, and in how many requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from glboard_core.config_check import check
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.world import World
from glboard_core.errors import GroupNotFound, TimedOut
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.setup import documents
from glboard_core.setup.discover import Discovery
from glboard_core.setup.propose import propose
from glboard_core.setup.write import config_text
from support.groups import shop_world
from support.organisations import shared_org_world

GROUP = "demo-org"


@asynccontextmanager
async def asking(world: World) -> AsyncIterator[Discovery]:
    """Somebody who asks a server of that world."""
    async with (
        DemoServer(world) as server,
        Discovery(Account(url=server.url, token=Secret(server.token))) as discovery,
    ):
        yield discovery


@pytest.mark.parametrize(
    "kinds",
    [
        {},
        pytest.param({"version": "19.3"}, marks=pytest.mark.slow),
        {"version": "16.8"},
        pytest.param({"tier": "free"}, marks=pytest.mark.slow),
        {"edition": "ce", "tier": "free", "version": "18.5"},
    ],
    ids=str,
)
async def test_a_group_is_read_in_three_requests(kinds: dict[str, str]) -> None:
    async with asking(default_world(issues=60, **kinds)) as discovery:  # type: ignore[arg-type]
        found = await discovery.group(GROUP)
        # Two more where the first document is too new for the server: to learn what it is, and again.
        newest = kinds.get("version", "18.9") != "16.8" and kinds.get("edition") != "ce"
        assert discovery.requests == (3 if newest else 5)
    assert found.whole
    assert found.username == "em_maple"
    titles = {one.title for one in found.labels}
    assert {"group::custom models", "workflow::in dev", "Deliverable"} <= titles
    assert {"19.8", "Backlog"} <= {one.title for one in found.milestones}
    assert found.mine.labels["group::custom models"] == found.mine.issues > 0
    licensed = kinds.get("tier") != "free"
    assert bool(found.statuses) == (licensed and kinds.get("version") != "16.8")
    assert found.server.has_weight == licensed
    # Without a licence a group has one board, without a scope.
    early = found.boards[0]
    assert [one.title for one in early.lists][-1] == "workflow::ready for development"
    assert early.labels == (("group::custom models",) if licensed else ())
    assert len(found.boards) == (2 if licensed else 1)
    proposal = propose(found, date.today())  # noqa: DTZ011
    assert proposal.missing == ()
    assert proposal.value("labels.group") == "group::custom models"
    assert check(config_text(proposal, date.today())).mistakes == ()  # noqa: DTZ011


@pytest.mark.slow
async def test_a_large_group_is_searched_and_not_read() -> None:
    async with asking(shared_org_world()) as discovery:
        found = await discovery.group(GROUP)
        assert discovery.requests == 6
    assert not found.whole
    proposal = propose(found, date.today())  # noqa: DTZ011
    assert proposal.missing == ()
    assert proposal.value("labels.group") == "group::custom models"
    assert proposal.line("labels.group").trust == "sure"
    assert proposal.line("milestones.backlog").trust == "sure"


async def test_groups_are_found_by_name_and_by_a_projects_path() -> None:
    async with asking(shop_world()) as discovery:
        everything = await discovery.groups()
        assert [one.path for one in everything.items] == ["shop", "shop/web"]
        by_path = await discovery.groups("shop/web/front")
        assert [(one.path, one.project) for one in by_path.items] == [("shop/web", "shop/web/front")]
        assert (await discovery.groups("no such thing")).items == ()


@pytest.mark.parametrize("version", ["16.8", "18.9"])
async def test_only_groups_with_a_membership_are_offered(version: str) -> None:
    world = shop_world(version=version)
    world.add_group("strangers", "Strangers")
    async with asking(world) as discovery:
        found = await discovery.groups("")
        assert "strangers" not in [one.path for one in found.items]
        assert "shop" in [one.path for one in found.items]


async def test_a_group_that_is_not_there_is_said() -> None:
    async with asking(shop_world()) as discovery:
        with pytest.raises(GroupNotFound):
            await discovery.group("nowhere")


async def test_labels_and_milestones_are_searched_in_the_group() -> None:
    async with asking(shop_world()) as discovery:
        assert [one.title for one in (await discovery.labels("shop", "commit")).items] == ["Committed"]
        assert [one.title for one in (await discovery.milestones("shop", "ice")).items] == ["Icebox"]


async def test_a_question_that_takes_too_long_takes_nothing_else_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = QueryRunner.ask_in_dialect

    async def slow(runner: QueryRunner, build: Any, variables: Any, *rest: Any, **more: Any) -> Any:
        if build in (documents.used, documents.boards):
            raise TimedOut("It took too long.")
        return await ask(runner, build, variables, *rest, **more)

    monkeypatch.setattr(QueryRunner, "ask_in_dialect", slow)
    async with asking(shop_world()) as discovery:
        found = await discovery.group("shop")
    assert (found.mine.issues, found.boards) == (0, ())
    # The team's label is not known then, and asked for.
    assert propose(found, date.today()).line("labels.group").trust == "missing"  # noqa: DTZ011
    assert propose(found, date.today()).value("labels.deliverable") == "Committed"  # noqa: DTZ011
