"""A configuration edited while the board is open, in a real terminal: by an editor, and from outside."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.terminal import GLBOARD, Terminal

DAY = "2026-12-07T15:00:00Z"
BOARD = """\
[[boards]]
id = "support"
name = "Support"
key = "g5"
filter = "~bug w>1"
by = "priority"
limits = { "*" = { issues = 2 } }
"""
#: An editor that adds a mistake to the file it is given.
EDITOR = "import sys; open(sys.argv[1], 'a').write('[ui]\\ntehme = 1\\n')"


@pytest.mark.slow
def test_a_changed_file_reaches_the_open_board(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("", "utf-8")
    editor = tmp_path / "editor.py"
    editor.write_text(EDITOR, "utf-8")
    command = [*GLBOARD, "--as-of", DAY, "--config", str(file), "demo"]
    environment = {"EDITOR": f"{sys.executable} {editor}"}
    with Terminal(command, tmp_path, environment=environment) as terminal:
        terminal.see("live", "maintenance")
        file.write_text(BOARD, "utf-8")
        terminal.see("Configuration reloaded: board Support.")
        terminal.press("g", "5")
        terminal.see("Priority 1", "1 over", "only ~bug w>1")
        terminal.press("g", ",")
        terminal.see("config.toml:9: ui.tehme: unknown key.", "Did you mean “theme”?")
        terminal.see("Priority 1")
        terminal.press("q")
        assert terminal.finish() == 0
