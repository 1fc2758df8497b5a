"""The made-up world: a month as planners know it, awkward where the real one is, and big when asked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from demo.wire import NOW, next_milestone
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.sample.titles import AWKWARD, title
from glboard_core.demo.world import permissions
from glboard_core.demo.world.clock import Clock, around
from glboard_core.demo.world.records import Issue, Label, Milestone
from glboard_core.demo.world.registry import UnknownName
from glboard_core.demo.world.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return default_world(clock=Clock(NOW))


def has(issue: Issue, name: str) -> bool:
    return any(one.title == name for one in issue.labels)


def current(world: World) -> Milestone:
    today = world.clock.today()
    return next(
        one for one in world.milestones.values() if one.start and one.due and one.start <= today <= one.due
    )


@pytest.mark.parametrize("seed", range(8))
def test_boards_look_like_a_real_month(seed: int) -> None:
    world = default_world(clock=Clock(NOW), seed=seed)
    issues = [one for one in world.index.issues.values() if one.open and not has(one, "type::ignore")]
    coming, now = next_milestone(world), current(world)
    assert 20 <= sum(one.milestone is coming for one in issues) <= 45
    build = [one for one in issues if one.milestone is now and has(one, "Deliverable")]
    assert 15 <= len(build) <= 25
    flows = {label.title for one in build for label in one.labels if label.title.startswith("workflow::")}
    assert len(flows) == 6
    held = Counter(one.milestone.title if one.milestone else "" for one in issues)
    assert held["Next 1-3 releases"] >= 20
    assert held["Next 4-6 releases"] >= 15
    assert held["Backlog"] >= 40
    assert held[""] >= 5


def test_planning_has_typical_problems(world: World) -> None:
    board = [
        one for one in world.index.issues.values() if one.open and one.milestone is next_milestone(world)
    ]
    types = [sum(label.title.startswith("type::") for label in one.labels) for one in board]
    assert {0, 1, 2} <= set(types)
    assert any(one.weight == 5 for one in board)
    assert any(one.weight is None and has(one, "workflow::ready for development") for one in board)
    assert any(any(label.title.startswith("missed:") for label in one.labels) for one in board)
    assert any(one.confidential for one in board)
    assert any(has(one, "type::ignore") for one in board)
    refusing = [one for one in board if not permissions.can_admin(world.owner, one)]
    assert {one.author is world.owner for one in refusing} == {True, False}


def test_titles_differ_and_some_are_awkward(world: World) -> None:
    titles = [one.title for one in world.index.issues.values()]
    assert len(set(titles)) == len(titles)
    assert set(AWKWARD) <= set(titles)
    assert any("\x1b]" in one for one in titles)
    assert max(map(len, titles)) > 160
    for kind in ("bug", "feature", "maintenance"):
        assert len({title(kind, number) for number in range(120_000)}) == 120_000


def test_same_seed_and_time_same_world() -> None:
    def told(seed: int) -> list[tuple[object, ...]]:
        made = default_world(clock=Clock(NOW, frozen=True), seed=seed)
        return [
            (one.reference, one.title, one.updated, one.position, one.weight, len(made.ensure_history(one)))
            for one in made.index.issues.values()
        ]

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_duplicate_names_and_milestones_with_limited_visibility(world: World) -> None:
    twice = [one for one in world.labels.values() if one.title == "needs-docs"]
    assert len(twice) == 2
    for milestone, path in (
        ("Platform hardening", "demo-org/platform"),
        ("AI launch", "demo-org/ai/ai-gateway"),
    ):
        found = world.milestone(milestone)
        assert permissions.milestone_visible(found, world.project(path))
        assert not permissions.milestone_visible(found, world.project("demo-org/custom-models"))
        assert world.index.with_milestone(milestone)


def test_calendar_has_no_gaps_and_follows_the_rule() -> None:
    versions = around(date(2026, 12, 7), 3, 4)
    assert [one.title for one in versions] == [
        "19.4",
        "19.5",
        "19.6",
        "19.7",
        "19.8",
        "19.9",
        "19.10",
        "19.11",
    ]
    assert (versions[3].start, versions[3].due) == (date(2026, 11, 14), date(2026, 12, 11))
    assert all(a.due.toordinal() + 1 == b.start.toordinal() for a, b in pairwise(versions))
    assert around(date(2024, 5, 10), 0, 0)[0].title == "17.0"
    assert around(date(2024, 5, 11), 0, 0)[0].title == "17.1"


def test_histories_end_at_the_current_state(world: World) -> None:
    for issue in world.index.issues.values():
        labels: set[Label] = set()
        milestone: Milestone | None = None
        is_open = True
        events = world.ensure_history(issue)
        assert [one.id for one in events] == sorted(one.id for one in events)
        assert [one.at for one in events] == sorted(one.at for one in events)
        for event in events:
            assert issue.created <= event.at <= world.clock.now()
            if event.kind == "label" and isinstance(event.value, Label):
                (labels.add if event.action == "add" else labels.discard)(event.value)
            elif event.kind == "milestone" and isinstance(event.value, Milestone):
                milestone = event.value if event.action == "add" else None
            elif event.kind == "state":
                is_open = event.action != "closed"
        assert milestone is issue.milestone, issue
        assert is_open == issue.open
        assert {one.title for one in labels} == {one.title for one in issue.labels}, issue


def test_another_person_at_work(world: World) -> None:
    issue = world.create(
        "demo-org/platform", "By somebody else", by="eng_elm", add_labels=["spike"], weight=2
    )
    assert world.issue(issue.reference) is issue
    world.edit(issue.reference, by="pm_oak", milestone="19.8", assignees=["eng_elm"], remove_labels=["spike"])
    assert issue.updated_by is world.user("pm_oak")
    world.edit(issue.reference, by="eng_elm", close=True)
    assert [one.by.username for one in issue.history or ()] == [
        "eng_elm",
        "eng_elm",
        "pm_oak",
        "pm_oak",
        "eng_elm",
    ]
    world.delete(issue.reference)
    with pytest.raises(UnknownName):
        world.issue(issue.reference)
    with pytest.raises(UnknownName, match="no label nope"):
        world.edit("demo-org/platform#1", by="pm_oak", add_labels=["nope"])


@pytest.mark.parametrize("count", [1, 7, 60])
def test_small_worlds(count: int) -> None:
    assert len(default_world(issues=count).index.issues) == count


def test_big_world_finds_quickly() -> None:
    world = default_world(clock=Clock(datetime(2026, 12, 31, tzinfo=UTC)), issues=20_000)
    assert len(world.index.issues) == 20_000
    assert len({one.title for one in world.index.issues.values()}) == 20_000
    issue = world.issue("demo-org/platform#1")
    world.edit(issue.reference, by="pm_oak", weight=3, milestone="Backlog")
    world.move(issue.reference, after="demo-org/platform#2")
    assert world.index.order("UPDATED_DESC")[0][2] == -issue.id
