"""The change log (``gh``): searched, opened from, and undone from, line by line or several in one go."""

from __future__ import annotations

import pytest

from glboard_core.errors import StoreFailed
from glboard_tui.screens.change_log import ChangeLog
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.failed_changes import FailedList
from tui.app.stage import GROUP, ME, Stage
from tui.app.test_failed_changes import _fails


async def test_undo_in_the_log_reports_why_it_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.focus("platform#1")
    await stage.press("5")
    await stage.settle()
    await stage.press("g", "h")
    monkeypatch.setattr(stage.engine.store, "enqueue", _fails(StoreFailed("The disk is full.")))
    await stage.press("u")
    assert isinstance(stage.app.screen, ChangeLog)
    assert "The disk is full." in stage.toasts[-1]
    assert stage.issue("platform#1").weight == 5


@pytest.mark.slow
async def test_the_log_is_searched_and_opens_the_issue_of_a_change(stage: Stage) -> None:
    for name in ("platform#1", "platform#3"):
        await stage.focus(name)
        await stage.press("5")
    await stage.settle()
    await stage.press("g", "h", "slash")
    await stage.type("#1 weight")
    await stage.press("enter")
    log = stage.app.screen
    assert isinstance(log, ChangeLog)
    assert [row.reference for row in log._rows] == ["platform#1"]
    await stage.press("enter")
    assert stage.screen.pane.issue == stage.issue("platform#1").id
    await stage.press("escape", "g", "h", "slash")
    await stage.type("nothing like it")
    await stage.press("enter", "escape")
    # Escape ended the search; another one closes the log.
    assert isinstance(stage.app.screen, ChangeLog)
    await stage.press("escape")
    assert not stage.screen.context.panes


async def three_weights(stage: Stage) -> None:
    """platform#1, #3 and #4 get a weight, each with a key of its own, and GitLab has them."""
    for name in ("platform#1", "platform#3", "platform#4"):
        await stage.focus(name)
        await stage.press("5")
    await stage.settle()


def weights(stage: Stage) -> list[int | None]:
    return [stage.world.issue(f"{GROUP}/platform#{iid}").weight for iid in (1, 3, 4)]


@pytest.mark.slow
async def test_several_changes_are_marked_and_undone_in_one_go(stage: Stage) -> None:
    await three_weights(stage)
    await stage.press("g", "h", "space", "down", "space")
    assert isinstance(stage.app.screen, ChangeLog)
    assert "2 selected" in str(stage.app.screen._title_line.content)
    await stage.press("u")
    assert not stage.screen.context.panes
    assert "Undone: 2 changes." in stage.message
    await stage.settle()
    assert weights(stage) == [2, 5, 3], "the newest and the oldest; the one between stays"
    await stage.press("U")
    await stage.settle()
    assert weights(stage) == [5, 5, 5], "redo brings both back"


@pytest.mark.slow
async def test_what_was_undone_from_the_log_is_no_longer_undone(stage: Stage) -> None:
    await three_weights(stage)
    await stage.press("g", "h", "j", "u")
    await stage.settle()
    assert weights(stage) == [5, 1, 5]
    await stage.press("u", "u")
    await stage.settle()
    assert weights(stage) == [2, 1, 3], "undo goes on with the others, each once"
    await stage.press("g", "h", "u")
    assert isinstance(stage.app.screen, ChangeLog), "an undo is at the top: it says why, and stays"
    assert "Already undone" in str(stage.app.screen._hint_line.content)


async def test_a_line_stands_for_its_whole_keystroke(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("space", "down", "space", "5")
    await stage.settle()
    await stage.press("g", "h", "u")
    await stage.settle()
    assert [stage.world.issue(f"{GROUP}/platform#{iid}").weight for iid in (1, 2)] == [2, None]


@pytest.mark.slow
async def test_the_log_and_the_failed_list_have_other_orders(stage: Stage) -> None:
    await three_weights(stage)
    await stage.press("g", "h")
    log = stage.app.screen
    assert isinstance(log, ChangeLog)

    def shown() -> list[str]:
        return [row.reference for row in log._rows]

    assert shown() == ["platform#4", "platform#3", "platform#1"]
    await stage.press("O")
    assert shown() == ["platform#1", "platform#3", "platform#4"]
    assert "oldest first" in str(log._title_line.render())
    await stage.press("O")
    assert shown() == ["platform#1", "platform#3", "platform#4"]
    assert "by issue" in str(log._title_line.render())
    await stage.press("O", "escape")
    stage.world.project(f"{GROUP}/ai-gateway").overrides[stage.world.user(ME).id] = 10
    for name in ("locked#1", "ai-gateway#1"):
        await stage.focus(name)
        await stage.press("3")
    await stage.settle()
    await stage.press("g", "f")
    failed = stage.app.screen
    assert isinstance(failed, FailedList)
    assert [row.reference for row in failed._rows] == ["ai-gateway#1", "locked#1"]
    await stage.press("O")
    assert [row.reference for row in failed._rows] == ["locked#1", "ai-gateway#1"]
    await stage.press("slash")
    await stage.type("gateway")
    await stage.press("enter")
    assert [row.reference for row in failed._rows] == ["ai-gateway#1"]
    # All is all that is listed: the other one stays.
    await stage.press("D")
    assert [row.reference for row in failed._rows] == []
    assert [op.before.iid for op, _ in stage.engine.failed if op.before] == [1]
    await stage.press("escape", "escape")
    assert not stage.screen.context.panes


async def test_the_log_asks_before_it_deletes_a_comment_as_the_board_does(stage: Stage) -> None:
    def posted() -> bool:
        return any(
            note.body.startswith("hello") for note in stage.world.issue(f"{GROUP}/platform#1").notes or ()
        )

    await stage.press("c")
    await stage.type("hello")
    await stage.press("ctrl+s")
    await stage.settle()
    assert posted()
    await stage.press("g", "h", "u")
    assert isinstance(stage.app.screen, Ask)
    assert stage.app.screen.heading == "Delete the posted comment?"
    await stage.press("escape")
    assert isinstance(stage.app.screen, ChangeLog)
    await stage.settle()
    assert posted()
    await stage.press("u", "y")
    await stage.settle()
    assert not posted()
    assert not stage.screen.context.panes


async def test_the_footer_is_that_of_the_board_again_once_the_log_is_closed(stage: Stage) -> None:
    """A change that was sent meanwhile has drawn it for the log, whose keys act on no card."""
    await stage.focus("platform#1")
    before = stage.screen.footer.view
    await stage.press("g", "h")
    stage.screen.show_footer()
    assert stage.screen.footer.view != before
    await stage.press("escape")
    assert stage.screen.footer.view == before
