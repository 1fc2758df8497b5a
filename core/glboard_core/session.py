"""The composition root: builds an engine from settings and an account.

The command line and the screen both call it. Only this module knows which gateway and which store are used.
The network stack is imported by the first request: with a mirror on disk, the first board is painted before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from glboard_core.auth import private_files
from glboard_core.auth.search import find_account
from glboard_core.board.names_needed import catalog_names
from glboard_core.config import Settings
from glboard_core.errors import ConfigError, StoreFailed
from glboard_core.files import read_bytes
from glboard_core.folders import state_folder
from glboard_core.gitlab.account import Account, find_group
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.ports import Store
from glboard_core.sync.engine import Engine, UserChangedError
from glboard_core.sync.status import CLOCK


class EngineOptions(Struct, frozen=True, kw_only=True):
    """Which GitLab and which group: from the command line, else environment, else configuration.

    ``keep``: whether the mirror and the outbox are stored on disk (``folder``, by default the state folder).
    ``command``: that it runs for one command, next to a screen perhaps.
    """

    url: str | None = None
    group: str | None = None
    as_of: datetime | None = None
    read_only: bool = False
    keep: bool = True
    folder: Path | None = None
    command: bool = False


@asynccontextmanager
async def open_engine(
    options: EngineOptions, settings: Settings, *, account: Account | None = None
) -> AsyncIterator[Engine]:
    """An engine over GitLab; the mirror's content is there at once, the rest once ``run`` reads it.

    If the state folder is not usable, the board works but edits are refused. Raises TokenMissing,
    ConfigError, UsageError; on the very first start also what reading the current user raises.
    """
    group = find_group(options.group, configured=settings.gitlab.group)
    if account is None:
        account = find_account(options.url, settings.gitlab)
    known = _Known(options.folder or state_folder(), f"{account.url} {group}") if options.keep else None
    user = known.user if known else None
    gateway = GitLabGateway(account, group)
    store: Store | None = None
    try:
        if known is not None and user is None:
            names = catalog_names(settings, (options.as_of or datetime.now(UTC)).date())
            user = (await gateway.sign_in(names)).me.username
            known.remember(user)
        # The state of a group that was renamed stays where it is.
        place = known.former(account.url, group) if known is not None else group
        store, trouble = _store(known, account.url, place, user)
        gateway.expect_offset(_kept_clock(store))
        engine = Engine(
            gateway,
            store,
            settings,
            as_of=options.as_of,
            read_only=options.read_only,
            command=options.command,
        )
        engine.save_error = trouble
        engine.host = account.url.partition("://")[2].lower()
        yield engine
    except UserChangedError as error:
        if known is not None:
            known.remember(error.username)
        raise
    finally:
        await gateway.close()
        if store is not None:
            _keep_clock(store, gateway)
            catalog = store.catalog()
            if known is not None and catalog is not None and catalog.group_id:
                known.renamed(account.url, group, catalog.group)
            store.close()


def _store(known: _Known | None, url: str, group: str, user: str | None) -> tuple[Store, StoreFailed | None]:
    from glboard_core.store.database import state_file
    from glboard_core.store.sqlite import SqliteStore

    if known is None or user is None:
        return SqliteStore(":memory:"), None
    try:
        return SqliteStore(state_file(known.folder, url, group, user)), None
    except StoreFailed as error:
        return SqliteStore(":memory:"), error


def state_file_of(url: str, group: str, folder: Path | None = None) -> Path | None:
    """The state file of a server and group, which need not exist; None before the first sign-in there."""
    from glboard_core.store.database import state_file

    known = _Known(folder or state_folder(), f"{url} {group}")
    return state_file(known.folder, url, known.former(url, group), known.user) if known.user else None


def _kept_clock(store: Store) -> timedelta:
    """The offset of the server's clock, as stored; none if the file was tampered with."""
    from glboard_core.store.peek import clock_offset

    return timedelta(seconds=clock_offset(store.meta(CLOCK) or b""))


def _keep_clock(store: Store, gateway: GitLabGateway) -> None:
    """Store the offset of the server's clock, so that the next command knows its time before it asks."""
    offset = f"{(gateway.now() - datetime.now(UTC)).total_seconds():.0f}".encode()
    if store.durable and store.meta(CLOCK) != offset:
        store.put_meta(CLOCK, offset)


class _Known:
    """The username per server and group, so that the right state file is opened without a request."""

    def __init__(self, folder: Path, place: str) -> None:
        self.folder = folder
        self._file = folder / "users.json"
        self._place = place
        self._users: dict[str, str] = {}
        with suppress(OSError, ConfigError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._users = msgspec.json.decode(read_bytes(self._file), type=dict[str, str])

    @property
    def user(self) -> str | None:
        """The username, or None on a first start."""
        return self._users.get(self._place)

    def former(self, url: str, group: str) -> str:
        """The path that the group had when its state file was created."""
        return self._users.get(f"former {url} {group}", group)

    def renamed(self, url: str, group: str, now: str) -> None:
        """The group has another path now: whoever configures that goes on with the same state file."""
        key, former = f"former {url} {now}", self.former(url, group)
        if now.casefold() != group.casefold() and self._users.get(key) != former and self.user is not None:
            self._users[key] = former
            self._users[f"{url} {now}"] = self.user
            self.remember(self.user)

    def remember(self, user: str) -> None:
        """Use this user's state file from now on. If that cannot be stored, each start needs a request."""
        self._users[self._place] = user
        with suppress(StoreFailed):
            private_files.replace(self._file, msgspec.json.encode(self._users))
