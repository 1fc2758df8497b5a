"""Files written before the modules were renamed are read: state, configuration, team, exported plan.

``files/`` was written by glboard at commit 0030641; ``make_files.py`` says how, and what is in each file.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from glboard_core.board.operations import Edit
from glboard_core.config import Settings, load
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Account, Secret
from glboard_core.model.issue import Issue
from glboard_core.planning.team import parse_team
from glboard_core.planning.team_edit import OfPerson, edited
from glboard_core.report_issues import closed_key
from glboard_core.session import EngineOptions, open_engine
from glboard_core.store.database import state_file
from glboard_core.store.report_tables import ReportCache
from glboard_core.store.sqlite import SqliteStore
from glboard_tui.actions import ACTIONS
from glboard_tui.cli.main import run
from glboard_tui.cli.open import Last
from glboard_tui.keymap import Keymap
from glboard_tui.unseen_changes import UnseenChanges
from support.engines import GROUP, GROUP_LABEL, ME, build_world, session

FILES = Path(__file__).parent / "files"
OLD_HOST = "127.0.0.1:48123"
SERVER = json.loads((FILES / "server.json").read_text("utf-8"))

Text = pytest.CaptureFixture[str]


def restore(name: str, path: Path) -> Path:
    """A state file from its SQL text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FILES / name).read_text("utf-8"))
    return path


def world_then(*, unsent: bool) -> World:
    """The server as it was when the state file was written."""
    world = build_world()
    world.add_milestone(world.group(GROUP), "19.6", date(2026, 10, 17), date(2026, 11, 13))
    world.create(
        "top/app", "Long done", by=ME, add_labels=[GROUP_LABEL], milestone="19.6", weight=4, close=True
    )
    world.edit("top/app#4", by=ME, add_labels=["Deliverable"])
    title, description = SERVER["new"]
    world.create("top/app", title, by=ME, add_labels=[GROUP_LABEL])
    world.edit("top/app#14", by=ME, description=description)
    world.edit("top/app#1", by=ME, weight=5)
    for reference, body in SERVER["notes"]:
        if unsent or reference != "top/app#12":
            world.comment(reference, body, by=ME)
    if unsent:
        world.edit("top/app#5", by="eng_1", weight=8)
    world.index.rebuild()
    world.clock.advance(600)
    return world


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[SqliteStore]:
    """The state of a moment when nothing was unsent."""
    store = SqliteStore(restore("history.sql", tmp_path / "s.sqlite3"))
    assert store.notice == ""
    yield store
    store.close()


@pytest.fixture
def unsent(tmp_path: Path) -> Iterator[SqliteStore]:
    """The state with unsent changes."""
    store = SqliteStore(restore("unsent.sql", tmp_path / "s.sqlite3"))
    assert store.notice == ""
    yield store
    store.close()


# The state file


def test_the_mirror(quiet: SqliteStore) -> None:
    assert len(quiet.issues()) == 16
    by_reference = {issue.reference: issue for issue in quiet.issues().values()}
    first = by_reference["top/app#1"]
    assert (first.title, first.weight, first.milestone, first.is_open) == ("Issue 1", 5, "19.7", True)
    assert first.labels == {GROUP_LABEL, "type::bug"}
    catalog = quiet.catalog()
    assert catalog is not None
    assert (catalog.group, catalog.me.username) == (GROUP, ME)
    assert [milestone.title for milestone in catalog.milestones if milestone.title == "19.6"] == ["19.6"]
    for key in ("user", "scope", "cursor", "caught_up", "clock", "boards-made"):
        assert quiet.meta(key), key


def test_the_change_log(quiet: SqliteStore) -> None:
    lines = [(line.title, line.reference, line.result) for line in reversed(quiet.log())]
    assert lines == [
        ("Accept", "top/app#4", "done"),
        ("Weight 3", "top/locked#1", "failed"),
        ("New issue", "top/app#14", "done"),
        ("Post the capacity", "top/app#3", "done"),
        ("Comment", "top/app#2", "done"),
        ("Weight 8", "top/app#1", "done"),
        ("Weight 8", "top/app#1", "undone"),
        ("undo: Weight 8", "top/app#1", "done"),
        ("Weight 5", "top/app#1", "done"),
    ]
    newest = quiet.log()[0]
    assert (newest.what, newest.was) == ("weight 5", "weight 1")
    assert isinstance(newest.change.change, Edit)
    assert newest.change.before is not None


def test_plans_and_what_reports_keep(quiet: SqliteStore) -> None:
    [plan] = quiet.plans("19.7")
    assert [(row.reference, row.weight) for row in plan.issues] == [("top/app#4", 1)]
    assert (plan.locked_by, plan.host, plan.rebuilt) == (ME, OLD_HOST, False)
    catalog = quiet.catalog()
    assert catalog is not None
    kept = ReportCache(quiet, date(2026, 12, 7), catalog.group_id)
    accepted = next(issue for issue in quiet.issues().values() if issue.reference == "top/app#4")
    [history] = kept.histories([accepted.id]).values()
    assert Counter(event.kind for event in history.events)["label"] >= 1
    # Which of them were only moved was not kept then: they are read again.
    assert kept.issues(closed_key((GROUP_LABEL,), "19.6")) is None


def test_unsent_changes_are_all_there(unsent: SqliteStore) -> None:
    entries = unsent.outbox()
    assert [(type(entry.op.change).__name__, entry.title) for entry in entries] == [
        ("Edit", "Weight 2"),
        ("Edit", "Several fields"),
        ("Edit", "Description"),
        ("Edit", "Close"),
        ("Rank", "Rank to the top"),
        ("Comment", "Comment"),
        ("NoteWrite", "Post the capacity"),
        ("NoteWrite", "Post the plan"),
        ("DeleteNote", "undo: Comment"),
        ("Create", "New issue"),
        ("Edit", "Weight 3"),
        ("Comment", "Comment"),
        ("Edit", "To the next milestone"),
    ]
    assert [entry.sent > 0 for entry in entries] == [False] * 11 + [True] * 2
    [conflict] = entries[0].conflicts
    assert (conflict.field, conflict.saw, conflict.mine, conflict.theirs) == ("weight", "1", "2", "8")
    assert all(not entry.conflicts for entry in entries[1:])


def test_changes_by_others_are_still_new(unsent: SqliteStore) -> None:
    news = UnseenChanges()
    news.take_up(unsent.meta("unseen"))
    [row] = news
    assert (row.issue.reference, row.by, row.issue.weight) == ("top/app#5", ("eng_1",), 8)


async def test_unsent_changes_are_sent_once(unsent: SqliteStore) -> None:
    async with DemoServer(world_then(unsent=True)) as server, session(server, unsent) as one:
        await one.settled()
        assert one.engine.status.conflicts == 1
        assert [item.op.change for item in unsent.outbox()] == [Edit(weight=2)]
        sixth = one.there("app#6")
        assert one.labels_there("app#6") == {GROUP_LABEL, "workflow::in dev"}
        assert (sixth.weight, sixth.milestone.title, sixth.title) == (None, "19.8", "Renamed")
        assert [user.username for user in sixth.assignees] == ["eng_1"]
        assert one.there("app#7").description == "New text"
        assert one.there("app#8").closed is not None
        assert one.there("app#9").position < one.there("app#10").position
        assert one.notes_there("app#10") == ["Only a comment"]
        assert one.notes_there("app#3") == ["Free 2"]
        assert one.notes_there("app#11") == ["Locked"]
        assert one.notes_there("app#2") == []
        new = one.there("app#15")
        assert (new.title, new.weight, new.milestone.title) == ("Another one", 3, "19.8")
        assert new.description.startswith("With text")
        # Both were claimed: one had arrived, one had not.
        assert one.notes_there("app#12") == ["Did this arrive?"]
        assert (one.there("app#1").milestone.title, one.there("app#1").weight) == ("19.8", 5)
        # The choice that was waiting can be made.
        assert one.there("app#5").weight == 8
        one.engine.keep_mine(one.issue("app#5").id)
        await one.settled()
        assert one.there("app#5").weight == 2
        assert not unsent.outbox()


async def test_a_failed_change_is_retried(quiet: SqliteStore) -> None:
    world = world_then(unsent=False)
    async with DemoServer(world) as server, session(server, quiet) as one:
        [(op, error)] = one.engine.failed
        assert (type(error).__name__, op.change) == ("EditForbidden", Edit(weight=3))
        world.project("top/locked").overrides.clear()
        one.engine.retry(op.id)
        await one.settled()
        assert one.there("locked#1").weight == 3
        assert one.engine.failed == []


async def test_the_file_is_found_without_a_connection(tmp_path: Path) -> None:
    shutil.copy(FILES / "users.json", tmp_path / "users.json")
    account = Account(url=f"http://{OLD_HOST}", token=Secret("none"))
    restore("unsent.sql", state_file(tmp_path, account.url, GROUP, ME))
    place = EngineOptions(group=GROUP, folder=tmp_path)
    async with open_engine(place, Settings(), account=account) as engine:
        assert len(engine.store.outbox()) == 13
        shown: dict[str, Issue] = {issue.reference: issue for issue in engine.shown.values()}
        assert shown["top/app#6"].title == "Renamed"
        assert shown["top/app#5"].weight == 2
        assert engine.catalog is not None


# The command line


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """The quiet state file, the configuration and the team in a home folder, and the server."""
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    config = tmp_path / "config" / "glboard"
    config.mkdir(parents=True)
    for name in ("config.toml", "team.toml"):
        shutil.copy(FILES / name, config / name)
    with DemoServer(world_then(unsent=False)) as server:
        state = tmp_path / "state" / "glboard"
        restore("history.sql", state_file(state, server.url, GROUP, ME))
        users = (FILES / "users.json").read_text("utf-8").replace(f"http://{OLD_HOST}", server.url)
        (state / "users.json").write_text(users, "utf-8")
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        yield server


def test_the_log_is_undone(at_home: DemoServer, capsys: Text) -> None:
    """The group is read from the old configuration."""
    assert run(["undo"]) == 0
    assert "top/app#1: undone: Weight 5" in capsys.readouterr().out
    assert at_home.world.issue("top/app#1").weight == 1


def test_a_plan_is_shown_and_imported(at_home: DemoServer, capsys: Text, tmp_path: Path) -> None:
    def shown() -> dict[str, Any]:
        capsys.readouterr()
        assert run(["plan", "show", "19.7", "--format", "json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    kept = shown()
    assert [row["reference"] for row in kept["issues"]] == ["top/app#4"]
    host = at_home.url.partition("://")[2]
    file = tmp_path / "plan.json"
    file.write_text((FILES / "plan.json").read_text("utf-8").replace(OLD_HOST, host), "utf-8")
    assert run(["plan", "import", str(file), "--replace"]) == 0
    assert shown()["issues"] == kept["issues"]
    assert shown()["locked_at"] == kept["locked_at"]


# Configuration and team


def test_the_configuration_with_all_keys() -> None:
    settings = load(FILES / "config.toml")
    assert (settings.gitlab.group, settings.ui.time_zone) == (GROUP, "Europe/Berlin")
    assert len(settings.keymap) > 90
    bound = {keys for action in ACTIONS for keys in Keymap(settings.keymap).keys_of(action)}
    assert set(settings.keymap.values()) <= bound


def test_every_old_action_is_rebound_by_its_id() -> None:
    """Whatever an action is called now."""
    for identity, keys in load(FILES / "config.toml").keymap.items():
        slot = keys.rpartition(" ")[2] if keys.endswith(">") else ""
        moved = f"f24 {slot}".strip()
        keymap = Keymap({identity: moved})
        assert sum(moved in keymap.keys_of(action) for action in ACTIONS) == 1, identity


def test_the_team_is_read_and_edited() -> None:
    text = (FILES / "team.toml").read_text("utf-8")
    team = parse_team(text, "team.toml")
    assert [(person.username, person.role) for person in team.people] == [
        ("eng_1", "fullstack"),
        ("eng_2", "frontend"),
    ]
    assert (team.reserve, len(team.holidays)) == (0.1, 1)
    assert edited(text, OfPerson("eng_2", "role", "backend")) == text.replace('"frontend"', '"backend"')


def test_the_last_board_is_remembered() -> None:
    last = msgspec.json.decode((FILES / "last.json").read_bytes(), type=Last)
    assert (last.board, last.milestone) == ("build", "19.8")
