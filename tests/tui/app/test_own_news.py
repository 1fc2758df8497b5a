"""What the user did here is not a change by others, in whatever request it went."""

from __future__ import annotations

import pytest

from tui.app.stage import Stage
from tui.app.test_unseen_changes import others


@pytest.mark.slow
async def test_own_comments_are_not_news(stage: Stage) -> None:
    for name, keys in (("platform#2", ("c",)), ("platform#2", ("c",)), ("platform#1", ("x", "p"))):
        await stage.focus(name)
        await stage.press(*keys)
        await stage.type("No time")
        await stage.press("ctrl+s")
        await stage.settle()
        await others(stage)
    assert [(row.what, row.by) for row in stage.app.bridge.unseen] == []
