"""What is read: catalogs by name, issues by every filter, by number and by id, searches, long lists."""

from __future__ import annotations

from typing import Any

from glboard_core.model.issue import IssueId, Reference
from glboard_core.model.query import IssueQuery
from live.ground import CLOSED, FILTER, LATER, ONE, OWN, PLAIN, SPARE, TEAM, TWO, Ground, Remote


async def test_what_is_named_is_found(ground: Ground, remote: Remote) -> None:
    catalog = remote.catalog
    assert catalog.me.username == ground.me
    assert {label.title for label in catalog.labels} >= {TEAM, ONE, TWO, PLAIN, SPARE, OWN}
    assert catalog.label(ground.lib, OWN) is not None
    assert catalog.label(ground.app, OWN) is None
    titles = {one.title: one for one in catalog.milestones}
    assert set(titles) >= {ground.first, ground.second, LATER, CLOSED}
    assert titles[ground.first].start is not None
    assert titles[LATER].due is None
    assert not titles[CLOSED].active
    assert {one.path for one in catalog.projects} >= {ground.app, ground.lib}
    assert all(one.can_edit for one in catalog.projects)
    assert catalog.server.release >= ground.version


async def test_filters_and_counts(ground: Ground, remote: Remote) -> None:
    labelled = {"one": [FILTER, ONE], "two": [FILTER, TWO], "none": [FILTER], "shut": [FILTER, ONE]}
    for name, labels in labelled.items():
        fields: dict[str, Any] = {"milestone_id": ground.ids[ground.first]} if name in ("one", "two") else {}
        reference = ground.issue(f"Filters: {name}", labels=labels, **fields)
        if name == "shut":
            ground.rest.put(ground.path_of(reference), state_event="close")
    queries = {
        ("one", "two", "none", "shut"): IssueQuery(labels=(FILTER,)),
        ("one", "two", "none"): IssueQuery(labels=(FILTER,), state="opened"),
        ("one", "shut"): IssueQuery(labels=(FILTER, ONE)),
        ("two", "none"): IssueQuery(labels=(FILTER,), without=(ONE,)),
        ("one", "two"): IssueQuery(labels=(FILTER,), milestone=ground.first),
        ("none", "shut"): IssueQuery(labels=(FILTER,), milestone=""),
        ("none", "shut", ""): IssueQuery(labels=(FILTER,), without_milestones=(ground.first,)),
    }
    for names, query in queries.items():
        found = [issue async for page in remote.gateway.pages(query) for issue in page]
        assert {issue.title for issue in found} == {f"Filters: {name}" for name in names if name}, query
    counts = await remote.gateway.count(list(queries.values()))
    assert list(counts) == [len([name for name in names if name]) for names in queries]


async def test_one_issue_in_every_way(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("In every way", labels=[PLAIN], milestone_id=ground.ids[ground.first])
    path, _, iid = reference.rpartition("#")
    issue = await remote.read(reference)
    assert issue.reference == reference
    assert issue.labels == {TEAM, PLAIN}
    assert issue.milestone == ground.first
    assert issue.is_open
    assert issue.web_url.endswith(f"/{iid}")
    found = await remote.gateway.find([Reference(path, int(iid)), Reference(path, 99_999)])
    assert found == {Reference(path, int(iid)): issue}
    # Paths mean the same in any case, names of labels and milestones do not.
    assert list((await remote.gateway.find([Reference(path.upper(), int(iid))])).values()) == [issue]
    assert await remote.gateway.count([IssueQuery(labels=(PLAIN.upper(),))]) == [0]
    gone = IssueId("gid://gitlab/Issue/999999999999")
    assert await remote.gateway.read([gone, issue.id]) == {issue.id: issue}


async def test_searches(ground: Ground, remote: Remote) -> None:
    projects = [ground.app]
    labels = await remote.gateway.search_labels("live plain", projects)
    assert [label.title for label in labels.items] == [PLAIN]
    milestones = await remote.gateway.search_milestones(ground.first, projects)
    assert [one.title for one in milestones.items] == [ground.first]
    assert (await remote.gateway.search_milestones(CLOSED, projects)).items == ()
    people = await remote.gateway.search_people(ground.me, ground.app)
    assert ground.me in {one.username for one in people.items}
    found = await remote.gateway.search_projects(ground.lib.rpartition("/")[2])
    assert ground.lib in {one.path for one in found.items}


async def test_more_labels_than_one_page(ground: Ground, remote: Remote) -> None:
    ground.needs_own_projects()
    titles = [f"live many {n:03}" for n in range(130)]
    for title in titles:
        ground.rest.post(f"/projects/{ground.app_id}/labels", name=title, color="#428bca")
    reference = ground.issue("Many labels")
    for some in (titles[:65], titles[65:]):
        ground.rest.put(ground.path_of(reference), add_labels=",".join(some))
    issue = await remote.read(reference)
    assert issue.labels == {TEAM, *titles}
    pages = [one async for page in remote.gateway.pages(IssueQuery(labels=(titles[0],))) for one in page]
    assert pages == [issue]


async def test_the_open_issue(ground: Ground, remote: Remote) -> None:
    reference = ground.issue("With words", description="First line\n\n- [ ] a task")
    for n in range(3):
        ground.rest.post(f"{ground.path_of(reference)}/notes", body=f"Comment {n}")
    issue = await remote.read(reference)
    detail = await remote.gateway.detail(issue.id)
    assert detail.source == "First line\n\n- [ ] a task"
    comments = [note for note in detail.notes if not note.system]
    assert [note.body for note in comments] == ["Comment 0", "Comment 1", "Comment 2"]
    assert {note.author for note in comments} == {ground.me}
    assert issue.notes == 3


async def test_an_issue_blocks_another(ground: Ground, remote: Remote) -> None:
    ground.needs_premium("Blocking issues")
    blocked, blocker = ground.issue("Blocked"), ground.issue("Blocker")
    target = {"target_project_id": ground.app_id, "target_issue_iid": int(blocker.rpartition("#")[2])}
    ground.rest.post(f"{ground.path_of(blocked)}/links", link_type="is_blocked_by", **target)
    issue = await remote.read(blocked)
    assert issue.blocked
    detail = await remote.gateway.detail(issue.id)
    assert [one.reference for one in detail.blockers] == [blocker]
    ground.rest.put(ground.path_of(blocker), state_event="close")
    assert not (await remote.read(blocked)).blocked
