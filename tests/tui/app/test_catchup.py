"""What is said of changes that waited: once, when all of them were answered."""

from __future__ import annotations

import pytest

from glboard_core.board.op import Edit, GroupId, Op, OpId
from glboard_core.errors import EditForbidden, GlboardError
from glboard_tui.bridge import Settled, Status
from glboard_tui.screens import news
from glboard_tui.screens.catchup import WORTH, CatchUp
from support.make import WHEN, issue_id
from tui.app.stage import GROUP, Stage


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def settled(done: int, failed: int = 0) -> Settled:
    ops = [
        Op(id=OpId(str(n)), group=GroupId("g"), issue=issue_id(n), act=Edit(weight=1), at=WHEN)
        for n in range(done + failed)
    ]
    error: GlboardError = EditForbidden("You may not.", hint="Ask.")
    return Settled(title="t", done=tuple(ops[:done]), failed=tuple((op, error) for op in ops[done:]))


OFFLINE, LIVE = Status(freshness="offline", unsent=3), Status(freshness="live")


def test_back_online_is_one_line() -> None:
    clock = Clock()
    waited = CatchUp(clock)
    assert waited.hear(OFFLINE, ()) == (True, None)
    clock.now += WORTH
    assert waited.hear(Status(freshness="live", unsent=1), [settled(2)]) == (True, None)
    told, notice = waited.hear(LIVE, [settled(1)])
    assert told
    assert notice is not None
    assert notice.message == "Back online: 3 changes were sent."
    # From then on every keystroke speaks for itself again.
    assert waited.hear(LIVE, [settled(0, 1)]) == (False, None)


def test_what_was_refused_is_said_with_the_reason_and_where_it_is() -> None:
    waited = CatchUp(Clock())
    waited.hear(OFFLINE, ())
    _, notice = waited.hear(LIVE, [settled(5), settled(0, 1)])
    assert notice is not None
    assert (notice.title, notice.severity) == ("Back online: 5 sent, 1 refused", "error")
    assert notice.text == "You may not.\nAsk.\ngf lists what failed"


def test_one_lost_request_is_not_worth_a_word() -> None:
    waited = CatchUp(Clock())
    waited.hear(OFFLINE, ())
    assert waited.hear(LIVE, [settled(3)]) == (True, None)


@pytest.mark.parametrize(("count", "words"), [(1, "1 change was sent"), (2, "2 changes were sent")])
def test_what_the_last_session_left_is_said_to_be_sent(count: int, words: str) -> None:
    waited = CatchUp(Clock())
    waited.left_over(count)
    assert waited.hear(Status(freshness="cached", unsent=count), ()) == (True, None)
    _, notice = waited.hear(LIVE, [settled(count)])
    assert notice is not None
    assert notice.message == f"Of the last session: {words}."


def test_what_waits_for_a_choice_does_not_hold_it_up() -> None:
    waited = CatchUp(Clock())
    waited.left_over(2)
    _, notice = waited.hear(Status(freshness="live", unsent=1, conflicts=1), [settled(1)])
    assert notice is not None
    assert notice.message.endswith("1 change was sent; 1 waits for your choice (! m, ! t).")


def test_what_was_taken_back_meanwhile_needs_no_word() -> None:
    clock = Clock()
    waited = CatchUp(clock)
    waited.hear(OFFLINE, ())
    clock.now += WORTH
    assert waited.hear(LIVE, ()) == (True, None)


async def test_on_the_screen_one_toast_tells_of_all(stage: Stage) -> None:
    stage.server.stop()
    await stage.focus("platform#2")
    await stage.press("3")
    await stage.until(lambda: stage.screen.header.view.fresh == "offline")
    before = len(stage.toasts)
    await stage.focus("locked#1")
    await stage.press("4")
    await stage.focus("platform#5")
    await stage.press("2")
    stage.server.start()
    await stage.press("r")
    await stage.until(lambda: stage.screen.header.view.unsent == 0)
    await stage.settle()
    assert [toast.splitlines()[0] for toast in stage.toasts[before:]] == [
        "Back online: 2 sent, 1 refused: You are not allowed to change issues in demo-org/locked."
    ]
    assert stage.world.issue(f"{GROUP}/platform#2").weight == 3


@pytest.mark.parametrize(("quiet", "said"), [(news.QUIET, 1), (0.0, 2)])
async def test_a_shaky_line_is_said_once_a_while(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, quiet: float, said: int
) -> None:
    monkeypatch.setattr(news, "QUIET", quiet)
    for _ in range(2):
        stage.server.stop()
        await stage.press("r")
        await stage.until(lambda: stage.screen.header.view.fresh == "offline")
        stage.server.start()
        await stage.press("r")
        await stage.until(lambda: stage.screen.header.view.fresh == "live")
    assert len(stage.toasts) == said
