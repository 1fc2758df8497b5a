"""A whole planning call in a real terminal, on a slow server, while a second client edits.

At its end the server's state is exactly what was decided, and the message is there once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from glboard_core.demo.http.process import DemoOptions
from glboard_core.demo.http.server import DemoServer, build_world
from glboard_core.demo.world.world import World
from glboard_tui.cli.main import run
from support.acts import READ_ONLY
from support.terminal import GLBOARD, Terminal

DAY = "2026-12-07T15:00:00Z"
#: What each card of the walk gets: the next one, weight 2, deferred, later.
ROUND = ("n", "2", "M", "l")


def state(world: World) -> dict[str, tuple[Any, ...]]:
    """What a call can change of each issue."""
    return {
        f"{issue.project.full_path}#{issue.iid}": (
            issue.open,
            issue.weight,
            issue.milestone.title if issue.milestone else None,
            frozenset(label.title for label in issue.labels),
            frozenset(user.username for user in issue.assignees),
        )
        for issue in world.index.issues.values()
    }


def is_sent(text: str) -> bool:
    head = text.partition("\n")[0]
    return head.rstrip().endswith("live") and "unsent" not in head


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """A home of its own, for the commands in this process, too."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "other" / name))
    return {}


def columns(server: DemoServer, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> dict[str, list[str]]:
    """The references of each column of the Planning board, in order."""
    monkeypatch.setenv("GITLAB_HOST", server.url)
    monkeypatch.setenv("GITLAB_TOKEN", server.token)
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    assert run(["show", "planning", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    return {column["name"]: [one["reference"] for one in column["issues"]] for column in board["columns"]}


@pytest.mark.slow
def test_the_server_has_exactly_what_was_decided(
    tmp_path: Path, account: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    world = build_world(DemoOptions(as_of=DAY))
    with DemoServer(world, latency_ms=150) as server:
        cards = columns(server, monkeypatch, capsys)
        walked, features = cards["type::maintenance"], cards["type::feature"]
        before = state(world)
        account = {"GITLAB_HOST": server.url, "GITLAB_TOKEN": server.token, "GLBOARD_GROUP": "demo-org"}
        with Terminal(
            [*GLBOARD, "--share", "open", "planning", "--call"], tmp_path, environment=account
        ) as it:
            it.wait(lambda text: is_sent(text) and "call since" in text, "the call")
            it.see("SHARED SCREEN")
            weighted, deferred = _walk(it, world, walked, features[-1])
            deferred += _draft(it, features[:3])
            offline = _tunnel(it, server, features)
            _post(it)
            it.press("q")
            assert it.finish() == 0

    now = state(world)
    expected = dict(before)
    for reference in weighted:
        expected[reference] = _changed(expected[reference], weight=2)
    for reference in deferred:
        expected[reference] = _changed(expected[reference], milestone="19.9")
    expected[offline] = _changed(expected[offline], weight=1)
    expected[features[-1]] = _changed(expected[features[-1]], weight=8)
    assert {key: now[key] for key in now if now[key] != expected[key]} == {}
    posted = [
        note.body
        for issue in world.index.issues.values()
        for note in issue.notes or ()
        if "Decisions 19.8" in note.body
    ]
    assert len(posted) == 1
    for heading, count in (("Deferred", len(deferred)), ("Reweighted", len(weighted) + 2)):
        assert f"### {heading} ({count})" in posted[0]


def _changed(was: tuple[Any, ...], *, weight: int | None = None, milestone: str = "") -> tuple[Any, ...]:
    is_open, old, title, labels, people = was
    if milestone:
        labels -= {"Deliverable"}
    return is_open, old if weight is None else weight, milestone or title, labels, people


def _walk(terminal: Terminal, world: World, cards: list[str], elsewhere: str) -> tuple[list[str], list[str]]:
    """Walk the column, while a colleague edits. Returns the cards with weight 2, and those deferred."""
    terminal.press("l", "g", "n")
    weighted, deferred, place, put_off = [], [], 1, 0
    for number, reference in enumerate(cards):
        if number == 5:
            world.edit(elsewhere, by="pm_oak", weight=8)
        terminal.see(f"Walk {place} of {len(cards)}", reference.rpartition("/")[2])
        # Where nothing may be written, only to the next.
        key = "n" if READ_ONLY in reference else ROUND[number % len(ROUND)]
        terminal.press(key)
        put_off += key == "l"
        place += key != "l"
        weighted += [reference] if key == "2" else []
        deferred += [reference] if key == "M" else []
    # Those put off come again.
    for _ in range(put_off):
        terminal.see(f"Walk {place} of {len(cards)}")
        terminal.press("n")
        place += 1
    terminal.see(f"{len(cards)} walked", f"{len(deferred)} deferred")
    terminal.press("\x1b")
    terminal.see("■ maintenance")
    terminal.wait(is_sent, "all of the walk to be sent", 60)
    return weighted, deferred


def _draft(terminal: Terminal, cards: list[str]) -> list[str]:
    """Try what deferring these would do, and do it."""
    terminal.press("g", "d")
    terminal.see("nothing is sent")
    terminal.press("l", "g", "g")
    for reference in cards:
        terminal.see(reference.rpartition("/")[2])
        terminal.press(" ", "j")
    terminal.press("M")
    terminal.see("3 staged")
    terminal.press("g", "D")
    terminal.see("planned now", "3 staged")
    terminal.press("\r")
    terminal.see("Apply all of the draft?")
    terminal.press("y")
    terminal.see("Applied: 3 issues")
    return cards


def _tunnel(terminal: Terminal, server: DemoServer, cards: list[str]) -> str:
    """Lose the network, weigh a card, and come back; returns the card."""
    terminal.wait(is_sent, "the draft to be sent", 60)
    server.stop()
    terminal.press("g", "g", "j", "1")
    terminal.see("1 unsent")
    terminal.wait(lambda text: "offline" in text.partition("\n")[0], "offline", 60)
    server.start()
    terminal.wait(is_sent, "what was changed offline to be sent", 90)
    assert READ_ONLY not in cards[4]
    return cards[4]


def _post(terminal: Terminal) -> None:
    terminal.press("g", "x")
    terminal.see("Decisions 19.8", "Deferred")
    terminal.press("R")
    terminal.see("Includes others' decisions.", seconds=60)
    terminal.press("i")
    terminal.see("A new comment will be posted.")
    terminal.press("\r")
    terminal.see("Posting to")
    terminal.wait(is_sent, "the message to be sent", 60)
    terminal.press("F")
    terminal.see("Call ended.")
    terminal.press("\x1b")
    terminal.lose("Call ended.")
