"""Which of several windows sends: a lock that the system lets go of when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lease:
    """A lock file. ``held`` tries to take it, and keeps it once taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def held(self) -> bool:
        """Whether this process has it, after one attempt that never waits."""
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            # A folder that cannot be written: nothing can be enqueued either, so there is nothing to send.
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let another window have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
