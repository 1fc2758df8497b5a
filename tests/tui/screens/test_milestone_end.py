"""The end of a milestone: one list, each line handled by a key, before and after the bot."""

from __future__ import annotations

from datetime import date

import pytest

from glboard_core.planning.milestone_end import Kind, Leftover
from glboard_tui.screens.milestone_end import Ending, bot_words
from support import make
from tui.app.stage import GROUP, ME, NOW, Stage, small_world, staged
from tui.screens.lists import names, on_top, text


def left(*kinds: Kind) -> list[Leftover]:
    return [Leftover(make.issue(n), kind) for n, kind in enumerate(kinds, 1)]


@pytest.mark.parametrize(
    ("today", "kinds", "says"),
    [
        (
            "2026-12-07",
            ("open",),
            "Ends 11 Dec, in 4 days. Afterwards the slippage bot moves",
        ),
        ("2026-12-10", ("open",), "tomorrow"),
        (
            "2026-12-11",
            ("open", "confidential"),
            "moves open issues to 19.8, but not the 1",
        ),
        ("2026-12-12", ("open", "deliverable"), "If the slippage bot covers these projects"),
        ("2026-12-12", ("open", "handled", "handled"), "2 moved with the label; 1 did not"),
        ("2026-12-12", ("confidential", "handled"), "Only confidential issues are left"),
        ("2026-12-12", ("late-closed", "handled", "quiet"), "no open issues are left"),
    ],
)
def test_bot_words(today: str, kinds: tuple[Kind, ...], says: str) -> None:
    milestone = make.milestone("19.7", "2026-11-14", "2026-12-11")
    assert says in bot_words(milestone, left(*kinds), date.fromisoformat(today), "19.8")


def heads(screen: Ending) -> list[str]:
    return [head.text for entry in screen.entries for head in entry.heads]


@pytest.mark.slow
async def test_before_the_end_all_open_issues_are_listed(stage: Stage) -> None:
    await stage.press("g", "e")
    screen = on_top(stage, Ending)
    assert names(stage) == ["platform#8"]
    assert "End of 19.7: 1 of 1 · 1 still open in it" in text(stage)
    assert "Ends 11 Dec, in 4 days" in text(stage)
    assert heads(screen) == ["Deliverable, still open (1, weight 2)"]
    await stage.press("x", "s")
    if stage.app.screen is not screen:
        # The label missed-deliverable does not exist in this world, so a question follows.
        await stage.press("y")
    # It stays visible, with its new milestone.
    assert "0 still open in it" in text(stage)
    assert heads(screen) == ["missed:19.7, moved on (1, weight 2)"]
    assert "now in 19.8" in text(stage)
    await stage.press("u")
    assert heads(screen) == ["Deliverable, still open (1, weight 2)"]
    await stage.press("+")
    assert "+ is for issues moved" in screen.footer.view.message
    await stage.press("=")
    assert "End of 19.8" in text(stage)
    assert "No label missed:19.8 yet" in text(stage)
    await stage.press("-", "-")
    assert "No milestone with dates" in screen.footer.view.message
    await stage.press("escape")
    assert stage.app.screen is stage.screen


@pytest.mark.slow
async def test_after_the_bot_ran_skipped_and_unlabelled_issues_are_listed() -> None:
    world = small_world()
    world.edit(f"{GROUP}/platform#4", by=ME, milestone="19.7", add_labels=["Deliverable"])
    world.edit(f"{GROUP}/platform#5", by=ME, milestone="19.7", add_labels=["Deliverable"])
    world.edit(f"{GROUP}/platform#3", by=ME, milestone="19.7", add_labels=["Deliverable"], confidential=True)
    async with staged(world) as stage:
        await stage.press("g", "b", "g", "L", "l")
        assert "Locked 19.7: 4" in stage.message
        # The milestone ends; the bot moves one, someone moves another without the label, one is closed late.
        world.clock.advance(5 * 24 * 3600)
        world.edit(f"{GROUP}/platform#8", by=ME, milestone="19.8", add_labels=["missed:19.7"])
        world.edit(f"{GROUP}/platform#4", by=ME, milestone="Backlog")
        world.edit(f"{GROUP}/platform#5", by=ME, close=True)
        await stage.press("r")
        await stage.settle()
        assert stage.engine.today() > NOW.date()
        await stage.press("g", "e")
        screen = on_top(stage, Ending)
        assert [stage.name(e.issue) for e in screen.entries] == [
            "platform#3", "platform#5", "platform#4", "platform#8",
        ]  # fmt: skip
        assert [head.split(" (")[0] for head in heads(screen)] == [
            "Confidential, still open",
            "Closed after the end",
            "In the locked plan, moved without missed:19.7",
            "missed:19.7, moved on",
        ]
        assert "Only confidential issues are left" in text(stage)
        await stage.press("j", "j", "+")
        assert "missed:19.7" in stage.issue("platform#4").labels
        assert len(heads(screen)) == 3
        # All of them at once, as on a board.
        await stage.press("*", "+")
        assert "+ is for issues moved" in screen.footer.view.message
        await stage.press("escape", "g", "g", "x", "p")
        assert stage.app.screen is not screen


@pytest.mark.slow
async def test_the_cursor_stays_on_the_next_remaining_issue() -> None:
    world = small_world()
    for number in (3, 4, 5):
        world.edit(f"{GROUP}/platform#{number}", by=ME, milestone="19.7", add_labels=["Deliverable"])
    async with staged(world) as stage:
        await stage.press("g", "e")
        screen = on_top(stage, Ending)
        assert names(stage) == ["platform#3", "platform#4", "platform#5", "platform#8"]

        async def slip() -> None:
            await stage.press("x", "s")
            if stage.app.screen is not screen:
                await stage.press("y")

        await stage.press("j")
        await slip()
        assert names(stage) == ["platform#3", "platform#5", "platform#8", "platform#4"]
        assert stage.name(screen.chosen()) == "platform#5"
        await slip()
        await slip()
        # The last remaining one is above.
        assert stage.name(screen.chosen()) == "platform#3"
        # The cursor follows an unfinished issue: without Deliverable it is below another heading.
        await stage.press("u", "D")
        assert len(heads(screen)) == 3
        assert stage.name(screen.chosen()) == "platform#3"
        # A finished issue under the cursor stays there.
        await stage.press("G")
        done = stage.name(screen.chosen())
        await stage.press("7")
        assert stage.name(screen.chosen()) == done
