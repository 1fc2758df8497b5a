"""The scope of the mirror: the issues of one group with its label, open or recently closed.

The group is in the name of the state file; the label is not, since outbox and log cover all labels.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct, json

from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import current, preceding, versions
from glboard_core.ports import Store
from glboard_core.sync.age import MirrorAge

#: Meta keys of the mirror's scope, and of the poll's cursor (missing: reload everything).
SCOPE, CURSOR = "scope", "cursor"


class Scope(Struct, frozen=True):
    """``labels`` an issue must have; closed issues belong from ``closed_after`` on (None: all of them)."""

    labels: tuple[str, ...]
    closed_after: datetime | None

    def holds(self, issue: Issue) -> bool:
        """Whether the issue belongs to the mirror."""
        if not set(self.labels) <= issue.labels:
            return False
        if issue.is_open:
            return True
        since = self.closed_after
        return issue.closed_at is not None and (since is None or issue.closed_at >= since)


def scope_of_group(label: str, catalog: Catalog | None, today: date) -> Scope:
    """Today's scope. Closed issues belong since the start of the milestone before the current one."""
    return Scope((label,) if label else (), closed_after(catalog, today) if catalog else None)


def adopt(store: Store, label: str, age: MirrorAge) -> bool:
    """Give the mirror this scope; returns whether it had another one before.

    Issues outside are removed at once, so that they are never shown; missing ones are read at the next start
    of the mirror, which has no cursor then. Outbox, failed changes and log are unchanged.
    """
    key = json.encode([label] if label else [])
    before = store.meta(SCOPE)
    if before == key:
        return False
    if store.meta(CURSOR) or len(store.issues()):
        # First, so that after a crash in between the mirror is reloaded.
        store.put_meta(CURSOR, b"")
        age.forget()
        scope = Scope((label,) if label else (), None)
        store.drop([issue.id for issue in store.issues().matching(None) if not scope.holds(issue)])
    store.put_meta(SCOPE, key)
    return before is not None


def closed_after(catalog: Catalog, today: date) -> datetime:
    """The start of the milestone before the current one; 60 days ago if there is none."""
    now = current(catalog.milestones, today)
    before = preceding(catalog.milestones, now.title) if now else None
    if before is None and now is None:
        past = [m for m in versions(catalog.milestones) if m.due and m.due < today]
        before = past[-1] if past else None
    anchor = before or now
    start = anchor.start if anchor else None
    return datetime.combine(start or today - timedelta(days=60), time.min, tzinfo=UTC)
