"""What the screen may ask: the catalog, the board, an issue's flags, what was refused, what was done.

Owns reading, and the flags a card shows that are not in the issue (unsent, refused, changed by others). It
changes nothing in the engine: that is ``bridge.py``. Screens reach it through the bridge.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from glboard_core.board.conflict import Clash
from glboard_core.board.index import BoardIndex
from glboard_core.board.op import Act, OpId, describe
from glboard_core.config import Settings
from glboard_core.model.board import CLOSED, Board
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Blocker, Issue, IssueId
from glboard_core.model.milestone import current, upcoming
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import Status
from glboard_tui.edits import Planner
from glboard_tui.letters import letters_for
from glboard_tui.unseen import Place, Theirs, Unseen
from glboard_tui.view import View


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
    """What there is to know, of an engine that comes later."""

    def __init__(self, settings: Settings, view: View) -> None:
        self.settings = settings
        self.view = view
        self.engine: Engine | None = None
        #: Changed by others and not looked at since.
        self.unseen = Unseen()
        #: The seam of share mode: the words to show instead of an issue's own, or none.
        self.mask: Callable[[Issue], str | None] = lambda _: None
        self._people: dict[str, str] | None = None
        self._earlier: str | None = None

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

    @property
    def is_complete(self) -> bool:
        """Whether all issues of the scope were read once; before that no sum over them is the truth."""
        return self.engine is not None and self.engine.is_complete

    def unread(self) -> frozenset[str]:
        """The keys of the board's columns that were read in part only: counts and sums are not true yet."""
        index = self.index
        if self.engine is None or index is None or self.is_complete:
            return frozenset()
        unread = self.engine.unread(index.board)
        return frozenset(cards.column.key for cards in index.columns if cards.column.key in unread)

    @property
    def is_partial(self) -> bool:
        """Whether open issues of the board are still to come."""
        return bool(self.unread() - {CLOSED})

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
        return issue in self.unseen or self.is_pending(issue) or self.is_failed(issue)

    @property
    def place(self) -> Place | None:
        """The board that is looked at, as a measure of what is on it."""
        return Place(self.board, self.view.flow) if self.board is not None else None

    def is_here(self, row: Theirs) -> bool:
        """Whether what others changed is on the board that is looked at, or left it."""
        place = self.place
        return place is not None and (row.left == place.name or place.shows(row.now))

    @property
    def me(self) -> str:
        """The person's username; "" before the catalog was read."""
        return self.catalog.me.username if self.catalog else ""

    def server_now(self) -> datetime:
        """The server's clock in UTC, also under ``--as-of``: what others do, they do now."""
        return self.engine.gateway.now() if self.engine else datetime.now(UTC)

    def title_of(self, issue: Issue) -> str:
        """The words that stand for an issue wherever its title would: screen, clipboard, export."""
        return self.mask(issue) or issue.title

    def title_of_blocker(self, blocker: Blocker) -> str:
        """The same for an issue that blocks one of ours: it need not be one that was read as a card."""
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
                    title=self.title_of(issue) if issue else "",
                    what=describe(op.act, op.before),
                    message=error.message,
                    hint=error.hint,
                    act=op.act,
                    project=issue.project if issue else "",
                )
            )
        return rows

    def clashes(self, issue: IssueId) -> tuple[Clash, ...]:
        """What waits for a choice on an issue: what was seen, mine, theirs."""
        return self.engine.clashing(issue) if self.engine else ()

    def history(self) -> list[Past]:
        """The change log, newest first, below what is not sent yet."""
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

    @property
    def keeps(self) -> bool:
        """Whether what is unsent outlives the program."""
        return self.engine is not None and self.engine.store.durable


class Asked:
    """A container that asks anew each time: which issues have a flag at this moment."""

    def __init__(self, has: Callable[[IssueId], bool]) -> None:
        self._has = has

    def __contains__(self, issue: object) -> bool:
        return isinstance(issue, str) and self._has(IssueId(issue))
