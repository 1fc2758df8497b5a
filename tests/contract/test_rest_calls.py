"""Every REST call of the program is in GitLab's OpenAPI file: method, path and parameters."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from msgspec import structs

from glboard_core.board.operations import GroupId, Op, OpId, Rank
from glboard_core.config import PlanningIssueSettings, Settings
from glboard_core.demo.http.journal import Record
from glboard_core.demo.http.server import DemoServer
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.milestone_setup import MilestoneSetup
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.query import IssueQuery
from glboard_core.planning.team import Member, Team
from glboard_core.session import EngineOptions, open_engine
from support.empty_milestone import world_of
from support.shared import SHARED

SETTINGS = structs.replace(
    Settings(),
    planning=structs.replace(Settings().planning, issue=PlanningIssueSettings(project="top/app")),
)
FILE = SHARED / "gitlab" / "openapi-v3-19.3.yaml"

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"GitLab's {FILE.name} is not beside this checkout"
)


@cache
def api() -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.load(
        FILE.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    return found


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that serves a path, by its template."""
    for template, methods in api()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    return None


def known_parameters(one: dict[str, Any]) -> set[str]:
    """The names of an operation's parameters, in its path, query and body."""
    names = {parameter["name"] for parameter in one.get("parameters", ())}
    for content in one.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = api()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        names |= set(schema.get("properties", ()))
    # Pages by key are asked for in the same way everywhere.
    return names | {"page", "per_page", "pagination"}


async def calls() -> list[Record]:
    """What is sent over REST when a milestone is set up, histories are read and a token is checked."""
    async with DemoServer(world_of()) as server:
        account = Account(url=server.url, token=Secret(server.token))
        async with open_engine(
            EngineOptions(url=server.url, group="top", keep=False), SETTINGS, account=account
        ) as engine:
            await engine.names.read()
            one = MilestoneSetup(engine, "19.8", team=Team(people=(Member(username="eng_alder"),)))
            for _ in range(2):
                await one.look()
                await one.do()
            await engine.reader.load_board("planning", "19.8")
            issues = list(engine.shown.values())[:1]
            gateway = engine.gateway
            assert isinstance(gateway, GitLabGateway)
            await gateway.events(issues, ("label", "milestone", "state", "weight"))
            await _rank_without_a_board(gateway, engine.catalog, issues[0])
        return [one for one in server.requests if one.path.startswith("/api/v4/")]


async def _rank_without_a_board(gateway: GitLabGateway, catalog: Catalog | None, issue: Issue) -> None:
    assert catalog is not None
    [other] = [one for one in await gateway.pages(IssueQuery()).__anext__() if one.id != issue.id][:1]
    op = Op(id=OpId("r"), group=GroupId("r"), issue=issue.id, change=Rank(above=other.id), at=gateway.now())
    shown = {one.id: one for one in (issue, other)}
    await gateway.send([op], shown, structs.replace(catalog, ranking_board=None))


async def test_every_rest_call_is_in_gitlabs_own_description() -> None:
    made = await calls()
    assert len({(one.method, one.path.rpartition("/")[2]) for one in made}) > 6
    unknown = []
    for one in made:
        found = operation(one.method, one.path)
        if found is None:
            unknown.append(f"{one.method} {one.path}")
        else:
            left = {re.sub(r"\[.*", "", name) for name in one.parameters} - known_parameters(found)
            unknown += [f"{one.method} {one.path}: {name}" for name in sorted(left)]
    assert unknown == []
