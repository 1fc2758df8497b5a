"""The README is correct: keys, configuration, the JSON of ``show``, boards, commands, options."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from glboard_core.config import DEFAULT_BOARDS, parse
from glboard_core.demo.http.faults import KINDS
from glboard_core.planning.plan_lock import PlanSnapshot, imported
from glboard_core.planning.team import Member, Team, parse_team
from glboard_tui.actions import markdown_table
from glboard_tui.cli.main import COMMANDS, cli
from glboard_tui.cli.show import ShownBoard, ShownColumn, ShownIssue
from glboard_tui.keymap import Keymap

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_key_table_matches_the_registry() -> None:
    _, _, rest = README.partition("<!-- keys: made by docs/make_keys.py -->\n")
    table, _, _ = rest.partition("<!-- end of keys -->")
    assert table.strip() == markdown_table().strip(), "run: python docs/make_keys.py"


@pytest.mark.parametrize("text", [text for text in blocks("toml") if "[[people]]" not in text])
def test_configuration_examples_are_valid(text: str) -> None:
    settings = parse(text, "README.md")
    Keymap(settings.keymap)


def test_team_example_is_valid_and_complete() -> None:
    [text] = [text for text in blocks("toml") if "[[people]]" in text]
    assert len(parse_team(text, "README.md").people) == 1
    for key in (*Team.__struct_fields__, *Member.__struct_fields__):
        # A person's own holidays use the same key as the team's.
        assert key in text


def test_json_example_has_the_fields_of_show() -> None:
    board = json.loads(blocks("json")[0])
    column = board["columns"][0]
    issue = column["issues"][0]
    shapes = ((board, ShownBoard), (column, ShownColumn), (issue, ShownIssue))
    for shown, shape in shapes:
        assert tuple(shown) == shape.__struct_fields__


def test_plan_example_has_every_field_and_can_be_imported() -> None:
    text = blocks("json")[1].encode()
    plan = imported(text, "README.md")
    assert set(json.loads(text)) == {"glboard_plan", *PlanSnapshot.__struct_fields__}
    assert plan.issues[0].assignees == ("eng_elm",)


def test_boards_commands_and_faults_are_documented() -> None:
    for board in DEFAULT_BOARDS:
        assert board.id in README
        assert f"| {board.name} |" in README
    for command in COMMANDS:
        assert f"glboard {command}" in README
    for fault in KINDS:
        assert fault in README


def test_options_exist() -> None:
    said = set(re.findall(r"`(?:glboard )?(--[a-z-]+)", README)) - {"--help"}
    known: set[str] = set()
    context = cli.make_context("glboard", [], resilient_parsing=True)
    for name in ("", *COMMANDS):
        command = cli.get_command(context, name) if name else cli
        assert command is not None
        known |= {option for parameter in command.params for option in parameter.opts}
    assert said <= known, said - known


def test_screenshot_exists() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    for picture, board in zip(pictures, ("planning", "build", "decisions"), strict=True):
        assert board in picture
        svg = (Path(__file__).parents[2] / picture).read_text("utf-8")
        assert "Planning" in svg
        # It loads nothing remote: no fonts, no scripts.
        assert "url(http" not in svg.replace('"', "")
