"""What GitLab tells about the token of a session: whether it can write, and whether it is fine-grained."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from glboard_core.errors import FineGrainedToken, GlboardError
from glboard_core.gitlab.http import Transport


class TokenSelf(Struct, frozen=True):
    """What the API reports about a personal access token; ``granular`` from 19.3 on."""

    scopes: list[str] = []
    granular: bool = False

    @property
    def fine_grained(self) -> bool:
        """Whether its permissions are granted one by one: scopes say nothing of them."""
        return self.granular or self.scopes == ["granular"]

    @property
    def can_write(self) -> bool | None:
        """Whether it has the scope for writing; None if unknown."""
        return None if self.fine_grained or not self.scopes else "api" in self.scopes


class _OAuthToken(Struct, frozen=True):
    """What the API reports about an OAuth token."""

    scope: list[str] = []


async def own_token(transport: Transport) -> TokenSelf:
    """The token; empty if unknown (older servers)."""
    try:
        if transport.account.kind == "oauth":
            raw = await transport.get("/oauth/token/info")
            return TokenSelf(scopes=msgspec.json.decode(raw, type=_OAuthToken).scope)
        raw = await transport.get("/api/v4/personal_access_tokens/self")
        return msgspec.json.decode(raw, type=TokenSelf)
    except FineGrainedToken:
        # It may not even read about itself.
        return TokenSelf(granular=True)
    except (GlboardError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Best effort: if it matters, the other queries fail as well.
        return TokenSelf()
