"""A very first start: unread columns do not look empty, and counts are shown only once they are exact."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from glboard_core.config import LabelSettings
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.model.issue import Issue
from glboard_core.model.query import IssueQuery
from tui.app.stage import STILL, Stage, staged

#: The milestone of a board that has no cards.
EMPTY = "Next 4-6 releases"


class Slow:
    """Delays the requests for one column, and those for the rest."""

    def __init__(self) -> None:
        self.column, self.rest = asyncio.Event(), asyncio.Event()
        self._pages = GitLabGateway.pages

    async def pages(self, gateway: GitLabGateway, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        if query.milestone is None:
            await self.rest.wait()
        elif "type::bug" in query.labels or query.milestone == EMPTY:
            await self.column.wait()
        async for page in self._pages(gateway, query):
            yield page


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()

    def pages(gateway: GitLabGateway, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        return made.pages(gateway, query)

    monkeypatch.setattr(GitLabGateway, "pages", pages)
    return made


def drawn(stage: Stage) -> str:
    """The lines of the board on the screen."""
    strips = stage.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def test_a_column_not_read_yet_shows_loading_and_no_count(slow: Slow) -> None:
    async with staged(loaded=False) as stage:
        await stage.until(lambda: stage.app.bridge.unread() == {"type::bug", "(closed)"})
        await stage.pilot.pause()
        lines = drawn(stage).splitlines()
        _, bug, maintenance, *_ = lines[3].split("■")
        assert bug.split() == ["bug", "…"]
        assert maintenance.split() == ["maintenance", "1", "3w"]
        assert lines[5].startswith("   loading …")
        assert "loading …" in lines[1]
        header = stage.screen.header.view
        assert (header.fresh, header.progress) == ("loading", "5 of 13")

        slow.column.set()
        await stage.until(lambda: not stage.app.bridge.is_partial)
        await stage.pilot.pause()
        lines = drawn(stage).splitlines()
        assert lines[3].startswith(" ■ bug")
        assert " 4  5w " in lines[3]
        assert "1 has no weight" in lines[4]
        assert "loading …" not in "\n".join(lines[3:])
        # Carry-over and people need other boards, too: they are not shown before everything is read.
        assert stage.screen.header.view.sums[0].text == "planned 9w"
        assert len(stage.screen.header.view.sums) == 2

        slow.rest.set()
        await stage.settle()
        assert stage.screen.header.view.fresh == "live"


async def test_a_loading_board_is_not_shown_as_empty(slow: Slow) -> None:
    async with staged(loaded=False) as stage:
        await stage.until(lambda: stage.app.bridge.index is not None)
        await stage.press("g", "4")
        assert "Loading …" in drawn(stage)
        slow.column.set()
        await stage.until(lambda: not stage.app.bridge.is_partial)
        await stage.pilot.pause()
        assert "No issues in Next 4-6 releases" in drawn(stage)
        assert not stage.app.bridge.is_complete


async def test_a_team_label_that_does_not_exist_is_named_on_the_empty_board() -> None:
    """The label by default is another team's: without a configuration, every board is empty."""
    settings = structs.replace(STILL, labels=LabelSettings(group="group::elsewhere"))
    async with staged(settings=settings) as stage:
        shown = drawn(stage)
        assert "The label group::elsewhere does not exist, so all boards are empty" in shown
        assert "glboard config init" in shown


async def test_a_milestone_that_does_not_exist_is_named_on_its_empty_board() -> None:
    """At any width the whole advice is shown."""
    settings = structs.replace(STILL, milestones={**STILL.milestones, "next-4-6": ("Much later",)})
    async with staged(settings=settings, board="next-4-6", size=(80, 30)) as stage:
        shown = " ".join(drawn(stage).split())
        assert "The milestone Much later does not exist, so this board is empty" in shown
        for words in (
            "Create it as a milestone of the group in GitLab",
            "under [milestones] in config.toml.",
        ):
            assert words in shown
