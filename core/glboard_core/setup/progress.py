"""What was answered in a set-up that is not finished: kept in the state folder, never a token.

Owns the file ``setup.json`` (mode 0600). One that cannot be read is none: the questions are asked again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from glboard_core.auth import private_files
from glboard_core.errors import ConfigError, StoreFailed
from glboard_core.files import read_bytes
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
        with suppress(OSError, ConfigError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(read_bytes(self.path), type=Progress)
        return Progress()

    def keep(self, progress: Progress) -> None:
        """Keep the answers; where that is not possible, they are asked again."""
        with suppress(StoreFailed):
            private_files.replace(self.path, msgspec.json.encode(progress))

    def forget(self) -> None:
        """Remove the file: the set-up is finished."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
