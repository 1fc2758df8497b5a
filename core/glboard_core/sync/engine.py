"""The engine: what the screen and the command line call.

Owns what a keystroke does: its Ops, undo and redo, retrying failed changes. Builds the parts, and runs them
until it is cancelled: ``poller.py`` reads the server, ``watcher.py`` what GitLab tells of, ``sender.py``
sends the outbox, ``processes.py`` follows other processes. What all of them change is in ``local_state.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.board.definition import Board, flow_scheme, milestone_title, resolve
from glboard_core.board.operations import Change, Edit, GroupId, Op, OpId, new_id
from glboard_core.board.renamed import group_now, settings_now
from glboard_core.board.undo import Group, UndoStack, deletes_notes, inverses
from glboard_core.config import Settings
from glboard_core.errors import (
    LOAD_FIRST,
    READ_ONLY,
    REQUEST_ID,
    DraftOn,
    EditImpossible,
    GlboardError,
    LastRefused,
    NameUnknown,
    ReadOnly,
    StoreFailed,
)
from glboard_core.model.address import is_below, server_of
from glboard_core.model.catalog import Catalog, Label, Person, Project
from glboard_core.model.issue import Issue, IssueId, Reference
from glboard_core.model.milestone import Milestone
from glboard_core.model.renames import since
from glboard_core.ports import WAITS, Gateway, Logged, Store
from glboard_core.sync.board_reader import BoardReader
from glboard_core.sync.events import EngineNotice, Event, IssuesChanged, Status
from glboard_core.sync.initial_load import (
    CURSOR,
    SCOPE,
    InitialLoad,
    adopt_scope,
    has_scope,
    scope_of_group,
)
from glboard_core.sync.label_events import LabelEvents
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.log import UNDO, chosen_group, last_group, log_line, prunable
from glboard_core.sync.merge_requests import MergeRequestStates
from glboard_core.sync.names import KnownNames
from glboard_core.sync.on_demand import IssuesOnDemand
from glboard_core.sync.poller import Poller
from glboard_core.sync.present_names import MOST_SAID, PresentNames
from glboard_core.sync.processes import OtherProcesses, SendLease
from glboard_core.sync.sender import OutboxSender
from glboard_core.sync.staging import Staging
from glboard_core.sync.status import MirrorAge, SyncStatus
from glboard_core.sync.timing import DAY, RECENT, Timing
from glboard_core.sync.watcher import Watcher
from glboard_core.unknown_names import no_board

Listener = Callable[[Event], None]

#: Meta key of the user that the store belongs to.
USER = "user"

#: At most so many different answers are told of.
MOST_LEFT_OUT = 50

#: More lines than any log has.
_ALL = 1_000_000_000

#: Why a failed change cannot be retried.
GONE = EditImpossible("The issue no longer exists.", hint="Discard the change.")
#: Why it cannot be retried while a draft is on.
KEEPS_FAILED = "The failed change waits."


class UserChangedError(Exception):
    """The token belongs to another user than the store: nothing in the store may be sent."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


class Engine:
    """State, and the tasks that keep it up to date. All methods are called from one event loop.

    ``as_of`` fixes the time that everything is computed with; by default it is the server's clock. ``timing``
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
        # What the configuration names may have been renamed in GitLab.
        present, _ = settings_now(settings, store.catalog())
        self.read_only = read_only
        #: Host, port and path of the server, as used in files; set by the caller.
        self.host = ""
        #: Why changes cannot be saved, if so: then they are refused rather than pretended.
        self.save_error: GlboardError | None = None
        self.timing = timing or Timing()
        self._as_of = as_of
        self._zone = ZoneInfo(settings.ui.time_zone)
        self._listeners: list[Listener] = []
        #: What was left out of answers, since it is not understood; each once.
        self.left_out: list[str] = []
        gateway.tell_left_out(self._leave_out)
        #: The visible board, and its milestone if chosen by hand.
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
        #: What is tried out: while a draft is on, edits are staged there and nothing is sent.
        self.drafts = Staging(self.local_state, self._ops, self.undo_stack.done, gateway.now)
        #: The issues as shown, and the Ops not confirmed yet.
        self.shown, self.outbox = self.local_state.shown, self.local_state.outbox
        self._status = SyncStatus(self.local_state, self._age, self._emit, self._wake.set)
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
        #: What is read of issues besides their fields: merge requests of the cards in view, label events.
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
        self._boards = BoardReader(gateway, self.local_state, self._age, ours=has_scope(store, label))
        #: Issues that a person names, in the mirror or not.
        self.on_demand = IssuesOnDemand(gateway, self.local_state, self.names)
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
        """Whether the server confirmed, in this session, that we are the user the store belongs to."""
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
        """Use another configuration from now on: all of it but server, group and the group's label."""
        self._zone = ZoneInfo(settings.ui.time_zone)
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
        """Do what one keystroke means: shown at once, saved in the outbox, sent soon. Returns the new Ops.

        While a draft is on they are staged there instead, and not sent. A change that would change nothing
        creates no Op. ``instead`` are failed changes that are deleted in the same step, if any Op is created.
        Raises StoreFailed if they cannot be saved, ReadOnly if changes are refused, and DraftOn with
        ``instead`` in a draft; then nothing is changed.
        """
        self._check_writable()
        ops = self._ops(changes)
        if self.drafts.current is not None:
            if instead:
                raise DraftOn(KEEPS_FAILED)
            self.drafts.stage(ops, title)
        elif ops:
            self.local_state.enqueue(ops, title, instead)
            self.undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))
        return ops

    def undo(self) -> Group | None:
        """Undo the last keystroke, of this session or else of an earlier one.

        In a draft it is the last one staged, and nothing else. Unsent changes are withdrawn; the inverse of
        the others is sent. None if there is nothing to undo.
        Raises LastRefused if GitLab refused the last keystroke, which ``discard_refused`` removes, and what
        ``perform`` raises.
        """
        self._check_writable()
        if self._undoes_staged:
            return self.drafts.undo()
        group = self.last_change()
        if group is None:
            return None
        if group.is_refused:
            raise LastRefused(group.title)
        self.undo_stack.undo()
        self.drafts.applied_last = False
        sent: Sequence[Op] = group.ops
        try:
            sent = self.local_state.withdraw(group.ops)
            # "Before" is the edit's result: if someone changed that since, it is a conflict.
            results = {op.issue: op.change.apply(op.before) for op in sent if op.before is not None}
            self.local_state.enqueue(self._ops(inverses(sent), seen=results), f"{UNDO}{group.title}")
        except GlboardError:
            self.undo_stack.redone(structs.replace(group, ops=tuple(sent)))
            raise
        self._log_undone(sent, group.title)
        self.undo_stack.undone(group)
        return group

    @property
    def undo_deletes(self) -> int:
        """How many comments that have left ``undo`` would delete: others can have read them."""
        if self._undoes_staged or (group := self.last_change()) is None:
            return 0
        return sum(not self.local_state.is_unsent(op.id) for op in deletes_notes(group.ops))

    def undo_chosen(self, ops: Collection[OpId]) -> Group | None:
        """Undo these changes of the log in one go, of whatever session; ``redo`` brings them back.

        None if none of them can be undone. Raises what ``perform`` raises.
        """
        self._check_writable()
        group = self._present_group(chosen_group([*self.unsent(), *self.store.log()], ops))
        if group is None:
            return None
        self.undo_stack.gather(group)
        return self.undo()

    def discard_refused(self) -> Group | None:
        """Discard the last keystroke if GitLab refused it; returns it. Raises what ``perform`` raises."""
        self._check_writable()
        group = self.last_change()
        if group is None or not group.is_refused:
            return None
        for op in group.refused:
            self.local_state.discard_failed(op.id)
        return group

    def _log_undone(self, ops: Sequence[Op], title: str) -> None:
        """Record which changes were undone, so that no later session undoes them again."""
        if not ops:
            return
        now = self.gateway.now()
        try:
            self.store.settle([], [], [log_line(op, title, now, "undone") for op in ops])
        except StoreFailed as error:
            self._status.disk_failed(error)

    def apply_draft(
        self, issues: Collection[IssueId], title: str, *, over: Collection[IssueId] = ()
    ) -> Group | None:
        """Send what the draft that is on has staged for these issues; see ``Staging.apply``.

        Raises what ``perform`` raises.
        """
        self._check_writable()
        return self.drafts.apply(issues, title, over=over)

    def redo(self) -> Group | None:
        """Redo what was undone last. Raises what ``perform`` raises."""
        self._check_writable()
        if self.drafts.current is not None:
            return self.drafts.redo()
        group = self.undo_stack.redo()
        if group is None:
            return None
        ops = self._ops([(op.issue, _redone(op)) for op in group.ops])
        try:
            self.local_state.enqueue(ops, group.title)
        except GlboardError:
            self.undo_stack.undone(group)
            raise
        redone = Group(id=group.id, title=group.title, ops=tuple(ops))
        if ops:
            self.undo_stack.redone(redone)
        return redone

    def last_change(self) -> Group | None:
        """The changes that ``undo`` would undo, or refuses to pass over since GitLab refused them."""
        if self._undoes_staged:
            return self.drafts.last
        if (last := self.undo_stack.last) is not None:
            return last
        failed = {op.id for op, _ in self.failed}
        return self._present_group(last_group([*self.unsent(), *self.store.log()], failed))

    def _present_group(self, found: Group | None) -> Group | None:
        """A group of the log, which keeps the names of its time, with those of today."""
        catalog = self.catalog
        return group_now(found, since(catalog)) if found and catalog and catalog.former else found

    @property
    def next_change(self) -> Group | None:
        """What ``redo`` would redo."""
        return self.drafts.next if self.drafts.current is not None else self.undo_stack.next

    @property
    def _undoes_staged(self) -> bool:
        """Whether undo takes something out of the draft: nothing that was sent is undone while one is on."""
        return self.drafts.current is not None and not self.drafts.applied_last

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
        ops = self._ops([(one.issue, one.change) for one in retried])
        # In one transaction: what is in the outbox again is no longer a failed change.
        self.local_state.enqueue(ops, title, [one.id for one in retried])
        if ops:
            self.undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))

    def keep_mine(self, issue: IssueId) -> None:
        """Send the conflicting changes over the server's values. Raises what ``perform`` raises."""
        self.check_sends("The conflict waits.")
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
        """For what cannot be staged. Raises DraftOn, and what ``perform`` raises."""
        self._check_writable()
        if self.drafts.current is not None:
            raise DraftOn(what)

    def _ops(
        self, changes: Sequence[tuple[IssueId, Change]], *, seen: Mapping[IssueId, Issue] | None = None
    ) -> list[Op]:
        """Ops of one group. ``seen``: the issue as the person saw it, if that is not what is shown."""
        group = GroupId(new_id())
        ops: list[Op] = []
        now: dict[IssueId, Issue] = {}
        saw: dict[IssueId, Issue] = dict(seen or {})
        for issue, change in changes:
            shown = now.get(issue) or self.shown.get(issue)
            if shown is None and not change.creates:
                continue
            if shown is not None and change.changes_nothing(shown):
                continue
            before = saw.get(issue, shown)
            # The server's time even with --as-of: recovery on the server depends on it.
            at = self.gateway.now()
            op = Op(id=OpId(new_id()), group=group, issue=issue, change=change, at=at, before=before)
            ops.append(op)
            after = change.new_issue(issue, at) if shown is None else change.apply(shown)
            if after is not None:
                now[issue] = after
            if before is not None:
                saw[issue] = change.apply(before)
        return ops

    async def create_board(self, name: str) -> None:
        """Create an issue board in the group: GitLab needs one to begin a manual order.

        Raises EditForbidden, EditUnknown, DraftOn, and what ``perform`` raises.
        """
        self.check_sends("A board cannot be staged.")
        board = await self.gateway.create_board(name)
        if (catalog := self.catalog) is not None and catalog.ranking_board is None:
            self._present.store(structs.replace(catalog, ranking_board=board))

    async def create_labels(self, titles: Sequence[str]) -> None:
        """Create labels in the group. Raises EditForbidden, EditUnknown, and what ``perform`` raises."""
        self._check_writable()
        made = await self.gateway.create_labels(titles)
        self.learn(labels=made)

    # The change log

    def unsent(self) -> list[Logged]:
        """Unsent changes, newest first, as log lines; their result is ``waits``."""
        now = self.now()
        return [log_line(op, self.local_state.title(op), now, WAITS) for op in self.outbox][::-1]

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
        """These cards are in view, the most important first: GitLab is asked to tell of their changes."""
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

    # For commands, which do not run the background

    async def sign_in(self, seconds: float = DAY) -> bool:
        """Use the stored catalog if it was read with this token in the last ``seconds``, else read it.

        Returns whether it was read. Raises what the gateway raises.
        """
        read = await self.names.read_once(timedelta(seconds=seconds))
        self._status.verified = True
        return read

    async def load_catalog(self) -> None:
        """Ask for what the configuration names only. Raises what the gateway raises."""
        await self.names.read()

    async def load_board(
        self, board: str, milestone: str | None = None, *, closed: bool = False, fresh: bool = False
    ) -> Mapping[IssueId, Issue]:
        """One board's issues as GitLab has them: for commands that print it. Also raises NameUnknown.

        What the mirror has is used if it was compared with GitLab a short while ago, unless ``fresh``.
        """
        if fresh:
            await self.load_catalog()
        known_now = fresh or await self.sign_in(RECENT)
        if milestone not in (None, "any", "none"):
            await self.know_milestones([milestone or ""])
        try:
            found = self._named_board(board, milestone)
        except NameUnknown:
            if known_now:
                raise
            await self.load_catalog()
            found = self._named_board(board, milestone)
        version = self.settings.planning.version
        scope = scope_of_group(self.settings.labels.group, self.catalog, self.today(), version)
        scope = structs.replace(scope, pinned=self.local_state.pinned.kept())
        issues = await self._boards.read(found, scope, closed=closed, fresh=fresh)
        self.names.learn(lambda _: True)
        return issues

    def _named_board(self, board: str, milestone: str | None) -> Board:
        """The board. An unknown milestone is an error for a command; the screen shows it on the board."""
        if milestone not in (None, "any", "none") and self.catalog is not None:
            milestone_title(milestone or "", self.settings, self.catalog, self.today())
        return self.board(board, milestone)

    async def know_milestones(self, names: Iterable[str]) -> None:
        """Ask for milestones that were named by a person, and similar ones where there is none.

        Names that mean a date or an alias are known. Raises what the gateway raises.
        """
        await self.names.know_milestones(names)

    async def load_issues(self, references: Sequence[str]) -> list[Issue]:
        """Read these issues by reference (see ``model/issue.py``): one request, if their projects are known.

        Raises NameUnknown for the first that does not exist or is hidden, and UserChangedError.
        """
        return await self.on_demand.load(references, self._find, self.hosts)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The server as it is asked, and as GitLab itself calls it in the addresses of pages."""
        one = next(iter(self.store.issues().values()), None)
        own = server_of(one.web_url, one.project) if one is not None else ""
        return tuple(dict.fromkeys(host for host in (self.host, own) if host)) if self.host else ()

    async def reread(self, issues: Sequence[IssueId]) -> None:
        """Read these issues again: for commands that change them. Raises UserChangedError."""
        known = [issue for identity in issues if (issue := self.shown.get(identity)) and issue.iid]
        found = await self._find([Reference(issue.project, issue.iid) for issue in known])
        now = {issue.id: issue for issue in found.values() if issue.id in issues}
        # By id where a project was renamed, or an issue was moved.
        now |= await self.gateway.read([identity for identity in issues if identity not in now])
        self.local_state.confirm(now.values(), "load")

    async def _find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """The issues; the same request tells who we are."""
        found = await self.gateway.find(references)
        if self.gateway.user is not None and (catalog := self.catalog) is not None:
            self.keep_catalog(structs.replace(catalog, me=self.gateway.user))
        return found

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


def _redone(op: Op) -> Change:
    """The change that redoes an Op: an issue created once is reopened, not created a second time."""
    created = op.change.creates and not op.issue.startswith("new:")
    return Edit(state="opened") if created else op.change
