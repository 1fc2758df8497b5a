"""The seams: what the sync engine asks of the server, of the disk and of time.

Protocols and the values that cross them, nothing else. One gateway speaks to GitLab (tests put the embedded
GitLab behind it, never another gateway); a store keeps the mirror and the outbox.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from glboard_core.board.op import Op, OpId
from glboard_core.errors import GlboardError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueDetail, IssueId, State
from glboard_core.model.reference import Reference


class IssueQuery(Struct, frozen=True, kw_only=True):
    """Which issues of the group (and all groups below it) to read. Labels are AND-ed; times are UTC.

    ``milestone`` is a title; "" asks for issues without a milestone; None does not ask.
    """

    labels: tuple[str, ...] = ()
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

    ``error`` is an EditUnknown where the answer was lost, and the change may have been made.
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

    def placements(self, labels: tuple[str, ...]) -> AsyncIterator[list[Placed]]:
        """All open issues with these labels, slim, in manual order: for reconciling."""
        ...

    async def read(self, issues: Sequence[IssueId]) -> Mapping[IssueId, Issue]:
        """These issues as they are now; what is gone or hidden is absent."""
        ...

    async def find(self, references: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """The issues with these references; what does not exist or is hidden is absent."""
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

    def now(self) -> datetime:
        """The server's clock in UTC, from its last Date header; this machine's before the first answer."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Store(Protocol):
    """The mirror and the outbox. In memory, or on disk."""

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or none."""
        ...

    def issues(self) -> Mapping[IssueId, Issue]:
        """All confirmed issues. A live view: not to be changed by the caller."""
        ...

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues."""
        ...

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Forget issues that left the scope."""
        ...

    def catalog(self) -> Catalog | None:
        """The catalog kept last, or none."""
        ...

    def put_catalog(self, catalog: Catalog) -> None:
        """Keep the catalog."""
        ...

    def outbox(self) -> Sequence[Op]:
        """The Ops not yet settled, oldest first."""
        ...

    def enqueue(self, ops: Sequence[Op]) -> None:
        """Keep Ops until they are settled. On disk before this returns, where the store is on disk."""
        ...

    def settle(self, ops: Iterable[OpId]) -> None:
        """Remove settled Ops."""
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
