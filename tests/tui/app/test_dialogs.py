"""Shared behaviour of dialogs: nothing paints one that is closing."""

from __future__ import annotations

import asyncio

import pytest

from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.queues import Triage
from tui.app.stage import Stage


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
