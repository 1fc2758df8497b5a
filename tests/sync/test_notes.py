"""The one comment of its kind: never two of it, never lost, can be undone, and failures are reported."""

from __future__ import annotations

import pytest
from msgspec import structs

from glboard_core.board.operations import NoteWrite
from glboard_core.demo.http.server import DemoServer
from glboard_core.ports import Store
from support.engines import STILL, Session, session

MARK = "capacity 19.8"
#: Before and after the change is made.
LOSSES = ("reset-before", "reset-after")
HELD = structs.replace(STILL, hold=3600, hold_comments=7200)


def write(context: Session, body: str, was: str | None = None, name: str = "app#1") -> None:
    context.do(name, NoteWrite(mark=MARK, body=body, was=was))


async def test_a_second_note_updates_the_first(context: Session) -> None:
    write(context, "Room 4")
    assert context.issue("app#1").notes == 1
    await context.settled()
    write(context, "Room 2", "Room 4")
    await context.settled()
    assert context.notes_there("app#1") == ["Room 2"]
    assert context.issue("app#1").notes == 1
    assert [line.what for line in context.engine.store.log()] == ["update comment", "comment"]
    for left in (["Room 4"], []):
        context.engine.undoing.undo()
        await context.settled()
        assert context.notes_there("app#1") == left
    for left in (["Room 4"], ["Room 2"]):
        context.engine.undoing.redo()
        await context.settled()
        assert context.notes_there("app#1") == left


async def test_two_unsent_notes_become_one(context: Session) -> None:
    write(context, "Room 4")
    write(context, "Room 2")
    await context.settled()
    assert context.notes_there("app#1") == ["Room 2"]


async def test_a_note_created_elsewhere_is_updated(context: Session) -> None:
    body = f"Room 9\n\n<!-- glboard note: {MARK} -->\n\n<!-- glboard:another -->"
    context.world.comment("top/app#1", body, by="em_willow")
    context.world.comment("top/app#1", body.replace("9", "7"), by="eng_1")
    write(context, "Room 4")
    await context.settled()
    assert context.notes_there("app#1") == ["Room 4", "Room 7"]


async def test_a_note_deleted_elsewhere_is_created_again(context: Session) -> None:
    write(context, "Room 4")
    await context.settled()
    [note] = context.there("app#1").notes
    context.world.drop_note(note)
    write(context, "Room 2", "Room 4")
    await context.settled()
    assert context.notes_there("app#1") == ["Room 2"]


async def test_a_note_undone_within_the_hold_is_never_sent(server: DemoServer) -> None:
    async with session(server, sync=HELD) as context:
        server.requests.clear()
        write(context, "Room 4")
        context.engine.undoing.undo()
        assert await context.engine.finish(5) == 0
        assert context.mutations == 0
        assert context.issue("app#1").notes == 0


@pytest.mark.parametrize("fault", LOSSES)
@pytest.mark.parametrize("field", ["createNote", "updateNote"])
async def test_a_note_with_a_lost_answer_exists_once(server: DemoServer, fault: str, field: str) -> None:
    async with session(server) as context:
        if field == "updateNote":
            write(context, "Room 4")
            await context.settled()
        server.faults.next(fault, field)
        write(context, "Room 2")
        await context.settled()
        assert context.notes_there("app#1") == ["Room 2"]
        assert context.engine.status.failed == 0


async def test_a_note_is_undone_in_a_later_session(server: DemoServer, store: Store) -> None:
    async with session(server, store) as context:
        write(context, "Room 4")
        await context.settled()
        write(context, "Room 2", "Room 4")
        await context.settled()
    async with session(server, store) as context:
        for left in (["Room 4"], []):
            context.engine.undoing.undo()
            await context.settled()
            assert context.notes_there("app#1") == left


async def test_a_failed_note_can_be_retried(context: Session) -> None:
    project = context.world.project("top/app")
    project.archived = True
    write(context, "Room 4")
    await context.settled()
    assert context.notes_there("app#1") == []
    [(op, _)] = context.engine.failed
    assert context.issue("app#1").notes == 0
    project.archived = False
    context.engine.retry(op.id)
    await context.settled()
    assert context.notes_there("app#1") == ["Room 4"]
