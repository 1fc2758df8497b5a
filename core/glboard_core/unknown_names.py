"""The errors for a name that does not exist: with those that are similar, or with all there are. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from glboard_core.errors import NameUnknown


def no_board(name: str, boards: Iterable[str]) -> NameUnknown:
    """There is no board of that name among ``boards``."""
    from difflib import get_close_matches

    known = {board.casefold(): board for board in boards}
    if near := tuple(known[one] for one in get_close_matches(name.casefold(), known, 3, 0.6)):
        return NameUnknown("board", name, near)
    return NameUnknown("board", name, hint=f"Choose one of {', '.join(known.values())}.")
