"""Linked items as GraphQL shows and changes them: what blocks what, and what is only related."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql import issues
from glboard_core.demo.graphql.connections import Connection, listed
from glboard_core.demo.graphql.context import Fields, Info, context_of, gid, not_available, writer
from glboard_core.demo.world import links, permissions
from glboard_core.demo.world.links import LinkKind
from glboard_core.demo.world.records import GUEST, Issue

_MOST = 10
_TYPES: dict[str, LinkKind] = {"RELATED": "relates_to", "BLOCKS": "blocks", "BLOCKED_BY": "is_blocked_by"}
NOT_LICENSED = "Blocked work items are not available for the current subscription tier"


def _linked_items(widget: Any, info: Info, which: str | None = None, **args: Any) -> Connection:
    context = context_of(info)
    issue: Issue = widget.issue
    found = [
        {
            "linkId": gid("WorkItems::RelatedWorkItemLink", links.link_id(issue, other)),
            "linkType": kind,
            "linkCreatedAt": max(issue.created, other.created),
            "linkUpdatedAt": max(issue.created, other.created),
            "workItem": other,
            "workItemState": "OPEN" if other.open else "CLOSED",
        }
        for other, kind in links.linked_to(context.world, issue)
        if context.may_see(other) and (which is None or _TYPES[which] == kind)
    ]
    return listed(found, args)


def _of(read: Any) -> Any:
    return lambda widget, info: read(widget.issue, info)


def _ends(info: Info, wish: dict[str, Any]) -> tuple[Issue, list[Issue]]:
    """The issue and those it is to be linked to, as far as these are visible."""
    world, user = writer(info)
    context = context_of(info)
    issue = world.index.find(wish["id"])
    if issue is None or not context.may_see(issue) or issue.project.archived:
        raise not_available()
    if permissions.level(user, issue.project) < GUEST:
        raise not_available()
    if len(wish["workItemsIds"]) > _MOST:
        raise GraphQLError(f"No more than {_MOST} work items can be modified at the same time.")
    found = []
    for ident in wish["workItemsIds"]:
        other = world.index.find(ident)
        if other is None:
            raise GraphQLError(f"Couldn't find WorkItem with 'id'={int(ident)}")
        found.append(other)
    return issue, [one for one in found if context.may_see(one)]


def _answer(issue: Issue, wish: dict[str, Any], errors: list[str], message: str) -> dict[str, Any]:
    return {
        "workItem": issue,
        "errors": errors,
        "message": "" if errors else message,
        "clientMutationId": wish.get("clientMutationId"),
    }


def _add(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    issue, others = _ends(info, wish)
    kind = _TYPES[wish.get("linkType") or "RELATED"]
    if kind != "relates_to" and not world.licensed("premium"):
        return _answer(issue, wish, [NOT_LICENSED], "")
    if not others:
        return _answer(issue, wish, ["No matching work item found. Make sure you are adding a valid ID."], "")
    problems = [problem for one in others if (problem := links.link(world, issue, one, kind, user))]
    made = len(others) - len(problems)
    ids = ", ".join(str(one.id) for one in others)
    return _answer(
        issue, wish, [] if made else list(dict.fromkeys(problems)), f"Successfully linked IDs: {ids}."
    )


def _remove(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    issue, others = _ends(info, wish)
    gone = [one for one in others if links.unlink(world, issue, one, user)]
    left = [one for one in others if one not in gone]
    if not gone:
        ids = ", ".join(str(one.id) for one in left)
        return _answer(
            issue, wish, [f"IDs with errors: {ids} could not be removed due to not being linked."], ""
        )
    return _answer(issue, wish, [], f"Successfully unlinked IDs: {', '.join(str(one.id) for one in gone)}.")


FIELDS: Fields = {
    "WorkItemWidgetLinkedItems": {
        "blocked": lambda widget, info: bool(issues.blockers(widget.issue, info)),
        "blockedByCount": lambda widget, info: len(issues.blockers(widget.issue, info)),
        "blockingCount": _of(issues.blocking_count),
        "linkedItems": _linked_items,
    },
    "Mutation": {"workItemAddLinkedItems": _add, "workItemRemoveLinkedItems": _remove},
}
