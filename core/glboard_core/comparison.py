"""What past milestones closed, to compare a capacity with: read from GitLab and cached.

The mirror holds what was closed since the start of the previous milestone. Anything older is read when a
capacity is shown, and cached in the store for the next time. Figures of past milestones hardly change, but
late closings happen, so cached figures are read again. The rules are ``planning.closed`` (DOMAIN.md 7.10).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from glboard_core.model.milestone import Milestone
from glboard_core.planning.closed import ClosedWeight, closed_weights, past_milestones
from glboard_core.ports import Store
from glboard_core.reports import Reports
from glboard_core.sync.engine import Engine

#: Meta key prefix of the figures, followed by the group's global id and the milestone title. Entries of an
#: earlier version have the title alone and not the group: they are ignored and read again.
_CLOSED = "closed-2:"


def past_of(engine: Engine, milestone: Milestone) -> list[Milestone]:
    """The milestones a capacity of ``milestone`` is compared with; empty without a catalog."""
    if (catalog := engine.catalog) is None:
        return []
    return past_milestones(catalog.milestones, milestone, engine.today(), engine.settings.planning)


async def read_closed(reports: Reports, milestone: Milestone) -> tuple[ClosedWeight, ...]:
    """What those milestones closed, from the server. Raises what the gateway raises."""
    past = past_of(reports.engine, milestone)
    issues = await reports.closed_issues([one.title for one in past]) if past else []
    return closed_weights(issues, past, reports.settings.labels)


def kept_closed(store: Store, group: str, past: Sequence[Milestone]) -> tuple[ClosedWeight, ...] | None:
    """The same as last read on this machine; None if one of them never was.

    ``group`` is a global id: another group can get the same path, with milestones of the same titles.

    Raises StoreFailed.
    """
    found: list[ClosedWeight] = []
    for one in past:
        raw = store.meta(_key(group, one.title))
        if raw is None:
            return None
        try:
            found.append(msgspec.json.decode(raw, type=ClosedWeight))
        except msgspec.DecodeError:
            return None  # written by another version: read it again
    return tuple(found)


def keep_closed(store: Store, group: str, closed: Sequence[ClosedWeight]) -> None:
    """Cache them for the next time. Raises StoreFailed."""
    for one in closed:
        store.put_meta(_key(group, one.milestone), msgspec.json.encode(one))


def _key(group: str, title: str) -> str:
    return f"{_CLOSED}{group}:{title}"
