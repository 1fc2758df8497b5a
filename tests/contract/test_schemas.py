"""Every document against what GitLab's servers really accept."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, parse, validate
from graphql.execution.values import get_variable_values

from contract.conftest import SHARED, Schemas
from contract.documents import DIALECTS, NEWER, ONLY_NEWER, documents
from glboard_core.gitlab import queries

#: Each schema takes seconds to build.
pytestmark = pytest.mark.slow

EXAMPLES = {
    "01_board_issues": {"16.8", "18.9"},
    "03_changes": {"16.8", "18.9", "18.5-ce"},
    "07_bulk": {"18.9"},
    "13_workitem_update": {"16.8", "18.9", "18.5-ce"},
}


def problems(schema: GraphQLSchema, text: str) -> list[str]:
    """The errors with which the server rejects a document."""
    return [error.message for error in validate(schema, parse(text))]


@pytest.mark.parametrize("server", DIALECTS)
def test_every_document_is_valid(schemas: Schemas, server: str) -> None:
    schema = schemas[server]
    wrong = {one.name: found for one in documents(DIALECTS[server]) if (found := problems(schema, one.text))}
    assert wrong == {}


@pytest.mark.parametrize("server", ["16.8", "18.5-ce"])
def test_the_subscription_is_valid(schemas: Schemas, server: str) -> None:
    # The third schema was made from a reference that lists no subscriptions.
    assert problems(schemas[server], queries.ISSUE_CHANGED) == []


@pytest.mark.parametrize("server", DIALECTS)
def test_every_mutations_input_is_valid(schemas: Schemas, server: str) -> None:
    schema = schemas[server]
    seen = 0
    for one in documents(DIALECTS[server]):
        if not one.variables:
            continue
        operation = parse(one.text).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        found = get_variable_values(schema, operation.variable_definitions or (), one.variables)
        assert not isinstance(found, list), (one.name, found)
        seen += 1
    assert seen > 20


def test_the_older_dialect_also_suits_the_newer_server(schemas: Schemas) -> None:
    # Between 16.9 and 18.4 we speak the older one.
    wrong = [one.name for one in documents(DIALECTS["16.8"]) if problems(schemas["18.9"], one.text)]
    assert wrong == []


def test_what_is_only_in_newer_servers_is_named(schemas: Schemas) -> None:
    said = {text for one in documents(NEWER) for text in problems(schemas["18.9"], one.text)}
    assert said
    assert {text for text in said if not any(f"'{name}'" in text for name in ONLY_NEWER)} == set()


def test_the_ce_server_rejects_what_we_expect(schemas: Schemas) -> None:
    assert any("weight" in said for said in problems(schemas["18.5-ce"], _issues("18.9")))


def test_the_old_server_rejects_what_we_expect(schemas: Schemas) -> None:
    said = problems(schemas["16.8"], _issues("18.9"))
    assert any("status" in one for one in said)


@pytest.mark.parametrize(("example", "server"), [(e, s) for e in EXAMPLES for s in DIALECTS])
def test_the_judge_agrees_with_the_facts(schemas: Schemas, example: str, server: str) -> None:
    # If these did not come out as the facts say, the tests above would prove nothing.
    text = (SHARED / "queries" / f"{example}.graphql").read_text() if SHARED.is_dir() else ""
    assert (problems(schemas[server], text) == []) == (server in EXAMPLES[example])


def _issues(dialect: str) -> str:
    return next(one.text for one in documents(DIALECTS[dialect]) if one.name == "issues")


def test_an_invalid_input_would_be_found(schemas: Schemas) -> None:
    text = "mutation Send($i0: UpdateIssueInput!) { m0: updateIssue(input: $i0) { errors } }"
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    wrong = {"i0": {"projectPath": "a", "iid": "1", "wieght": 3}}
    found = get_variable_values(schemas["18.9"], operation.variable_definitions or (), wrong)
    assert isinstance(found, list)
