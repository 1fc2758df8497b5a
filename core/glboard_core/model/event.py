"""What happened to an issue: label, milestone, state and weight events.

Owns the shape of one event and of an issue's history. Times are aware and in UTC, as the server wrote them
(the replay truncates them to the second). It must not know how events are read
(``gitlab/resource_events.py``) or what follows from them (``planning/timeline.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from glboard_core.model.issue import Issue, IssueId

EventKind = Literal["label", "milestone", "state", "weight"]
EventAction = Literal["add", "remove", "closed", "reopened"]

#: GitLab's ``updated_at`` stands still for 60 s after an update: a second change of labels or assignees by
#: the same person does not move it. The rest is for times cut to the second and for the server's clock.
SETTLED = timedelta(seconds=75)


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
    #: The number of the label or milestone, which keeps it when it is renamed; "" if unknown.
    of: str = ""


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

        One read sooner than ``SETTLED`` after the update is not final: a label may have changed afterwards
        without moving ``updated_at``, and would never be asked for again.
        """
        return self.updated_at == issue.updated_at and self.read_at - self.updated_at >= SETTLED
