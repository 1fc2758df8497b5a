"""The filter line: completion, earlier filters, filters saved under a letter, over a restart too."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from glboard_core.store.sqlite import SqliteStore
from glboard_tui.filter_line import FilterMemory
from tui.app.stage import Stage


def typed(stage: Stage) -> str:
    return stage.screen.query_one("FilterBar Input", Input).value


@pytest.mark.slow
async def test_names_are_completed_and_earlier_filters_come_back(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("~bug")
    await stage.press("tab")
    assert typed(stage) == "~bug::functional"
    await stage.press("tab")
    assert typed(stage) == "~type::bug"
    await stage.type(" @eng_b")
    await stage.press("tab")
    assert typed(stage) == "~type::bug @eng_birch"
    await stage.press("enter")
    assert stage.cards()["bug"] == ["platform#1"]
    await stage.press("slash")
    await stage.press(*["backspace"] * 30)
    await stage.type("is:unw")
    await stage.press("tab")
    assert typed(stage) == "is:unweighted"
    await stage.press("up")
    assert typed(stage) == "is:unweighted"
    await stage.press("escape", "slash", *["backspace"] * 30, "enter", "slash", "up")
    assert typed(stage) == "~type::bug @eng_birch"
    await stage.press("down")
    assert typed(stage) == ""
    await stage.press("escape")


@pytest.mark.slow
async def test_a_filter_is_saved_under_a_letter_and_kept_over_a_restart(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("~bug")
    await stage.press("enter", "f", "=")
    # A letter that is a key there is refused.
    await stage.type("u mine")
    await stage.press("enter", *["backspace"] * 6)
    await stage.type("b All bugs")
    await stage.press("enter")
    assert stage.message == "Saved “All bugs”: fb uses it."
    await stage.press("escape", "f", "b")
    assert stage.app.bridge.view.text == "~bug"
    store = stage.engine.store
    assert isinstance(store, SqliteStore)
    after = FilterMemory()
    after.take_up(store.meta("filters"), lambda _: None)
    assert after.current == "~bug"
    assert after.saved["b"].name == "All bugs"


@pytest.mark.slow
async def test_what_a_filter_finds_has_the_focus_wherever_it_is(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("slash")
    await stage.type("guided")
    await stage.press("enter")
    assert stage.focused == "platform#5"
    await stage.press("8")
    assert stage.issue("platform#5").weight == 8
    # Where the column still has cards, the focus stays in it; without any, there is nowhere to go.
    await stage.press("escape")
    await stage.focus("platform#3")
    await stage.press("slash")
    await stage.type("e")
    await stage.press("enter")
    assert stage.focused in ("platform#2", "ai-gateway#1", "platform#1", "platform#3")
    await stage.press("slash")
    await stage.type(" no such thing")
    await stage.press("enter")
    assert not stage.focused


@pytest.mark.slow
async def test_what_is_wrong_with_half_a_filter_is_not_said_of_the_whole_one(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("w:non")
    assert "w:non is not a weight" in stage.message
    await stage.type("e")
    await stage.press("enter")
    assert stage.app.bridge.view.text == "w:none"
    assert "is not a weight" not in stage.message
    # A filter that stays wrong is said to be.
    await stage.press("slash")
    await stage.type("w:non")
    await stage.press("enter")
    assert "w:non is not a weight" in stage.message
