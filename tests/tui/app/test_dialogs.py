"""Shared behaviour of dialogs: nothing paints one that is closing."""

from __future__ import annotations

import asyncio
import gc
from weakref import ref

import pytest
from textual.widget import Widget

from glboard_tui import app as app_module
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.help import Help
from glboard_tui.screens.queues import Triage
from tui.app.stage import Stage, staged


class Restless(Dialog[None]):
    """Updates its hint line as often as possible."""

    def __init__(self) -> None:
        super().__init__("Restless")
        self.left = False

    async def keep_saying(self) -> None:
        """Repeat until stopped."""
        try:
            while True:
                self.say("still here")
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.left = True
            raise


async def test_a_dialogs_worker_ends_with_it(stage: Stage) -> None:
    for _ in range(3):
        dialog = Restless()
        await stage.app.push_screen(dialog)
        dialog.run_worker(dialog.keep_saying())  # an error in it would close the app and fail this test
        await asyncio.sleep(0)
        dialog.dismiss(None)
        await stage.until(lambda dialog=dialog: dialog.left and not dialog.is_running)  # type: ignore[misc]
    assert stage.app.screen is stage.screen


async def test_a_closed_dialog_ignores_messages(stage: Stage) -> None:
    dialog = Restless()
    await stage.app.push_screen(dialog)
    await dialog.dismiss(None)
    dialog.say("too late")


@pytest.mark.parametrize("leave", ["escape", "q"])
async def test_a_closed_list_ignores_changes_and_keys(stage: Stage, leave: str) -> None:
    await stage.press("g", "t")
    screen = stage.app.screen
    assert isinstance(screen, Triage)
    await stage.press(leave)
    await stage.until(lambda: not screen.is_running)
    assert stage.screen.context.top is None
    screen.refill()
    screen.painted_anew()
    screen.tell("too late")


async def test_keys_that_wait_for_a_slow_dialog_are_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine a dialog takes its time to have its focus, and nothing else goes on meanwhile."""
    get_ready = Dialog._get_ready

    def late(dialog: Dialog[object]) -> None:
        dialog.set_timer(0.3, lambda: get_ready(dialog))

    monkeypatch.setattr(Dialog, "_get_ready", late)
    await stage.focus("platform#5")
    await stage.press("a", "space", "enter")
    assert stage.issue("platform#5").assignees == ()


async def test_no_lines_of_a_closed_dialog_are_kept(stage: Stage) -> None:
    await stage.press("question_mark")
    assert isinstance(stage.app.screen, Help)
    lines = [ref(widget._styles_cache) for widget in stage.app.screen.walk_children(Widget)]
    await stage.press("escape")

    def are_gone() -> bool:
        gc.collect()
        return not any(one() for one in lines)

    await stage.until(are_gone)


async def test_issues_are_not_scanned_for_garbage_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    class Collector:
        """Garbage collection that is off, as while the program starts."""

        def isenabled(self) -> bool:
            return False

        def __getattr__(self, name: str) -> object:
            return lambda: done.append(name)

    monkeypatch.setattr(app_module, "gc", Collector())
    monkeypatch.setattr(app_module, "_LATER", 0.01)
    async with staged() as stage:
        await stage.until(lambda: done == ["freeze", "enable", "collect", "freeze"])
