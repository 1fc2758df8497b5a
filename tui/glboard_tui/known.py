"""What the screen can ask: the catalog, the board, an issue's flags, failed changes, the change log.

Owns reading, and the flags a card shows that are not in the issue (unsent, failed, changed by others). It
changes nothing in the engine: that is ``bridge.py``. Screens reach it through the bridge.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from glboard_core.board.conflicts import Conflict
from glboard_core.board.definition import CLOSED, Board
from glboard_core.board.index import BoardIndex
from glboard_core.board.operations import Change, OpId, describe
from glboard_core.board.use_cases import Edits
from glboard_core.config import Settings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Blocker, Issue, IssueId
from glboard_core.model.milestone import current, upcoming
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import Status
from glboard_tui.letters import letters_for
from glboard_tui.unseen_changes import ExternalChange, Place, UnseenChanges
from glboard_tui.view import BoardView


class Refused(Struct, frozen=True, kw_only=True):
    """A row of the failed list."""

    op: OpId
    issue: IssueId
    reference: str
    title: str
    what: str
    message: str
    hint: str
    act: Change
    #: The full path of its issue's project.
    project: str = ""


WAITS = "waits"
#: In place of a time, and as wide as one.
NOT_SENT = "not sent yet"


class Past(Struct, frozen=True, kw_only=True):
    """A row of the change log. ``when`` is in the team's time zone."""

    when: str
    reference: str
    what: str
    was: str
    result: str
    message: str


class Known:
    """Queries of an engine that is attached later."""

    def __init__(self, settings: Settings, view: BoardView) -> None:
        self.settings = settings
        self.view = view
        self.engine: Engine | None = None
        #: Changes by others that are not viewed yet.
        self.unseen = UnseenChanges()
        #: The hook for share mode: the text to show instead of an issue's title, or None.
        self.mask: Callable[[Issue], str | None] = lambda _: None
        self._people: dict[str, str] | None = None
        self._earlier: str | None = None

    @property
    def catalog(self) -> Catalog | None:
        """The catalog of the server; None before it is loaded."""
        return self.engine.catalog if self.engine else None

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
    def today(self) -> date | None:
        """Today in the team's time zone."""
        return self.engine.today() if self.engine else None

    @property
    def writable(self) -> bool:
        """Whether changes are possible: neither the session nor the token is read-only."""
        engine, catalog = self.engine, self.catalog
        return not (engine and engine.read_only) and (
            catalog is None or catalog.server.can_write is not False
        )

    @property
    def size(self) -> int:
        """The number of issues on this machine."""
        return len(self.engine.shown) if self.engine else 0

    @property
    def is_complete(self) -> bool:
        """Whether all issues in scope are loaded; before that no sum over them is correct."""
        return self.engine is not None and self.engine.is_complete

    def unread(self) -> frozenset[str]:
        """The keys of columns that are only partly loaded: their counts and sums are not final."""
        index = self.index
        if self.engine is None or index is None or self.is_complete:
            return frozenset()
        unread = self.engine.unread(index.board)
        return frozenset(cards.column.key for cards in index.columns if cards.column.key in unread)

    @property
    def is_partial(self) -> bool:
        """Whether open issues of the board are still being loaded."""
        return bool(self.unread() - {CLOSED})

    def issue(self, issue: IssueId) -> Issue | None:
        """An issue as currently shown, on this board or not."""
        return self.engine.shown.get(issue) if self.engine else None

    def planner(self) -> Edits | None:
        """Intents on issues, for today; None before the catalog is loaded."""
        if self.engine is None or (catalog := self.engine.catalog) is None:
            return None
        return Edits(
            flow=self.view.flow,
            names=self.settings.labels,
            catalog=catalog,
            today=self.engine.today(),
        )

    def is_pending(self, issue: IssueId) -> bool:
        """Whether it has an unconfirmed change."""
        return self.engine is not None and bool(self.engine.pending.of(issue))

    def is_failed(self, issue: IssueId) -> bool:
        """Whether it has a failed change."""
        return self.engine is not None and any(op.issue == issue for op, _ in self.engine.failed)

    def is_conflicting(self, issue: IssueId) -> bool:
        """Whether it has a conflict: a waiting change to a field that someone else changed."""
        return self.engine is not None and bool(self.engine.clashing(issue))

    def is_changed(self, issue: IssueId) -> bool:
        """Whether it has changes: unsent, failed, or by others."""
        return issue in self.unseen or self.is_pending(issue) or self.is_failed(issue)

    @property
    def place(self) -> Place | None:
        """The current board, to decide which issues are on it."""
        return Place(self.board, self.view.flow) if self.board is not None else None

    def is_here(self, row: ExternalChange) -> bool:
        """Whether a change by others is about an issue on the current board, or one that left it."""
        place = self.place
        return place is not None and (row.left == place.name or place.shows(row.now))

    @property
    def me(self) -> str:
        """The user's name; "" before the catalog is loaded."""
        return self.catalog.me.username if self.catalog else ""

    def server_now(self) -> datetime:
        """The server's clock in UTC, even with ``--as-of``: what others do happens now."""
        return self.engine.gateway.now() if self.engine else datetime.now(UTC)

    def title_of(self, issue: Issue) -> str:
        """The text shown for an issue wherever its title would be: screen, clipboard, export."""
        return self.mask(issue) or issue.title

    def title_of_blocker(self, blocker: Blocker) -> str:
        """The same for an issue that blocks one of ours: it may not be loaded as a card."""
        project, _, iid = blocker.reference.rpartition("#")
        now = self.server_now()
        bare = Issue(
            id=blocker.id,
            project=project,
            iid=int(iid) if iid.isdecimal() else 0,
            title=blocker.title,
            state=blocker.state,
            confidential=blocker.confidential,
            created_at=now,
            updated_at=now,
        )
        return self.title_of(self.issue(blocker.id) or bare)

    def people(self) -> dict[str, str]:
        """Usernames by letter: assignees in the current and next milestone, or on this board."""
        if self.engine is None or (catalog := self.engine.catalog) is None:
            return {}
        if self._people is None:
            # Only these milestones: do not read a large scope for a few letters.
            today = self.engine.today()
            planned = (current(catalog.milestones, today), *upcoming(catalog.milestones, today)[:1])
            titles = {milestone.title for milestone in planned if milestone}
            if self.board is not None and self.board.milestone:
                titles.add(self.board.milestone)
            found = (issue for title in titles for issue in self.engine.shown.matching(title))
            self._people = letters_for(name for i in found if i.is_open for name in i.assignees)
        return self._people

    def failed(self) -> list[Refused]:
        """The failed changes, newest first."""
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
                    title=self.title_of(issue) if issue else "",
                    what=describe(op.act, op.before),
                    message=error.message,
                    hint=error.hint,
                    act=op.act,
                    project=issue.project if issue else "",
                )
            )
        return rows

    def clashes(self, issue: IssueId) -> tuple[Conflict, ...]:
        """The conflicts of an issue: the value seen, mine, theirs."""
        return self.engine.clashing(issue) if self.engine else ()

    def history(self) -> list[Past]:
        """The change log, newest first, after the unsent changes."""
        if self.engine is None:
            return []
        zone = ZoneInfo(self.settings.ui.time_zone)
        return [
            Past(
                when=NOT_SENT if line.result == WAITS else line.at.astimezone(zone).strftime("%d %b %H:%M"),
                reference=line.reference.rpartition("/")[2],
                what=line.what,
                was=line.was,
                result=line.result,
                message=line.message,
            )
            for line in (*self.engine.unsent(), *self.engine.history())
        ]

    @property
    def undo_title(self) -> str:
        """The title of what ``u`` would undo; "" if nothing."""
        if self.engine is None:
            return ""
        if (last := self.engine.undo_stack.last) is not None:
            return last.title
        if self._earlier is None:
            # From an earlier session: read from the log once, since the footer asks on every key.
            earlier = self.engine.last_change()
            self._earlier = earlier.title if earlier else ""
        return self._earlier

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return self.engine is not None and self.engine.undo_stack.next is not None

    @property
    def keeps(self) -> bool:
        """Whether unsent changes survive a restart."""
        return self.engine is not None and self.engine.store.durable


class Asked:
    """A container that asks on every test: which issues have a flag at this moment."""

    def __init__(self, has: Callable[[IssueId], bool]) -> None:
        self._has = has

    def __contains__(self, issue: object) -> bool:
        return isinstance(issue, str) and self._has(IssueId(issue))
