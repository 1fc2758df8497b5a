"""The words for a request that got no response: what failed on the way, and what to check.

Takes nothing but its kind from an error of the HTTP library, whose text can hold a header or the token.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from glboard_core.errors import NotGitLab, Offline, TimedOut
from glboard_core.gitlab.answer_errors import CHECK_ADDRESS
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.route import wants_certificate
from glboard_core.gitlab.tls_errors import tls_failed

if TYPE_CHECKING:
    from glboard_core.gitlab.route import Proxy


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
    way = f"Check the proxy {proxy.shown}, set in {proxy.setting}." if proxy is not None else ""
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
        return Failure(NotGitLab(astray, hint=way or CHECK_ADDRESS), reached=False)
    if kinds & {"InvalidURL", "UnicodeError"}:
        wrong = NotGitLab(
            f"{host} cannot be reached over HTTP.", hint="Check the server's address (--url or GITLAB_HOST)."
        )
        return Failure(wrong, reached=False)
    if "RemoteProtocolError" in kinds and not re.search(r"disconnected|closed connection|incomplete", said):
        odd = f"The response from {host} is not valid HTTP."
        return Failure(Offline(odd, hint=way or CHECK_ADDRESS), again=True)
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
