"""A planning call in a real terminal: killed in the middle, found again, and posted once."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from support.terminal import GLBOARD, Terminal

DAY = "2026-12-07T15:00:00Z"
_CALL = re.compile(r"call since \d\d:\d\d · (\d+) decisions?")


@pytest.fixture(scope="module")
def gitlab() -> Iterator[SpawnedDemo]:
    with spawn(DemoOptions(as_of=DAY)) as running:
        yield running


def decided(text: str) -> int:
    found = _CALL.search(text)
    return int(found[1]) if found else -1


def live(text: str) -> bool:
    return text.partition("\n")[0].rstrip().endswith("live") and decided(text) >= 0


@pytest.mark.slow
def test_a_call_survives_being_killed(tmp_path: Path, gitlab: SpawnedDemo) -> None:
    account = {"GITLAB_HOST": gitlab.url, "GITLAB_TOKEN": gitlab.token, "GLBOARD_GROUP": gitlab.group}
    config = tmp_path / "config" / "glboard" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[sync]\nhold_comments = 0\n")
    with Terminal([*GLBOARD, "open", "planning", "--call"], tmp_path, environment=account) as terminal:
        terminal.wait(lambda text: live(text) and decided(text) == 0, "the call")
        terminal.press("l", "3")
        terminal.wait(lambda text: decided(text) == 1, "one decision")
        terminal.press(";")
        terminal.see("Note for the decisions")
        terminal.press("Spoken about", "\x13")
        terminal.see("Noted on")
        # Killed at once: the change may be sent or not, the note is on disk.
        os.kill(terminal.pid, signal.SIGKILL)
        assert terminal.finish() == -signal.SIGKILL
    states = list((tmp_path / "state" / "glboard").glob("*.sqlite3"))
    assert [path.stat().st_mode & 0o777 for path in states] == [0o600]
    with Terminal([*GLBOARD, "open", "planning"], tmp_path, environment=account) as terminal:
        terminal.wait(lambda text: live(text) and decided(text) == 1, "the same call")
        terminal.press("g", "x")
        terminal.see("Reweighted (1)", "weight 0 to 3", "Spoken about")
        # What came back is undone and done again by the same keys; the list follows.
        terminal.press("u")
        terminal.wait(lambda text: decided(text) == 0, "nothing decided")
        terminal.press("U")
        terminal.wait(lambda text: decided(text) == 1, "it again")
        terminal.press("i")
        terminal.see("A new comment will be posted.", "Spoken about")
        terminal.press("\r")
        terminal.see("Posting to")
        terminal.wait(lambda text: "unsent" not in text.partition("\n")[0], "it to be sent", 40)
        terminal.press("i")
        terminal.see("Your earlier comment is up to date.")
        terminal.press("\x1b")
        terminal.lose("up to date")
        terminal.press("F")
        terminal.wait(lambda text: "Call ended." in text and decided(text) == -1, "the end")


@pytest.mark.slow
def test_the_demo_starts_a_call_on_a_shared_screen(tmp_path: Path) -> None:
    command = [*GLBOARD, "--as-of", DAY, "demo", "--call", "--share"]
    with Terminal(command, tmp_path) as terminal:
        terminal.wait(lambda text: live(text) and decided(text) == 0, "the call")
        terminal.see("SHARED SCREEN")
        terminal.press("3")
        terminal.wait(lambda text: decided(text) == 1, "one decision")
        terminal.press("q", "y")
        terminal.finish()
