"""The same issues as work items with widgets: for statuses and lock versions."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.graphql import issues
from glboard_core.demo.graphql.connections import listed
from glboard_core.demo.graphql.context import Fields, Info, context_of, gid
from glboard_core.demo.statuses import Status
from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import Issue

_WIDGETS = {
    "ASSIGNEES": "WorkItemWidgetAssignees",
    "DESCRIPTION": "WorkItemWidgetDescription",
    "HEALTH_STATUS": "WorkItemWidgetHealthStatus",
    "HIERARCHY": "WorkItemWidgetHierarchy",
    "ITERATION": "WorkItemWidgetIteration",
    "LABELS": "WorkItemWidgetLabels",
    "LINKED_ITEMS": "WorkItemWidgetLinkedItems",
    "MILESTONE": "WorkItemWidgetMilestone",
    "START_AND_DUE_DATE": "WorkItemWidgetStartAndDueDate",
    "STATUS": "WorkItemWidgetStatus",
    "WEIGHT": "WorkItemWidgetWeight",
}
_NEEDS = {"STATUS": "premium", "WEIGHT": "premium", "ITERATION": "premium", "HEALTH_STATUS": "ultimate"}
TYPE_IDS = {"ISSUE": 1, "INCIDENT": 2, "TEST_CASE": 3, "REQUIREMENT": 4, "TASK": 5}


class Widget:
    """One side of a work item."""

    __slots__ = ("issue", "type", "typename")

    def __init__(self, issue: Issue, kind: str) -> None:
        self.issue = issue
        self.type = kind
        self.typename = _WIDGETS[kind]


def _widgets(
    issue: Issue, info: Info, only_types: list[str] | None = None, except_types: list[str] | None = None
) -> list[Widget]:
    world = context_of(info).world
    found = []
    for kind, typename in _WIDGETS.items():
        needed = _NEEDS.get(kind)
        if needed is not None and not world.licensed("ultimate" if needed == "ultimate" else "premium"):
            continue
        if typename not in info.schema.type_map:
            continue
        if (only_types is None or kind in only_types) and kind not in (except_types or ()):
            found.append(Widget(issue, kind))
    return found


def _permissions(issue: Issue, info: Info) -> dict[str, bool]:
    user = context_of(info).user
    plan = permissions.can_admin(user, issue)
    return {
        "readWorkItem": permissions.can_read(user, issue),
        "updateWorkItem": permissions.can_update(user, issue),
        "adminWorkItem": plan,
        "setWorkItemMetadata": plan,
    }


def status_id(status: Status) -> str:
    """The global id of a status."""
    return gid("WorkItems::Statuses::Custom::Status", status.id)


def _work_type(issue: Issue, _: Any) -> dict[str, Any]:
    return {"id": gid("WorkItems::Type", TYPE_IDS[issue.kind]), "name": issue.kind.replace("_", " ").title()}


def _web_url(issue: Issue, info: Info) -> str:
    return f"{context_of(info).base_url}/{issue.project.full_path}/-/work_items/{issue.iid}"


def _of(read: Any) -> Any:
    """A widget's field from the issue behind it."""
    return lambda widget, info: read(widget.issue, info)


FIELDS: Fields = {
    "WorkItem": {
        "id": lambda issue, _: gid("WorkItem", issue.id),
        "iid": lambda issue, _: str(issue.iid),
        "state": lambda issue, _: "OPEN" if issue.open else "CLOSED",
        "createdAt": lambda issue, _: issue.created,
        "updatedAt": lambda issue, _: issue.updated,
        "closedAt": lambda issue, _: issue.closed,
        "webUrl": _web_url,
        "reference": issues.reference,
        "workItemType": _work_type,
        "widgets": _widgets,
        "userPermissions": _permissions,
    },
    "WorkItemWidgetLabels": {
        "allowsScopedLabels": lambda _, info: context_of(info).world.licensed("premium"),
        "labels": lambda widget, _, **args: listed(widget.issue.labels, args),
    },
    "WorkItemWidgetAssignees": {
        "allowsMultipleAssignees": lambda _, info: context_of(info).world.licensed("premium"),
        "assignees": lambda widget, _, **args: listed(widget.issue.assignees, args),
    },
    "WorkItemWidgetMilestone": {"milestone": lambda widget, _: widget.issue.milestone},
    "WorkItemWidgetWeight": {"weight": _of(issues.licensed_weight), "rolledUpWeight": lambda *_: None},
    "WorkItemWidgetStatus": {"status": _of(issues.status_of)},
    "WorkItemWidgetIteration": {"iteration": lambda *_: None},
    "WorkItemWidgetHealthStatus": {"healthStatus": _of(issues.licensed_health)},
    "WorkItemWidgetStartAndDueDate": {
        "startDate": lambda *_: None,
        "dueDate": lambda widget, _: widget.issue.due,
    },
    "WorkItemWidgetHierarchy": {
        "hasParent": lambda *_: False,
        "hasChildren": lambda *_: False,
        "parent": lambda *_: None,
    },
    "WorkItemWidgetLinkedItems": {
        "blocked": lambda widget, info: bool(issues.blockers(widget.issue, info)),
        "blockedByCount": lambda widget, info: len(issues.blockers(widget.issue, info)),
        "blockingCount": _of(issues.blocking_count),
    },
    "WorkItemWidgetDescription": {"description": lambda widget, _: widget.issue.description},
    "WorkItemStatus": {
        "id": lambda status, _: status_id(status),
        "description": lambda *_: None,
        "iconName": lambda status, _: status.icon,
    },
}
