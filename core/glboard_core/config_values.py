"""Values of ``config.toml`` that types cannot check: time zones and milestone titles.

Each function raises ConfigError with the place in the file (``at`` gives it for a key), the key and what is
expected, so that a wrong value is reported when the file is read, not in the middle of a call.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from glboard_core.errors import ConfigError

At = Callable[[str], str]


def check_time_zone(name: str, at: At) -> None:
    """A name in the zone database (DOMAIN.md 7.6: the team's days end by it). Raises ConfigError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, empty, or a folder of names
        raise ConfigError(
            f"“{name}” is not a time zone.",
            where=at("time_zone"),
            key="ui.time_zone",
            hint="Use Region/City, such as Europe/Berlin or America/New_York, or UTC." + _near_zone(name),
        ) from None


def _near_zone(name: str) -> str:
    from zoneinfo import available_timezones  # reads the whole database: only on error

    near = get_close_matches(name, sorted(available_timezones()), 1, 0.75)
    return f" Did you mean “{near[0]}”?" if near else ""


def read_milestone_titles(table: Any, at: At) -> dict[str, tuple[str, ...]]:
    """``[milestones]``: a title or a list of titles per key. Raises ConfigError."""
    if not isinstance(table, dict):
        raise ConfigError(
            "must be a table.",
            where=at("milestones"),
            key="milestones",
            hint='Write [milestones], followed by lines such as backlog = "Backlog".',
        )
    found: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        titles = [value] if isinstance(value, str) else value
        if (
            not isinstance(titles, list)
            or not titles
            or not all(isinstance(one, str) and one.strip() for one in titles)
        ):
            raise ConfigError(
                "must be a milestone title, or a list of titles, best first.",
                where=at(key),
                key=f"milestones.{key}",
                hint='Example: ["Backlog", "Some day"].',
            )
        found[key] = tuple(titles)
    return found
