"""JSON shapes of REST. Times have three decimals, ids are plain numbers."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.graphql.issues import described, tasks
from glboard_core.demo.rest.request import Call
from glboard_core.demo.world.boards import lists_of
from glboard_core.demo.world.clock import iso_millis
from glboard_core.demo.world.records import (
    HEALTH,
    Board,
    BoardList,
    Event,
    Group,
    Issue,
    Label,
    Milestone,
    Note,
    Place,
    Project,
    User,
)

Shape = dict[str, Any]


def _time(stamp: int | None) -> str | None:
    return None if stamp is None else iso_millis(stamp)


def user(call: Call, one: User) -> Shape:
    """A person."""
    return {
        "id": one.id,
        "username": one.username,
        "public_email": None,
        "name": one.name,
        "state": "active",
        "locked": False,
        "avatar_url": None,
        "web_url": f"{call.asked.base_url}/{one.username}",
    }


def member(call: Call, one: User, level: int) -> Shape:
    """A member."""
    return {**user(call, one), "access_level": level, "expires_at": None, "membership_state": "active"}


def group(call: Call, one: Group) -> Shape:
    """A group."""
    return {
        "id": one.id,
        "web_url": f"{call.asked.base_url}/groups/{one.full_path}",
        "name": one.name,
        "path": one.path,
        "description": one.description,
        "visibility": "private",
        "full_name": " / ".join(each.name for each in reversed(one.chain())),
        "full_path": one.full_path,
        "parent_id": one.parent.id if one.parent else None,
    }


def project(call: Call, one: Project) -> Shape:
    """A project."""
    above = one.group
    return {
        "id": one.id,
        "description": one.description,
        "name": one.name,
        "name_with_namespace": " / ".join([*(each.name for each in reversed(above.chain())), one.name]),
        "path": one.path,
        "path_with_namespace": one.full_path,
        "default_branch": "main",
        "visibility": "private",
        "archived": one.archived,
        "issues_enabled": one.issues_enabled,
        "web_url": f"{call.asked.base_url}/{one.full_path}",
        "namespace": {
            "id": above.id,
            "name": above.name,
            "path": above.path,
            "kind": "group",
            "full_path": above.full_path,
            "parent_id": above.parent.id if above.parent else None,
        },
    }


def basic_label(one: Label) -> Shape:
    """A label as part of something else."""
    return {
        "id": one.id,
        "name": one.title,
        "description": one.description,
        "description_html": one.description or "",
        "text_color": one.text_color,
        "color": one.color,
    }


def label(one: Label, parent: Place) -> Shape:
    """A label in the list of a place; only a project knows its priority and whose it is."""
    shape = {**basic_label(one), "subscribed": False}
    if isinstance(parent, Project):
        shape |= {"priority": None, "is_project_label": isinstance(one.owner, Project)}
    return shape


def milestone(call: Call, one: Milestone) -> Shape:
    """A milestone."""
    today = call.world.clock.today()
    in_group = isinstance(one.owner, Group)
    prefix = "/groups" if in_group else ""
    return {
        "id": one.id,
        "iid": one.iid,
        ("group_id" if in_group else "project_id"): one.owner.id,
        "title": one.title,
        "description": one.description or None,
        "state": "closed" if one.closed else "active",
        "created_at": _time(one.created),
        "updated_at": _time(one.updated),
        "due_date": one.due.isoformat() if one.due else None,
        "start_date": one.start.isoformat() if one.start else None,
        "expired": one.due is not None and one.due < today,
        "web_url": f"{call.asked.base_url}{prefix}/{one.owner.full_path}/-/milestones/{one.iid}",
    }


def _duplicated(call: Call, one: Issue) -> str | None:
    other = one.duplicate_of
    if other is None:
        return None
    return f"{call.asked.base_url}/api/v4/projects/{other.project.id}/issues/{other.iid}"


def one_issue(call: Call, one: Issue) -> Shape:
    """An issue that was asked for alone."""
    return {**issue(call, one), "subscribed": call.user in (one.author, *one.assignees)}


def issue(call: Call, one: Issue, *, detailed_labels: bool = False) -> Shape:
    """An issue. Weight and health exist only with a licence; whether it is blocked is never reported."""
    task = tasks(one)
    api = f"{call.asked.base_url}/api/v4/projects/{one.project.id}"
    shape: Shape = {
        "id": one.id,
        "iid": one.iid,
        "project_id": one.project.id,
        "title": one.title,
        "description": described(one),
        "state": "opened" if one.open else "closed",
        "created_at": _time(one.created),
        "updated_at": _time(one.updated),
        "closed_at": _time(one.closed),
        "closed_by": user(call, one.closed_by) if one.closed_by else None,
        "labels": [basic_label(each) if detailed_labels else each.title for each in one.labels],
        "milestone": milestone(call, one.milestone) if one.milestone else None,
        "assignees": [user(call, each) for each in one.assignees],
        "author": user(call, one.author),
        "type": one.kind,
        "assignee": user(call, one.assignees[0]) if one.assignees else None,
        "user_notes_count": sum(1 for each in one.notes or () if not each.system),
        "merge_requests_count": one.mr_count,
        "upvotes": one.upvotes,
        "downvotes": 0,
        "start_date": None,
        "due_date": one.due.isoformat() if one.due else None,
        "confidential": one.confidential,
        "discussion_locked": one.locked or None,
        "issue_type": one.kind.lower(),
        "web_url": call.asked.base_url + one.path,
        "time_stats": {
            "time_estimate": one.time_estimate,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "task_completion_status": {"count": task["count"], "completed_count": task["completedCount"]},
        "blocking_issues_count": len(call.world.blocked_by(one)) if call.world.licensed("premium") else 0,
        "has_tasks": True,
        "task_status": f"{task['completedCount']} of {task['count']} checklist items completed",
        "_links": {
            "self": f"{api}/issues/{one.iid}",
            "notes": f"{api}/issues/{one.iid}/notes",
            "award_emoji": f"{api}/issues/{one.iid}/award_emoji",
            "project": api,
            "closed_as_duplicate_of": _duplicated(call, one),
        },
        "references": {"short": f"#{one.iid}", "relative": f"#{one.iid}", "full": one.reference},
        "severity": one.severity,
        "moved_to_id": one.moved_to.id if one.moved_to else None,
        "imported": False,
        "imported_from": "none",
        "service_desk_reply_to": None,
    }
    if call.world.licensed("premium"):
        shape |= {"weight": one.weight, "iteration": None, "epic_iid": None, "epic": None}
    if call.world.licensed("ultimate"):
        shape["health_status"] = one.health and HEALTH[one.health]
    return shape


def note(call: Call, one: Note) -> Shape:
    """A comment."""
    return {
        "id": one.id,
        "type": None,
        "body": one.body,
        "author": user(call, one.author),
        "created_at": _time(one.created),
        "updated_at": _time(one.updated),
        "system": one.system,
        "noteable_id": one.issue.id,
        "noteable_type": "Issue",
        "project_id": one.issue.project.id,
        "resolvable": False,
        "confidential": one.internal,
        "internal": one.internal,
        "noteable_iid": one.issue.iid,
        "commands_changes": {},
    }


def board_list(call: Call, one: BoardList) -> Shape:
    """A movable list of a board."""
    shape: Shape = {
        "id": one.id,
        "label": basic_label(one.label) if one.label else None,
        "position": one.position,
        "max_issue_count": 0,
        "max_issue_weight": 0,
        "limit_metric": None,
    }
    if one.milestone is not None:
        shape["milestone"] = milestone(call, one.milestone)
    if one.assignee is not None:
        shape["assignee"] = user(call, one.assignee)
    return shape


def board(call: Call, one: Board) -> Shape:
    """A board; REST does not show its Open and Closed lists."""
    shape: Shape = {
        "id": one.id,
        "name": one.name,
        "hide_backlog_list": one.hide_backlog,
        "hide_closed_list": one.hide_closed,
        "project": None,
        "lists": [board_list(call, each) for each in lists_of(call.world, one) if each.position is not None],
        "group": {
            "id": one.group.id,
            "web_url": f"{call.asked.base_url}/groups/{one.group.full_path}",
            "name": one.group.name,
        },
    }
    if call.world.licensed("premium"):
        shape |= {
            "milestone": milestone(call, one.milestone) if one.milestone else None,
            "assignee": user(call, one.assignee) if one.assignee else None,
            "labels": [basic_label(each) for each in one.labels],
            "weight": one.weight,
        }
    return shape


def event(call: Call, holder: Issue, one: Event) -> Shape:
    """A resource event."""
    shape: Shape = {"id": one.id, "user": user(call, one.by), "created_at": _time(one.at)}
    if one.kind == "weight":
        return {**shape, "issue_id": holder.id, "weight": one.value}
    shape |= {"resource_type": "Issue", "resource_id": holder.id}
    if one.kind == "state":
        return {**shape, "source_commit": None, "source_merge_request_id": None, "state": one.action}
    if one.kind == "milestone":
        value = milestone(call, one.value) if isinstance(one.value, Milestone) else None
        state = "opened" if holder.open else "closed"
        return {**shape, "milestone": value, "action": one.action, "state": state}
    # The label is null if it was deleted.
    named = basic_label(one.value) if isinstance(one.value, Label) else None
    return {**shape, "label": named, "action": one.action}
