"""How long to wait, and what headers say about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.gitlab.http import Limits, backoff, http_date, retry_after, share_left

NOW = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
LIMITS = Limits()


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_wait_is_bounded(attempt: int, chance: float) -> None:
    assert 0 < backoff(attempt, chance, LIMITS) <= LIMITS.longest_wait


@given(st.integers(0, 30), st.floats(0, 1))
def test_waits_grow(attempt: int, chance: float) -> None:
    assert backoff(attempt, chance, LIMITS) <= backoff(attempt + 1, chance, LIMITS)
    assert backoff(attempt, 1.0, LIMITS) <= 2 * backoff(attempt, chance, LIMITS)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("1.5", 1.5), ("999999", 3600.0), ("soon", None), ("nan", None)],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_retry_after_as_a_date() -> None:
    later = format_datetime(NOW + timedelta(seconds=30), usegmt=True)
    assert retry_after({"retry-after": later}, NOW) == 30.0
    assert retry_after({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, NOW) == 0.0


def test_the_reset_time_is_the_second_choice() -> None:
    headers = {"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW.timestamp()) + 12)}
    assert retry_after(headers, NOW) == 12.0
    assert retry_after({**headers, "ratelimit-remaining": "5"}, NOW) is None
    assert retry_after({**headers, "retry-after": "3"}, NOW) == 3.0


@given(st.dictionaries(st.sampled_from(["retry-after", "ratelimit-reset", "ratelimit-remaining"]), st.text()))
def test_no_header_raises(headers: dict[str, str]) -> None:
    found = retry_after(headers, NOW)
    assert found is None or 0 <= found <= 3600


def test_the_share_of_the_rate_limit() -> None:
    assert share_left({"ratelimit-limit": "2000", "ratelimit-remaining": "1500"}) == 0.75
    assert share_left({"ratelimit-limit": "2000", "ratelimit-remaining": "-1"}) == 0.0
    assert share_left({}) is None
    assert share_left({"ratelimit-limit": "many", "ratelimit-remaining": "5"}) is None
    assert share_left({"ratelimit-limit": "0", "ratelimit-remaining": "0"}) is None


def test_dates() -> None:
    assert http_date("Tue, 01 Dec 2026 12:00:00 GMT") == NOW
    assert http_date("yesterday") is None
    assert http_date("") is None
