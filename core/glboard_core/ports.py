"""The ports: the interfaces of the sync engine to the server and the disk.

Protocols and the values that cross them, nothing else: first the gateway to GitLab (tests run it against the
embedded GitLab, never a fake gateway), then the store, which keeps the mirror and the outbox.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    ValuesView,
)
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from glboard_core.board.conflicts import Conflict
from glboard_core.board.draft import Draft, DraftId
from glboard_core.board.operations import Op, OpId
from glboard_core.errors import GlboardError, StoreFailed
from glboard_core.model.catalog import Catalog, Label, Person, Project, Server
from glboard_core.model.catalog_needs import CatalogNames, Needs
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue, IssueDetail, IssueId, IssueRow, LinkedIssue, Note, Reference
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found, IssueQuery
from glboard_core.model.renames import Renames
from glboard_core.purpose import Purpose

if TYPE_CHECKING:
    from glboard_core.planning.plan_lock import PlanSnapshot


# The gateway: values, then the protocol.


class Done(Struct, frozen=True, kw_only=True):
    """The server applied the change. ``issue`` is what it returned; ``note`` the id of a new comment.

    ``places`` are other issues' positions in the manual order that turned out to be different: GitLab placed
    them, or moved them to make way; in the latter case, ``respaced``, perhaps more than these.
    """

    op: OpId
    issue: Issue | None = None
    note: str | None = None
    places: Mapping[IssueId, float] = {}
    respaced: bool = False


class Failed(Struct, frozen=True, kw_only=True):
    """The change was not applied, or only in part. ``error`` says why, ``issue`` is its current state.

    ``error`` is an EditUnknown if the answer was lost and the change may have been made; a ConnectionFailed
    or AuthError if this Op was not sent at all and can be sent later. ``places`` and
    ``respaced`` as in Done.
    """

    op: OpId
    error: GlboardError
    issue: Issue | None = None
    places: Mapping[IssueId, float] = {}
    respaced: bool = False


Outcome = Done | Failed


class LiveEvents(Protocol):
    """A connection that reports at once that an issue changed, but not what changed."""

    async def choose(self, issues: Sequence[IssueId]) -> None:
        """Watch only these issues, the most important first. Raises ConnectionFailed."""

    def __aiter__(self) -> AsyncIterator[IssueId]:
        """The issues that changed, also by ourselves, as often as GitLab tells. Ends only with an error.

        Raises ConnectionFailed when the connection breaks, and NoLiveEvents if GitLab ends it for good.
        """


class Gateway(Protocol):
    """The server, as the engine sees it. Every method may raise AuthError, ConnectionFailed, QueryRefused."""

    @property
    def last_request(self) -> str:
        """The server's id of the request that this task, or else another, got an answer to last, or ""."""

    def tell_left_out(self, tell: Callable[[str], None]) -> None:
        """Call ``tell`` with values left out of a response because they were not understood."""

    async def catalog(self, names: CatalogNames, known: Catalog | None = None) -> Catalog:
        """Server, user, group, and what has these names: one round trip. Raises GroupNotFound.

        What is ``known`` stays; of it, milestones are asked for again by id.
        """

    async def extend_catalog(self, catalog: Catalog, needs: Needs) -> Catalog:
        """The catalog plus what is needed and not known yet: one round trip, or none."""

    def learned(self, catalog: Catalog, wanted: Callable[[IssueId], bool]) -> Catalog:
        """The catalog plus the labels, milestones and people of the wanted issues read since the last call.

        It is the same catalog if nothing is new.
        """

    @property
    def user(self) -> Person | None:
        """Our user according to the last response that contained it; None before."""

    @property
    def licence_changed(self) -> bool:
        """Whether a page of issues showed another licence than the catalog that was read last."""

    @property
    def token_mark(self) -> str:
        """A short fingerprint to notice another token. It does not reveal the token."""

    def expect(self, server: Server) -> None:
        """Use the server of an earlier session, to save a request before the first query."""

    def expect_group(self, path: str) -> None:
        """The group has this path, as far as it is known from an earlier session."""

    async def search_labels(self, text: str, projects: Collection[str]) -> Found[Label]:
        """The labels valid in all of these projects whose title contains ``text``: one request."""

    async def search_milestones(self, text: str, projects: Collection[str]) -> Found[Milestone]:
        """The active milestones available to all of these projects whose title contains ``text``."""

    async def search_people(self, text: str, project: str | None) -> Found[Person]:
        """The people who can be assigned, by name or username; in the whole group without a project."""

    async def search_projects(self, text: str) -> Found[Project]:
        """The projects of the group and its subgroups whose path or name contains ``text``."""

    async def search_issues(self, text: str) -> Found[LinkedIssue]:
        """The issues of the group and its subgroups whose title contains ``text``, to be linked."""

    def pages(self, query: IssueQuery) -> AsyncIterator[list[Issue]]:
        """The issues, page by page, each at most once. Raises GroupNotFound."""

    async def page(self, query: IssueQuery, after: str | None) -> tuple[list[Issue], str | None]:
        """One page, from the cursor ``after`` on, and the cursor of the next; None for the last.

        Raises GroupNotFound.
        """

    async def count(self, queries: Sequence[IssueQuery]) -> Sequence[int]:
        """How many issues each of these queries finds, which may time out. Raises GroupNotFound."""

    async def read(
        self, issues: Sequence[IssueId], known: Mapping[IssueId, Issue] | None = None
    ) -> Mapping[IssueId, Issue]:
        """Read these issues; deleted, hidden and not yet created ones are absent.

        ``known`` are issues as last read: up to 100 of those in it are read with one request.
        """

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """The issues with these references; those that do not exist or are hidden are absent."""

    async def promoted(self, issues: Sequence[IssueId]) -> frozenset[IssueId]:
        """The issues among these that were promoted to epics, as far as this GitLab reports it."""

    async def merge_requests(
        self, issues: Sequence[Issue], *, approvals: bool = False
    ) -> Mapping[IssueId, Sequence[MergeRequest]]:
        """The merge requests that close these issues, up to 100, with their states: one request.

        With ``approvals`` also how many each needs and lacks: for few issues, since it takes GitLab a while.

        Those that this GitLab or this token does not tell are absent, and those that have more than told.
        """

    async def note_of(self, issue: IssueId, op: OpId) -> str | None:
        """The id of the note that a Comment Op created, found by its marker, or None."""

    async def commenters(self, issues: Mapping[IssueId, int]) -> Mapping[IssueId, Sequence[str]]:
        """The authors of the last comments on each of these issues, the latest last: one request for 20.

        Those that are gone are absent.
        """

    async def marked_note(self, issue: IssueId, mark: str, author: str) -> Note | None:
        """The newest note by ``author`` with this mark, written by a NoteWrite Op, or None."""

    async def events(
        self, issues: Sequence[Issue], kinds: Iterable[EventKind]
    ) -> Mapping[IssueId, Sequence[Event]]:
        """The events of these issues: one request per issue and kind. Hidden ones are absent."""

    async def created_by(self, op: Op) -> Issue | None:
        """The issue that a Create Op created, found by its marker, or None."""

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description, blockers and notes. Raises EditForbidden if the issue is gone."""

    async def send(
        self,
        ops: Sequence[Op],
        shown: Mapping[IssueId, Issue],
        catalog: Catalog,
        report: Callable[[Sequence[Outcome]], None] | None = None,
    ) -> list[Outcome]:
        """Send the changes, in order per issue, in as few requests as the server allows.

        ``shown`` are the issues as the server last returned them: of changes of the manual order also the
        neighbours, others without a position, and the last one that has a position.
        ``catalog`` maps titles to ids. One outcome
        per Op, in the same order: a failed Op never stops another. ``report`` is called with those that are
        final as each request is answered; all are returned, too. Raises ConnectionFailed or AuthError only
        if nothing at all was sent.
        """

    def live(self) -> AbstractAsyncContextManager[LiveEvents]:
        """Connect for live events. Raises NoLiveEvents where there are none, ConnectionFailed, AuthError."""

    async def create_board(self, name: str) -> str:
        """Create an issue board in the group, or find the one of that name; returns its global id.

        Raises EditForbidden, and EditUnknown if the answer was lost and no such board appears.
        """

    async def create_labels(self, titles: Sequence[str]) -> Sequence[Label]:
        """Create labels in the group; existing ones stay as they are. Raises EditForbidden, EditUnknown."""

    @property
    def remaining(self) -> float | None:
        """The share of the rate limit that is left, 0 to 1; None if the server reports none."""

    @property
    def requests(self) -> Mapping[Purpose, int]:
        """How many requests were sent in the last hour, by purpose."""

    def now(self) -> datetime:
        """The server's clock in UTC, from its last Date header; this machine's before the first answer."""

    @property
    def knows_time(self) -> bool:
        """Whether ``now`` is the server's clock, because it sends Date headers."""

    async def close(self) -> None:
        """Close connections."""


# The store: values, then the protocol.


class OutboxEntry(Struct, frozen=True, kw_only=True):
    """An Op in the outbox.

    ``title`` describes the keystroke it came from. ``due`` is when it can be sent, in seconds since the epoch
    by this machine's clock; ``sent`` when it was passed to the network (0: not yet). An Op that was
    sent and is still here after a start has lost its answer. ``conflicts`` must be decided by a person.
    """

    op: Op
    title: str = ""
    due: float = 0.0
    sent: float = 0.0
    conflicts: tuple[Conflict, ...] = ()


class FailedChange(Struct, frozen=True, kw_only=True):
    """A failed change, kept until it is retried or discarded. ``kind`` is the error's type."""

    op: Op
    title: str
    kind: str
    message: str
    hint: str
    at: datetime


class Logged(Struct, frozen=True, kw_only=True):
    """One line of the change log. ``result`` is done, settled, undone, failed or dropped.

    ``change`` is the Op, so that a later session can undo it.
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


#: Results of lines whose change is on the server.
MADE = ("done", "settled")
#: The result of a line whose change is not sent yet.
WAITS = "waits"


class ExternalWrites(Struct, frozen=True, kw_only=True):
    """Changes by other processes since the last check: issues, and removed issues.

    ``before`` are those of them that this process had cached, as they were then.
    """

    issues: tuple[Issue, ...] = ()
    gone: tuple[IssueId, ...] = ()
    before: tuple[Issue, ...] = ()


class Issues(Mapping[IssueId, Issue]):
    """Issues as confirmed, or as shown: a live view that callers must not change."""

    @abstractmethod
    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone ("" for those without), or all for None."""

    @abstractmethod
    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        """The same as slim rows: only what is needed to place, count and sort."""

    def values(self) -> ValuesView[Issue]:
        """All of them, in one pass rather than one by one."""
        return _Values(self)


class _Values(ValuesView[Issue]):
    def __init__(self, issues: Issues) -> None:
        super().__init__(issues)
        self._issues = issues

    def __iter__(self) -> Iterator[Issue]:
        return self._issues.matching(None)


class Store(Protocol):
    """The mirror, the outbox and the change log, shared by several processes if on disk.

    Writes raise StoreFailed if the disk refuses them, except writes to the mirror (kept in memory then, since
    it can be read again). ``notice`` tells what happened when the store was opened (a damaged file moved
    away, changes recovered), or is empty.
    """

    notice: str
    #: Whether the data survives the process.
    durable: bool

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or None."""

    def issues(self) -> Issues:
        """All confirmed issues."""

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues."""

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Remove issues that left the scope."""

    def projects(self) -> frozenset[str]:
        """The projects of all issues."""

    def catalog(self) -> Catalog | None:
        """The last stored catalog, or None."""

    def shared_catalog(self) -> Catalog | None:
        """The catalog as another process may have stored it since; ``catalog`` stays as it is."""

    def put_catalog(self, catalog: Catalog) -> None:
        """Store the catalog."""

    def meta(self, key: str) -> bytes | None:
        """The value stored under a key, or None."""

    def put_meta(self, key: str, value: bytes) -> None:
        """Store a value under a key; a full disk is no error, since all of it can be read again."""

    def records(self, kind: str) -> Mapping[str, bytes]:
        """What was kept under names that start with ``kind``. Raises StoreFailed."""

    def keep_record(self, name: str, value: bytes) -> None:
        """Store what a person typed or decided, on disk before this returns. Raises StoreFailed."""

    def plans(self, milestone: str) -> Sequence[PlanSnapshot]:
        """The plans of a milestone that were locked or imported here, newest first. Raises StoreFailed."""

    def keep_plan(self, plan: PlanSnapshot) -> None:
        """Store a locked plan: on disk before this returns. Earlier ones are kept."""

    def rename_plans(self, now: Renames) -> None:
        """Give the locked plans present names. Raises StoreFailed."""

    def recall(self, keys: Sequence[str], on: date) -> Mapping[str, bytes]:
        """The values cached under these keys, as far as they exist; ``on`` is the day of use."""

    def remember(self, values: Mapping[str, bytes], on: date) -> None:
        """Cache values that can be read again; those unused for long before ``on`` are removed."""

    def outbox(self) -> Sequence[OutboxEntry]:
        """The unsettled Ops, oldest first. Unreadable ones are skipped and kept."""

    def enqueue(self, entries: Sequence[OutboxEntry], instead: Iterable[OpId] = ()) -> None:
        """Store Ops until they are settled: on disk before this returns. One with a known id is replaced.

        ``instead`` are the failed changes they replace: deleted in the same transaction.
        """

    def rewrite(self, entries: Sequence[OutboxEntry]) -> frozenset[OpId]:
        """Update stored Ops (change, due, conflicts); returns those still there. Adds none."""

    def set_conflicts(self, conflicts: Mapping[OpId, Sequence[Conflict]]) -> None:
        """Store the conflicts of Ops (empty: resolved), so that all processes show them."""

    def claim(self, ops: Sequence[OpId], at: float) -> frozenset[OpId]:
        """Mark Ops as sent, before sending; returns those still there and not claimed by others."""

    def unclaim(self, ops: Iterable[OpId]) -> None:
        """Undo ``claim``: these were not sent after all."""

    def withdraw(self, ops: Sequence[OpId], log: Sequence[Logged] = ()) -> bool:
        """Withdraw Ops if all are here and none was sent: they are never sent. All or nothing.

        If they are withdrawn, ``log`` is written in the same transaction.
        """

    def settle(self, ops: Iterable[OpId], failed: Sequence[FailedChange], log: Sequence[Logged]) -> None:
        """Remove answered Ops, store the failed ones and write the log, in one transaction."""

    def drafts(self) -> Sequence[Draft]:
        """The drafts, oldest first. Unreadable ones are skipped and kept."""

    def draft_on(self) -> DraftId | None:
        """The draft that a session begins with; None for none."""

    def turn_on_draft(self, draft: DraftId | None) -> None:
        """Begin the next session with this draft, or with none: on disk before this returns."""

    def put_draft(self, draft: Draft, entries: Sequence[OutboxEntry] = ()) -> bool:
        """Store a draft, and what of it was applied in the outbox, in one transaction.

        Does neither, and returns False, unless the stored one has the ``revision`` before this one's (0 is
        that of none): another process changed it.
        """

    def delete_draft(self, draft: Draft, entries: Sequence[OutboxEntry] = ()) -> bool:
        """Delete a draft likewise, if the stored one still has the same ``revision``."""

    def failed_changes(self) -> Sequence[FailedChange]:
        """The failed changes, oldest first."""

    def delete_failed(self, op: OpId) -> None:
        """Delete a failed change."""

    def log(self, limit: int = 500) -> Sequence[Logged]:
        """The change log, newest first."""

    def prune(self, before: datetime) -> int:
        """Delete log lines older than ``before``; return how many. Unsent and failed changes stay."""

    def acquire_lease(self) -> bool:
        """Try to get the send lease: one process has it, and another takes over when that one ends."""

    def release_lease(self) -> None:
        """Release the send lease, until this process takes it again."""

    def poll_external(self) -> ExternalWrites | None:
        """What other processes wrote since the last call; None if nothing changed."""

    def check(self) -> StoreFailed | None:
        """Check for damage that the start skips, and return the error, if any. Run it in a thread."""

    def close(self) -> None:
        """Close files."""
