"""The engine's face: what the screen and the command line call.

Sole owner of state. ``perform`` paints at once and queues; ``run`` loads, polls and sends in the background
until it is cancelled. Reading the server is ``mirror.py``; sending is ``drain.py``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.board.op import (
    Act,
    Create,
    GroupId,
    Op,
    OpId,
    apply,
    changes_nothing,
)
from glboard_core.board.resolve import resolve
from glboard_core.board.undo import Group, UndoStack, inverses
from glboard_core.config import Settings
from glboard_core.errors import GlboardError, NameUnknown, ReadOnly
from glboard_core.model.board import Board
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_core.model.reference import parse_reference
from glboard_core.ports import Gateway, Store
from glboard_core.state import Change
from glboard_core.sync.drain import Drain
from glboard_core.sync.events import (
    CatalogChanged,
    Cause,
    Event,
    IssuesChanged,
    Renamed,
    Settled,
    Status,
    StatusChanged,
)
from glboard_core.sync.ids import new_id
from glboard_core.sync.mirror import Mirror
from glboard_core.sync.pending import Pending
from glboard_core.sync.shown import Shown

Listener = Callable[[Event], None]


class Engine:
    """State, and the tasks that keep it true. All methods are called from one event loop.

    ``as_of`` fixes the moment everything is computed with; without it, it is the server's clock.
    """

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        settings: Settings,
        *,
        as_of: datetime | None = None,
        read_only: bool = False,
    ) -> None:
        self.gateway = gateway
        self.store = store
        self.settings = settings
        self.pending = Pending(store.outbox())
        self.shown = Shown(store.issues())
        self.status = Status(unsent=len(self.pending), freshness="cached" if store.catalog() else "loading")
        self.undo_stack = UndoStack()
        #: Changes that were refused, newest last, until they are dropped.
        self.failed: list[tuple[Op, GlboardError]] = []
        self.read_only = read_only
        self._as_of = as_of
        self._zone = ZoneInfo(settings.ui.time_zone)
        self._listeners: list[Listener] = []
        self._titles: dict[GroupId, str] = {}
        self._answered: float | None = None
        self.mirror = Mirror(self)
        self.drain = Drain(self)
        for issue in {op.issue for op in self.pending}:
            self.shown.fold(issue, self.pending.of(issue))

    # What is asked of it

    @property
    def catalog(self) -> Catalog | None:
        """What the server offers; none before it was first read."""
        return self.store.catalog()

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
            raise NameUnknown("board", board, hint="Nothing has been read from GitLab yet.")
        issues: Iterable[Issue] = self.shown.values() if found.by == "assignee" else ()
        if found.by == "assignee":
            bare = resolve(found, self.settings, catalog, self.today(), milestone=milestone)
            issues = [i for i in issues if i.is_open and (i.milestone or "") == bare.milestone]
        return resolve(found, self.settings, catalog, self.today(), milestone=milestone, issues=issues)

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes, read from the server. Raises EditForbidden, ConnectionFailed."""
        return await self.gateway.detail(issue)

    # What a person does

    def perform(self, acts: Sequence[tuple[IssueId, Act]], title: str) -> list[Op]:
        """Do one keystroke's acts: shown at once, kept in the outbox, sent soon. Returns the Ops made.

        An act that would change nothing makes no Op. Raises StoreFailed where they cannot be kept, and
        ReadOnly where changes are refused; then nothing is changed.
        """
        if self.read_only:
            raise ReadOnly(
                "This session is read-only.", hint="Start glboard without --read-only to change issues."
            )
        ops = self._make(acts)
        if ops:
            self._enqueue(ops, title)
            self.undo_stack.done(Group(id=ops[0].group, title=title, ops=tuple(ops)))
            self._status()
        return ops

    def undo(self) -> Group | None:
        """Take back the last keystroke. What has not been sent never leaves; the rest is sent inverted."""
        group = self.undo_stack.undo()
        if group is None:
            return None
        if self.pending.unsent(op.id for op in group.ops):
            self._take_back(group.ops)
        else:
            acts = inverses(group.ops)
            self._enqueue(self._make(acts, even_if_same=True), f"undo: {group.title}")
        self.undo_stack.undone(group)
        self._status()
        return group

    def redo(self) -> Group | None:
        """Do again what was undone last."""
        group = self.undo_stack.redo()
        if group is None:
            return None
        ops = self._make([(op.issue, op.act) for op in group.ops], even_if_same=True)
        self._enqueue(ops, group.title)
        again = Group(id=group.id, title=group.title, ops=tuple(ops))
        self.undo_stack.redone(again)
        self._status()
        return again

    def retry(self, op: OpId) -> None:
        """Send a refused change again. Raises KeyError where it is not in the list of failed ones."""
        row = next((row for row, (failed, _) in enumerate(self.failed) if failed.id == op), None)
        if row is None:
            raise KeyError(op)
        failed, _ = self.failed.pop(row)
        self._enqueue(
            self._make([(failed.issue, failed.act)]), f"again: {self._titles.get(failed.group, '')}"
        )
        self._status()

    def drop_failed(self, op: OpId) -> None:
        """Strike a refused change from the list."""
        self.failed = [(failed, error) for failed, error in self.failed if failed.id != op]
        self._status()

    def refresh(self) -> None:
        """Read everything again soon, and try again to send."""
        self.mirror.refresh()
        self.drain.wake()

    # The background

    async def run(self, first: Board | str | None = None) -> None:
        """Load, poll and send until cancelled. ``first`` is the board to read before the rest."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.mirror.run(first), name="mirror")
            tasks.create_task(self.drain.run(), name="drain")

    async def load(self) -> None:
        """Read catalog and scope once, without polling. Raises what the gateway does."""
        await self.mirror.load(None)

    async def load_catalog(self) -> None:
        """Read labels, milestones, people and projects only. Raises what the gateway does."""
        self.keep_catalog(await self.gateway.catalog())

    async def load_board(self, board: str, milestone: str | None = None, *, closed: bool = False) -> None:
        """Read the catalog and one board's issues: for commands that print it. Raises NameUnknown too."""
        await self.load_catalog()
        await self.mirror.load_board(self.board(board, milestone), closed=closed)

    async def load_issues(self, references: Sequence[str]) -> list[Issue]:
        """Read these issues by reference (see ``references.py``) and what their projects offer.

        Raises NameUnknown for the first that does not exist or may not be seen.
        """
        if (catalog := self.catalog) is None:
            raise NameUnknown("issue", references[0], hint="Nothing has been read from GitLab yet.")
        wanted = [parse_reference(text, catalog) for text in references]
        found = await self.gateway.find(wanted)
        for reference in wanted:
            if reference not in found:
                raise NameUnknown("issue", str(reference), hint="It does not exist, or you may not see it.")
        issues = list({found[reference].id: found[reference] for reference in wanted}.values())
        self.keep_catalog(await self.gateway.extend_catalog(catalog, {issue.project for issue in issues}))
        self.confirm(issues, "load")
        return issues

    async def flush(self) -> None:
        """Send everything now and wait for the answers: for commands. Raises ConnectionFailed, AuthError."""
        await self.drain.flush()

    async def settled(self) -> None:
        """Wait until nothing is to be sent, and what was being read has been read (tests, quitting)."""
        await self.drain.idle()
        await self.mirror.idle()

    # What mirror and drain report

    def confirm(self, issues: Iterable[Issue], cause: Cause) -> None:
        """The server says these issues are so. Older than what is known is ignored."""
        fresh: list[Issue] = []
        for issue in issues:
            known = self.store.issue(issue.id)
            if known is None or (issue.updated_at >= known.updated_at and issue != known):
                fresh.append(issue)
        if not fresh:
            return
        before = {issue.id: self.shown.get(issue.id) for issue in fresh}
        self.store.put(fresh)
        self._fold_and_tell(before, cause)

    def gone(self, issues: Iterable[IssueId], cause: Cause = "theirs") -> None:
        """These issues left the scope."""
        left = [issue for issue in issues if self.store.issue(issue) is not None]
        if not left:
            return
        before = {issue: self.shown.get(issue) for issue in left}
        self.store.drop(left)
        self._fold_and_tell(before, cause)

    def keep_catalog(self, catalog: Catalog) -> None:
        """The catalog was read."""
        if catalog != self.store.catalog():
            self.store.put_catalog(catalog)
            self.tell(CatalogChanged())

    def settle(
        self, done: Sequence[tuple[Op, Issue | None]], failed: Sequence[tuple[Op, GlboardError, Issue | None]]
    ) -> None:
        """Ops were answered: fold them into what is confirmed, or drop them and keep the reason."""
        answered = [*(op for op, _ in done), *(op for op, _, _ in failed)]
        touched = {op.issue for op in answered}
        before = {issue: self.shown.get(issue) for issue in touched}
        for op, issue in done:
            if isinstance(op.act, Create) and issue is not None:
                self._rename(op.issue, issue, before)
            elif issue is not None:
                self.store.put((issue,))
        for op, _, issue in failed:
            if issue is not None and not isinstance(op.act, Create):
                self.store.put((issue,))
        for op in answered:
            self.pending.settle(op)
        self.store.settle(op.id for op in answered)
        for op, error, _ in failed:
            self.failed.append((op, error))
            self.undo_stack.forget(op.id)
        self._fold_and_tell(before, "answer")
        self._say_settled([op for op, _ in done], [(op, error) for op, error, _ in failed])
        self._status()

    def heard(self, *, loading: str | None = None) -> None:
        """The server answered just now."""
        self._answered = time.monotonic()
        changes: dict[str, object] = {"freshness": "live" if not self.mirror.loading else "loading"}
        if loading is not None:
            changes["loading"] = loading
        self._status(error=None, **changes)

    def unreachable(self, error: GlboardError, *, signed_out: bool = False) -> None:
        """The server did not answer, or no longer lets us in; what is shown may be old."""
        self._status(freshness="signed-out" if signed_out else "offline", error=error)

    def tell(self, event: Event) -> None:
        """Give an event to every listener."""
        for listener in self._listeners:
            listener(event)

    # Inside

    def _make(self, acts: Sequence[tuple[IssueId, Act]], *, even_if_same: bool = False) -> list[Op]:
        group = GroupId(new_id())
        ops: list[Op] = []
        so_far: dict[IssueId, Issue] = {}
        for issue, act in acts:
            before = so_far.get(issue) or self.shown.get(issue)
            if before is None and not isinstance(act, Create):
                continue
            if before is not None and not even_if_same and changes_nothing(act, before):
                continue
            op = Op(id=OpId(new_id()), group=group, issue=issue, act=act, at=self.now(), before=before)
            ops.append(op)
            if before is not None:
                so_far[issue] = apply(act, before)
        return ops

    def _enqueue(self, ops: Sequence[Op], title: str) -> None:
        if not ops:
            return
        self.store.enqueue(ops)
        self._titles[ops[0].group] = title
        before = {op.issue: self.shown.get(op.issue) for op in ops}
        for op in ops:
            self.pending.add(op)
        self._fold_and_tell(before, "mine")
        self.drain.wake()

    def _take_back(self, ops: Sequence[Op]) -> None:
        before = {op.issue: self.shown.get(op.issue) for op in ops}
        for op in ops:
            self.pending.settle(op)
        self.store.settle(op.id for op in ops)
        self._fold_and_tell(before, "mine")

    def _rename(self, old: IssueId, issue: Issue, before: dict[IssueId, Issue | None]) -> None:
        self.store.put((issue,))
        before[issue.id] = None
        self.store.enqueue(self.pending.rename(old, issue.id))
        self.undo_stack.rename(old, issue.id)
        self.tell(Renamed(old, issue.id))

    def _fold_and_tell(self, before: Mapping[IssueId, Issue | None], cause: Cause) -> None:
        changes: list[Change] = []
        for issue, was in before.items():
            self.shown.fold(issue, self.pending.of(issue))
            now = self.shown.get(issue)
            # An answer that changes nothing still changes the picture: the card is no longer unsent.
            if was != now or cause == "answer":
                changes.append(Change((was, now)))
        if changes:
            self.tell(IssuesChanged(tuple(changes), cause))

    def _say_settled(self, done: Sequence[Op], failed: Sequence[tuple[Op, GlboardError]]) -> None:
        for group in dict.fromkeys(op.group for op in (*done, *(op for op, _ in failed))):
            self.tell(
                Settled(
                    title=self._titles.get(group, ""),
                    done=tuple(op for op in done if op.group == group),
                    failed=tuple((op, error) for op, error in failed if op.group == group),
                )
            )

    def _status(self, **changes: object) -> None:
        age = None if self._answered is None else time.monotonic() - self._answered
        status = structs.replace(
            self.status,
            unsent=len(self.pending),
            failed=len(self.failed),
            loaded=len(self.store.issues()),
            age=age,
            **changes,
        )
        if structs.replace(status, age=None) != structs.replace(self.status, age=None):
            self.status = status
            self.tell(StatusChanged(status))
        self.status = status
