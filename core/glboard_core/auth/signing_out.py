"""Signing out: the end of an OAuth sign-in on the server, then of what is kept here.

Owns the order: what cannot be revoked is deleted here all the same, and the reason is told.
"""

from __future__ import annotations

import asyncio

from msgspec import Struct

from glboard_core.auth import oauth
from glboard_core.auth.credential import OAuthCredential
from glboard_core.auth.oauth import Refused
from glboard_core.auth.search import server_at
from glboard_core.auth.store import CredentialStore, StoredAccount
from glboard_core.config import GitLabSettings
from glboard_core.errors import AuthError, GlboardError


class SignedOut(Struct, frozen=True):
    """Whether the tokens were revoked on the server, and why not."""

    revoked: bool
    why: str = ""


async def sign_out(
    store: CredentialStore, account: StoredAccount, settings: GitLabSettings | None = None
) -> SignedOut:
    """Revoke an OAuth sign-in, and delete any. Raises AuthError, StoreFailed and ConfigError."""
    try:
        credential = await asyncio.to_thread(store.load, account)
    except AuthError as error:
        credential, why = None, error.message
    else:
        why = ""
    if isinstance(credential, OAuthCredential):
        why = await _revoke(account, credential, settings)
    await asyncio.to_thread(store.delete, account)
    return SignedOut(isinstance(credential, OAuthCredential) and not why, why)


async def _revoke(
    account: StoredAccount, credential: OAuthCredential, settings: GitLabSettings | None
) -> str:
    """Why the tokens could not be revoked; "" if they were."""
    try:
        async with oauth.opened(server_at(account.url, settings)) as transport:
            await oauth.revoke(transport, credential)
    except Refused as refused:
        return oauth.refusal(refused.code, account.host).message
    except GlboardError as error:
        return error.message
    return ""
