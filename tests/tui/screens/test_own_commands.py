"""Commands of one's own: from a key to their output, and when they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from glboard_core.command_template import CommandSettings
from glboard_core.config import Settings
from glboard_core.errors import ConfigError
from glboard_tui.config_file import keymap_of
from glboard_tui.screens.command_output import CommandOutput
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.finder import Finder
from glboard_tui.screens.help import Help
from support.leaks import SECRET, SETTINGS, secret_world
from tui.app.stage import GROUP, ME, STILL, Stage, staged
from tui.screens.lists import on_top


def command(run: str, key: str = "Q", name: str = "Say it", **more: Any) -> CommandSettings:
    return CommandSettings(key=key, name=name, run=run, **more)


def with_commands(*commands: CommandSettings, of: Settings = STILL) -> Settings:
    return structs.replace(of, commands=commands)


def pane(stage: Stage) -> CommandOutput:
    """The output, on top."""
    top = stage.app.screen
    assert isinstance(top, CommandOutput), top
    return top


async def ended(stage: Stage) -> list[str]:
    """Wait until the command that is shown has ended; returns its output."""
    await stage.until(lambda: isinstance(stage.app.screen, CommandOutput))
    await stage.until(lambda: pane(stage)._run.ended and pane(stage)._timer is None)
    await stage.pilot.pause()
    return list(pane(stage)._view.lines)


def state(stage: Stage) -> str:
    return str(pane(stage)._state.render())


def question(stage: Stage) -> str:
    assert isinstance(stage.app.screen, Ask)
    return f"{stage.app.screen.heading}\n{stage.app.screen.note}"


@pytest.mark.slow
async def test_a_command_runs_on_the_card_and_shows_its_output() -> None:
    settings = with_commands(
        command("echo {reference} {title} -w {milestone}"),
        command("echo board {milestone}", "g Y", "Of the board", on="board"),
    )
    async with staged(settings=settings) as stage:
        await stage.focus("platform#6")
        assert ("Q", "Say it") in stage.screen.footer.view.hints
        await stage.press("Q")
        assert await ended(stage) == ["demo-org/platform#6 fix [/api] crash -w 19.8"]
        assert state(stage).startswith("Done · ")
        await stage.press("escape")
        assert stage.app.screen is stage.screen
        # The strip and the help name it, and the field that finds anything.
        await stage.press("g")
        assert any(
            words == "Of the board" for group in stage.screen.keys._strip._groups for _, words in group[1]
        )
        await stage.press("Y")
        assert await ended(stage) == ["board 19.8"]
        await stage.press("escape", "question_mark")
        await stage.type("say it")
        assert "Say it" in on_top(stage, Help).text
        await stage.press("escape", "ctrl+p")
        await stage.type("of the board")
        await stage.until(lambda: isinstance(stage.app.screen, Finder) and not stage.app.screen.is_busy)
        await stage.press("enter")
        assert await ended(stage) == ["board 19.8"]


@pytest.mark.slow
async def test_a_selection_is_asked_for_and_runs_one_after_the_other() -> None:
    settings = with_commands(command("echo {iid}"), command("echo {references}", "g Y", "All"))
    async with staged(settings=settings) as stage:
        await stage.mark("platform#1", "platform#2")
        await stage.press("Q")
        assert question(stage) == "Run Say it for 2 issues?\n$ echo 1\n$ echo 2"
        await stage.press("y")
        assert await ended(stage) == ["platform#1: echo 1", "1", "platform#2: echo 2", "2"]
        await stage.press("R")
        await stage.until(lambda: stage.screen.context.own_commands.is_running or pane(stage)._run.ended)
        assert len(await ended(stage)) == 4
        await stage.press("escape", "g", "Y")
        assert await ended(stage) == ["demo-org/platform#1 demo-org/platform#2"]


@pytest.mark.slow
async def test_it_goes_on_when_it_is_left_and_can_be_stopped() -> None:
    settings = with_commands(command("echo up; sleep 600; echo {iid}", shell=True))
    async with staged(settings=settings) as stage:
        await stage.press("Q")
        await stage.until(lambda: list(pane(stage)._view.lines) == ["up"])
        await stage.press("escape", "j", "Q")
        assert "Say it is still running: g! shows it." in stage.message
        await stage.press("g", "exclamation_mark", "s")
        assert await ended(stage) == ["up"]
        assert state(stage).startswith("Stopped · ")
        await stage.press("escape")


@pytest.mark.slow
async def test_one_that_fails_while_it_is_left_says_so_and_names_the_missing_sign_in(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    settings = with_commands(
        command(f"while [ ! -e {gate} ]; do sleep 0.02; done; echo no {{iid}}; exit 4", shell=True),
        command("glab-that-is-not-there mr create --issue {iid}", "g Y", "Create merge request"),
    )
    async with staged(settings=settings) as stage:
        await stage.press("Q")
        await stage.until(lambda: isinstance(stage.app.screen, CommandOutput))
        await stage.press("escape")
        gate.touch()
        await stage.until(lambda: "Say it: Failed with exit status 4. g! shows the output." in stage.message)
        await stage.press("g", "Y")
        await ended(stage)
        assert state(stage) == "glab-that-is-not-there: not found. Install it, or use its full path"
        # It was in view all the time: the footer need not say so.
        assert stage.message == ""
        await stage.press("escape", "Q")
        await ended(stage)
        assert state(stage).startswith("Failed with exit status 4 · ")
        assert "glboard does not pass its token to commands. They need a separate sign-in." in state(stage)


@pytest.mark.slow
async def test_a_refresh_reads_what_it_changed() -> None:
    settings = with_commands(command("echo {iid}", then="refresh"))
    async with staged(settings=settings) as stage:
        await stage.focus("platform#4")
        stage.world.edit(f"{GROUP}/platform#4", by=ME, title="Changed by a program")
        await stage.press("Q")
        await ended(stage)
        await stage.until(lambda: stage.issue("platform#4").title == "Changed by a program")


@pytest.mark.slow
async def test_only_a_file_of_ones_own_is_obeyed_and_one_from_an_option_asks(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    tmp_path.chmod(0o700)
    settings = with_commands(command("echo {iid}"), command("echo two", "g Y", "Two"))
    async with staged(settings=settings, config_file=file, config_given=True) as stage:
        file.chmod(0o666)
        await stage.press("Q")
        assert stage.app.screen is stage.screen
        assert f"other users can write {file.resolve()} (mode 666)" in stage.toasts[-1]
        assert stage.screen.context.own_commands.last is None
        file.chmod(0o600)
        await stage.press("Q")
        assert question(stage) == (
            f"Run Say it for platform#1?\n$ echo 1\nThis command comes from {file}, set with --config."
        )
        await stage.press("escape")
        assert stage.screen.context.own_commands.last is None
        await stage.press("Q", "y")
        assert await ended(stage) == ["1"]
        # Once allowed it is not asked for again; another one is.
        await stage.press("escape", "Q")
        assert await ended(stage) == ["1"]
        await stage.press("escape", "g", "Y")
        assert "Run Two for platform#1?" in question(stage)
        await stage.press("escape")


@pytest.mark.slow
async def test_a_changed_file_takes_effect_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    async with staged(config_file=file) as stage:
        file.write_text(
            '[sync]\nlive = false\n[[commands]]\nkey = "Q"\nname = "Fresh"\nrun = "echo new {iid}"\n'
        )
        assert stage.app.config.reload()
        await stage.until(lambda: "commands" in "".join(stage.toasts))
        await stage.press("Q")
        assert await ended(stage) == ["new 1"]
        file.write_text('[[commands]]\nkey = "Q"\nname = "Fresh"\nrun = "echo {nothing}"\n')
        assert not stage.app.config.reload()
        await stage.press("escape", "Q")
        assert await ended(stage) == ["new 1"]


@pytest.mark.slow
async def test_confirm_asks_each_time() -> None:
    async with staged(settings=with_commands(command("echo {iid}", confirm=True))) as stage:
        for _ in range(2):
            await stage.press("Q")
            assert question(stage) == "Run Say it for platform#1?\n$ echo 1"
            await stage.press("y")
            assert await ended(stage) == ["1"]
            await stage.press("escape")


@pytest.mark.slow
async def test_on_a_shared_screen_hidden_issues_are_refused_and_no_output_is_shown() -> None:
    settings = with_commands(command("printf %s%s z qprinted {title}"), of=SETTINGS)
    async with staged(secret_world(), settings=settings) as stage:
        await stage.press("p")
        await stage.focus("platform#1")
        await stage.press("Q")
        assert "Confidential: hidden on the shared screen." in stage.message
        assert stage.screen.context.own_commands.last is None
        await stage.focus("platform#3")
        await stage.press("Q")
        assert await ended(stage) == ["The output of commands is hidden on the shared screen."]
        shown = "\n".join(strip.text for strip in stage.app.screen._compositor.render_strips(stage.app.size))
        assert SECRET not in shown.lower()


def test_a_key_that_is_taken_names_both() -> None:
    with pytest.raises(ConfigError, match=r"“M” is bound to both “Say it” \(command\.say-it\) and “Defer"):
        keymap_of(with_commands(command("echo", "M")))
    keymap = keymap_of(structs.replace(with_commands(command("echo")), keymap={"command.say-it": "g Z"}))
    assert keymap.key("command.say-it") == "gZ"
