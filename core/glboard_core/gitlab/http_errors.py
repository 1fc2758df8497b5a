"""Translates failures of the network and of GitLab into our error types.

Owns the message for every HTTP status and every exception that the HTTP library raises: the same failure has
the same words for GraphQL and REST. The errors never contain a request, a header or a token, nor the text of
the library's errors, which can hold all of these; they are raised outside the ``except`` block that caught
the cause, so that no chained exception contains one either.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Struct

from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
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
    TokenRejected,
    TokenUnknown,
)
from glboard_core.gitlab.decode import line
from glboard_core.gitlab.route import wants_certificate
from glboard_core.gitlab.tls_errors import tls_failed

if TYPE_CHECKING:
    from gitlab import GitlabError

    from glboard_core.gitlab.route import Proxy

#: What GitLab's GraphQL says when it failed on a request, in lower case. A proxy has other words.
CRASHED = "internal server error"
#: Characters of a Content-Type that are shown: headers are remote text, too.
_LONGEST_KIND = 60
#: Seconds to wait after HTTP 429 without usable headers.
UNKNOWN_WAIT = 60.0
#: Characters of remote text that are looked at, before it is shortened further: cleaning takes time.
_LOOKED_AT = 4_000
#: Server errors that do not pass: not implemented, the wrong version, loops, a sign-in to the network.
_LASTING = frozenset({501, 505, 506, 508, 510, 511})
_API = "/api/v4"


class Failure(Struct, frozen=True):
    """A request without a usable answer.

    ``reached``: the server may have acted on it; ``again``: a retry makes sense; ``wait``: the seconds the
    server asked to wait; ``crashed``: GitLab itself failed on it, and no longer works on it; ``moved``: the
    path on this server that a redirect names, "" if it names none of the REST API.
    """

    error: GlboardError
    reached: bool = True
    again: bool = False
    wait: float | None = None
    crashed: bool = False
    moved: str = ""


# -- without a response


def of_exception(problem: Exception, host: str, proxy: Proxy | None = None, trusted_by: str = "") -> Failure:
    """The failure for an exception of httpx, or of what it uses, on the way through ``proxy``.

    ``trusted_by`` is the setting that says whose certificates are trusted, if one does.
    Classes are compared by name, since httpx may not be imported before it is needed.
    """
    causes = list(_chain(problem))
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None and "CERTIFICATE_REQUIRED" in str(getattr(tls, "reason", "")):
        return Failure(wants_certificate(host), reached=False)
    if tls is not None and kinds & {"ConnectError", "SSLError"}:
        return Failure(tls_failed(host, tls, proxy, trusted_by), reached=False)
    if kinds & {"ConnectTimeout", "PoolTimeout"}:
        return Failure(
            _unanswered(host, proxy if "ConnectTimeout" in kinds else None), reached=False, again=True
        )
    way = f"The connection uses the proxy {proxy.shown}, set in {proxy.setting}." if proxy is not None else ""
    if kinds & {"TimeoutException", "TimeoutError"}:
        busy = "The server may be busy. Try again later."
        return Failure(TimedOut(f"{host} did not respond in time.", hint=way or busy), again=True)
    if "ProxyError" in kinds:
        return Failure(_refused_by(proxy, str(problem)), reached=False, again=True)
    if "ConnectError" in kinds:
        return Failure(_unreachable(host, causes, proxy), reached=False, again=True)
    # The account's own address was checked before: only a redirect leads to another kind of address.
    said = str(problem).lower()
    if "UnsupportedProtocol" in kinds or ("RemoteProtocolError" in kinds and "location header" in said):
        astray = f"{host} redirects to an address that is not HTTP."
        return Failure(
            NotGitLab(astray, hint=way or "Is this the address of a GitLab server?"), reached=False
        )
    if kinds & {"InvalidURL", "UnicodeError"}:
        wrong = NotGitLab(
            f"{host} cannot be reached over HTTP.", hint="Check the server's address (--url or GITLAB_HOST)."
        )
        return Failure(wrong, reached=False)
    if "RemoteProtocolError" in kinds and not re.search(r"disconnected|closed connection|incomplete", said):
        odd = f"The response from {host} is not valid HTTP."
        return Failure(Offline(odd, hint=way or "Is there a proxy or another server in between?"), again=True)
    if kinds & {"HTTPError", "OSError"}:
        check = "Check your network connection, or VPN."
        return Failure(Offline(f"The connection to {host} was lost.", hint=way or check), again=True)
    if "ImportError" in kinds and proxy is not None:
        missing = Offline(
            f"{proxy.setting} sets a SOCKS proxy, which needs another Python package.",
            hint="Install it: pip install socksio",
        )
        return Failure(missing, reached=False)
    odd = f"The connection to {host} failed ({type(problem).__name__})."
    return Failure(Offline(odd, hint=way or "Try again later."), again=True)


def _unanswered(host: str, proxy: Proxy | None) -> Offline:
    if proxy is not None:
        return Offline(
            f"Connecting to the proxy {proxy.shown} timed out.",
            hint=f"Check {proxy.setting}, which sets the proxy, or NO_PROXY.",
        )
    return Offline(f"Connecting to {host} timed out.", hint="Check your network connection, or VPN.")


def _refused_by(proxy: Proxy | None, said: str) -> Offline:
    # The proxy's own words are remote text: of them, only the status is taken.
    status = int(said[:3]) if said[:3].isascii() and said[:3].isdigit() else None
    if status == 407:
        return proxy_wants_sign_in(proxy)
    answer = f" (HTTP {status})" if status is not None else ""
    if proxy is None:
        return Offline(f"The proxy refused the connection{answer}.", hint="Check your network connection.")
    return Offline(
        f"The proxy {proxy.shown} refused the connection{answer}.",
        hint=f"Check {proxy.setting}, which sets the proxy, or NO_PROXY.",
    )


def proxy_wants_sign_in(proxy: Proxy | None) -> Offline:
    """HTTP 407."""
    if proxy is None:
        return Offline(
            "The proxy requires authentication (HTTP 407).", hint="Ask your network administrator."
        )
    return Offline(
        f"The proxy {proxy.shown} requires authentication (HTTP 407).",
        hint=f"Add the username and password to {proxy.setting}: http://username:password@host:port.",
    )


def unsendable(host: str) -> AuthError:
    """The token cannot be a header's value; the HTTP library's own error would hold it."""
    return AuthError(
        f"The token for {host} contains invalid characters, so it was not sent.",
        hint="Copy only the token, and try again.",
    )


def _unreachable(host: str, causes: list[BaseException], proxy: Proxy | None) -> Offline:
    if proxy is not None:
        host, hint = f"The proxy {proxy.shown}", f"Check {proxy.setting}, which sets the proxy, or NO_PROXY."
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return Offline(f"{host} was not found.", hint=hint)
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return Offline(f"{host} refused the connection.", hint=hint)
        return Offline(f"{host} cannot be reached.", hint=hint)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Offline(f"Host {host} not found.", hint="Check your network connection and the address.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Offline(
            f"{host} refused the connection.",
            hint="Check that the server is running and the port is correct.",
        )
    return Offline(f"Cannot reach {host}.", hint="Check your network connection, or VPN.")


def _chain(problem: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = problem
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


# -- by status


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
    kind = _kind(headers)
    fields = _fields(raw) if _is_json(kind) else {}
    if status == 200 and _is_json(kind):
        return None
    if (failure := _on_the_way(status, headers, fields, host, wait, proxy)) is not None:
        return failure
    if status < 300:
        # Not GraphQL's, but a success of somebody: it may have been executed.
        return Failure(_page(host, status, kind, raw))
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
    if fields:
        refused = QueryRefused(f"{host} rejected the query (HTTP {status}): {_message(fields)}")
        return Failure(refused, reached=False)
    return Failure(_page(host, status, kind, raw), reached=False)


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
    kind = _kind(headers)
    fields = _fields(raw) if _is_json(kind) and status >= 300 else {}
    if (failure := _on_the_way(status, headers, fields, host, wait, proxy)) is not None:
        return failure
    if status == 204 or (_is_json(kind) and (status < 300 or fields)):
        return None
    if status == 401 and kind != "text/html":
        return Failure(token_rejected(host), reached=False)
    return Failure(_page(host, status, kind, raw), reached=status < 300)


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
        return Failure(_redirect(host, status, location), reached=False, moved=place_in(location))
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
    if status == 503 and _MAINTENANCE in _message(fields).lower():
        # GitLab's own words, before it does anything.
        return Failure(maintenance(host), reached=False, again=True, wait=wait)
    if status >= 500:
        crashed = status == 500 and _message(fields).lower().removeprefix("500 ") == CRASHED
        again = status not in _LASTING
        return Failure(_server_failed(host, status), again=again, wait=wait, crashed=crashed)
    return None


def place_in(address: str) -> str:
    """The path, with its query, that the address of a redirect or a next page means on the account's server.

    A server that is reached through a tunnel names another host. "" if it is not one of the REST API.
    """
    parts = _split(address)
    if parts is None or len(address) > 8_000 or not address.isascii() or not address.isprintable():
        return ""
    _, found, below = parts.path.partition(f"{_API}/")
    if not found or ".." in below.split("/"):
        return ""
    return f"{_API}/{below}" + (f"?{parts.query}" if parts.query else "")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.hostname, parts.port  # raise for some addresses
    except ValueError:
        return None
    return parts


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
        case 405:
            return EditInvalid(
                f"{host} refused to {doing}: the project path has changed.",
                hint="Refresh, then try again.",
            )
    return EditInvalid(f"{host} refused to {doing}: {_said(problem)}.")


def _said(problem: GitlabError) -> str:
    message: object = problem.error_message
    if isinstance(message, bytes):
        message = message[:_LOOKED_AT].decode("utf-8", "replace")
    return _words(message, 200).strip(" .") or "no reason given"


def _words(value: object, most: int) -> str:
    """Remote words of any shape as one clean line: a text, a list of texts, or texts by field."""
    if isinstance(value, dict):
        parts = [f"{key} {_flat(what)}" for key, what in islice(value.items(), 20)]
    elif isinstance(value, list):
        parts = [_flat(what) for what in value[:20]]
    else:
        parts = [_flat(value)]
    return line("; ".join(part for part in parts if part)[:_LOOKED_AT])[:most]


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(part for one in value[:20] if (part := _flat_text(one)))
    return _flat_text(value)


def _flat_text(value: object) -> str:
    if isinstance(value, str):
        return value[:_LOOKED_AT]
    # What is nested deeper says nothing to a person.
    return "" if value is None or isinstance(value, dict | list) else str(value)


#: Errors of REST that are about the token, not about the role of its user.
_TOKEN_ERRORS = ("insufficient_scope", "insufficient_granular_scope")
_MAINTENANCE = "undergoing maintenance"
_RENEW = "Sign in again with glboard auth login, or set GITLAB_TOKEN to another token with the “api” scope."


def token_rejected(host: str, fields: Mapping[str, Any] | None = None) -> TokenRejected:
    """``host`` rejected the token; ``fields`` are those of the answer. Only REST says why."""
    said = f"{(fields or {}).get('error_description', '')} {_message(fields or {})}".lower()
    if "expired" in said:
        return TokenRejected(f"{host} rejected the token: it has expired.", hint=_RENEW)
    if "revoked" in said:
        return TokenRejected(f"{host} rejected the token: it was revoked.", hint=_RENEW)
    if "401 unauthorized" in said:
        return TokenUnknown(
            f"{host} rejected the token: unknown token.",
            hint=f"Check that you copied all of it, and that it is a token for {host}.",
        )
    return TokenRejected(f"{host} rejected the token: it is invalid, expired or revoked.", hint=_RENEW)


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


def maintenance(host: str = "GitLab") -> ServerFailed:
    """``host`` can only be read for a while. What was asked was not done."""
    return ServerFailed(
        f"{host} is in maintenance mode and cannot be changed now.",
        hint="Nothing is lost: unsent changes are kept until it ends.",
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


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _kind(headers: Mapping[str, str]) -> str:
    """The media type, which is remote text too."""
    return line(headers.get("content-type", "").partition(";")[0].strip().lower()[:80])


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
        found: object = [one.get("message") if isinstance(one, dict) else one for one in errors[:20]]
    else:
        found = fields.get("error_description") or fields.get("message") or fields.get("error")
    return _words(found, 300) or "no reason given"


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
        scope = _words(fields.get("scope") or "api", 80)
        return ScopeMissing(
            f"The token cannot do this on {host}: it lacks the “{scope}” scope.",
            hint="Create a token with the “api” scope (“read_api” is enough for read-only access).",
        )
    return AuthError(
        f"Access to {host} denied: {_message(fields)}", hint="Sign in with a browser to see why."
    )


def _redirect(host: str, status: int, location: str) -> NotGitLab:
    target = _shown(location)
    if any(word in target.lower() for word in ("sign_in", "login", "saml")):
        hint = "Got a sign-in page instead of the API (proxy or SSO?)."
    else:
        hint = "The token was not sent there. If that is your GitLab, pass its URL with --url."
    return NotGitLab(f"{host} redirects elsewhere (HTTP {status}, to {target}).", hint=hint)


def elsewhere(host: str, address: str) -> NotGitLab:
    """A next page that is not one of the REST API."""
    return NotGitLab(
        f"{host} links to a next page elsewhere ({_shown(address)}).",
        hint="The token was not sent there. Is there a proxy in between?",
    )


def _shown(address: str) -> str:
    """An address without username, password and query, as one clean line."""
    parts = _split(address[:_LOOKED_AT])
    if parts is None:
        return "no valid address"
    at = parts.netloc.rpartition("@")[2]
    return line(f"{parts.scheme}://{at}{parts.path}" if at else parts.path)[:200]


def _page(host: str, status: int, kind: str, raw: bytes) -> ConnectionFailed:
    if status == 400 and b"ssl certificate" in raw[:2048].lower():
        # The words of the web server in front of GitLab: none was sent, or not the right one.
        return wants_certificate(host)
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
        f"The response from {host} is truncated or not from GitLab (HTTP 200, but not the API).",
        hint="Is there a proxy in between?",
    )


def too_large(host: str, limit: int) -> NotGitLab:
    """An answer of more than ``limit`` bytes."""
    return NotGitLab(
        f"The response from {host} is larger than {limit // (1024 * 1024)} MiB.",
        hint="Is there a proxy in between?",
    )


def overfull(host: str, most: int) -> NotGitLab:
    """An answer of more values than any of GitLab's."""
    return NotGitLab(
        f"The response from {host} has more than {most:,} values.", hint="Is there a proxy in between?"
    )


def corrupt(host: str, why: str) -> NotGitLab:
    """An answer that is damaged, or in a coding that was not asked for."""
    return NotGitLab(f"The response from {host} is corrupt: {why}.", hint="Is there a proxy in between?")


def too_deep(host: str) -> NotGitLab:
    """JSON with more levels than any answer of GitLab has."""
    return NotGitLab(
        f"The response from {host} is nested too deeply to be from GitLab.",
        hint="Is there a proxy in between?",
    )


def endless(host: str, pages: int) -> NotGitLab:
    """A list of which ever more pages come."""
    return NotGitLab(
        f"{host} sent an endless list: stopped after {pages} pages.",
        hint="Check for a proxy in between, or report this with your GitLab version.",
    )
