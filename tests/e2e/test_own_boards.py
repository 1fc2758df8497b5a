"""Boards of one's own and the workflow in labels, statuses and both, by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from glboard_core.config import parse
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, small_world

Text = pytest.CaptureFixture[str]
ONE, OTHER = f"{GROUP}/platform#1", f"{GROUP}/platform#8"
SUPPORT = """
[[boards]]
id = "support"
name = "Support"
by = "priority"
filter = "~bug w>1"
limits = { "priority::1" = { issues = 0 }, "*" = { weight = 1 } }
[[boards]]
id = "flow"
name = "Flow"
by = "flow"
columns = ["ready for development", "in dev", "in review"]
"""

Configure = Callable[[str], None]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A world on a machine of its own; two issues have a state, as label and as status."""
    world = small_world()
    world.add_label(world.group(GROUP), "priority::2")
    for name, status in ((ONE, "Ready for development"), (OTHER, "In dev")):
        world.issue(name).status = status
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with DemoServer(world) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", GROUP)
        yield world


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Writes the configuration file."""
    path = tmp_path / "XDG_CONFIG_HOME" / "glboard" / "config.toml"

    def write(text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    return write


def state_of(world: World, name: str) -> tuple[str, str]:
    issue = world.issue(name)
    labels = [one.title for one in issue.labels if one.title.startswith("workflow::")]
    return ", ".join(labels).replace("workflow::", ""), (issue.status or "").lower()


def test_a_board_by_priority_with_a_filter_and_limits(
    world: World, configure: Configure, capsys: Text
) -> None:
    configure(SUPPORT)
    world.edit(ONE, by="em_maple", add_labels=["priority::1"])
    assert run(["show", "support", "--format", "json"]) == 0
    columns = {one["name"]: one for one in json.loads(capsys.readouterr().out)["columns"]}
    assert [one["reference"] for one in columns["priority::1"]["issues"]] == [ONE]
    assert (columns["priority::1"]["limit_issues"], columns["priority::1"]["over_issues"]) == (0, 1)
    assert {one["reference"] for one in columns["(unlisted)"]["issues"]} == {OTHER, f"{GROUP}/ai-gateway#1"}
    assert columns["priority::2"]["issues"] == []
    assert run(["show", "support"]) == 0
    said = capsys.readouterr().out
    assert "priority::1  1 of 0 issues  2 w  1 over its limit" in said
    assert run(["edit", ONE, "--board", "support", "--to", "priority::2"]) == 0
    titles = {label.title for label in world.issue(ONE).labels}
    assert "priority::2" in titles
    assert "priority::1" not in titles


@pytest.mark.parametrize("backend", ["label", "status", "both"])
def test_the_options_of_edit_set_the_state_where_it_is_stored(
    world: World, configure: Configure, capsys: Text, backend: str
) -> None:
    configure(f'{SUPPORT}[flow]\nbackend = "{backend}"\n')
    status = {"label": "ready for development"}.get(backend, "in dev")
    label = {"status": "ready for development"}.get(backend, "in dev")
    assert run(["edit", ONE, "--take"]) == 0
    assert state_of(world, ONE) == (label, status)
    column = "In review" if backend == "status" else "workflow::in review"
    assert run(["edit", ONE, "--board", "flow", "--to", column]) == 0
    status = {"label": "ready for development"}.get(backend, "in review")
    label = {"status": "ready for development"}.get(backend, "in review")
    assert state_of(world, ONE) == (label, status)
    capsys.readouterr()
    assert run(["show", "flow", "--format", "json"]) == 0
    columns = {one["name"]: one for one in json.loads(capsys.readouterr().out)["columns"]}
    assert [one["reference"] for one in columns[column]["issues"]] == [ONE]
    assert run(["undo"]) == 0
    assert state_of(world, ONE)[0 if backend == "label" else 1] == "in dev"
    assert run(["edit", ONE, "--complete"]) == 0
    assert not world.issue(ONE).open
    assert "complete" in state_of(world, ONE)[0 if backend != "status" else 1]


def test_label_and_status_that_differ_are_made_the_same(
    world: World, configure: Configure, capsys: Text
) -> None:
    configure('[flow]\nbackend = "both"\n')
    for name in (ONE, OTHER):
        world.issue(name).status = "In review"
    assert run(["edit", ONE, "--align-flow", "status"]) == 0
    assert state_of(world, ONE) == ("in review", "in review")
    assert run(["undo"]) == 0
    assert state_of(world, ONE) == ("ready for development", "in review")
    assert run(["edit", ONE, OTHER, "--align-flow", "label"]) == 0
    assert state_of(world, ONE) == ("ready for development", "ready for development")
    assert state_of(world, OTHER) == ("in dev", "in dev")
    capsys.readouterr()
    assert run(["edit", ONE, "--align-flow", "label"]) == 0
    assert "no change, already set" in capsys.readouterr().out
    assert run(["edit", ONE, "--align-flow", "label", "--take"]) == 2


def test_boards_of_gitlab_are_printed_as_configuration(
    world: World, configure: Configure, capsys: Text
) -> None:
    root = world.group(GROUP)
    board = world.add_board(root, "Support board")
    for title in ("type::bug", "type::feature"):
        world.add_list(board, "label").label = world.label_of(root, title)
    board.weight = 2
    states = world.add_board(root, "States")
    world.add_list(states, "status").status = world.statuses["In dev"]
    configure("")
    assert run(["config", "boards", "support board"]) == 0
    printed = capsys.readouterr().out
    settings = parse(printed, "printed")
    found = settings.board("support-board")
    assert found is not None
    assert (found.by, found.columns, found.filter) == ("label", ("type::bug", "type::feature"), "w:2")
    assert run(["config", "boards"]) == 0
    assert 'set backend = "status" or "both" under [flow]' in capsys.readouterr().out
    configure(printed)
    assert run(["show", "support-board", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "support-board"
    assert run(["config", "boards", "Suport"]) == 2
