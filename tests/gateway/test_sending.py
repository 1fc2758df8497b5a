"""Every kind of change end to end, and how silent drops are detected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import UNSET, structs

from gateway.worlds import ME, LoadedGateway, errors, gateway, make, untimed
from glboard_core.board.operations import Comment, Create, DeleteNote, Edit, NoteWrite, OpId, Rank
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditDropped, EditForbidden, EditGone, EditImpossible, EditInvalid, RateLimited
from glboard_core.gitlab import markers
from glboard_core.model.catalog import Person
from glboard_core.model.issue import IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Done, Failed


@asynccontextmanager
async def loaded_at(**kinds: Any) -> AsyncIterator[LoadedGateway]:
    """A loaded gateway with another kind of server."""
    async with DemoServer(make(**kinds)) as server:
        one = await LoadedGateway(server).open()
        async with one.gateway:
            yield one


SERVERS = [
    {"version": "16.8"},
    {"version": "18.9"},
    {"version": "19.3"},
    {"version": "18.5", "tier": "free"},
    {"version": "18.5", "tier": "free", "edition": "ce"},
]
EDITS = {
    "labels": Edit(add=frozenset({"Deliverable"}), remove=frozenset({"type::bug"})),
    "scoped": Edit(add=frozenset({"type::feature"})),
    "milestone": Edit(milestone="19.8"),
    "no milestone": Edit(milestone=None),
    "unassign": Edit(unassign=frozenset({"eng_2"})),
    "reassign": Edit(assign=frozenset({"eng_1"}), unassign=frozenset({"eng_2"})),
    "assign, as older versions stored it": Edit(assignees=("eng_1",)),
    "unassign, as older versions stored it": Edit(assignees=()),
    "close": Edit(state="closed"),
    "title": Edit(title="Another [bold]title[/]"),
    "description": Edit(description="Words\n/close\n", description_was=""),
    "several": Edit(
        add=frozenset({"workflow::in dev"}), milestone="19.8", assignees=("eng_2",), title="All of it"
    ),
}


@pytest.mark.parametrize("kind", SERVERS, ids=str)
async def test_edits_everywhere(kind: dict[str, Any]) -> None:
    async with loaded_at(**kind) as context:
        await context.do("top/app#1", Edit(assignees=("eng_2",)))
        for name, edit in EDITS.items():
            before = context.issue("top/app#1")
            after = await context.do("top/app#1", edit)
            # GitLab moves the status along with the state.
            along = after.status if edit.state is not UNSET else before.status
            assert untimed(after) == untimed(structs.replace(edit.apply(before), status=along)), name
            read = await context.gateway.read([after.id])
            assert untimed(read[after.id]) == untimed(after), name
            taken_back = edit.inverse(before, OpId("x"))
            if taken_back is not None:
                assert untimed(await context.do("top/app#1", taken_back)) == untimed(before), name


@pytest.mark.parametrize("weight", [0, 5, None])
async def test_weight(context: LoadedGateway, weight: int | None) -> None:
    assert (await context.do("top/app#1", Edit(weight=weight))).weight == weight
    assert context.world.issue("top/app#1").weight == weight


async def test_only_the_requested_fields_change(context: LoadedGateway) -> None:
    # Someone else changes another field: our change does not revert it.
    context.world.edit("top/app#1", by="eng_1", milestone="19.8", add_labels=["Deliverable"])
    await context.do("top/app#1", Edit(weight=9))
    issue = context.world.issue("top/app#1")
    assert issue.milestone is not None
    assert issue.milestone.title == "19.8"
    assert {label.title for label in issue.labels} == {"type::bug", "Deliverable"}


async def test_a_scoped_label_replaces_its_sibling_on_every_tier() -> None:
    async with loaded_at(tier="free") as context:
        issue = await context.do("top/app#1", Edit(add=frozenset({"type::feature"})))
        assert issue.labels == {"type::feature"}
        assert {label.title for label in context.world.issue("top/app#1").labels} == {"type::feature"}


async def test_a_description_with_commands_is_saved_as_text(context: LoadedGateway) -> None:
    await context.do("top/app#1", Edit(description="/close\n/label ~Deliverable"))
    issue = context.world.issue("top/app#1")
    assert issue.open
    assert issue.description == "\\/close\n\\/label ~Deliverable"


async def test_status(context: LoadedGateway) -> None:
    issue = await context.do("top/app#1", Edit(status="in review"))
    assert issue.status == "In review"
    assert context.world.issue("top/app#1").status == "In review"
    done = await context.do("top/app#1", Edit(status="Complete", weight=2))
    assert (done.status, done.state, done.weight) == ("Complete", "closed", 2)
    assert done.closed_at is not None


async def test_an_unknown_status(context: LoadedGateway) -> None:
    assert isinstance(await context.fail("top/app#1", Edit(status="Nonsense")), EditImpossible)
    assert isinstance(await context.fail("top/app#1", Edit(status=None)), EditImpossible)
    assert context.sent() == 0


async def test_a_status_on_a_server_without_statuses() -> None:
    async with loaded_at(version="16.8") as context:
        error = await context.fail("top/app#1", Edit(status="In review"))
        assert isinstance(error, EditImpossible)
        assert "label" in error.hint


# -- manual order


async def order(context: LoadedGateway) -> list[int]:
    """The issues of top/app in the server's order."""
    page, _ = await context.gateway.page(IssueQuery(), None)
    return [issue.iid for issue in page if issue.project == "top/app"]


@pytest.mark.parametrize(
    ("moved", "above", "below", "expected"),
    [
        (5, 1, 2, [1, 5, 2, 3, 4, 6]),
        (5, None, 1, [5, 1, 2, 3, 4, 6]),
        (1, 6, None, [2, 3, 4, 5, 6, 1]),
        (2, 4, None, [1, 3, 4, 2, 5, 6]),
        (6, None, 3, [1, 2, 6, 3, 4, 5]),
    ],
)
async def test_rank(
    context: LoadedGateway, moved: int, above: int | None, below: int | None, expected: list[int]
) -> None:
    rank = Rank(
        above=context.issue(f"top/app#{above}").id if above else None,
        below=context.issue(f"top/app#{below}").id if below else None,
        position=1.5,
    )
    issue = await context.do(f"top/app#{moved}", rank)
    assert await order(context) == expected
    assert issue.position == context.world.issue(f"top/app#{moved}").position


async def test_a_block_of_cards_moves_in_order(context: LoadedGateway) -> None:
    ids = {n: context.issue(f"top/app#{n}").id for n in range(1, 7)}
    ops = [
        context.op("top/app#4", Rank(above=ids[1], below=ids[2], position=1.5)),
        context.op("top/app#5", Rank(above=ids[4], below=ids[2], position=1.6)),
        context.op("top/app#6", Rank(above=ids[5], below=ids[2], position=1.7)),
    ]
    assert errors(await context.send(*ops)) == [None] * 3
    assert await order(context) == [1, 4, 5, 6, 2, 3]
    assert context.sent() == 1


async def test_ranking_next_to_a_deleted_issue_is_detected(context: LoadedGateway) -> None:
    below = context.issue("top/app#1").id
    context.world.delete("top/app#1")
    error = await context.fail("top/app#5", Rank(below=below, position=0.5))
    assert isinstance(error, EditDropped)


async def test_ranking_next_to_nothing_or_a_new_issue(context: LoadedGateway) -> None:
    assert isinstance(await context.fail("top/app#5", Rank()), EditImpossible)
    assert isinstance(await context.fail("top/app#5", Rank(below=IssueId("new:1"))), EditImpossible)


# -- comments


async def test_a_comment_and_its_undo(context: LoadedGateway) -> None:
    op = context.op("top/app#1", Comment(body="Blocked by /dev/null\n/close\n[red]x[/]"))
    [outcome] = await context.send(op)
    assert isinstance(outcome, Done)
    assert outcome.note is not None
    assert outcome.issue is not None
    assert outcome.issue.notes == 1
    issue = context.world.issue("top/app#1")
    assert issue.open
    [note] = [note for note in issue.notes or () if not note.system]
    assert markers.split_marker(note.body) == ("Blocked by /dev/null\n\\/close\n[red]x[/]", op.id)
    detail = await context.gateway.detail(outcome.issue.id)
    assert [note.op for note in detail.notes if not note.system] == [op.id]
    undone = await context.do("top/app#1", DeleteNote(of=op.id, note=outcome.note))
    assert undone.notes == 0
    assert not [note for note in issue.notes or () if not note.system]


async def test_a_comment_on_an_old_server() -> None:
    async with loaded_at(version="16.8") as context:
        [outcome] = await context.send(context.op("top/app#1", Comment(body="/close")))
        assert isinstance(outcome, Done)
        assert outcome.note is not None
        assert context.world.issue("top/app#1").open


async def test_an_empty_comment(context: LoadedGateway) -> None:
    assert isinstance(await context.fail("top/app#1", Comment(body=" \n")), EditInvalid)


async def test_too_many_comments() -> None:
    async with DemoServer(make(), note_limit=1) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            ops = [context.op("top/app#1", Comment(body="One")), context.op("top/app#2", Comment(body="Two"))]
            outcomes = await context.send(*ops)
    assert errors(outcomes) == [None, RateLimited]
    assert isinstance(outcomes[1], Failed)
    assert outcomes[1].error.may_pass


async def test_deleting_a_comment_that_is_gone(context: LoadedGateway) -> None:
    error = await context.fail("top/app#1", DeleteNote(of=OpId("x"), note="gid://gitlab/Note/99999"))
    assert isinstance(error, EditForbidden)
    assert isinstance(await context.fail("top/app#1", DeleteNote(of=OpId("x"))), EditImpossible)


# -- the one comment of its kind


CAPACITY = "capacity 19.8"


def bodies(context: LoadedGateway, reference: str = "top/app#1") -> list[str]:
    return [
        markers.split_marker(note.body)[0]
        for note in context.world.issue(reference).notes or ()
        if not note.system
    ]


async def test_a_note_is_created_found_by_its_mark_and_updated(context: LoadedGateway) -> None:
    made = context.op("top/app#1", NoteWrite(mark=CAPACITY, body="Room +4\n/close"))
    [outcome] = await context.send(made)
    assert isinstance(outcome, Done)
    assert outcome.issue is not None
    assert outcome.issue.notes == 1
    assert bodies(context) == ["Room +4\n\\/close\n\n<!-- glboard note: capacity 19.8 -->"]
    # Notes of others with the same mark, and my notes of another kind, are skipped.
    context.world.comment("top/app#1", "Theirs\n\n<!-- glboard note: capacity 19.8 -->", by="eng_1")
    await context.do("top/app#1", NoteWrite(mark="capacity 19.80", body="Other"))
    found = await context.gateway.marked_note(made.issue, CAPACITY, "EM_willow")
    assert found is not None
    assert (found.id, found.body, found.mark, found.op) == (
        outcome.note,
        "Room +4\n\\/close",
        CAPACITY,
        made.id,
    )
    again = context.op("top/app#1", NoteWrite(mark=CAPACITY, body="Room +2", was="", note=found.id))
    [outcome] = await context.send(again)
    assert isinstance(outcome, Done)
    assert outcome.note == found.id
    assert bodies(context)[0] == "Room +2\n\n<!-- glboard note: capacity 19.8 -->"
    assert len(bodies(context)) == 3
    assert await context.gateway.note_of(again.issue, again.id) == found.id
    assert context.world.issue("top/app#1").open


async def test_a_mark_cannot_end_its_comment(context: LoadedGateway) -> None:
    mark = "capacity --> <b>x"
    await context.do("top/app#1", NoteWrite(mark=mark, body="Text"))
    assert bodies(context) == ["Text\n\n<!-- glboard note: capacity b x -->"]
    assert await context.gateway.marked_note(context.issue("top/app#1").id, mark, ME) is not None


async def test_a_deleted_note_or_someone_elses_is_an_error(context: LoadedGateway) -> None:
    gone = NoteWrite(mark=CAPACITY, body="x", was="y", note="gid://gitlab/Note/99999")
    assert isinstance(await context.fail("top/app#1", gone), EditForbidden)
    context.world.comment("top/app#1", "Mine", by="em_willow")
    note = (context.world.issue("top/app#1").notes or [])[0]
    async with gateway(context.server, token=context.server.token_for("eng_1")) as other:
        op = context.op("top/app#1", structs.replace(gone, note=f"gid://gitlab/Note/{note.id}"))
        [outcome] = await other.send([op], context.shown, context.catalog)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, EditForbidden)
    assert note.body == "Mine"
    assert isinstance(await context.fail("top/app#1", NoteWrite(mark=CAPACITY, body=" ")), EditInvalid)


# -- new issues


async def test_a_new_issue_and_a_change_of_it(context: LoadedGateway) -> None:
    new = Create(
        project="top/app",
        title="Planning issue",
        description="Text\n/close",
        labels=frozenset({"type::bug", "Deliverable"}),
        milestone="19.8",
        weight=2,
        assignees=("eng_1",),
        confidential=True,
    )
    create = context.op("new:1", new)
    change = context.op("new:1", Edit(weight=3))
    made, changed = await context.send(create, change)
    assert isinstance(made, Done)
    assert isinstance(changed, Done)
    assert made.issue is not None
    assert changed.issue is not None
    assert (made.issue.weight, changed.issue.weight) == (2, 3)
    assert made.issue.id == changed.issue.id
    assert not made.issue.is_new
    assert made.issue.labels == {"type::bug", "Deliverable"}
    assert (made.issue.milestone, made.issue.assignees, made.issue.confidential) == ("19.8", ("eng_1",), True)
    issue = context.world.issue(made.issue.reference)
    assert markers.split_marker(issue.description) == ("Text\n\\/close", create.id)
    assert issue.open
    assert (await context.gateway.detail(made.issue.id)).op == create.id


async def test_a_new_issue_never_creates_labels(context: LoadedGateway) -> None:
    labels = len(context.world.labels)
    new = Create(project="top/app", title="x", labels=frozenset({"nonsense"}))
    assert isinstance(await context.fail("new:1", new), EditImpossible)
    assert isinstance(
        await context.fail("new:2", Create(project="top/app", title="x", assignees=("nobody",))),
        EditImpossible,
    )
    assert len(context.world.labels) == labels
    assert context.sent() == 0


async def test_a_new_issue_without_all_requested_fields() -> None:
    async with loaded_at(tier="free") as context:
        new = Create(project="top/app", title="x", weight=3, assignees=("eng_1", "eng_2"))
        [outcome] = await context.send(context.op("new:1", new))
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, EditDropped)
        assert outcome.error.message.startswith("The issue was created, but the weight was not set")
        assert outcome.issue is not None
        assert not outcome.issue.is_new


async def test_a_change_to_an_issue_that_was_never_created(context: LoadedGateway) -> None:
    edit = context.op("new:9", Edit(weight=1))
    [outcome] = await context.send(edit)
    assert errors([outcome]) == [EditImpossible]


async def test_a_project_without_issues(context: LoadedGateway) -> None:
    context.world.projects["top/app"].issues_enabled = False
    assert isinstance(await context.fail("new:1", Create(project="top/app", title="x")), EditForbidden)


# -- silent drops


async def test_weight_without_a_licence() -> None:
    async with loaded_at(tier="free") as context:
        assert isinstance(await context.fail("top/app#1", Edit(weight=3)), EditImpossible)
        assert context.sent() == 0


async def test_weight_when_the_licence_has_just_ended() -> None:
    async with loaded_at() as context:
        context.world.tier = "free"
        error = await context.fail("top/app#1", Edit(weight=3))
        assert isinstance(error, EditDropped)
        assert "weight" in error.message
        assert "Premium" in error.hint


async def test_weight_on_the_community_edition() -> None:
    async with loaded_at(tier="free", edition="ce") as context:
        assert isinstance(await context.fail("top/app#1", Edit(weight=3)), EditImpossible)
        assert context.sent() == 0


async def test_a_second_assignee_on_free() -> None:
    async with loaded_at(tier="free") as context:
        error = await context.fail("top/app#1", Edit(assign=frozenset({"eng_1", "eng_2"})))
        assert isinstance(error, EditDropped)
        assert "eng_" in error.message
        assert "Premium" in error.hint
        [kept] = context.issue("top/app#1").assignees
        # Those to go leave first, so one can be replaced by another.
        other = "eng_2" if kept == "eng_1" else "eng_1"
        await context.do("top/app#1", Edit(assign=frozenset({other}), unassign=frozenset({kept})))
        assert context.issue("top/app#1").assignees == (other,)


def add_stranger(context: LoadedGateway) -> None:
    """Somebody who has left the group since the catalog was read."""
    left = context.world.add_user("stranger", "Stranger")
    known = (*context.catalog.people, Person(id=f"gid://gitlab/User/{left.id}", username="stranger"))
    context.catalog = structs.replace(context.catalog, people=known)


async def test_an_assignee_without_access_to_the_project(context: LoadedGateway) -> None:
    add_stranger(context)
    error = await context.fail("top/app#1", Edit(assign=frozenset({"stranger"})))
    assert isinstance(error, EditInvalid | EditDropped)
    assert "stranger" in error.message


async def test_the_name_of_no_person_empties_no_assignees(context: LoadedGateway) -> None:
    context.world.edit("top/app#1", by=ME, assignees=["eng_2"])
    for edit in (Edit(assignees=("eng_11",)), Edit(assign=frozenset({"eng_11"}), weight=3)):
        error = await context.fail("top/app#1", edit)
        assert isinstance(error, EditImpossible)
        assert ("eng_11" in error.message, error.hint) == (True, "Similar: eng_1, eng_2.")
    assert [user.username for user in context.world.issue("top/app#1").assignees] == ["eng_2"]
    assert context.sent() == 0


async def test_assigning_keeps_those_assigned_meanwhile(context: LoadedGateway) -> None:
    """The mirror need not know of a colleague's change, which may not even move ``updatedAt``."""
    context.world.edit("top/app#1", by="eng_1", assignees=["eng_1"])
    await context.do("top/app#1", Edit(assign=frozenset({ME.upper()})))
    assert {user.username for user in context.world.issue("top/app#1").assignees} == {"eng_1", ME}
    assert set(context.issue("top/app#1").assignees) == {"eng_1", ME}


async def test_a_name_is_sent_as_gitlab_spells_it(context: LoadedGateway) -> None:
    assert (await context.do("top/app#1", Edit(assignees=("Eng_1",)))).assignees == ("eng_1",)
    new = Create(project="top/app", title="x", assignees=("ENG_2",))
    assert (await context.do("new:1", new)).assignees == ("eng_2",)


async def test_a_label_not_available_to_the_project(context: LoadedGateway) -> None:
    assert isinstance(await context.fail("top/app#1", Edit(add=frozenset({"lib-only"}))), EditImpossible)
    # The catalog is outdated: GitLab silently drops the label.
    label = context.catalog.label("top/sub/lib", "lib-only")
    assert label is not None
    wrong = structs.replace(label, owner="top")
    context.catalog = structs.replace(context.catalog, labels=(*context.catalog.labels, wrong))
    error = await context.fail("top/app#1", Edit(add=frozenset({"lib-only"})))
    assert isinstance(error, EditDropped)
    assert "lib-only" in error.message
    assert "top/app" in error.hint


async def test_a_milestone_not_available_to_the_project(context: LoadedGateway) -> None:
    assert isinstance(await context.fail("top/app#1", Edit(milestone="lib-1")), EditImpossible)
    milestone = context.catalog.milestone("top/sub/lib", "lib-1")
    assert milestone is not None
    wrong = structs.replace(milestone, owner="top")
    context.catalog = structs.replace(context.catalog, milestones=(*context.catalog.milestones, wrong))
    error = await context.fail("top/app#1", Edit(milestone="lib-1"))
    assert isinstance(error, EditDropped)
    assert "lib-1" in error.message
    assert context.issue("top/app#1").milestone == "19.7"


async def test_two_labels_of_one_scope(context: LoadedGateway) -> None:
    both = Edit(add=frozenset({"workflow::in dev", "workflow::in review"}))
    error = await context.fail("top/app#1", both)
    assert isinstance(error, EditDropped)
    assert "scope" in error.hint


async def test_an_author_without_the_reporter_role(context: LoadedGateway) -> None:
    # An author can change the title, but labels and weight are silently dropped.
    context.world.create("top/locked", "By me", by=ME)
    context.shown |= {issue.id: issue for issue in await read_all(context)}
    assert (await context.do("top/locked#2", Edit(title="Mine"))).title == "Mine"
    error = await context.fail("top/locked#2", Edit(add=frozenset({"Deliverable"}), weight=3))
    assert isinstance(error, EditDropped)
    assert "you are not allowed to change issues in top/locked" in error.hint
    # No other milestone would be accepted, either.
    error = await context.fail("top/locked#2", Edit(milestone="19.8"))
    assert isinstance(error, EditDropped)
    assert error.message == "The milestone 19.8 was not set."
    assert "you are not allowed to change issues in top/locked" in error.hint


async def read_all(context: LoadedGateway) -> list[Any]:
    """Read all issues again."""
    from gateway.worlds import everything

    return await everything(context.gateway)


async def test_no_permission_at_all(context: LoadedGateway) -> None:
    error = await context.fail("top/locked#1", Edit(title="No"))
    assert isinstance(error, EditForbidden)
    assert "top/locked" in error.message


async def test_a_deleted_issue(context: LoadedGateway) -> None:
    context.world.delete("top/app#3")
    ops = [context.op(f"top/app#{n}", Edit(weight=7)) for n in (2, 3, 4)]
    assert errors(await context.send(*ops)) == [None, EditGone, None]
    assert context.sent() == 1
    assert [context.world.issue(f"top/app#{n}").weight for n in (2, 4)] == [7, 7]


async def test_a_read_only_token(server: DemoServer) -> None:
    context = await LoadedGateway(server, token=server.token_for(ME, "read_api")).open()
    async with context.gateway:
        assert context.catalog.server.can_write is False
        error = await context.fail("top/app#1", Edit(weight=3))
        assert isinstance(error, EditForbidden)
        assert "api" in error.hint


async def test_a_value_that_gitlab_rejects(context: LoadedGateway) -> None:
    for title in ("", " ", "x" * 256, "nul\0"):
        assert isinstance(await context.fail("top/app#1", Edit(title=title)), EditInvalid)
        assert isinstance(await context.fail("new:1", Create(project="top/app", title=title)), EditInvalid)
    assert isinstance(await context.fail("top/app#1", Edit(description="é" * 600_000)), EditInvalid)
    assert isinstance(await context.fail("top/app#1", Comment(body="nul\0")), EditInvalid)
    assert context.sent() == 0
    # In code points, and without blanks at the ends.
    assert (await context.do("top/app#1", Edit(title="\U0001f9ea" * 255 + " "))).title == "\U0001f9ea" * 255
    assert isinstance(await context.fail("top/app#1", Edit(weight=-1)), EditInvalid)
    assert isinstance(await context.fail("top/app#1", Edit(weight=2**40)), EditInvalid)


async def test_a_partly_dropped_edit_is_reported(context: LoadedGateway) -> None:
    add_stranger(context)
    [outcome] = await context.send(context.op("top/app#1", Edit(assign=frozenset({"stranger"}), weight=8)))
    assert isinstance(outcome, Failed)
    assert outcome.issue is not None
    assert outcome.issue.weight == 8
    assert context.world.issue("top/app#1").weight == 8


# -- many at once


async def many(count: int, change: Any) -> tuple[int, list[Any], Any]:
    """Send one act on ``count`` issues; documents, outcomes, gateway."""
    async with loaded_at(issues=count) as context:
        ops = [context.op(f"top/app#{n}", change) for n in range(1, count + 1)]
        outcomes = await context.send(*ops)
        assert all(isinstance(one, Done) for one in outcomes)
        return context.sent(), outcomes, context


@pytest.mark.parametrize(("count", "documents"), [(1, 1), (10, 1), (20, 2), (100, 6)])
async def test_how_many_requests_edits_need(count: int, documents: int) -> None:
    sent, outcomes, _ = await many(count, Edit(weight=3))
    assert sent == documents
    assert all(one.issue.weight == 3 for one in outcomes)


@pytest.mark.parametrize(("count", "documents"), [(1, 1), (10, 1), (100, 8)])
async def test_how_many_requests_label_changes_need(count: int, documents: int) -> None:
    sent, outcomes, _ = await many(count, Edit(add=frozenset({"type::feature", "Deliverable"})))
    assert sent == documents
    assert all(one.issue.labels == {"type::feature", "Deliverable"} for one in outcomes)


async def test_ops_of_one_issue_keep_their_order(context: LoadedGateway) -> None:
    ops = [context.op("top/app#1", Edit(weight=n)) for n in range(50)]
    ops.insert(25, context.op("top/app#2", Edit(weight=1)))
    ops.append(context.op("top/app#1", Edit(add=frozenset({"type::feature"}))))
    ops.append(context.op("top/app#1", Edit(add=frozenset({"type::bug"}))))
    outcomes = await context.send(*ops)
    assert errors(outcomes) == [None] * 53
    assert context.world.issue("top/app#1").weight == 49
    assert context.issue("top/app#1").labels == {"type::bug"}
    assert context.sent() <= 4


async def test_nothing_to_send(context: LoadedGateway) -> None:
    assert await context.gateway.send([], context.shown, context.catalog) == []
    assert (await context.do("top/app#1", Edit())) == context.issue("top/app#1")
    assert len(context.server.requests) == 0


async def test_one_impossible_op_stops_no_other(context: LoadedGateway) -> None:
    ops = [
        context.op("top/app#1", Edit(milestone="not there")),
        context.op("top/app#1", Edit(weight=6)),
        context.op("top/app#2", Edit(add=frozenset({"lib-only"}))),
        context.op("top/app#2", Comment(body="Yes")),
    ]
    assert errors(await context.send(*ops)) == [EditImpossible, None, EditImpossible, None]
    assert context.sent() == 1
