"""What a person does, as acts that are counted: requests of the command line and of the screen's engine.

The budget of each is the table in ARCHITECTURE.md; ``tests/e2e/test_request_budget.py`` compares the two.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.operations import Edit
from glboard_core.config import Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Account, Secret
from glboard_core.session import EngineOptions, open_engine
from glboard_core.sync.engine import Engine
from glboard_core.sync.watcher import MOST_CARDS
from glboard_tui.cli.main import run
from glboard_tui.screens import picker
from support.engines import STILL, eventually, settled
from support.round_trips import counted_everywhere
from tui.app.stage import staged

GROUP = "demo-org"
#: A project in which nothing may be changed.
READ_ONLY = "reference-models"
#: Cards that are changed with one key.
MANY = 100


class Counted:
    """Counts the requests that reach a server, by act."""

    def __init__(self, server: DemoServer) -> None:
        self.server = server
        self.found: dict[str, int] = {}

    def start(self) -> None:
        """Begin an act."""
        self.server.requests.clear()

    def stop(self, act: str) -> None:
        """It has ended."""
        self.found[act] = len(list(self.server.requests))

    def note(self, act: str, number: int) -> None:
        """Another figure."""
        self.found[act] = number

    def command(self, act: str, *arguments: str, status: int = 0) -> str:
        """An act that is a command; returns what it printed."""
        out = io.StringIO()
        self.start()
        with redirect_stdout(out):
            assert run([*arguments]) == status
        self.stop(act)
        return out.getvalue()


def commands(server: DemoServer) -> dict[str, int]:
    """Requests of the command line, from an empty state folder on."""
    counted = Counted(server)
    do = counted.command
    printed = do("`show`, the first time", "show", "planning", "--format", "json")
    issues = [issue for column in json.loads(printed)["columns"] for issue in column["issues"]]
    one = next(issue["reference"] for issue in issues if READ_ONLY not in issue["reference"])
    do("`show` again, or another board", "show", "build")
    do("`show --fresh`", "show", "planning", "--fresh")
    do("`edit`", "edit", one, "--weight", "7")
    do("`edit` that changes nothing", "edit", one, "--weight", "7")
    do("`undo`", "undo")
    do("`failed list`", "failed", "list")
    do("`plan lock`", "plan", "lock", "next")
    do("`doctor`", "doctor")
    for kind in ("mix", "load", "candidates", "capacity"):
        do(f"`report {kind}`", "report", kind, "next")
        do(f"`report {kind}` again", "report", kind, "next")
    return counted.found


def long_commands(server: DemoServer) -> dict[str, int]:
    """The same for commands that read all issues of the team, the histories of many, or write much."""
    assert run(["report", "mix", "next"]) == 0  # the names are known
    counted = Counted(server)
    do = counted.command
    do("`report triage`", "report", "triage")
    do("`report triage` again", "report", "triage")
    do("`report say-do`: its histories too", "report", "say-do", "current")
    do("`report say-do` again", "report", "say-do", "current")
    do("`report scope`, after `say-do`", "report", "scope", "current")
    do("`report scope` again", "report", "scope", "current")
    do("`report decisions` of a week", "report", "decisions", "next", "--since", "7d")
    do("`report decisions` again", "report", "decisions", "next", "--since", "7d")
    do("`show milestones --fresh`: one for each 100 cards", "show", "milestones", "--fresh")
    do("`config init`, its proposal", "config", "init", "--dry-run")
    do("`milestone open`, preview", "milestone", "open", "next", "--dry-run")
    do("`milestone open`, all of it", "milestone", "open", "next", "--yes")
    return counted.found


@asynccontextmanager
async def screen(server: DemoServer, folder: Path, *, hold: float = 0) -> AsyncIterator[Engine]:
    """The engine of a screen on the Planning board, which polls on demand and holds edits for ``hold`` s."""
    account = Account(url=server.url, token=Secret(server.token))
    place = EngineOptions(group=GROUP, folder=folder)
    settings = Settings(sync=structs.replace(STILL, hold=hold))
    async with open_engine(place, settings, account=account) as engine:
        engine.look("planning")
        running = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def on_screen(server: DemoServer, folder: Path, *, refresh: bool = False) -> dict[str, int]:
    """Requests of what is done on screen, from an empty folder on."""
    counted = Counted(server)
    counted.start()
    with counted_everywhere() as trips:
        async with screen(server, folder) as engine:
            while not len(engine.shown):
                await asyncio.sleep(0.002)
            counted.note("first start: round trips to the first card", trips.trips)
            await settled(engine)
            counted.stop("first start, until all is read")
    counted.start()
    with counted_everywhere() as trips:
        async with screen(server, folder, hold=3600) as engine:
            cards = [
                issue
                for issue in engine.shown.values()
                if issue.is_open and issue.milestone and READ_ONLY not in issue.project
            ]

            async def act(name: str, what: Callable[[], object]) -> None:
                counted.start()
                # The last read is longer ago than what counts as fresh.
                engine.poller._polled = float("-inf")
                what()
                trips.clear()
                engine.sender.hurry()
                await settled(engine)
                counted.stop(name)

            def edit(count: int, **fields: Any) -> Callable[[], object]:
                return lambda: engine.perform([(one.id, Edit(**fields)) for one in cards[:count]], "edit")

            await asyncio.sleep(0)  # it runs now, and holds what is changed
            edit(1, weight=8)()
            await engine.poller.idle()
            counted.stop("start from the mirror")
            await act("edit, the first after a start too", lambda: None)
            counted.note("round trips from the end of its hold to the edit", trips.trip("Send") - 1)
            await act("undo", engine.undoing.undo)
            await act("another board", lambda: engine.look("build"))
            counted.start()
            await engine.poller.poll()
            counted.stop("poll")
            await act("first label of that name in a project", edit(1, add=frozenset({"documentation"})))
            await act(f"{MANY} edits with one key", edit(MANY, milestone="19.9"))
            await act(f"undo of {MANY} edits", engine.undoing.undo)
            assert not engine.failed
            await _watched(engine, server, counted)
            if refresh:
                await act("refresh (`r`)", engine.refresh)
    return counted.found


async def _watched(engine: Engine, server: DemoServer, counted: Counted) -> None:
    """Live events: connecting for a screen full of cards, and a change by somebody else to one of them."""
    open_ = [issue for issue in engine.shown.values() if issue.is_open]
    # Not one that was just changed here: what is told of it so soon is taken for that change.
    one = open_[-1]
    cards = [one, *(issue for issue in open_ if issue is not one)][:MOST_CARDS]
    counted.start()
    engine.watcher.touch()
    engine.in_view([issue.id for issue in cards])
    await eventually(lambda: len(server.cable.subscribed) == len(cards))
    requests = "merge requests of the cards in view"
    await eventually(lambda: bool(server.requests.of("ClosingMergeRequests")))
    counted.stop("connect for live events")
    counted.note(requests, len(server.requests.of("ClosingMergeRequests")))
    counted.note(
        "connect for live events", counted.found["connect for live events"] - counted.found[requests]
    )
    counted.start()
    server.world.edit(one.reference, by="pm_oak", title="Another title")
    await eventually(lambda: engine.shown[one.id].title == "Another title")
    counted.stop("change by others in view")


async def in_the_app(world: World) -> dict[str, int]:
    """Requests of what only widgets do, with a person who pauses once while typing."""
    pause = asyncio.Event()
    somewhere = next(iter(world.index.issues.values())).reference.partition("#")[0]
    elsewhere = world.create(somewhere, "Of another team", by=world.owner_username)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picker, "pause", pause.wait)
        async with staged(world) as stage:
            counted = Counted(stage.server)
            counted.start()
            await stage.press("t")
            counted.stop("picker opened")
            counted.start()
            await stage.type("devops")
            pause.set()
            await stage.found("")
            counted.stop("typed into a picker, each pause")
            await stage.press("escape")
            counted.start()
            await stage.press("enter")
            await stage.settle()
            await stage.until(lambda: len(stage.server.requests) > 0)
            await stage.settle()
            counted.stop("issue opened")
            await stage.press("escape", "ctrl+p")
            counted.start()
            await stage.press(*elsewhere.reference)
            counted.stop("typed into the field that finds anything")
            counted.start()
            named = stage.app.bridge.finding.address(elsewhere.reference)
            assert named is not None
            await stage.app.bridge.finding.read(named)
            counted.stop("issue that is not here, read by its reference")
    return counted.found
