"""README and the pages of docs are correct: keys, configuration, JSON, boards, commands, options, links."""

from __future__ import annotations

import json
import re

import pytest

from glboard_core.config import DEFAULT_BOARDS, parse
from glboard_core.demo.http.faults import KINDS
from glboard_core.planning.plan_lock import PlanSnapshot, imported
from glboard_core.planning.team import Member, Team, parse_team
from glboard_tui.actions import markdown_table
from glboard_tui.cli import auth, config, undo
from glboard_tui.cli.main import COMMANDS, cli
from glboard_tui.cli.show import ShownBoard, ShownColumn, ShownIssue
from glboard_tui.config_file import keymap_of
from support.documents import ROOT, blocks, configurations, pages

README = pages()["README.md"]
COMMAND_LINE = pages()["docs/command-line.md"]


def test_key_table_matches_the_registry() -> None:
    _, _, rest = pages()["docs/keys.md"].partition("<!-- keys: made by docs/make_keys.py -->\n")
    table, _, _ = rest.partition("<!-- end of keys -->")
    assert table.strip() == markdown_table().strip(), "run: python docs/make_keys.py"


def test_readme_is_short_and_leads_with_the_two_commands_and_pictures() -> None:
    assert len(README.splitlines()) <= 150
    first, second = re.findall(r"^```\n(python3 .*)\n```", README, re.MULTILINE)
    assert first.endswith("glboard demo")
    assert second.endswith("-m pytest")
    assert README.index("planning-dark") < README.index("build-dark") < README.index(first)
    for way in ("pipx install .", "uv tool install ."):
        assert way in README


def test_readme_says_what_the_command_is_before_it_is_used() -> None:
    own = README.index("## Your own board")
    said = README[own : README.index("```\nglboard\n```", own)]
    assert "pipx install ." in said
    assert ".venv/bin/glboard" in said


def test_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(((?:docs/)?[\w-]+\.md)\)", README))
    # Facts for those who change the gateway; ARCHITECTURE.md leads there.
    missing = set(pages()) - linked - {"README.md", "docs/gitlab-api.md"}
    assert not missing


@pytest.mark.parametrize("text", configurations())
def test_configuration_examples_are_valid(text: str) -> None:
    settings = parse(text, "config.toml")
    keymap_of(settings)


def test_team_example_is_valid_and_complete() -> None:
    [text] = [text for text in blocks("toml") if "[[people]]" in text]
    assert len(parse_team(text, "team.toml").people) == 1
    for key in (*Team.__struct_fields__, *Member.__struct_fields__):
        # A person's own holidays use the same key as the team's.
        assert key in text


def test_json_example_has_the_fields_of_show() -> None:
    board = json.loads(blocks("json", "docs/command-line.md")[0])
    column = board["columns"][0]
    issue = column["issues"][0]
    shapes = ((board, ShownBoard), (column, ShownColumn), (issue, ShownIssue))
    for shown, shape in shapes:
        assert tuple(shown) == shape.__struct_fields__


def test_plan_example_has_every_field_and_can_be_imported() -> None:
    text = blocks("json", "docs/command-line.md")[1].encode()
    plan = imported(text, "plan.json")
    assert set(json.loads(text)) == {"glboard_plan", *PlanSnapshot.__struct_fields__}
    assert plan.issues[0].assignees == ("eng_elm",)


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("undo --list", undo._LOGGED),
        ("failed list", ("reference", "what", "kind", "reason", "hint", "at", "text")),
        ("config show", (*config.ShownSettings.__struct_fields__, *config.ShownSetting.__struct_fields__)),
        ("config check", config.ShownMistakes.__struct_fields__),
        ("auth status", (*auth.ShownAccounts.__struct_fields__, *auth.ShownAccount.__struct_fields__)),
    ],
)
def test_other_json_has_the_fields_that_are_listed(command: str, fields: tuple[str, ...]) -> None:
    [row] = re.findall(rf"^\| `{command}` \| (.*) \|$", COMMAND_LINE, re.MULTILINE)
    assert set(fields) <= set(re.findall(r"`([a-z_]+)`", row))


def test_boards_commands_and_faults_are_documented() -> None:
    for board in DEFAULT_BOARDS:
        assert board.id in README
        assert f"| {board.name} |" in README
        assert f"| {board.name} |" in pages()["docs/boards.md"]
    for command in COMMANDS:
        assert f"glboard {command}" in README
        assert f"glboard {command}" in COMMAND_LINE
    for fault in KINDS:
        assert fault in COMMAND_LINE


@pytest.mark.parametrize("name", sorted(pages()))
def test_options_exist(name: str) -> None:
    said = set(re.findall(r"`(?:glboard )?(--[a-z-]+)", pages()[name]))
    # And of another program, in the page about commands of one's own.
    known = {"--help", "--title"}
    context = cli.make_context("glboard", [], resilient_parsing=True)
    for command_name in ("", *COMMANDS):
        command = cli.get_command(context, command_name) if command_name else cli
        assert command is not None
        for one in (command, *getattr(command, "commands", {}).values()):
            known |= {option for parameter in one.params for option in parameter.opts}
    assert said <= known, said - known


def test_screenshots_exist() -> None:
    for name, text in pages().items():
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
            svg = ((ROOT / name).parent / picture).read_text("utf-8")
            # It loads nothing remote: no fonts, no scripts.
            assert "url(http" not in svg.replace('"', ""), picture
