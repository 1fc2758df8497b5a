"""What opening and closing write to the terminal: only what changed, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console
from textual._compositor import Compositor
from textual.screen import Screen as TextualScreen

from glboard_tui.app import GlboardApp
from support.terminal import Screen
from tui.app.stage import Stage, staged

CONSOLE = Console(force_terminal=True, color_system="truecolor")


class Written:
    """A terminal that gets what a headless app would write, and counts bytes and whole frames."""

    def __init__(self, columns: int, rows: int) -> None:
        self.terminal = Screen(columns, rows)
        self.bytes = self.frames = 0

    def begin(self) -> None:
        """Count from here."""
        self.bytes = self.frames = 0


@pytest_asyncio.fixture
async def written(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Stage, Written]]:
    """A stage whose output goes to a terminal."""
    there = Written(120, 36)
    there.terminal.feed(b"\x1b[?7l")  # no wrap, as the driver does
    whole = Compositor.render_full_update

    def display(app: GlboardApp, screen: TextualScreen[object], update: Any) -> None:
        if update is not None and not app._batch_count:
            text = app.shown.write(screen, update, CONSOLE).encode()
            there.bytes += len(text)
            there.terminal.feed(text)

    def counted(compositor: Compositor, simplify: bool = False) -> object:
        there.frames += 1
        return whole(compositor, simplify)

    monkeypatch.setattr(GlboardApp, "_display", display)
    monkeypatch.setattr(Compositor, "render_full_update", counted)
    async with staged(size=(120, 36)) as stage:
        yield stage, there


def shown(stage: Stage) -> list[str]:
    """What the screen on top looks like, with what is behind it."""
    stage.app.screen._compositor._dirty_regions.clear()
    from textual._context import visible_screen_stack

    visible_screen_stack.set(stage.app._background_screens)
    return [strip.text.rstrip() for strip in stage.app.screen._compositor.render_strips()]


@pytest.mark.parametrize(
    "openings",
    [
        {"ctrl+p": 9_000, "t": 8_000, "d b": 6_000},
        pytest.param(
            {
                "question_mark": 30_000,
                "a": 8_000,
                "c": 8_000,
                "g c": 40_000,
                "g q": 40_000,
                "x x": 6_000,
            },
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_what_opens_is_painted_once_and_leaves_the_rest_alone(
    written: tuple[Stage, Written], openings: dict[str, int]
) -> None:
    stage, there = written
    await stage.focus("platform#2")
    await stage.press("j", "k")
    board = list(there.terminal.lines)
    assert board == shown(stage)
    for keys, most in openings.items():
        *before, last = keys.split()
        await stage.press(*before)
        there.begin()
        await stage.press(last)
        assert there.frames <= 1, keys
        assert there.bytes <= most, keys
        assert there.terminal.lines == shown(stage), keys
        there.begin()
        stage.burst("escape")
        await stage.until(lambda: stage.app.screen is stage.screen)
        await stage.press()
        assert there.bytes <= most + 4_000, keys
        assert there.terminal.lines == shown(stage), keys


async def test_a_focus_that_moves_writes_two_cards(written: tuple[Stage, Written]) -> None:
    stage, there = written
    await stage.focus("platform#1")
    there.begin()
    await stage.press("j")
    assert 0 < there.bytes <= 2_000
    assert there.frames == 0


async def test_another_size_is_written_whole(written: tuple[Stage, Written]) -> None:
    stage, there = written
    await stage.pilot.resize_terminal(100, 30)
    await stage.press()
    assert there.frames >= 1
    there.terminal = Screen(101, 30)  # a terminal that lost all of its lines
    there.terminal.feed(b"\x1b[?7l")
    await stage.pilot.resize_terminal(100, 30)
    await stage.press()
    assert [line[:100].rstrip() for line in there.terminal.lines] == shown(stage)
