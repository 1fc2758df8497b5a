"""A stored token while it is in use: renewed before it ends, and when the server no longer accepts it.

Owns when an OAuth token is renewed, and by whom: of several processes one asks, since a refresh token is good
for one renewal, and the others find the new pair in the store. It happens in a thread with a loop of its own,
which a program that is ending waits for: a pair of tokens whose answer was dropped would be lost. The new
pair is kept on disk before it is used.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from hashlib import sha256

from glboard_core.auth import oauth, private_files
from glboard_core.auth.credential import Credential, OAuthCredential
from glboard_core.auth.oauth import Refused
from glboard_core.auth.store import CredentialStore, StoredAccount
from glboard_core.errors import (
    ConnectionFailed,
    GlboardError,
    StoreFailed,
    TimedOut,
    TokenMissing,
    TokenRejected,
)
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.http import Limits

#: Short, since a program that ends waits for it.
LIMITS = Limits(connect=5.0, read=15.0, total=20.0, patience=20.0, attempts=2)
#: What was not sent is in the state file, and an open screen goes on by itself.
AGAIN = "Sign in again: glboard auth login. Unsent changes are kept, and are sent then."
#: Seconds that another process's renewal is waited for: two requests take no longer.
PATIENCE = 45.0


class StoredToken:
    """The token of a sign-in in the store, for a transport (``TokenSource``)."""

    def __init__(self, store: CredentialStore, account: StoredAccount, server: Account) -> None:
        """``server``: how the server is reached."""
        self._store = store
        self._account = account
        self._server = server
        self._credential: Credential | None = None
        #: As the store was when it was last read.
        self._stamp: tuple[int, int] | None = None
        self._over: TokenRejected | None = None
        self._one = asyncio.Lock()

    async def current(self) -> Secret:
        """The token for the next request, renewed if it ends soon. Raises GlboardError."""
        credential = self._credential
        if credential is None or self._over is not None:
            credential = await self._read_again()
        if isinstance(credential, OAuthCredential) and credential.is_due(datetime.now(UTC)):
            try:
                return (await self._renewed(credential.access)).access
            except (ConnectionFailed, StoreFailed):
                # It may still be good: the request itself tells.
                if credential.expires_at is None or credential.expires_at <= datetime.now(UTC):
                    raise
        return credential.access

    async def after_rejection(self, rejected: Secret) -> Secret | None:
        """The token that another process, or a renewal, has in its place; None if there is none."""
        credential = self._credential
        if credential is None or credential.access == rejected:
            credential = await self._read_again()
        if credential.access == rejected and isinstance(credential, OAuthCredential):
            credential = await self._renewed(rejected)
        return None if credential.access == rejected else credential.access

    async def _read_again(self) -> Credential:
        """What the store has now. Raises the refusal of the last renewal while it still has the same."""
        async with self._one:
            stamp = self._store.stamp
            if self._credential is not None and stamp == self._stamp:
                if self._over is not None:
                    raise self._over
                return self._credential
            found = await asyncio.to_thread(self._store.load, self._account)
            if found is None:
                raise signed_out(self._account)
            if self._over is not None and self._credential is not None:
                if found.access == self._credential.access:
                    raise self._over
                self._over = None
            self._credential, self._stamp = found, stamp
            return found

    async def _renewed(self, seen: Secret) -> Credential:
        """Another pair than the one with this access token."""
        async with self._one:
            if self._credential is not None and self._credential.access != seen:
                return self._credential
            try:
                # Not ended by a cancellation: see above.
                self._credential = await asyncio.shield(asyncio.to_thread(self._renew, seen))
            except TokenRejected as error:
                self._over = error
                raise
            self._stamp = self._store.stamp
            return self._credential

    def _renew(self, seen: Secret) -> Credential:
        return renew(self._store, self._account, self._server, seen)


def renew(
    store: CredentialStore, account: StoredAccount, server: Account, seen: Secret | None = None
) -> OAuthCredential:
    """Renew a sign-in, unless another process has done so since ``seen`` was read; waits for the network.

    Raises TokenRejected if the server refuses, TokenMissing if it was signed out, and GlboardError.
    """
    name = sha256(f"{account.url} {account.user}".encode()).hexdigest()[:12]
    with private_files.locked(store.path.with_name(f"renewal-{name}.lock"), PATIENCE) as ours:
        credential = store.load(account)
        if credential is None:
            raise signed_out(account)
        if not isinstance(credential, OAuthCredential):
            raise TokenRejected(
                f"The token for {account.host} is a personal access token, which cannot be renewed.",
                hint=f"Create another one at {account.url}/-/user_settings/personal_access_tokens, "
                "then run: glboard auth login",
            )
        if seen is not None and credential.access != seen and not credential.is_due(datetime.now(UTC)):
            return credential
        if not ours:
            raise TimedOut(f"The sign-in for {account.host} is being renewed.", hint="Try again later.")
        if not credential.refresh:
            raise over(account)
        # A renewal ends the old pair: it is asked for only if the new one can be kept.
        store.check_writable()
        try:
            fresh = asyncio.run(_ask(server, account, credential))
        except TokenRejected:
            # Where locks do not work, as in some network folders, another process may have been first.
            now = store.load(account)
            if isinstance(now, OAuthCredential) and now.access != credential.access:
                return now
            raise
        store.update(account, fresh)
        return fresh


async def _ask(server: Account, account: StoredAccount, credential: OAuthCredential) -> OAuthCredential:
    async with oauth.opened(oauth.without_token(server), LIMITS) as transport:
        lost = False
        try:
            return await oauth.renew(transport, credential)
        except Refused as refused:
            code = refused.code
        except ConnectionFailed as error:
            if not error.may_pass:
                raise
            code, lost = "", True
        if lost:
            # Once more: the server may not have got the first request.
            try:
                return await oauth.renew(transport, credential)
            except Refused as refused:
                code = refused.code
    raise over(account, lost=lost) if code == "invalid_grant" else rejected_by(account, code)


def over(account: StoredAccount, *, lost: bool = False) -> TokenRejected:
    """The server does not know the refresh token: it was used, revoked, or its answer was ``lost``."""
    if lost:
        return TokenRejected(
            f"The sign-in to {account.host} as @{account.user} has ended: "
            "the connection was lost while it was being renewed.",
            hint=AGAIN,
        )
    return TokenRejected(
        f"The sign-in to {account.host} as @{account.user} has expired and cannot be renewed.", hint=AGAIN
    )


def rejected_by(account: StoredAccount, code: str) -> TokenRejected:
    """The server refuses the renewal for another reason."""
    why: GlboardError = oauth.refusal(code, account.host)
    return TokenRejected(f"The sign-in to {account.host} cannot be renewed: {why.message}", hint=why.hint)


def signed_out(account: StoredAccount) -> TokenMissing:
    """Somebody signed out while the token was in use."""
    return TokenMissing(f"Signed out of {account.host}.", hint=oauth.SIGN_IN_AGAIN)
