"""Say/Do: the summary, other milestones, export."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_tui.screens.say_do import SayDoPane
from tui.app.stage import Stage, small_world, staged
from tui.screens.lists import names, on_top, reading, text


async def test_say_do_starts_with_a_summary(team_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.slow
async def test_say_do_of_another_milestone_and_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with staged(small_world(), reports=reading) as stage:
        # The board shows the next milestone, which has no Say/Do yet.
        await stage.press("g", "s")
        screen = on_top(stage, SayDoPane)
        await stage.until(lambda: "definition group" in text(stage))
        assert screen.heading_of(1, 1) == "Say/Do 19.7: 1 of 1"
        assert screen.entries[0].cells[3:5] == (("not done", "warn"), ("", "muted"))
        await stage.press("E", "enter")
        await stage.until(lambda: "Saved say-do-19.7.md" in screen.footer.view.message)
        assert (tmp_path / "say-do-19.7.md").read_text().startswith("## Say/Do 19.7\n")
        await stage.press("E", "enter")
        await stage.until(lambda: "already exists" in screen.footer.view.message)
        await stage.press("=")
        await stage.until(lambda: "until 15 Jan" in text(stage))
        assert screen.heading_of(0, 0) == "Say/Do 19.8"
        await stage.press("-", "R")
        await stage.until(lambda: "until 11 Dec" in text(stage))
        await stage.press("9")
        assert stage.issue("platform#8").weight == 9


async def test_say_do_that_cannot_be_read_shows_the_error(stage: Stage) -> None:
    await stage.press("g", "s")
    await stage.until(lambda: "cannot load events" in text(stage))
