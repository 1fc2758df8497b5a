"""What is set up rarely, over REST: boards with their lists and filters, labels, the planning issue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec import structs

from glboard_core.config import PlanningIssueSettings, Settings
from glboard_core.gitlab.admin import Admin
from glboard_core.milestone_setup import MilestoneSetup
from glboard_core.planning.milestone_setup import WantedBoard
from glboard_core.session import EngineOptions, open_engine
from live.ground import ONE, PLAIN, SPARE, TEAM, TWO, Ground, Remote


@pytest.fixture
def admin(remote: Remote) -> Admin:
    """Administration as the owner of the token."""
    return Admin(remote.gateway.transport)


async def test_a_board_with_lists_and_a_filter(ground: Ground, remote: Remote, admin: Admin) -> None:
    name = "Live"
    if ground.premium:
        name = "Live planning"
        made = await admin.create_board(ground.group, name)
        ground.delete_later(f"/groups/{ground.group_id}/boards/{made.id}")
        assert (await admin.create_board(ground.group, name)).id == made.id
    board = next(one for one in await admin.boards(ground.group) if one.name == name)
    wanted = WantedBoard(name=name, milestone=ground.first, labels=frozenset({TEAM}), lists=(ONE, TWO, PLAIN))
    done = await admin.finish_board(remote.catalog, board, wanted)
    assert done.missing == ()
    assert done.ordered
    assert done.scoped == ground.premium
    assert [one.label for one in await admin.lists(ground.group, board.id)] == [ONE, TWO, PLAIN]
    # A second time another order only moves lists, and leaves the filter as it is.
    other = structs.replace(wanted, milestone=ground.second, lists=(PLAIN, ONE, TWO, SPARE))
    seen = next(one for one in await admin.boards(ground.group) if one.id == board.id)
    again = await admin.finish_board(remote.catalog, seen, other)
    assert again.missing == ()
    assert [one.label for one in again.board.lists] == [PLAIN, ONE, TWO, SPARE]
    if ground.premium:
        now = next(one for one in await admin.boards(ground.group) if one.id == board.id)
        assert (now.milestone, now.labels) == (ground.first, frozenset({TEAM}))


async def test_a_label_is_made_once(ground: Ground, admin: Admin) -> None:
    title = "live made once"
    for color in ("#aa0000", "#00aa00"):
        await admin.ensure_label(ground.group, title, color, "A description")
    rows = ground.rest.get(f"/groups/{ground.group_id}/labels", search=title)
    ground.delete_later(f"/groups/{ground.group_id}/labels/{rows[0]['id']}")
    assert [(row["name"], row["color"].lower()) for row in rows] == [(title, "#aa0000")]


@asynccontextmanager
async def setup_of(ground: Ground, remote: Remote) -> AsyncIterator[MilestoneSetup]:
    """The setup of the first milestone, by a new session."""
    settings = Settings()
    labels = structs.replace(settings.labels, group=TEAM)
    planning = structs.replace(settings.planning, issue=PlanningIssueSettings(project=ground.app), boards=())
    settings = structs.replace(settings, labels=labels, planning=planning)
    place = EngineOptions(url=ground.place.url, group=ground.group, keep=False)
    async with open_engine(place, settings, account=remote.account) as engine:
        await engine.names.read()
        yield MilestoneSetup(engine, ground.first)


async def test_a_planning_issue_is_made_once_and_kept(ground: Ground, remote: Remote) -> None:
    ground.issue("Planned | work", labels=[ONE], milestone_id=ground.ids[ground.first])
    for _ in range(2):
        async with setup_of(ground, remote) as one:
            await one.look()
            await one.do()
    for row in ground.rest.get(f"/groups/{ground.group_id}/labels", search=ground.first):
        ground.delete_later(f"/groups/{ground.group_id}/labels/{row['id']}")
    asked = {"labels": TEAM, "milestone": ground.first, "scope": "all", "state": "all", "per_page": "100"}
    rows = ground.rest.get(f"/groups/{ground.group_id}/issues", **asked)
    [made] = [row for row in rows if row["title"] == f"{ground.first} planning"]
    assert made["milestone"]["title"] == ground.first
    assert TEAM in made["labels"]
    # What a person adds stays.
    path = f"/projects/{made['project_id']}/issues/{made['iid']}"
    text = made["description"] + "\n\nMy own words | `code`  \n"
    ground.rest.put(path, description=text)
    kept = ground.rest.get(path)["description"]
    async with setup_of(ground, remote) as one:
        await one.look()
        await one.do()
    assert "My own words | `code`" in ground.rest.get(path)["description"]
    assert kept.rstrip() == text.rstrip()
