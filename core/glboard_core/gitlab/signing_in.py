"""What to do about a token that the server does not know: by where the token comes from.

A token that was typed a moment ago was perhaps copied badly; one that was kept worked before, so that only
signing in again helps.
"""

from __future__ import annotations

from glboard_core.errors import GlboardError, TokenUnknown
from glboard_core.gitlab.account import Account


def advised(error: GlboardError, account: Account) -> GlboardError:
    """The error, with what helps where the token of ``account`` comes from."""
    if not isinstance(error, TokenUnknown) or not account.source:
        return error
    return TokenUnknown(error.message, hint=_hint(account), title=error.title)


def _hint(account: Account) -> str:
    if account.tokens is not None:
        return "Sign in again: glboard auth login"
    if account.source.isupper():
        return f"Set {account.source} to another token for {account.host} with the “api” scope."
    return f"It is from {account.source}. Sign in again there, or run: glboard auth login"
