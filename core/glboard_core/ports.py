"""The seams: what the sync engine asks of the server, of the disk and of time.

Protocols and the values that cross them, nothing else. One gateway speaks to GitLab (tests put the embedded
GitLab behind it, never another gateway); a store keeps the mirror and the outbox.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, ValuesView
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from glboard_core.board.conflict import Clash
from glboard_core.board.op import Op, OpId
from glboard_core.errors import GlboardError, StoreFailed
from glboard_core.model.catalog import Catalog
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue, IssueDetail, IssueId, Note, State
from glboard_core.model.reference import Reference
from glboard_core.model.slim import Slim

if TYPE_CHECKING:
    from glboard_core.planning.snapshot import PlanSnapshot


class IssueQuery(Struct, frozen=True, kw_only=True):
    """Which issues of the group (and all groups below it) to read. Labels are AND-ed; times are UTC.

    ``milestone`` is a title; "" asks for issues without a milestone; None does not ask.
    """

    labels: tuple[str, ...] = ()
    #: None of these labels; in none of these milestones, by title.
    without: tuple[str, ...] = ()
    without_milestones: tuple[str, ...] = ()
    milestone: str | None = None
    state: State | None = None
    updated_after: datetime | None = None
    closed_after: datetime | None = None
    #: "rank" is the manual order, "updated" the most recently updated first.
    order: str = "rank"


class Placed(Struct, frozen=True):
    """A slim row of the reconciling list: which issues are there, and in which manual order."""

    id: IssueId
    position: float | None
    updated_at: datetime


class Done(Struct, frozen=True, kw_only=True):
    """The server made the change. ``issue`` is what it returned; ``note`` the id of a new comment."""

    op: OpId
    issue: Issue | None = None
    note: str | None = None


class Failed(Struct, frozen=True, kw_only=True):
    """The change was not made, in part or whole: ``error`` says why; ``issue`` is what the server has now.

    ``error`` is an EditUnknown where the answer was lost, and the change may have been made; a
    ConnectionFailed or AuthError where this Op was not sent at all and may be sent later.
    """

    op: OpId
    error: GlboardError
    issue: Issue | None = None


Outcome = Done | Failed


class Gateway(Protocol):
    """The server, as the engine sees it. Every method may raise AuthError, ConnectionFailed, QueryRefused."""

    async def catalog(self) -> Catalog:
        """Labels, milestones, people, projects, server and user. Raises GroupNotFound."""
        ...

    async def extend_catalog(self, catalog: Catalog, projects: Iterable[str]) -> Catalog:
        """The catalog with the labels and milestones of these projects and of the subgroups above them."""
        ...

    def pages(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        """The issues, page by page, each at most once."""
        ...

    async def count(self, queries: Sequence[IssueQuery]) -> int:
        """How many issues these find, added up: one request. Not every server counts in time."""
        ...

    def placements(self, labels: tuple[str, ...]) -> AsyncIterator[list[Placed]]:
        """All open issues with these labels, slim, in manual order: for reconciling."""
        ...

    async def read(self, issues: Sequence[IssueId]) -> Mapping[IssueId, Issue]:
        """These issues as they are now; what is gone or hidden is absent."""
        ...

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """The issues with these references; what does not exist or is hidden is absent."""
        ...

    async def note_of(self, issue: IssueId, op: OpId) -> str | None:
        """The id of the note that a Comment Op became, found by its marker; None where it is not there."""
        ...

    async def marked_note(self, issue: IssueId, mark: str, author: str) -> Note | None:
        """The newest note of ``author`` with that mark, which a NoteWrite Op wrote; None without one."""
        ...

    async def events(
        self, issues: Sequence[Issue], kinds: Iterable[EventKind]
    ) -> Mapping[IssueId, Sequence[Event]]:
        """What happened to these issues: a request for each kind of each. What may not be seen is absent."""
        ...

    async def created_by(self, op: Op) -> Issue | None:
        """The issue that a Create Op became, found by its marker; None where it is not there."""
        ...

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description and notes. Raises EditForbidden where the issue is gone."""
        ...

    async def send(
        self, ops: Sequence[Op], shown: Mapping[IssueId, Issue], catalog: Catalog
    ) -> list[Outcome]:
        """Make the changes, in order for each issue, in as few requests as the server allows.

        ``shown`` are the issues as the server last showed them, ``catalog`` maps titles to ids. One outcome
        for each Op, in the same order: one Op's failure never stops another's. Raises ConnectionFailed or
        AuthError only where nothing at all was sent.
        """
        ...

    @property
    def remaining(self) -> float | None:
        """The share of the rate limit that is left, 0 to 1; None where the server names none."""
        ...

    def now(self) -> datetime:
        """The server's clock in UTC, from its last Date header; this machine's before the first answer."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Entry(Struct, frozen=True, kw_only=True):
    """An Op in the outbox.

    ``title`` names the keystroke it came from. ``due`` is when it may be sent, in seconds since the epoch by
    this machine's clock; ``sent`` when it was handed to the network (0: not yet). What was sent and is still
    here after a start has an answer that was lost. ``clashes`` are what it waits for a person to choose.
    """

    op: Op
    title: str = ""
    due: float = 0.0
    sent: float = 0.0
    clashes: tuple[Clash, ...] = ()


class Refusal(Struct, frozen=True, kw_only=True):
    """A change that was not made, kept until it is tried again or dropped. ``kind`` is the error's type."""

    op: Op
    title: str
    kind: str
    message: str
    hint: str
    at: datetime


class Logged(Struct, frozen=True, kw_only=True):
    """One line of the change log. ``result`` is done, settled, undone, failed or dropped.

    ``change`` is the Op, so that it can be taken back in a later session.
    """

    at: datetime
    change: Op
    op: OpId
    group: str
    title: str
    reference: str
    what: str
    was: str
    result: str
    message: str = ""


#: Results of a line that stands for a change which is on the server.
MADE = ("done", "settled")


class Seen(Struct, frozen=True, kw_only=True):
    """What other windows wrote since the last look: issues, and issues gone.

    ``were`` are those of them that this window had shown lately, as they were then.
    """

    issues: tuple[Issue, ...] = ()
    gone: tuple[IssueId, ...] = ()
    were: tuple[Issue, ...] = ()


class Issues(Mapping[IssueId, Issue]):
    """The confirmed issues: a live view, not to be changed by the caller."""

    @abstractmethod
    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone ("" for those without), or all of them for None."""
        ...

    @abstractmethod
    def slim(self, milestone: str | None) -> Iterator[Slim]:
        """The same, but only what places, counts and sorts them."""
        ...

    def values(self) -> ValuesView[Issue]:
        """All of them, in one go rather than one by one."""
        return _Values(self)


class _Values(ValuesView[Issue]):
    def __init__(self, issues: Issues) -> None:
        super().__init__(issues)
        self._issues = issues

    def __iter__(self) -> Iterator[Issue]:
        return self._issues.matching(None)


class Store(Protocol):
    """The mirror, the outbox and the change log. In memory, or on disk, where several windows share it.

    Whatever writes raises StoreFailed where the disk refuses; the mirror's writes never do (what cannot be
    kept is held in memory, since it can be read again). ``notice`` says in words what happened when it was
    opened (a file put aside, changes rescued), or is empty.
    """

    notice: str
    #: Whether what is kept outlives the program.
    durable: bool

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or none."""
        ...

    def issues(self) -> Issues:
        """All confirmed issues."""
        ...

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues."""
        ...

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Forget issues that left the scope."""
        ...

    def projects(self) -> frozenset[str]:
        """The projects that issues stand in."""
        ...

    def catalog(self) -> Catalog | None:
        """The catalog kept last, or none."""
        ...

    def put_catalog(self, catalog: Catalog) -> None:
        """Keep the catalog."""
        ...

    def meta(self, key: str) -> bytes | None:
        """A value kept under a key, or none."""
        ...

    def put_meta(self, key: str, value: bytes) -> None:
        """Keep a value under a key."""
        ...

    def plans(self, milestone: str) -> Sequence[PlanSnapshot]:
        """The plans of a milestone that were locked or imported here, the one kept last first."""
        ...

    def keep_plan(self, plan: PlanSnapshot) -> None:
        """Keep a locked plan: on disk before this returns. Those kept before stay."""
        ...

    def recall(self, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
        """What was kept under these keys, where it is still there; used on that day."""
        ...

    def remember(self, values: Mapping[str, bytes], on: date) -> None:
        """Keep what was read and can be read again; what was not used for long before that day goes."""
        ...

    def outbox(self) -> Sequence[Entry]:
        """The Ops not yet settled, oldest first."""
        ...

    def enqueue(self, entries: Sequence[Entry], instead: Iterable[OpId] = ()) -> None:
        """Keep Ops until they are settled: on disk before this returns. One with a known id is replaced.

        ``instead`` are the refused changes they stand for: struck from the list in the same step.
        """
        ...

    def rewrite(self, entries: Sequence[Entry]) -> frozenset[OpId]:
        """Replace what is kept of Ops (act, due, clashes); returns those still there. Adds none."""
        ...

    def contest(self, clashes: Mapping[OpId, Sequence[Clash]]) -> None:
        """Note which Ops wait for a choice (with an empty one: no longer), so that all windows show it."""
        ...

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        """Mark Ops as sent now, before they are; returns those still there and not claimed by others."""
        ...

    def unclaim(self, ops: Iterable[OpId]) -> None:
        """These were not sent after all."""
        ...

    def take_back(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
        """Remove Ops if all are here and none was sent: then they never leave. All or nothing.

        ``log`` is written in the same step, if it is done.
        """
        ...

    def settle(self, ops: Iterable[OpId], refusals: Sequence[Refusal], log: Sequence[Logged]) -> None:
        """Remove Ops that were answered, keep the refused ones and write the log, in one step."""
        ...

    def refusals(self) -> Sequence[Refusal]:
        """The changes that were not made, oldest first."""
        ...

    def forgive(self, op: OpId) -> None:
        """Strike a change from the list of refused ones."""
        ...

    def log(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""
        ...

    def prune(self, before: datetime) -> int:
        """Forget lines of the change log older than that; how many. What is unsent or refused stays."""
        ...

    def lead(self) -> bool:
        """Whether this window sends: one at a time does, and another takes over when it ends."""
        ...

    def resign(self) -> None:
        """Let another window send, until this one takes it up again."""
        ...

    def others(self) -> Seen | None:
        """What other windows wrote since the last call; None where nothing changed."""
        ...

    def check(self) -> StoreFailed | None:
        """Look for damage that a start takes no time for; what to say of it, if any. For a thread."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Clock(Protocol):
    """Time. ``now`` is aware and in UTC; ``today`` the calendar day in the team's time zone."""

    def now(self) -> datetime:
        """The moment everything is computed with."""
        ...

    def today(self) -> date:
        """The day that current and next milestone follow from."""
        ...
