"""Ranking by key where GitLab has no positions yet, and where the group has no board."""

from __future__ import annotations

from glboard_core.demo.world import boards
from glboard_core.demo.world.world import World
from tui.app.stage import GROUP, Stage, small_world, staged

BUGS = ["platform#1", "platform#2", "platform#3", "ai-gateway#1"]


def world_without(*names: str) -> World:
    """The small world with these issues unplaced; with all of them if none is named."""
    world = small_world()
    chosen = [world.issue(f"{GROUP}/{name}") for name in names] or list(world.index.issues.values())
    boards.unplace(world, chosen)
    return world


def on_server(stage: Stage) -> list[str]:
    """The bugs as GitLab has them in order, those without a position last."""

    def key(name: str) -> tuple[bool, int, int]:
        issue = stage.world.issue(f"{GROUP}/{name}")
        return issue.position is None, issue.position or 0, issue.id

    return sorted(BUGS, key=key)


async def test_ranking_among_cards_without_a_position_shows_at_once_and_is_undone() -> None:
    async with staged(world_without("platform#2", "platform#3", "ai-gateway#1")) as stage:
        assert stage.cards()["bug"] == BUGS
        await stage.focus("platform#1")
        await stage.press("J", "J")
        moved = ["platform#2", "platform#3", "platform#1", "ai-gateway#1"]
        assert stage.cards()["bug"] == moved
        await stage.settle()
        assert stage.cards()["bug"] == moved
        assert on_server(stage) == moved
        assert not stage.engine.failed
        await stage.press("u", "u")
        await stage.settle()
        assert stage.cards()["bug"] == BUGS
        assert on_server(stage) == BUGS
        await stage.press("r")
        await stage.settle()
        assert stage.cards()["bug"] == BUGS
        # GitLab's own placing is no one's change.
        assert not list(stage.app.bridge.unseen)


async def test_undo_puts_a_card_back_that_had_no_position() -> None:
    async with staged(world_without()) as stage:
        await stage.focus("platform#3")
        await stage.press("g", "K")
        await stage.settle()
        assert on_server(stage)[:2] == ["platform#3", "platform#1"]
        await stage.press("u")
        await stage.settle()
        assert stage.cards()["bug"] == BUGS
        assert on_server(stage) == BUGS
        assert not stage.engine.failed


async def test_without_a_board_and_any_order_a_board_is_offered() -> None:
    world = world_without()
    world.boards.clear()
    async with staged(world) as stage:
        await stage.focus("platform#1")
        await stage.press("J", "y")
        await stage.until(lambda: bool(stage.world.boards))
        await stage.until(lambda: stage.cards()["bug"][0] == "platform#2")
        await stage.settle()
        assert [board.name for board in stage.world.boards.values()] == ["Development"]
        assert on_server(stage) == ["platform#2", "platform#1", "platform#3", "ai-gateway#1"]
        assert not stage.engine.failed


async def test_without_a_board_an_order_that_exists_can_be_changed() -> None:
    world = small_world()
    world.boards.clear()
    async with staged(world) as stage:
        await stage.focus("platform#1")
        await stage.press("J")
        await stage.settle()
        assert on_server(stage)[:2] == ["platform#2", "platform#1"]
        assert not stage.world.boards
        assert not stage.engine.failed


async def test_the_place_of_a_new_card_is_no_news() -> None:
    async with staged() as stage:
        await stage.focus("platform#4")
        await stage.press("n")
        await stage.type("Fresh one")
        await stage.press("enter")
        await stage.settle()
        assert stage.issue("platform#12").position is None
        stage.world.clock.advance(2)
        await stage.press("r")
        await stage.settle()
        assert stage.issue("platform#12").position is not None
        assert not list(stage.app.bridge.unseen)
