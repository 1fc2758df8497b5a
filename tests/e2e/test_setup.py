"""From an empty home to one's own board: on screen in a real terminal, and without a screen."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glboard_core.config import Settings, load, parse
from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from glboard_core.demo.http.server import DemoServer
from glboard_core.environment import TOKENS
from glboard_tui.cli.main import run
from support.groups import shop_world
from support.terminal import GLBOARD, Terminal, clean_environment

Text = pytest.CaptureFixture[str]
DAY = "2026-12-07T15:00:00Z"


@pytest.fixture(scope="module")
def gitlab() -> Iterator[SpawnedDemo]:
    with spawn(DemoOptions(as_of=DAY)) as running:
        yield running


def live(text: str) -> bool:
    """Whether the board is shown and fully loaded."""
    return text.partition("\n")[0].rstrip().endswith("live")


def files_with(folder: Path, text: str) -> list[str]:
    """The files below a folder that contain it."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and text.encode() in file.read_bytes()
    )


# On screen


def test_from_an_empty_home_to_the_own_board_by_token(tmp_path: Path, gitlab: SpawnedDemo) -> None:
    with Terminal([*GLBOARD, "--as-of", DAY], tmp_path, columns=100, rows=30) as terminal:
        terminal.see("Connect to GitLab", "Try the demo")
        terminal.press("\r")
        terminal.see("Which GitLab?", "Your GitLab server")
        terminal.press("\r")
        terminal.see("or just the server")
        terminal.press(f"{gitlab.url}/groups/demo-org/-/boards\r")
        terminal.see("Sign in to", "Paste a token", "personal_access_tokens?name=glboard&scopes=api")
        terminal.press("\r")
        terminal.see("nothing typed yet")
        terminal.press(gitlab.token)
        assert gitlab.token not in terminal.see("••••")
        terminal.press("\r")
        text = terminal.see("Proposed from your group", "group::custom models", "all found")
        assert "@em_maple · api · token does not expire" in text
        terminal.press("w")
        terminal.see("Next: gr sets up the")
        terminal.wait(live, "the board")
        terminal.see("no capacity yet: gr")
        terminal.press("q")
        assert terminal.finish() == 0
        assert terminal.screen.left_on() == []
    config = tmp_path / "config" / "glboard" / "config.toml"
    assert load(config).gitlab.group == "demo-org"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert files_with(tmp_path, gitlab.token) == ["state/glboard/credentials.json"]
    # From now on it opens by itself.
    with Terminal([*GLBOARD, "--as-of", DAY], tmp_path) as terminal:
        terminal.wait(live, "the board again")
        terminal.press("q")
        assert terminal.finish() == 0


@pytest.mark.slow
def test_a_set_up_that_was_left_is_gone_on_with(tmp_path: Path, gitlab: SpawnedDemo) -> None:
    environment = {"GITLAB_HOST": gitlab.url, "GITLAB_TOKEN": gitlab.token}
    with Terminal(GLBOARD, tmp_path, environment=environment) as terminal:
        terminal.see("Connect to GitLab")
        terminal.press("c")
        terminal.see("from GITLAB_TOKEN")
        terminal.press("\r")
        terminal.see("Which group do you want to plan?", "demo-org")
        terminal.press("demo-org", "\r")
        terminal.see("Proposed from your group")
        terminal.press("q")
        assert terminal.finish() == 0
    assert not (tmp_path / "config" / "glboard" / "config.toml").exists()
    assert files_with(tmp_path, gitlab.token) == []
    with Terminal(GLBOARD, tmp_path, environment=environment) as terminal:
        terminal.see("Continue setup", "demo-org on 127.0.0.1")
        terminal.press("\r")
        terminal.see("Proposed from your group")
        terminal.press("q")
        assert terminal.finish() == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_it_and_restores_the_terminal(tmp_path: Path, number: int) -> None:
    with Terminal(GLBOARD, tmp_path) as terminal:
        terminal.see("Connect to GitLab")
        os.kill(terminal.pid, number)
        assert terminal.finish() == 128 + number
        assert terminal.screen.left_on() == []
        assert terminal.echoes()


def test_without_a_terminal_it_says_what_to_run(tmp_path: Path) -> None:
    done = subprocess.run(
        GLBOARD,
        env=clean_environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("glboard: No terminal to show the board in.")
    assert "glboard config init --url URL --group GROUP" in done.stderr


# Without a screen


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 100, 160])
def test_config_init_asks_before_it_writes(tmp_path: Path, gitlab: SpawnedDemo, columns: int) -> None:
    arguments = [*GLBOARD, "--as-of", DAY, "config", "init", "--url", gitlab.url, "--group", "demo-org"]
    with Terminal(
        arguments, tmp_path, columns=columns, rows=50, environment={"GITLAB_TOKEN": gitlab.token}
    ) as terminal:
        text = terminal.see("Write ", "config.toml? [Y/n]:", "current is 19.7" if columns > 80 else "SETTING")
        # Each setting has a line of its own at any width.
        assert sum(line.startswith("Deliverable: accepted") for line in text.splitlines()) == 1
        assert all(len(line) <= columns for line in text.splitlines())
        terminal.press("n\r")
        assert terminal.finish() == 130
    assert not (tmp_path / "config" / "glboard" / "config.toml").exists()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "PYTHON_GITLAB_CFG")
    for name in (*names, "GITLAB_HOST", "GLBOARD_GROUP", *TOKENS):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[DemoServer]:
    """The shop's GitLab, with its token in the environment."""
    running = DemoServer(shop_world()).start()
    monkeypatch.setenv("GITLAB_TOKEN", running.token)
    yield running
    running.stop()


def config_of(home: Path) -> Path:
    """The file that is written."""
    return home / ".config" / "glboard" / "config.toml"


def test_config_init_proposes_and_writes(server: DemoServer, home: Path, capsys: Text) -> None:
    assert run(["config", "init", "--url", server.url, "--group", "shop", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "shop on 127.0.0.1" in out
    assert "as rowan: 18 labels, 9 milestones, 1 board" in out
    assert "team::storefront" in out
    assert "current is Sprint 40, next is Sprint 41" in out
    assert "Wrote ~/.config/glboard/config.toml" in out
    settings = load(config_of(home))
    assert (settings.gitlab.url, settings.gitlab.group) == (server.url, "shop")
    assert settings.labels.deliverable == "Committed"
    assert files_with(home / ".config", server.token) == []
    assert run(["config", "check"]) == 0
    assert "no errors" in capsys.readouterr().out
    # What it proposes, the doctor finds.
    assert run(["config", "check", "--online"]) == 0


def test_config_init_names_what_it_does_not_find(server: DemoServer, capsys: Text) -> None:
    assert run(["config", "init", "--url", server.url, "--group", "shop", "--dry-run"]) == 0
    out = capsys.readouterr().err
    assert "Awaiting: no such milestone.\n  Similar: Next up, Later, Icebox." in out
    assert "The Milestones board has no such column until the milestone exists." in out


def test_a_dry_run_writes_nothing(server: DemoServer, home: Path, capsys: Text) -> None:
    assert run(["config", "init", "--url", f"{server.url}/shop/web/front/-/issues", "--dry-run"]) == 0
    captured = capsys.readouterr()
    # Its output is the file, and nothing else.
    assert parse(captured.out, "").gitlab.group == "shop/web"
    assert "shop/web/front is a project; using its group, shop/web." in captured.err
    assert not config_of(home).exists()


@pytest.mark.parametrize(
    "page", ["/groups/shop/web/-/boards", "/shop/web/front/-/issues/1", "/shop/web", "", "/-/help"]
)
def test_the_address_of_a_page_of_a_gitlab_below_a_path(
    page: str, monkeypatch: pytest.MonkeyPatch, capsys: Text
) -> None:
    with DemoServer(shop_world(), relative_url="/gitlab") as below:
        monkeypatch.setenv("GITLAB_TOKEN", below.token)
        group = [] if page.startswith(("/groups", "/shop")) else ["--group", "shop/web"]
        assert run(["config", "init", "--url", f"{below.url}{page}", *group, "--dry-run"]) == 0
        settings = parse(capsys.readouterr().out, "")
        assert (settings.gitlab.url, settings.gitlab.group) == (below.url, "shop/web")


def test_without_an_answer_nothing_is_written(
    server: DemoServer, home: Path, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull, encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert run(["config", "init", "--url", server.url, "--group", "shop"]) == 4
        monkeypatch.undo()
    assert "confirm with --yes" in capsys.readouterr().err
    assert not config_of(home).exists()


def test_an_existing_file_is_completed_and_a_copy_kept(server: DemoServer, home: Path, capsys: Text) -> None:
    config_of(home).parent.mkdir(parents=True)
    before = '[labels]\nspike = "mine"\n'
    config_of(home).write_text(before, "utf-8")
    assert run(["config", "init", "--url", server.url, "--group", "shop", "--yes"]) == 0
    assert "Completed" in capsys.readouterr().out
    assert load(config_of(home)).labels.spike == "mine"
    assert load(config_of(home)).labels.deliverable == "Committed"
    assert config_of(home).with_name("config.toml.bak").read_text("utf-8") == before


def test_a_profile_is_created_by_its_name(server: DemoServer, home: Path, capsys: Text) -> None:
    assert run(["--profile", "shop", "config", "init", "--url", server.url, "--group", "shop", "--yes"]) == 0
    assert "To open the board: glboard --profile shop\n" in capsys.readouterr().out
    profile = config_of(home).parent / "profiles" / "shop.toml"
    assert load(profile).gitlab.group == "shop"
    assert not config_of(home).exists()
    assert run(["--profile", "../x", "config", "init", "--url", server.url, "--group", "shop", "--yes"]) == 2
    assert "is not a valid profile name" in capsys.readouterr().err


def test_a_server_alone_names_the_groups_to_choose_from(server: DemoServer, capsys: Text) -> None:
    assert run(["config", "init", "--url", server.url, "--yes"]) == 2
    assert "Your groups: shop, shop/web." in capsys.readouterr().err


def test_a_group_that_is_misspelt_has_near_matches(server: DemoServer, home: Path, capsys: Text) -> None:
    assert run(["config", "init", "--url", server.url, "--group", "shopp", "--yes"]) == 1
    assert "Similar: shop" in capsys.readouterr().err
    assert run(["config", "init", "--url", server.url, "--group", "rowan", "--yes"]) == 1
    assert "Your groups: shop, shop/web." in capsys.readouterr().err
    assert not config_of(home).exists()


def test_a_board_that_the_team_label_empties_says_so(server: DemoServer, home: Path, capsys: Text) -> None:
    """Without a configuration the label of another team applies."""
    for command in (["show", "planning"], ["report", "mix", "Sprint 40"]):
        run(["--url", server.url, "--group", "shop", *command])
        assert "the team's label “group::custom models” does not exist in shop" in capsys.readouterr().err


def test_a_broken_file_is_named_and_left_alone(server: DemoServer, home: Path, capsys: Text) -> None:
    config_of(home).parent.mkdir(parents=True)
    config_of(home).write_text("[labels\n", "utf-8")
    assert run(["config", "init", "--url", server.url, "--group", "shop", "--yes"]) == 1
    assert "glboard config edit" in capsys.readouterr().err
    assert config_of(home).read_text("utf-8") == "[labels\n"


def test_without_server_and_group_it_is_the_template(home: Path, capsys: Text) -> None:
    assert run(["config", "init"]) == 0
    assert "glboard config init --url URL --group GROUP" in capsys.readouterr().out
    assert load(config_of(home)) == load(home / "no such file")
    assert run(["config", "init"]) == 2


def test_a_dry_run_of_the_template_writes_nothing(home: Path, capsys: Text) -> None:
    assert run(["config", "init", "--dry-run"]) == 0
    assert parse(capsys.readouterr().out, "") == Settings()
    assert not config_of(home).exists()


def test_the_group_of_the_file_is_the_one_that_is_completed(
    server: DemoServer, home: Path, capsys: Text
) -> None:
    config_of(home).parent.mkdir(parents=True)
    config_of(home).write_text(f'[gitlab]\nurl = "{server.url}"\ngroup = "shop"\n', "utf-8")
    assert run(["config", "init", "--yes"]) == 0
    assert load(config_of(home)).labels.deliverable == "Committed"


# The editor


def editor(tmp_path: Path, script: str) -> dict[str, str]:
    """An editor that runs a script with the file's name as its argument."""
    program = tmp_path / "editor.py"
    program.write_text(script, "utf-8")
    return {"EDITOR": f"{sys.executable} {program}"}


def test_config_edit_checks_the_file_afterwards(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\npath = pathlib.Path(sys.argv[1])\ntext = path.read_text()\n"
        "wrong, right = '[labels]\\nspikes = 1\\n', '[ui]\\ndensity = \"dense\"\\n'\n"
        "path.write_text(right if 'spikes' in text else wrong)\n"
    )
    with Terminal([*GLBOARD, "config", "edit"], tmp_path, environment=editor(tmp_path, script)) as terminal:
        text = terminal.see("config.toml:2", "unknown key", "Did you mean “spike”?", "Edit it again?")
        assert "Traceback" not in text
        terminal.press("y\r")
        terminal.see("no errors")
        assert terminal.finish() == 0
    assert load(tmp_path / "config" / "glboard" / "config.toml").ui.density == "dense"


@pytest.mark.slow
def test_an_editor_that_changes_nothing_leaves_no_file(tmp_path: Path) -> None:
    with Terminal(
        [*GLBOARD, "config", "edit"], tmp_path, environment=editor(tmp_path, "import sys\n")
    ) as terminal:
        terminal.see("Nothing was written.")
        assert terminal.finish() == 0
    assert not (tmp_path / "config" / "glboard" / "config.toml").exists()
