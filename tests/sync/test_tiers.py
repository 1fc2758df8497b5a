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
        await command.engine.names.read()
        await command.engine.reader.load_board("planning", "19.7")
    assert {issue.weight for issue in store.issues().matching("19.7")} == {None}
    # The next screen reads everything again.
    server.requests.clear()
    async with session(server, store) as context:
        assert context.issue("lib#1").weight is None
        assert len(server.requests.of("Count")) == 1


async def test_whom_gitlab_took_off_for_another_is_back_after_undo(server: DemoServer, store: Store) -> None:
    """Without a licence an issue has one assignee: the one with the highest number."""
    server.world.tier = "free"
    server.world.edit("top/app#1", by="eng_1", assignees=["em_willow"])
    async with session(server, store) as context:
        context.edit("app#1", assign=frozenset({"eng_2"}))
        await context.settled()
        assert context.issue("app#1").assignees == ("eng_2",)
        assert [line.what for line in store.log()] == ["assign eng_2, unassign em_willow"]
    # Also by a later session, which knows only the log.
    async with session(server, store) as again:
        again.engine.undoing.undo()
        await again.settled()
        assert [one.username for one in server.world.issue("top/app#1").assignees] == ["em_willow"]
