"""What a pasted address means: the server, and the path of the group or project whose page it is.

Pure. Whether a path is a group or a project, only the server knows.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from msgspec import Struct

from glboard_core.gitlab.account import host_of, normal_url

#: The first parts of addresses of pages that belong to no group.
_NOT_GROUPS = frozenset(
    {
        "-", "admin", "api", "assets", "dashboard", "explore", "health_check", "help", "import", "jwt",
        "oauth", "profile", "projects", "search", "snippets", "users", "v2", "uploads", "user_settings",
    }
)  # fmt: skip
#: Pages of a project that once had no ``/-/`` before them.
_PAGES = ("issues", "merge_requests", "boards", "milestones", "labels", "tree", "blob", "wikis", "pipelines")


class ServerPlace(Struct, frozen=True):
    """A server, and the full path of a group or project on it; "" if the address names none."""

    url: str
    path: str = ""

    @property
    def host(self) -> str:
        """Host and port, as shown."""
        return host_of(self.url)


def place_in(text: str) -> ServerPlace:
    """The place of a pasted address or host. Raises ConfigError if it is no address.

    >>> place_in("https://gitlab.com/groups/my-org/team/-/boards/12")
    ServerPlace(url='https://gitlab.com', path='my-org/team')
    >>> place_in("gitlab.example.com"), place_in("https://host/my-org/app/-/issues/1#note_2").path
    (ServerPlace(url='https://gitlab.example.com', path=''), 'my-org/app')
    """
    given = text.strip().strip("<>\"'")
    scheme, mark, rest = given.partition("://")
    host, _, tail = (rest if mark else given).partition("/")
    # Query and fragment mean nothing here; a user's name and password are refused with the host.
    tail = urlsplit(f"//x/{tail}").path.strip("/")
    server = normal_url(f"{scheme}://{_bare(host)}" if mark else _bare(host))
    parts = [part for part in unquote(tail).partition("/-/")[0].split("/") if part]
    if parts and parts[-1] == "-":
        parts.pop()
    if parts[:1] == ["groups"]:
        parts = parts[1:]
    if not parts or parts[0] in _NOT_GROUPS:
        return ServerPlace(server)
    if len(parts) > 2:
        at = next((n for n, part in enumerate(parts) if n >= 2 and part in _PAGES), len(parts))
        parts = parts[:at]
    return ServerPlace(server, "/".join(parts))


def places_in(text: str) -> tuple[ServerPlace, ...]:
    """The places that an address can mean, the likeliest first.

    A server can be installed below a path: then the first part of the path is the server's.
    """
    first = place_in(text)
    head, _, rest = first.path.partition("/")
    if not head:
        return (first,)
    return first, ServerPlace(f"{first.url}/{head}", rest.removeprefix("groups/"))


def _bare(host: str) -> str:
    return host.partition("?")[0].partition("#")[0]
