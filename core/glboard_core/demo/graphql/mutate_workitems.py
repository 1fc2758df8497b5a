"""Mutations of work items: one, or up to a hundred at once."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.context import Fields, Info, context_of, not_available, writer
from glboard_core.demo.graphql.mutations import simple_change
from glboard_core.demo.world import changes, permissions
from glboard_core.demo.world.changes import UNSET, Change
from glboard_core.demo.world.records import Project
from glboard_core.demo.world.world import World

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
        people = {one.id: one for one in world.users.values()}
        change.assignees = [people[one] for one in wish["assigneesWidget"]["assigneeIds"] if one in people]
    dates = wish.get("startAndDueDateWidget") or {}
    if "dueDate" in dates:
        change.due = dates["dueDate"]
    health = wish.get("healthStatusWidget") or {}
    if "healthStatus" in health:
        change.health = health["healthStatus"]
    status = (wish.get("statusWidget") or {}).get("status")
    if status is not None:
        named = {one.id: name for name, one in world.statuses.items()}
        if status not in named:
            raise not_available()
        change.status = named[status]
    return change


def _update(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    issue = world.index.issues.get(wish["id"])
    if issue is None or not context_of(info).may_see(issue) or not permissions.can_update(user, issue):
        raise not_available()
    errors = changes.apply(world, issue, _change(world, wish), user)
    return {"workItem": issue, "errors": errors, "clientMutationId": wish.get("clientMutationId")}


def _bulk(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    if len(wish["ids"]) > _MOST:
        raise GraphQLError(f"No more than {_MOST} work items can be updated at the same time")
    place = world.groups.get(wish["fullPath"]) or world.projects.get(wish["fullPath"])
    if place is None or not permissions.can_read_place(user, place):
        raise not_available()
    if not isinstance(place, Project) and not world.licensed("premium"):
        raise not_available()
    change = _change(world, wish)
    count = 0
    for ident in dict.fromkeys(wish["ids"]):
        issue = world.index.issues.get(ident)
        # What may not be edited is skipped, and only the count tells.
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


MUTATION_FIELDS: Fields = {"Mutation": {"workItemUpdate": _update, "workItemBulkUpdate": _bulk}}
