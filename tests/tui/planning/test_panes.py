"""Candidates, triage, lock and Say/Do, by keyboard on the embedded GitLab."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.screen import Screen
from textual.widgets import Static

from glboard_core.board.op import Edit
from glboard_core.demo.world import World
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.reports import Reports, open_reports
from glboard_core.sync.engine import Engine
from glboard_tui.screens.candidates import Candidates
from glboard_tui.screens.locked import LockedPlan
from glboard_tui.screens.saydo import SayDoPane
from glboard_tui.screens.triage import Triage
from glboard_tui.screens.worklist import WorkList
from glboard_tui.widgets.whichkey import WhichKey
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged

S = TypeVar("S", bound=Screen[Any])


def on_top(stage: Stage, kind: type[S]) -> S:
    assert isinstance(stage.app.screen, kind), stage.app.screen
    return stage.app.screen


def text(stage: Stage) -> str:
    """What is said on top: words, and the message of a list's footer."""
    screen = stage.app.screen
    said = [str(part.render()) for part in screen.query(Static)]
    return "\n".join([*said, screen.footer.view.message] if isinstance(screen, WorkList) else said)


def names(stage: Stage) -> list[str]:
    found = stage.app.screen
    assert isinstance(found, WorkList)
    return [stage.name(entry.issue) for entry in found.entries]


@asynccontextmanager
async def reading(engine: Engine) -> AsyncIterator[Reports]:
    assert isinstance(engine.gateway, GitLabGateway)
    async with open_reports(engine, engine.gateway.account) as reports:
        yield reports


# Candidates


def lines(stage: Stage) -> list[str]:
    """What the list shows below the titles of its columns."""
    rows = on_top(stage, WorkList).rows
    return [rows.render_line(y).text.rstrip() for y in range(1, rows.size.height)]


async def test_candidates_are_accepted_line_by_line(stage: Stage) -> None:
    await stage.press("g", "c")
    screen = on_top(stage, Candidates)
    assert "Candidates 19.8: 0 of 9 accepted · room +11.5 beside the likely carry-over" in text(stage)
    assert names(stage)[:2] == ["platform#1", "platform#2"]
    assert "not ready, no weight" in lines(stage)[1]
    await stage.press("enter")
    assert "Deliverable" in stage.issue("platform#1").labels
    assert "Accepted for eng_birch." in screen.entries[0].words
    assert "1 of 9 accepted · room +9.5" in text(stage)
    await stage.press("u")
    assert "Deliverable" not in stage.issue("platform#1").labels
    await stage.press("d", "a")
    assert stage.issue("platform#1").assignees == ("eng_alder",)
    await stage.press("D", "escape")
    assert "Deliverable" not in stage.issue("platform#1").labels


async def test_the_line_where_the_room_ends(stage: Stage) -> None:
    await stage.press("g", "c")
    assert lines(stage)[9].startswith("── all of it fits: room for 8.5 more ──")
    await stage.press("j", "W", "9", "y")
    await stage.press("g", "g", "w", "backspace", "6", "enter")
    ruler = next(at for at, line in enumerate(lines(stage)) if "room for 11.5 ends here" in line)
    # platform#1 weighs 6, platform#2 9: with it the sum is 15.
    assert ruler == 1
    assert "!15" in lines(stage)[2]


async def test_candidates_in_another_order(stage: Stage) -> None:
    await stage.press("g", "c", "G", "k", "P", "1", "O")
    assert "by priority" in text(stage)
    assert names(stage)[0] == "ai-gateway#1"
    await stage.press("O")
    assert "by weight" in text(stage)
    assert names(stage)[0] == "platform#3"
    await stage.press("O")
    assert names(stage)[0] == "platform#1"


async def test_each_letter_says_what_room_there_is(stage: Stage) -> None:
    await stage.press("g", "c", "d")
    strip = dict(stage.app.screen.query_one(WhichKey)._entries)
    assert strip["a"].endswith("alder +11.5")
    assert strip["b"].endswith("birch !-1")
    await stage.press("escape")
    stage.screen.plan.roster.blind = True
    await stage.press("d")
    strip = dict(stage.app.screen.query_one(WhichKey)._entries)
    assert strip["a"].endswith("alder room")
    assert strip["b"].endswith("birch !over")


async def test_fill_to_room_is_a_proposal_confirmed_as_a_whole(stage: Stage) -> None:
    await stage.press("g", "c", "F")
    assert "2 issues, weight 3 of 11.5 proposed; nothing is changed yet." in text(stage)
    assert [line.split()[-1] for line in lines(stage) if "proposed" in line] == ["proposed"] * 2
    assert not stage.app.bridge.undo_title
    await stage.press("F", "n", "escape")
    assert "The proposal is gone" in text(stage)
    assert not stage.app.bridge.undo_title
    on_top(stage, Candidates)
    await stage.press("F", "F", "y")
    assert all("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))
    await stage.press("u")
    assert not any("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))


async def test_a_proposal_is_confirmed_line_by_line(stage: Stage) -> None:
    await stage.press("g", "c", "F")
    screen = on_top(stage, Candidates)
    assert stage.name(screen.chosen()) == "platform#1"
    await stage.press("enter")
    assert "Deliverable" in stage.issue("platform#1").labels
    assert stage.name(screen.chosen()) == "platform#5"
    await stage.press("-")
    assert "Deliverable" not in stage.issue("platform#5").labels
    assert not any("proposed" in line for line in lines(stage))
    await stage.press("escape")
    assert stage.app.screen is stage.screen


async def test_those_proposed_without_anybody_are_given_to_somebody(stage: Stage) -> None:
    await stage.focus("platform#5")
    await stage.press("a", "space", "enter")
    assert stage.issue("platform#5").assignees == ()
    await stage.press("g", "c", "F", "F")
    assert "(nobody)" in text(stage)
    await stage.press("a")
    await stage.type("alder")
    await stage.press("enter")
    assert stage.issue("platform#5").assignees == ("eng_alder",)
    assert stage.issue("platform#1").assignees == ("eng_birch",)
    assert all("Deliverable" in stage.issue(f"platform#{n}").labels for n in (1, 5))


async def test_without_a_team_there_is_no_proposal() -> None:
    async with staged() as stage:
        await stage.press("g", "c", "F")
        assert "no team.toml" in text(stage)


# Triage


async def test_triage_follows_what_is_put_right(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    before = names(stage)
    found = len(before)
    assert f"Triage: 0 of {found} put right · line 1 of {found}" in text(stage)
    assert "no subtype" in screen.entries[0].words
    await stage.press("n")
    assert stage.name(screen.chosen()) == before[1]
    await stage.press("k", "P", "1")
    assert "priority::1" in stage.issue(before[0]).labels
    assert "bug without priority" not in screen.entries[0].words
    await stage.press("Y", "2")
    assert f"there is no label severity::2 in {GROUP}/platform" in text(stage)
    await stage.press("x", "c")
    assert names(stage) == before[1:]
    assert f"Triage: 1 of {found} put right" in text(stage)
    await stage.press("u")
    assert names(stage) == before
    assert f"Triage: 0 of {found} put right" in text(stage)
    await stage.press("G")
    assert stage.name(screen.chosen()) == before[-1]
    await stage.press("escape", "j")
    assert stage.screen.desk.top is None


def richer_world() -> World:
    """The small world with the labels that triage adds, but one that the group does not have."""
    world = small_world()
    root = world.group(GROUP)
    for title in (
        "devops::ai-powered",
        "Category:Model personalization",
        "Category:Self-Hosted models",
        "bug::ux",
        "severity::1",
        "severity::2",
        "priority::2",
    ):
        world.add_label(root, title, "#428bca")
    return world


async def test_one_key_adds_all_labels_that_are_missing_and_asks_where_there_is_a_choice(
    team_file: Path,
) -> None:
    async with staged(richer_world(), team_file=team_file) as stage:
        await stage.press("g", "t", *["j"] * 6)
        assert stage.screen.desk.targets() == [stage.issue("platform#7")]
        await stage.press("T")
        assert "Type: platform#7" in text(stage)
        await stage.type("bug")
        await stage.press("enter")
        assert "Subtype of type::bug: platform#7" in text(stage)
        await stage.type("ux")
        await stage.press("enter")
        assert "Category: platform#7" in text(stage)
        assert stage.issue("platform#7").labels == {GROUP_LABEL}
        await stage.type("self")
        await stage.press("enter")
        assert stage.issue("platform#7").labels == {
            GROUP_LABEL,
            "type::bug",
            "bug::ux",
            "Category:Self-Hosted models",
            "devops::ai-powered",
        }
        assert "GitLab has no label section::data science" in text(stage)
        await stage.press("u")
        assert stage.issue("platform#7").labels == {GROUP_LABEL}


async def test_a_choice_can_be_left_open_and_esc_changes_nothing(team_file: Path) -> None:
    async with staged(richer_world(), team_file=team_file) as stage:
        await stage.press("g", "t", "space", "j", "space", "T")
        assert "Subtype of type::bug: 2 issues" in text(stage)
        await stage.type("leave")
        await stage.press("enter")
        assert "Category: 2 issues" in text(stage)
        await stage.press("escape")
        assert not stage.app.bridge.undo_title
        await stage.press("T")
        await stage.type("functional")
        await stage.press("enter", *"pers", "enter")
        for name in ("platform#1", "platform#2"):
            assert {"bug::functional", "Category:Model personalization"} <= stage.issue(name).labels
            assert not stage.issue(name).scoped("section::")


async def test_priority_and_severity_replace_what_was_there(team_file: Path) -> None:
    async with staged(richer_world(), team_file=team_file) as stage:
        await stage.press("g", "t", "P")
        strip = stage.app.screen.query_one(WhichKey)
        assert strip._entries == (("1", "priority::1"), ("2", "priority::2"))
        await stage.press("1", "P", "2", "Y", "2")
        assert stage.issue("platform#1").scoped("priority::") == ("priority::2",)
        assert stage.issue("platform#1").scoped("severity::") == ("severity::2",)
        await stage.press("escape")
        await stage.focus("platform#3")
        await stage.press("Y", "1")
        assert stage.issue("platform#3").scoped("severity::") == ("severity::1",)


async def test_what_is_under_the_cursor_says_what_to_press(stage: Stage) -> None:
    await stage.press("g", "t")
    said = text(stage)
    assert "no devops label, no section label, no category: T adds it" in said
    assert "bug without severity: Y 1-4 sets it" in said


async def test_a_bucket_of_a_subgroup_is_set_where_only_that_is_seen(team_file: Path) -> None:
    world = small_world()
    below = world.add_group(f"{GROUP}/below", "Below")
    world.add_project(f"{GROUP}/below/tool")
    world.add_milestone(below, "Awaiting Customer Feedback")
    world.create(f"{GROUP}/below/tool", "Far down", by=ME, add_labels=[GROUP_LABEL])
    async with staged(world, team_file=team_file) as stage:
        await stage.press("g", "t", "G")
        assert stage.screen.desk.targets() == [stage.issue("below/tool#1")]
        # A group's own name for the bucket comes first in the settings; platform cannot see it.
        await stage.press("m", "a")
        assert stage.issue("below/tool#1").milestone == "Awaiting Customer Feedback"
        await stage.press("g", "g", "m", "a")
        assert stage.issue("platform#1").milestone == "Awaiting further demand"
        await stage.settle()
        assert stage.engine.status.failed == 0


async def test_a_list_shows_remote_text_as_it_is(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    await stage.press(*["j"] * names(stage).index("platform#6"))
    assert "fix [/api] crash" in text(stage)
    assert stage.name(screen.chosen()) == "platform#6"


# The lock


async def test_the_plan_is_locked_and_its_scope_is_said(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("d", "enter", "g", "L")
    assert "Lock the plan of 19.8" in text(stage)
    await stage.press("l")
    assert stage.message.startswith("Locked 19.8: 1 Deliverable, weight 2")
    await stage.focus("platform#5")
    await stage.press("d", "enter")
    await stage.focus("platform#1")
    await stage.press("3", "g", "L")
    screen = on_top(stage, LockedPlan)
    assert "Plan of 19.8: 1 of 2 · 1 added, 0 removed, 1 re-weighted" in text(stage)
    assert f"by {ME}: 1 Deliverable, weight 2." in text(stage)
    assert names(stage) == ["platform#5", "platform#1"]
    assert screen.entries[1].cells[-1][0] == "weight 2 → 3"
    # Every issue key works: taken back, it is in the list no more; the other is removed, and says so.
    await stage.press("D")
    assert names(stage) == ["platform#1"]
    await stage.press("D")
    assert "1 removed" in text(stage)
    assert screen.entries[0].cells[-1][0] == "no Deliverable any more"
    await stage.press("u", "u")
    await stage.press("L", "l")
    assert "0 added, 0 removed, 0 re-weighted" in text(stage)
    assert len(stage.engine.store.plans("19.8")) == 2
    await stage.press("escape")
    assert stage.app.screen is stage.screen


async def test_a_colleague_s_plan_is_exported_and_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with staged() as stage:
        stage.engine.host = "gitlab.example.com"
        await stage.focus("platform#1")
        await stage.press("d", "enter", "g", "L", "l", "g", "L", "E", "enter")
        screen = on_top(stage, LockedPlan)
        file = tmp_path / "plan-19.8.json"
        await stage.until(file.exists)
        assert '"host": "gitlab.example.com"' in file.read_text()
        # It is not written over.
        await stage.press("E", "enter")
        await stage.until(lambda: "is there already" in "".join(stage.toasts))
        await stage.press("5", "L", "l")
        assert len(stage.engine.store.plans("19.8")) == 2
        await stage.press("R", *str(file), "enter")
        await stage.until(lambda: "That one is kept" in text(stage))
        await stage.press("y")
        assert "1 re-weighted" in text(stage)
        assert screen.entries[0].cells[-1][0] == "weight 2 → 5"
        file.write_text(file.read_text().replace("gitlab.example.com", "elsewhere.example.com"))
        await stage.press("R", *str(file), "enter")
        await stage.until(lambda: "elsewhere.example.com" in "".join(stage.toasts))
        await stage.press("R", "n", "o", "enter")
        await stage.until(lambda: "cannot be read" in "".join(stage.toasts))
        assert len(stage.engine.store.plans("19.8")) == 3
        await stage.press("escape")


# Say/Do


async def test_say_do_in_words_first(team_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(small_world(), team_file=team_file, reports=reading) as stage:
        copied: list[str] = []
        monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
        await stage.press("g", "b", "g", "s")
        on_top(stage, SayDoPane)
        await stage.until(lambda: "definition group" in text(stage))
        assert "0 of 1 closed so far, until 11 Dec (0.0 %), definition group" in text(stage)
        assert "definition committed, rebuilt from events" in text(stage)
        assert "handbook" not in text(stage)
        assert names(stage) == ["platform#8"]
        await stage.press("%", "C")
        assert "handbook_deliverable" in text(stage)
        assert copied[0].startswith("## Say/Do 19.7\n")
        assert "| group | 1 | 0 | 0.0 % |" in copied[0]
        await stage.press("escape")
        assert stage.app.screen is stage.screen


async def test_say_do_of_another_milestone_and_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with staged(small_world(), reports=reading) as stage:
        # The board shows the next milestone, of which nothing can be said yet.
        await stage.press("g", "s")
        screen = on_top(stage, SayDoPane)
        await stage.until(lambda: "definition group" in text(stage))
        assert screen.heading_of(1, 1) == "Say/Do 19.7: 1 of 1"
        assert screen.entries[0].cells[3:5] == (("not done", "warn"), ("", "muted"))
        await stage.press("E", "enter")
        await stage.until(lambda: "Wrote say-do-19.7.md" in screen.footer.view.message)
        assert (tmp_path / "say-do-19.7.md").read_text().startswith("## Say/Do 19.7\n")
        await stage.press("E", "enter")
        await stage.until(lambda: "is there already" in screen.footer.view.message)
        await stage.press("=")
        await stage.until(lambda: "until 15 Jan" in text(stage))
        assert screen.heading_of(0, 0) == "Say/Do 19.8"
        await stage.press("-", "R")
        await stage.until(lambda: "until 11 Dec" in text(stage))
        await stage.press("9")
        assert stage.issue("platform#8").weight == 9


async def test_say_do_that_cannot_be_read_says_so(stage: Stage) -> None:
    await stage.press("g", "s")
    await stage.until(lambda: "cannot be read in this session" in text(stage))


# Queues


async def test_the_refinement_queue_and_own_work(stage: Stage) -> None:
    await stage.press("g", "q")
    assert names(stage) == ["platform#2", "platform#9"]
    await stage.press("W", "2")
    assert names(stage) == ["platform#9"]
    assert stage.issue("platform#2").weight == 2
    assert "Refinement queue: 1 of 1" in text(stage)
    await stage.press("A", "escape", "g", "o")
    assert names(stage) == ["platform#9"]
    assert "My work: 1 open · 0 to pick" in text(stage)
    await stage.press("A")
    assert names(stage) == []
    assert "My work: 0 open · 0 to pick" in text(stage)


async def test_own_work_by_flow_state_and_what_to_pick_next(team_file: Path) -> None:
    world = small_world()
    ready = [GROUP_LABEL, "type::bug", "workflow::ready for development"]
    for title, more in (("Later one", []), ("Sooner one", ["priority::1"])):
        world.create(
            f"{GROUP}/ai-gateway", title, by=ME, add_labels=[*ready, *more], milestone="19.7", weight=1
        )
    async with staged(world, team_file=team_file) as stage:
        await stage.focus("platform#5")
        await stage.press("A")
        await stage.focus("platform#3")
        await stage.press("A", "g", "o")
        assert names(stage) == ["platform#3", "platform#5", "ai-gateway#3", "ai-gateway#2"]
        shown = lines(stage)
        assert shown[0].strip() == "no state · 1"
        assert shown[2].strip() == "ready for development · 1"
        assert shown[4].strip() == "next to pick in 19.7 · 2"
        await stage.press("j", "j", "I")
        taken = stage.issue("ai-gateway#3")
        assert taken.assignees == (ME,)
        assert "workflow::in dev" in taken.labels
        assert names(stage) == ["platform#3", "platform#5", "ai-gateway#3", "ai-gateway#2"]
        assert "My work: 3 open · 1 to pick · line 3 of 4" in text(stage)
        await stage.press("b")
        await stage.type("platform#1")
        await stage.press("ctrl+s")
        assert "workflow::blocked" in stage.issue("ai-gateway#3").labels
        assert any(line.strip() == "blocked · 1" for line in lines(stage))
        await stage.press("u", "u")
        assert stage.issue("ai-gateway#3").assignees == ()


async def test_lists_use_the_width_of_the_screen(stage: Stage) -> None:
    await stage.press("g", "t")
    assert stage.app.screen.query_one(".overlay").size.width > 130


# Marks


async def test_a_key_takes_the_marked_lines_and_then_none_is_marked(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    first, second, third = names(stage)[:3]
    await stage.press("space", "j", "j", "space")
    assert screen.footer.view.target == "2 marked"
    assert screen.rows.render_line(1).text.startswith(" ✓ platform#")
    await stage.press("7")
    assert [stage.issue(name).weight for name in (first, third)] == [7, 7]
    assert stage.issue(second).weight != 7
    assert screen.footer.view.target == third
    await stage.press("g", "v")
    assert screen.footer.view.target == "2 marked"
    assert stage.screen.board.marks.all == ()


async def test_only_marks_that_stand_in_the_list_act(stage: Stage) -> None:
    await stage.press("g", "q")
    screen = on_top(stage, WorkList)
    assert names(stage) == ["platform#2", "platform#9"]
    await stage.press("asterisk")
    assert screen.footer.view.target == "2 marked"
    stage.engine.perform([(stage.issue("platform#2").id, Edit(weight=1))], "from elsewhere")
    await stage.press("V")
    assert screen.footer.view.target == "1 marked"
    await stage.press("W", "2")
    assert stage.issue("platform#2").weight == 1
    assert stage.issue("platform#9").weight == 2


async def test_escape_takes_marks_off_before_it_closes_the_list(stage: Stage) -> None:
    await stage.press("g", "t", "V", "j")
    screen = on_top(stage, Triage)
    assert screen.footer.view.target == "2 marked"
    await stage.press("escape")
    assert screen.footer.view.message == "The range is kept."
    await stage.press("escape")
    assert screen.footer.view.target == names(stage)[1]
    await stage.press("escape")
    assert stage.app.screen is stage.screen


async def test_keys_that_come_in_one_piece_act_on_what_is_left(stage: Stage) -> None:
    await stage.press("g", "q")
    stage.burst("W", "1", "W", "2")
    await stage.until(lambda: not names(stage))
    assert [stage.issue(f"platform#{n}").weight for n in (2, 9)] == [1, 2]


async def test_a_click_is_the_cursor(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    await stage.pilot.click(screen.rows, offset=(10, 3))
    assert stage.name(screen.chosen()) == names(stage)[2]
