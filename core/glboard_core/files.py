"""Files that a person wrote or passed on: text in any usual encoding, TOML and JSON.

Owns what an editor or another system may have made of a file: a byte order mark, UTF-16, other line endings.
What cannot be read is named with its line, and a file that never ends does not fill the memory.
"""

from __future__ import annotations

import codecs
import os
import select
import stat
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from glboard_core.errors import ConfigError

#: No configuration, team, template or plan is larger, in bytes.
MOST_BYTES = 16 * 1024 * 1024

#: Bytes read at once. Seconds until a pipe is opened at its other end, and that it may be silent.
_PIECE = 1024 * 1024
GRACE, SILENCE = 0.5, 30.0

_UTF32 = codecs.BOM_UTF32_LE
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def who_else_writes(path: Path) -> str:
    """Who else could have written a file, or put another in its place, in a sentence; "" if no one.

    All folders on the way count, also those of a link: who can write one can put another in its place. The
    owner of the machine can write everything. Where there are no owners, no one is suspected.
    """
    if not hasattr(os, "geteuid"):
        return ""
    try:
        real = path.resolve()
        named = path.absolute().parent
        folders = dict.fromkeys((*real.parents, named, *named.parents))
        places = [(place, place.stat()) for place in (real, *folders)]
    except OSError:
        return f"Cannot check {path}."
    for place, found in places:
        if found.st_uid not in (os.geteuid(), 0):
            return f"{place} belongs to another user."
        shared = stat.S_IWOTH if _is_ones_own(found.st_gid) else stat.S_IWGRP | stat.S_IWOTH
        # In a folder with the sticky bit only the owner of a file can replace it.
        if found.st_mode & shared and not found.st_mode & stat.S_ISVTX:
            return f"other users can write {place} (mode {stat.S_IMODE(found.st_mode):o})."
    return ""


def _is_ones_own(group: int) -> bool:
    """Whether a group is this user's private one.

    Many systems give each user a group of the same name, and a umask with which it can write. Root's has
    members of many kinds.
    """
    import grp
    import pwd

    try:
        me, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    alone = found.gr_name == me.pw_name and set(found.gr_mem) <= {me.pw_name}
    return alone and group == me.pw_gid != 0


def path_of(text: str) -> Path:
    """The path that a person wrote. With the name of no user, or without any home, it is taken literally."""
    path = Path(text.replace("\x00", "\ufffd"))
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def read_text(path: Path) -> str:
    """The text of a file, with its own line endings. Raises ConfigError, and FileNotFoundError."""
    return decoded(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The content of a file, or of a pipe that something writes to. Raises ConfigError, FileNotFoundError."""
    try:
        # A pipe is opened without waiting for its other end, which may never come.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    try:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        raw = b"".join(_pieces(file) if is_file else _arriving(file))
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(file)
    if len(raw) > MOST_BYTES:
        raise ConfigError(
            f"cannot read this file: it is larger than {MOST_BYTES // 1024**2} MiB.", where=str(path)
        )
    return raw


def _unreadable(path: Path, error: Exception) -> ConfigError:
    if isinstance(error, TimeoutError):
        hint = "It is a pipe or a device: write to it, or name a file."
        return ConfigError("cannot read this file: nothing comes out of it.", where=str(path), hint=hint)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
    return ConfigError(f"cannot read this file: {reason}.", where=str(path))


def _pieces(file: int) -> Iterator[bytes]:
    """All of it, or one byte more than is allowed."""
    left = MOST_BYTES + 1
    while left > 0 and (piece := os.read(file, min(left, _PIECE))):
        left -= len(piece)
        yield piece


def _arriving(file: int) -> Iterator[bytes]:
    """The same of a pipe or device. Raises TimeoutError if nothing comes for a while."""
    left, since, begun = MOST_BYTES + 1, time.monotonic(), False
    while left > 0:
        try:
            piece = os.read(file, min(left, _PIECE))
        except BlockingIOError:
            # Somebody holds the other end.
            if time.monotonic() - since > SILENCE:
                raise TimeoutError from None
            select.select([file], [], [], 0.1)
            continue
        if not piece:
            if begun or not stat.S_ISFIFO(os.fstat(file).st_mode):
                return
            # Whoever waited for us to open it may need a moment.
            if time.monotonic() - since > GRACE:
                raise TimeoutError
            time.sleep(0.02)
            continue
        left, since, begun = left - len(piece), time.monotonic(), True
        yield piece


def decoded(raw: bytes, where: str) -> str:
    """Text from bytes: UTF-8 with or without a byte order mark, or UTF-16 with one. Raises ConfigError."""
    name = "utf-16" if raw.startswith(_UTF16) and not raw.startswith(_UTF32) else "utf-8-sig"
    try:
        text = raw.decode(name)
        at = text.find("\x00")
        start = len(text[:at].encode(name)) if at >= 0 else -1
    except UnicodeDecodeError as error:
        start = error.start
    # No text has NUL: it is UTF-16 without a mark, UTF-32, or what a crash left of a file.
    if start >= 0:
        line = raw.count(b"\n", 0, start) + 1
        raise ConfigError(
            "cannot read this file: it is not UTF-8 text.",
            where=f"{where}:{line}",
            hint="Save it as UTF-8 in your editor.",
        ) from None
    return text


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
