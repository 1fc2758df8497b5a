"""The second figure beside a capacity: what the milestones before closed, read from GitLab and kept.

The mirror holds what was closed since the start of the previous milestone; what lies further back is read
when somebody looks at a capacity, and kept in the store, so that it is there at once the next time. Figures
of milestones that are over hardly change, but late closings do happen: what is kept is read again, too.
The rules are ``planning.closed`` (DOMAIN.md 7.10).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from glboard_core.model.milestone import Milestone
from glboard_core.planning.closed import Closed, closed_weights, past_milestones
from glboard_core.ports import Store
from glboard_core.reports import Reports
from glboard_core.sync.engine import Engine

#: Where the store keeps the figures, by the group's global id and milestone title. What stands under the
#: title alone is of an earlier version: it says not of which group it is, so it is read again.
_CLOSED = "closed-2:"


def past_of(engine: Engine, milestone: Milestone) -> list[Milestone]:
    """The milestones a capacity of ``milestone`` is compared with; none before the catalog was read."""
    if (catalog := engine.catalog) is None:
        return []
    return past_milestones(catalog.milestones, milestone, engine.today(), engine.settings.planning)


async def read_closed(reports: Reports, milestone: Milestone) -> tuple[Closed, ...]:
    """What those milestones closed, from the server. Raises as the gateway does."""
    past = past_of(reports.engine, milestone)
    issues = await reports.closed_issues([one.title for one in past]) if past else []
    return closed_weights(issues, past, reports.settings.labels)


def kept_closed(store: Store, group: str, past: Sequence[Milestone]) -> tuple[Closed, ...] | None:
    """The same as they were read last on this machine; None where one of them never was.

    ``group`` is a global id: another group may come to have the path, with milestones of the same titles.

    Raises StoreFailed.
    """
    found: list[Closed] = []
    for one in past:
        raw = store.meta(_key(group, one.title))
        if raw is None:
            return None
        try:
            found.append(msgspec.json.decode(raw, type=Closed))
        except msgspec.DecodeError:
            return None  # of another version of this program: it is read again
    return tuple(found)


def keep_closed(store: Store, group: str, closed: Sequence[Closed]) -> None:
    """Keep them for the next time. Raises StoreFailed."""
    for one in closed:
        store.put_meta(_key(group, one.milestone), msgspec.json.encode(one))


def _key(group: str, title: str) -> str:
    return f"{_CLOSED}{group}:{title}"
