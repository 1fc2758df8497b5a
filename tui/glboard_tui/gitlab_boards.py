"""Boards of GitLab on the screen: read when asked, opened at once, and kept in the configuration if wanted.

Owns what is between the engine and the command; the command asks and shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glboard_core.config import BoardSettings
from glboard_core.errors import ConfigError, NotConnected
from glboard_core.files import read_text
from glboard_core.setup.offered import OfferedBoard
from glboard_tui.bridge import Bridge


async def read_boards(bridge: Bridge) -> Sequence[OfferedBoard]:
    """The boards of the group. Raises NotConnected, and what the server's answers raise."""
    from glboard_core.gitlab_boards import gitlab_boards

    if bridge.engine is None:
        raise NotConnected
    return await gitlab_boards(bridge.engine)


def keep_board(path: Path, board: BoardSettings) -> None:
    """Add a board to the end of a configuration file. Raises ConfigError if it cannot be written."""
    from glboard_core.setup.write import board_text

    try:
        text = read_text(path) if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if not text or text.endswith("\n") else "\n") + ("\n" if text else ""))
            file.write(board_text(board))
    except OSError as error:
        raise ConfigError(f"cannot write this file: {error.strerror or error}.", where=str(path)) from None
