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
from glboard_core.errors import EditFailed, EditUnknown, Offline, StoreFailed
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Failed, Outcome, Store
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.events import EngineNotice, Settled, Status, StatusChanged
from support.engines import BRISK, HASTY, STILL, Session, build_world, lines, session

LOSSES = [
    "reset-before",
    "reset-after",
    "crash-before",
    "crash-after",
    "500",
    "502",
    "html",
    "html-200",
    "partial",
    "timeout",
]


@pytest.mark.slow
@pytest.mark.parametrize("fault", LOSSES)
async def test_a_comment_and_a_new_issue_with_a_lost_answer_exist_once(
    server: DemoServer, fault: str
) -> None:
    async with session(server, limits=HASTY) as context:
        server.faults.next(fault, "createNote")
        server.faults.next(fault, "createIssue")
        context.comment("app#1", "Once")
        context.create("Once", weight=3)
        await context.settled()
        assert context.notes_there("app#1") == ["Once"]
        titles = [issue.title for issue in context.world.project("top/app").issues.values()]
        assert titles.count("Once") == 1
        assert context.issue("app#13").weight == 3
        assert context.engine.status.failed == 0
        # And a recovered change can be undone like any other.
        context.engine.undoing.undo()
        context.engine.undoing.undo()
        await context.settled()
        assert context.notes_there("app#1") == []
        assert not context.there("app#13").open


@pytest.mark.slow
@pytest.mark.parametrize("fault", LOSSES)
async def test_edits_with_a_lost_answer_are_made_in_order(server: DemoServer, fault: str) -> None:
    async with session(server, limits=HASTY) as context:
        server.faults.next(fault, "updateIssue")
        context.do(
            "app#1", Edit(weight=3), Edit(weight=5), Edit(milestone="19.8"), Edit(assignees=("eng_1",))
        )
        context.edit("app#2", weight=7, assignees=("eng_2", "eng_1"))
        await context.settled()
        there = context.there("app#1")
        assert (there.weight, there.milestone.title) == (5, "19.8")
        assert [user.username for user in there.assignees] == ["eng_1"]
        assert context.there("app#2").weight == 7
        assert context.engine.status.failed == context.engine.status.conflicts == 0


async def test_a_lost_edit_that_was_made_is_not_overwritten_by_an_older_one(server: DemoServer) -> None:
    """Both edits of one issue were made and both answers lost: the first must not be sent again."""
    async with session(server) as context:
        server.faults.next("reset-after", "updateIssue")
        context.do("app#1", Edit(weight=3), Edit(weight=5))
        await context.settled()
        assert context.there("app#1").weight == 5
        assert context.mutations == 2


async def test_what_the_server_makes_late_goes_over_nothing(server: DemoServer) -> None:
    """The answer to an edit is lost, and the server carries it out only after it was looked for."""
    async with session(server) as context:
        gateway = context.engine.gateway
        send, late = gateway.send, []

        async def carried_out(*args: Any) -> None:
            # Within the time that a server takes, and after whatever is sent too early.
            with suppress(TimeoutError):
                async with asyncio.timeout(context.engine.timing.server_limit / 2):
                    await context.until(lambda: context.there("app#1").weight == 5)
            await send(*args[:3])

        async def without_an_answer(ops: Sequence[Op], *args: Any) -> list[Outcome]:
            gateway.send = send  # type: ignore[method-assign]
            late.append(asyncio.create_task(carried_out(ops, *args)))
            return [Failed(op=op.id, error=EditUnknown("The answer was lost.")) for op in ops]

        gateway.send = without_an_answer  # type: ignore[assignment, method-assign]
        context.edit("app#1", weight=3)
        await context.until(lambda: bool(late))
        context.edit("app#1", weight=5)
        await context.settled()
        await asyncio.gather(*late)
        weights = [event.value for event in context.there("app#1").history if event.kind == "weight"]
        assert weights == [1, 3, 5]
        assert [line.result for line in context.engine.store.log()] == ["done", "settled"]


async def test_a_batch_that_stops_leaves_alone_what_it_has_handed_to_recovery(store: Store) -> None:
    """The answer for one issue is lost in the first part, and the second part finds no connection: the lost
    edit must not be recovered twice at once, since one of the two could send it while the other looks."""
    async with DemoServer(build_world(issues=60)) as server, session(server, store) as context:
        engine, lost = context.engine, context.issue("app#1").id
        send, read, prepare = engine.gateway.send, engine.gateway.read, engine.poller.prepare
        reading, again = asyncio.Event(), asyncio.Event()
        parts, reads = [], []

        async def losing_one(ops: Sequence[Op], *rest: Any) -> list[Outcome]:
            parts.append(len(ops))
            if len(parts) > 1:
                again.set()
                return await send(ops, *rest)
            return [
                Failed(op=outcome.op, error=EditUnknown("The answer was lost."))
                if op.issue == lost
                else outcome
                for op, outcome in zip(ops, await send(ops, *rest[:2]), strict=True)
            ]

        async def without_a_connection(*args: Any) -> None:
            if len(parts) == 1 and not again.is_set():
                await reading.wait()
                again.set()
                raise Offline("The connection was lost.")
            await prepare(*args)

        async def slowly(issues: Sequence[IssueId], *rest: Any) -> Mapping[IssueId, Issue]:
            if lost in issues and parts:
                reads.append(len(issues))
                reading.set()
                await context.until(lambda: len(parts) > 1)
            return await read(issues, *rest)

        engine.gateway.send = losing_one  # type: ignore[assignment, method-assign]
        engine.gateway.read = slowly  # type: ignore[assignment, method-assign]
        engine.poller.prepare = without_a_connection  # type: ignore[assignment, method-assign]
        context.edit_all([f"app#{n}" for n in range(1, 61)], weight=7)
        await context.settled()
        assert len(parts) == 2
        assert reads == [1]
        assert sorted(line.result for line in engine.store.log()) == ["done"] * 59 + ["settled"]


async def test_what_the_server_fails_on_is_read_and_sent_once_more(server: DemoServer) -> None:
    async with session(server) as context:
        # Made before it failed: nothing is sent again.
        server.faults.next("crash-after", "updateIssue")
        context.edit("app#1", weight=5)
        await context.settled()
        assert len(server.requests.of("updateIssue")) == 1
        # Not made: once more.
        server.faults.next("crash-before", "updateIssue")
        context.edit("app#2", weight=5)
        await context.settled()
        assert (context.there("app#2").weight, context.mutations) == (5, 3)
        assert context.engine.status.failed == 0


async def test_what_the_server_always_fails_on_fails_soon(server: DemoServer) -> None:
    async with session(server) as context:
        server.faults.next("crash-before", "updateIssue", times=99)
        context.edit("app#1", weight=5)
        await context.settled()
        [(op, error)] = context.engine.failed
        assert isinstance(error, EditFailed)
        assert "connection" not in str(error)
        assert context.issue("app#1").weight == context.there("app#1").weight == 1
        assert context.mutations == 2
        server.faults.clear()
        context.engine.retry(op.id)
        await context.settled()
        assert context.there("app#1").weight == 5


async def test_what_the_server_fails_on_takes_no_other_change_with_it(server: DemoServer) -> None:
    async with session(server) as context:
        server.faults.next("crash-before", "updateIssue")
        context.edit_all([f"app#{n}" for n in (1, 2, 3)], weight=5)
        await context.settled()
        assert all(context.there(f"app#{n}").weight == 5 for n in (1, 2, 3))
        # All in one document, then each in one of its own.
        assert [record.mutations for record in server.requests.of("updateIssue")] == [3, 1, 1, 1]


def changed_before_the_look(context: Session, **theirs: Any) -> None:
    """Someone changes app#1 after our request, and before recovery."""
    gateway = context.engine.gateway
    read = gateway.read

    async def after_them(issues: Sequence[IssueId], *known: Any) -> Mapping[IssueId, Issue]:
        gateway.read = read  # type: ignore[method-assign]
        context.world.edit("top/app#1", by="eng_1", **theirs)
        return await read(issues, *known)

    gateway.read = after_them  # type: ignore[assignment, method-assign]


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
    async with session(server) as context:
        server.faults.next("reset-after", "updateIssue")
        changed_before_the_look(context, **theirs)
        context.edit("app#1", **mine)
        await context.settled()
        # The events tell that it was made: no conflict, and theirs stays.
        assert (
            context.engine.status.conflicts
            == context.engine.status.unsent
            == context.engine.status.failed
            == 0
        )
        assert [line.result for line in context.engine.store.log()] == ["settled"]
        assert len(server.requests.of("updateIssue")) == 1
        if "weight" in mine:
            # Undo checks as usual: theirs overwrote it.
            context.engine.undoing.undo()
            await context.settled()
            assert context.engine.status.conflicts == 1


async def test_a_lost_edit_that_was_not_made_is_a_conflict(server: DemoServer) -> None:
    async with session(server) as context:
        server.faults.next("reset-before", "updateIssue")
        changed_before_the_look(context, weight=9)
        context.edit("app#1", weight=5)
        await context.settled()
        assert context.there("app#1").weight == 9
        [clash] = context.engine.outbox.conflicting(context.issue("app#1").id)
        assert (clash.theirs, clash.maybe) == ("9", True)
        # Resolved, lost once more and changed once more: earlier attempts prove nothing.
        server.faults.next("reset-before", "updateIssue")
        changed_before_the_look(context, weight=8)
        context.engine.keep_mine(context.issue("app#1").id)
        await context.settled()
        assert context.engine.status.conflicts == 1
        context.engine.keep_mine(context.issue("app#1").id)
        await context.settled()
        assert context.there("app#1").weight == 5


async def test_an_edit_without_events_may_have_been_made(server: DemoServer) -> None:
    async with session(server) as context:
        server.faults.next("reset-after", "issueSetAssignees")
        changed_before_the_look(context, assignees=["eng_2"])
        context.edit("app#1", assignees=("eng_1",))
        await context.settled()
        [clash] = context.engine.outbox.conflicting(context.issue("app#1").id)
        assert clash.maybe
        # A conflict without a lost answer is certain.
        context.engine.keep_theirs(context.issue("app#1").id)
        context.edit("app#2", weight=5)
        context.world.edit("top/app#2", by="eng_1", weight=9)
        await context.settled()
        assert [clash.maybe for clash in context.engine.outbox.conflicting(context.issue("app#2").id)] == [
            False
        ]


async def test_events_of_a_lost_edit_are_read_only_after_changes_by_others(server: DemoServer) -> None:
    async with session(server) as context:
        for fault in ("reset-before", "reset-after"):
            server.faults.next(fault, "updateIssue")
            context.edit("app#1", weight=5 if fault == "reset-before" else 6)
            await context.settled()
        assert context.there("app#1").weight == 6
        assert not [record for record in server.requests if "resource_" in record.path]


async def test_one_document_lost_and_another_not_sent(server: DemoServer) -> None:
    """Of two concurrent documents, one is lost and one rejected (401): the first is recovered."""
    async with session(server) as context:
        server.faults.next("reset-after", "createNote")
        server.faults.next("401", "createNote", times=1)
        names = [f"app#{n}" for n in range(1, 13)]
        changes = [(context.issue(name).id, Comment(body=f"{name} {n}")) for name in names for n in range(3)]
        context.engine.perform(changes, "many")
        await context.settled()
        for name in names:
            assert context.notes_there(name) == [f"{name} {n}" for n in range(3)]


def _signed_out(status: Status) -> bool:
    return status.freshness == "signed-out" and status.error is not None


async def test_a_token_that_expires_halfway_loses_nothing(tmp_path_store: Store) -> None:
    async with DemoServer(build_world(issues=60)) as server:
        names = [f"app#{n}" for n in range(1, 61)]
        async with session(server, tmp_path_store) as context:
            server.faults.next("401", "updateIssue", skip=1, times=9999)
            context.edit_all(names, weight=8)
            # Only briefly: the next poll succeeds, and the next attempt to send fails.
            await context.until(
                lambda: any(_signed_out(event.status) for event in context.told(StatusChanged))
            )
            server.expire(server.token)
            left = context.engine.status.unsent
            assert 0 < left <= 60
            assert all(context.issue(name).weight == 8 for name in names)
        server.faults.clear()
        async with session(server, tmp_path_store, token=server.token_for("em_willow")) as context:
            assert all(context.there(name).weight == 8 for name in names)
            assert context.engine.status.unsent == 0
            assert any("from the last session" in notice.text for notice in context.told(EngineNotice))


@pytest.fixture
def tmp_path_store() -> Store:
    """A store that outlives an engine."""
    return SqliteStore(":memory:")


async def test_too_many_comments_at_once_are_sent_later(server: DemoServer) -> None:
    """GitLab limits comments per minute; the rest wait, and other changes do not wait for them."""
    server._gate.notes.limit = 2
    async with session(server) as context:
        for n in range(4):
            context.comment(f"app#{n + 1}", f"Note {n}")
        await context.until(lambda: sum(len(context.notes_there(f"app#{n + 1}")) for n in range(4)) == 2)
        context.edit("app#9", weight=5)
        await context.until(lambda: context.there("app#9").weight == 5)
        assert context.engine.status.failed == 0
        assert context.engine.status.freshness == "live"
        server._gate.notes.limit = None
        context.engine.refresh()
        await context.settled()
        assert [context.notes_there(f"app#{n + 1}") for n in range(4)] == [[f"Note {n}"] for n in range(4)]


# Offline


async def test_offline_from_the_start_and_coming_back(server: DemoServer, tmp_path_store: Store) -> None:
    async with session(server, tmp_path_store):
        pass
    await asyncio.to_thread(server.stop)
    async with session(server, tmp_path_store, sync=BRISK, loaded=False) as context:
        await context.until(lambda: context.engine.status.freshness == "offline")
        context.edit("app#1", weight=5)
        context.comment("app#1", "From the train")
        context.create("Idea")
        assert context.issue("app#1").weight == 5
        assert context.engine.status.unsent == 3
        assert await context.engine.finish(0.1) == 3
    # Still down in a second session, and then back.
    async with session(server, tmp_path_store, sync=BRISK, loaded=False) as context:
        assert context.issue("app#1").weight == 5
        assert context.known("app#new")
        await context.until(lambda: context.engine.status.freshness == "offline")
        await asyncio.to_thread(server.start)
        await context.until(lambda: context.engine.status.unsent == 0)
        assert context.there("app#1").weight == 5
        assert context.notes_there("app#1") == ["From the train"]
        assert context.issue("app#13").title == "Idea"
        assert sum(len(event.done) for event in context.told(Settled)) == 3
        await context.until(lambda: context.engine.status.freshness == "live")


async def test_a_server_that_returns_with_another_version(tmp_path_store: Store) -> None:
    world = build_world()
    async with DemoServer(world) as server:
        async with session(server, tmp_path_store, sync=BRISK) as context:
            await asyncio.to_thread(server.stop)
            context.edit("app#1", weight=5, status="In progress")
            await context.until(lambda: context.engine.status.freshness == "offline")
            port = server._port
            older = DemoServer(build_world(version="16.8.0"), port=port, token=server.token)
            await asyncio.to_thread(older.start)
            try:
                context.engine.refresh()
                await context.until(lambda: context.engine.status.unsent == 0)
                assert older.world.issue("top/app#1").weight == 5 or context.engine.status.failed
                context.edit("app#2", weight=6)
                await context.until(lambda: older.world.issue("top/app#2").weight == 6)
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_answers_lose_nothing(server: DemoServer, kind: str) -> None:
    store = SqliteStore(":memory:")
    async with session(server, store, sync=BRISK) as context:
        await asyncio.to_thread(server.stop)
        async with speaking(GARBAGE[kind], server._port):
            context.edit("app#1", weight=5)
            context.comment("app#2", "Once")
            await context.until(lambda: context.engine.status.freshness != "live")
            for _ in range(3):
                before = context.engine.poller._polled
                context.engine.refresh()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await context.engine.sender.idle()
                assert context.engine.poller._polled == before
            assert len(context.engine.shown) == 14
            assert len(store.outbox()) + len(store.failed_changes()) == 2
        await asyncio.to_thread(server.start)
        context.engine.refresh()
        await context.until(lambda: context.engine.status.freshness == "live")
        await context.until(lambda: context.engine.status.unsent == 0)
        assert context.engine.status.failed or context.there("app#1").weight == 5
        assert context.engine.status.failed or context.notes_there("app#2") == ["Once"]
        context.check() if context.task is not None and context.task.done() else None


@pytest.mark.slow
async def test_connections_closed_after_every_change_duplicate_nothing(server: DemoServer) -> None:
    async with session(server, sync=structs.replace(STILL, poll=0.2, poll_idle=0.2)) as context:
        for n in range(1, 6):
            server.faults.next("reset-after", "updateIssue")
            server.faults.next("reset-after", "createNote")
            context.edit(f"app#{n}", weight=n + 3)
            context.comment(f"app#{n}", f"Note {n}")
            await context.settled()
        for n in range(1, 6):
            assert context.there(f"app#{n}").weight == n + 3
            assert context.notes_there(f"app#{n}") == [f"Note {n}"]


# The disk


class Refusing(SqliteStore):
    """A disk that refuses writes on demand."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.refusing: set[str] = set()

    def _ask(self, what: str) -> None:
        if what in self.refusing:
            raise StoreFailed("The disk is full.", hint="Free some space.")

    def enqueue(self, entries, instead=()):  # type: ignore[no-untyped-def]  # as in the class above
        """Refuse or keep."""
        self._ask("enqueue")
        super().enqueue(entries, instead)

    def delete_failed(self, op):  # type: ignore[no-untyped-def]
        """Refuse or strike."""
        self._ask("delete_failed")
        super().delete_failed(op)

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
    async with session(server, store) as context:
        store.refusing = {"enqueue"}
        with pytest.raises(StoreFailed):
            context.edit("app#1", weight=5)
        assert context.issue("app#1").weight == 1
        assert context.engine.undo_stack.last is None
        store.refusing = set()
        context.edit("app#1", weight=5)
        await context.settled()
        assert context.there("app#1").weight == 5


async def test_a_retry_removes_the_failed_change_in_the_same_write(server: DemoServer) -> None:
    store = Refusing()
    async with session(server, store) as context:
        context.edit("locked#1", weight=3)
        await context.settled()
        ((op, _),) = context.engine.failed
        store.refusing = {"enqueue", "delete_failed"}
        with pytest.raises(StoreFailed):
            context.engine.retry(op.id)
        assert [one.id for one, _ in context.engine.failed] == [op.id]
        assert [refusal.op.id for refusal in store.failed_changes()] == [op.id]
        store.refusing = {"delete_failed"}
        context.engine.retry(op.id)
        assert context.engine.failed == []
        assert store.failed_changes() == []
        assert context.engine.status.unsent == 1


@pytest.mark.parametrize("refusing", ["claim", "settle", "unclaim", "claim unclaim", "settle unclaim"])
@pytest.mark.parametrize("fault", ["", "reset-after", "401"])
async def test_a_failed_write_while_sending_duplicates_nothing(
    server: DemoServer, refusing: str, fault: str
) -> None:
    store = Refusing()
    async with session(server, store) as context:
        store.refusing = set(refusing.split())
        if fault:
            server.faults.next(fault, "createNote")
        context.comment("app#1", "Once")
        context.create("Once")
        context.edit("app#2", weight=5)
        await context.until(
            lambda: (
                any(isinstance(event, EngineNotice) for event in context.events)
                or not len(context.engine.outbox)
            )
        )
        assert context.issue("app#2").weight == 5
        store.refusing = set()
        context.engine.refresh()
        await context.until(lambda: not len(context.engine.outbox))
        assert context.notes_there("app#1") == ["Once"]
        titles = [issue.title for issue in context.world.project("top/app").issues.values()]
        assert titles.count("Once") == 1
        assert context.there("app#2").weight == 5
        assert store.outbox() == []
        assert context.engine.status.failed == 0


@pytest.mark.slow
async def test_recovery_of_a_late_send_starts_late(server: DemoServer) -> None:
    """A rate limit delays a comment; what counts is when its answer was lost."""
    async with session(server) as context:
        server.faults.next("429", "createNote")
        server.faults.next("reset-before", "createNote")
        context.comment("app#1", "Once")
        await context.until(lambda: any(item.lost_at for item in lines(context.engine)))
        [item] = lines(context.engine)
        wait = context.engine.sender._recovery_at(item) - item.lost_at
        assert wait == pytest.approx(context.engine.timing.server_limit)
        asked = [record.status for record in server.requests.of("createNote")]
        assert asked == [429, 0]
        await context.settled()
        assert context.notes_there("app#1") == ["Once"]
