"""A changed configuration file on the open screen."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from glboard_core.config import load
from glboard_core.errors import ConfigError
from glboard_tui.config_file import ConfigFile
from tui.app.stage import Stage, staged

#: What keeps the stage still.
STILL_FILE = """\
[sync]
live = false
poll = 3600
poll_idle = 3600
hold = 0
hold_comments = 0
"""
SUPPORT = """
[[boards]]
id = "support"
name = "Support"
key = "g5"
filter = "~bug w<2"
by = "none"
"""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glboard_tui.app.LOOK_EVERY", 0.05)


@asynccontextmanager
async def configured(path: Path, text: str = "") -> AsyncIterator[Stage]:
    """The board with a configuration file."""
    file = path / "config.toml"
    file.write_text(STILL_FILE + text, "utf-8")
    async with staged(settings=load(file), config_file=file) as stage:
        yield stage


def write(path: Path, text: str) -> None:
    """Write the file as an editor does."""
    new = path / "config.toml.new"
    new.write_text(STILL_FILE + text, "utf-8")
    os.replace(new, path / "config.toml")


@pytest.mark.slow
async def test_boards_keys_theme_and_density_change_without_a_restart(tmp_path: Path) -> None:
    async with configured(tmp_path) as stage:
        await stage.press("g", "5")
        assert "not bound" in stage.message or "does nothing" in stage.message
        write(
            tmp_path,
            f'{SUPPORT}\n[ui]\ntheme = "glboard-light"\ndensity = "dense"\n[keymap]\n"view.refresh" = "F"\n',
        )
        await stage.until(lambda: stage.app.settings.ui.density == "dense")
        await stage.pilot.pause()
        assert stage.screen.board.density == "dense"
        assert stage.app.theme == "glboard-light"
        assert [tab.title for tab in stage.screen.header.view.tabs][-1] == "Support"
        assert any("theme, density, board Support, keys" in one for one in stage.toasts)
        await stage.press("g", "5")
        assert stage.cards() == {"Support": ["platform#3"]}
        assert stage.screen.header.view.only == "~bug w<2"
        await stage.press("F")
        assert stage.message == "Refreshing …"


async def test_a_mistake_leaves_the_board_as_it_is_and_is_named_with_its_line(tmp_path: Path) -> None:
    async with configured(tmp_path) as stage:
        before = stage.cards()
        write(tmp_path, '[ui]\ntehme = "glboard-light"\n')
        await stage.until(lambda: stage.app.config.mistake is not None)
        error = stage.app.config.mistake
        assert error is not None
        assert error.message.startswith("config.toml:8: ui.tehme: unknown key.")
        assert "Did you mean “theme”?" in error.hint
        assert "glboard config check" in error.hint
        assert any("config.toml:8" in one for one in stage.toasts)
        assert stage.cards() == before
        write(tmp_path, "")
        await stage.until(lambda: stage.app.config.mistake is None)
        assert any("valid again" in one for one in stage.toasts)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[keymap]\n"view.refrsh" = "F"\n', 8),
        ('[keymap]\n"view.refresh" = "j"\n', 8),
        (SUPPORT.replace("g5", "gp"), 11),
        ('[labels]\ngroup = "group::custom models\n', 8),
        ('[[boards]]\nid = "x"\nname = "X"\nkye = "g5"\n', 10),
    ],
)
def test_wrong_keys_are_named_with_their_line(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, "")
    file = ConfigFile(tmp_path / "config.toml", load(tmp_path / "config.toml"))
    write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        file.read()
    assert caught.value.where == f"config.toml:{line}"


def test_a_half_written_file_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    write(tmp_path, "")
    file = ConfigFile(path, load(path))
    assert not file.changed()
    with path.open("a", encoding="utf-8") as half:
        half.write("[ui]\nthe")
    assert not file.changed()
    with path.open("a", encoding="utf-8") as half:
        half.write('me = "glboard-light"\n')
    assert not file.changed()
    assert file.changed()
    assert file.read().words == "Configuration reloaded: theme."
    path.unlink()
    assert not file.changed()
    assert not file.changed()


async def test_what_needs_a_restart_is_said_once(tmp_path: Path) -> None:
    async with configured(tmp_path) as stage:
        write(tmp_path, '[gitlab]\ngroup = "other"\n[labels]\ngroup = "group::other"\ndeliverable = "Done"\n')
        await stage.until(lambda: stage.app.settings.labels.deliverable == "Done")
        assert stage.engine.settings.labels.group == "group::custom models"
        words = [one for one in stage.toasts if "Restart" in one]
        assert words == [
            ": Configuration reloaded: labels. Restart glboard to use another group and group label."
        ]
        stage.app._notifications.clear()
        write(tmp_path, '[gitlab]\ngroup = "other"\n[labels]\ngroup = "group::other"\n')
        await stage.until(lambda: stage.app.settings.labels.deliverable == "Deliverable")
        assert not [one for one in stage.toasts if "Restart" in one]


@pytest.mark.slow
async def test_a_board_that_is_gone_gives_way_to_the_first(tmp_path: Path) -> None:
    async with configured(tmp_path, SUPPORT) as stage:
        await stage.press("g", "5")
        assert stage.screen.header.view.board == "Support"
        write(tmp_path, "")
        await stage.until(lambda: stage.app.settings.board("support") is None)
        await stage.pilot.pause()
        assert stage.screen.header.view.board == "Planning 19.8"
        assert stage.cards()["bug"]


@pytest.mark.slow
async def test_the_editor_opens_the_file_and_the_board_takes_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []

    def edits(command: list[str]) -> int:
        opened.append(command)
        write(tmp_path, '[ui]\ndensity = "roomy"\n')
        return 0

    monkeypatch.setattr("glboard_tui.screens.editor.editor_command", lambda: ["vi", "-n"])
    monkeypatch.setattr("glboard_tui.screens.editor.run", edits)
    async with configured(tmp_path) as stage:
        monkeypatch.setattr(stage.app, "suspend", _suspended)
        await stage.press("g", ",")
        assert opened == [["vi", "-n", str(tmp_path / "config.toml")]]
        assert stage.screen.board.density == "roomy"
        assert any("Configuration reloaded: density." in one for one in stage.toasts)


async def test_without_a_file_there_is_nothing_to_edit(stage: Stage) -> None:
    await stage.press("g", ",")
    assert stage.message == "No configuration file in use. Start with --config FILE to use one."


@pytest.mark.slow
async def test_sync_labels_and_workflow_states_reach_the_engine(tmp_path: Path) -> None:
    async with configured(tmp_path) as stage:
        assert "platform#8" not in str(stage.cards())
        write(
            tmp_path,
            '[planning]\nnearly_done = []\n[labels]\nspike = "documentation"\n'
            '[[boards]]\nid = "docs"\nname = "Docs"\ncolumns = ["documentation"]\n',
        )
        await stage.until(lambda: stage.engine.settings.labels.spike == "documentation")
        await stage.settle()
        assert stage.engine.settings.planning.nearly_done == ()
        assert stage.engine.catalog is not None
        assert stage.engine.catalog.color("documentation") is not None


class _suspended:  # noqa: N801  (in place of a method)
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def test_a_changed_team_file_is_read_again(tmp_path: Path) -> None:
    team = tmp_path / "team.toml"
    team.write_text('[[people]]\nusername = "eng_alder"\n', "utf-8")
    async with staged(team_file=team) as stage:
        assert stage.engine.names.people == {"eng_alder"}
        team.write_text('[[people]]\nusername = "eng_alder"\n[[people]]\nusername = "eng_birch"\n', "utf-8")
        await stage.until(lambda: len(stage.engine.names.people) == 2)
        assert any("team.toml reloaded." in one for one in stage.toasts)
        team.write_text("[[people]\n", "utf-8")
        await stage.until(lambda: any("team.toml" in one and "TOML" in one for one in stage.toasts))
