"""The words for what an HTTP status says: the same for GraphQL and REST.

Those for no response at all are in ``connection_errors.py``, for a token that is not accepted in
``token_errors.py``, for what is not GitLab's answer in ``answer_errors.py``. No error contains a request, a
header or a token, nor the text of the HTTP library's errors, which can hold all of these; they are raised
outside the ``except`` block that caught the cause, so that no chained exception contains one either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from glboard_core.errors import (
    EditForbidden,
    EditInvalid,
    GlboardError,
    NotGitLab,
    Offline,
    QueryRefused,
    RateLimited,
    ServerFailed,
    TimedOut,
)
from glboard_core.gitlab.answer_errors import no_answer_of_gitlab, not_json, place_in, redirected
from glboard_core.gitlab.connection_errors import proxy_wants_sign_in
from glboard_core.gitlab.error_body import LOOKED_AT, fields_of, is_json, media_type, message_of, words
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.token_errors import TOKEN_ERRORS, forbidden, is_blocked, token_rejected

if TYPE_CHECKING:
    from gitlab import GitlabError

    from glboard_core.gitlab.route import Proxy

#: What GitLab's GraphQL says when it failed on a request, in lower case. A proxy has other words.
CRASHED = "internal server error"
#: Seconds to wait after HTTP 429 without usable headers.
UNKNOWN_WAIT = 60.0
#: Server errors that do not pass: not implemented, the wrong version, loops, a sign-in to the network.
_LASTING = frozenset({501, 505, 506, 508, 510, 511})


def of_status(
    status: int,
    headers: Mapping[str, str],
    raw: bytes,
    url: str,
    wait: float | None,
    proxy: Proxy | None = None,
) -> Failure | None:
    """The failure for the status of an answer to GraphQL, or None if the body is to be read.

    ``url`` is the server's address; ``wait`` the seconds requested by the headers.
    """
    host = urlsplit(url).netloc
    kind = media_type(headers)
    fields = fields_of(raw) if is_json(kind) else {}
    if status == 200 and is_json(kind):
        return None
    if (failure := _on_the_way(status, headers, fields, host, wait, proxy)) is not None:
        return failure
    if status < 300:
        # Not GraphQL's, but a success of somebody: it may have been executed.
        return Failure(no_answer_of_gitlab(host, status, kind, raw))
    if status == 401 and (fields or kind != "text/html"):
        return Failure(token_rejected(host, fields), reached=False)
    if status == 403 and fields:
        return Failure(forbidden(host, fields), reached=False)
    if status == 404 or (status == 422 and not fields):
        # GitLab's form protection answers 422 where it is not installed at that path.
        return Failure(_not_installed(url, status), reached=False)
    if status == 400 and not fields and raw.strip() == b"Bad Request":
        null = QueryRefused(
            f"{host} refused the request (HTTP 400): it contains a character that GitLab does not accept.",
            hint="Remove control characters, such as the null character, from the text.",
        )
        return Failure(null, reached=False)
    if fields:
        refused = QueryRefused(f"{host} rejected the query (HTTP {status}): {message_of(fields)}")
        return Failure(refused, reached=False)
    return Failure(no_answer_of_gitlab(host, status, kind, raw), reached=False)


def of_rest_status(
    status: int,
    headers: Mapping[str, str],
    raw: bytes,
    url: str,
    wait: float | None,
    proxy: Proxy | None = None,
) -> Failure | None:
    """The same for an answer of the REST API; None also if GitLab refuses: ``of_rest`` has words for that."""
    host = urlsplit(url).netloc
    kind = media_type(headers)
    fields = fields_of(raw) if is_json(kind) and status >= 300 else {}
    if (failure := _on_the_way(status, headers, fields, host, wait, proxy)) is not None:
        return failure
    if status == 204 or (is_json(kind) and (status < 300 or fields)):
        return None
    if status == 401 and kind != "text/html":
        return Failure(token_rejected(host), reached=False)
    return Failure(no_answer_of_gitlab(host, status, kind, raw), reached=status < 300)


def _on_the_way(
    status: int,
    headers: Mapping[str, str],
    fields: Mapping[str, Any],
    host: str,
    wait: float | None,
    proxy: Proxy | None,
) -> Failure | None:
    """The failure for a status that a proxy can give as well as the server, or that means: later."""
    if 300 <= status < 400:
        location = headers.get("location", "")
        return Failure(redirected(host, status, location), reached=False, moved=place_in(location))
    if status == 407:
        return Failure(proxy_wants_sign_in(proxy), reached=False)
    if status == 408:
        late = TimedOut(f"{host} timed out waiting for the request (HTTP 408).")
        return Failure(late, reached=False, again=True)
    if status == 429:
        return Failure(_limited(host, headers, wait), reached=False, again=True, wait=wait)
    if status == 511:
        portal = Offline(
            "The network requires a sign-in (HTTP 511).", hint="Open any web page in a browser to sign in."
        )
        return Failure(portal, reached=False)
    if status == 503 and _MAINTENANCE in message_of(fields).lower():
        # GitLab's own words, before it does anything.
        return Failure(maintenance(host), reached=False, again=True, wait=wait)
    if status >= 500:
        crashed = status == 500 and message_of(fields).lower().removeprefix("500 ") == CRASHED
        again = status not in _LASTING
        return Failure(_server_failed(host, status), again=again, wait=wait, crashed=crashed)
    return None


def still_limited(failure: Failure | None, host: str, wait: float) -> Failure:
    """A rate limit still lasts, for another ``wait`` seconds; ``failure`` is the answer that told of it."""
    unknown = failure is not None and "valid token" in failure.error.message
    headers = {"ratelimit-name": "unauthenticated"} if unknown else {}
    return Failure(_limited(host, headers, wait), reached=False, again=True, wait=wait)


def at_our_limit(host: str, most: int, wait: float) -> Failure:
    """``host`` was sent the ``most`` requests a minute; the next may go in ``wait`` seconds."""
    limited = RateLimited(
        f"glboard sends {host} at most {most} requests a minute; the next one is possible in {wait:.0f} s.",
        retry_after=wait,
        hint="Try again after that.",
    )
    return Failure(limited, reached=False, again=True, wait=wait)


def of_rest(problem: GitlabError, host: str, doing: str, needs: str) -> GlboardError:
    """The error for what the REST API refused: ``doing`` is what was being done, ``needs`` what it takes.

    It says for the rare administration what the one action was.
    """
    body = problem.response_body
    fields = fields_of(body if isinstance(body, bytes) else str(body or "").encode())
    match problem.response_code:
        case None | 200 | 201:
            return not_json(host)
        case 401:
            return token_rejected(host, fields)
        case 403 if fields.get("error") in TOKEN_ERRORS or is_blocked(fields):
            return forbidden(host, fields)
        case 403:
            refusal = f"You are not allowed to {doing} on {host}: {_said(problem)}."
            return EditForbidden(refusal, hint=needs)
        case 404:
            return EditForbidden(f"{host} cannot {doing}: not found, or you have no access.", hint=needs)
        case 405:
            return EditInvalid(
                f"{host} refused to {doing}: the project path has changed.",
                hint="Refresh, then try again.",
            )
    return EditInvalid(f"{host} refused to {doing}: {_said(problem)}.")


def _said(problem: GitlabError) -> str:
    message: object = problem.error_message
    if isinstance(message, bytes):
        message = message[:LOOKED_AT].decode("utf-8", "replace")
    return words(message, 200).strip(" .") or "no reason given"


_MAINTENANCE = "undergoing maintenance"


def maintenance(host: str = "GitLab") -> ServerFailed:
    """``host`` can only be read for a while. What was asked was not done."""
    return ServerFailed(
        f"{host} is in maintenance mode and cannot be changed now.",
        hint="Wait until it ends.",
    )


def _not_installed(url: str, status: int) -> NotGitLab:
    host, path = urlsplit(url).netloc, urlsplit(url).path
    if path:
        return NotGitLab(
            f"GitLab is not installed at {host}{path} (HTTP {status}).",
            hint=f"Correct the path in the address, or omit it: {host}.",
        )
    return NotGitLab(
        f"GitLab is not installed at {host} (HTTP {status}): there is no /api/graphql.",
        hint="If it uses a relative URL, include that in the address: https://host/gitlab.",
    )


def _limited(host: str, headers: Mapping[str, str], wait: float | None) -> RateLimited:
    seconds = UNKNOWN_WAIT if wait is None else wait
    if "unauthenticated" in headers.get("ratelimit-name", ""):
        # A token that is not valid is counted with all requests without one, before it is checked.
        return RateLimited(
            f"Rate limited by {host} (HTTP 429) for another {seconds:.0f} s, like a request without a "
            "valid token.",
            retry_after=seconds,
            hint="Check the token. GitLab limits an invalid, expired or revoked token sooner, without "
            "saying so.",
        )
    return RateLimited(
        f"Rate limited by {host} (HTTP 429) for another {seconds:.0f} s.",
        retry_after=seconds,
        hint="Try again after that.",
    )


def _server_failed(host: str, status: int) -> ServerFailed:
    return ServerFailed(f"{host} failed (HTTP {status}).", hint="Try again later.")
