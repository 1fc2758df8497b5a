"""The requests of OAuth to one GitLab server: a pair of tokens for a code, a renewal, the end of both.

Owns the addresses, their fields, and the words of every refusal. Requests carry no token in a header: what
they carry is in their form, which is never logged. glboard is a public client: it has no secret of its own.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from glboard_core.auth.credential import USUAL_LIFE, OAuthCredential
from glboard_core.errors import ApplicationRefused, AuthError, GlboardError, NotGitLab
from glboard_core.gitlab import answer_errors
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.http import HiddenBytes, Limits, Transport
from glboard_core.model.clean_text import line

AUTHORIZE, TOKEN, REVOKE = "/oauth/authorize", "/oauth/token", "/oauth/revoke"
AUTHORIZE_DEVICE, TOKEN_INFO = "/oauth/authorize_device", "/oauth/token/info"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

#: Tokens and codes are printable, without blanks, and never longer.
_WORD = re.compile(r"[\x21-\x7e]{1,4096}")
#: Nothing lives longer: ten years, in seconds.
_LONGEST_LIFE = 315_360_000

SIGN_IN_AGAIN = "Sign in again: glboard auth login"


class Refused(Exception):
    """The server refused with one of OAuth's codes, such as ``authorization_pending``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OAuthFacts(Struct, frozen=True):
    """What the server tells of an OAuth token. ``expires_in`` is in seconds; None if it does not end."""

    scope: tuple[str, ...] = ()
    expires_in: float | None = None


@asynccontextmanager
async def opened(account: Account, limits: Limits | None = None) -> AsyncIterator[Transport]:
    """A transport of one's own, closed at the end."""
    transport = Transport(account, limits)
    try:
        yield transport
    finally:
        await transport.close()


async def ask(transport: Transport, path: str, **fields: str | Secret) -> Mapping[str, Any]:
    """Send a form; the fields of the answer. Raises Refused, and GlboardError without such an answer."""
    answer = await transport.form(path, _form(fields))
    if isinstance(answer, Failure):
        raise answer.error
    found = _fields(answer.body)
    if answer.status < 300 and found is not None:
        return found
    code = found.get("error") if found is not None else None
    if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,60}", code):
        raise Refused(code)
    raise answer_errors.not_json(transport.account.host)


def _form(fields: Mapping[str, str | Secret]) -> HiddenBytes:
    texts = {name: one.reveal() if isinstance(one, Secret) else one for name, one in fields.items()}
    return HiddenBytes(urlencode(texts).encode())


def _fields(raw: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def word(fields: Mapping[str, Any], name: str, host: str) -> Secret:
    """A token or code in an answer. Raises NotGitLab if there is none that could be one."""
    value = fields.get(name)
    if isinstance(value, str) and _WORD.fullmatch(value):
        return Secret(value)
    raise answer_errors.not_json(host)


def seconds(fields: Mapping[str, Any], name: str, usual: float) -> float:
    """A number of seconds in an answer."""
    value = fields.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LONGEST_LIFE:
        return float(value)
    return usual


def credential_of(fields: Mapping[str, Any], host: str, client_id: str) -> OAuthCredential:
    """The pair of tokens in an answer of ``/oauth/token``. Raises NotGitLab."""
    ends = fields.get("expires_in") is not None
    life = seconds(fields, "expires_in", USUAL_LIFE)
    scope = fields.get("scope")
    return OAuthCredential(
        access=word(fields, "access_token", host),
        # Without one, it is over with the access token.
        refresh=word(fields, "refresh_token", host) if fields.get("refresh_token") else Secret(""),
        client_id=client_id,
        scopes=tuple(line(one)[:40] for one in scope.split()[:20]) if isinstance(scope, str) else (),
        expires_at=datetime.now(UTC) + timedelta(seconds=life) if ends else None,
        lifetime=life,
    )


async def renew(transport: Transport, credential: OAuthCredential) -> OAuthCredential:
    """The next pair of tokens: both of the old ones are over then. Raises Refused, GlboardError."""
    fields = await ask(
        transport,
        TOKEN,
        grant_type="refresh_token",
        client_id=credential.client_id,
        refresh_token=credential.refresh,
    )
    return credential_of(fields, transport.account.host, credential.client_id)


async def revoke(transport: Transport, credential: OAuthCredential) -> None:
    """End both tokens. Raises Refused, GlboardError."""
    for token in (credential.refresh, credential.access):
        if token:
            await ask(transport, REVOKE, client_id=credential.client_id, token=token)
            # GitLab ends both tokens of a pair with either one.
            return


async def info(transport: Transport) -> OAuthFacts:
    """What the server tells of the OAuth token that the transport sends. Raises GlboardError."""
    raw = await transport.get(TOKEN_INFO)
    try:
        found = msgspec.json.decode(raw, type=OAuthFacts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        raise answer_errors.not_json(transport.account.host)
    left = found.expires_in
    # What is no time of a token is none that is known.
    ends = left if left is not None and 0 < left <= _LONGEST_LIFE else None
    return OAuthFacts(tuple(line(one)[:40] for one in found.scope[:20]), ends)


def refusal(code: str, host: str, scope: str = "") -> AuthError:
    """What a code means for a person, and what to do about it."""
    match code:
        case "invalid_client" | "unauthorized_client":
            return ApplicationRefused(
                f"{host} does not accept this client ID.",
                hint="Check client_id in [gitlab]. The application must not be confidential. "
                "Without one, sign in with a token: glboard auth login --method token",
            )
        case "invalid_scope":
            return AuthError(
                f"The application on {host} does not have the scope “{scope}”.",
                hint="Ask the application's owner to add it, or choose another scope with --scope.",
            )
        case "access_denied":
            return AuthError(
                "Authorization was denied in the browser.", hint="To try again, run: glboard auth login"
            )
        case "expired_token":
            return AuthError(
                "The code expired before it was approved.", hint="For a new code, run: glboard auth login"
            )
        case "invalid_grant":
            return AuthError(f"{host} no longer recognizes this sign-in.", hint=SIGN_IN_AGAIN)
    return AuthError(f"{host} rejected the sign-in ({code}).", hint=SIGN_IN_AGAIN)


def unsupported(error: GlboardError, host: str, way: str) -> GlboardError:
    """The error for a server that answers a way to sign in with a page: it does not have it."""
    if not isinstance(error, NotGitLab):
        return error
    return AuthError(
        f"{host} does not support signing in {way}.",
        hint="This needs GitLab 17.2 or later. Otherwise, sign in with a token: glboard auth login "
        "--method token",
    )


def without_token(account: Account) -> Account:
    """The same server, for requests without a token."""
    return Account(
        url=account.url,
        token=Secret(""),
        verify=account.verify,
        verified_by=account.verified_by,
        client_cert=account.client_cert,
        client_key=account.client_key,
        identified_by=account.identified_by,
    )
