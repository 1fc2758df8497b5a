"""Files that a person wrote or passed on: text in any usual encoding, TOML and JSON.

Owns what an editor or another system may have made of a file: a byte order mark, UTF-16, other line endings.
What cannot be read is named with its line, and a file that never ends does not fill the memory.
"""

from __future__ import annotations

import codecs
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from glboard_core.errors import ConfigError

#: No configuration, team, template or plan is larger, in bytes.
MOST_BYTES = 16 * 1024 * 1024

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def who_else_writes(path: Path) -> str:
    """Who else could have written a file, or put another in its place, in a sentence; "" if no one.

    The owner of the machine can write everything. Where there are no owners, no one is suspected.
    """
    if not hasattr(os, "geteuid"):
        return ""
    try:
        real = path.resolve()
        places = [(real, real.stat()), (real.parent, real.parent.stat())]
    except OSError:
        return f"Cannot check {path}."
    for place, found in places:
        if found.st_uid not in (os.geteuid(), 0):
            return f"{place} belongs to another user."
        # In a folder with the sticky bit only the owner of a file can replace it.
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX:
            return f"other users can write {place} (mode {stat.S_IMODE(found.st_mode):o})."
    return ""


def read_text(path: Path) -> str:
    """The text of a file, with its own line endings. Raises ConfigError, and FileNotFoundError."""
    return decoded(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises ConfigError, and FileNotFoundError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise ConfigError(f"cannot read this file: {reason}.", where=str(path)) from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(
            f"cannot read this file: it is larger than {MOST_BYTES // 1024**2} MiB.", where=str(path)
        )
    return raw


def decoded(raw: bytes, where: str) -> str:
    """Text from bytes: UTF-8 with or without a byte order mark, or UTF-16 with one. Raises ConfigError."""
    name = "utf-16" if raw.startswith(_UTF16) else "utf-8-sig"
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "cannot read this file: it is not UTF-8 text.",
            where=f"{where}:{line}",
            hint="Save it as UTF-8 in your editor.",
        ) from None


def toml_of(text: str, where: str) -> dict[str, Any]:
    """The content of a TOML file. Raises ConfigError, whatever the reader ends with."""
    hint = ""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
        if "\x00" in text:
            hint = "Save it as UTF-8 in your editor."
        elif "\r" in text.replace("\r\n", ""):
            hint = "A line ends with only a carriage return. Save the file with Unix or Windows line endings."
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError:
        problem = "a number has too many digits"
    raise ConfigError(f"invalid TOML: {problem}.", where=where, hint=hint)


def json_of(raw: bytes, where: str) -> Any:
    """The value in a JSON file. Raises ConfigError, also if it is nested too deeply."""
    try:
        return msgspec.json.decode(decoded(raw, where))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ConfigError(f"is not JSON: {error}.", where=where) from None
    except RecursionError:
        raise ConfigError("is not valid: it is nested too deeply.", where=where) from None
