"""The board at the sizes people have, with titles that break boards: nothing is cut without a sign."""

from __future__ import annotations

import pytest

from glboard_core.demo.world.world import World
from tui.app.stage import GROUP, GROUP_LABEL, READY, Stage, small_world, staged

SIZES = ((160, 45), (120, 36), (100, 30), (80, 24), (58, 20))
#: Long, wide, right to left, one endless word.
TITLES = (
    "Wrong total in token accounting behind a load balancer when the endpoint has a trailing slash",
    "漢字" * 40,
    "שלום עולם " * 12,
    "a" * 200,
)


def nasty_world() -> World:
    """The small world, with more to show on its first column."""
    world = small_world()
    for number, title in enumerate(TITLES):
        world.create(
            f"{GROUP}/platform",
            title,
            by="em_maple",
            milestone="19.8",
            add_labels=[GROUP_LABEL, "type::bug", READY, "missed:19.7", "priority::1", "documentation"],
            weight=number,
            assignees=["eng_alder"],
        )
    return world


def drawn(stage: Stage) -> list[str]:
    """The screen, line by line."""
    strips = stage.app.screen._compositor.render_strips(stage.app.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


async def read_down(stage: Stage) -> dict[str, str]:
    """What each card of the first column shows, read while going down."""
    found: dict[str, str] = {}
    for _ in range(9):
        pane = next(iter(stage.screen.board.columns.lists()))
        for shown in pane._window:
            if shown.y + shown.height > pane.size.height:
                continue
            lines = [pane.render_line(y).text for y in range(shown.y, shown.y + shown.height)]
            found[shown.issue] = "\n".join(lines)
        await stage.press("j")
    return found


async def test_no_fact_lies_and_nothing_is_cut_without_a_sign() -> None:
    async with staged(nasty_world(), size=SIZES[0]) as stage:
        for size in SIZES:
            await stage.pilot.resize_terminal(*size)
            await stage.press("g", "g")
            cards = await read_down(stage)
            assert len(cards) == 8, size
            for identity, text in cards.items():
                issue = next(one for one in stage.engine.shown.values() if one.id == identity)
                first, *others = text.splitlines()
                shown = "".join(line[2:].replace(" ", "") for line in (first[:-3], *others))
                title = issue.title.replace(" ", "")
                assert title in shown or "…" in text, (size, text)
                # What matters is never dropped: state and slips, whatever the width.
                if READY in issue.labels:
                    assert "ready" in text, (size, text)
                if "missed:19.7" in issue.labels:
                    assert "slipped" in text, (size, text)
                    assert "P1" in text, (size, text)


@pytest.mark.parametrize("keys", [("enter",), ("g", "r"), ("question_mark",), ("m",), ("t",), ("g", "t")])
async def test_every_pane_can_be_read_and_left_at_80x24(keys: tuple[str, ...]) -> None:
    async with staged(size=(80, 24)) as stage:
        before = drawn(stage)
        await stage.press(*keys)
        inside = drawn(stage)
        assert all(len(line) <= 80 for line in inside)
        assert inside != before
        await stage.press("escape")
        if stage.app.screen is not stage.screen:
            await stage.press("escape")
        assert stage.app.screen is stage.screen
        assert not stage.screen.pane.is_open
