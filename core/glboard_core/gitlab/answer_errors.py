"""The words for an answer that is not GitLab's, is damaged, or leads elsewhere."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from glboard_core.errors import ConnectionFailed, NotGitLab
from glboard_core.gitlab.error_body import LOOKED_AT
from glboard_core.gitlab.route import wants_certificate
from glboard_core.model.clean_text import line

_API = "/api/v4"
#: What to do about an answer that GitLab did not give: something between here and there did, or it is
#: another server.
CHECK_PROXY = "Check the proxy: glboard doctor names it, and NO_PROXY excludes a server from it."
CHECK_ADDRESS = "Check that it is the address of a GitLab server (--url or GITLAB_HOST)."


def place_in(address: str) -> str:
    """The path, with its query, that the address of a redirect or a next page means on the account's server.

    A server that is reached through a tunnel names another host. "" if it is not one of the REST API.
    """
    parts = _split(address)
    if parts is None or len(address) > 8_000 or not address.isascii() or not address.isprintable():
        return ""
    _, found, below = parts.path.partition(f"{_API}/")
    # Whatever a server in front makes of it: several programs can be at one host.
    if not found or ".." in unquote(unquote(below)).replace("\\", "/").split("/"):
        return ""
    return f"{_API}/{below}" + (f"?{parts.query}" if parts.query else "")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.hostname, parts.port  # raise for some addresses
    except ValueError:
        return None
    return parts


def redirected(host: str, status: int, location: str) -> NotGitLab:
    """The answer sends us elsewhere: often to a page where people sign in."""
    target = _shown(location)
    if any(word in target.lower() for word in ("sign_in", "login", "saml")):
        hint = f"Got a sign-in page instead of the API: sign in to the VPN or single sign-on. {CHECK_PROXY}"
    else:
        hint = "The token was not sent there. If that is your GitLab, pass its URL with --url."
    return NotGitLab(f"{host} redirects elsewhere (HTTP {status}, to {target}).", hint=hint)


def elsewhere(host: str, address: str) -> NotGitLab:
    """A next page that is not one of the REST API."""
    return NotGitLab(
        f"{host} links to a next page elsewhere ({_shown(address)}).",
        hint=f"The token was not sent there. {CHECK_PROXY}",
    )


def _shown(address: str) -> str:
    """An address without username, password and query, as one clean line."""
    parts = _split(address[:LOOKED_AT])
    if parts is None:
        return "no valid address"
    at = parts.netloc.rpartition("@")[2]
    return line(f"{parts.scheme}://{at}{parts.path}" if at else parts.path)[:200]


def no_answer_of_gitlab(host: str, status: int, kind: str, raw: bytes) -> ConnectionFailed:
    """An answer of another server or proxy, as its media type and its first bytes tell."""
    if status == 400 and b"ssl certificate" in raw[:2048].lower():
        # The words of the web server in front of GitLab: none was sent, or not the right one.
        return wants_certificate(host)
    if status == 400 and b"plain http request was sent to https port" in raw[:2048].lower():
        return NotGitLab(f"{host} uses HTTPS.", hint="Use https:// in the address.")
    seen = kind or "no content type"
    start = raw[:512].lstrip().lower()
    if kind == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        hint = f"Got a web page instead of the API. {CHECK_ADDRESS} {CHECK_PROXY}"
    else:
        hint = CHECK_ADDRESS
    return NotGitLab(f"The response from {host} is not from GitLab (HTTP {status}, {seen}).", hint=hint)


def not_json(host: str) -> NotGitLab:
    """A response that claims to be JSON and is not, or has neither data nor errors."""
    return NotGitLab(
        f"The response from {host} is truncated or not from GitLab (HTTP 200, but not the API).",
        hint=CHECK_PROXY,
    )


def too_large(host: str, limit: int) -> NotGitLab:
    """An answer of more than ``limit`` bytes."""
    return NotGitLab(
        f"The response from {host} is larger than {limit // (1024 * 1024)} MiB.",
        hint=CHECK_PROXY,
    )


def overfull(host: str, most: int) -> NotGitLab:
    """An answer of more values than any of GitLab's."""
    return NotGitLab(f"The response from {host} has more than {most:,} values.", hint=CHECK_PROXY)


def corrupt(host: str, why: str) -> NotGitLab:
    """An answer that is damaged, or in a coding that was not asked for."""
    return NotGitLab(f"The response from {host} is corrupt: {why}.", hint=CHECK_PROXY)


def too_deep(host: str) -> NotGitLab:
    """JSON with more levels than any answer of GitLab has."""
    return NotGitLab(
        f"The response from {host} is nested too deeply to be from GitLab.",
        hint=CHECK_PROXY,
    )


def endless(host: str, pages: int) -> NotGitLab:
    """A list of which ever more pages come."""
    return NotGitLab(
        f"{host} sent an endless list: stopped after {pages} pages.",
        hint=f"{CHECK_PROXY} Otherwise, report this with your GitLab version.",
    )
