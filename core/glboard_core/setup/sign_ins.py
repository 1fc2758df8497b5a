"""The sign-ins that this machine already has: which server, whose, and from where; the token only on use.

Owns what is offered and in which order. What stands in the files of other programs is in ``auth.sources``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, structs

from glboard_core.auth.keyring_access import KeyringUnusable
from glboard_core.auth.search import HOST_NAMES, TOKEN_NAMES, Search, sendable
from glboard_core.auth.store import CredentialStore, StoredAccount
from glboard_core.config import GitLabSettings
from glboard_core.errors import ConfigError, TokenMissing
from glboard_core.gitlab.account import DEFAULT_URL, Account, Kind, Secret, host_of, normal_url


class FoundSignIn(Struct, frozen=True, kw_only=True):
    """A sign-in: ``source`` is what it is of, ``where`` the file or variable.

    ``problem`` is why it cannot be used, "" if nothing is known against it. The server's address is a key
    together with the source: each source has one sign-in for a server.
    """

    url: str
    source: str
    where: str = ""
    user: str = ""
    problem: str = ""

    @property
    def host(self) -> str:
        """Host and port, as shown."""
        return host_of(self.url)


class SignIns:
    """All sign-ins of this machine, each file read once."""

    def __init__(
        self,
        settings: GitLabSettings | None = None,
        *,
        env: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:
        self._settings = settings or GitLabSettings()
        self._search = Search(self._settings, env=env, home=home)

    @property
    def store(self) -> CredentialStore:
        """Where our own sign-ins are kept."""
        return self._search.store

    def found(self) -> tuple[FoundSignIn, ...]:
        """Those there are, in the order in which glboard uses them. A file that cannot be read is none."""
        return tuple(
            one
            for some in (
                self._of_environment,
                self._ours,
                self._of_glab,
                self._of_python_gitlab,
                self._of_netrc,
            )
            for one in _whole(some())
        )

    def account(self, found: FoundSignIn) -> Account:
        """The server with its token. Reads keyrings and runs helpers: for a thread. Raises GlboardError."""
        search = self._search
        token: Secret | None = None
        kind: Kind = "token"
        match found.source:
            case "environment":
                for name, kind_of_it in TOKEN_NAMES:
                    if token is None and (text := search.env.get(name, "").strip()):
                        token, kind = Secret(text), kind_of_it
            case "glboard":
                for stored in search.store.accounts():
                    if (stored.url, stored.user) == (found.url, found.user):
                        return self.stored(stored)
            case "glab":
                entry = search.glab.entry(found.url)
                try:
                    if entry is not None:
                        kind = entry.kind
                        token = entry.token or search.glab.from_keyring(entry)
                except KeyringUnusable as problem:
                    raise TokenMissing(
                        f"Cannot use the keyring with glab's token for {found.host}: {problem}.",
                        hint="Sign in another way.",
                    ) from None
            case "python-gitlab":
                for section, url in search.python_gitlab.sections.items():
                    if token is None and url == found.url:
                        read = search.python_gitlab.read(section)
                        token, kind = read.token, read.kind
            case "netrc":
                machine = search.netrc.entry(found.url)
                token = machine.token if machine is not None else None
        if token is None:
            raise TokenMissing(
                f"{found.where or found.source} has no token for {found.host}.", hint="Sign in another way."
            )
        account = Account(url=found.url, token=token, kind=kind)
        account = structs.replace(account, source=found.where or found.source, user=found.user)
        return sendable(search.trusted(account), allow_http=self._settings.allow_http)

    def stored(self, account: StoredAccount) -> Account:
        """A sign-in of our own, whose token is read at the first request, and renewed."""
        return sendable(self._search.stored(account), allow_http=self._settings.allow_http)

    def _of_environment(self) -> Iterator[FoundSignIn]:
        env = self._search.env
        name = next((name for name, _ in TOKEN_NAMES if env.get(name, "").strip()), "")
        host = next((env[one] for one in HOST_NAMES if env.get(one)), "")
        if name:
            yield FoundSignIn(url=normal_url(host) if host else DEFAULT_URL, source="environment", where=name)

    def _ours(self) -> Iterator[FoundSignIn]:
        for one in self._search.store.accounts():
            yield FoundSignIn(url=one.url, source="glboard", user=one.user, where="glboard auth login")

    def _of_glab(self) -> Iterator[FoundSignIn]:
        now = datetime.now(UTC)
        for one in self._search.glab.hosts:
            problem = "expired: run glab auth status" if one.expired(now) else ""
            yield FoundSignIn(url=one.url, source="glab", user=one.user, where="glab", problem=problem)

    def _of_python_gitlab(self) -> Iterator[FoundSignIn]:
        files = self._search.python_gitlab.files
        for url in dict.fromkeys(self._search.python_gitlab.sections.values()):
            yield FoundSignIn(url=url, source="python-gitlab", where=files[-1].name)

    def _of_netrc(self) -> Iterator[FoundSignIn]:
        # Most machines in it are of other programs.
        for one in self._search.netrc.entries():
            if "gitlab" in one.machine.lower():
                yield FoundSignIn(url=normal_url(one.machine), source="netrc", user=one.login, where="netrc")


def _whole(found: Iterator[FoundSignIn]) -> list[FoundSignIn]:
    """What a source has, up to where it cannot be read: other ways to sign in remain."""
    rows: list[FoundSignIn] = []
    with suppress(ConfigError, OSError):
        rows.extend(found)
    return rows
