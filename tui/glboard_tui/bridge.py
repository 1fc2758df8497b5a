"""The connection between the screen and the engine: events in, intents out.

Owns the queue of engine events; queries are in ``known.py``. The engine's tasks only append to the queue; the
screen empties it in its own time, so that index and widgets change in one step and nothing is half painted.
It touches no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct, field

from glboard_core.board import undo
from glboard_core.board.operations import Change, Create, Op, OpId, describe
from glboard_core.board.use_cases import EditBatch, short
from glboard_core.config import Settings
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.issue import IssueDetail, IssueId
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import (
    CatalogChanged,
    Event,
    IssuesChanged,
    Notice,
    Renamed,
    Settled,
    Status,
    StatusChanged,
)
from glboard_core.sync.ids import new_issue_id
from glboard_tui.known import Asked, Known, Past, Refused
from glboard_tui.unseen_changes import ExternalChange
from glboard_tui.view import BoardView

Connect = Callable[[], AbstractAsyncContextManager[Engine]]
"""Creates the engine after the first paint; closes it at the end. Entering can raise any GlboardError."""

#: The store key for unseen changes by others.
UNSEEN = "unseen"

__all__ = ["Asked", "Bridge", "Connect", "Past", "Refused", "Settled", "Status", "Update"]


class Update(Struct, kw_only=True):
    """What happened since the last flush, for the screen to show in one step."""

    #: Another board, or the same one rebuilt.
    replaced: bool = False
    #: Keys of columns, and issues, that look different now.
    touched: set[str] = field(default_factory=set)
    issues: set[IssueId] = field(default_factory=set)
    status: bool = False
    renamed: list[tuple[IssueId, IssueId]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    #: Cards that others moved off the board.
    left: list[ExternalChange] = field(default_factory=list)
    #: Messages to show once.
    notices: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.replaced
            or self.touched
            or self.issues
            or self.status
            or self.renamed
            or self.settled
            or self.notices
        )


class Bridge(Known):
    """The screen's side of the engine. ``stir`` is called, once per flush, when events are waiting."""

    def __init__(self, settings: Settings, view: BoardView, stir: Callable[[], None]) -> None:
        super().__init__(settings, view)
        #: Why no board can be shown, when there is a catalog but no such board.
        self.trouble: GlboardError | None = None
        self._stir = stir
        self._events: list[Event] = []
        #: Changes that an earlier session had left unsent when the engine was attached.
        self.left_over = 0
        #: Cards whose flags changed without an event of their own.
        self._repaint: set[IssueId] = set()

    # Events

    def attach(self, engine: Engine) -> None:
        """Listen to an engine from now on and show what it has."""
        self.engine = engine
        self.left_over = 0 if engine.read_only else len(engine.pending)
        self.unseen.take_up(engine.store.meta(UNSEEN))
        engine.listen(self._hear)
        self._rebuild()

    def keep_unseen(self) -> None:
        """Store unseen changes for the next session. If they cannot be written, only they are lost."""
        if self.engine is not None:
            self.engine.store.put_meta(UNSEEN, self.unseen.kept())

    def _hear(self, event: Event) -> None:
        self._events.append(event)
        if len(self._events) == 1:
            self._stir()

    def flush(self) -> Update:
        """Process the engine's events since the last flush: the index follows, in one step."""
        update = Update(issues=self._repaint)
        self._repaint = set()
        if self.engine is None:
            return update
        events, self._events = self._events, []
        anew = False
        for event in events:
            match event:
                case IssuesChanged():
                    self._follow(event, update)
                case CatalogChanged():
                    anew = True
                case StatusChanged():
                    update.status = True
                case Notice():
                    update.notices.append(event.text)
                case Renamed():
                    update.renamed.append((event.old, event.new))
                case Settled():
                    update.settled.append(event)
                    # A failed change is flagged on the card.
                    update.issues.update(op.issue for op, _ in event.failed)
        if anew or (update.issues and self.view.volatile) or self.view.stale(self.engine.today()):
            self._rebuild()
            update.replaced = True
        return update

    def _follow(self, event: IssuesChanged, update: Update) -> None:
        index = self.view.index
        ids = {issue.id for change in event.changes for issue in change if issue is not None}
        if index is not None:
            for before, after in event.changes:
                update.touched |= index.update(before, after)
        update.issues |= ids
        match event.cause:
            case "mine":
                self.unseen.mine(ids)
            case "answer":
                self.unseen.answered(after.id for before, after in event.changes if after and before != after)
            case "theirs" | "load":
                self._hear_theirs(event, update)
        if event.cause != "answer":
            self._people = None

    def _hear_theirs(self, event: IssuesChanged, update: Update) -> None:
        engine = self.engine
        # A page of the initial load also contains new issues: those are not changes by others.
        changes = [c for c in event.confirmed if event.cause == "theirs" or None not in c]
        if engine is not None and changes:
            update.left += self.unseen.heard(changes, self.place, me=self.me, now=self.server_now())
            update.issues.update(issue.id for change in changes for issue in change if issue is not None)

    def _rebuild(self) -> None:
        """Resolve the board again and index all issues; these already include the queued events."""
        if self.engine is None:
            return
        self._events = [event for event in self._events if not isinstance(event, IssuesChanged)]
        self._people = None
        self.engine.look(self.view.board_id, self.view.milestone)
        try:
            self.view.build(self.engine, Asked(self.is_changed))
            self.trouble = None
        except NameUnknown as error:
            self.trouble = error if self.engine.catalog is not None else None

    # What is looked at

    def open(self, board: str, milestone: str | None = None) -> None:
        """Switch to another board, or another milestone of it. Raises NameUnknown."""
        self.view.choose(board, milestone)
        self._rebuild()

    def filter(self, text: str) -> tuple[str, ...]:
        """Filter the board. Returns the unknown ``is:`` names."""
        unknown = self.view.filter(text)
        self._rebuild()
        return unknown

    def show_closed(self, *, on: bool) -> None:
        """Show or hide the column of closed issues."""
        self.view.show_closed = on
        if self.view.index is not None:
            self.view.index.show_closed = on

    # Intents

    def perform(self, work: EditBatch) -> list[Op]:
        """Perform one keystroke's acts. Raises StoreFailed if they cannot be stored."""
        if self.engine is None or not work.acts:
            return []
        return self.engine.perform(work.acts, work.title)

    def undo(self) -> tuple[str, str] | None:
        """Undo the last keystroke: its title, and what undo could not simply restore.

        Raises StoreFailed if the undo cannot be stored.
        """
        group = self.engine.undo() if self.engine else None
        self._earlier = None
        return (group.title, undo.says(group.ops)) if group else None

    def redo(self) -> str | None:
        """Redo what was undone last; returns its title."""
        group = self.engine.redo() if self.engine else None
        return group.title if group else None

    def take_mine(self, issue: IssueId) -> None:
        """Resolve a conflict with mine: send the waiting change over the current value."""
        if self.engine is not None:
            self.engine.take_mine(issue)

    def take_theirs(self, issue: IssueId) -> None:
        """Resolve a conflict with theirs: discard the waiting change. Raises StoreFailed."""
        if self.engine is not None:
            self.engine.take_theirs(issue)

    def retry(self, op: OpId) -> None:
        """Retry a failed change."""
        if self.engine is not None:
            self._repaint.update(refused.issue for refused, _ in self.engine.failed if refused.id == op)
            self.engine.retry(op)

    def instead(self, op: OpId, act: Change) -> bool:
        """Send an edited change instead of a failed one, with those depending on it; whether it was queued.

        The failed one leaves the list only when the new one is in the outbox; it stays if there is nothing to
        send. Raises like ``perform``.
        """
        engine = self.engine
        failed = next((one for one, _ in engine.failed if one.id == op), None) if engine else None
        if engine is None or failed is None:
            return False
        # Changes to a new issue that could not be created go with it.
        new = isinstance(failed.act, Create)
        along = [one for one, _ in engine.failed if one is failed or (new and one.issue == failed.issue)]
        issue = engine.shown.get(failed.issue) or failed.before
        title = f"{short(issue)} {describe(act, issue)}" if issue else describe(act)
        acts = [(one.issue, act if one is failed else one.act) for one in along]
        if not engine.perform(acts, title, [one.id for one in along]):
            return False
        self._repaint.update(one.issue for one in along)
        return True

    def drop(self, op: OpId) -> None:
        """Discard a failed change; its card is repainted."""
        if self.engine is None:
            return
        self._repaint.update(refused.issue for refused, _ in self.engine.failed if refused.id == op)
        self.engine.drop_failed(op)

    def refresh(self) -> None:
        """Refresh everything soon."""
        if self.engine is not None:
            self.engine.refresh()

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes, from the server. Raises EditForbidden, ConnectionFailed, AuthError."""
        if self.engine is None:
            raise GlboardError("Not connected yet.", hint="Wait a moment, then try again.")
        return await self.engine.detail(issue)

    async def finish(self, seconds: float) -> int:
        """Send what is held back and wait at most that long; returns how many changes are still unsent."""
        return await self.engine.finish(seconds) if self.engine else 0

    def touch(self) -> None:
        """A key was pressed: the app is in use."""
        if self.engine is not None:
            self.engine.touch()

    def new_issue_id(self) -> IssueId:
        """An id for an issue the server does not know yet."""
        return new_issue_id()
