"""The engine's face: what the screen and the command line call.

Sole owner of state: shown = fold(confirmed, pending). ``perform`` paints at once and queues; ``run`` loads,
polls, sends and follows other windows in the background until it is cancelled. Reading the server is
``mirror.py``; sending is ``drain.py``; how the outbox ends is ``outcome.py``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.board.conflict import Clash
from glboard_core.board.op import Act, Comment, Create, Edit, GroupId, Op, OpId, apply, changes_nothing
from glboard_core.board.resolve import resolve
from glboard_core.board.undo import Group, UndoStack, inverses
from glboard_core.config import Settings
from glboard_core.errors import GlboardError, NameUnknown, ReadOnly
from glboard_core.model.board import Board
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_core.model.reference import parse_reference
from glboard_core.ports import Entry, Gateway, Logged, Store
from glboard_core.state import Change, fold_one
from glboard_core.sync.drain import Drain
from glboard_core.sync.events import (
    CatalogChanged,
    Cause,
    Event,
    IssuesChanged,
    Notice,
    Renamed,
    Settled,
    Status,
    StatusChanged,
)
from glboard_core.sync.ids import new_id
from glboard_core.sync.mirror import Mirror
from glboard_core.sync.outcome import UNDO, last_made, logged, refused, remembered
from glboard_core.sync.pending import Item, Pending
from glboard_core.sync.shown import Shown

Listener = Callable[[Event], None]

#: Where the store keeps whose it is, and how far the server's clock was from this machine's, in seconds.
USER, CLOCK = "user", "clock"

#: Seconds between two looks at what other windows wrote.
FOLLOW = 0.5


class UserChangedError(Exception):
    """The token belongs to another person than the store: nothing of the store may be sent."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


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
        self.read_only = read_only
        #: Why changes cannot be kept, if they cannot: then they are refused rather than pretended.
        self.refuse: GlboardError | None = None
        self.pending = Pending(store.outbox())
        self.shown = Shown(store.issues())
        self.undo_stack = UndoStack()
        #: Changes that were refused, oldest first, until they are tried again or dropped.
        self.failed: list[tuple[Op, GlboardError]] = [remembered(r) for r in store.refusals()]
        self.status = Status(
            unsent=len(self.pending),
            failed=len(self.failed),
            freshness="cached" if store.catalog() else "loading",
        )
        self._as_of = as_of
        self._zone = ZoneInfo(settings.ui.time_zone)
        self._listeners: list[Listener] = []
        self._titles: dict[GroupId, str] = {}
        self._answered: float | None = None
        #: Whether the server said, in this session, that we are who the store belongs to.
        self.verified = False
        #: When each issue was last answered for, by the loop's clock: a page asked for earlier is late.
        self._settled_at: dict[IssueId, float] = {}
        self.mirror = Mirror(self)
        self.drain = Drain(self)
        for issue in self.pending.issues():
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
        if self.refuse is not None:
            raise self.refuse
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
        """Take back the last keystroke, of this session or else of an earlier one.

        What has not been sent never leaves; the rest is sent inverted. None where there is nothing.
        """
        group = self.undo_stack.undo() or last_made(self.store.log())
        if group is None:
            return None
        try:
            if not self._take_back(group.ops):
                # "Before" is what the edit left: if somebody changed that since, it is a conflict.
                left = {op.issue: apply(op.act, op.before) for op in group.ops if op.before is not None}
                self._enqueue(self._make(inverses(group.ops), before=left), f"{UNDO}{group.title}")
                now = self.now()
                lines = [logged(op, group.title, now, "undone") for op in group.ops]
                self.store.settle([], [], lines)
        except GlboardError:
            self.undo_stack.redone(group)
            raise
        self.undo_stack.undone(group)
        self._status()
        return group

    def redo(self) -> Group | None:
        """Do again what was undone last."""
        group = self.undo_stack.redo()
        if group is None:
            return None
        ops = self._make([(op.issue, op.act) for op in group.ops])
        try:
            self._enqueue(ops, group.title)
        except GlboardError:
            self.undo_stack.undone(group)
            raise
        again = Group(id=group.id, title=group.title, ops=tuple(ops))
        if ops:
            self.undo_stack.redone(again)
        self._status()
        return again

    def retry(self, op: OpId) -> None:
        """Send a refused change again. Raises KeyError where it is not in the list of failed ones."""
        row = next((row for row, (failed, _) in enumerate(self.failed) if failed.id == op), None)
        if row is None:
            raise KeyError(op)
        failed, _ = self.failed[row]
        self._enqueue(
            self._make([(failed.issue, failed.act)]), f"again: {self._titles.get(failed.group, '')}"
        )
        self.drop_failed(op)

    def drop_failed(self, op: OpId) -> None:
        """Strike a refused change from the list."""
        self.store.forgive(op)
        self.failed = [(failed, error) for failed, error in self.failed if failed.id != op]
        self._status()

    # Conflicts

    def clashing(self, issue: IssueId) -> tuple[Clash, ...]:
        """What waits for a choice on this issue: field, what was seen, mine, theirs."""
        return self.pending.clashing(issue)

    def take_mine(self, issue: IssueId) -> None:
        """Send what waits, over what the server has now."""
        for item in self.pending.items(issue):
            item.clashes = ()
            self._rebase(item)
        self.drain.wake()
        self._tell_same(issue)
        self._status()

    def take_theirs(self, issue: IssueId) -> None:
        """Drop what waits on this issue; what the server has stays."""
        ops = [item.op for item in self.pending.items(issue) if not item.under_way]
        clashing = next((row for row, op in enumerate(ops) if self._item_clashes(op)), len(ops))
        self._forget(ops[clashing:], "dropped")

    def _item_clashes(self, op: Op) -> bool:
        item = self.pending.item(op.id)
        return item is not None and bool(item.clashes)

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

    # The background

    async def run(self, first: Board | str | None = None) -> None:
        """Load, poll, send and follow until cancelled. ``first`` is the board to read before the rest.

        Raises UserChangedError where the token is another person's than the store.
        """
        if self.store.notice:
            self.tell(Notice(self.store.notice))
        if self.refuse is not None:
            self.tell(Notice(str(self.refuse)))
        if len(self.pending):
            self.tell(Notice(f"{len(self.pending)} changes from before were not sent yet; they go out now."))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.mirror.run(first), name="mirror")
                tasks.create_task(self.drain.run(), name="drain")
                tasks.create_task(self._follow(), name="follow")
        except* UserChangedError as group:
            raise group.exceptions[0] from None

    async def _follow(self) -> None:
        """Take over what other windows wrote."""
        while True:
            await asyncio.sleep(FOLLOW)
            self.look_at_others()

    def look_at_others(self) -> None:
        """Take over what other windows wrote since the last look."""
        seen = self.store.others()
        if seen is None:
            return
        entries = self.store.outbox()
        here = {entry.op.id for entry in entries}
        settled = [op.id for op in self.pending if op.id not in here]
        touched = {
            *(issue.id for issue in seen.issues),
            *seen.gone,
            *(op.issue for op in self.pending if op.id not in here),
        }
        new = [entry for entry in entries if entry.op.id not in self.pending]
        before = dict.fromkeys(touched) | {e.op.issue: self.shown.get(e.op.issue) for e in new}
        for op in settled:
            self.pending.remove(op)
        for entry in new:
            self.pending.add(entry)
        self.failed = [remembered(refusal) for refusal in self.store.refusals()]
        self._fold_and_tell(before, "theirs", always=True)
        self.drain.wake()
        self._status()

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
        """Read these issues by reference (see ``model/reference.py``) and what their projects offer.

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

    def last_change(self) -> Group | None:
        """What ``undo`` would take back."""
        return self.undo_stack.last or last_made(self.store.log())

    async def reread(self, issues: Sequence[IssueId]) -> None:
        """Read these issues again, and what their projects offer: for commands that change them."""
        now = await self.gateway.read(issues)
        catalog = self.catalog
        if catalog is not None:
            projects = {issue.project for issue in now.values()}
            self.keep_catalog(await self.gateway.extend_catalog(catalog, projects))
        self.confirm(now.values(), "load")

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
        """The server says these issues are so.

        Ignored is what is older than what is known, and what was asked for before an answer to a change of
        ours (``asked``, by the loop's clock): it may not show the change.
        """
        fresh: list[Issue] = []
        for issue in issues:
            known = self.store.issue(issue.id)
            if known is not None and (issue == known or issue.updated_at < known.updated_at):
                continue
            late = asked is not None and self._settled_at.get(issue.id, -1.0) >= asked
            if not late and not (asked is not None and self.pending.busy(issue.id)):
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
        """The catalog was read. Raises UserChangedError."""
        owner = self.store.meta(USER)
        if owner is None:
            self.store.put_meta(USER, catalog.me.id.encode())
        elif owner.decode() != catalog.me.id:
            raise UserChangedError(catalog.me.username)
        self.verified = True
        offset = (self.gateway.now() - datetime.now(UTC)).total_seconds()
        self.store.put_meta(CLOCK, f"{offset:.0f}".encode())
        if catalog != self.store.catalog():
            self.store.put_catalog(catalog)
            self.tell(CatalogChanged())
        self.drain.wake()

    def settle(
        self,
        done: Sequence[tuple[Op, Issue | None]],
        failed: Sequence[tuple[Op, GlboardError, Issue | None]],
        *,
        result: str = "done",
    ) -> None:
        """Ops were answered: fold them into what is confirmed, or drop them and keep the reason."""
        answered = [*(op for op, _ in done), *(op for op, _, _ in failed)]
        before = {op.issue: self.shown.get(op.issue) for op in answered}
        now = self.now()
        loop = asyncio.get_running_loop().time()
        titles = {op.id: self._title(op) for op in answered}
        lines = [logged(op, titles[op.id], now, result) for op, _ in done]
        lines += [logged(op, titles[op.id], now, "failed", str(error)) for op, error, _ in failed]
        refusals = [refused(op, titles[op.id], error, now) for op, error, _ in failed]
        for op, issue in done:
            if isinstance(op.act, Create) and issue is not None:
                lines = [_named(line, op.id, issue) for line in lines]
                self._rename(op.issue, issue, before)
            elif issue is not None:
                self.store.put((issue,))
        for op, _, issue in failed:
            if issue is not None and not isinstance(op.act, Create):
                self.store.put((issue,))
        self.store.settle([op.id for op in answered], refusals, lines)
        for op in answered:
            self.pending.remove(op.id)
            self._settled_at[op.issue] = loop
        for op, error, _ in failed:
            self.failed.append((op, error))
            self.undo_stack.forget(op.id)
            for item in self.pending.items(op.issue):
                self._rebase(item)
        self._fold_and_tell(before, "answer", always=True)
        self._say_settled([op for op, _ in done], [(op, error) for op, error, _ in failed])
        self._forget_old_answers(loop)
        self._status()

    def folded_before(self, item: Item) -> Issue | None:
        """The issue as the server would show it just before this Op: with what is ahead in line done."""
        ahead: list[Op] = []
        for other in self.pending.items(item.op.issue):
            if other is item:
                break
            ahead.append(other.op)
        return fold_one(self.store.issue(item.op.issue), ahead)

    def clashed(self, issues: Iterable[str]) -> None:
        """These issues have something that waits for a choice."""
        for issue in issues:
            self._tell_same(IssueId(issue))
        self._status()

    def description_clashed(self, item: Item, theirs: str) -> None:
        """The description changed on the server since it was opened for editing."""
        act = item.op.act
        if isinstance(act, Edit):
            item.clashes = (Clash("description", str(act.description_was), str(act.description), theirs),)
            # Taken as mine, it goes over what is there now.
            item.op = structs.replace(item.op, act=structs.replace(act, description_was=theirs))
        self.clashed([item.op.issue])

    def vanished(self, ops: Sequence[OpId]) -> None:
        """These could not be claimed: another window sends them, or has taken them back."""
        here = {entry.op.id: entry for entry in self.store.outbox()}
        before: dict[IssueId, Issue | None] = {}
        for op in ops:
            item = self.pending.item(op)
            if item is None:
                continue
            item.under_way = False
            if op in here:
                item.lost = here[op].sent or time.time()
            else:
                before[item.op.issue] = self.shown.get(item.op.issue)
                self.pending.remove(op)
        self._fold_and_tell(before, "answer", always=True)
        self._status()

    def heard(self, *, loading: str | None = None) -> None:
        """The server answered just now."""
        self._answered = time.monotonic()
        changes: dict[str, object] = {"freshness": "loading" if self.mirror.loading else "live"}
        if loading is not None:
            changes["loading"] = loading
        self._status(error=None, **changes)

    def slowed(self, scarce: bool) -> None:
        """Little of the rate limit is left, or enough again."""
        self._status(slowed=scarce)

    def unreachable(self, error: GlboardError, *, signed_out: bool = False) -> None:
        """The server did not answer, or no longer lets us in; what is shown may be old."""
        self._status(freshness="signed-out" if signed_out else "offline", error=error)

    def tell(self, event: Event) -> None:
        """Give an event to every listener."""
        for listener in self._listeners:
            listener(event)

    # Inside

    def _make(
        self, acts: Sequence[tuple[IssueId, Act]], *, before: Mapping[IssueId, Issue] | None = None
    ) -> list[Op]:
        group = GroupId(new_id())
        ops: list[Op] = []
        so_far: dict[IssueId, Issue] = {}
        for issue, act in acts:
            shown = so_far.get(issue) or self.shown.get(issue)
            if shown is None and not isinstance(act, Create):
                continue
            if shown is not None and changes_nothing(act, shown):
                continue
            seen = (before or {}).get(issue, shown) if issue not in so_far else shown
            op = Op(id=OpId(new_id()), group=group, issue=issue, act=act, at=self.now(), before=seen)
            ops.append(op)
            if shown is not None:
                so_far[issue] = apply(act, shown)
        return ops

    def _enqueue(self, ops: Sequence[Op], title: str) -> None:
        if not ops:
            return
        now = time.time()
        sync = self.settings.sync
        entries = [
            Entry(
                op=op,
                title=title,
                due=now + (sync.hold_comments if isinstance(op.act, Comment | Create) else sync.hold),
            )
            for op in ops
        ]
        self.store.enqueue(entries)
        self._titles[ops[0].group] = title
        before = {op.issue: self.shown.get(op.issue) for op in ops}
        for entry in entries:
            self.pending.hold(entry.op.issue, now + sync.hold)
            self.pending.add(entry)
        self._fold_and_tell(before, "mine", always=True)
        self.drain.wake()

    def _take_back(self, ops: Sequence[Op]) -> bool:
        """Whether all were still unsent; then they are gone without a trace on the server."""
        if any(op.id not in self.pending for op in ops) or not self.store.take_back([op.id for op in ops]):
            return False
        before = {op.issue: self.shown.get(op.issue) for op in ops}
        for op in ops:
            self.pending.remove(op.id)
        self._fold_and_tell(before, "mine", always=True)
        self.drain.wake()
        return True

    def _forget(self, ops: Sequence[Op], result: str) -> None:
        before = {op.issue: self.shown.get(op.issue) for op in ops}
        now = self.now()
        self.store.settle([op.id for op in ops], [], [logged(op, self._title(op), now, result) for op in ops])
        for op in ops:
            self.pending.remove(op.id)
            self.undo_stack.forget(op.id)
        self._fold_and_tell(before, "mine", always=True)
        self.drain.wake()
        self._status()

    def _rebase(self, item: Item) -> None:
        """What the person saw no longer counts: compare with what is there now."""
        now = self.folded_before(item)
        if now is not None:
            item.op = structs.replace(item.op, before=now)

    def _rename(self, old: IssueId, issue: Issue, before: dict[IssueId, Issue | None]) -> None:
        self.store.put((issue,))
        before.setdefault(issue.id, None)
        changed = self.pending.rename(old, issue.id)
        if changed:
            self.store.enqueue([Entry(op=i.op, title=i.title, due=i.due, sent=i.lost) for i in changed])
        self.undo_stack.rename(old, issue.id)
        self.tell(Renamed(old, issue.id))

    def _fold_and_tell(
        self, before: Mapping[IssueId, Issue | None], cause: Cause, *, always: bool = False
    ) -> None:
        # ``always``: the picture changes even where the issue does not (no longer unsent, say).
        changes: list[Change] = []
        for issue, was in before.items():
            self.shown.fold(issue, self.pending.of(issue))
            now = self.shown.get(issue)
            if always or was != now:
                changes.append(Change((was, now)))
        if changes:
            self.tell(IssuesChanged(tuple(changes), cause))

    def _tell_same(self, issue: IssueId) -> None:
        self._fold_and_tell({issue: self.shown.get(issue)}, "answer", always=True)

    def _title(self, op: Op) -> str:
        item = self.pending.item(op.id)
        return item.title if item is not None else self._titles.get(op.group, "")

    def _say_settled(self, done: Sequence[Op], failed: Sequence[tuple[Op, GlboardError]]) -> None:
        for group in dict.fromkeys(op.group for op in (*done, *(op for op, _ in failed))):
            self.tell(
                Settled(
                    title=self._titles.get(group, ""),
                    done=tuple(op for op in done if op.group == group),
                    failed=tuple((op, error) for op, error in failed if op.group == group),
                )
            )
            if not any(op.group == group for op in self.pending):
                self._titles.pop(group, None)

    def _forget_old_answers(self, now: float) -> None:
        # A page is under way for minutes at most; older moments would only pile up.
        if len(self._settled_at) > 1_000:
            self._settled_at = {i: at for i, at in self._settled_at.items() if now - at < 600.0}

    def _status(self, **changes: object) -> None:
        age = None if self._answered is None else time.monotonic() - self._answered
        status = structs.replace(
            self.status,
            unsent=len(self.pending),
            failed=len(self.failed),
            conflicts=sum(bool(self.pending.clashing(issue)) for issue in self.pending.issues()),
            loaded=len(self.store.issues()) if self.mirror.loading else self.status.loaded,
            age=age,
            **changes,
        )
        changed = structs.replace(status, age=None) != structs.replace(self.status, age=None)
        self.status = status
        if changed:
            self.tell(StatusChanged(status))


def _named(line: Logged, op: OpId, issue: Issue) -> Logged:
    """A line about a new issue, with the reference that the server gave it."""
    if line.op != op:
        return line
    return structs.replace(
        line, reference=issue.reference, change=structs.replace(line.change, issue=issue.id)
    )
