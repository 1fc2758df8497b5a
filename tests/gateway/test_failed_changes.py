"""What is said of a change that failed: only what a look at the issue shows, with the reason found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from msgspec import structs

from gateway.worlds import LoadedGateway, errors, make
from glboard_core.board.operations import Comment, Create, Edit, OpId
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import changes, upheavals
from glboard_core.errors import (
    EditCrashed,
    EditDropped,
    EditForbidden,
    EditInvalid,
    EditUnknown,
    GlboardError,
)
from glboard_core.ports import Done, Failed, Outcome

LABEL = frozenset({"Deliverable"})
#: Longer than this server accepts, and than we know.
LONG = "x" * 50


@pytest.fixture(autouse=True)
def short_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitLab rejects what we do not check before."""
    monkeypatch.setattr(changes, "MAX_TITLE", 20)


async def failed(context: LoadedGateway, reference: str, change: Edit) -> Failed:
    """Make one change that must fail."""
    [outcome] = await context.send(context.op(reference, change))
    assert isinstance(outcome, Failed), outcome
    return outcome


# -- half done


async def test_labels_that_went_through_despite_a_refused_title_are_named(context: LoadedGateway) -> None:
    outcome = await failed(context, "top/app#1", Edit(title=LONG, add=LABEL))
    assert isinstance(outcome.error, EditInvalid)
    assert "Title is too long" in outcome.error.message
    assert outcome.issue is not None
    assert outcome.issue.labels == {"type::bug", "Deliverable"}
    assert outcome.issue.title == "Issue 1"


async def test_an_issue_that_was_closed_despite_a_refused_title_is_named(context: LoadedGateway) -> None:
    outcome = await failed(context, "top/app#1", Edit(title=LONG, state="closed"))
    assert "Title is too long" in outcome.error.message
    assert outcome.issue is not None
    assert outcome.issue.state == "closed"
    assert outcome.issue.closed_at is not None


async def test_what_a_tier_lacks_is_told_apart_from_labels() -> None:
    async with DemoServer(make()) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            server.world.tier = "free"
            outcome = await failed(context, "top/app#1", Edit(weight=4, add=LABEL))
    assert isinstance(outcome.error, EditDropped)
    assert outcome.error.message.startswith("The weight was not set")


async def test_a_refused_change_of_which_nothing_went_through_says_only_that(context: LoadedGateway) -> None:
    outcome = await failed(context, "top/app#1", Edit(title=LONG))
    assert outcome.error.message == "GitLab rejected it: Title is too long (maximum is 20 characters)"
    # Someone else's change in between is not taken for mine.
    context.world.edit("top/app#2", by="eng_1", add_labels=["Deliverable"], milestone="19.8")
    outcome = await failed(context, "top/app#2", Edit(title=LONG, milestone="19.7"))
    assert outcome.error.message == "GitLab rejected it: Title is too long (maximum is 20 characters)"


async def test_what_cannot_be_read_again_is_unknown(context: LoadedGateway) -> None:
    context.server.faults.next("reset-before", "Read", times=9)
    outcome = await failed(context, "top/app#1", Edit(title=LONG, add=LABEL))
    assert isinstance(outcome.error, EditUnknown)
    assert outcome.issue is None


async def test_one_look_for_all_failures_of_a_document(context: LoadedGateway) -> None:
    ops = [context.op(f"top/app#{n}", Edit(title=LONG if n % 2 else "Good")) for n in range(1, 7)]
    assert errors(await context.send(*ops)) == [EditInvalid, None] * 3
    assert len(context.server.requests) == 2


async def test_a_new_issue_that_gitlab_says_it_did_not_create_is_looked_for(context: LoadedGateway) -> None:
    now = context.gateway.now()
    new = Create(project="top/app", title="New")
    create = structs.replace(context.op("new:1", new), at=now)
    write = context.gateway._transport.write

    async def denied(*args: object) -> bytes:
        await write(*args)  # type: ignore[arg-type]
        return b'{"data": {"m0": {"errors": ["No"], "issue": null}}}'

    context.gateway._transport.write = denied  # type: ignore[assignment, method-assign]
    [outcome] = await context.send(create)
    assert isinstance(outcome, Done)
    assert outcome.issue is not None
    assert outcome.issue.title == "New"
    # And one that was not created is not there.
    bad = structs.replace(context.op("new:2", Create(project="top/app", title=LONG)), at=now)
    context.gateway._transport.write = write  # type: ignore[method-assign]
    assert errors(await context.send(bad)) == [EditInvalid]


# -- GitLab fails


@pytest.mark.parametrize("fault", ["crash-before", "crash-after"])
async def test_a_500_is_an_answer_that_leaves_it_open_what_was_made(
    context: LoadedGateway, fault: str
) -> None:
    context.server.faults.next(fault, "updateIssue")
    outcome = await failed(context, "top/app#1", Edit(weight=8))
    assert type(outcome.error) is EditCrashed
    assert context.sent() == 1


# -- refusals without a reason


async def refusal(context: LoadedGateway, reference: str = "top/app#1") -> GlboardError:
    """The error of an edit that must be refused."""
    outcome = await failed(context, reference, Edit(title="Other"))
    assert isinstance(outcome.error, EditForbidden)
    return outcome.error


async def test_an_archived_project(context: LoadedGateway) -> None:
    context.world.projects["top/app"].archived = True
    assert "top/app is archived" in (await refusal(context)).message
    [outcome] = await context.send(context.op("new:1", Create(project="top/app", title="x")))
    assert isinstance(outcome, Failed)
    assert "top/app is archived" in outcome.error.message


async def test_one_reason_for_many_refusals_is_asked_once(context: LoadedGateway) -> None:
    context.world.projects["top/app"].archived = True
    ops = [context.op(f"top/app#{n}", Edit(weight=8)) for n in range(1, 6)]
    assert errors(await context.send(*ops)) == [EditForbidden] * 5
    # The changes, the issues, the project.
    assert len(context.server.requests) == 3


async def test_a_deleted_issue_and_one_whose_project_is_gone(context: LoadedGateway) -> None:
    context.world.delete("top/app#1")
    assert (await refusal(context)).message.startswith("The issue was deleted")
    context.world.projects["top/sub/lib"].overrides[context.world.owner.id] = 0
    assert (await refusal(context, "top/sub/lib#1")).message.startswith("The project top/sub/lib was deleted")


async def test_a_role_that_is_too_low(context: LoadedGateway) -> None:
    assert "not allowed to change issues in top/locked" in (await refusal(context, "top/locked#1")).message


async def test_a_project_with_another_path_is_written_to_there(context: LoadedGateway) -> None:
    project = context.world.projects.pop("top/app")
    project.full_path = "top/renamed"
    context.world.projects["top/renamed"] = project
    ops = [context.op(f"top/app#{n}", Edit(weight=9)) for n in (1, 2)]
    outcomes = await context.send(*ops)
    assert errors(outcomes) == [None, None]
    assert [one.issue.project for one in outcomes if one.issue] == ["top/renamed"] * 2
    assert [context.world.issue(f"top/renamed#{n}").weight for n in (1, 2)] == [9, 9]


async def test_a_milestone_that_was_closed_a_moment_ago(context: LoadedGateway) -> None:
    context.world.milestone("19.8").closed = True
    outcome = await failed(context, "top/app#1", Edit(milestone="19.8"))
    assert isinstance(outcome.error, EditDropped)
    assert outcome.error.message == "The milestone “19.8” was not set: it is closed."
    outcome = await failed(context, "top/app#1", Edit(milestone="19.8", add=LABEL))
    assert outcome.error.message.startswith("The milestone “19.8” was not set")


async def test_a_milestone_that_was_deleted(context: LoadedGateway) -> None:
    milestone = context.world.milestone("19.8")
    del context.world.milestones[milestone.id]
    outcome = await failed(context, "top/app#1", Edit(milestone="19.8"))
    assert "it was deleted" in outcome.error.message


async def test_a_renamed_milestone_is_set(context: LoadedGateway) -> None:
    context.world.milestone("19.8").title = "19.8 GA"
    assert (await context.do("top/app#1", Edit(milestone="19.8"))).milestone == "19.8 GA"


async def test_another_milestone_of_the_same_title_is_not_the_same(context: LoadedGateway) -> None:
    # Known by its old title, which another milestone has meanwhile.
    context.world.milestone("19.8").title = "19.8 old"
    context.world.add_milestone(context.world.groups["top"], "19.8", date(2027, 2, 1), date(2027, 3, 1))
    assert (await context.do("top/app#1", Edit(milestone="19.8"))).milestone == "19.8 old"


# -- document by document


async def test_outcomes_are_reported_as_each_document_is_answered() -> None:
    async with DemoServer(make(issues=25)) as server:
        context = await LoadedGateway(server).open()
        told: list[Sequence[Outcome]] = []
        flying: list[int] = [0]
        most: list[int] = [0]
        write = context.gateway._transport.write

        async def counted(*args: object) -> object:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
            try:
                return await write(*args)  # type: ignore[arg-type]
            finally:
                flying[0] -= 1

        context.gateway._transport.write = counted  # type: ignore[assignment, method-assign]
        async with context.gateway:
            server.settings.latency_ms = 20
            ops = [context.op(f"top/app#{n}", Edit(weight=9)) for n in range(1, 26)]
            bad = context.op("top/app#1", Edit(milestone="nowhere"))
            outcomes = await context.gateway.send([*ops, bad], context.shown, context.catalog, told.append)
    assert len(told) == context.sent() == 3
    assert {one.op for some in told for one in some} == {op.id for op in [*ops, bad]}
    assert sum(isinstance(one, Done) for one in outcomes) == 25
    assert most == [2]


async def test_what_is_open_is_not_reported_as_final(context: LoadedGateway) -> None:
    context.server.faults.next("reset-after", "updateIssue")
    told: list[Sequence[Outcome]] = []
    ops = [context.op("top/app#1", Edit(weight=9)), context.op("top/app#2", Edit(milestone="nowhere"))]
    outcomes = await context.gateway.send(ops, context.shown, context.catalog, told.append)
    assert [[one.op for one in some] for some in told] == [[ops[1].id]]
    assert isinstance(outcomes[0], Failed)
    assert isinstance(outcomes[0].error, EditUnknown)


async def test_quick_moves_of_one_card_go_in_one_document_in_order(context: LoadedGateway) -> None:
    moves = ["workflow::in dev", "workflow::in review", "workflow::in dev"]
    ops = [context.op("top/app#1", Edit(add=frozenset({title}))) for title in moves]
    ops.append(structs.replace(context.op("top/app#1", Comment(body="Moved")), id=OpId("last")))
    assert errors(await context.send(*ops)) == [None] * 4
    assert context.sent() == 1
    labels = {label.title for label in context.world.issue("top/app#1").labels}
    assert labels == {"type::bug", "workflow::in dev"}


async def test_many_issues_are_read_with_one_request() -> None:
    async with DemoServer(make(issues=100)) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            ids = [context.issue(f"top/app#{n}").id for n in range(1, 101)]
            assert set(await context.gateway.read(ids, context.shown)) == set(ids)
            assert len(server.requests) == 1
            # Moved or renamed away from where they were known: found by id.
            server.requests.clear()
            lost = {i: structs.replace(one, project="top/old") for i, one in context.shown.items()}
            assert set(await context.gateway.read(ids[:10], lost)) == set(ids[:10])
            assert len(server.requests) == 3


# -- renamed, moved, promoted


async def test_a_renamed_group_takes_labels_and_milestones_along(context: LoadedGateway) -> None:
    upheavals.rename_group(context.world, context.world.root, "summit")
    issue = await context.do("top/app#1", Edit(milestone="19.8", add=LABEL))
    assert (issue.project, issue.milestone) == ("summit/app", "19.8")
    assert "Deliverable" in issue.labels


async def test_a_project_that_is_to_be_deleted(context: LoadedGateway) -> None:
    project = context.world.projects["top/app"]
    upheavals.schedule_deletion(context.world, project)
    issue = await context.do("top/app#1", Edit(weight=9, add=LABEL))
    assert issue.project == project.full_path
    project.archived = True  # as some versions do as well
    assert "is archived" in (await context.fail(issue.reference, Edit(weight=8))).message


async def test_an_issue_that_was_moved_is_changed_where_it_was(context: LoadedGateway) -> None:
    world = context.world
    upheavals.move_issue(world, world.issue("top/app#1"), world.projects["top/sub/lib"], world.owner)
    assert (await context.do("top/app#1", Edit(weight=9))).project == "top/app"


async def test_a_label_that_was_promoted_to_the_group_has_another_id(context: LoadedGateway) -> None:
    world = context.world
    label = world.label_of(world.projects["top/sub/lib"], "lib-only")
    assert label is not None
    await context.do("top/sub/lib#1", Edit(remove=frozenset({"lib-only"})))
    upheavals.promote_label(world, label)
    issue = await context.do("top/sub/lib#1", Edit(add=frozenset({"lib-only"})))
    assert "lib-only" in issue.labels
    known = context.gateway.learned(context.catalog, lambda _: True)
    now = world.label_of(world.groups["top/sub"], "lib-only")
    assert now is not None
    assert known.label_id("top/sub/lib", "lib-only") == f"gid://gitlab/GroupLabel/{now.id}"


async def test_a_renamed_label_is_set_and_its_title_learned(context: LoadedGateway) -> None:
    world = context.world
    label = world.label_of(world.root, "Deliverable")
    assert label is not None
    world.rename_label(label, "Commitment")
    issue = await context.do("top/app#1", Edit(add=LABEL))
    assert "Commitment" in issue.labels
    known = context.gateway.learned(context.catalog, lambda _: True)
    assert known.label("top/app", "Deliverable") is None
    assert known.label("top/app", "Commitment") is not None


async def test_a_label_that_stays_because_two_wrote_at_once_is_not_put_down_to_a_role(
    context: LoadedGateway,
) -> None:
    context.world.traits.races = 60
    context.world.edit("top/app#1", by="eng_1", add_labels=["Deliverable"])
    there = structs.replace(context.issue("top/app#1"), labels=frozenset({"type::bug", "Deliverable"}))
    context.shown[there.id] = there
    outcome = await failed(context, "top/app#1", Edit(remove=LABEL))
    assert isinstance(outcome.error, EditDropped)
    assert outcome.error.hint == "Likely cause: someone else changed it at the same time."


async def test_a_milestone_that_was_promoted_to_the_group_has_another_id(context: LoadedGateway) -> None:
    context.world.edit("top/sub/lib#1", by="eng_1", milestone="lib-1")
    upheavals.promote_milestone(context.world, context.world.milestone("lib-1"))
    issue = await context.do("top/sub/lib#1", Edit(milestone=None))
    assert issue.milestone is None
    issue = await context.do("top/sub/lib#1", Edit(milestone="lib-1"))
    assert issue.milestone == "lib-1"
    now = context.world.issue("top/sub/lib#1").milestone
    assert now is not None
    assert now.owner.full_path == "top/sub"
