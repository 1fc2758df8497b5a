"""What every subcommand gets: the global options, and from them the settings and an engine.

Owns parsing times and choosing the configuration file. It imports no network code until needed.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from glboard_core.config import Settings, load
from glboard_core.errors import ConfigError, UsageError
from glboard_core.session import Place

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


class Options(Struct, frozen=True, kw_only=True):
    """The global options, as given."""

    url: str | None = None
    group: str | None = None
    profile: str | None = None
    config: Path | None = None
    read_only: bool = False
    as_of: datetime | None = None

    @property
    def config_path(self) -> Path:
        """The configuration file: ``--config``, else the profile's, else the default path.

        Raises ConfigError if a file given explicitly does not exist.
        """
        if self.config is not None:
            if not self.config.is_file():
                raise ConfigError("no such file.", where=str(self.config))
            return self.config
        from platformdirs import user_config_path

        folder = user_config_path("glboard")
        if self.profile is None:
            return folder / "config.toml"
        path = folder / "profiles" / f"{self.profile}.toml"
        if not path.is_file():
            raise ConfigError("no such profile.", where=str(path), hint="Profiles are files in that folder.")
        return path

    def settings(self) -> Settings:
        """The current settings. Raises ConfigError."""
        return load(self.config_path)

    @property
    def place(self) -> Place:
        """The server and group, as far as the command line gives them."""
        return Place(url=self.url, group=self.group, as_of=self.as_of, read_only=self.read_only)

    @asynccontextmanager
    async def engine(self, *, keep: bool = False) -> AsyncIterator[Engine]:
        """An engine for a command; with ``keep`` over the mirror, outbox and log on disk.

        Raises what finding the account does.
        """
        from msgspec import structs

        from glboard_core.session import open_engine

        async with open_engine(structs.replace(self.place, keep=keep), self.settings()) as engine:
            yield engine

    @property
    def has_account(self) -> bool:
        """Whether a group is configured; if not, a first run shows the welcome screen instead of an error."""
        named = self.group or os.environ.get("GLBOARD_GROUP") or self.settings().gitlab.group
        return bool(named)


def parse_time(text: str) -> datetime:
    """A time from ISO text: ``2026-12-07``, ``2026-12-07T15:00Z``; without a zone it is UTC.

    Raises UsageError.
    """
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-12-07"):
            moment = datetime.combine(moment.date(), time.min)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"“{text}” is not a time.", hint="Use a format like 2026-12-07 or 2026-12-07T15:00:00Z."
        ) from None
