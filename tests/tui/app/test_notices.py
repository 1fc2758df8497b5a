"""The report on changes that waited: one, after GitLab replied to all of them."""

from __future__ import annotations

import pytest
from msgspec import structs
from textual.widgets import Static
from textual.widgets._toast import Toast

from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.errors import EditForbidden, GlboardError
from glboard_core.sync.events import Settled, Status
from glboard_tui import app, notices
from glboard_tui.bridge import Update
from glboard_tui.notices import WORTH, CatchUp
from support.make import WHEN, issue_id
from tui.app.stage import GROUP, Stage, staged


class Clock:
    """A clock that the test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def settled(done: int, failed: int = 0) -> Settled:
    ops = [
        Op(id=OpId(str(n)), group=GroupId("g"), issue=issue_id(n), change=Edit(weight=1), at=WHEN)
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
    assert notice.message == "Back online: 3 changes sent."
    # From then on every change is reported by itself again.
    assert waited.hear(LIVE, [settled(0, 1)]) == (False, None)


async def test_a_key_that_failed_on_many_cards_is_told_once(stage: Stage) -> None:
    news = notices.News(stage.app.bridge)
    before = len(stage.toasts)
    for left in (2, 1):
        news.tell(stage.app, Update(settled=[structs.replace(settled(1, 1), left=left)]))
    assert len(stage.toasts) == before
    news.tell(stage.app, Update(settled=[settled(1, 1)]))
    await stage.settle()
    [toast] = stage.toasts[before:]
    assert toast.startswith("3 of 6 not changed")


def test_rejected_changes_are_reported_with_reason_and_place() -> None:
    waited = CatchUp(Clock())
    waited.hear(OFFLINE, ())
    _, notice = waited.hear(LIVE, [settled(5), settled(0, 1)])
    assert notice is not None
    assert (notice.title, notice.severity) == ("Back online: 5 sent, 1 rejected", "error")
    assert notice.text == "You may not.\nAsk.\ngf lists failed changes"


def test_one_lost_request_is_not_reported() -> None:
    waited = CatchUp(Clock())
    waited.hear(OFFLINE, ())
    assert waited.hear(LIVE, [settled(3)]) == (True, None)


@pytest.mark.parametrize(("count", "words"), [(1, "1 change sent"), (2, "2 changes sent")])
def test_sending_changes_of_the_last_session_is_reported(count: int, words: str) -> None:
    waited = CatchUp(Clock())
    waited.left_over(count)
    assert waited.hear(Status(freshness="cached", unsent=count), ()) == (True, None)
    _, notice = waited.hear(LIVE, [settled(count)])
    assert notice is not None
    assert notice.message == f"From the last session: {words}."


def test_conflicts_do_not_delay_the_report() -> None:
    waited = CatchUp(Clock())
    waited.left_over(2)
    _, notice = waited.hear(Status(freshness="live", unsent=1, conflicts=1), [settled(1)])
    assert notice is not None
    assert notice.message.endswith("1 change sent; 1 conflict to resolve (! m, ! t).")


def test_undone_changes_are_not_reported() -> None:
    clock = Clock()
    waited = CatchUp(clock)
    waited.hear(OFFLINE, ())
    clock.now += WORTH
    assert waited.hear(LIVE, ()) == (True, None)


@pytest.mark.slow
async def test_one_toast_reports_all(stage: Stage) -> None:
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
    [toast] = stage.toasts[before:]
    assert toast.startswith(
        "Back online: 2 sent, 1 rejected: You are not allowed to change issues in demo-org/locked. "
    )
    assert stage.world.issue(f"{GROUP}/platform#2").weight == 3


@pytest.mark.slow
@pytest.mark.parametrize(("quiet", "said"), [(notices.QUIET, 1), (0.0, 2)])
async def test_an_unstable_connection_is_reported_only_once_in_a_while(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, quiet: float, said: int
) -> None:
    monkeypatch.setattr(notices, "QUIET", quiet)
    for _ in range(2):
        stage.server.stop()
        await stage.press("r")
        await stage.until(lambda: stage.screen.header.view.fresh == "offline")
        stage.server.start()
        await stage.press("r")
        await stage.until(lambda: stage.screen.header.view.fresh == "live")
    assert len(stage.toasts) == said


async def test_a_key_clears_a_toast_that_was_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(app, "monotonic", lambda: now[0])
    monkeypatch.setattr(app, "_READ", 1.0)
    stage.app.notify("Something failed", timeout=600)
    now[0] = 0.5
    await stage.press("j")
    # It is new: whoever types on has not seen it.
    assert stage.toasts == [": Something failed"]
    now[0] = 2.0
    await stage.press("j")
    assert stage.toasts == []


async def test_escape_clears_a_toast_at_once(stage: Stage) -> None:
    stage.app.notify("Something failed", timeout=600)
    await stage.press("escape")
    assert stage.toasts == []


REST = "(gl shows all)"


@pytest.mark.parametrize(
    ("title", "message", "shown", "cut"),
    [
        ("Not changed", "Forbidden\ngf lists them", ("Not changed", "Forbidden gf lists them"), False),
        ("", "short", ("", "short"), False),
        (
            "Title",
            "word " * 12,
            ("", "Title: word word word word word word\nword word word word word word"),
            False,
        ),
        ("Title", "word " * 30 + "\ngf lists them", ("", None), True),
        ("", "one\n" * 30 + "the last one is longer than half a line", ("", None), True),
    ],
)
def test_a_toast_has_at_most_two_lines(
    title: str, message: str, shown: tuple[str, str | None], cut: bool
) -> None:
    found_title, found, was_cut = notices.shortened(title, message, 40, REST)
    assert (found_title, was_cut) == (shown[0], cut)
    lines = found.split("\n")
    assert len(lines) + bool(found_title) <= 2
    assert all(len(line) <= 40 for line in lines)
    if shown[1] is not None:
        assert found == shown[1]
    else:
        assert "…" in found
        assert found.endswith(("… gf lists them", f"… {REST}"))


async def test_the_whole_of_a_cut_message_can_be_read_until_the_screen_is_shared(stage: Stage) -> None:
    end = "What to do is at the end, and it is longer than half of a line of this screen: wait for an hour."
    stage.app.notify("word " * 100 + f"\n{end}")
    await stage.until(lambda: bool(stage.toasts))
    assert f"… {REST}" in stage.toasts[0]
    await stage.press("g", "l")
    text = "\n".join(str(part.render()) for part in stage.app.screen.query(Static))
    assert text.count("word") == 100
    assert end in text
    await stage.press("escape", "p", "g", "l")
    assert "word" not in "\n".join(str(part.render()) for part in stage.app.screen.query(Static))


async def test_a_toast_of_one_line_covers_no_card() -> None:
    words = "The configuration was read again, and here are more words than sixty cells hold."
    async with staged(toasts=True) as stage:
        stage.app.notify(words)
        await stage.until(lambda: any(toast.region for toast in stage.app.screen.query(Toast)))
        [toast] = stage.app.screen.query(Toast)
        assert toast.region.height == 1
        assert toast.region.bottom == stage.app.size.height
