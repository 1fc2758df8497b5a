"""The look of glboard: style sheets by screen, and themes. Loaded as package resources, also from a zip.

Owns no widgets. A sheet is named after its screen; ``sheet("board")`` returns its text.
"""

from __future__ import annotations

from pkgutil import get_data

SHEETS: tuple[str, ...] = ("base", "board", "overlay", "screens")
"""All sheets, in the order they apply."""


def sheet(name: str) -> str:
    """The text of ``name``.tcss. Raises FileNotFoundError if there is none."""
    # importlib.resources would do the same, but import zipfile and more at every start.
    data = get_data(__name__, f"{name}.tcss")
    if data is None:
        raise FileNotFoundError(f"{name}.tcss")
    return data.decode()


def all_sheets() -> str:
    """All sheets in order, for ``App.CSS``."""
    return "\n".join(map(sheet, SHEETS))
