"""Hostile values in answers and headers: read, left out with a word, or an error with words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.app import App

from gateway.worlds import make
from glboard_core.board.operations import Edit
from glboard_core.config import GitLabSettings, Settings
from glboard_core.errors import GlboardError, NotUnderstood
from glboard_core.gitlab import answers
from glboard_core.gitlab.decode import WireIssue
from glboard_core.gitlab.http import http_date, retry_after, share_left
from glboard_core.gitlab.wire import Page, WithIssues
from glboard_core.model.query import IssueQuery
from glboard_core.setup.connection import SetupConnection
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.command_reader import CommandReader
from glboard_core.sync.engine import Engine
from glboard_tui.app import GlboardApp
from glboard_tui.cli.main import run
from glboard_tui.cli.open import _check_crashed
from glboard_tui.setup_app import SetupApp
from hostile.generator import cases, of_answers, some, trouble
from hostile.operations import Asked, gateway_to, rich_world
from hostile.screens import malicious_stage, press_through
from hostile.tampering import Answer, MaliciousServer, Way, with_value
from hostile.values import HEADER_VALUES, JSON_VALUES
from support.engines import GROUP_LABEL, HASTE, STILL, Session, build_world

NOW = datetime(2026, 12, 1, tzinfo=UTC)
Text = pytest.CaptureFixture[str]


async def test_no_value_leads_to_anything_but_an_error_with_words() -> None:
    with MaliciousServer(rich_world()) as server:
        it = await Asked(server).open()
        async with it.gateway:
            chosen = list(some(await cases(it), 150, seed=1))
            wrong = [f"{case}: {found}" for case in chosen if (found := await trouble(it, case))]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", HEADER_VALUES)
def test_headers_of_any_form(name: str) -> None:
    text = HEADER_VALUES[name]
    moment = http_date(text)
    assert moment is None or 2000 <= moment.year < 2200
    for headers in (
        {"retry-after": text},
        {"ratelimit-remaining": "0", "ratelimit-reset": text},
    ):
        assert 0 <= (retry_after(headers, NOW) or 0.0) <= 3600
    for one, other in ((text, "5"), ("5", text), (text, text)):
        share = share_left({"ratelimit-limit": one, "ratelimit-remaining": other})
        assert share is None or 0 <= share <= 1


# One entry of many


WHOLE = b'{"issues": {"nodes": [%s]}}'
ENTRY = (
    b'{"id": "gid://gitlab/Issue/%d", "iid": "%d", "title": "t", "state": "opened", "reference": "a/b#%d",'
    b' "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "weight": %s,'
    b' "confidential": %s}'
)


def page(*rest: tuple[bytes, bytes]) -> bytes:
    return WHOLE % b",".join(ENTRY % (n, n, n, *values) for n, values in enumerate(rest, 1))


@pytest.mark.parametrize("name", ["2^63", "5,000 digits", "short", "negative", "not a number"])
def test_what_a_card_can_do_without_is_left_out_and_named(name: str) -> None:
    told: list[str] = []
    raw = page((b"1", b"false"), (JSON_VALUES[name], b"true"), (b"3", b"false"))
    found = answers.decoded(raw, WithIssues[WireIssue], told.append)
    assert [wire.weight for wire in (found.issues or Page()).items()] == [1, None, 3]
    assert len(told) == 1
    assert "glboard does not understand GitLab's response: weight of a/b#2 (" in told[0]


def test_an_entry_that_is_not_understood_otherwise_is_left_out_and_named() -> None:
    told: list[str] = []
    # Taken for public, it would be shown to anybody.
    raw = page((b"1", b"false"), (b"2", b'"x"'), (b"3", b"{}"))
    found = answers.decoded(raw, WithIssues[WireIssue], told.append)
    assert [wire.weight for wire in (found.issues or Page()).items()] == [1]
    assert "2 values in 2 places, such as confidential of a/b#2" in told[0]


def test_a_value_inside_another_goes_with_what_is_dispensable() -> None:
    told: list[str] = []
    raw = page((b'1, "updatedBy": {"username": [[]]}', b"false"), (b'2, "status": {"name": 7}', b"true"))
    found = answers.decoded(raw, WithIssues[WireIssue], told.append)
    read = (found.issues or Page()).items()
    assert [(wire.weight, wire.updated_by, wire.status) for wire in read] == [
        (1, None, None),
        (2, None, None),
    ]
    assert "updatedBy.username of a/b#1" in told[0]


def test_text_that_is_not_unicode_is_told() -> None:
    told: list[str] = []
    raw = page((b"1", b"false")).replace(b'"t"', b'"a\\ud83d\\ude00\\ud800\xff\\\\ud800"')
    found = answers.decoded(raw, WithIssues[WireIssue], told.append)
    assert [wire.title for wire in (found.issues or Page()).items()] == ["a\U0001f600\ufffd\ufffd\\ud800"]
    assert "not Unicode" in told[0]


def test_text_that_is_not_unicode_after_a_value_that_is_not_understood() -> None:
    """The first fault ends the decoding before the second one is met."""
    told: list[str] = []
    raw = page((b'1, "updatedBy": {"username": [[]]}', b"false"), (b"2", b"true"))
    first, _, last = raw.rpartition(b'"t"')
    found = answers.decoded(first + b'"a\\ud800"' + last, WithIssues[WireIssue], told.append)
    assert [wire.title for wire in (found.issues or Page()).items()] == ["t", "a\ufffd"]
    assert "not Unicode" in told[0]
    assert "updatedBy.username of a/b#1" in told[1]


# The command line


@pytest.fixture(name="server")
def server_with_an_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MaliciousServer]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "XDG_CONFIG_HOME" / "glboard").mkdir(parents=True)
    config = tmp_path / "XDG_CONFIG_HOME" / "glboard" / "config.toml"
    config.write_text(f'[labels]\ngroup = "{GROUP_LABEL}"\n')
    with MaliciousServer(build_world(issues=3)) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", "top")
        yield server


def show() -> int:
    return run(["show", "planning", "--milestone", "19.7", "--fresh", "--format", "json"])


def test_a_command_ends_with_words_whatever_the_answer_is(server: MaliciousServer, capsys: Text) -> None:
    assert show() == 0
    chosen = of_answers("show", server.answers)
    for case in some(chosen, 15, seed=2):
        # Without waits: an answer that is refused for a while would be asked for again.
        if case.where in ("retry-after", "ratelimit-reset", "ratelimit-limit"):
            continue
        capsys.readouterr()
        with server.tampering(case.tamper()):
            status = show()
        said = capsys.readouterr()
        assert status in (0, 1), case
        assert status == 0 or said.err.startswith("glboard: "), case
        assert "Traceback" not in said.err, case
        assert not [letter for letter in said.err + said.out if letter < " " and letter not in "\n\t"], case


def test_one_issue_takes_no_board_along(server: MaliciousServer, capsys: Text) -> None:
    def tamper(answer: Answer) -> None:
        answer.body = answer.body.replace(b'"reference":"top/app#2"', b'"reference":"top/app#2","iid":[]')

    with server.tampering(tamper):
        assert show() == 0
    said = capsys.readouterr()
    assert "top/app#1" in said.out
    assert "top/app#3" in said.out
    assert "top/app#2" not in said.out
    assert "glboard does not understand GitLab's response: iid of top/app#2" in said.err
    assert "Request ID: demo-" in said.err


def test_the_last_step_says_what_failed_and_where(
    server: MaliciousServer, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")

    assert show() == 0
    monkeypatch.setattr(CommandReader, "load_board", fails)
    capsys.readouterr()
    assert show() == 1
    said = capsys.readouterr().err
    assert said.startswith("glboard: glboard does not understand GitLab's response: ")
    assert "OverflowError. Request ID: " in said


# The engine


async def test_an_issue_that_cannot_be_read_again_is_not_gone() -> None:
    with MaliciousServer(make(issues=3)) as server:
        it = await Asked(server).open()

        def tamper(answer: Answer) -> None:
            answer.body = answer.body.replace(b'"reference":"top/app#2"', b'"reference":"top/app#2","iid":[]')

        async with it.gateway:
            with server.tampering(tamper):
                assert await it.gateway.read(list(it.issues), it.issues) == it.issues
                assert "iid of top/app#2" in it.left_out[0]
                with pytest.raises(NotUnderstood):
                    await it.gateway.read(list(it.issues))


async def test_edits_go_out_whatever_the_lists_answer() -> None:
    with MaliciousServer(build_world(issues=4)) as server:
        async with gateway_to(server, "top") as gateway:
            engine = Engine(gateway, SqliteStore(":memory:"), Settings(sync=STILL), timing=HASTE)
            session = Session(engine, server.demo)
            session.task = asyncio.create_task(engine.run())
            await session.until(lambda: engine.verified)
            await session.settled()
            server.answers.clear()
            await anext(aiter(gateway.pages(IssueQuery())))
            for n, case in enumerate(some(of_answers("poll", server.answers), 25, seed=3), 1):
                where, value = case.where, JSON_VALUES.get(case.value, b"")
                if isinstance(where, str):
                    continue

                def tamper(answer: Answer, where: Way = where, value: bytes = value) -> None:
                    if b"updatedAfter" in answer.asked:
                        answer.body = with_value(answer.body, where, value)

                with server.tampering(tamper):
                    engine.poller.poll_soon()
                    session.edit("app#1", weight=n)
                    await session.until(partial(lambda n: server.world.issue("top/app#1").weight == n, n))
            session.check()
            session.task.cancel()


# The screen


@pytest.mark.slow
async def test_the_screen_stays() -> None:
    async with malicious_stage() as (stage, server):
        before = stage.cards()
        await press_through(stage, server, rounds=2, seed=4)
        assert stage.cards() == before
        await stage.focus("platform#1")
        stage.engine.perform([(stage.issue("platform#1").id, Edit(weight=1))], "w1")
        await stage.settle()
        assert server.world.issue("demo-org/platform#1").weight == 1


# An error that no one expected


@pytest.mark.parametrize("kind", [GlboardApp, SetupApp])
async def test_the_end_of_the_screen_shows_no_values(
    kind: type[App[Any]], monkeypatch: pytest.MonkeyPatch, capsys: Text
) -> None:
    async def never() -> None:
        raise AssertionError

    def fail(self: App[Any]) -> None:
        typed = "glpat-typed"
        raise RuntimeError(typed)

    def made() -> App[Any]:
        if kind is SetupApp:
            return SetupApp(SetupConnection(Path("none.toml"), GitLabSettings()), Settings())
        return GlboardApp(Settings(), never)  # type: ignore[arg-type]  # it never connects

    monkeypatch.setattr(kind, "on_mount", fail, raising=False)
    app = made()
    with pytest.raises(RuntimeError):
        async with app.run_test():
            pass
    written = capsys.readouterr()
    assert "typed" not in written.out + written.err
    with pytest.raises(GlboardError, match=r"RuntimeError\.") as told:
        _check_crashed(app)
    assert "glpat" not in f"{told.value.message}{told.value.what_to_do}"
