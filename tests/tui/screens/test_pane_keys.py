"""The keys of panes are actions: ``?`` shows them first, and all of them can be rebound."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from glboard_tui.screens.candidates import Candidates
from glboard_tui.screens.change_log import ChangeLog
from glboard_tui.screens.help import Help
from glboard_tui.screens.prompts import Prompt
from tui.app.stage import STILL, Stage, staged
from tui.screens.lists import on_top, text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "group", "line"),
    [
        ("gr", "Capacity", "time off"),
        ("gc", "Candidates", "fill the capacity"),
        ("gq", "Lists", "description"),
        ("gh", "Change log", "Undo the selected changes"),
    ],
)
async def test_help_shows_the_panes_own_keys_first(stage: Stage, keys: str, group: str, line: str) -> None:
    await stage.press(*keys, "question_mark")
    shown = on_top(stage, Help).text.splitlines()
    assert shown[0] == group
    assert any(line.casefold() in part.casefold() for part in shown[1:18])
    assert "Focus" in shown


@pytest.mark.slow
async def test_keys_of_panes_can_be_rebound(team_file: Path) -> None:
    keymap = {"capacity.role": "Z", "candidates.order": "i o", "pane.close": "Q", "history": "g z"}
    async with staged(team_file=team_file, settings=structs.replace(STILL, keymap=keymap)) as stage:
        await stage.press("g", "r", "Z")
        assert "Role of eng_alder" in text(stage)
        on_top(stage, Prompt)
        await stage.press("escape", "escape", "g", "c")
        listed = on_top(stage, Candidates)
        assert dict(listed.footer.view.hints)["io"] == "order"
        await stage.press("O")
        assert "suggested order" in text(stage)
        await stage.press("i", "o")
        assert "by priority" in text(stage)
        await stage.press("Q", "g", "z")
        assert "u undo" in on_top(stage, ChangeLog).hint
        await stage.press("Q")
        assert stage.app.screen is stage.screen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("(unlisted)", "fit no other column"),
        ("unassigned deliverable", "◆"),
        ("no weight", "4  7w"),
    ],
)
async def test_help_explains_what_is_above_and_on_cards(stage: Stage, typed: str, words: str) -> None:
    await stage.press("question_mark")
    await stage.type(typed)
    assert words in on_top(stage, Help).text
