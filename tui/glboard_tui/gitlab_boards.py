"""Boards of GitLab on the screen: read when asked, opened at once, and kept in the configuration if wanted.

Owns what is between the engine and the command; the command asks and shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glboard_core.config import BoardSettings
from glboard_core.errors import NotConnected
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
    from glboard_core.store import team_file

    # Written as a whole: what is added would otherwise be in another encoding than the rest.
    seen = team_file.read(path)
    text = (seen or "").replace("\r\n", "\n")
    between = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    team_file.write(path, f"{text}{between}{board_text(board)}", seen=seen)
