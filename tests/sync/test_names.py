"""What is asked before the first card, before the first edit, and never again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import NameUnknown
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.ports import Store
from support.engines import NOW, Session, build_world, session
from support.round_trips import RoundTrips


async def first_start(made: Session) -> RoundTrips:
    """A start without a mirror, to the end of its load."""
    trips = RoundTrips(made.engine.gateway)  # type: ignore[arg-type]  # it is the real one
    made.engine.look("planning", None)
    await made.engine.poller.load()
    return trips


def known(made: Session) -> RoundTrips:
    """A later start, which knows the server's clock."""
    gateway = made.engine.gateway
    assert isinstance(gateway, GitLabGateway)
    gateway.expect_offset(NOW - datetime.now(UTC) + timedelta(minutes=4))
    return RoundTrips(gateway)


async def test_a_first_start_shows_cards_after_two_round_trips(server: DemoServer, store: Store) -> None:
    async with session(server, store, running=False) as made:
        trips = await first_start(made)
        assert trips.trip("Issues") == 2
        assert sorted({name for name, trip in trips.sent if trip == 1}) == ["Meta", "Names", "self"]
        assert len([name for name, trip in trips.sent if trip == 1]) <= 3
        assert trips.names.count("Names") <= 6  # also where names exist that the group does not have
        assert made.issue("app#1").milestone == "19.7"


async def test_a_second_start_is_one_round_trip_behind_the_mirror(server: DemoServer, store: Store) -> None:
    async with session(server, store, running=False) as made:
        await first_start(made)
    async with session(server, store, running=False) as made:
        trips = known(made)
        await made.engine.poller._start()
        # The token was checked today, and what does not exist is known.
        assert trips.names.count("self") == 0
        assert {name for name, trip in trips.sent if trip == 1} == {"Meta", "Names", "Issues"}
        assert set(trips.names) == {"Meta", "Names", "Issues"}


async def test_the_token_is_checked_once_a_day(server: DemoServer, store: Store) -> None:
    async with session(server, store, running=False) as made:
        trips = await first_start(made)
        await made.engine.names.read()
        assert trips.names.count("self") == 1
        server.world.clock.advance(90_000)
        await made.engine.names.read()  # the answer tells the server's time
        await made.engine.names.read()
        assert trips.names.count("self") == 2


async def test_an_edit_waits_for_nothing_that_is_known(context: Session) -> None:
    trips = RoundTrips(context.engine.gateway)  # type: ignore[arg-type]
    context.edit("app#1", weight=3)
    context.edit("app#2", add=frozenset({"Deliverable"}), milestone="19.8")
    await context.engine.sender.idle()
    assert "Names" not in trips.names
    assert context.there("app#2").milestone.title == "19.8"


async def test_what_a_first_write_needs_is_asked_once(context: Session) -> None:
    trips = RoundTrips(context.engine.gateway)  # type: ignore[arg-type]
    context.edit("app#1", add=frozenset({"documentation"}))
    await context.engine.sender.idle()
    assert trips.names.count("Names") == 1
    # At the same time as the issue is read again.
    assert trips.trip("Names") == 1
    assert trips.trip("Send") == 2
    assert "documentation" in context.labels_there("app#1")
    context.edit("app#2", add=frozenset({"documentation"}))
    context.edit("app#3", add=frozenset({"not-there"}))
    await context.engine.sender.idle()
    assert trips.names.count("Names") == 2
    assert "documentation" in context.labels_there("app#2")
    [(_, error)] = context.engine.failed
    assert "not-there" in str(error)
    context.edit("app#4", add=frozenset({"not-there"}))
    await context.engine.sender.idle()
    assert trips.names.count("Names") == 2
    assert len(context.engine.failed) == 2


async def test_an_edit_goes_out_while_the_rest_is_still_being_read(
    server: DemoServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with session(server, store, running=False) as made:
        await first_start(made)
    async with session(server, store, running=False) as made:
        engine, never = made.engine, asyncio.Event()

        async def hanging(*_: object) -> object:
            return await never.wait()

        monkeypatch.setattr(engine.gateway, "page", hanging)
        task = asyncio.create_task(engine.run())
        try:
            await made.until(lambda: engine.verified)
            made.edit("app#1", weight=7)
            await made.until(lambda: made.there("app#1").weight == 7)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_refresh_asks_by_name_however_much_there_is(store: Store) -> None:
    world = build_world()
    top = world.groups["top"]
    for n in range(300):
        world.add_label(top, f"other {n}")
        top.members[world.add_user(f"person_{n}", "").id] = 20
        world.add_project(f"top/more/p{n}")
    async with DemoServer(world) as server, session(server, store, running=False) as made:
        trips = await first_start(made)
        await made.engine.poller.poll()
        assert len(trips.names) <= 20
        catalog = made.engine.catalog
        assert catalog is not None
        assert len(catalog.labels) < 30
        assert len(catalog.people) < 10
        trips.clear()
        await made.engine.names.read()
        assert set(trips.names) == {"Meta", "Names"}
        assert len(trips.names) <= 3


async def test_a_projects_own_label_is_known_where_the_group_has_others_of_its_kind(
    server: DemoServer, store: Store
) -> None:
    server.world.add_label(server.world.groups["top"], "missed:19.6")
    server.world.add_label(server.world.project("top/lib"), "missed:19.7")
    async with session(server, store, running=False) as made:
        await first_start(made)
        for _ in range(2):
            catalog = made.engine.catalog
            assert catalog is not None
            assert not catalog.lacks("top/lib", "missed:19.7")
            assert catalog.lacks("top/app", "missed:19.7")
            assert not catalog.lacks("top/app", "missed:19.6")
            await made.engine.names.read()


async def test_a_command_needs_one_request_for_an_issue(server: DemoServer, store: Store) -> None:
    async with session(server, store, running=False) as made:
        await first_start(made)
    async with session(server, store, running=False) as made:
        trips = known(made)
        await made.engine.reader.sign_in()
        [issue] = await made.engine.reader.load_issues(["top/app#1"])
        assert trips.names == ["Find"]
        assert issue.weight == 1
        made.edit("app#1", weight=8)
        await made.engine.sender.flush()
        assert made.there("app#1").weight == 8
        assert trips.names.count("Send") == 1
        assert len(trips.names) == 2


async def test_names_that_a_person_gives_are_asked_before_they_are_unknown(
    server: DemoServer, store: Store
) -> None:
    server.world.add_milestone(server.world.project("top/lib"), "lib-1")
    async with session(server, store, running=False) as made:
        await made.engine.names.read()
        await made.engine.names.know_milestones(["lib-1", "current", "19.70"])
        catalog = made.engine.catalog
        assert catalog is not None
        assert catalog.milestone("top/lib", "lib-1") is not None
        assert "19.7" in catalog.near_milestones("19.70")
        [issue] = await made.engine.reader.load_issues(["lib#1"])
        assert issue.project == "top/lib"
        with pytest.raises(NameUnknown, match="nowhere"):
            await made.engine.reader.load_issues(["nowhere#1"])
