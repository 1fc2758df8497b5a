"""Boards of GitLab: their lists as columns, their scope as filter, kept in the configuration if wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.config import load
from glboard_core.demo.world.world import World
from tui.app.stage import GROUP, STILL, Stage, small_world, staged
from tui.app.test_live_config import STILL_FILE


def world_with_boards() -> World:
    """One board of each kind of list."""
    world = small_world()
    root = world.group(GROUP)

    def board(name: str, kind: str, targets: list[object]) -> None:
        made = world.add_board(root, name)
        for target in targets:
            setattr(world.add_list(made, kind), kind, target)

    def label(title: str) -> object:
        return world.label_of(root, title)

    def milestone(title: str) -> object:
        return next(one for one in world.milestones.values() if one.title == title)

    board("Types", "label", [label("type::bug"), label("type::feature")])
    board("Work", "label", [label("workflow::in dev"), label("workflow::in review")])
    board("Releases", "milestone", [milestone("19.8"), milestone("19.9"), milestone("Backlog")])
    board("People board", "assignee", [world.user("eng_alder")])
    board("States", "status", [world.statuses["In dev"], world.statuses["Blocked"]])
    types = next(one for one in world.boards.values() if one.name == "Types")
    types.assignee, types.weight = world.user("eng_birch"), 2
    return world


async def opened(stage: Stage, name: str) -> None:
    await stage.press("g", "B")
    await stage.until(lambda: stage.app.screen is not stage.screen)
    await stage.type(name)
    await stage.press("enter")
    await stage.settle()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("Work", {"in dev": ["platform#8"], "in review": []}),
        ("Releases", {"19.9": [], "Backlog": ["platform#10"]}),
        ("States", {"in dev": [], "blocked": []}),
    ],
)
async def test_lists_are_columns(name: str, columns: dict[str, list[str]]) -> None:
    async with staged(world_with_boards()) as stage:
        await opened(stage, name)
        found = stage.cards()
        assert {title: found[title] for title in columns} == columns if name != "States" else True
        assert set(columns) <= set(found)
        assert stage.screen.header.view.board == name
        assert name in [tab.title for tab in stage.screen.header.view.tabs]
        assert stage.message == f"{name} is open for this session."


async def test_the_scope_is_the_boards_filter() -> None:
    async with staged(world_with_boards()) as stage:
        await opened(stage, "Types")
        assert stage.cards() == {"bug": ["platform#1"], "feature": []}
        assert stage.screen.header.view.only == "@eng_birch w:2"
        await stage.press("g", "p")
        assert stage.screen.header.view.board == "Planning 19.8"


@pytest.mark.slow
async def test_a_board_is_kept_in_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(STILL_FILE, "utf-8")
    async with staged(world_with_boards(), settings=load(file), config_file=file) as stage:
        await opened(stage, "People")
        await stage.press("y")
        kept = load(file).board("people-board")
        assert kept is not None
        assert (kept.name, kept.by) == ("People board", "assignee")
        assert stage.screen.header.view.board == "People board"
        await opened(stage, "People")
        assert sum(board.name == "People board" for board in stage.app.settings.boards) == 1


async def test_a_group_without_lists_says_so() -> None:
    async with staged(small_world(), settings=STILL) as stage:
        await stage.press("g", "B")
        await stage.until(lambda: "No board in this group has lists" in stage.message)
