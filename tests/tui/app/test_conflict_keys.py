"""Keep mine, keep theirs, or look: resolving a conflict on the same field; and the change log."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from glboard_core.model.issue import Issue
from glboard_core.sync.timing import Timing
from glboard_tui.screens.failed_changes import FailedList
from tui.app.stage import GROUP, STILL, Stage, staged

#: Fresh data is read again before sending: otherwise a test is too fast for a conflict.
WARY = Timing(fresh=0.0)


async def clash(stage: Stage) -> Issue:
    """Someone else sets a card's weight while it is set here."""
    await stage.focus("platform#1")
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", weight=8)
    await stage.press("5")
    await stage.settle()
    issue = stage.issue("platform#1")
    assert [c.theirs for c in stage.engine.outbox.conflicting(issue.id)] == ["8"]
    assert stage.world.issue(f"{GROUP}/platform#1").weight == 8
    await stage.focus("platform#1")
    return issue


@pytest.mark.parametrize(
    ("keys", "weight"),
    [(("!", "m"), 5), (("!", "t"), 8), (("!", "l", "m"), 5), (("!", "l", "t"), 8)],
)
async def test_one_key_resolves_a_conflict(keys: tuple[str, ...], weight: int) -> None:
    async with staged(timing=WARY) as stage:
        issue = await clash(stage)
        await stage.press(*keys)
        await stage.settle()
        assert stage.engine.outbox.conflicting(issue.id) == ()
        assert stage.world.issue(f"{GROUP}/platform#1").weight == weight
        assert stage.issue("platform#1").weight == weight


async def test_what_decides_a_conflict_is_said_on_its_card_and_in_the_list() -> None:
    async with staged(timing=WARY) as stage:
        await clash(stage)
        await stage.press("j", "k")
        hints = list(stage.screen.footer.view.hints)
        assert hints[:3] == [("!m", "keep mine"), ("!t", "keep theirs"), ("!l", "compare")]
        await stage.press("j")
        assert ("!m", "keep mine") not in stage.screen.footer.view.hints
        await stage.press("g", "f")
        assert isinstance(stage.app.screen, FailedList)
        shown = str(stage.app.screen.list.get_option_at_index(0).prompt)
        assert "r keeps yours · d keeps theirs" in shown


async def test_looking_at_a_conflict_changes_nothing() -> None:
    async with staged(timing=WARY) as stage:
        issue = await clash(stage)
        await stage.press("!", "l", "escape")
        assert stage.engine.outbox.conflicting(issue.id)


async def test_conflict_keys_do_nothing_without_a_conflict() -> None:
    async with staged() as stage:
        await stage.focus("platform#1")
        await stage.press("!", "m")
        assert stage.engine.outbox.of(stage.issue("platform#1").id) == []


async def test_the_log_lists_changes_and_undoes_the_last() -> None:
    async with staged() as stage:
        await stage.focus("platform#1")
        before = stage.issue("platform#1").weight
        await stage.press("7")
        await stage.settle()
        await stage.press("g", "h")
        [row] = stage.app.bridge.changes.history()
        assert (row.reference, row.what, row.result) == ("platform#1", "weight 7", "done")
        await stage.press("u")
        await stage.settle()
        assert stage.issue("platform#1").weight == before


async def test_the_log_lists_unsent_changes_first() -> None:
    held = replace(STILL, sync=replace(STILL.sync, hold=600))
    async with staged(settings=held) as stage:
        await stage.focus("platform#1")
        await stage.press("7")
        [row] = stage.app.bridge.changes.history()
        assert (row.when, row.reference, row.what) == ("not sent yet", "platform#1", "weight 7")
        await stage.press("u")
        assert stage.app.bridge.changes.history() == []


@pytest.mark.parametrize(("key", "weight"), [("r", 5), ("d", 8)])
async def test_a_conflict_on_a_card_that_left_the_board_is_decided_in_the_list(key: str, weight: int) -> None:
    async with staged(timing=WARY) as stage:
        issue = await clash(stage)
        stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.10")
        await stage.engine.poller.poll()
        await stage.until(lambda: stage.issue("platform#1").milestone == "19.10")
        assert stage.screen.header.view.conflicts == 1
        await stage.press("!", "m")
        assert stage.engine.outbox.conflicting(issue.id)
        await stage.press("g", "f")
        assert isinstance(stage.app.screen, FailedList)
        await stage.press("e", "R", "D")
        assert stage.engine.outbox.conflicting(issue.id)
        await stage.press(key)
        await stage.settle()
        assert stage.world.issue(f"{GROUP}/platform#1").weight == weight
        assert stage.screen.header.view.conflicts == 0
