"""The same issues as work items with widgets: statuses and lock versions."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql import issues
from glboard_core.demo.graphql.connections import Connection, listed
from glboard_core.demo.graphql.context import (
    Fields,
    GlobalId,
    Info,
    context_of,
    gid,
    not_available,
    writer,
)
from glboard_core.demo.graphql.mutations import simple_change
from glboard_core.demo.world import changes, notes, permissions
from glboard_core.demo.world.changes import UNSET, Change
from glboard_core.demo.world.records import Issue, Project, Status
from glboard_core.demo.world.registry import InternalServerError
from glboard_core.demo.world.world import World

_WIDGETS = {
    "ASSIGNEES": "WorkItemWidgetAssignees",
    "DESCRIPTION": "WorkItemWidgetDescription",
    "DEVELOPMENT": "WorkItemWidgetDevelopment",
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
#: Types of GitLab's own that boards do not show.
_NOT_ON_BOARDS = ("TEST_CASE", "REQUIREMENT", "TASK")


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
    kind = "Custom" if status.own else "SystemDefined"
    return gid(f"WorkItems::Statuses::{kind}::Status", status.id)


def _status(world: World, ident: GlobalId) -> str:
    """The name of the status with an id. One that GitLab had before the group made its own means that one
    still, except that 18.9 fails to close by it."""
    own = "::Custom::" in ident.kind
    named = next((one for one in world.statuses.values() if (one.id, one.own) == (int(ident), own)), None)
    former = None if own else world.former_statuses.get(int(ident))
    if named is None and former is not None:
        named = world.statuses[former]
        if named.closes:
            raise InternalServerError
    if named is None:
        raise GraphQLError("Status doesn't exist.")
    return named.name


def _type(world: World, kind: str) -> dict[str, Any]:
    own = kind.replace("_", " ").title() if kind.isupper() else kind
    shown = kind not in _NOT_ON_BOARDS
    return {"id": gid("WorkItems::Type", world.types[kind]), "name": own, "isFilterableBoardView": shown}


def _work_type(issue: Issue, info: Info) -> dict[str, Any]:
    return _type(context_of(info).world, issue.kind)


def _types(_: Any, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    return listed([_type(world, kind) for kind in world.types], args)


def _web_url(issue: Issue, info: Info) -> str:
    return f"{context_of(info).base_url}{issue.path}"


def _of(read: Any) -> Any:
    """A widget's field, read from its issue."""
    return lambda widget, info: read(widget.issue, info)


def _licensed(count: int, info: Info) -> int | None:
    return count if context_of(info).world.licensed("premium") else None


def _closing(widget: Widget, _: Info, **args: Any) -> Connection:
    return listed(widget.issue.merge_requests, args)


FIELDS: Fields = {
    "Group": {"workItemTypes": _types},
    "WorkItem": {
        "id": lambda issue, _: gid("WorkItem", issue.id),
        "iid": lambda issue, _: str(issue.iid),
        "state": lambda issue, _: "OPEN" if issue.open else "CLOSED",
        "createdAt": lambda issue, _: issue.created,
        "updatedAt": lambda issue, _: issue.updated,
        "closedAt": lambda issue, _: issue.closed,
        "webUrl": _web_url,
        "promotedToEpicUrl": lambda issue, _: issue.epic_url,
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
    "WorkItemWidgetDevelopment": {"closingMergeRequests": _closing},
    "WorkItemClosingMergeRequest": {"fromMrDescription": lambda *_: True, "mergeRequest": lambda one, _: one},
    "MergeRequest": {
        "iid": lambda one, _: str(one.iid),
        "reference": lambda one, _, full=False: f"{one.project.full_path if full else ''}!{one.iid}",
        "headPipeline": lambda one, _: {"status": one.pipeline} if one.pipeline else None,
        "approved": lambda one, _: one.approvals >= one.approvals_required,
        # Rules of approval need a licence.
        "approvalsRequired": lambda one, info: _licensed(one.approvals_required, info),
        "approvalsLeft": lambda one, info: _licensed(max(one.approvals_required - one.approvals, 0), info),
    },
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
    "WorkItemWidgetDescription": {"description": lambda widget, _: issues.described(widget.issue)},
    "WorkItemStatus": {
        "id": lambda status, _: status_id(status),
        "description": lambda *_: None,
        "iconName": lambda status, _: status.icon,
        # The place of a custom status is that in the list; the field is 0 for all.
        "position": lambda *_: 0,
    },
}


# Mutations of work items: one, or up to a hundred at once.

_MOST = 100


def _change(world: World, wish: dict[str, Any]) -> Change:
    change = simple_change(wish)
    if wish.get("descriptionWidget"):
        change.description = wish["descriptionWidget"]["description"]
    labels = wish.get("labelsWidget") or {}
    change.add_labels = [world.labels[one] for one in labels.get("addLabelIds") or () if one in world.labels]
    change.remove_labels = [
        world.labels[one] for one in labels.get("removeLabelIds") or () if one in world.labels
    ]
    milestone = wish.get("milestoneWidget") or {}
    if "milestoneId" in milestone:
        ident = milestone["milestoneId"]
        change.milestone = None if ident is None else world.milestones.get(ident, UNSET)
    weight = wish.get("weightWidget") or {}
    if "weight" in weight:
        change.weight = weight["weight"]
    if wish.get("assigneesWidget"):
        change.assignees = world.users_of(wish["assigneesWidget"]["assigneeIds"])
    dates = wish.get("startAndDueDateWidget") or {}
    if "dueDate" in dates:
        change.due = dates["dueDate"]
    health = wish.get("healthStatusWidget") or {}
    if "healthStatus" in health:
        change.health = health["healthStatus"]
    status = (wish.get("statusWidget") or {}).get("status")
    if status is not None and not world.licensed("premium"):
        raise GraphQLError("Following widget keys are not supported by Issue type: [:status_widget]")
    if status is not None:
        change.status = _status(world, status)
    return change


_STATUS_ALONE = {"id", "statusWidget", "clientMutationId"}


def _update(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    issue = world.index.find(wish["id"])
    if issue is None or not context_of(info).may_see(issue):
        raise not_available()
    # A status alone is dropped without a word where it may not be set.
    alone = wish.keys() <= _STATUS_ALONE and not issue.project.archived
    if not permissions.can_update(user, issue) and not alone:
        raise not_available()
    change = _change(world, wish)
    errors = changes.apply(world, issue, change, user)
    if change.description is not UNSET and not errors:
        notes.describe(world, issue, user)
    done = None if errors else issue
    return {"workItem": done, "errors": errors, "clientMutationId": wish.get("clientMutationId")}


def _bulk(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    if len(wish["ids"]) > _MOST:
        raise GraphQLError(f"No more than {_MOST} work items can be updated at the same time")
    place = world.group_at(wish["fullPath"]) or world.project_at(wish["fullPath"])
    if place is None or not permissions.can_read_place(user, place):
        raise not_available()
    if not isinstance(place, Project) and not world.licensed("premium"):
        raise not_available()
    change = _change(world, wish)
    count = 0
    for ident in dict.fromkeys(wish["ids"]):
        issue = world.index.find(ident)
        # Items that cannot be edited are skipped; only the count shows it.
        if issue is None or not permissions.can_admin(user, issue):
            continue
        if not (
            issue.project is place
            or (not isinstance(place, Project) and permissions.within(issue.project, place))
        ):
            continue
        if not changes.apply(world, issue, change, user):
            count += 1
    return {"updatedWorkItemCount": count, "errors": [], "clientMutationId": wish.get("clientMutationId")}


def _updated(root: Issue | None, info: Info, work_item_id: int) -> Issue | None:
    """Nothing at first; then the issue, each time it changes. `root` is the issue that did."""
    context = context_of(info)
    issue = root or context.world.index.find(work_item_id)
    if issue is None or not context.may_see(issue):
        raise not_available()
    context.subscribed.add(int(work_item_id))
    return root


MUTATION_FIELDS: Fields = {
    "Mutation": {"workItemUpdate": _update, "workItemBulkUpdate": _bulk},
    "Subscription": {"workItemUpdated": _updated},
}
