"""Reads a list on top of the board from the screen: shared by the tests of the lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from textual.screen import Screen
from textual.widgets import Static

from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.reports import Reports, open_reports
from glboard_core.sync.engine import Engine
from glboard_tui.screens.issue_list import IssueList
from tui.app.stage import Stage

S = TypeVar("S", bound=Screen[Any])


def on_top(stage: Stage, kind: type[S]) -> S:
    assert isinstance(stage.app.screen, kind), stage.app.screen
    return stage.app.screen


def text(stage: Stage) -> str:
    """The text of the screen on top, with the message of a list's footer."""
    screen = stage.app.screen
    said = [str(part.render()) for part in screen.query(Static)]
    return "\n".join([*said, screen.footer.view.message] if isinstance(screen, IssueList) else said)


def names(stage: Stage) -> list[str]:
    found = stage.app.screen
    assert isinstance(found, IssueList)
    return [stage.name(entry.issue) for entry in found.entries]


@asynccontextmanager
async def reading(engine: Engine) -> AsyncIterator[Reports]:
    assert isinstance(engine.gateway, GitLabGateway)
    async with open_reports(engine) as reports:
        yield reports


def lines(stage: Stage) -> list[str]:
    """The lines a list shows below its column titles."""
    rows = on_top(stage, IssueList).rows
    return [rows.render_line(y).text.rstrip() for y in range(1, rows.size.height)]
