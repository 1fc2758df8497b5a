"""The one comment of its kind: never two of it, never lost, can be undone, and failures are reported."""

from __future__ import annotations

import pytest
from msgspec import structs

from glboard_core.board.operations import NoteWrite
from glboard_core.demo.http.server import DemoServer
from glboard_core.ports import Store
from support.engines import STILL, Window, window

MARK = "capacity 19.8"
#: Before and after the change is made.
LOSSES = ("reset-before", "reset-after")
HELD = structs.replace(STILL, hold=3600, hold_comments=7200)


def write(desk: Window, body: str, was: str | None = None, name: str = "app#1") -> None:
    desk.do(name, NoteWrite(mark=MARK, body=body, was=was))


async def test_a_second_note_updates_the_first(desk: Window) -> None:
    write(desk, "Room 4")
    assert desk.issue("app#1").notes == 1
    await desk.settled()
    write(desk, "Room 2", "Room 4")
    await desk.settled()
    assert desk.notes_there("app#1") == ["Room 2"]
    assert desk.issue("app#1").notes == 1
    assert [line.what for line in desk.engine.history()] == ["update comment", "comment"]
    for left in (["Room 4"], []):
        desk.engine.undo()
        await desk.settled()
        assert desk.notes_there("app#1") == left
    for left in (["Room 4"], ["Room 2"]):
        desk.engine.redo()
        await desk.settled()
        assert desk.notes_there("app#1") == left


async def test_two_unsent_notes_become_one(desk: Window) -> None:
    write(desk, "Room 4")
    write(desk, "Room 2")
    await desk.settled()
    assert desk.notes_there("app#1") == ["Room 2"]


async def test_a_note_created_elsewhere_is_updated(desk: Window) -> None:
    body = f"Room 9\n\n<!-- glboard note: {MARK} -->\n\n<!-- glboard:another -->"
    desk.world.comment("top/app#1", body, by="em_willow")
    desk.world.comment("top/app#1", body.replace("9", "7"), by="eng_1")
    write(desk, "Room 4")
    await desk.settled()
    assert desk.notes_there("app#1") == ["Room 4", "Room 7"]


async def test_a_note_deleted_elsewhere_is_created_again(desk: Window) -> None:
    write(desk, "Room 4")
    await desk.settled()
    [note] = desk.there("app#1").notes
    desk.world.drop_note(note)
    write(desk, "Room 2", "Room 4")
    await desk.settled()
    assert desk.notes_there("app#1") == ["Room 2"]


async def test_a_note_undone_within_the_hold_is_never_sent(server: DemoServer) -> None:
    async with window(server, sync=HELD) as desk:
        server.requests.clear()
        write(desk, "Room 4")
        desk.engine.undo()
        assert await desk.engine.finish(5) == 0
        assert desk.mutations == 0
        assert desk.issue("app#1").notes == 0


@pytest.mark.parametrize("fault", LOSSES)
@pytest.mark.parametrize("field", ["createNote", "updateNote"])
async def test_a_note_with_a_lost_answer_exists_once(server: DemoServer, fault: str, field: str) -> None:
    async with window(server) as desk:
        if field == "updateNote":
            write(desk, "Room 4")
            await desk.settled()
        server.faults.next(fault, field)
        write(desk, "Room 2")
        await desk.settled()
        assert desk.notes_there("app#1") == ["Room 2"]
        assert desk.engine.status.failed == 0


async def test_a_note_is_undone_in_a_later_session(server: DemoServer, store: Store) -> None:
    async with window(server, store) as desk:
        write(desk, "Room 4")
        await desk.settled()
        write(desk, "Room 2", "Room 4")
        await desk.settled()
    async with window(server, store) as desk:
        for left in (["Room 4"], []):
            desk.engine.undo()
            await desk.settled()
            assert desk.notes_there("app#1") == left


async def test_a_failed_note_can_be_retried(desk: Window) -> None:
    project = desk.world.project("top/app")
    project.archived = True
    write(desk, "Room 4")
    await desk.settled()
    assert desk.notes_there("app#1") == []
    [(op, _)] = desk.engine.failed
    assert desk.issue("app#1").notes == 0
    project.archived = False
    desk.engine.retry(op.id)
    await desk.settled()
    assert desk.notes_there("app#1") == ["Room 4"]
