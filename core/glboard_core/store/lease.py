"""The send lease between processes: a lock that the system releases when its holder ends, even by a crash."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lease:
    """A lock file. ``held`` tries to acquire it, and keeps it once acquired."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def held(self) -> bool:
        """Whether this process has the lease, after one attempt that never waits."""
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            # The folder is not writable: nothing can be enqueued either, so there is nothing to send.
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Release it for other processes."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
