"""Since when an issue has a label, and who added it: from its label events, or from what was seen.

Pure. Events of deleted labels are gone, and an issue that was imported has none; then it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo

from msgspec import Struct, structs

from glboard_core.model.event import Event
from glboard_core.model.issue import Issue, IssueId, Note


class LabelHistory(Struct, frozen=True, kw_only=True):
    """What is known of the labels of an issue.

    ``events`` were read ``read_at`` a time, by the server's clock, when the issue was last updated at
    ``updated_at``; None if they never were. ``seen``: the labels that were seen to be added, and when.
    """

    issue: IssueId
    read_at: datetime | None = None
    updated_at: datetime | None = None
    events: tuple[Event, ...] = ()
    seen: Mapping[str, datetime] = {}


class Added(Struct, frozen=True):
    """When a label was added, and by whom; "" if that is not known."""

    at: datetime
    by: str = ""


def added(issue: Issue, label: str, history: LabelHistory) -> Added | None:
    """When the issue got a label that it has; None if that is not known, or if it has it no longer."""
    if label not in issue.labels:
        return None
    mine = [event for event in history.events if event.value == label]
    last = max(mine, key=lambda event: (event.at, event.id), default=None)
    found = Added(last.at, last.by) if last is not None and last.action == "add" else None
    seen = history.seen.get(label)
    if seen is not None and (found is None or seen > found.at):
        return Added(seen)
    if found is None and last is None and history.read_at is not None and not _had_others(label, history):
        # A label without any event was there from the beginning.
        return Added(issue.created_at)
    return found


def _had_others(label: str, history: LabelHistory) -> bool:
    """Whether another label of the same scope was removed: then the event of this one is missing."""
    scope = label.rpartition("::")[0]
    return bool(scope) and any(
        event.action == "remove" and str(event.value).rpartition("::")[0] == scope for event in history.events
    )


def days_since(moment: datetime, today: date, zone: tzinfo) -> int:
    """The calendar days from a moment to today, by the team's clock."""
    return max(0, (today - moment.astimezone(zone).date()).days)


def with_seen(history: LabelHistory, labels: Iterable[str], at: datetime) -> LabelHistory:
    """With labels that were seen to be added now."""
    return structs.replace(history, seen={**history.seen, **dict.fromkeys(labels, at)})


def status_set(notes: Iterable[Note], status: str) -> Added | None:
    """When a work item status was set: GitLab keeps no event of that, but a note in these words."""
    body = f"set status to **{status}**".casefold()
    found = [note for note in notes if note.system and note.body.strip().casefold() == body]
    last = max(found, key=lambda note: note.created_at, default=None)
    return Added(last.created_at, last.author) if last is not None else None
