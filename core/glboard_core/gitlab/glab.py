"""glab's configuration: where its file is, and its YAML.

Owns the part of YAML that glab writes. What the keys mean belongs to ``account``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from glboard_core.errors import ConfigError
from glboard_core.files import read_text

Tree = dict[str, "str | Tree"]

_KEY = r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[{&*!|>%@`-][^#]*?)\s*:(?:\s+|$)"""
_DOUBLE = r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?$'
_SINGLE = r"'(?P<text>(?:[^']|'')*)'\s*(?:#.*)?$"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " "}


def _places(env: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where glab looks for its file, in its order (API note 6)."""
    if folder := env.get("GLAB_CONFIG_DIR"):
        yield Path(folder) / "config.yml"
        return
    yield home / ".config" / "glab-cli" / "config.yml"
    if folder := env.get("XDG_CONFIG_HOME"):
        yield Path(folder) / "glab-cli" / "config.yml"
    for folder in env.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"):
        if folder:
            yield Path(folder) / "glab-cli" / "config.yml"


def find(env: Mapping[str, str], home: Path) -> Path | None:
    """glab's file, or None."""
    return next((path for path in _places(env, home) if path.is_file()), None)


def read(path: Path, *, private: bool = True) -> Tree:
    """The content of glab's file. Raises ConfigError: unreadable, open to others, or invalid YAML.

    It need not be ``private`` if no token is taken from it.
    """
    try:
        if private and os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(
                "other users of this computer can read this file and the tokens in it.",
                where=str(path),
                hint=f"Run: chmod 600 {path}",
            )
        return read_yaml(read_text(path), str(path))
    except OSError as problem:
        raise ConfigError(f"cannot read this file ({type(problem).__name__}).", where=str(path)) from None


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
        if (found := re.match(_KEY, body)) is None:
            raise ConfigError(
                "expected “key: value”.", where=place, hint="Check that it is glab's configuration file."
            )
        if hanging is not None:
            above, parent, name = hanging
            if indent > above:
                parent[name] = child = Tree()
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
    if text.startswith(('"', "'")):
        double = text[0] == '"'
        if (found := re.fullmatch(_DOUBLE if double else _SINGLE, text)) is None:
            raise ConfigError("missing closing quote.", where=where)
        if double:
            return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), found["text"])
        return found["text"].replace("''", "'")
    if text[:1] in ("&", "*", "|", ">", "%", "@", "`"):
        raise ConfigError(f"unsupported YAML: “{text[0]}”.", where=where)
    plain = re.sub(r"(^|\s+)#.*$", "", text).strip()
    return "" if plain in ("null", "~") else plain
