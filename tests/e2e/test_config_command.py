"""``glboard config``: what applies and from where, every mistake, the names in GitLab, and the schema."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from glboard_core.config import Settings, parse
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.environment import TOKENS
from glboard_tui.actions import ACTIONS
from glboard_tui.cli.config_schema import schema_of
from glboard_tui.cli.context import Options
from glboard_tui.cli.main import cli, run
from support.documents import configurations

Text = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "GITLAB_HOST", "GLBOARD_GROUP", *TOKENS)
    for name in names:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the configuration file."""

    def written(text: str) -> Path:
        path = tmp_path / ".config" / "glboard" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return written


Write = Callable[[str], Path]


def sources(capsys: Text, *before: str) -> dict[str, tuple[Any, str, str]]:
    """Each setting with its value, source and place."""
    assert run([*before, "config", "show", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    return {one["key"]: (one["value"], one["source"], one["where"]) for one in shown["settings"]}


def test_show_says_where_each_value_comes_from(
    write: Write, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        '[gitlab]\nurl = "https://file.example.com"\ngroup = "of/file"\n'
        '[ui]\ndensity = "dense"\n[[boards]]\nid = "build"\nname = "Ours"\n'
    )
    monkeypatch.setenv("GLBOARD_GROUP", "of/env")
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-planted")
    found = sources(capsys)
    assert found["gitlab.url"] == ("https://file.example.com", "file", "line 2")
    assert found["gitlab.group"] == ("of/env", "environment", "GLBOARD_GROUP")
    assert found["ui.density"] == ("dense", "file", "line 5")
    assert found["ui.theme"] == ("", "default", "")
    assert found["boards.1.name"] == ("Ours", "file", "line 8")
    assert found["boards.1.columns"] == ([], "default", "")
    assert found["boards.0.name"] == ("Planning", "default", "")
    found = sources(capsys, "--url", "https://option.example.com/", "--group", "of/option", "--allow-http")
    assert found["gitlab.url"] == ("https://option.example.com", "option", "--url")
    assert found["gitlab.group"] == ("of/option", "option", "--group")
    assert found["gitlab.allow_http"] == (True, "option", "--allow-http")
    monkeypatch.setenv("GITLAB_HOST", "https://env.example.com")
    assert sources(capsys)["gitlab.url"] == ("https://env.example.com", "environment", "GITLAB_HOST")


def test_show_knows_the_server_of_python_gitlabs_file(
    capsys: Text, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".python-gitlab.cfg"
    file.write_text(
        "[global]\ndefault = ours\n[ours]\nurl = https://ours.example.com\nprivate_token = glpat-planted\n"
    )
    file.chmod(0o600)
    monkeypatch.delenv("PYTHON_GITLAB_CFG", raising=False)
    value, source, where = sources(capsys)["gitlab.url"]
    assert (value, source) == ("https://ours.example.com", "python-gitlab")
    assert where.endswith(".python-gitlab.cfg")


def test_show_prints_a_file_that_means_the_same_and_no_token(
    write: Write, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    [example, *_] = [one for one in configurations() if "[gitlab]" in one]
    write(example)
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-planted")
    assert run(["config", "show"]) == 0
    printed = capsys.readouterr().out
    assert parse(printed, "shown") == parse(example, "config.toml")
    assert "glpat-planted" not in printed
    assert "# Token: from GITLAB_TOKEN, not shown." in printed
    assert run(["config", "show", "--changed"]) == 0
    changed = capsys.readouterr().out
    assert parse(changed, "shown") == parse(example, "config.toml")
    assert len(changed.splitlines()) < len(printed.splitlines()) / 2


def test_check_names_every_mistake_with_its_line(write: Write, capsys: Text) -> None:
    path = write('[gitlab]\ngrop = "x"\n[keymap]\n"undoo" = "u"\n"redo" = "nonsense"\n[ui]\ndensity = 3\n')
    assert run(["config", "check"]) == 1
    said = capsys.readouterr().out
    places = [line.partition(" ")[0] for line in said.splitlines() if not line.startswith("  ")]
    assert places == [f"{path}:{line}:" for line in (2, 4, 5, 7)]
    assert "“undo”" in said
    assert run(["config", "check", "--format", "json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [one["line"] for one in shown["mistakes"]] == [2, 7, 4, 5]


def test_check_accepts_a_right_file_none_at_all_and_harmless_mistakes(write: Write, capsys: Text) -> None:
    assert run(["config", "check"]) == 0
    assert "the defaults apply" in capsys.readouterr().out
    write('[ui]\ndensity = "auto"\n')
    assert run(["config", "check"]) == 0
    assert "no errors" in capsys.readouterr().out
    write('[planning]\nnearly_done = ["in revie"]\n')
    assert run(["config", "check"]) == 0
    assert "“in review”" in capsys.readouterr().out


def test_check_online_looks_for_the_names_in_gitlab(
    write: Write, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer(default_world(issues=5)) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
        assert run(["config", "check", "--online"]) == 0
        assert re.search(r"Labels +All \d+ exist", capsys.readouterr().out)
        write('[labels]\ndeliverable = "Deliverible"\n[milestones]\nbacklog = "Backlogg"\n')
        assert run(["config", "check", "--online"]) == 0
        said = capsys.readouterr().out
    said = " ".join(said.split())
    assert "“Deliverable” for “Deliverible”" in said
    assert "“Backlog” for “Backlogg”" in said


def test_init_writes_an_example_once(capsys: Text) -> None:
    assert run(["config", "init"]) == 0
    assert run(["config", "check"]) == 0
    assert run(["config", "init"]) == 2
    assert "already exists" in capsys.readouterr().err


# The schema


def wrong(value: Any, schema: dict[str, Any], root: dict[str, Any], place: str = "$") -> list[str]:
    """What a value breaks of the parts of JSON Schema that ours uses; an unknown part is a failure."""
    known = {
        "$ref", "anyOf", "type", "enum", "properties", "additionalProperties", "required", "items", "default",
        "description", "title", "$defs", "$schema", "minimum", "maximum", "minLength", "minItems",
    }  # fmt: skip
    assert schema.keys() <= known, schema.keys() - known
    if "$ref" in schema:
        return wrong(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
    if "anyOf" in schema:
        options = [wrong(value, one, root, place) for one in schema["anyOf"]]
        return [] if [] in options else options[0]
    kinds: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
        "number": (int, float), "integer": int,
    }  # fmt: skip
    found = []
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{place} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} is none of {schema['enum']}")
    if isinstance(value, int | float) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        found.append(f"{place} is out of bounds")
    if isinstance(value, str | list) and len(value) < schema.get("minLength", schema.get("minItems", 0)):
        found.append(f"{place} is too short")
    if isinstance(value, list):
        found += [
            p
            for n, one in enumerate(value)
            for p in wrong(one, schema.get("items", {}), root, f"{place}[{n}]")
        ]
    if isinstance(value, dict):
        found += [f"{place} lacks {name}" for name in schema.get("required", ()) if name not in value]
        for name, one in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            if inner is False:
                found.append(f"{place}.{name} is unknown")
            elif isinstance(inner, dict):
                found += wrong(one, inner, root, f"{place}.{name}")
    return found


@pytest.fixture(scope="module", name="schema")
def the_schema() -> dict[str, Any]:
    """As an editor reads it."""
    made: dict[str, Any] = json.loads(json.dumps(schema_of({one.id: one.title for one in ACTIONS})))
    return made


def test_the_schema_accepts_the_defaults_and_the_examples(schema: dict[str, Any], capsys: Text) -> None:
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema
    assert run(["config", "show"]) == 0
    texts = [capsys.readouterr().out]
    texts += configurations()
    texts += ['[milestones]\nbacklog = "Some day"\n']
    for text in texts:
        assert wrong(tomllib.loads(text), schema, schema) == []


@pytest.mark.parametrize(
    "text",
    [
        "[ui]\ntheem = 'x'\n",
        "[ui]\ndensity = 'huge'\n",
        "[sync]\npoll = 0\n",
        "[[boards]]\nid = 'x'\n",
        "[gitlab]\nurl = 3\n",
        "[milestones]\nbacklog = []\n",
        "[planning]\nlikely_share = 2\n",
        "[[boards]]\nid = 'x'\nname = 'X'\nlimits = { a = { issues = -1 } }\n",
    ],
)
def test_the_schema_refuses_what_the_program_refuses(schema: dict[str, Any], text: str) -> None:
    assert wrong(tomllib.loads(text), schema, schema) != []


def test_the_schema_has_every_key_that_there_is(schema: dict[str, Any]) -> None:
    settings = schema["$defs"]["Settings"]["properties"]
    assert tuple(settings) == Settings.__struct_fields__
    assert set(settings["keymap"]["properties"]) == {one.id for one in ACTIONS}


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(shell: str, capsys: Text) -> None:
    assert run(["completion", shell]) == 0
    assert f"_GLBOARD_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [("glboard do", "doctor"), ("glboard config s", "show"), ("glboard --re", "--read-only")],
)
def test_commands_and_options_are_completed(
    words: str, expected: str, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_GLBOARD_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        run([])
    assert expected in capsys.readouterr().out


def test_boards_of_ones_own_are_completed(
    write: Write, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[[boards]]\nid = 'support'\nname = 'Support'\n")
    for name, value in (("_GLBOARD_COMPLETE", "bash_complete"), ("COMP_CWORD", "2")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COMP_WORDS", "glboard show su")
    with pytest.raises(SystemExit):
        run([])
    assert capsys.readouterr().out.strip() == "plain,support"


def test_names_of_milestones_are_completed(
    write: Write, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[milestones]\nsomeday = 'Some day'\n")
    for name, value in (("_GLBOARD_COMPLETE", "bash_complete"), ("COMP_CWORD", "3")):
        monkeypatch.setenv(name, value)
    for typed, expected in (("nex", "next"), ("some", "someday")):
        monkeypatch.setenv("COMP_WORDS", f"glboard report mix {typed}")
        with pytest.raises(SystemExit):
            run([])
        assert f"plain,{expected}" in capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("glboard edit p#1 --board bac", "plain,backlog"),
        ("glboard edit p#1 --milestone nex", "plain,next"),
        ("glboard show planning --milestone curr", "plain,current"),
        ("glboard open planning --milestone curr", "plain,current"),
        ("glboard demo --board bui", "plain,build"),
        ("glboard --profile wo", "plain,work"),
        ("glboard --team te", "file,te"),
    ],
)
def test_values_of_options_are_completed(
    words: str, expected: str, write: Write, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = write("").parent / "profiles" / "work.toml"
    profile.parent.mkdir()
    profile.touch()
    monkeypatch.setenv("_GLBOARD_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        run([])
    assert expected in capsys.readouterr().out.split()


def test_zsh_completes_more_than_once(capsys: Text) -> None:
    """The file is a function from its second call on, and must not pass for being sourced."""
    assert run(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert "$funcstack[1] == _glboard" in script
    assert "loadautofunc ]]" not in script


def every_command(command: click.Command, path: str = "glboard") -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, by their whole names."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inside = command.get_command(context, name)
            assert inside is not None
            yield from every_command(inside, f"{path} {name}")


def test_the_manual_page_has_every_command_and_option(capsys: Text) -> None:
    assert run(["man"]) == 0
    page = capsys.readouterr().out.replace("\\-", "-")
    first, *sections = re.split(r"^\.SS ", page, flags=re.MULTILINE)
    (_, root), *commands = every_command(cli)
    assert len(commands) > 25
    found = {path: next(one for one in sections if re.match(rf"{path}[ \n]", one)) for path, _ in commands}
    for section, command in ((first, root), *((found[path], command) for path, command in commands)):
        for one in command.params:
            if isinstance(one, click.Option) and not one.hidden:
                assert any(name in section for name in one.opts), one.opts
    for option in ("--read-only", "--debug", "--dry-run", "--online", "GITLAB_TOKEN", "config.toml"):
        assert option in page
    # A list stays a list.
    kinds = [line for line in page.splitlines() if line.startswith(("say-do  ", "triage  "))]
    assert len(kinds) == 2
    # Nothing but requests begins with a dot.
    assert {line.split()[0] for line in page.splitlines() if line.startswith(".")} <= {
        ".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".nf", ".fi",
    }  # fmt: skip


def test_each_profile_has_a_team_of_its_own(tmp_path: Path) -> None:
    """A profile is for another group, or another server: other people work there."""
    folder = tmp_path / ".config" / "glboard"
    (folder / "profiles").mkdir(parents=True)
    for name in ("home", "work"):
        (folder / "profiles" / f"{name}.toml").write_text("", "utf-8")
    places = [Options(profile=name).team_file for name in ("home", "work")]
    assert places == [folder / "profiles" / name / "team.toml" for name in ("home", "work")]
    assert Options().team_file == folder / "team.toml"
    assert Options(profile="home", team=tmp_path / "x").team_file == tmp_path / "x"
    # One that was written for all of them stays in use.
    shared = folder / "profiles" / "team.toml"
    shared.write_text("", "utf-8")
    assert Options(profile="home").team_file == shared


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--config", "{folder}"), "is a folder.\n  Name the file in it: --config {folder}/config.toml"),
        (("--config", "{folder}/none.toml"), "no such file."),
        (("--profile", "../x"), "“../x” is not a valid profile name."),
        (("--profile", ""), "“” is not a valid profile name."),
        (
            ("--profile", "hme"),
            "no such profile.\n  Profiles: home. Create it: glboard --profile hme config init",
        ),
        (("--config", "a.toml", "--profile", "home"), "--config and --profile cannot be combined."),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_told_as_such(
    given: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Text
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    home = tmp_path / "glboard" / "profiles" / "home.toml"
    home.parent.mkdir(parents=True)
    home.write_text("", "utf-8")
    for command in (("show", "planning"), ("config", "check"), ("config", "path")):
        assert run([*(one.format(folder=tmp_path) for one in given), *command]) in (1, 2), command
        told = capsys.readouterr()
        assert says.format(folder=tmp_path) in told.err + told.out, command
