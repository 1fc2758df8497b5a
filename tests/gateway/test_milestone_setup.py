"""Setting up a milestone on the embedded GitLab over a socket: once, twice, with faults, on GitLab Free."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import structs

from glboard_core.config import PlanningIssueSettings, Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import boards as rules
from glboard_core.errors import ConfigError, NameUnknown, ReadOnly, UsageError
from glboard_core.gitlab import admin
from glboard_core.gitlab.account import Account, Secret
from glboard_core.milestone_setup import MilestoneSetup
from glboard_core.planning.milestone_setup import Step, StepOutcome
from glboard_core.planning.team import Member, Team
from glboard_core.session import EngineOptions, open_engine
from support.empty_milestone import GROUP_LABEL, ME, board, planning_issues, titles, world_of

SETTINGS = structs.replace(
    Settings(),
    planning=structs.replace(Settings().planning, issue=PlanningIssueSettings(project="top/app")),
)
TEAM = Team(people=(Member(username="eng_alder"),))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "LOOKS", (0.01, 0.05))


@asynccontextmanager
async def opened(
    server: DemoServer,
    name: str = "19.8",
    *,
    settings: Settings = SETTINGS,
    team: Team | None = None,
    token: str | None = None,
    read_only: bool = False,
) -> AsyncIterator[MilestoneSetup]:
    account = Account(url=server.url, token=Secret(token or server.token))
    place = EngineOptions(url=server.url, group="top", keep=False, read_only=read_only)
    async with open_engine(place, settings, account=account) as engine:
        await engine.names.read()
        yield MilestoneSetup(engine, name, team=team)


async def run(server: DemoServer, **given: Any) -> list[StepOutcome]:
    """Look and do, as a new session would."""
    async with opened(server, **given) as one:
        await one.look()
        return await one.do()


async def steps(server: DemoServer, **given: Any) -> list[Step]:
    async with opened(server, **given) as one:
        return await one.look()


def due(found: Sequence[Step]) -> list[str]:
    return [step.name for step in found if step.is_due]


# All of it


async def test_a_milestone_is_set_up_once_and_then_nothing_is_left_to_do() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        found = await steps(server)
        assert [(step.part, step.action) for step in found] == [
            ("label", "create"), ("board", "create"), ("board", "create"),
            ("board", "create"), ("board", "create"), ("issue", "create"),
        ]  # fmt: skip
        assert not planning_issues(world)
        assert not world.boards
        done = await run(server)
        assert [one.state for one in done] == ["done"] * 6
        assert all(one.is_whole for one in done)
        before = {name: (titles(board(world, name)), board(world, name).id) for name in ("Planning 19.8",)}
        requests = len(server.requests)
        assert due(await steps(server, team=None)) == []
        assert not any(r.method in ("PUT", "DELETE") for r in list(server.requests)[requests:])
        assert await run(server) == []
        assert len(planning_issues(world)) == 1
        assert len(world.boards) == 4
        assert before == {
            "Planning 19.8": (titles(board(world, "Planning 19.8")), before["Planning 19.8"][1])
        }


async def test_set_up_creates_what_the_milestone_needs() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        await run(server, team=TEAM)
        build = board(world, "Build 19.8")
        assert titles(build) == [
            "workflow::ready for development", "workflow::in dev", "workflow::in review",
            "workflow::awaiting security release", "workflow::blocked",
        ]  # fmt: skip
        assert build.milestone is world.milestone("19.8")
        assert {label.title for label in build.labels} == {GROUP_LABEL, "Deliverable"}
        later = board(world, "Next 1-3")
        assert later.milestone is world.milestone("Next 1-3 releases")
        missed = world.label_of(world.root, "missed:19.8")
        assert missed is not None
        assert missed.color == "#d10069"
        issue = planning_issues(world)[0]
        assert issue.title == "19.8 planning"
        assert {label.title for label in issue.labels} == {GROUP_LABEL, "type::ignore"}
        assert issue.milestone is world.milestone("19.8")
        assert f"[Build 19.8]({server.url}/groups/top/-/boards/{build.id})" in issue.description
        assert "Crash \\| on start" in issue.description
        assert "Leaked" not in issue.description
        assert "| Capacity | 12.5 |" in issue.description
        assert issue.open


async def test_an_update_changes_the_generated_sections_and_nothing_else() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        await run(server, team=TEAM)
        issue = planning_issues(world)[0]
        issue.description = issue.description.replace("- [ ] The plan", "- [x] The plan") + "\n\nOur notes"
        world.create("top/app", "Late one", by=ME, add_labels=[GROUP_LABEL], milestone="19.8")
        found = await steps(server)  # this user has no team.toml
        assert found[-1].words == ("regenerate: candidates",)
        assert [one.is_whole for one in await run(server)] == [True]
        assert "Late one" in issue.description
        assert "- [x] The plan" in issue.description
        assert "\n\nOur notes" in issue.description
        assert "| Capacity | 12.5 |" in issue.description
        assert due(await steps(server)) == []


async def test_an_existing_planning_issue_gets_the_sections_below_its_text() -> None:
    world = world_of()
    made = world.create(
        "top/app",
        "Custom Models: 19.8 planning",
        by="pm_oak",
        add_labels=[GROUP_LABEL, "type::ignore"],
        description="Our goals",
    )
    async with DemoServer(world) as server:
        found = await steps(server)
        assert found[-1].action == "update"
        assert found[-1].words[-1] == "set milestone 19.8"
        assert all(one.is_whole for one in await run(server))
        assert made.description.startswith("Our goals\n\n## Dates\n\n<!-- glboard:begin dates")
        assert made.milestone is world.milestone("19.8")
        assert len(planning_issues(world)) == 1
        assert due(await steps(server)) == []
        # A renamed one is still ours, by its mark.
        made.title = "Everything about December"
        assert due(await steps(server)) == []


async def test_of_two_planning_issues_the_older_open_one_is_used() -> None:
    world = world_of()
    wishes: dict[str, Any] = {"by": ME, "add_labels": [GROUP_LABEL, "type::ignore"], "milestone": "19.8"}
    first = world.create("top/app", "19.8 planning", **wishes)
    world.create("top/app", "Planning issue 19.8", **wishes)
    async with DemoServer(world) as server:
        found = (await steps(server))[-1]
        assert first.reference in found.name
        assert "2 issues match" in found.notes[0]
        for one in planning_issues(world):
            world.edit(one.reference, by=ME, close=True)
        found = (await steps(server))[-1]
        assert found.action == "nothing"
        assert "closed" in found.notes[-1]


# Boards


async def test_our_board_is_completed_and_other_lists_are_kept() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        await run(server)
        ours = board(world, "Planning 19.8")
        extra = world.add_list(ours, "label")
        extra.label = world.label_of(world.root, "Deliverable")
        rules.place_list(extra, 1)
        rules.place_list(ours.movable()[0], 3)
        rules.drop_list(world, next(c for c in ours.lists if c.title == "type::feature"))
        assert titles(ours) == ["Deliverable", "type::maintenance", "type::bug"]
        # Another machine knows from the planning issue that the board is ours.
        found = next(step for step in await steps(server) if step.name == ours.name)
        assert found.words == ("add feature", "reorder lists")
        await run(server)
        assert titles(ours) == ["Deliverable", "type::bug", "type::maintenance", "type::feature"]
        assert due(await steps(server)) == []


async def test_a_board_of_someone_else_with_that_name_is_left_unchanged() -> None:
    world = world_of()
    theirs = world.add_board(world.root, "Planning 19.8")
    column = world.add_list(theirs, "label")
    column.label = world.label_of(world.root, "type::feature")
    async with DemoServer(world) as server:
        found = next(step for step in await steps(server) if step.name == theirs.name)
        assert found.action == "nothing"
        assert "created by someone else" in found.notes[0]
        await run(server)
        assert titles(theirs) == ["type::feature"]
        assert theirs.milestone is None
        assert f"/boards/{theirs.id})" in planning_issues(world)[0].description


async def test_gitlab_free_with_a_board_reports_it_and_does_the_rest() -> None:
    world = world_of(tier="free")
    world.add_board(world.root, "Development")
    async with DemoServer(world) as server:
        found = await steps(server)
        assert {step.action for step in found if step.part == "board"} == {"impossible"}
        assert all("Premium" in step.notes[0] for step in found if step.part == "board")
        assert [one.step.part for one in await run(server)] == ["label", "issue"]
        assert "Build 19.8: not in GitLab" in planning_issues(world)[0].description
        assert due(await steps(server)) == []


async def test_gitlab_free_without_a_board_creates_one_and_reports_what_it_lacks() -> None:
    world = world_of(tier="free")
    async with DemoServer(world) as server:
        done = {one.step.name: one for one in await run(server)}
        assert "Premium" in done["Planning 19.8"].message
        assert not done["Planning 19.8"].is_whole
        assert done["Build 19.8"].state == "failed"
        assert "Premium" in done["Build 19.8"].hint
        assert done["19.8 planning"].is_whole
        assert len(world.boards) == 1
        assert due(await steps(server)) == []


# Names


async def test_missing_labels_are_never_created_implicitly() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        found = (await steps(server))[-1]
        assert "“Planning Issue” does not exist; left out" in found.notes[0]
        await run(server)
        assert not any(label.title == "Planning Issue" for label in world.labels.values())


async def test_without_the_ignore_label_there_is_no_issue_unless_it_is_created() -> None:
    world = world_of()
    ignore = world.label_of(world.root, "type::ignore")
    assert ignore is not None
    world.drop_label(ignore)
    async with DemoServer(world) as server:
        async with opened(server) as one:
            assert "type::ignore" in due(await one.look())
            done = await one.do(without=[step for step in one.steps if step.part != "issue"])
            assert "would appear on the boards" in done[-1].message
        assert not planning_issues(world)
        assert all(one.is_whole for one in await run(server))
        assert "type::ignore" in {label.title for label in planning_issues(world)[0].labels}


async def test_the_project_must_be_known() -> None:
    async with DemoServer(world_of()) as server:
        with pytest.raises(ConfigError, match=r"planning\.issue\.project"):
            await steps(server, settings=Settings())
        planning = structs.replace(SETTINGS.planning, issue=PlanningIssueSettings(project="top/ap"))
        with pytest.raises(NameUnknown, match="top/app"):
            await steps(server, settings=structs.replace(SETTINGS, planning=planning))
        with pytest.raises(NameUnknown, match=r"19\.88"):
            await steps(server, name="19.88")
        with pytest.raises(UsageError, match="no start and due date"):
            await steps(server, name="Backlog")


# Faults


@pytest.mark.parametrize("fault", ["reset-after", "reset-before", "500", "502", "html-200"])
async def test_a_lost_answer_never_creates_a_second_issue(fault: str) -> None:
    world = world_of()
    async with DemoServer(world) as server:
        server.faults.next(fault, "POST /api/v4/projects")
        last = (await run(server))[-1]
        if fault == "reset-after":
            assert last.is_whole
        else:
            assert last.state == "failed"
            assert "in a minute" in last.hint
            assert not planning_issues(world)
        done = await run(server)
        assert all(one.is_whole for one in done)
        assert len(planning_issues(world)) == 1
        assert due(await steps(server)) == []


@pytest.mark.parametrize("match", ["POST /api/v4/groups/top/boards", "POST /api/v4/groups/top/labels"])
async def test_a_lost_answer_never_creates_a_second_board_or_label(match: str) -> None:
    world = world_of()
    async with DemoServer(world) as server:
        server.faults.next("reset-after", match)
        assert all(one.is_whole for one in await run(server))
        assert len(world.boards) == 4
        assert sum(label.title == "missed:19.8" for label in world.labels.values()) == 1


@pytest.mark.slow
async def test_an_unfinished_board_is_finished_the_next_time() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        server.faults.next("500", "boards/1/lists", times=9, skip=2)
        done = {one.step.name: one.state for one in await run(server)}
        assert done["Planning 19.8"] == "failed"
        assert done["Build 19.8"] == "not tried"
        assert not planning_issues(world)
        server.faults.clear()
        assert all(one.is_whole for one in await run(server))
        assert titles(board(world, "Planning 19.8")) == ["type::bug", "type::maintenance", "type::feature"]


async def test_a_rejected_step_does_not_stop_the_others() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        server.faults.next("403", "POST /api/v4/groups/top/labels")
        done = await run(server)
        assert (done[0].state, done[0].hint) == ("failed", "Group labels need the Planner role in the group.")
        assert all(one.is_whole for one in done[1:])
        assert due(await steps(server)) == ["missed:19.8"]


async def test_when_rate_limited_it_waits_and_continues() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        server.faults.retry_after = 0
        server.faults.next("429", "POST /api/v4/groups/top/boards")
        assert all(one.is_whole for one in await run(server))
        server.faults.retry_after = 1800
        server.faults.next("429", "GET /api/v4/groups/top/boards")
        async with opened(server) as one:
            with pytest.raises(Exception, match="Rate limited"):
                await one.look()


async def test_without_permission_nothing_is_half_done() -> None:
    world = world_of()
    world.root.members[world.user("eng_alder").id] = 10
    async with DemoServer(world) as server:
        done = await run(server, token=server.token_for("eng_alder"))
        assert {one.state for one in done if one.step.part != "issue"} == {"failed"}
        # GitLab lets a guest create an issue, with labels and a milestone.
        assert done[-1].is_whole
        # The EM's run finds it by its mark.
        assert all(one.is_whole for one in await run(server))
        assert len(planning_issues(world)) == 1
        assert {label.title for label in planning_issues(world)[0].labels} == {GROUP_LABEL, "type::ignore"}


async def test_a_change_in_the_meantime_is_kept() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        await run(server)
        issue = planning_issues(world)[0]
        world.create("top/app", "Late one", by=ME, add_labels=[GROUP_LABEL], milestone="19.8")
        async with opened(server) as one:
            await one.look()
            issue.description += "\n\nWritten while the plan was looked at"
            assert all(each.is_whole for each in await one.do())
        assert "Late one" in issue.description
        assert issue.description.endswith("Written while the plan was looked at")


async def test_a_custom_template_runs_its_quick_actions_once(tmp_path: Any) -> None:
    path = tmp_path / "month.md"
    path.write_text("Plan {milestone}\n\n{candidates}\n\n/assign @pm_oak\n", encoding="utf-8")
    own = structs.replace(SETTINGS.planning.issue, template=str(path))
    settings = structs.replace(SETTINGS, planning=structs.replace(SETTINGS.planning, issue=own))
    world = world_of()
    async with DemoServer(world) as server:
        done = await run(server, settings=settings)
        issue = planning_issues(world)[0]
        assert [one.username for one in issue.assignees] == ["pm_oak"]
        assert "/assign" not in issue.description
        assert done[-1].message == ""
        assert due(await steps(server, settings=settings)) == []


async def test_read_only_does_nothing() -> None:
    world = world_of()
    async with DemoServer(world) as server:
        async with opened(server, read_only=True) as one:
            assert due(await one.look())
            with pytest.raises(ReadOnly):
                await one.do()
        assert not world.boards
