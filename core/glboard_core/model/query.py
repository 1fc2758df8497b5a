"""What to ask the server for: which issues of the group; and what a search for something else found."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from glboard_core.model.issue import State

T = TypeVar("T")


class Found(Struct, Generic[T], frozen=True):
    """What a search found on the server, the best first. ``more``: there are more than these."""

    items: tuple[T, ...] = ()
    more: bool = False


class IssueQuery(Struct, frozen=True, kw_only=True):
    """Which issues of the group (and all groups below it) to read. Labels are AND-ed; times are UTC.

    ``milestone`` is a title; "" means issues without a milestone; None means any.
    """

    labels: tuple[str, ...] = ()
    #: Excluded labels, and excluded milestones by title.
    without: tuple[str, ...] = ()
    without_milestones: tuple[str, ...] = ()
    milestone: str | None = None
    state: State | None = None
    updated_after: datetime | None = None
    closed_after: datetime | None = None
    #: Both inclusive, and compared with fractions of a second that an issue's own time does not show.
    created_after: datetime | None = None
    created_before: datetime | None = None
    #: Numbers of issues, in whatever project.
    iids: tuple[str, ...] = ()
    #: "rank" is the manual order, "updated" the most recently updated first, "created" the newest first: the
    #: one in which nothing moves while pages are read.
    order: str = "rank"
