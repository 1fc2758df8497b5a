"""Nothing that share mode hides reaches the screen, the clipboard, the editor, the browser or a file.

The slow tests press every action of the registry in-process; the bytes of a real terminal are in
``e2e/test_share.py``. That the walk finds a leak is proven by breaking the seam in one place at a time.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Static

import glboard_tui
from glboard_core.demo.world.world import World
from glboard_core.milestone_setup import MilestoneSetup
from glboard_tui.action import Action, command_of
from glboard_tui.bridge import Bridge
from glboard_tui.commands import panes
from glboard_tui.screens import issue_list
from glboard_tui.share import ShareMode
from glboard_tui.widgets.masking import MaskingFilter
from support.leaks import FIGURES, SECRET, SETTINGS, TEAM, WORDY, Watcher, before_sharing, secret_world, walk
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, staged


@asynccontextmanager
async def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Stage, Watcher]]:
    """A shared screen full of secrets, with everything caught that leaves the program."""
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    monkeypatch.chdir(tmp_path)

    def opening(engine: Any, milestone: str, team: Any) -> MilestoneSetup:
        return MilestoneSetup(engine, milestone, team=team, folder=tmp_path)

    async with staged(_world(), settings=SETTINGS, team_file=team, opening=opening) as stage:
        await before_sharing(stage)
        watcher = Watcher(stage, FIGURES)

        def edits(_: object, text: str) -> None:
            watcher.copied.append(f"editor: {text}")

        for module in ("commands.text", "screens.failed_changes"):
            monkeypatch.setattr(f"glboard_tui.{module}.edit_in_editor", edits)
        monkeypatch.setattr(stage.app, "open_url", lambda url, **_: watcher.copied.append(f"browser: {url}"))
        monkeypatch.setattr(
            App, "copy_to_clipboard", lambda _, text: watcher.copied.append(f"clipboard: {text}")
        )
        await stage.press("p")
        watcher.look("p")
        assert stage.screen.header.view.share
        yield stage, watcher


def _world() -> World:
    """The group full of secrets, with masked words also in names of people, projects and milestones."""
    world = secret_world()
    root = world.group(GROUP)
    root.members[world.add_user("zqcorp-bot", "Zqcorp Bot").id] = 40
    world.add_milestone(root, "Zqcorp launch")
    world.add_project(f"{GROUP}/zqcorp-portal")
    world.edit(f"{GROUP}/{WORDY}", by=ME, assignees=["zqcorp-bot"])
    for milestone in ("19.8", "Zqcorp launch"):
        world.create(f"{GROUP}/zqcorp-portal", "Slow", by=ME, add_labels=[GROUP_LABEL], milestone=milestone)
    return world


#: What the default run presses: everything that shows an issue in another way than its card.
def _shows(action: Action) -> bool:
    opened = ("pane.candidates", "pane.log", "pane.failed", "open.detail")
    return action.id in (*opened, "copy.markdown", "text.edit")


@pytest.mark.slow
async def test_lists_panes_and_copies_leak_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shared(tmp_path, monkeypatch) as (stage, watcher):
        await walk(stage, watcher, _shows)
        assert watcher.found == []
        assert {"Candidates", "ChangeLog", "FailedList"} <= watcher.seen
        # The same without sharing shows it all, so that nothing was overlooked.
        await stage.press("p", "p")
        await watcher.press("not shared", "g", "h")
        assert watcher.found


@pytest.mark.slow
async def test_no_action_of_the_registry_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shared(tmp_path, monkeypatch) as (stage, watcher):
        await walk(stage, watcher)
        assert watcher.found == []
        assert {
            "Candidates",
            "Triage",
            "ChangeLog",
            "FailedList",
            "Updates",
            "Picker",
            "MilestoneSetupDialog",
        } <= watcher.seen
        written = [file for file in tmp_path.iterdir() if file.name != "team.toml"]
        assert [file for file in written if SECRET in file.read_text().lower()] == []


def _raw_title(self: Bridge, issue: Any) -> str:
    # Cut, as by a narrow column: whole titles are also caught when a line is painted.
    return str(issue.title).split()[0]


def _unmasked(self: Any, entry: Any) -> Any:
    return entry


def _raw_text(self: ShareMode, text: str, instead: object = None) -> str:
    return text


async def _leaks(stage: Stage, watcher: Watcher, *wanted: str) -> bool:
    await walk(stage, watcher, lambda action: action.id in wanted)
    return bool(watcher.found)


@pytest.mark.parametrize(
    ("broken", "name", "by", "where"),
    [
        pytest.param(issue_list.IssueList, "_shown", _unmasked, "pane.candidates", marks=pytest.mark.slow),
        pytest.param(ShareMode, "hides", lambda *_: False, "open.detail", marks=pytest.mark.slow),
        pytest.param(ShareMode, "masked", _raw_text, "open.detail", marks=pytest.mark.slow),
        pytest.param(Bridge, "is_hidden", lambda *_: False, "pane.log", marks=pytest.mark.slow),
    ],
)
async def test_the_walk_finds_a_broken_seam(
    broken: type,
    name: str,
    by: Callable[..., Any],
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with shared(tmp_path, monkeypatch) as (stage, watcher):
        monkeypatch.setattr(broken, name, by)
        if broken is issue_list.IssueList:
            # A list that shows the issue itself, as one would that forgot the seam.
            monkeypatch.setattr(Bridge, "title_of", _raw_title)
        # What catches a text that was not masked before it was painted is broken with the rest.
        stage.app._mask = MaskingFilter(stage.app.share.masked)
        assert await _leaks(stage, watcher, where)


#: Where a whole issue is needed to be edited or computed with.
_WHOLE = {
    "board_view.py",
    "bridge.py",
    "change_lists.py",
    "change_words.py",
    "issue_reads.py",
    "calls.py",
    "planning.py",
    "plan_history.py",
    "commands/context.py",
    "screens/board.py",
    # For what became of a card; what it shows of one passes ``view_of``.
    "screens/walk.py",
    "share.py",
}


def test_screens_and_widgets_get_no_whole_issues() -> None:
    root = Path(glboard_tui.__file__).parent
    found = {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if re.search(r"\bwhole_(issue|catalog)\b|engine\.shown\b", file.read_text("utf-8"))
    }
    assert {name for name in found if not name.startswith("cli/")} <= _WHOLE


@pytest.mark.slow
async def test_a_new_screen_that_forgets_the_seam_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careless(ModalScreen[None]):
        """Shows what the engine has, by whatever way it got it."""

        def compose(self) -> Any:
            app: Any = self.app
            issues = app.bridge.engine.shown.values()
            # A word on each line, as in a narrow column: whole titles are also caught when they are painted.
            yield Static("\n".join(word for issue in issues for word in issue.title.split()), markup=False)

        def key_escape(self) -> None:
            self.dismiss()

    monkeypatch.setattr(panes, "history", lambda context, _: context.shell.app.push_screen(Careless()))
    async with shared(tmp_path, monkeypatch) as (stage, watcher):
        command_of.cache_clear()
        try:
            assert await _leaks(stage, watcher, "pane.log")
        finally:
            command_of.cache_clear()
