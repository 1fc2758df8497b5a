"""Runs python-gitlab: in a thread, imported on first use, its errors translated into ours.

Owns what all rare administrative requests share. python-gitlab takes 220 ms to import and sleeps when rate
limited, so it never runs in the event loop. No error created here references the client, which holds the
token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from glboard_core.errors import (
    AuthError,
    EditForbidden,
    EditInvalid,
    EditUnknown,
    GlboardError,
    NotGitLab,
    Offline,
    RateLimited,
    ServerFailed,
    TimedOut,
    TlsFailed,
)
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.http_errors import UNKNOWN_WAIT, token_rejected, words
from glboard_core.gitlab.text import line

if TYPE_CHECKING:
    from gitlab import Gitlab, GitlabError

T = TypeVar("T")

#: Seconds for one request.
TIMEOUT = 30.0
#: How often a rate limited request is retried. It waits as long as the server says.
PATIENCE: dict[str, Any] = {"max_retries": 2}
#: Seconds between checks for something whose creation was not answered.
LOOKS: Sequence[float] = (0.5, 1.5, 4.0)


class Doing(Struct, frozen=True):
    """What is being done, for error messages: ``set up boards of demo-org``, and what it needs."""

    what: str
    needs: str = ""


class LostError(Exception):
    """A request to create something was not answered, and the object does not exist (yet)."""


class RestClient:
    """Sends requests for one account. Each may raise AuthError, ConnectionFailed and EditRefused."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client: Gitlab | None = None

    async def ask(self, doing: Doing, work: Callable[[Gitlab], T]) -> T:
        """Run ``work`` in a thread. Raises as the class says."""
        answer = await asyncio.to_thread(self._guarded, doing, work)
        if isinstance(answer, GlboardError):
            raise answer
        return answer

    def _guarded(self, doing: Doing, work: Callable[[Gitlab], T]) -> T | GlboardError:
        """Errors as values: a raised one would reference the client and its token."""
        from gitlab import GitlabError
        from requests import exceptions as requests

        host = self.account.host
        try:
            return work(self._connected())
        except LostError:
            return EditUnknown(
                f"{host} did not answer the request to {doing.what}, and there is no result yet.",
                hint="It may still appear. Retry in a minute: glboard looks for it before creating another.",
            )
        except GitlabError as problem:
            return self._error(problem, doing)
        except requests.SSLError:
            return TlsFailed(f"TLS with {host} failed.", hint="Check REQUESTS_CA_BUNDLE.")
        except requests.Timeout:
            return TimedOut(f"{host} did not answer in time.", hint="Try again later.")
        except (requests.RequestException, OSError):
            return Offline(f"Cannot reach {host}.", hint="Check your network connection.")
        except (ValueError, TypeError, KeyError, AttributeError):
            # It claims to be an API response, but has another format.
            return NotGitLab(
                f"The response from {host} is not from GitLab.", hint="Is there a proxy in between?"
            )

    def _connected(self) -> Gitlab:
        from gitlab import Gitlab
        from requests import Session

        if self._client is None:
            account = self.account
            session = Session()
            session.trust_env = not account.loopback
            self._client = Gitlab(
                account.url,
                ssl_verify=account.verify,
                timeout=TIMEOUT,
                keep_base_url=True,
                session=session,
                private_token=account.token.reveal() if account.kind == "token" else None,
                oauth_token=account.token.reveal() if account.kind == "oauth" else None,
            )
        return self._client

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.session.close()
            self._client = None

    def _error(self, problem: GitlabError, doing: Doing) -> GlboardError:
        host = self.account.host
        said = _said(problem)
        match problem.response_code:
            case None | 200 | 201:
                return NotGitLab(
                    f"The response from {host} is not from GitLab.", hint="Is there a proxy in between?"
                )
            case 401:
                return token_rejected(host)
            case 403 if "insufficient_scope" in str(problem.response_body):
                return AuthError(
                    f"The token is not allowed to {doing.what}: it lacks the scope “api”.",
                    hint="Create a token with the scope “api”.",
                )
            case 403:
                return EditForbidden(
                    f"You are not allowed to {doing.what} on {host}: {said}.", hint=doing.needs
                )
            case 404:
                return EditForbidden(
                    f"{host} cannot {doing.what}: not found, or you have no access.", hint=doing.needs
                )
            case 429:
                return RateLimited(
                    f"Rate limited by {host} (HTTP 429).",
                    retry_after=UNKNOWN_WAIT,
                    hint="Try again in a minute.",
                )
            case int() as status if status >= 500:
                return ServerFailed(f"{host} failed (HTTP {status}).", status=status, hint="Try again later.")
        return EditInvalid(f"{host} refused to {doing.what}: {said}.")


def _said(problem: GitlabError) -> str:
    message: object = problem.error_message
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    if isinstance(message, dict):
        message = "; ".join(f"{key} {', '.join(map(str, what))}" for key, what in message.items())
    return line(str(message))[:200].strip(" .") or words({})


def once(find: Callable[[], T | None], make: Callable[[], T], looks: Sequence[float] | None = None) -> T:
    """What ``find`` finds, else what ``make`` creates; never a duplicate after a lost answer.

    Runs in a thread. An answer can be lost after the server has acted, so ``find`` is repeated several times.
    Raises LostError if it still finds nothing, and what ``make`` raises if the server rejected it.
    """
    from gitlab import GitlabError
    from requests import exceptions as requests

    if (found := find()) is not None:
        return found
    try:
        return make()
    except GitlabError as problem:
        # A proxy page has no status of GitLab's, and a 5xx can follow the change.
        if problem.response_code is not None and 300 <= problem.response_code < 500:
            raise
    except requests.ConnectTimeout:
        raise
    except requests.RequestException:
        pass
    for pause in LOOKS if looks is None else looks:
        time.sleep(pause)
        try:
            if (found := find()) is not None:
                return found
        except (GitlabError, requests.RequestException):
            continue
    raise LostError
