"""The arithmetic of trying again: how long to wait, and what a server's headers say about it.

Pure: no sleeping, no clock of its own. All waits are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """How long to wait for what (seconds), how often to ask, and how much to take (bytes).

    ``total`` bounds one request from first to last byte, so that a server that sends a byte a second cannot
    hold us; ``patience`` bounds a question with all its repetitions and waits, ``write_patience`` the wait
    before a change leaves: what it goes over was looked at just before, and should not grow old here. GitLab
    itself stops a query after 30 s, so ``read`` lies above that.
    """

    connect: float = 10.0
    read: float = 40.0
    write: float = 20.0
    pool: float = 60.0
    total: float = 60.0
    patience: float = 120.0
    write_patience: float = 5.0
    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 20.0
    max_bytes: int = 64 * 1024 * 1024
    connections: int = 8
    keep_alive: float = 20.0


class Budget(Struct, frozen=True, kw_only=True):
    """The RateLimit headers of the last answer with any. ``reset`` is a Unix time of the server's clock."""

    name: str = ""
    limit: int | None = None
    observed: int | None = None
    remaining: int | None = None
    reset: int | None = None


def backoff(attempt: int, chance: float, limits: Limits) -> float:
    """Seconds before the repetition after ``attempt`` (0 is the first): exponential, capped, jittered.

    ``chance`` is a random number from 0 to 1; at least half of the wait is kept, so that it still backs off.
    """
    full = min(limits.longest_wait, limits.first_wait * 2.0 ** min(attempt, 30))
    return full * (0.5 + chance / 2)


def budget(headers: Mapping[str, str]) -> Budget | None:
    """What the RateLimit headers say, or none where there are none."""
    if "ratelimit-limit" not in headers and "ratelimit-remaining" not in headers:
        return None
    return Budget(
        name=headers.get("ratelimit-name", ""),
        limit=_number(headers.get("ratelimit-limit")),
        observed=_number(headers.get("ratelimit-observed")),
        remaining=_number(headers.get("ratelimit-remaining")),
        reset=_number(headers.get("ratelimit-reset")),
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds the server asks us to wait: Retry-After as seconds or as a date, else RateLimit-Reset.

    ``now`` is the server's clock. None where nothing usable is said; never negative; at most an hour.
    """
    if (text := headers.get("retry-after", "").strip()) and (
        found := _seconds_or_date(text, now)
    ) is not None:
        return found
    if headers.get("ratelimit-remaining", "").strip() == "0":
        reset = _number(headers.get("ratelimit-reset"))
        return None if reset is None else _bounded(reset - now.timestamp())
    return None


def _seconds_or_date(text: str, now: datetime) -> float | None:
    try:
        return _bounded(float(text))
    except ValueError:
        pass
    if (moment := http_date(text)) is None:
        return None
    return _bounded((moment - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """An HTTP date as an aware UTC time, or none where it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _bounded(seconds: float) -> float | None:
    return min(3600.0, max(0.0, seconds)) if seconds == seconds else None  # noqa: PLR0124  # not a number


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None
