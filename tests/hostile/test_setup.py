"""The set-up of a first start against a group whose names anybody may have written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from glboard_core.config import load
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_tui.screens.setup_proposal import FilePreview, ProposalPage
from support.groups import shop_world
from tui.setup.test_setup_app import begun

#: A window's title, a cleared screen, marks of direction and of no width, markup, and ends of TOML's texts.
NASTY = (
    '\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u200b[bold red]x[/]"""\'\'\'\n[gitlab]\nurl = "http://evil"\r\x7f'
)


def nasty_world() -> World:
    """The shop, with an appendix to every name."""
    world = shop_world()
    for group in world.groups.values():
        group.name = f"{group.name}{NASTY}"
    for label in [*world.labels.values()]:
        world.rename_label(label, f"{label.title}{NASTY}")
        label.description = NASTY
    for milestone in world.milestones.values():
        milestone.title = f"{milestone.title}{NASTY}"
    for board in world.boards.values():
        board.name = f"{board.name}{NASTY}"
    for user in world.users.values():
        user.name = f"{user.name}{NASTY}"
    return world


def unclean(text: str) -> list[str]:
    """The signs that no screen may get."""
    return sorted({sign for sign in text if (not sign.isprintable() and sign != "\n")})


@pytest.mark.slow
async def test_no_name_acts_on_the_screen_or_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("HOME", str(tmp_path))
    async with begun(tmp_path, server=DemoServer(nasty_world())) as steps:
        await steps.to_group()
        assert not unclean(steps.lines)
        await steps.press("enter")
        await steps.on(ProposalPage)
        page = steps.app.screen
        assert isinstance(page, ProposalPage)
        for row in range(len(page._rows)):
            page.go(row)
            await steps.pilot.pause()
            assert not unclean(steps.lines)
            assert "[bold" not in steps.lines or "red]" in steps.lines
        await steps.press("v")
        await steps.on(FilePreview)
        assert not unclean(steps.lines)
        await steps.press("escape")
        await steps.on(ProposalPage)
        await steps.press("w")
        await steps.until(lambda: steps.app.return_value is not None)
    text = steps.config.read_text("utf-8")
    assert not unclean(text)
    written = tomllib.loads(text)
    assert written["gitlab"]["url"] == steps.server.url
    assert load(steps.config).gitlab.group == "shop"
