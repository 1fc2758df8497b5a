"""The release calendar the default world is built on (DOMAIN.md section 3).

Version `XX.Y` is released on the third Thursday of a month, `.0` in May; its milestone ends on the Friday
before and starts on the day after the previous one ended, so there is no gap. Written here a second time
on purpose: the client must read dates from milestones, never compute them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Version:
    """A version milestone."""

    title: str
    start: date
    due: date


def _step(year: int, month: int, by: int) -> tuple[int, int]:
    at = year * 12 + month - 1 + by
    return at // 12, at % 12 + 1


def due_of(year: int, month: int) -> date:
    """The last day of the milestone released in a month."""
    first = date(year, month, 1)
    third_thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 14)
    return third_thursday - timedelta(days=6)


def version_of(year: int, month: int) -> Version:
    """The milestone released in a month."""
    major = year - 2007 if month >= 5 else year - 2008
    previous = due_of(*_step(year, month, -1))
    return Version(f"{major}.{(month - 5) % 12}", previous + timedelta(days=1), due_of(year, month))


def around(today: date, before: int, after: int) -> list[Version]:
    """The current milestone with some before it and some after it, in order."""
    year, month = today.year, today.month
    if due_of(year, month) < today:
        year, month = _step(year, month, 1)
    return [version_of(*_step(year, month, by)) for by in range(-before, after + 1)]
