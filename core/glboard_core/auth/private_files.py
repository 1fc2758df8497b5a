"""Files that only their owner can read: checked before they are read, replaced as a whole, locked on change.

Owns modes, the replacing and the locks. What is in the files belongs to others.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glboard_core.errors import ConfigError, StoreFailed

#: Seconds between two looks at a lock that another process holds.
_LOOK_AGAIN = 0.02


def is_open(path: Path) -> bool:
    """Whether other users of this machine can read the file. Raises OSError."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)


def check_private(path: Path) -> None:
    """Raises ConfigError if other users of this machine can read the file, and OSError."""
    if is_open(path):
        raise ConfigError(
            "other users of this computer can read this file and the tokens in it.",
            where=str(path),
            hint=f"Run: chmod 600 {path}",
        )


def exposed_advice(path: str) -> str:
    """What to do about a file of another program that others can read."""
    return f"Other users of this computer can read the token. Run: chmod 600 {path}"


def replace(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 as a whole: readers see the old or the new one. Raises StoreFailed."""
    problem = ""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_block_device() or path.is_char_device():
            raise OSError(errno.EINVAL, "it is a device")
        fresh.unlink(missing_ok=True)
        file = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with open(file, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(file)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    if problem:
        raise StoreFailed(
            f"Cannot write {path}: {problem}.", hint="Check the folder's owner, mode and free space."
        )


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[bool]:
    """Hold a lock between processes, waiting that long for it; yields whether we have it.

    The system releases it when its holder ends, even by a crash. Where the folder is not writable there is
    nothing to protect.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield True
        return
    try:
        yield _acquire(file, time.monotonic() + seconds)
    finally:
        os.close(file)


def _acquire(file: int, deadline: float) -> bool:
    while True:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_AGAIN)
