"""Checks a token before it is kept: whose it is, what it may do, and when it ends.

Asks by REST, which answers every token that is one: GraphQL calls a token invalid that only lacks a scope.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec import Struct, structs

from glboard_core.auth import oauth
from glboard_core.errors import AuthError, FineGrainedToken, NotGitLab, QueryRefused, ScopeMissing
from glboard_core.gitlab import answer_errors
from glboard_core.gitlab.account import Account, Kind, Secret
from glboard_core.gitlab.http import WHO, Limits, Transport
from glboard_core.gitlab.inspection import Inspection, TokenFacts
from glboard_core.model.clean_text import line


class TokenInfo(Struct, frozen=True, kw_only=True):
    """A token that the server knows.

    ``username`` is "" if the token may not even tell that; ``scopes`` are empty if the server does not tell
    them; ``expires_on`` is its last day, of an OAuth token the day on which the present one ends.
    """

    username: str
    name: str
    scopes: tuple[str, ...]
    expires_on: date | None
    kind: Kind
    fine_grained: bool = False

    @property
    def lacks(self) -> str:
        """The scope without which glboard cannot use it: "read_api", or "" if it can be used."""
        if self.fine_grained or not self.scopes:
            return ""
        return "" if {"api", "read_api"} & {*self.scopes} else "read_api"

    @property
    def can_write(self) -> bool:
        """Whether it can change issues, as far as known."""
        return self.fine_grained or not self.scopes or "api" in self.scopes


class _User(Struct, frozen=True):
    username: str = ""
    name: str = ""


async def check(server: Account, secret: Secret, *, kind: Kind = "token") -> TokenInfo:
    """What the server tells of a token. ``server``: from ``search.server_at``.

    Raises TokenRejected for one that it does not know, and GlboardError if it cannot be asked.
    """
    account = structs.replace(server, token=secret, kind=kind, tokens=None)
    async with oauth.opened(account) as transport:
        return await check_over(transport, kind=kind)


async def find_gitlab(server: Account) -> None:
    """Ask without a token whether a GitLab answers there. Raises GlboardError if none does."""
    async with oauth.opened(oauth.without_token(server), Limits(attempts=1)) as transport:
        # A form goes without a token; that it is refused in OAuth's words is the answer.
        with suppress(oauth.Refused):
            await oauth.ask(transport, oauth.TOKEN, grant_type="none")


async def check_over(transport: Transport, *, kind: Kind = "token") -> TokenInfo:
    """The same, of the token that a transport sends."""
    if kind == "token":
        try:
            facts: TokenFacts | None = await Inspection(transport).token()
        except QueryRefused:
            # GitLab: this endpoint requires the token to be a personal access token.
            return await _of_oauth(transport)
        except FineGrainedToken:
            facts = TokenFacts(scopes=["granular"])
        except NotGitLab:
            facts = None  # older, or a token of a kind that is not known there
        username, name = await _who(transport)
        return TokenInfo(
            username=username,
            name=name,
            scopes=facts.shown_scopes if facts is not None else (),
            expires_on=facts.expires_at if facts is not None else None,
            kind="token",
            fine_grained=facts is not None and facts.fine_grained,
        )
    return await _of_oauth(transport)


async def _of_oauth(transport: Transport) -> TokenInfo:
    told = await oauth.info(transport)
    username, name = await _who(transport)
    ends = datetime.now(UTC) + timedelta(seconds=told.expires_in) if told.expires_in else None
    return TokenInfo(
        username=username,
        name=name,
        scopes=told.scope,
        expires_on=ends.date() if ends else None,
        kind="oauth",
    )


async def _who(transport: Transport) -> tuple[str, str]:
    try:
        raw = await transport.get(WHO)
    except (ScopeMissing, FineGrainedToken):
        return "", ""
    try:
        found = msgspec.json.decode(raw, type=_User)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None or not found.username:
        raise answer_errors.not_json(transport.account.host)
    return line(found.username)[:255], line(found.name)[:255]


def unusable(info: TokenInfo, host: str) -> AuthError | None:
    """Why a token that the server knows cannot be used; None if it can."""
    if info.lacks:
        return ScopeMissing(
            f"This token is missing the scope “{info.lacks}”: it has {', '.join(info.scopes)}.",
            hint=f"Create one with the “api” scope on {host}; “read_api” is enough for read-only access.",
        )
    return None
