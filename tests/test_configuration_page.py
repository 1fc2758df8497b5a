"""The page about config.toml, and the words of its keys: complete, up to date, with examples that work."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, structs

from glboard_core.command_template import CommandSettings
from glboard_core.config import BoardSettings, Limit, Settings
from glboard_core.config_check import check, table_kind
from glboard_core.config_words import KEYS, TABLES
from glboard_tui.actions import ACTIONS
from glboard_tui.cli.config_schema import schema_of
from glboard_tui.config_file import screen_mistakes

ROOT = Path(__file__).parents[1]
MAKER: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "make_configuration.py"))


def keys(kind: type[Struct], path: str) -> Iterator[str]:
    """All keys that are no tables, by their path."""
    for field in structs.fields(kind):
        if (inner := table_kind(field.type)) is not None:
            yield from keys(inner, f"{path}{field.name}.")
        elif path or field.name not in ("boards", "commands", "milestones", "keymap"):
            yield path + field.name


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == MAKER["page"]()


def test_every_key_has_words_and_no_words_are_left_over() -> None:
    known = {*keys(Settings, ""), *keys(BoardSettings, "boards."), *keys(Limit, "boards.limits.")}
    known |= {*keys(CommandSettings, "commands.")}
    assert set(KEYS) == known
    tables = {field.name for field in structs.fields(Settings)}
    assert set(TABLES) == tables | {"boards.limits", "planning.issue"}


@pytest.mark.parametrize("table", TABLES)
def test_every_example_is_a_configuration_without_mistakes(table: str) -> None:
    checked = check(TABLES[table].example)
    assert [*checked.mistakes, *screen_mistakes(checked)] == []
    assert checked.lines


def test_editors_show_the_words_of_each_key() -> None:
    schema = schema_of({one.id: one.title for one in ACTIONS})
    definitions = schema["$defs"]
    assert definitions["BoardSettings"]["properties"]["filter"]["description"] == KEYS["boards.filter"]
    assert definitions["Limit"]["properties"]["weight"]["description"] == KEYS["boards.limits.weight"]
    described = sum("description" in one for d in definitions.values() for one in d["properties"].values())
    assert described >= len(KEYS)
