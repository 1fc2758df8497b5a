"""What others do in GitLab meanwhile: renames, moves, deletions; seen by id, and by a running board."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from msgspec import structs

from glboard_core.board.operations import Edit
from glboard_core.config import Settings
from glboard_core.errors import EditDropped
from glboard_core.model.catalog_needs import Needs, titles_of
from glboard_core.model.issue import Issue
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from live.ground import ONE, PLAIN, SPARE, TEAM, TWO, Ground, Remote, as_edited, until
from support.engines import STILL, eventually


@asynccontextmanager
async def board_open(remote: Remote) -> AsyncIterator[Engine]:
    """An engine that has read everything of the team, and polls only when told to."""
    settings = Settings()
    settings = structs.replace(settings, sync=STILL, labels=structs.replace(settings.labels, group=TEAM))
    timing = remote.ground.place.timing
    engine = Engine(remote.gateway, SqliteStore(":memory:"), settings, timing=timing)
    running = asyncio.create_task(engine.run())
    try:
        await eventually(lambda: engine.verified or running.done(), 60.0)
        if running.done():
            running.result()
        await engine.poller.idle()
        yield engine
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def seen(engine: Engine, ground: Ground, issue: Issue, holds: Callable[[Issue], bool]) -> Issue:
    """The issue as soon as the board shows it so, poll by poll."""

    async def look() -> Issue | None:
        await engine.poller.poll()
        await engine.poller.idle()
        shown = engine.shown.get(issue.id)
        return shown if shown is not None and holds(shown) else None

    return await until(ground.clock, look, 80.0)


async def test_a_board_sees_what_the_time_does_not_tell(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("On a board", labels=[ONE])
    issue = await remote.read(reference)
    async with board_open(remote) as engine:
        assert engine.shown[issue.id].labels == {TEAM, ONE}
        path = ground.path_of(reference)
        ground.rest.put(path, add_labels=PLAIN)
        await seen(engine, ground, issue, lambda one: PLAIN in one.labels)
        # Within the same minute: the time of the issue stays.
        ground.rest.put(path, add_labels=SPARE, remove_labels=PLAIN)
        await seen(engine, ground, issue, lambda one: one.labels == {TEAM, ONE, SPARE})
        ground.rest.put(path, state_event="close", milestone_id=ground.ids[ground.first])
        await seen(engine, ground, issue, lambda one: not one.is_open and one.milestone == ground.first)
        made = ground.issue("New on a board")
        found = await remote.read(made)
        await seen(engine, ground, found, lambda one: one.title == "New on a board")


async def test_what_a_key_did_is_undone_in_gitlab(ground: Ground, remote: Remote) -> None:
    references = [ground.issue(f"Undone {n}", labels=[ONE]) for n in range(2)]
    before = [await remote.read(reference) for reference in references]
    async with board_open(remote) as engine:
        edit = Edit(add=frozenset({TWO, PLAIN}), milestone=ground.first, state="closed")
        engine.perform([(issue.id, edit) for issue in before], "several")
        await engine.sender.idle()
        after = [await remote.read(reference) for reference in references]
        assert [as_edited(one) for one in after] == [as_edited(edit.apply(one)) for one in before]
        assert engine.undoing.undo() is not None
        await engine.sender.idle()
        assert engine.failed == []
    again = [await remote.read(reference) for reference in references]
    assert [as_edited(one) for one in again] == [as_edited(one) for one in before]
    assert [one.status for one in again] == [one.status for one in before]


async def test_a_colleagues_change_is_not_overwritten(ground: Ground, remote: Remote) -> None:
    other = ground.second_person
    reference = ground.issue("Assigned by two", labels=[ONE])
    issue = await remote.read(reference)
    member = other.rest.get("/user")["id"]
    async with board_open(remote) as engine:
        other.rest.put(ground.path_of(reference), assignee_ids=[member], add_labels=SPARE)
        people = [remote.catalog.person(ground.me)]
        engine.learn(people=[one for one in people if one is not None])
        engine.perform([(issue.id, Edit(assign=frozenset({ground.me})))], "assign")
        await engine.sender.idle()
        now = await remote.read(reference)
        # Without a licence one stays, of the two the one with the higher number: then we are told so.
        assert [type(error) for _, error in engine.failed] == ([] if ground.premium else [EditDropped])
    assert SPARE in now.labels
    assert set(now.assignees) == {other.username, *([ground.me] if ground.premium else ())}


async def test_a_renamed_project(ground: Ground, remote: Remote) -> None:
    with ground.project("before") as (path, number):
        issue = await remote.read(ground.issue("In a renamed project", at=path))
        ground.rest.put(f"/projects/{number}", path="after", name="after")
        _, after = await remote.do(issue, Edit(add=frozenset({PLAIN})))
        assert after.project == path.removesuffix("before") + "after"
        assert PLAIN in after.labels
        assert (await remote.gateway.read([issue.id]))[issue.id].reference == after.reference


async def test_a_renamed_group(ground: Ground, remote: Remote) -> None:
    ground.needs_own_projects()
    issue = await remote.read(ground.issue("In a renamed group", at=ground.lib))
    try:
        ground.rest.put(f"/groups/{ground.inner_id}", path="renamed")
        _, after = await remote.do(issue, Edit(add=frozenset({PLAIN})))
        assert after.project == f"{ground.group}/renamed/lib"
        assert PLAIN in after.labels
    finally:
        ground.rest.put(f"/groups/{ground.inner_id}", path="inner")


async def test_a_renamed_milestone(ground: Ground, remote: Remote) -> None:
    title = ground.first
    at = f"/groups/{ground.group_id}/milestones/{ground.ids[title]}"
    reference = ground.issue("In a renamed milestone", milestone_id=ground.ids[title])
    issue = await remote.read(reference)
    try:
        ground.rest.put(at, title=f"{title}5")
        assert (await remote.gateway.read([issue.id]))[issue.id].milestone == f"{title}5"
        # The old title is sent as a number, which still means the same milestone.
        other = await remote.read(ground.issue("Into a renamed milestone"))
        _, after = await remote.do(other, Edit(milestone=title))
        assert after.milestone == f"{title}5"
    finally:
        ground.rest.put(at, title=title)


async def test_a_renamed_and_a_promoted_label(ground: Ground, remote: Remote) -> None:
    ground.needs_own_projects()
    made = ground.rest.post(f"/projects/{ground.app_id}/labels", name="live old", color="#428bca")
    issue = await remote.read(ground.issue("With a renamed label", labels=["live old"]))
    assert "live old" in issue.labels
    ground.rest.put(f"/projects/{ground.app_id}/labels/{made['id']}", new_name="live new")
    assert (await remote.gateway.read([issue.id]))[issue.id].labels == {TEAM, "live new"}
    ground.rest.put(f"/projects/{ground.app_id}/labels/{made['id']}/promote")
    assert (await remote.gateway.read([issue.id]))[issue.id].labels == {TEAM, "live new"}
    # It has another id now, and is valid in the other project, too.
    needs = Needs(labels=titles_of([ground.lib], ["live new"]))
    remote.catalog = await remote.gateway.extend_catalog(remote.catalog, needs)
    strange = await remote.read(ground.issue("Elsewhere", at=ground.lib))
    _, after = await remote.do(strange, Edit(add=frozenset({"live new"})))
    assert "live new" in after.labels


async def test_a_title_that_something_else_has_now(ground: Ground, remote: Remote) -> None:
    """A team renames its “Current” and makes another one: what is typed is what is called so now."""
    labels, milestones = f"/groups/{ground.group_id}/labels", f"/groups/{ground.group_id}/milestones"
    first = ground.rest.post(labels, name="live handed on", color="#428bca")
    sprint = ground.rest.post(milestones, title="Live current")
    ground.delete_later(f"{labels}/{first['id']}")
    ground.delete_later(f"{milestones}/{sprint['id']}")
    needs = Needs(
        labels=titles_of([ground.app], ["live handed on"]),
        milestones=titles_of([ground.app], ["Live current"]),
    )
    remote.catalog = await remote.gateway.extend_catalog(remote.catalog, needs)
    ground.rest.put(f"{labels}/{first['id']}", new_name="live handed on (once)")
    ground.rest.put(f"{milestones}/{sprint['id']}", title="Live current, once")
    second = ground.rest.post(labels, name="live handed on", color="#428bca")
    later = ground.rest.post(milestones, title="Live current")
    ground.delete_later(f"{labels}/{second['id']}")
    ground.delete_later(f"{milestones}/{later['id']}")
    remote.gateway.prefer_titles()
    issue = await remote.read(ground.issue("With a title handed on"))
    _, after = await remote.do(issue, Edit(add=frozenset({"live handed on"}), milestone="Live current"))
    assert after.labels == {TEAM, "live handed on"}
    assert after.milestone == "Live current"
    assert as_edited(await remote.read(issue.reference)) == as_edited(after)
    assert ground.rest.get(ground.path_of(issue.reference))["milestone"]["id"] == later["id"]


async def test_a_path_that_another_project_has_now(ground: Ground, remote: Remote) -> None:
    ground.needs_own_projects()
    with ground.project("handed-on") as (path, number):
        issue = await remote.read(ground.issue("In a renamed project", at=path))
        needs = Needs(projects=frozenset({path}))
        remote.catalog = await remote.gateway.extend_catalog(remote.catalog, needs)
        ground.rest.put(f"/projects/{number}", path="handed-on-once")
        with ground.project("handed-on") as (again, _):
            assert again == path
            ground.issue("Of a stranger", at=path)
            error, now = await remote.fail(issue, Edit(title="Another title"))
            assert "the path of another project now" in str(error)
            assert now is not None
            assert now.project == f"{ground.group}/handed-on-once"
            assert now.title == "In a renamed project"
            _, after = await remote.do(now, Edit(title="Another title"))
            assert after.title == "Another title"


async def test_a_moved_issue(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("Moved", labels=[TWO], milestone_id=ground.ids[ground.first])
    issue = await remote.read(reference)
    copy = ground.rest.post(f"{ground.path_of(reference)}/move", to_project_id=ground.lib_id)
    now = (await remote.gateway.read([issue.id]))[issue.id]
    assert not now.is_open
    assert now.moved
    assert now.moved_to == f"gid://gitlab/Issue/{copy['id']}"
    assert now.moved_to is not None
    there = (await remote.gateway.read([now.moved_to]))[now.moved_to]
    assert there.project == ground.lib
    assert (there.labels, there.milestone, there.title) == (issue.labels, issue.milestone, issue.title)
    assert not there.moved


async def test_a_duplicate(ground: Ground, remote: Remote) -> None:
    kept, reference = ground.issue("The one"), ground.issue("The same again")
    body = f"/duplicate {kept}"
    ground.rest.post(f"{ground.path_of(reference)}/notes", body=body)
    now = await remote.read(reference)
    assert not now.is_open
    assert now.duplicate
    _, again = await remote.do(now, Edit(state="opened"))
    assert not again.duplicate


async def test_a_deleted_milestone(ground: Ground, remote: Remote) -> None:
    title = f"{ground.second}9"
    made = ground.rest.post(f"/groups/{ground.group_id}/milestones", title=title)
    issue = await remote.read(ground.issue("Milestone deleted", milestone_id=made["id"]))
    assert issue.milestone == title
    needs = Needs(milestones=titles_of([ground.app], [title]))
    remote.catalog = await remote.gateway.extend_catalog(remote.catalog, needs)
    ground.rest.delete(f"/groups/{ground.group_id}/milestones/{made['id']}")
    assert (await remote.gateway.read([issue.id]))[issue.id].milestone is None
    error, now = await remote.fail(issue, Edit(milestone=title))
    assert isinstance(error, EditDropped)
    assert "deleted" in str(error)
    assert now is not None
    assert now.milestone is None
