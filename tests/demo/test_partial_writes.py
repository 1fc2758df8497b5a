"""Errors that are not "unchanged": what GitLab writes although it refuses a field, and what races leave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.wire import Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.records import Issue
from support.engines import build_world

WORK_ITEM = """mutation W($input: WorkItemUpdateInput!) { workItemUpdate(input: $input) {
  errors workItem { id } } }"""
DEV, REVIEW = "workflow::in dev", "workflow::in review"


@pytest.fixture(name="wire")
def served() -> Iterator[Wire]:
    """A server of its own, with a still clock."""
    world = build_world(2)
    world.clock.freeze()
    with DemoServer(world) as server, Wire(server) as wire:
        yield wire


@pytest.fixture(name="issue")
def first_issue(wire: Wire) -> Issue:
    """Its first issue."""
    return wire.world.issue("top/app#1")


def label_id(wire: Wire, title: str) -> str:
    found = wire.world.label_of(wire.world.root, title)
    assert found is not None
    return f"gid://gitlab/GroupLabel/{found.id}"


def held(issue: Issue) -> set[str]:
    return {one.title for one in issue.labels}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"title": " "}, "Title can't be blank"),
        ({"title": "x" * 256}, "Title is too long (maximum is 255 characters)"),
        ({"weight": -1}, "Weight must be greater than or equal to 0"),
    ],
)
def test_labels_of_a_refused_update_are_written_without_an_event(
    wire: Wire, issue: Issue, bad: dict[str, Any], said: str
) -> None:
    events, updated = len(wire.world.ensure_history(issue)), issue.updated
    ids = {"addLabelIds": [label_id(wire, "documentation")], "removeLabelIds": [label_id(wire, "type::bug")]}
    payload = wire.update(
        issue, dueDate="2026-12-24", milestoneId=str(wire.world.milestone("19.8").id), **bad, **ids
    )
    assert payload["errors"] == [said]
    assert "documentation" in held(issue)
    assert "type::bug" not in held(issue)
    assert (issue.title, issue.weight, issue.due) == ("Issue 1", 1, None)
    assert issue.milestone is wire.world.milestone("19.7")
    assert (len(issue.history or ()), issue.updated) == (events, updated)


def test_a_refused_update_closes_all_the_same(wire: Wire, issue: Issue) -> None:
    payload = wire.update(issue, title="", stateEvent="CLOSE")
    assert payload["errors"] == ["Title can't be blank"]
    assert not issue.open
    assert issue.history is not None
    assert issue.history[-1].action == "closed"


def test_the_answer_to_a_refused_update_shows_what_was_not_saved(wire: Wire, issue: Issue) -> None:
    shown = wire.update(issue, weight=-1, confidential=True)["issue"]
    assert (shown["weight"], shown["confidential"]) == (-1, True)
    assert (issue.weight, issue.confidential) == (1, False)


def test_work_items_and_rest_write_partly_too(wire: Wire, issue: Issue) -> None:
    wish = {
        "id": f"gid://gitlab/WorkItem/{issue.id}",
        "title": "",
        "stateEvent": "CLOSE",
        "labelsWidget": {"addLabelIds": [label_id(wire, "documentation")]},
    }
    payload = wire.data(WORK_ITEM, input=wish)["workItemUpdate"]
    assert payload == {"errors": ["Title can't be blank"], "workItem": None}
    assert not issue.open
    assert "documentation" in held(issue)
    done = wire.rest("PUT", "/projects/top%2Fapp/issues/1", json={"title": "", "add_labels": "Deliverable"})
    assert done.status_code == 400
    assert "Deliverable" in held(issue)


def test_a_refused_create_creates_nothing(wire: Wire) -> None:
    before = len(wire.world.index.issues)
    create = "mutation C($input: CreateIssueInput!) { createIssue(input: $input) { errors issue { id } } }"
    wish = {"projectPath": "top/app", "title": "New", "weight": -1, "labels": ["documentation"]}
    assert wire.data(create, input=wish)["createIssue"]["issue"] is None
    assert len(wire.world.index.issues) == before


def test_titles_are_trimmed_before_they_are_measured(wire: Wire, issue: Issue) -> None:
    assert wire.update(issue, title=f"  {'é' * 255}  ")["errors"] == []
    assert issue.title == "é" * 255


def test_descriptions_are_measured_in_bytes(wire: Wire, issue: Issue) -> None:
    said = "Description is too long (1 MiB). The maximum size is 1 MiB."
    assert wire.update(issue, description="é" * 524_289)["errors"] == [said]
    assert wire.update(issue, description="é" * 524_288)["errors"] == []


def test_two_writes_at_once_leave_two_labels_of_a_scope(wire: Wire, issue: Issue) -> None:
    wire.world.traits.races = 0.1
    wire.update(issue, addLabelIds=[label_id(wire, DEV)])
    wire.world.clock.advance(0.05)
    wire.update(issue, addLabelIds=[label_id(wire, REVIEW)], removeLabelIds=[label_id(wire, DEV)])
    assert {DEV, REVIEW} <= held(issue)
    wire.world.clock.advance(1)
    wire.update(issue, addLabelIds=[label_id(wire, "workflow::blocked")])
    assert held(issue) & {DEV, REVIEW, "workflow::blocked"} == {"workflow::blocked"}


def test_two_writes_of_one_document_see_each_other(wire: Wire, issue: Issue) -> None:
    wire.world.traits.races = 0.1
    one = 'updateIssue(input: {{projectPath: "top/app", iid: "1", addLabelIds: ["{}"]}}) {{ errors }}'
    both = f"a: {one.format(label_id(wire, DEV))} b: {one.format(label_id(wire, REVIEW))}"
    wire.data(f"mutation {{ {both} }}")
    assert held(issue) & {DEV, REVIEW} == {REVIEW}


def test_writes_exclude_each_other_unless_races_are_switched_on(wire: Wire, issue: Issue) -> None:
    wire.update(issue, addLabelIds=[label_id(wire, DEV)])
    wire.update(issue, addLabelIds=[label_id(wire, REVIEW)])
    assert held(issue) & {DEV, REVIEW} == {REVIEW}
