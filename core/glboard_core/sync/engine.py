"""The engine's face: what the screen and the command line call.

Sole owner of state: shown = fold(confirmed, pending), which ``ledger.py`` keeps; what a person does becomes
Ops in ``hand.py``. ``perform`` paints at once and queues; ``run`` loads, polls, sends and follows other
windows in the background until it is cancelled. Reading the server is ``mirror.py``; sending is ``drain.py``;
how the outbox ends is ``outcome.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from glboard_core.board.conflict import Clash
from glboard_core.board.op import Act, Op, OpId
from glboard_core.board.resolve import milestone_title, resolve
from glboard_core.board.undo import Group, UndoStack
from glboard_core.config import Settings
from glboard_core.errors import GlboardError, NameUnknown, ReadOnly, StoreFailed
from glboard_core.model.board import Board
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_core.ports import Gateway, Logged, Store
from glboard_core.sync import contest, reading, windows
from glboard_core.sync.age import Age
from glboard_core.sync.condition import Condition
from glboard_core.sync.drain import Drain
from glboard_core.sync.events import CatalogChanged, Cause, Event, Notice, Status
from glboard_core.sync.hand import Hand
from glboard_core.sync.ledger import Ledger
from glboard_core.sync.mirror import Mirror
from glboard_core.sync.outcome import Made, Refused, last_made, logged, prunable
from glboard_core.sync.pace import Pace
from glboard_core.sync.pending import Pending
from glboard_core.sync.scope import adopt
from glboard_core.sync.shown import Shown

Listener = Callable[[Event], None]

#: Where the store keeps whose it is.
USER = "user"


#: More lines than any log has.
_ALL = 1_000_000_000


class UserChangedError(Exception):
    """The token belongs to another person than the store: nothing of the store may be sent."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


class Engine:
    """State, and the tasks that keep it true. All methods are called from one event loop.

    ``as_of`` fixes the moment everything is computed with; without it, it is the server's clock. ``pace``
    says how long to wait for what.
    """

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        settings: Settings,
        *,
        as_of: datetime | None = None,
        read_only: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self.gateway = gateway
        self.store = store
        self.settings = settings
        self.read_only = read_only
        #: Host, port and path of the server, as files name it; set by who knows it.
        self.host = ""
        #: Why changes cannot be kept, if they cannot: then they are refused rather than pretended.
        self.refuse: GlboardError | None = None
        self.pace = pace or Pace()
        self.undo_stack = UndoStack()
        self._age = Age(store, gateway.now)
        # Before anything is shown: what belongs to another scope must not be.
        self._narrowed = adopt(store, settings.labels.group, self._age)
        self.ledger = Ledger(store, self.undo_stack, settings.sync, self.tell, gateway.now)
        self._condition = Condition(self.ledger, self._age, self.tell)
        self.hand = Hand(self.ledger, self.undo_stack, gateway.now, self.disk_failed)
        self._as_of = as_of
        self._zone = ZoneInfo(settings.ui.time_zone)
        self._listeners: list[Listener] = []
        #: Whether the server said, in this session, that we are who the store belongs to.
        self.verified = False
        self.mirror = Mirror(self)
        self.drain = Drain(self)

    # What is asked of it

    @property
    def catalog(self) -> Catalog | None:
        """What the server offers; none before it was first read."""
        return self.store.catalog()

    @property
    def shown(self) -> Shown:
        """The issues as shown."""
        return self.ledger.shown

    @property
    def pending(self) -> Pending:
        """What is not yet confirmed."""
        return self.ledger.pending

    @property
    def failed(self) -> list[tuple[Op, GlboardError]]:
        """Changes that were refused, oldest first, until they are tried again or dropped."""
        return self.ledger.failed

    @property
    def status(self) -> Status:
        """How true the screen is."""
        return self._condition.status

    def now(self) -> datetime:
        """The moment everything is computed with, aware and in UTC (DESIGN section 2)."""
        return self._as_of or self.gateway.now()

    def today(self) -> date:
        """The calendar day in the team's time zone."""
        return self.now().astimezone(self._zone).date()

    def listen(self, listener: Listener) -> None:
        """Be told of every event, in order, on the loop's thread."""
        self._listeners.append(listener)

    def board(self, board: str, milestone: str | None = None) -> Board:
        """A board by its id, resolved for today. Raises NameUnknown; before the catalog is there, too."""
        found = self.settings.board(board)
        if found is None:
            raise NameUnknown("board", board, tuple(b.id for b in self.settings.boards))
        if (catalog := self.catalog) is None:
            raise NameUnknown("board", board, hint="Nothing loaded from GitLab yet.")
        issues: Iterable[Issue] = ()
        if found.by == "assignee":
            bare = resolve(found, self.settings, catalog, self.today(), milestone=milestone)
            issues = (i for i in self.shown.matching(bare.milestone) if i.is_open)
        return resolve(found, self.settings, catalog, self.today(), milestone=milestone, issues=issues)

    def look(self, board: str, milestone: str | None = None) -> None:
        """This board is looked at: on a first load it is read before the rest."""
        self.mirror.look(board, milestone)

    @property
    def is_complete(self) -> bool:
        """Whether the whole scope was read once, in this session or an earlier one."""
        return self.mirror.first.complete

    def unread(self, board: Board) -> Container[str]:
        """The keys of columns that were not read whole yet: their counts and sums are not the truth."""
        return self.mirror.first.unread(board)

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes, read from the server. Raises EditForbidden, ConnectionFailed."""
        return await self.gateway.detail(issue)

    # What a person does

    def perform(
        self, acts: Sequence[tuple[IssueId, Act]], title: str, instead: Collection[OpId] = ()
    ) -> list[Op]:
        """Do one keystroke's acts: shown at once, kept in the outbox, sent soon. Returns the Ops made.

        An act that would change nothing makes no Op. ``instead`` are refused changes that leave the list in
        the same step, if any Op is made. Raises StoreFailed where they cannot be kept, and
        ReadOnly where changes are refused; then nothing is changed.
        """
        with self._changing():
            return self.hand.perform(acts, title, instead)

    def undo(self) -> Group | None:
        """Take back the last keystroke, of this session or else of an earlier one.

        What has not been sent never leaves; the rest is sent inverted. None where there is nothing. Raises as
        ``perform``.
        """
        with self._changing():
            return self.hand.undo()

    def redo(self) -> Group | None:
        """Do again what was undone last. Raises as ``perform``."""
        with self._changing():
            return self.hand.redo()

    def retry(self, op: OpId) -> None:
        """Send a refused change again, with what hangs on it; nothing where it is not in the list any more.

        Where its issue is gone it stays in the list, with that as the reason. Raises as ``perform``.
        """
        with self._changing():
            self.hand.retry(op)

    def drop_failed(self, op: OpId) -> None:
        """Strike a refused change from the list. Raises StoreFailed."""
        self.hand.drop_failed(op)
        self._status()

    def take_mine(self, issue: IssueId) -> None:
        """Send what waits, over what the server has now. Raises as ``perform``."""
        with self._changing():
            contest.choose_mine(self.ledger, issue)

    def take_theirs(self, issue: IssueId) -> None:
        """Drop what waits on this issue; what the server has stays. Raises as ``perform``."""
        with self._changing():
            contest.choose_theirs(self.ledger, issue)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        if self.refuse is not None:
            raise self.refuse
        if self.read_only:
            raise ReadOnly("Read-only session.", hint="Restart glboard without --read-only to change issues.")
        yield
        self.drain.wake()
        self._status()

    # Conflicts

    def clashing(self, issue: IssueId) -> tuple[Clash, ...]:
        """What waits for a choice on this issue: field, what was seen, mine, theirs."""
        return self.pending.clashing(issue)

    def refresh(self) -> None:
        """Read everything again soon, and try again to send."""
        self.mirror.refresh()
        self.drain.hurry()

    def touch(self) -> None:
        """A key was pressed: the program is in use, so changes of others are looked for more often."""
        self.mirror.touch()

    def history(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""
        return self.store.log(limit)

    def unsent(self) -> list[Logged]:
        """What is not with GitLab yet, newest first, as the log will say it; the result is ``waits``."""
        items = (self.pending.item(op.id) for op in self.pending)
        lines = [logged(item.op, item.title, self.now(), "waits") for item in items if item is not None]
        return lines[::-1]

    def prunable(self, before: datetime) -> tuple[datetime, int]:
        """(up to when, how many lines): what ``prune`` would forget, no keystroke by halves."""
        return prunable(self.store.log(_ALL), before)

    def prune(self, before: datetime) -> int:
        """Forget the change log before that moment, for good; how many lines. Raises StoreFailed.

        What is unsent, failed or waits for a choice is not in the log, and stays.
        """
        return self.store.prune(self.prunable(before)[0])

    # The background

    async def run(self) -> None:
        """Load, poll, send and follow until cancelled. On a first load the board looked at comes first.

        Raises UserChangedError where the token is another person's than the store.
        """
        if self.store.notice:
            self.tell(Notice(self.store.notice))
        if self.refuse is not None:
            self.tell(Notice(str(self.refuse)))
        if self._narrowed:
            self.tell(Notice("Group label changed: reloading all issues."))
        if len(self.pending):
            self.tell(Notice(_left_over(len(self.pending), read_only=self.read_only)))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.mirror.run(), name="mirror")
                tasks.create_task(self.drain.run(), name="drain")
                tasks.create_task(self._follow(), name="follow")
                tasks.create_task(self._check(), name="check")
        except* UserChangedError as group:
            raise group.exceptions[0] from None
        finally:
            self._age.keep()

    async def _check(self) -> None:
        """Once the board stands, look for damage that the start took no time for."""
        await self.mirror.idle()
        if found := await asyncio.to_thread(self.store.check):
            self.refuse = found
            self.tell(Notice(str(found)))
            self._status()

    async def _follow(self) -> None:
        """Take over what other windows wrote."""
        while True:
            await asyncio.sleep(self.pace.follow)
            try:
                self.look_at_others()
            except StoreFailed as error:
                self.disk_failed(error)

    def look_at_others(self) -> None:
        """Take over what other windows wrote since the last look. Raises StoreFailed."""
        if windows.look_at_others(self.ledger):
            self.drain.wake()
            self._status()

    async def load(self) -> None:
        """Read catalog and scope once, without polling. Raises what the gateway does."""
        await self.mirror.load()
        self._age.caught_up()

    async def load_catalog(self) -> None:
        """Read labels, milestones, people and projects only. Raises what the gateway does."""
        self.keep_catalog(await self.gateway.catalog())

    async def load_board(self, board: str, milestone: str | None = None, *, closed: bool = False) -> None:
        """Read the catalog and one board's issues: for commands that print it. Raises NameUnknown too."""
        await self.load_catalog()
        if milestone not in (None, "any", "none") and self.catalog is not None:
            # A name typed wrong is an error for a command; on a screen it is a board that says so.
            milestone_title(milestone or "", self.settings, self.catalog, self.today())
        await self.mirror.first.board(self.board(board, milestone), closed=closed)

    async def load_issues(self, references: Sequence[str]) -> list[Issue]:
        """Read these issues by reference (see ``model/reference.py``) and what their projects offer.

        Raises NameUnknown for the first that does not exist or may not be seen.
        """
        return await reading.by_reference(self, references)

    def last_change(self) -> Group | None:
        """What ``undo`` would take back."""
        return self.undo_stack.last or last_made(self.store.log())

    async def reread(self, issues: Sequence[IssueId]) -> None:
        """Read these issues again, and what their projects offer: for commands that change them."""
        await reading.again(self, issues)

    async def flush(self) -> None:
        """Send everything now and wait for the answers: for commands. Raises ConnectionFailed, AuthError."""
        await self.drain.flush()

    async def settled(self) -> None:
        """Wait until nothing is to be sent, and what was being read has been read (tests, quitting)."""
        await self.drain.idle()
        await self.mirror.idle()

    async def finish(self, seconds: float) -> int:
        """Hold nothing back any more, and wait that long at most; returns how many are still unsent."""
        self.drain.hurry()
        try:
            async with asyncio.timeout(seconds):
                await self.drain.idle()
        except TimeoutError:
            pass
        return len(self.pending)

    # What mirror and drain report

    def confirm(self, issues: Iterable[Issue], cause: Cause, *, asked: float | None = None) -> None:
        """The server says these issues are so; ``asked`` is when, by the loop's clock."""
        self.ledger.confirm(issues, cause, asked=asked)
        self.drain.wake()  # what waited for a choice may not have to any more

    def gone(self, issues: Iterable[IssueId], *, asked: float | None = None) -> None:
        """These issues left the scope; ``asked`` as in ``confirm``."""
        self.ledger.gone(issues, asked=asked)

    def keep_catalog(self, catalog: Catalog) -> None:
        """The catalog was read. Raises UserChangedError."""
        owner = self.store.meta(USER)
        if owner is None:
            self.store.put_meta(USER, catalog.me.id.encode())
        elif owner.decode() != catalog.me.id:
            raise UserChangedError(catalog.me.username)
        self.verified = True
        self._age.set_clock()
        if catalog != self.store.catalog():
            self.store.put_catalog(catalog)
            self.tell(CatalogChanged())
        self.drain.wake()

    def settle(self, done: Sequence[Made], failed: Sequence[Refused], *, result: str = "done") -> None:
        """Ops were answered. Raises StoreFailed; then nothing is changed."""
        self.ledger.settle(done, failed, result=result)
        self._condition.disk_works()
        self._status()

    def clashed(self, issues: Iterable[str]) -> None:
        """These issues have something that waits for a choice."""
        found = [IssueId(issue) for issue in issues]
        waiting = [item for issue in found for item in self.pending.items(issue) if item.clashes]
        contest.note(self.ledger, waiting)
        self.ledger.tell_same(found)
        self._status()

    def vanished(self, ops: Sequence[OpId]) -> None:
        """These could not be claimed: another window sends them, or has taken them back."""
        windows.vanished(self.ledger, ops)
        self._status()

    def heard(self, *, loading: str | None = None, **progress: int) -> None:
        """The server answered just now; ``loading`` is what is being read, and empty once all was read.

        ``progress`` is how far that is: loaded, total and columns of the status.
        """
        changes: dict[str, object] = {**progress}
        if loading == "":
            self._age.caught_up()
            changes |= {"loaded": 0, "total": 0}
        self.drain.let_in()
        if loading is not None:
            changes["loading"] = loading
        self._status(error=None, freshness=self._condition.heard(loading=self.mirror.loading), **changes)

    def slowed(self, scarce: bool) -> None:
        """Little of the rate limit is left, or enough again."""
        self._status(slowed=scarce)

    def unreachable(self, error: GlboardError, *, signed_out: bool = False) -> None:
        """The server did not answer, or no longer lets us in; what is shown may be old."""
        if signed_out:
            self.drain.signed_out()
        self._status(freshness="signed-out" if signed_out else "offline", error=error)

    def disk_failed(self, error: StoreFailed) -> None:
        """The disk refuses what has to be kept: said once, until it works again."""
        self._condition.disk_failed(error)

    def tell(self, event: Event) -> None:
        """Give an event to every listener."""
        for listener in self._listeners:
            listener(event)

    def _status(self, **changes: object) -> None:
        self._condition.update(**changes)


def _left_over(count: int, *, read_only: bool) -> str:
    one = count == 1
    what = "1 change from the last session" if one else f"{count} changes from the last session"
    if read_only:
        return f"{what} {'stays' if one else 'stay'} unsent: read-only session."
    return f"Sending {what} ..."
