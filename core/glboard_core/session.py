"""The composition root: settings and an account become a ready engine.

What the command line and the screen both call. It is the only place that knows which gateway and which store
are used. Imports of the network stack happen inside the functions, so that importing this module is cheap.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from glboard_core.config import Settings
from glboard_core.errors import UsageError

if TYPE_CHECKING:
    from glboard_core.gitlab.account import Account
    from glboard_core.sync.engine import Engine


class Place(Struct, frozen=True, kw_only=True):
    """Which GitLab and which group: from the command line, else environment, else configuration."""

    url: str | None = None
    group: str | None = None
    as_of: datetime | None = None
    read_only: bool = False


def find_account(place: Place, settings: Settings) -> Account:
    """The account to use. Raises TokenMissing, ConfigError or UsageError with what to do."""
    from glboard_core.gitlab.credentials import find

    return find(url=place.url or settings.gitlab.url or None)


def find_group(place: Place, settings: Settings) -> str:
    """The full path of the group. Raises UsageError where none is named."""
    from os import environ

    group = place.group or environ.get("GLBOARD_GROUP") or settings.gitlab.group
    if not group:
        raise UsageError(
            "No group is named.",
            hint='Say which group\'s issues to show: --group GROUP, GLBOARD_GROUP, or group = "…" under '
            "[gitlab] in config.toml.",
        )
    return group.strip("/")
