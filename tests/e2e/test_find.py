"""Finding anything, opening an issue by its URL and a command of one's own, in a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.demo.http.process import DemoOptions, spawn
from support.terminal import GLBOARD, Terminal

DAY = "2026-12-07T15:00:00Z"
CONFIG = """
[[commands]]
key = "g X"
name = "Say it"
run = "printf 'ran-%s-%s' {iid} $GITLAB_TOKEN"
"""


@pytest.mark.parametrize("size", [pytest.param((160, 45), marks=pytest.mark.slow), (80, 24)])
def test_an_issue_is_opened_by_its_url_found_and_given_to_a_command(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    config = tmp_path / ".config" / "glboard" / "config.toml"
    config.parent.mkdir(parents=True, mode=0o700)
    config.write_text(CONFIG)
    config.chmod(0o600)
    with spawn(DemoOptions(as_of=DAY)) as server:
        environment = {
            "GITLAB_HOST": server.url,
            "GITLAB_TOKEN": server.token,
            "GLBOARD_GROUP": server.group,
            "XDG_CONFIG_HOME": str(tmp_path / ".config"),
        }
        url = f"{server.url}/{server.group}/platform/-/work_items/77?show=1"
        with Terminal(
            [*GLBOARD, "open", url], tmp_path, columns=size[0], rows=size[1], environment=environment
        ) as terminal:
            terminal.see("Empty answer from context window detection", "demo-org/platform#77", "Labels")
            terminal.press("\x10")
            terminal.see("type to search", "Esc closes")
            terminal.press(*"platform#31")
            terminal.see("Open platform#31 in GitLab", "1 found")
            terminal.press("\r")
            terminal.lose("Esc closes")
            terminal.see(f"{server.group}/platform#31")
            terminal.press("g", "X")
            # What stands for a variable is only text, and the token is not in the environment anyway.
            terminal.see("ran-31-$GITLAB_TOKEN", "Done")
            terminal.press("\x1b")
            terminal.lose("Done")
            terminal.press("\x1b[200~http://other.example.com/a/b/-/issues/3\x1b[201~")
            terminal.see("other.example.com is another GitLab")
