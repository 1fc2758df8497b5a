"""python-gitlab behind a door of its own: in a thread, imported on use, its errors as ours.

Owns what every rare administrative question shares. python-gitlab takes 220 ms to import and sleeps where it
is told to slow down, so it never runs in the event loop. No error made here carries the client along, which
holds the token.
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
from glboard_core.gitlab.failures import UNKNOWN_WAIT, token_rejected, words
from glboard_core.gitlab.text import line

if TYPE_CHECKING:
    from gitlab import Gitlab, GitlabError

T = TypeVar("T")

#: Seconds for one request.
TIMEOUT = 30.0
#: How often a request that was told to slow down is made again. It waits as long as the server says.
PATIENCE: dict[str, Any] = {"max_retries": 2}
#: Seconds between looks for something whose making was not answered.
LOOKS: Sequence[float] = (0.5, 1.5, 4.0)


class Doing(Struct, frozen=True):
    """What is being done, for the words of an error: ``set up boards of demo-org``, and what it needs."""

    what: str
    needs: str = ""


class LostError(Exception):
    """A request that was to make something was not answered, and what it makes is not there (yet)."""


class RestClient:
    """Asks one account's server. Every question may raise AuthError, ConnectionFailed and EditRefused."""

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
        """Errors as values: a raised one would carry the client and its token along."""
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
            # What calls itself an answer of the API and is not shaped like one.
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
    """What ``find`` finds, else what ``make`` makes; never a second one where the answer was lost.

    Runs in a thread. An answer may be lost after the server has acted, so it is looked for, several times.
    Raises LostError where it is still not there, and what ``make`` raises where it was refused.
    """
    from gitlab import GitlabError
    from requests import exceptions as requests

    if (found := find()) is not None:
        return found
    try:
        return make()
    except GitlabError as problem:
        # A page of a proxy has no status of GitLab's, and 5xx may come after the act.
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
