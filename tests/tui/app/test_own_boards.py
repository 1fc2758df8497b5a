"""Boards of one's own on the screen: key, order, density, limits, priorities."""

from __future__ import annotations

from msgspec import structs

from glboard_core.config import BoardSettings, LabelSettings, Limit, Settings
from glboard_core.demo.world.world import World
from tui.app.stage import GROUP, STILL, small_world, staged

HEAVY = BoardSettings(
    id="heavy",
    name="Heavy",
    by="none",
    key="g5",
    milestone="next",
    order="weight",
    density="dense",
    limits={"*": Limit(issues=7, weight=8)},
)
URGENCY = BoardSettings(id="urgency", name="Urgency", by="priority", key="g6", milestone="next")


def settings(**labels: object) -> Settings:
    names = LabelSettings(**labels)  # type: ignore[arg-type]
    return structs.replace(STILL, labels=names, boards=(*STILL.boards, HEAVY, URGENCY))


def urgent_world() -> World:
    """Priorities that are no scoped labels."""
    world = small_world()
    for title in ("urgent", "soon"):
        world.add_label(world.group(GROUP), title)
    world.edit(f"{GROUP}/platform#1", by="em_maple", add_labels=["soon"])
    return world


async def test_a_board_has_its_own_key_order_density_and_limits() -> None:
    async with staged(settings=settings()) as stage:
        densities = [stage.screen.board.density]
        await stage.press("g", "5")
        densities.append(stage.screen.board.density)
        assert densities == ["auto", "dense"]
        assert next(iter(stage.cards().values()))[:2] == ["platform#4", "platform#1"]
        assert stage.screen.header.view.sorted_by == "sorted by weight"
        [head] = stage.screen.board.columns._headers._headers
        assert (head.count, head.limit_issues, head.weight, head.limit_weight) == (9, 7, 9, 8)
        await stage.press("O", "z")
        assert stage.screen.header.view.sorted_by == "sorted by priority, not GitLab's order"
        await stage.press("g", "p")
        assert stage.screen.board.density == "auto"
        assert stage.screen.header.view.sorted_by == ""
        await stage.press("g", "5")
        assert stage.screen.board.density == "auto"
        assert stage.screen.header.view.sorted_by.startswith("sorted by priority")


async def test_listed_priorities_exclude_one_another_by_every_key() -> None:
    async with staged(urgent_world(), settings=settings(priorities=("urgent", "soon"))) as stage:
        await stage.press("g", "6")
        assert stage.cards()["soon"] == ["platform#1"]
        await stage.focus("platform#1")
        await stage.press("H")
        await stage.settle()
        assert {"urgent", "soon"} & stage.issue("platform#1").labels == {"urgent"}
        assert stage.cards()["urgent"] == ["platform#1"]
        await stage.press("P", "2")
        await stage.settle()
        assert {"urgent", "soon"} & stage.issue("platform#1").labels == {"soon"}
        await stage.press("u")
        await stage.settle()
        assert {"urgent", "soon"} & stage.issue("platform#1").labels == {"urgent"}
