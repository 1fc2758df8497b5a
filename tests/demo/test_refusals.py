"""What GitLab refuses before it executes: size, cost, depth, unknown fields, introspection, tokens."""

from __future__ import annotations

from typing import Any

import httpx

from demo.wire import NOT_AVAILABLE, UPDATE, Wire, an_issue

ISSUES = """query Q($first: Int) {
  group(fullPath: "demo-org") { issues(includeSubgroups: true, first: $first) { nodes { id } } } }"""


def test_a_page_is_silently_cut_to_a_hundred(reading: Wire) -> None:
    assert len(reading.data(ISSUES, first=250)["group"]["issues"]["nodes"]) == 100


def test_too_complex_a_query(reading: Wire) -> None:
    fields = " ".join(f"a{n}: title" for n in range(124))
    query = f'{{ group(fullPath: "demo-org") {{ issues {{ nodes {{ {fields} }} }} }} }}'
    assert reading.answer(query) == {
        "errors": [{"message": "Query has complexity of 253, which exceeds max complexity of 250"}]
    }


def test_fewer_rows_cost_less(reading: Wire) -> None:
    fields = " ".join(f"a{n}: title" for n in range(124))
    page = f"issues(first: 50) {{ nodes {{ {fields} }} }}"
    query = f'{{ queryComplexity {{ score limit }} group(fullPath: "demo-org") {{ {page} }} }}'
    assert reading.data(query)["queryComplexity"] == {"score": 193, "limit": 250}


def test_anonymous_limits_are_lower(reading: Wire) -> None:
    with Wire(reading.server, "") as anonymous:
        found = anonymous.data("{ queryComplexity { limit } currentUser { id } }")
    assert found == {"queryComplexity": {"limit": 200}, "currentUser": None}


def test_too_deep_a_query(reading: Wire) -> None:
    query = "id"
    for _ in range(19):
        query = f"movedTo {{ {query} }}"
    issue = f"gid://gitlab/Issue/{an_issue(reading.world).id}"
    twice = f'{{ issue(id: "{issue}") {{ movedTo {{ movedTo {{ id }} }} }} }}'
    assert reading.answer(twice)["data"]
    said = [one["message"] for one in reading.answer(f'{{ issue(id: "{issue}") {{ {query} }} }}')["errors"]]
    assert said[0].startswith("""Recursive query - too many of fields '{"movedTo"=>19}' detected\nin""")
    assert said[1] == "Query has depth of 21, which exceeds max depth of 20"


def test_too_long_a_query(reading: Wire) -> None:
    response = reading.post({"query": "{ currentUser { id } }" + " " * 10_000})
    assert (response.status_code, response.json()) == (422, {"errors": [{"message": "Query too large"}]})


def test_unknown_field_is_worded_as_in_graphql_ruby(reading: Wire) -> None:
    answer = reading.answer('query Q { group(fullPath: "demo-org") { nope } }')
    assert answer == {
        "errors": [
            {
                "message": "Field 'nope' doesn't exist on type 'Group'",
                "locations": [{"line": 1, "column": 41}],
                "path": ["query Q", "group", "nope"],
                "extensions": {"code": "undefinedField", "typeName": "Group", "fieldName": "nope"},
            }
        ]
    }


def test_unknown_argument_and_missing_one(reading: Wire) -> None:
    assert (
        reading.error('{ group(fullPath: "x", nope: 1) { id } }')
        == "Field 'group' doesn't accept argument 'nope'"
    )
    assert reading.error("{ group { id } }") == "Field 'group' is missing required arguments: fullPath"


def test_unknown_input_field(reading: Wire) -> None:
    error = reading.error(
        'mutation { updateIssue(input: {projectPath: "a", iid: "1", assigneeIds: []}) { errors } }'
    )
    assert error == "InputObject 'UpdateIssueInput' doesn't accept argument 'assigneeIds'"


def test_syntax_error(reading: Wire) -> None:
    answer = reading.answer("{ group( }")
    assert "data" not in answer
    assert answer["errors"][0]["locations"]


def test_variable_that_does_not_fit(reading: Wire) -> None:
    start = "Variable $input of type UpdateIssueInput! was provided invalid value"
    for wish, told in (
        ({"projectPath": "x", "iid": "1", "nope": 1}, " for nope (Field is not defined on UpdateIssueInput)"),
        ({"projectPath": "x"}, " for iid (Expected value to not be null)"),
        (
            {"projectPath": "x", "iid": "1", "weight": "x"},
            ' for weight (Could not coerce value "x" to Int)',
        ),
        (None, ""),
    ):
        answer = reading.answer(UPDATE, input=wish)
        assert answer["errors"][0]["message"] == start + told
        assert answer["errors"][0]["extensions"]["problems"]
        assert "data" not in answer
    assert reading.error(UPDATE) == start


def test_variables_that_are_not_an_object(reading: Wire) -> None:
    response = reading.post({"query": ISSUES, "variables": [1]})
    assert response.status_code == 422
    assert reading.post({"query": ISSUES, "variables": "{"}).status_code == 422
    assert reading.post({"query": ISSUES, "variables": '{"first": 1}'}).status_code == 200


def test_wrong_kind_of_id(reading: Wire) -> None:
    assert "does not represent an instance of Issue" in reading.error(
        '{ issue(id: "gid://gitlab/Project/1") { id } }'
    )
    assert "is not a valid GitLab ID" in reading.error('{ issue(id: "12") { id } }')


def test_introspection_is_off_except_the_well_known_query(reading: Wire) -> None:
    assert (
        reading.error("{ __schema { types { name } } }") == "Field '__schema' doesn't exist on type 'Query'"
    )
    assert (
        reading.error('{ __type(name: "Issue") { name } }') == "Field '__type' doesn't exist on type 'Query'"
    )
    assert "__schema" in reading.data("query IntrospectionQuery { __schema { types { name } } }")


def test_typename_is_available(reading: Wire) -> None:
    assert reading.data('{ group(fullPath: "demo-org") { __typename } }') == {
        "group": {"__typename": "Group"}
    }


def test_several_queries_in_one_request(reading: Wire) -> None:
    answer = reading.post([{"query": "{ currentUser { username } }"}, {"query": "{ nope }"}]).json()
    assert answer[0] == {"data": {"currentUser": {"username": "em_maple"}}}
    assert "errors" in answer[1]


def test_bad_token(reading: Wire) -> None:
    with Wire(reading.server, "glpat-nothing") as stranger:
        response = stranger.post({"query": "{ currentUser { id } }"})
        assert (response.status_code, response.json()) == (401, {"errors": [{"message": "Invalid token"}]})
        assert stranger.rest("GET", "/user").json() == {"message": "401 Unauthorized"}


def test_no_token_sees_nothing(reading: Wire) -> None:
    with Wire(reading.server, "") as stranger:
        assert stranger.data('{ group(fullPath: "demo-org") { id } }') == {"group": None}
        assert stranger.rest("GET", "/user").status_code == 401
        assert stranger.rest("GET", "/groups/demo-org").json() == {"message": "404 Group Not Found"}


def test_expired_token(wire: Wire) -> None:
    with wire.other("pm_oak") as late:
        wire.server.expire(late.token)
        response = late.rest("GET", "/user")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


def test_both_token_headers(reading: Wire) -> None:
    url = f"{reading.server.url}/api/v4/user"
    for headers in ({"private-token": reading.token}, {"authorization": f"Bearer {reading.token}"}):
        assert httpx.get(url, headers=headers, timeout=5).json()["username"] == "em_maple"


def test_read_only_token(wire: Wire) -> None:
    with wire.other(scope="read_api") as reader:
        issue = an_issue(wire.world)
        answer = reader.answer(
            UPDATE, input={"projectPath": issue.project.full_path, "iid": str(issue.iid), "weight": 1}
        )
        assert answer["data"] == {"updateIssue": None}
        assert NOT_AVAILABLE in answer["errors"][0]["message"]
        assert answer["errors"][0]["path"] == ["updateIssue"]
        assert reader.data('{ group(fullPath: "demo-org") { id } }')["group"]
        refused = reader.rest("PUT", f"/projects/{issue.project.id}/issues/{issue.iid}", json={"weight": 1})
        assert (refused.status_code, refused.json()["error"], refused.json()["scope"]) == (
            403,
            "insufficient_scope",
            "api read_api",
        )


def test_missing_objects_are_null(reading: Wire) -> None:
    assert reading.data('{ group(fullPath: "nope") { id } project(fullPath: "demo-org/nope") { id } }') == {
        "group": None,
        "project": None,
    }


def test_rate_limit(serve: Any) -> None:
    wire = serve(rate_limit=3)
    first = wire.rest("GET", "/version")
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("3", "2")
    for _ in range(2):
        assert wire.rest("GET", "/version").status_code == 200
    refused = wire.rest("GET", "/version")
    assert (refused.status_code, refused.text) == (429, "Retry later\n")
    assert refused.headers["content-type"].startswith("text/plain")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-resettime"].endswith("GMT")
    wire.world.clock.advance(60)
    assert wire.rest("GET", "/version").status_code == 200


def test_every_answer_counts_and_has_the_worlds_time(reading: Wire) -> None:
    response = reading.rest("GET", "/nothing/here")
    assert (response.status_code, response.json()) == (404, {"error": "404 Not Found"})
    assert response.headers["date"].startswith("Tue, 24 Nov 2026 09:3")
    assert {
        "ratelimit-limit",
        "ratelimit-name",
        "ratelimit-observed",
        "ratelimit-remaining",
        "ratelimit-reset",
    } <= set(response.headers)


def test_under_a_prefix(serve: Any) -> None:
    wire = serve(relative_url="/gitlab")
    assert wire.server.url.endswith("/gitlab")
    assert (
        wire.data("{ currentUser { username webUrl } }")["currentUser"]["webUrl"]
        == f"{wire.server.url}/em_maple"
    )
    outside = wire.http.get(wire.server.url.removesuffix("/gitlab") + "/api/v4/version")
    assert (outside.status_code, outside.headers["content-type"]) == (404, "text/html; charset=utf-8")
    listed = wire.rest("GET", "/groups/demo-org/issues")
    assert f"<{wire.server.url}/api/v4/groups/demo-org/issues?" in listed.headers["link"]
