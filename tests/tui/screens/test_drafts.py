"""A draft by keyboard on the embedded GitLab: staged, compared, applied, dropped; nothing is sent before."""

from __future__ import annotations

import pytest

from glboard_core.board.operations import Edit
from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.candidates import Candidates
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.drafts import DraftList, DraftNames
from glboard_tui.widgets.colors import truecolor_palette
from glboard_tui.widgets.header import paint_header
from tui.app.stage import GROUP, Stage
from tui.screens.lists import lines, names, on_top, text


def sent(stage: Stage) -> int:
    """How many mutations GitLab got."""
    return sum(record.mutations for record in stage.server.requests)


def head(stage: Stage, width: int = 160) -> str:
    """The first line of the screen."""
    return paint_header(stage.screen.header.view, width, truecolor_palette({}, dark=True))[0].text


def there(stage: Stage, name: str) -> str | None:
    """The milestone of an issue in GitLab."""
    milestone = stage.world.issue(f"{GROUP}/{name}").milestone
    return milestone.title if milestone is not None else None


def question(stage: Stage) -> tuple[str, dict[str, str]]:
    asked = on_top(stage, Ask)
    return asked.heading, asked._answers


@pytest.mark.slow
async def test_a_draft_stages_every_key_and_sends_nothing(stage: Stage) -> None:
    await stage.press("g", "d")
    assert "DRAFT 19.8 · nothing staged · nothing is sent" in head(stage)
    assert "gD compares and applies, gd turns it off" in stage.message
    await stage.focus("platform#5")
    await stage.press("3")
    assert stage.message == "19.8: 2.5w free, now 0.5w free"
    await stage.mark("platform#1", "platform#4")
    await stage.press("M")
    # What if we defer these: the answer is there at once.
    assert stage.message == "19.8: 0.5w free, now 5.5w free"
    assert "DRAFT 19.8 · 3 staged · nothing is sent" in head(stage)
    assert "DRAFT 19.8 · 3 staged" in head(stage, 50)
    assert stage.cards()["maintenance"] == []
    await stage.focus("platform#5")
    view = stage.screen.footer.view
    assert view.target == "draft · platform#5"
    assert view.hints[0] == ("gD", "compare, apply")
    assert view.last == "u unstage"
    await stage.press("r")
    await stage.settle()
    assert sent(stage) == 0
    await stage.press("g", "d")
    assert "DRAFT" not in head(stage)
    assert "it keeps 3 staged" in stage.message
    assert stage.cards()["maintenance"] == ["platform#4"]
    assert stage.issue("platform#5").weight == 1
    await stage.press("g", "d")
    assert stage.issue("platform#5").weight == 3
    assert sent(stage) == 0
    columns = stage.screen.board.columns.lists()
    shown = [column.render_line(y).text for column in columns for y in range(column.size.height)]
    assert [line.partition("#")[2][0] for line in shown if "~" in line] == ["5"]


async def test_undo_in_a_draft_takes_out_what_was_staged(stage: Stage) -> None:
    await stage.focus("platform#4")
    await stage.press("2")
    await stage.settle()
    before = sent(stage)
    await stage.press("g", "d", "5", "u")
    assert stage.issue("platform#4").weight == 2
    assert stage.message.startswith("Undone: platform#4 weight 5")
    await stage.press("u")
    assert stage.message == "Nothing staged to undo."
    await stage.press("U")
    assert stage.issue("platform#4").weight == 5
    await stage.settle()
    assert sent(stage) == before
    assert stage.world.issue(f"{GROUP}/platform#4").weight == 2


@pytest.mark.slow
async def test_the_plan_is_compared_and_the_marked_changes_are_applied(stage: Stage) -> None:
    await stage.press("g", "d")
    await stage.mark("platform#1", "platform#3", "platform#4")
    await stage.press("M")
    await stage.focus("platform#5")
    await stage.press("3", "g", "D")
    screen = on_top(stage, DraftList)
    assert names(stage) == ["platform#1", "platform#3", "platform#4", "platform#5"]
    shown = text(stage)
    assert "Draft 19.8: 4 staged · not sent · line 1" in shown
    found = shown.splitlines()
    team, alder = (
        next(one for one in found if one.startswith(name)).split() for name in ("Team", "eng_alder")
    )
    assert team[1:4] == ["9w", "5w", "−4w"]
    assert alder[1:6] == ["1w", "3w", "+2w", "11.5w", "free"]
    types = next(line for line in found if "maintenance" in line).partition("maintenance")[2]
    assert types.split() == ["1", "·", "3w", "0", "·", "0w", "−3w"]
    assert "milestone 19.8 to 19.9" in lines(stage)[1]
    await stage.press("space", "j", "space", "enter")
    asked, answers = question(stage)
    assert asked == "Apply the selected of the draft? 2 issues."
    assert answers == {"y": "send 2 changes to GitLab"}
    await stage.press("escape")
    assert sent(stage) == 0
    await stage.press("enter", "y")
    await stage.settle()
    assert {name: there(stage, name) for name in ("platform#1", "platform#3", "platform#4")} == {
        "platform#1": "19.9",
        "platform#3": "19.9",
        "platform#4": "19.8",
    }
    assert screen is stage.app.screen
    assert names(stage) == ["platform#4", "platform#5"]
    await stage.press("enter")
    asked, _ = question(stage)
    assert asked.startswith("Apply all of the draft? 2 issues. 19.8: ")
    await stage.press("y")
    await stage.settle()
    on_top(stage, BoardScreen)
    assert "DRAFT" not in head(stage)
    assert there(stage, "platform#4") == "19.9"
    assert stage.world.issue(f"{GROUP}/platform#5").weight == 3
    await stage.press("u")
    await stage.settle()
    # One undo for all that was applied together, and the first two stay.
    assert there(stage, "platform#4") == "19.8"
    assert stage.world.issue(f"{GROUP}/platform#5").weight == 1
    assert there(stage, "platform#1") == "19.9"


@pytest.mark.parametrize(
    ("answer", "weights", "left"),
    [
        ("s", (8, 3), ["platform#1"]),
        pytest.param("m", (5, 3), [], marks=pytest.mark.slow),
        pytest.param("t", (8, 3), [], marks=pytest.mark.slow),
    ],
)
async def test_a_change_by_others_is_asked_about(
    stage: Stage, answer: str, weights: tuple[int, int], left: list[str]
) -> None:
    await stage.press("g", "d")
    await stage.focus("platform#1")
    await stage.press("5")
    await stage.focus("platform#3")
    await stage.press("3")
    stage.world.edit(f"{GROUP}/platform#1", by="eng_birch", weight=8)
    await stage.press("r")
    await stage.settle()
    await stage.press("g", "D")
    assert "≠ Someone else changed it: weight was 2, staged 5, now 8" in text(stage)
    await stage.press("enter")
    _, answers = question(stage)
    assert list(answers) == ["s", "m", "t"]
    assert "weight was 2, staged 5, now 8" in on_top(stage, Ask).note
    await stage.press(answer)
    await stage.settle()
    world = stage.world
    assert (world.issue(f"{GROUP}/platform#1").weight, world.issue(f"{GROUP}/platform#3").weight) == weights
    staged_now = [stage.name(one.issue) for one in stage.app.bridge.drafts.issues()]
    assert staged_now == left


@pytest.mark.slow
async def test_a_new_issue_is_created_when_the_draft_is_applied(stage: Stage) -> None:
    await stage.press("g", "d")
    await stage.focus("platform#4")
    await stage.press("n")
    await stage.type("Try it")
    await stage.press("enter")
    assert "Created when you apply the draft" in stage.message
    await stage.press("2", "g", "D")
    assert "new issue in 19.8" in lines(stage)[0]
    assert sent(stage) == 0
    await stage.press("enter", "y")
    await stage.settle()
    made = stage.world.issue(f"{GROUP}/platform#12")
    assert (made.title, made.weight) == ("Try it", 2)


@pytest.mark.slow
async def test_fill_can_be_kept_as_a_draft(stage: Stage) -> None:
    await stage.press("g", "c", "F", "F")
    _, answers = question(stage)
    assert answers["d"] == "save as a draft; nothing is sent"
    await stage.press("d")
    on_top(stage, Candidates)
    assert "DRAFT fill 19.8 · 2 staged" in head(stage)
    assert all("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))
    # In a draft the proposal is staged anyway.
    await stage.press("u", "F", "F")
    assert list(question(stage)[1]) == ["y", "n"]
    await stage.press("y")
    await stage.settle()
    assert sent(stage) == 0
    assert "2 of 9 accepted" in text(stage)


@pytest.mark.slow
async def test_several_drafts_have_names(stage: Stage) -> None:
    await stage.press("g", "D")
    on_top(stage, DraftNames)
    assert "only on this computer" in text(stage)
    await stage.press("n")
    await stage.press("ctrl+u")
    await stage.type("up")
    await stage.press("enter", "n", "ctrl+u")
    await stage.type("up")
    await stage.press("enter")
    drafts = stage.app.bridge.drafts
    assert [draft.name for draft in drafts.all] == ["up", "up (2)"]
    assert "DRAFT up (2)" in head(stage)
    await stage.press("j", "e", "ctrl+u")
    await stage.type("lo")
    await stage.press("enter", "escape")
    assert "DRAFT lo" in head(stage)
    await stage.focus("platform#4")
    await stage.press("3", "2", "g", "d", "g", "d")
    assert "DRAFT lo · 1 staged" in head(stage)
    # Without one that was on last, the key asks which.
    await stage.press("g", "d")
    drafts.latest = None
    await stage.press("g", "d")
    on_top(stage, DraftNames)
    await stage.press("g", "g", "enter")
    on_top(stage, DraftList)
    assert "DRAFT up · nothing staged" in head(stage)
    await stage.press("g", "D", "j", "x")
    asked, _ = question(stage)
    assert asked == "Delete the draft lo and its changes to 1 issue?"
    await stage.press("y", "g", "g", "x", "escape", "escape")
    assert drafts.all == []
    await stage.settle()
    assert sent(stage) == 0


@pytest.mark.slow
async def test_what_cannot_be_staged_is_refused_and_says_why(stage: Stage) -> None:
    await stage.press("g", "d")
    await stage.focus("platform#4")
    await stage.press("2", "g", "L", "l")
    assert any("A draft is not part of a locked plan" in toast for toast in stage.toasts)
    await stage.press("g", "s")
    assert "from GitLab, without the draft" in text(stage)
    await stage.press("escape")
    await stage.settle()
    assert sent(stage) == 0
    issue = stage.issue("platform#4")
    before = await stage.app.bridge.reads.detail(issue.id)
    change = Edit(description="Tried out", description_was=before.source)
    stage.engine.perform([(issue.id, change)], "description")
    shown = await stage.app.bridge.reads.detail(issue.id)
    assert (shown.description, shown.source) == ("Tried out", "Tried out")
    stage.app.bridge.drafts.turn_off()
    assert await stage.app.bridge.reads.detail(issue.id) == before
    stage.engine.store.durable = False
    await stage.press("g", "d", "q")
    assert question(stage)[0] == "1 staged in the draft; this session cannot save drafts."
    await stage.press("escape")
    assert stage.app.bridge.drafts.count == 1


@pytest.mark.slow
async def test_what_is_dropped_is_staged_again_by_redo_at_every_size(stage: Stage) -> None:
    await stage.press("g", "d")
    await stage.mark("platform#1", "platform#4")
    await stage.press("M", "g", "D", "x")
    assert names(stage) == ["platform#4"]
    for size in ((160, 45), (100, 30), (80, 24), (58, 20)):
        await stage.pilot.resize_terminal(*size)
        await stage.pilot.pause()
        strips = stage.app.screen._compositor.render_strips(stage.app.size)
        written = "\n".join("".join(segment.text for segment in strip) for strip in strips)
        assert "−3w" in next(line for line in written.splitlines() if "Team" in line), (size, written)
        for word in ("DRAFT 19.8 · 1 staged", "platform#4"):
            assert word in written, (size, word)
    assert "Dropped: 1 issue" in text(stage)
    assert stage.issue("platform#1").milestone == "19.8"
    await stage.press("U")
    assert names(stage) == ["platform#4", "platform#1"]
    await stage.press("*", "x")
    assert names(stage) == []
    await stage.press("escape")
    await stage.settle()
    assert sent(stage) == 0
