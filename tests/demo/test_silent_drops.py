"""What GitLab drops without a word: closed milestones, ids of the wrong form, people, weights of guests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from demo.wire import NOT_AVAILABLE, Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.records import Issue
from support.engines import build_world

ASSIGN = "mutation A($input: IssueSetAssigneesInput!) { issueSetAssignees(input: $input) { errors } }"
CREATE = """mutation C($input: CreateIssueInput!) { createIssue(input: $input) { errors
  issue { iid weight confidential milestone { title } labels { nodes { id title } }
    assignees { nodes { username } } } } }"""
BULK = """mutation B($input: WorkItemBulkUpdateInput!) { workItemBulkUpdate(input: $input) {
  errors updatedWorkItemCount } }"""
WORK_ITEM = "mutation W($input: WorkItemUpdateInput!) { workItemUpdate(input: $input) { errors } }"


@pytest.fixture(name="serve")
def servers() -> Iterator[Callable[..., Wire]]:
    """Makes servers of their own, of a tier."""
    running: list[tuple[DemoServer, Wire]] = []

    def make(**kinds: Any) -> Wire:
        server = DemoServer(build_world(2, **kinds)).start()
        running.append((server, Wire(server)))
        return running[-1][1]

    yield make
    for server, wire in running:
        wire.close()
        server.stop()


@pytest.fixture(name="wire")
def served(serve: Callable[..., Wire]) -> Wire:
    """A server of its own."""
    return serve()


@pytest.fixture(name="issue")
def first_issue(wire: Wire) -> Issue:
    """Its first issue."""
    return wire.world.issue("top/app#1")


def assign(wire: Wire, *names: str, mode: str = "REPLACE") -> list[str]:
    wish = {"projectPath": "top/app", "iid": "1", "assigneeUsernames": names, "operationMode": mode}
    errors: list[str] = wire.data(ASSIGN, input=wish)["issueSetAssignees"]["errors"]
    return errors


def assigned(issue: Issue) -> list[str]:
    return [one.username for one in issue.assignees]


def guest(wire: Wire) -> Wire:
    user = wire.world.add_user("guest", "Guest")
    wire.world.root.members[user.id] = 10
    return wire.other("guest")


def test_a_closed_milestone_cannot_be_set_but_stays_where_it_is(wire: Wire, issue: Issue) -> None:
    world = wire.world
    world.milestone("19.8").closed = True
    number = world.milestone("19.8").id
    assert wire.update(issue, milestoneId=str(number))["errors"] == []
    assert wire.rest("PUT", "/projects/top%2Fapp/issues/1", json={"milestone_id": number}).status_code == 200
    assert issue.milestone is world.milestone("19.7")
    world.milestone("19.7").closed = True
    wire.update(issue, weight=3)
    assert issue.milestone is world.milestone("19.7")


def test_one_mutation_takes_plain_numbers_the_other_global_ids(wire: Wire, issue: Issue) -> None:
    number = wire.world.milestone("19.8").id
    assert wire.update(issue, milestoneId=f"gid://gitlab/Milestone/{number}")["errors"] == []
    assert issue.milestone is wire.world.milestone("19.7")
    wish = {"projectPath": "top/app", "title": "New", "milestoneId": str(number)}
    assert "is not a valid" in wire.error(CREATE, input=wish)
    wish["milestoneId"] = f"gid://gitlab/Milestone/{number}"
    assert wire.data(CREATE, input=wish)["createIssue"]["issue"]["milestone"] == {"title": "19.8"}


def test_bulk_with_a_null_milestone_clears_it(wire: Wire, issue: Issue) -> None:
    wish = {"fullPath": "top", "ids": [f"gid://gitlab/WorkItem/{issue.id}"]}
    wire.data(BULK, input={**wish, "labelsWidget": {"addLabelIds": []}})
    assert issue.milestone is not None
    done = wire.data(BULK, input={**wish, "milestoneWidget": {"milestoneId": None}})["workItemBulkUpdate"]
    assert done == {"errors": [], "updatedWorkItemCount": 1}
    assert issue.milestone is None


def test_without_a_licence_the_assignee_with_the_highest_id_stays(serve: Callable[..., Wire]) -> None:
    wire = serve(tier="free")
    issue = wire.world.issue("top/app#1")
    assert assign(wire, "eng_2", "eng_1") == []
    assert assigned(issue) == ["eng_2"]
    assert assign(wire, "eng_1", mode="APPEND") == []
    assert assigned(issue) == ["eng_2"]
    assign(wire, "eng_1")
    assert assigned(issue) == ["eng_1"]


@pytest.mark.parametrize("name", ["no_such", "@eng_1"])
def test_replacing_by_an_unknown_name_empties_the_assignees(wire: Wire, issue: Issue, name: str) -> None:
    assign(wire, "ENG_1", "eng_2")
    assert assigned(issue) == ["eng_1", "eng_2"]
    assert assign(wire, name) == []
    assert assigned(issue) == []


def test_someone_who_is_no_member_is_an_error_once_others_were_replaced(wire: Wire, issue: Issue) -> None:
    stranger = wire.world.add_user("stranger", "Stranger")
    assign(wire, "eng_1")
    assert assign(wire, "stranger", "eng_2") == ["Assignees Cannot assign @stranger to #1"]
    assert assigned(issue) == ["eng_2"]
    answer = wire.rest("PUT", "/projects/top%2Fapp/issues/1", json={"assignee_ids": [stranger.id]})
    assert answer.status_code == 200
    assert assigned(issue) == ["eng_2"]


def test_a_guests_new_issue_keeps_everything_but_its_weight(wire: Wire) -> None:
    label = wire.world.label_of(wire.world.root, "type::bug")
    assert label is not None
    wish = {
        "projectPath": "top/app", "title": "New", "weight": 3, "confidential": True,
        "labelIds": [f"gid://gitlab/GroupLabel/{label.id}"],
        "milestoneId": f"gid://gitlab/Milestone/{wire.world.milestone('19.8').id}",
        "assigneeIds": [f"gid://gitlab/User/{wire.world.user('eng_1').id}"],
    }  # fmt: skip
    with guest(wire) as them:
        made = them.data(CREATE, input=wish)["createIssue"]["issue"]
        assert (made["weight"], made["confidential"], made["milestone"]) == (None, True, {"title": "19.8"})
        assert [one["title"] for one in made["labels"]["nodes"]] == ["type::bug"]
        assert [one["username"] for one in made["assignees"]["nodes"]] == ["eng_1"]


def test_a_guest_sets_a_status_without_effect_and_nothing_else_at_all(wire: Wire, issue: Issue) -> None:
    status = {"status": "gid://gitlab/WorkItems::Statuses::Custom::Status/9"}
    wish = {"id": f"gid://gitlab/WorkItem/{issue.id}", "statusWidget": status}
    with guest(wire) as them:
        assert them.data(WORK_ITEM, input=wish)["workItemUpdate"]["errors"] == []
        assert NOT_AVAILABLE in them.error(WORK_ITEM, input={**wish, "title": "Mine"})
    assert (issue.status, issue.title) == (None, "Issue 1")


def test_a_locked_issue_stays_closed(wire: Wire, issue: Issue) -> None:
    wire.update(issue, stateEvent="CLOSE", locked=True)
    assert wire.update(issue, stateEvent="REOPEN")["errors"] == []
    assert not issue.open


def test_a_status_that_is_not_there_or_not_licensed_is_an_error(
    serve: Callable[..., Wire], wire: Wire, issue: Issue
) -> None:
    wish = {
        "id": f"gid://gitlab/WorkItem/{issue.id}",
        "statusWidget": {"status": "gid://gitlab/WorkItems::Statuses::Custom::Status/999"},
    }
    assert wire.error(WORK_ITEM, input=wish) == "Status doesn't exist."
    said = "Following widget keys are not supported by Issue type: [:status_widget]"
    assert serve(tier="free").error(WORK_ITEM, input=wish) == said


def test_a_new_label_by_title_is_case_sensitive_and_never_has_outer_spaces(wire: Wire) -> None:
    wish = {"projectPath": "top/app", "title": "New", "labels": ["TYPE::BUG", " documentation "]}
    nodes = wire.data(CREATE, input=wish)["createIssue"]["issue"]["labels"]["nodes"]
    assert [one["title"] for one in nodes] == ["TYPE::BUG"]
    assert "ProjectLabel" in nodes[0]["id"]


def test_a_weight_that_no_integer_holds_breaks_rest(wire: Wire, issue: Issue) -> None:
    path = "/projects/top%2Fapp/issues/1"
    assert wire.rest("PUT", path, json={"weight": 3_000_000_000}).status_code == 500
    assert issue.weight == 1
    for empty in ("", None):
        wire.world.edit("top/app#1", by="em_willow", weight=1)
        assert wire.rest("PUT", path, json={"weight": empty}).status_code == 200
        assert issue.weight is None
