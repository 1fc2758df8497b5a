"""What happened to an issue: label, milestone, state and weight events.

Owns the shape of one event and of an issue's history. Times are aware and in UTC, as the server wrote them
(the replay truncates them to the second). It must not know how events are read (``gitlab/events.py``) or what
follows from them (``planning/timeline.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from glboard_core.model.issue import Issue, IssueId

EventKind = Literal["label", "milestone", "state", "weight"]
EventAction = Literal["add", "remove", "closed", "reopened"]

#: One second for truncated times, and one for the precision of the server's clock.
_SURE = timedelta(seconds=2)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One event. ``id`` orders events of one kind within a second; ids of different kinds are not comparable.

    ``value`` is a label's or milestone's title, or a weight (None: cleared). A milestone event without a
    value refers to a milestone that has been deleted.
    """

    kind: EventKind
    action: EventAction
    at: datetime
    value: str | int | None = None
    by: str = ""
    id: int = 0


class History(Struct, frozen=True, kw_only=True):
    """The events of one issue, read at ``read_at`` (the server's clock) and last updated at ``updated_at``.

    ``kinds`` lists what was requested: label events are skipped for an issue that was never in a milestone.
    """

    issue: IssueId
    updated_at: datetime
    read_at: datetime
    kinds: frozenset[EventKind] = frozenset()
    events: tuple[Event, ...] = ()

    def holds_for(self, issue: Issue) -> bool:
        """Whether no event can be missing from it.

        GitLab reports ``updated_at`` to the second, so an issue read in the second of its update may have
        been updated again within that second.
        """
        return self.updated_at == issue.updated_at and self.read_at - self.updated_at >= _SURE
