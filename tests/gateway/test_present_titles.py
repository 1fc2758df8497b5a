"""What was asked for by name is what has that name now: of labels, milestones and projects."""

from __future__ import annotations

import pytest
from msgspec import structs

from gateway.worlds import ME, LoadedGateway
from glboard_core.board.operations import Create, Edit, Rank
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from glboard_core.errors import EditForbidden
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import Needs
from glboard_core.ports import Done, Failed


def titles(world: World, reference: str) -> set[str]:
    return {one.title for one in world.issue(reference).labels}


def renamed_and_made_again(world: World, title: str, new: str) -> None:
    label = world.label_of(world.root, title)
    assert label is not None
    world.rename_label(label, new)
    world.add_label(world.root, title)


async def test_a_label_whose_title_another_one_has_now(context: LoadedGateway) -> None:
    world = context.world
    context.gateway.prefer_titles()
    renamed_and_made_again(world, "Deliverable", "Deliverable (old)")
    issue = await context.do("top/app#1", Edit(add=frozenset({"Deliverable"})))
    assert titles(world, "top/app#1") == {"type::bug", "Deliverable"} == issue.labels
    back = Edit(remove=frozenset({"Deliverable"}))
    await context.do("top/app#1", back)
    assert titles(world, "top/app#1") == {"type::bug"}


async def test_one_that_was_on_the_issue_stays(context: LoadedGateway) -> None:
    world = context.world
    context.gateway.prefer_titles()
    await context.do("top/app#1", Edit(add=frozenset({"Deliverable"})))
    renamed_and_made_again(world, "Deliverable", "Deliverable (old)")
    await context.gateway.read([context.issue("top/app#1").id])
    now = await context.gateway.read([context.issue("top/app#1").id])
    context.shown.update(now)
    await context.do("top/app#1", Edit(add=frozenset({"Deliverable"})))
    assert titles(world, "top/app#1") == {"type::bug", "Deliverable", "Deliverable (old)"}


async def test_what_was_chosen_on_screen_is_what_was_shown_there(context: LoadedGateway) -> None:
    renamed_and_made_again(context.world, "Deliverable", "Deliverable (old)")
    issue = await context.do("top/app#1", Edit(add=frozenset({"Deliverable"})))
    assert titles(context.world, "top/app#1") == {"type::bug", "Deliverable (old)"} == issue.labels


async def test_one_of_a_scope(context: LoadedGateway) -> None:
    world = context.world
    context.gateway.prefer_titles()
    renamed_and_made_again(world, "workflow::in dev", "workflow::in dev (2025)")
    references = ("top/app#1", "top/app#2", "top/app#3")
    edit = Edit(add=frozenset({"workflow::in dev"}))
    outcomes = await context.send(*(context.op(one, edit) for one in references))
    assert all(isinstance(one, Done) for one in outcomes)
    for reference in references:
        assert titles(world, reference) == {"type::bug", "workflow::in dev"}


async def test_a_label_to_take_off(context: LoadedGateway) -> None:
    world = context.world
    renamed_and_made_again(world, "Deliverable", "Deliverable (old)")
    world.edit("top/app#1", by="eng_1", add_labels=["Deliverable"])
    context.shown.update(await context.gateway.read([context.issue("top/app#1").id]))
    await context.do("top/app#1", Edit(remove=frozenset({"Deliverable"})))
    assert titles(world, "top/app#1") == {"type::bug"}


async def test_a_milestone_whose_title_another_one_has_now(context: LoadedGateway) -> None:
    world = context.world
    old = world.milestone("19.8")
    upheavals.rename_milestone(world, old, "19.8 (old)")
    new = world.add_milestone(world.root, "19.8", old.start, old.due)
    context.gateway.prefer_titles()
    issue = await context.do("top/app#1", Edit(milestone="19.8"))
    assert world.issue("top/app#1").milestone is new
    assert issue.milestone == "19.8"


async def test_a_title_that_only_changed_is_asked_for_once(context: LoadedGateway) -> None:
    world = context.world
    upheavals.rename_milestone(world, world.milestone("19.8"), "19.8 GA")
    references = ("top/app#1", "top/app#2", "top/app#3")
    context.gateway.prefer_titles()
    outcomes = await context.send(*(context.op(one, Edit(milestone="19.8")) for one in references))
    assert {one.issue.milestone for one in outcomes if one.issue is not None} == {"19.8 GA"}
    assert len(context.server.requests) == 2


@pytest.mark.parametrize("edit", [Edit(weight=77), Edit(state="closed"), Edit(assign=frozenset({ME}))])
async def test_a_path_that_another_project_has_now(context: LoadedGateway, edit: Edit) -> None:
    """What was changed instead is said, no more is changed there, and the change can be made again."""
    world = context.world
    upheavals.rename_project(world, world.project("top/app"), "top/app-old")
    world.add_project("top/app")
    for n in (1, 2):
        world.create("top/app", f"Stranger {n}", by="eng_1")
    ops = [context.op(f"top/app#{n}", edit) for n in (2, 4)]
    first, second = await context.send(*ops)
    assert isinstance(first, Failed)
    assert isinstance(first.error, EditForbidden)
    assert "changed another issue: top/app is the path of another project now" in str(first.error)
    assert "top/app#2" in (first.error.hint or "")
    assert first.issue is not None
    assert first.issue.project == "top/app-old"
    assert isinstance(second, Done), "its number has no other issue"
    [again] = await context.send(ops[0])
    assert isinstance(again, Done)
    assert edit.missing_on(again.issue) == Edit() if again.issue else False
    assert again.issue is not None
    assert again.issue.reference == "top/app-old#2"


async def test_of_many_only_one_document_goes_astray(context: LoadedGateway) -> None:
    world = context.world
    upheavals.rename_project(world, world.project("top/app"), "top/app-old")
    world.add_project("top/app")
    for n in range(1, 7):
        world.create("top/app", f"Stranger {n}", by="eng_1")
    context.gateway._sender.size.most = 1
    ops = [context.op(f"top/app#{n}", Edit(title=f"Ours {n}")) for n in range(1, 7)]
    await context.send(*ops)
    astray = [n for n in range(1, 7) if world.issue(f"top/app#{n}").title.startswith("Ours")]
    assert len(astray) <= 2, "as many as are under way at once"


async def test_a_rank_over_rest_goes_to_the_project_by_its_number(context: LoadedGateway) -> None:
    world = context.world
    world.boards.clear()
    context.catalog = await context.gateway.extend_catalog(context.catalog, _projects("top/app"))
    upheavals.rename_project(world, world.project("top/app"), "top/app-old")
    world.add_project("top/app")
    for n in (1, 2, 3, 4):
        world.create("top/app", f"Stranger {n}", by="eng_1")
    shown = {n: context.issue(f"top/app#{n}") for n in (1, 2, 4)}
    context.catalog = _without_board(context.catalog)
    await context.do("top/app#4", Rank(above=shown[1].id, below=shown[2].id))
    ours = world.index.find(int(shown[4].id.rpartition("/")[2]))
    first = world.index.find(int(shown[1].id.rpartition("/")[2]))
    assert ours is not None
    assert first is not None
    assert (ours.position or 0) - (first.position or 0) < 512


def _projects(*paths: str) -> Needs:
    return Needs(projects=frozenset(paths))


def _without_board(catalog: Catalog) -> Catalog:
    return structs.replace(catalog, ranking_board=None)


# -- new issues


async def test_a_new_issue_has_what_is_called_otherwise_now(context: LoadedGateway) -> None:
    """Ids are sent, so it is there: titles that differ are no reason to say that it is not."""
    world = context.world
    label = world.label_of(world.root, "Deliverable")
    assert label is not None
    world.rename_label(label, "Deliverable GA")
    upheavals.rename_milestone(world, world.milestone("19.8"), "19.8 GA")
    upheavals.rename_user(world, world.user("eng_1"), "engineer")
    new = Create(
        project="top/app",
        title="New",
        labels=frozenset({"Deliverable"}),
        milestone="19.8",
        assignees=("eng_1",),
    )
    issue = await context.do("new:1", new)
    assert issue.labels == {"Deliverable GA"}
    assert (issue.milestone, issue.assignees) == ("19.8 GA", ("engineer",))
    learned = context.gateway.learned(context.catalog, lambda _: True)
    assert learned.label("top/app", "Deliverable GA") is not None
    assert learned.milestone("top/app", "19.8 GA") is not None


async def test_a_new_issue_in_a_project_with_another_path(context: LoadedGateway) -> None:
    world = context.world
    upheavals.rename_project(world, world.project("top/app"), "top/sub/renamed")
    ops = [context.op(f"new:{n}", Create(project="top/app", title=f"New {n}")) for n in (1, 2)]
    outcomes = await context.send(*ops)
    assert [one.issue.project for one in outcomes if one.issue] == ["top/sub/renamed"] * 2
    assert all(isinstance(one, Done) for one in outcomes)
    assert sum(1 for one in world.index.issues.values() if one.title.startswith("New")) == 2


async def test_a_new_issue_that_lacks_a_milestone_is_there_all_the_same(context: LoadedGateway) -> None:
    context.world.milestone("19.7").closed = True
    error = await context.fail("new:1", Create(project="top/app", title="New", milestone="19.7"))
    assert str(error).startswith("The issue was created, but the milestone “19.7” was not set: it is closed.")


# -- two labels of one title


async def test_two_labels_of_one_title_are_both_taken_off(context: LoadedGateway) -> None:
    """One of the group and one of the project, where that came first: GitLab allows it, and shows both."""
    world = context.world
    issue = world.issue("top/app#1")
    own = world.add_label(world.project("top/app"), "Deliverable")
    shared = world.label_of(world.root, "Deliverable")
    assert shared is not None
    with world.index.moving(issue):
        issue.labels = (own, shared, *issue.labels)
    context.shown.update(await context.gateway.read([context.issue("top/app#1").id]))
    after = await context.do("top/app#1", Edit(remove=frozenset({"Deliverable"})))
    assert titles(world, "top/app#1") == {"type::bug"} == after.labels


# -- people


async def test_somebody_with_another_username_is_unassigned(context: LoadedGateway) -> None:
    """GitLab removes by username, and no one where none has it, without an error: ids tell who stays."""
    world = context.world
    world.edit("top/app#1", by=ME, assignees=["eng_1", "eng_2"])
    context.shown.update(await context.gateway.read([context.issue("top/app#1").id]))
    upheavals.rename_user(world, world.user("eng_1"), "engineer")
    after = await context.do("top/app#1", Edit(unassign=frozenset({"eng_1"})))
    assert after.assignees == ("eng_2",)
    assert [one.username for one in world.issue("top/app#1").assignees] == ["eng_2"]
    learned = context.gateway.learned(context.catalog, lambda _: True)
    assert learned.person("engineer") is not None
