"""An hour of ordinary use in an organisation: how many requests as well as the polls.

Run as ``python -m pytest -n0 -s tests/soak/test_hour.py``; it prints what they were for. The clock is moved,
so the hour takes some seconds, and every hold, poll and page of reconcile comes when it would in life.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from glboard_core.board.operations import Edit
from glboard_core.config import Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.pace import Pace
from glboard_core.model.issue import Issue
from glboard_core.purpose import Purpose
from glboard_core.session import EngineOptions, open_engine
from glboard_core.sync.engine import Engine
from glboard_tui.lookup import Lookup
from support.acts import GROUP, READ_ONLY
from support.engines import settled
from support.moved_clock import MovedClock
from support.organisations import org_world

MINUTE = 60.0
EDITS, BOARDS = 30, ("build", "milestones", "next-1-3", "people", "planning")
#: Without the polls; and pages of reconcile in any minute.
MOST, PAGES = 150, 2


class Requests:
    """What was asked for, and when."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.times: list[tuple[Purpose, float]] = []
        self.under_way = 0
        count, ask = Pace._count, Transport._ask

        def counted(pace: Pace, purpose: Purpose) -> None:
            self.times.append((purpose, time.monotonic()))
            count(pace, purpose)

        async def asked(*args: object, **more: object) -> object:
            self.under_way += 1
            try:
                return await ask(*args, **more)  # type: ignore[arg-type]
            finally:
                self.under_way -= 1

        patch.setattr(Pace, "_count", counted)
        patch.setattr(Transport, "_ask", asked)

    @property
    def by_purpose(self) -> Counter[Purpose]:
        """How many there were of each."""
        return Counter(purpose for purpose, _ in self.times)

    def most_in_a_minute(self, purpose: Purpose) -> int:
        """The most of one kind that were sent in any minute."""
        times = [at for one, at in self.times if one == purpose]
        return max((sum(at <= other < at + MINUTE for other in times) for at in times), default=0)


class Hour:
    """A person at the screen: looks, moves cards, searches; colleagues change something every minute."""

    def __init__(self, engine: Engine, server: DemoServer, clock: MovedClock) -> None:
        self.engine = engine
        self.server = server
        self.clock = clock
        self.lookup = Lookup(lambda: engine)
        self._edited = 0

    def cards(self) -> list[Issue]:
        """What may be changed on the board of the next milestone."""
        board = self.engine.board("planning")
        shown = self.engine.shown.matching(board.milestone)
        return [one for one in shown if one.is_open and board.matches(one) and READ_ONLY not in one.project]

    def edit(self, **fields: object) -> None:
        """One key on another card than the last one."""
        cards = self.cards()
        issue = cards[self._edited % len(cards)]
        self._edited += 1
        change = Edit(**(fields or {"weight": (issue.weight or 0) % 5 + 1}))  # type: ignore[arg-type]
        assert self.engine.perform([(issue.id, change)], "edit")

    async def pick(self, turn: int) -> None:
        """Open a picker, type with two pauses, choose."""
        project = self.cards()[self._edited % len(self.cards())].project
        if turn % 3 == 0:
            await self.lookup.labels("cust", [project])
            found = await self.lookup.labels(f"customer::billing {turn}", [project])
            self.lookup.keep(labels=found.items[:1])
            self.edit(add=frozenset({found.items[0].title}))
        elif turn % 3 == 1:
            await self.lookup.people("en", project)
            people = await self.lookup.people("eng_", project)
            self.lookup.keep(people=people.items[:1])
            self.edit()
        else:
            await self.lookup.milestones("19", [project])
            milestones = await self.lookup.milestones("19.9", [project])
            self.lookup.keep(milestones=milestones.items[:1])
            self.edit()

    async def spend(self) -> None:
        """The hour, minute by minute."""
        for minute in range(60):
            self.engine.poller.touch()
            if minute % 12 == 0:
                self.engine.look(BOARDS[minute // 12])
            if minute % 6 == 5:
                await self.pick(minute // 6)
            elif minute % 3 == 1:
                self.edit()
            await self.clock.let_pass(MINUTE / 2)
            other = self.cards()[-1 - minute % 5]
            self.server.world.edit(other.reference, by="eng_alder", weight=minute % 7)
            self.engine.poller.touch()
            await self.clock.let_pass(MINUTE / 2)


async def test_an_hour_of_ordinary_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = Requests(monkeypatch)
    clock = MovedClock(monkeypatch, lambda: not requests.under_way)
    with DemoServer(org_world()) as server:
        account = Account(url=server.url, token=Secret(server.token))
        for start in ("first", "from the mirror"):
            async with open_engine(
                EngineOptions(group=GROUP, folder=tmp_path), Settings(), account=account
            ) as engine:
                engine.look("planning")
                running = asyncio.create_task(engine.run())
                await settled(engine)
                started, requests.times = requests.by_purpose, []
                if start != "first":
                    hour = Hour(engine, server, clock)
                    await hour.spend()
                    assert (hour._edited, engine.failed, len(engine.outbox)) == (EDITS, [], 0)
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
            with capsys.disabled():
                print(f"\nstart, {start}: {started.total()} requests: {dict(started)}")
    found = requests.by_purpose
    beside = found.total() - found["poll"]
    with capsys.disabled():
        print(f"an hour: {found['poll']} polls, {beside} other requests: {dict(found)}")
        print(f"pages of reconcile in a minute: at most {requests.most_in_a_minute('reconcile')}")
    assert found["poll"] <= 6 * 60 + 10
    assert beside < MOST
    assert requests.most_in_a_minute("reconcile") <= PAGES
