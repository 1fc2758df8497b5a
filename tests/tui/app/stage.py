"""A board on a small embedded GitLab, driven by keys: shared by the tests of the app.

The world is small enough to remember::

    PLANNING 19.8      bug                 maintenance   feature             (unlisted)
                       platform#1 w2       platform#4 w3 platform#5 w1       platform#7
                       platform#2 -                      platform#6 -
                       platform#3 w1                     locked#1 -
                       ai-gateway#1 w2

``platform#8`` is in the build of 19.7, ``#9`` in Next 1-3, ``#10`` in the Backlog, ``#11`` closed in 19.8.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from glboard_core.config import Settings, SyncSettings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.model.issue import Issue
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_core.sync.timing import Timing
from glboard_tui.app import GlboardApp
from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.picker import Picker
from support.engines import settled

NOW = datetime(2026, 12, 7, 15, 0, tzinfo=UTC)
GROUP = "demo-org"
ME = "em_maple"
GROUP_LABEL = "group::custom models"
READY = "workflow::ready for development"
LABELS = (
    GROUP_LABEL,
    "type::bug",
    "type::maintenance",
    "type::feature",
    "type::ignore",
    "bug::functional",
    "feature::addition",
    "workflow::planning breakdown",
    READY,
    "workflow::in dev",
    "workflow::in review",
    "workflow::blocked",
    "workflow::complete",
    "Deliverable",
    "priority::1",
    "documentation",
    "missed:19.7",
)
PEOPLE = (
    (ME, "Em Maple"),
    ("pm_oak", "Pim Oak"),
    ("eng_alder", "Enga Alder"),
    ("eng_birch", "Engo Birch"),
)
#: Seconds in which a key gets through, and what the app does by itself happens, on a busy machine too.
PATIENCE = 20.0
QUICK = Limits(first_wait=0.01, longest_wait=0.05, total=5.0, patience=5.0)
#: No polling and no live events during a test; a test requests a poll with ``r``.
STILL = Settings(sync=SyncSettings(live=False, poll=3600, poll_idle=3600, hold=0, hold_comments=0))


def small_world(**kinds: Any) -> World:
    """The world above."""
    world = World(clock=Clock(NOW), **kinds)
    root = world.add_group(GROUP, "Demo Org")
    for username, name in PEOPLE:
        root.members[world.add_user(username, name).id] = 40
    world.owner_username = ME
    for path in ("platform", "ai-gateway", "locked"):
        world.add_project(f"{GROUP}/{path}")
    world.project(f"{GROUP}/locked").overrides[world.user(ME).id] = 10
    for title in LABELS:
        world.add_label(root, title, "#428bca")
    world.add_label(world.project(f"{GROUP}/platform"), "only-platform")
    for title, start, due in (
        ("19.10", date(2027, 2, 13), date(2027, 3, 12)),
        ("19.7", date(2026, 11, 14), date(2026, 12, 11)),
        ("19.8", date(2026, 12, 12), date(2027, 1, 15)),
        ("19.9", date(2027, 1, 16), date(2027, 2, 12)),
    ):
        world.add_milestone(root, title, start, due)
    for title in ("Next 1-3 releases", "Next 4-6 releases", "Backlog", "Awaiting further demand"):
        world.add_milestone(root, title)
    world.add_board(root, "Development")
    weighs = world.edition == "ee" and world.licensed("premium")

    def issue(project: str, title: str, *labels: str, weight: int | None = None, **wishes: Any) -> None:
        if weight is not None and weighs:
            wishes["weight"] = weight
        by = "eng_alder" if project == "locked" else ME
        world.create(
            f"{GROUP}/{project}",
            title,
            by=by,
            add_labels=[GROUP_LABEL, *labels],
            **{"milestone": "19.8", **wishes},
        )

    issue("platform", "Crash on start", "type::bug", READY, weight=2, assignees=["eng_birch"])
    issue("platform", "Slow answers", "type::bug", "workflow::planning breakdown")
    issue("platform", "Wrong total", "type::bug", "bug::functional", weight=1)
    issue("platform", "Upgrade the runner", "type::maintenance", weight=3)
    issue("platform", "Guided setup", "type::feature", READY, weight=1, assignees=["eng_alder"])
    issue("platform", "fix [/api] crash", "type::feature")
    issue("platform", "Nobody knows the type")
    issue(
        "platform", "Being built", "type::bug", "workflow::in dev", "Deliverable", weight=2, milestone="19.7"
    )
    issue("platform", "Later", "type::feature", "workflow::planning breakdown", milestone="Next 1-3 releases")
    issue("platform", "Some day", "type::feature", milestone="Backlog")
    issue("platform", "Done already", "type::bug", weight=1, close=True)
    issue("ai-gateway", "Token accounting", "type::bug", weight=2)
    issue("locked", "Hands off", "type::feature")
    order = [*(f"platform#{n}" for n in range(1, 12)), "ai-gateway#1", "locked#1"]
    for place, name in enumerate(order):
        world.issue(f"{GROUP}/{name}").position = (place + 1) * 500
    world.index.rebuild()
    return world


class Stage:
    """The running app and the steps of a test."""

    def __init__(self, app: GlboardApp, pilot: Pilot[int], server: DemoServer | None) -> None:
        self.app = app
        self.pilot = pilot
        self._server = server

    @property
    def screen(self) -> BoardScreen:
        """The board screen, on top or not."""
        return self.app.board_screen

    @property
    def server(self) -> DemoServer:
        """The embedded GitLab."""
        assert self._server is not None
        return self._server

    @property
    def world(self) -> World:
        """The state of the embedded GitLab."""
        return self.server.world

    @property
    def engine(self) -> Engine:
        """The engine."""
        assert self.app.bridge.engine is not None
        return self.app.bridge.engine

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until their effect is shown.

        The pilot's own ``press`` waits some 60 ms a key; this waits for the key to be handled, and for a
        frame only if another screen came on top, and at the end. A new dialog holds keys back until it has
        the focus: this waits for that too, since a busy machine looks like an idle one.
        """
        for key in keys:
            before = self.app.screen
            self.app.post_message(key_event(key))
            await self._through()
            # A question takes no key that was pressed before it was there.
            if self.app.screen is not before or not self._rests():
                await self.pilot.pause()
                await self.until(self._rests)
        await self.pilot.pause()
        if not self._rests():
            await self.until(self._rests)
            await self.pilot.pause()

    def _rests(self) -> bool:
        return self.app._exit or self.app._keys.at_rest

    def burst(self, *keys: str) -> None:
        """Send keys that arrive together, as over a slow connection."""
        for key in keys:
            self.app.post_message(key_event(key))

    async def _through(self) -> None:
        """Wait until a key was handled: app, focused widget, screen, and back."""
        passed = asyncio.Event()
        app = self.app
        way = [app, app.focused or app.screen, app.screen, app]

        def step() -> None:
            if way:
                way.pop(0).call_later(step)
            else:
                passed.set()

        step()
        async with asyncio.timeout(PATIENCE):
            await passed.wait()

    async def type(self, text: str) -> None:
        """Type text."""
        await self.press(*text)

    async def found(self, text: str) -> None:
        """Type into a picker, and wait until GitLab answered the search."""
        await self.type(text)
        await self.searched()

    async def searched(self) -> None:
        """Wait until no search of a picker is under way."""
        await self.until(lambda: not (isinstance(top := self.app.screen, Picker) and top.is_searching))
        await self.pilot.pause()

    async def settle(self) -> None:
        """Wait until everything is found, sent, confirmed and shown."""
        await self.searched()
        await settled(self.engine)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something the app does by itself; fail if it does not happen."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await self.pilot.pause()

    # What is shown

    def issue(self, name: str) -> Issue:
        """A shown issue, by a reference like ``platform#1``."""
        reference = f"{GROUP}/{name}"
        return next(issue for issue in self.engine.shown.values() if issue.reference == reference)

    def cards(self) -> dict[str, list[str]]:
        """The columns on the screen by title, with their cards."""
        index = self.app.bridge.index
        assert index is not None
        return {
            column.column.title: [self.name(index.issue(column[row])) for row in range(len(column))]
            for column in index.visible()
        }

    @staticmethod
    def name(issue: Issue | None) -> str:
        """``platform#1``."""
        return issue.reference.rpartition("/")[2] if issue else "?"

    @property
    def focused(self) -> str:
        """The focused card."""
        identity = self.screen.board.focused[0]
        return self.name(self.engine.shown.get(identity)) if identity else ""

    @property
    def selected(self) -> list[str]:
        """The visible selected cards."""
        return [self.name(issue) for issue in self.screen.context.selected()]

    @property
    def message(self) -> str:
        """The message in the footer."""
        return self.screen.footer.view.message

    @property
    def toasts(self) -> list[str]:
        """Titles and texts of the toasts."""
        return [f"{note.title}: {note.message}" for note in self.app._notifications]

    async def focus(self, name: str) -> None:
        """Go to a card."""
        self.screen.board.focus_card(self.issue(name).id)
        await self.pilot.pause()

    async def mark(self, *names: str) -> None:
        """Select cards."""
        for name in names:
            await self.focus(name)
            await self.press("space")


@asynccontextmanager
async def staged(
    world: World | None = None,
    *,
    size: tuple[int, int] = (160, 45),
    settings: Settings = STILL,
    token: str | None = None,
    read_only: bool = False,
    loaded: bool = True,
    timing: Timing | None = None,
    toasts: bool = False,
    **app_settings: Any,
) -> AsyncIterator[Stage]:
    """The app on an embedded GitLab, after the initial load unless told otherwise.

    ``toasts`` draws them; they are known anyway.
    """
    async with DemoServer(world or small_world()) as server:
        given = server.token_for(ME, "read_api") if token == "read" else token or server.token

        @asynccontextmanager
        async def connect() -> AsyncIterator[Engine]:
            account = Account(url=server.url, token=Secret(given))
            async with GitLabGateway(account, GROUP, limits=QUICK) as gateway:
                yield Engine(gateway, SqliteStore(":memory:"), settings, read_only=read_only, timing=timing)

        app = GlboardApp(settings, connect, **app_settings)
        async with app.run_test(size=size, notifications=toasts) as pilot:
            stage = Stage(app, pilot, server)
            await stage.until(lambda: app.bridge.engine is not None)
            if loaded:
                await stage.settle()
            yield stage


def key_event(key: str) -> Key:
    """The event of a key by its name (``question_mark``) or character."""
    if len(key) == 1:
        return Key(_character_to_key(key), key)
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
    except KeyError:
        character = None
    return Key(key, character)
