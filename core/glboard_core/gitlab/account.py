"""The account: a server's address, and a token that is never shown.

Owns the ``Secret`` wrapper, the normal form of a server's address and of a group's path. Where the token is
found is in ``glboard_core.auth``. It sends nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Literal, NoReturn, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from glboard_core.environment import environment
from glboard_core.errors import ConfigError, UsageError

Kind = Literal["token", "oauth"]

DEFAULT_URL = "https://gitlab.com"

_HOST = r"[^\s/?#@:\[\]%\\<>\"'`{}|^]+"
_API_TAIL = r"(/api/(v4|graphql))?/*$"


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

    def __bool__(self) -> bool:
        return bool(self._hidden())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self._hidden())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


class TokenSource(Protocol):
    """A token that can change while it is in use: an OAuth token ends after two hours."""

    async def current(self) -> Secret:
        """The token for the next request, renewed if it ends soon. Raises GlboardError."""

    async def after_rejection(self, rejected: Secret) -> Secret | None:
        """Another token for a request that was rejected (HTTP 401) with this one; None if there is none.

        Raises GlboardError.
        """


class Account(Struct, frozen=True, kw_only=True):
    """A server and our identity there.

    ``url`` has no trailing slash and can contain a path (a relative URL install); ``verify`` is whether the
    server's certificate is checked, or the path of a CA file, as ``verified_by`` says (a setting and its
    file); ``client_cert`` and ``client_key`` are files that identify us to the server, named by
    ``identified_by``; ``source`` is where the token comes from, ``exposed`` its file if other users of this
    computer can read that. With ``tokens``, the token is asked for at each request, and ``token`` is empty.
    An account to sign in with has no token at all.
    """

    url: str
    token: Secret
    kind: Kind = "token"
    verify: bool | str = True
    verified_by: str = ""
    client_cert: str = ""
    client_key: str = ""
    identified_by: str = ""
    source: str = ""
    exposed: str = ""
    #: Whose token it is, where that is known without asking.
    user: str = ""
    tokens: TokenSource | None = None

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
    if not host or (":" not in host and not re.fullmatch(_HOST, host)) or parts.query or parts.fragment:
        raise ConfigError("invalid server address.", where=where, hint=hint)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{re.sub(_API_TAIL, '', parts.path)}"


def find_group(given: str | None, *, configured: str = "", env: Mapping[str, str] | None = None) -> str:
    """The full path of the group: given, ``GLBOARD_GROUP``, or configured. Raises UsageError without one."""
    for text in (given, (environment() if env is None else env).get("GLBOARD_GROUP"), configured):
        if path := _path_of((text or "").strip()):
            return path
    raise UsageError(
        "No group given.",
        hint="Run glboard: its setup finds your group. Or pass --group PATH (for example gitlab-org), "
        "or set GLBOARD_GROUP.",
    )


def _path_of(text: str) -> str:
    """A group's path, as given or in the address of one of its pages."""
    if "://" in text:
        try:
            text = urlsplit(text).path.partition("/-/")[0].strip("/").removeprefix("groups/")
        except ValueError:
            raise UsageError("The group is not a valid URL.", hint="Pass its full path: gitlab-org") from None
    return text.strip("/")
