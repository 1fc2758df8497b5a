"""How the header shows the board's freshness."""

from __future__ import annotations

import pytest

from glboard_core.config import Settings
from glboard_core.sync.events import Status
from glboard_tui.board_view import BoardView
from glboard_tui.head import header_view
from glboard_tui.widgets.colors import ansi_palette
from glboard_tui.widgets.header import paint_header

HOURS = 3_600.0


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(freshness="live", age=3 * HOURS), "live"),
        (Status(freshness="cached", age=3 * 60.0), "cached 3m"),
        (Status(freshness="cached", age=2 * HOURS, loading="what changed"), "cached 2h · what changed"),
        (Status(freshness="cached", age=72 * HOURS), "cached 3d"),
        (Status(freshness="cached"), "cached"),
        (Status(freshness="offline", age=72 * HOURS, loading="what changed"), "offline 3d"),
        (Status(freshness="signed-out", age=2 * HOURS), "signed out 2h"),
        (Status(freshness="loading", age=72 * HOURS, loading="40 issues"), "loading 40 issues"),
    ],
)
def test_the_header_shows_the_age_of_the_mirror(status: Status, words: str) -> None:
    view = header_view(BoardView(Settings(), "planning"), status)
    first, *_ = paint_header(view, 160, ansi_palette())
    assert first.text.partition("  ")[2].strip(" ●○").endswith(words)
