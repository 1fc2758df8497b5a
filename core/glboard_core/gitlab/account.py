"""The account: a server's address, and a token that is never shown.

Owns the ``Secret`` wrapper, the ``Account`` and the normal form of a server's address. It must not read files
or the environment: ``credentials`` does that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Literal, NoReturn
from urllib.parse import urlsplit

from msgspec import Struct

from glboard_core.errors import ConfigError

Kind = Literal["token", "oauth"]

_HOST = re.compile(r"[^\s/?#@:\[\]%\\<>\"'`{}|^]+")
_API_TAIL = re.compile(r"(/api/(v4|graphql))?/*$")


class Secret:
    """A text that is never shown: not by ``repr``, ``str``, formatting, pickling or a traceback's locals."""

    __slots__ = ("_hidden",)

    def __init__(self, value: str) -> None:
        # In a closure, so that even a debugger's view of the slots does not show it.
        self._hidden: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """The text itself. Pass it on at once; never store it in a variable."""
        return self._hidden()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "Secret(…)"

    def __bool__(self) -> bool:
        return bool(self._hidden())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self._hidden())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


class Account(Struct, frozen=True, kw_only=True):
    """A server and our identity there.

    ``url`` has no trailing slash and can contain a path (a relative URL install); ``verify`` is whether the
    server's certificate is checked, or the path of a CA file; ``source`` is where the token comes from.
    """

    url: str
    token: Secret
    kind: Kind = "token"
    verify: bool | str = True
    source: str = ""

    @property
    def host(self) -> str:
        """Host and port, as displayed and as used by glab and keyrings."""
        return host_of(self.url)

    @property
    def loopback(self) -> bool:
        """Whether the server runs on this machine: then no proxy is used."""
        return is_loopback(urlsplit(self.url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """``host`` or ``host:port`` of a normalised address, in lower case."""
    return urlsplit(url).netloc.lower()


def normal_url(text: str, *, where: str = "") -> str:
    """The normalised server address: scheme, host, port and path, without a trailing slash.

    Accepts ``gitlab.com``, ``https://host/gitlab/`` and API addresses (``…/api/v4``); without a scheme,
    https, or http on this machine. Raises ConfigError, which never quotes a password.

    >>> normal_url("gitlab.com"), normal_url("https://host/gitlab/api/v4/"), normal_url("localhost:3000")
    ('https://gitlab.com', 'https://host/gitlab', 'http://localhost:3000')
    """
    given = text.strip()
    hint = "Use a form such as gitlab.com or https://gitlab.example.com/gitlab."
    if "://" not in given:
        bare = given.partition("/")[0]
        name = bare[1:].partition("]")[0] if bare.startswith("[") else bare.partition(":")[0]
        given = f"{'http' if is_loopback(name) else 'https'}://{given}"
    try:
        parts = urlsplit(given)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise ConfigError("invalid server address.", where=where, hint=hint) from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "the server address must not contain a username or password.",
            where=where,
            hint="Remove them and set GITLAB_TOKEN.",
        )
    if parts.scheme not in ("http", "https"):
        raise ConfigError(
            f"unsupported scheme “{parts.scheme}” in the server address.", where=where, hint=hint
        )
    if not host or (":" not in host and not _HOST.fullmatch(host)) or parts.query or parts.fragment:
        raise ConfigError("invalid server address.", where=where, hint=hint)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{_API_TAIL.sub('', parts.path)}"
