"""More than a hundred labels, assignees and notes: what was not read is not taken for absent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.worlds import ME, LoadedGateway, everything, gateway, make, untimed
from glboard_core.board.operations import Comment, Edit, NoteWrite, OpId
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditUnknown
from glboard_core.model.catalog_needs import Needs, titles_of
from glboard_core.model.issue import Issue, Reference
from glboard_core.ports import Failed

LONG = "top/app#1"
LABELS = frozenset(f"area {n:03}" for n in range(130))
PEOPLE = frozenset(f"member_{n:03}" for n in range(120))
#: Sorts after everything that fits on one page.
LAST = "zz last"


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """An issue with 130 labels, 120 assignees and 110 notes, and 25 issues that block it."""
    world = make(2)
    top = world.groups["top"]
    for title in [*LABELS, LAST, "zz other"]:
        world.add_label(top, title)
    for name in [*PEOPLE, "zz_member"]:
        top.members[world.add_user(name, name.title()).id] = 30
    world.edit(LONG, by=ME, add_labels=LABELS, assignees=PEOPLE)
    for n in range(110):
        world.comment(LONG, f"Comment {n}", by=ME)
    for n in range(25):
        world.block(world.issue(LONG), world.create("top/app", f"Blocker {n}", by=ME))
    world.clock.advance(120)
    async with DemoServer(world) as running:
        yield running


def whole(issue: Issue) -> bool:
    """Whether the issue has all of its long lists."""
    return issue.labels == LABELS | {"type::bug"} and frozenset(issue.assignees) == PEOPLE


async def test_every_way_of_reading_reads_all(server: DemoServer) -> None:
    async with gateway(server) as one:
        [issue] = [issue for issue in await everything(one) if issue.reference == LONG]
        assert whole(issue)
        assert whole((await one.read([issue.id]))[issue.id])
        found = await one.find([Reference("top/app", 1), Reference("top/app", 2)])
        assert [whole(each) for each in found.values()] == [True, False]


async def test_only_a_long_issue_costs_more_requests(server: DemoServer) -> None:
    async with gateway(server) as one:
        [issue, *_] = [issue for issue in await everything(one) if issue.reference == "top/app#2"]
        server.requests.clear()
        await one.read([issue.id])
        assert len(server.requests) == 1


async def test_every_edit_of_a_long_issue_and_its_undo(context: LoadedGateway) -> None:
    edits = {
        "label beyond the page": Edit(add=frozenset({LAST})),
        "label gone": Edit(remove=frozenset({"area 129"})),
        "label of the first page gone": Edit(remove=frozenset({"area 001"})),
        "one more person": Edit(assign=frozenset({"zz_member"})),
        "person beyond the page gone": Edit(unassign=frozenset({"member_119"})),
        "another person": Edit(assign=frozenset({"zz_member"}), unassign=frozenset({"member_000"})),
        "several": Edit(add=frozenset({LAST}), weight=7, milestone="19.8"),
        "weight": Edit(weight=3),
    }
    for name, edit in edits.items():
        titles = titles_of(["top/app"], edit.add | edit.remove)
        needs = Needs(labels=titles, people=edit.assign | edit.unassign)
        context.catalog = await context.gateway.extend_catalog(context.catalog, needs)
        before = context.issue(LONG)
        after = await context.do(LONG, edit)
        assert after.labels == edit.apply(before).labels, name
        assert frozenset(after.assignees) == frozenset(edit.apply(before).assignees), name
        there = context.world.issue(LONG)
        assert {label.title for label in there.labels} == after.labels, name
        assert {person.username for person in there.assignees} == frozenset(after.assignees), name
        back = edit.inverse(before, OpId("x"))
        assert back is not None
        assert untimed(await context.do(LONG, back)).labels == before.labels, name
        assert {one.username for one in there.assignees} == frozenset(before.assignees), name


async def test_what_could_not_be_read_whole_is_unknown(context: LoadedGateway) -> None:
    context.server.faults.next("502", "Listed", times=1000)
    [outcome] = await context.send(context.op(LONG, Edit(add=frozenset({"Deliverable"}))))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, EditUnknown)


async def test_a_comment_is_found_among_more_than_a_page(context: LoadedGateway) -> None:
    first = context.op(LONG, Comment(body="The one"))
    kept = context.op(LONG, NoteWrite(mark="capacity", body="A text"))
    await context.send(first, kept)
    for n in range(105):
        context.world.comment(LONG, f"Later {n}", by="eng_1")
    issue = context.issue(LONG).id
    assert await context.gateway.note_of(issue, first.id) is not None
    assert await context.gateway.marked_note(issue, "capacity", ME) is not None


async def test_of_very_many_notes_the_newest_are_read(
    context: LoadedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glboard_core.gitlab.gateway.MOST_NOTES", 100)
    context.world.comment(LONG, "The newest", by=ME)
    detail = await context.gateway.detail(context.issue(LONG).id)
    assert detail.older
    assert detail.notes[-1].body == "The newest"
    assert len(detail.notes) == 100


async def test_all_notes_and_blockers_are_shown(context: LoadedGateway) -> None:
    detail = await context.gateway.detail(context.issue(LONG).id)
    bodies = {note.body for note in detail.notes}
    assert {f"Comment {n}" for n in range(110)} <= bodies
    assert [note.created_at for note in detail.notes] == sorted(note.created_at for note in detail.notes)
    assert not detail.older
    assert len(detail.blockers) == 25
