"""Commands read boards from the mirror on disk, next to a screen, and never mark it as more than it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import structs

from glboard_core.config import LabelSettings, Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Account, Secret
from glboard_core.model.issue import Issue, IssueId
from glboard_core.session import EngineOptions, open_engine
from glboard_core.store.database import state_file
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_core.sync.initial_load import CURSOR
from support.engines import GROUP, GROUP_LABEL, ME, STILL, session

SETTINGS = Settings(sync=STILL)
BOARD, MILESTONE = "planning", "19.7"


@asynccontextmanager
async def command(server: DemoServer, folder: Path, settings: Settings = SETTINGS) -> AsyncIterator[Engine]:
    """One command's engine."""
    account = Account(url=server.url, token=Secret(server.token))
    place = EngineOptions(group=GROUP, folder=folder, command=True)
    async with open_engine(place, settings, account=account) as engine:
        server.requests.clear()
        yield engine


async def shown(engine: Engine, *, fresh: bool = False) -> set[str]:
    """The references on the board."""
    return references(await engine.reader.load_board(BOARD, MILESTONE, fresh=fresh))


def references(issues: Mapping[IssueId, Issue]) -> set[str]:
    return {issue.reference for issue in issues.values()}


def count(server: DemoServer) -> int:
    return len(list(server.requests))


async def test_a_screens_mirror_is_used_and_kept_up_to_date(server: DemoServer, tmp_path: Path) -> None:
    store = SqliteStore(state_file(tmp_path, server.url, GROUP, ME))
    async with command(server, tmp_path) as engine:
        await engine.reader.sign_in()  # so that the user is known
    async with session(server, store) as screen:
        server.world.edit("top/app#1", by="eng_1", weight=7)
        server.world.edit("top/app#2", by="eng_1", milestone="19.8")
        async with command(server, tmp_path) as engine:
            issues = await engine.reader.load_board(BOARD, MILESTONE)
            assert count(server) == 1
            assert "top/app#2" not in references(issues)
            assert next(i.weight for i in issues.values() if i.reference == "top/app#1") == 7
        # The screen sees what the command read.
        await screen.until(lambda: screen.issue("app#1").weight == 7)
        assert screen.issue("app#2").milestone == "19.8"
    store.close()


async def test_an_open_screen_is_not_mistaken_by_a_board_that_a_command_read(
    server: DemoServer, tmp_path: Path
) -> None:
    async with command(server, tmp_path) as engine:
        await shown(engine)
        assert not engine.store.meta(CURSOR)
        assert not engine.initial_load.complete
        assert engine.status.age is None
        board = engine.board(BOARD, MILESTONE)
        assert all(column.key in engine.initial_load.unread(board) for column in board.columns)


async def test_what_left_the_board_since_is_not_printed_and_not_lost(
    server: DemoServer, tmp_path: Path
) -> None:
    async with command(server, tmp_path) as engine:
        await shown(engine)
        server.world.edit("top/app#1", by="eng_1", milestone="19.8")
        server.world.edit("top/app#2", by="eng_1", close=True)
        server.world.edit("top/app#3", by="eng_1", remove_labels=[GROUP_LABEL])
        left = {"top/app#1", "top/app#2", "top/app#3"}
        assert not left & await shown(engine)
        assert not left & await shown(engine, fresh=True)
        known = {issue.reference: issue for issue in engine.store.issues().values()}
        assert known["top/app#1"].milestone == "19.8"
        assert "top/app#3" not in known


async def test_a_read_from_scratch_asks_what_became_of_cards_that_are_missing(
    server: DemoServer, tmp_path: Path
) -> None:
    async with command(server, tmp_path) as engine:
        await shown(engine)
        server.world.edit("top/app#1", by="eng_1", milestone="19.8")
        assert "top/app#1" not in await shown(engine, fresh=True)
        known = {issue.reference: issue.milestone for issue in engine.store.issues().values()}
        assert known["top/app#1"] == "19.8"


async def test_a_command_with_another_scope_leaves_the_mirror_alone(
    server: DemoServer, tmp_path: Path
) -> None:
    async with command(server, tmp_path) as engine:
        await engine.poller.load()
        before = references(engine.store.issues())
        cursor = engine.store.meta(CURSOR)
    other = structs.replace(SETTINGS, labels=LabelSettings(group="type::bug"))
    async with command(server, tmp_path, other) as engine:
        assert await shown(engine)
        server.requests.clear()
        assert await shown(engine)
        assert count(server) == 1  # the whole board again, nothing was noted
        assert references(engine.store.issues()) == before
        assert engine.store.meta(CURSOR) == cursor


@pytest.mark.parametrize("minutes", [9, 11])
async def test_the_age_of_the_mirror_is_kept_across_processes(
    minutes: int, server: DemoServer, tmp_path: Path
) -> None:
    async with command(server, tmp_path) as engine:
        await engine.poller.load()
    server.world.clock.advance(minutes * 60)
    async with command(server, tmp_path) as engine:
        await engine.names.read()  # the clock is known now
        server.requests.clear()
        server.world.delete("top/app#1")
        # Nothing reports a deletion: a mirror that was just compared may still have it.
        assert ("top/app#1" in await shown(engine)) == (minutes < 10)


async def test_a_board_is_no_longer_known_once_a_screen_had_another_scope(
    server: DemoServer, tmp_path: Path
) -> None:
    async with command(server, tmp_path) as engine:
        before = await shown(engine)
    account = Account(url=server.url, token=Secret(server.token))
    for label in ("lib-only", GROUP_LABEL):
        settings = structs.replace(SETTINGS, labels=LabelSettings(group=label))
        async with open_engine(EngineOptions(group=GROUP, folder=tmp_path), settings, account=account):
            pass  # opening it drops what is out of its scope
    async with command(server, tmp_path) as engine:
        assert not len(engine.store.issues())
        assert await shown(engine) == before
