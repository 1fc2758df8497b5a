"""A group before its milestone is set up: labels and milestones, one project, two candidates for 19.8."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.records import Board, Issue
from glboard_core.demo.world.world import World

ME = "em_maple"
GROUP_LABEL = "group::custom models"
LABELS = (
    GROUP_LABEL,
    "type::bug",
    "type::maintenance",
    "type::feature",
    "type::ignore",
    "Deliverable",
    "missed-deliverable",
    "missed:19.7",
    "workflow::problem validation",
    "workflow::design",
    "workflow::solution validation",
    "workflow::planning breakdown",
    "workflow::ready for development",
    "workflow::in dev",
    "workflow::in review",
    "workflow::awaiting security release",
    "workflow::blocked",
)


def world_of(**kinds: Any) -> World:
    """A group with a project, two milestones and two issues in the next one."""
    world = World(clock=Clock(datetime(2026, 12, 7, 15, 0, tzinfo=UTC)), **kinds)
    top = world.add_group("top")
    for username in (ME, "pm_oak", "eng_alder"):
        top.members[world.add_user(username, username.title()).id] = 40
    world.owner_username = ME
    world.add_project("top/app")
    for title in LABELS:
        world.add_label(top, title, "#d10069" if title.startswith("missed") else "#428bca")
    world.add_milestone(top, "19.7", date(2026, 11, 14), date(2026, 12, 11))
    world.add_milestone(top, "19.8", date(2026, 12, 12), date(2027, 1, 15))
    for title in ("Next 1-3 releases", "Next 4-6 releases", "Backlog"):
        world.add_milestone(top, title)
    wishes: dict[str, Any] = {"by": ME, "add_labels": [GROUP_LABEL, "type::bug"], "milestone": "19.8"}
    world.create("top/app", "Crash | on start", **wishes)
    world.create("top/app", "Leaked key", confidential=True, **wishes)
    return world


def planning_issues(world: World) -> list[Issue]:
    return [one for one in world.index.issues.values() if "planning" in one.title.casefold()]


def board(world: World, name: str) -> Board:
    return next(one for one in world.boards.values() if one.name == name)


def titles(one: Board) -> list[str]:
    return [column.title for column in one.movable()]
