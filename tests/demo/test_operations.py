"""The operations that must run, run by the stock client of python-gitlab, and what they cost."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from gitlab import AsyncGraphQL
from graphql import parse
from graphql.language import ast

from demo.wire import SHARED, Wire, an_issue, label
from glboard_core.demo.graphql.endpoint import cost_of
from glboard_core.demo.graphql.schema import load

QUERIES = SHARED / "gitlab" / "queries"
# The estimate for each operation (API note 1).
COSTS = {"01": 112, "02": 140, "03": 41, "11": 132, "12": 103, "14": 15}


def _text(number: str) -> str:
    if not QUERIES.is_dir():
        pytest.skip("the example operations are not beside this repository")
    return next(QUERIES.glob(f"{number}_*.graphql")).read_text("utf-8")


def _operations(number: str) -> list[str]:
    """The operations of a file, each with the fragments it uses."""
    text = _text(number)
    document = parse(text)
    fragments = {
        one.name.value: text[one.loc.start : one.loc.end]
        for one in document.definitions
        if isinstance(one, ast.FragmentDefinitionNode) and one.loc
    }
    found = []
    for one in document.definitions:
        if isinstance(one, ast.OperationDefinitionNode) and one.loc:
            own = text[one.loc.start : one.loc.end]
            used = dict.fromkeys(re.findall(r"\.\.\.\s*(\w+)", own))
            found.append("\n".join([own, *(fragments[name] for name in used if name in fragments)]))
    return found


def _variables(wire: Wire) -> dict[str, list[dict[str, Any]]]:
    world = wire.world
    issue = an_issue(world)
    path, iid = issue.project.full_path, str(issue.iid)
    other = next(one for one in issue.project.issues.values() if one is not issue and one.position)
    board = next(iter(world.boards.values()))
    ready = label(world, "workflow::ready for development")
    me = {"projectPath": path, "iid": iid}
    note = {"id": f"gid://gitlab/Issue/{issue.id}", "body": "Looks good"}
    return {
        "01": [
            {
                "group": "demo-org",
                "labels": ["group::custom models"],
                "state": "opened",
                "sort": "UPDATED_DESC",
            }
        ],
        "02": [
            {"group": "demo-org", "labels": ["group::custom models"], "closedAfter": "2026-10-01T00:00:00Z"}
        ],
        "03": [{"group": "demo-org", "updatedAfter": "2026-11-01T00:00:00Z"}],
        "04": [{"input": {**me, "addLabelIds": [str(ready.id)], "weight": 2}}],
        "05": [{"path": path, "iid": iid, "users": ["eng_alder"]}],
        "06": [
            {"board": f"gid://gitlab/Board/{board.id}", "path": path, "iid": iid, "before": str(other.id)}
        ],
        "08": [
            {
                "input": {
                    "projectPath": path,
                    "title": "A new one",
                    "labelIds": [f"gid://gitlab/GroupLabel/{ready.id}"],
                }
            }
        ],
        "09": [note],
        "09b": [note],
        "10": [
            {
                "group": "demo-org",
                "name": "Made by a test",
                "labels": [f"gid://gitlab/GroupLabel/{ready.id}"],
            },
            {
                "board": f"gid://gitlab/Board/{board.id}",
                "label": f"gid://gitlab/GroupLabel/{ready.id}",
                "pos": 0,
            },
        ],
        "11": [{"group": "demo-org"}],
        "12": [{"group": "demo-org"}],
        "13": [{"input": {"id": f"gid://gitlab/WorkItem/{issue.id}", "title": "Another title"}}],
        "14": [{"a": {**me, "weight": 1}, "b": {**me, "weight": 2}, "c": {**me, "weight": 3}}],
        "16": [{"group": "demo-org", "ids": [f"gid://gitlab/WorkItem/{issue.id}"], "iids": [iid]}],
        "07": [
            {
                "fullPath": "demo-org",
                "ids": [f"gid://gitlab/WorkItem/{issue.id}"],
                "add": [f"gid://gitlab/GroupLabel/{ready.id}"],
            }
        ],
    }


NUMBERS = (
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "07",
    "08",
    "09",
    "09b",
    "10",
    "11",
    "12",
    "13",
    "14",
    "16",
)


@pytest.mark.parametrize("number", NUMBERS)
async def test_operation_runs_with_the_stock_client(wire: Wire, number: str) -> None:
    for operation, variables in zip(_operations(number), _variables(wire)[number], strict=True):
        async with AsyncGraphQL(wire.server.url, token=wire.token) as client:
            answer = await client.execute(operation, variable_values=variables)
        assert answer
        for payload in answer.values():
            assert payload is not None
            assert not (payload.get("errors") if isinstance(payload, dict) else None)


@pytest.mark.parametrize("number", sorted(COSTS))
def test_cost_matches_the_estimate(number: str) -> None:
    document = parse(_operations(number)[0])
    operation = document.definitions[0]
    assert isinstance(operation, ast.OperationDefinitionNode)
    cost = cost_of(load("ee", (18, 9)), document, operation, {"sort": "UPDATED_DESC"})
    assert cost.score == COSTS[number]


def test_server_reports_the_cost_of_a_query(reading: Wire) -> None:
    query = _operations("02")[0]
    data = reading.data(query, group="demo-org")
    assert data["queryComplexity"] == {"score": 140, "limit": 250}


def test_first_page_has_what_a_card_needs(reading: Wire) -> None:
    data = reading.data(
        _operations("01")[0], group="demo-org", labels=["group::custom models"], state="opened"
    )
    page = data["group"]["issues"]
    assert page["pageInfo"]["hasNextPage"]
    assert len(page["nodes"]) == 100
    card = page["nodes"][0]
    issue = reading.world.issue(card["reference"])
    assert card["id"] == f"gid://gitlab/Issue/{issue.id}"
    assert card["webUrl"] == f"{reading.server.url}{issue.path}"
    assert [one["title"] for one in card["labels"]["nodes"]] == [one.title for one in issue.labels]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", card["updatedAt"])


def test_meta_has_what_a_start_needs(reading: Wire) -> None:
    group = reading.data(_operations("11")[0], group="demo-org")["group"]
    starts = [one["startDate"] for one in group["milestones"]["nodes"] if one["startDate"]]
    assert starts == sorted(starts)
    assert len(group["milestones"]["nodes"]) == 12
    assert {one["user"]["username"] for one in group["groupMembers"]["nodes"]} >= {
        "em_maple",
        "pm_oak",
        "eng_elm",
    }
    assert "demo-org/ai/runtime/inference-server" in {one["fullPath"] for one in group["projects"]["nodes"]}
    board = group["boards"]["nodes"][1]
    assert [one["listType"] for one in board["lists"]["nodes"]] == [
        "backlog",
        "label",
        "label",
        "label",
        "closed",
    ]
    assert [one["position"] for one in board["lists"]["nodes"]] == [None, 0, 1, 2, None]


def test_enterprise_operations_are_refused_by_the_community_edition(serve: Any) -> None:
    wire = serve(edition="ce")
    for number in ("01", "02", "04", "11", "12"):
        error = wire.error(_operations(number)[0], group="demo-org", input={"projectPath": "x", "iid": "1"})
        assert "doesn't exist on type" in error or "doesn't accept argument" in error
    assert wire.data("{ metadata { version enterprise } }")["metadata"] == {
        "version": "18.9.0",
        "enterprise": False,
    }


def test_a_group_can_be_listed_with_rest_alone(reading: Wire) -> None:
    assert httpx.get(f"{reading.server.url}/api/graphql", timeout=5).json() == {
        "errors": [{"message": "No query string was present"}]
    }
