"""Questions name what will happen and to what, and offer the remedy by a letter."""

from __future__ import annotations

from typing import Any

import pytest

from glboard_core.demo.world.records import MergeRequest
from glboard_core.model.issue import Issue
from tui.app.stage import GROUP, READY, Stage


def asked(stage: Stage) -> tuple[str, str, dict[str, str]]:
    """The question on screen, its note, and the letters with their words."""
    screen: Any = stage.app.screen
    return screen.heading, screen.note, screen._answers


def give(stage: Stage, name: str, *states: str) -> None:
    """Merge requests on the server that close an issue."""
    issue = stage.world.issue(f"{GROUP}/{name}")
    issue.merge_requests = [
        MergeRequest(iid=n, project=issue.project, title=f"Request {n}", state=state)
        for n, state in enumerate(states, 20)
    ]


async def test_accepting_an_unready_issue_offers_its_remedies(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("d", "b")
    text, note, answers = asked(stage)
    assert text == "Accept platform#2 for @eng_birch?"
    assert note == "It is not ready: planning breakdown, no weight."
    assert answers == {"w": "set the weight first", "b": "request a breakdown", "y": "as it is"}


@pytest.mark.slow
async def test_weight_first_then_ready_too_then_accepted(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("d", "b", "w")
    await stage.type("2")
    await stage.press("enter")
    assert asked(stage)[2] == {
        "r": "set ready, too",
        "b": "request a breakdown",
        "y": "as it is",
    }
    await stage.press("r")
    now = stage.issue("platform#2")
    assert (now.weight, now.assignees, {"Deliverable", READY} <= now.labels) == (2, ("eng_birch",), True)
    await stage.press("u")
    assert stage.issue("platform#2").weight is None, "all of it is one keystroke"


async def test_a_breakdown_instead(stage: Stage) -> None:
    await stage.focus("platform#2")
    await stage.press("d", "b", "b")
    assert "Request breakdown" in asked_title(stage)
    await stage.press("escape")
    assert "Deliverable" not in stage.issue("platform#2").labels


def asked_title(stage: Stage) -> str:
    screen: Any = stage.app.screen
    return str(screen.heading)


@pytest.mark.parametrize("states", [("merged",), ("closed", "merged")])
async def test_a_merged_or_closed_merge_request_does_not_warn(stage: Stage, states: tuple[str, ...]) -> None:
    give(stage, "platform#1", *states)
    await stage.press("r")
    await stage.settle()
    await stage.focus("platform#1")
    assert stage.issue("platform#1").merge_requests == len(states)
    await stage.press("x", "x")
    await stage.until(lambda: not stage.issue("platform#1").is_open)


@pytest.mark.slow
async def test_an_open_merge_request_is_named(stage: Stage) -> None:
    give(stage, "platform#1", "merged", "opened")
    await stage.press("r")
    await stage.settle()
    await stage.focus("platform#1")
    await stage.press("x", "x")
    await stage.until(lambda: "still open" in asked(stage)[1])
    assert asked(stage)[:2] == ("Complete and close platform#1?", "!21 is still open.")
    assert stage.issue("platform#1").is_open
    await stage.press("y")
    assert not stage.issue("platform#1").is_open


async def test_what_gitlab_does_not_tell_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    give(stage, "platform#1", "opened")
    await stage.press("r")
    await stage.settle()

    async def nothing(_: list[Issue]) -> dict[str, object]:
        return {}

    monkeypatch.setattr(stage.engine.gateway, "merge_requests", nothing)
    await stage.focus("platform#1")
    await stage.press("x", "x")
    await stage.until(lambda: "cannot tell" in asked(stage)[1])
    assert asked(stage)[1] == "It has 1 merge request; cannot tell whether it is open."
    await stage.press("escape")
    assert stage.issue("platform#1").is_open


async def test_a_missing_label_is_created_by_a_letter(stage: Stage) -> None:
    await stage.press("-")
    await stage.settle()
    await stage.focus("platform#8")
    await stage.press("x", "s")
    text, _, answers = asked(stage)
    assert text == "missed-deliverable does not exist. Continue?"
    assert answers["c"] == "create it in the group"
    await stage.press("c")
    await stage.until(lambda: stage.issue("platform#8").milestone == "19.8")
    assert {"missed-deliverable", "missed:19.7"} <= stage.issue("platform#8").labels
    await stage.settle()
    on_server = {label.title for label in stage.world.issue(f"{GROUP}/platform#8").labels}
    assert "missed-deliverable" in on_server
