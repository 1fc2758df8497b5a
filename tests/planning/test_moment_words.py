"""Moments in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from glboard_core.planning.text import moment_words

NOW = datetime(2026, 12, 7, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(hours=16), "yesterday"),
        (timedelta(days=1, hours=14), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=30), "7 Nov"),
        (timedelta(days=365), "7 Dec 2025"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(days=-30), "6 Jan 2027"),
    ],
)
def test_recent_is_an_age_and_the_rest_a_day(ago: timedelta, words: str) -> None:
    assert moment_words(NOW - ago, NOW, UTC) == words


def test_days_are_those_of_the_zone() -> None:
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert moment_words(late, NOW, ZoneInfo("Europe/Berlin")) == "1 Nov"
    assert moment_words(late, NOW, UTC) == "31 Oct"
    # Ten hours before, but the day before there.
    assert (
        moment_words(datetime(2026, 12, 7, 5, 0, tzinfo=UTC), NOW, ZoneInfo("Pacific/Honolulu"))
        == "yesterday"
    )


def test_a_recent_moment_of_the_day_before_is_an_age() -> None:
    past_midnight = datetime(2026, 12, 8, 1, 0, tzinfo=UTC)
    assert moment_words(past_midnight - timedelta(hours=3), past_midnight, UTC) == "3 hours ago"


def test_without_a_clock_it_is_a_day_with_its_year() -> None:
    assert moment_words(NOW, None, UTC) == "7 Dec 2026"
