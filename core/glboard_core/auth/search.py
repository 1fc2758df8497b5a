"""The search for a server and its token, in this order: command line, environment, glboard's own sign-ins,
glab's file and keyring, python-gitlab's files, netrc.

Owns which source wins, and the errors that list what was checked. It sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from glboard_core.auth.keyring_access import KeyringUnusable
from glboard_core.auth.renewal import StoredToken
from glboard_core.auth.sources import Glab, Netrc, PythonGitlab
from glboard_core.auth.store import CredentialStore, StoredAccount
from glboard_core.auth.trust import with_trust
from glboard_core.config import GitLabSettings
from glboard_core.environment import environment
from glboard_core.errors import ConfigError, TokenMissing
from glboard_core.folders import state_folder, state_folder_of
from glboard_core.gitlab.account import DEFAULT_URL, Account, Kind, Secret, host_of, is_loopback, normal_url

HOST_NAMES = ("GITLAB_HOST", "GITLAB_URI", "GL_HOST")
TOKEN_NAMES: tuple[tuple[str, Kind], ...] = (
    ("GITLAB_TOKEN", "token"),
    ("GITLAB_ACCESS_TOKEN", "token"),
    ("OAUTH_TOKEN", "oauth"),
)
CLIENT_ID = "GLBOARD_CLIENT_ID"
#: A token, perhaps with blanks around it. None is in quotes: Windows keeps those of set GITLAB_TOKEN="…".
_SENDABLE = r"""\s*(?!["'`])[\x21-\x7e]+(?<!["'`])\s*"""


def find_account(
    url: str | None = None,
    settings: GitLabSettings | None = None,
    *,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Account:
    """The server and token to use; ``settings`` are glboard's own.

    Raises TokenMissing with the places checked, and ConfigError if an address, a token or a needed file is
    invalid, or the token would travel unencrypted.
    """
    settings = settings or GitLabSettings()
    search = Search(settings, env=env, home=home)
    return sendable(search.trusted(search.run(url)), allow_http=settings.allow_http)


def find_address(
    url: str | None = None,
    settings: GitLabSettings | None = None,
    *,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> tuple[str, str]:
    """The server's address and what names it ("" for the default), whether or not there is a token for it.

    Raises ConfigError.
    """
    address, source = Search(settings or GitLabSettings(), env=env, home=home).address(url)
    return address or DEFAULT_URL, source


def server_at(
    url: str,
    settings: GitLabSettings | None = None,
    *,
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Account:
    """A server without a token, to sign in to: its address, and which certificates count for it.

    Raises ConfigError for an address that is none, or that a token may not be sent to.
    """
    settings = settings or GitLabSettings()
    server = Account(url=normal_url(url), token=Secret(""))
    return sendable(Search(settings, env=env, home=home).trusted(server), allow_http=settings.allow_http)


def client_id(settings: GitLabSettings, env: Mapping[str, str] | None = None) -> str:
    """The client ID of the OAuth application to sign in with; "" if none is configured.

    glboard brings none: an application belongs to a server, and to whoever registered it there.
    """
    return ((environment() if env is None else env).get(CLIENT_ID, "") or settings.client_id).strip()


def sendable(account: Account, *, allow_http: bool) -> Account:
    """The account if its token can be sent, without blanks around it. The errors never quote the token."""
    if account.token and not re.fullmatch(_SENDABLE, account.token.reveal()):
        raise ConfigError(
            "this token contains quotes, spaces, line breaks or other invalid characters.",
            where=account.source,
            hint="Copy only the token, and try again.",
        )
    if account.url.startswith("http://") and not account.loopback and not allow_http:
        raise ConfigError(
            f"{account.url} is not encrypted: anyone on the network could read the token.",
            hint="Use https://. If you trust the network, use --allow-http, or allow_http = true in "
            "[gitlab].",
        )
    return structs.replace(account, token=Secret(account.token.reveal().strip()))


def weaker(url: str, stored_for: str) -> bool:
    """Whether a token stored for one address would travel unencrypted to the other."""
    return url.startswith("http://") and stored_for.startswith("https://")


class Search:
    """One search of all places; records the places checked, and reads each file once."""

    def __init__(
        self,
        settings: GitLabSettings,
        *,
        env: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:
        self._settings = settings
        self.env = environment() if env is None else env
        home_folder = home or Path.home()
        ours = state_folder() if env is None and home is None else state_folder_of(self.env, home_folder)
        self.store = CredentialStore(ours)
        self.glab = Glab(self.env, home_folder)
        self.python_gitlab = PythonGitlab(self.env, home_folder)
        self.netrc = Netrc(self.env, home_folder)
        self._checked: list[str] = []

    def trusted(self, account: Account) -> Account:
        """The account with what the files say about its server's certificate, wherever the token is from."""
        return with_trust(account, self._settings, self.glab, self.python_gitlab)

    def run(self, given: str | None) -> Account:
        """The first account in order. Raises TokenMissing, ConfigError."""
        url, _ = self.address(given)
        account = (
            self._from_environment(url)
            or self._from_store(url)
            or self._from_glab(url)
            or self._from_python_gitlab(url)
            or self._from_netrc(url)
        )
        if account is not None:
            return account
        shown = url or DEFAULT_URL
        # Without the option the next command would sign in to another server.
        login = f"glboard auth login --url {shown}" if given else "glboard auth login"
        raise TokenMissing(
            f"No token found for {host_of(shown)}. Checked: {'; '.join(self._checked)}.",
            hint=(
                f"Run: {login}. Or create a personal access token with the scope “api” at "
                f"{shown}/-/user_settings/personal_access_tokens and set GITLAB_TOKEN."
            ),
        )

    def address(self, given: str | None) -> tuple[str, str]:
        """The requested address and what names it; empty if nothing does: python-gitlab's file then says."""
        in_env = ((name, self.env.get(name)) for name in HOST_NAMES)
        for where, text in (("--url", given), *in_env, ("config", self._settings.url)):
            if text:
                return normal_url(text, where=where), where
        if stored := self.store.accounts():
            return stored[0].url, "glboard auth login"
        if default := self.glab.default:
            return default, str(self.glab.file)
        # A token in the environment alone means gitlab.com, as in glab, unless glab has a default host.
        return (DEFAULT_URL, "") if any(self.env.get(name) for name, _ in TOKEN_NAMES) else ("", "")

    def stored(self, account: StoredAccount, url: str = "") -> Account:
        """An account of our own store. Its token is read by the first request: the keyring is slow."""
        # The given address can be a relative URL install below the same host.
        server = self.trusted(Account(url=url or account.url, token=Secret("")))
        return structs.replace(
            server,
            kind=account.kind,
            source=self.store.place(account.kept, account),
            user=account.user,
            tokens=StoredToken(self.store, account, server),
        )

    def _from_environment(self, url: str) -> Account | None:
        for name, kind in TOKEN_NAMES:
            if text := self.env.get(name, "").strip():
                return Account(url=url or DEFAULT_URL, token=Secret(text), kind=kind, source=name)
        self._checked.append("the environment (GITLAB_TOKEN, GITLAB_ACCESS_TOKEN, OAUTH_TOKEN)")
        return None

    def _from_store(self, url: str) -> Account | None:
        user = self._settings.user.removeprefix("@")
        found = self.store.find(url, user) if url else None
        if found is None:
            wanted = f" as @{user}" if user else ""
            self._checked.append(f"glboard auth login (not signed in{wanted})")
            return None
        if weaker(url, found.url):
            self._checked.append(f"glboard auth login (signed in to {found.url}, not over http)")
            return None
        return self.stored(found, url)

    def _from_glab(self, url: str) -> Account | None:
        file = self.glab.file
        if file is None:
            self._checked.append("glab's configuration (no file)")
            return None
        entry = self.glab.entry(url) if url else None
        if entry is None:
            self._checked.append(f"{file} (no such host)")
            return None
        if weaker(url, entry.url):
            self._checked.append(f"{file} (its token is for {entry.url}, not for http)")
            return None
        token, source = entry.token, str(file)
        if token is None:
            source = f"the keyring ({entry.service})"
            try:
                token = self.glab.from_keyring(entry)
            except KeyringUnusable as problem:
                self._checked.append(f"the keyring ({problem})")
        if token is None:
            self._checked.append(f"{file} (no token for {entry.host})")
            return None
        if entry.expired(datetime.now(UTC)):
            self._checked.append(f"{file} (sign-in expired; run: glab auth status)")
            return None
        # The given address can be a relative URL install that glab does not know.
        return Account(url=url, token=token, kind=entry.kind, source=source, user=entry.user)

    def _from_python_gitlab(self, url: str) -> Account | None:
        files = self.python_gitlab.files
        if not files:
            self._checked.append("python-gitlab's configuration (no file)")
            return None
        # Without an address, the file's default section.
        wanted = [
            name
            for name, address in self.python_gitlab.sections.items()
            if url and host_of(address) == host_of(url) and not weaker(url, address)
        ]
        if url and not wanted:
            self._checked.append(f"{files[-1]} (no such host)")
            return None
        found = self.python_gitlab.read(wanted[0] if wanted else None)
        if found.token is not None:
            return Account(
                url=url or found.url,
                token=found.token,
                kind=found.kind,
                source=str(files[-1]),
                exposed=found.exposed,
            )
        self._checked.append(f"{files[-1]} (no token that works with GraphQL)")
        return None

    def _from_netrc(self, url: str) -> Account | None:
        if (file := self.netrc.file) is None:
            self._checked.append("netrc (no file)")
            return None
        entry = self.netrc.entry(url or DEFAULT_URL)
        if entry is None:
            self._checked.append(f"{file} (no such machine)")
            return None
        if url.startswith("http://") and not is_loopback(entry.machine):
            self._checked.append(f"{file} (not sent without encryption)")
            return None
        return Account(url=url or DEFAULT_URL, token=entry.token, source=str(file))
