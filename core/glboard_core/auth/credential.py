"""What signing in results in: a token that somebody created, or a pair of OAuth tokens, which are renewed.

Owns the two shapes of a credential, and when one is due to be renewed. It does no input or output.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from msgspec import Struct

from glboard_core.gitlab.account import Kind, Secret

#: An OAuth token is renewed in the last tenth of its life, but not earlier than this before its end.
EARLIEST = timedelta(minutes=5)
#: How long GitLab's access tokens live, if it does not say.
USUAL_LIFE = 7200


class TokenCredential(Struct, frozen=True, kw_only=True):
    """A personal, group or project access token. ``expires_on`` is its last day; None for none or unknown."""

    secret: Secret
    scopes: tuple[str, ...] = ()
    expires_on: date | None = None

    @property
    def kind(self) -> Kind:
        """How GitLab knows it."""
        return "token"

    @property
    def access(self) -> Secret:
        """What is sent with a request."""
        return self.secret


class OAuthCredential(Struct, frozen=True, kw_only=True):
    """An access token, and the refresh token that is good for one renewal.

    ``expires_at`` is by this machine's clock; None if the server does not end it. ``lifetime`` is in seconds.
    """

    access: Secret
    refresh: Secret
    client_id: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    lifetime: float = USUAL_LIFE

    @property
    def kind(self) -> Kind:
        """How GitLab knows it."""
        return "oauth"

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be renewed before the next request."""
        if self.expires_at is None or not self.refresh:
            return False
        return now >= self.expires_at - min(EARLIEST, timedelta(seconds=self.lifetime / 10))


Credential = TokenCredential | OAuthCredential
