"""The walk by keyboard on the embedded GitLab: one card at a time, each decided with one key."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from textual.widgets import Markdown

from glboard_core.config import Settings, WalkSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.walk import begun
from glboard_tui.screens import walk as walk_screen
from glboard_tui.screens.candidates import Candidates
from glboard_tui.screens.help import Help
from glboard_tui.screens.walk import WalkPane
from glboard_tui.walks import WalkMemory
from tui.app.stage import GROUP, STILL, Stage, small_world, staged
from tui.screens.lists import names, on_top

BUGS = ["platform#1", "platform#2", "platform#3", "ai-gateway#1"]


def pane(stage: Stage) -> WalkPane:
    return on_top(stage, WalkPane)


def card(stage: Stage) -> str:
    return stage.name(pane(stage).chosen())


def shown(stage: Stage) -> str:
    """All that the walk shows, line by line."""
    top = pane(stage)
    parts = [top.head, top.card, top._facts, top.people] if top.chosen() else [top.head]
    lines = [part.render_line(y).text.rstrip() for part in parts for y in range(part.size.height)]
    return "\n".join([*lines, "" if top.chosen() else str(top._end_words.render()), top.footer.view.message])


async def walked(stage: Stage, card: str = "platform#1", *keys: str) -> None:
    await stage.focus(card)
    await stage.press("g", "n", *keys)


async def test_a_column_is_walked_and_every_decision_goes_on(stage: Stage) -> None:
    await walked(stage, "platform#3")
    assert card(stage) == "platform#1"
    words = shown(stage)
    assert "Walk 1 of 4 · bug" in words
    assert pane(stage).head.view.clock == ""
    assert "Crash on start" in words
    assert "platform#1" in words
    assert "@eng_birch" in words
    assert "Free in 19.8" in words
    await stage.press("3")
    assert (card(stage), pane(stage).footer.view.message) == ("platform#2", "platform#1 weight 3")
    assert "not ready" in shown(stage)
    await stage.press("M")
    assert pane(stage).footer.view.message == "platform#2 to 19.9"
    await stage.press("l")
    assert "platform#3 moved to the end." in shown(stage)
    assert card(stage) == "ai-gateway#1"
    assert "1 later" in shown(stage)
    await stage.press("space")
    assert card(stage) == "platform#3"
    assert "postponed before" in shown(stage)
    await stage.press("n")
    assert pane(stage).chosen() is None
    words = shown(stage)
    assert "4 walked: 1 weighted, 1 deferred, 2 skipped" in words
    assert "Skipped · 2" in words
    assert "Token accounting" in words
    await stage.press("j")
    assert "That was the last issue. Esc ends the walk." in shown(stage)
    await stage.press("escape")
    assert stage.screen.context.top is None
    assert stage.message == "4 walked: 1 weighted, 1 deferred, 2 skipped."
    await stage.settle()
    assert stage.world.issue(f"{GROUP}/platform#1").weight == 3
    # A finished walk begins again, without the one that left.
    await stage.press("g", "n")
    assert "Walk 1 of 3 · bug" in shown(stage)


@pytest.mark.slow
async def test_keystrokes_per_decision(stage: Stage) -> None:
    """Weight 1, defer 1, accept with assignee 2, next column 1; an unready one 3, undo 1 (below)."""
    await walked(stage)
    counted = {}
    for what, keys, values in (
        ("weight", ["3"], {"weight": 3}),
        ("defer", ["M"], {"milestone": "19.9"}),
        ("accept", ["d", "a"], {"assignees": ("eng_alder",)}),
    ):
        before = card(stage)
        if what == "accept":
            # The one that is ready and has a weight.
            await stage.press("k", "k")
            before = card(stage)
        await stage.press(*keys)
        counted[what] = len(keys)
        assert card(stage) != before
        for name, value in values.items():
            assert getattr(stage.issue(before), name) == value
    assert pane(stage).footer.view.message == "@eng_alder accepts platform#1, weight 3"
    # From in dev to in review, on the board of workflow states of the current milestone.
    await stage.press("g", "b")
    await walked(stage, "platform#8", "L")
    counted["next column"] = 1
    assert "workflow::in review" in stage.issue("platform#8").labels
    assert pane(stage).chosen() is None
    assert counted == {"weight": 1, "defer": 1, "accept": 2, "next column": 1}


@pytest.mark.slow
async def test_an_unready_one_is_accepted_with_three_keys_and_undone_with_one(stage: Stage) -> None:
    await walked(stage, "platform#1", "n")
    assert card(stage) == "platform#2"
    await stage.press("d", "a", "y")
    assert "Deliverable" in stage.issue("platform#2").labels
    assert (card(stage), pane(stage).footer.view.message) == ("platform#3", "@eng_alder accepts platform#2")
    await stage.press("u")
    assert card(stage) == "platform#2"
    assert "Deliverable" not in stage.issue("platform#2").labels
    assert "Undone" in pane(stage).footer.view.message
    assert "Walk 2 of 4" in shown(stage)
    # Esc in the question decides nothing, and the card stays.
    await stage.press("d", "a", "escape")
    assert card(stage) == "platform#2"
    assert "Deliverable" not in stage.issue("platform#2").labels


@pytest.mark.slow
async def test_comments_states_and_labels_go_on_too_and_nothing_does_if_nothing_changed(stage: Stage) -> None:
    await walked(stage)
    await stage.press("2")
    assert (card(stage), pane(stage).footer.view.message) == ("platform#1", "No change: already set.")
    await stage.press("c")
    await stage.type("next week")
    await stage.press("ctrl+s")
    assert card(stage) == "platform#2"
    await stage.press("t")
    await stage.found("documentation")
    await stage.press("enter")
    await stage.until(lambda: isinstance(stage.app.screen, WalkPane))
    if card(stage) == "platform#2":
        await stage.press("ctrl+s")
    assert "documentation" in stage.issue("platform#2").labels
    assert card(stage) == "platform#3"
    await stage.press("k", "k", "k")
    assert card(stage) == "platform#1"
    await stage.press("k")
    assert "This is the first issue." in shown(stage)


@pytest.mark.slow
async def test_h_stays_on_the_card_until_a_key_goes_on(stage: Stage) -> None:
    await walked(stage, "platform#1", "h", "3", "M")
    assert card(stage) == "platform#1"
    assert "stays on the issue" in shown(stage)
    assert (stage.issue("platform#1").weight, stage.issue("platform#1").milestone) == (3, "19.9")
    await stage.press("n")
    assert card(stage) == "platform#2"
    await stage.press("h", "3")
    assert card(stage) == "platform#3"
    await stage.press("k", "k")
    # Deferred, but back leads there.
    assert card(stage) == "platform#1"
    assert "no longer in" not in shown(stage)


@pytest.mark.slow
async def test_a_walk_is_resumed_without_what_left_and_with_what_is_new(stage: Stage) -> None:
    await walked(stage, "platform#1", "3", "escape")
    assert stage.message == "1 of 4 walked: 1 weighted. gn resumes."
    assert stage.focused == "platform#2"
    stage.world.edit(f"{GROUP}/platform#2", by="pm_oak", milestone="19.9")
    new = stage.world.create(
        f"{GROUP}/platform",
        "New bug",
        by="pm_oak",
        milestone="19.8",
        add_labels=["type::bug", "group::custom models"],
    )
    await stage.press("r")
    await stage.until(lambda: any(i.title == "New bug" for i in stage.engine.shown.values()))
    await stage.settle()
    await walked(stage, "platform#3")
    assert card(stage) == "platform#3"
    assert pane(stage).footer.view.message == "Resumed at 2 of 4: 1 left bug, 1 is new."
    await stage.press("n", "n")
    assert card(stage) == f"platform#{new.iid}"
    await stage.press("R")
    # From the first card of the screen as it is now.
    assert (card(stage), pane(stage).footer.view.message) == ("platform#1", "Started over.")


@pytest.mark.slow
async def test_cards_that_leave_while_walking_are_skipped_and_said(stage: Stage) -> None:
    await walked(stage)
    stage.world.edit(f"{GROUP}/platform#2", by="pm_oak", milestone="19.9")
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.9")
    stage.engine.refresh()
    await stage.until(lambda: stage.issue("platform#2").milestone == "19.9")
    await stage.settle()
    # What is on screen stays there, and says so.
    assert card(stage) == "platform#1"
    assert "no longer in bug" in shown(stage)
    await stage.press("n")
    assert card(stage) == "platform#3"
    assert pane(stage).footer.view.message == "platform#2 left bug"
    assert "Walk 2 of 3" in shown(stage)


@pytest.mark.slow
async def test_cards_that_are_deleted_are_passed_over_in_both_directions(stage: Stage) -> None:
    await walked(stage, "platform#1", "n")
    for name in ("platform#1", "platform#2", "platform#3"):
        stage.world.delete(f"{GROUP}/{name}")
    stage.engine.refresh()
    await stage.until(lambda: card(stage) == "ai-gateway#1")
    await stage.settle()
    assert pane(stage).footer.view.message == "2 cards left bug"
    await stage.press("k")
    assert "This is the first issue." in shown(stage)


async def test_a_source_that_disagrees_with_itself_ends_too(stage: Stage) -> None:
    await walked(stage)
    top = pane(stage)
    top._source = structs.replace(top._source, holds=lambda _: False)
    await stage.press("n")
    assert top.chosen() is None
    assert top.footer.view.message == "3 cards left bug"


@pytest.mark.slow
async def test_selection_filter_and_list_can_be_walked(stage: Stage) -> None:
    await stage.mark("platform#3", "platform#5")
    await stage.press("g", "n")
    assert "Walk 1 of 2 · 2 selected" in shown(stage)
    await stage.press("n")
    assert card(stage) == "platform#5"
    await stage.press("escape", "escape")
    # Another selection is another walk.
    await stage.mark("platform#4", "platform#5")
    await stage.press("g", "n")
    assert (card(stage), pane(stage).walk.place) == ("platform#4", 1)
    await stage.press("escape", "escape", "f", "u", "g", "n")
    assert "Walk 1 of 4 · filter is:unweighted" in shown(stage)
    assert card(stage) == "platform#2"
    await stage.press("escape", "escape", "g", "c", "n")
    listed = names(stage)
    await stage.press("g", "n")
    assert f"Walk 1 of {len(listed)} · candidates 19.8" in shown(stage)
    await stage.press("n", "n")
    assert card(stage) == listed[2]
    await stage.press("escape")
    found = on_top(stage, Candidates)
    assert stage.screen.context.top is found
    assert stage.name(found.chosen()) == listed[2]
    # Another board closes both.
    await stage.press("g", "n", "g", "b")
    assert stage.screen.context.top is None
    assert stage.app.screen is stage.screen
    assert stage.app.bridge.view.board_id == "build"


@pytest.mark.slow
async def test_nothing_to_walk_and_keys_that_do_nothing(stage: Stage) -> None:
    await walked(stage)
    await stage.press("g", "n")
    assert "A walk is already open; Esc ends it." in shown(stage)
    await stage.press("*", "V")
    assert card(stage) == "platform#1"
    await stage.press("question_mark")
    help_text = on_top(stage, Help).text
    assert help_text.startswith("Walk\n")
    await stage.press("escape", "escape")
    await stage.press("slash")
    await stage.type("nothing-like-this")
    await stage.press("enter", "g", "n")
    assert stage.message == "No issues to walk through."


@pytest.mark.slow
async def test_facts_description_and_people(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#6", by="pm_oak", description="# Why\n\nNo [/x] answer")
    await walked(stage, "platform#6", "n")
    assert card(stage) == "platform#6"
    await stage.until(lambda: bool(pane(stage).query(Markdown)))
    await stage.until(lambda: "No [/x] answer" in pane(stage).query_one(Markdown).source)
    words = shown(stage)
    assert "Readiness       not ready  W 0-9 weight and ready" in words
    assert "no weight  0-9 sets it" in words
    [alder] = (line for line in words.splitlines() if line.startswith("da eng_alder"))
    assert alder.endswith("11.5w free")


@pytest.mark.slow
async def test_masked_cards_keep_reference_and_weight_only(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="eng_birch", confidential=True)
    stage.engine.refresh()
    await stage.settle()
    await stage.press("p")
    await walked(stage)
    words = shown(stage)
    assert "confidential" in words
    for secret in ("Crash", "birch accepts", "Readiness", "19.8 "):
        assert secret not in words.replace("Free in 19.8", "")
    await stage.press("d", "a")
    assert pane(stage).footer.view.message == "platform#1 changed"
    await stage.press("n", "n", "n")
    await stage.press("escape")


@pytest.mark.parametrize(
    "size", [*(pytest.param(size, marks=pytest.mark.slow) for size in ((160, 45), (80, 24))), (58, 20)]
)
async def test_everything_is_seen_or_scrolls(size: tuple[int, int], team_file: Path) -> None:
    world = small_world()
    title = " ".join(["A title that does not end"] * 9)
    world.edit(f"{GROUP}/platform#1", by="pm_oak", title=title, description="word " * 400)
    async with staged(world, size=size, team_file=team_file) as stage:
        await walked(stage)
        top = pane(stage)
        await stage.until(lambda: bool(top.query(Markdown)))
        await stage.settle()
        painted = " ".join(top.card.render_line(y).text for y in range(top.card.size.height))
        assert painted.count("A title that") + painted.count("does not end") >= 9
        assert "…" not in painted
        scrolled = top._scrolled[0]
        assert scrolled.max_scroll_y > 0
        await stage.press("G")
        assert scrolled.scroll_y == scrolled.max_scroll_y
        await stage.press("g", "g", "J", "down", "K", "up", "pagedown", "pageup")
        assert scrolled.scroll_y == 0
        await stage.press("J", "n")
        assert scrolled.scroll_y == 0
        assert top.footer.region.bottom == size[1]


async def test_the_clock_counts_for_each_card(team_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(walk_screen, "monotonic", lambda: now[0])
    settings: Settings = structs.replace(STILL, walk=WalkSettings(clock=True))
    async with staged(settings=settings, team_file=team_file) as stage:
        await walked(stage)
        now[0] = 67.0
        pane(stage)._show_head()
        assert "01:07" in shown(stage)
        await stage.press("n")
        assert "00:00" in shown(stage)
        assert stage.app.bridge.settings.walk.clock


@pytest.mark.slow
async def test_a_step_asks_only_for_the_cards_on_screen_and_the_latest_walks_are_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walked(stage)
    asked: list[IssueId] = []
    whole = stage.app.bridge.issue

    def counted(issue: IssueId) -> Issue | None:
        asked.append(issue)
        return whole(issue)

    monkeypatch.setattr(stage.app.bridge, "issue", counted)
    await stage.press("n", "n")
    assert set(asked) <= {stage.issue(name).id for name in BUGS[:3]}
    memory = WalkMemory(stage.app.bridge)
    for number in range(25):
        memory.keep(begun(f"column {number}", [IssueId("a"), IssueId("b")]).skip())
    again = WalkMemory(stage.app.bridge)
    assert again.of("column 24") == begun("column 24", [IssueId("a"), IssueId("b")]).skip()
    assert [n for n in range(25) if again.of(f"column {n}") is not None] == list(range(5, 25))
    stage.app.bridge.keep("walks column 24", b"of another version")
    assert again.of("column 24") is None


@pytest.mark.parametrize("size", [pytest.param((160, 45), marks=pytest.mark.slow), (80, 24)])
async def test_the_way_on_is_always_in_the_footer(size: tuple[int, int]) -> None:
    async with staged(small_world(), size=size) as stage:
        await stage.focus("platform#1")
        await stage.press("g", "n", "n")
        words = ("n next", "l later", "k back")
        keys = pane(stage).footer.render_line(0).text
        assert all(word in keys for word in words)
        # Said, then to be undone: neither takes their place.
        await stage.press("3")
        assert pane(stage).footer.view.message == "platform#2 weight 3"
        keys = pane(stage).footer.render_line(0).text
        assert "platform#2 weight 3  n next  l later  k back  " in keys
        await stage.press("J")
        assert pane(stage).footer.view.message == ""
        keys = pane(stage).footer.render_line(0).text
        assert all(word in keys for word in words)
        assert "  u undo" in keys
