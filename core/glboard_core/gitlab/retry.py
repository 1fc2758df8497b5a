"""Retry arithmetic: how long to wait, and what a server's headers say about it.

Pure: no sleeping, no clock of its own. All waits are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Timeouts (seconds), number of attempts, and size limits (bytes).

    ``total`` bounds one request from first to last byte, so that a server that sends a byte a second cannot
    block us; ``patience`` bounds a query with all retries and waits; ``write_patience`` the wait before a
    mutation is sent: conflicts were checked just before, and that check must not grow stale. GitLab itself
    stops a query after 30 s, so ``read`` is larger.
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
    """The last RateLimit headers received. ``reset`` is a Unix time by the server's clock."""

    name: str = ""
    limit: int | None = None
    observed: int | None = None
    remaining: int | None = None
    reset: int | None = None


def backoff(attempt: int, chance: float, limits: Limits) -> float:
    """Seconds before the retry after ``attempt`` (0 is the first): exponential, capped, jittered.

    ``chance`` is a random number from 0 to 1; at least half of the wait is kept, so that it still backs off.
    """
    full = min(limits.longest_wait, limits.first_wait * 2.0 ** min(attempt, 30))
    return full * (0.5 + chance / 2)


def budget(headers: Mapping[str, str]) -> Budget | None:
    """The RateLimit headers, or None if there are none."""
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
    """The seconds the server asks to wait: Retry-After in seconds or as a date, else RateLimit-Reset.

    ``now`` is the server's clock. None without usable headers; never negative; at most an hour.
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
    """An HTTP date as an aware UTC time, or None if invalid."""
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
