"""A walk in a real terminal: decided card by card, killed, resumed where it stopped, undone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from support.terminal import GLBOARD, Terminal
from tui.app.stage import GROUP, small_world


@pytest.mark.slow
def test_a_walk_survives_a_kill_and_is_resumed(tmp_path: Path) -> None:
    world = small_world()
    with DemoServer(world) as server:
        account = {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": GROUP}
        command = [*GLBOARD, "--as-of", "2026-12-07T15:00:00Z", "open", "planning"]
        with Terminal(command, tmp_path, environment=account) as terminal:
            terminal.see("live", "Crash on start")
            terminal.press("g", "n")
            terminal.see("Walk 1 of 4 · bug", "Readiness")
            terminal.press("3")
            terminal.see("platform#1 weight 3", "Walk 2 of 4 · bug", "Slow answers")
            terminal.press("l")
            terminal.see("platform#2 moved to the end.", "1 later", "Wrong total")
            terminal.press("d", "b")
            terminal.see("Accept platform#3 for @eng_birch?")
            terminal.press("y")
            terminal.see("@eng_birch accepts platform#3, weight 1", "Walk 3 of 4 · bug")
            os.kill(terminal.pid, signal.SIGKILL)
        with Terminal(command, tmp_path, columns=80, rows=24, environment=account) as terminal:
            terminal.see("live", "Crash on start")
            terminal.press("g", "n")
            terminal.see("Resumed at 3 of 4.", "Token accounting", "1 later")
            terminal.press("u")
            terminal.see("Undone: platform#3 accepted for @eng_birch.", "Walk 2 of 4 · bug", "Wrong total")
            terminal.press("M")
            terminal.see("platform#3 to 19.9", "Token accounting")
            terminal.press(" ", "n")
            terminal.see("4 walked: 1 weighted, 1 deferred, 2 skipped", "Slow answers")
            terminal.press("\x1b")
            terminal.see("4 walked: 1 weighted", "maintenance")
            terminal.press("q")
            assert terminal.finish() == 0
    assert world.issue(f"{GROUP}/platform#1").weight == 3
    # The acceptance was undone before it was sent.
    assert not world.issue(f"{GROUP}/platform#3").assignees
