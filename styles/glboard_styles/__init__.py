"""How it looks: style sheets by screen, and themes. Loaded as package resources, also out of a zip.

Owns no widgets. A sheet is named after its screen; ``sheet("board")`` is its text.
"""

from __future__ import annotations

from pkgutil import get_data

SHEETS: tuple[str, ...] = ("base", "board", "overlay", "screens")
"""The sheets there are, in the order they apply."""


def sheet(name: str) -> str:
    """The text of ``name``.tcss. Raises FileNotFoundError where there is none."""
    # importlib.resources would do the same, and import zipfile and more for it at every start.
    data = get_data(__name__, f"{name}.tcss")
    if data is None:
        raise FileNotFoundError(f"{name}.tcss")
    return data.decode()


def all_sheets() -> str:
    """All sheets in order, for ``App.CSS``."""
    return "\n".join(map(sheet, SHEETS))
