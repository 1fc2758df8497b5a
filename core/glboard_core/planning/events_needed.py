"""Which events a report needs: only where an issue may once have been other than it is now. Pure.

Each kind of event costs a request for each issue, so what the issue itself proves is not asked for. GitLab
moves ``updated_at`` with every change of a milestone, state or weight, and at most ``SETTLED`` before the
last change of a label: from then on, what an issue shows now is what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from glboard_core.model.event import SETTLED, EventKind
from glboard_core.model.issue import Issue
from glboard_core.planning.timeline import cut


class Look(Struct, frozen=True):
    """What a report looks at: fields of these kinds, from ``since`` to ``until``, both inclusive and UTC."""

    kinds: frozenset[EventKind]
    since: datetime
    until: datetime


def kinds_needed(issue: Issue, looks: Iterable[Look]) -> frozenset[EventKind]:
    """The kinds of events without which these looks could see the issue wrongly.

    None for an issue that was never updated: it is as it was created. None for a time before it existed.
    """
    created, settled = cut(issue.created_at), issue.updated_at + SETTLED
    if cut(issue.updated_at) == created:
        return frozenset()
    needed: set[EventKind] = set()
    for look in looks:
        if look.until < created or look.since >= settled:
            continue
        needed |= look.kinds - {"state"} if _closed_since(issue, look.since) else look.kinds
    return frozenset(needed)


def _closed_since(issue: Issue, moment: datetime) -> bool:
    """Whether it has been closed from that moment on: ``closed_at`` is that of the last close."""
    return not issue.is_open and issue.closed_at is not None and cut(issue.closed_at) <= cut(moment)
