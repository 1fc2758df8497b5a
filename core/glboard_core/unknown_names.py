"""The errors for a name that does not exist: with those that are similar, or with all there are. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from glboard_core.errors import NameUnknown


def no_board(name: str, boards: Iterable[str]) -> NameUnknown:
    """There is no board of that name among ``boards``."""
    return not_among("board", name, boards)


def not_among(kind: str, name: str, names: Iterable[str]) -> NameUnknown:
    """Nothing of that kind is called so; these are all ``names``."""
    from difflib import get_close_matches

    known = {one.casefold(): one for one in names}
    if near := tuple(known[one] for one in get_close_matches(name.casefold(), known, 3, 0.6)):
        return NameUnknown(kind, name, near)
    return NameUnknown(kind, name, hint=f"Choose one of {', '.join(known.values())}.")
