"""python-gitlab as it comes, for REST."""

from __future__ import annotations

from collections.abc import Iterator

import gitlab
import pytest
from gitlab.exceptions import GitlabCreateError, GitlabGetError

from demo.wire import Wire, an_issue
from glboard_core.demo.world import permissions


@pytest.fixture(scope="module")
def client(wire: Wire) -> Iterator[gitlab.Gitlab]:
    found = gitlab.Gitlab(wire.server.url, private_token=wire.token)
    found.auth()
    yield found
    found.session.close()


def test_lists_all_issues_and_milestones(client: gitlab.Gitlab, wire: Wire) -> None:
    assert client.user is not None
    assert client.user.username == "em_maple"
    group = client.groups.get("demo-org")
    issues = group.issues.list(iterator=True, per_page=50)
    everything = wire.world.index.issues.values()
    readable = {one.reference for one in everything if permissions.can_read(wire.world.owner, one)}
    assert {one.references["full"] for one in issues} == readable
    titles = {one.title for one in group.milestones.list(get_all=True)}
    assert {"19.7", "19.8", "Backlog"} <= titles
    assert group.milestones.list(title="19.8", get_all=True)[0].start_date == "2026-12-12"


def test_saves_an_issue(client: gitlab.Gitlab, wire: Wire) -> None:
    issue = an_issue(wire.world)
    project = client.projects.get(issue.project.full_path)
    found = project.issues.get(issue.iid)
    found.title = "Saved by python-gitlab"
    found.labels = ["type::bug", "spike"]
    found.weight = 3
    found.save()
    assert (issue.title, issue.weight) == ("Saved by python-gitlab", 3)
    assert [one.title for one in issue.labels] == ["spike", "type::bug"]
    found.notes.create({"body": "from python-gitlab"})
    assert found.notes.list(get_all=True)[0].body == "from python-gitlab"
    assert [one.action for one in found.resourcelabelevents.list(get_all=True)]
    assert found.resourcemilestoneevents.list(get_all=True)
    assert found.resource_weight_events.list(get_all=True)
    found.state_event = "close"
    found.save()
    assert not issue.open
    assert [one.state for one in found.resourcestateevents.list(get_all=True)] == ["closed"]


def test_opens_a_milestone_with_a_board_and_an_issue(client: gitlab.Gitlab, wire: Wire) -> None:
    group = client.groups.get("demo-org")
    milestone = group.milestones.create(
        {"title": "43.0", "start_date": "2036-04-12", "due_date": "2036-05-09"}
    )
    label = group.labels.create({"name": "missed:43.0", "color": "#cc0000"})
    board = group.boards.create({"name": "Planning 43.0"})
    column = board.lists.create({"label_id": label.id})
    assert [one.id for one in board.lists.list(get_all=True)] == [column.id]
    project = client.projects.get("demo-org/custom-models")
    issue = project.issues.create(
        {"title": "Planning issue", "milestone_id": milestone.id, "labels": ["type::ignore"]}
    )
    assert wire.world.issue(issue.references["full"]).milestone is wire.world.milestones[milestone.id]
    assert [one.id for one in milestone.issues()] == [issue.id]
    with pytest.raises(GitlabCreateError):
        group.milestones.create({"title": "43.0"})
    board.delete()
    milestone.delete()


def test_members_projects_and_errors(client: gitlab.Gitlab) -> None:
    group = client.groups.get("demo-org/ai")
    assert "eng_elm" in {one.username for one in group.members_all.list(get_all=True)}
    assert group.projects.list(include_subgroups=True, get_all=True)
    with pytest.raises(GitlabGetError, match="404"):
        client.projects.get("demo-org/nowhere")
    assert client.version() == ("18.9.0-ee", "0ddba11f00d")
