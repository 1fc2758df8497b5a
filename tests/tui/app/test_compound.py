"""Compound keys and the questions before a move: one group here and in GitLab, undone by one ``u``."""

from __future__ import annotations

import msgspec
import pytest

from glboard_core.config import LabelSettings
from glboard_core.demo.world.world import World
from glboard_core.model.issue import Issue
from glboard_tui.screens.dialogs import Ask
from tui.app.stage import GROUP, GROUP_LABEL, READY, STILL, Stage, small_world, staged

SETTINGS = msgspec.structs.replace(
    STILL, labels=LabelSettings(wont_do=("wontfix",), duplicate=("duplicate",))
)


def world(*labels: str) -> World:
    made = small_world()
    for title in labels:
        made.add_label(made.group(GROUP), title)
    return made


def state(issue: Issue) -> tuple[object, ...]:
    return issue.labels, issue.milestone, issue.state, issue.weight, issue.assignees, issue.notes


def notes(stage: Stage, name: str) -> list[str]:
    return [note.body for note in stage.world.issue(f"{GROUP}/{name}").notes or () if not note.system]


def extra(issue: Issue) -> set[str]:
    return set(issue.labels) - {GROUP_LABEL}


async def undone(stage: Stage, *before: Issue) -> None:
    """Check that one ``u`` undoes all of it, in GitLab too."""
    await stage.press("u")
    if isinstance(stage.app.screen, Ask):
        await stage.press("y")  # a comment was posted along
    await stage.settle()
    for one in before:
        assert state(stage.engine.shown[one.id]) == state(one)
        record = stage.world.issue(one.reference)
        assert {label.title for label in record.labels} == set(one.labels)
        assert (record.milestone.title if record.milestone else None) == one.milestone
        assert record.open == one.is_open


@pytest.mark.slow
async def test_a_breakdown_is_requested_from_chosen_people(stage: Stage) -> None:
    before = stage.issue("platform#1")
    await stage.press("B")
    await stage.found("oak")
    await stage.press("space", "enter")
    await stage.press("escape")
    assert stage.issue("platform#1") == before
    assert "Draft saved" in stage.message
    await stage.press("B")
    await stage.type(" Thanks")
    await stage.press("ctrl+s")
    await stage.settle()
    assert stage.issue("platform#1").scoped("workflow::") == ("workflow::planning breakdown",)
    (note,) = notes(stage, "platform#1")
    assert note.startswith("@pm_oak please break this down")
    assert "type label. Thanks" in note
    await undone(stage, before)
    assert notes(stage, "platform#1") == []


@pytest.mark.slow
async def test_blocked_needs_a_comment_and_posts_it(stage: Stage) -> None:
    before = stage.issue("platform#1")
    await stage.press("b", "ctrl+s")
    assert stage.issue("platform#1") == before
    await stage.type("/close is broken")
    await stage.press("ctrl+s")
    await stage.settle()
    now = stage.issue("platform#1")
    assert (now.scoped("workflow::"), now.is_open) == (("workflow::blocked",), True)
    (note,) = notes(stage, "platform#1")
    assert "/close is broken" in note
    await undone(stage, before)


@pytest.mark.slow
async def test_a_selection_is_blocked_as_one_change(stage: Stage) -> None:
    before = [stage.issue("platform#1"), stage.issue("platform#4")]
    await stage.mark("platform#1", "platform#4")
    await stage.press("b")
    await stage.type("red")
    await stage.press("ctrl+s")
    await stage.settle()
    assert len(notes(stage, "platform#1")) == len(notes(stage, "platform#4")) == 1
    assert stage.screen.footer.view.last == "u undo: 2 blocked"
    await undone(stage, *before)
    assert notes(stage, "platform#4") == []


async def test_a_slip_adds_the_missed_label_and_moves_on() -> None:
    async with staged(world("missed-deliverable")) as stage:
        await stage.press("g", "b")
        before = stage.issue("platform#8")
        await stage.focus("platform#8")
        await stage.press("x", "s")
        await stage.settle()
        now = stage.issue("platform#8")
        assert now.milestone == "19.8"
        assert extra(now) - set(before.labels) == {"missed:19.7", "missed-deliverable"}
        await undone(stage, before)


async def test_a_slip_without_its_label_asks(stage: Stage) -> None:
    before = stage.issue("platform#1")
    await stage.press("x", "s", "escape")
    assert stage.issue("platform#1") == before
    await stage.press("x", "s", "y")
    await stage.settle()
    now = stage.issue("platform#1")
    assert (now.milestone, now.labels) == ("19.9", before.labels)
    await undone(stage, before)


@pytest.mark.slow
async def test_a_slip_of_several_can_skip_those_without_the_label() -> None:
    made = small_world()
    made.add_label(made.project(f"{GROUP}/platform"), "missed:19.8")
    async with staged(made) as stage:
        await stage.mark("platform#1", "ai-gateway#1")
        await stage.press("x", "s", "o")
        await stage.settle()
        assert "missed:19.8" in stage.issue("platform#1").labels
        assert stage.issue("ai-gateway#1").milestone == "19.8"


@pytest.mark.slow
async def test_a_drop_posts_the_reason(stage: Stage) -> None:
    await stage.press("g", "b")
    before = stage.issue("platform#8")
    await stage.focus("platform#8")
    await stage.press("x", "p")
    await stage.type("no demand")
    await stage.press("ctrl+s")
    await stage.settle()
    now = stage.issue("platform#8")
    assert now.milestone == "Backlog"
    assert extra(now) == {"type::bug", "workflow::in dev", "missed:19.7"}
    assert notes(stage, "platform#8")[0].startswith("no demand")
    await undone(stage, before)


@pytest.mark.slow
async def test_wont_do_closes_with_the_label() -> None:
    async with staged(world("wontfix"), settings=SETTINGS) as stage:
        before = [stage.issue("platform#1"), stage.issue("platform#2")]
        await stage.press("x", "w")
        await stage.settle()
        assert not stage.issue("platform#1").is_open
        assert "wontfix" in stage.issue("platform#1").labels
        await undone(stage, before[0])
        await stage.mark("platform#1", "platform#2")
        await stage.press("x", "w", "escape")
        assert stage.issue("platform#1").is_open
        await stage.press("x", "w", "y")
        await stage.settle()
        assert not stage.issue("platform#1").is_open
        assert not stage.issue("platform#2").is_open
        await undone(stage, *before)


@pytest.mark.slow
async def test_a_duplicate_names_the_other_issue_without_quick_actions() -> None:
    async with staged(world("duplicate"), settings=SETTINGS) as stage:
        before = stage.issue("platform#1")
        await stage.press("x", "d")
        await stage.type("nonsense")
        await stage.press("enter")
        assert stage.app.screen is not stage.screen
        await stage.press(*["backspace"] * len("nonsense"), *"#1", "enter")
        assert stage.issue("platform#1").is_open  # of itself
        await stage.press("backspace", "4", "enter")
        await stage.settle()
        now = stage.issue("platform#1")
        assert (now.is_open, "duplicate" in now.labels) == (False, True)
        (note,) = notes(stage, "platform#1")
        assert note.startswith(f"Duplicate of {GROUP}/platform#4")
        await undone(stage, before)
        assert notes(stage, "platform#1") == []


@pytest.mark.slow
async def test_a_spike_offers_a_weight() -> None:
    async with staged(world("spike")) as stage:
        before = [stage.issue("platform#2"), stage.issue("platform#3")]
        await stage.mark("platform#2", "platform#3")
        await stage.press("W", "s", "y")
        await stage.settle()
        assert [stage.issue(f"platform#{n}").weight for n in (2, 3)] == [2, 1]
        assert all("spike" in stage.issue(f"platform#{n}").labels for n in (2, 3))
        await undone(stage, *before)
        await stage.focus("platform#2")
        await stage.press("W", "s", "n")
        assert stage.issue("platform#2").weight is None
        await stage.focus("platform#3")
        await stage.press("W", "s")
        assert "spike" in stage.issue("platform#3").labels


@pytest.mark.slow
async def test_a_change_rejected_in_one_project_is_made_in_the_other(stage: Stage) -> None:
    before = stage.issue("platform#1")
    await stage.mark("platform#1", "locked#1")
    await stage.press("b")
    await stage.type("red")
    await stage.press("ctrl+s")
    await stage.settle()
    assert stage.issue("platform#1").scoped("workflow::") == ("workflow::blocked",)
    assert stage.issue("locked#1").scoped("workflow::") == ()
    failed = stage.app.bridge.changes.failed()
    assert {row.reference for row in failed} == {"locked#1"}
    await undone(stage, before)


# Questions before a move (rule 13)


@pytest.mark.slow
async def test_in_dev_without_an_assignee_asks_once(stage: Stage) -> None:
    await stage.focus("platform#4")
    await stage.press("s", "d", "escape")
    assert stage.issue("platform#4").scoped("workflow::") == ()
    await stage.press("s", "d", "y")
    assert stage.issue("platform#4").scoped("workflow::") == ("workflow::in dev",)
    await stage.press("u")
    await stage.press("s", "d")
    assert stage.issue("platform#4").scoped("workflow::") == ("workflow::in dev",)


@pytest.mark.slow
async def test_one_question_covers_a_selection_with_counts(stage: Stage) -> None:
    await stage.mark("platform#2", "platform#4", "platform#7")
    await stage.press("s", "r")
    question = stage.app.screen
    assert question.heading == "Set 3 issues to ready for development? 2 of 3 have warnings."  # type: ignore[attr-defined]
    words = question.note  # type: ignore[attr-defined]
    assert words.splitlines() == ["ready without a weight: 2", "ready without exactly one type: 1"]
    await stage.press("o")
    assert READY in stage.issue("platform#4").labels
    assert READY not in stage.issue("platform#2").labels
    assert stage.screen.footer.view.last == "u undo: platform#4 ready for development"
    await stage.press("u")
    await stage.mark("platform#2", "platform#4", "platform#7")
    await stage.press("s", "r", "y")
    assert all(READY in stage.issue(f"platform#{n}").labels for n in (2, 4, 7))
    await stage.press("u")
    assert not any(READY in stage.issue(f"platform#{n}").labels for n in (2, 4, 7))


async def test_deliverable_before_ready_asks_each_time(stage: Stage) -> None:
    await stage.focus("platform#2")
    for _ in range(2):
        await stage.press("d", "b")
        assert "Deliverable" not in stage.issue("platform#2").labels
        await stage.press("y")
        now = stage.issue("platform#2")
        assert ("Deliverable" in now.labels, now.assignees) == (True, ("eng_birch",))
        await stage.press("u")
    assert "Deliverable" not in stage.issue("platform#2").labels


@pytest.mark.slow
async def test_accepting_can_make_an_unready_issue_ready_with_the_same_key(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("d", "a", "r")
    assert {"Deliverable", "workflow::ready for development"} <= stage.issue("platform#3").labels
    await stage.settle()
    await stage.press("u")
    assert not {"Deliverable", "workflow::ready for development"} & stage.issue("platform#3").labels
    # Without a weight it cannot simply be made ready.
    await stage.focus("platform#2")
    await stage.press("d", "a", "r")
    assert "Deliverable" not in stage.issue("platform#2").labels
    await stage.press("escape")


@pytest.mark.slow
async def test_deliverable_from_the_picker_asks_too(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("t", *"Deliverable", "space", "enter")
    assert "Deliverable" not in stage.issue("platform#2").labels
    await stage.press("y")
    assert "Deliverable" in stage.issue("platform#2").labels


async def test_accepting_a_heavy_issue_asks_once(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("5", "d", "enter")
    assert "Deliverable" not in stage.issue("platform#1").labels
    await stage.press("y", "u", "d", "enter")
    assert "Deliverable" in stage.issue("platform#1").labels


@pytest.mark.slow
async def test_accepting_an_unassigned_issue_asks_for_a_person(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("W", "2")
    await stage.mark("platform#2", "platform#5")
    await stage.press("d", "enter")
    await stage.type("birch")
    await stage.press("enter")
    assert stage.issue("platform#2").assignees == ("eng_birch",)
    assert stage.issue("platform#5").assignees == ("eng_alder",)
    assert all("Deliverable" in stage.issue(f"platform#{n}").labels for n in (2, 5))
    await stage.press("u")
    assert stage.issue("platform#2").assignees == ()


@pytest.mark.slow
async def test_a_move_by_column_asks_too(stage: Stage) -> None:
    await stage.press("g", "b")
    await stage.focus("platform#8")
    await stage.press("L", "H")
    assert stage.issue("platform#8").scoped("workflow::") == ("workflow::in review",)
    await stage.press("y")
    assert stage.issue("platform#8").scoped("workflow::") == ("workflow::in dev",)


@pytest.mark.slow
async def test_leaving_blocked_without_a_comment_asks(stage: Stage) -> None:
    await stage.press("b", *"red", "ctrl+s")
    await stage.press("s", "v", "escape")
    assert stage.issue("platform#1").scoped("workflow::") == ("workflow::blocked",)
    await stage.press("s", "v", "y")
    assert stage.issue("platform#1").scoped("workflow::") == ("workflow::in review",)


@pytest.mark.slow
async def test_a_partial_failure_is_reported_as_partial(stage: Stage) -> None:
    root = stage.world.group(GROUP)
    gone = stage.world.label_of(root, "workflow::blocked")
    assert gone is not None
    stage.world.labels.pop(gone.id, None)
    await stage.press("b", *"red", "ctrl+s")
    await stage.settle()
    assert "workflow::blocked" not in stage.issue("platform#1").labels
    assert [row.reference for row in stage.app.bridge.changes.failed()] == ["platform#1"]
    assert len(notes(stage, "platform#1")) == 1
    await stage.press("u", "y")
    await stage.settle()
    assert notes(stage, "platform#1") == []
