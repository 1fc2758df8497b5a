"""Comments and resource events of issues over REST."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.rest import find, paging, shapes
from glboard_core.demo.rest.request import Call, Refused, forbidden, missing
from glboard_core.demo.world import permissions
from glboard_core.demo.world.notes import comment
from glboard_core.demo.world.records import PLANNER, Note


def list_notes(call: Call, project: str, iid: str) -> Any:
    """The comments of an issue, newest first unless told otherwise."""
    issue = find.issue(call, project, iid)
    shown = [
        one
        for one in issue.notes or ()
        if not one.internal or permissions.level(call.user, issue.project) >= PLANNER
    ]
    updated = call.choice("order_by", ("created_at", "updated_at")) == "updated_at"
    shown.sort(
        key=lambda one: (one.updated if updated else one.created, one.id),
        reverse=call.choice("sort", ("asc", "desc")) != "asc",
    )
    return [shapes.note(call, one) for one in paging.paged(call, shown)]


def _note(call: Call, project: str, iid: str, ident: str, *, own: bool = False) -> Note:
    issue = find.issue(call, project, iid)
    found = call.world.notes.get(int(ident)) if ident.isdigit() else None
    if found is None or found.issue is not issue:
        raise missing("Note")
    if own and not (call.signed_in() is found.author or permissions.can_maintain(call.user, issue.project)):
        raise forbidden()
    return found


def note(call: Call, project: str, iid: str, ident: str) -> Any:
    """One comment."""
    return shapes.note(call, _note(call, project, iid, ident))


def create_note(call: Call, project: str, iid: str) -> Any:
    """Comments; commands alone are answered with 202 and leave no note."""
    user, issue = call.signed_in(), find.issue(call, project, iid)
    body = call.required("body")
    if issue.project.archived:
        raise forbidden()
    if call.asked.throttle_note(user):
        text = "This endpoint has been requested too many times. Try again later."
        raise Refused(429, {"message": {"error": text}}, {"retry-after": "60"})
    outcome = comment(call.world, issue, body, user, internal=bool(call.flag("internal", False)))
    if outcome.note is not None:
        return 201, shapes.note(call, outcome.note)
    if outcome.commands_only:
        changes: dict[str, Any] = dict.fromkeys(outcome.commands, True)
        return 202, {"commands_changes": changes, "summary": outcome.messages or outcome.failures}
    raise Refused(400, {"message": "400 Bad request - Note " + str({"note": ["can't be blank"]})})


def update_note(call: Call, project: str, iid: str, ident: str) -> Any:
    """Changes a comment."""
    found = _note(call, project, iid, ident, own=True)
    found.body = call.required("body")
    found.updated = call.world.clock.now()
    return shapes.note(call, found)


def delete_note(call: Call, project: str, iid: str, ident: str) -> Any:
    """Deletes a comment."""
    call.world.drop_note(_note(call, project, iid, ident, own=True))
    return 204, None


def _events(call: Call, project: str, iid: str, kind: str) -> Any:
    issue = find.issue(call, project, iid)
    kept = [one for one in call.world.ensure_history(issue) if one.kind == kind]
    kept.sort(key=lambda one: one.id)
    return [shapes.event(call, issue, one) for one in paging.paged(call, kept)]


def label_events(call: Call, project: str, iid: str) -> Any:
    """Labels that came and went."""
    return _events(call, project, iid, "label")


def milestone_events(call: Call, project: str, iid: str) -> Any:
    """Milestones it was put in and taken out of."""
    return _events(call, project, iid, "milestone")


def state_events(call: Call, project: str, iid: str) -> Any:
    """When it was closed and reopened."""
    return _events(call, project, iid, "state")


def weight_events(call: Call, project: str, iid: str) -> Any:
    """The weights it had."""
    if not call.world.licensed("premium"):
        raise missing("")
    return _events(call, project, iid, "weight")


def iteration_events(call: Call, project: str, iid: str) -> Any:
    """The world has no iterations."""
    find.issue(call, project, iid)
    return list(paging.paged(call, []))
