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

if TYPE_CHECKING:
    from glboard_core.gitlab.account import Account
    from glboard_core.sync.engine import Engine


class Place(Struct, frozen=True, kw_only=True):
    """Which GitLab and which group: from the command line, else environment, else configuration."""

    url: str | None = None
    group: str | None = None
    as_of: datetime | None = None
    read_only: bool = False


@asynccontextmanager
async def open_engine(
    place: Place, settings: Settings, *, account: Account | None = None
) -> AsyncIterator[Engine]:
    """An engine over GitLab that has read nothing yet; closes its connections at the end.

    Raises TokenMissing, ConfigError, UsageError: who and where we are is not known.
    """
    from glboard_core.gitlab.credentials import find_account, find_group
    from glboard_core.gitlab.gateway import GitLabGateway
    from glboard_core.store.memory import MemoryStore
    from glboard_core.sync.engine import Engine

    group = find_group(place.group, configured=settings.gitlab.group)
    if account is None:
        account = find_account(place.url, configured=settings.gitlab.url)
    store = MemoryStore()
    async with GitLabGateway(account, group) as gateway:
        yield Engine(gateway, store, settings, as_of=place.as_of, read_only=place.read_only)
    store.close()
