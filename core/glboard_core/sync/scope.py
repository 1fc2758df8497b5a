"""What the mirror holds: the issues of one group with its label, open or closed since not long ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct

from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import current, preceding, versions


class Scope(Struct, frozen=True):
    """``labels`` an issue must have; closed issues count from ``closed_after`` on (none: all of them)."""

    labels: tuple[str, ...]
    closed_after: datetime | None

    def holds(self, issue: Issue) -> bool:
        """Whether the mirror holds such an issue."""
        if not set(self.labels) <= issue.labels:
            return False
        if issue.is_open:
            return True
        since = self.closed_after
        return issue.closed_at is not None and (since is None or issue.closed_at >= since)


def scope_of_group(label: str, catalog: Catalog | None, today: date) -> Scope:
    """The scope of today. Closed issues count since the start of the milestone before the current one."""
    return Scope((label,) if label else (), closed_after(catalog, today) if catalog else None)


def closed_after(catalog: Catalog, today: date) -> datetime:
    """The start of the milestone before the current one; 60 days ago where there is none."""
    now = current(catalog.milestones, today)
    before = preceding(catalog.milestones, now.title) if now else None
    if before is None and now is None:
        past = [m for m in versions(catalog.milestones) if m.due and m.due < today]
        before = past[-1] if past else None
    anchor = before or now
    start = anchor.start if anchor else None
    return datetime.combine(start or today - timedelta(days=60), time.min, tzinfo=UTC)
