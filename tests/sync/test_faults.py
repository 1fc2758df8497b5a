"""Faults: every change arrives once, or is reported as failed; all else goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.operations import Comment, Edit, Op
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditUnknown, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Failed, Outcome, Store
from glboard_core.store.memory import MemoryStore
from glboard_core.sync.events import Notice, Settled, Status, StatusChanged
from support.engines import BRISK, STILL, Window, build_world, lines, window

LOSSES = ["reset-before", "reset-after", "500", "502", "html", "html-200", "partial", "timeout"]


@pytest.mark.parametrize("fault", LOSSES)
async def test_a_comment_and_a_new_issue_with_a_lost_answer_exist_once(
    server: DemoServer, fault: str
) -> None:
    async with window(server) as desk:
        server.faults.next(fault, "createNote")
        server.faults.next(fault, "createIssue")
        desk.comment("app#1", "Once")
        desk.create("Once", weight=3)
        await desk.settled()
        assert desk.notes_there("app#1") == ["Once"]
        titles = [issue.title for issue in desk.world.project("top/app").issues.values()]
        assert titles.count("Once") == 1
        assert desk.issue("app#13").weight == 3
        assert desk.engine.status.failed == 0
        # And a recovered change can be undone like any other.
        desk.engine.undo()
        desk.engine.undo()
        await desk.settled()
        assert desk.notes_there("app#1") == []
        assert not desk.there("app#13").open


@pytest.mark.parametrize("fault", LOSSES)
async def test_edits_with_a_lost_answer_are_made_in_order(server: DemoServer, fault: str) -> None:
    async with window(server) as desk:
        server.faults.next(fault, "updateIssue")
        desk.do("app#1", Edit(weight=3), Edit(weight=5), Edit(milestone="19.8"), Edit(assignees=("eng_1",)))
        desk.edit("app#2", weight=7, assignees=("eng_2", "eng_1"))
        await desk.settled()
        there = desk.there("app#1")
        assert (there.weight, there.milestone.title) == (5, "19.8")
        assert [user.username for user in there.assignees] == ["eng_1"]
        assert desk.there("app#2").weight == 7
        assert desk.engine.status.failed == desk.engine.status.conflicts == 0


async def test_a_lost_edit_that_was_made_is_not_overwritten_by_an_older_one(server: DemoServer) -> None:
    """Both edits of one issue were made and both answers lost: the first must not be sent again."""
    async with window(server) as desk:
        server.faults.next("reset-after", "updateIssue")
        desk.do("app#1", Edit(weight=3), Edit(weight=5))
        await desk.settled()
        assert desk.there("app#1").weight == 5
        assert desk.mutations == 2


async def test_what_the_server_makes_late_goes_over_nothing(server: DemoServer) -> None:
    """The answer to an edit is lost, and the server carries it out only after it was looked for."""
    async with window(server) as desk:
        gateway = desk.engine.gateway
        send, late = gateway.send, []

        async def carried_out(*args: Any) -> None:
            # Within the time that a server takes, and after whatever is sent too early.
            with suppress(TimeoutError):
                async with asyncio.timeout(desk.engine.pace.server_limit / 2):
                    await desk.until(lambda: desk.there("app#1").weight == 5)
            await send(*args)

        async def without_an_answer(ops: Sequence[Op], *args: Any) -> list[Outcome]:
            gateway.send = send  # type: ignore[method-assign]
            late.append(asyncio.create_task(carried_out(ops, *args)))
            return [Failed(op=op.id, error=EditUnknown("The answer was lost.")) for op in ops]

        gateway.send = without_an_answer  # type: ignore[assignment, method-assign]
        desk.edit("app#1", weight=3)
        await desk.until(lambda: bool(late))
        desk.edit("app#1", weight=5)
        await desk.settled()
        await asyncio.gather(*late)
        weights = [event.value for event in desk.there("app#1").history if event.kind == "weight"]
        assert weights == [1, 3, 5]
        assert [line.result for line in desk.engine.history()] == ["done", "settled"]


def changed_before_the_look(desk: Window, **theirs: Any) -> None:
    """Someone changes app#1 after our request, and before recovery."""
    gateway = desk.engine.gateway
    read = gateway.read

    async def after_them(issues: Sequence[IssueId]) -> Mapping[IssueId, Issue]:
        gateway.read = read  # type: ignore[method-assign]
        desk.world.edit("top/app#1", by="eng_1", **theirs)
        return await read(issues)

    gateway.read = after_them  # type: ignore[method-assign]


MADE_AND_CHANGED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"weight": 5}, {"weight": 9}),
    ({"milestone": "19.8"}, {"milestone": "19.9"}),
    ({"milestone": None}, {"milestone": "19.9"}),
    ({"state": "closed"}, {"reopen": True}),
    ({"add": frozenset({"workflow::in dev"})}, {"add_labels": ["workflow::in review"]}),
    ({"weight": 5, "assignees": ("eng_1",)}, {"weight": 9}),
]


@pytest.mark.parametrize(("mine", "theirs"), MADE_AND_CHANGED)
async def test_a_lost_edit_that_was_made_and_changed_again_counts_as_made(
    server: DemoServer, mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    async with window(server) as desk:
        server.faults.next("reset-after", "updateIssue")
        changed_before_the_look(desk, **theirs)
        desk.edit("app#1", **mine)
        await desk.settled()
        # The events tell that it was made: no conflict, and theirs stays.
        assert desk.engine.status.conflicts == desk.engine.status.unsent == desk.engine.status.failed == 0
        assert [line.result for line in desk.engine.history()] == ["settled"]
        assert len(server.requests.of("updateIssue")) == 1
        if "weight" in mine:
            # Undo checks as usual: theirs overwrote it.
            desk.engine.undo()
            await desk.settled()
            assert desk.engine.status.conflicts == 1


async def test_a_lost_edit_that_was_not_made_is_a_conflict(server: DemoServer) -> None:
    async with window(server) as desk:
        server.faults.next("reset-before", "updateIssue")
        changed_before_the_look(desk, weight=9)
        desk.edit("app#1", weight=5)
        await desk.settled()
        assert desk.there("app#1").weight == 9
        [clash] = desk.engine.clashing(desk.issue("app#1").id)
        assert (clash.theirs, clash.maybe) == ("9", True)
        # Resolved, lost once more and changed once more: earlier attempts prove nothing.
        server.faults.next("reset-before", "updateIssue")
        changed_before_the_look(desk, weight=8)
        desk.engine.take_mine(desk.issue("app#1").id)
        await desk.settled()
        assert desk.engine.status.conflicts == 1
        desk.engine.take_mine(desk.issue("app#1").id)
        await desk.settled()
        assert desk.there("app#1").weight == 5


async def test_an_edit_without_events_may_have_been_made(server: DemoServer) -> None:
    async with window(server) as desk:
        server.faults.next("reset-after", "issueSetAssignees")
        changed_before_the_look(desk, assignees=["eng_2"])
        desk.edit("app#1", assignees=("eng_1",))
        await desk.settled()
        [clash] = desk.engine.clashing(desk.issue("app#1").id)
        assert clash.maybe
        # A conflict without a lost answer is certain.
        desk.engine.take_theirs(desk.issue("app#1").id)
        desk.edit("app#2", weight=5)
        desk.world.edit("top/app#2", by="eng_1", weight=9)
        await desk.settled()
        assert [clash.maybe for clash in desk.engine.clashing(desk.issue("app#2").id)] == [False]


async def test_events_of_a_lost_edit_are_read_only_after_changes_by_others(server: DemoServer) -> None:
    async with window(server) as desk:
        for fault in ("reset-before", "reset-after"):
            server.faults.next(fault, "updateIssue")
            desk.edit("app#1", weight=5 if fault == "reset-before" else 6)
            await desk.settled()
        assert desk.there("app#1").weight == 6
        assert not [record for record in server.requests if "resource_" in record.path]


async def test_one_document_lost_and_another_not_sent(server: DemoServer) -> None:
    """Of two concurrent documents, one is lost and one rejected (401): the first is recovered."""
    async with window(server) as desk:
        server.faults.next("reset-after", "createNote")
        server.faults.next("401", "createNote", times=1)
        names = [f"app#{n}" for n in range(1, 13)]
        acts = [(desk.issue(name).id, Comment(body=f"{name} {n}")) for name in names for n in range(3)]
        desk.engine.perform(acts, "many")
        await desk.settled()
        for name in names:
            assert desk.notes_there(name) == [f"{name} {n}" for n in range(3)]


def _signed_out(status: Status) -> bool:
    return status.freshness == "signed-out" and status.error is not None


async def test_a_token_that_expires_halfway_loses_nothing(tmp_path_store: Store) -> None:
    async with DemoServer(build_world(issues=60)) as server:
        names = [f"app#{n}" for n in range(1, 61)]
        async with window(server, tmp_path_store) as desk:
            server.faults.next("401", "updateIssue", skip=1, times=9999)
            desk.edit_all(names, weight=8)
            # Only for a moment: a poll is let in, and the next attempt to send is not.
            await desk.until(lambda: any(_signed_out(event.status) for event in desk.told(StatusChanged)))
            server.expire(server.token)
            left = desk.engine.status.unsent
            assert 0 < left <= 60
            assert all(desk.issue(name).weight == 8 for name in names)
        server.faults.clear()
        async with window(server, tmp_path_store, token=server.token_for("em_willow")) as desk:
            assert all(desk.there(name).weight == 8 for name in names)
            assert desk.engine.status.unsent == 0
            assert any("from the last session" in notice.text for notice in desk.told(Notice))


@pytest.fixture
def tmp_path_store() -> Store:
    """A store that outlives an engine."""
    return MemoryStore()


async def test_too_many_comments_at_once_are_sent_later(server: DemoServer) -> None:
    """GitLab limits comments per minute; the rest wait, and other changes do not wait for them."""
    server._gate.notes.limit = 2
    async with window(server) as desk:
        for n in range(4):
            desk.comment(f"app#{n + 1}", f"Note {n}")
        await desk.until(lambda: sum(len(desk.notes_there(f"app#{n + 1}")) for n in range(4)) == 2)
        desk.edit("app#9", weight=5)
        await desk.until(lambda: desk.there("app#9").weight == 5)
        assert desk.engine.status.failed == 0
        assert desk.engine.status.freshness == "live"
        server._gate.notes.limit = None
        desk.engine.refresh()
        await desk.settled()
        assert [desk.notes_there(f"app#{n + 1}") for n in range(4)] == [[f"Note {n}"] for n in range(4)]


# Offline


async def test_offline_from_the_start_and_coming_back(server: DemoServer, tmp_path_store: Store) -> None:
    async with window(server, tmp_path_store):
        pass
    await asyncio.to_thread(server.stop)
    async with window(server, tmp_path_store, sync=BRISK, loaded=False) as desk:
        await desk.until(lambda: desk.engine.status.freshness == "offline")
        desk.edit("app#1", weight=5)
        desk.comment("app#1", "From the train")
        desk.create("Idea")
        assert desk.issue("app#1").weight == 5
        assert desk.engine.status.unsent == 3
        assert await desk.engine.finish(0.1) == 3
    # Still down in a second session, and then back.
    async with window(server, tmp_path_store, sync=BRISK, loaded=False) as desk:
        assert desk.issue("app#1").weight == 5
        assert desk.known("app#new")
        await desk.until(lambda: desk.engine.status.freshness == "offline")
        await asyncio.to_thread(server.start)
        await desk.until(lambda: desk.engine.status.unsent == 0)
        assert desk.there("app#1").weight == 5
        assert desk.notes_there("app#1") == ["From the train"]
        assert desk.issue("app#13").title == "Idea"
        assert sum(len(event.done) for event in desk.told(Settled)) == 3
        await desk.until(lambda: desk.engine.status.freshness == "live")


async def test_a_server_that_returns_with_another_version(tmp_path_store: Store) -> None:
    world = build_world()
    async with DemoServer(world) as server:
        async with window(server, tmp_path_store, sync=BRISK) as desk:
            await asyncio.to_thread(server.stop)
            desk.edit("app#1", weight=5, status="In progress")
            await desk.until(lambda: desk.engine.status.freshness == "offline")
            port = server._port
            older = DemoServer(build_world(version="16.8.0"), port=port, token=server.token)
            await asyncio.to_thread(older.start)
            try:
                desk.engine.refresh()
                await desk.until(lambda: desk.engine.status.unsent == 0)
                assert older.world.issue("top/app#1").weight == 5 or desk.engine.status.failed
                desk.edit("app#2", weight=6)
                await desk.until(lambda: older.world.issue("top/app#2").weight == 6)
            finally:
                await asyncio.to_thread(older.stop)
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def speaking(answer: bytes, port: int) -> AsyncIterator[None]:
    """Something else listens on the server's port: it answers everything with these bytes, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1 << 16)
            writer.write(answer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    found = await asyncio.start_server(talk, "127.0.0.1", port)
    async with found:
        yield


def http(body: bytes, kind: bytes = b"application/json") -> bytes:
    """An answer with this body."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (kind, len(body)) + body


GARBAGE = {
    "noise": b"\x00\xff\x13garbage\r\n\r\n",
    "nothing": b"",
    "null": http(b"null"),
    "list": http(b"[]"),
    "empty": http(b"{}"),
    "data": http(b'{"data": {}}'),
    "wrong types": http(
        b'{"data": {"group": {"issues": {"nodes": [{"id": 1}]}}, "m0": 7, "metadata": "no"}}'
    ),
    "nulls": http(b'{"data": {"group": null, "m0": null, "metadata": null, "currentUser": null}}'),
    "not utf-8": http(b'{"data": "\xff\xfe"}'),
    "deep": http(b"[" * 100_000),
    "errors": http(b'{"errors": [{"message": 7}, null, "x"]}'),
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_answers_lose_nothing(server: DemoServer, kind: str) -> None:
    store = MemoryStore()
    async with window(server, store, sync=BRISK) as desk:
        await asyncio.to_thread(server.stop)
        async with speaking(GARBAGE[kind], server._port):
            desk.edit("app#1", weight=5)
            desk.comment("app#2", "Once")
            await desk.until(lambda: desk.engine.status.freshness != "live")
            for _ in range(3):
                before = desk.engine.mirror._polled
                desk.engine.refresh()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await desk.engine.drain.idle()
                assert desk.engine.mirror._polled == before
            assert len(desk.engine.shown) == 14
            assert len(store.outbox()) + len(store.refusals()) == 2
        await asyncio.to_thread(server.start)
        desk.engine.refresh()
        await desk.until(lambda: desk.engine.status.freshness == "live")
        await desk.until(lambda: desk.engine.status.unsent == 0)
        assert desk.engine.status.failed or desk.there("app#1").weight == 5
        assert desk.engine.status.failed or desk.notes_there("app#2") == ["Once"]
        desk.check() if desk.task is not None and desk.task.done() else None


async def test_connections_closed_after_every_change_duplicate_nothing(server: DemoServer) -> None:
    async with window(server, sync=structs.replace(STILL, poll=0.2, poll_idle=0.2)) as desk:
        for n in range(1, 6):
            server.faults.next("reset-after", "updateIssue")
            server.faults.next("reset-after", "createNote")
            desk.edit(f"app#{n}", weight=n + 3)
            desk.comment(f"app#{n}", f"Note {n}")
            await desk.settled()
        for n in range(1, 6):
            assert desk.there(f"app#{n}").weight == n + 3
            assert desk.notes_there(f"app#{n}") == [f"Note {n}"]


# The disk


class Refusing(MemoryStore):
    """A disk that refuses writes on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.refusing: set[str] = set()

    def _ask(self, what: str) -> None:
        if what in self.refusing:
            raise StoreFailed("The disk is full.", hint="Free some space.")

    def enqueue(self, entries, instead=()):  # type: ignore[no-untyped-def]  # as in the class above
        """Refuse or keep."""
        self._ask("enqueue")
        super().enqueue(entries, instead)

    def forgive(self, op):  # type: ignore[no-untyped-def]
        """Refuse or strike."""
        self._ask("forgive")
        super().forgive(op)

    def claim(self, ops, at):  # type: ignore[no-untyped-def]
        """Refuse or mark."""
        self._ask("claim")
        return super().claim(ops, at)

    def unclaim(self, ops):  # type: ignore[no-untyped-def]
        """Refuse or unmark."""
        self._ask("unclaim")
        super().unclaim(ops)

    def settle(self, ops, refusals, log):  # type: ignore[no-untyped-def]
        """Refuse or settle."""
        self._ask("settle")
        super().settle(ops, refusals, log)


async def test_a_failed_write_of_an_edit_changes_nothing(server: DemoServer) -> None:
    store = Refusing()
    async with window(server, store) as desk:
        store.refusing = {"enqueue"}
        with pytest.raises(StoreFailed):
            desk.edit("app#1", weight=5)
        assert desk.issue("app#1").weight == 1
        assert desk.engine.undo_stack.last is None
        store.refusing = set()
        desk.edit("app#1", weight=5)
        await desk.settled()
        assert desk.there("app#1").weight == 5


async def test_a_retry_removes_the_failed_change_in_the_same_write(server: DemoServer) -> None:
    store = Refusing()
    async with window(server, store) as desk:
        desk.edit("locked#1", weight=3)
        await desk.settled()
        ((op, _),) = desk.engine.failed
        store.refusing = {"enqueue", "forgive"}
        with pytest.raises(StoreFailed):
            desk.engine.retry(op.id)
        assert [one.id for one, _ in desk.engine.failed] == [op.id]
        assert [refusal.op.id for refusal in store.refusals()] == [op.id]
        store.refusing = {"forgive"}
        desk.engine.retry(op.id)
        assert desk.engine.failed == []
        assert store.refusals() == []
        assert desk.engine.status.unsent == 1


@pytest.mark.parametrize("refusing", ["claim", "settle", "unclaim", "claim unclaim", "settle unclaim"])
@pytest.mark.parametrize("fault", ["", "reset-after", "401"])
async def test_a_failed_write_while_sending_duplicates_nothing(
    server: DemoServer, refusing: str, fault: str
) -> None:
    store = Refusing()
    async with window(server, store) as desk:
        store.refusing = set(refusing.split())
        if fault:
            server.faults.next(fault, "createNote")
        desk.comment("app#1", "Once")
        desk.create("Once")
        desk.edit("app#2", weight=5)
        await desk.until(
            lambda: any(isinstance(event, Notice) for event in desk.events) or not len(desk.engine.pending)
        )
        assert desk.issue("app#2").weight == 5
        store.refusing = set()
        desk.engine.refresh()
        await desk.until(lambda: not len(desk.engine.pending))
        assert desk.notes_there("app#1") == ["Once"]
        titles = [issue.title for issue in desk.world.project("top/app").issues.values()]
        assert titles.count("Once") == 1
        assert desk.there("app#2").weight == 5
        assert store.outbox() == []
        assert desk.engine.status.failed == 0


async def test_recovery_of_a_late_send_starts_late(server: DemoServer) -> None:
    """A rate limit delays a comment; what counts is when its answer was lost."""
    async with window(server) as desk:
        server.faults.next("429", "createNote")
        server.faults.next("reset-before", "createNote")
        desk.comment("app#1", "Once")
        await desk.until(lambda: any(item.lost for item in lines(desk.engine)))
        [item] = lines(desk.engine)
        wait = desk.engine.drain._look_at(item) - item.lost
        assert wait == pytest.approx(desk.engine.pace.server_limit)
        asked = [record.status for record in server.requests.of("createNote")]
        assert asked == [429, 0]
        await desk.settled()
        assert desk.notes_there("app#1") == ["Once"]
