"""A planning call from its start to the posted list, and decisions without a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from textual.events import Paste

from glboard_core.decision_log import keep_call
from glboard_core.demo.world.world import World
from glboard_core.errors import StoreFailed
from glboard_core.planning.call import new_call
from glboard_tui.screens import decisions_post
from glboard_tui.screens.decisions import DecisionsPane
from glboard_tui.screens.decisions_post import PostDecisions
from glboard_tui.screens.prompts import CommentDialog
from support.engines import HASTE
from tui.app.stage import GROUP, GROUP_LABEL, ME, READY, Stage, small_world, staged
from tui.screens.lists import lines, names, on_top, reading, text


def planned_world() -> World:
    """With a planning issue, and a confidential one in the plan."""
    world = small_world()
    world.create(
        f"{GROUP}/platform",
        "Planning 19.8",
        by=ME,
        add_labels=[GROUP_LABEL, "type::ignore"],
        milestone="19.8",
    )
    world.create(
        f"{GROUP}/platform",
        "Leak at Some Customer",
        by=ME,
        add_labels=[GROUP_LABEL, "type::bug", READY],
        milestone="19.8",
        weight=1,
        confidential=True,
    )
    world.index.rebuild()
    # A call starts later than its issues, also by a clock that is told in whole seconds.
    world.clock.advance(60)
    return world


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(planned_world(), reports=reading) as running:
        yield running


def posted(stage: Stage) -> list[str]:
    return [note.body for note in stage.world.issue(f"{GROUP}/platform#12").notes or () if not note.system]


def whole(stage: Stage) -> str:
    return "\n".join([text(stage), *lines(stage)])


async def start(stage: Stage) -> None:
    await stage.press("g", "x", "+")
    assert stage.screen.context.planning.calls.running is not None
    await stage.press("escape")


@pytest.mark.slow
async def test_a_small_call(stage: Stage) -> None:
    await start(stage)
    assert "call since 15:0" in stage.screen.header.view.call
    await stage.focus("platform#1")
    await stage.press("d", "enter")
    await stage.focus("platform#3")
    await stage.press("0", "2", "3")
    await stage.focus("platform#4")
    await stage.press("semicolon")
    on_top(stage, CommentDialog)
    # NUL is left out of what was pasted: GitLab would refuse it.
    assert stage.app.focused is not None
    stage.app.focused.post_message(Paste("Needs a\0 runner."))
    await stage.pilot.pause()
    await stage.press("enter")
    await stage.type("Who has one?")
    await stage.press("ctrl+s")
    assert stage.message == "Noted on platform#4, for the call; gx shows them."
    await stage.press("M")
    await stage.focus("ai-gateway#1")
    await stage.press("1", "u")
    assert stage.screen.header.view.call.endswith("· 3 decisions")
    await stage.press("g", "x")
    on_top(stage, DecisionsPane)
    assert names(stage) == ["platform#1", "platform#4", "platform#3"]
    shown = whole(stage)
    for part in ("Accepted (1)", "@eng_birch, weight 2", "19.8 to 19.9", "weight 1 to 3", "Call since 15:0"):
        assert part in shown
    assert "Open questions (1)" in shown
    # Every key of the board acts here as well; what is undone leaves the list.
    await stage.press("u", "u")
    assert "platform#4" not in whole(stage).partition("Open questions")[0]
    # A colleague decides at the same time; nothing of mine is lost or told twice.
    stage.world.edit(f"{GROUP}/platform#2", by="pm_oak", weight=2)
    await stage.settle()
    await stage.press("R")
    await stage.until(lambda: "Includes others' decisions." in text(stage))
    assert "3 decisions" in text(stage)
    assert names(stage) == ["platform#1", "platform#3", "platform#2"]
    assert "@pm_oak" in whole(stage)


async def decide(stage: Stage) -> None:
    """A call with one accepted issue, a confidential one deferred with a note, and an open question."""
    await start(stage)
    await stage.focus("platform#1")
    await stage.press("d", "enter")
    await stage.focus("platform#13")
    await stage.press("semicolon")
    await stage.type("Ask *legal*")
    await stage.press("ctrl+s", "M", "g", "x", "Q")
    await stage.type("Who @leads?")
    await stage.press("ctrl+s")


@pytest.mark.slow
async def test_the_list_is_posted_once_and_updated_later(stage: Stage) -> None:
    await decide(stage)
    await stage.press("i")
    on_top(stage, PostDecisions)
    await stage.until(lambda: "A new comment will be posted." in text(stage))
    assert "Includes your 1 note on confidential issues, as typed." in text(stage)
    await stage.press("enter")
    assert "Posting to demo-org/platform#12" in text(stage)
    await stage.settle()
    [first] = posted(stage)
    lines_of = first.splitlines()
    assert lines_of[0] == "## Decisions 19.8"
    assert lines_of[2].startswith("Planning call since 7 Dec 2026, 15:0")
    assert "| demo-org/platform#1 | Crash on start | 2 | `eng_birch` | `em_maple` |" in lines_of
    # Of a confidential issue only the reference, and what was typed about it.
    assert "| demo-org/platform#13 | (confidential) | Ask \\*legal\\* |" in lines_of
    assert "Customer" not in first
    assert "- Who \\@leads?" in lines_of
    assert "<!-- glboard note: decisions call 2026-12-07T15:" in first
    assert "posted 7 Dec" in text(stage)
    # Nothing changed: nothing to post.
    await stage.press("i")
    await stage.until(lambda: "up to date" in text(stage))
    await stage.press("enter")
    assert "Nothing to post" in text(stage)
    await stage.press("escape", "escape")
    await stage.focus("platform#3")
    await stage.press("3", "g", "x", "F", "i")
    await stage.until(lambda: "will be updated" in text(stage))
    await stage.press("enter")
    await stage.settle()
    [second] = posted(stage)
    assert "### Reweighted (1)" in second
    assert "Planning call 7 Dec 2026, 15:0" in second
    await stage.press("u")
    await stage.settle()
    assert posted(stage)[0].splitlines()[:-2] == first.splitlines()[:-2]


@pytest.mark.slow  # tests/sync/test_notes.py loses the same answers without a screen
@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_a_list_with_a_lost_answer_is_there_once(fault: str) -> None:
    async with staged(planned_world(), reports=reading, timing=HASTE) as stage:
        await decide(stage)
        for field, weight in (("createNote", "0"), ("updateNote", "2")):
            stage.server.faults.next(fault, field)
            await stage.press("i")
            await stage.until(lambda: "comment will be" in text(stage))
            await stage.press("enter")
            await stage.settle()
            assert len(posted(stage)) == 1
            assert stage.engine.status.failed == 0
            await stage.press("escape")
            await stage.focus("platform#3")
            await stage.press(weight, "g", "x")
        assert "### Reweighted (1)" in posted(stage)[0]


@pytest.mark.slow
async def test_the_text_can_be_edited_copied_and_written(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(decisions_post, "edit_in_editor", lambda _, text: f"{text}\nSee you.\n")
    await decide(stage)
    await stage.press("i", "E")
    assert "See you." in text(stage)
    assert "Edited by you." in text(stage)
    await stage.press("C")
    assert stage.app.clipboard.endswith("See you.")
    file = tmp_path / "decisions-19.8-2026-12-07.md"
    await stage.press("w", "enter")
    assert "Saved decisions-19.8" in text(stage)
    assert file.read_text().endswith("See you.\n")
    assert file.stat().st_mode & 0o777 == 0o600
    # Never over another file without asking.
    file.write_text("mine")
    await stage.press("w", "enter")
    assert "already exists. Overwrite it?" in text(stage)
    await stage.press("escape")
    assert file.read_text() == "mine"
    await stage.press("w", "enter", "y")
    assert file.read_text().endswith("See you.\n")
    # An editor that leaves nothing changes nothing.
    monkeypatch.setattr(decisions_post, "edit_in_editor", lambda *_: " \n")
    await stage.press("E")
    assert "Not changed: the text was empty." in text(stage)
    assert "See you." in text(stage)
    # What was edited stays, and says that the list went on; R discards it.
    await stage.press("escape", "escape")
    await stage.focus("platform#3")
    await stage.press("3", "g", "x", "i")
    assert "the list has changed since" in text(stage)
    assert "See you." in text(stage)
    await stage.press("R")
    assert "See you." not in text(stage)
    assert "Reweighted (1)" in text(stage)


@pytest.mark.slow
async def test_a_call_ends_and_can_be_resumed(stage: Stage) -> None:
    await decide(stage)
    first = stage.screen.context.planning.calls.running
    assert first is not None
    stage.world.clock.advance(60)
    await stage.press("F")
    assert "Call ended. i posts the decisions, + resumes it." in text(stage)
    assert stage.screen.header.view.call == ""
    # What is done after its end is not part of it, but what is undone then leaves it.
    await stage.press("escape")
    stage.world.clock.advance(60)
    await stage.focus("platform#3")
    await stage.press("3", "g", "x")
    assert names(stage) == ["platform#1", "platform#13"]
    await stage.press("u", "u")
    # Of the confidential one only the note is left.
    assert "ended · 1 decision" in text(stage)
    await stage.press("+", "n")
    assert names(stage) == []
    await stage.press("F", "H")
    assert "without a call" in text(stage)
    await stage.press("b", "+", "r")
    running = stage.screen.context.planning.calls.running
    assert running is not None
    assert running.id == first.id
    assert stage.screen.header.view.call.endswith("· 1 decision")


@pytest.mark.slow
async def test_without_a_call_everyones_decisions_are_read() -> None:
    world = planned_world()
    world.clock.advance(4 * 86_400)
    world.edit(f"{GROUP}/platform#2", by="pm_oak", weight=2)
    world.edit(f"{GROUP}/platform#4", by="eng_alder", milestone="19.9")
    async with staged(world, reports=reading) as stage:
        await stage.focus("platform#1")
        await stage.press("d", "enter")
        await stage.settle()
        await stage.press("g", "x")
        await stage.until(lambda: "Includes others' decisions." in text(stage))
        assert "Since 4 Dec" in text(stage)
        assert "no call in progress, + starts one" in text(stage)
        assert "new issue" in whole(stage)
        await stage.press("<", *["backspace"] * 10)
        await stage.type("tomorrow")
        await stage.press("enter")
        assert "is not a date or time" in text(stage)
        await stage.press(*["backspace"] * 8)
        await stage.type("1d")
        await stage.press("enter")
        await stage.until(lambda: "Reading" not in text(stage))
        assert names(stage) == ["platform#1", "platform#4", "platform#2"]
        shown = whole(stage)
        for part in ("@eng_birch, weight 2", "19.8 to 19.9", "weight 2", "@eng_alder", "@pm_oak"):
            assert part in shown
        await stage.press("@")
        assert "1 decision by @em_maple" in text(stage)
        await stage.press("@", "@")
        assert "1 decision by @pm_oak" in text(stage)
        assert names(stage) == ["platform#2"]
        # A note without a call is kept with this list.
        await stage.press("semicolon")
        await stage.type("Small.")
        await stage.press("ctrl+s", "i")
        await stage.until(lambda: "comment will be" in text(stage))
        assert "| demo-org/platform#2 | Slow answers | - | 2 | `pm_oak` | Small. |" in text(stage)
        await stage.press("enter")
        await stage.settle()
        assert "glboard note: decisions since 19.8 2026-12-10" in posted(stage)[0]


async def test_a_call_wanted_at_the_start_begins_and_needs_no_planning_issue() -> None:
    async with staged(call=True) as stage:
        running = stage.screen.context.planning.calls.running
        assert running is not None
        assert running.milestone == "19.8"
        assert running.before is not None
        assert running.before.planned == 9
        assert "call since" in stage.screen.header.view.call
        await stage.focus("platform#3")
        await stage.press("3", "g", "x", "i", "enter")
        assert "No planning issue for 19.8." in text(stage)
        await stage.press("C")
        assert "### Reweighted (1)" in stage.app.clipboard


@pytest.mark.slow
async def test_what_share_mode_hides_is_hidden_here_with_its_note(stage: Stage) -> None:
    await decide(stage)
    await stage.press("escape")
    await stage.press("p", "g", "x")
    shown = whole(stage)
    assert names(stage) == ["platform#1", "platform#13"]
    for secret in ("Customer", "legal", "19.8 to 19.9"):
        assert secret not in shown
    await stage.press("i")
    assert "legal" not in text(stage)
    assert "(confidential)" in text(stage)


@pytest.mark.slow
async def test_a_note_on_a_new_issue_stays_with_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await start(stage)
    await stage.press("n")
    await stage.type("Brand new")
    await stage.press("enter", "semicolon")
    await stage.type("Just in.")
    await stage.press("ctrl+s")
    await stage.settle()
    await stage.press("g", "x")
    assert names(stage) == ["platform#14"]
    assert "new issue" in whole(stage)
    assert "Just in." in whole(stage)

    # A full disk refuses a note, and says so.
    def refuse(*_: object) -> None:
        raise StoreFailed("Cannot save changes.", hint="Free disk space.")

    monkeypatch.setattr(stage.engine.store, "keep_record", refuse)
    await stage.press("semicolon")
    await stage.type(" Lost?")
    await stage.press("ctrl+s")
    assert "Cannot save changes." in "".join(stage.toasts)
    assert "Lost?" not in whole(stage)


@pytest.mark.slow
async def test_the_comment_is_called_posted_only_if_gitlab_has_it(stage: Stage) -> None:
    """Also undone, refused, and not sent yet; and what is only staged is neither decided nor posted."""
    await decide(stage)

    async def post() -> None:
        await stage.press("i")
        await stage.until(lambda: " will be " in text(stage))
        await stage.press("enter")
        await stage.settle()

    await post()
    assert "· posted 7 Dec 15:01" in text(stage)
    await stage.press("u", "y")
    await stage.settle()
    assert "posted" not in text(stage)
    await stage.press("escape")
    await stage.focus("platform#2")
    await stage.press("g", "d", "5", "g", "x")
    planned = next(line for line in text(stage).splitlines() if line.startswith("Planned"))
    await stage.press("i")
    await stage.until(lambda: " will be " in text(stage))
    assert "| Planned | 10 + 4 unweighted | 9 + 4 unweighted |" in text(stage)
    await stage.press("enter")
    assert "A draft is on, so nothing is sent. Turn it off with gd to post." in text(stage)
    await stage.press("escape", "g", "d")
    assert planned in text(stage)
    stage.world.delete(f"{GROUP}/platform#12")
    await post()
    assert "· comment not posted" in text(stage)
    await stage.press("escape", "g", "f", "d", "escape", "g", "x")
    assert "posted" not in text(stage)


async def test_a_call_left_open_on_an_earlier_milestone_ends_when_the_next_begins(stage: Stage) -> None:
    calls = stage.screen.context.planning.calls
    now = stage.app.bridge.server_now()
    keep_call(stage.engine.store, new_call("19.7", now - timedelta(days=30)))
    calls.reload()
    left = calls.running
    assert left is not None
    calls.wanted = True
    calls.begin_wanted()
    running = calls.running
    assert running is not None
    assert running.milestone == "19.8"
    calls.end(running)
    assert calls.running is None
    # One on this milestone goes on, however long: decisions can take a week.
    calls.resume(left)
    keep_call(stage.engine.store, new_call("19.8", now - timedelta(days=7)))
    calls.reload()
    week = calls.running
    assert week is not None
    calls.wanted = True
    calls.begin_wanted()
    assert calls.running == week
