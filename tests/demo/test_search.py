"""Filters, orders and pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from demo.wire import Wire
from glboard_core.demo.world.records import Issue

LIST = """query L($first: Int, $after: String, $sort: IssueSort) { group(fullPath: "demo-org") {
  issues(includeSubgroups: true, first: $first, after: $after, sort: $sort) {
    count pageInfo { hasNextPage endCursor } nodes { reference(full: true) } } } }"""
SORTS: dict[str, Callable[[Issue], Any]] = {
    "CREATED_DESC": lambda one: (-one.created, -one.id),
    "UPDATED_ASC": lambda one: (one.updated, one.id),
    "UPDATED_DESC": lambda one: (-one.updated, -one.id),
    "CLOSED_AT_DESC": lambda one: (one.closed is None, -(one.closed or 0), -one.id),
    "RELATIVE_POSITION_ASC": lambda one: (one.position is None, one.position or 0, one.id),
    "WEIGHT_ASC": lambda one: (one.weight is None, one.weight or 0, one.id),
    "WEIGHT_DESC": lambda one: (one.weight is None, -(one.weight or 0), -one.id),
    "TITLE_ASC": lambda one: (one.title.lower(), one.id),
}


def pages(wire: Wire, sort: str, size: int = 45) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = wire.data(LIST, first=size, after=after, sort=sort)["group"]["issues"]
        found += [one["reference"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_pages_to_the_end(reading: Wire, sort: str) -> None:
    issues = sorted(reading.world.index.issues.values(), key=SORTS[sort])
    assert pages(reading, sort) == [one.reference for one in issues]


def test_titles_in_reverse_order(reading: Wire) -> None:
    issues = sorted(
        reading.world.index.issues.values(), key=lambda one: (one.title.lower(), one.id), reverse=True
    )
    assert pages(reading, "TITLE_DESC") == [one.reference for one in issues]


def test_pages_are_stable_while_issues_change(wire: Wire) -> None:
    world = wire.world
    first = wire.data(LIST, first=50, sort="CREATED_DESC")["group"]["issues"]
    seen = [one["reference"] for one in first["nodes"]]
    world.create("demo-org/platform", "Came in between", by="pm_oak")
    world.delete(seen[10])
    second = wire.data(LIST, first=50, after=first["pageInfo"]["endCursor"], sort="CREATED_DESC")["group"][
        "issues"
    ]
    rest = [one["reference"] for one in second["nodes"]]
    assert not set(seen) & set(rest)
    order = [world.index.issues[abs(key[2])].reference for key in world.index.order("CREATED_DESC")]
    assert rest[0] == order[order.index(seen[49]) + 1]


def test_orders_without_a_key_page_by_offset(wire: Wire) -> None:
    page = wire.data(LIST, first=10, sort="MILESTONE_DUE_ASC")["group"]["issues"]
    victim = page["nodes"][0]["reference"]
    wire.world.delete(victim)
    rest = wire.data(LIST, first=1, after=page["pageInfo"]["endCursor"], sort="MILESTONE_DUE_ASC")["group"][
        "issues"
    ]
    again = wire.data(LIST, first=11, sort="MILESTONE_DUE_ASC")["group"]["issues"]
    assert rest["nodes"][0] == again["nodes"][10]
    assert again["nodes"][9]["reference"] not in [one["reference"] for one in page["nodes"]]


def test_cursor_of_another_order_is_refused(reading: Wire) -> None:
    cursor = reading.data(LIST, first=2, sort="CREATED_DESC")["group"]["issues"]["pageInfo"]["endCursor"]
    for after in (cursor, "nonsense", "bm90IGpzb24="):
        answer = reading.answer(LIST, first=2, after=after, sort="UPDATED_DESC")
        assert answer["errors"][0]["message"] == f'Invalid input: "{after}"'


def test_backwards(reading: Wire) -> None:
    query = """query B($last: Int, $before: String) { group(fullPath: "demo-org") { issues(
      includeSubgroups: true, last: $last, before: $before, sort: CREATED_ASC) {
      pageInfo { startCursor hasPreviousPage } nodes { id } } } }"""
    order = [f"gid://gitlab/Issue/{key[2]}" for key in reading.world.index.order("CREATED_ASC")]
    page = reading.data(query, last=3)["group"]["issues"]
    assert [one["id"] for one in page["nodes"]] == order[-3:]
    page = reading.data(query, last=2, before=page["pageInfo"]["startCursor"])["group"]["issues"]
    assert [one["id"] for one in page["nodes"]] == order[-5:-3]
    assert page["pageInfo"]["hasPreviousPage"]


def assigned(issue: Issue, username: str) -> bool:
    return any(one.username == username for one in issue.assignees)


def has(issue: Issue, *names: str) -> bool:
    return all(any(one.title == name for one in issue.labels) for name in names)


def flow(issue: Issue) -> bool:
    return any(one.title.startswith("workflow::") for one in issue.labels)


def in_milestone(issue: Issue, *names: str) -> bool:
    return issue.milestone is not None and issue.milestone.title in names


FILTERS: list[tuple[str, Callable[[Issue], Any]]] = [
    ('labelName: ["type::bug", "Deliverable"]', lambda one: has(one, "type::bug", "Deliverable")),
    ('labelName: ["workflow::*"]', flow),
    ('labelName: ["none"]', lambda one: not one.labels),
    ('not: {labelName: ["Deliverable", "type::bug"]}',
     lambda one: not has(one, "Deliverable") and not has(one, "type::bug")),
    ('or: {labelNames: ["spike", "security"]}', lambda one: has(one, "spike") or has(one, "security")),
    ('milestoneTitle: ["19.8", "19.9"]', lambda one: in_milestone(one, "19.8", "19.9")),
    ('not: {milestoneTitle: ["Backlog"]}', lambda one: not in_milestone(one, "Backlog")),
    ("milestoneWildcardId: NONE", lambda one: one.milestone is None),
    ("milestoneWildcardId: ANY", lambda one: one.milestone is not None),
    ("milestoneWildcardId: STARTED", lambda one: in_milestone(one, "19.7")),
    ("milestoneWildcardId: UPCOMING", lambda one: in_milestone(one, "19.8", "19.9", "19.10", "19.11")),
    ("state: closed", lambda one: not one.open),
    ("state: opened", lambda one: one.open),
    ('assigneeUsernames: ["eng_elm"]', lambda one: assigned(one, "eng_elm")),
    ("assigneeWildcardId: NONE", lambda one: not one.assignees),
    ('not: {assigneeUsernames: ["eng_elm"]}', lambda one: not assigned(one, "eng_elm")),
    ('authorUsername: "pm_oak"', lambda one: one.author.username == "pm_oak"),
    ("confidential: true", lambda one: one.confidential),
    ('weight: "3"', lambda one: one.weight == 3),
    ("weightWildcardId: NONE", lambda one: one.weight is None),
    ('not: {weight: "1"}', lambda one: one.weight != 1),
    ('search: "crash", in: [TITLE]', lambda one: "crash" in one.title.lower()),
    ('iids: ["1", "2"]', lambda one: one.iid in (1, 2)),
    ('labelName: ["group::custom models"], state: opened, milestoneTitle: ["19.8"]',
     lambda one: has(one, "group::custom models") and one.open and in_milestone(one, "19.8")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "test"), FILTERS, ids=[text for text, _ in FILTERS])
def test_filter(reading: Wire, text: str, test: Callable[[Issue], Any]) -> None:
    query = f"""query F($after: String) {{ group(fullPath: "demo-org") {{ issues(
      includeSubgroups: true, {text}, after: $after) {{
      count pageInfo {{ hasNextPage endCursor }} nodes {{ reference(full: true) }} }} }} }}"""
    found: list[str] = []
    after = None
    while True:
        page = reading.data(query, after=after)["group"]["issues"]
        found += [one["reference"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    expected = {one.reference for one in reading.world.index.issues.values() if test(one)}
    assert set(found) == expected
    assert len(found) == len(expected) == page["count"]


def test_times_are_inclusive(wire: Wire) -> None:
    world = wire.world
    issue = next(iter(world.index.issues.values()))
    world.clock.freeze()
    world.clock.set(world.clock.moment().replace(microsecond=0) + timedelta(seconds=10))
    world.edit(issue.reference, by="pm_oak", title="Changed just now")
    query = """query T($t: Time!) { group(fullPath: "demo-org") { issues(
      includeSubgroups: true, updatedAfter: $t, sort: UPDATED_DESC) {
      nodes { reference(full: true) updatedAt } } } }"""
    stamp = world.clock.moment().isoformat().replace("+00:00", "Z")
    nodes = wire.data(query, t=stamp)["group"]["issues"]["nodes"]
    assert nodes[0] == {"reference": issue.reference, "updatedAt": stamp}
    world.clock.resume()
    world.clock.advance(1)
    later = world.clock.moment().isoformat()
    assert wire.data(query, t=later)["group"]["issues"]["nodes"] == []


def test_subgroups_are_left_out_by_default(reading: Wire) -> None:
    query = (
        'query S { group(fullPath: "demo-org") { issues(first: 100) { nodes { reference(full: true) } } } }'
    )
    found = {one["reference"].split("#")[0] for one in reading.data(query)["group"]["issues"]["nodes"]}
    assert found == {"demo-org/platform", "demo-org/custom-models"}


def test_project_and_issue_by_number(reading: Wire) -> None:
    issue = next(iter(reading.world.project("demo-org/platform").issues.values()))
    query = """query P($iid: String!) { project(fullPath: "demo-org/platform") {
      issue(iid: $iid) { title } issues(iids: [$iid]) { nodes { title } } } }"""
    assert reading.data(query, iid=str(issue.iid))["project"] == {
        "issue": {"title": issue.title},
        "issues": {"nodes": [{"title": issue.title}]},
    }


def test_milestone_title_and_wildcard_exclude_each_other(reading: Wire) -> None:
    both = 'milestoneTitle: ["19.8"], milestoneWildcardId: ANY'
    query = f'{{ group(fullPath: "demo-org") {{ issues({both}) {{ count }} }} }}'
    assert "Only one of [milestoneTitle, milestoneWildcardId]" in reading.error(query)


def test_started_means_less_on_older_servers_and_in_rest(serve: Callable[..., Wire]) -> None:
    query = """{ group(fullPath: "demo-org") { issues(includeSubgroups: true, milestoneWildcardId: STARTED) {
      nodes { milestone { title } } } } }"""

    def shown(wire: Wire) -> set[str]:
        return {one["milestone"]["title"] for one in wire.data(query)["group"]["issues"]["nodes"]}

    newer, older = serve(issues=300), serve(issues=300, version="16.8")
    assert shown(newer) == {"19.7"}
    assert shown(older) == {"19.4", "19.5", "19.6", "19.7"}
    found = newer.rest(
        "GET", "/groups/demo-org/issues", params={"milestone": "Started", "per_page": 100}
    ).json()
    assert {one["milestone"]["title"] for one in found} == {"19.4", "19.5", "19.6", "19.7"}
