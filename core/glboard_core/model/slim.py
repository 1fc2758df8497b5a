"""The slim part of an issue: enough to place, count and sort it on any board, and no more.

Owns the shape and what it shares with the whole issue. Issues that are placed alike (same milestone, state,
labels, people, status) share one ``PlacementKey``, so placing 100,000 issues takes only a few thousand look-ups.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from glboard_core.model.issue import Issue, IssueId, State


class Placeable(Protocol):
    """What decides the column: a whole issue, or a kind."""

    @property
    def labels(self) -> frozenset[str]:
        """Label titles."""
        ...

    @property
    def milestone(self) -> str | None:
        """The title, or None."""
        ...

    @property
    def assignees(self) -> tuple[str, ...]:
        """Usernames in the server's order."""
        ...

    @property
    def status(self) -> str | None:
        """The work item status, or None."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether the state is opened."""
        ...


class PlacementKey(Struct, frozen=True, eq=False):
    """Everything that decides an issue's column. Compared by identity: create each kind only once."""

    milestone: str | None
    state: State
    status: str | None
    assignees: tuple[str, ...]
    labels: frozenset[str]

    @property
    def is_open(self) -> bool:
        """Whether the state is opened."""
        return self.state == "opened"


class IssueRow(Struct, frozen=True, gc=False):
    """One issue: its kind, and what counts and sorts it. ``closed``: seconds since the epoch, or None."""

    id: IssueId
    kind: PlacementKey
    position: float | None
    weight: int | None
    closed: float | None


def row_of(issue: Issue) -> IssueRow:
    """The slim part of a whole issue, with a kind of its own."""
    kind = PlacementKey(issue.milestone, issue.state, issue.status, issue.assignees, issue.labels)
    closed = issue.closed_at.timestamp() if issue.closed_at else None
    return IssueRow(issue.id, kind, issue.position, issue.weight, closed)
