"""Drafts on the embedded GitLab: nothing is sent before it is applied, whatever happens in between."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glboard_core.board.draft import Draft, DraftId
from glboard_core.board.operations import Change, Comment, Create, Edit, Link, Rank, new_issue_id
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import DraftOn
from glboard_core.milestone_setup import MilestoneSetup
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.events import EngineNotice, IssuesChanged
from support.engines import GROUP_LABEL, Session, build_world, session


def begin(one: Session, name: str = "what if") -> None:
    one.engine.drafts.turn_on(one.engine.drafts.create(name).id)


def names(one: Session) -> list[str]:
    """What the draft that is on concerns."""
    found = [staged.issue for staged in one.engine.drafts.issues()]
    return [issue.reference.removeprefix("top/") for issue in found if issue is not None]


def applied(one: Session, *names: str, over: tuple[str, ...] = ()) -> int:
    """Apply what is staged for these issues, or for all; returns how many changes were handed over."""
    drafts = one.engine.drafts
    issues = [one.issue(name).id for name in names] or [staged.id for staged in drafts.issues()]
    group = drafts.apply(issues, "draft what if: {}".format, over=[one.issue(name).id for name in over])
    return len(group.ops) if group is not None else 0


async def test_staged_changes_are_shown_and_not_sent(context: Session) -> None:
    context.events.clear()
    begin(context)
    context.edit("app#1", weight=5)
    context.edit_all(["app#1", "app#2"], milestone="19.8")
    context.do("app#3", Comment(body="why"))
    assert context.issue("app#1").weight == 5
    assert context.issue("app#2").milestone == "19.8"
    assert context.issue("app#3").notes == 1
    assert names(context) == ["app#1", "app#2", "app#3"]
    assert (context.engine.status.draft, context.engine.status.staged) == ("what if", 3)
    assert context.engine.status.unsent == 0
    context.engine.refresh()
    await context.settled()
    assert await context.engine.finish(1) == 0
    assert context.mutations == 0
    # Not the board's news: what others do to these cards must go on glowing.
    causes = {event.cause for event in context.told(IssuesChanged)}
    assert causes == {"draft"}


async def test_links_are_staged_too(context: Session) -> None:
    begin(context)
    other = context.issue("app#2")
    context.do("app#1", Edit(confidential=True), Link(other=other.id, reference=other.reference))
    assert context.issue("app#1").blocked
    [staged] = context.engine.drafts.issues()
    assert staged.what == ("confidential", "blocked", "blocked by app#2")
    await context.settled()
    assert context.there("app#1").blocked_by == ()
    assert applied(context) == 2
    await context.settled()
    assert [one.reference for one in context.there("app#1").blocked_by] == ["top/app#2"]
    assert context.there("app#1").confidential
    assert context.engine.failed == []


async def test_the_board_without_the_draft_is_one_key_away(context: Session) -> None:
    begin(context)
    context.edit("app#1", weight=5)
    [draft] = context.engine.drafts.all
    context.engine.drafts.turn_on(None)
    assert context.issue("app#1").weight == 1
    assert context.engine.status.draft is None
    context.edit("app#2", weight=3)
    await context.settled()
    assert context.mutations == 1
    context.engine.drafts.turn_on(draft.id)
    assert context.issue("app#1").weight == 5
    context.engine.drafts.delete(draft.id)
    assert context.issue("app#1").weight == 1
    assert context.engine.drafts.all == []
    assert context.engine.drafts.current is None


async def test_several_drafts_by_name_and_one_is_on(context: Session) -> None:
    begin(context, "light")
    context.edit("app#1", weight=1)
    context.edit("app#2", weight=2)
    begin(context, "heavy")
    context.edit("app#2", weight=8)
    assert [(draft.name, draft.issues) for draft in context.engine.drafts.all] == [
        ("light", [context.issue("app#2").id]),
        ("heavy", [context.issue("app#2").id]),
    ]
    assert context.issue("app#2").weight == 8
    context.engine.drafts.turn_on(context.engine.drafts.all[0].id)
    assert context.issue("app#2").weight == 2
    context.engine.drafts.rename(context.engine.drafts.all[0].id, "lighter")
    assert context.engine.status.draft == "lighter"


async def test_undo_and_redo_act_on_what_is_staged(context: Session) -> None:
    context.edit("app#1", weight=3)
    await context.settled()
    begin(context)
    sent = context.mutations
    context.edit_all(["app#1", "app#2"], title="to 19.8", milestone="19.8")
    context.edit("app#1", weight=5)
    engine = context.engine
    assert (last := engine.undoing.last()) is not None
    assert last.title == "test"
    engine.undoing.undo()
    assert context.issue("app#1").weight == 3
    engine.undoing.undo()
    assert context.issue("app#2").milestone == "19.7"
    # What was sent before is out of reach: to undo it would send something.
    assert engine.undoing.last() is None
    assert engine.undoing.undo() is None
    assert (again := engine.undoing.redo()) is not None
    assert again.title == "to 19.8"
    engine.undoing.redo()
    assert engine.undoing.next is None
    assert context.issue("app#1").weight == 5
    await context.settled()
    assert context.mutations == sent


async def test_applied_changes_are_ordinary_ones_and_one_undo(context: Session) -> None:
    begin(context)
    context.edit("app#1", weight=2)
    context.edit("app#1", weight=5)
    context.edit_all(["app#2", "app#3"], milestone="19.8")
    context.do("app#3", Comment(body="why"))
    new = new_issue_id()
    create = Create(project="top/app", title="made", labels=frozenset({GROUP_LABEL}))
    context.engine.perform([(new, create)], "new issue")
    context.engine.perform([(new, Edit(weight=4))], "weight 4")
    assert applied(context) == 6
    assert context.engine.drafts.current is None
    assert context.engine.drafts.all == []
    await context.settled()
    assert context.there("app#1").weight == 5
    assert context.there("app#3").milestone.title == "19.8"
    assert context.notes_there("app#3") == ["why"]
    assert context.there("app#13").weight == 4
    assert {line.title for line in context.engine.store.log()} == {"draft what if: 4"}
    context.engine.undoing.undo()
    await context.settled()
    assert context.there("app#1").weight == 1
    assert context.there("app#2").milestone.title == "19.7"
    assert context.notes_there("app#3") == []
    assert not context.there("app#13").open


async def test_some_are_applied_and_some_dropped(context: Session) -> None:
    begin(context)
    context.edit_all(["app#1", "app#2", "app#3", "app#4"], milestone="19.8")
    assert applied(context, "app#2") == 1
    assert names(context) == ["app#1", "app#3", "app#4"]
    assert context.engine.drafts.drop([context.issue("app#3").id]) == 1
    assert context.issue("app#3").milestone == "19.7"
    await context.settled()
    assert [context.there(f"app#{n}").milestone.title for n in range(1, 5)] == [
        "19.7",
        "19.8",
        "19.7",
        "19.7",
    ]
    context.engine.undoing.redo()
    assert names(context) == ["app#1", "app#4", "app#3"]
    assert context.issue("app#3").milestone == "19.8"


async def test_what_was_applied_last_is_undone_first(context: Session) -> None:
    begin(context)
    context.edit_all(["app#1", "app#2"], milestone="19.8")
    applied(context, "app#2")
    await context.settled()
    context.engine.undoing.undo()
    await context.settled()
    assert context.there("app#2").milestone.title == "19.7"
    assert context.issue("app#1").milestone == "19.8"
    context.engine.undoing.undo()
    assert names(context) == []
    await context.settled()
    assert context.there("app#2").milestone.title == "19.7"


async def test_a_change_by_others_is_never_overwritten_silently(context: Session) -> None:
    begin(context)
    context.edit_all(["app#1", "app#2", "app#3"], weight=5)
    context.world.edit("top/app#1", by="eng_1", weight=8)
    context.world.edit("top/app#2", by="eng_1", title="Another title")
    await context.refreshed()
    assert context.issue("app#1").weight == 5
    [conflict] = [c for one in context.engine.drafts.issues() for c in one.conflicts]
    assert (conflict.field, conflict.saw, conflict.mine, conflict.theirs) == ("weight", "1", "5", "8")
    assert applied(context) == 2
    # It is called by what was sent, not by what was asked for.
    last = context.engine.undo_stack.last
    assert last is not None
    assert last.title == "draft what if: 2"
    assert names(context) == ["app#1"]
    await context.settled()
    assert [context.there(f"app#{n}").weight for n in (1, 2, 3)] == [8, 5, 5]
    assert applied(context, "app#1", over=("app#1",)) == 1
    await context.settled()
    assert context.there("app#1").weight == 5
    assert context.engine.status.conflicts == 0


async def test_a_change_by_others_that_is_not_known_yet_is_found_before_sending(context: Session) -> None:
    begin(context)
    context.edit("app#1", weight=5)
    context.world.edit("top/app#1", by="eng_1", weight=8)
    applied(context)
    await context.settled()
    assert context.there("app#1").weight == 8
    assert context.engine.status.conflicts == 1


async def test_what_others_deleted_stays_in_the_draft_until_it_is_dropped(context: Session) -> None:
    begin(context)
    context.edit_all(["app#1", "app#2"], weight=5)
    gone = context.issue("app#1").id
    context.engine.local_state.remove([gone])
    assert [one.is_gone for one in context.engine.drafts.issues()] == [True, False]
    assert applied(context) == 1
    assert context.engine.drafts.current is not None
    assert context.engine.drafts.drop([gone]) == 1
    assert names(context) == []


async def test_what_only_sends_is_refused_in_a_draft(context: Session) -> None:
    context.world.project("top/app").archived = True
    context.edit("app#1", weight=5)
    await context.settled()
    [(failed, _)] = context.engine.failed
    begin(context)
    sent = context.mutations
    with pytest.raises(DraftOn):
        context.engine.retry(failed.id)
    with pytest.raises(DraftOn):
        context.engine.perform([(context.issue("app#1").id, Edit(weight=6))], "instead", [failed.id])
    with pytest.raises(DraftOn):
        context.engine.keep_mine(context.issue("app#1").id)
    with pytest.raises(DraftOn):
        await context.engine.create_board("Development")
    with pytest.raises(DraftOn):
        await MilestoneSetup(context.engine, "19.8").do()
    assert len(context.engine.failed) == 1
    assert context.mutations == sent


async def test_nothing_is_sent_by_a_restart_a_command_or_another_process(
    server: DemoServer, tmp_path: Path
) -> None:
    path = tmp_path / "state.sqlite3"
    store = SqliteStore(path)
    async with session(server, store) as one:
        begin(one)
        one.edit_all(["app#1", "app#2"], weight=5)
        # The other session is killed here: it closes nothing.
    server.requests.clear()
    async with session(server, SqliteStore(path)) as later:
        assert later.issue("app#1").weight == 5
        assert [notice.text for notice in later.told(EngineNotice)] == [
            "The draft “what if” is on, 2 staged: edits are not sent."
        ]
        async with session(server, SqliteStore(path), running=False, command=True) as command:
            assert command.issue("app#1").weight == 1
            assert command.engine.undoing.last() is None
            await command.engine.reader.sign_in()
            await command.engine.sender.flush()
            assert command.mutations == 0
            command.edit("app#3", weight=7)
            await command.engine.sender.flush()
        await later.settled()
        later.engine.drafts.turn_on(None)
        await later.engine.finish(1)
    assert server.world.issue("top/app#3").weight == 7
    assert [server.world.issue(f"top/app#{n}").weight for n in (1, 2)] == [1, 1]
    assert sum(record.mutations for record in server.requests) == 1
    again = SqliteStore(path)
    async with session(server, again) as last:
        assert last.engine.drafts.current is None
        assert len(last.engine.drafts.all[0].issues) == 2
    store.close()


async def test_two_processes_edit_one_draft(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    async with session(server, SqliteStore(path)) as one:
        begin(one)
        one.edit("app#1", weight=5)
        async with session(server, SqliteStore(path)) as two:
            assert two.issue("app#1").weight == 5
            # Neither has seen what the other stages now.
            two.edit("app#2", weight=6)
            one.edit("app#3", weight=7)
            await one.until(lambda: one.issue("app#2").weight == 6)
            await two.until(lambda: two.issue("app#3").weight == 7)
            assert applied(two) == 3
            await two.settled()
            await one.until(lambda: one.engine.status.staged == 0)
            # It is still on here: no key of this person is sent because of a key pressed there.
            assert one.engine.drafts.current is not None
            one.edit("app#4", weight=8)
            assert names(one) == ["app#4"]
            await one.settled()
    assert [server.world.issue(f"top/app#{n}").weight for n in range(1, 5)] == [5, 6, 7, 1]


async def test_a_draft_applied_twice_is_sent_once(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    async with session(server, SqliteStore(path)) as one, session(server, SqliteStore(path)) as two:
        begin(one)
        one.do("app#1", Comment(body="once"))
        two.engine.others.adopt()
        two.engine.drafts.turn_on(two.engine.drafts.all[0].id)
        assert applied(one) + applied(two) == 1
        await one.settled()
        await two.settled()
        assert one.notes_there("app#1") == ["once"]


async def test_an_issue_created_meanwhile_keeps_what_is_staged_for_it(context: Session) -> None:
    new = new_issue_id()
    create = Create(project="top/app", title="made", labels=frozenset({GROUP_LABEL}))
    context.engine.perform([(new, create)], "new issue")
    begin(context)
    context.engine.perform([(new, Edit(weight=4))], "weight 4")
    context.engine.perform([(context.issue("app#1").id, Rank(above=new, position=1.5))], "rank")
    await context.settled()
    await context.until(lambda: context.known("app#13"))
    assert context.issue("app#13").weight == 4
    assert context.there("app#13").weight is None
    assert applied(context) == 2
    await context.settled()
    assert context.there("app#13").weight == 4


async def test_a_rename_reaches_the_draft(context: Session) -> None:
    begin(context)
    context.edit("app#1", milestone="19.8")
    context.do("app#1", Edit(add=frozenset({"Deliverable"})))
    world = context.world
    found = world.label_of(world.root, "Deliverable")
    assert found is not None
    world.rename_label(found, "accepted")
    context.engine.refresh()
    await context.settled()
    [op] = context.engine.drafts.issues()[0].ops
    assert op.change == Edit(milestone="19.8", add=frozenset({"accepted"}))
    assert "accepted" in context.issue("app#1").labels


def test_a_store_that_lost_its_file_keeps_the_drafts(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    store = SqliteStore(path)
    assert store.put_draft(Draft(id=DraftId("d"), name="what if", revision=1))
    assert not store.put_draft(Draft(id=DraftId("d"), name="other", revision=1))
    assert not store.delete_draft(Draft(id=DraftId("d"), name="other", revision=2))
    store.turn_on_draft(DraftId("d"))
    store._durable.execute("pragma user_version = 99")
    store.close()
    rescued = SqliteStore(path)
    assert [draft.name for draft in rescued.drafts()] == ["what if"]
    rescued.close()


#: More examples, on demand.
EXAMPLES = int(os.environ.get("GLBOARD_EXAMPLES", "3"))

# Whatever is staged, in whatever order: applied it is what the same keys would have done.

keys = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["weight", "milestone", "label", "unlabel", "close", "comment", "undo"]),
    ),
    min_size=1,
    max_size=10,
)


def press(one: Session, number: int, key: str, count: int) -> None:
    name = f"app#{number}"
    if key == "undo":
        one.engine.undoing.undo()
        return
    changes: dict[str, Change] = {
        "weight": Edit(weight=count + 2),
        "milestone": Edit(milestone=("19.8", "19.9", None)[count % 3]),
        "label": Edit(add=frozenset({("workflow::in dev", "workflow::in review", "Deliverable")[count % 3]})),
        "unlabel": Edit(remove=frozenset({"Deliverable", "workflow::in dev"})),
        "close": Edit(state="opened" if not one.issue(name).is_open else "closed"),
        "comment": Comment(body=f"note {count}"),
    }
    one.do(name, changes[key])


def state(server: DemoServer) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for number in range(1, 5):
        there = server.world.issue(f"top/app#{number}")
        notes = sorted(n.body.partition("\n\n<!--")[0] for n in there.notes or () if not n.system)
        milestone = there.milestone.title if there.milestone else None
        labels = sorted(label.title for label in there.labels)
        found.append((there.weight, milestone, labels, there.open, notes))
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(keys)
def test_applying_all_does_what_the_same_keys_do_and_undo_restores(pressed: list[tuple[int, str]]) -> None:
    async def run(*, draft: bool) -> tuple[list[tuple[object, ...]], ...]:
        async with DemoServer(build_world(issues=4)) as server, session(server) as one:
            before = state(server)
            if draft:
                begin(one)
            for count, (number, key) in enumerate(pressed):
                press(one, number, key, count)
                if not draft:
                    await one.settled()
            if draft:
                await one.settled()
                assert one.mutations == 0
                applied(one)
            await one.settled()
            after = state(server)
            if draft:
                one.engine.undoing.undo()
                await one.settled()
            return before, after, state(server)

    _, direct, _ = asyncio.run(run(draft=False))
    before, after, restored = asyncio.run(run(draft=True))
    assert after == direct
    assert restored == before
