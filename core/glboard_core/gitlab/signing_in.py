"""What to do about a token that the server does not take: by where the token comes from.

A token that was typed a moment ago was perhaps copied badly; one that was kept worked before, so that only
signing in again helps. One in the environment goes before every sign-in: signing in alone changes nothing.
"""

from __future__ import annotations

from glboard_core.errors import GlboardError, TokenRejected, TokenUnknown
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.token_errors import RENEW

#: Where ``glboard auth login`` keeps tokens, as it names the place.
_OWN_FILE, _OWN_ENTRY = "/credentials.json", "the keyring (glboard:"


def advised(error: GlboardError, account: Account) -> GlboardError:
    """The error, with what helps where the token of ``account`` comes from."""
    over = isinstance(error, TokenRejected) and error.hint == RENEW
    if not (over or isinstance(error, TokenUnknown)) or not account.source:
        return error
    return type(error)(error.message, hint=_hint(account), title=error.title)


def _hint(account: Account) -> str:
    if account.tokens is not None:
        return "Sign in again: glboard auth login"
    if account.source.isupper():
        return (
            f"Set {account.source} to another token for {account.host} with the “api” scope. "
            f"Or unset it, and run: glboard auth login"
        )
    if account.source.endswith(_OWN_FILE) or account.source.startswith(_OWN_ENTRY):
        return "Sign in again: glboard auth login"
    return f"It is from {account.source}. Sign in again there, or run: glboard auth login"
