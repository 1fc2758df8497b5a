"""The failed list: failed changes are edited and sent instead, copied or discarded; and never lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import Input, OptionList, TextArea

from glboard_core.board.operations import Comment, Create, DeleteNote, Edit, OpId, Rank
from glboard_core.errors import ReadOnly, StoreFailed
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.failed_changes import FailedList, parts_of, text_of
from glboard_tui.screens.prompts import CommentDialog
from tui.app.stage import GROUP, ME, Stage

LOCKED = f"{GROUP}/locked#1"


def unlock(stage: Stage) -> None:
    """Let the person edit the project."""
    stage.world.project(f"{GROUP}/locked").overrides[stage.world.user(ME).id] = 40


async def refused(stage: Stage, *keys: str, text: str = "") -> None:
    """Edit the one issue that cannot be edited, and open the failed list."""
    await stage.focus("locked#1")
    await stage.press(*keys)
    if text:
        await stage.type(text)
        await stage.press("ctrl+s")
    await stage.settle()
    assert stage.screen.header.view.failed == 1
    await stage.press("g", "f")
    assert isinstance(stage.app.screen, FailedList)


@pytest.mark.slow
async def test_an_edited_weight_is_sent_instead(stage: Stage) -> None:
    await refused(stage, "4")
    unlock(stage)
    await stage.press("e")
    assert stage.app.screen.query_one(Input).value == "4"
    await stage.press("backspace", "6", "enter")
    await stage.settle()
    assert stage.world.issue(LOCKED).weight == 6
    assert stage.screen.header.view.failed == 0
    assert stage.app.screen is stage.screen
    await stage.press("u")
    await stage.settle()
    assert stage.world.issue(LOCKED).weight is None


@pytest.mark.slow
async def test_esc_leaves_it_in_the_list(stage: Stage) -> None:
    await refused(stage, "4")
    unlock(stage)
    await stage.press("e", "escape")
    await stage.settle()
    assert isinstance(stage.app.screen, FailedList)
    assert stage.screen.header.view.failed == 1
    assert stage.world.issue(LOCKED).weight is None


@pytest.mark.slow
async def test_another_milestone_is_picked(stage: Stage) -> None:
    await refused(stage, "m", "k")
    unlock(stage)
    await stage.press("e")
    await stage.type("19.9")
    await stage.press("enter")
    await stage.settle()
    milestone = stage.world.issue(LOCKED).milestone
    assert milestone is not None
    assert milestone.title == "19.9"


@pytest.mark.slow
async def test_one_part_is_edited_and_the_rest_is_sent_unchanged(stage: Stage) -> None:
    # Accepting has two parts: Deliverable and an assignee. The issue is not ready, so a question follows.
    await refused(stage, "d", "b", "y")
    unlock(stage)
    await stage.press("e")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("t")
    await stage.found("documentation")
    await stage.press("space", "enter")
    await stage.settle()
    issue = stage.world.issue(LOCKED)
    assert {label.title for label in issue.labels} >= {"Deliverable", "documentation"}
    assert [person.username for person in issue.assignees] == ["eng_birch"]


@pytest.mark.slow
async def test_people_are_ticked_as_in_the_failed_change(stage: Stage) -> None:
    await refused(stage, "d", "b", "y")
    unlock(stage)
    await stage.press("e", "a")
    await stage.type("eng_alder")
    await stage.press("space", "enter")
    await stage.settle()
    issue = stage.world.issue(LOCKED)
    assert sorted(person.username for person in issue.assignees) == ["eng_alder", "eng_birch"]
    assert "Deliverable" in {label.title for label in issue.labels}


@pytest.mark.slow
async def test_a_comment_keeps_its_text_until_it_is_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
    stage.world.issue(LOCKED).project.archived = True
    await refused(stage, "c", text="Two [/days] of thought")
    await stage.press("y")
    assert copied == ["Two [/days] of thought"]
    await stage.press("e")
    assert isinstance(stage.app.screen, CommentDialog)
    assert stage.app.screen.query_one(TextArea).text == "Two [/days] of thought"
    await stage.type(", and more")
    await stage.press("escape", "y")
    assert copied[-1] == "Two [/days] of thought, and more"
    # Discarding it asks, since the text exists nowhere else.
    await stage.press("d")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("escape")
    stage.world.issue(LOCKED).project.archived = False
    await stage.press("e", "ctrl+s")
    await stage.settle()
    assert stage.screen.header.view.failed == 0
    bodies = [note.body for note in stage.world.issue(LOCKED).notes or ()]
    assert len(bodies) == 1
    assert bodies[0].startswith("Two [/days] of thought, and more")


def _fails(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("keys", [("r",), ("R",), ("e", "backspace", "6", "enter")])
async def test_a_full_disk_leaves_the_list_unchanged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    await refused(stage, "4")
    unlock(stage)
    monkeypatch.setattr(stage.engine.store, "enqueue", _fails(StoreFailed("The disk [/x] is full.")))
    await stage.press(*keys)
    await stage.settle()
    assert stage.toasts[-1].startswith("State folder: The disk [/x] is full.")
    assert isinstance(stage.app.screen, FailedList)
    assert stage.app.screen.query_one(OptionList).option_count == 1
    assert [op.change for op, _ in stage.engine.failed] == [Edit(weight=4)]
    assert stage.issue("locked#1").weight is None


@pytest.mark.slow
@pytest.mark.parametrize("key", ["d", "D"])
async def test_a_change_that_cannot_be_discarded_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    await refused(stage, "4")
    monkeypatch.setattr(stage.engine.store, "delete_failed", _fails(StoreFailed("The disk is full.")))
    await stage.press(key)
    assert "The disk is full." in stage.toasts[-1]
    assert stage.app.screen.query_one(OptionList).option_count == 1
    assert stage.screen.header.view.failed == 1


@pytest.mark.slow
async def test_a_read_only_session_retries_nothing(stage: Stage) -> None:
    await refused(stage, "4")
    unlock(stage)
    stage.engine.read_only = True
    await stage.press("r")
    assert stage.toasts[-1].startswith(f"{ReadOnly.title}: Read-only session.")
    await stage.press("e")
    assert isinstance(stage.app.screen, FailedList)
    assert stage.screen.header.view.failed == 1


async def test_a_comment_that_cannot_be_stored_becomes_a_draft(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.focus("platform#1")
    with monkeypatch.context() as broken:
        broken.setattr(stage.engine.store, "enqueue", _fails(StoreFailed("The disk is full.")))
        await stage.press("c")
        await stage.type("Long thought")
        await stage.press("ctrl+s")
    assert "press c to resume" in stage.message
    await stage.press("c", "ctrl+s")
    await stage.settle()
    assert (stage.world.issue(f"{GROUP}/platform#1").notes or [])[0].body.startswith("Long thought")


def test_which_parts_can_be_edited() -> None:
    assert parts_of(Comment(body="x")) == ["comment"]
    assert parts_of(Edit(weight=None, milestone="19.9", remove=frozenset({"Deliverable"}))) == [
        "milestone",
        "weight",
        "labels",
    ]
    assert parts_of(Edit(title="a", description="b")) == ["description"]
    assert parts_of(Edit(title="a")) == ["title"]
    assert parts_of(Create(project="p", title="t", weight=2)) == ["weight", "title"]
    assert parts_of(Edit(state="closed")) == parts_of(Rank()) == parts_of(DeleteNote(of=OpId("1"))) == []


def test_typed_text_of_a_change() -> None:
    assert text_of(Edit(title="a", description="b")) == "a\n\nb"
    assert text_of(Create(project="p", title="t")) == "t"
    assert text_of(Edit(weight=3)) == ""


@pytest.mark.slow
async def test_the_title_of_a_new_issue_that_cannot_be_stored_becomes_a_draft(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(stage.engine.store, "enqueue", _fails(StoreFailed("The disk is full.")))
        await stage.press("n", *"Faster", "enter")
        assert "The disk is full." in stage.toasts[-1]
    assert stage.message == "Title saved as draft; press n to resume."
    await stage.press("n", *" start", "escape")
    assert stage.message == "Title saved as draft; press n to resume."
    await stage.press("n", "enter")
    assert "Faster start" in [issue.title for issue in stage.engine.shown.values()]
    await stage.press("n", "escape")
    assert not stage.message


async def test_undo_offers_to_discard_a_refused_change(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("5")
    await stage.settle()
    await stage.focus("locked#1")
    await stage.press("4")
    await stage.settle()
    assert stage.app.bridge.undoing.words == "discard: locked#1 weight 4"
    await stage.press("u")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("escape")
    assert stage.screen.header.view.failed == 1
    await stage.press("u", "y")
    await stage.settle()
    assert stage.screen.header.view.failed == 0
    assert stage.world.issue(f"{GROUP}/platform#1").weight == 5
    assert stage.app.bridge.undoing.words == "undo: platform#1 weight 5"
    await stage.press("u")
    await stage.settle()
    assert stage.world.issue(f"{GROUP}/platform#1").weight == 2


@pytest.mark.slow
async def test_several_failed_changes_are_not_discarded_by_one_key(stage: Stage) -> None:
    await stage.focus("locked#1")
    await stage.press("4", "m", "k")
    await stage.settle()
    assert stage.screen.header.view.failed == 2
    await stage.press("g", "f", "D")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("escape")
    assert stage.screen.header.view.failed == 2
    await stage.press("D", "y")
    await stage.settle()
    assert stage.screen.header.view.failed == 0
