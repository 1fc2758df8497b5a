"""Every dialog and pane has its keys, and all of its frame, on the screen, however small that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.keys import PaneDialog
from support.leaks import TEAM
from tui.app.stage import Stage, staged
from tui.screens.lists import reading
from tui.screens.test_decisions import planned_world
from tui.screens.test_every_size import NO_PANES, PANES, drawn

#: Dialogs that only another one leads to.
WITHIN = (
    ("g", "x", "i"),
    ("g", "x", "i", "w"),
    ("g", "x", "Q"),
    ("g", "c", "i"),
    ("g", "f", "d"),
    ("g", "h", "slash"),
    ("semicolon",),
    ("c",),
    ("slash",),
    ("W",),
    ("x", "p"),
    ("x", "x"),
    ("B",),
    ("g", "d", "5", "g", "D"),
)
SMALL = ((58, 20), (80, 24), (100, 30))


async def fits(stage: Stage, keys: tuple[str, ...]) -> list[str]:
    """What of the dialog that these keys lead to is not on the screen."""
    await stage.press(*keys)
    await stage.pilot.pause()
    screen, wrong = stage.app.screen, []
    name = f"{stage.app.size.width}x{stage.app.size.height} {' '.join(keys)} {type(screen).__name__}"
    if isinstance(screen, Dialog):
        frame = screen.query_one(".overlay").region
        if not screen.region.contains_region(frame):
            wrong.append(f"{name}: the frame is {frame}")
        parts = [screen._title_line, *([screen._hint_line] if screen._hint_line.is_mounted else [])]
        for part in parts:
            if part.display and str(part.render()).strip():
                seen = part.region.intersection(frame)
                shown = " ".join(drawn(stage)[seen.y : seen.bottom])
                words = str(part.render()).split()
                # Nothing is cut without a sign.
                if words[0] not in shown or not (words[-1] in shown or "…" in shown):
                    wrong.append(f"{name}: of “{part.render()}” only “{shown.strip()}”")
    before = isinstance(screen, PaneDialog)
    for _ in range(6):
        if stage.app.screen is stage.screen and stage.screen.context.pane is None:
            break
        await stage.press("escape")
    if stage.app.screen is not stage.screen:
        wrong.append(f"{name}: cannot be left {before}")
    stage.app.bridge.drafts.turn_off()
    stage.screen.sync()
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("size", SMALL, ids=[f"{width}x{height}" for width, height in SMALL])
async def test_every_dialog_fits(size: tuple[int, int], tmp_path: Path) -> None:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    async with staged(planned_world(), size=size, reports=reading, team_file=team) as stage:
        # Something failed, so that there is a list of it.
        await stage.focus("locked#1")
        await stage.press("4")
        await stage.settle()
        wrong = []
        for keys in (*PANES, *WITHIN):
            if keys not in NO_PANES:
                await stage.focus("platform#2")
                wrong += await fits(stage, keys)
        assert wrong == [], "\n".join(wrong)


@pytest.mark.slow
async def test_what_is_posted_fits_at_100x30(tmp_path: Path) -> None:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    async with staged(planned_world(), size=(100, 30), reports=reading, team_file=team) as stage:
        await stage.focus("platform#2")
        await stage.press("2", "M")
        assert await fits(stage, ("g", "x", "i")) == []
        assert await fits(stage, ("g", "c", "i")) == []
