"""The engine: what the screen and the command line call.

Owns what a keystroke does, and retrying failed changes. Builds the parts, and runs them until it is
cancelled: ``poller.py`` reads the server, ``watcher.py`` what GitLab tells of, ``sender.py`` sends, and
``processes.py`` follows other processes. What all of them change is in ``local_state.py``. Callers use the
part they need: ``undoing``, ``log``, ``drafts``, ``names``, and ``reader`` for commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime

from msgspec import structs

from glboard_core.board.definition import Board, flow_scheme, resolve
from glboard_core.board.operations import Change, Op, OpId
from glboard_core.board.renamed import settings_now
from glboard_core.board.undo import Group, UndoStack
from glboard_core.config import Settings
from glboard_core.errors import (
    LOAD_FIRST,
    READ_ONLY,
    REQUEST_ID,
    DraftOn,
    EditImpossible,
    GlboardError,
    NameUnknown,
    ReadOnly,
)
from glboard_core.model.address import is_below
from glboard_core.model.catalog import Catalog, Label, Person, Project
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.ports import Gateway, Store
from glboard_core.sync.board_reader import BoardReader
from glboard_core.sync.command_reader import CommandReader
from glboard_core.sync.events import EngineNotice, Event, IssuesChanged, Status
from glboard_core.sync.initial_load import (
    CURSOR,
    SCOPE,
    InitialLoad,
    adopt_scope,
    has_scope,
    scope_of_group,
)
from glboard_core.sync.known_names import KnownNames
from glboard_core.sync.label_events import LabelEvents
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import LoggedChanges
from glboard_core.sync.merge_requests import MergeRequestStates
from glboard_core.sync.on_demand import IssuesOnDemand
from glboard_core.sync.ops import MakeOps
from glboard_core.sync.poller import Poller
from glboard_core.sync.present_names import MOST_SAID, PresentNames
from glboard_core.sync.processes import OtherProcesses, SendLease
from glboard_core.sync.sender import OutboxSender
from glboard_core.sync.staging import Staging
from glboard_core.sync.status import MirrorAge, SyncStatus
from glboard_core.sync.timing import Timing
from glboard_core.sync.undoing import Undoing
from glboard_core.sync.watcher import Watcher
from glboard_core.unknown_names import no_board
from glboard_core.zones import zone_named

Listener = Callable[[Event], None]

#: Meta key of the user that the store belongs to.
USER = "user"

#: At most this many different problems with responses are reported.
MOST_LEFT_OUT = 50

#: Why a failed change cannot be retried.
GONE = EditImpossible("The issue no longer exists.", hint="Discard the change.")
#: Why it cannot be retried while a draft is on.
KEEPS_FAILED = "The failed change was not retried."


class UserChangedError(Exception):
    """The token and the store belong to different users: nothing in the store can be sent."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


class Engine:
    """State, and the tasks that keep it up to date. All methods are called from one event loop.

    ``as_of`` fixes the current time for all calculations; by default it is the server's clock. ``timing``
    has the waits. A ``command`` never changes which issues the mirror is of, since a screen may be using it.
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
        command: bool = False,
    ) -> None:
        self.gateway = gateway
        self.store = store
        # Names in the configuration may have been renamed in GitLab.
        present, _ = settings_now(settings, store.catalog())
        self.read_only = read_only
        #: Host, port and path of the server, as used in files; set by the caller.
        self.host = ""
        #: Why changes cannot be saved, or None. If they cannot, they are refused, not just shown.
        self.save_error: GlboardError | None = None
        self.timing = timing or Timing()
        self._as_of = as_of
        self._zone = zone_named(settings.ui.time_zone)
        self._listeners: list[Listener] = []
        #: Values left out of responses because they were not understood, each once.
        self.left_out: list[str] = []
        gateway.tell_left_out(self._leave_out)
        #: The visible board, and its milestone if a person chose it.
        self._visible: tuple[str, str | None] | None = None
        self._wake = asyncio.Event()
        self._age = MirrorAge(store, gateway.now)
        if (known := store.catalog()) is not None and known.server.version:
            gateway.expect(known.server)
        if known is not None and known.group_id and known.group:
            gateway.expect_group(known.group)
        #: Whether the issues of the mirror were read with their weights, as far as known.
        self._weighted = known.server.has_weight if known is not None else None
        # Before anything is shown: issues of another scope must not be.
        label = present.labels.group
        adopts = not command or store.meta(SCOPE) is None
        self._scope_changed = adopts and adopt_scope(store, label, self._age)
        self.undo_stack = UndoStack()
        self.local_state = LocalState(
            store,
            self.undo_stack,
            settings.sync,
            emit=self._emit,
            changed=self._state_changed,
            now=gateway.now,
            drafts=not command,
        )
        #: The drafts: while one is on, edits are staged there and not sent.
        self._make_ops = MakeOps(self.local_state.shown, gateway.now)
        self.drafts = Staging(self.local_state, self._make_ops, self.undo_stack.done, gateway.now)
        #: The issues as shown, and the Ops not confirmed yet.
        self.shown, self.outbox = self.local_state.shown, self.local_state.outbox
        self._status = SyncStatus(self.local_state, self._age, self._emit, self._wake.set)
        #: What was changed, sent or not.
        self.log = LoggedChanges(store, self.outbox, self.local_state.title, self.now)
        #: Undo and redo.
        self.undoing = Undoing(
            self.local_state,
            self.undo_stack,
            self.drafts,
            self.log,
            self._make_ops,
            check_writable=self._check_writable,
            now=gateway.now,
            disk_failed=self._status.disk_failed,
        )
        self.names = KnownNames(gateway, store, present, today=self.today, keep=self.keep_catalog)
        self._present = PresentNames(
            settings, self.local_state, self.names, self._status, emit=self._emit, today=self.today
        )
        self.initial_load = InitialLoad(
            gateway, self.local_state, self._status, lambda: flow_scheme(self.settings), self.names
        )
        self.poller = Poller(
            gateway,
            self.local_state,
            self._status,
            self.initial_load,
            self.names,
            lambda: self.settings,
            self.timing.longest_read_wait,
            visible=self._visible_board,
            today=self.today,
        )
        self.watcher = Watcher(
            gateway.live,
            self.local_state,
            self.timing,
            on=settings.sync.live,
            ready=self.poller.idle,
            reread=self.poller.reread,
        )
        #: Data of issues besides their fields: merge requests of issues in view, and label events.
        self.merge_requests = MergeRequestStates(
            gateway,
            self.local_state,
            self.timing,
            emit=self._emit,
            ready=self.poller.idle,
            in_use=self.watcher.in_use,
            today=self.today,
        )
        self.label_events = LabelEvents(gateway, store, emit=self._emit, today=self.today)
        #: Issues given by reference or URL, in the mirror or not.
        self.on_demand = IssuesOnDemand(gateway, self.local_state, self.names)
        #: What commands read, which do not run the background.
        self.reader = CommandReader(
            gateway,
            self.local_state,
            self.names,
            BoardReader(gateway, self.local_state, self._age, ours=has_scope(store, label)),
            self.on_demand,
            self._status,
            settings=lambda: self.settings,
            board=self.board,
            today=self.today,
            host=lambda: self.host,
            keep_catalog=self.keep_catalog,
        )
        self.local_state.pinned.belongs = self._belongs
        self.others = OtherProcesses(self.local_state, self._status)
        self.local_state.follow = self.others.adopt_now
        self.others.adopt_names = self._present.adopt
        self.sender = OutboxSender(
            gateway,
            self.local_state,
            self.poller,
            self.others,
            SendLease(self.others, store, self._status, read_only=read_only),
            self._status,
            self.timing,
            self._wake,
        )

    # Queries

    @property
    def settings(self) -> Settings:
        """The configuration, with present names."""
        return self._present.settings

    @property
    def catalog(self) -> Catalog | None:
        """What the server offers; None before it was first read."""
        return self.store.catalog()

    @property
    def failed(self) -> list[tuple[Op, GlboardError]]:
        """Failed changes, oldest first, until they are retried or discarded."""
        return self.local_state.failed

    @property
    def status(self) -> Status:
        """The sync status."""
        return self._status.status

    @property
    def verified(self) -> bool:
        """Whether the server has confirmed in this session that the store belongs to our user."""
        return self._status.verified

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
            raise no_board(board, (b.id for b in self.settings.boards))
        if (catalog := self.catalog) is None:
            raise NameUnknown("board", board, hint=LOAD_FIRST)

        def issues(title: str | None) -> Iterable[Issue]:
            return (issue for issue in self.shown.matching(title) if issue.is_open)

        return resolve(
            found,
            self.settings,
            catalog,
            self.today(),
            milestone=milestone,
            issues=issues,
            team=self.names.people,
        )

    def configure(self, settings: Settings) -> None:
        """Apply another configuration, except the server, the group and the group label."""
        self._zone = zone_named(settings.ui.time_zone)
        names = self._present.configure(settings)
        self.local_state.configure(settings.sync)
        self.poller.configure(names=names)
        self.watcher.switch(on=settings.sync.live)
        self.initial_load.board_changed()

    def look(self, board: str, milestone: str | None = None) -> None:
        """This board is visible: the initial load reads it before the rest."""
        if (board, milestone) != self._visible:
            self._visible = (board, milestone)
            self.initial_load.board_changed()

    def _visible_board(self) -> Board | None:
        try:
            return self.board(*self._visible) if self._visible is not None else None
        except NameUnknown:
            return None

    def _belongs(self, issue: Issue) -> bool:
        """Whether the issue is in the scope of the mirror, and in the group."""
        settings, catalog = self.settings, self.catalog
        if catalog is None:
            return True
        scope = scope_of_group(settings.labels.group, catalog, self.today(), settings.planning.version)
        return scope.holds(issue) and is_below(issue.project, catalog.group)

    # Changes of a person

    def perform(
        self, changes: Sequence[tuple[IssueId, Change]], title: str, instead: Collection[OpId] = ()
    ) -> list[Op]:
        """Apply the changes of one keystroke: show, save in the outbox, send soon. Returns the new Ops.

        While a draft is on they are staged there instead, and not sent. A change that would change nothing
        creates no Op. ``instead`` are failed changes that are deleted in the same step, if any Op is created.
        Raises StoreFailed if they cannot be saved, ReadOnly if changes are refused, and DraftOn with
        ``instead`` in a draft; then nothing is changed.
        """
        self._check_writable()
        ops = self._make_ops(changes)
        if self.drafts.current is not None:
            if instead:
                raise DraftOn(KEEPS_FAILED)
            self.drafts.stage(ops, title)
        elif ops:
            self.local_state.enqueue(ops, title, instead)
            self.undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))
        return ops

    def apply_draft(
        self, issues: Collection[IssueId], titled: Callable[[int], str], *, over: Collection[IssueId] = ()
    ) -> Group | None:
        """Send what the draft that is on has staged for these issues; see ``Staging.apply``.

        Raises what ``perform`` raises.
        """
        self._check_writable()
        return self.drafts.apply(issues, titled, over=over)

    def retry(self, op: OpId) -> None:
        """Retry a failed change, with its dependent changes; does nothing if it no longer exists.

        If its issue is gone, the change stays, with that as the reason. Raises what ``perform`` raises.
        """
        self.check_sends(KEEPS_FAILED)
        failed = next((failed for failed, _ in self.failed if failed.id == op), None)
        if failed is None:
            return
        new = failed.change.creates
        if not new and failed.issue not in self.shown:
            self.local_state.failed = [(one, GONE if one is failed else error) for one, error in self.failed]
            return
        # Changes to a new issue that could not be created go with it.
        retried = [one for one, _ in self.failed if one is failed or (new and one.issue == failed.issue)]
        titles = {stored.op.id: stored.title for stored in self.store.failed_changes()}
        title = f"again: {titles.get(op, '').removeprefix('again: ')}"
        ops = self._make_ops([(one.issue, one.change) for one in retried])
        # In one transaction: what is in the outbox again is no longer a failed change.
        self.local_state.enqueue(ops, title, [one.id for one in retried])
        if ops:
            self.undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))

    def keep_mine(self, issue: IssueId) -> None:
        """Send the conflicting changes over the server's values. Raises what ``perform`` raises."""
        self.check_sends("The conflict was not resolved.")
        self.local_state.conflicts.keep_mine(issue)
        self.local_state.conflicts_changed([issue])

    def keep_theirs(self, issue: IssueId) -> None:
        """Discard the conflicting changes of this issue. Raises what ``perform`` raises."""
        self._check_writable()
        self.local_state.discard(self.local_state.conflicts.losing(issue))

    def _check_writable(self) -> None:
        if self.save_error is not None:
            raise self.save_error
        if self.read_only:
            raise ReadOnly(READ_ONLY, hint="Start glboard without --read-only to change issues.")

    def check_sends(self, what: str) -> None:
        """Check before something that cannot be staged. Raises DraftOn, and what ``perform`` raises."""
        self._check_writable()
        if self.drafts.current is not None:
            raise DraftOn(what)

    async def create_board(self, name: str) -> None:
        """Create an issue board in the group, which GitLab needs for a manual order.

        Raises EditForbidden, EditUnknown, DraftOn, and what ``perform`` raises.
        """
        self.check_sends("Boards cannot be created in a draft.")
        board = await self.gateway.create_board(name)
        if (catalog := self.catalog) is not None and catalog.ranking_board is None:
            self._present.store(structs.replace(catalog, ranking_board=board))

    async def create_labels(self, titles: Sequence[str]) -> None:
        """Create labels in the group. Raises EditForbidden, EditUnknown, and what ``perform`` raises."""
        self._check_writable()
        made = await self.gateway.create_labels(titles)
        self.learn(labels=made)

    # The background

    async def run(self) -> None:
        """Load, poll, send and follow until cancelled. An initial load starts with the visible board.

        Raises UserChangedError if the token belongs to another user than the store.
        """
        self.local_state.holds = True
        for notice in self._first_notices():
            self._emit(EngineNotice(notice))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.poller.run(), name="poller")
                tasks.create_task(self.watcher.run(), name="watcher")
                tasks.create_task(self.merge_requests.run(), name="merge requests")
                tasks.create_task(self.sender.run(), name="sender")
                tasks.create_task(self.others.follow(self.timing.follow), name="other processes")
                tasks.create_task(self._check_store(), name="check")
        except* UserChangedError as group:
            found: BaseException = group
            while isinstance(found, BaseExceptionGroup):
                found = found.exceptions[0]
            raise found from None
        finally:
            self._age.keep()

    def _leave_out(self, what: str) -> None:
        # The same comes again with every poll, and only the id of the request differs.
        said = {text.partition(REQUEST_ID)[0] for text in self.left_out}
        if what.partition(REQUEST_ID)[0] not in said and len(self.left_out) < MOST_LEFT_OUT:
            self.left_out.append(what)
            self._emit(EngineNotice(what))

    def _first_notices(self) -> Iterable[str]:
        if self.store.notice:
            yield self.store.notice
        if self.save_error is not None:
            yield str(self.save_error)
        yield from map(str, self._present.old()[:MOST_SAID])
        if self._scope_changed:
            yield "Group label changed: reloading all issues."
        if count := len(self.outbox):
            changes = f"{count} change{'s' if count > 1 else ''} from the last session"
            stay = f"{changes} {'stay' if count > 1 else 'stays'} unsent: read-only session."
            yield stay if self.read_only else f"Sending {changes} ..."
        if (draft := self.drafts.current) is not None:
            yield f"The draft “{draft.name}” is on, {len(draft.issues)} staged: edits are not sent."

    async def _check_store(self) -> None:
        """Once the board is shown, check for damage that the start did not look for."""
        await self.poller.idle()
        if found := await asyncio.to_thread(self.store.check):
            self.save_error = found
            self._emit(EngineNotice(str(found)))

    def refresh(self) -> None:
        """Refresh everything soon, and retry sending."""
        self.poller.refresh()
        self.watcher.retry()
        self.sender.hurry()

    def in_view(self, issues: Sequence[IssueId]) -> None:
        """Subscribe to live events for these issues in view, the most important first."""
        self.watcher.look(issues)
        self.merge_requests.look(issues)
        self.label_events.look(issues)

    async def finish(self, seconds: float) -> int:
        """Send without holding, and wait at most that long; returns how many are still unsent."""
        self.sender.hurry()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.sender.idle()
        return len(self.outbox)

    # What the parts report

    def keep_catalog(self, catalog: Catalog) -> None:
        """The catalog was read. Raises UserChangedError."""
        owner = self.store.meta(USER)
        if owner is None:
            self.store.put_meta(USER, catalog.me.id.encode())
        elif owner.decode() != catalog.me.id:
            raise UserChangedError(catalog.me.username)
        self._status.verified = True
        self._age.set_clock()
        before, self._weighted = self._weighted, catalog.server.has_weight
        if before not in (None, self._weighted):
            # The licence came or went: no issue tells, since none was updated.
            self.store.put_meta(CURSOR, b"")
            self._age.forget()
            self.local_state.licence_changed = True
            self.poller.refresh()
        self._present.store(catalog)
        self._wake.set()

    def learn(
        self,
        *,
        labels: Iterable[Label] = (),
        milestones: Iterable[Milestone] = (),
        people: Iterable[Person] = (),
        projects: Iterable[Project] = (),
    ) -> None:
        """Keep what a search found and a person chose. Unlike a catalog that was read, it tells no user."""
        if (catalog := self.catalog) is None:
            return
        self._present.store(
            catalog.learn(labels=labels, milestones=milestones, people=people, projects=projects)
        )

    def _state_changed(self) -> None:
        """The outbox, the failed changes or the conflicts changed."""
        self._wake.set()
        self._status.update()

    def _emit(self, event: Event) -> None:
        if isinstance(event, IssuesChanged):
            self.merge_requests.touch()
        for listener in self._listeners:
            listener(event)
