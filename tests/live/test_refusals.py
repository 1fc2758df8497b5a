"""What GitLab ignores without an error, and what it refuses without a reason: nothing of it looks done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import structs

from glboard_core.board.operations import Comment, Create, Edit
from glboard_core.errors import (
    AuthError,
    EditDropped,
    EditForbidden,
    EditGone,
    EditImpossible,
    GlboardError,
    GroupNotFound,
)
from glboard_core.gitlab.account import Secret
from glboard_core.model.catalog import Person
from glboard_core.model.query import IssueQuery
from live.ground import CLOSED, LATER, ONE, OWN, PLAIN, TEAM, Ground, Remote, as_edited


@pytest.fixture
def passing_milestone(ground: Ground) -> Iterator[str]:
    """A milestone that is open when the catalog is read."""
    yield LATER
    ground.rest.put(f"/groups/{ground.group_id}/milestones/{ground.ids[LATER]}", state_event="activate")


async def test_a_milestone_that_was_closed_meanwhile(
    ground: Ground, passing_milestone: str, remote: Remote
) -> None:
    issue = await remote.read(ground.issue("Into a closed milestone", labels=[PLAIN]))
    at = f"/groups/{ground.group_id}/milestones/{ground.ids[passing_milestone]}"
    ground.rest.put(at, state_event="close")
    error, now = await remote.fail(issue, Edit(milestone=passing_milestone, add=frozenset({ONE})))
    assert isinstance(error, EditDropped)
    assert "closed" in str(error)
    assert now is not None
    # The other half went through, and is shown.
    assert now.milestone is None
    assert ONE in now.labels
    assert as_edited(await remote.read(issue.reference)) == as_edited(now)


async def test_a_closed_milestone_stays_where_it_is(ground: Ground, remote: Remote) -> None:
    at = f"/groups/{ground.group_id}/milestones/{ground.ids[CLOSED]}"
    ground.rest.put(at, state_event="activate")
    reference = ground.issue("In a closed milestone", milestone_id=ground.ids[CLOSED])
    ground.rest.put(at, state_event="close")
    issue = await remote.read(reference)
    assert issue.milestone == CLOSED
    _, after = await remote.do(issue, Edit(add=frozenset({PLAIN})))
    assert after.milestone == CLOSED


async def test_a_label_of_another_project(ground: Ground, remote: Remote) -> None:
    issue = await remote.read(ground.issue("With a strange label"))
    error, _ = await remote.fail(issue, Edit(add=frozenset({OWN})))
    assert isinstance(error, EditImpossible)
    # Known wrongly, it is sent, and GitLab ignores it.
    label = remote.catalog.label(ground.lib, OWN)
    assert label is not None
    wrong = structs.replace(label, owner=ground.app)
    remote.catalog = structs.replace(remote.catalog, labels=(*remote.catalog.labels, wrong))
    error, now = await remote.fail(issue, Edit(add=frozenset({OWN, PLAIN})))
    assert isinstance(error, EditDropped)
    assert OWN in str(error)
    assert now is not None
    assert now.labels == {TEAM, PLAIN}


async def test_a_weight_where_there_are_none(ground: Ground, remote: Remote) -> None:
    if ground.premium:
        pytest.skip("this GitLab has weights")
    issue = await remote.read(ground.issue("Without a weight"))
    error, now = await remote.fail(issue, Edit(weight=3, add=frozenset({PLAIN})))
    assert isinstance(error, EditDropped | EditImpossible)
    assert now is None or now.weight is None


async def test_an_unknown_name_unassigns_no_one(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("With assignees")
    issue = await remote.read(reference)
    _, issue = await remote.do(issue, Edit(assign=frozenset({ground.me})))
    error, _ = await remote.fail(issue, Edit(assign=frozenset({"nobody-has-this-name"})))
    assert isinstance(error, EditImpossible)
    ghost = Person(id="gid://gitlab/User/999999999", username="nobody-has-this-name")
    remote.catalog = remote.catalog.learn(people=[ghost])
    error, now = await remote.fail(issue, Edit(assign=frozenset({ghost.username})))
    assert isinstance(error, EditDropped)
    assert now is not None
    assert now.assignees == (ground.me,)
    assert (await remote.read(reference)).assignees == (ground.me,)


async def test_a_deleted_issue(ground: Ground, remote: Remote) -> None:
    reference, staying = ground.issue("Deleted"), ground.issue("Not deleted")
    issue, other = await remote.read(reference), await remote.read(staying)
    ground.rest.delete(ground.path_of(reference))
    first, second = await remote.send(
        remote.op(issue, Edit(add=frozenset({PLAIN}))), remote.op(other, Edit(add=frozenset({PLAIN})))
    )
    assert isinstance(getattr(first, "error", None), EditGone)
    assert second.issue is not None
    assert PLAIN in second.issue.labels
    assert await remote.now(issue.id) is None


async def test_an_archived_project(ground: Ground, remote: Remote) -> None:
    with ground.project("shelf") as (path, number):
        issue = await remote.read(ground.issue("Archived", at=path))
        ground.rest.post(f"/projects/{number}/archive")
        for change in (Edit(add=frozenset({PLAIN})), Comment(body="Words")):
            error, _ = await remote.fail(issue, change)
            assert isinstance(error, EditForbidden)
            assert "archived" in str(error)
        error, _ = await remote.fail(None, Create(project=path, title="New"))
        assert isinstance(error, EditForbidden)
        ground.rest.post(f"/projects/{number}/unarchive")
        _, after = await remote.do(issue, Edit(add=frozenset({PLAIN})))
        assert PLAIN in after.labels


async def test_a_token_that_can_only_read(ground: Ground) -> None:
    reader = ground.person(scope="read_api")
    reference = ground.issue("Only read")
    async with Remote(ground, reader.token) as remote:
        issue = await remote.read(reference)
        error, now = await remote.fail(issue, Edit(add=frozenset({PLAIN})))
        assert isinstance(error, EditForbidden)
        assert "read-only" in str(error)
        assert now is None or PLAIN not in now.labels


async def test_a_guest_is_told_which_role_it_takes(ground: Ground) -> None:
    guest = ground.person(level=10)
    reference = ground.issue("Not for guests")
    async with Remote(ground, guest.token) as remote:
        issue = await remote.read(reference)
        for change in (Edit(add=frozenset({PLAIN})), Edit(state="closed"), Edit(title="Other")):
            error, _ = await remote.fail(issue, change)
            assert isinstance(error, EditForbidden)
            assert "Reporter" in f"{error} {error.hint}"
        assert as_edited(await remote.read(reference)) == as_edited(issue)


async def test_a_token_that_was_revoked_meanwhile(ground: Ground) -> None:
    person = ground.person()
    reference = ground.issue("After the token")
    async with Remote(ground, person.token) as remote:
        issue = await remote.read(reference)
        ground.rest.delete(person.where)
        with pytest.raises(AuthError) as refused:
            await remote.send(remote.op(issue, Edit(add=frozenset({PLAIN}))))
    assert person.token.reveal() not in f"{refused.value} {refused.value.hint}"


async def test_a_wrong_token_and_a_wrong_group(ground: Ground) -> None:
    with pytest.raises(AuthError) as refused:
        async with Remote(ground, Secret("glpat-no-such-token-here")):
            pass
    assert "no-such" not in str(refused.value)
    one = Remote(ground)
    one.gateway.expect_group(f"{ground.group}-no-such-group")
    async with one.gateway:
        with pytest.raises(GlboardError) as missing:
            await one.gateway.count([IssueQuery()])
    assert isinstance(missing.value, GroupNotFound)
