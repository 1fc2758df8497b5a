"""The pages that people read: README, those next to it, and those in docs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def pages() -> dict[str, str]:
    """Every page by its path from the top."""
    files = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files}


def blocks(language: str, *names: str) -> list[str]:
    """The fenced blocks of a language, of the pages named, or of all."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [text for name in names or pages() for text in pattern.findall(pages()[name])]


def configurations() -> list[str]:
    """Every example of a configuration file."""
    return [text for text in blocks("toml") if "[[people]]" not in text]
