"""The connection between the screen and the engine: events in, intents out.

Owns which board, milestone and filter are shown, and the queue of engine events. The engine's tasks only
append to the queue; the screen processes it later, so that index and widgets change in one step. It does not
touch widgets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, date, datetime

from msgspec import Struct, field

from glboard_core.board.batch import EditBatch
from glboard_core.board.columns import CLOSED, Column
from glboard_core.board.definition import Board
from glboard_core.board.filters import compiled, filter_states, parse
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Op
from glboard_core.board.share import CONFIDENTIAL
from glboard_core.board.use_cases import Edits
from glboard_core.config import Settings, SortBy
from glboard_core.errors import GlboardError, NameUnknown, NotConnected
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId, LinkedIssue
from glboard_core.model.milestone import current, upcoming
from glboard_core.purpose import requests_for
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import (
    CatalogChanged,
    EngineNotice,
    Event,
    IssuesChanged,
    LiveStatus,
    ReadsChanged,
    Renamed,
    Settled,
    Status,
    StatusChanged,
    WrittenElsewhere,
)
from glboard_core.zones import zone_named
from glboard_tui.board_view import FILTER_STATES, BoardView
from glboard_tui.change_lists import ChangeLists
from glboard_tui.change_words import ChangeWords
from glboard_tui.drafts import BoardDrafts
from glboard_tui.filter_line import FILTERS, FilterMemory, completions
from glboard_tui.finding import FindableIssues
from glboard_tui.issue_flags import IssueFlags
from glboard_tui.issue_reads import IssueReads
from glboard_tui.keymap import letters_for
from glboard_tui.live_config import configure
from glboard_tui.lookup import Lookup
from glboard_tui.people_words import PeopleWords
from glboard_tui.share import SHARE, ShareMode, process_labels
from glboard_tui.undo_steps import UndoSteps
from glboard_tui.unseen_changes import BoardPlace, ExternalChange, UnseenChanges

Connect = Callable[[], AbstractAsyncContextManager[Engine]]
"""Creates the engine after the first paint; closes it at the end. Entering can raise any GlboardError."""

#: The store key for unseen changes by others.
UNSEEN = "unseen"

#: Long messages that are kept.
_MOST_MESSAGES = 3


class Asked:
    """A container whose membership test calls a function: the issues that have a flag now."""

    def __init__(self, has: Callable[[IssueId], bool]) -> None:
        self._has = has

    def __contains__(self, issue: object) -> bool:
        return isinstance(issue, str) and self._has(IssueId(issue))


class Update(Struct, kw_only=True):
    """Everything since the last flush, for the screen to show in one step."""

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
        return self != Update()


class Bridge:
    """The screen's side of an engine that is attached later.

    ``notify`` is called, once per flush, when events are waiting; ``reconnect`` retries after connecting has
    failed; ``remember`` gets the board and milestone to open next time.
    """

    def __init__(
        self,
        settings: Settings,
        view: BoardView,
        notify: Callable[[], None],
        reconnect: Callable[[], None] = lambda: None,
        remember: Callable[[str, str | None], None] | None = None,
        share: ShareMode | None = None,
    ) -> None:
        self.settings = settings
        #: Share mode: everything that is shown, copied or exported passes it.
        self.share = share or ShareMode(settings.share)
        self.view = view
        self.engine: Engine | None = None
        #: Why there is no connection, after connecting failed for good.
        self.connect_error: GlboardError | None = None
        #: Changes by others that are not viewed yet.
        self.unseen = UnseenChanges()
        self.share.team = lambda: self._team
        #: What pickers ask.
        self.lookup = Lookup(lambda: self.engine, self._may_name)
        #: What can be found by typing, and issues that are read on demand.
        self.finding = FindableIssues(lambda: self.engine, self.share, self._every_issue, self.whole_issue)
        #: The drafts.
        self.drafts = BoardDrafts(lambda: self.engine)
        #: What is read of issues besides their fields.
        self.reads = IssueReads(lambda: self.engine, self.share, self.whole_issue, self.drafts.description)
        #: Changes that an earlier session had left unsent when the engine was attached.
        self.left_over = 0
        self._notify = notify
        self._reconnect = reconnect
        self._remember = remember
        self._events: list[Event] = []
        #: Cards whose flags changed without an event of their own.
        self._repaint: set[IssueId] = set()
        #: The failed list and the change log.
        self.changes = ChangeLists(
            lambda: self.engine,
            self,
            lambda: zone_named(self.settings.ui.time_zone),
            self._mark,
        )
        #: The labels that everybody knows, and the settings they come from.
        self._process_of: tuple[Settings, Container[str]] | None = None
        #: There is a catalog but no such board.
        self._no_such_board: NameUnknown | None = None
        self._people: dict[str, str] | None = None
        #: People as on the cards.
        self.people_words = PeopleWords(lambda: self.catalog)
        #: What a keystroke did, in words.
        self.words = ChangeWords(
            self.share,
            self.people_words,
            self.whole_issue,
            self.is_hidden,
            deliverable=lambda: self.settings.labels.deliverable,
            in_draft=lambda: self.drafts.is_on,
        )
        self.undoing = UndoSteps(lambda: self.engine, self.drafts, self.words, self.share, self._mark)
        #: Whether changes of an issue wait, failed or are in conflict.
        self.flags = IssueFlags(lambda: self.engine, self.unseen, self.drafts.is_staged)
        #: Earlier filters, and those saved under a letter.
        self.filters = FilterMemory()
        #: The last messages that were too long for a toast, to be read in full.
        self.messages: deque[str] = deque(maxlen=_MOST_MESSAGES)
        #: The last reason for being offline or signed out, and when (UTC), also after that is over.
        self.last_error: tuple[datetime, GlboardError] | None = None

    # The engine's events

    def attach(self, engine: Engine) -> None:
        """Listen to an engine from now on and show what it has."""
        self.engine = engine
        self.left_over = 0 if engine.read_only else len(engine.outbox)
        self.unseen.take_up(engine.store.meta(UNSEEN))
        engine.listen(self._hear)
        store = engine.store
        shared = self.share.is_on
        self.share.take_up(store.meta(SHARE), lambda kept: store.put_meta(SHARE, kept), self._every_issue)
        self.keep_live(on=self.share.is_on)
        self.filters.take_up(store.meta(FILTERS), lambda kept: store.put_meta(FILTERS, kept))
        if not self.view.text:
            self.view.filter(self.filters.current)
        self._rebuild()
        if self.share.is_on != shared:
            # What is on screen so far was not drawn for those who watch.
            self.share.changed()

    def configure(self, settings: Settings) -> None:
        """Use another configuration. A board that it does not have gives way to its first one."""
        self.share.settings = settings.share
        self.settings = settings
        self.view.configure(settings)
        if settings.board(self.view.board_id) is None:
            self.view.choose(settings.boards[0].id)
        if self.engine is not None:
            configure(self.engine, settings)

    def _every_issue(self) -> Iterator[Issue]:
        """The issues on this machine, those on no list first."""
        if (engine := self.engine) is not None:
            pinned = map(engine.shown.get, engine.local_state.pinned.ids())
            yield from (issue for issue in pinned if issue is not None)
            yield from engine.shown.matching(None)

    def know_team(self, usernames: Iterable[str]) -> None:
        """These people are the team: they are asked for, have letters, and columns without an issue too."""
        if self.engine is not None and self.engine.names.people != (people := frozenset(usernames)):
            self.engine.names.people = people
            self._hear(CatalogChanged())

    def keep_unseen(self) -> None:
        """Store unseen changes for the next session. If they cannot be written, only they are lost."""
        if self.engine is not None:
            # What was sent while the program quits is in no frame.
            self.flush()
            self.engine.store.put_meta(UNSEEN, self.unseen.kept())

    def kept(self, key: str) -> bytes | None:
        """The value that a pane stored under this name in the state file."""
        return self.engine.store.meta(key) if self.engine is not None else None

    def keep(self, key: str, value: bytes) -> None:
        """Store a value for a pane. If it cannot be written, only that is lost."""
        if self.engine is not None:
            self.engine.store.put_meta(key, value)

    def _hear(self, event: Event) -> None:
        if isinstance(event, IssuesChanged):
            # At once: a rebuilt board drops what is queued.
            self.share.learn(issue for change in event.changes for issue in change)
            self.finding.heard(event.changes)
        self._events.append(event)
        if len(self._events) == 1:
            self._notify()

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
                case ReadsChanged():
                    update.issues.update(event.issues)
                case CatalogChanged():
                    anew = True
                case WrittenElsewhere():
                    update.status = True
                case StatusChanged():
                    update.status = True
                    self.undoing.look_again()
                    if (error := event.status.error) is not None:
                        self.last_error = (self.server_now(), error)
                case EngineNotice():
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
        if event.cause in ("mine", "theirs"):
            self.reads.saw(event.changes, self.view.flow)
        ids = {issue.id for change in event.changes for issue in change if issue is not None}
        if index is not None:
            for before, after in event.changes:
                update.touched |= index.update(before, self._listed(after))
        update.issues |= ids
        match event.cause:
            case "mine":
                self.unseen.mine(ids)
            case "answer":
                changed = [(before, after) for before, after in event.changes if before != after]
                self.unseen.answered(after.id for _, after in (*changed, *event.confirmed) if after)
            case "theirs" | "load":
                self._hear_theirs(event, update)
        if event.cause != "answer":
            self._people = None

    def _listed(self, issue: Issue | None) -> Issue | None:
        """The issue, unless it is only pinned and on no board."""
        return self.engine.local_state.pinned.listed(issue) if self.engine is not None else issue

    def _hear_theirs(self, event: IssuesChanged, update: Update) -> None:
        # A page of the initial load also contains new issues: those are not changes by others.
        changes = [c for c in event.confirmed if event.cause == "theirs" or None not in c]
        if changes:
            place = BoardPlace(self.board, self.view.flow) if self.board is not None else None
            update.left += self.unseen.heard(changes, place, me=self.me, now=self.server_now())
            update.issues.update(issue.id for change in changes for issue in change if issue is not None)

    async def sign_comments(self, unsigned: Mapping[IssueId, int]) -> None:
        """Load the authors of new comments, as far as GitLab reports them."""
        if self.engine is None:
            return
        try:
            with requests_for("poll"):
                found = await self.engine.gateway.commenters(unsigned)
        except GlboardError:
            return
        for issue, authors in found.items():
            self.unseen.sign(issue, authors)
        self._repaint.update(found)
        self._notify()

    def _mark(self, issues: Iterable[IssueId]) -> None:
        """These cards look different with the next flush."""
        self._repaint.update(issues)

    def view_changed(self) -> None:
        """Share mode was turned on or off: the filter finds something else, letters of people change."""
        self.finding.forget(every_one=True)
        self._rebuild()

    def _rebuild(self) -> None:
        """Resolve the board again and index all issues; these already include the queued events."""
        if self.engine is None:
            return
        self._events = [event for event in self._events if not isinstance(event, IssuesChanged)]
        self._people = None
        self.settings = self.engine.settings
        self.view.configure(self.engine.settings)
        self.engine.look(self.view.board_id, self.view.milestone)
        self._know_labels()
        try:
            self.view.build(self.engine, Asked(self.flags.is_changed), self.share.matched)
            self._no_such_board = None
        except NameUnknown as error:
            self._no_such_board = error if self.engine.catalog is not None else None

    # The server and the board

    @property
    def catalog(self) -> Catalog | None:
        """The catalog of the server as everybody may see it; None before it is loaded."""
        found = self.whole_catalog
        if found is None or not self.share.is_on:
            return found
        return self.share.catalog(found, self._process, self._team)

    @property
    def whole_catalog(self) -> Catalog | None:
        """The unmasked catalog: for figures, never for display."""
        return self.engine.catalog if self.engine else None

    @property
    def _process(self) -> Container[str]:
        if self._process_of is None or self._process_of[0] is not self.settings:
            self._process_of = (self.settings, process_labels(self.settings))
        return self._process_of[1]

    @property
    def _team(self) -> Container[str]:
        return self.engine.names.people | {self.me} if self.engine else frozenset()

    def _may_name(self, kind: str, name: str) -> bool:
        """Whether a label or person found on the server may be shown."""
        if kind == "label":
            return self.share.label(name, self._process)
        return kind != "person" or self.share.person(name, self._team)

    def _know_labels(self) -> None:
        if (catalog := self.whole_catalog) is not None:
            self.share.know((label.title for label in catalog.labels), catalog)

    @property
    def status(self) -> Status | None:
        """How fresh the data is; None before there is an engine."""
        return self.engine.status if self.engine else None

    @property
    def index(self) -> BoardIndex | None:
        """The board with its issues, or None."""
        return self.view.index

    @property
    def board(self) -> Board | None:
        """The board shown, or None."""
        return self.view.board

    @property
    def why_no_board(self) -> GlboardError | None:
        """Why no board can be shown; None while it is still connecting."""
        return self.connect_error or self._no_such_board or (self.status.error if self.status else None)

    @property
    def today(self) -> date | None:
        """Today in the team's time zone."""
        return self.engine.today() if self.engine else None

    def server_now(self) -> datetime:
        """The server's clock in UTC, even with ``--as-of``: what others do happens now."""
        return self.engine.gateway.now() if self.engine else datetime.now(UTC)

    @property
    def me(self) -> str:
        """The user's name; "" before the catalog is loaded."""
        return self.whole_catalog.me.username if self.whole_catalog else ""

    @property
    def writable(self) -> bool:
        """Whether changes are possible: neither the session nor the token is read-only."""
        engine, catalog = self.engine, self.whole_catalog
        return not (engine and engine.read_only) and (
            catalog is None or catalog.server.can_write is not False
        )

    @property
    def keeps(self) -> bool:
        """Whether unsent changes survive a restart."""
        return self.engine is not None and self.engine.store.durable

    @property
    def size(self) -> int:
        """The number of issues on this machine."""
        return len(self.engine.shown) if self.engine else 0

    @property
    def is_complete(self) -> bool:
        """Whether all issues in scope are loaded; before that no sum over them is correct."""
        return self.engine is not None and self.engine.initial_load.complete

    def unread(self) -> frozenset[str]:
        """The keys of columns that are only partly loaded: their counts and sums are not final."""
        index = self.index
        if self.engine is None or index is None or self.is_complete:
            return frozenset()
        unread = self.engine.initial_load.unread(index.board)
        return frozenset(cards.column.key for cards in index.columns if cards.column.key in unread)

    @property
    def is_partial(self) -> bool:
        """Whether open issues of the board are still being loaded."""
        return bool(self.unread() - {CLOSED})

    def open(self, board: str, milestone: str | None = None) -> None:
        """Switch to another board, or another milestone of it, also for next time. Raises NameUnknown."""
        self.view.choose(board, milestone)
        self._rebuild()
        if self._remember is not None:
            self._remember(self.view.board_id, self.view.milestone)

    def filter(self, text: str) -> tuple[str, ...]:
        """Filter the board. Returns what is wrong with the filter, in sentences."""
        wrong = self.view.filter(text)
        self._rebuild()
        return wrong

    def completions(self, text: str) -> tuple[str, ...]:
        """The filters that a line could become with its last name completed."""
        found = completions(text, self.catalog, FILTER_STATES)
        return tuple(one for one in found if not self.share.finds(one))

    def test_of(self, text: str) -> Callable[[Issue], bool] | None:
        """A line of the filter language as a test on issues; None if every issue fits."""
        engine, catalog = self.engine, self.whole_catalog
        if engine is None or catalog is None:
            return None
        changed = Asked(self.flags.is_changed)
        states = filter_states(catalog, self.view.flow, self.settings.labels, engine.today(), changed)
        fits = compiled(parse(text), states)
        return None if fits is None else lambda issue: fits(self.share.matched(issue))

    def sort(self, by: SortBy) -> None:
        """Sort the columns."""
        self.view.sort(by)
        self._rebuild()

    def show_closed(self, *, on: bool) -> None:
        """Show or hide the column of closed issues."""
        self.view.show_closed = on
        if self.view.index is not None:
            self.view.index.show_closed = on

    def refresh(self) -> None:
        """Refresh everything soon, or connect again."""
        if self.engine is not None:
            self.engine.refresh()
        self._reconnect()

    async def look_again(self, issues: Sequence[IssueId]) -> None:
        """Read these issues, and what else changed, since a program besides this one changed something."""
        if self.engine is not None:
            self.engine.poller.poll_soon()
            with suppress(GlboardError):  # the next poll says why
                await self.engine.poller.reread(issues)

    def touch(self) -> None:
        """Record that a key was pressed."""
        if self.engine is not None:
            self.engine.poller.touch()
            self.engine.watcher.touch()

    def in_view(self, issues: Sequence[IssueId]) -> None:
        """These cards are visible, the most important first: their changes arrive at once where possible."""
        if self.engine is not None:
            self.engine.in_view(issues)

    def keep_live(self, *, on: bool) -> None:
        """Others watch this screen: changes go on arriving at once while no key is pressed."""
        if self.engine is not None:
            self.engine.watcher.share(on)

    @property
    def live(self) -> LiveStatus:
        """Whether changes to the cards in view arrive at once."""
        return self.engine.watcher.status if self.engine is not None else LiveStatus()

    def attend(self, focused: bool) -> None:
        """The terminal got or lost the focus: without it, background work is put off."""
        if self.engine is not None:
            self.engine.poller.attend(focused)
            self.engine.watcher.attend(focused)

    # Issues

    def issue(self, issue: IssueId) -> Issue | None:
        """An issue as everybody may see it now, on this board or not."""
        found = self.whole_issue(issue)
        return found if found is None else self.share.view(found)

    def whole_issue(self, issue: IssueId) -> Issue | None:
        """The unmasked issue: for edits and figures, never for display."""
        return self.engine.shown.get(issue) if self.engine else None

    def view_of(self, issue: Issue) -> Issue:
        """The issue as everybody may see it."""
        return self.share.view(issue)

    def mask(self, issue: Issue) -> str | None:
        """The word shown instead of everything about a hidden issue; None if it is not hidden."""
        return CONFIDENTIAL if self.share.hides(issue) else None

    def title_of(self, issue: Issue) -> str:
        """The text shown for an issue wherever its title would be: screen, clipboard, export."""
        return self.share.view(issue).title

    def reference_of(self, issue: Issue) -> str:
        """``platform#12``, or the word for a hidden issue if its reference is hidden, too."""
        return self.share.reference(issue)

    def text(self, text: str) -> str:
        """Any other text, without masked words and hidden references."""
        return self.share.text(text)

    def typed(self, text: str) -> str:
        """What a person typed about issues: also without the lines that tell of a hidden one."""
        return self.share.typed(text)

    def title_of_linked(self, linked: LinkedIssue) -> str:
        """The same for an issue that is linked to one of ours: it may not be loaded as a card."""
        project, _, iid = linked.reference.rpartition("#")
        now = self.server_now()
        bare = Issue(
            id=linked.id,
            project=project,
            iid=int(iid) if iid.isdecimal() else 0,
            title=linked.title,
            state=linked.state,
            confidential=linked.confidential,
            created_at=now,
            updated_at=now,
        )
        return self.title_of(self.whole_issue(linked.id) or bare)

    def people(self) -> dict[str, str]:
        """Usernames by letter: the team, and assignees in the current and next milestone or on this board."""
        if self.engine is None or (catalog := self.engine.catalog) is None:
            return {}
        if self._people is None:
            # Only these milestones: do not read a large scope for a few letters.
            today = self.engine.today()
            version, known = self.settings.planning.version, catalog.milestones
            planned = (current(known, today, version), *upcoming(known, today, version)[:1])
            titles = {milestone.title for milestone in planned if milestone}
            if self.board is not None and self.board.milestone:
                titles.add(self.board.milestone)
            found = (issue for title in titles for issue in self.engine.shown.matching(title))
            assigned = (name for i in map(self.share.view, found) if i.is_open for name in i.assignees)
            team = (name for name in self.engine.names.people if catalog.person(name) is not None)
            self._people = letters_for([*assigned, *team])
        return self._people

    def is_here(self, row: ExternalChange) -> bool:
        """Whether a change by others is about an issue on the current board, or one that left it."""
        if self.board is None:
            return False
        place = BoardPlace(self.board, self.view.flow)
        return row.left == place.name or place.shows(row.now)

    # Changes

    def edits(self) -> Edits | None:
        """Intents on issues, for today; None before the catalog is loaded."""
        if self.engine is None or (catalog := self.engine.catalog) is None:
            return None
        return Edits(settings=self.settings, catalog=catalog, today=self.engine.today())

    def perform(self, work: EditBatch) -> list[Op]:
        """Perform one keystroke's changes. Raises StoreFailed if they cannot be stored, and ReadOnly."""
        if self.engine is None or not work.changes:
            return []
        ops = self.engine.perform(work.changes, work.title)
        if ops:
            self.undoing.no_undo = ""
            self.words.tell(ops, work.title)
        return ops

    async def create_labels(self, titles: Sequence[str]) -> None:
        """Create labels in the group, and know them. Raises EditForbidden, and what ``perform`` raises."""
        if self.engine is None:
            raise NotConnected
        await self.engine.create_labels(titles)

    def is_hidden(self, issue: IssueId, before: Issue | None = None) -> bool:
        """Whether an issue is hidden, now or as it was; so is one that is not known in share mode."""
        found = self.whole_issue(issue) or before
        if found is None:
            return self.share.is_on
        return self.share.hides(found) or (before is not None and self.share.hides(before))

    def wrote(self, issues: Sequence[IssueId]) -> None:
        """These issues were written by the user without the outbox: that is no change by others."""
        self.unseen.mine(issues)
        self.unseen.answered(issues)

    async def finish(self, seconds: float) -> int:
        """Send what is held back and wait at most that long; returns how many changes are still unsent."""
        return await self.engine.finish(seconds) if self.engine else 0

    def column_title(self, column: Column) -> str:
        """The title of a column: a person as on the cards, nothing of a label that is hidden."""
        if column.tells == "assignees" and column.value:
            return self.text(self.people_words.name(column.value))
        # The title is the end of the label: what hides that hides it.
        shown = self.text(column.value or "")
        return self.text(column.title) if shown == (column.value or "") else shown
