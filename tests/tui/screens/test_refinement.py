"""The refinement queue: read the description, set weight and ready, next (rule 22)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.widgets import Markdown, Static

from glboard_core.demo.world.world import World
from glboard_core.errors import ConnectionFailed
from glboard_core.model.issue import IssueDetail, IssueId
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.prompts import CommentDialog
from glboard_tui.screens.queues import Refinement
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged

PLANNING = "workflow::planning breakdown"


def world() -> World:
    """Three issues need a weight: platform#2, platform#9 and, last, ai-gateway#2 with a description."""
    made = small_world()
    made.create(
        f"{GROUP}/ai-gateway",
        "Compare two models",
        by=ME,
        add_labels=[GROUP_LABEL, "type::feature", PLANNING],
        description="# Why\n\nTeams compare [/them] by hand.",
    )
    return made


def queue(stage: Stage) -> Refinement:
    assert isinstance(stage.app.screen, Refinement)
    return stage.app.screen


def here(stage: Stage) -> str:
    return stage.name(queue(stage).chosen())


def described(stage: Stage) -> str:
    documents = list(stage.app.screen.query(Markdown))
    return documents[0].source if documents and documents[0].display else ""


def pane_says(stage: Stage) -> str:
    return "\n".join(str(part.render()) for part in queue(stage).reading.pane.query(Static) if part.display)


@pytest.mark.slow
async def test_the_description_is_next_to_the_list_or_below_it_on_a_narrow_terminal() -> None:
    for size in ((160, 45), (100, 30)):
        async with staged(world(), size=size) as stage:
            await stage.press("g", "q", "G")
            assert here(stage) == "ai-gateway#2"
            await stage.until(lambda stage=stage: "by hand" in described(stage))  # type: ignore[misc]
            rows, pane = queue(stage).rows.region, queue(stage).reading.pane.region
            if size[0] == 160:
                assert rows.right <= pane.x
                assert rows.y == pane.y
            else:
                assert rows.bottom <= pane.y
                assert pane.height >= 10
            await stage.press("v")
            assert not queue(stage).reading.pane.display
            await stage.press("enter")
            assert queue(stage).reading.pane.display


async def test_weight_and_ready_moves_on_to_the_next_issue() -> None:
    async with staged(world()) as stage:
        await stage.press("g", "q", "j", "W", "2")
        assert stage.issue("platform#9").weight == 2
        assert "workflow::ready for development" in stage.issue("platform#9").labels
        assert here(stage) == "ai-gateway#2"
        await stage.until(lambda: "by hand" in described(stage))


@pytest.mark.slow
async def test_a_weight_over_three_asks_once() -> None:
    async with staged(world()) as stage:
        await stage.press("g", "q", "W", "5")
        assert isinstance(stage.app.screen, Ask)
        await stage.press("escape")
        assert stage.issue("platform#2").weight is None
        await stage.press("W", "5", "y")
        assert stage.issue("platform#2").weight == 5
        await stage.press("u", "g", "g", "W", "5")
        assert stage.issue("platform#2").weight == 5  # already confirmed
        assert here(stage) == "platform#9"
        await stage.press("W", "8", "b")
        assert "breakdown" in str(stage.app.screen.query(".overlay-title").first(Static).render())


async def test_a_selection_is_weighted_after_one_question() -> None:
    async with staged(world()) as stage:
        await stage.press("g", "q", "asterisk", "W", "4", "y")
        assert queue(stage).entries == []
        await stage.press("u")
        assert len(queue(stage).entries) == 3


@pytest.mark.slow
async def test_asking_is_a_comment_and_a_spike_reminds_of_its_scope() -> None:
    made = world()
    made.add_label(made.group(GROUP), "spike")
    async with staged(made) as stage:
        await stage.press("g", "q", "c")
        assert isinstance(stage.app.screen, CommentDialog)
        await stage.type("why?")
        await stage.press("ctrl+s")
        assert stage.app.bridge.undoing.title == "platform#2 comment"
        assert here(stage) == "platform#2"
        await stage.press("W", "s")
        assert isinstance(stage.app.screen, Ask)
        assert "what to find out" in stage.app.screen.note
        await stage.press("y")
        assert stage.issue("platform#2").weight == 2
        assert "spike" in stage.issue("platform#2").labels


async def test_a_late_description_is_not_shown_for_another_issue(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(world()) as stage:
        gates: dict[IssueId, asyncio.Event] = {}

        async def slow(issue: IssueId) -> IssueDetail:
            await gates.setdefault(issue, asyncio.Event()).wait()
            return IssueDetail(id=issue, description=f"of {issue}")

        monkeypatch.setattr(stage.engine.gateway, "detail", slow)
        await stage.press("g", "q")
        first = stage.issue("platform#2").id
        await stage.until(lambda: first in gates)
        await stage.press("j")
        assert here(stage) == "platform#9"  # did not wait
        second = stage.issue("platform#9").id
        await stage.until(lambda: second in gates)
        gates[first].set()
        gates[second].set()
        await stage.until(lambda: described(stage) == f"of {second}")


async def test_a_description_that_cannot_be_read_shows_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(world()) as stage:

        async def broken(_: IssueId) -> IssueDetail:
            raise ConnectionFailed("GitLab did not answer.")

        monkeypatch.setattr(stage.engine.gateway, "detail", broken)
        await stage.press("g", "q")
        await stage.until(lambda: "GitLab did not answer." in pane_says(stage))
        await stage.press("W", "1")
        assert stage.issue("platform#2").weight == 1


class Rests:
    """Timers that the test ends."""

    def __init__(self) -> None:
        self.waiting: list[_Rest] = []

    def set_timer(self, _: float, callback: Callable[[], None]) -> _Rest:
        """Wait."""
        rest = _Rest(self, callback)
        self.waiting.append(rest)
        return rest

    def end(self) -> None:
        """Let the time elapse."""
        for rest in list(self.waiting):
            rest.stop()
            rest.callback()


class _Rest:
    def __init__(self, rests: Rests, callback: Callable[[], None]) -> None:
        self._rests = rests
        self.callback = callback

    def stop(self) -> None:
        """Stop waiting."""
        if self in self._rests.waiting:
            self._rests.waiting.remove(self)


async def test_nothing_is_requested_until_the_cursor_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(world()) as stage:
        asked: list[IssueId] = []
        known = stage.engine.gateway.detail

        async def counted(issue: IssueId) -> IssueDetail:
            asked.append(issue)
            return await known(issue)

        monkeypatch.setattr(stage.engine.gateway, "detail", counted)
        # The cursor rests when the test says so, however slow the machine is.
        rests = Rests()
        monkeypatch.setattr(Refinement, "set_timer", rests.set_timer)
        await stage.press("g", "q", "j", "j")
        assert here(stage) == "ai-gateway#2"
        assert len(rests.waiting) == 1
        assert asked == []
        rests.end()
        await stage.until(lambda: "by hand" in described(stage))
        assert asked == [stage.issue("ai-gateway#2").id]
        await stage.press("k", "j")
        assert rests.waiting == []
        await stage.until(lambda: "by hand" in described(stage))
        assert asked == [stage.issue("ai-gateway#2").id]


async def test_share_mode_shows_no_description() -> None:
    async with staged(world()) as stage:
        stage.world.edit(stage.issue("platform#2").reference, by="eng_birch", confidential=True)
        await stage.press("r")
        await stage.until(lambda: stage.issue("platform#2").confidential)
        await stage.press("p", "g", "q")
        assert "Hidden on the shared screen" in pane_says(stage)
        assert "Slow answers" not in pane_says(stage)
