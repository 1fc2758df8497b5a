"""An error has words for every surface: those of the core, which the command line prints, name no key."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

COLLECTOR: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "make_texts.py"))
#: A key to press, a prefix and its key in parentheses, and what only a running screen does.
SCREEN_ONLY = re.compile(
    r"\b[Pp]ress(es|ing)? |\((?:g|x|s|!) ?\w\)|\bg[a-z]\b lists"
    r"|\b(?:[Rr]etrying|[Tt]rying again) (?:when|in)\b",
    re.ASCII,
)


def test_no_text_of_the_core_or_the_command_line_names_a_key() -> None:
    found = [
        f"{one.place}: {one.text}"
        for one in COLLECTOR["texts"]()
        if one.path.startswith(("core/", "tui/glboard_tui/cli/"))
        and "[keymap]" not in one.text
        and SCREEN_ONLY.search(one.text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["It is gone. Press r to refresh.", "see failed changes (g f).", "Trying again when it is back."]
)
def test_words_of_the_screen_are_found(text: str) -> None:
    assert SCREEN_ONLY.search(text)
