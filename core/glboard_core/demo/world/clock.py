"""The world's clock, and the format of its times.

All times in the demo are whole microseconds since 1970 in UTC, since GitLab's database compares
microseconds while GraphQL shows seconds and REST milliseconds: three precisions of one time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate

SECOND = 1_000_000
DAY = 86_400 * SECOND


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time (a naive one counts as UTC)."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def moment(stamp: int) -> datetime:
    """The aware UTC time of a stamp."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamp)


def parse_time(text: str) -> int:
    """A stamp from ISO 8601 text, a bare date meaning its first moment in UTC; ValueError otherwise."""
    return micros(datetime.fromisoformat(text.strip().replace("Z", "+00:00")))


def iso_seconds(stamp: int) -> str:
    """A time in GraphQL's format: cut to the second."""
    parts = time.gmtime(stamp // SECOND)
    return (
        f"{parts.tm_year:04}-{parts.tm_mon:02}-{parts.tm_mday:02}"
        f"T{parts.tm_hour:02}:{parts.tm_min:02}:{parts.tm_sec:02}Z"
    )


def iso_millis(stamp: int) -> str:
    """A time in REST's format: with three decimals."""
    return f"{iso_seconds(stamp)[:-1]}.{stamp % SECOND // 1000:03}Z"


class Clock:
    """Runs on from where it was set; tests can freeze and advance it."""

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._base = micros(start) if start is not None else time.time_ns() // 1000
        self._since = time.monotonic_ns()
        self._frozen = frozen

    def now(self) -> int:
        """The current stamp."""
        if self._frozen:
            return self._base
        return self._base + (time.monotonic_ns() - self._since) // 1000

    def today(self) -> date:
        """The current day in UTC."""
        return moment(self.now()).date()

    def moment(self) -> datetime:
        """The current time, aware, UTC."""
        return moment(self.now())

    def http_date(self) -> str:
        """The current time as a Date header."""
        return formatdate(self.now() // SECOND, usegmt=True)

    def advance(self, seconds: float) -> None:
        """Moves the clock forward (or back, when negative)."""
        self._base += int(seconds * SECOND)

    def set(self, to: datetime) -> None:
        """Sets the clock; it runs on from there unless it is frozen."""
        self._base, self._since = micros(to), time.monotonic_ns()

    def freeze(self) -> None:
        """Stops the clock where it is."""
        self._base, self._frozen = self.now(), True

    def resume(self) -> None:
        """Resumes a frozen clock."""
        self._since, self._frozen = time.monotonic_ns(), False


# The release calendar the default world is built on (planning rule 17).


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
