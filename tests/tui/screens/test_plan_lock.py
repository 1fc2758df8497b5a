"""The lock of a plan, and what changed since."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_tui.screens.plan_lock import LockedPlan
from tui.app.stage import ME, Stage, staged
from tui.screens.lists import names, on_top, text


@pytest.mark.slow
async def test_locking_the_plan_shows_its_scope(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("d", "enter", "g", "L")
    assert "Lock the current plan of 19.8" in text(stage)
    await stage.press("l")
    assert stage.message.startswith("Locked 19.8: 1 Deliverable, weight 2")
    await stage.focus("platform#5")
    await stage.press("d", "enter")
    await stage.focus("platform#1")
    await stage.press("3", "g", "L")
    screen = on_top(stage, LockedPlan)
    assert "Plan of 19.8: 1 of 2 · 1 added, 0 removed, 1 reweighted" in text(stage)
    assert f"by {ME}: 1 Deliverable, weight 2." in text(stage)
    assert names(stage) == ["platform#5", "platform#1"]
    assert screen.entries[1].cells[-1][0] == "weight 2 → 3"
    # Every issue key works: without Deliverable it leaves the list; the other is listed as removed.
    await stage.press("D")
    assert names(stage) == ["platform#1"]
    await stage.press("D")
    assert "1 removed" in text(stage)
    assert screen.entries[0].cells[-1][0] == "Deliverable removed"
    await stage.press("u", "u")
    await stage.press("L", "l")
    assert "0 added, 0 removed, 0 reweighted" in text(stage)
    assert len(stage.engine.store.plans("19.8")) == 2
    await stage.press("escape")
    assert stage.app.screen is stage.screen
    # The first key says what cannot be undone, the second undoes the change before.
    await stage.press("u")
    assert stage.message.startswith("Locking 19.8 cannot be undone")
    assert stage.issue("platform#1").weight == 3
    await stage.press("u")
    assert stage.message.startswith("Undone")


@pytest.mark.slow
async def test_a_plan_can_be_exported_and_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with staged() as stage:
        stage.engine.host = "gitlab.example.com"
        await stage.focus("platform#1")
        await stage.press("d", "enter", "g", "L", "l", "g", "L", "E", "enter")
        screen = on_top(stage, LockedPlan)
        file = tmp_path / "plan-19.8.json"
        await stage.until(file.exists)
        assert '"host": "gitlab.example.com"' in file.read_text()
        # It is not overwritten.
        await stage.press("E", "enter")
        await stage.until(lambda: "already exists" in text(stage))
        await stage.press("5", "L", "l")
        assert len(stage.engine.store.plans("19.8")) == 2
        await stage.press("R", *str(file), "enter")
        await stage.until(lambda: "That plan is kept" in text(stage))
        await stage.press("y")
        assert "1 reweighted" in text(stage)
        assert screen.entries[0].cells[-1][0] == "weight 2 → 5"
        file.write_text(file.read_text().replace("gitlab.example.com", "elsewhere.example.com"))
        await stage.press("R", *str(file), "enter")
        await stage.until(lambda: "elsewhere.example.com" in "".join(stage.toasts))
        await stage.press("R", "n", "o", "enter")
        await stage.until(lambda: "no such file" in "".join(stage.toasts))
        assert len(stage.engine.store.plans("19.8")) == 3
        await stage.press("escape")
