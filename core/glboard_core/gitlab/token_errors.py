"""The words for a token that GitLab does not accept, or not for this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glboard_core.errors import (
    AuthError,
    FineGrainedToken,
    GlboardError,
    ScopeMissing,
    TokenRejected,
    TokenUnknown,
)
from glboard_core.gitlab.error_body import message_of, words
from glboard_core.gitlab.failure import Failure


def unsendable(host: str) -> AuthError:
    """The token cannot be a header's value; the HTTP library's own error would hold it."""
    return AuthError(
        f"The token for {host} contains invalid characters, so it was not sent.",
        hint="Copy only the token, and try again.",
    )


#: Errors of REST that are about the token, not about the role of its user.
TOKEN_ERRORS = ("insufficient_scope", "insufficient_granular_scope")
#: What helps against a token that is over; by where it comes from, see ``signing_in``.
RENEW = "Sign in again with glboard auth login, or set GITLAB_TOKEN to another token with the “api” scope."


def token_rejected(host: str, fields: Mapping[str, Any] | None = None) -> TokenRejected:
    """``host`` rejected the token; ``fields`` are those of the answer. Only REST says why."""
    said = f"{(fields or {}).get('error_description', '')} {message_of(fields or {})}".lower()
    if "expired" in said:
        return TokenRejected(f"{host} rejected the token: it has expired.", hint=RENEW)
    if "revoked" in said:
        return TokenRejected(f"{host} rejected the token: it was revoked.", hint=RENEW)
    if "401 unauthorized" in said:
        return TokenUnknown(
            f"{host} rejected the token: unknown token.",
            hint=f"Check that you copied all of it, and that it is a token for {host}.",
        )
    return TokenRejected(f"{host} rejected the token: it is invalid, expired or revoked.", hint=RENEW)


def why_rejected(answer: object, host: str, *, worked: bool) -> GlboardError | None:
    """Why GraphQL rejected the token, by what REST answered when it was asked who we are. None: unknown.

    ``worked``: GraphQL accepted it before.
    """
    if not isinstance(answer, Failure):
        # REST knows it, and lets it read the user: GraphQL wants more.
        return None if worked else _lacks_scope(host, "read_api")
    if isinstance(answer.error, ScopeMissing):
        return _lacks_scope(host, "read_api")
    return answer.error if isinstance(answer.error, AuthError) else None


def _lacks_scope(host: str, scope: str) -> ScopeMissing:
    return ScopeMissing(
        f"The token cannot use the API of {host}: it lacks the “{scope}” scope.",
        hint="Create a token with the “api” scope (“read_api” is enough for read-only access).",
    )


def fine_grained(host: str, said: str = "") -> FineGrainedToken:
    """``host`` does not let a fine-grained token do this; ``said`` is GitLab's own sentence, or empty."""
    return FineGrainedToken(
        f"{host} does not accept this fine-grained token here{f': {said}' if said else '.'}",
        hint=(
            "Create a classic personal access token (not fine-grained) with the “api” scope, and set "
            "GITLAB_TOKEN. In GitLab 19.2 and later, a fine-grained token mostly works with the "
            "permissions Work Item: Read, Create, Update; Label: Read, Create; Group: Read; Project: Read; "
            "User: Read."
        ),
    )


def is_blocked(fields: Mapping[str, Any]) -> bool:
    """Whether the account is blocked."""
    return "account has been blocked" in message_of(fields)


def forbidden(host: str, fields: Mapping[str, Any]) -> AuthError:
    """``host`` does not let the token, or its user, do this; ``fields`` are those of the answer."""
    if is_blocked(fields):
        return TokenRejected(
            f"{host} rejected the token: your account has been blocked.", hint="Ask an administrator."
        )
    if fields.get("error") == "insufficient_granular_scope":
        return fine_grained(host, message_of(fields))
    if fields.get("error") == "insufficient_scope":
        scope = words(fields.get("scope") or "api", 80)
        return ScopeMissing(
            f"The token cannot do this on {host}: it lacks the “{scope}” scope.",
            hint="Create a token with the “api” scope (“read_api” is enough for read-only access).",
        )
    return AuthError(
        f"Access to {host} denied: {message_of(fields)}", hint="Sign in with a browser to see why."
    )
