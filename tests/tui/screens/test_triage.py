"""Triage by keyboard on the embedded GitLab."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.demo.world.world import World
from glboard_tui.screens.queues import Triage
from glboard_tui.widgets.footer import WhichKey
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged
from tui.screens.lists import names, on_top, text


@pytest.mark.slow
async def test_fixed_issues_leave_triage(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    before = names(stage)
    found = len(before)
    assert f"Triage: 0 of {found} fixed · line 1 of {found}" in text(stage)
    assert "no subtype" in screen.entries[0].words
    await stage.press("n")
    assert stage.name(screen.chosen()) == before[1]
    await stage.press("k", "P", "1")
    assert "priority::1" in stage.issue(before[0]).labels
    assert "bug without priority" not in screen.entries[0].words
    await stage.press("Y", "2")
    assert f"no label severity::2 in {GROUP}/platform" in text(stage)
    await stage.press("x", "c")
    assert names(stage) == before[1:]
    assert f"Triage: 1 of {found} fixed" in text(stage)
    await stage.press("u")
    assert names(stage) == before
    assert f"Triage: 0 of {found} fixed" in text(stage)
    await stage.press("G")
    assert stage.name(screen.chosen()) == before[-1]
    await stage.press("escape", "j")
    assert stage.screen.context.top is None


def richer_world() -> World:
    """The small world with the labels that triage adds, except one that the group lacks."""
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


@pytest.mark.slow
async def test_one_key_adds_all_missing_labels_and_asks_if_there_is_a_choice(
    team_file: Path,
) -> None:
    async with staged(richer_world(), team_file=team_file) as stage:
        await stage.press("g", "t", *["j"] * 6)
        assert stage.screen.context.targets() == [stage.issue("platform#7")]
        await stage.press("T")
        assert "Type: platform#7" in text(stage)
        await stage.found("bug")
        await stage.press("enter")
        assert "Subtype of type::bug: platform#7" in text(stage)
        await stage.found("ux")
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
        assert "No label section::data science in GitLab" in text(stage)
        await stage.press("u")
        assert stage.issue("platform#7").labels == {GROUP_LABEL}


@pytest.mark.slow
async def test_a_choice_can_be_skipped_and_esc_changes_nothing(team_file: Path) -> None:
    async with staged(richer_world(), team_file=team_file) as stage:
        await stage.press("g", "t", "space", "j", "space", "T")
        assert "Subtype of type::bug: 2 issues" in text(stage)
        await stage.type("leave")
        await stage.press("enter")
        assert "Category: 2 issues" in text(stage)
        await stage.press("escape")
        assert not stage.app.bridge.undoing.title
        await stage.press("T")
        await stage.type("functional")
        await stage.press("enter", *"pers", "enter")
        for name in ("platform#1", "platform#2"):
            assert {"bug::functional", "Category:Model personalization"} <= stage.issue(name).labels
            assert not stage.issue(name).scoped("section::")


@pytest.mark.slow
async def test_priority_and_severity_replace_the_previous_label(team_file: Path) -> None:
    async with staged(richer_world(), team_file=team_file) as stage:
        await stage.press("g", "t", "P")
        strip = stage.app.screen.query_one(WhichKey)
        assert strip.entries == (("1", "priority::1"), ("2", "priority::2"))
        await stage.press("1", "P", "2", "Y", "2")
        assert stage.issue("platform#1").scoped("priority::") == ("priority::2",)
        assert stage.issue("platform#1").scoped("severity::") == ("severity::2",)
        await stage.press("escape")
        await stage.focus("platform#3")
        await stage.press("Y", "1")
        assert stage.issue("platform#3").scoped("severity::") == ("severity::1",)


async def test_the_line_under_the_cursor_shows_which_keys_help(stage: Stage) -> None:
    await stage.press("g", "t")
    said = text(stage)
    assert "no devops label, no section label, no category: T adds it" in said
    assert "bug without severity: Y 1-4 sets it" in said


@pytest.mark.slow
async def test_a_subgroups_bucket_is_set_if_only_that_is_visible(team_file: Path) -> None:
    world = small_world()
    below = world.add_group(f"{GROUP}/below", "Below")
    world.add_project(f"{GROUP}/below/tool")
    world.add_milestone(below, "Awaiting Customer Feedback")
    world.create(f"{GROUP}/below/tool", "Far down", by=ME, add_labels=[GROUP_LABEL])
    async with staged(world, team_file=team_file) as stage:
        await stage.press("g", "t", "G")
        assert stage.screen.context.targets() == [stage.issue("below/tool#1")]
        # A group's own name for the bucket comes first in the settings; platform cannot see it.
        await stage.press("m", "a")
        assert stage.issue("below/tool#1").milestone == "Awaiting Customer Feedback"
        await stage.press("g", "g", "m", "a")
        assert stage.issue("platform#1").milestone == "Awaiting further demand"
        await stage.settle()
        assert stage.engine.status.failed == 0


async def test_a_list_shows_remote_text_verbatim(stage: Stage) -> None:
    await stage.press("g", "t")
    screen = on_top(stage, Triage)
    await stage.press(*["j"] * names(stage).index("platform#6"))
    assert "fix [/api] crash" in text(stage)
    assert stage.name(screen.chosen()) == "platform#6"
