"""Starting: the first screen."""

from __future__ import annotations

import gc

from tui.app.stage import Stage, small_world, staged


async def test_the_planning_board_of_the_next_milestone(stage: Stage) -> None:
    assert stage.cards() == {
        "bug": ["platform#1", "platform#2", "platform#3", "ai-gateway#1"],
        "maintenance": ["platform#4"],
        "feature": ["platform#5", "platform#6", "locked#1"],
        "(unlisted)": ["platform#7"],
    }
    header = stage.screen.header.view
    assert (header.board, header.shown, header.fresh) == ("Planning 19.8", "planning", "live")
    assert header.dates == ("12 Dec – 15 Jan", "starts in 5 days")
    assert header.sums[0].text == "planned 9w"
    assert stage.focused == "platform#1"


async def test_garbage_is_collected_again_after_the_first_frame() -> None:
    gc.disable()
    try:
        async with staged(small_world()) as stage:
            assert stage.cards()
            assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
