"""Failures: rejected edits, no connection, invalid tokens, small terminals, quitting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widgets import OptionList, Static

from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.errors import (
    ConnectionFailed,
    EditForbidden,
    Offline,
    TokenRejected,
)
from glboard_core.sync.engine import Engine
from glboard_tui import notices
from glboard_tui.app import GlboardApp
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.failed_changes import FailedList
from glboard_tui.widgets.messages import Panel
from support.make import WHEN, issue_id
from tui.app.stage import GROUP, STILL, Stage, small_world, staged


def panel(stage: Stage) -> str:
    return str(stage.screen.query_one(Panel).query_one(Static).render())


@pytest.mark.slow
async def test_a_rejected_edit_is_reverted_and_listed(stage: Stage) -> None:
    await stage.mark("platform#5", "locked#1")
    await stage.press("4")
    await stage.settle()
    assert (stage.issue("platform#5").weight, stage.issue("locked#1").weight) == (4, None)
    assert len(stage.toasts) == 1
    assert stage.toasts[0].startswith("1 of 2 not changed: 2 weight 4")
    assert stage.screen.header.view.failed == 1
    assert stage.app.bridge.flags.is_failed(stage.issue("locked#1").id)
    await stage.press("g", "f")
    assert isinstance(stage.app.screen, FailedList)
    assert stage.app.screen.query_one(OptionList).option_count == 1
    await stage.press("r")
    await stage.settle()
    assert stage.screen.header.view.failed == 1
    await stage.press("g", "f", "d")
    assert len(stage.app.screen_stack) == 2
    assert stage.screen.header.view.failed == 0
    await stage.press("u")
    await stage.settle()
    assert stage.issue("platform#5").weight == 1


def test_what_went_through_of_an_edit_is_named() -> None:
    def op(change: Edit) -> Op:
        return Op(id=OpId("1"), group=GroupId("g"), issue=issue_id(1), change=change, at=WHEN)

    refused = (op(Edit(weight=1)), EditForbidden("The weight was not set."))
    notice = notices.failures("#1 edit", [refused], 1, [op(Edit(add=frozenset({"priority::4"})))])
    assert notice.title == "Partly changed: #1 edit"
    assert notice.message == "Applied: +priority::4\nThe weight was not set."
    notice = notices.failures("2 edit", [refused], 1)
    assert notice.title == "1 of 2 not changed: 2 edit"


def test_reasons_are_grouped() -> None:
    def op(number: int) -> Op:
        return Op(
            id=OpId(str(number)), group=GroupId("g"), issue=issue_id(number), change=Edit(weight=1), at=WHEN
        )

    failed = [(op(n), EditForbidden("You may not edit demo-org/locked.", hint="Ask.")) for n in range(3)]
    failed.append((op(9), EditForbidden("It is gone.")))
    notice = notices.failures("4 weight 1", failed, 2)
    assert notice.title == "4 of 6 not changed: 4 weight 1"
    assert notice.message == "3: You may not edit demo-org/locked.\n1: It is gone.\nAsk."
    assert notices.failures("", failed[:1], 0).title == "Not changed"


def test_every_error_has_a_message_and_most_have_a_hint() -> None:
    assert notices.notice_of(TokenRejected("401")).hint
    assert notices.notice_of(ConnectionFailed("x")).severity == "warning"
    assert "ValueError" in notices.unexpected(ValueError("a secret")).message
    assert "secret" not in notices.unexpected(ValueError("a secret")).text


@pytest.mark.slow
async def test_offline_edits_wait_and_are_sent_later(stage: Stage) -> None:
    stage.server.stop()
    await stage.focus("platform#2")
    await stage.press("3")
    await stage.until(lambda: stage.screen.header.view.fresh == "offline")
    assert stage.screen.header.view.unsent == 1
    assert len(stage.toasts) == 1
    assert stage.issue("platform#2").weight == 3
    await stage.press("q")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("escape")
    stage.server.start()
    await stage.press("r")
    await stage.until(lambda: stage.screen.header.view.unsent == 0)
    assert stage.world.issue(f"{GROUP}/platform#2").weight == 3


async def test_an_invalid_token_is_reported_and_r_retries() -> None:
    async with staged(token="glpat-wrong", loaded=False) as stage:
        await stage.until(lambda: "Sign-in" in panel(stage))
        assert "glpat-wrong" not in panel(stage)
        assert "r retries" in panel(stage)
        await stage.press("j", "3", "m", "escape", "slash", "g", "p")
        assert stage.app.is_running


async def test_connecting_after_a_failed_start() -> None:
    tries: list[int] = []
    async with staged() as other:

        @asynccontextmanager
        async def connect() -> AsyncIterator[Engine]:
            tries.append(1)
            if len(tries) == 1:
                raise Offline("Nothing answers at gitlab.example.com [/x].", hint="Check --url.")
            yield other.engine

        app = GlboardApp(STILL, connect)
        async with app.run_test(size=(100, 30)) as pilot:
            stage = Stage(app, pilot, None)
            await stage.until(lambda: app.bridge.connect_error is not None)
            await pilot.pause()
            assert "gitlab.example.com [/x]" in panel(stage)
            assert stage.screen.header.view.fresh == "offline"
            await stage.press("r")
            await stage.until(lambda: app.bridge.index is not None)
            assert stage.cards()["maintenance"] == ["platform#4"]
            assert not stage.screen.query_one(Panel).display


async def test_an_unexpected_error_keeps_the_board_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("[/boom]")

    monkeypatch.setattr(stage.engine.gateway, "detail", broken)
    await stage.press("enter")
    await stage.until(lambda: bool(stage.toasts))
    assert "RuntimeError" in stage.toasts[0]
    await stage.press("escape", "j")
    assert stage.focused == "platform#2"


async def test_a_read_only_token_and_session() -> None:
    async with staged(read_only=True) as stage:
        await stage.press("3")
        assert stage.issue("platform#1").weight == 2
        assert "read-only session" in stage.message
        assert stage.screen.header.view.read_only


async def test_a_server_without_weights_neither_shows_nor_offers_them() -> None:
    async with staged(small_world(edition="ce")) as stage:
        assert sum("Community Edition" in toast for toast in stage.toasts) == 1
        await stage.press("3")
        assert "no weights" in stage.message
        assert "0-9" not in dict(stage.screen.footer.view.hints)
        assert stage.screen.header.view.sums[0].text == "9 issues"


async def test_a_licence_that_ends_under_the_open_screen_takes_its_fields_along() -> None:
    async with staged(small_world()) as stage:
        assert "w" in stage.screen.header.view.sums[0].text
        stage.world.tier = "free"
        await stage.press("r")
        await stage.settle()
        assert stage.screen.header.view.sums[0].text == "9 issues"
        assert sum("Premium license" in toast for toast in stage.toasts) == 1
        assert not stage.screen.header.view.changed


@pytest.mark.slow
async def test_the_smallest_terminal() -> None:
    async with staged(size=(40, 10)) as stage:
        await stage.press("j", "t")
        await stage.found("docu")
        await stage.press("enter", "s", "d", "y", "l")
        assert "documentation" in stage.issue("platform#2").labels
        assert stage.focused == "platform#4"
        await stage.pilot.resize_terminal(12, 4)
        await stage.press("j", "enter", "escape", "question_mark", "escape")
        assert stage.focused == "platform#4"


# Quitting


async def test_quitting_sends_unsent_changes(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("3")
    stage.screen.quit()
    await stage.until(lambda: not stage.app.is_running or stage.app._exit)
    assert stage.world.issue(f"{GROUP}/platform#2").weight == 3


async def test_keys_after_quit_never_reach_the_board_while_the_connection_is_dead(stage: Stage) -> None:
    await stage.focus("platform#2")
    # Nothing is answered, and no one has noticed yet.
    stage.server.faults.next("reset-before", times=999)
    await stage.press("3")
    before = stage.issue("platform#2")
    await stage.press("q", "5")
    assert stage.issue("platform#2") == before
    assert isinstance(stage.app.screen, Ask)
    await stage.press("y")
    assert stage.app._exit


async def test_no_network_code_is_loaded_before_the_first_frame() -> None:
    async with staged() as other:
        painted: list[bool] = []

        @asynccontextmanager
        async def connect() -> AsyncIterator[Engine]:
            painted.append(app.board_screen.is_mounted and bool(app.board_screen.header.view.board))
            yield other.engine

        app = GlboardApp(STILL, connect)
        async with app.run_test(size=(80, 24)) as pilot:
            await Stage(app, pilot, None).until(lambda: bool(painted))
        assert painted == [True]
