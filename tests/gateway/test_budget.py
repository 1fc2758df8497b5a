"""The budget of requests per act, counted on the embedded GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_tui.cli.main import run
from tui.app.stage import GROUP, small_world

# The command line

#: What asking for the names of the configuration takes, and once a day for the token.
NAMES, TOKEN = 2, 1
ISSUE = f"{GROUP}/platform#1"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DemoServer]:
    """A GitLab, and a machine that has never asked it anything."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with DemoServer(small_world()) as running:
        monkeypatch.setenv("GITLAB_HOST", running.url)
        monkeypatch.setenv("GITLAB_TOKEN", running.token)
        monkeypatch.setenv("GLBOARD_GROUP", GROUP)
        yield running


def requests(server: DemoServer, *arguments: str) -> int:
    """How many requests a command takes."""
    server.requests.clear()
    assert run([*arguments]) == 0
    return len(list(server.requests))


def test_a_board_is_read_once_and_then_only_its_changes(server: DemoServer) -> None:
    assert requests(server, "show", "planning") == TOKEN + NAMES + 1
    assert requests(server, "show", "planning") == 1
    assert requests(server, "show", "build") == 1
    assert requests(server, "show", "build", "--closed") == 2
    assert requests(server, "show", "planning", "--fresh") == NAMES + 1
    # Nothing reports a deletion or another place in the order: after a while the board is read again. That
    # the clock jumped shows only in an answer.
    server.world.clock.advance(11 * 60)
    assert requests(server, "show", "planning") == 2
    assert requests(server, "show", "planning") == NAMES + 1


def test_an_edit_is_one_request_for_the_issue_and_one_for_the_write(server: DemoServer) -> None:
    requests(server, "show", "planning")
    assert requests(server, "edit", ISSUE, "--weight", "5") == 2
    assert requests(server, "edit", ISSUE, "--weight", "5") == 1
    assert requests(server, "undo") == 2
    assert requests(server, "undo") == 0
    server.world.clock.advance(3 * 60 * 60)
    assert requests(server, "edit", ISSUE, "--weight", "3") == 2
    # The dates of milestones may have changed.
    assert requests(server, "edit", ISSUE, "--milestone", "next") == NAMES + 1
    # Whose token it is is asked once a day. A command learns of a jump of the clock by its first answer.
    server.world.clock.advance(25 * 60 * 60)
    assert requests(server, "edit", ISSUE, "--weight", "2") == 2
    assert requests(server, "edit", ISSUE, "--weight", "1") == TOKEN + NAMES + 2


def test_a_report_asks_for_no_names_that_are_known(server: DemoServer) -> None:
    assert requests(server, "report", "mix", "19.8") == TOKEN + NAMES + 1
    assert requests(server, "report", "mix", "19.8") == 1
    assert requests(server, "report", "load", "19.8") == 1
    # In another month other milestones matter.
    assert requests(server, "--as-of", "2027-01-20", "report", "mix", "19.8") == NAMES + 1


def test_another_token_is_asked_whose_it_is(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    requests(server, "show", "planning")
    monkeypatch.setenv("GITLAB_TOKEN", server.token_for("eng_alder"))
    # The state file of that user is another one.
    assert requests(server, "show", "planning") == 2 * (TOKEN + NAMES) + 1
    assert requests(server, "show", "planning") == 1


def test_lists_of_what_is_stored_take_no_request(server: DemoServer) -> None:
    requests(server, "edit", ISSUE, "--weight", "5")
    assert requests(server, "undo", "--list") == 0
    assert requests(server, "failed", "list") == 0
    requests(server, "plan", "lock", "next")
    assert requests(server, "plan", "show", "next") == 0
    assert requests(server, "plan", "export", "next") == 0
