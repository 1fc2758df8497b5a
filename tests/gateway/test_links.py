"""Links between issues: read from both ends, added, removed, and what GitLab answers if they are there."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.worlds import ME, NAMES, LoadedGateway, gateway, make
from glboard_core.board.operations import Edit, Link
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditImpossible, EditInvalid
from glboard_core.model.issue import IssueId, LinkKind


def link(context: LoadedGateway, other: str, kind: LinkKind = "is_blocked_by", *, add: bool = True) -> Link:
    issue = context.issue(other)
    return Link(other=issue.id, reference=issue.reference, kind=kind, add=add)


async def links_of(context: LoadedGateway, reference: str) -> list[tuple[str, str]]:
    detail = await context.gateway.detail(context.issue(reference).id)
    return [(one.kind, one.reference) for one in detail.links]


@pytest.mark.parametrize(
    ("kind", "mirrored"),
    [("is_blocked_by", "blocks"), ("blocks", "is_blocked_by"), ("relates_to", "relates_to")],
)
async def test_a_link_is_there_from_both_ends_until_it_is_removed(
    context: LoadedGateway, kind: LinkKind, mirrored: LinkKind
) -> None:
    done = await context.do("top/app#1", link(context, "top/app#2", kind))
    assert done.blocked is (kind == "is_blocked_by")
    assert await links_of(context, "top/app#1") == [(kind, "top/app#2")]
    assert await links_of(context, "top/app#2") == [(mirrored, "top/app#1")]
    # From the other end, as GitLab allows.
    await context.do("top/app#2", link(context, "top/app#1", mirrored, add=False))
    assert await links_of(context, "top/app#1") == []


async def test_what_is_as_it_should_be_is_done(context: LoadedGateway) -> None:
    # Sent a second time after a lost answer, or done by somebody else a moment ago.
    await context.do("top/app#1", link(context, "top/app#2"))
    assert (await context.do("top/app#1", link(context, "top/app#2"))).blocked
    await context.do("top/app#1", link(context, "top/app#2", add=False))
    assert not (await context.do("top/app#1", link(context, "top/app#2", add=False))).blocked


async def test_another_kind_of_link_is_in_the_way(context: LoadedGateway) -> None:
    await context.do("top/app#1", link(context, "top/app#2", "relates_to"))
    error = await context.fail("top/app#1", link(context, "top/app#2"))
    assert isinstance(error, EditInvalid)
    assert "already linked: this one is related" in str(error)
    assert "Remove that link first" in str(error)


async def test_an_issue_is_not_linked_to_itself(context: LoadedGateway) -> None:
    error = await context.fail("top/app#1", link(context, "top/app#1"))
    assert isinstance(error, EditInvalid)
    assert "cannot be related to itself" in str(error)


async def test_a_closed_issue_blocks_nothing_and_stays_linked(context: LoadedGateway) -> None:
    context.world.link("top/app#1", "top/app#2", "is_blocked_by", by=ME)
    context.world.edit("top/app#2", by=ME, close=True)
    detail = await context.gateway.detail(context.issue("top/app#1").id)
    assert detail.blockers == ()
    assert [(one.kind, one.is_open) for one in detail.links] == [("is_blocked_by", False)]


@pytest.mark.parametrize("kinds", [{"edition": "ce", "tier": "free", "version": "18.5"}, {"tier": "free"}])
async def test_the_free_tier_only_relates(kinds: dict[str, Any]) -> None:
    async with DemoServer(make(**kinds)) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            error = await context.fail("top/app#1", link(context, "top/app#2"))
            assert isinstance(error, EditImpossible)
            assert "only link issues as related" in str(error)
            await context.do("top/app#1", link(context, "top/app#2", "relates_to"))
            assert await links_of(context, "top/app#1") == [("relates_to", "top/app#2")]


async def test_the_first_version_that_is_supported_links(context: LoadedGateway) -> None:
    async with DemoServer(make(version="16.8")) as server:
        old = await LoadedGateway(server).open()
        async with old.gateway:
            assert (await old.do("top/app#1", link(old, "top/app#2"))).blocked
            assert await links_of(old, "top/app#1") == [("is_blocked_by", "top/app#2")]


async def test_a_fine_grained_token_reads_what_blocks() -> None:
    async with DemoServer(make(version="19.3")) as server:
        server.world.link("top/app#1", "top/app#2", "is_blocked_by", by=ME)
        token = server.token_for("em_willow", "granular")
        async with gateway(server, token=token) as one:
            await one.catalog(NAMES)
            detail = await one.detail(IssueId(f"gid://gitlab/Issue/{server.world.issue('top/app#1').id}"))
    assert [one.reference for one in detail.blockers] == ["top/app#2"]


async def test_comments_of_a_thread_are_told_together(context: LoadedGateway) -> None:
    world = context.world
    first = world.comment("top/app#1", "Is it the proxy?", by="eng_1")
    world.comment("top/app#1", "Alone", by="eng_2")
    world.comment("top/app#1", "It is.", by="eng_2", answers=first)
    first.resolved = True
    detail = await context.gateway.detail(context.issue("top/app#1").id)
    notes = {note.body: note for note in detail.notes if not note.system}
    assert notes["It is."].thread == notes["Is it the proxy?"].thread != notes["Alone"].thread
    assert notes["It is."].resolved
    assert not notes["Alone"].resolved


async def test_confidential_and_health_are_edited(context: LoadedGateway) -> None:
    done = await context.do("top/app#1", Edit(confidential=True, health_status="atRisk"))
    assert (done.confidential, done.health_status) == (True, "atRisk")
    back = await context.do("top/app#1", Edit(confidential=False, health_status=None))
    assert (back.confidential, back.health_status) == (False, None)


async def test_without_ultimate_a_health_status_is_ignored_and_told(context: LoadedGateway) -> None:
    async with DemoServer(make(tier="premium")) as server:
        premium = await LoadedGateway(server).open()
        async with premium.gateway:
            error = await premium.fail("top/app#1", Edit(health_status="atRisk"))
    assert "The health status was not set" in str(error)
    assert "Ultimate" in str(error)
