"""glboard's own sign-ins: one per server and user, with the token in the system's keyring or in a file.

Owns the file ``credentials.json`` (mode 0600, in the state folder): which sign-ins there are, and the tokens
of those that are not in the keyring. A token is in one of the two, never in both. Methods read and write
files, and those with tokens can wait for the keyring: on an event loop they belong into a thread.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from glboard_core import logfile
from glboard_core.auth import keyring_access, private_files
from glboard_core.auth.credential import USUAL_LIFE, Credential, OAuthCredential, TokenCredential
from glboard_core.errors import AuthError, ConfigError
from glboard_core.files import read_bytes
from glboard_core.folders import state_folder
from glboard_core.gitlab.account import Kind, Secret, host_of

#: Seconds that a change of the file is waited for; it takes milliseconds.
PATIENCE = 10.0
FILE = "credentials.json"

Place = Literal["keyring", "file"]


class StoredAccount(Struct, frozen=True, kw_only=True):
    """A sign-in, without its token. ``expires_at`` is the end of an OAuth access token, which is renewed."""

    url: str
    user: str
    kept: Place
    kind: Kind = "token"
    name: str = ""
    scopes: tuple[str, ...] = ()
    expires_on: date | None = None
    expires_at: datetime | None = None
    lifetime: float = USUAL_LIFE
    client_id: str = ""

    @property
    def host(self) -> str:
        """Host and port, as shown."""
        return host_of(self.url)

    @property
    def service(self) -> str:
        """What the keyring has it under."""
        return f"glboard:{self.url.partition('://')[2]}"


class _Tokens(Struct, frozen=True, omit_defaults=True):
    """The secret part, as JSON in the keyring or in the file."""

    access: Secret
    refresh: Secret = Secret("")


class _Entry(Struct, frozen=True):
    account: StoredAccount
    tokens: _Tokens | None = None


class _Content(Struct, frozen=True):
    """The file: the sign-in that was used last to sign in is the last one."""

    version: int = 1
    accounts: tuple[_Entry, ...] = ()


class CredentialStore:
    """The sign-ins in one folder, by default glboard's state folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or state_folder()) / FILE
        self._lock = self.path.with_name(f"{FILE}.lock")

    @property
    def stamp(self) -> tuple[int, int]:
        """Another value after each change of the file, by whatever process."""
        try:
            status = self.path.stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_ino

    def place(self, kept: Place, account: StoredAccount | None = None) -> str:
        """Where a token is kept, in words: "the keyring (glboard:HOST)", or the file."""
        if kept == "keyring":
            return f"the keyring ({account.service})" if account is not None else "the keyring"
        return logfile.short(self.path)

    def accounts(self) -> tuple[StoredAccount, ...]:
        """All sign-ins, the last one first. Raises ConfigError if the file cannot be used."""
        return tuple(entry.account for entry in reversed(self._read().accounts))

    def find(self, url: str, user: str = "") -> StoredAccount | None:
        """The sign-in for a server's address, of that user, or the last one there. Raises ConfigError."""
        found = [one for one in self.accounts() if one.host == host_of(url) and user in ("", one.user)]
        # Two installations can share a host, below different paths.
        return next((one for one in found if one.url == url), found[0] if found else None)

    def load(self, account: StoredAccount) -> Credential | None:
        """Its token; None if it was signed out meanwhile. Raises ConfigError, AuthError."""
        entry = next((one for one in self._read().accounts if _same(one.account, account)), None)
        if entry is None:
            return None
        tokens = entry.tokens
        if entry.account.kept == "keyring":
            tokens = self._from_keyring(entry.account)
        return _credential(entry.account, tokens) if tokens is not None else None

    def save(
        self, url: str, user: str, credential: Credential, *, name: str = "", keyring: bool = True
    ) -> StoredAccount:
        """Keep a sign-in: in the keyring if that can be used, else in the file. It is the last one then.

        ``kept`` of the result says where; ``keyring=False`` never asks the keyring. Raises StoreFailed, and
        ConfigError if the file cannot be read.
        """
        account = _account(url, user, credential, name)
        if keyring and self._into_keyring(account, credential):
            account = structs.replace(account, kept="keyring")
        self._put(account, credential)
        return account

    def update(self, account: StoredAccount, credential: Credential) -> StoredAccount:
        """Replace the tokens of a sign-in after a renewal, where they are. Raises as ``save`` does."""
        fresh = _account(account.url, account.user, credential, account.name)
        if account.kept == "keyring" and self._into_keyring(fresh, credential):
            fresh = structs.replace(fresh, kept="keyring")
        self._put(fresh, credential, in_place=True)
        return fresh

    def check_writable(self) -> None:
        """Raises StoreFailed if the sign-ins cannot be written now, as on a full disk; and ConfigError."""
        with self._changing():
            self._write(self._read())

    def delete(self, account: StoredAccount) -> None:
        """Forget a sign-in, and its token. Raises StoreFailed, ConfigError, and AuthError for the keyring."""
        if account.kept == "keyring":
            try:
                keyring_access.delete(account.service, account.user)
            except keyring_access.KeyringUnusable as problem:
                raise _no_keyring(account, problem) from None
        with self._changing():
            kept = tuple(one for one in self._read().accounts if not _same(one.account, account))
            self._write(_Content(accounts=kept))

    def _put(self, account: StoredAccount, credential: Credential, *, in_place: bool = False) -> None:
        tokens = _tokens(credential) if account.kept == "file" else None
        entry = _Entry(account, tokens)
        with self._changing():
            before = self._read().accounts
            if in_place:
                accounts = tuple(entry if _same(one.account, account) else one for one in before)
            else:
                accounts = (*(one for one in before if not _same(one.account, account)), entry)
            self._write(_Content(accounts=accounts))
            moved = [one.account for one in before if _same(one.account, account)]
        if account.kept == "file" and any(one.kept == "keyring" for one in moved):
            # Never in both places.
            with suppress(keyring_access.KeyringUnusable):
                keyring_access.delete(account.service, account.user)

    def _changing(self) -> AbstractContextManager[bool]:
        return private_files.locked(self._lock, PATIENCE)

    def _read(self) -> _Content:
        try:
            private_files.check_private(self.path)
            raw = read_bytes(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return _Content()
        except OSError as error:
            raise ConfigError(
                f"cannot read this file: {error.strerror}.",
                where=str(self.path),
                hint="Check its owner and mode.",
            ) from None
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(raw, type=_Content, dec_hook=_decoded)
        raise ConfigError(
            "this file is damaged: sign-ins cannot be read.",
            where=str(self.path),
            hint="Delete it, and sign in again: glboard auth login",
        )

    def _write(self, content: _Content) -> None:
        private_files.replace(self.path, msgspec.json.encode(content, enc_hook=_encoded))

    @staticmethod
    def _into_keyring(account: StoredAccount, credential: Credential) -> bool:
        text = msgspec.json.encode(_tokens(credential), enc_hook=_encoded).decode()
        try:
            keyring_access.write(account.service, account.user, Secret(text))
        except keyring_access.KeyringUnusable:
            return False
        return True

    @staticmethod
    def _from_keyring(account: StoredAccount) -> _Tokens | None:
        try:
            found = keyring_access.read(account.service, account.user)
        except keyring_access.KeyringUnusable as problem:
            raise _no_keyring(account, problem) from None
        if found is None:
            return None
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(found.reveal(), type=_Tokens, dec_hook=_decoded)
        return None


def _same(one: StoredAccount, other: StoredAccount) -> bool:
    return (one.url, one.user) == (other.url, other.user)


def _no_keyring(account: StoredAccount, problem: keyring_access.KeyringUnusable) -> AuthError:
    return AuthError(
        f"Cannot use the keyring with the token for {account.host}: {problem}.",
        hint="Unlock it, or sign in again: glboard auth login",
    )


def _account(url: str, user: str, credential: Credential, name: str) -> StoredAccount:
    if isinstance(credential, OAuthCredential):
        return StoredAccount(
            url=url,
            user=user,
            name=name,
            kept="file",
            kind="oauth",
            scopes=credential.scopes,
            expires_at=credential.expires_at.astimezone(UTC) if credential.expires_at else None,
            lifetime=credential.lifetime,
            client_id=credential.client_id,
        )
    return StoredAccount(
        url=url,
        user=user,
        name=name,
        kept="file",
        scopes=credential.scopes,
        expires_on=credential.expires_on,
    )


def _tokens(credential: Credential) -> _Tokens:
    if isinstance(credential, OAuthCredential):
        return _Tokens(credential.access, credential.refresh)
    return _Tokens(credential.secret)


def _credential(account: StoredAccount, tokens: _Tokens) -> Credential:
    if account.kind == "oauth":
        return OAuthCredential(
            access=tokens.access,
            refresh=tokens.refresh,
            client_id=account.client_id,
            scopes=account.scopes,
            expires_at=account.expires_at,
            lifetime=account.lifetime,
        )
    return TokenCredential(secret=tokens.access, scopes=account.scopes, expires_on=account.expires_on)


def _encoded(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not stored")


def _decoded(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("not a text")
