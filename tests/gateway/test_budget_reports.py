"""What each report may ask for, on the embedded GitLab: issues by page, events by issue, nothing twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.test_events import looks, reports_of
from gateway.worlds import AT, ME, QUICK, make
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.clock import Clock
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.http import Transport
from glboard_core.report_issues import cache_of
from glboard_core.store.sqlite import SqliteStore
from glboard_tui.cli import context
from glboard_tui.cli.main import run

#: Which part of a report's requests reads issues; the rest is the catalog.
_ISSUES = ("Issues", "Read", "Promoted", "Counts")


class Shell:
    """The command line on a small group of which one part was changed lately."""

    def __init__(self, server: DemoServer, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.server = server
        #: The folder of what is kept, and what the last report printed.
        self.state = config.parent / "XDG_STATE_HOME"
        self.printed = ""
        self._config = config
        self._capsys = capsys

    def asks(self, *arguments: str) -> tuple[int, int]:
        """(requests for issues, requests for events) of a report."""
        self.server.requests.clear()
        assert run(["--config", str(self._config), "report", *arguments, "--format", "json"]) == 0
        self.printed = self._capsys.readouterr().out
        records = list(self.server.requests)
        events = sum("/resource_" in record.path for record in records)
        return sum(record.operation in _ISSUES for record in records), events


def world_and_clock() -> DemoServer:
    world = make(issues=12, clock=Clock(AT))
    world.add_label(world.groups["top"], "missed:19.7")
    world.clock.advance(24 * 3600)
    for number in (1, 2, 3):
        world.edit(f"top/app#{number}", by=ME, add_labels=["Deliverable"])
    world.edit("top/app#4", by=ME, milestone="19.8")
    world.edit("top/app#5", by=ME, weight=2)
    world.edit("top/app#6", by=ME, close=True)
    world.clock.advance(80)
    return DemoServer(world)


@pytest.fixture
def shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    config = tmp_path / "config.toml"
    config.write_text('[labels]\ngroup = ""\n')
    (tmp_path / "team.toml").write_text(f'[[people]]\nusername = "{ME}"\n')
    with world_and_clock() as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        monkeypatch.setenv("GLBOARD_GROUP", "top")
        yield Shell(server, config, capsys)


def test_say_do_reads_what_changed_and_nothing_again(shell: Shell) -> None:
    # Those in the milestone, those with its label missed, those updated since it began; milestones and labels
    # of the six issues that were updated after their creation; no states, since it has not ended. And which
    # of the closed ones became epics.
    assert shell.asks("say-do", "current") == (4, 12)
    assert shell.asks("say-do", "current") == (3, 0)
    shell.server.world.edit("top/app#7", by=ME, add_labels=["Deliverable"])
    assert shell.asks("say-do", "current") == (3, 2)
    # A label can change without an update for a minute: until then it is read again.
    assert shell.asks("say-do", "current") == (3, 2)
    shell.server.world.clock.advance(80)
    assert [shell.asks("say-do", "current") for _ in (1, 2)] == [(3, 2), (3, 0)]


def test_say_do_of_an_ended_milestone_reads_states_only_where_they_can_differ(shell: Shell) -> None:
    shell.server.world.clock.advance(20 * 24 * 3600)
    # All six were last updated before its end.
    assert shell.asks("say-do", "19.7") == (4, 12)
    shell.server.world.edit("top/app#6", by=ME, reopen=True)
    shell.server.world.clock.advance(80)
    assert shell.asks("say-do", "19.7") == (3, 3)


def test_an_issue_that_became_an_epic_is_neither_said_nor_done(shell: Shell) -> None:
    world = shell.server.world
    world.edit("top/app#1", by=ME, close=True)
    world.edit("top/app#2", by=ME, close=True)
    world.issue("top/app#2").epic_url = "https://gitlab.example/groups/top/-/epics/1"
    shell.asks("say-do", "current")
    group = json.loads(shell.printed)["definitions"]["group"]
    assert (group["assigned"], group["completed"]) == (["top/app#1", "top/app#3"], ["top/app#1"])
    handbook = json.loads(shell.printed)["definitions"]["handbook"]
    assert handbook["completed"] == ["top/app#1"]


def test_scope_reads_weights_too_and_only_since_the_lock(shell: Shell) -> None:
    lock = (AT + timedelta(hours=12)).isoformat()
    assert shell.asks("scope", "current", "--locked-at", lock) == (2, 18)
    assert shell.asks("scope", "current", "--locked-at", lock) == (2, 0)
    # Nothing has changed since then.
    later = (AT + timedelta(hours=24, seconds=79)).isoformat()
    assert shell.asks("scope", "current", "--locked-at", later) == (2, 0)


def test_reports_on_open_issues_need_a_page_for_each_milestone(shell: Shell) -> None:
    # Capacity also asks for the open issues of the milestone before, and for what earlier ones closed: one
    # query for each of them, later one for all.
    assert shell.asks("capacity", "next") == (3, 0)
    assert shell.asks("capacity", "next") == (3, 0)
    assert shell.asks("candidates", "next") == (2, 0)
    assert shell.asks("mix", "next") == (1, 0)
    assert shell.asks("load", "current") == (1, 0)


def test_triage_reads_all_issues_once_and_then_what_was_updated(shell: Shell) -> None:
    world = shell.server.world
    for _ in range(100):
        world.create("top/app", "One of many", by=ME)
    assert [shell.asks("triage") for _ in (1, 2)] == [(2, 0), (1, 0)]
    world.clock.advance(11 * 60)
    # Whoever lost the group's label is seen when all are read again. A command learns of a jump of the clock
    # by its first answer, and keeps it for the next one.
    shell.asks("mix", "next")
    assert shell.asks("triage") == (2, 0)


def test_a_renamed_milestone_keeps_its_history(shell: Shell) -> None:
    assert shell.asks("say-do", "current") == (4, 12)
    world = shell.server.world
    next(one for one in world.milestones.values() if one.title == "19.7").title = "20.7"
    world.index.rebuild()
    world.clock.advance(11 * 60)
    # One that left it is read again, in case it also left the group; and what has its former label is asked.
    assert shell.asks("say-do", "20.7") == (5, 0)
    kept = shell.printed
    for file in shell.state.rglob("*.sqlite3*"):
        file.unlink()
    shell.asks("say-do", "20.7")
    assert shell.printed == kept
    assert json.loads(kept)["definitions"]["group"]["assigned"] == [f"top/app#{n}" for n in (1, 2, 3)]


async def test_what_was_read_before_an_interrupt_is_kept(tmp_path: Path) -> None:
    with world_and_clock() as server:
        transport = Transport(Account(url=server.url, token=Secret(server.token)), QUICK)
        store = SqliteStore(tmp_path / "state.sqlite3")
        reports = await reports_of(server, transport, store=store)
        seen: list[tuple[str, int, int]] = []

        def progress(what: str, done: int, of: int) -> None:
            seen.append((what, done, of))
            if done == 3:
                task.cancel()

        task = asyncio.ensure_future(reports.past("19.7", looks(AT, "label"), progress=progress))
        with suppress(asyncio.CancelledError):
            await task
        assert seen[:3] == [("events", n, 6) for n in (1, 2, 3)]
        issues = await reports.issues.open()
        assert len(cache_of(reports.engine).histories(issue.id for issue in issues)) >= 2
        await reports.engine.gateway.close()
        await transport.close()
        store.close()


def test_the_bar_shows_how_far_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    context.progress("events", 1, 4)
    assert (capsys.readouterr().err, context.shown_progress()) == ("", None)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    context.progress("events", 1, 4)
    context.progress("issues", 1_200, 2_400)
    quarter, half = capsys.readouterr().err.split("\r\x1b[K")[1:]
    assert quarter == f"loading events  {'█' * 6}{'░' * 18}  1 of 4"
    assert half == f"loading issues  {'█' * 12}{'░' * 12}  1,200 of 2,400"
    context.progress("events", 4, 4)
    assert capsys.readouterr().err.endswith("\r\x1b[K")
