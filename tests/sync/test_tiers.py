"""The licence comes and goes under a running session: the cards follow, though GitLab updated none."""

from __future__ import annotations

from functools import partial

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.records import Tier
from glboard_core.ports import Store
from glboard_core.sync.events import IssuesChanged
from support.engines import Session, session


def has_weight(context: Session, weight: int | None) -> bool:
    return context.issue("app#1").weight == weight


async def test_cards_follow_the_licence(server: DemoServer, store: Store) -> None:
    async with session(server, store) as context:
        assert context.issue("app#1").weight == 1
        tiers: list[tuple[Tier, int | None]] = [("free", None), ("premium", 1)]
        for tier, weight in tiers:
            context.world.tier = tier
            context.world.edit("top/app#2", by="eng_1", add_labels=["Deliverable"])
            context.engine.poller.poll_soon()
            await context.until(partial(has_weight, context, weight))
            await context.settled()
            # It is news to no one that weights are gone, or there again.
            diffs = [diff for event in context.told(IssuesChanged)[-9:] for diff in event.confirmed]
            assert diffs
            assert not [1 for before, after in diffs if before and after and before.weight != after.weight]
            assert {context.issue(f"app#{n}").weight for n in range(1, 13)} == {weight}
            catalog = context.engine.catalog
            assert catalog is not None
            assert catalog.server.has_weight is (weight is not None)


async def test_a_command_does_not_take_the_mirror_of_another_licence(
    server: DemoServer, store: Store
) -> None:
    async with session(server, store):
        pass
    server.world.tier = "free"
    async with session(server, store, running=False, command=True) as command:
        await command.engine.load_catalog()
        await command.engine.load_board("planning", "19.7")
    assert {issue.weight for issue in store.issues().matching("19.7")} == {None}
    # The next screen reads everything again.
    server.requests.clear()
    async with session(server, store) as context:
        assert context.issue("lib#1").weight is None
        assert len(server.requests.of("Count")) == 1
