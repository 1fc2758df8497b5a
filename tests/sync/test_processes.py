"""Two processes on one state file, and another person, edit the same issues at once.

The long form is ``tests/soak/test_processes.py``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.operations import Edit
from glboard_core.demo.http.faults import Faults
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import ConnectionFailed
from glboard_core.ports import MADE, Outcome
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.events import IssuesChanged, Renamed
from support.crashes import FAULTS, edit_together
from support.engines import BRISK, HASTE, ME, STILL, Session, build_world, session


@pytest.mark.parametrize("kill", [pytest.param(False, marks=pytest.mark.slow), True])
def test_two_processes_lose_and_duplicate_nothing(tmp_path: Path, kill: bool) -> None:
    faults = Faults(dict(FAULTS), seed=3, slow_seconds=0.7)
    with DemoServer(build_world(), faults=faults) as server:
        found = edit_together(server, tmp_path / "s.sqlite3", edits=120, seed=3, issues=12, kill=kill)
    print(found.line(), found.doubled)
    assert found.lost == []
    assert found.doubled == []
    assert found.edits >= 150
    assert found.made > found.edits / 3


async def test_a_change_in_one_process_is_seen_in_the_other(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with session(server, one) as first, session(server, two) as second:
        new = second.create("By the second", weight=2)
        second.engine.perform([(new, Edit(weight=3))], "weight 3")
        second.edit("app#1", weight=8)
        await first.until(lambda: first.there("app#1").weight == 8)
        await second.until(lambda: second.engine.status.unsent == 0 and second.known("app#13"))
        await first.until(lambda: first.known("app#13") and first.issue("app#13").weight == 3)
        # The process that did not send knows the new issue by its real id, and can undo it.
        assert [event.old for event in second.told(Renamed)] == [new]
        assert not second.known("app#new")
        for _ in range(3):
            assert second.engine.undoing.undo() is not None
        await second.until(lambda: second.engine.status.unsent == 0)
        assert not second.there("app#13").open
        assert second.there("app#1").weight == 1
        # What is removed in one is removed in the other.
        first.world.delete("top/app#2")
        await first.engine.poller.reconcile()
        gone = first.issue("app#3").id
        await second.until(lambda: not second.known("app#2"))
        assert second.engine.shown.get(gone) is not None
        assert any(
            after is None and before is not None
            for event in second.told(IssuesChanged)
            for before, after in event.changes
        )
    one.close()
    two.close()


async def test_the_second_process_takes_over_when_the_first_ends(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with session(server, two, sync=BRISK) as second:
        async with session(server, one, sync=BRISK) as first:
            first.edit("app#1", weight=4)
            await first.settled()
            assert one.acquire_lease()
            assert not two.acquire_lease()
        one.close()
        second.edit("app#2", weight=5)
        await second.until(lambda: second.there("app#2").weight == 5)
        assert two.acquire_lease()
    two.close()


@pytest.mark.parametrize("theirs", [None, 9])
async def test_what_the_first_sent_unheard_is_looked_for_before_anything_follows(
    server: DemoServer, tmp_path: Path, theirs: int | None
) -> None:
    """The first session ends between request and answer; the second had the edit in line all along."""
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with session(server, two) as second:
        async with session(server, one) as first:
            first.edit("app#2", weight=4)
            await first.settled()
            made = unheard(first)
            second.edit("app#1", weight=3)
            await first.wait_for(made.wait())
            second.edit("app#1", weight=5)
            if theirs is not None:
                server.world.edit("top/app#1", by="eng_1", weight=theirs)
        one.close()
        await second.until(two.acquire_lease)
        if theirs is not None:
            # That the first edit was made is proven by its event; only what follows is to be chosen.
            await second.until(lambda: second.engine.status.conflicts == 1)
            assert [line.result for line in second.engine.store.log()] == ["settled", "done"]
            second.engine.keep_theirs(second.issue("app#1").id)
        await second.until(lambda: second.engine.status.unsent == 0)
        await second.settled()
        assert second.engine.status.conflicts == 0
        assert weights_there(second, "app#1") == [1, 3, theirs or 5]
    two.close()


async def test_a_command_leaves_sending_to_the_process_with_the_lease(
    server: DemoServer, tmp_path: Path
) -> None:
    """Otherwise that process would look for what the command sends, and both would log it."""
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    # A command waits for no more keys: its changes are not held.
    held = structs.replace(STILL, hold=3600, hold_comments=3600)
    async with (
        session(server, one, sync=held) as first,
        session(server, two, sync=held, running=False) as command,
    ):
        send = command.engine.gateway.send

        async def slowly(*args: Any) -> list[Outcome]:
            outcomes = await send(*args)
            await asyncio.sleep(0.5)
            return outcomes

        command.engine.gateway.send = slowly  # type: ignore[assignment, method-assign]
        await command.engine.names.read()
        await command.engine.reader.load_issues(["top/app#1"])
        command.edit("app#1", weight=5)
        await command.engine.sender.flush()
        assert len(command.engine.outbox) == 0
        assert weights_there(first, "app#1") == [1, 5]
        assert [line.result for line in command.engine.store.log()] == ["done"]
        assert not command.engine.failed
    one.close()
    two.close()


async def test_a_command_sends_once_the_lease_is_free(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    assert one.acquire_lease()
    timing = structs.replace(HASTE, longest_flush=0.2)
    async with session(server, two, running=False, timing=timing) as command:
        await command.engine.names.read()
        await command.engine.reader.load_issues(["top/app#1"])
        command.edit("app#1", weight=5)
        with pytest.raises(ConnectionFailed, match="Another glboard session"):
            await command.engine.sender.flush()
        assert len(command.engine.outbox) == 1
        assert command.there("app#1").weight == 1
        flush = asyncio.create_task(command.engine.sender.flush())
        await asyncio.sleep(0)
        one.release_lease()
        await flush
        assert command.there("app#1").weight == 5
        # No one needs to wait for a command that has ended.
        assert one.acquire_lease()
    one.close()
    two.close()


async def test_a_command_does_not_overtake_what_another_process_sends(
    server: DemoServer, tmp_path: Path
) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with session(server, two, running=False) as command:
        await command.engine.poller.load()
        [first] = command.edit("app#1", weight=3)
        command.edit("app#1", weight=5)
        assert one.claim([first.id], time.time())
        server.world.edit("top/app#1", by=ME, weight=3)
        await command.engine.sender.flush()
        assert command.engine.status.conflicts == 0
        assert weights_there(command, "app#1") == [1, 3, 5]
        assert [line.result for line in command.engine.store.log()] == ["done", "settled"]
    one.close()
    two.close()


def unheard(context: Session) -> asyncio.Event:
    """From now on what ``desk`` sends is made, and no answer comes; set once something was."""
    send, made = context.engine.gateway.send, asyncio.Event()

    async def without_an_answer(*args: Any) -> list[Outcome]:
        await send(*args[:3])
        made.set()
        await asyncio.Event().wait()
        return []

    context.engine.gateway.send = without_an_answer  # type: ignore[assignment, method-assign]
    return made


def weights_there(context: Session, name: str) -> list[object]:
    """Every weight the issue had on the server, in order."""
    return [event.value for event in context.there(name).history if event.kind == "weight"]


@pytest.mark.parametrize("busy", [True, False])
async def test_a_signed_out_process_releases_the_send_lease(
    server: DemoServer, tmp_path: Path, busy: bool
) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    token = server.token_for(ME)
    async with (
        session(server, one, sync=BRISK, token=token) as first,
        session(server, two, sync=BRISK) as second,
    ):
        first.edit("app#1", weight=4)
        await first.settled()
        assert not two.acquire_lease()
        server.expire(token)
        if busy:
            # Each process has an unsent change of its own.
            first.edit("app#3", weight=6)
        await first.until(lambda: first.engine.status.freshness == "signed-out")
        second.edit("app#2", weight=5)
        await second.until(lambda: second.there("app#2").weight == 5)
        if busy:
            await second.until(lambda: second.there("app#3").weight == 6)
        await first.until(lambda: first.engine.status.unsent == 0)
        assert first.engine.status.freshness == "signed-out"
        await first.until(lambda: first.issue("app#2").weight == 5)
        # Its changes are now sent by the other process.
        first.edit("app#4", weight=7)
        await first.until(lambda: first.engine.status.unsent == 0)
        assert first.there("app#4").weight == 7
        # "settled": on a busy machine an answer can come too late, and is looked up.
        assert len([line for line in one.log() if line.result in MADE]) == (4 if busy else 3)
    one.close()
    two.close()


async def test_a_read_only_process_releases_the_send_lease(server: DemoServer, tmp_path: Path) -> None:
    async with two_sessions(server, tmp_path / "s.sqlite3") as (first, second):
        first.edit("app#1", weight=4)
        await first.settled()
        first.engine.read_only = True
        first.engine._wake.set()
        second.edit("app#2", weight=5)
        await second.until(lambda: second.there("app#2").weight == 5)


async def test_an_ended_engine_releases_the_send_lease(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with session(server, one) as first:
        first.edit("app#1", weight=4)
        await first.settled()
    # Its file is still open: a screen may still show why it ended.
    assert two.acquire_lease()
    one.close()
    two.close()


# Conflicts


@asynccontextmanager
async def two_sessions(server: DemoServer, path: Path) -> AsyncIterator[tuple[Session, Session]]:
    """(the process with the send lease, another one), on one state file."""
    one, two = SqliteStore(path), SqliteStore(path)
    async with session(server, one) as first, session(server, two) as second:
        assert one.acquire_lease()
        yield first, second
    one.close()
    two.close()


async def clash(sender: Session, hand: Session) -> None:
    """``hand`` edits app#1 while someone else does; ``sender`` detects the conflict."""
    server = sender.server
    server.world.edit("top/app#1", by="eng_1", weight=5)
    hand.edit("app#1", weight=8)
    hand.comment("app#1", "After it")
    await sender.until(lambda: sender.engine.status.conflicts == 1)


@pytest.mark.parametrize("by_sender", [True, False])
async def test_a_conflict_is_seen_in_every_process(
    server: DemoServer, tmp_path: Path, by_sender: bool
) -> None:
    async with two_sessions(server, tmp_path / "s.sqlite3") as (sender, other):
        await clash(sender, sender if by_sender else other)
        await other.until(lambda: other.engine.status.conflicts == 1)
        [here] = other.engine.outbox.conflicting(other.issue("app#1").id)
        assert (here.field, here.saw, here.mine, here.theirs) == ("weight", "1", "8", "5")
        # And its card is repainted, although the issue itself did not change there.
        assert any(
            after is not None and after.reference == "top/app#1"
            for event in other.told(IssuesChanged)
            for _, after in event.changes
        )


@pytest.mark.parametrize("by_sender", [True, False])
@pytest.mark.parametrize("mine", [True, False])
async def test_either_process_can_resolve_a_conflict(
    server: DemoServer, tmp_path: Path, by_sender: bool, mine: bool
) -> None:
    async with two_sessions(server, tmp_path / "s.sqlite3") as (sender, other):
        await clash(sender, other)
        await other.until(lambda: other.engine.status.conflicts == 1)
        chooser = sender if by_sender else other
        issue = chooser.issue("app#1").id
        chooser.engine.keep_mine(issue) if mine else chooser.engine.keep_theirs(issue)
        for context in (sender, other):
            await context.until(lambda context=context: context.engine.status.unsent == 0)  # type: ignore[misc]
            assert context.engine.status.conflicts == 0
            await context.refreshed()
            assert context.issue("app#1").weight == (8 if mine else 5)
        assert sender.there("app#1").weight == (8 if mine else 5)
        assert sender.notes_there("app#1") == (["After it"] if mine else [])
        if mine:
            # Undone in the process that made it, it has the other person's value.
            for _ in range(2):
                other.engine.undoing.undo()
            await other.until(lambda: other.there("app#1").weight == 5)


@pytest.mark.parametrize("second_mine", [True, False])
async def test_a_late_resolution_does_nothing_twice(
    server: DemoServer, tmp_path: Path, second_mine: bool
) -> None:
    async with two_sessions(server, tmp_path / "s.sqlite3") as (sender, other):
        await clash(sender, other)
        await other.until(lambda: other.engine.status.conflicts == 1)
        # The other process has not checked since: it resolves a change that was sent long ago.
        adopt, other.engine.others.adopt = other.engine.others.adopt, lambda: None  # type: ignore[method-assign]
        issue = sender.issue("app#1").id
        sender.engine.keep_mine(issue)
        await sender.until(lambda: sender.engine.status.unsent == 0)
        sender.world.edit("top/app#1", by="eng_1", weight=6)
        other.engine.keep_mine(issue) if second_mine else other.engine.keep_theirs(issue)
        other.engine.others.adopt = adopt  # type: ignore[method-assign]
        for context in (sender, other):
            await context.until(lambda context=context: context.engine.status.unsent == 0)  # type: ignore[misc]
        assert sender.there("app#1").weight == 6
        assert sender.notes_there("app#1") == ["After it"]
        assert {line.result for line in sender.engine.store.log()} == {"done"}


async def test_a_conflict_is_shown_after_an_offline_restart(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    async with two_sessions(server, path) as (sender, _):
        await clash(sender, sender)
    await asyncio.to_thread(server.stop)
    store = SqliteStore(path)
    async with session(server, store, loaded=False) as context:
        assert context.engine.status.conflicts == 1
        await context.until(lambda: context.engine.status.freshness == "offline")
        context.engine.keep_mine(context.issue("app#1").id)
        await asyncio.to_thread(server.start)
        context.engine.refresh()
        await context.until(lambda: context.engine.status.unsent == 0)
        assert context.there("app#1").weight == 8
    store.close()


def _sees(session: Session, theirs: str) -> bool:
    return session.engine.outbox.conflicting(session.issue("app#1").id)[0].theirs == theirs


async def test_a_conflict_follows_changes_by_others(server: DemoServer, tmp_path: Path) -> None:
    async with two_sessions(server, tmp_path / "s.sqlite3") as (sender, other):
        await clash(sender, sender)
        await other.until(lambda: other.engine.status.conflicts == 1)
        server.world.edit("top/app#1", by="eng_1", weight=6)
        await other.refreshed()
        for context in (other, sender):
            await context.until(partial(_sees, context, "6"))
        # Back at the value seen, there is no conflict.
        server.world.edit("top/app#1", by="eng_1", weight=1)
        await other.refreshed()
        await sender.until(lambda: sender.there("app#1").weight == 8)
        await other.until(lambda: other.engine.status.conflicts == 0)
