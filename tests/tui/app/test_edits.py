"""Every edit key takes effect on screen at once and then in GitLab, and ``u`` undoes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from glboard_core.demo.world import upheavals
from glboard_core.demo.world.records import Issue as Record
from glboard_core.model.issue import Issue
from glboard_tui.screens.dialogs import Ask
from tui.app.stage import GROUP, ME, READY, STILL, Stage, staged

Check = Callable[[Issue], Any]


def labels(issue: Issue) -> set[str]:
    return {label for label in issue.labels if not label.startswith("group::")}


def on_server(stage: Stage, name: str) -> Record:
    return stage.world.issue(f"{GROUP}/{name}")


#: Card, keys, the value to check, its expected result.
EDITS: list[tuple[str, tuple[str, ...], Check, Any]] = [
    ("platform#2", ("3",), lambda i: i.weight, 3),
    ("platform#1", ("0",), lambda i: i.weight, 0),
    ("platform#1", ("w", "backspace", "enter"), lambda i: i.weight, None),
    ("platform#2", ("w", "1", "3", "enter"), lambda i: i.weight, 13),
    (
        "platform#2",
        ("W", "2"),
        lambda i: (i.weight, READY in i.labels, len(i.scoped("workflow::"))),
        (2, True, 1),
    ),
    ("platform#1", ("m", "n"), lambda i: i.milestone, "19.8"),
    ("platform#1", ("m", "f"), lambda i: i.milestone, "19.9"),
    ("platform#1", ("m", "1"), lambda i: i.milestone, "Next 1-3 releases"),
    ("platform#1", ("m", "4"), lambda i: i.milestone, "Next 4-6 releases"),
    ("platform#1", ("m", "k"), lambda i: i.milestone, "Backlog"),
    ("platform#1", ("m", "a"), lambda i: i.milestone, "Awaiting further demand"),
    ("platform#1", ("m", "x"), lambda i: i.milestone, None),
    ("platform#1", ("m", "slash", "1", "0", "enter"), lambda i: i.milestone, "19.10"),
    ("platform#1", ("M",), lambda i: i.milestone, "19.9"),
    ("platform#1", ("s", "d"), lambda i: i.scoped("workflow::"), ("workflow::in dev",)),
    ("platform#1", ("S",), lambda i: i.scoped("workflow::"), ("workflow::in dev",)),
    ("platform#5", ("d", "b"), lambda i: ("Deliverable" in i.labels, i.assignees), (True, ("eng_birch",))),
    (
        "platform#5",
        ("d", "enter"),
        lambda i: ("Deliverable" in i.labels, i.assignees),
        (True, ("eng_alder",)),
    ),
    (
        "platform#5",
        ("d", "slash", "o", "a", "k", "enter"),
        lambda i: ("Deliverable" in i.labels, i.assignees),
        (True, ("pm_oak",)),
    ),
    ("platform#2", ("A",), lambda i: i.assignees, (ME,)),
    ("platform#1", ("a", "a", "l", "d", "space", "enter"), lambda i: i.assignees, ("eng_birch", "eng_alder")),
    ("platform#1", ("t", "d", "o", "c", "enter"), lambda i: "documentation" in i.labels, True),
    ("platform#7", ("H",), labels, {"type::feature"}),
    ("platform#7", ("greater_than_sign", "b"), labels, {"type::bug"}),
    ("platform#1", ("greater_than_sign", "u"), labels, {READY}),
    ("platform#1", ("greater_than_sign", "c"), lambda i: i.state, "closed"),
    ("platform#1", ("x", "c"), lambda i: (i.state, labels(i)), ("closed", {"type::bug", READY})),
    (
        "platform#1",
        ("x", "x"),
        lambda i: (i.state, labels(i)),
        ("closed", {"type::bug", "workflow::complete"}),
    ),
]


@pytest.mark.parametrize("part", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 4))])
async def test_an_edit_is_shown_sent_and_undone(part: int) -> None:
    # Several per stage, since each is undone: starting takes longer than the edits.
    async with staged(size=(120, 40)) as stage:
        for name, keys, look, after in EDITS[part::4]:
            await stage.focus(name)
            before = stage.issue(name)
            await stage.press(*keys)
            await stage.searched()
            assert look(stage.issue(name)) == after, keys
            await stage.settle()
            assert look(stage.issue(name)) == after, keys
            assert not stage.toasts
            await stage.press("u")
            await stage.settle()
            now = stage.issue(name)
            assert (now.labels, now.milestone, now.weight) == (before.labels, before.milestone, before.weight)
            assert (now.state, now.assignees) == (before.state, before.assignees)


async def test_the_screen_matches_gitlab(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("3", "s", "d", "y", "m", "f")  # in dev without an assignee asks
    await stage.settle()
    record = on_server(stage, "platform#2")
    assert (record.weight, record.milestone and record.milestone.title) == (3, "19.9")
    assert "workflow::in dev" in {label.title for label in record.labels}
    assert stage.screen.header.view.unsent == 0


async def test_removing_deliverable_and_reopening(stage: Stage) -> None:
    await stage.press("g", "b", "Z")
    assert stage.screen.header.view.board == "Build 19.7"
    assert stage.cards()["in dev"] == ["platform#8"]
    await stage.focus("platform#8")
    await stage.press("D")
    assert stage.cards().get("in dev") == []
    await stage.press("g", "p", "Z", "Z")
    await stage.focus("platform#11")
    await stage.press("x", "o")
    await stage.settle()
    assert stage.issue("platform#11").is_open
    assert on_server(stage, "platform#11").open


@pytest.mark.slow
async def test_two_labels_of_a_scope_are_shown_once_and_one_key_keeps_one(stage: Stage) -> None:
    world = stage.world
    issue = world.issue(f"{GROUP}/platform#8")
    review = world.label_for(issue.project, "workflow::in review")
    assert review is not None
    with world.index.moving(issue):
        issue.labels = (*issue.labels, review)  # as two people at the same moment leave it
        issue.updated = world.clock.now()
    await stage.press("g", "b", "Z", "r")
    await stage.settle()
    # In the state farthest from completion.
    assert stage.cards() == {**stage.cards(), "in dev": ["platform#8"], "in review": []}
    await stage.focus("platform#8")
    await stage.press("X")
    await stage.settle()
    assert stage.issue("platform#8").scoped("workflow::") == ("workflow::in dev",)
    assert review not in issue.labels
    await stage.press("u")
    await stage.settle()
    assert stage.cards()["in review"] == ["platform#8"]
    assert "GitLab keeps one label per scope" in stage.message
    await stage.press("U")
    await stage.settle()
    assert stage.issue("platform#8").scoped("workflow::") == ("workflow::in dev",)


async def test_a_renamed_milestone_keeps_its_board(stage: Stage) -> None:
    world, before = stage.world, stage.cards()
    upheavals.rename_milestone(world, world.milestone("19.8"), "19.8 GA")
    label = world.label_of(world.root, "type::bug")
    assert label is not None
    world.rename_label(label, "type::fault")
    await stage.engine.names.read()
    await stage.settle()
    assert list(stage.cards().values()) == list(before.values())
    assert stage.screen.header.view.board.endswith("19.8 GA")
    assert any("The milestone 19.8 is now 19.8 GA." in text for text in stage.toasts)


async def test_rank_keys(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("K")
    assert stage.cards()["bug"][:3] == ["platform#1", "platform#3", "platform#2"]
    assert stage.focused == "platform#3"
    await stage.press("g", "K")
    await stage.settle()
    assert stage.cards()["bug"] == ["platform#3", "platform#1", "platform#2", "ai-gateway#1"]
    await stage.press("g", "J")
    assert stage.cards()["bug"][-1] == "platform#3"
    await stage.press("u", "u", "u")
    await stage.settle()
    assert stage.cards()["bug"] == ["platform#1", "platform#2", "platform#3", "ai-gateway#1"]
    await stage.press("J")
    await stage.settle()
    assert stage.cards()["bug"][-1] == "platform#3"


@pytest.mark.slow
async def test_a_comment_keeps_a_draft_and_undo_deletes_it(stage: Stage) -> None:
    await stage.press("c")
    await stage.type("hello there")
    await stage.press("escape")
    assert "Draft saved" in stage.message
    await stage.press("c")
    await stage.type("!")
    await stage.press("ctrl+s")
    await stage.settle()
    notes = [n.body for n in on_server(stage, "platform#1").notes or ()]
    assert any(note.startswith("hello there!") for note in notes)
    # Others can have read it: that is asked.
    await stage.press("u")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("escape")
    await stage.settle()
    assert [n.body for n in on_server(stage, "platform#1").notes or ()] == notes
    await stage.press("u", "y")
    await stage.settle()
    notes = [n.body for n in on_server(stage, "platform#1").notes or ()]
    assert not any(note.startswith("hello there!") for note in notes)


async def test_a_comment_that_is_still_held_is_undone_without_a_question() -> None:
    held = structs.replace(STILL, sync=structs.replace(STILL.sync, hold_comments=3600))
    async with staged(settings=held) as stage:
        await stage.press("c")
        await stage.type("hello there")
        await stage.press("ctrl+s", "u")
        assert stage.app.screen is stage.screen
        assert "Undone" in stage.message
        assert not on_server(stage, "platform#1").notes


async def test_a_new_issue_belongs_to_the_column_and_undo_closes_it(stage: Stage) -> None:
    await stage.focus("platform#4")
    await stage.press("n")
    await stage.type("Fresh one")
    await stage.press("enter")
    assert len(stage.cards()["maintenance"]) == 2
    await stage.settle()
    assert "platform#12" in stage.cards()["maintenance"]
    assert stage.focused == "platform#12"
    made = on_server(stage, "platform#12")
    assert {"type::maintenance", "group::custom models"} <= {label.title for label in made.labels}
    assert made.milestone is not None
    assert made.milestone.title == "19.8"
    await stage.press("u")
    await stage.settle()
    assert "closes it" in stage.message
    assert not on_server(stage, "platform#12").open


@pytest.mark.slow
async def test_another_project_for_a_new_issue(stage: Stage) -> None:
    await stage.press("n")
    await stage.type("Fresh")
    await stage.press("tab")
    await stage.type("gatew")
    await stage.press("enter", "enter")
    await stage.settle()
    assert "ai-gateway#2" in stage.cards()["bug"]


async def test_redo_and_repeat(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("3", "u", "U")
    assert stage.issue("platform#2").weight == 3
    await stage.focus("platform#3")
    await stage.press("full_stop")
    assert stage.issue("platform#3").weight == 3
    await stage.press("u", "u", "ctrl+r")
    assert (stage.issue("platform#2").weight, stage.issue("platform#3").weight) == (3, 1)


async def test_undo_brings_the_focus_along(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("M")
    assert "platform#3" not in stage.cards()["bug"]
    await stage.focus("platform#5")
    await stage.press("u")
    assert stage.focused == "platform#3"


async def test_undo_of_a_change_on_another_board_says_where_it_is(stage: Stage) -> None:
    await stage.press("g", "b")
    await stage.focus("platform#8")
    await stage.press("5", "g", "p", "u")
    assert stage.issue("platform#8").weight == 2
    assert stage.message == "Undone: platform#8 weight 5. Not on this board: platform#8 in 19.7."


@pytest.mark.slow
async def test_a_hundred_levels_of_undo(stage: Stage) -> None:
    await stage.focus("platform#2")
    for n in range(110):
        stage.screen.keys.press(str(n % 9 + 1))
    await stage.settle()
    for _ in range(110):
        stage.screen.keys.press("u")
    await stage.settle()
    assert stage.issue("platform#2").weight is None
    assert on_server(stage, "platform#2").weight is None


# Moving


async def test_the_focus_follows_a_card_moved_sideways(stage: Stage) -> None:
    await stage.focus("platform#7")
    await stage.press("H")
    assert stage.focused == "platform#7"
    await stage.press("H", "y")
    assert "platform#7" in stage.cards()["maintenance"]
    assert stage.focused == "platform#7"


async def test_the_focus_stays_with_the_neighbour_otherwise(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("m", "f")
    assert stage.focused == "platform#3"
    await stage.press("greater_than_sign", "u")
    assert stage.focused == "ai-gateway#1"


@pytest.mark.slow
async def test_a_change_of_type_asks_once(stage: Stage) -> None:
    await stage.mark("platform#1", "platform#3")
    await stage.press("L")
    assert "platform#3" in stage.cards()["bug"]
    await stage.press("escape")
    assert "platform#3" in stage.cards()["bug"]
    await stage.press("L", "t")
    await stage.settle()
    assert stage.cards()["maintenance"] == ["platform#1", "platform#3", "platform#4"]
    assert labels(stage.issue("platform#3")) == {"type::maintenance"}
    await stage.press("u")
    assert labels(stage.issue("platform#3")) == {"type::bug", "bug::functional"}
    assert labels(stage.issue("platform#1")) == {"type::bug", READY}


async def test_moves_stop_before_the_special_columns(stage: Stage) -> None:
    await stage.focus("platform#5")
    await stage.press("L")
    assert "platform#5" in stage.cards()["feature"]
    assert "No column in that direction" in stage.message
    await stage.focus("platform#1")
    await stage.press("H")
    assert "platform#1" in stage.cards()["bug"]


# Many at once


async def test_an_action_applies_to_the_selection_and_clears_it(stage: Stage) -> None:
    await stage.mark("platform#1", "platform#2", "platform#4")
    assert stage.screen.footer.view.target == "3 selected"
    await stage.press("5")
    assert [stage.issue(f"platform#{n}").weight for n in (1, 2, 4)] == [5, 5, 5]
    assert stage.selected == []
    assert stage.screen.footer.view.last == "u undo: 3 weight 5"
    await stage.press("g", "v")
    assert stage.selected == ["platform#1", "platform#2", "platform#4"]
    await stage.press("escape", "u")
    assert [stage.issue(f"platform#{n}").weight for n in (1, 2, 4)] == [2, None, 3]


async def test_hidden_selected_cards_are_not_changed(stage: Stage) -> None:
    await stage.mark("platform#1", "platform#4")
    await stage.press("slash")
    await stage.type("upgrade")
    await stage.press("enter")
    assert stage.selected == ["platform#4"]
    await stage.press("7")
    assert (stage.issue("platform#1").weight, stage.issue("platform#4").weight) == (2, 7)


async def test_closing_more_than_one_asks(stage: Stage) -> None:
    await stage.mark("platform#1", "platform#2")
    await stage.press("x", "x", "escape")
    assert stage.issue("platform#1").is_open
    await stage.press("greater_than_sign", "c", "n", "escape")
    assert stage.issue("platform#1").is_open
    await stage.press("x", "c", "y")
    await stage.settle()
    assert not stage.issue("platform#1").is_open
    assert not stage.issue("platform#2").is_open


async def test_no_single_key_closes_an_issue(stage: Stage) -> None:
    for key in ("x", "escape", "X", "delete", "backspace", "C"):
        await stage.press(key)
    await stage.press("escape")
    assert stage.cards()["bug"][0] == "platform#1"
    assert stage.issue("platform#1").is_open


async def test_common_and_mixed_labels_are_changed_without_touching_the_rest(stage: Stage) -> None:
    await stage.mark("platform#1", "platform#2")
    await stage.press("t")
    await stage.type("documentation")
    await stage.press("space", "enter")
    await stage.settle()
    assert all("documentation" in stage.issue(f"platform#{n}").labels for n in (1, 2))
    assert stage.issue("platform#2").scoped("workflow::") == ("workflow::planning breakdown",)
    assert stage.issue("platform#1").scoped("workflow::") == (READY,)


@pytest.mark.parametrize(
    ("keys", "look", "after"),
    [
        (["t", *"documentation", "enter"], lambda i: "documentation" in i.labels, True),
        (["t", *"documentation", "space", "enter"], lambda i: "documentation" in i.labels, True),
        (["m", "/", *"19.10", "enter"], lambda i: i.milestone, "19.10"),
        (["w", "7", "enter"], lambda i: i.weight, 7),
        (["3", "x", "c"], lambda i: (i.weight, i.state), (3, "closed")),
    ],
)
async def test_keys_that_arrive_together_have_the_same_effect(
    stage: Stage, keys: list[str], look: Check, after: Any
) -> None:
    await stage.focus("platform#2")
    stage.burst(*keys)
    await stage.until(lambda: look(stage.issue("platform#2")) == after)


async def test_the_text_of_a_comment_never_runs_commands(stage: Stage) -> None:
    before = dict(stage.engine.shown)
    stage.burst("c", *"xc 3 L D done", "ctrl+s")
    await stage.until(lambda: bool(on_server(stage, "platform#1").notes))
    await stage.settle()
    notes = on_server(stage, "platform#1").notes or ()
    assert any(note.body.startswith("xc 3 L D done") for note in notes)
    assert {i: (s.state, s.weight, s.labels) for i, s in stage.engine.shown.items()} == {
        i: (s.state, s.weight, s.labels) for i, s in before.items()
    }


async def test_a_filter_that_arrives_at_once_is_complete_and_the_next_key_goes_to_the_board(
    stage: Stage,
) -> None:
    await stage.focus("platform#2")
    stage.burst("/", *"platform#2", "enter", "7")
    await stage.until(lambda: stage.issue("platform#2").weight == 7)
    assert stage.app.bridge.view.text == "platform#2"
