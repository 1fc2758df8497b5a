"""Every key of the workflow, with the state in labels, in statuses, and in both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from msgspec import structs

from glboard_core.config import BoardSettings, FlowSettings, Settings
from glboard_core.demo.world.world import World
from glboard_core.model.issue import Issue
from glboard_tui.widgets.card_view import presenter
from tui.app.stage import GROUP, STILL, Stage, small_world, staged

Backend = Literal["label", "status", "both"]
#: Labels alone are what all other tests have.
BACKENDS = (
    pytest.param("label", marks=pytest.mark.slow),
    "status",
    pytest.param("both", marks=pytest.mark.slow),
)

#: A board of workflow states with all issues of the small world.
FLOW = BoardSettings(
    id="flow",
    name="Flow",
    by="flow",
    columns=("planning breakdown", "ready for development", "in dev", "in review", "blocked"),
    milestone="any",
)


def settings(backend: Backend, **flow: object) -> Settings:
    """Settings with that backend and a board of states."""
    return structs.replace(
        STILL,
        flow=FlowSettings(backend=backend, **flow),  # type: ignore[arg-type]
        boards=(*STILL.boards, FLOW),
    )


def world_of(backend: Backend) -> World:
    """The small world; where statuses say the state, no issue has a workflow label."""
    world = small_world()
    for issue in world.index.issues.values():
        labels = [label for label in issue.labels if label.title.startswith("workflow::")]
        if backend == "label" or not labels:
            continue
        name = labels[0].title.removeprefix("workflow::")
        issue.status = next(one for one in world.statuses if one.casefold() == name)
        if backend == "status":
            issue.labels = tuple(label for label in issue.labels if label not in labels)
    world.index.rebuild()
    return world


@asynccontextmanager
async def flowing(backend: Backend, **flow: object) -> AsyncIterator[Stage]:
    """The board of states."""
    async with staged(world_of(backend), settings=settings(backend, **flow), board="flow") as stage:
        yield stage


def state(issue: Issue, backend: Backend) -> str:
    """The state as it is stored; with both, that they agree is part of it."""
    labels = [one.removeprefix("workflow::") for one in sorted(issue.labels) if one.startswith("workflow::")]
    status = (issue.status or "").casefold()
    if backend == "status":
        assert not labels
        return status
    [label] = labels
    assert backend == "label" or label == status
    return label


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
async def test_every_key_of_the_workflow(backend: Backend) -> None:
    async with flowing(backend) as stage:
        await stage.focus("platform#1")
        for keys, expected in (
            ("sd", "in dev"),
            ("S", "in review"),
            ("H", "in dev"),
            ("L", "in review"),
            (">b", "planning breakdown"),
            ("W3", "ready for development"),
            ("I", "in dev"),
        ):
            await stage.press(*keys)
            await stage.settle()
            assert state(stage.issue("platform#1"), backend) == expected, keys
            await stage.focus("platform#1")
        await stage.press("u")
        await stage.settle()
        assert state(stage.issue("platform#1"), backend) == "ready for development"
        await stage.press("b")
        await stage.type("waits")
        await stage.press("ctrl+s")
        await stage.settle()
        assert state(stage.issue("platform#1"), backend) == "blocked"
        await stage.focus("platform#1")
        await stage.press("x", "x", "y")  # from blocked, without a comment
        await stage.settle()
        done = stage.issue("platform#1")
        assert not done.is_open
        assert state(done, backend) == "complete"
        assert stage.screen.header.view.failed == 0
        assert stage.screen.header.view.unsent == 0


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_new_issue_is_in_the_column_where_it_was_created(backend: Backend) -> None:
    async with flowing(backend) as stage:
        await stage.focus("platform#8")
        await stage.press("n")
        await stage.type("Found while building")
        await stage.press("enter")
        await stage.settle()
        [made] = [one for one in stage.engine.shown.values() if one.title == "Found while building"]
        assert state(made, backend) == "in dev"
        assert stage.name(made) in stage.cards()["in dev"]
        assert stage.screen.header.view.failed == 0


@pytest.mark.parametrize("backend", BACKENDS)
async def test_only_labels_can_be_taken_away(backend: Backend) -> None:
    async with flowing(backend) as stage:
        await stage.focus("platform#1")
        await stage.press(">", "u")
        await stage.settle()
        if backend == "status":
            assert state(stage.issue("platform#1"), backend) == "ready for development"
        else:
            assert not [one for one in stage.issue("platform#1").labels if one.startswith("workflow::")]
        assert stage.screen.header.view.failed == 0


def differing() -> World:
    """Both: two issues whose status is another one than their label."""
    world = world_of("both")
    for name, status in (("platform#1", "In review"), ("platform#5", "Blocked")):
        world.issue(f"{GROUP}/{name}").status = status
    return world


@pytest.mark.slow
async def test_a_difference_is_shown_counted_and_decided_by_a_key() -> None:
    async with staged(differing(), settings=settings("both"), board="flow") as stage:
        await stage.focus("platform#1")
        index, column = stage.app.bridge.index, stage.screen.board.focused[1]
        assert index is not None
        assert column is not None
        card = presenter(stage.app.bridge, index)(stage.issue("platform#1"), column)
        facts = [fact.text for fact in card.facts]
        assert "label ≠ status" in facts
        await stage.press("g", "t")
        assert "label and status differ: 2" in stage.screen.context.top.heading_of(0, 1)  # type: ignore[union-attr]
        await stage.press("escape", "/")
        await stage.type("is:differing")
        await stage.press("enter")
        assert sum(map(len, stage.cards().values())) == 2
        await stage.focus("platform#1")
        await stage.press("!", "f")
        await stage.press("s")
        await stage.settle()
        assert state(stage.issue("platform#1"), "both") == "in review"
        await stage.focus("platform#5")
        await stage.press("!", "f", "y")
        await stage.settle()
        assert state(stage.issue("platform#5"), "both") == "ready for development"
        await stage.press("u")
        await stage.settle()
        assert stage.issue("platform#5").status == "Blocked"


async def test_what_the_configuration_prefers_is_not_asked() -> None:
    async with staged(differing(), settings=settings("both", prefer="status"), board="flow") as stage:
        await stage.mark("platform#1", "platform#5")
        await stage.press("!", "f")
        await stage.settle()
        assert state(stage.issue("platform#1"), "both") == "in review"
        assert state(stage.issue("platform#5"), "both") == "blocked"


async def test_the_key_does_nothing_where_nothing_differs() -> None:
    async with flowing("both") as stage:
        await stage.focus("platform#1")
        before = stage.issue("platform#1")
        await stage.press("!", "f")
        await stage.settle()
        assert stage.issue("platform#1") == before
