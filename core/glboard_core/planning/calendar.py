"""The days of a milestone: workdays, and the moments at which Say/Do is measured (DOMAIN.md 7.6, 7.10).

Owns the step from calendar days to moments. Days are calendar days in the team's time zone; moments are
aware, in UTC and whole seconds. Which milestone is current or next is ``model/milestone.py``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from glboard_core.errors import UsageError
from glboard_core.model.milestone import Milestone

_SATURDAY = 5


class Window(Struct, frozen=True, kw_only=True):
    """The period in which a milestone is measured, both ends inclusive; ``lock`` is the default lock of its
    plan: 23:59:59 of the day before the start (7.6)."""

    start: datetime
    cut_off: datetime
    lock: datetime


def dates_of(milestone: Milestone) -> tuple[date, date]:
    """Start and due date. Raises UsageError for a milestone without both, since it cannot be measured."""
    if milestone.start is None or milestone.due is None:
        raise UsageError(
            f"The milestone “{milestone.title}” has no start and due date.",
            hint="This report needs a milestone with both dates, such as current or next.",
        )
    return milestone.start, milestone.due


def workdays(milestone: Milestone) -> tuple[date, ...]:
    """Monday to Friday from start to due, both inclusive, holidays included (7.10). Raises UsageError."""
    start, due = dates_of(milestone)
    days = (start + timedelta(days=n) for n in range((due - start).days + 1))
    return tuple(day for day in days if day.weekday() < _SATURDAY)


def window(milestone: Milestone, zone: tzinfo) -> Window:
    """The window of a milestone in the team's time zone (7.6). Raises UsageError if it has no dates."""
    start, due = dates_of(milestone)
    return Window(
        start=datetime.combine(start, time.min, zone).astimezone(UTC),
        cut_off=_end_of(due, zone),
        lock=_end_of(start - timedelta(days=1), zone),
    )


def _end_of(day: date, zone: tzinfo) -> datetime:
    # fold=1: if the clocks go back at midnight, the day ends with the second 23:59:59, not the first.
    return datetime.combine(day, time(23, 59, 59, fold=1), zone).astimezone(UTC)
