"""What a change really does: silent drops, events, timestamps, and the odd forms of ids."""

from __future__ import annotations

from typing import Any

import pytest

from demo.wire import NOT_AVAILABLE, UPDATE, Wire, an_issue, label, next_milestone, titles
from glboard_core.demo.world.records import Event, Issue, Milestone
from glboard_core.demo.world.world import World

READY, DEV, REVIEW = "workflow::ready for development", "workflow::in dev", "workflow::in review"
ASSIGN = """mutation A($input: IssueSetAssigneesInput!) { issueSetAssignees(input: $input) {
  errors issue { updatedAt assignees { nodes { username } } } } }"""
NOTE = """mutation N($id: NoteableID!, $body: String!) { createNote(input: {noteableId: $id, body: $body}) {
  errors note { id body author { username } }
  quickActionsStatus { messages errorMessages commandNames commandsOnly } } }"""


def number(world: World, title: str) -> str:
    return str(label(world, title).id)


def gid(issue: Issue) -> str:
    return f"gid://gitlab/Issue/{issue.id}"


def since(issue: Issue, count: int) -> list[Event]:
    assert issue.history is not None
    return issue.history[count:]


def past(world: World, issue: Issue) -> int:
    return len(world.ensure_history(issue))


def refused_issue(world: World, *, own: bool) -> Issue:
    for issue in world.project("demo-org/partners/reference-models").issues.values():
        if (issue.author.username == "em_maple") == own and not issue.confidential and issue.open:
            return issue
    raise AssertionError("the refusing project lacks such an issue")


def test_labels_by_number_and_by_global_id(wire: Wire) -> None:
    issue = an_issue(wire.world)
    spike = label(wire.world, "spike")
    payload = wire.update(issue, addLabelIds=[f"gid://gitlab/GroupLabel/{spike.id}"])
    assert "spike" in titles(payload)
    assert "spike" not in titles(wire.update(issue, removeLabelIds=[str(spike.id)]))


def test_a_scope_allows_one_label(wire: Wire) -> None:
    issue = an_issue(wire.world)
    wire.update(issue, addLabelIds=[number(wire.world, READY)])
    both = [number(wire.world, DEV), number(wire.world, REVIEW)]
    held = titles(wire.update(issue, addLabelIds=both))
    assert {one for one in held if one.startswith("workflow::")} == {REVIEW}


def test_existing_pairs_stay(wire: Wire) -> None:
    issue = an_issue(wire.world)
    wire.world.edit(issue.reference, by="pm_oak", add_labels=[READY], remove_labels=[DEV, REVIEW])
    with wire.world.index.moving(issue):
        issue.labels = (*issue.labels, label(wire.world, DEV))
    held = titles(wire.update(issue, addLabelIds=[number(wire.world, "documentation")]))
    assert {READY, DEV} <= held
    assert titles(wire.update(issue, addLabelIds=[number(wire.world, REVIEW)])).isdisjoint({READY, DEV})


def test_free_tier_has_no_scopes_no_weight_and_one_assignee(serve: Any) -> None:
    wire = serve(tier="free")
    issue = an_issue(wire.world)
    both = [number(wire.world, READY), number(wire.world, DEV)]
    payload = wire.update(issue, addLabelIds=both, weight=3)
    assert {READY, DEV} <= titles(payload)
    assert (payload["issue"]["weight"], payload["errors"]) == (None, [])
    wish = {
        "projectPath": issue.project.full_path,
        "iid": str(issue.iid),
        "assigneeUsernames": ["eng_elm", "eng_alder"],
    }
    found = wire.data(ASSIGN, input=wish)["issueSetAssignees"]["issue"]
    assert [one["username"] for one in found["assignees"]["nodes"]] == ["eng_elm"]


def test_label_sets_exclude_adding(wire: Wire) -> None:
    issue = an_issue(wire.world)
    one = number(wire.world, READY)
    wish = {
        "projectPath": issue.project.full_path,
        "iid": str(issue.iid),
        "labelIds": [one],
        "addLabelIds": [one],
    }
    assert "mutually exclusive" in wire.error(UPDATE, input=wish)


def test_label_set_replaces(wire: Wire) -> None:
    issue = an_issue(wire.world)
    before = [str(one.id) for one in issue.labels]
    assert titles(wire.update(issue, labelIds=[number(wire.world, "spike")])) == {"spike"}
    wire.update(issue, labelIds=before)


def test_labels_of_other_projects_are_silently_dropped(wire: Wire) -> None:
    world = wire.world
    issue = an_issue(world)
    own = world.label_of(world.project("demo-org/platform"), "needs-docs")
    foreign = world.label_of(world.project("demo-org/ai/ai-gateway"), "needs-docs")
    assert own is not None
    assert foreign is not None
    assert own.id != foreign.id
    count = sum(one.title == "needs-docs" for one in issue.labels)
    payload = wire.update(issue, addLabelIds=[str(foreign.id)])
    assert payload["errors"] == []
    assert sum(one.title == "needs-docs" for one in issue.labels) == count
    assert "needs-docs" in titles(wire.update(issue, addLabelIds=[str(own.id)]))


@pytest.mark.parametrize(("version", "accepted"), [("16.8", False), ("18.9", False), ("19.3", True)])
def test_milestone_by_global_id(serve: Any, version: str, accepted: bool) -> None:
    wire = serve(version=version)
    issue, coming = an_issue(wire.world), next_milestone(wire.world)
    before = issue.milestone
    assert before is not coming
    payload = wire.update(issue, milestoneId=f"gid://gitlab/Milestone/{coming.id}")
    assert payload["errors"] == []
    assert issue.milestone is (coming if accepted else before)
    wire.update(issue, milestoneId=str(coming.id))
    assert issue.milestone is coming


def test_milestone_that_the_project_cannot_see_is_ignored(wire: Wire) -> None:
    issue = an_issue(wire.world, path="demo-org/custom-models")
    before = issue.milestone
    for hidden in ("Platform hardening", "AI launch"):
        payload = wire.update(issue, milestoneId=str(wire.world.milestone(hidden).id))
        assert payload["errors"] == []
        assert issue.milestone is before


def test_omitted_keys_stay_and_null_clears(wire: Wire) -> None:
    issue = an_issue(wire.world)
    wire.update(issue, weight=3)
    assert wire.update(issue, title="Only the title")["issue"]["weight"] == 3
    assert wire.update(issue, weight=None)["issue"]["weight"] is None
    assert wire.update(issue, weight=0)["issue"]["weight"] == 0
    before = issue.milestone
    assert before is not None
    assert wire.update(issue, milestoneId=None)["issue"]["milestone"] is None
    wire.update(issue, milestoneId=str(before.id))


def test_events_of_a_milestone(wire: Wire) -> None:
    world, issue = wire.world, an_issue(wire.world)
    coming, before, count = next_milestone(world), issue.milestone, past(world, an_issue(world))
    wire.update(issue, milestoneId=str(coming.id))
    wire.update(issue, milestoneId=None)
    wire.update(issue, milestoneId=str(before.id if before else 0))
    told = [(one.action, one.value) for one in since(issue, count)]
    assert told == [("add", coming), ("remove", coming), ("add", before)]


def test_events_of_labels_weight_and_state(wire: Wire) -> None:
    world, issue = wire.world, an_issue(wire.world)
    wire.update(issue, addLabelIds=[number(world, READY)], weight=1)
    count = past(world, issue)
    wire.update(issue, addLabelIds=[number(world, DEV)], weight=2, stateEvent="CLOSE")
    wire.update(issue, stateEvent="REOPEN")
    told = [(one.kind, one.action, getattr(one.value, "title", one.value)) for one in since(issue, count)]
    assert told == [
        ("label", "add", DEV),
        ("label", "remove", READY),
        ("weight", "add", 2),
        ("state", "closed", None),
        ("state", "reopened", None),
    ]


def test_closing_and_reopening(wire: Wire) -> None:
    issue = an_issue(wire.world)
    closed = wire.update(issue, stateEvent="CLOSE")["issue"]
    assert (closed["state"], closed["closedAt"]) == ("closed", closed["updatedAt"])
    opened = wire.update(issue, stateEvent="REOPEN")["issue"]
    assert (opened["state"], opened["closedAt"]) == ("opened", None)


def test_updated_at_moves_with_changes_only(wire: Wire) -> None:
    issue = an_issue(wire.world)
    wire.update(issue, weight=1)
    before = issue.updated
    wire.world.clock.advance(5)
    wire.update(issue, weight=1)
    assert issue.updated == before
    wire.update(issue, weight=2)
    assert issue.updated > before


def test_validation_errors_are_in_the_payload(wire: Wire) -> None:
    issue = an_issue(wire.world)
    before = issue.title
    payload = wire.update(issue, title="x" * 256, weight=-1)
    assert payload["errors"] == [
        "Title is too long (maximum is 255 characters)",
        "Weight must be greater than or equal to 0",
    ]
    assert wire.update(issue, title=" ")["errors"] == ["Title can't be blank"]
    assert issue.title == before


def test_no_permission_and_not_found_look_the_same(wire: Wire) -> None:
    refused = refused_issue(wire.world, own=False)
    for path, iid in (
        (refused.project.full_path, str(refused.iid)),
        ("demo-org/platform", "999999"),
        ("demo-org/nowhere", "1"),
    ):
        answer = wire.answer(UPDATE, input={"projectPath": path, "iid": iid, "weight": 1})
        assert answer["data"] == {"updateIssue": None}
        assert NOT_AVAILABLE in answer["errors"][0]["message"]


def test_authors_without_the_planner_role_can_change_only_the_title(wire: Wire) -> None:
    issue = refused_issue(wire.world, own=True)
    held, milestone, weight = issue.labels, issue.milestone, issue.weight
    payload = wire.update(
        issue, title="A better title", weight=9, milestoneId=None, addLabelIds=[number(wire.world, "spike")],
    )  # fmt: skip
    assert payload["errors"] == []
    assert (issue.title, issue.labels, issue.milestone, issue.weight) == (
        "A better title",
        held,
        milestone,
        weight,
    )


def test_archived_projects_refuse(wire: Wire) -> None:
    issue = an_issue(wire.world, path="demo-org/docs/handbook")
    issue.project.archived = True
    wish = {"projectPath": issue.project.full_path, "iid": str(issue.iid), "weight": 1}
    assert NOT_AVAILABLE in wire.error(UPDATE, input=wish)
    query = """query A($iid: String!) { group(fullPath: "demo-org") {
      issues(includeSubgroups: true, iids: [$iid]) { nodes { reference(full: true) } } } }"""
    found = wire.data(query, iid=str(issue.iid))
    assert issue.reference not in [one["reference"] for one in found["group"]["issues"]["nodes"]]
    issue.project.archived = False


def test_assignees(wire: Wire) -> None:
    issue = an_issue(wire.world)
    me = {"projectPath": issue.project.full_path, "iid": str(issue.iid)}

    def assign(mode: str | None, *names: str) -> list[str]:
        wish = {**me, "assigneeUsernames": list(names), **({"operationMode": mode} if mode else {})}
        found = wire.data(ASSIGN, input=wish)["issueSetAssignees"]
        assert found["errors"] == []
        return [one["username"] for one in found["issue"]["assignees"]["nodes"]]

    assert assign(None, "eng_elm") == ["eng_elm"]
    assert assign("APPEND", "eng_alder") == ["eng_elm", "eng_alder"]
    assert assign("REMOVE", "eng_elm") == ["eng_alder"]
    assert assign("REPLACE", "nobody_here") == []


def test_strangers_cannot_be_assigned(wire: Wire) -> None:
    issue = an_issue(wire.world)
    wire.world.add_user("stranger", "Stranger")
    wish = {"projectPath": issue.project.full_path, "iid": str(issue.iid), "assigneeUsernames": ["stranger"]}
    assert "Cannot assign @stranger" in wire.data(ASSIGN, input=wish)["issueSetAssignees"]["errors"][0]


def test_aliases_run_one_after_the_other_and_fail_alone(wire: Wire) -> None:
    issue = an_issue(wire.world)
    me = f'projectPath: "{issue.project.full_path}", iid: "{issue.iid}"'
    answer = wire.answer(
        f"mutation {{ a: updateIssue(input: {{{me}, weight: 1}}) {{ errors issue {{ weight }} }}"
        ' b: updateIssue(input: {projectPath: "demo-org/nowhere", iid: "1", weight: 2}) { errors }'
        f" c: updateIssue(input: {{{me}, weight: 3}}) {{ errors issue {{ weight }} }} }}"
    )
    assert answer["data"] == {
        "a": {"errors": [], "issue": {"weight": 1}},
        "b": None,
        "c": {"errors": [], "issue": {"weight": 3}},
    }
    assert [one["path"] for one in answer["errors"]] == [["b"]]


def test_new_issue_creates_unknown_labels_in_the_project(wire: Wire) -> None:
    query = """mutation C($input: CreateIssueInput!) { createIssue(input: $input) {
      errors issue { iid relativePosition weight labels { nodes { id title } } reference(full: true) } } }"""
    wish = {
        "projectPath": "demo-org/platform",
        "title": "New",
        "labels": ["spike", "never seen"],
        "weight": 2,
    }
    made = wire.data(query, input=wish)["createIssue"]
    assert made["errors"] == []
    assert [one["title"] for one in made["issue"]["labels"]["nodes"]] == ["never seen", "spike"]
    assert made["issue"]["labels"]["nodes"][0]["id"].startswith("gid://gitlab/ProjectLabel/")
    assert (made["issue"]["weight"], made["issue"]["relativePosition"]) == (2, None)
    wire.world.delete(made["issue"]["reference"])
    blank = wire.data(query, input={"projectPath": "demo-org/platform", "title": ""})["createIssue"]
    assert blank == {"errors": ["Title can't be blank"], "issue": None}


def test_comment(wire: Wire) -> None:
    issue = an_issue(wire.world)
    before = issue.updated
    wire.world.clock.advance(61)
    note = wire.data(NOTE, id=gid(issue), body="Looks *good*")["createNote"]
    assert note["errors"] == []
    assert (note["note"]["body"], note["note"]["author"]["username"]) == ("Looks *good*", "em_maple")
    assert issue.updated > before
    assert wire.data(NOTE, id=gid(issue), body="  ")["createNote"]["errors"] == ["Note can't be blank"]


def test_comment_with_only_commands_leaves_no_note(wire: Wire) -> None:
    issue = an_issue(wire.world)
    count = sum(not one.system for one in issue.notes or ())
    body = '/weight 4\n/label ~spike ~"workflow::in dev"\n/assign @eng_cedar\n/milestone %"Backlog"'
    payload = wire.data(NOTE, id=gid(issue), body=body)["createNote"]
    assert payload["note"] is None
    assert payload["quickActionsStatus"]["commandNames"] == ["weight", "label", "assign", "milestone"]
    assert payload["quickActionsStatus"]["commandsOnly"] is True
    assert sum(not one.system for one in issue.notes or ()) == count
    assert issue.weight == 4
    assert {"spike", DEV} <= {one.title for one in issue.labels}
    assert "eng_cedar" in [one.username for one in issue.assignees]
    assert issue.milestone is not None
    assert issue.milestone.title == "Backlog"
    mixed = wire.data(NOTE, id=gid(issue), body="Done here\n/close")["createNote"]
    assert mixed["note"]["body"] == "Done here"
    assert not issue.open
    wire.update(issue, stateEvent="REOPEN")


def test_old_servers_report_success_among_the_errors(serve: Any) -> None:
    wire = serve(version="16.8")
    issue = an_issue(wire.world)
    query = NOTE.replace("quickActionsStatus { messages errorMessages commandNames commandsOnly }", "")
    payload = wire.data(query, id=gid(issue), body="/weight 2")["createNote"]
    assert payload["note"] is None
    assert payload["errors"][0].startswith("Commands only")
    assert issue.weight == 2


def test_too_many_comments(serve: Any) -> None:
    wire = serve(note_limit=1)
    issue = an_issue(wire.world)
    assert wire.data(NOTE, id=gid(issue), body="one")["createNote"]["note"]
    answer = wire.answer(NOTE, id=gid(issue), body="two")
    assert answer["data"] == {"createNote": None}
    assert (
        answer["errors"][0]["message"] == "This endpoint has been requested too many times. Try again later."
    )
    refused = wire.rest(
        "POST", f"/projects/{issue.project.id}/issues/{issue.iid}/notes", json={"body": "three"}
    )
    assert refused.status_code == 429


def test_notes_are_changed_by_their_author(wire: Wire) -> None:
    issue = an_issue(wire.world)
    note = wire.world.comment(issue.reference, "first", by="eng_elm")
    update = (
        'mutation U($id: NoteID!) { updateNote(input: {id: $id, body: "second"}) { errors note { body } } }'
    )
    destroy = "mutation D($id: NoteID!) { destroyNote(input: {id: $id}) { errors note { id } } }"
    ident = f"gid://gitlab/Note/{note.id}"
    with wire.other("eng_alder") as stranger:
        assert NOT_AVAILABLE in stranger.error(update, id=ident)
    with wire.other("eng_elm") as author:
        assert author.data(update, id=ident)["updateNote"]["note"] == {"body": "second"}
        assert author.data(destroy, id=ident)["destroyNote"] == {"errors": [], "note": None}
    assert note.id not in wire.world.notes


def test_commands_in_an_updated_note_are_executed(wire: Wire) -> None:
    issue = an_issue(wire.world)
    note = wire.world.comment(issue.reference, "first", by="em_maple")
    update = (
        "mutation U($id: NoteID!, $body: String!) { updateNote(input: {id: $id, body: $body})"
        " { errors note { body } } }"
    )
    ident = f"gid://gitlab/Note/{note.id}"
    assert wire.data(update, id=ident, body="text\n/weight 7")["updateNote"]["note"] == {"body": "text"}
    assert issue.weight == 7
    assert wire.data(update, id=ident, body=" ")["updateNote"]["errors"] == ["Note can't be blank"]
    assert note.body == "text"
    assert wire.data(update, id=ident, body="/weight 3")["updateNote"]["note"] is None
    assert note.id not in wire.world.notes
    said = wire.world.add_note(issue, "changed the title", issue.author, system=True)
    assert NOT_AVAILABLE in wire.error(update, id=f"gid://gitlab/Note/{said.id}", body="x")
    mine = wire.world.comment(issue.reference, "mine", by="em_maple")
    issue.project.archived = True
    try:
        assert NOT_AVAILABLE in wire.error(update, id=f"gid://gitlab/Note/{mine.id}", body="x")
    finally:
        issue.project.archived = False  # the world is every test's
    assert mine.body == "mine"


def test_confidential_issues_are_hidden_from_guests(wire: Wire) -> None:
    world = wire.world
    issue = an_issue(world)
    guest = world.add_user("guest_fern", "Fern")
    world.root.members[guest.id] = 10
    world.edit(issue.reference, by="em_maple", confidential=True)
    query = f'{{ issue(id: "{gid(issue)}") {{ id }} }}'
    with wire.other("guest_fern") as stranger:
        assert stranger.data(query) == {"issue": None}
    assert wire.data(query)["issue"]
    world.edit(issue.reference, by="em_maple", confidential=False)


def test_bulk_update_skips_issues_without_permission(wire: Wire) -> None:
    world = wire.world
    good, bad = an_issue(world), refused_issue(world, own=False)
    query = """mutation B($ids: [WorkItemID!]!, $m: MilestoneID) { workItemBulkUpdate(input: {
      fullPath: "demo-org", ids: $ids, milestoneWidget: {milestoneId: $m}}) {
      errors updatedWorkItemCount } }"""
    target: Milestone = world.milestone("Next 1-3 releases")
    before = bad.milestone
    found = wire.data(
        query,
        ids=[f"gid://gitlab/WorkItem/{one.id}" for one in (good, bad)],
        m=f"gid://gitlab/Milestone/{target.id}",
    )
    assert found["workItemBulkUpdate"] == {"errors": [], "updatedWorkItemCount": 1}
    assert (good.milestone, bad.milestone) == (target, before)
    many = [f"gid://gitlab/WorkItem/{n}" for n in range(101)]
    assert "No more than 100" in wire.error(query, ids=many, m=None)


def test_status_of_a_closing_category_closes(wire: Wire) -> None:
    issue = an_issue(wire.world)
    statuses = wire.data('{ group(fullPath: "demo-org") { statuses { nodes { id name category } } } }')
    ids = {one["name"]: one["id"] for one in statuses["group"]["statuses"]["nodes"]}
    query = """mutation S($id: WorkItemID!, $status: WorkItemsStatusesStatusID) { workItemUpdate(input: {
      id: $id, statusWidget: {status: $status}}) { errors workItem { state lockVersion
        widgets(onlyTypes: [STATUS]) { ... on WorkItemWidgetStatus { status { name } } } } } }"""
    ident = f"gid://gitlab/WorkItem/{issue.id}"
    done = wire.data(query, id=ident, status=ids["Won't do"])["workItemUpdate"]["workItem"]
    assert (done["state"], done["widgets"]) == ("CLOSED", [{"status": {"name": "Won't do"}}])
    again = wire.data(query, id=ident, status=ids["In dev"])["workItemUpdate"]["workItem"]
    assert (again["state"], again["lockVersion"]) == ("OPEN", done["lockVersion"])
    issue.status = None


def test_closed_as_a_duplicate(wire: Wire) -> None:
    issue = an_issue(wire.world)
    other = next(one for one in issue.project.issues.values() if one is not issue)
    wire.world.edit(issue.reference, by="pm_oak", duplicate_of=other.reference)
    query = f'{{ issue(id: "{gid(issue)}") {{ state closedAsDuplicateOf {{ reference(full: true) }} }} }}'
    assert wire.data(query)["issue"] == {
        "state": "closed",
        "closedAsDuplicateOf": {"reference": other.reference},
    }
    wire.world.edit(issue.reference, by="pm_oak", reopen=True)
