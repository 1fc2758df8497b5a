"""What happened to an issue: label, milestone, state and weight events.

Owns the shape of one event and of an issue's history. Times are aware and in UTC, as the server wrote them
(cutting them to the second is the replay's business). It must not know how events are read or what follows
from them: that is ``gitlab/events.py`` and ``planning/replay.py``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from glboard_core.model.issue import Issue, IssueId

EventKind = Literal["label", "milestone", "state", "weight"]
EventAction = Literal["add", "remove", "closed", "reopened"]

#: A second for how times are cut, and one for what the server's clock is known by.
_SURE = timedelta(seconds=2)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One event. ``id`` orders events of one kind within a second; ids of two kinds say nothing together.

    ``value`` is a label's or milestone's title, or a weight (none: cleared). A milestone event without a
    value names a milestone that was deleted since.
    """

    kind: EventKind
    action: EventAction
    at: datetime
    value: str | int | None = None
    by: str = ""
    id: int = 0


class History(Struct, frozen=True, kw_only=True):
    """The events of one issue, read at ``read_at`` (the server's clock) and last updated at ``updated_at``.

    ``kinds`` says which were asked for: an issue that was never in a milestone is not asked for its labels.
    """

    issue: IssueId
    updated_at: datetime
    read_at: datetime
    kinds: frozenset[EventKind] = frozenset()
    events: tuple[Event, ...] = ()

    def holds_for(self, issue: Issue) -> bool:
        """Whether nothing can have happened since it was read.

        GitLab tells ``updated_at`` to the second, so an issue that was read in the second of its update may
        have been updated once more in it.
        """
        return self.updated_at == issue.updated_at and self.read_at - self.updated_at >= _SURE
