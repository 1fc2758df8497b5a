"""Two programs on one GitLab, each in its own terminal: what one does is on the other's screen at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.clock import Clock
from support.engines import NOW
from support.terminal import GLBOARD, Terminal

#: No poll while this runs.
CONFIG = "[sync]\npoll = 3600\npoll_idle = 3600\nreconcile = 3600\nhold = 0.2\n"


def _terminal(server: DemoServer, home: Path, user: str) -> Terminal:
    (home / user).mkdir()
    (config := home / user / "config.toml").write_text(CONFIG)
    environment = {
        "GITLAB_HOST": server.url,
        "GITLAB_TOKEN": server.token_for(user),
        "GLBOARD_GROUP": "demo-org",
    }
    command = [*GLBOARD, "--config", str(config), "open", "planning"]
    return Terminal(command, home / user, columns=120, rows=30, environment=environment)


def _is_live(text: str) -> bool:
    return text.partition("\n")[0].rstrip().endswith("live") and "■" in text


@pytest.mark.slow
def test_what_one_does_is_on_the_others_screen(tmp_path: Path) -> None:
    world = default_world(issues=60, clock=Clock(NOW))
    with (
        DemoServer(world) as server,
        _terminal(server, tmp_path, "em_maple") as one,
        _terminal(server, tmp_path, "pm_oak") as two,
    ):
        for terminal in (one, two):
            terminal.wait(_is_live, "the board")
        one.wait(lambda _: len(server.cable) == 2 and len(server.cable.subscribed) > 2, "live events")
        server.cable.cut()
        again = server.requests.of
        one.wait(lambda _: len(again("/-/cable")) == 4 and len(server.cable) == 2, "live events again")
        one.press("9")
        two.see("●1 changed")
        assert "changed" not in one.screen.lines[1]
