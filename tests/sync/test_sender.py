"""Changes: what a person does reaches the server once, in order, or is reported as failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.operations import Comment, Create, Edit, Op, new_issue_id
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditDropped, EditForbidden, EditGone, EditRefused, ReadOnly
from glboard_core.ports import Outcome, Store
from glboard_core.sync.events import IssuesChanged, Renamed, Settled
from support.engines import GROUP_LABEL, STILL, Session, build_world, session, settled

#: Nothing is sent while a test checks.
HELD = structs.replace(STILL, hold=3600, hold_comments=7200)


async def test_an_edit_is_shown_at_once_and_reaches_the_server(context: Session) -> None:
    context.edit("app#1", weight=5, milestone="19.8", add=frozenset({"workflow::in dev"}))
    assert context.issue("app#1").weight == 5
    assert context.engine.status.unsent == 1
    await context.settled()
    there = context.there("app#1")
    assert (there.weight, there.milestone.title) == (5, "19.8")
    assert "workflow::in dev" in context.labels_there("app#1")
    assert context.engine.status.unsent == 0
    [settled] = context.told(Settled)
    assert (len(settled.done), len(settled.failed)) == (1, 0)


async def test_many_edits_are_settled_document_by_document(store: Store) -> None:
    async with DemoServer(build_world(issues=25)) as server, session(server, store) as context:
        context.edit_all([f"app#{n}" for n in range(1, 26)], weight=7)
        await context.settled()
        told = context.told(Settled)
        assert len(told) == 3
        assert sum(len(one.done) for one in told) == 25
        counts = context.engine.gateway.requests
        assert counts["change"] >= 3
        assert counts["load"] >= 2
        assert sum(counts.values()) == len(server.requests)


async def test_before_each_part_of_many_edits_is_checked_what_others_changed(store: Store) -> None:
    async with DemoServer(build_world(issues=60)) as server, session(server, store) as context:
        send, parts = context.engine.gateway.send, []

        async def first_part(ops: Sequence[Op], *rest: Any) -> list[Outcome]:
            outcomes = await send(ops, *rest)
            parts.append(len(ops))
            if len(parts) == 1:
                context.world.edit("top/app#60", by="eng_1", weight=9)
            return outcomes

        context.engine.gateway.send = first_part  # type: ignore[assignment, method-assign]
        context.edit_all([f"app#{n}" for n in range(1, 61)], weight=7)
        await context.settled()
        assert parts == [50, 9]
        assert context.there("app#60").weight == 9
        assert context.engine.status.conflicts == 1


async def test_a_card_whose_issue_is_gone_leaves_the_board(context: Session) -> None:
    context.world.delete("top/app#2")
    context.edit_all(["app#1", "app#2"], weight=7)
    await context.settled()
    [(_, error)] = context.engine.failed
    assert isinstance(error, EditGone)
    assert not context.known("app#2")
    assert context.issue("app#1").weight == 7


async def test_reconciling_is_put_off_without_the_focus(context: Session) -> None:
    context.engine.poller.attend(False)
    context.world.delete("top/app#2")
    reconciler = context.engine.poller._reconciler
    reconciler._read = reconciler._rest_started = float("-inf")
    context.engine.poller.poll_soon()
    await context.engine.poller.idle()
    assert context.known("app#2")
    context.engine.poller.attend(True)
    await context.until(lambda: not context.known("app#2"))


async def test_an_edit_without_effect_is_not_sent(context: Session) -> None:
    assert context.edit("app#1", weight=1) == []
    await context.settled()
    assert context.mutations == 0


async def test_edits_of_one_issue_arrive_in_order(context: Session) -> None:
    for weight in (2, 3, 4, 5):
        context.edit("app#1", weight=weight)
    await context.settled()
    assert context.there("app#1").weight == 5
    weights = [e for e in context.engine.store.log() if e.result == "done"]
    assert [line.what for line in reversed(weights)] == [f"weight {n}" for n in (2, 3, 4, 5)]


# Undo


async def test_undo_withdraws_unsent_changes(server: DemoServer, store: Store) -> None:
    async with session(server, store, sync=HELD) as context:
        server.requests.clear()
        context.edit("app#1", weight=5)
        context.comment("app#1", "A slip")
        assert context.engine.undoing.undo() is not None
        assert context.engine.undoing.undo() is not None
        assert context.issue("app#1").weight == 1
        assert await context.engine.finish(5) == 0
        assert context.mutations == 0
        assert context.engine.store.log() == []
        assert store.outbox() == []


async def test_undo_of_a_sent_change_sends_the_inverse(context: Session) -> None:
    context.edit("app#1", weight=5, milestone=None, add=frozenset({"type::feature"}))
    await context.settled()
    assert "type::bug" not in context.labels_there("app#1")
    assert context.engine.undoing.undo() is not None
    assert context.issue("app#1").weight == 1
    await context.settled()
    there = context.there("app#1")
    assert (there.weight, there.milestone.title) == (1, "19.7")
    assert context.labels_there("app#1") == {GROUP_LABEL, "type::bug"}
    assert context.engine.undoing.redo() is not None
    await context.settled()
    assert context.there("app#1").weight == 5


async def test_a_bulk_edit_is_one_level_of_undo(context: Session) -> None:
    names = [f"app#{n}" for n in range(1, 11)]
    context.edit("app#12", weight=2)
    context.edit_all(names, weight=8)
    await context.settled()
    assert all(context.there(name).weight == 8 for name in names)
    group = context.engine.undoing.undo()
    assert group is not None
    assert group.title == "bulk"
    await context.settled()
    assert all(context.there(name).weight == 1 for name in names)
    assert context.there("app#12").weight == 2


async def test_undo_of_several_acts_on_one_issue(context: Session) -> None:
    context.do("app#1", Edit(weight=5), Edit(weight=7), Edit(milestone="19.9"))
    await context.settled()
    context.engine.undoing.undo()
    await context.settled()
    assert (context.there("app#1").weight, context.there("app#1").milestone.title) == (1, "19.7")
    assert context.engine.status.conflicts == 0


async def test_undo_of_several_acts_finds_every_conflict(context: Session) -> None:
    """Someone changed what the first act of the group had changed: undo must not overwrite that."""
    context.do("app#1", Edit(milestone="19.9"), Edit(weight=5))
    await context.settled()
    context.world.edit("top/app#1", by="eng_1", milestone="Backlog")
    await context.refreshed()
    context.engine.undoing.undo()
    await context.settled()
    assert context.there("app#1").milestone.title == "Backlog"
    assert [clash.field for clash in context.engine.outbox.conflicting(context.issue("app#1").id)] == [
        "milestone"
    ]


async def test_undo_of_a_comment_deletes_the_note(context: Session) -> None:
    context.comment("app#1", "Hello")
    await context.settled()
    assert context.notes_there("app#1") == ["Hello"]
    context.engine.undoing.undo()
    await context.settled()
    assert context.notes_there("app#1") == []
    context.engine.undoing.redo()
    await context.settled()
    assert context.notes_there("app#1") == ["Hello"]


async def test_a_comment_of_an_earlier_session_is_found_and_deleted(server: DemoServer, store: Store) -> None:
    async with session(server, store) as context:
        context.comment("app#1", "Hello")
        await context.settled()
    async with session(server, store) as context:
        group = context.engine.undoing.undo()
        assert group is not None
        await context.settled()
        assert context.notes_there("app#1") == []
        # Neither the undone change nor the undo is undone again.
        assert context.engine.undoing.undo() is None


async def test_undo_withdraws_unsent_changes_and_inverts_the_rest(server: DemoServer, store: Store) -> None:
    """One key on two issues: one edit was sent, the other waits behind a comment that is still held."""
    async with session(server, store, sync=structs.replace(HELD, hold=0)) as context:
        context.comment("app#2", "Held")
        server.requests.clear()
        context.edit_all(["app#1", "app#2"], add=frozenset({"workflow::blocked"}))
        await context.until(lambda: "workflow::blocked" in context.labels_there("app#1"))
        await context.until(lambda: len(context.engine.outbox) == 2)
        context.engine.undoing.undo()
        await context.until(lambda: "workflow::blocked" not in context.labels_there("app#1"))
        await context.until(lambda: len(context.engine.outbox) == 1)
        assert context.labels_there("app#1") == {GROUP_LABEL, "type::bug"}
        assert await context.engine.finish(5) == 0
        assert context.labels_there("app#2") == {GROUP_LABEL, "type::bug"}
        assert context.notes_there("app#2") == ["Held"]
        # Edit and undo on the one, the comment on the other, and nothing else.
        assert context.mutations == 3


async def test_a_new_issue_is_renamed_and_edits_on_it_follow(context: Session) -> None:
    new = context.create("Fresh", weight=2)
    assert context.issue("app#new").weight == 2
    context.engine.perform([(new, Edit(weight=3))], "weight 3")
    context.engine.perform([(new, Comment(body="First"))], "comment")
    await context.settled()
    [renamed] = context.told(Renamed)
    assert renamed.old == new
    assert context.issue("app#13").id == renamed.new
    assert context.there("app#13").weight == 3
    assert context.notes_there("app#13") == ["First"]
    assert not context.known("app#new")
    # Undo: the comment, the weight, and the issue itself, which can only be closed.
    for _ in range(3):
        assert context.engine.undoing.undo() is not None
    await context.settled()
    assert context.notes_there("app#13") == []
    assert (context.there("app#13").weight, context.there("app#13").open) == (2, False)
    # Redo reopens it, and creates no second one.
    context.engine.undoing.redo()
    await context.settled()
    assert context.there("app#13").open
    assert 14 not in context.world.project("top/app").issues


async def test_changes_to_a_failed_new_issue_fail_with_it(context: Session) -> None:
    new = new_issue_id()
    context.engine.perform([(new, Create(project="top/app", title="x" * 300))], "new issue")
    context.engine.perform([(new, Edit(weight=3))], "weight 3")
    await context.settled()
    assert [op.issue for op, _ in context.engine.failed] == [new, new]
    assert context.engine.status.unsent == 0
    # They are retried together.
    context.engine.retry(context.engine.failed[0][0].id)
    assert context.engine.status.unsent == 2
    await context.settled()
    assert context.engine.status.failed == 2


async def test_a_new_issue_created_in_part_is_not_created_again(context: Session) -> None:
    """GitLab created the issue but dropped its weight: a retry fixes the issue, and creates no second one."""
    labels = frozenset({GROUP_LABEL, "Deliverable"})
    changes = [(new_issue_id(), Create(project="top/locked", title="Half", labels=labels, weight=3))]
    context.engine.perform(changes, "new issue")
    await context.settled()
    [(op, error)] = context.engine.failed
    assert isinstance(error, EditDropped)
    assert isinstance(op.change, Edit)
    assert (op.change.add, op.change.weight) == (frozenset(), 3)
    del context.world.project("top/locked").overrides[context.world.owner.id]
    context.engine.retry(op.id)
    await context.settled()
    assert context.labels_there("locked#2") == labels
    assert context.there("locked#2").weight == 3
    assert sorted(context.world.project("top/locked").issues) == [1, 2]


# Failed changes


async def test_a_silent_drop_is_reported_and_the_card_goes_back(context: Session) -> None:
    ops = context.edit("locked#1", add=frozenset({"Deliverable"}))
    ops += context.edit("app#1", weight=3)
    await context.settled()
    assert context.there("app#1").weight == 3
    assert "Deliverable" not in context.issue("locked#1").labels
    [(op, error)] = context.engine.failed
    assert op.id == ops[0].id
    assert isinstance(error, EditForbidden | EditDropped)
    assert context.engine.status.failed == 1
    assert context.engine.undo_stack.last is not None
    assert all(o.id != op.id for o in context.engine.undo_stack.last.ops)


async def test_failed_changes_are_stored_and_can_be_retried_or_discarded(
    server: DemoServer, store: Store
) -> None:
    async with session(server, store) as context:
        context.edit("locked#1", weight=3)
        context.comment("locked#1", "No")
        await context.settled()
        assert len(context.engine.failed) >= 1
        count = len(context.engine.failed)
    async with session(server, store) as context:
        assert len(context.engine.failed) == count
        (first, error) = context.engine.failed[0]
        assert isinstance(error, EditRefused)
        del server.world.project("top/locked").overrides[server.world.owner.id]
        context.engine.retry(first.id)
        await context.settled()
        assert context.there("locked#1").weight == 3
        assert first.id not in {op.id for op, _ in context.engine.failed}
        # A retry can be undone.
        context.engine.undoing.undo()
        await context.settled()
        assert context.there("locked#1").weight is None
        for op, _ in list(context.engine.failed):
            context.engine.local_state.discard_failed(op.id)
        assert context.engine.status.failed == 0
        context.engine.retry(first.id)
        assert context.engine.status.unsent == 0
    async with session(server, store) as context:
        assert context.engine.failed == []


@pytest.mark.slow
async def test_changes_after_a_failed_edit_are_sent(context: Session) -> None:
    context.server.faults.next("429", "updateIssue")
    names = ["app#1", "locked#1", "app#2"]
    context.edit_all(names, weight=9)
    await context.settled()
    assert [context.there(name).weight for name in names] == [9, None, 9]


async def test_a_failed_edit_does_not_hide_a_later_conflict(context: Session) -> None:
    """The first of two edits fails; the second is on a field that someone else changed meanwhile."""
    context.engine.sender._not_before = time.time() + 3600
    context.edit("locked#1", weight=9)
    del context.world.project("top/locked").overrides[context.world.owner.id]
    context.edit("app#1", milestone="nowhere at all")
    context.edit("app#1", weight=7)
    context.world.edit("top/app#1", by="eng_1", weight=5)
    context.engine.refresh()
    await context.settled()
    assert context.there("app#1").weight == 5
    assert [c.field for c in context.engine.outbox.conflicting(context.issue("app#1").id)] == ["weight"]


# The hold


async def test_edits_are_held_until_the_keys_rest(server: DemoServer, store: Store) -> None:
    async with session(server, store, sync=structs.replace(STILL, hold=0.3, hold_comments=0.6)) as context:
        server.requests.clear()
        context.edit("app#1", weight=2)
        for weight in (3, 4, 5):
            due = [item.due for item in context.engine.outbox.items(context.issue("app#1").id)]
            await asyncio.sleep(0)
            context.edit("app#1", weight=weight)
            later = [item.due for item in context.engine.outbox.items(context.issue("app#1").id)]
            assert all(now >= before for before, now in zip(due, later, strict=False))
            assert len(set(later)) == 1
        context.comment("app#2", "Later")
        context.edit("app#3", weight=2)
        assert context.mutations == 0
        await context.until(lambda: context.there("app#1").weight == 5)
        assert context.notes_there("app#2") == []
        # Four edits, held together, are one document (that of the other issue may be included).
        assert len([r for r in server.requests.of("updateIssue") if r.mutations >= 4]) == 1
        await context.settled()
        assert context.notes_there("app#2") == ["Later"]


async def test_an_edit_with_a_comment_is_sent_as_one(server: DemoServer, store: Store) -> None:
    hold = structs.replace(STILL, hold=0.05, hold_comments=0.5)
    async with session(server, store, sync=hold) as context:
        events = len(context.there("app#1").history or ())
        context.do("app#1", Edit(weight=5), Comment(body="Why"))
        context.edit("app#2", weight=3)
        await context.until(lambda: context.there("app#2").weight == 3)
        # The short hold is over; the edit waits for its comment, and undo withdraws both unsent.
        assert context.there("app#1").weight == 1
        context.engine.undoing.undo()  # the other issue's, which has left
        context.engine.undoing.undo()
        await context.settled()
        assert not context.world.issue("top/app#1").notes
        assert len(context.there("app#1").history or ()) == events
        server.requests.clear()
        context.do("app#1", Edit(weight=5), Comment(body="Why"))
        await context.settled()
        assert [record.mutations for record in server.requests if record.mutations] == [2]
        assert (context.there("app#1").weight, context.notes_there("app#1")) == (5, ["Why"])


async def test_quitting_sends_at_once(server: DemoServer, store: Store) -> None:
    async with session(server, store, sync=HELD) as context:
        context.edit("app#1", weight=2)
        context.comment("app#1", "Bye")
        assert await context.engine.finish(10) == 0
        assert context.there("app#1").weight == 2
        assert context.notes_there("app#1") == ["Bye"]


async def test_undo_wakes_a_waiting_quit(server: DemoServer, store: Store) -> None:
    async with session(server, store, sync=HELD) as context:
        context.edit("app#1", weight=2)
        waiting = asyncio.create_task(settled(context.engine))
        await asyncio.sleep(0)
        context.engine.undoing.undo()
        await context.wait_for(waiting)


async def test_read_only_refuses_every_change(server: DemoServer, store: Store) -> None:
    async with session(server, store, sync=HELD) as context:
        context.edit("app#1", weight=2)
        await context.engine.finish(10)
        context.edit("app#2", weight=2)
    async with session(server, store, read_only=True, loaded=False) as context:
        await context.until(lambda: context.engine.status.freshness == "live")
        server.requests.clear()
        with pytest.raises(ReadOnly):
            context.edit("app#3", weight=2)
        with pytest.raises(ReadOnly):
            context.engine.undoing.undo()
        context.engine.refresh()
        assert await context.engine.finish(0.2) == 1
        assert context.mutations == 0
    assert len(store.outbox()) == 1


# The cost


@pytest.mark.parametrize(("count", "most"), [(1, 2), (20, 3), (100, 14)])
async def test_many_edits_take_few_requests(count: int, most: int, store: Store) -> None:
    async with DemoServer(build_world(issues=100)) as server, session(server, store, sync=HELD) as context:
        server.requests.clear()
        context.edit_all([f"app#{n}" for n in range(1, count + 1)], milestone="19.8")
        assert await context.engine.finish(20) == 0
        assert len(server.requests) <= most
        moved = sum(context.there(f"app#{n}").milestone.title == "19.8" for n in range(1, 101))
        assert moved == count


async def test_every_change_is_announced(context: Session) -> None:
    context.edit("app#1", weight=5)
    await context.settled()
    assert [event.cause for event in context.told(IssuesChanged)][-2:] == ["mine", "answer"]
