"""The connection between the screen and the engine: events in, intents out.

Owns which board, milestone and filter are shown, and the queue of engine events. The engine's tasks only
append to the queue; the screen empties it in its own time, so that index and widgets change in one step and
nothing is half painted. It touches no widget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field, structs

from glboard_core.board import undo
from glboard_core.board.batch import EditBatch
from glboard_core.board.changes import differences
from glboard_core.board.columns import CLOSED, Column
from glboard_core.board.conflicts import Conflict
from glboard_core.board.definition import Board
from glboard_core.board.filters import compiled, filter_states, parse
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import NoteWrite, Op, OpId
from glboard_core.board.share import CONFIDENTIAL, told
from glboard_core.board.undo import Group
from glboard_core.board.use_cases import Edits
from glboard_core.config import Settings, SortBy
from glboard_core.errors import GlboardError, NameUnknown, NotConnected, SharedScreen
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId, LinkedIssue
from glboard_core.model.merge_requests import MergeRequest
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
)
from glboard_tui.board_view import FILTER_STATES, BoardView
from glboard_tui.change_lists import ChangeLists
from glboard_tui.drafts import BoardDrafts
from glboard_tui.filter_line import FILTERS, FilterMemory, completions
from glboard_tui.finding import FindableIssues
from glboard_tui.issue_reads import IssueReads
from glboard_tui.keymap import letters_for
from glboard_tui.live_config import configure
from glboard_tui.lookup import Lookup
from glboard_tui.people_words import PeopleWords
from glboard_tui.share import SHARE, ShareMode, process_labels
from glboard_tui.unseen_changes import BoardPlace, ExternalChange, UnseenChanges

Connect = Callable[[], AbstractAsyncContextManager[Engine]]
"""Creates the engine after the first paint; closes it at the end. Entering can raise any GlboardError."""

#: Seconds that a key waits for the states of merge requests, before it asks without knowing them.
REQUESTS_PATIENCE = 4.0
#: The store key for unseen changes by others.
UNSEEN = "unseen"


class Asked:
    """A container that asks on every test: which issues have a flag at this moment."""

    def __init__(self, has: Callable[[IssueId], bool]) -> None:
        self._has = has

    def __contains__(self, issue: object) -> bool:
        return isinstance(issue, str) and self._has(IssueId(issue))


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
        #: What is read of issues besides their fields.
        self.reads = IssueReads(lambda: self.engine, self.share.hides)
        #: What is tried out before it is sent.
        self.drafts = BoardDrafts(lambda: self.engine)
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
            lambda: ZoneInfo(self.settings.ui.time_zone),
            self._mark,
        )
        #: The labels that everybody knows, and the settings they come from.
        self._process_of: tuple[Settings, Container[str]] | None = None
        #: There is a catalog but no such board.
        self._no_such_board: NameUnknown | None = None
        self._people: dict[str, str] | None = None
        #: Whether the licence covers health statuses; None until somebody wants to set one.
        self.health: bool | None = None
        self.people_words = PeopleWords(lambda: self.catalog)
        #: What undo applies to of an earlier session: read from the log once, since the footer asks on every
        #: key.
        self._earlier: Group | None = None
        self._earlier_read = False
        #: Earlier filters, and those saved under a letter.
        self.filters = FilterMemory()
        #: The last reason for being offline or signed out, and when (UTC), also after that is over.
        self.last_error: tuple[datetime, GlboardError] | None = None
        #: What was done last, and why it cannot be undone, in a sentence; "" if it is a change.
        self.no_undo = ""
        #: What undo or redo was about last.
        self.last_step: Group | None = None

    # The engine's events

    def attach(self, engine: Engine) -> None:
        """Listen to an engine from now on and show what it has."""
        self.engine = engine
        self.left_over = 0 if engine.read_only else len(engine.outbox)
        self.unseen.take_up(engine.store.meta(UNSEEN))
        engine.listen(self._hear)
        store = engine.store
        self.share.take_up(store.meta(SHARE), lambda kept: store.put_meta(SHARE, kept), self._every_issue)
        self.keep_live(on=self.share.is_on)
        self.filters.take_up(store.meta(FILTERS), lambda kept: store.put_meta(FILTERS, kept))
        if not self.view.text:
            self.view.filter(self.filters.current)
        self._rebuild()

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
            self.engine.store.put_meta(UNSEEN, self.unseen.kept())

    def kept(self, key: str) -> bytes | None:
        """What a pane kept under this name in the state file, in this session or an earlier one."""
        return self.engine.store.meta(key) if self.engine is not None else None

    def keep(self, key: str, value: bytes) -> None:
        """Keep something for a pane. If it cannot be written, only that is lost."""
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
                case StatusChanged():
                    update.status = True
                    self._earlier_read = False  # a failed change may be gone
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
                self.unseen.answered(after.id for before, after in event.changes if after and before != after)
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
        """Ask who wrote new comments. What GitLab does not tell stays without a name."""
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
            self.view.build(self.engine, Asked(self.is_changed), self.share.matched)
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
        """All of it: for computing, never for display."""
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
        return completions(text, self.catalog, FILTER_STATES)

    def test_of(self, text: str) -> Callable[[Issue], bool] | None:
        """A line of the filter language as a test on issues; None if every issue fits."""
        engine, catalog = self.engine, self.whole_catalog
        if engine is None or catalog is None:
            return None
        changed = Asked(self.is_changed)
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
        """A key was pressed: the app is in use."""
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
        """All of it: for edits and for computing, never for display."""
        return self.engine.shown.get(issue) if self.engine else None

    def view_of(self, issue: Issue) -> Issue:
        """The issue as everybody may see it."""
        return self.share.view(issue)

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description, as staged if it is, and notes, as everybody may see them, from the server.

        Raises EditForbidden, ConnectionFailed, AuthError.
        """
        if self.engine is None:
            raise NotConnected
        found = await self.engine.gateway.detail(issue)
        staged = self._description_here(issue)
        detail = found if staged is None else structs.replace(found, description=staged, source=staged)
        return self.share.detail(self.whole_issue(issue), detail)

    async def has_health(self, issue: Issue) -> bool:
        """Whether health statuses can be set; asked of GitLab once, unless an issue here has one.

        True if it is not told, or GitLab cannot be asked: then setting one tells.
        """
        if self.health is None and self.engine is not None and not issue.is_new:
            if any(one.health_status for one in self.engine.shown.values()):
                self.health = True
            else:
                try:
                    self.health = await self.engine.gateway.has_health(issue.id)
                except GlboardError:
                    return True
        return self.health is not False

    def _description_here(self, issue: IssueId) -> str | None:
        """The description as it is staged, or unsent; None if it is as GitLab has it."""
        staged = self.drafts.description(issue)
        return self.reads.unsent_description(issue) if staged is None else staged

    async def detail_to_edit(self, issue: IssueId) -> tuple[Issue | None, IssueDetail]:
        """The issue and its texts as GitLab has them. Raises what ``detail`` raises, and SharedScreen."""
        if self.engine is None:
            raise NotConnected
        detail = await self.engine.gateway.detail(issue)
        staged = self._description_here(issue)
        if staged is not None:
            detail = structs.replace(detail, description=staged, source=staged)
        found = self.whole_issue(issue)
        if found is not None and (
            self.share.hides(found) or self.share.finds(f"{found.title} {detail.source}")
        ):
            raise SharedScreen
        return found, detail

    async def merge_requests(self, issues: Sequence[Issue]) -> Mapping[IssueId, Sequence[MergeRequest]]:
        """The merge requests that close these issues, as far as GitLab tells now; none of them offline.

        Those of a hidden issue are not asked for.
        """
        if self.engine is None or (self.status is not None and self.status.freshness != "live"):
            return {}
        try:
            async with asyncio.timeout(REQUESTS_PATIENCE):
                return await self.engine.gateway.merge_requests(
                    [issue for issue in issues if not self.share.hides(issue)]
                )
        except (GlboardError, TimeoutError):
            return {}

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

    def is_pending(self, issue: IssueId) -> bool:
        """Whether it has an unconfirmed change."""
        return self.engine is not None and bool(self.engine.outbox.of(issue))

    def is_failed(self, issue: IssueId) -> bool:
        """Whether it has a failed change."""
        return self.engine is not None and any(op.issue == issue for op, _ in self.engine.failed)

    def is_conflicting(self, issue: IssueId) -> bool:
        """Whether it has a conflict: a waiting change to a field that someone else changed."""
        return bool(self.conflicts(issue))

    def is_changed(self, issue: IssueId) -> bool:
        """Whether it has changes: staged, unsent, failed, or by others."""
        mine = self.is_pending(issue) or self.is_failed(issue) or self.drafts.is_staged(issue)
        return mine or issue in self.unseen

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
            self.no_undo = ""
            self._tell(ops, work.title)
        return ops

    async def create_labels(self, titles: Sequence[str]) -> None:
        """Create labels in the group, and know them. Raises EditForbidden, and what ``perform`` raises."""
        if self.engine is None:
            raise NotConnected
        await self.engine.create_labels(titles)

    def _tell(self, ops: Sequence[Op], title: str) -> None:
        """Mark what was changed for those who watch, in words without what is hidden from them."""
        if not self.share.is_on:
            return
        ids = list(dict.fromkeys(op.issue for op in ops))
        whole, before = self.whole_issue(ids[0]), next((op.before for op in ops if op.before), None)
        if len(ids) > 1 or whole is None or isinstance(ops[0].change, NoteWrite):
            many = f"{len(ids)} "
            words = self.shown_title(title, ops)
            words = words.replace(many, f"{many}issues ", 1) if words.startswith(many) else words
        else:
            was, now = (one and self.share.view(one) for one in (before, whole))
            what = differences(was, now) if was and now else ()
            words = told(was, now or whole, self.settings.labels.deliverable, what)
        self.share.tell(ids, self.text(f"draft: {words}" if self.drafts.is_on else words))

    def tell_group(self, group: Group | None, how: str) -> None:
        """Mark what was undone, redone or applied for those who watch: what was told before is not so now."""
        if group is not None and group.ops:
            words = f"{how}: {self.title_of_group(group)}"
            self.share.tell(dict.fromkeys(op.issue for op in group.ops), words)

    def shown_title(self, title: str, ops: Iterable[Op]) -> str:
        """The title of a keystroke's changes; without what it did if a hidden issue is among them."""
        if not self.share.is_on:
            return title
        hidden = [op for op in ops if self.is_hidden(op.issue, op.before)]
        if not hidden:
            return self.text(title)
        who = title.partition(" ")[0]
        return self.text(f"{who} changed")

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

    @property
    def undo_title(self) -> str:
        """The title of what ``u`` would undo or discard; "" if nothing."""
        last = self._last_change
        return self.title_of_group(last) if last is not None else ""

    def title_of_group(self, group: Group) -> str:
        """What a keystroke did, in the words that everybody may see."""
        ops = (*group.ops, *group.refused)
        return self.people_words.title(self.shown_title(group.title, ops), ops)

    def column_title(self, column: Column) -> str:
        """The title of a column: a person as on the cards, nothing of a label that is hidden."""
        if column.tells == "assignees" and column.value:
            return self.text(self.people_words.name(column.value))
        # The title is the end of the label: what hides that hides it.
        shown = self.text(column.value or "")
        return self.text(column.title) if shown == (column.value or "") else shown

    @property
    def undo_words(self) -> str:
        """What ``u`` would do: "undo: weight 3"; "" if nothing."""
        last = self._last_change
        if last is None or self.no_undo:
            return ""
        if self.drafts.undoes_staged:
            return f"unstage: {self.title_of_group(last)}"
        return f"{'discard' if last.is_refused else 'undo'}: {self.title_of_group(last)}"

    @property
    def refused(self) -> Group | None:
        """What was done last, if GitLab refused it: there is nothing to undo, only something to discard."""
        last = self._last_change
        return last if last is not None and last.is_refused else None

    @property
    def _last_change(self) -> Group | None:
        if self.engine is None:
            return None
        if self.drafts.undoes_staged:
            return self.engine.last_change()
        if (last := self.engine.undo_stack.last) is not None:
            return last
        if not self._earlier_read:
            self._earlier_read = True
            self._earlier = self.engine.last_change()
        return self._earlier

    def discard_refused(self) -> None:
        """Discard what was done last and refused. Raises StoreFailed."""
        if self.engine is not None:
            self._repaint.update(op.issue for op in (self.refused.refused if self.refused else ()))
            self.engine.discard_refused()
            self._earlier_read = False

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return self.engine is not None and self.engine.next_change is not None

    @property
    def undo_deletes(self) -> int:
        """How many posted comments ``u`` would delete."""
        return self.engine.undo_deletes if self.engine else 0

    def chosen_deletes(self, ops: Collection[OpId]) -> int:
        """How many posted comments ``undo_chosen`` would delete."""
        return self.engine.chosen_deletes(ops) if self.engine else 0

    def undo(self) -> tuple[str, str] | None:
        """Undo the last keystroke: its title, and what undo could not simply restore.

        Raises StoreFailed if the undo cannot be stored, and LastRefused.
        """
        staged = self.drafts.undoes_staged
        group = self.engine.undo() if self.engine else None
        self._earlier_read = False
        self.last_step = group
        if group is None:
            return None
        self.tell_group(group, "unstaged" if staged else "undone")
        return self.title_of_group(group), "" if staged else self.text(undo.says(group.ops))

    def undo_chosen(self, ops: Collection[OpId]) -> tuple[str, str] | None:
        """Undo these changes of the log in one go; returns and raises what ``undo`` does."""
        group = self.engine.undo_chosen(ops) if self.engine else None
        self._earlier_read = False
        self.tell_group(group, "undone")
        return (self.title_of_group(group), self.text(undo.says(group.ops))) if group else None

    def redo(self) -> str | None:
        """Redo what was undone last; returns its title."""
        group = self.last_step = self.engine.redo() if self.engine else None
        self.tell_group(group, "redone")
        return self.title_of_group(group) if group else None

    def conflicts(self, issue: IssueId) -> tuple[Conflict, ...]:
        """The conflicts of an issue: the value seen, mine, theirs."""
        return self.engine.outbox.conflicting(issue) if self.engine else ()

    def decide(self, issue: IssueId, *, mine: bool) -> None:
        """Resolve a conflict: send the waiting change over the current value, or discard it.

        Raises StoreFailed, and ReadOnly.
        """
        if self.engine is not None:
            self.engine.keep_mine(issue) if mine else self.engine.keep_theirs(issue)
