"""``glboard report decisions``: everyone's decisions since a moment, with what this machine alone knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glboard_core.decision_log import keep_call
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from glboard_core.planning.call import new_call
from glboard_core.store.sqlite import SqliteStore
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, GROUP_LABEL, ME, NOW, READY, small_world


@pytest.fixture
def world() -> World:
    """What happened in the last day of four."""
    world = small_world()
    world.create(
        f"{GROUP}/platform",
        "Leak at Some Customer",
        by="pm_oak",
        add_labels=[GROUP_LABEL, "type::bug", READY],
        milestone="19.8",
        weight=1,
        confidential=True,
    )
    world.index.rebuild()
    world.clock.advance(3 * 86_400)
    world.edit(f"{GROUP}/platform#2", by="pm_oak", weight=2)
    world.edit(f"{GROUP}/platform#4", by="eng_alder", milestone="19.9")
    world.edit(f"{GROUP}/platform#12", by="pm_oak", milestone="Backlog")
    # There and back again.
    world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=5)
    world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=1)
    return world


@pytest.fixture(autouse=True)
def _account(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with DemoServer(world) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", GROUP)
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(name, str(tmp_path / name))
        yield


def report(capsys: pytest.CaptureFixture[str], *arguments: str, style: str = "json") -> Any:
    assert run(["report", "decisions", "19.8", "--since", "1d", *arguments, "--format", style]) == 0
    printed = capsys.readouterr().out
    return json.loads(printed) if style == "json" else printed


def test_everyones_decisions_in_every_format(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["edit", "platform#1", "--accept", "eng_birch", "--yes"]) == 0
    capsys.readouterr()
    # A note of a call on this machine comes along.
    [state] = (tmp_path / "XDG_STATE_HOME" / "glboard").glob("*.sqlite3")
    store = SqliteStore(state)
    call = new_call("19.8", NOW)
    [platform] = [issue for issue in store.issues().values() if issue.reference.endswith("platform#1")]
    later = NOW.replace(day=10, hour=16)
    keep_call(store, call.noted([platform], "Who reviews?", later))
    store.close()

    found = report(capsys)
    assert [(one["reference"], one["kind"], one["by"]) for one in found["decisions"]] == [
        ("demo-org/platform#1", "accepted", ["em_maple"]),
        ("demo-org/platform#4", "deferred", ["eng_alder"]),
        ("demo-org/platform#2", "reweighted", ["pm_oak"]),
        ("demo-org/platform#12", "dropped", []),
    ]
    assert found["decisions"][0]["assignees"] == ["eng_birch"]
    assert found["decisions"][1]["changes"] == [
        {"field": "milestone", "of": None, "from": "19.8", "to": "19.9"}
    ]
    hidden = found["decisions"][3]
    assert hidden | {"at": ""} == {
        "reference": "demo-org/platform#12",
        "title": "confidential",
        "confidential": True,
        "kind": "dropped",
        "weight": None,
        "assignees": [],
        "changes": [],
        "by": [],
        "at": "",
        "note": None,
    }
    assert found["capacity"]["before"] == {
        "total_weight": None,
        "carry_over_likely": None,
        "planned": 10,
        "accepted": 0,
        "unweighted": 4,
        "free": None,
    }
    assert found["capacity"]["after"]["planned"] == 8
    assert found["open_questions"] == ["demo-org/platform#1: Who reviews?"]
    assert [one["reference"] for one in report(capsys, "--by", "@pm_oak")["decisions"]] == [
        "demo-org/platform#2",
        "demo-org/platform#12",
    ]
    for style, words in (
        ("table", "demo-org/platform#4  19.8 to 19.9"),
        ("markdown", "| demo-org/platform#12 | (confidential) |"),
        ("csv", "deferred,demo-org/platform#4,19.8 to 19.9,eng_alder,2026-12-10 15:00,Upgrade the runner,"),
    ):
        printed = report(capsys, style=style)
        assert words in printed
        assert "Customer" not in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decisions", "19.8", "--since", "soon"], "is not a date or time"),
        (["decisions", "19.8", "--since", "2031-01-01"], "is in the future"),
        (["mix", "19.8", "--since", "7d"], "are for decisions"),
        (["decisions"], "Which milestone?"),
    ],
)
def test_wrong_options_are_usage_errors(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_one_persons_decisions_by_their_former_name_and_mine_as_me(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.edit(f"{GROUP}/platform#5", by="eng_birch", weight=8)
    world.edit(f"{GROUP}/platform#6", by=ME, weight=3)
    assert run(["show", "planning"]) == 0
    upheavals.rename_user(world, world.user("eng_birch"), "eng_elm")
    assert run(["show", "planning", "--fresh"]) == 0
    capsys.readouterr()
    for by, found in (("eng_birch", "platform#5"), ("Eng_Elm", "platform#5"), ("me", "platform#6")):
        decisions = report(capsys, "--by", by)["decisions"]
        assert [one["reference"] for one in decisions if one["by"]] == [f"{GROUP}/{found}"], by
