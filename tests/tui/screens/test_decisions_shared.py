"""The decisions on a shared screen, and one person's: what is shown, and what is posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from glboard_core.config import ShareSettings
from glboard_tui.screens import decisions_post
from glboard_tui.screens.decisions import DecisionsPane
from glboard_tui.screens.decisions_post import PostDecisions
from support.leaks import TEAM
from tui.app.stage import STILL, Stage, staged
from tui.screens.lists import lines, on_top, reading, text
from tui.screens.test_decisions import planned_world, posted, start, whole

SHARE = structs.replace(STILL, share=ShareSettings(words=("Crash",)))


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    async with staged(planned_world(), settings=SHARE, reports=reading, team_file=team) as running:
        yield running


async def decide(stage: Stage) -> None:
    """Accept an issue with a masked word, defer a confidential one with a note, ask, and share."""
    await start(stage)
    await stage.focus("platform#1")
    await stage.press("d", "enter")
    await stage.focus("platform#13")
    await stage.press("semicolon")
    await stage.type("Ask *legal*")
    await stage.press("ctrl+s", "M", "g", "x", "Q")
    await stage.type("Who tells about the leak at some  CUSTOMER?")
    await stage.press("enter")
    await stage.type("Has demo-org/platform#13 a lawyer?")
    await stage.press("enter")
    await stage.type("Who @leads?")
    await stage.press("ctrl+s", "escape", "p", "g", "x")


@pytest.mark.slow
async def test_typed_lines_about_a_hidden_issue_are_hidden(stage: Stage) -> None:
    await decide(stage)
    shown = whole(stage)
    on_top(stage, DecisionsPane)
    for secret in ("Customer", "CUSTOMER", "legal", "lawyer", "Crash"):
        assert secret not in shown
    assert "platform#13: confidential" in shown
    assert "Who @leads?" in shown
    # They are not opened for editing either.
    await stage.press("Q")
    on_top(stage, DecisionsPane)
    assert "hidden on the shared screen" in "".join(stage.toasts)
    await stage.press("escape", "p", "p", "g", "x")
    assert "lawyer" in whole(stage)


@pytest.mark.slow
async def test_the_comment_has_what_the_shared_screen_hides(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []

    def edit(_: object, typed: str) -> str:
        opened.append(typed)
        return typed.replace("## Decisions 19.8", "## Decisions 19.8, at last") + "\nSee you.\n"

    monkeypatch.setattr(decisions_post, "edit_in_editor", edit)
    await decide(stage)
    await stage.press("i", "E")
    on_top(stage, PostDecisions)
    await stage.until(lambda: "A new comment will be posted." in text(stage))
    words = "The comment includes what this screen hides: the capacity, your 1 note on confidential issues, "
    assert words in " ".join(text(stage).split())
    await stage.press("C", "w", "enter")
    [written] = tmp_path.glob("decisions-*.md")
    for seen in (text(stage), opened[0], stage.app.clipboard, written.read_text()):
        for secret in ("Customer", "CUSTOMER", "legal", "lawyer", "Crash", "Carry-over", "**Free**"):
            assert secret not in seen
        assert "| ▒▒▒ on start |" in seen
    await stage.press("enter")
    await stage.settle()
    [comment] = posted(stage)
    for part in ("19.8, at last", "Crash on start", "Ask", "legal", "lawyer", "Carry-over", "**Free**"):
        assert part in comment
    assert "See you." in comment
    # Of a confidential issue the comment has no title in any case.
    assert "Leak at" not in comment
    # It is the same without sharing: posting again has nothing to do.
    await stage.press("escape", "p", "p", "g", "x", "i")
    await stage.until(lambda: "Your earlier comment is up to date." in text(stage))


@pytest.mark.slow
async def test_one_persons_decisions_have_a_comment_of_their_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions_post, "edit_in_editor", lambda _, typed: f"{typed}\nBye.\n")
    await start(stage)
    await stage.focus("platform#3")
    await stage.press("3")
    stage.world.edit("demo-org/platform#2", by="pm_oak", weight=2)
    await stage.settle()
    await stage.press("g", "x", "R")
    await stage.until(lambda: "Includes others' decisions." in text(stage))
    await stage.press("i", "E")
    await stage.until(lambda: "A new comment will be posted." in text(stage))
    await stage.press("enter")
    await stage.settle()
    await stage.press("at", "at")
    assert "by @pm_oak" in text(stage)
    assert "posted" not in lines(stage)[0] + text(stage).partition("by @pm_oak")[2].splitlines()[0]
    await stage.press("i")
    await stage.until(lambda: "A new comment will be posted. Everyone's decisions" in text(stage))
    assert "Post the decisions of 19.8 by @pm_oak" in text(stage)
    # What was edited in the whole list is not in this one.
    assert "Bye." not in text(stage)
    await stage.press("enter")
    await stage.settle()
    first, second = posted(stage)
    assert "platform#3" in first
    assert "platform#2" in first
    assert "Bye." in first
    assert "platform#3" not in second
    assert "by `pm_oak`" in second
    await stage.press("i")
    await stage.until(lambda: "is up to date" in text(stage))
    await stage.press("escape", "at", "i")
    await stage.until(lambda: "is up to date" in text(stage))
    assert "Bye." in text(stage)


@pytest.mark.slow
async def test_a_public_row_is_shown_whatever_words_it_shares_with_a_hidden_title(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = "\nNow at some customer of them?"
    monkeypatch.setattr(decisions_post, "edit_in_editor", lambda _, seen: f"{seen}{added}")
    stage.world.edit("demo-org/platform#13", by="pm_oak", title="Leak at some customer of ours")
    stage.world.edit("demo-org/platform#3", by="pm_oak", title="Be at some customer of the team early")
    await stage.press("r")
    await stage.until(lambda: "early" in stage.issue("platform#3").title)
    await start(stage)
    for reference in ("platform#3", "platform#13"):
        await stage.focus(reference)
        await stage.press("5")
    await stage.focus("platform#4")
    await stage.press("5", "semicolon")
    await stage.type("Is it at some customer of them?")
    await stage.press("ctrl+s", "p", "g", "x", "i")
    on_top(stage, PostDecisions)

    def rows() -> list[str]:
        return [line for line in text(stage).splitlines() if line.startswith("| demo-org/")]

    for _ in range(2):
        by_issue = {row.split(" | ")[0].rpartition("#")[2]: row for row in rows()}
        assert "Be at some customer of the team early" in by_issue["3"]
        # What a person typed may be about the hidden one; the rest of that row is for everybody.
        assert "Upgrade the runner" in by_issue["4"]
        assert "at some" not in by_issue["4"]
        # Of the confidential one nothing but its reference is there.
        assert set(by_issue["13"].split("(confidential)")[1]) <= set(" |")
        assert "of ours" not in text(stage)
        assert "the capacity, lines about confidential issues." in " ".join(text(stage).split())
        assert "Now at" not in text(stage)
        # Edited, it is the same, but for the line that was typed.
        await stage.press("E")
        await stage.until(lambda: "Edited by you." in text(stage))
