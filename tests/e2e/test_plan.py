"""``glboard plan`` from the command line, on the embedded GitLab: lock, show, export, import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, ME, small_world


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    world = small_world()
    world.edit(f"{GROUP}/platform#1", by=ME, add_labels=["Deliverable"])
    world.clock.advance(60)
    with DemoServer(world) as running:
        yield running


@pytest.fixture
def world(server: DemoServer) -> World:
    return server.world


@pytest.fixture(autouse=True)
def _account(server: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", GROUP)
    somebody(monkeypatch, tmp_path / "mine")


def somebody(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Another machine."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name))


Text = pytest.CaptureFixture[str]


def plan(*arguments: str) -> int:
    return run(["plan", *arguments])


def as_json(capsys: Text, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_lock_show_and_say_do_of_a_locked_plan(capsys: Text, world: World) -> None:
    assert plan("show", "next") == 1
    assert "glboard plan lock 19.8" in capsys.readouterr().err
    assert plan("lock", "next") == 0
    assert "Locked 19.8: 1 Deliverable, weight 2, locked 20" in capsys.readouterr().out
    shown = as_json(capsys, "plan", "show", "next")
    assert shown["issues"] == [{"reference": f"{GROUP}/platform#1", "weight": 2, "assignees": ["eng_birch"]}]
    assert (shown["locked_by"], shown["rebuilt"], shown["weight"]) == (ME, False, 2)
    world.edit(f"{GROUP}/platform#5", by=ME, add_labels=["Deliverable"])
    scope = as_json(capsys, "report", "scope", "next")
    assert (scope["added"], scope["locked_by"]) == ([f"{GROUP}/platform#5"], ME)
    report = as_json(capsys, "report", "say-do", "next")
    assert (report["source"], report["locked_by"]) == ("snapshot", ME)
    assert run(["report", "say-do", "next"]) == 0
    assert f"by {ME}" in capsys.readouterr().out
    world.edit(f"{GROUP}/platform#5", by=ME, remove_labels=["Deliverable"])


def test_locked_plan_is_replaced_only_on_request(capsys: Text, world: World) -> None:
    assert plan("lock", "19.8") == 0
    world.edit(f"{GROUP}/platform#1", by=ME, weight=3)
    assert plan("lock", "19.8") == 2
    assert "--replace" in capsys.readouterr().err
    assert as_json(capsys, "plan", "show", "19.8")["weight"] == 2
    assert plan("lock", "19.8", "--replace") == 0
    assert as_json(capsys, "plan", "show", "19.8")["weight"] == 3
    # The old one is kept and can be restored.
    assert as_json(capsys, "plan", "show", "19.8", "--number", "2")["weight"] == 2
    assert plan("restore", "19.8", "2") == 0
    assert as_json(capsys, "plan", "show", "19.8")["weight"] == 2
    assert plan("show", "19.8", "--list") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert plan("show", "19.8", "--number", "9") == 2
    world.edit(f"{GROUP}/platform#1", by=ME, weight=2)


def test_colleague_imports_the_plan(
    capsys: Text, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, world: World
) -> None:
    file = tmp_path / "plan.json"
    assert plan("lock", "next") == plan("export", "next", "-o", str(file)) == 0
    world.edit(f"{GROUP}/platform#1", by=ME, weight=1)
    somebody(monkeypatch, tmp_path / "theirs")
    assert plan("import", str(file)) == 0
    assert f"by {ME}" in capsys.readouterr().out
    assert as_json(capsys, "report", "scope", "next")["reweighted"] == [
        {"reference": f"{GROUP}/platform#1", "from": 2, "to": 1}
    ]
    assert plan("import", str(file)) == 0
    assert "already the current plan" in capsys.readouterr().out
    assert plan("lock", "next", "--replace") == plan("import", str(file), "--replace") == 0
    assert as_json(capsys, "plan", "show", "next")["weight"] == 2
    assert as_json(capsys, "plan", "show", "next", "--number", "2")["weight"] == 1
    capsys.readouterr()
    assert plan("export", "next") == 0
    assert capsys.readouterr().out.encode() == file.read_bytes()
    world.edit(f"{GROUP}/platform#1", by=ME, weight=2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"group": "other-org"}, "it belongs to other-org on"),
        ({"host": "gitlab.example.com"}, "but this is demo-org on 127.0.0.1"),
        ({"milestone": "19.88"}, "No milestone named"),
        ({"glboard_plan": 2}, "uses format 2"),
        ({"issues": 1}, "not a locked plan"),
    ],
)
def test_foreign_or_invalid_plan_is_rejected(
    change: dict[str, Any], says: str, capsys: Text, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    assert plan("lock", "next") == plan("export", "next", "-o", str(file)) == 0
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    capsys.readouterr()
    assert plan("import", str(file), "--replace") in (1, 2)
    assert says in capsys.readouterr().err
    assert plan("import", str(tmp_path / "missing.json")) == 1
    assert "no such file" in capsys.readouterr().err


def test_lock_as_of_a_time(capsys: Text) -> None:
    # Before the demo starts there is nothing; a time in the future cannot be locked.
    assert plan("lock", "next", "--at", "2020-01-01") == 0
    assert "0 Deliverables" in capsys.readouterr().out
    assert as_json(capsys, "plan", "show", "next")["rebuilt"] is True
    assert plan("lock", "next", "--at", "2060-01-01") == 2
    assert "in the future" in capsys.readouterr().err
    assert plan("lock", "backlog") == 2
    assert "no start and due date" in capsys.readouterr().err
