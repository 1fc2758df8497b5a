"""Whether a file of the person's own was written since it was read, by what the system says of it."""

from __future__ import annotations

from pathlib import Path

#: Seconds between two looks.
LOOK_EVERY = 0.75

_Signature = tuple[int, int, int]


class FileWatch:
    """One file. It counts as read when the watch begins."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = self._seen = self._now()

    def changed(self, *, settled: bool = True) -> bool:
        """Whether it was written since it was read; ``settled``: and it was not written to since the last
        look, so that no half of a file is read."""
        before, self._seen = self._seen, self._now()
        # A file that is gone may be on its way back: editors replace it.
        is_other = self._seen is not None and self._seen != self._read
        return is_other and (self._seen == before or not settled)

    def taken(self) -> None:
        """It is read now."""
        self._read = self._now()

    def _now(self) -> _Signature | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)
