"""Engines on the embedded GitLab: shared by the tests of the sync engine.

top/app has the issues, all in 19.7, weight 1, ``type::bug``; top/lib has one; top/locked is read-only for
``em_willow``, whose token is used. ``eng_1`` and ``eng_2`` are the other people.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from msgspec import structs

from glboard_core.board.operations import Change, Comment, Create, Edit, Op, new_issue_id
from glboard_core.config import Settings, SyncSettings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Store
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import Event
from glboard_core.sync.timing import Timing

NOW = datetime(2026, 12, 7, 15, 0, tzinfo=UTC)
GROUP = "top"
ME = "em_willow"
GROUP_LABEL = "group::custom models"
LABELS = (
    GROUP_LABEL,
    "type::bug",
    "type::feature",
    "workflow::in dev",
    "workflow::in review",
    "workflow::blocked",
    "Deliverable",
    "documentation",
)
#: Quick retries. The timeouts are a person's: on a busy machine a short one turns one request into several.
QUICK = Limits(first_wait=0.01, longest_wait=0.05)
#: For answers that never come.
HASTY = structs.replace(QUICK, read=0.5, total=1.5, patience=3.0)
#: Polls only on demand, nothing held.
STILL = SyncSettings(poll=3600, poll_idle=3600, reconcile=3600, catalog=3600, hold=0, hold_comments=0)
#: Polls all the time.
BRISK = structs.replace(STILL, poll=0.05, poll_idle=0.05, reconcile=0.5)
#: Short waits for tests.
HASTE = Timing(
    first_wait=0.02,
    longest_wait=0.2,
    longest_read_wait=0.2,
    server_limit=0.3,
    lease_check=0.05,
    follow=0.05,
    fresh=0.0,
)
#: A test that waits in vain fails after this many seconds.
PATIENCE = 20.0

T = TypeVar("T")


def build_world(issues: int = 12, *, now: datetime = NOW, **kinds: Any) -> World:
    """The world above."""
    world = World(clock=Clock(now), **kinds)
    owner = world.add_user(ME, "Willow")
    world.owner_username = ME
    top = world.add_group(GROUP)
    top.members[owner.id] = 50
    for n in (1, 2):
        top.members[world.add_user(f"eng_{n}", f"Engineer {n}").id] = 30
    for path in ("app", "lib", "locked"):
        world.add_project(f"top/{path}")
    world.project("top/locked").overrides[owner.id] = 10
    for title in LABELS:
        world.add_label(top, title, "#AA0000")
    world.add_label(world.project("top/lib"), "lib-only")
    world.add_milestone(top, "19.7", date(2026, 11, 14), date(2026, 12, 11))
    world.add_milestone(top, "19.8", date(2026, 12, 12), date(2027, 1, 15))
    world.add_milestone(top, "19.9", date(2027, 1, 16), date(2027, 2, 12))
    world.add_milestone(top, "Backlog")
    world.add_board(top, "Development")
    for n in range(1, issues + 1):
        world.create(
            "top/app",
            f"Issue {n}",
            by=ME,
            add_labels=[GROUP_LABEL, "type::bug"],
            milestone="19.7",
            weight=1,
        )
        world.issue(f"top/app#{n}").position = n * 500
    world.create("top/lib", "Library issue", by=ME, add_labels=[GROUP_LABEL, "lib-only"])
    world.create("top/locked", "Locked issue", by="eng_1", add_labels=[GROUP_LABEL])
    world.index.rebuild()
    # What was created at the very start is not "just changed" for the first poll.
    world.clock.advance(120)
    return world


def gateway(server: DemoServer, *, token: str | None = None, limits: Limits = QUICK) -> GitLabGateway:
    """A gateway to the server, as its owner unless another ``token`` is given."""
    return GitLabGateway(Account(url=server.url, token=Secret(token or server.token)), GROUP, limits=limits)


class Session:
    """A running engine, and what a test does with it. Issues are named ``app#1``."""

    def __init__(self, engine: Engine, server: DemoServer) -> None:
        self.engine = engine
        self.server = server
        self.world = server.world
        self.events: list[Event] = []
        self.task: asyncio.Task[None] | None = None
        engine.listen(self.events.append)

    # What is seen

    def issue(self, name: str) -> Issue:
        """The issue as shown; KeyError if it is not."""
        for issue in self.engine.shown.values():
            if issue.reference == f"top/{name}":
                return issue
        raise KeyError(name)

    def known(self, name: str) -> bool:
        """Whether the issue is shown."""
        return any(issue.reference == f"top/{name}" for issue in self.engine.shown.values())

    def there(self, name: str) -> Any:
        """The issue as the server has it."""
        return self.world.issue(f"top/{name}")

    def labels_there(self, name: str) -> set[str]:
        """The titles of its labels on the server."""
        return {label.title for label in self.there(name).labels}

    def notes_there(self, name: str) -> list[str]:
        """The bodies of its comments on the server, without our mark."""
        notes = [note for note in self.there(name).notes or () if not note.system]
        return [note.body.partition("\n\n<!--")[0] for note in notes]

    def told(self, kind: type[T]) -> list[T]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def mutations(self) -> int:
        """How many mutations were sent to the server, including retries."""
        return sum(record.mutations for record in self.server.requests)

    # What is done

    def do(self, name: str, *changes: Change, title: str = "test") -> list[Op]:
        """One keystroke on one issue."""
        issue = self.issue(name).id
        return self.engine.perform([(issue, change) for change in changes], title)

    def edit(self, name: str, **fields: Any) -> list[Op]:
        """Change fields of one issue."""
        return self.do(name, Edit(**fields))

    def edit_all(self, names: list[str], title: str = "bulk", **fields: Any) -> list[Op]:
        """Change fields of many issues with one key."""
        return self.engine.perform([(self.issue(name).id, Edit(**fields)) for name in names], title)

    def comment(self, name: str, body: str) -> list[Op]:
        """Comment on one issue."""
        return self.do(name, Comment(body=body))

    def create(self, title: str, **fields: Any) -> IssueId:
        """Create an issue; returns its temporary id."""
        issue = new_issue_id()
        labels = frozenset({GROUP_LABEL})
        self.engine.perform(
            [(issue, Create(project="top/app", title=title, labels=labels, **fields))], "new issue"
        )
        return issue

    async def settled(self) -> None:
        """Wait until everything is sent, answered and read."""
        await self.wait_for(settled(self.engine))

    async def wait_for(self, waiting: Any) -> None:
        """Wait for something, with a timeout, and not past the end of the engine."""
        waiter = asyncio.ensure_future(waiting)
        both = {waiter} if self.task is None else {waiter, self.task}
        await asyncio.wait(both, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not waiter.done():
            waiter.cancel()
            self.check()
            raise TimeoutError(f"in vain: {self.engine.status}, {[i.op for i in lines(self.engine)]}")
        waiter.result()

    async def refreshed(self) -> None:
        """Read what changed, as the next poll would."""
        await self.engine.poller.poll()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition."""

        async def look() -> None:
            while not holds():
                await asyncio.sleep(0.005)

        await self.wait_for(look())

    def check(self) -> None:
        """Raise what ended the engine, if anything did."""
        if self.task is not None and self.task.done():
            self.task.result()
            raise AssertionError("the engine ended")


async def settled(engine: Engine) -> None:
    """Wait until nothing can be sent, and pending reads are done."""
    await engine.sender.idle()
    await engine.poller.idle()


def lines(engine: Engine) -> list[Any]:
    """Everything in the engine's outbox."""
    return [item for issue in engine.outbox.issues() for item in engine.outbox.items(issue)]


@asynccontextmanager
async def session(
    server: DemoServer,
    store: Store | None = None,
    *,
    sync: SyncSettings = STILL,
    token: str | None = None,
    limits: Limits = QUICK,
    loaded: bool = True,
    running: bool = True,
    timing: Timing = HASTE,
    **more: Any,
) -> AsyncIterator[Session]:
    """A running engine, loaded unless told otherwise. The store stays open: a test can continue with it."""
    async with gateway(server, token=token, limits=limits) as one:
        engine = Engine(
            one,
            store if store is not None else SqliteStore(":memory:"),
            more.pop("settings", None) or Settings(sync=sync),
            timing=timing,
            **more,
        )
        made = Session(engine, server)
        if not running:
            yield made
            return
        made.task = asyncio.create_task(engine.run(), name="engine")
        try:
            if loaded:
                await made.until(lambda: engine.verified)
                await made.settled()
            yield made
            made.check() if made.task.done() else None
        finally:
            made.task.cancel()
            with suppress(asyncio.CancelledError):
                await made.task


async def eventually(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for a condition without an event."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("in vain")
        await asyncio.sleep(0.01)
