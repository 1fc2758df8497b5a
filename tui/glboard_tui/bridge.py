"""The way between the screen and the engine: events in, intents out.

Owns the queue of what the engine said, and the flags a card shows that are not in the issue (unsent, refused,
changed by others). The engine's tasks only ever put into the queue; the screen takes it out in its own time,
so that index and widgets change in one step and nothing is painted half. It touches no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from glboard_core.board import undo
from glboard_core.board.conflict import Clash
from glboard_core.board.index import BoardIndex
from glboard_core.board.op import Act, Op, OpId, describe
from glboard_core.config import Settings
from glboard_core.errors import GlboardError, NameUnknown
from glboard_core.model.board import Board
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_core.model.milestone import current, upcoming
from glboard_core.store.memory import MemoryStore
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
from glboard_tui.edits import Planner, Work
from glboard_tui.letters import letters_for
from glboard_tui.view import View

Connect = Callable[[], AbstractAsyncContextManager[Engine]]
"""Makes the engine, after the first paint; closes it at the end. Entering may raise any GlboardError."""

__all__ = ["Asked", "Bridge", "Connect", "Past", "Refused", "Settled", "Status", "Update"]


class Update(Struct, kw_only=True):
    """What happened since the last flush, for the screen to show in one go."""

    #: Another board, or all of it anew.
    replaced: bool = False
    #: Keys of columns, and issues, whose picture changed.
    touched: set[str] = field(default_factory=set)
    issues: set[IssueId] = field(default_factory=set)
    status: bool = False
    renamed: list[tuple[IssueId, IssueId]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    #: Things to be said once.
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


class Refused(Struct, frozen=True, kw_only=True):
    """A row of the failed list."""

    op: OpId
    issue: IssueId
    reference: str
    title: str
    what: str
    message: str
    hint: str
    act: Act


class Past(Struct, frozen=True, kw_only=True):
    """A row of the change log. ``when`` is in the team's time zone."""

    when: str
    reference: str
    what: str
    was: str
    result: str
    message: str


class Bridge:
    """The screen's side of the engine. ``stir`` is called, once a flush, when there is something to take."""

    def __init__(self, settings: Settings, view: View, stir: Callable[[], None]) -> None:
        self.settings = settings
        self.view = view
        self.engine: Engine | None = None
        #: Why no board can be shown, when there is a catalog but no such board.
        self.trouble: GlboardError | None = None
        self.glow: set[IssueId] = set()
        #: The seam of share mode: the words to show instead of an issue's own, or none.
        self.mask: Callable[[Issue], str | None] = lambda _: None
        self._stir = stir
        self._events: list[Event] = []
        #: Cards whose flags changed without an event of their own.
        self._repaint: set[IssueId] = set()
        self._people: dict[str, str] | None = None
        self._earlier: str | None = None

    # What there is

    @property
    def catalog(self) -> Catalog | None:
        """What the server offers; none before it was read."""
        return self.engine.catalog if self.engine else None

    @property
    def status(self) -> Status | None:
        """How true the screen is; none before there is an engine."""
        return self.engine.status if self.engine else None

    @property
    def index(self) -> BoardIndex | None:
        """The board with its issues, or none."""
        return self.view.index

    @property
    def board(self) -> Board | None:
        """The board shown, or none."""
        return self.view.board

    @property
    def today(self) -> date | None:
        """The day in the team's time zone."""
        return self.engine.today() if self.engine else None

    @property
    def writable(self) -> bool:
        """Whether anything can be changed: neither the session nor the token is read-only."""
        engine, catalog = self.engine, self.catalog
        return not (engine and engine.read_only) and (
            catalog is None or catalog.server.can_write is not False
        )

    @property
    def size(self) -> int:
        """How many issues there are on this machine."""
        return len(self.engine.shown) if self.engine else 0

    def issue(self, issue: IssueId) -> Issue | None:
        """An issue as shown now, on this board or not."""
        return self.engine.shown.get(issue) if self.engine else None

    def planner(self) -> Planner | None:
        """Intents over issues, for today; none before the catalog was read."""
        if self.engine is None or (catalog := self.engine.catalog) is None:
            return None
        return Planner(
            flow=self.view.flow,
            names=self.settings.labels,
            catalog=catalog,
            today=self.engine.today(),
        )

    def is_pending(self, issue: IssueId) -> bool:
        """Whether a change of it has not been confirmed."""
        return self.engine is not None and bool(self.engine.pending.of(issue))

    def is_failed(self, issue: IssueId) -> bool:
        """Whether a change of it was refused and stands in the failed list."""
        return self.engine is not None and any(op.issue == issue for op, _ in self.engine.failed)

    def is_conflicting(self, issue: IssueId) -> bool:
        """Whether a change of it waits for a choice, since somebody else changed the same."""
        return self.engine is not None and bool(self.engine.clashing(issue))

    def is_changed(self, issue: IssueId) -> bool:
        """Whether something about it is new: unsent, refused, or changed by others."""
        return issue in self.glow or self.is_pending(issue) or self.is_failed(issue)

    def title_of(self, issue: Issue) -> str:
        """The words that stand for an issue wherever its title would: screen, clipboard, export."""
        return self.mask(issue) or issue.title

    def people(self) -> dict[str, str]:
        """Usernames by letter: whoever is assigned in the current and next milestone, or on this board."""
        if self.engine is None or (catalog := self.engine.catalog) is None:
            return {}
        if self._people is None:
            # Only these milestones: a large scope is not read whole for a few letters.
            today = self.engine.today()
            planned = (current(catalog.milestones, today), *upcoming(catalog.milestones, today)[:1])
            titles = {milestone.title for milestone in planned if milestone}
            if self.board is not None and self.board.milestone:
                titles.add(self.board.milestone)
            found = (issue for title in titles for issue in self.engine.shown.matching(title))
            self._people = letters_for(name for i in found if i.is_open for name in i.assignees)
        return self._people

    def failed(self) -> list[Refused]:
        """The refused changes, newest first."""
        if self.engine is None:
            return []
        rows: list[Refused] = []
        for op, error in reversed(self.engine.failed):
            issue = self.engine.shown.get(op.issue) or op.before
            rows.append(
                Refused(
                    op=op.id,
                    issue=op.issue,
                    reference=issue.reference.rpartition("/")[2] if issue else "new issue",
                    title=issue.title if issue else "",
                    what=describe(op.act, op.before),
                    message=error.message,
                    hint=error.hint,
                    act=op.act,
                )
            )
        return rows

    def clashes(self, issue: IssueId) -> tuple[Clash, ...]:
        """What waits for a choice on an issue: what was seen, mine, theirs."""
        return self.engine.clashing(issue) if self.engine else ()

    def take_mine(self, issue: IssueId) -> None:
        """Send what waits, over what is there now."""
        if self.engine is not None:
            self.engine.take_mine(issue)

    def take_theirs(self, issue: IssueId) -> None:
        """Drop what waits; what is there now stays. Raises StoreFailed."""
        if self.engine is not None:
            self.engine.take_theirs(issue)

    def history(self) -> list[Past]:
        """The change log, newest first."""
        if self.engine is None:
            return []
        zone = ZoneInfo(self.settings.ui.time_zone)
        return [
            Past(
                when=line.at.astimezone(zone).strftime("%d %b %H:%M"),
                reference=line.reference.rpartition("/")[2],
                what=line.what,
                was=line.was,
                result=line.result,
                message=line.message,
            )
            for line in self.engine.history()
        ]

    # Events

    def attach(self, engine: Engine) -> None:
        """Listen to an engine from now on, and show what it has."""
        self.engine = engine
        engine.listen(self._hear)
        self._rebuild()

    def _hear(self, event: Event) -> None:
        self._events.append(event)
        if len(self._events) == 1:
            self._stir()

    def flush(self) -> Update:
        """Take in what the engine said since the last time: the index follows, in one step."""
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
                    # A refused change leaves its mark on the card.
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
        if event.cause == "theirs":
            self.glow |= ids
        elif event.cause == "mine":
            self.glow -= ids
        if event.cause != "answer":
            self._people = None

    def _rebuild(self) -> None:
        """Resolve the board again and read all issues; events queued until now are in what is read."""
        if self.engine is None:
            return
        self._events = [event for event in self._events if not isinstance(event, IssuesChanged)]
        self._people = None
        try:
            self.view.build(self.engine, Asked(self.is_changed))
            self.trouble = None
        except NameUnknown as error:
            self.trouble = error if self.engine.catalog is not None else None

    def seen(self, issue: IssueId) -> bool:
        """The card was focused: it glows no more. Whether it did."""
        was = issue in self.glow
        self.glow.discard(issue)
        return was

    # What is looked at

    def open(self, board: str, milestone: str | None = None) -> None:
        """Look at another board, or another milestone of it. Raises NameUnknown."""
        self.view.choose(board, milestone)
        self._rebuild()

    def filter(self, text: str) -> tuple[str, ...]:
        """Filter the board. Returns the ``is:`` names that mean nothing."""
        unknown = self.view.filter(text)
        self._rebuild()
        return unknown

    def show_closed(self, *, on: bool) -> None:
        """Show or hide the column of closed issues."""
        self.view.show_closed = on
        if self.view.index is not None:
            self.view.index.show_closed = on

    # Intents

    def perform(self, work: Work) -> list[Op]:
        """Do one keystroke's acts. Raises StoreFailed where they cannot be kept."""
        if self.engine is None or not work.acts:
            return []
        return self.engine.perform(work.acts, work.title)

    def undo(self) -> tuple[str, str] | None:
        """Take back the last keystroke: its title, and what undo could not simply restore.

        Raises StoreFailed where that cannot be kept.
        """
        group = self.engine.undo() if self.engine else None
        self._earlier = None
        return (group.title, undo.says(group.ops)) if group else None

    def redo(self) -> str | None:
        """Do again what was undone last: its title."""
        group = self.engine.redo() if self.engine else None
        return group.title if group else None

    @property
    def undo_title(self) -> str:
        """What ``u`` would take back, in words; "" where nothing."""
        if self.engine is None:
            return ""
        if (last := self.engine.undo_stack.last) is not None:
            return last.title
        if self._earlier is None:
            # Of an earlier session: read from the log once, since the footer asks on every key.
            earlier = self.engine.last_change()
            self._earlier = earlier.title if earlier else ""
        return self._earlier

    @property
    def can_redo(self) -> bool:
        """Whether there is something to do again."""
        return self.engine is not None and self.engine.undo_stack.next is not None

    def retry(self, op: OpId) -> None:
        """Send a refused change again."""
        if self.engine is not None:
            self._repaint.update(refused.issue for refused, _ in self.engine.failed if refused.id == op)
            self.engine.retry(op)

    def drop(self, op: OpId) -> None:
        """Strike a refused change from the list; its card is repainted."""
        if self.engine is None:
            return
        self._repaint.update(refused.issue for refused, _ in self.engine.failed if refused.id == op)
        self.engine.drop_failed(op)

    def refresh(self) -> None:
        """Read everything again soon."""
        if self.engine is not None:
            self.engine.refresh()

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes, from the server. Raises EditForbidden, ConnectionFailed, AuthError."""
        if self.engine is None:
            raise GlboardError("There is no connection yet.", hint="Wait a moment, then try again.")
        return await self.engine.detail(issue)

    async def finish(self, seconds: float) -> int:
        """Hold nothing back any more and wait at most that long; how many changes are still unsent."""
        return await self.engine.finish(seconds) if self.engine else 0

    @property
    def keeps(self) -> bool:
        """Whether what is unsent outlives the program."""
        return self.engine is not None and not isinstance(self.engine.store, MemoryStore)

    def touch(self) -> None:
        """A key was pressed: the program is in use."""
        if self.engine is not None:
            self.engine.touch()

    def new_issue_id(self) -> IssueId:
        """An id for an issue the server does not know yet."""
        return new_issue_id()


class Asked:
    """A container that asks anew each time: which issues have a flag at this moment."""

    def __init__(self, has: Callable[[IssueId], bool]) -> None:
        self._has = has

    def __contains__(self, issue: object) -> bool:
        return isinstance(issue, str) and self._has(IssueId(issue))
