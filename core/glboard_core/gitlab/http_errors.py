"""Translates HTTP failures into our error types.

Owns the message for every HTTP status and every httpx exception. The errors never contain a request, a header
or a token, and are raised outside the ``except`` block that caught the cause, so that no chained exception
contains one either.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from glboard_core.errors import (
    AuthError,
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

#: Seconds to wait after HTTP 429 without usable headers.
UNKNOWN_WAIT = 60.0


class Failure(Struct, frozen=True):
    """A request without a usable answer.

    ``reached``: the server may have acted on it; ``again``: a retry makes sense; ``wait``: the seconds the
    server asked to wait.
    """

    error: GlboardError
    reached: bool = True
    again: bool = False
    wait: float | None = None


def token_rejected(host: str) -> TokenRejected:
    """``host`` rejected the token."""
    return TokenRejected(
        f"{host} rejected the token: it is invalid, expired or revoked.",
        hint="Create a token with the scope “api” and set GITLAB_TOKEN, or run: glab auth login",
    )


def of_exception(problem: Exception, host: str) -> Failure:
    """The failure for an exception of httpx (or a timeout, or a missing CA file)."""
    causes = list(_chain(problem))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Failure(
            tls_failed(host, next(c for c in causes if isinstance(c, ssl.SSLError))), reached=False
        )
    match problem:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Failure(
                Offline(f"Connecting to {host} timed out.", hint="Check your network connection, or VPN."),
                reached=False,
                again=True,
            )
        case httpx.TimeoutException() | TimeoutError():
            return Failure(
                TimedOut(f"{host} did not answer in time.", hint="The server may be busy. Try again later."),
                again=True,
            )
        case httpx.ProxyError():
            return Failure(
                Offline(
                    "The proxy refused the connection.",
                    hint="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
                ),
                reached=False,
                again=True,
            )
        case httpx.ConnectError():
            return Failure(_unreachable(host, causes), reached=False, again=True)
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return Failure(
                NotGitLab(f"{host} cannot be reached over HTTP.", hint="Check --url."), reached=False
            )
        case httpx.DecodingError():
            return Failure(
                NotGitLab(f"The response from {host} is corrupt (decompression failed)."), again=True
            )
        case _:
            return Failure(
                Offline(f"The connection to {host} was lost.", hint="Retrying when it is back."),
                again=True,
            )


def _unreachable(host: str, causes: list[BaseException]) -> Offline:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Offline(f"Host {host} not found.", hint="Check your network connection and the address.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Offline(f"{host} refused the connection.", hint="Is the server running, and the port correct?")
    return Offline(f"Cannot reach {host}.", hint="Check your network connection, or VPN.")


def tls_failed(host: str, problem: ssl.SSLError) -> TlsFailed:
    """TLS with ``host`` failed: its certificate, or the protocol."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"The certificate of {host} is not trusted ({problem.verify_message}).",
            hint="Set your certificate authority in SSL_CERT_FILE, or as ca_cert in glab's configuration.",
        )
    return TlsFailed(
        f"TLS with {host} failed ({problem.reason or 'unknown reason'}).", hint="Does the server use HTTPS?"
    )


def ca_missing() -> TlsFailed:
    """A configured CA file cannot be read."""
    return TlsFailed(
        "Cannot read the file with trusted certificates.",
        hint="Check SSL_CERT_FILE, SSL_CERT_DIR, or ca_cert in glab's configuration.",
    )


def too_large(host: str, limit: int) -> NotGitLab:
    """An answer of more than ``limit`` bytes."""
    return NotGitLab(f"The response from {host} is larger than {limit // (1024 * 1024)} MiB.")


def of_status(
    status: int, headers: Mapping[str, str], raw: bytes, url: str, wait: float | None
) -> Failure | None:
    """The failure for a response's status, or None if the body is to be read.

    ``url`` is the server's address; ``wait`` the seconds requested by the headers.
    """
    host = urlsplit(url).netloc
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    said = _said(raw) if _is_json(kind) else {}
    if status == 200:
        return None if _is_json(kind) else Failure(_page(host, status, kind, raw))
    if 300 <= status < 400:
        return Failure(_redirect(host, status, headers.get("location", "")), reached=False)
    if status == 401 and (said or kind != "text/html"):
        return Failure(token_rejected(host), reached=False)
    if status == 403 and said:
        return Failure(_forbidden(host, said), reached=False)
    if status == 404:
        return Failure(
            NotGitLab(
                f"{host} has no GraphQL API at {urlsplit(url).path}/api/graphql (HTTP 404).",
                hint="If GitLab is installed under a path, include it in the address: https://host/gitlab.",
            ),
            reached=False,
        )
    if status == 407:
        return Failure(
            Offline("The proxy requires authentication (HTTP 407).", hint="Check HTTPS_PROXY."), reached=False
        )
    if status == 408:
        return Failure(
            TimedOut(f"{host} timed out waiting for the request (HTTP 408)."), reached=False, again=True
        )
    if status == 429:
        seconds = UNKNOWN_WAIT if wait is None else wait
        return Failure(
            RateLimited(
                f"Rate limited by {host} (HTTP 429); retrying in {seconds:.0f} s.",
                retry_after=seconds,
                hint="Nothing is lost: unsent changes wait until then.",
            ),
            reached=False,
            again=True,
            wait=wait,
        )
    if status >= 500:
        return Failure(
            ServerFailed(f"{host} failed (HTTP {status}).", status=status, hint="Try again later."),
            again=status in (500, 502, 503, 504),
            wait=wait,
        )
    if said:
        return Failure(
            QueryRefused(f"{host} rejected the query (HTTP {status}): {words(said)}"), reached=False
        )
    return Failure(_page(host, status, kind, raw), reached=False)


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _said(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def words(said: Mapping[str, Any]) -> str:
    """The message of a JSON error body, as one clean line of at most 300 characters."""
    errors = said.get("errors")
    parts: list[object] = []
    if isinstance(errors, list):
        parts = [e.get("message") if isinstance(e, dict) else e for e in errors]
    else:
        parts = [said.get("error_description") or said.get("message") or said.get("error")]
    return line("; ".join(str(part) for part in parts if part))[:300] or "no reason given"


def _forbidden(host: str, said: Mapping[str, Any]) -> AuthError:
    if said.get("error") == "insufficient_scope":
        scope = line(str(said.get("scope") or "api"))
        return ScopeMissing(
            f"The token is not allowed to do this on {host}: it lacks the scope “{scope}”.",
            hint="Create a token with the scope “api” (read_api is enough for reading).",
        )
    return AuthError(f"Access to {host} denied: {words(said)}", hint="Sign in with a browser to see why.")


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
        f"The response from {host} is cut off or not from GitLab (HTTP 200, but no GraphQL).",
        hint="Is there a proxy in between?",
    )


def _chain(problem: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = problem
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__
