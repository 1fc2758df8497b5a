"""The engine: what the screen and the command line call.

Sole owner of state: shown = fold(confirmed, outbox), kept by ``local_state.py``. ``perform`` shows a change
at once and queues it; ``run`` loads, polls, sends and follows other processes until it is cancelled.
``poller.py`` reads the server, ``sender.py`` sends, ``log.py`` logs the outcomes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.board.conflicts import Conflict
from glboard_core.board.definition import Board, milestone_title, resolve
from glboard_core.board.operations import Change, Edit, GroupId, Op, OpId
from glboard_core.board.undo import Group, UndoStack, inverses
from glboard_core.config import Settings
from glboard_core.errors import (
    NOT_LOADED,
    READ_ONLY,
    EditImpossible,
    GlboardError,
    NameUnknown,
    ReadOnly,
    StoreFailed,
)
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId, parse_reference
from glboard_core.ports import Gateway, Logged, Store
from glboard_core.sync import conflicts, processes
from glboard_core.sync.events import CatalogChanged, Cause, Event, Notice, Status
from glboard_core.sync.ids import new_id
from glboard_core.sync.initial_load import adopt
from glboard_core.sync.local_state import LocalState, Shown
from glboard_core.sync.log import UNDO, Made, Refused, last_made, logged, prunable
from glboard_core.sync.outbox import Outbox
from glboard_core.sync.poller import Poller
from glboard_core.sync.sender import OutboxSender
from glboard_core.sync.status import MirrorAge, SyncStatus
from glboard_core.sync.timing import Timing

# Turns what a person does into Ops. One keystroke is one group, undone and redone as one.

#: Why a failed change cannot be retried.
GONE = EditImpossible("The issue no longer exists.", hint="Press r to refresh, or discard the change.")


class Hand:
    """Creates the Ops of what a person does. ``now`` is the server's clock; ``refused`` is called if the log
    cannot be written.

    Changing methods raise StoreFailed if the change cannot be saved; then nothing is changed.
    """

    def __init__(
        self,
        local_state: LocalState,
        undo_stack: UndoStack,
        now: Callable[[], datetime],
        refused: Callable[[StoreFailed], None],
    ) -> None:
        self._local_state = local_state
        self._undo_stack = undo_stack
        self._now = now
        self._refused = refused

    def perform(
        self, changes: Sequence[tuple[IssueId, Change]], title: str, instead: Collection[OpId] = ()
    ) -> list[Op]:
        """Do one keystroke's acts: shown at once, saved in the outbox, sent soon. Returns the new Ops.

        An act that would change nothing creates no Op. ``instead`` are failed changes that are deleted in the
        same step, if any Op is created.
        """
        ops = self._make(changes)
        if ops:
            self._local_state.enqueue(ops, title, instead)
            self._undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))
        return ops

    def undo(self) -> Group | None:
        """Undo the last keystroke, of this session or else of an earlier one.

        Unsent changes are withdrawn; the inverse of the others is sent. None if there is nothing to undo.
        """
        group = self._undo_stack.undo() or last_made(self._local_state.store.log())
        if group is None:
            return None
        made: Sequence[Op] = group.ops
        try:
            made = self._local_state.take_back(group.ops)
            # "Before" is the edit's result: if someone changed that since, it is a conflict.
            left = {op.issue: op.change.apply(op.before) for op in made if op.before is not None}
            self._local_state.enqueue(self._make(inverses(made), seen=left), f"{UNDO}{group.title}")
        except GlboardError:
            self._undo_stack.redone(structs.replace(group, ops=tuple(made)))
            raise
        self._log_undone(made, group.title)
        self._undo_stack.undone(group)
        return group

    def _log_undone(self, ops: Sequence[Op], title: str) -> None:
        """Record which changes were undone, so that no later session undoes them again."""
        if not ops:
            return
        now = self._now()
        try:
            self._local_state.store.settle([], [], [logged(op, title, now, "undone") for op in ops])
        except StoreFailed as error:
            self._refused(error)

    def redo(self) -> Group | None:
        """Redo what was undone last."""
        group = self._undo_stack.redo()
        if group is None:
            return None
        ops = self._make([(op.issue, _again(op)) for op in group.ops])
        try:
            self._local_state.enqueue(ops, group.title)
        except GlboardError:
            self._undo_stack.undone(group)
            raise
        redone = Group(id=group.id, title=group.title, ops=tuple(ops))
        if ops:
            self._undo_stack.redone(redone)
        return redone

    def retry(self, op: OpId) -> None:
        """Retry a failed change, with its dependent changes; does nothing if it no longer exists.

        If its issue is gone, the change stays, with that as the reason.
        """
        local_state = self._local_state
        failed = next((failed for failed, _ in local_state.failed if failed.id == op), None)
        if failed is None:
            return
        new = failed.change.creates
        if not new and failed.issue not in local_state.shown:
            local_state.failed = [
                (one, GONE if one is failed else error) for one, error in local_state.failed
            ]
            return
        # Changes to a new issue that could not be created go with it.
        along = [one for one, _ in local_state.failed if one is failed or (new and one.issue == failed.issue)]
        titles = {refusal.op.id: refusal.title for refusal in local_state.store.refusals()}
        title = f"again: {titles.get(op, '').removeprefix('again: ')}"
        ops = self._make([(other.issue, other.change) for other in along])
        # In one transaction: what is in the outbox again is no longer a failed change.
        self._local_state.enqueue(ops, title, [other.id for other in along])
        if ops:
            self._undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))

    def drop_failed(self, op: OpId) -> None:
        """Discard a failed change. Raises StoreFailed."""
        self._local_state.store.delete_failed(op)
        self._local_state.failed = [
            (failed, error) for failed, error in self._local_state.failed if failed.id != op
        ]

    def _make(
        self, changes: Sequence[tuple[IssueId, Change]], *, seen: Mapping[IssueId, Issue] | None = None
    ) -> list[Op]:
        """Ops of one group. ``seen``: the issue as the person saw it, if that is not what is shown."""
        group = GroupId(new_id())
        ops: list[Op] = []
        now: dict[IssueId, Issue] = {}
        saw: dict[IssueId, Issue] = dict(seen or {})
        for issue, change in changes:
            shown = now.get(issue) or self._local_state.shown.get(issue)
            if shown is None and not change.creates:
                continue
            if shown is not None and change.changes_nothing(shown):
                continue
            before = saw.get(issue, shown)
            # The server's time even with --as-of: recovery on the server depends on it.
            at = self._now()
            op = Op(id=OpId(new_id()), group=group, issue=issue, change=change, at=at, before=before)
            ops.append(op)
            after = change.new_issue(issue, at) if shown is None else change.apply(shown)
            if after is not None:
                now[issue] = after
            if before is not None:
                saw[issue] = change.apply(before)
        return ops


def _again(op: Op) -> Change:
    """The change that redoes an Op: an issue created once is reopened, not created a second time."""
    created = op.change.creates and not op.issue.startswith("new:")
    return Edit(state="opened") if created else op.change


# Reads single issues: for commands, which name the issues they change.


async def by_reference(engine: Engine, references: Sequence[str]) -> list[Issue]:
    """These issues, and what their projects offer. Raises NameUnknown for the first one not found."""
    if (catalog := engine.catalog) is None:
        raise NameUnknown("issue", references[0], hint=NOT_LOADED)
    wanted = [parse_reference(text, catalog) for text in references]
    found = await engine.gateway.find(wanted)
    for reference in wanted:
        if reference not in found:
            raise NameUnknown("issue", str(reference), hint="It does not exist, or you have no access.")
    issues = list({found[reference].id: found[reference] for reference in wanted}.values())
    engine.keep_catalog(await engine.gateway.extend_catalog(catalog, {issue.project for issue in issues}))
    engine.confirm(issues, "load")
    return issues


async def again(engine: Engine, issues: Sequence[IssueId]) -> None:
    """These issues as they are now, and what their projects offer."""
    now = await engine.gateway.read(issues)
    catalog = engine.catalog
    if catalog is not None:
        projects = {issue.project for issue in now.values()}
        engine.keep_catalog(await engine.gateway.extend_catalog(catalog, projects))
    engine.confirm(now.values(), "load")


Listener = Callable[[Event], None]

#: Meta key of the user that the store belongs to.
USER = "user"


#: More lines than any log has.
_ALL = 1_000_000_000


class UserChangedError(Exception):
    """The token belongs to another user than the store: nothing in the store may be sent."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


class Engine:
    """State, and the tasks that keep it up to date. All methods are called from one event loop.

    ``as_of`` fixes the time that everything is computed with; by default it is the server's clock. ``pace``
    has the waits.
    """

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        settings: Settings,
        *,
        as_of: datetime | None = None,
        read_only: bool = False,
        timing: Timing | None = None,
    ) -> None:
        self.gateway = gateway
        self.store = store
        self.settings = settings
        self.read_only = read_only
        #: Host, port and path of the server, as used in files; set by the caller.
        self.host = ""
        #: Why changes cannot be saved, if so: then they are refused rather than pretended.
        self.refuse: GlboardError | None = None
        self.timing = timing or Timing()
        self.undo_stack = UndoStack()
        self._age = MirrorAge(store, gateway.now)
        # Before anything is shown: issues of another scope must not be.
        self._narrowed = adopt(store, settings.labels.group, self._age)
        self.local_state = LocalState(store, self.undo_stack, settings.sync, self.tell, gateway.now)
        self._sync_status = SyncStatus(self.local_state, self._age, self.tell)
        self.hand = Hand(self.local_state, self.undo_stack, gateway.now, self.disk_failed)
        self._as_of = as_of
        self._zone = ZoneInfo(settings.ui.time_zone)
        self._listeners: list[Listener] = []
        #: Whether the server confirmed, in this session, that we are the user the store belongs to.
        self.verified = False
        self.poller = Poller(self)
        self.sender = OutboxSender(self)

    # Queries

    @property
    def catalog(self) -> Catalog | None:
        """What the server offers; None before it was first read."""
        return self.store.catalog()

    @property
    def shown(self) -> Shown:
        """The issues as shown."""
        return self.local_state.shown

    @property
    def outbox(self) -> Outbox:
        """The Ops not confirmed yet."""
        return self.local_state.outbox

    @property
    def failed(self) -> list[tuple[Op, GlboardError]]:
        """Failed changes, oldest first, until they are retried or discarded."""
        return self.local_state.failed

    @property
    def status(self) -> Status:
        """The sync status."""
        return self._sync_status.status

    def now(self) -> datetime:
        """The time that everything is computed with, aware and in UTC (planning rule 25)."""
        return self._as_of or self.gateway.now()

    def today(self) -> date:
        """The calendar day in the team's time zone."""
        return self.now().astimezone(self._zone).date()

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` for every event, in order, on the loop's thread."""
        self._listeners.append(listener)

    def board(self, board: str, milestone: str | None = None) -> Board:
        """A board by its id, resolved for today. Raises NameUnknown, also before the catalog was read."""
        found = self.settings.board(board)
        if found is None:
            raise NameUnknown("board", board, tuple(b.id for b in self.settings.boards))
        if (catalog := self.catalog) is None:
            raise NameUnknown("board", board, hint=NOT_LOADED)

        def issues(title: str | None) -> Iterable[Issue]:
            return (issue for issue in self.shown.matching(title) if issue.is_open)

        return resolve(found, self.settings, catalog, self.today(), milestone=milestone, issues=issues)

    def look(self, board: str, milestone: str | None = None) -> None:
        """This board is visible: the initial load reads it before the rest."""
        self.poller.look(board, milestone)

    @property
    def is_complete(self) -> bool:
        """Whether the whole scope was read once, in this session or an earlier one."""
        return self.poller.first.complete

    def unread(self, board: Board) -> Container[str]:
        """The keys of columns not completely read yet: their counts and sums are incomplete."""
        return self.poller.first.unread(board)

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes, read from the server. Raises EditForbidden, ConnectionFailed."""
        return await self.gateway.detail(issue)

    # Changes

    def perform(
        self, changes: Sequence[tuple[IssueId, Change]], title: str, instead: Collection[OpId] = ()
    ) -> list[Op]:
        """Do one keystroke's acts: shown at once, saved in the outbox, sent soon. Returns the new Ops.

        An act that would change nothing creates no Op. ``instead`` are failed changes that are deleted in the
        same step, if any Op is created. Raises StoreFailed if they cannot be saved, and ReadOnly if changes
        are refused; then nothing is changed.
        """
        with self._changing():
            return self.hand.perform(changes, title, instead)

    def undo(self) -> Group | None:
        """Undo the last keystroke, of this session or else of an earlier one.

        Unsent changes are withdrawn; the inverse of the others is sent. None if there is nothing to undo.
        Raises what ``perform`` raises.
        """
        with self._changing():
            return self.hand.undo()

    def redo(self) -> Group | None:
        """Redo what was undone last. Raises what ``perform`` raises."""
        with self._changing():
            return self.hand.redo()

    def retry(self, op: OpId) -> None:
        """Retry a failed change, with its dependent changes; does nothing if it no longer exists.

        If its issue is gone, the change stays, with that as the reason. Raises what ``perform`` raises.
        """
        with self._changing():
            self.hand.retry(op)

    def drop_failed(self, op: OpId) -> None:
        """Discard a failed change. Raises StoreFailed."""
        self.hand.drop_failed(op)
        self._status()

    def take_mine(self, issue: IssueId) -> None:
        """Keep mine: send the conflicting changes over the server's values. Raises as ``perform``."""
        with self._changing():
            conflicts.choose_mine(self.local_state, issue)

    def take_theirs(self, issue: IssueId) -> None:
        """Keep theirs: discard the conflicting changes of this issue. Raises what ``perform`` raises."""
        with self._changing():
            conflicts.choose_theirs(self.local_state, issue)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        if self.refuse is not None:
            raise self.refuse
        if self.read_only:
            raise ReadOnly(READ_ONLY, hint="Restart glboard without --read-only to change issues.")
        yield
        self.sender.wake()
        self._status()

    # Conflicts

    def conflicting(self, issue: IssueId) -> tuple[Conflict, ...]:
        """The conflicts of this issue: field, value seen, mine, theirs."""
        return self.outbox.conflicting(issue)

    def refresh(self) -> None:
        """Refresh everything soon, and retry sending."""
        self.poller.refresh()
        self.sender.hurry()

    def touch(self) -> None:
        """A key was pressed: the program is in use, so it polls more often."""
        self.poller.touch()

    def history(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""
        return self.store.log(limit)

    def unsent(self) -> list[Logged]:
        """Unsent changes, newest first, as log lines; their result is ``waits``."""
        items = (self.outbox.item(op.id) for op in self.outbox)
        lines = [logged(item.op, item.title, self.now(), "waits") for item in items if item is not None]
        return lines[::-1]

    def prunable(self, before: datetime) -> tuple[datetime, int]:
        """(up to when, how many lines) ``prune`` would delete; a keystroke is never split."""
        return prunable(self.store.log(_ALL), before)

    def prune(self, before: datetime) -> int:
        """Delete the change log before ``before`` for good; returns how many lines. Raises StoreFailed.

        Unsent, failed and conflicting changes are not in the log, and stay.
        """
        return self.store.prune(self.prunable(before)[0])

    # The background

    async def run(self) -> None:
        """Load, poll, send and follow until cancelled. An initial load starts with the visible board.

        Raises UserChangedError if the token belongs to another user than the store.
        """
        if self.store.notice:
            self.tell(Notice(self.store.notice))
        if self.refuse is not None:
            self.tell(Notice(str(self.refuse)))
        if self._narrowed:
            self.tell(Notice("Group label changed: reloading all issues."))
        if len(self.outbox):
            self.tell(Notice(_left_over(len(self.outbox), read_only=self.read_only)))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.poller.run(), name="mirror")
                tasks.create_task(self.sender.run(), name="drain")
                tasks.create_task(self._follow(), name="follow")
                tasks.create_task(self._check(), name="check")
        except* UserChangedError as group:
            raise group.exceptions[0] from None
        finally:
            self._age.keep()

    async def _check(self) -> None:
        """Once the board is shown, check for damage that the start did not look for."""
        await self.poller.idle()
        if found := await asyncio.to_thread(self.store.check):
            self.refuse = found
            self.tell(Notice(str(found)))
            self._status()

    async def _follow(self) -> None:
        """Adopt what other processes write."""
        while True:
            await asyncio.sleep(self.timing.follow)
            try:
                self.look_at_others()
            except StoreFailed as error:
                self.disk_failed(error)

    def look_at_others(self) -> None:
        """Adopt what other processes wrote since the last check. Raises StoreFailed."""
        if processes.look_at_others(self.local_state):
            self.sender.wake()
            self._status()

    async def load(self) -> None:
        """Read catalog and scope once, without polling. Raises what the gateway raises."""
        await self.poller.load()
        self._age.caught_up()

    async def load_catalog(self) -> None:
        """Read labels, milestones, people and projects only. Raises what the gateway raises."""
        self.keep_catalog(await self.gateway.catalog())

    async def load_board(self, board: str, milestone: str | None = None, *, closed: bool = False) -> None:
        """Read the catalog and one board's issues: for commands that print it. Also raises NameUnknown."""
        await self.load_catalog()
        if milestone not in (None, "any", "none") and self.catalog is not None:
            # An unknown name is an error for a command; the screen shows it on the board.
            milestone_title(milestone or "", self.settings, self.catalog, self.today())
        await self.poller.first.board(self.board(board, milestone), closed=closed)

    async def load_issues(self, references: Sequence[str]) -> list[Issue]:
        """Read these issues by reference (see ``model/issue.py``) and what their projects offer.

        Raises NameUnknown for the first that does not exist or is hidden.
        """
        return await by_reference(self, references)

    def last_change(self) -> Group | None:
        """The changes that ``undo`` would undo."""
        return self.undo_stack.last or last_made(self.store.log())

    async def reread(self, issues: Sequence[IssueId]) -> None:
        """Read these issues again, and what their projects offer: for commands that change them."""
        await again(self, issues)

    async def flush(self) -> None:
        """Send everything now and wait for the answers: for commands. Raises ConnectionFailed, AuthError."""
        await self.sender.flush()

    async def settled(self) -> None:
        """Wait until nothing can be sent, and pending reads are done (tests, quitting)."""
        await self.sender.idle()
        await self.poller.idle()

    async def finish(self, seconds: float) -> int:
        """Send without holding, and wait at most that long; returns how many are still unsent."""
        self.sender.hurry()
        try:
            async with asyncio.timeout(seconds):
                await self.sender.idle()
        except TimeoutError:
            pass
        return len(self.outbox)

    # Reports of mirror and drain

    def confirm(self, issues: Iterable[Issue], cause: Cause, *, asked: float | None = None) -> None:
        """The server returned these issues; ``asked`` is when they were requested, by the loop's clock."""
        self.local_state.confirm(issues, cause, asked=asked)
        self.sender.wake()  # conflicts may have resolved themselves

    def gone(self, issues: Iterable[IssueId], *, asked: float | None = None) -> None:
        """These issues left the scope; ``asked`` as in ``confirm``."""
        self.local_state.gone(issues, asked=asked)

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
        self.sender.wake()

    def settle(self, done: Sequence[Made], failed: Sequence[Refused], *, result: str = "done") -> None:
        """Ops were answered. Raises StoreFailed; then nothing is changed."""
        self.local_state.settle(done, failed, result=result)
        self._sync_status.disk_works()
        self._status()

    def clashed(self, issues: Iterable[str]) -> None:
        """These issues have conflicts."""
        found = [IssueId(issue) for issue in issues]
        waiting = [item for issue in found for item in self.outbox.items(issue) if item.conflicts]
        conflicts.note(self.local_state, waiting)
        self.local_state.tell_same(found)
        self._status()

    def vanished(self, ops: Sequence[OpId]) -> None:
        """These could not be claimed: another process sends them, or has withdrawn them."""
        processes.vanished(self.local_state, ops)
        self._status()

    def heard(self, *, loading: str | None = None, **progress: int) -> None:
        """The server answered; ``loading`` is what is being read, empty once all was read.

        ``progress`` are the fields loaded, total and columns of the status.
        """
        changes: dict[str, object] = {**progress}
        if loading == "":
            self._age.caught_up()
            changes |= {"loaded": 0, "total": 0}
        self.sender.let_in()
        if loading is not None:
            changes["loading"] = loading
        self._status(error=None, freshness=self._sync_status.heard(loading=self.poller.loading), **changes)

    def slowed(self, scarce: bool) -> None:
        """The rate limit is nearly used up, or no longer so."""
        self._status(slowed=scarce)

    def unreachable(self, error: GlboardError, *, signed_out: bool = False) -> None:
        """The server did not answer, or rejects our token; the shown data may be outdated."""
        if signed_out:
            self.sender.signed_out()
        self._status(freshness="signed-out" if signed_out else "offline", error=error)

    def disk_failed(self, error: StoreFailed) -> None:
        """The disk refuses writes: reported once, until it works again."""
        self._sync_status.disk_failed(error)

    def tell(self, event: Event) -> None:
        """Pass an event to every listener."""
        for listener in self._listeners:
            listener(event)

    def _status(self, **changes: object) -> None:
        self._sync_status.update(**changes)


def _left_over(count: int, *, read_only: bool) -> str:
    one = count == 1
    what = "1 change from the last session" if one else f"{count} changes from the last session"
    if read_only:
        return f"{what} {'stays' if one else 'stay'} unsent: read-only session."
    return f"Sending {what} ..."
