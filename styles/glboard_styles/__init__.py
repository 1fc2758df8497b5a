"""How it looks: style sheets by screen, and themes. Loaded as package resources, also out of a zip.

Owns no widgets. A sheet is named after its screen; ``sheet("board")`` is its text.
"""

from __future__ import annotations

from importlib.resources import files

SHEETS: tuple[str, ...] = ("base", "board", "overlay", "screens")
"""The sheets there are, in the order they apply."""


def sheet(name: str) -> str:
    """The text of ``name``.tcss. Raises FileNotFoundError where there is none."""
    return (files(__package__ or "glboard_styles") / f"{name}.tcss").read_text(encoding="utf-8")


def all_sheets() -> str:
    """All sheets in order, for ``App.CSS``."""
    return "\n".join(map(sheet, SHEETS))
