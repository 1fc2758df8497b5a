"""Reads and writes ``team.toml``: all or nothing, and never over someone else's changes.

Owns the file on disk: a change is written to a temporary file and renamed over it; a new file is readable
only by its owner. ``planning.team`` owns the content.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from glboard_core.errors import ConfigError, FileChanged
from glboard_core.files import read_text


def read(path: Path) -> str | None:
    """The text as it is, line endings included; None if there is no file. Raises ConfigError."""
    try:
        return read_text(path)
    except FileNotFoundError:
        return None


def write(path: Path, text: str, *, seen: str | None) -> None:
    """Replace the file's content by ``text``, if it still is what was ``seen`` (None: no file).

    Permissions are kept; a new file is readable only by its owner. Raises FileChanged, and ConfigError if
    it cannot be written: in both cases the file is unchanged.
    """
    import tempfile  # only for edits: it imports a lot

    # A symlink (for example to a dotfiles repository) stays a symlink.
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            # Renamed over, a device or pipe would be gone: for everyone, if the superuser does it.
            raise OSError(errno.EINVAL, "it is not a regular file")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(name, target.stat().st_mode & 0o777)
        # The last check, as late as possible.
        if read(path) != seen:
            raise FileChanged("someone else changed this file; nothing was written.", where=str(path))
        os.replace(name, target)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        Path(name).unlink(missing_ok=True)


def remove(path: Path, *, seen: str) -> None:
    """Delete the file if it still is what was ``seen``. Raises FileChanged and ConfigError."""
    if read(path) != seen:
        raise FileChanged("someone else changed this file; it was kept.", where=str(path))
    try:
        path.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot write this file: {error.strerror or error}.",
        where=str(path),
        hint="Nothing was changed. Check the folder's permissions and the free disk space.",
    )
