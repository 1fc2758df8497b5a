"""Odd but sensible arguments: names in other letters, empty values, questions without an answer."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_tui.cli.main import COMMANDS, cli, run
from glboard_tui.cli.report_kinds import REPORTS
from tui.app.stage import GROUP, ME, small_world

Text = pytest.CaptureFixture[str]

ONE = f"{GROUP}/platform#1"


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A server that no test changes."""
    with DemoServer(small_world()) as running:
        yield running


@pytest.fixture(autouse=True)
def _machine(server: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that is signed in to it, where no one is at the terminal."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", GROUP)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    server.requests.clear()


@pytest.fixture
def world(server: DemoServer) -> Iterator[World]:
    """Its world; nothing was sent to it."""
    yield server.world
    assert not [one for one in server.requests if one.mutations]


def edit(*arguments: str) -> int:
    """A dry run of ``glboard edit``."""
    return run(["edit", ONE, *arguments, "--dry-run"])


@pytest.mark.parametrize("name", ["NEXT", "%next", " next ", '%"next"', "%19.8"])
def test_a_milestone_is_understood_as_people_write_it(world: World, name: str, capsys: Text) -> None:
    assert run(["show", "planning", "--milestone", name]) == 0
    assert capsys.readouterr().out.startswith("planning 19.8  as of ")


def test_what_no_milestone_is_called_has_near_words(world: World, capsys: Text) -> None:
    assert edit("--milestone", "nxt") == 2
    said = capsys.readouterr().err
    assert "Similar: next" in said
    assert "[milestones]" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        "edit https://oauth2:glpat-planted@other.example/g/p/-/issues/1 --weight 1",
        "edit https://other.example/g/p/-/issues/1?x=1&private_token=planted --weight 1",
        "edit https://planted@h/g/p/-/epics/1 --weight 1",
        "edit glpat-planted1234 --weight 1",
        "show glpat-planted1234",
        "config boards https://oauth2:planted@h/groups/a/-/boards/1",
    ],
)
def test_no_token_that_was_pasted_is_repeated(world: World, arguments: str, capsys: Text) -> None:
    assert run(arguments.split()) in (1, 2)
    told = capsys.readouterr()
    assert "…" in told.err
    assert "planted" not in told.out + told.err


def test_signs_without_end_are_no_milestone(world: World, capsys: Text) -> None:
    assert run(["show", "planning", "--milestone", "%" * 3_000]) == 2
    assert "No milestone named" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["9" * 5_000, "²", "123456"])
def test_a_port_that_is_no_number_is_wrong_use(port: str, capsys: Text) -> None:
    assert run(["demo", "--serve", f"127.0.0.1:{port}"]) == 2
    assert "is not HOST:PORT" in capsys.readouterr().err


def test_none_is_a_milestone_in_any_case(world: World, capsys: Text) -> None:
    assert edit("--milestone", "NONE") == 0
    assert "no milestone" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["planning", "Planning", "PLANNING"])
def test_a_board_is_found_by_id_or_name_in_any_case(world: World, name: str, capsys: Text) -> None:
    assert run(["show", name, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "planning"
    assert run(["show", "next 1-3", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "next-1-3"
    assert edit("--board", name, "--to", "type::bug") == 0


@pytest.mark.parametrize("name", ["me", "@me", ME.upper()])
def test_me_is_a_person(world: World, name: str, capsys: Text) -> None:
    assert edit("--assign", name) == 0
    assert f"assign {ME}" in capsys.readouterr().out


def test_a_person_no_one_knows_is_told_with_what_to_give(world: World, capsys: Text) -> None:
    assert edit("--assign", "xyz") == 2
    assert "Give a username, or me." in capsys.readouterr().err


@pytest.mark.parametrize("title", ["~Deliverable", '~"Deliverable"'])
def test_a_label_is_understood_as_gitlab_writes_it(world: World, title: str, capsys: Text) -> None:
    assert edit("--add-label", title) == 0
    assert "+Deliverable" in capsys.readouterr().out


def test_a_label_that_does_not_exist_is_named_before_anything_is_sent(world: World, capsys: Text) -> None:
    for more in ([], ["--dry-run"]):
        assert run(["edit", ONE, "--weight", "7", "--add-label", "nope", *more]) == 2
        assert "No label named “nope”" in capsys.readouterr().err
    assert run(["failed", "list"]) == 0
    assert "Nothing failed." in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--weight", ""),
        ("--accept", ""),
        ("--board", "", "--to", ""),
        ("--board", "planning", "--to", ""),
        ("--milestone", ""),
        ("--comment", " "),
        ("--assign", "@"),
        ("--add-label", "~"),
    ],
)
def test_an_empty_value_is_never_no_change(world: World, arguments: tuple[str, ...], capsys: Text) -> None:
    assert edit("--ready", *arguments) == 2
    said = capsys.readouterr().err
    assert any(one in said for one in arguments[::2])


def test_the_work_item_of_a_group_is_no_issue(server: DemoServer, world: World, capsys: Text) -> None:
    assert run(["edit", f"{server.url}/groups/{GROUP}/-/work_items/1", "--weight", "1"]) == 2
    assert "such as an epic" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--limit", "3"), ("--format", "json")])
def test_what_belongs_to_the_list_undoes_nothing(
    world: World, arguments: tuple[str, ...], capsys: Text
) -> None:
    assert run(["undo", *arguments]) == 2
    assert "is for --list. Nothing was undone." in capsys.readouterr().err
    assert run(["undo", "--list", *arguments]) == 0


def test_a_question_that_no_one_can_answer_ends_with_its_own_status(
    world: World, capsys: Text, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[planning.issue]\nproject = "{GROUP}/platform"\n', "utf-8")
    assert run(["--config", str(config), "milestone", "open", "next"]) == 4
    assert "run again with --yes" in capsys.readouterr().err


def test_names_and_all_are_one_too_many(world: World, capsys: Text) -> None:
    assert run(["failed", "discard", "--all", ONE]) == 2
    assert "cannot be combined" in capsys.readouterr().err


def test_the_list_of_plans_has_numbers(world: World, capsys: Text) -> None:
    assert run(["plan", "lock", "19.7"]) in (0, 3)
    capsys.readouterr()
    assert run(["plan", "show", "19.7", "--list", "--format", "json"]) == 0
    [plan] = json.loads(capsys.readouterr().out)
    assert (plan["number"], type(plan["issues"])) == (1, int)


@pytest.mark.parametrize("arguments", [("--profile", "work"), ("--config", "/no/such.toml")])
def test_a_configuration_that_is_not_there_is_told_with_how_to_create_it(
    world: World, arguments: tuple[str, str], capsys: Text
) -> None:
    assert run([*arguments, "show", "planning"]) == 1
    assert f"glboard {' '.join(arguments)} config init" in capsys.readouterr().err


def test_decisions_by_no_one_are_no_empty_list(world: World, capsys: Text) -> None:
    assert run(["report", "decisions", "19.8", "--by", "eng_birhc"]) == 2
    assert "@eng_birhc: no such user" in (said := capsys.readouterr().err)
    assert "eng_birch" in said
    assert run(["report", "decisions", "19.8", "--by", "@eng_birch"]) == 0


def test_a_time_is_said_as_people_read_it(world: World, capsys: Text) -> None:
    assert run(["--as-of", "2026-11-20", "report", "scope", "19.9"]) == 2
    assert "UTC" in (said := capsys.readouterr().err)
    assert "+00:00" not in said


def test_signing_in_is_advised_for_the_server_that_was_named(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Text
) -> None:
    monkeypatch.delenv("GITLAB_TOKEN")
    monkeypatch.setenv("HOME", str(tmp_path))
    other = "https://gitlab.example.com"
    assert run(["--url", other, "show", "planning"]) == 1
    assert f"Run: glboard auth login --url {other}. Or" in capsys.readouterr().err
    assert run(["auth", "status", "--url", other, "--offline"]) == 1
    assert f"Sign in: glboard auth login --url {other}\n" in capsys.readouterr().out
    assert run(["show", "planning"]) == 1
    assert "Run: glboard auth login. Or" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "decisions", "19.8", "--since", ""),
        ("report", "decisions", "19.8", "--by", " "),
        ("--group", "", "show", "planning"),
        ("--url", "", "show", "planning"),
    ],
)
def test_an_empty_option_is_not_the_default(arguments: tuple[str, ...], world: World, capsys: Text) -> None:
    assert run([*arguments]) == 2
    assert "needs a value: it is empty." in capsys.readouterr().err


# The help


def commands() -> Iterator[tuple[str, click.Context]]:
    """Every command and subcommand, by what is typed."""

    def below(context: click.Context, path: str) -> Iterator[tuple[str, click.Context]]:
        yield path, context
        if isinstance(group := context.command, click.Group):
            for name in group.list_commands(context):
                command = group.get_command(context, name)
                assert command is not None
                inner = click.Context(command, parent=context, info_name=name)
                yield from below(inner, f"{path} {name}")

    yield from below(click.Context(cli, info_name="glboard"), "glboard")


def test_every_option_and_command_says_what_it_does() -> None:
    silent = [
        f"{path} {parameter.opts[0]}"
        for path, context in commands()
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []
    for path, context in commands():
        shown = context.get_help()
        assert "..." not in shown.partition("Commands:")[2], path
        # What is to be copied is on one line.
        assert "bash-\n" not in shown


def test_every_report_is_in_the_help_and_an_unknown_subcommand_has_near_ones(capsys: Text) -> None:
    assert all(one.kind.replace("say-do", "Say/Do") in COMMANDS["report"][1] for one in REPORTS)
    for group, typed, near in (("auth", "staus", "status"), ("plan", "lok", "lock")):
        assert run([group, typed]) == 2
        assert f"No command named “{typed}”.\n  Similar: {near}" in capsys.readouterr().err
    assert run(["auth", "token"]) == 2
    assert "See glboard auth --help." in capsys.readouterr().err
