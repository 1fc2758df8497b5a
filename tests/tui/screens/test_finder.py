"""Find anything: one field for issues, here and in GitLab, actions, boards, milestones, people, filters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs
from textual._compositor import Compositor
from textual.events import Paste

from glboard_core.config import ShareSettings
from glboard_core.demo.world.world import World
from glboard_tui.screens.finder import Finder
from support.leaks import SECRET, secret_world
from tui.app.stage import GROUP, ME, STILL, Stage, small_world, staged


def world_with_more() -> World:
    """Besides the small world: platform#12 of another team, more of ai-gateway, and another group."""
    world = small_world()
    world.create(f"{GROUP}/platform", "Of another team", by=ME, milestone="19.8", weight=2)
    world.create(f"{GROUP}/ai-gateway", "Second of the gateway", by=ME)
    for n in range(3, 13):
        world.create(f"{GROUP}/ai-gateway", f"Filler {n}", by=ME)
    tools = world.add_group("elsewhere")
    tools.members[world.user(ME).id] = 40
    world.add_project("elsewhere/tool")
    world.create("elsewhere/tool", "Of another group", by=ME)
    return world


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(world_with_more()) as one:
        yield one


def finder(stage: Stage) -> Finder:
    """The field, on top."""
    top = stage.app.screen
    assert isinstance(top, Finder)
    return top


async def search(stage: Stage, text: str) -> list[str]:
    """Open the field and type; returns the lines, with their kinds."""
    if not isinstance(stage.app.screen, Finder):
        await stage.press("ctrl+p")
    finder(stage)._input.value = text
    await stage.pilot.pause()
    await stage.until(lambda: not finder(stage).is_busy)
    await stage.pilot.pause()
    return lines(stage)


def lines(stage: Stage) -> list[str]:
    return [f"{hit.line.kind}: {hit.line.text}" for hit in finder(stage)._list.hits]


async def take(stage: Stage) -> None:
    """Press Enter, and wait until the field is closed."""
    await stage.press("enter")
    await stage.until(lambda: not isinstance(stage.app.screen, Finder))
    await stage.pilot.pause()


def state(stage: Stage) -> str:
    """The line below what was found."""
    return str(finder(stage)._state_line.render())


# Here


@pytest.mark.slow
async def test_an_issue_is_found_by_its_title_and_opened_on_its_card(stage: Stage) -> None:
    assert (await search(stage, "upgrade run"))[0] == "issue: platform#4 Upgrade the runner"
    await take(stage)
    assert stage.focused == "platform#4"
    assert stage.screen.pane.issue == stage.issue("platform#4").id
    assert stage.screen.context.scope == "detail"


@pytest.mark.slow
async def test_an_issue_on_no_shown_board_is_opened_all_the_same(stage: Stage) -> None:
    assert (await search(stage, "some day"))[0] == "issue: platform#10 Some day"
    await take(stage)
    assert stage.screen.pane.issue == stage.issue("platform#10").id
    await stage.press("6")
    assert stage.issue("platform#10").weight == 6


@pytest.mark.slow
async def test_what_is_typed_finds_each_kind(stage: Stage) -> None:
    runner = "issue: platform#4 Upgrade the runner"
    for text, first in (
        ("#4", runner),
        ("~only-platform", ""),
        ("~type::maint", runner),
        ("upgrdrun", runner),
        ("WRONG total", "issue: platform#3 Wrong total"),
        ("> defer", "action: Defer to the following milestone, remove Deliverable"),
        ("@birch", "person: @eng_birch"),
        ("Engo", "person: @eng_birch"),
        ("% 19.9", "milestone: 19.9"),
        ("next 1-3", "board: Next 1-3"),
        ("qqqq", ""),
    ):
        found = await search(stage, text)
        assert (found or [""])[0] == first


async def test_keys_typed_ahead_are_taken_in_order(stage: Stage) -> None:
    stage.burst("ctrl+p", *"upgrade", "enter")
    await stage.until(lambda: stage.screen.pane.issue == stage.issue("platform#4").id)
    # Also the second time, when it is there at once.
    await stage.press("escape")
    stage.burst("ctrl+p", *"guided", "enter")
    await stage.until(lambda: stage.screen.pane.issue == stage.issue("platform#5").id)


@pytest.mark.slow
async def test_a_milestone_a_person_and_a_board_lead_there(stage: Stage) -> None:
    await search(stage, "%19.9")
    await take(stage)
    assert stage.screen.header.view.board == "Planning 19.9"
    await search(stage, "@birch")
    await take(stage)
    assert stage.app.bridge.view.board_id == "people"
    assert stage.screen.board.focused[1] is not None
    assert stage.screen.board.focused[1].key == "eng_birch"
    await search(stage, "backlog")
    await take(stage)
    assert stage.app.bridge.view.board_id == "backlog"


@pytest.mark.slow
async def test_a_saved_filter_is_set(stage: Stage) -> None:
    stage.app.bridge.filters.save("b", "weighty bugs", "~bug w:any")
    await search(stage, "weighty")
    await take(stage)
    assert stage.app.bridge.view.text == "~bug w:any"


@pytest.mark.slow
async def test_an_action_runs_and_its_key_is_shown(stage: Stage) -> None:
    await stage.focus("platform#1")
    await search(stage, "defer to the following")
    assert finder(stage)._list.hits[0].line.note == "M"
    await take(stage)
    await stage.until(lambda: stage.issue("platform#1").milestone == "19.9")


@pytest.mark.slow
async def test_what_was_found_lately_comes_first(stage: Stage) -> None:
    await search(stage, "wrong total")
    await take(stage)
    await stage.press("escape", "ctrl+p")
    assert lines(stage)[0] == "issue: platform#3 Wrong total"
    assert lines(stage)[1] == "board: Planning"


@pytest.mark.slow
async def test_a_changed_title_is_found_at_once(stage: Stage) -> None:
    await search(stage, "qqqq")
    await stage.press("escape")
    stage.world.edit(f"{GROUP}/platform#4", by=ME, title="Renamed wholly")
    await stage.engine.poller.poll()
    assert await search(stage, "wholly") == ["issue: platform#4 Renamed wholly"]


@pytest.mark.slow
async def test_a_key_in_a_dialog_does_not_repaint_the_board_below(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.press("ctrl+p", "c")
    await stage.until(lambda: not finder(stage).is_busy)
    painted: list[str] = []
    whole = Compositor.render_full_update

    def paint(self: Compositor, simplify: bool = False) -> Any:
        painted.append("whole")
        return whole(self, simplify)

    await stage.press("down")
    monkeypatch.setattr(Compositor, "render_full_update", paint)
    await stage.press("down", "r", "a", "up")
    assert painted == []
    # What changes below is painted all the same.
    stage.world.edit(f"{GROUP}/platform#1", by=ME, title="Changed below the field")
    await stage.engine.poller.poll()
    await stage.until(lambda: painted != [] or "Changed below" in visible(stage))


# In GitLab


@pytest.mark.slow
async def test_an_issue_that_is_not_here_is_read_opened_edited_and_undone(stage: Stage) -> None:
    assert not any(i.reference.endswith("platform#12") for i in stage.engine.shown.values())
    stage.server.requests.clear()
    assert (await search(stage, "platform#12"))[0] == "address: Open platform#12 in GitLab"
    assert len(stage.server.requests) == 0
    await take(stage)
    opened = stage.screen.pane.issue
    assert opened is not None
    before = stage.cards()
    await stage.settle()
    assert "Of another team" in str(stage.screen.pane.query(".detail-title").first().render())
    await stage.press("5", "m", "k")
    await stage.settle()
    there = stage.world.issue(f"{GROUP}/platform#12")
    assert there.weight == 5
    assert there.milestone is not None
    assert there.milestone.title == "Backlog"
    await stage.press("u", "u")
    await stage.settle()
    assert there.weight == 2
    # It was on no board all the time.
    assert stage.cards() == before
    # And it is found here from now on.
    await stage.press("escape")
    assert (await search(stage, "of another team"))[0].startswith("issue: platform#12")


@pytest.mark.slow
async def test_one_of_another_group_is_opened_by_its_url(stage: Stage) -> None:
    await search(stage, f"{stage.server.url}/elsewhere/tool/-/issues/1#note_3")
    await take(stage)
    await stage.press("c")
    await stage.type("hello")
    await stage.press("ctrl+s")
    await stage.settle()
    notes = stage.world.issue("elsewhere/tool#1").notes or ()
    assert any("hello" in note.body for note in notes)


async def test_a_number_that_several_projects_have_offers_all(stage: Stage) -> None:
    assert await search(stage, "#12") == ["address: Look for #12 in GitLab"]
    await stage.press("enter")
    await stage.until(lambda: len(lines(stage)) == 2)
    assert sorted(lines(stage)) == [
        "issue: ai-gateway#12 Filler 12",
        "issue: platform#12 Of another team",
    ]
    await stage.press("down")
    await take(stage)
    assert stage.screen.pane.issue is not None


async def test_what_leads_nowhere_says_why_and_stays_open(stage: Stage) -> None:
    await search(stage, "platform#99")
    await stage.press("enter")
    await stage.until(lambda: "platform has no issue with this number" in state(stage))
    assert "confidential" in state(stage)
    await stage.press("backspace")
    assert lines(stage)[0].startswith("issue: platform#9")


@pytest.mark.slow
async def test_a_url_of_another_host_says_so(stage: Stage) -> None:
    stage.engine.host = "gitlab.example.com"
    assert await search(stage, "https://gitlab.example.org/a/b/-/issues/1") == []
    assert state(stage) == (
        "gitlab.example.org is another GitLab: this board is connected to gitlab.example.com."
    )


@pytest.mark.slow
async def test_offline_it_says_so(stage: Stage) -> None:
    stage.server.stop()
    await search(stage, "platform#12")
    await stage.press("enter")
    await stage.until(lambda: finder(stage)._error != "")
    assert finder(stage)._asking == ""
    stage.server.start()


@pytest.mark.slow
async def test_a_url_pasted_onto_the_board_opens_it(stage: Stage) -> None:
    stage.app.post_message(Paste(f" {stage.server.url}/demo-org/platform/-/work_items/12\n"))
    await stage.until(lambda: stage.screen.pane.issue is not None)
    await stage.until(lambda: not isinstance(stage.app.screen, Finder))
    await stage.press("escape")
    # One that is here needs no request.
    stage.server.requests.clear()
    stage.server.stop()
    stage.app.post_message(Paste("demo-org/platform#4"))
    await stage.until(lambda: stage.screen.pane.issue == stage.issue("platform#4").id)
    stage.server.start()
    stage.app.post_message(Paste("just some text"))
    await stage.until(lambda: "not an issue reference or URL" in stage.message)


@pytest.mark.slow
async def test_an_issue_named_at_the_start_is_opened_over_the_board() -> None:
    async with staged(world_with_more(), issue="platform#12") as stage:
        await stage.until(lambda: stage.screen.pane.issue is not None)
        assert not any(i.reference.endswith("#12") for i in stage.engine.shown.matching("19.8"))


# On a shared screen


def visible(stage: Stage) -> str:
    """All that is on the screen."""
    return "\n".join(strip.text for strip in stage.app.screen._compositor.render_strips(stage.app.size))


@pytest.mark.parametrize("hide_references", [pytest.param(False, marks=pytest.mark.slow), True])
async def test_a_shared_screen_finds_and_counts_nothing_that_is_hidden(hide_references: bool) -> None:
    share = ShareSettings(
        words=("Zqcorp", "Zq Big Bank"), labels=("customer::*",), hide_references=hide_references
    )
    async with staged(secret_world(), settings=structs.replace(STILL, share=share)) as stage:
        assert any("platform#1" in line for line in await search(stage, "zqone"))
        await stage.press("escape", "p")
        for text in ("one", "scope::", "person", "zqcor", "big bank", "~zqlab", "firs", "confidential"):
            found = await search(stage, text)
            assert not any(line.startswith("issue: platform#1 ") for line in found), (text, found)
            assert SECRET not in visible(stage).lower().replace(text, "")
        found = await search(stage, "platform#1")
        hidden = [line for line in found if line == "issue: platform#1"]
        assert hidden == ([] if hide_references else ["issue: platform#1"])
        if hide_references:
            # Asked by its number it is as if it did not exist.
            await stage.press("enter")
            await stage.until(lambda: finder(stage)._error != "")
            assert "has no issue with this number" in state(stage)
        await stage.press("escape", "p", "p")
        assert any("zqone" in line for line in await search(stage, "zqone"))
