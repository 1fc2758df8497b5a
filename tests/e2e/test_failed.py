"""What GitLab refused: only a command's own changes count; the rest is listed, retried and discarded."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from glboard_core.auth.search import find_account
from glboard_core.board.operations import Edit
from glboard_core.config import Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import upheavals
from glboard_core.demo.world.world import World
from glboard_core.session import EngineOptions, open_engine
from glboard_core.sync.timing import Timing
from glboard_tui.cli import sending
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, ME, small_world

Text = pytest.CaptureFixture[str]

MINE, LOCKED = f"{GROUP}/platform#1", f"{GROUP}/locked#1"


def connect(server: DemoServer, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder / name))
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", GROUP)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A group on a machine of its own."""
    with DemoServer(small_world()) as server:
        connect(server, monkeypatch, tmp_path)
        yield server.world


def listed(capsys: Text) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["failed", "list", "--format", "json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_status_and_words_are_of_this_calls_changes_alone(world: World, capsys: Text) -> None:
    assert run(["edit", LOCKED, "--weight", "3"]) == 1
    assert f"{LOCKED}: not changed: You are not allowed" in capsys.readouterr().err
    for weight in (5, 6):
        assert run(["edit", MINE, "--weight", str(weight)]) == 0
        said = capsys.readouterr()
        assert (said.out, said.err) == (f"{MINE}: weight {weight}\n", "")
        assert world.issue(MINE).weight == weight
    assert run(["undo"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{MINE}: undone: platform#1 weight 6\n", "")
    assert world.issue(MINE).weight == 5


def test_undo_asks_before_it_deletes_a_posted_comment(
    world: World, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    def posted() -> bool:
        return any("green again" in note.body for note in world.issue(MINE).notes or ())

    assert run(["edit", MINE, "--comment", "green again"]) == 0
    assert posted()
    capsys.readouterr()
    assert run(["undo"]) == 4
    assert "This deletes the posted comment. Run again with --yes." in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert run(["undo"]) == 0
    assert posted()
    assert run(["undo", "--yes"]) == 0
    assert not posted()


def test_undo_offers_to_discard_a_refused_change_and_undoes_no_earlier_one(
    world: World, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["edit", MINE, "--weight", "5"]) == 0
    assert run(["edit", LOCKED, "--weight", "3"]) == 1
    capsys.readouterr()
    assert run(["undo"]) == 4
    said = capsys.readouterr().err
    assert "GitLab rejected the last change: locked#1 weight 3" in said
    assert "run again with --yes" in said
    assert world.issue(MINE).weight == 5
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert run(["undo"]) == 0
    assert capsys.readouterr().out == "Nothing was undone.\n"
    assert run(["undo", "--yes"]) == 0
    assert capsys.readouterr().out == "Discarded: locked#1 weight 3. Nothing undone.\n"
    assert listed(capsys) == []
    assert run(["undo"]) == 0
    assert world.issue(MINE).weight == 2


def test_failed_changes_are_listed_retried_and_discarded(world: World, capsys: Text) -> None:
    assert run(["failed", "list"]) == 0
    assert capsys.readouterr().out == "Nothing failed.\n"
    for command in ("retry", "discard"):
        assert run(["failed", command]) == 2
        assert run(["failed", command, "--all", MINE]) == 2
        assert run(["failed", command, "--all"]) == 0
        assert capsys.readouterr().out == "Nothing failed.\n"
    assert run(["edit", LOCKED, "--weight", "3"]) == 1
    assert run(["edit", LOCKED, "--milestone", "19.9"]) == 1
    rows = listed(capsys)
    assert [(row["reference"], row["what"], row["kind"]) for row in rows] == [
        (LOCKED, "weight 3", "failed"),
        (LOCKED, "to 19.9", "failed"),
    ]
    assert run(["failed", "retry", "platform#9"]) == 2
    assert "No failed change named “platform#9”" in capsys.readouterr().err
    assert run(["failed", "retry", "--all"]) == 1
    assert len(listed(capsys)) == 2
    world.project(f"{GROUP}/locked").overrides[world.user(ME).id] = 40
    assert run(["failed", "retry", "locked#1"]) == 0
    assert capsys.readouterr().out == f"{LOCKED}: weight 3\n{LOCKED}: to 19.9\n"
    assert world.issue(LOCKED).weight == 3
    assert listed(capsys) == []
    assert run(["undo"]) == 0


@pytest.mark.parametrize("name", [LOCKED, "locked#1", "https://gitlab.example/demo-org/locked/-/issues/1"])
def test_a_failed_change_is_discarded_by_any_name_of_its_issue(name: str, world: World, capsys: Text) -> None:
    assert run(["edit", LOCKED, "--weight", "3"]) == 1
    assert run(["--read-only", "failed", "discard", name]) == 1
    capsys.readouterr()
    assert run(["failed", "discard", name]) == 0
    assert capsys.readouterr().out == f"{LOCKED}: weight 3: discarded\n"
    assert listed(capsys) == []


def test_what_went_through_of_an_edit_is_named_and_can_be_undone(
    capsys: Text, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Without a licence GitLab drops the weight silently, and the label is on.
    with DemoServer(small_world(tier="free")) as server:
        connect(server, monkeypatch, tmp_path)
        assert run(["edit", MINE, "--weight", "1", "--add-label", "only-platform"]) == 3
        said = capsys.readouterr()
        assert said.out == f"{MINE}: +only-platform\n"
        assert f"{MINE}: not changed: weight 1: The weight was not set" in said.err
        assert [row["what"] for row in listed(capsys)] == ["weight 1"]
        assert run(["undo"]) == 0
        said = capsys.readouterr()
        assert said.out == f"{MINE}: undone: platform#1 edit\n"
        assert "1 rejected change of it: never applied" in said.err
        assert "only-platform" not in {label.title for label in server.world.issue(MINE).labels}


def test_the_status_that_gitlab_moves_along_is_undone_with_it(world: World, capsys: Text) -> None:
    world.edit(MINE, by=ME, status="In review")
    assert run(["edit", MINE, "--close"]) == 0
    assert world.issue(MINE).status == "Complete"
    assert run(["undo"]) == 0
    assert world.issue(MINE).open
    assert world.issue(MINE).status == "In review"
    # Somebody who reopened it in the meantime has decided on its status.
    assert run(["edit", MINE, "--close"]) == 0
    world.edit(MINE, by="pm_oak", reopen=True)
    world.edit(MINE, by="pm_oak", status="In dev")
    assert run(["undo"]) == 1
    assert "status is now In dev" in capsys.readouterr().err
    assert world.issue(MINE).status == "In dev"


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [([], "show planning"), (["open", "build"], "show build"), (["demo"], "demo --serve 127.0.0.1:0")],
)
def test_without_a_terminal_no_board_is_drawn(
    arguments: list[str], instead: str, world: World, capsys: Text
) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert "No terminal to show the board in." in said.err
    assert f"Try glboard {instead}.\n" in said.err
    assert said.out == ""


def test_an_empty_board_says_so(world: World, capsys: Text) -> None:
    assert run(["show", "build", "--milestone", "19.10", "--format", "csv"]) == 0
    assert "glboard: no issues on the board build of 19.10.\n" in capsys.readouterr().err
    assert run(["undo", "--list"]) == 0
    assert capsys.readouterr().out == "No changes yet.\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DemoServer]:
    """A group on a machine of its own, whose server can fail."""
    with DemoServer(small_world()) as running:
        connect(running, monkeypatch, tmp_path)
        yield running


def test_a_change_that_could_not_be_sent_is_not_sent_later(server: DemoServer, capsys: Text) -> None:
    assert run(["edit", MINE, "--weight", "4"]) == 0
    server.faults.next("401", "updateIssue", times=9)
    capsys.readouterr()
    assert run(["edit", MINE, "--weight", "5"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{MINE}: not changed: ")
    assert "rejected the token" in said.err
    server.faults.clear()
    assert run(["edit", f"{GROUP}/platform#3", "--weight", "5"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{GROUP}/platform#3: weight 5\n", "")
    assert server.world.issue(MINE).weight == 4


def test_maintenance_is_said_as_what_a_command_can_do_about_it(server: DemoServer, capsys: Text) -> None:
    server.world.traits.maintenance = True
    assert run(["edit", MINE, "--weight", "5"]) == 1
    said = capsys.readouterr().err
    assert "in maintenance mode" in said
    assert "kept" not in said  # a command keeps nothing to send it later
    server.world.traits.maintenance = False
    assert run(["edit", MINE, "--weight", "5"]) == 0
    assert capsys.readouterr().out == f"{MINE}: weight 5\n"


def test_a_lost_answer_of_an_earlier_command_does_not_hold_up_the_next(
    server: DemoServer, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The next command waits until GitLab cannot be working on the lost request any longer.
    monkeypatch.setattr("glboard_core.sync.engine.Timing", partial(Timing, server_limit=1.0))
    assert run(["edit", MINE, "--weight", "4"]) == 0
    # GitLab fails without a word, and no longer answers what became of it.
    server.faults.next("reset-before", "updateIssue")
    server.faults.next("401", "issue", skip=1, times=1)
    capsys.readouterr()
    assert run(["edit", f"{GROUP}/platform#3", "--weight", "5"]) == 1
    assert "The change may have been applied." in capsys.readouterr().err
    server.faults.clear()
    assert run(["edit", MINE, "--weight", "6"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{MINE}: weight 6\n", "")


async def clash(world: World) -> None:
    """Leave a conflict in the outbox: somebody else sets a weight while it is set here."""
    account = find_account()
    async with open_engine(EngineOptions(group=GROUP), Settings(), account=account) as engine:
        await engine.reader.sign_in()
        (issue,) = await engine.reader.load_issues([MINE])
        engine.perform([(issue.id, Edit(weight=5))], "weight 5")
        world.edit(MINE, by="pm_oak", weight=8)
        await engine.reader.reread([issue.id])
        await engine.sender.flush()
        assert engine.outbox.conflicting(issue.id)


@pytest.mark.parametrize(("command", "weight"), [("retry", 5), ("discard", 8)])
def test_a_conflict_is_listed_and_decided(command: str, weight: int, world: World, capsys: Text) -> None:
    asyncio.run(clash(world))
    (row,) = listed(capsys)
    assert (row["reference"], row["what"], row["kind"]) == (MINE, "weight 5", "conflict")
    assert row["reason"] == "someone else changed it: weight was 2, yours 5, now 8"
    # What would wait for the decision is not changed, and not left behind.
    assert run(["edit", MINE, "--milestone", "19.9"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "not changed: an earlier change of the issue is in conflict: weight was 2" in said.err
    assert run(["failed", command, "--all"]) == 0
    assert "1 conflict not included" in capsys.readouterr().err
    assert run(["failed", command, "platform#1"]) == 0
    assert capsys.readouterr().out.startswith(f"{MINE}: weight 5")
    assert world.issue(MINE).weight == weight
    milestone = world.issue(MINE).milestone
    assert milestone is not None
    assert milestone.title == "19.8"
    assert listed(capsys) == []


def test_a_long_edit_shows_a_bar_and_each_issue_as_it_is_done(
    world: World, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BAR_AFTER", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    names = [f"{GROUP}/platform#{n}" for n in (1, 3, 5)]
    assert run(["edit", *names, "--milestone", "19.9"]) == 0
    said = capsys.readouterr()
    assert "0 of 3 changes, " in said.err
    assert said.err.endswith("\r\x1b[K")
    assert sorted(said.out.splitlines()) == [f"{name}: to 19.9" for name in names]


def test_a_log_that_cannot_be_read_is_not_an_empty_one(
    world: World, tmp_path: Path, capsys: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the state folder nothing is known of earlier changes: there may well be something to undo."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", "utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_the_way))
    for command in (["undo"], ["undo", "--list"], ["failed", "list"], ["failed", "retry", "--all"]):
        assert run(command) == 1, command
        said = capsys.readouterr()
        assert said.out == ""
        # In words, without the number of the error and the path twice.
        assert said.err.startswith(
            f"glboard: Cannot save changes in {in_the_way / 'glboard'}: Not a directory."
        )


def test_a_renamed_group_is_followed_by_what_only_reads(world: World, capsys: Text) -> None:
    """By its id, which the mirror has: at once, not only when the names are read again anyway."""
    assert run(["show", "planning", "--milestone", "any"]) == run(["report", "load", "19.8"]) == 0
    upheavals.rename_group(world, world.root, "summit")
    assert run(["show", "planning", "--milestone", "any"]) == 0
    upheavals.rename_group(world, world.root, "peak")
    assert run(["report", "load", "19.8"]) == 0
    assert "not found" not in capsys.readouterr().err
