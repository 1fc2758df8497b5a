"""What opening and closing write to the terminal: only what changed, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from rich.console import Console
from textual._compositor import Compositor
from textual.screen import Screen as TextualScreen

from glboard_core.config import ShareSettings
from glboard_tui.app import GlboardApp
from glboard_tui.screens.finder import Finder
from glboard_tui.screens.picker import Picker
from support.terminal import Screen
from tui.app.stage import Stage, staged

CONSOLE = Console(force_terminal=True, color_system="truecolor")


class Written:
    """A terminal that gets what a headless app would write.

    It counts bytes, whole frames, and the updates that wrote something.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.terminal = Screen(columns, rows)
        self.bytes = self.frames = self.updates = 0

    def begin(self) -> None:
        """Count from here."""
        self.bytes = self.frames = self.updates = 0


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
            there.updates += bool(text)
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
        opened = stage.app.screen is not stage.screen
        there.begin()
        stage.burst("escape")
        await stage.until(lambda: stage.app.screen is stage.screen)
        if opened:
            await stage.until(lambda: there.frames > 0)
            await stage.press()
            assert there.frames == 1, keys
        assert there.bytes <= most + 4_000, keys
        assert there.terminal.lines == shown(stage), keys


async def test_a_focus_that_moves_writes_two_cards(written: tuple[Stage, Written]) -> None:
    stage, there = written
    await stage.focus("platform#1")
    there.begin()
    await stage.press("j")
    assert 0 < there.bytes <= 2_000
    assert there.frames == 0


async def test_a_letter_is_painted_together_with_what_it_finds(written: tuple[Stage, Written]) -> None:
    stage, there = written
    await stage.press("ctrl+p")
    await stage.until(lambda: not cast(Finder, stage.app.screen).is_busy)
    updates: list[int] = []
    for letter in "crash":
        await stage.press()
        there.begin()
        await stage.press(letter)
        updates.append(there.updates)
        assert there.terminal.lines == shown(stage)
    # It was two for each. On a busy machine, what the app does by itself may fall between.
    assert min(updates) == 1


async def test_the_board_makes_way_for_an_issue_in_one_step(
    written: tuple[Stage, Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, there = written
    await stage.focus("platform#2")
    columns, torn, seen = stage.screen.board.columns, list[str](), set[int]()
    display = GlboardApp._display

    def looked_at(app: GlboardApp, screen: TextualScreen[object], update: Any) -> None:
        places, width = columns._arranged, columns.size.width
        seen.add(width)
        if update is not None and places.slots[-1].x + places.slots[-1].width + places.right_width() != width:
            torn.append(f"{places} in {width}")
        for slot, cards in zip(places.slots, columns.lists(), strict=True):
            if cards.display and {cards.size.width, cards._width} != {slot.width}:
                torn.append(f"{slot} is {cards.size.width}, measured for {cards._width}")
        display(app, screen, update)

    monkeypatch.setattr(GlboardApp, "_display", looked_at)
    for key, width in (("enter", 59), ("escape", 119), ("enter", 59)):
        seen.clear()
        # As after a widget came: places are worked out when they are asked for.
        stage.screen._compositor._full_map_invalidated = True
        await stage.press(key)
        await stage.until(lambda: width in seen)  # noqa: B023
        assert not torn
        await stage.until(lambda: there.terminal.lines == shown(stage))


async def test_another_size_is_written_whole(written: tuple[Stage, Written]) -> None:
    stage, there = written
    there.terminal = Screen(120, 35)  # a terminal that lost all of its lines
    there.terminal.feed(b"\x1b[?7l")
    there.begin()
    await stage.pilot.resize_terminal(120, 35)
    await stage.until(lambda: there.frames > 0)
    await stage.press()
    assert there.terminal.lines == shown(stage)


async def test_nothing_from_before_sharing_is_behind_a_dialog(written: tuple[Stage, Written]) -> None:
    stage, there = written
    await stage.focus("platform#2")
    await stage.press("t")
    assert "Crash" in there.terminal.text, "it is not behind the picker"
    await stage.press("escape")
    stage.app.share.settings = ShareSettings(words=("Crash",))
    stage.burst("p", "t")
    await stage.press()
    assert isinstance(stage.app.screen, Picker)
    assert "Crash" not in there.terminal.text
