"""Translates failures of the network and of GitLab into our error types.

Owns the message for every HTTP status and every exception of httpx (GraphQL, events) and of python-gitlab's
requests (administration): the same failure has the same words on both ways. The errors never contain a
request, a header or a token, and are raised outside the ``except`` block that caught the cause, so that no
chained exception contains one either.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from glboard_core.errors import (
    AuthError,
    EditForbidden,
    EditInvalid,
    FineGrainedToken,
    GlboardError,
    NotGitLab,
    Offline,
    QueryRefused,
    RateLimited,
    ScopeMissing,
    ServerFailed,
    TimedOut,
    TlsFailed,
    TokenRejected,
)
from glboard_core.gitlab.decode import line

if TYPE_CHECKING:
    from gitlab import GitlabError

#: What GitLab's GraphQL says when it failed on a request, in lower case. A proxy has other words.
CRASHED = "internal server error"
#: Seconds to wait after HTTP 429 without usable headers.
UNKNOWN_WAIT = 60.0


class Failure(Struct, frozen=True):
    """A request without a usable answer.

    ``reached``: the server may have acted on it; ``again``: a retry makes sense; ``wait``: the seconds the
    server asked to wait; ``crashed``: GitLab itself failed on it, and no longer works on it.
    """

    error: GlboardError
    reached: bool = True
    again: bool = False
    wait: float | None = None
    crashed: bool = False


# -- without a response


def of_exception(problem: Exception, host: str) -> Failure:
    """The failure for an exception of httpx or requests, or an OSError while a client is created.

    Their classes are compared by name, since neither library may be imported before it is needed.
    """
    causes = list(_chain(problem))
    if (tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)) is not None:
        return Failure(_tls_failed(host, tls), reached=False)
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    if kinds & {"ConnectTimeout", "PoolTimeout"}:
        error = Offline(f"Connecting to {host} timed out.", hint="Check your network connection, or VPN.")
        return Failure(error, reached=False, again=True)
    if kinds & {"TimeoutException", "Timeout", "TimeoutError"}:
        slow = TimedOut(f"{host} did not answer in time.", hint="The server may be busy. Try again later.")
        return Failure(slow, again=True)
    if "ProxyError" in kinds:
        error = Offline(
            "The proxy refused the connection.", hint="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        )
        return Failure(error, reached=False, again=True)
    if "ConnectError" in kinds or any(type(cause).__name__ == "NewConnectionError" for cause in causes):
        return Failure(_unreachable(host, causes), reached=False, again=True)
    if kinds & {"UnsupportedProtocol", "InvalidURL", "InvalidSchema"}:
        return Failure(NotGitLab(f"{host} cannot be reached over HTTP.", hint="Check --url."), reached=False)
    if kinds & {"DecodingError", "ContentDecodingError"}:
        corrupt = NotGitLab(f"The response from {host} is corrupt (decompression failed).")
        return Failure(corrupt, again=True)
    if isinstance(problem, OSError) and "RequestException" not in kinds:
        # Only creating a client reads files: the trusted certificates.
        untrusting = TlsFailed(
            "Cannot read the file with trusted certificates.",
            hint="Check SSL_CERT_FILE, SSL_CERT_DIR, or ca_cert in glab's configuration.",
        )
        return Failure(untrusting, reached=False)
    lost = Offline(f"The connection to {host} was lost.", hint="Check your network connection, or VPN.")
    return Failure(lost, again=True)


def _unreachable(host: str, causes: list[BaseException]) -> Offline:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Offline(f"Host {host} not found.", hint="Check your network connection and the address.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Offline(f"{host} refused the connection.", hint="Is the server running, and the port correct?")
    return Offline(f"Cannot reach {host}.", hint="Check your network connection, or VPN.")


def _tls_failed(host: str, problem: ssl.SSLError) -> TlsFailed:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"The certificate of {host} is not trusted ({problem.verify_message}).",
            hint="Set your certificate authority in SSL_CERT_FILE, or as ca_cert in glab's configuration.",
        )
    return TlsFailed(
        f"TLS with {host} failed ({problem.reason or 'unknown reason'}).", hint="Does the server use HTTPS?"
    )


def _chain(problem: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = problem
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


# -- by status


def of_status(
    status: int, headers: Mapping[str, str], raw: bytes, url: str, wait: float | None
) -> Failure | None:
    """The failure for a response's status, or None if the body is to be read.

    ``url`` is the server's address; ``wait`` the seconds requested by the headers.
    """
    host = urlsplit(url).netloc
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    fields = _fields(raw) if _is_json(kind) else {}
    if status == 200:
        return None if _is_json(kind) else Failure(_page(host, status, kind, raw))
    if 300 <= status < 400:
        return Failure(_redirect(host, status, headers.get("location", "")), reached=False)
    if status == 401 and (fields or kind != "text/html"):
        return Failure(token_rejected(host, fields), reached=False)
    if status == 403 and fields:
        return Failure(_forbidden(host, fields), reached=False)
    if status == 404 or (status == 422 and not fields):
        # GitLab's form protection answers 422 where it is not installed at that path.
        return Failure(_not_installed(url, status), reached=False)
    if status == 400 and not fields and raw.strip() == b"Bad Request":
        null = QueryRefused(
            f"{host} refused the request (HTTP 400): it contains a character that GitLab does not accept.",
            hint="Remove control characters, such as the null character, from the text.",
        )
        return Failure(null, reached=False)
    if status == 407:
        proxy = Offline("The proxy requires authentication (HTTP 407).", hint="Check HTTPS_PROXY.")
        return Failure(proxy, reached=False)
    if status == 408:
        late = TimedOut(f"{host} timed out waiting for the request (HTTP 408).")
        return Failure(late, reached=False, again=True)
    if status == 429:
        return Failure(_limited(host, headers, wait), reached=False, again=True, wait=wait)
    if status == 503 and _MAINTENANCE in _message(fields).lower():
        return Failure(maintenance(host), reached=False, again=True, wait=wait)
    if status >= 500:
        crashed = status == 500 and _message(fields).lower() == CRASHED
        again = status in (500, 502, 503, 504)
        return Failure(_server_failed(host, status), again=again, wait=wait, crashed=crashed)
    if fields:
        refused = QueryRefused(f"{host} rejected the query (HTTP {status}): {_message(fields)}")
        return Failure(refused, reached=False)
    return Failure(_page(host, status, kind, raw), reached=False)


def still_limited(failure: Failure | None, host: str, wait: float) -> Failure:
    """A rate limit still lasts, for another ``wait`` seconds; ``failure`` is the answer that told of it."""
    unknown = failure is not None and "valid token" in failure.error.message
    headers = {"ratelimit-name": "unauthenticated"} if unknown else {}
    return Failure(_limited(host, headers, wait), reached=False, again=True, wait=wait)


def at_our_limit(host: str, most: int, wait: float) -> Failure:
    """``host`` was sent the ``most`` requests a minute; the next may go in ``wait`` seconds."""
    limited = RateLimited(
        f"{host} is sent at most {most} requests a minute: for another {wait:.0f} s none.",
        retry_after=wait,
        hint="Try again after that.",
    )
    return Failure(limited, reached=False, again=True, wait=wait)


def of_rest(problem: GitlabError, host: str, doing: str, needs: str) -> GlboardError:
    """The error for a request of python-gitlab: ``doing`` is what was being done, ``needs`` what it takes.

    It has no headers, and says for the rare administration what the one action was.
    """
    body = problem.response_body
    fields = _fields(body if isinstance(body, bytes) else str(body or "").encode())
    match problem.response_code:
        case None | 200 | 201:
            return not_json(host)
        case 401:
            return token_rejected(host, fields)
        case 403 if fields.get("error") in _TOKEN_ERRORS or _is_blocked(fields):
            return _forbidden(host, fields)
        case 403:
            refusal = f"You are not allowed to {doing} on {host}: {_said(problem)}."
            return EditForbidden(refusal, hint=needs)
        case 404:
            return EditForbidden(f"{host} cannot {doing}: not found, or you have no access.", hint=needs)
        case 429:
            return RateLimited(
                f"Rate limited by {host} (HTTP 429).", retry_after=UNKNOWN_WAIT, hint="Try again in a minute."
            )
        case 405:
            return EditInvalid(
                f"{host} refused to {doing}: the project has another path now.",
                hint="Refresh, then try again.",
            )
        case 503 if _MAINTENANCE in _message(fields).lower():
            return maintenance(host)
        case int() as status if status >= 500:
            return _server_failed(host, status)
    return EditInvalid(f"{host} refused to {doing}: {_said(problem)}.")


def _said(problem: GitlabError) -> str:
    message: object = problem.error_message
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    if isinstance(message, dict):
        message = "; ".join(f"{key} {', '.join(map(str, what))}" for key, what in message.items())
    return line(str(message))[:200].strip(" .") or "no reason given"


#: Errors of REST that are about the token, not about the role of its user.
_TOKEN_ERRORS = ("insufficient_scope", "insufficient_granular_scope")
_MAINTENANCE = "undergoing maintenance"
_RENEW = "Create a token with the scope “api” and set GITLAB_TOKEN, or run: glab auth login"


def token_rejected(host: str, fields: Mapping[str, Any] | None = None) -> TokenRejected:
    """``host`` rejected the token; ``fields`` are those of the answer. Only REST says why."""
    said = f"{(fields or {}).get('error_description', '')} {_message(fields or {})}".lower()
    if "expired" in said:
        return TokenRejected(f"{host} rejected the token: it has expired.", hint=_RENEW)
    if "revoked" in said:
        return TokenRejected(f"{host} rejected the token: it was revoked.", hint=_RENEW)
    if "401 unauthorized" in said:
        return TokenRejected(
            f"{host} rejected the token: it does not know it.",
            hint=f"Check that it was copied whole, and is one of {host}.",
        )
    return TokenRejected(f"{host} rejected the token: it is invalid, expired or revoked.", hint=_RENEW)


def why_rejected(answer: bytes | Failure, host: str, *, worked: bool) -> GlboardError | None:
    """Why GraphQL rejected the token, by what REST answered when it was asked who we are. None: unknown.

    ``worked``: GraphQL accepted it before.
    """
    if isinstance(answer, bytes):
        # REST knows it, and lets it read the user: GraphQL wants more.
        return None if worked else _lacks_scope(host, "read_api")
    if isinstance(answer.error, ScopeMissing):
        return _lacks_scope(host, "read_api")
    return answer.error if isinstance(answer.error, AuthError) else None


def _lacks_scope(host: str, scope: str) -> ScopeMissing:
    return ScopeMissing(
        f"The token is not allowed to use the API of {host}: it lacks the scope “{scope}”.",
        hint="Create a token with the scope “api” (read_api is enough for reading).",
    )


def fine_grained(host: str, said: str = "") -> FineGrainedToken:
    """``host`` does not let a fine-grained token do this; ``said`` is GitLab's own sentence, or empty."""
    return FineGrainedToken(
        f"{host} does not accept this fine-grained token here{f': {said}' if said else '.'}",
        hint=(
            "Create a classic personal access token (not fine-grained) with the scope “api”, and set "
            "GITLAB_TOKEN. From GitLab 19.2 on, a fine-grained one works for most with the permissions "
            "Work Item: Read, Create, Update; Label: Read, Create; Group: Read; Project: Read; User: Read."
        ),
    )


def maintenance(host: str = "GitLab") -> ServerFailed:
    """``host`` can only be read for a while. What was asked was not done."""
    return ServerFailed(
        f"{host} is in maintenance mode: it cannot be changed for the moment.",
        hint="Nothing is lost: unsent changes wait until it ends.",
    )


def _not_installed(url: str, status: int) -> NotGitLab:
    host, path = urlsplit(url).netloc, urlsplit(url).path
    if path:
        return NotGitLab(
            f"GitLab is not installed at {host}{path} (HTTP {status}).",
            hint=f"Correct the path in the address, or leave it out: {host}.",
        )
    return NotGitLab(
        f"GitLab is not installed at {host} (HTTP {status}): there is no /api/graphql.",
        hint="If it is installed under a path, include it in the address: https://host/gitlab.",
    )


def _limited(host: str, headers: Mapping[str, str], wait: float | None) -> RateLimited:
    seconds = UNKNOWN_WAIT if wait is None else wait
    if "unauthenticated" in headers.get("ratelimit-name", ""):
        # A token that is not valid is counted with all requests without one, before it is checked.
        return RateLimited(
            f"Rate limited by {host} (HTTP 429) for another {seconds:.0f} s, as a request without a valid "
            "token.",
            retry_after=seconds,
            hint="Check the token: a wrong, expired or revoked one is limited sooner, and not told as such.",
        )
    return RateLimited(
        f"Rate limited by {host} (HTTP 429) for another {seconds:.0f} s.",
        retry_after=seconds,
        hint="Try again after that.",
    )


def _server_failed(host: str, status: int) -> ServerFailed:
    return ServerFailed(f"{host} failed (HTTP {status}).", hint="Try again later.")


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _fields(raw: bytes) -> dict[str, Any]:
    """The fields of a JSON error body; empty if it is something else."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _message(fields: Mapping[str, Any]) -> str:
    """The message of a JSON error body, as one clean line of at most 300 characters."""
    errors = fields.get("errors")
    if isinstance(errors, list):
        parts = [e.get("message") if isinstance(e, dict) else e for e in errors]
    else:
        parts = [fields.get("error_description") or fields.get("message") or fields.get("error")]
    return line("; ".join(str(part) for part in parts if part))[:300] or "no reason given"


def _is_blocked(fields: Mapping[str, Any]) -> bool:
    return "account has been blocked" in _message(fields)


def _forbidden(host: str, fields: Mapping[str, Any]) -> AuthError:
    if _is_blocked(fields):
        return TokenRejected(
            f"{host} rejected the token: your account has been blocked.", hint="Ask an administrator."
        )
    if fields.get("error") == "insufficient_granular_scope":
        return fine_grained(host, _message(fields))
    if fields.get("error") == "insufficient_scope":
        scope = line(str(fields.get("scope") or "api"))
        return ScopeMissing(
            f"The token is not allowed to do this on {host}: it lacks the scope “{scope}”.",
            hint="Create a token with the scope “api” (read_api is enough for reading).",
        )
    return AuthError(
        f"Access to {host} denied: {_message(fields)}", hint="Sign in with a browser to see why."
    )


def _redirect(host: str, status: int, location: str) -> NotGitLab:
    to = urlsplit(location)
    target = line(f"{to.scheme}://{to.hostname or ''}{to.path}" if to.netloc else to.path)[:200]
    if "sign_in" in to.path or "login" in to.path.lower() or "saml" in to.path.lower():
        hint = "Got a sign-in page instead of the API (proxy or SSO?)."
    else:
        hint = "If that is your GitLab, pass its address as --url."
    return NotGitLab(f"{host} redirects elsewhere (HTTP {status}, to {target}).", hint=hint)


def _page(host: str, status: int, kind: str, raw: bytes) -> NotGitLab:
    seen = kind or "no content type"
    start = raw[:512].lstrip().lower()
    if kind == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        hint = "Got a web page: is there a proxy, a sign-in page or another server in between?"
    else:
        hint = "Is this the address of a GitLab server?"
    return NotGitLab(f"The response from {host} is not from GitLab (HTTP {status}, {seen}).", hint=hint)


def not_json(host: str) -> NotGitLab:
    """A response that claims to be JSON and is not, or has neither data nor errors."""
    return NotGitLab(
        f"The response from {host} is cut off or not from GitLab (HTTP 200, but not its API).",
        hint="Is there a proxy in between?",
    )


def too_large(host: str, limit: int) -> NotGitLab:
    """An answer of more than ``limit`` bytes."""
    return NotGitLab(f"The response from {host} is larger than {limit // (1024 * 1024)} MiB.")
