"""The small world with a team: two engineers, of whom one is absent for most of 19.8."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tui.app.stage import Stage, staged

#: 19.8 has 25 workdays: 12.5 for alder; birch is there for 2 and has a budget of 1.
TEAM = """\
holidays = []
[[people]]
username = "eng_alder"
role = "backend"
[[people]]
username = "eng_birch"
role = "frontend"
time_off = [{ from = "2026-12-12", to = "2027-01-13" }]
"""


@pytest.fixture
def team_file(tmp_path: Path) -> Path:
    """The team's days."""
    path = tmp_path / "team.toml"
    path.write_text(TEAM, encoding="utf-8")
    return path


@pytest_asyncio.fixture
async def stage(team_file: Path) -> AsyncIterator[Stage]:
    """The small world's planning board, loaded, with a team."""
    async with staged(team_file=team_file) as running:
        yield running
