"""What was answered in a set-up that is not finished: kept in the state folder, never a token.

Owns the file ``setup.json`` (mode 0600). One that cannot be read is none: the questions are asked again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from glboard_core.folders import state_folder

FILE = "setup.json"


class Progress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answers so far: server, where its token comes from, group, and the lines that were changed."""

    url: str = ""
    source: str = ""
    user: str = ""
    group: str = ""
    chosen: dict[str, tuple[str, ...]] = {}


class ProgressFile:
    """The file, in one folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """The file, which need not exist."""
        if self._folder is None:
            self._folder = state_folder()
        return self._folder / FILE

    def load(self) -> Progress:
        """What was kept; nothing if there is no such file."""
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(self.path.read_bytes(), type=Progress)
        return Progress()

    def keep(self, progress: Progress) -> None:
        """Keep the answers; where that is not possible, they are asked again."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(progress))

    def forget(self) -> None:
        """Remove the file: the set-up is finished."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
