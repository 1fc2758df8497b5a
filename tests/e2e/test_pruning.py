"""``glboard undo --prune``: old keystrokes are removed as a whole, unsent or failed changes never."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_core.ports import FailedChange, Logged, OutboxEntry
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.log import prunable
from glboard_tui.cli.main import run
from support.make import WHEN, issue, issue_id
from tui.app.stage import GROUP, small_world

Text = pytest.CaptureFixture[str]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A demo world on its own machine."""
    world = small_world()
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with DemoServer(world) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", GROUP)
        yield world


def test_old_changes_are_pruned_after_confirmation(
    world: World, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["edit", f"{GROUP}/platform#1", "--weight", "5"]) == 0
    world.clock.advance(40 * 24 * 3600)
    assert run(["edit", f"{GROUP}/platform#3", "--weight", "6"]) == 0
    capsys.readouterr()
    # The user says no.
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert run(["undo", "--prune", "30"]) != 0
    assert "1 line older than 30 days will be removed from the log.\n" in capsys.readouterr().err
    assert run(["undo", "--prune", "30", "--yes"]) == 0
    assert capsys.readouterr().out == "Removed 1 line from the change log.\n"
    assert run(["undo", "--prune", "30", "--yes"]) == 0
    assert "nothing removed" in capsys.readouterr().out
    assert run(["undo", "--list"]) == 0
    listed = capsys.readouterr().out
    assert "platform#3" in listed
    assert "platform#1" not in listed
    assert run(["undo"]) == 0
    assert run(["undo"]) == 0
    assert "Nothing to undo" in capsys.readouterr().out
    assert world.issue(f"{GROUP}/platform#1").weight == 5
    assert world.issue(f"{GROUP}/platform#3").weight == 1


@pytest.mark.parametrize(
    "arguments", [("--prune", "0"), ("--prune", "x"), ("--prune", "3", "--list"), ("--list", "--yes")]
)
def test_wrong_use(world: World, arguments: tuple[str, ...]) -> None:
    assert run(["undo", *arguments]) == 2


def line(name: str, group: str, hours: float) -> Logged:
    op = Op(
        id=OpId(name),
        group=GroupId(group),
        issue=issue_id(1),
        change=Edit(weight=1),
        at=WHEN,
        before=issue(1),
    )
    return Logged(
        at=WHEN + timedelta(hours=hours),
        change=op,
        op=op.id,
        group=group,
        title="t",
        reference="r",
        what="w",
        was="",
        result="done",
    )


def test_a_keystroke_is_pruned_whole_or_not_at_all() -> None:
    # One half of the second keystroke was confirmed before the time and one after; the third depends on it.
    log = [line("a", "one", 0), line("b", "two", 2), line("c", "three", 1), line("d", "three", 3)]
    log.append(line("e", "two", 9))
    assert prunable(log, WHEN + timedelta(hours=5)) == (WHEN + timedelta(hours=1), 1)
    assert prunable(log, WHEN + timedelta(hours=10)) == (WHEN + timedelta(hours=10), 5)
    assert prunable([], WHEN) == (WHEN, 0)


def test_unsent_or_failed_changes_are_kept(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.sqlite3")
    old = line("a", "one", -1000)
    refusal = FailedChange(op=old.change, title="t", kind="EditForbidden", message="m", hint="", at=old.at)
    store.settle([], [refusal], [old, line("b", "two", 0)])
    store.enqueue([OutboxEntry(op=old.change, title="t")])
    assert store.prune(WHEN) == 1
    assert [entry.op for entry in store.log()] == ["b"]
    assert [entry.op for entry in store.failed_changes()] == [old.change]
    assert [entry.op for entry in store.outbox()] == [old.change]
    store.close()
