"""Share mode beyond the screen of one test: what commands print, and the bytes of a real terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_tui.cli.main import run
from support.leaks import FIGURES, SECRET, TEAM, secret_world
from support.terminal import GLBOARD, Terminal
from tui.app.stage import GROUP

CONFIG = """
[share]
words = ["Zqcorp", "Zq Big Bank"]
labels = ["customer::*"]
[sync]
poll = 3600
poll_idle = 3600
hold = 0
hold_comments = 0
"""
FORMATS = ("table", "json", "markdown", "csv")
#: What prints titles.
PRINTING = (["show", "planning"], ["report", "triage"], ["report", "candidates", "19.8"])


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(secret_world()) as running:
        yield running


@pytest.fixture(autouse=True)
def home(server: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home whose configuration masks words; the account is in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", GROUP)
    folder = tmp_path / "CONFIG" / "glboard"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG)
    (folder / "team.toml").write_text(TEAM)
    return tmp_path


@pytest.mark.parametrize("style", FORMATS)
def test_confidential_titles_are_printed_only_if_asked_for(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in PRINTING:
        assert run([*arguments, "--format", style]) == 0
        shown = capsys.readouterr().out
        assert "zqone" not in shown
        assert "platform#1" in shown
        assert run([*arguments, "--format", style, "--confidential"]) == 0
        titled = "zqone" in capsys.readouterr().out
        # Some of these have no titles in this format at all.
        assert titled or "title" not in shown


def test_the_title_in_json_is_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "planning", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    issues = {issue["reference"]: issue for column in board["columns"] for issue in column["issues"]}
    hidden = issues[f"{GROUP}/platform#1"]
    assert (hidden["title"], hidden["confidential"]) == ("confidential", True)
    # Another test of this file may have set it already.
    assert hidden["weight"] in (2, 3)
    # Words are only masked where others watch.
    assert "Zqcorp" in issues[f"{GROUP}/platform#3"]["title"]


@pytest.mark.parametrize("arguments", [["config", "show"], ["doctor"]])
def test_commands_without_a_mirror_mask_words_too(
    arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "CONFIG" / "glboard" / "config.toml"
    config.write_text(f'{CONFIG}[milestones]\nbacklog = "Zqcorp later"\n')
    for style in ("text", "json"):
        run([*arguments, "--format", style])
        assert "Zqcorp later" in capsys.readouterr().out
        run(["--share", *arguments, "--format", style])
        shown = capsys.readouterr().out
        assert SECRET not in shown.lower()
        assert "▒▒▒ later" in shown or r"\u2592 later" in shown
        if style == "json":
            json.loads(shown)


@pytest.mark.parametrize("style", FORMATS)
def test_nothing_hidden_is_printed_on_a_shared_screen(
    style: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in PRINTING:
        assert run(["--share", *arguments, "--format", style]) == 0
        printed = capsys.readouterr()
        assert SECRET not in f"{printed.out}{printed.err}".lower()
    config = home / "CONFIG" / "glboard" / "config.toml"
    config.write_text(CONFIG.replace("[share]", "[share]\nalways = true\nhide_references = true"))
    assert run(["show", "planning", "--format", style]) == 0
    shown = capsys.readouterr().out
    assert SECRET not in shown.lower()
    assert "platform#1 " not in shown.replace(",", " ").replace('"', " ")
    assert run(["show", "planning", "--confidential"]) == 2
    assert "Stop sharing first" in capsys.readouterr().err


@pytest.mark.parametrize("style", FORMATS)
def test_changes_of_hidden_issues_are_listed_without_what_they_were(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["edit", f"{GROUP}/platform#1", "--remove-label", "zqlabel", "--yes"]) == 0
    capsys.readouterr()
    for arguments in (["undo", "--list"], ["failed", "list"]):
        assert run([*arguments, "--format", style]) == 0
        open_ = capsys.readouterr().out
        assert run(["--share", *arguments, "--format", style]) == 0
        shown = capsys.readouterr().out
        assert SECRET not in shown.lower()
        assert ("changed" in shown) == (SECRET in open_.lower())
    assert run(["undo"]) == 0


def test_columns_stay_aligned_where_words_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    for weight in ("4", "5"):
        assert run(["edit", f"{GROUP}/platform#2", "--weight", weight, "--yes"]) == 0
    assert run(["edit", f"{GROUP}/platform#2", "--add-label", "customer::zqbank", "--yes"]) == 0
    capsys.readouterr()
    assert run(["--share", "undo", "--list", "--limit", "3"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert "▒▒▒" in rows[0]
    assert {row.rindex(row.split()[-1]) for row in rows} == {head.index("result")}
    for _ in range(3):
        assert run(["undo"]) == 0


#: Keys that show an issue in every way; a pane is left by Esc.
KEYS = (
    *("\r", "\x1b", "t", "a", "e", "o", "yt", "ym", "gc", "v", "v", "\x1b", "gt", "\x1b", "gq", "\x1b", "go"),
    *("\x1b", "gr", "\x1b", "\x1b", "gh", "\x1b", "gf", "\x1b", "ge", "\x1b", "gM", "\x1b", "3", "db", "y"),
    *("\x1b", "u", "\x10", "wrong", "\x1b", "/", "wrong", "\x1b", "d", "\x1b", "m", "\x1b", "gw", "gm", "gk"),
    *("?", "\x1b", "gp"),
)


def _press(terminal: Terminal, key: str) -> None:
    """Press a key. After Esc nothing may follow at once: that would be Alt and a letter."""
    terminal.press(key)
    while terminal.read(0.15 if key == "\x1b" else 0.02):
        pass


@pytest.mark.slow
def test_no_byte_of_a_secret_reaches_a_terminal_or_a_file(server: DemoServer, home: Path) -> None:
    account = {name: os.environ[name] for name in ("GITLAB_HOST", "GITLAB_TOKEN", "GLBOARD_GROUP")}
    account |= {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "STATE", "DATA", "CACHE")}
    with Terminal([*GLBOARD, "--share", "open", "planning"], home, environment=account) as terminal:
        terminal.see("live", "SHARED SCREEN · 1 masked", "confidential")
        for key in KEYS:
            _press(terminal, key)
        # The keys are handled in order: after this one, all were.
        for key in ("\x1b", "\x1b", "\x1b", "gp", "?"):
            _press(terminal, key)
        terminal.see("type to search")
        _press(terminal, "\x1b")
        terminal.lose("type to search")
        terminal.press("q")
        terminal.finish()
        stream = b"".join(data for _, data in terminal.transcript).lower()
    assert len(stream) > 50_000
    assert stream.count(SECRET.encode()) == 0
    assert [figure for figure in FIGURES if figure.encode() in stream] == []
    for file in home.rglob("*"):
        if file.is_file() and file.parent != home / "CONFIG" / "glboard":
            held = SECRET.encode() in file.read_bytes().lower()
            # The state file has everything, and is for its owner alone.
            assert not held or ".sqlite" in file.name or ".db" in file.name, file
            assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.slow
def test_it_is_on_again_after_a_restart(home: Path) -> None:
    account = {name: os.environ[name] for name in ("GITLAB_HOST", "GITLAB_TOKEN", "GLBOARD_GROUP")}
    account |= {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "STATE", "DATA", "CACHE")}
    command = [*GLBOARD, "open", "planning"]
    with Terminal(command, home, environment=account) as terminal:
        terminal.see("live", "zqone")
        terminal.press("p")
        terminal.see("SHARED SCREEN")
        terminal.press("q")
        terminal.finish()
    with Terminal(command, home, environment=account) as terminal:
        terminal.see("live", "SHARED SCREEN", "confidential")
        assert b"zqone" not in b"".join(data for _, data in terminal.transcript)
        terminal.press("p", "p")
        terminal.see("zqone")
        terminal.press("q")
        terminal.finish()
    with Terminal(command, home, environment=account) as terminal:
        terminal.see("live", "zqone")
        terminal.press("q")
        terminal.finish()


#: Every command that prints something of issues, with what it leaves behind.
COMMANDS = (
    ["plan", "lock", "19.8", "--replace"],
    ["plan", "show", "19.8"],
    ["plan", "show", "19.8", "--list"],
    ["plan", "export", "19.8"],
    ["edit", "platform#1", "platform#3", "--remove-label", "zqlabel", "--yes", "--dry-run"],
    ["edit", "platform#1", "--remove-label", "zqlabel", "--yes"],
    ["edit", "platform#1", "--remove-label", "zqlabel", "--yes"],
    ["undo"],
    ["edit", "platform#1", "--add-label", "zqabsent", "--yes"],
    ["edit", "platform#3", "--assign", "zqnobody"],
    ["edit", "platform#1", "--accept", "zqperson"],
    ["failed", "list"],
    ["failed", "discard", "--all"],
    ["report", "decisions", "19.8", "--since", "7d"],
    ["report", "say-do", "19.8"],
    ["report", "scope", "19.8"],
    ["report", "mix", "19.8"],
    ["milestone", "open", "19.8", "--dry-run"],
)
#: What was typed on the command line itself is no secret to whoever watches that.
_TYPED = ("zqlabel", "zqabsent", "zqnobody", "zqperson")


@pytest.mark.slow
def test_no_command_prints_what_a_shared_screen_hides(
    server: DemoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    # An accepted one is in the locked plan, with whoever it is assigned to.
    accept = ["--add-label", "Deliverable", "--assign", "eng_birch", "--unassign", "zqperson"]
    assert run(["edit", "platform#1", *accept, "--yes"]) == 0
    capsys.readouterr()
    for arguments in COMMANDS:
        run([*arguments, "--share"])
        printed = capsys.readouterr()
        shown = f"{printed.out}{printed.err}".lower()
        assert shown.strip(), arguments
        for word in _TYPED if arguments[0] == "edit" else ():
            if word in arguments:
                shown = shown.replace(word, "")
        assert SECRET not in shown, (arguments, shown)
        if arguments[:2] == ["plan", "show"] and "--list" not in arguments:
            assert f"{GROUP}/platform#1  " in shown
            assert "eng_birch" not in shown
        if arguments[:2] == ["plan", "export"]:
            assert "hidden on the shared screen" in shown
    back = ["--remove-label", "Deliverable", "--unassign", "eng_birch", "--assign", "zqperson"]
    assert run(["edit", "platform#1", *back, "--yes"]) == 0


@pytest.mark.parametrize("style", FORMATS)
def test_a_shared_screen_gets_no_figure_of_the_team(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("capacity", "load"):
        assert run(["report", kind, "19.8", "--format", style]) == 0
        capsys.readouterr()
        assert run(["report", kind, "19.8", "--format", style, "--share"]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "hidden on the shared screen" in printed.err
    assert run(["report", "candidates", "19.8", "--format", style, "--share"]) == 0
    assert "Free weight" not in capsys.readouterr().out
    # The next command prints as usual.
    assert run(["show", "planning"]) == 0
    assert "Zqcorp" in capsys.readouterr().out


def test_of_an_edit_of_a_hidden_issue_only_that_it_was_made_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    edit = ["edit", "platform#1", "platform#4", "--add-label", "documentation", "--yes"]
    assert run([*edit, "--dry-run", "--share"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{GROUP}/platform#1: would change",
        f"{GROUP}/platform#4: would change: +documentation",
    ]
    assert run([*edit, "--share"]) == 0
    assert set(capsys.readouterr().out.splitlines()) == {
        f"{GROUP}/platform#1: changed",
        f"{GROUP}/platform#4: +documentation",
    }
    assert run(["undo", "--share"]) == 0
    assert f"{GROUP}/platform#1: undone" in capsys.readouterr().out.splitlines()
    # A question would say what it is like.
    heavy = ["edit", "platform#1", "--ready", "--weight", "8"]
    assert run(heavy) == 4
    asked = capsys.readouterr().err.splitlines()[1]
    assert run([*heavy, "--share"]) == 4
    shown = capsys.readouterr().err.splitlines()
    assert asked not in shown
    assert shown[1] == f"  {GROUP}/platform#1: continue?"
