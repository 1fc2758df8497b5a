"""What GitLab records of changes, and when it says that an issue has changed."""

from __future__ import annotations

from datetime import timedelta

from glboard_core.board.operations import Edit, Rank
from glboard_core.model.event import Event
from glboard_core.model.issue import Issue
from glboard_core.model.query import IssueQuery
from live.ground import ONE, PLAIN, SPARE, TWO, Ground, Remote, until

#: For so long a second change of labels by the same person does not move the time of an issue.
THROTTLE = 61.0


async def test_events_tell_every_change_in_order(ground: Ground, remote: Remote) -> None:
    issue = await remote.read(ground.issue("With a history"))
    edits = [
        Edit(add=frozenset({ONE})),
        Edit(add=frozenset({TWO}), milestone=ground.first),
        Edit(remove=frozenset({TWO}), milestone=ground.second),
        Edit(state="closed"),
        Edit(state="opened", milestone=None),
    ]
    for edit in edits:
        _, issue = await remote.do(issue, edit)
    read = await remote.gateway.events([issue], ("label", "milestone", "state"))

    def told(kind: str) -> list[tuple[str, object]]:
        events = [event for event in read[issue.id] if event.kind == kind]
        return [(event.action, event.value) for event in sorted(events, key=_by_id)]

    labels = [one for one in told("label") if one[1] in (ONE, TWO)]
    assert labels[0] == ("add", ONE)
    assert sorted(labels[1:3]) == [("add", TWO), ("remove", ONE)]
    assert labels[3:] == [("remove", TWO)]
    milestones = told("milestone")
    assert [value for action, value in milestones if action == "add"] == [ground.first, ground.second]
    assert milestones[-1] == ("remove", ground.second)
    assert [action for action, _ in told("state")] == ["closed", "reopened"]
    assert {event.by for event in read[issue.id]} == {ground.me}


def _by_id(event: Event) -> int:
    return event.id


async def test_weights_have_events(ground: Ground, remote: Remote) -> None:
    ground.needs_premium("A weight")
    issue = await remote.read(ground.issue("With weights"))
    for weight in (1, 5, None):
        _, issue = await remote.do(issue, Edit(weight=weight))
    read = await remote.gateway.events([issue], ("weight",))
    assert [event.value for event in sorted(read[issue.id], key=_by_id)] == [1, 5, None]


async def test_a_second_change_within_a_minute_does_not_move_the_time(ground: Ground, remote: Remote) -> None:
    neighbour, reference = ground.issue("Beside it"), ground.issue("Changed twice")
    issue = await remote.read(reference)
    await ground.clock.wait(1.0)
    _, first = await remote.do(issue, Edit(add=frozenset({PLAIN})))
    await ground.clock.wait(2.0)
    _, second = await remote.do(first, Edit(add=frozenset({SPARE})))
    _, third = await remote.do(second, Edit(assign=frozenset({ground.me})))
    assert first.updated_at == second.updated_at == third.updated_at
    # What has a column of its own always moves it.
    await ground.clock.wait(1.0)
    _, moved = await remote.do(third, Edit(milestone=ground.first))
    assert moved.updated_at > first.updated_at
    await ground.clock.wait(THROTTLE)

    # A place never does; each issue has one after a minute.
    async def placed() -> tuple[Issue, Issue] | None:
        above, below = await remote.read(neighbour), await remote.read(reference)
        return None if above.position is None or below.position is None else (above, below)

    above, below = await until(ground.clock, placed)
    _, ranked = await remote.do(below, Rank(below=above.id, was_above=above.id))
    assert ranked.updated_at == moved.updated_at
    assert (ranked.position or 0) < (above.position or 0)
    _, later = await remote.do(ranked, Edit(remove=frozenset({SPARE})))
    assert later.updated_at >= moved.updated_at + timedelta(seconds=60)


async def test_another_person_moves_the_time(ground: Ground, remote: Remote) -> None:
    other = ground.second_person
    reference = ground.issue("Changed by two")
    _, issue = await remote.do(await remote.read(reference), Edit(add=frozenset({PLAIN})))
    await ground.clock.wait(2.0)
    other.rest.put(ground.path_of(reference), add_labels=SPARE)
    now = await remote.read(reference)
    assert now.updated_at > issue.updated_at
    assert now.updated_by == other.username


async def test_what_was_read_last_is_found_by_its_time(ground: Ground, remote: Remote) -> None:
    issue = await remote.read(ground.issue("Found by its time", labels=[SPARE]))
    query = IssueQuery(labels=(SPARE,), updated_after=issue.updated_at, order="updated")
    found = [one.id async for page in remote.gateway.pages(query) for one in page]
    assert issue.id in found
    later = IssueQuery(labels=(SPARE,), updated_after=issue.updated_at + timedelta(seconds=3600))
    assert [one async for page in remote.gateway.pages(later) for one in page] == []
