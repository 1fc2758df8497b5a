"""glab's configuration: where it is, and what it contains for a host.

Owns a small strict parser for the YAML that glab writes (nested maps of scalars) and the rules of FACTS
section 6. It only reads: refreshing an OAuth token behind glab's back would break glab.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from glboard_core.errors import ConfigError
from glboard_core.gitlab.account import Secret, host_of, normal_url

Tree = dict[str, "str | Tree"]

_KEY = re.compile(r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[{&*!|>%@`-][^#]*?)\s*:(?:\s+|$)""")
_DOUBLE = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?$')
_SINGLE = re.compile(r"'(?P<text>(?:[^']|'')*)'\s*(?:#.*)?$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " "}


class GlabHost(Struct, frozen=True, kw_only=True):
    """What glab knows about one host. ``token`` is None if it is in the keyring, or missing."""

    host: str
    url: str
    token: Secret | None = None
    oauth: bool = False
    expires: datetime | None = None
    ca_cert: str = ""
    skip_tls_verify: bool = False


class GlabConfig(Struct, frozen=True, kw_only=True):
    """One of glab's configuration files. ``default_host`` is empty if it has none."""

    path: Path
    default_host: str = ""
    hosts: tuple[GlabHost, ...] = ()

    def find(self, url: str) -> GlabHost | None:
        """The entry for a server's address: by host and port, or by its API host."""
        wanted = host_of(url)
        return next((h for h in self.hosts if wanted in (h.host.lower(), host_of(h.url))), None)


def places(env: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where glab looks for its file, in its order (FACTS section 6)."""
    if folder := env.get("GLAB_CONFIG_DIR"):
        yield Path(folder) / "config.yml"
        return
    yield home / ".config" / "glab-cli" / "config.yml"
    if folder := env.get("XDG_CONFIG_HOME"):
        yield Path(folder) / "glab-cli" / "config.yml"
    for folder in env.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"):
        if folder:
            yield Path(folder) / "glab-cli" / "config.yml"


def load(env: Mapping[str, str], home: Path) -> GlabConfig | None:
    """glab's configuration, or None. Raises ConfigError: unreadable, open to others, or invalid YAML."""
    for path in places(env, home):
        if path.is_file():
            return _load(path)
    return None


def _load(path: Path) -> GlabConfig:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(
                "other users of this machine can read this file and the tokens in it.",
                where=str(path),
                hint=f"Run: chmod 600 {path}",
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"cannot read this file ({type(problem).__name__}).", where=str(path)) from None
    tree = read_yaml(text, str(path))
    hosts = tree.get("hosts")
    default = tree.get("host")
    return GlabConfig(
        path=path,
        default_host=default if isinstance(default, str) else "",
        hosts=tuple(
            _host(name, entry, str(path))
            for name, entry in (hosts.items() if isinstance(hosts, dict) else ())
            if isinstance(entry, dict)
        ),
    )


def _host(name: str, entry: Tree, where: str) -> GlabHost:
    def word(key: str) -> str:
        value = entry.get(key, "")
        return value if isinstance(value, str) else ""

    token = word("token")
    return GlabHost(
        host=name,
        url=normal_url(f"{word('api_protocol') or 'https'}://{word('api_host') or name}", where=where),
        token=Secret(token) if token else None,
        oauth=_is_true(word("is_oauth2")),
        expires=_date(word("oauth2_expiry_date")),
        ca_cert=word("ca_cert"),
        skip_tls_verify=_is_true(word("skip_tls_verify")),
    )


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "yes", "on", "1")


def _date(text: str) -> datetime | None:
    if not text:
        return None
    # Only for OAuth sign-ins: the email package is slow to import.
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_yaml(text: str, where: str) -> Tree:
    """Nested maps of scalars, all scalars as text. Raises ConfigError with file and line for anything else.

    Lists and inline ``[…]`` or ``{…}`` values are skipped: glab's own keys need none.
    """
    root: Tree = {}
    # The open maps: indentation of their keys, and the map.
    stack: list[tuple[int, Tree]] = [(0, root)]
    hanging: tuple[int, Tree, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        body = line.strip()
        if not body or body.startswith("#") or body in ("---", "..."):
            continue
        place = f"{where}:{number}"
        indent = len(line) - len(line.lstrip(" "))
        if line[indent] == "\t":
            raise ConfigError("line is indented with a tab.", where=place)
        if body == "-" or body.startswith("- "):
            continue
        if (found := _KEY.match(body)) is None:
            raise ConfigError(
                "expected “key: value”.", where=place, hint="Is this glab's configuration file?"
            )
        if hanging is not None:
            above, parent, name = hanging
            if indent > above:
                child: Tree = {}
                parent[name] = child
                stack.append((indent, child))
        while len(stack) > 1 and indent < stack[-1][0]:
            stack.pop()
        if indent != stack[-1][0]:
            raise ConfigError("the indentation matches no line above.", where=place)
        key = _scalar(found["key"], place)
        rest = body[found.end() :].strip()
        value = _scalar(rest, place)
        if key in stack[-1][1]:
            raise ConfigError("duplicate key.", where=place, key=key)
        stack[-1][1][key] = value
        hanging = (indent, stack[-1][1], key) if not rest or rest.startswith("#") else None
    return root


def _scalar(text: str, where: str) -> str:
    if text.startswith("!!"):
        # glab writes "token: !!null glpat-…": the tag has no meaning.
        text = text.partition(" ")[2].strip()
    if text.startswith('"'):
        if (found := _DOUBLE.fullmatch(text)) is None:
            raise ConfigError("missing closing quote.", where=where)
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), found["text"])
    if text.startswith("'"):
        if (found := _SINGLE.fullmatch(text)) is None:
            raise ConfigError("missing closing quote.", where=where)
        return found["text"].replace("''", "'")
    if text[:1] in ("&", "*", "|", ">", "%", "@", "`"):
        raise ConfigError(f"unsupported YAML: “{text[0]}”.", where=where)
    plain = re.sub(r"(^|\s+)#.*$", "", text).strip()
    return "" if plain in ("null", "~") else plain
