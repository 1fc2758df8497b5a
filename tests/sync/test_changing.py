"""Changes: what a person does reaches the server once, in order, or is reported as failed."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec import structs

from glboard_core.board.operations import Comment, Create, Edit
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditDropped, EditForbidden, EditRefused, ReadOnly
from glboard_core.ports import Store
from glboard_core.sync.events import IssuesChanged, Renamed, Settled
from glboard_core.sync.ids import new_issue_id
from support.engines import GROUP_LABEL, STILL, Window, build_world, window

#: Nothing is sent while a test checks.
HELD = structs.replace(STILL, hold=3600, hold_comments=7200)


async def test_an_edit_is_shown_at_once_and_reaches_the_server(desk: Window) -> None:
    desk.edit("app#1", weight=5, milestone="19.8", add=frozenset({"workflow::in dev"}))
    assert desk.issue("app#1").weight == 5
    assert desk.engine.status.unsent == 1
    await desk.settled()
    there = desk.there("app#1")
    assert (there.weight, there.milestone.title) == (5, "19.8")
    assert "workflow::in dev" in desk.labels_there("app#1")
    assert desk.engine.status.unsent == 0
    [settled] = desk.told(Settled)
    assert (len(settled.done), len(settled.failed)) == (1, 0)


async def test_an_edit_without_effect_is_not_sent(desk: Window) -> None:
    assert desk.edit("app#1", weight=1) == []
    await desk.settled()
    assert desk.mutations == 0


async def test_edits_of_one_issue_arrive_in_order(desk: Window) -> None:
    for weight in (2, 3, 4, 5):
        desk.edit("app#1", weight=weight)
    await desk.settled()
    assert desk.there("app#1").weight == 5
    weights = [e for e in desk.engine.history() if e.result == "done"]
    assert [line.what for line in reversed(weights)] == [f"weight {n}" for n in (2, 3, 4, 5)]


# Undo


async def test_undo_withdraws_unsent_changes(server: DemoServer, store: Store) -> None:
    async with window(server, store, sync=HELD) as desk:
        server.requests.clear()
        desk.edit("app#1", weight=5)
        desk.comment("app#1", "A slip")
        assert desk.engine.undo() is not None
        assert desk.engine.undo() is not None
        assert desk.issue("app#1").weight == 1
        assert await desk.engine.finish(5) == 0
        assert desk.mutations == 0
        assert desk.engine.history() == []
        assert store.outbox() == []


async def test_undo_of_a_sent_change_sends_the_inverse(desk: Window) -> None:
    desk.edit("app#1", weight=5, milestone=None, add=frozenset({"type::feature"}))
    await desk.settled()
    assert "type::bug" not in desk.labels_there("app#1")
    assert desk.engine.undo() is not None
    assert desk.issue("app#1").weight == 1
    await desk.settled()
    there = desk.there("app#1")
    assert (there.weight, there.milestone.title) == (1, "19.7")
    assert desk.labels_there("app#1") == {GROUP_LABEL, "type::bug"}
    assert desk.engine.redo() is not None
    await desk.settled()
    assert desk.there("app#1").weight == 5


async def test_a_bulk_edit_is_one_level_of_undo(desk: Window) -> None:
    names = [f"app#{n}" for n in range(1, 11)]
    desk.edit("app#12", weight=2)
    desk.edit_all(names, weight=8)
    await desk.settled()
    assert all(desk.there(name).weight == 8 for name in names)
    group = desk.engine.undo()
    assert group is not None
    assert group.title == "bulk"
    await desk.settled()
    assert all(desk.there(name).weight == 1 for name in names)
    assert desk.there("app#12").weight == 2


async def test_undo_of_several_acts_on_one_issue(desk: Window) -> None:
    desk.do("app#1", Edit(weight=5), Edit(weight=7), Edit(milestone="19.9"))
    await desk.settled()
    desk.engine.undo()
    await desk.settled()
    assert (desk.there("app#1").weight, desk.there("app#1").milestone.title) == (1, "19.7")
    assert desk.engine.status.conflicts == 0


async def test_undo_of_several_acts_finds_every_conflict(desk: Window) -> None:
    """Someone changed what the first act of the group had changed: undo must not overwrite that."""
    desk.do("app#1", Edit(milestone="19.9"), Edit(weight=5))
    await desk.settled()
    desk.world.edit("top/app#1", by="eng_1", milestone="Backlog")
    await desk.refreshed()
    desk.engine.undo()
    await desk.settled()
    assert desk.there("app#1").milestone.title == "Backlog"
    assert [clash.field for clash in desk.engine.clashing(desk.issue("app#1").id)] == ["milestone"]


async def test_undo_of_a_comment_deletes_the_note(desk: Window) -> None:
    desk.comment("app#1", "Hello")
    await desk.settled()
    assert desk.notes_there("app#1") == ["Hello"]
    desk.engine.undo()
    await desk.settled()
    assert desk.notes_there("app#1") == []
    desk.engine.redo()
    await desk.settled()
    assert desk.notes_there("app#1") == ["Hello"]


async def test_a_comment_of_an_earlier_session_is_found_and_deleted(server: DemoServer, store: Store) -> None:
    async with window(server, store) as desk:
        desk.comment("app#1", "Hello")
        await desk.settled()
    async with window(server, store) as desk:
        group = desk.engine.undo()
        assert group is not None
        await desk.settled()
        assert desk.notes_there("app#1") == []
        # Neither the undone change nor the undo is undone again.
        assert desk.engine.undo() is None


async def test_undo_withdraws_unsent_changes_and_inverts_the_rest(server: DemoServer, store: Store) -> None:
    """One key on two issues: one edit was sent, the other waits behind a comment that is still held."""
    async with window(server, store, sync=structs.replace(HELD, hold=0)) as desk:
        desk.comment("app#2", "Held")
        server.requests.clear()
        desk.edit_all(["app#1", "app#2"], add=frozenset({"workflow::blocked"}))
        await desk.until(lambda: "workflow::blocked" in desk.labels_there("app#1"))
        await desk.until(lambda: len(desk.engine.pending) == 2)
        desk.engine.undo()
        await desk.until(lambda: "workflow::blocked" not in desk.labels_there("app#1"))
        await desk.until(lambda: len(desk.engine.pending) == 1)
        assert desk.labels_there("app#1") == {GROUP_LABEL, "type::bug"}
        assert await desk.engine.finish(5) == 0
        assert desk.labels_there("app#2") == {GROUP_LABEL, "type::bug"}
        assert desk.notes_there("app#2") == ["Held"]
        # Edit and undo on the one, the comment on the other, and nothing else.
        assert desk.mutations == 3


async def test_a_new_issue_is_renamed_and_edits_on_it_follow(desk: Window) -> None:
    new = desk.create("Fresh", weight=2)
    assert desk.issue("app#new").weight == 2
    desk.engine.perform([(new, Edit(weight=3))], "weight 3")
    desk.engine.perform([(new, Comment(body="First"))], "comment")
    await desk.settled()
    [renamed] = desk.told(Renamed)
    assert renamed.old == new
    assert desk.issue("app#13").id == renamed.new
    assert desk.there("app#13").weight == 3
    assert desk.notes_there("app#13") == ["First"]
    assert not desk.known("app#new")
    # Undo: the comment, the weight, and the issue itself, which can only be closed.
    for _ in range(3):
        assert desk.engine.undo() is not None
    await desk.settled()
    assert desk.notes_there("app#13") == []
    assert (desk.there("app#13").weight, desk.there("app#13").open) == (2, False)
    # Redo reopens it, and creates no second one.
    desk.engine.redo()
    await desk.settled()
    assert desk.there("app#13").open
    assert 14 not in desk.world.project("top/app").issues


async def test_changes_to_a_failed_new_issue_fail_with_it(desk: Window) -> None:
    new = new_issue_id()
    desk.engine.perform([(new, Create(project="top/app", title="x" * 300))], "new issue")
    desk.engine.perform([(new, Edit(weight=3))], "weight 3")
    await desk.settled()
    assert [op.issue for op, _ in desk.engine.failed] == [new, new]
    assert desk.engine.status.unsent == 0
    # They are retried together.
    desk.engine.retry(desk.engine.failed[0][0].id)
    assert desk.engine.status.unsent == 2
    await desk.settled()
    assert desk.engine.status.failed == 2


async def test_a_new_issue_created_in_part_is_not_created_again(desk: Window) -> None:
    """GitLab created the issue but dropped a label: a retry fixes the issue, and creates no second one."""
    labels = frozenset({GROUP_LABEL, "Deliverable"})
    acts = [(new_issue_id(), Create(project="top/locked", title="Half", labels=labels, weight=3))]
    desk.engine.perform(acts, "new issue")
    await desk.settled()
    [(op, error)] = desk.engine.failed
    assert isinstance(error, EditDropped)
    assert isinstance(op.act, Edit)
    assert (op.act.add, op.act.weight) == (labels, 3)
    del desk.world.project("top/locked").overrides[desk.world.owner.id]
    desk.engine.retry(op.id)
    await desk.settled()
    assert desk.labels_there("locked#2") == labels
    assert desk.there("locked#2").weight == 3
    assert sorted(desk.world.project("top/locked").issues) == [1, 2]


# Failed changes


async def test_a_silent_drop_is_reported_and_the_card_goes_back(desk: Window) -> None:
    ops = desk.edit("locked#1", add=frozenset({"Deliverable"}))
    ops += desk.edit("app#1", weight=3)
    await desk.settled()
    assert desk.there("app#1").weight == 3
    assert "Deliverable" not in desk.issue("locked#1").labels
    [(op, error)] = desk.engine.failed
    assert op.id == ops[0].id
    assert isinstance(error, EditForbidden | EditDropped)
    assert desk.engine.status.failed == 1
    assert desk.engine.undo_stack.last is not None
    assert all(o.id != op.id for o in desk.engine.undo_stack.last.ops)


async def test_failed_changes_are_stored_and_can_be_retried_or_discarded(
    server: DemoServer, store: Store
) -> None:
    async with window(server, store) as desk:
        desk.edit("locked#1", weight=3)
        desk.comment("locked#1", "No")
        await desk.settled()
        assert len(desk.engine.failed) >= 1
        count = len(desk.engine.failed)
    async with window(server, store) as desk:
        assert len(desk.engine.failed) == count
        (first, error) = desk.engine.failed[0]
        assert isinstance(error, EditRefused)
        del server.world.project("top/locked").overrides[server.world.owner.id]
        desk.engine.retry(first.id)
        await desk.settled()
        assert desk.there("locked#1").weight == 3
        assert first.id not in {op.id for op, _ in desk.engine.failed}
        # A retry can be undone.
        desk.engine.undo()
        await desk.settled()
        assert desk.there("locked#1").weight is None
        for op, _ in list(desk.engine.failed):
            desk.engine.drop_failed(op.id)
        assert desk.engine.status.failed == 0
        desk.engine.retry(first.id)
        assert desk.engine.status.unsent == 0
    async with window(server, store) as desk:
        assert desk.engine.failed == []


async def test_changes_after_a_failed_edit_are_sent(desk: Window) -> None:
    desk.server.faults.next("429", "updateIssue")
    names = ["app#1", "locked#1", "app#2"]
    desk.edit_all(names, weight=9)
    await desk.settled()
    assert [desk.there(name).weight for name in names] == [9, None, 9]


async def test_a_failed_edit_does_not_hide_a_later_conflict(desk: Window) -> None:
    """The first of two edits fails; the second is on a field that someone else changed meanwhile."""
    desk.engine.drain._not_before = time.time() + 3600
    desk.edit("locked#1", weight=9)
    del desk.world.project("top/locked").overrides[desk.world.owner.id]
    desk.edit("app#1", milestone="nowhere at all")
    desk.edit("app#1", weight=7)
    desk.world.edit("top/app#1", by="eng_1", weight=5)
    desk.engine.refresh()
    await desk.settled()
    assert desk.there("app#1").weight == 5
    assert [c.field for c in desk.engine.clashing(desk.issue("app#1").id)] == ["weight"]


# The hold


async def test_edits_are_held_until_the_keys_rest(server: DemoServer, store: Store) -> None:
    async with window(server, store, sync=structs.replace(STILL, hold=0.3, hold_comments=0.6)) as desk:
        server.requests.clear()
        desk.edit("app#1", weight=2)
        for weight in (3, 4, 5):
            due = [item.due for item in desk.engine.pending.items(desk.issue("app#1").id)]
            await asyncio.sleep(0)
            desk.edit("app#1", weight=weight)
            later = [item.due for item in desk.engine.pending.items(desk.issue("app#1").id)]
            assert all(now >= before for before, now in zip(due, later, strict=False))
            assert len(set(later)) == 1
        desk.comment("app#2", "Later")
        desk.edit("app#3", weight=2)
        assert desk.mutations == 0
        await desk.until(lambda: desk.there("app#1").weight == 5)
        assert desk.notes_there("app#2") == []
        # Four edits, held together, are one document (that of the other issue may be included).
        assert len([r for r in server.requests.of("updateIssue") if r.mutations >= 4]) == 1
        await desk.settled()
        assert desk.notes_there("app#2") == ["Later"]


async def test_an_edit_with_a_comment_is_sent_as_one(server: DemoServer, store: Store) -> None:
    hold = structs.replace(STILL, hold=0.05, hold_comments=0.5)
    async with window(server, store, sync=hold) as desk:
        events = len(desk.there("app#1").history or ())
        desk.do("app#1", Edit(weight=5), Comment(body="Why"))
        desk.edit("app#2", weight=3)
        await desk.until(lambda: desk.there("app#2").weight == 3)
        # The short hold is over; the edit waits for its comment, and undo withdraws both unsent.
        assert desk.there("app#1").weight == 1
        desk.engine.undo()  # the other issue's, which has left
        desk.engine.undo()
        await desk.settled()
        assert not desk.world.issue("top/app#1").notes
        assert len(desk.there("app#1").history or ()) == events
        server.requests.clear()
        desk.do("app#1", Edit(weight=5), Comment(body="Why"))
        await desk.settled()
        assert [record.mutations for record in server.requests if record.mutations] == [2]
        assert (desk.there("app#1").weight, desk.notes_there("app#1")) == (5, ["Why"])


async def test_quitting_sends_at_once(server: DemoServer, store: Store) -> None:
    async with window(server, store, sync=HELD) as desk:
        desk.edit("app#1", weight=2)
        desk.comment("app#1", "Bye")
        assert await desk.engine.finish(10) == 0
        assert desk.there("app#1").weight == 2
        assert desk.notes_there("app#1") == ["Bye"]


async def test_undo_wakes_a_waiting_quit(server: DemoServer, store: Store) -> None:
    async with window(server, store, sync=HELD) as desk:
        desk.edit("app#1", weight=2)
        waiting = asyncio.create_task(desk.engine.settled())
        await asyncio.sleep(0)
        desk.engine.undo()
        await desk.wait_for(waiting)


async def test_read_only_refuses_every_change(server: DemoServer, store: Store) -> None:
    async with window(server, store, sync=HELD) as desk:
        desk.edit("app#1", weight=2)
        await desk.engine.finish(10)
        desk.edit("app#2", weight=2)
    async with window(server, store, read_only=True, loaded=False) as desk:
        await desk.until(lambda: desk.engine.status.freshness == "live")
        server.requests.clear()
        with pytest.raises(ReadOnly):
            desk.edit("app#3", weight=2)
        with pytest.raises(ReadOnly):
            desk.engine.undo()
        desk.engine.refresh()
        assert await desk.engine.finish(0.2) == 1
        assert desk.mutations == 0
    assert len(store.outbox()) == 1


# The cost


@pytest.mark.parametrize(("count", "most"), [(1, 2), (20, 3), (100, 10)])
async def test_many_edits_take_few_requests(count: int, most: int, store: Store) -> None:
    async with DemoServer(build_world(issues=100)) as server, window(server, store, sync=HELD) as desk:
        server.requests.clear()
        desk.edit_all([f"app#{n}" for n in range(1, count + 1)], milestone="19.8")
        assert await desk.engine.finish(20) == 0
        assert len(server.requests) <= most
        moved = sum(desk.there(f"app#{n}").milestone.title == "19.8" for n in range(1, 101))
        assert moved == count


async def test_every_change_is_announced(desk: Window) -> None:
    desk.edit("app#1", weight=5)
    await desk.settled()
    assert [event.cause for event in desk.told(IssuesChanged)][-2:] == ["mine", "answer"]
